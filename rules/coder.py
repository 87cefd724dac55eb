"""Dataclasses and named tuples as JSON lists of their fields' values, by their type hints: what a snapshot is written in.

Compact rather than lasting: a list names no field, so a snapshot carries a number that changes with any of its types.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_MICROSECOND = timedelta(microseconds=1)
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Coder:
    """``dump``: a value to JSON's types; ``load``: back, or ValueError, TypeError or KeyError."""

    dump: Convert
    load: Convert


def _same(value: Any) -> Any:
    return value


_SAME = Coder(_same, _same)


@cache
def coder(kind: Any) -> Coder:  # noqa: PLR0911  (one return per kind of type)
    """The coder of JSON's own types, times, enumerations, tuples, mappings, optionals, dataclasses and named tuples."""
    if kind is datetime:
        return Coder(datetime.isoformat, datetime.fromisoformat)
    if kind is timedelta:
        return Coder(lambda value: value // _MICROSECOND, lambda value: value * _MICROSECOND)
    if kind in {str, int, float, bool} or get_origin(kind) is Literal:
        return _SAME
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Coder(lambda value: value.value, kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _fields(kind, [field.name for field in fields(kind)])
    names = getattr(kind, "_fields", None)
    if names is not None:
        return _fields(kind, names)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _optional(inner)
    if origin is tuple:
        return _tuple(inner)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return _mapping(inner)
    raise TypeError(f"no coder for {kind!r}")


def _optional(inner: tuple[Any, ...]) -> Coder:
    given = [one for one in inner if one is not type(None)]
    if len(given) != 1 or len(given) == len(inner):
        raise TypeError(f"no coder for a union of {inner!r}")
    one = coder(given[0])
    if one is _SAME:
        return _SAME
    return Coder(
        lambda value: None if value is None else one.dump(value),
        lambda value: None if value is None else one.load(value),
    )


def _tuple(inner: tuple[Any, ...]) -> Coder:
    if len(inner) == 2 and inner[1] is Ellipsis:
        one = coder(inner[0])
        return Coder(
            lambda values: [one.dump(value) for value in values],
            lambda values: tuple(one.load(value) for value in values),
        )
    each = [coder(one) for one in inner]
    return Coder(
        lambda values: [one.dump(value) for one, value in zip(each, values, strict=True)],
        lambda values: tuple(one.load(value) for one, value in zip(each, values, strict=True)),
    )


def _mapping(inner: tuple[Any, ...]) -> Coder:
    if inner[0] is not str:
        raise TypeError("no coder for a mapping whose keys are not text")
    one = coder(inner[1])
    return Coder(
        lambda values: {name: one.dump(value) for name, value in values.items()},
        lambda values: {name: one.load(value) for name, value in values.items()},
    )


def _fields(kind: type, names: Sequence[str]) -> Coder:
    hints = get_type_hints(kind)
    each = [coder(hints[name]) for name in names]

    def dump(value: Any) -> list[Any]:
        return [one.dump(getattr(value, name)) for name, one in zip(names, each, strict=True)]

    def load(values: list[Any]) -> Any:
        return kind(*(one.load(value) for one, value in zip(each, values, strict=True)))

    return Coder(dump, load)
