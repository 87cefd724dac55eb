"""A topic's mentions slot by slot, and what was usual at these times in the weeks before: for a message's chart."""

from datetime import UTC, datetime, timedelta
from statistics import fmean, pstdev
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, and_, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.trend import Trend, TrendPoint
from listener.storage.tables import rollups

POINTS = 48
WEEKS = 4
_WEEK = timedelta(days=7)
_FINEST = timedelta(minutes=5)  # what the rollups are counted by
_SLOTS = (timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot_of(window: timedelta | None) -> timedelta:
    """The longest of an hour, 30 and 15 minutes that is no longer than the alert's window; an hour where it has none."""
    return next((slot for slot in _SLOTS if window is None or slot <= window), _SLOTS[-1])


async def trend(connection: AsyncConnection, topic: str, *, until: datetime, slot: timedelta) -> Trend | None:
    """The POINTS slots up to *until*, the last one whole; None where nothing was counted in them.

    One query, which reads of each source of the topic five stretches of POINTS slots. A week counts as known where there
    was anything at all in its stretch; fewer than two say nothing of what is usual.
    """
    end = _EPOCH - (_EPOCH - until) // _FINEST * _FINEST  # rounded up
    start = end - POINTS * slot
    counted: dict[int, list[list[int]]] = {}
    for at, mentions, negative in await connection.execute(_counts(topic, start, end)):
        week = (end - _FINEST - at) // _WEEK
        place = (at + week * _WEEK - start) // slot
        slots = counted.setdefault(week, [[0, 0] for _ in range(POINTS)])
        slots[place][0] += mentions
        slots[place][1] += negative
    if 0 not in counted:
        return None
    before = [[count for count, _ in counted[week]] for week in range(1, WEEKS + 1) if week in counted]
    return Trend(
        points=tuple(
            TrendPoint(start + place * slot, count, negative, _usual(before, place))
            for place, (count, negative) in enumerate(counted[0])
        ),
        slot=slot,
        weeks=len(before) if len(before) > 1 else 0,
    )


def _usual(before: list[list[int]], place: int) -> tuple[float, float] | None:
    if len(before) < 2:
        return None
    counts = [count for week in before for count in week[max(place - 1, 0) : place + 2]]
    mean, stray = fmean(counts), pstdev(counts)
    return max(mean - stray, 0.0), mean + stray


def _counts(topic: str, start: datetime, end: datetime) -> CompoundSelect[Any]:
    """Slot of five minutes, mentions, negative ones; each stretch a range of the primary key (topic, source, slot).

    The sources are found by stepping from one to the next in that key: SQLite would else read the topic's whole past.
    """
    known = rollups.c.topic == topic
    first = select(func.min(rollups.c.source).label("source")).where(known).cte("known", recursive=True)
    later = select(func.min(rollups.c.source)).where(known, rollups.c.source > first.c.source).scalar_subquery()
    sources = first.union_all(select(later).where(first.c.source.is_not(None)))

    def stretch(week: int) -> ColumnElement[bool]:
        return and_(rollups.c.slot >= start - week * _WEEK, rollups.c.slot < end - week * _WEEK)

    counts = (rollups.c.slot, func.sum(rollups.c.mentions), func.sum(rollups.c.negative))
    return union_all(
        *(
            select(*counts)
            .join_from(sources, rollups, and_(known, rollups.c.source == sources.c.source, stretch(week)))
            .group_by(rollups.c.slot)
            for week in range(WEEKS + 1)
        )
    )
