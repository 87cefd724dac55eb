"""What a query is made of, for people who write one and for programs that show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.syntax import Kind, Node, Query, children_of, kind_of, written
from rules.target import TargetConfig


@dataclass(frozen=True, slots=True)
class Part:
    """A node of a query. ``line`` and ``column`` of where it is written, from 1; 0 for AND and OR, which only join."""

    kind: Kind
    query: str
    line: int
    column: int
    children: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What ``@name`` stands for. ``words``: the names and aliases of a target as they are configured, or those of a set."""

    name: str
    is_target: bool
    words: tuple[str, ...]


def outline(node: Node) -> Part:
    children = tuple(outline(child) for child in children_of(node))
    return Part(kind_of(node), written(node), getattr(node, "line", 0), getattr(node, "column", 0), children)


def named(query: Query, targets: Mapping[str, TargetConfig], sets: Mapping[str, tuple[str, ...]]) -> tuple[Named, ...]:
    """Each ``@name`` of *query* once, in its order; all of them are known."""
    return tuple(
        Named(name, is_target=True, words=targets[name].all_names)
        if name in targets
        else Named(name, is_target=False, words=sets[name])
        for name in dict.fromkeys(alias.name for alias in query.aliases())
    )
