"""What is known of each source between polls: its cursor and how the last polls went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.storage.database import upsert
from listener.storage.tables import mentions, sources


@dataclass(frozen=True, slots=True)
class SourceState:
    """``failures`` counts failed polls since the last good one; ``reason`` is the newest failure's."""

    id: str
    cursor: str | None = None
    last_poll: datetime | None = None
    last_success: datetime | None = None
    next_poll: datetime | None = None
    failures: int = 0
    reason: str = ""
    newest_published: datetime | None = None
    first_poll: datetime | None = None


_SAVE = upsert(sources, ["id"], [column.name for column in sources.c if column.name != "id"])


async def load(connection: AsyncConnection) -> dict[str, SourceState]:
    return {row.id: SourceState(**row._asdict()) for row in await connection.execute(select(sources))}


async def save(connection: AsyncConnection, states: Sequence[SourceState]) -> None:
    values = [{name: getattr(state, name) for name in SourceState.__slots__} for state in states]
    await connection.execute(_SAVE, values)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How a source's new mentions came in the last two weeks: how many, the newest, and the longest gap between two."""

    count: int
    newest: datetime
    longest_gap: timedelta


async def arrivals(connection: AsyncConnection, *, since: datetime) -> dict[str, Arrivals]:
    before = func.lag(mentions.c.collected_at).over(partition_by=mentions.c.source, order_by=mentions.c.collected_at)
    gaps = (
        select(mentions.c.source, mentions.c.collected_at, (mentions.c.collected_at - before).label("gap"))
        .where(mentions.c.collected_at >= since)
        .subquery()
    )
    query = select(
        gaps.c.source, func.count(), func.max(gaps.c.collected_at), func.max(cast(gaps.c.gap, BigInteger))
    ).group_by(gaps.c.source)
    return {
        source: Arrivals(count, newest, timedelta(microseconds=gap or 0))
        for source, count, newest, gap in await connection.execute(query)
    }
