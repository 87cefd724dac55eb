"""Reading the log, and the engine's snapshot that saves reading it from the start."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.storage import rows
from listener.storage.database import insert
from listener.storage.tables import log, snapshots
from rules.log import PollRow, Row

_PAGE = 2000


async def after(connection: AsyncConnection, seq: int, *, limit: int = _PAGE) -> list[Row]:
    """The next rows past a sequence, in order."""
    query = select(log.c.seq, log.c.at, log.c.kind, log.c.payload).where(log.c.seq > seq).order_by(log.c.seq)
    return [rows.load(*row) for row in await connection.execute(query.limit(limit))]


async def lines(
    connection: AsyncConnection, *, since: datetime | None, until: datetime | None
) -> AsyncIterator[tuple[int, datetime, str, str]]:
    """Sequence, time, kind and payload of every row, in order, a page at a time."""
    seq = 0
    while True:
        query = select(log.c.seq, log.c.at, log.c.kind, log.c.payload).where(log.c.seq > seq).order_by(log.c.seq)
        if since is not None:
            query = query.where(log.c.at >= since)
        if until is not None:
            query = query.where(log.c.at < until)
        page: list[Any] = list(await connection.execute(query.limit(_PAGE)))
        for row in page:
            yield tuple(row)
        if len(page) < _PAGE:
            return
        seq = page[-1].seq


async def before(connection: AsyncConnection, at: datetime | None) -> int:
    """The sequence of the last row before a time; of the last row where it is None; 0 where there is none.

    The times of the log never run back, so its sequence is searched by halving.
    """
    last = (await connection.execute(select(func.max(log.c.seq)))).scalar_one_or_none() or 0
    if at is None:
        return last
    low, high = 0, last  # every row up to low is before the time, every row after high is not
    while low < high:
        middle = (low + high + 1) // 2
        query = select(log.c.seq, log.c.at).where(log.c.seq <= middle).order_by(log.c.seq.desc()).limit(1)
        row = (await connection.execute(query)).one_or_none()
        if row is None or row.at < at:
            low = middle
        else:
            high = row.seq - 1
    return low


async def committed_at(connection: AsyncConnection, poll: tuple[str, datetime]) -> datetime | None:
    """When what a poll brought was committed; the poll by its source and its start. None: it is not in the log any more."""
    source, started_at = poll
    query = select(log.c.seq, log.c.at, log.c.kind, log.c.payload).where(log.c.kind == "poll").order_by(log.c.seq)
    query = query.where(log.c.seq > await before(connection, started_at)).limit(_PAGE)
    for row in await connection.execute(query):
        found = rows.load(*row)
        if isinstance(found, PollRow) and (found.source, found.started_at) == (source, started_at):
            return found.at
    return None


async def newest_rules(connection: AsyncConnection) -> str | None:
    """The payload of the newest rules row."""
    query = select(log.c.payload).where(log.c.kind == "rules").order_by(log.c.seq.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def last_time(connection: AsyncConnection) -> datetime | None:
    """The commit time of the newest row; no later row may be stamped before it."""
    query = select(log.c.at).order_by(log.c.seq.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def snapshot(connection: AsyncConnection) -> tuple[int, datetime, str] | None:
    """The newest snapshot: sequence, tick, state."""
    query = select(snapshots.c.seq, snapshots.c.at, snapshots.c.state).order_by(snapshots.c.id.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return tuple(row) if row else None


async def save_snapshot(connection: AsyncConnection, *, seq: int, at: datetime, state: str) -> None:
    """Keep this one and the one before."""
    await connection.execute(insert(snapshots), [{"seq": seq, "at": at, "state": state}])
    newest = select(func.max(snapshots.c.id)).scalar_subquery()
    await connection.execute(delete(snapshots).where(snapshots.c.id < newest - 1))
