"""Counts by the minute, and running totals over windows of them: no list of mentions is kept, and all is bounded.

Pane *m* holds event times in the minute that ends at *m* minutes since 1970, end included. A window of *w* minutes at
``now`` covers the panes above ``floor(now) - w``: exactly (now - w, now] at a whole minute, and in between up to a
minute more, so that nothing within *w* is ever missed.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.facts import Facts, Key
from rules.filter import Test

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OTHER = "__other__"
TELLING = 3
"""Excerpts kept per pane and shown per alert."""
MAX_KEYS_PER_PANE = 2_000
"""Distinct authors, channels, sources and words counted apart within a minute; what comes past that counts as one."""


def pane_of(event_at: datetime) -> int:
    return -((EPOCH - event_at) // MINUTE)


def minute_of(now: datetime) -> int:
    """The last whole minute that has ended."""
    return (now - EPOCH) // MINUTE


def time_of(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


def more_telling(facts: Iterable[Facts]) -> list[Facts]:
    """The most telling, one of each text; the same whatever order they came in."""
    best: dict[str, Facts] = {}
    for one in sorted(facts, key=lambda one: (-one.weight, one.source, one.external_id)):
        best.setdefault(one.text, one)
    return list(best.values())[:TELLING]


class Pane:
    """One minute: how many, by what, reaching how many people, and the most telling of them."""

    __slots__ = ("counts", "mentions", "people", "telling")

    def __init__(self) -> None:
        self.mentions = 0
        self.people = 0
        self.counts: dict[Key, int] = {}
        self.telling: list[Facts] = []

    def counted_as(self, key: Key) -> Key:
        """*key*, or its kind's overflow where the pane is full."""
        if key in self.counts or len(self.counts) < MAX_KEYS_PER_PANE:
            return key
        return key[0], OTHER

    def removed_as(self, key: Key) -> Key:
        return key if key in self.counts else (key[0], OTHER)


class Tally:
    """Totals over the panes above ``low``. ``counts``: by kind, by name."""

    __slots__ = ("counts", "low", "mentions", "people", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.low = 0
        self.mentions = 0
        self.people = 0
        self.counts: dict[str, dict[str, int]] = {}

    def shift(self, key: Key, by: int) -> None:
        """Count *by* more of *key*."""
        kind, name = key
        counts = self.counts.get(kind)
        if counts is None:
            counts = self.counts[kind] = {}
        count = counts.get(name, 0) + by
        if count:
            counts[name] = count
        else:
            counts.pop(name, None)

    def add(self, pane: Pane, sign: int) -> None:
        self.mentions += sign * pane.mentions
        self.people += sign * pane.people
        for key, count in pane.counts.items():
            self.shift(key, sign * count)

    def count(self, kind: str, name: str) -> int:
        return self.counts.get(kind, {}).get(name, 0)

    def distinct(self, kind: str) -> int:
        return len(self.counts.get(kind, ()))

    def ranked(self, kind: str) -> list[tuple[str, int]]:
        """The counts of one kind, largest first, then by name."""
        return sorted(self.counts.get(kind, {}).items(), key=lambda item: (-item[1], item[0]))


class Total:
    """How many mentions, history too, stand in the panes above ``low``: what a reference is made of."""

    __slots__ = ("low", "mentions", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.low = 0
        self.mentions = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What is kept for one filter of a rule: tallies over ``windows``, totals over ``totals`` (both in minutes)."""

    id: str
    test: Test
    lexicon: str
    windows: tuple[int, ...]
    totals: tuple[int, ...]

    @property
    def kept(self) -> int:
        return max(*self.windows, *self.totals, 0)


class Series:
    """The panes of one key of a rule that pass one filter. ``first``: the earliest pane that ever held a mention."""

    __slots__ = ("every", "first", "minute", "minutes", "panes", "shape", "tallies", "totals")

    def __init__(self, shape: Shape) -> None:
        self.panes: dict[int, Pane] = {}
        self.every: dict[int, int] = {}
        self.minutes: list[int] = []
        self.first: int | None = None
        self.take_shape(shape, 0)

    def take_shape(self, shape: Shape, minute: int) -> None:
        """Keep these windows (ascending) from now on, filled with what is there."""
        self.shape = shape
        self.minute = minute
        self.tallies = [Tally(size) for size in shape.windows]
        self.totals = [Total(size) for size in shape.totals]
        for tally in self.tallies:
            tally.low = max(0, minute - tally.size)
            for number, pane in self.panes.items():
                if number > tally.low:
                    tally.add(pane, 1)
        for total in self.totals:
            total.low = max(0, minute - total.size)
            total.mentions = sum(count for number, count in self.every.items() if number > total.low)
        self.panes = {number: pane for number, pane in self.panes.items() if number > self.tallies[-1].low}
        self._forget(minute)

    def put(self, minute: int, facts: Facts, *, fresh: bool) -> None:
        """Count a mention; one that is not *fresh* is history, which only references see."""
        if self.first is None or minute < self.first:
            self.first = minute
        if minute <= self.minute - self.shape.kept:
            return
        self._count(minute, 1)
        if not fresh or minute <= self.tallies[-1].low:
            return
        pane = self.panes.get(minute)
        if pane is None:
            pane = self.panes[minute] = Pane()
        keys = [pane.counted_as(key) for key in self._keys(facts)]
        self._change(minute, pane, keys, facts.people, 1)
        if len(pane.telling) < TELLING or facts.weight >= pane.telling[-1].weight:
            pane.telling = more_telling((*pane.telling, facts)) if pane.telling else [facts]

    def take(self, minute: int, facts: Facts, *, fresh: bool) -> None:
        """Undo a ``put`` of the same facts."""
        if minute not in self.every:
            return
        pane = self.panes.get(minute)
        if fresh and pane is not None:
            keys = [pane.removed_as(key) for key in self._keys(facts)]
            self._change(minute, pane, keys, facts.people, -1)
            pane.telling = [one for one in pane.telling if one.id != facts.id]
            if not pane.mentions:
                del self.panes[minute]
        self._count(minute, -1)

    def advance(self, minute: int) -> None:
        """Let the windows end at *minute*, and forget what none reaches any more."""
        if minute <= self.minute:
            return
        self.minute = minute
        minutes = self.minutes
        for tally in self.tallies:
            low = minute - tally.size
            for number in minutes[bisect_right(minutes, tally.low) : bisect_right(minutes, low)]:
                # The last window is the longest: what leaves it is needed no more.
                pane = self.panes.pop(number, None) if tally is self.tallies[-1] else self.panes.get(number)
                if pane is not None:
                    tally.add(pane, -1)
            tally.low = max(tally.low, low)
        for total in self.totals:
            low = minute - total.size
            if low > total.low:
                gone = minutes[bisect_right(minutes, total.low) : bisect_right(minutes, low)]
                total.mentions -= sum(self.every[number] for number in gone)
                total.low = low
        self._forget(minute)

    def telling(self, tally: Tally) -> list[Facts]:
        reached = self.minutes[bisect_right(self.minutes, tally.low) :]
        panes = (self.panes[number] for number in reached if number in self.panes)
        return more_telling(facts for pane in panes for facts in pane.telling)

    def _keys(self, facts: Facts) -> Sequence[Key]:
        words = facts.found.get(self.shape.lexicon, ()) if self.shape.lexicon else ()
        return (*facts.keys, *(("word", word) for word in words)) if words else facts.keys

    def _count(self, minute: int, by: int) -> None:
        count = self.every.get(minute, 0) + by
        if count == by:
            insort(self.minutes, minute)
        if count:
            self.every[minute] = count
        else:
            del self.every[minute]
            self.minutes.remove(minute)
        for total in self.totals:
            if minute > total.low:
                total.mentions += by

    def _change(self, minute: int, pane: Pane, keys: Sequence[Key], people: int, sign: int) -> None:
        pane.mentions += sign
        pane.people += sign * people
        for key in keys:
            count = pane.counts.get(key, 0) + sign
            if count:
                pane.counts[key] = count
            else:
                pane.counts.pop(key, None)
        for tally in self.tallies:
            if minute > tally.low:
                tally.mentions += sign
                tally.people += sign * people
                for key in keys:
                    tally.shift(key, sign)

    def _forget(self, minute: int) -> None:
        minutes, kept = self.minutes, minute - self.shape.kept
        if minutes and minutes[0] <= kept:
            gone = bisect_right(minutes, kept)
            for number in minutes[:gone]:
                del self.every[number]
            del minutes[:gone]
