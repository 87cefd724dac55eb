"""The build hook that fetches the scripts of the pages."""

import json
import re
import shutil
from pathlib import Path

import pytest

import hatch_build
from hatch_build import FILES, FONTS, PLACES, STAMP, VENDOR, AssetError, fetch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path):
    """The files of the project that the hook reads, in a folder of the test's own."""
    for name in hatch_build.MANIFESTS:
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def lay(tree, text):
    """Every file of the lists, stamped as what the lock asks for."""
    for folder, files in PLACES.items():
        (tree / folder).mkdir(parents=True)
        for name in files:
            (tree / folder / name).write_text(text)
        (tree / folder / STAMP).write_text(hatch_build.digest(tree))


def test_lock_is_pinned_and_without_addresses():
    """Each package of the lock has an exact version and a hash, and no download address."""
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text
    assert "http" not in text
    lock = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert lock.pop("")["dependencies"] == wanted
    for name, package in lock.items():
        assert package["integrity"].startswith("sha512-"), name
        assert package["version"][0].isdigit(), name
    for name, version in wanted.items():
        assert lock[f"node_modules/{name}"]["version"] == version


def test_what_is_shipped_comes_with_its_licence():
    """Every package of the lock is shipped with its licence, and no source map is."""
    sources = [source for files in PLACES.values() for source in files.values()]
    shipped = {re.match("(@[^/]+/)?[^/]+", source).group() for source in sources if "LICENSE" in source}  # type: ignore[union-attr]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert shipped == {name.removeprefix("node_modules/") for name in lock if name}
    assert not any(name.endswith(".map") for name in FILES)


def test_nothing_is_fetched_twice(tree):
    """Where the stamp says that the files are those of the lock, the hook does nothing."""
    lay(tree, "here")
    assert fetch(tree) is False
    for folder in PLACES:
        assert {file.read_text() for file in (tree / folder).iterdir() if file.name != STAMP} == {"here"}


@pytest.mark.parametrize("spoil", ["lock", "file", "font"])
def test_a_failure_says_what_failed_and_leaves_no_stamp(tree, spoil):
    """A changed lock or a missing file is fetched again; where npm cannot, its own words are in the error."""
    vendor = tree / VENDOR
    lay(tree, "old")
    if spoil == "file":
        (vendor / "htmx.min.js").unlink()
    if spoil == "font":
        (tree / FONTS / "latin.woff2").unlink()
    (tree / "package-lock.json").write_text("{broken")
    with pytest.raises(AssetError, match=r"npm could not fetch the scripts and the font \(exit [1-9]\d*\):\n.*npm"):
        fetch(tree)
    assert hatch_build.stamped(vendor) != hatch_build.digest(tree)


def test_installed_scripts_are_those_of_the_lock():
    """The files beside the running code carry the stamp of the lock that stands in the tree."""
    for folder in PLACES:
        assert hatch_build.stamped(ROOT / folder) == hatch_build.digest(ROOT)
