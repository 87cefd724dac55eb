"""Counts by the bin over eight weeks, history too, and the baseline that they teach.

A bin is learnt once it has been closed for SETTLE, so that what is a little late is in it. What comes later still makes
the baseline stale, and all is learnt anew from the counts: as soon as it is a twentieth of them, an import for one, and
else once a day, since a feed that is always late must not cost eight weeks' learning each time.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rules.calendar import Calendar
from rules.facts import Facts
from rules.normal import Normal

Count = Literal["mentions", "authors", "stories", "reach"]
Rolled = Literal["mentions", "authors", "stories", "reach", "largest"]
"""What a bin may count; ``largest``: the copies of the largest story in it."""
Dark = Callable[[int, int], bool]
"""Whether a source could not be seen in a stretch of minutes (from, to]."""

SETTLE = 30
KEPT = 56 * 1440
_DAY = 1440
_DENSE = 0.25
_MUCH = 0.05
_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Roll:
    """``size``: minutes of a bin; ``span``: bins of the window that is compared; ``marked``: labels counted beside."""

    size: int
    span: int
    count: Rolled = "mentions"
    marked: tuple[str, ...] = ()


NO_ROLL = Roll(0, 0)


class Rollup:
    """``base``: the first bin's number; bin *b* holds the panes of the minutes in ((b - 1) * size, b * size].

    ``upto``: the last bin that is learnt; ``changes``: how often one of those was changed afterwards,
    ``stale``: since all was learnt.

    ``names``: of bins that are not settled, the authors or stories in them.
    """

    __slots__ = ("base", "changes", "counts", "marked", "names", "normal", "roll", "stale", "upto")

    def __init__(self, roll: Roll, calendar: Calendar) -> None:
        self.roll = roll
        self.base = 0
        self.changes = 0
        self.counts = array("I")
        self.marked = array("I")
        self.names: dict[int, dict[str, int]] = {}
        self.normal = Normal(roll.size, roll.span, calendar)
        self.upto: int | None = None
        self.stale = 0

    @property
    def turns(self) -> int:
        """The minute at which the next bin is learnt."""
        return ((self.upto or 0) + 1) * self.roll.size + SETTLE

    @property
    def past(self) -> int:
        """The bin after the last one that is held."""
        return self.base + len(self.counts)

    def put(self, minute: int, facts: Facts, sign: int) -> None:
        """Count a mention, or with -1 take it back."""
        roll, counts = self.roll, self.counts
        number = -(-minute // roll.size)
        if not self.base <= number < self.base + len(counts) and not self._reach(number):
            return
        at = number - self.base
        if sign > 0 and roll.count == "mentions":
            counts[at] += counts[at] < _MOST
        else:
            counts[at] = min(_MOST, max(0, counts[at] + self._amount(number, facts, sign)))
        if roll.marked and facts.label in roll.marked:
            self.marked[at] = max(0, self.marked[at] + sign)
        if self.upto is not None and number <= self.upto:
            self.stale += 1
            self.changes += 1

    def last(self) -> int | None:
        """The minute at which the last bin ends that holds a mention."""
        number = self.past - 1
        while number >= self.base and not self.counts[number - self.base]:
            number -= 1
        return number * self.roll.size if number >= self.base else None

    def add(self, minute: int, count: int) -> None:
        """Count *count* mentions at once, where nothing else is known of them."""
        number = -(-minute // self.roll.size)
        if self._reach(number):
            at = number - self.base
            self.counts[at] = min(_MOST, self.counts[at] + count)

    def remembers(self, now: int) -> bool:
        """Whether anything that was counted may still teach at minute *now*."""
        return bool(self.counts) and self.past * self.roll.size > now - KEPT

    def count(self, number: int) -> int:
        at = number - self.base
        return self.counts[at] if 0 <= at < len(self.counts) else 0

    def mark(self, number: int) -> int:
        at = number - self.base
        return self.marked[at] if 0 <= at < len(self.marked) else 0

    def counted(self, begin: int, end: int) -> int:
        """What the bins (begin, end] hold."""
        return sum(self.counts[self._at(begin) : self._at(end)])

    def counted_marked(self, begin: int, end: int) -> int:
        """What of it carries one of the marked labels."""
        return sum(self.marked[self._at(begin) : self._at(end)])

    def _at(self, number: int) -> int:
        return max(0, number + 1 - self.base)

    def behind(self, now: int) -> bool:
        """Whether ``catch_up`` has anything to do."""
        return self.upto is None or (now - SETTLE) // self.roll.size > self.upto

    def _outdated(self, last: int) -> bool:
        """Whether so much came late that all is learnt anew before bin *last*: a twentieth at once, less once a day."""
        if self.upto is None:
            return True
        day = _DAY // self.roll.size
        return self.stale > 0 and (self.stale >= _MUCH * sum(self.counts) or last // day > self.upto // day)

    def catch_up(self, now: int, since: int, dark: Dark) -> Normal:
        """The baseline as of minute *now*; the key has been watched since minute *since*."""
        last = (now - SETTLE) // self.roll.size
        upto = self._anew(since) if self._outdated(last) else self.upto or 0
        size, span = self.roll.size, self.roll.span
        for number in range(upto + 1, last + 1):
            counts = [self.count(one) for one in range(number - span + 1, number + 1)]
            self.normal.learn(number * size, counts, dark=dark((number - 1) * size, number * size))
        self.upto = max(upto, last)
        self._settle(self.upto)
        return self.normal

    def first(self, since: int) -> int:
        """The first bin that is known: watched for all of it, or in history that is as dense as what follows it.

        A feed's first poll brings its last twenty entries, be they of an hour or of a month: a few old ones are no
        history. A day counts as known while it and the two days before it hold a quarter of what a day holds later.
        """
        size = self.roll.size
        watched = -(-since // size) + 1
        if self.base >= watched or not self.counts:
            return watched
        day = max(1, _DAY // size)
        known, held, days = watched, 0.0, 0
        while known > self.base:
            three = self.counted(known - 1 - 3 * day, known - 1)
            if not three or (days and three < _DENSE * 3 * held / days):
                break
            held += self.counted(known - 1 - day, known - 1)
            days += 1
            known -= day
        return max(known, self.base)

    def _anew(self, since: int) -> int:
        """Forget what was learnt; the bin before the first that is known."""
        normal = self.normal
        self.normal = Normal(normal.size, normal.span, normal.calendar)
        self.stale = 0
        return self.first(since) - 1

    def _amount(self, number: int, facts: Facts, sign: int) -> int:
        if self.roll.count == "mentions":
            return sign
        if self.roll.count == "reach":
            return sign * facts.people
        if self.roll.count == "largest":
            return self._larger(number, facts.story, sign)
        name = facts.who if self.roll.count == "authors" else facts.story
        if not name or (self.upto is not None and number <= self.upto):
            # Who has been counted in a settled bin is no longer known.
            return sign if self.roll.count == "stories" or name else 0
        names = self.names.setdefault(number, {})
        before = names.get(name, 0)
        if before + sign > 0:
            names[name] = before + sign
        else:
            names.pop(name, None)
        return (before + sign > 0) - (before > 0)

    def _larger(self, number: int, story: str, sign: int) -> int:
        """By how much the largest story of a bin grows or shrinks; one of no story is none of several copies."""
        held = self.count(number)
        if not story or (sign < 0 and number not in self.names):
            return 0
        if number not in self.names:
            # A key that is never read settles nothing, and need not know every story of eight weeks.
            self._settle(number - 2 * _DAY // self.roll.size)
        names = self.names.setdefault(number, {})
        names[story] = names.get(story, 0) + sign
        if sign > 0:
            return max(0, names[story] - held)
        if names[story] <= 0:
            del names[story]
        return min(0, max(names.values(), default=0) - held)

    def _settle(self, last: int) -> None:
        for number in [number for number in self.names if number <= last]:
            del self.names[number]

    def _reach(self, number: int) -> bool:
        """Make room for a bin; False where it is older than what is kept."""
        most = KEPT // self.roll.size
        if not self.counts:
            self.base = number
        if number < self.base:
            before = self.base - number
            if len(self.counts) + before > most:
                return False
            for held in (self.counts, self.marked):
                held[:0] = array("I", bytes(4 * before))
            self.base = number
        if number >= self.past:
            more = number - self.past + 1
            if more > most:
                del self.counts[:], self.marked[:]
                self.base, more = number, 1
            for held in (self.counts, self.marked):
                held.frombytes(bytes(4 * more))
            over = len(self.counts) - most
            if over > 0:
                del self.counts[:over], self.marked[:over]
                self.base += over
        return True
