"""Times of feed items. One without a zone is taken in its source's, never as UTC."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_tz

_ZONED = re.compile(
    r"(?:\d\s*Z|[T\d:.\s][+-]\d{1,2}:?\d{2}|\d[+-]\d{2}|\b(?:UTC|UT|GMT|[ECMPAH][SD]T|AK[SD]T|BST|CES?T|EES?T|WES?T|MSK|JST|"
    r"KST|HKT|SGT|A[CEW][SD]T|NZ[SD]T))(?:\s*\([^)]*\))?\s*$",
    re.IGNORECASE,
)
_DAY_ONLY = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*")
# 2026年1月5日 9:05, 2026/1/5 09:05:00, 2026-1-5 9:05, 2026.01.05
_PLAIN = re.compile(
    r"\s*(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})\s*日?[\sT]*"
    r"(?:(?:星期|周)[一二三四五六日天]\s*)?(?:(上午|下午|晚上|中午|凌晨|早上)?\s*(\d{1,2})[:时点](\d{1,2})?(?:[:分](\d{1,2}))?"
    r"(?:\.\d+)?[秒分]?)?\s*"
)
_CHINA = re.compile(r"\bCST\b|中国标准时间|China Standard Time|北京时间|Asia/Shanghai", re.IGNORECASE)
_YEARS = (1971, 2200)


def has_zone(raw: str) -> bool:
    """Whether *raw* says which zone it is in, so that nobody needs to be asked."""
    raw = _short(raw)
    if _DAY_ONLY.fullmatch(raw) or _CHINA.search(raw):
        return False
    return _ZONED.search(raw) is not None


def read_time(raw: str, parsed: Sequence[int] | None, zone: tzinfo) -> datetime | None:  # noqa: PLR0911
    """The moment of *raw*; ``parsed`` is feedparser's reading of it, which takes a zoneless one as UTC.

    ``CST`` is the source's own zone where that zone calls itself so (China), else as feedparser knows it (Chicago).
    """
    raw = _short(raw)
    if (plain := _plain(raw, zone)) is not None:
        return plain
    if parsed is None and (parsed := _mail_date(raw)) is None:
        return None
    try:
        moment = datetime(*parsed[:6], tzinfo=UTC)  # type: ignore[misc, arg-type]
        if has_zone(raw):
            return believable(moment)
        if not _CHINA.search(raw):
            return believable(moment.replace(tzinfo=zone).astimezone(UTC))
        if (wall := re.search(r"(\d{1,2}):(\d\d)(?::(\d\d))?", raw)) is None:
            return believable(moment)
        return believable(_in_china(moment, wall, zone))
    except (ValueError, OverflowError):
        return None


def read_iso(text: str) -> datetime | None:
    """The moment of an ISO time with its zone, as fastfeedparser writes it."""
    try:
        moment = datetime.fromisoformat(text)
        return believable(moment.astimezone(UTC)) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def believable(moment: datetime) -> datetime | None:
    """None for the year 1, 1970 and 9999: machines write those when they do not know."""
    return moment if _YEARS[0] <= moment.year < _YEARS[1] else None


def _in_china(moment: datetime, wall: re.Match[str], zone: tzinfo) -> datetime:
    local = moment.replace(tzinfo=zone)
    if local.tzname() != "CST" or local.utcoffset() is None:
        return moment
    # feedparser has read CST as UTC-6, or not at all: the clock on the wall tells by how much it moved
    shown = int(wall[1]) * 60 + int(wall[2])
    read = moment.hour * 60 + moment.minute
    moved = (read - shown) % (24 * 60)
    return (moment - timedelta(minutes=moved)).replace(tzinfo=zone).astimezone(UTC)


def _short(raw: str) -> str:
    """*raw* with single spaces; more than any date needs is cut, or the patterns' time would grow with its cube."""
    return " ".join(raw[:200].split())


def _mail_date(raw: str) -> Sequence[int] | None:
    """A mail date as feedparser would give it (UTC); it reads none that lacks its zone."""
    found = parsedate_tz(raw)
    if found is None:
        return None
    try:
        return (datetime(*found[:6]) - timedelta(seconds=found[9] or 0)).timetuple()  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None


def _plain(raw: str, zone: tzinfo) -> datetime | None:
    """A date as Chinese sites write it, without a zone."""
    found = _PLAIN.fullmatch(_CHINA.sub("", raw))
    if found is None:
        return None
    year, month, day, part, hour, minute, second = found.groups()
    hours = int(hour or 0)
    if part in ("下午", "晚上") and hours < 12:
        hours += 12
    try:
        local = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=zone)
        return believable(local.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
