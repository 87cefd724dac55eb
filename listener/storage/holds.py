"""Channels that are left alone for a time: they asked for it, or they keep failing."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.retry import FAILURES, is_down
from listener.storage.database import insert
from listener.storage.outbox import Address
from listener.storage.tables import holds, outbox


async def hold(connection: AsyncConnection, addresses: Collection[Address], until: datetime, *, now: datetime) -> None:
    """Nothing goes there before that."""
    statement = insert(holds)
    longest = func.max(holds.c.until, statement.excluded.until)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["receiver", "channel"], set_={"until": longest, "at": now}),
        [{"receiver": receiver, "channel": channel, "until": until, "at": now} for receiver, channel in addresses],
    )


async def failed(connection: AsyncConnection, addresses: Collection[Address], *, now: datetime) -> int:
    """Count a failure of the one account behind these channels; how many in a row it is."""
    statement = insert(holds)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["receiver", "channel"], set_={"failures": holds.c.failures + 1}
        ),
        [
            {"receiver": receiver, "channel": channel, "until": now, "at": now, "failures": 1}
            for receiver, channel in addresses
        ],
    )
    return await _failures(connection, addresses)


async def recovered(connection: AsyncConnection, addresses: Collection[Address], *, now: datetime) -> int:
    """The account took a message: how many failures in a row that ended.

    Where it was down, what waits there is due now; what it asked for by Retry-After is kept.
    """
    before = await _failures(connection, addresses)
    if before:
        here = tuple_(holds.c.receiver, holds.c.channel).in_(list(addresses))
        await connection.execute(update(holds).where(here).values(failures=0))
    if is_down(before):
        there = tuple_(outbox.c.receiver, outbox.c.channel).in_(list(addresses))
        waiting = update(outbox).where(outbox.c.state == "pending", outbox.c.not_before > now, there)
        await connection.execute(waiting.values(not_before=now))
    return before


_FAILURES = select(func.max(holds.c.failures)).where(
    tuple_(holds.c.receiver, holds.c.channel).in_(bindparam("addresses", expanding=True))
)


async def _failures(connection: AsyncConnection, addresses: Collection[Address]) -> int:
    return (await connection.execute(_FAILURES, {"addresses": list(addresses)})).scalar_one() or 0


_DOWN = select(holds.c.receiver, holds.c.channel).where(holds.c.failures >= FAILURES)


async def down(connection: AsyncConnection) -> frozenset[Address]:
    """The channels whose circuit breaker is open."""
    return frozenset((row.receiver, row.channel) for row in await connection.execute(_DOWN))


async def set_clock(connection: AsyncConnection, now: datetime) -> None:
    """At start: what was noted later than *now* was noted by a clock that ran ahead; its waits begin again now."""
    for row in (await connection.execute(select(holds).where(holds.c.at > now))).all():
        here = (holds.c.receiver == row.receiver, holds.c.channel == row.channel)
        await connection.execute(update(holds).where(*here).values(at=now, until=now + (row.until - row.at)))
    noted = func.coalesce(outbox.c.tried_at, outbox.c.created_at)
    ahead = update(outbox).where(outbox.c.state == "pending", outbox.c.not_before > now, noted > now)
    await connection.execute(ahead.values(not_before=now))
