"""Where a text names a target, and which of these places do not count."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from rules.fold import fold
from rules.strict import Strict
from rules.terms import Terms

NEAR = 10  # code points between a name and a word of its context

Place = tuple[int, int]  # code points of a field: start, end


def _findable(word: str) -> str:
    if not fold(word).text.strip():
        raise ValueError("there is nothing to look for in this word")
    return word


Name = Annotated[str, AfterValidator(_findable)]


class TargetConfig(Strict):
    """A brand, and how people call it."""

    names: tuple[Name, ...] = Field(min_length=1, description="Full names; the first is shown to people.")
    aliases: tuple[Name, ...] = Field(default=(), description="Short forms, nicknames, names in Latin script.")
    unless_near: tuple[Name, ...] = Field(
        default=(),
        description="Words that tell that something else is meant. One that holds a name (云杉树 for 云杉) says so of "
        "the place where it stands; any other (红富士 for 苹果) of each name within 10 characters.",
    )


class Naming:
    """The names of one target, as indexes of a Terms that holds them all."""

    def __init__(self, target: TargetConfig, terms: Terms) -> None:
        folded = {fold(name).text.strip() for name in (*target.names, *target.aliases)}
        self.names = frozenset(terms.index(name) for name in folded)
        self._contexts = {
            terms.index(word): 0 if any(name in fold(word).text for name in folded) else NEAR + 1
            for word in target.unless_near
        }

    def places(self, found: Mapping[int, Sequence[Place]]) -> list[Place]:
        """The names that count in one field, in order, none within another. ``found``: what stands where, by index."""
        named = outermost(place for index in self.names if index in found for place in found[index])
        if not named or not self._contexts:
            return named
        refused = _Cover(stretch for stretch, _ in self._ruled_out(named, found))
        return [place for place in named if not refused.touches(*place)]

    def refused(self, found: Mapping[int, Sequence[Place]]) -> list[tuple[Place, Place]]:
        """The names that do not count in one field, each with the word that keeps it from counting."""
        named = outermost(place for index in self.names if index in found for place in found[index])
        ruled_out = sorted(self._ruled_out(named, found))
        refused = []
        for place in named:
            touching = (context for (start, end), context in ruled_out if place[0] < end and place[1] > start)
            context = next(touching, None)
            if context is not None:
                refused.append((place, context))
        return refused

    def _ruled_out(self, named: Sequence[Place], found: Mapping[int, Sequence[Place]]) -> Iterable[tuple[Place, Place]]:
        """Stretches in which no name counts, each with the word that is the reason."""
        starts = [start for start, _ in named]
        for index, reach in self._contexts.items():
            for start, end in found.get(index, ()):
                # A longer name that holds the word (云杉树脂) is meant itself.
                holder = bisect_right(starts, start) - 1
                if holder < 0 or not _inside((start, end), named[holder]):
                    yield (start - reach, end + reach), (start, end)


def _inside(inner: Place, outer: Place) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer


class _Cover:
    """The union of stretches, to be asked whether a place touches it."""

    def __init__(self, stretches: Iterable[Place]) -> None:
        united = union(stretches)
        self._starts = [start for start, _ in united]
        self._ends = [end for _, end in united]

    def touches(self, start: int, end: int) -> bool:
        first = bisect_right(self._ends, start)
        return first < bisect_left(self._starts, end)


def outermost(places: Iterable[Place]) -> list[Place]:
    """*places* in order, without repeats and without those that lie within another."""
    given = set(places)
    if len(given) < 2:
        return list(given)
    kept: list[Place] = []
    for start, end in sorted(given, key=lambda place: (place[0], -place[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept


def union(places: Iterable[Place]) -> list[Place]:
    """*places* in order, those that overlap as one."""
    given = sorted(places)
    if len(given) < 2:
        return given
    united: list[Place] = []
    for start, end in given:
        if united and start < united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def apart(places: Sequence[Place], from_: Sequence[Place]) -> list[Place]:
    """Those of *places* that overlap none *from_*; both in order and each without overlaps."""
    apart: list[Place] = []
    at = 0
    for start, end in places:
        while at < len(from_) and from_[at][1] <= start:
            at += 1
        if at == len(from_) or from_[at][0] >= end:
            apart.append((start, end))
    return apart
