"""Counts by the minute, and running totals over windows of them: no list of mentions is kept, and all is bounded.

Pane *m* holds event times in the minute that ends at *m* minutes since 1970, end included. A window of *w* minutes at
``now`` covers the panes above ``floor(now) - w``: exactly (now - w, now] at a whole minute, and in between up to a
minute more, so that nothing within *w* is ever missed.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

from rules.calendar import UTC_WEEKS, Calendar
from rules.facts import STORIES, TERMS, Facts, Key
from rules.figures import Figures
from rules.filter import Test
from rules.rollup import Roll, Rollup
from rules.vocabulary import Vocabulary

if TYPE_CHECKING:
    from rules.running import Running

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OTHER = "__other__"
NEVER = 2**62
TELLING = 3
"""Excerpts kept per pane and shown per alert."""
MAX_NAMES_PER_PANE = 2_000
"""Authors, stories, and channels, sources and words, told apart within a minute; what comes past that counts as one."""

KeyValues = tuple[str, ...]
"""One value of a rule's ``by``."""

_Name = TypeVar("_Name", str, Key)
Counted = tuple[str, str, Sequence[Key]]
"""What a mention counts as: its author, its story, and everything else."""


def pane_of(event_at: datetime) -> int:
    return -((EPOCH - event_at) // MINUTE)


def minute_of(now: datetime) -> int:
    """The last whole minute that has ended."""
    return (now - EPOCH) // MINUTE


def time_of(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


def _rank(facts: Facts) -> tuple[float, str, str]:
    return -facts.weight, facts.source, facts.external_id


def _before(one: Facts, other: Facts) -> bool:
    """Whether it ranks before another; most do not by weight alone."""
    return one.weight >= other.weight and _rank(one) < _rank(other)


def more_telling(facts: Iterable[Facts]) -> list[Facts]:
    """The most telling, one of each text; the same whatever order they came in."""
    best: dict[str, Facts] = {}
    for one in sorted(facts, key=_rank):
        best.setdefault(one.text, one)
    return list(best.values())[:TELLING]


def _speaker(facts: Facts) -> int:
    """A number for who says it; where no author is named for what it says, so that the same text counts once."""
    return crc32((facts.who or facts.text).encode("utf-8", "surrogatepass"))


def _bump(counts: dict[_Name, int], name: _Name, by: int) -> None:
    count = counts.get(name, 0) + by
    if count:
        counts[name] = count
    else:
        counts.pop(name, None)


class Tally:
    """Totals over the panes above ``low``: mentions, people reached, by author, by story, and by everything else."""

    __slots__ = ("_figures", "authors", "low", "mentions", "people", "rest", "size", "stories")

    def __init__(self, size: int) -> None:
        self._figures: Figures | None = None
        self.size = size
        self.low = 0
        self.mentions = 0
        self.people = 0
        self.authors: dict[str, int] = {}
        self.stories: dict[str, int] = {}
        self.rest: dict[Key, int] = {}

    def count_one(self, counted: "Counted", people: int, sign: int) -> None:
        who, story, keys = counted
        self._figures = None
        self.mentions += sign
        self.people += sign * people
        # As _bump does, without a call for each: this is the innermost loop of all.
        if who:
            count = self.authors.get(who, 0) + sign
            if count:
                self.authors[who] = count
            else:
                self.authors.pop(who, None)
        if story:
            _bump(self.stories, story, sign)
        rest = self.rest
        for key in keys:
            count = rest.get(key, 0) + sign
            if count:
                rest[key] = count
            else:
                rest.pop(key, None)

    def count_pane(self, pane: "Pane", sign: int) -> None:
        self._figures = None
        self.mentions += sign * pane.mentions
        self.people += sign * pane.people
        for who, count in pane.authors.items():
            _bump(self.authors, who, sign * count)
        for story, count in pane.stories.items():
            _bump(self.stories, story, sign * count)
        for key, count in pane.rest.items():
            _bump(self.rest, key, sign * count)

    @property
    def figures(self) -> Figures:
        """What it holds, in figures; made once, whatever the number of rules that ask before it changes."""
        return self._figures or self._figure()

    def _figure(self) -> Figures:
        channels, sites, sources = 0, 0, []
        for kind, name in self.rest:
            if kind == "source":
                sources.append(name)
            elif kind == "channel":
                channels += 1
            elif kind == "site":
                sites += 1
        stories = len(self.stories) + self.mentions - sum(self.stories.values())
        self._figures = Figures(
            self.mentions, len(self.authors), channels, sites, stories, self.people, tuple(sorted(sources))
        )
        return self._figures

    def labelled(self, labels: Iterable[str]) -> int:
        """Mentions that carry one of the labels."""
        return sum([self.rest.get(("label", label), 0) for label in labels])

    def count(self, kind: str, name: str) -> int:
        return self.rest.get((kind, name), 0)

    def names(self, kind: str) -> list[str]:
        return [name for one, name in self.rest if one == kind]

    def ranked(self, kind: str) -> list[tuple[str, int]]:
        """The counts of one kind, largest first, then by name."""
        found = [(name, count) for (one, name), count in self.rest.items() if one == kind]
        return sorted(found, key=lambda item: (-item[1], item[0]))


class Pane(Tally):
    """One minute that had two mentions or more, and the most telling of them; of one alone its facts say it all."""

    __slots__ = ("telling",)

    def __init__(self) -> None:
        super().__init__(1)
        self.telling: list[Facts] = []

    def put(self, facts: Facts, keys: Sequence[Key]) -> "Counted":
        """Count a mention; as what it was counted, since a full pane counts what is new to it as one."""
        who, story = facts.who, facts.story
        if who and who not in self.authors and len(self.authors) >= MAX_NAMES_PER_PANE:
            who = OTHER
        if story and story not in self.stories and len(self.stories) >= MAX_NAMES_PER_PANE:
            story = OTHER
        if len(self.rest) + len(keys) > MAX_NAMES_PER_PANE:
            keys = [key if key in self.rest else (key[0], OTHER) for key in keys]
        counted = (who, story, keys)
        self.count_one(counted, facts.people, 1)
        if len(self.telling) < TELLING or _before(facts, self.telling[-1]):
            self.telling = more_telling((*self.telling, facts))
        return counted

    def take(self, facts: Facts, keys: Sequence[Key]) -> "Counted":
        """Undo ``put``."""
        who = facts.who if facts.who in self.authors or not facts.who else OTHER
        story = facts.story if facts.story in self.stories or not facts.story else OTHER
        keys = [key if key in self.rest else (key[0], OTHER) for key in keys]
        counted = (who, story, keys)
        self.count_one(counted, facts.people, -1)
        self.telling = [one for one in self.telling if one.id != facts.id]
        return counted

    def copy(self) -> "Pane":
        other = Pane()
        other.mentions, other.people = self.mentions, self.people
        other.authors, other.stories, other.rest = dict(self.authors), dict(self.stories), dict(self.rest)
        other.telling = list(self.telling)
        return other


class Total:
    """How many mentions, history too, stand in the panes above ``low``: what a reference is made of."""

    __slots__ = ("low", "mentions", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.low = 0
        self.mentions = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What is kept for one filter of a rule: tallies over ``windows``, totals over ``totals`` (both in minutes), rollups.

    The rollups are the rule's own, since what they have learnt depends on when it was read.
    """

    id: str
    test: Test
    lexicon: str
    windows: tuple[int, ...]
    totals: tuple[int, ...]
    rolls: tuple[Roll, ...] = ()
    calendar: Calendar = UTC_WEEKS


def kept(shape: Shape) -> int:
    """For how many minutes a shape needs counts."""
    return max(*shape.windows, *shape.totals, 0)


class Series:
    """The panes of one key that pass one filter; ``readers``: the rules that share them, each under the key ``values``.

    ``every``: mentions per minute, history too; ``panes``: those that count, a lone one as its facts; ``minute``: where
    the windows end; ``first``: the earliest pane that ever held a mention; ``born``: the tick at which it began.
    ``rollups``: the readers', which count what it counts.
    """

    __slots__ = (
        "_until",
        "born",
        "every",
        "first",
        "kept",
        "minute",
        "minutes",
        "panes",
        "readers",
        "rollups",
        "shape",
        "tallies",
        "totals",
        "values",
        "vocabulary",
    )

    def __init__(self, shape: Shape, values: KeyValues = (), born: datetime = EPOCH) -> None:
        self.values = values
        self.born = born
        self.readers: list[Running] = []
        self.rollups: list[Rollup] = []
        self.panes: dict[int, Facts | Pane] = {}
        self.every: dict[int, int] = {}
        self.minutes: list[int] = []
        self.first: int | None = None
        self.vocabulary = Vocabulary()
        self.shape = shape
        self.take_shape(shape, 0)

    def take_shape(self, shape: Shape, minute: int) -> None:
        """Keep these windows (ascending) from now on, filled with what is there."""
        self.shape = shape
        self._until: int | None = None
        self.kept = kept(shape)
        self.minute = minute
        self.tallies = [Tally(size) for size in shape.windows]
        self.totals = [Total(size) for size in shape.totals]
        for tally in self.tallies:
            tally.low = max(0, minute - tally.size)
            for number, pane in self.panes.items():
                if number > tally.low:
                    self._move(tally, pane, 1)
        for total in self.totals:
            total.low = max(0, minute - total.size)
            total.mentions = sum(count for number, count in self.every.items() if number > total.low)
        self.panes = {number: pane for number, pane in self.panes.items() if number > self.tallies[-1].low}
        self._forget(minute)

    def copy(self) -> "Series":
        """The same counts, for whoever reads them over other windows from now on."""
        other = Series(self.shape, self.values, self.born)
        other.panes = {number: pane.copy() if isinstance(pane, Pane) else pane for number, pane in self.panes.items()}
        other.every, other.minutes, other.first = dict(self.every), list(self.minutes), self.first
        other.vocabulary = self.vocabulary.copy()
        other.take_shape(self.shape, self.minute)
        return other

    def put(self, minute: int, facts: Facts, *, fresh: bool) -> None:
        """Count a mention; one that is not *fresh* is history, which only references see."""
        if self.first is None or minute < self.first:
            self.first = minute
        for rollup in self.rollups:
            rollup.put(minute, facts, 1)
        lexicon = self.shape.lexicon
        if lexicon == TERMS:
            self.vocabulary.use(facts.found.get(TERMS, ()), minute, _speaker(facts), self.shape.windows[-1])
        if minute <= self.minute - self.kept:
            return
        self._count(minute, 1)
        if not fresh or minute <= self.tallies[-1].low:
            return
        pane = self.panes.get(minute)
        if pane is None:
            self.panes[minute] = facts
            counted = self._counted(facts)
        else:
            if not isinstance(pane, Pane):
                lone, pane = pane, Pane()
                pane.put(lone, self._keys(lone))
                self.panes[minute] = pane
            counted = pane.put(facts, self._keys(facts) if lexicon else facts.keys)
        for tally in self.tallies:
            if minute > tally.low:
                tally.count_one(counted, facts.people, 1)

    def take(self, minute: int, facts: Facts, *, fresh: bool) -> None:
        """Undo a ``put`` of the same facts."""
        for rollup in self.rollups:
            rollup.put(minute, facts, -1)
        if minute not in self.every:
            return
        pane = self.panes.get(minute)
        if fresh and pane is not None:
            if isinstance(pane, Pane):
                counted = pane.take(facts, self._keys(facts))
            elif pane.id != facts.id:
                return
            else:
                counted = self._counted(facts)
            if not isinstance(pane, Pane) or not pane.mentions:
                del self.panes[minute]
            for tally in self.tallies:
                if minute > tally.low:
                    tally.count_one(counted, facts.people, -1)
        self._count(minute, -1)

    def advance(self, minute: int) -> None:
        """Let the windows end at *minute*, and forget what none reaches any more."""
        if minute <= self.minute:
            return
        self.minute = minute
        self._until = None
        minutes = self.minutes
        for tally in self.tallies:
            low = minute - tally.size
            for number in minutes[bisect_right(minutes, tally.low) : bisect_right(minutes, low)]:
                # The last window is the longest: what leaves it is needed no more.
                pane = self.panes.pop(number, None) if tally is self.tallies[-1] else self.panes.get(number)
                if pane is not None:
                    self._move(tally, pane, -1)
            tally.low = max(tally.low, low)
        for total in self.totals:
            low = minute - total.size
            if low > total.low:
                gone = minutes[bisect_right(minutes, total.low) : bisect_right(minutes, low)]
                total.mentions -= sum(self.every[number] for number in gone)
                total.low = low
        self._forget(minute)

    def remembers(self, minute: int) -> bool:
        """Whether it holds anything that may still count: in a window, or a word for much longer."""
        return bool(self.minutes) or self.vocabulary.remembers(minute)

    @property
    def stands_until(self) -> int:
        """The minute at which a mention leaves a window next, so that something changes without a new one."""
        if self._until is None:
            self._until = self._first_to_leave()
        return self._until

    def _first_to_leave(self) -> int:
        minutes, until = self.minutes, NEVER
        windows: list[Tally | Total] = [*self.tallies, *self.totals]
        for window in windows:
            inside = bisect_right(minutes, window.low)
            if inside < len(minutes):
                until = min(until, minutes[inside] + window.size)
        return until

    def telling(self, tally: Tally) -> list[Facts]:
        """The most telling mentions that stand in the window."""
        reached = self.minutes[bisect_right(self.minutes, tally.low) :]
        panes = [self.panes[number] for number in reached if number in self.panes]
        # Each pane's are in order already, so that only those at the front have to be compared.
        best: dict[str, Facts] = {}
        for one in merge(*[pane.telling if isinstance(pane, Pane) else (pane,) for pane in panes], key=_rank):
            best.setdefault(one.text, one)
            if len(best) == TELLING:
                break
        return list(best.values())

    def _move(self, tally: Tally, pane: Facts | Pane, sign: int) -> None:
        if isinstance(pane, Pane):
            tally.count_pane(pane, sign)
        else:
            tally.count_one(self._counted(pane), pane.people, sign)

    def _counted(self, facts: Facts) -> Counted:
        return facts.who, facts.story, self._keys(facts)

    def _keys(self, facts: Facts) -> Sequence[Key]:
        if self.shape.lexicon == STORIES:
            return (*facts.keys, ("voice", f"{facts.story}\n{facts.voice}")) if facts.story else facts.keys
        words = facts.found.get(self.shape.lexicon, ()) if self.shape.lexicon else ()
        return (*facts.keys, *(("word", word) for word in words)) if words else facts.keys

    def _count(self, minute: int, by: int) -> None:
        count = self.every.get(minute, 0) + by
        if count == by:
            insort(self.minutes, minute)
            self._until = None
        if count:
            self.every[minute] = count
        else:
            del self.every[minute]
            self.minutes.remove(minute)
            self._until = None
        for total in self.totals:
            if minute > total.low:
                total.mentions += by

    def _forget(self, minute: int) -> None:
        minutes, kept = self.minutes, minute - self.kept
        if minutes and minutes[0] <= kept:
            gone = bisect_right(minutes, kept)
            for number in minutes[:gone]:
                del self.every[number]
            del minutes[:gone]
