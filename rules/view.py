"""What a rule's conditions see of one key at one time."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rules.normal import Expected
from rules.panes import EPOCH, NEVER, Series, Tally, time_of
from rules.rollup import Count, Rollup
from rules.vocabulary import Vocabulary
from rules.watermark import Watermarks
from rules.wording import Phrases

if TYPE_CHECKING:
    from rules.key import Key
    from rules.plan import Plan
    from rules.reading import Leaf, Reading


class Preceding(NamedTuple):
    """The stretch before a window: its mentions, how many of its minutes were watched, and whether that is enough.

    ``watched``: the rule has stood for all of it. ``reaches_back``: mentions are known from its beginning or before,
    as after an import of old ones. ``turns``: the minute at which one of the two changes next.
    """

    mentions: int
    minutes: int
    watched: bool
    reaches_back: bool
    turns: int


class View:
    """Panes of one key, by condition. *since*: the minute from which on each of the rule's filters has been watched.

    ``now`` is a time in ``minute``, to which the windows have been moved.
    """

    __slots__ = ("_leaves", "_rollups", "_series", "_since", "_slots", "marks", "minute", "now")

    def __init__(self, plan: "Plan", key: "Key", since: Mapping[str, int], marks: Watermarks) -> None:
        self.now = EPOCH
        self.marks = marks
        self.minute = 0
        self._leaves = plan.leaves
        self._slots = plan.slots
        self._series = key.series
        self._rollups = key.rollups
        self._since = since

    def at(self, now: datetime, minute: int) -> "View":
        """The same at *now*, not before it was last; *minute* is the one that has ended by then."""
        self.now = now
        if minute != self.minute:
            self.turn(minute)
        return self

    def turn(self, minute: int) -> None:
        """Let the windows end at *minute*."""
        self.minute = minute
        for one in self._series.values():
            one.advance(minute)

    def window(self, leaf: "Leaf") -> tuple[Tally, Phrases]:
        """Totals over the leaf's window, and what is counted there, and over how long, in words."""
        slot = self._slots[id(leaf)]
        return self._series[slot.shape].tallies[slot.tally], slot.phrases

    def sources(self, reading: "Reading") -> tuple[str, ...]:
        """Where what stands in the rule's windows comes from, by name; *reading*: of the rule's conditions."""
        if len(self._leaves) == 1:
            return reading.figures.sources
        return tuple(sorted({name for leaf in self._leaves for name in self.tally(leaf).figures.sources}))

    def series(self, leaf: "Leaf") -> Series:
        return self._series[self._slots[id(leaf)].shape]

    def tally(self, leaf: "Leaf") -> Tally:
        """Totals over the leaf's window."""
        slot = self._slots[id(leaf)]
        return self._series[slot.shape].tallies[slot.tally]

    def inner(self, leaf: "Leaf") -> Tally:
        """Totals over the first of ``looks_at.inner``."""
        slot = self._slots[id(leaf)]
        return self._series[slot.shape].tallies[slot.inner[0]]

    def rollup(self, leaf: "Leaf") -> Rollup:
        """Counts by the bin, as ``looks_at.roll`` asks for them, learnt up to now."""
        slot = self._slots[id(leaf)]
        rollup = self._rollups[slot.counted]
        if rollup.behind(self.minute):
            rollup.catch_up(self.minute, self.since(leaf), self.marks.darkness(self.now))
        return rollup

    def expected(self, leaf: "Leaf", count: int) -> Expected:
        """What is usual in the leaf's window, and how surprising *count* is there."""
        return self.rollup(leaf).normal.expected(self.minute, self._slots[id(leaf)].window, count)

    def expected_at(self, leaf: "Leaf", end: int, minutes: int, count: int) -> Expected:
        """The same of another window: the *minutes* before minute *end*, which had *count*."""
        return self.rollup(leaf).normal.expected(end, minutes, count)

    def since_minute(self, leaf: "Leaf", minute: int) -> int:
        """Mentions after *minute*, history too, as far back as the leaf's window reaches."""
        series = self.series(leaf)
        reached = series.minutes[bisect_right(series.minutes, minute) :]
        return sum(series.every[number] for number in reached)

    def last_seen(self, leaf: "Leaf") -> int | None:
        """The minute by which the last mention of eight weeks had come, to the bin; None: there is none."""
        return self.rollup(leaf).last()

    def vocabulary(self, leaf: "Leaf") -> Vocabulary:
        return self.series(leaf).vocabulary

    def since(self, leaf: "Leaf") -> int:
        """The minute from which on the leaf's mentions have been watched."""
        return self._since[self._slots[id(leaf)].shape]

    def preceding(self, leaf: "Leaf") -> Preceding:
        """The stretch of ``looks_at.reference`` minutes before the leaf's window, history counted."""
        slot = self._slots[id(leaf)]
        series = self._series[slot.shape]
        window, whole = series.totals[slot.near], series.totals[slot.far]
        begin, end = self.minute - whole.size, self.minute - window.size
        watched = self._since[slot.shape]
        known = min(watched, watched if series.first is None else series.first)
        # What is known begins with what was watched, or before it.
        turns = known if known > begin else watched if watched > begin else NEVER
        return Preceding(
            mentions=whole.mentions - window.mentions,
            minutes=max(0, end - max(begin, known)),
            watched=watched <= begin,
            reaches_back=known <= begin,
            turns=turns if turns == NEVER else turns + whole.size,
        )

    def start(self, leaf: "Leaf") -> datetime:
        """Where the leaf's window begins."""
        return time_of(self.minute - self.tally(leaf).size)


def amount(tally: Tally, count: Count) -> int:
    """How much a tally holds, in mentions, authors, stories, or people reached.

    A mention of no known author counts for none, one of no story as a story of its own.
    """
    if count == "mentions":
        return tally.mentions
    if count == "authors":
        return len(tally.authors)
    if count == "reach":
        return tally.people
    return tally.figures.stories
