"""Mention lines from a file, a folder or a pattern, followed as they grow."""

import asyncio
import glob
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, BinaryIO, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from listener.collector import Batch, CollectError
from listener.collectors.config import Duration, SourceConfig
from listener.http import Http
from listener.interchange import LineError, read_line
from rules.mention import Mention

_LINES = 500
_LONGEST_LINE = 2 * 2**20
_HEAD = 256


class FileConfig(SourceConfig):
    """Mention lines, as DESIGN "Interchange" has them, from files that others append to."""

    type: Literal["file"]
    path: Annotated[
        str, Field(min_length=1, description="A file, a folder (its *.jsonl) or a pattern such as in/*.jsonl.")
    ]
    every: Annotated[Duration, Field(description="Time from one look to the next.")] = timedelta(seconds=2)

    def build(self, http: Http, *, timezone: ZoneInfo, base: Path) -> "File":  # noqa: ARG002 - the protocol's
        return File(self.id, base / Path(self.path).expanduser())


@dataclass(frozen=True, slots=True)
class _Place:
    """How far one file was read: ``offset`` bytes and ``line`` lines; ``head`` tells a new file on an old inode."""

    path: str
    offset: int = 0
    line: int = 0
    head: str = ""
    skipping: bool = False


@dataclass(slots=True)
class _Haul:
    mentions: list[Mention] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lines: int = 0
    more: bool = False

    @property
    def full(self) -> bool:
        return self.lines >= _LINES


class File:
    """Follows files by device and inode, so that a renamed one is read to its end and a new one from its start.

    A line counts once its newline is there. The source of every mention is the configured one, since cursor and
    uniqueness are its own; channel and the rest are the line's.
    """

    def __init__(self, source: str, path: Path) -> None:
        self._source = source
        self._path = path

    async def collect(self, cursor: str | None, /) -> Batch:
        try:
            return await asyncio.to_thread(self._collect, cursor)
        except OSError as error:
            told = f"{error.filename or self._path}: {error.strerror or type(error).__name__}"
            reason = "not_found" if isinstance(error, FileNotFoundError) else "unreadable"
            raise CollectError(self._source, reason, told) from error

    def _collect(self, cursor: str | None) -> Batch:
        places = _read_cursor(cursor)
        haul = _Haul()
        found: dict[str, _Place] = {}
        for path in self._paths(places):
            try:
                with path.open("rb") as stream:
                    status = os.fstat(stream.fileno())
                    key = f"{status.st_dev}:{status.st_ino}"
                    if key in found:  # a hard link, or caught in the middle of its renaming
                        continue
                    place = _resumed(stream, status.st_size, places.get(key), str(path))
                    found[key] = place if haul.full else self._follow(stream, place, haul)
                    haul.more = haul.more or (haul.full and found[key].offset < status.st_size)
            except FileNotFoundError:  # gone since it was listed
                continue
        written = json.dumps({key: asdict(place) for key, place in found.items()}, separators=(",", ":"))
        unchanged = not haul.lines
        return Batch(
            tuple(haul.mentions),
            cursor if unchanged and cursor is not None and found == places else written,
            unchanged=unchanged,
            more=haul.more,
            problems=tuple(haul.problems),
        )

    def _paths(self, places: dict[str, _Place]) -> Iterator[Path]:
        """What to read, in order: first the unread rest of files that were renamed away, then what the path names."""
        listed = self._listed()
        present = {_identity(path) for path in listed}
        for key, place in places.items():
            if key not in present and (renamed := _renamed(key, Path(place.path).parent)) is not None:
                yield renamed
        yield from listed

    def _listed(self) -> list[Path]:
        if self._path.is_dir():
            return sorted(path for path in self._path.glob("*.jsonl") if path.is_file())
        if glob.has_magic(str(self._path)):
            parent = next(folder for folder in self._path.parents if not glob.has_magic(str(folder)))
            if not parent.is_dir():
                raise FileNotFoundError(2, "no such folder", str(parent))
            names = glob.glob(str(self._path), recursive=True)  # noqa: PTH207 - an absolute pattern
            return sorted(path for path in map(Path, names) if path.is_file())
        self._path.stat()
        return [self._path]

    def _follow(self, stream: BinaryIO, place: _Place, haul: _Haul) -> _Place:
        """Read whole lines from *place* on, as long as the haul has room; the place after them."""
        stream.seek(place.offset)
        while not haul.full:
            line = stream.readline(_LONGEST_LINE)
            if not line.endswith(b"\n"):
                if len(line) < _LONGEST_LINE:
                    break
                haul.lines += 1
                if not place.skipping:
                    haul.problems.append(f"{place.path}:{place.line + 1}: longer than {_LONGEST_LINE} bytes, left out")
                place = replace(place, offset=place.offset + len(line), skipping=True)
                continue
            if not place.skipping:
                self._take(line, place, haul)
            place = replace(place, offset=place.offset + len(line), line=place.line + 1, skipping=False)
        return replace(place, head=_head(stream, place.offset))

    def _take(self, line: bytes, place: _Place, haul: _Haul) -> None:
        haul.lines += 1
        if not line.strip():
            return
        where = f"{place.path}:{place.line + 1}"
        try:
            mention, told = read_line(line.removeprefix(b"\xef\xbb\xbf") if place.line == 0 else line)
        except LineError as error:
            haul.problems.append(f"{where}: {error}")
            return
        haul.mentions.append(replace(mention, source=self._source))
        if told:
            haul.problems.append(f"{where}: {told}")


def _read_cursor(cursor: str | None) -> dict[str, _Place]:
    """The places of a cursor; none where it cannot be read: all is then read again, and the store knows repeats."""
    try:
        places = {str(key): _Place(**place) for key, place in json.loads(cursor).items()} if cursor else {}
        return {
            key: place for key, place in places.items() if place.offset >= 0 and place.line >= 0 and place.head >= ""
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def _resumed(stream: BinaryIO, size: int, known: _Place | None, path: str) -> _Place:
    """Where to read on: at the known place, or at the start of a file that was truncated or replaced."""
    if known is None or size < known.offset or _head(stream, known.offset) != known.head:
        return _Place(path)
    return replace(known, path=path)


def _head(stream: BinaryIO, offset: int) -> str:
    stream.seek(0)
    return hashlib.blake2b(stream.read(min(offset, _HEAD)), digest_size=8).hexdigest()


def _identity(path: Path) -> str:
    try:
        status = path.stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def _renamed(key: str, folder: Path) -> Path | None:
    """The file *key* under its new name in the same folder, None where it is gone."""
    inode = key.partition(":")[2]
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if str(entry.inode()) == inode and entry.is_file() and _identity(Path(entry.path)) == key:
                    return Path(entry.path)
    except FileNotFoundError:
        pass
    return None
