"""A notification is a row before it is a request: pending → leased → sent, or dead, or superseded."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident, Level, NotificationKind, Receipt
from alerts.codec import dump_incident, load_incident
from listener.storage.database import insert
from listener.storage.tables import holds, incidents, outbox

LEASE = timedelta(seconds=60)
_WAITING = ("pending", "leased")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to one channel; ``incident`` is as it was when the message became due.

    ``previous``: the receipt of the incident's first message there; ``was``: the level of its last.
    """

    id: int
    key: str
    receiver: str
    channel: str
    kind: NotificationKind
    revision: int
    incident: Incident
    created_at: datetime
    attempts: int
    previous: Receipt | None
    was: Level | None


@dataclass(frozen=True, slots=True)
class New:
    key: str
    receiver: str
    channel: str
    kind: NotificationKind
    incident: Incident


async def put(connection: AsyncConnection, new: New, *, now: datetime) -> None:
    """Once per key. An update that still waits on the same channel is superseded by the newer state."""
    stale = and_(
        outbox.c.incident == new.incident.id,
        outbox.c.receiver == new.receiver,
        outbox.c.channel == new.channel,
        outbox.c.state == "pending",
        outbox.c.attempts == 0,
        outbox.c.kind.in_(("update", "repeat")),
    )
    await connection.execute(update(outbox).where(stale).values(state="superseded", done_at=now))
    values = {
        "key": new.key,
        "incident": new.incident.id,
        "receiver": new.receiver,
        "channel": new.channel,
        "kind": new.kind,
        "revision": new.incident.revision,
        "level": int(new.incident.level),
        "facts": json.dumps(dump_incident(new.incident), ensure_ascii=False, separators=(",", ":")),
        "created_at": now,
        "not_before": now,
        "attempts": 0,
        "state": "pending",
        "ref": "",
        "error": "",
    }
    await connection.execute(insert(outbox).on_conflict_do_nothing(index_elements=["key"]), [values])


async def release(connection: AsyncConnection) -> None:
    """At start: nobody else holds a lease, so what a killed sender left is pending again."""
    await connection.execute(update(outbox).where(outbox.c.state == "leased").values(state="pending", lease_until=None))


async def ready(connection: AsyncConnection, now: datetime, *, limit: int = 50) -> list[tuple[int, str, str]]:
    """Id, receiver and channel of what may be sent now: the first in line of its incident on its channel, past every wait.

    Highest level first, then oldest.
    """
    earlier = outbox.alias()
    in_line = exists().where(
        earlier.c.incident == outbox.c.incident,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.channel == outbox.c.channel,
        earlier.c.state.in_(_WAITING),
        earlier.c.id < outbox.c.id,
    )
    held = exists().where(
        holds.c.receiver == outbox.c.receiver, holds.c.channel == outbox.c.channel, holds.c.until > now
    )
    query = (
        select(outbox.c.id, outbox.c.receiver, outbox.c.channel)
        .where(outbox.c.state == "pending", outbox.c.not_before <= now, ~in_line, ~held)
        .order_by(outbox.c.level.desc(), outbox.c.id)
        .limit(limit)
    )
    return [(row.id, row.receiver, row.channel) for row in await connection.execute(query)]


async def next_ready(connection: AsyncConnection, now: datetime) -> datetime | None:
    """The next time after *now* at which a wait ends."""
    waits = select(func.min(outbox.c.not_before)).where(outbox.c.state == "pending", outbox.c.not_before > now)
    ends = select(func.min(holds.c.until)).where(holds.c.until > now)
    times = [(await connection.execute(query)).scalar_one_or_none() for query in (waits, ends)]
    return min((time for time in times if time is not None), default=None)


async def lease(connection: AsyncConnection, entry_id: int, now: datetime) -> Entry:
    """Take a row for sending; the attempt counts from here, so that a crash in the middle is seen."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == entry_id)
        .values(state="leased", lease_until=now + LEASE, attempts=outbox.c.attempts + 1)
    )
    row = (await connection.execute(select(outbox).where(outbox.c.id == entry_id))).one()
    sent = (
        select(outbox.c.ref, outbox.c.done_at, outbox.c.level)
        .where(
            outbox.c.incident == row.incident,
            outbox.c.receiver == row.receiver,
            outbox.c.channel == row.channel,
            outbox.c.state == "sent",
        )
        .limit(1)
    )
    previous = (await connection.execute(sent.order_by(outbox.c.id))).one_or_none()
    last = (await connection.execute(sent.order_by(outbox.c.id.desc()))).one_or_none()
    return Entry(
        id=row.id,
        key=row.key,
        receiver=row.receiver,
        channel=row.channel,
        kind=row.kind,
        revision=row.revision,
        incident=load_incident(json.loads(row.facts)),
        created_at=row.created_at,
        attempts=row.attempts,
        previous=Receipt(ref=previous.ref, at=previous.done_at) if previous else None,
        was=Level(last.level) if last else None,
    )


async def mark_sent(connection: AsyncConnection, entry_id: int, receipt: Receipt) -> None:
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == entry_id)
        .values(state="sent", lease_until=None, done_at=receipt.at, ref=receipt.ref, error="")
    )


async def mark_failed(connection: AsyncConnection, entry_id: int, *, error: str, retry_at: datetime) -> None:
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == entry_id)
        .values(state="pending", lease_until=None, not_before=retry_at, error=error)
    )


async def mark_dead(connection: AsyncConnection, entry_id: int, *, error: str, now: datetime) -> None:
    await connection.execute(
        update(outbox).where(outbox.c.id == entry_id).values(state="dead", lease_until=None, done_at=now, error=error)
    )


async def hold(connection: AsyncConnection, receiver: str, channel: str, until: datetime) -> None:
    """The channel asked for quiet: nothing goes there before that."""
    statement = insert(holds)
    longest = func.max(holds.c.until, statement.excluded.until)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["receiver", "channel"], set_={"until": longest}),
        [{"receiver": receiver, "channel": channel, "until": until}],
    )


async def give_up_on_unknown(
    connection: AsyncConnection, channels: frozenset[tuple[str, str]], *, now: datetime
) -> list[tuple[str, str]]:
    """Rows of channels that the configuration no longer has: dead, and named so that it is told."""
    query = select(outbox.c.receiver, outbox.c.channel).where(outbox.c.state == "pending").distinct()
    gone = [(row.receiver, row.channel) for row in await connection.execute(query)]
    gone = [pair for pair in gone if pair not in channels]
    for receiver, channel in gone:
        where = and_(outbox.c.receiver == receiver, outbox.c.channel == channel, outbox.c.state == "pending")
        await connection.execute(
            update(outbox).where(where).values(state="dead", done_at=now, error="the channel left the configuration")
        )
    return gone


async def standing(connection: AsyncConnection, receiver: str, channel: str) -> list[New]:
    """What a channel was last told of each incident that is open, and was not told the end of.

    An incident of which something is under way there, or may have arrived, is left out: its next word is on its way.
    """
    is_open = select(incidents.c.id).where(incidents.c.open)
    here = and_(outbox.c.receiver == receiver, outbox.c.channel == channel, outbox.c.incident.in_(is_open))
    columns = (outbox.c.id, outbox.c.incident, outbox.c.kind, outbox.c.state, outbox.c.attempts)
    last: dict[str, int | None] = {}
    for row in await connection.execute(select(*columns).where(here).order_by(outbox.c.id)):
        over = row.kind == "resolve" and row.state in {"sent", "dead"}
        under_way = row.state == "leased" or (row.state == "pending" and row.attempts > 0)
        if over or under_way:
            last[row.incident] = None
        elif row.state == "sent":
            last[row.incident] = row.id
    found = select(outbox).where(outbox.c.id.in_([one for one in last.values() if one is not None]))
    return [
        New(row.key, row.receiver, row.channel, row.kind, load_incident(json.loads(row.facts)))
        for row in await connection.execute(found.order_by(outbox.c.id))
    ]


async def health(connection: AsyncConnection, *, now: datetime) -> tuple[int, datetime | None, int]:
    """How many wait, since when the oldest does, how many were given up in the last 24 h."""
    waiting = select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.state.in_(_WAITING))
    pending, oldest = (await connection.execute(waiting)).one()
    day = select(func.count()).where(outbox.c.state == "dead", outbox.c.done_at > now - timedelta(days=1))
    return pending, oldest, (await connection.execute(day)).scalar_one()
