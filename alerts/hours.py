"""When a receiver may be told: named stretches of local time, and when the next one begins or ends.

The semantics are Alertmanager's (its configuration page, ``time_interval``; package ``timeinterval``): an interval holds
when every field that is given has an element that holds; times include their start and exclude their end; negative days
count from the month's end, and what lies outside a month is cut off at its ends. Beside them, kinds of day of the Chinese
calendar, which come in as a function. All is local wall time: what a clock change skips never holds, what it repeats
holds twice.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

DayKind = Literal["work", "rest", "holiday"]
DAY = 24 * 60  # minutes
HORIZON = timedelta(days=400)
"""How far ahead a beginning or an end is looked for: longer than a year, whose holidays and leap day come round."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A field that is empty holds always.

    ``times``: minutes of the day, start included, end not, at most 1440. ``weekdays``: 0 is Monday. ``days_of_month``: first
    and last, both included, -1 the month's last day. ``years``: first and last. ``days``: of ``day_kind``.
    """

    id: str
    zone: ZoneInfo
    times: tuple[tuple[int, int], ...] = ()
    weekdays: frozenset[int] = frozenset()
    days_of_month: tuple[tuple[int, int], ...] = ()
    months: frozenset[int] = frozenset()
    years: tuple[tuple[int, int], ...] = ()
    days: frozenset[DayKind] = frozenset()
    day_kind: Callable[[date], DayKind] | None = None

    def holds(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        in_time = not self.times or any(start <= minute < end for start, end in self.times)
        return in_time and self.on(local.date())

    def on(self, day: date) -> bool:
        """Whether it holds at some time of this local day."""
        return (
            (not self.weekdays or day.weekday() in self.weekdays)
            and (not self.months or day.month in self.months)
            and (not self.years or any(first <= day.year <= last for first, last in self.years))
            and (not self.days_of_month or self._in_month(day))
            and (not self.days or self.day_kind is None or self.day_kind(day) in self.days)
        )

    def _in_month(self, day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        for first, last in self.days_of_month:
            start = first if first > 0 else length + first + 1
            end = last if last > 0 else length + last + 1
            if start <= day.day <= end:
                return True
        return False

    def edges(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Every time after *low* and up to *high*, a day later at most, at which it may begin or end, in any order."""
        if low.astimezone(self.zone).utcoffset() != high.astimezone(self.zone).utcoffset():
            yield _clock_change(self.zone, low, high)
        minutes = {0, *(minute for span in self.times for minute in span if minute < DAY)}
        day, last = low.date() - _ONE_DAY, high.date() + _ONE_DAY
        before = self.on(day - _ONE_DAY)
        while day <= last:
            now = self.on(day)
            if now or before:
                yield from (at for minute in minutes for at in _wall(self.zone, day, minute) if low < at <= high)
            before, day = now, day + _ONE_DAY


def _wall(zone: ZoneInfo, day: date, minute: int) -> Iterator[datetime]:
    """The times at which the wall clock shows this, where a change of the clock repeats it both."""
    for fold in (0, 1):
        local = datetime(day.year, day.month, day.day, *divmod(minute, 60), tzinfo=zone, fold=fold)
        yield local.astimezone(UTC)


def _clock_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """When between two times the zone's offset changes; to the second, which is all that zone files know."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def holding(intervals: Sequence[TimeInterval], at: datetime) -> TimeInterval | None:
    """The first of the intervals that holds at a time."""
    return next((interval for interval in intervals if interval.holds(at)), None)


def opens_at(intervals: Sequence[TimeInterval], now: datetime) -> datetime | None:
    """The first time from *now* on at which one of the intervals holds; None where there is none within ``HORIZON``."""
    return _first(intervals, now, wanted=True)


def closes_at(intervals: Sequence[TimeInterval], now: datetime) -> datetime | None:
    """The first time from *now* on at which none of the intervals holds; None where there is none within ``HORIZON``."""
    return _first(intervals, now, wanted=False)


def _first(intervals: Sequence[TimeInterval], now: datetime, *, wanted: bool) -> datetime | None:
    if (holding(intervals, now) is not None) == wanted:
        return now
    low = now.astimezone(UTC)
    end = low + HORIZON
    while low < end:
        high = low + _ONE_DAY
        for at in sorted({edge for interval in intervals for edge in interval.edges(low, high)}):
            if (holding(intervals, at) is not None) == wanted:
                return at
        low = high
    return None
