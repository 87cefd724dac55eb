"""Places in a field, and what is nearest, outermost or apart among them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from rules.finder import Place


class Cover:
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
