"""A folder of trained models: every version is kept, one is current, and going back is a word in a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sentiment.analyzer import AnalysisError
from sentiment.weights import Weights, load, save

_INDEX: Final = "versions.json"


@dataclass(frozen=True, slots=True)
class Version:
    """``name`` is the file's, ``at`` when it was trained, ``figures`` what was measured before it was taken."""

    name: str
    at: datetime
    figures: Mapping[str, Any]


def versions(folder: Path) -> tuple[list[Version], str | None]:
    """All versions, oldest first, and the current one's name; None: the shipped model. Raises AnalysisError."""
    path = folder / _INDEX
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = [Version(v["name"], datetime.fromisoformat(v["at"]), v["figures"]) for v in data["versions"]]
        name = data["current"]
    except FileNotFoundError:
        return [], None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError("ngram", f"{path}: is no list of models: {error}") from error
    if name is not None and name not in {version.name for version in found}:
        raise AnalysisError("ngram", f"{path}: current: {name!r} is none of its versions")
    return found, name


def current(folder: Path) -> Weights | None:
    """The weights in use; None where nothing was trained or the shipped model was gone back to."""
    _, name = versions(folder)
    return load(folder / f"{name}.bin") if name else None


def add(folder: Path, weights: Weights, at: datetime, figures: Mapping[str, Any]) -> Version:
    """Keep *weights* as the newest version and make it current."""
    found, _ = versions(folder)
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / "new.bin"
    digest = save(weights, new)
    version = Version(f"{at:%Y%m%dT%H%M%S}-{digest}", at, figures)
    new.replace(folder / f"{version.name}.bin")
    _write(folder, [*[old for old in found if old.name != version.name], version], version.name)
    return version


def choose(folder: Path, name: str | None) -> None:
    """Make a kept version current, or with None the shipped model. Raises AnalysisError where there is none such."""
    found, _ = versions(folder)
    if name is not None:
        if name not in {version.name for version in found}:
            known = ", ".join(version.name for version in found) or "none"
            raise AnalysisError("ngram", f"{folder}: holds no version {name!r}; there are: {known}")
        load(folder / f"{name}.bin")
    _write(folder, found, name)


def _write(folder: Path, found: list[Version], name: str | None) -> None:
    data = {
        "current": name,
        "versions": [{"name": v.name, "at": v.at.isoformat(), "figures": dict(v.figures)} for v in found],
    }
    draft = folder / f"{_INDEX}.new"
    draft.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(folder / _INDEX)
