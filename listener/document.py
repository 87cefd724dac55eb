"""One YAML file in; its values, where each of them stands, and everything that is wrong with it out.

``!env NAME`` and ``!file PATH`` are the only tags, both give text; keys are always text; what a bare word means stands
in ``yaml_scalars``.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from listener import yaml_errors, yaml_scalars
from listener.problem import Keys, Mistake, Place

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 64
MAX_COPIES = 10_000  # values that aliases repeat: a "billion laughs" stops here

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAIN, _QUOTED, _SEQUENCE, _MAPPING = "plain", "quoted", "sequence", "mapping"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value and its key stand. ``tag`` is ``!env NAME`` or ``!file PATH`` where the value came from one.

    ``text``: the place of a string's first character, where its lines stand in the file as they are in the value.
    """

    place: Place
    key: Place
    tag: str = ""
    text: Place | None = None

    def within(self, line: int, column: int) -> Place:
        """The place of a line and column (from 1) of this string's value; the value's start where it cannot be told."""
        if self.text is None:
            return self.place
        return Place(self.text.file, self.text.line + line - 1, self.text.column + column - 1)


@dataclass(slots=True)
class Document:
    """What a file says.

    ``holes``: values that could not be told (None stands there), each with its mistake. ``warnings``: what works but may
    surprise. ``complete``: all could be read as YAML, so that what is not there was not written. ``files``: what was read.
    ``hidden``: each value that came in by a tag, with that tag, to keep it out of messages.
    ``derived``: values that nobody wrote, such as the rules of a pack, with the keys of what brought them.
    """

    file: str
    value: Any = None
    origins: dict[Keys, Origin] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    complete: bool = True
    holes: set[Keys] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    derived: dict[Keys, Keys] = field(default_factory=dict)

    def add(self, place: Place, keys: Keys, message: str) -> None:
        self.mistakes.append(Mistake(place, keys, message))

    def origin(self, keys: Keys) -> Origin:
        """Of the value, or of the nearest one around it."""
        while keys and keys not in self.origins:
            keys = keys[:-1]
        whole = Place(self.file)
        return self.origins.get(keys, Origin(whole, whole))


def read(path: Path, environ: Mapping[str, str] = os.environ) -> Document:
    """Read one file. Whatever is wrong with it is in ``mistakes``; this never raises over the file's content."""
    document = Document(str(path), files=[path])
    try:
        text = _text(path)
        node = _compose(text)
    except _UnreadableError as unreadable:
        place = Place(document.file, unreadable.line, unreadable.column)
        document.add(place, (), unreadable.message)
        return document
    _Builder(document, text, environ).build(node)
    return document


class _UnreadableError(Exception):
    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def _text(path: Path) -> str:
    """The file's text; a BOM is dropped."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    if len(data) > MAX_BYTES:
        raise _UnreadableError(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _line_column(before, len(before))
        raise _UnreadableError("is not UTF-8 text from here on; save the file as UTF-8", line, column) from error


def _line_column(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


class _Loader(yaml.SafeLoader):
    """Composes nodes; a node without a tag is told apart by how it is written alone."""

    depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        del value
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _SEQUENCE if kind is yaml.SequenceNode else _MAPPING

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _UnreadableError(f"is nested deeper than {MAX_DEPTH} levels", mark.line + 1, mark.column + 1)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _compose(text: str) -> yaml.Node:
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _UnreadableError(*yaml_errors.in_plain_words(error)) from error
    except yaml.reader.ReaderError as error:
        character = f"U+{error.character:04X}" if isinstance(error.character, int) else "this character"
        raise _UnreadableError(f"{character} is not allowed in YAML", *_line_column(text, error.position)) from error
    if node is None:
        raise _UnreadableError("is empty", 1, 1)
    return node


class _Builder:
    """Turns nodes into values, noting where each stands and going on after a mistake."""

    def __init__(self, document: Document, text: str, environ: Mapping[str, str]) -> None:
        self.document, self.text, self.environ = document, text, environ
        self.seen: set[int] = set()
        self.copies = 0
        self.above: list[yaml.Node] = []

    def build(self, node: yaml.Node) -> None:
        try:
            self.document.value = self._value(node, (), self._place(node))
        except _UnreadableError as unreadable:
            place = Place(self.document.file, unreadable.line, unreadable.column)
            self.document.add(place, (), unreadable.message)
            self.document.value = None

    def _value(self, node: yaml.Node, keys: Keys, key_place: Place) -> Any:
        place = self._place(node)
        self.copies += id(node) in self.seen
        self.seen.add(id(node))
        if self.copies > MAX_COPIES:
            raise _UnreadableError(f"aliases repeat more than {MAX_COPIES:,} values", place.line, place.column)
        origin = self.document.origins[keys] = Origin(place, key_place)
        if node in self.above:
            return self._hole(keys, origin, "an alias may not stand within its own anchor")
        if node.tag not in (_PLAIN, _QUOTED, _SEQUENCE, _MAPPING):
            return self._tagged(node, keys, origin)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, keys, origin)
        self.above.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, keys)
            return [self._value(item, (*keys, i), self._place(item)) for i, item in enumerate(node.value)]
        finally:
            self.above.pop()

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first: dict[str, Place] = {}
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in (_PLAIN, _QUOTED):
                self._problem(place, keys, "a key must be plain text")
            elif key_node.tag == _PLAIN and key_node.value == "<<":
                merged += self._merged(value_node, keys)
            elif key_node.value in first:
                before = first[key_node.value]
                self._problem(place, (*keys, key_node.value), f"this key stands twice, first at line {before.line}")
            else:
                first[key_node.value] = place
                values[key_node.value] = self._value(value_node, (*keys, key_node.value), place)
        for key_node, value_node in merged:  # the mapping's own keys win over those that "<<" brings
            if isinstance(key_node, yaml.ScalarNode) and key_node.value not in values:
                values[key_node.value] = self._value(value_node, (*keys, key_node.value), self._place(key_node))
        return values

    def _merged(self, node: yaml.Node, keys: Keys) -> list[tuple[yaml.Node, yaml.Node]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        pairs: list[tuple[yaml.Node, yaml.Node]] = []
        for source in sources:
            if isinstance(source, yaml.MappingNode) and source not in self.above:
                pairs += source.value
            else:
                self._problem(self._place(source), keys, "'<<' takes an alias of a mapping")
        return pairs

    def _scalar(self, node: yaml.ScalarNode, keys: Keys, origin: Origin) -> Any:
        text: str = node.value
        try:
            value = text if node.tag == _QUOTED else yaml_scalars.plain(text)
        except (OverflowError, ValueError):
            return self._hole(keys, origin, "is too large")
        if isinstance(value, str):
            self.document.origins[keys] = Origin(origin.place, origin.key, text=self._text_place(node))
        return value

    def _tagged(self, node: yaml.Node, keys: Keys, origin: Origin) -> Any:
        tag, name = str(node.tag), node.value
        if tag not in ("!env", "!file"):
            return self._hole(keys, origin, f"unknown tag {tag}: only !env NAME and !file PATH are tags")
        if not isinstance(node, yaml.ScalarNode) or not name:
            return self._hole(keys, origin, "!env takes a variable's name, !file a path")
        origin = Origin(origin.place, origin.key, tag=f"{tag} {name}")
        try:
            value = self._variable(name) if tag == "!env" else self._file(name)
        except _UnreadableError as unreadable:
            return self._hole(keys, origin, unreadable.message)
        self.document.origins[keys] = origin
        self.document.hidden[value] = origin.tag
        return value

    def _variable(self, name: str) -> str:
        if not _VARIABLE.match(name):
            raise _UnreadableError(f"!env takes the name of an environment variable, and {name!r} is none")
        if name not in self.environ:
            raise _UnreadableError(f"the environment variable {name} is not set")
        if not self.environ[name]:
            raise _UnreadableError(f"the environment variable {name} is empty")
        return self.environ[name]

    def _file(self, name: str) -> str:
        path = Path(self.document.file).parent / name
        try:
            text = _text(path)
        except _UnreadableError as unreadable:
            raise _UnreadableError(f"the file {path} {unreadable.message}") from unreadable
        self.document.files.append(path)
        return text.removesuffix("\n").removesuffix("\r")

    def _hole(self, keys: Keys, origin: Origin, message: str) -> None:
        self.document.origins[keys] = origin
        self.document.holes.add(keys)
        self._problem(origin.place, keys, message)

    def _problem(self, place: Place, keys: Keys, message: str) -> None:
        self.document.add(place, keys, message)

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _text_place(self, node: yaml.ScalarNode) -> Place | None:
        start, end = node.start_mark, node.end_mark
        quote = 1 if node.style in ("'", '"') else 0
        if node.style in (None, "'", '"'):
            # A quoted text with escapes, or one over several lines, is not in the file as it is in the value.
            as_written = self.text[start.index + quote : end.index - quote] == node.value
            return Place(self.document.file, start.line + 1, start.column + 1 + quote) if as_written else None
        if node.style != "|":
            return None
        lines = self._lines_after(start.index)
        indent = next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), 0)
        return Place(self.document.file, start.line + 2, indent + 1)

    def _lines_after(self, index: int) -> Iterator[str]:
        while (index := self.text.find("\n", index) + 1) > 0:
            end = self.text.find("\n", index)
            yield self.text[index : end if end >= 0 else len(self.text)]
