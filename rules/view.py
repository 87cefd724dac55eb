"""What a rule's conditions see of one key at one time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from alerts import Because
from rules.panes import NEVER, Series, Tally, minute_of, time_of

if TYPE_CHECKING:
    from rules.plan import Plan
    from rules.reading import Leaf


@dataclass(frozen=True, slots=True)
class Preceding:
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
    """Panes of one key, by condition. *since*: the minute from which on each of the rule's filters has been watched."""

    __slots__ = ("_minute", "_series", "_since", "_slots", "now")

    def __init__(self, plan: "Plan", series: Mapping[str, Series], since: Mapping[str, int], now: datetime) -> None:
        self.now = now
        self._minute = minute_of(now)
        self._slots = plan.slots
        self._series = series
        self._since = since
        for one in series.values():
            one.advance(self._minute)

    def series(self, leaf: "Leaf") -> Series:
        return self._series[self._slots[id(leaf)].shape]

    def tally(self, leaf: "Leaf") -> Tally:
        """Totals over the leaf's window."""
        slot = self._slots[id(leaf)]
        return self._series[slot.shape].tallies[slot.tally]

    def noun(self, leaf: "Leaf", count: int) -> Because:
        """What the leaf counts, in words."""
        slot = self._slots[id(leaf)]
        return slot.one if count == 1 else slot.many

    def length(self, leaf: "Leaf") -> Because:
        """The leaf's window, in words."""
        return self._slots[id(leaf)].length

    def preceding(self, leaf: "Leaf") -> Preceding:
        """The stretch of ``looks_at.reference`` minutes before the leaf's window, history counted."""
        slot = self._slots[id(leaf)]
        series = self._series[slot.shape]
        window, whole = series.totals[slot.near], series.totals[slot.far]
        begin, end = self._minute - whole.size, self._minute - window.size
        watched = self._since[slot.shape]
        known = min(watched, watched if series.first is None else series.first)
        return Preceding(
            mentions=whole.mentions - window.mentions,
            minutes=max(0, end - max(begin, known)),
            watched=watched <= begin,
            reaches_back=known <= begin,
            turns=min((one + whole.size for one in (known, watched) if one > begin), default=NEVER),
        )

    def start(self, leaf: "Leaf") -> datetime:
        """Where the leaf's window begins."""
        return time_of(self._minute - self.tally(leaf).size)
