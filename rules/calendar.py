"""Which hours are alike: local time, work days and days of rest, Chinese holidays and make-up days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar

Work = Literal["CN", "none"]
DayKind = Literal["work", "rest", "holiday"]
HOURS_OF_WEEK = 168
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour's kind. ``hour``: of the day, 0..23; ``rest``: a day of rest; ``week``: hour of the week from Monday, 0..167.

    ``week`` is None on a day that is not what its weekday says: a holiday in the week, a weekend that is worked.
    """

    hour: int
    rest: bool
    week: int | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """``timezone``: an IANA name. ``work``: whose days of rest; ``none``: Saturdays and Sundays alone."""

    timezone: str = "UTC"
    work: Work = "none"

    def slot(self, minute: int) -> Slot:
        """The kind of the hour that holds *minute*, counted from 1970 in UTC."""
        return _slot(self.timezone, self.work, minute // 15)

    def day_kind(self, day: date) -> DayKind:
        """``holiday``: a day off that is a public holiday's; ``rest``: another day off; ``work``: make-up days too."""
        if self.work == "none":
            return "rest" if day.weekday() >= _SATURDAY else "work"
        return _kind(day)

    def covers(self, year: int) -> bool:
        """Whether the year's holidays are announced; where they are not, weekends alone are days of rest."""
        return self.work == "none" or covered(year)


UTC_WEEKS = Calendar()
"""Where nothing is configured."""


def covered(year: int) -> bool:
    """Whether ``chinese-calendar`` knows the year: each is published in the autumn before."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=1 << 16)
def _slot(timezone: str, work: Work, quarter: int) -> Slot:
    # By the quarter of an hour, since there are zones that are off by 30 or 45 minutes.
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)).astimezone(ZoneInfo(timezone))
    weekend = local.weekday() >= _SATURDAY
    rest = weekend if work == "none" else _rests(local.date())
    return Slot(local.hour, rest, local.weekday() * 24 + local.hour if rest == weekend else None)


@lru_cache(maxsize=4096)
def _kind(day: date) -> DayKind:
    if not _rests(day):
        return "work"
    try:
        _, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return "rest"
    return "holiday" if name else "rest"


@lru_cache(maxsize=4096)
def _rests(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_holiday(day))
    except NotImplementedError:
        return day.weekday() >= _SATURDAY
