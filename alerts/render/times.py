"""Times and lengths of time as messages and pages tell them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.render.words import Language

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(length: timedelta, language: Language) -> str:
    """The two largest units, floored to minutes: 22 分钟, 1 小时 5 分钟, 2d 3h."""
    minutes = max(int(length.total_seconds() // 60), 0)
    parts = ((minutes // 1440, "天", "d"), (minutes // 60 % 24, "小时", "h"), (minutes % 60, "分钟", "m"))
    first = next((place for place, part in enumerate(parts) if part[0]), None)
    if first is None:
        return "不到 1 分钟" if language == "zh" else "under 1m"
    shown = [part for part in parts[first : first + 2] if part[0]]
    if language == "zh":
        return " ".join(f"{count} {zh}" for count, zh, _ in shown)
    return " ".join(f"{count}{en}" for count, _, en in shown)


def zone(name: str) -> ZoneInfo:
    """The zone, UTC where the name is none: a message with times in UTC is better than no message."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(at: datetime, where: ZoneInfo, near: datetime, language: Language) -> str:
    """A time of day, with its date where that is not the day of *near*, and with its year where that is another."""
    local, day = at.astimezone(where), near.astimezone(where)
    return f"{local:%H:%M}" if local.date() == day.date() else _dated(local, day, language)


def _dated(local: datetime, near: datetime, language: Language) -> str:
    other = local.year != near.year
    if language == "zh":
        year = f"{local.year}年" if other else ""
        return f"{year}{local.month}月{local.day}日 {local:%H:%M}"
    year = f" {local.year}" if other else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year} {local:%H:%M}"


def period(start: datetime, end: datetime, where: ZoneInfo, near: datetime, language: Language) -> str:
    """From a time to another: with its date once where that is one day other than *near*'s, twice where it is two."""
    first, last, day = (at.astimezone(where) for at in (start, end, near))
    if first.date() == last.date():
        return f"{moment(start, where, near, language)}–{last:%H:%M}"
    return f"{_dated(first, day, language)}–{_dated(last, day, language)}"
