"""The section ``time_intervals`` of the configuration, in Alertmanager's words."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from alerts.channels.base import Strict
from alerts.hours import DAY, DayKind, TimeInterval

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_NUMBER = re.compile(r"-?\d{1,4}", re.ASCII)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no time zone: use an IANA name such as Asia/Shanghai, Europe/London or UTC") from error
    return name


ZoneName = Annotated[str, AfterValidator(_zone)]


def _minute(text: str) -> int:
    """Of the day: 0 to 1440. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is no time of day such as 08:30 or 24:00")
    return int(text[:2]) * 60 + int(text[3:])


class TimesConfig(Strict):
    """A stretch of the day."""

    start_time: str = Field(description="HH:MM, included")
    end_time: str = Field(description="HH:MM, not included; 24:00 is the day's end")

    @model_validator(mode="after")
    def _in_order(self) -> "TimesConfig":
        start, end = self.minutes
        if start >= end:
            over_midnight = f"{self.start_time} to 24:00 and 00:00 to {self.end_time}"
            raise ValueError(f"ends before it begins: for a stretch over midnight write two times, {over_midnight}")
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        return _minute(self.start_time), _minute(self.end_time)


def _ends(value: int | str) -> tuple[str, str]:
    """``a:b`` as its ends, ``a`` as both."""
    first, colon, last = str(value).strip().lower().partition(":")
    return first, last if colon else first


def _number(text: str, noun: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no {noun} from {least} to {most}")
    return int(text)


def _named(text: str, names: Sequence[str], noun: str) -> int:
    """The place of a name, from 0."""
    if text not in names:
        raise ValueError(f"{text!r} is no {noun}: they are {', '.join(names)}")
    return names.index(text)


def _circle(ends: tuple[int, int], length: int) -> frozenset[int]:
    """From the first to the last, on past the end of the week or year where the last comes before the first."""
    first, last = ends
    return frozenset((first + step) % length for step in range((last - first) % length + 1))


def _weekdays(value: str) -> frozenset[int]:
    first, last = (_named(end, _WEEKDAYS, "weekday") for end in _ends(value))
    return _circle((first, last), len(_WEEKDAYS))


def _month(text: str) -> int:
    return _number(text, "month", 1, 12) - 1 if _NUMBER.fullmatch(text) else _named(text, _MONTHS, "month")


def _months(value: int | str) -> frozenset[int]:
    first, last = (_month(end) for end in _ends(value))
    return frozenset(place + 1 for place in _circle((first, last), len(_MONTHS)))


def _days_of_month(value: int | str) -> tuple[int, int]:
    first, last = (_number(end, "day of the month", -31, 31) for end in _ends(value))
    if 0 in (first, last):
        raise ValueError("there is no day 0: 1 is the first of the month, -1 its last")
    if first < 0 < last:
        raise ValueError("where the first day counts from the month's end, the last one must too")
    # Whether a positive day comes before a negative one depends on the month; the longest decides what can never be.
    if (last if last > 0 else 32 + last) < (first if first > 0 else 32 + first):
        raise ValueError(f"day {last} comes before day {first} in every month")
    return first, last


def _years(value: int | str) -> tuple[int, int]:
    first, last = (_number(end, "year", 1970, 9998) for end in _ends(value))
    if last < first:
        raise ValueError(f"{last} comes before {first}")
    return first, last


def _each(read: Callable[[str], object]) -> AfterValidator:
    def check(values: list[int | str]) -> list[int | str]:
        for value in values:
            read(value)  # type: ignore[arg-type]
        return values

    return AfterValidator(check)


class TimeIntervalConfig(Strict):
    """A named stretch of time: it holds when every field that is given holds by one of its values."""

    id: str = Field(min_length=1, description="the name that routes use")
    times: list[TimesConfig] = Field(default=[], description="times of the day; any of them")
    weekdays: Annotated[list[str], _each(_weekdays)] = Field(
        default=[], description="days of the week or ranges of them, such as monday:friday"
    )
    days_of_month: Annotated[list[int | str], _each(_days_of_month)] = Field(
        default=[], description="days of the month or ranges of them, such as 1:5; negative from its end, -1 the last"
    )
    months: Annotated[list[int | str], _each(_months)] = Field(
        default=[], description="months by name or number, or ranges of them, such as november:february"
    )
    years: Annotated[list[int | str], _each(_years)] = Field(
        default=[], description="years or ranges of them, such as 2026:2028"
    )
    days: list[DayKind] = Field(
        default=[],
        description="kinds of day by calendars.work: work, make-up days too; rest, every day off; holiday, those of a "
        "public holiday alone",
    )
    location: ZoneName | None = Field(
        default=None, description="the IANA time zone of its times; the configuration's timezone where not given"
    )

    @field_validator("times", "weekdays", "days_of_month", "months", "years", "days")
    @classmethod
    def _not_empty(cls, value: list[object]) -> list[object]:
        if not value:
            raise ValueError("an empty list holds always: leave it out")
        return value

    def build(self, *, timezone: str, day_kind: Callable[[date], DayKind]) -> TimeInterval:
        kinds: set[DayKind] = set(self.days)
        if "rest" in kinds:
            kinds.add("holiday")
        return TimeInterval(
            id=self.id,
            zone=ZoneInfo(self.location or timezone),
            times=_joined(sorted(times.minutes for times in self.times)),
            weekdays=frozenset[int]().union(*(_weekdays(value) for value in self.weekdays)),
            days_of_month=tuple(_days_of_month(value) for value in self.days_of_month),
            months=frozenset[int]().union(*(_months(value) for value in self.months)),
            years=tuple(_years(value) for value in self.years),
            days=frozenset(kinds),
            day_kind=day_kind,
        )


def _joined(times: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The stretches in order, those that touch as one, none where they are the whole day."""
    found: list[tuple[int, int]] = []
    for start, end in times:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return () if found == [(0, DAY)] else tuple(found)
