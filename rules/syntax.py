"""The tree of a query: what ``rules.query`` reads, and ``rules.topic`` looks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rules.fold import fold

# Folded words that are operators where they stand alone and unquoted.
OPERATORS: Final = {"and": "AND", "与": "AND", "or": "OR", "或": "OR", "not": "NOT", "非": "NOT"}
RESERVED: Final = OPERATORS.keys() | {"near", "atleast"}
_ESCAPED = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase to find. ``text`` as written, without its quotes; ``folded`` as it is compared."""

    text: str
    folded: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Alias:
    """``@name``: any name or alias of a target."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    child: "Node"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    children: tuple["Node", ...]


Node = Word | Alias | Not | And | Or
Leaf = Word | Alias


@dataclass(frozen=True, slots=True)
class Query:
    """``root`` is false where none of its leaves holds: a query always asks for something."""

    text: str
    root: Node

    def leaves(self) -> tuple[Leaf, ...]:
        """All words and aliases in the order of the query, those under NOT included."""
        return tuple(leaves(self.root))

    def aliases(self) -> tuple[Alias, ...]:
        """All ``@name``, in order, to be checked against the configured targets."""
        return tuple(leaf for leaf in self.leaves() if isinstance(leaf, Alias))


def leaves(node: Node) -> Iterator[Leaf]:
    match node:
        case Word() | Alias():
            yield node
        case Not(child):
            yield from leaves(child)
        case And(children) | Or(children):
            for child in children:
                yield from leaves(child)


def written(node: Node) -> str:
    """*node* as a query again, in the shortest form that reads the same."""
    match node:
        case Word(text):
            bare = text.isalnum() and fold(text).text not in RESERVED
            return text if bare else '"' + _ESCAPED.sub(r"\\\g<0>", text) + '"'
        case Alias(name):
            return f"@{name}"
        case Not(child):
            return f"NOT {_bracketed(child)}"
        case And(children):
            return " AND ".join(_bracketed(child) if isinstance(child, Or) else written(child) for child in children)
        case Or(children):
            return " OR ".join(written(child) for child in children)


def _bracketed(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, And | Or) else written(node)


def holds_without_leaves(node: Node) -> bool:
    """Whether a text that holds none of the words would match."""
    match node:
        case Word() | Alias():
            return False
        case Not(child):
            return not holds_without_leaves(child)
        case And(children):
            return all(holds_without_leaves(child) for child in children)
        case Or(children):
            return any(holds_without_leaves(child) for child in children)


def first_negation(node: Node) -> Not:
    """The NOT that makes *node* hold without any leaf."""
    match node:
        case Not():
            return node
        case And(children) | Or(children):
            return first_negation(next(child for child in children if holds_without_leaves(child)))
        case _:
            raise AssertionError(node)
