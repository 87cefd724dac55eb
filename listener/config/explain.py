"""pydantic's errors retold for the person who wrote the file: which place, what is wrong, what may stand there.

No value of the file enters a message: it may be a secret. Keys do; they are never secret.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from listener.config.schema import Shape
from listener.document import Document
from listener.problem import Keys, Mistake
from listener.yaml_scalars import duration

_TEXT = "must be text"
_MESSAGES = {
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number that is not infinite",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list, such as [a, b]",
    "tuple_type": "must be a list, such as [a, b]",
    "set_type": "must be a list, such as [a, b]",
    "frozen_set_type": "must be a list, such as [a, b]",
    "dict_type": "must be keys and values",
    "model_type": "must be keys and values",
    "model_attributes_type": "must be keys and values",
    "dataclass_type": "must be keys and values",
    "time_delta_type": "must be a duration such as 30m or 1h30m",
    "time_delta_parsing": "must be a duration such as 30m or 1h30m",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "none_required": "must be left empty",
    "url_type": "must be an address such as https://example.com/feed",
    "url_parsing": "must be an address such as https://example.com/feed",
    "url_syntax_violation": "must be an address such as https://example.com/feed",
    "url_scheme": "must be an address that starts with {expected_schemes}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
_NAMED = 20
_ID_PATTERN = "^[a-z0-9][a-z0-9_-]*$"
_SHAPES = ("_type", "union_tag_not_found")


@dataclass(frozen=True, slots=True)
class _Error:
    """One of pydantic's errors; ``keys`` lead to a place in the document, ``branches`` are the union members tried."""

    kind: str
    keys: Keys
    branches: tuple[tuple[Keys, str], ...]
    context: Mapping[str, Any]
    said: str
    at_key: bool


def mistakes(error: ValidationError, document: Document, shape: Shape) -> list[Mistake]:
    """Every mistake that *error* tells, those apart that only follow from a value that could not be read."""
    found = [_read(details, document.value) for details in error.errors(include_url=False, include_input=False)]
    told = [error for error in _untangle(found) if not _follows(error, document)]
    misspelt = {
        (*error.keys[:-1], name)
        for error in told
        if error.kind == "extra_forbidden"
        for name in _close(str(error.keys[-1]), shape.known_keys(document.value, error.keys[:-1]))
    }
    told = [error for error in told if error.kind != "missing" or error.keys not in misspelt]
    return [_mistake(error, document, shape) for error in told]


def _read(details: Mapping[str, Any], data: Any) -> _Error:
    """Take the union noise out of pydantic's location, by following it through the data."""
    kind = str(details["type"])
    keys: Keys = ()
    branches: list[tuple[Keys, str]] = []
    node, tagged, at_key = data, False, False
    location: tuple[str | int, ...] = details["loc"]
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if step == "[key]":
            at_key = True
        elif isinstance(node, dict) and step == node.get("type") and not tagged and not (last and step in node):
            tagged = True
        elif _holds(node, step):
            keys, node, tagged = (*keys, step), node[step], False
        elif last and kind == "missing":
            keys = (*keys, step)
        elif isinstance(step, str) or isinstance(node, list):  # else one value stands where a list may
            branches.append((keys, str(step)))
    return _Error(kind, keys, tuple(branches), details.get("ctx", {}), str(details["msg"]), at_key)


def _holds(node: Any, step: str | int) -> bool:
    return step in node if isinstance(node, dict) else isinstance(node, list) and step in range(len(node))


def _untangle(errors: Iterable[_Error], level: int = 0) -> list[_Error]:
    """Where pydantic tried each member of a union and tells what each disliked, keep what the writer meant.

    That is the member whose shape fits (a mapping for a mapping); where none fits, one error says what may stand there.
    """
    kept: list[_Error] = []
    unions: dict[Keys, dict[str, list[_Error]]] = {}
    for error in errors:
        if len(error.branches) > level:
            site, label = error.branches[level]
            unions.setdefault(site, {}).setdefault(label, []).append(error)
        else:
            kept.append(error)
    for site, members in unions.items():
        fitting = [member for member in members.values() if not _misfit(member, site)]
        if fitting:
            meant = min(fitting, key=len)
            kept += _untangle(meant, level + 1)
        else:
            kept.append(_joined([error for member in members.values() for error in member]))
    return kept


def _misfit(member: list[_Error], site: Keys) -> bool:
    if len(member) != 1 or member[0].keys != site:
        return False
    only_word = member[0].kind == "literal_error" and member[0].context.get("expected") == "'none'"
    return only_word or member[0].kind.endswith(_SHAPES)


def _joined(errors: list[_Error]) -> _Error:
    first, *others = errors
    message, prefix = _words(first), "must be "
    for other in others:
        more = _words(other).removeprefix(prefix)
        message += f" or {more}" if more not in message else ""
    return _Error("joined", first.keys, (), {"error": message}, message, at_key=False)


def _follows(error: _Error, document: Document) -> bool:
    """Whether an error only follows from another that is told by itself: a value that could not be read, a short list."""
    keys, holes = error.keys, document.holes
    if any(keys[:length] in holes for length in range(len(keys) + 1)):
        return True
    if error.kind == "union_tag_invalid" and (*keys, "type") in holes:
        return True
    if error.kind in ("value_error", "assertion_error"):  # of a whole mapping, one value of which could not be read
        return any(hole[: len(keys)] == keys for hole in holes)
    if error.kind == "too_short":  # pydantic counts the entries that it accepted
        value = value_at(document.value, keys)
        written = len(value) if isinstance(value, list | dict) else int(value is not None)
        return not isinstance(value, str) and written >= error.context["min_length"]
    return False


def _mistake(error: _Error, document: Document, shape: Shape) -> Mistake:
    keys, value = error.keys, value_at(document.value, error.keys)
    origin = document.origin(keys)
    if error.kind == "extra_forbidden":
        known = shape.known_keys(document.value, keys[:-1])
        return Mistake(origin.key, keys, f"unknown key{suggest(str(keys[-1]), known)}")
    if error.kind == "missing":
        inside = document.origin(keys[:-1])
        return Mistake(inside.place, keys, "is missing")
    if error.kind in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_type(error, document, shape)
    message = _words(error)
    if error.kind == "string_type" and isinstance(value, bool | int | float | timedelta):
        message += ": put it in quotes"
    elif error.kind == "time_delta_type" and isinstance(value, str) and duration(value) is not None and not origin.tag:
        message += ", without quotes"
    elif value is None and keys in document.origins and error.kind.endswith("_type"):
        message = f"stands empty; it {message}"
    return Mistake(origin.key if error.at_key else origin.place, keys, message)


def within(document: Document, keys: Keys, line: int, column: int, message: str) -> Mistake:
    """A mistake at a line and column (from 1) of the text that stands at *keys*."""
    origin = document.origin(keys)
    if origin.text is None:
        message = f"{message} (line {line}, column {column} of this text)"
    return Mistake(origin.within(line, column), keys, message)


def _wrong_type(error: _Error, document: Document, shape: Shape) -> Mistake:
    known = shape.tags(document.value, error.keys)
    value = value_at(document.value, error.keys)
    if not isinstance(value, dict) or "type" not in value:
        return Mistake(
            document.origin(error.keys).place, (*error.keys, "type"), f"is missing: one of {', '.join(known)}"
        )
    keys = (*error.keys, "type")
    return Mistake(document.origin(keys).place, keys, f"must be one of {', '.join(known)}")


def suggest(name: str, known: Iterable[str]) -> str:
    """``: did you mean X?``, or what there is, or nothing where there is nothing."""
    names = sorted(known)
    if close := _close(name, names):
        return f": did you mean {close[0]}?"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f": known here are {', '.join(names[:_NAMED])}{more}" if names else ""


def _close(name: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(name.lower(), known, n=1)


def _words(error: _Error) -> str:
    if error.kind == "joined":
        return str(error.context["error"])
    if error.kind == "string_pattern_mismatch" and error.context.get("pattern") == _ID_PATTERN:
        return "must be lower-case letters, digits, '-' and '_', and start with a letter or a digit"
    if error.kind == "string_too_short" and error.context.get("min_length") == 1:
        return "must not be empty"
    if error.kind == "too_short" and error.context.get("min_length") == 1:
        return "must have at least one entry"
    template = _MESSAGES.get(error.kind)
    if template is None:
        return error.said[:1].lower() + error.said[1:]
    context = {key: f"{value:g}" if isinstance(value, float) else value for key, value in error.context.items()}
    return template.format(**context)


def value_at(data: Any, keys: Keys) -> Any:
    for key in keys:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return None
    return data


Spell = Callable[[Keys], str]


def speller(document: Document) -> Spell:
    """Writes ``("rules", 0, "when")`` for a person: ``rules[fire].when`` by id, ``rules[0].when`` without."""

    def spell(keys: Keys) -> str:
        words = ""
        for index, key in enumerate(keys):
            if isinstance(key, int):
                name = value_at(document.value, (*keys[: index + 1], "id"))
                own = isinstance(name, str) and not document.origin((*keys[: index + 1], "id")).tag
                words += f"[{name if own else key}]"
            else:
                words += f".{key}" if words else key
        return words

    return spell


def hide(message: str, document: Document) -> str:
    """Put the tag in the place of every value that came in by ``!env`` or ``!file``, whoever wrote the message."""
    for value, tag in sorted(document.hidden.items(), key=lambda pair: -len(pair[0])):
        if not value.strip():
            continue
        pattern = re.escape(value) if len(value) >= 8 else rf"(?<!\w){re.escape(value)}(?!\w)"
        message = f"<{tag}>".join(re.split(pattern, message))
    return message
