"""The tree of a query: what ``rules.query`` reads, and ``rules.tree`` evaluates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from rules.fold import fold

# Folded words that are operators where they stand alone and unquoted.
OPERATORS: Final = {"and": "AND", "与": "AND", "or": "OR", "或": "OR", "not": "NOT", "非": "NOT"}
RESERVED: Final = OPERATORS.keys() | {"near", "atleast"}
NUMBERS: Final = ("followers", "reach", "views", "likes", "comments", "reposts")
SCOPES: Final = ("title", "text")
_ESCAPED = re.compile(r'["\\]')

Field = Literal["title", "text"]
FactField = Literal[
    "author", "url", "site", "channel", "source", "lang", "repost",
    "followers", "reach", "views", "likes", "comments", "reposts",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase to find. ``text`` as written, without its quotes; ``folded`` as it is compared.

    ``prefix``: a wildcard; both hold what stands before its ``*``.
    """

    text: str
    folded: str
    line: int
    column: int
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """``@name``: any name or alias of a target, or any word of a set."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a mention beside its words: ``:`` compares a folded text, the other signs a number."""

    field: FactField
    sign: Literal[":", ">", ">=", "<", "<=", "="]
    value: str | int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Within:
    """``title:`` or ``text:``; the child holds in this field alone."""

    field: Field
    child: "Node"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Near:
    """At most ``distance`` Chinese characters and Latin words between a place of either side, in one field.

    ``left`` and ``right`` are words, aliases, or OR of these; ``ordered``: the left one comes first.
    """

    left: "Node"
    right: "Node"
    distance: int
    ordered: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The children, words and aliases, stand at ``count`` places or more, title and text together."""

    count: int
    children: tuple["Node", ...]
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


Leaf = Word | Alias | Fact
Node = Leaf | Within | Near | AtLeast | Not | And | Or
Kind = Literal["and", "or", "not", "word", "alias", "fact", "within", "near", "atleast"]
_KINDS: Final[dict[type[Node], Kind]] = {
    Word: "word", Alias: "alias", Fact: "fact", Within: "within", Near: "near", AtLeast: "atleast", Not: "not",
    And: "and", Or: "or",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """``root`` is false where none of its leaves holds: a query always asks for something."""

    text: str
    root: Node

    def leaves(self) -> tuple[Leaf, ...]:
        """All words, aliases and facts in the order of the query, those under NOT included."""
        return tuple(leaves(self.root))

    def aliases(self) -> tuple[Alias, ...]:
        """All ``@name``, in order, to be checked against the configured targets and sets."""
        return tuple(leaf for leaf in self.leaves() if isinstance(leaf, Alias))


def kind_of(node: Node) -> Kind:
    return _KINDS[type(node)]


def children_of(node: Node) -> tuple[Node, ...]:
    match node:
        case Word() | Alias() | Fact():
            return ()
        case Not(child) | Within(_, child):
            return (child,)
        case Near(left, right):
            return left, right
        case AtLeast(_, children) | And(children) | Or(children):
            return children


def leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Word | Alias | Fact):
        yield node
    for child in children_of(node):
        yield from leaves(child)


def written(node: Node) -> str:  # noqa: C901, PLR0911 - a case for each kind of node
    """*node* as a query again, in the shortest form that reads the same."""
    match node:
        case Word(text, prefix=prefix):
            return f"{text}*" if prefix else _quoted(text, bare=text.isalnum() and fold(text).text not in RESERVED)
        case Alias(name):
            return f"@{name}"
        case Fact(field, ":", value):
            return f"{field}:{_quoted(str(value), bare=str(value).isalnum())}"
        case Fact(field, sign, value):
            return f"{field}{sign}{value}"
        case Within(field, child):
            return f"{field}:{_bracketed(child)}"
        case Near(left, right, distance, ordered):
            return f"{_bracketed(left)} NEAR/{distance}{'f' if ordered else ''} {_bracketed(right)}"
        case AtLeast(count, children):
            return f"atleast {count} ({' OR '.join(_bracketed(child) for child in children)})"
        case Not(child):
            return f"NOT {_bracketed(child)}"
        case And(children):
            return " AND ".join(_bracketed(child) if isinstance(child, Or) else written(child) for child in children)
        case Or(children):
            return " OR ".join(written(child) for child in children)


def _quoted(text: str, *, bare: bool) -> str:
    return text if bare else '"' + _ESCAPED.sub(r"\\\g<0>", text) + '"'


def _bracketed(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, And | Or | Not | Near | AtLeast | Within) else written(node)


def holds_without_leaves(node: Node) -> bool:
    """Whether a text that holds none of the words would match."""
    match node:
        case Word() | Alias() | Fact() | Near() | AtLeast():
            return False
        case Within(_, child):
            return holds_without_leaves(child)
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
        case Within(_, child):
            return first_negation(child)
        case And(children) | Or(children):
            return first_negation(next(child for child in children if holds_without_leaves(child)))
        case _:
            raise AssertionError(node)
