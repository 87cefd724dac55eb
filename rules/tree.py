"""Queries made ready: the nodes of ``rules.syntax`` with leaves as numbers, to be asked of what stands in a mention."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Final
from urllib.parse import urlsplit

from rules.finder import Place
from rules.fold import fold
from rules.mention import Mention
from rules.places import outermost
from rules.sight import Sight, units_between
from rules.syntax import Alias, And, AtLeast, Fact, Field, Near, Node, Not, Or, Within, Word

_BOTH: Final[tuple[Field, ...]] = ("title", "text")
Leaves = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stands:
    """One of ``leaves`` stands in one of ``fields``."""

    leaves: Leaves
    fields: tuple[Field, ...] = _BOTH

    def holds(self, sight: Sight) -> bool:
        for field in self.fields:
            places = sight.text if field == "text" else sight.title
            if places:
                for leaf in self.leaves:
                    if leaf in places:
                        return True
        return False

    def witnesses(self, sight: Sight) -> "Sequence[Witness]":
        witnesses: list[Witness] = []
        for field in self.fields:
            places = sight.text if field == "text" else sight.title
            for leaf in self.leaves:
                if leaf in places:
                    witnesses += [(field, place, leaf) for place in places[leaf]]
        return witnesses


Witness = tuple[Field, Place, int]


@dataclass(frozen=True, slots=True)
class Close:
    """A place of ``left`` and one of ``right`` with at most ``distance`` units between, which do not overlap."""

    left: Stands
    right: Stands
    distance: int
    ordered: bool

    def holds(self, sight: Sight) -> bool:
        return next(self._close(sight), None) is not None

    def witnesses(self, sight: Sight) -> Sequence[Witness]:
        return list(self._close(sight))

    def _close(self, sight: Sight) -> Iterator[Witness]:
        for field in self.left.fields:
            left, right = (sorted(_of(side, sight, field)) for side in (self.left, self.right))
            if not left or not right:
                continue
            units = sight.units(field)
            yield from self._pairs(field, left, right, units)
            if not self.ordered:
                yield from self._pairs(field, right, left, units)

    def _pairs(
        self, field: Field, first: Sequence[tuple[Place, int]], then: Sequence[tuple[Place, int]], units: Sequence[int]
    ) -> Iterator[Witness]:
        """Each of *first* with the next that begins after its end; one that begins later is farther."""
        starts = [place[0] for place, _ in then]
        for place, leaf in first:
            at = bisect_left(starts, place[1])
            if at < len(then) and units_between(units, place[1], starts[at]) <= self.distance:
                yield field, place, leaf
                yield field, *then[at]


def _of(side: Stands, sight: Sight, field: Field) -> Iterator[tuple[Place, int]]:
    places = sight.places(field)
    for leaf in side.leaves:
        for place in places.get(leaf, ()):
            yield place, leaf


@dataclass(frozen=True, slots=True)
class Counted:
    """``leaves`` stand at ``count`` places or more, those that lie within another not counted."""

    count: int
    members: Stands

    def holds(self, sight: Sight) -> bool:
        found = 0
        for field in self.members.fields:
            found += len(outermost(place for place, _ in _of(self.members, sight, field)))
        return found >= self.count

    def witnesses(self, sight: Sight) -> Sequence[Witness]:
        return self.members.witnesses(sight)


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of the mention itself."""

    test: Callable[[Mention], bool]

    def holds(self, sight: Sight) -> bool:
        return self.test(sight.mention)

    def witnesses(self, sight: Sight) -> Sequence[Witness]:  # noqa: ARG002
        return ()


@dataclass(frozen=True, slots=True)
class All:
    children: tuple["Tree", ...]

    def holds(self, sight: Sight) -> bool:
        for child in self.children:  # noqa: SIM110 - half the time of all()
            if not child.holds(sight):
                return False
        return True

    def witnesses(self, sight: Sight) -> Sequence[Witness]:
        return [witness for child in self.children for witness in child.witnesses(sight)]


@dataclass(frozen=True, slots=True)
class Any:
    children: tuple["Tree", ...]

    def holds(self, sight: Sight) -> bool:
        for child in self.children:  # noqa: SIM110 - half the time of any()
            if child.holds(sight):
                return True
        return False

    def witnesses(self, sight: Sight) -> Sequence[Witness]:
        return [witness for child in self.children if child.holds(sight) for witness in child.witnesses(sight)]


@dataclass(frozen=True, slots=True)
class No:
    child: "Tree"

    def holds(self, sight: Sight) -> bool:
        return not self.child.holds(sight)

    def witnesses(self, sight: Sight) -> Sequence[Witness]:  # noqa: ARG002
        return ()


Tree = Stands | Close | Counted | Known | All | Any | No
"""``witnesses``: where a tree that holds does so: all of AND, those of OR that hold, none of NOT."""

LeavesOf = Callable[[Word | Alias], Leaves]


def tree_of(  # noqa: PLR0911 - a case for each kind of node
    node: Node, leaves_of: LeavesOf, fields: tuple[Field, ...] = _BOTH
) -> Tree:
    """*node* with the leaves that *leaves_of* gives its words and aliases."""

    def stands(side: Node) -> Stands:
        found = dict.fromkeys(leaf for word in _words(side) for leaf in leaves_of(word))
        return Stands(tuple(found), fields)

    match node:
        case Word() | Alias():
            return stands(node)
        case Fact():
            return Known(_test_of(node))
        case Within(field, child):
            return tree_of(child, leaves_of, (field,))
        case Near(left, right, distance, ordered):
            return Close(stands(left), stands(right), distance, ordered)
        case AtLeast(count, children):
            return Counted(count, stands(Or(children)))
        case Not(child):
            return No(tree_of(child, leaves_of, fields))
        case And(children):
            return All(tuple(tree_of(child, leaves_of, fields) for child in children))
        case Or(children):
            return Any(tuple(tree_of(child, leaves_of, fields) for child in children))


def _words(node: Node) -> Iterator[Word | Alias]:
    match node:
        case Word() | Alias():
            yield node
        case Or(children):
            for child in children:
                yield from _words(child)
        case _:
            raise AssertionError(node)


_COMPARE: Final[Mapping[str, Callable[[int, int], bool]]] = {">": gt, ">=": ge, "<": lt, "<=": le, "=": eq}


def _test_of(fact: Fact) -> Callable[[Mention], bool]:
    value = fact.value
    if isinstance(value, int):
        number, compare = _NUMBERS[fact.field], _COMPARE[fact.sign]
        return lambda mention: (known := number(mention)) is not None and compare(known, value)
    return lambda mention: _TEXTS[fact.field](mention, value)


def _folded(text: str) -> str:
    return " ".join(fold(text).text.split())


def _author(mention: Mention, value: str) -> bool:
    author = mention.author
    return author is not None and value in {_folded(author.id), _folded(author.name)}


def _reach(mention: Mention) -> int | None:
    """None where nothing is known that it could be told by."""
    reach = mention.reach
    followers = mention.author.followers if mention.author else None
    known = (reach.views, followers, reach.likes, reach.comments, reach.reposts)
    return mention.people if any(count is not None for count in known) else None


def _site(mention: Mention, value: str) -> bool:
    if _folded(mention.site) == value:
        return True
    try:
        host = urlsplit(mention.url).hostname or ""
    except ValueError:  # a mention's address may be anything
        return False
    return host == value or host.endswith(f".{value}")


def _lang(mention: Mention, value: str) -> bool:
    lang = _folded(mention.lang)
    return lang == value or lang.startswith((f"{value}-", f"{value}_"))


_NUMBERS: Final[Mapping[str, Callable[[Mention], int | None]]] = {
    "followers": lambda mention: mention.author.followers if mention.author else None,
    "reach": _reach,
    "views": lambda mention: mention.reach.views,
    "likes": lambda mention: mention.reach.likes,
    "comments": lambda mention: mention.reach.comments,
    "reposts": lambda mention: mention.reach.reposts,
}
_TEXTS: Final[Mapping[str, Callable[[Mention, str], bool]]] = {
    "author": _author,
    "url": lambda mention, value: value in _folded(mention.url),
    "site": _site,
    "channel": lambda mention, value: _folded(mention.channel) == value,
    "source": lambda mention, value: _folded(mention.source) == value,
    "lang": _lang,
    "repost": lambda mention, value: bool(mention.repost_of) is (value == "true"),
}
