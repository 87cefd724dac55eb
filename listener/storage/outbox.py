"""A notification is a row before it is a request: pending → leased → sent, or dead, or superseded.

Where a channel's rate lets too few pass, rows wait as ``digested`` for the row whose message tells them too, and share its
fate.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because, Incident, Level, NotificationKind, Receipt
from alerts.alive import Alive
from alerts.alive import dump as dump_alive
from alerts.alive import load as load_alive
from alerts.codec import dump_incident, load_incident
from alerts.notification import PassedOn
from listener.storage.database import insert
from listener.storage.tables import holds, incidents, outbox

LEASE = timedelta(seconds=60)
_WAITING = ("pending", "leased", "digested")
_SLOWEST = timedelta(hours=1)  # no request takes longer

Address = tuple[str, str]  # receiver, channel


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to one channel; ``incident`` is as it was when the message became due.

    ``previous``: the newest receipt of the incident's messages there that the channel gave an id; ``was``: the level of
    its last. ``digest``: the entries that go with it in one message, most urgent first; ``key`` is then theirs together.
    ``batch``: not empty where it waited for the end of quiet hours; those of one name go together.
    ``doubtful``: an earlier try may have arrived. ``passed_on``, ``alive``: as the notification's.
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
    digest: tuple["Entry", ...] = ()
    batch: str = ""
    note: Because | None = None
    doubtful: bool = False
    passed_on: PassedOn | None = None
    alive: Alive | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """What may be sent now. ``level``: the highest of what waits in its line; ``carries``: it is a digest already.

    ``batch``: as an entry's.
    """

    id: int
    address: Address
    level: Level
    carries: bool
    batch: str = ""


@dataclass(frozen=True, slots=True)
class New:
    key: str
    receiver: str
    channel: str
    kind: NotificationKind
    incident: Incident
    batch: str = ""
    note: Because | None = None
    passed_on: PassedOn | None = None
    source: int | None = None  # of what is passed on, the row that it repeats
    alive: Alive | None = None


_PUT = insert(outbox).on_conflict_do_nothing(index_elements=["key"])
_SUPERSEDE = (
    update(outbox)
    .where(
        outbox.c.incident == bindparam("of"),
        outbox.c.receiver == bindparam("to"),
        outbox.c.channel == bindparam("by"),
        outbox.c.state == "pending",
        outbox.c.attempts == 0,
        outbox.c.kind.in_(("update", "repeat")),
        outbox.c.key != bindparam("but"),
    )
    .values(state="superseded", done_at=bindparam("now"))
)


async def put(connection: AsyncConnection, new: New, *, now: datetime) -> None:
    """Once per key. An update that still waits on the same channel is superseded by the newer state."""
    values = {
        "key": new.key,
        "incident": new.incident.id,
        "receiver": new.receiver,
        "channel": new.channel,
        "kind": new.kind,
        "revision": new.incident.revision,
        "level": int(new.incident.level),
        "facts": _dump_facts(new),
        "source": new.source,
        "passed_on": "" if new.passed_on is None else _json(astuple(new.passed_on)),
        "created_at": now,
        "not_before": now,
        "attempts": 0,
        "state": "pending",
        "ref": "",
        "error": "",
        "batch": new.batch,
        "note": json.dumps([new.note.zh, new.note.en], ensure_ascii=False) if new.note else "",
    }
    if (await connection.execute(_PUT, [values])).rowcount:
        line = {"of": new.incident.id, "to": new.receiver, "by": new.channel, "but": new.key, "now": now}
        await connection.execute(_SUPERSEDE, line)


def _dump_facts(new: New) -> str:
    alive = {} if new.alive is None else {"alive": dump_alive(new.alive)}
    return _json({**dump_incident(new.incident), **alive})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def facts(connection: AsyncConnection, entry_id: int) -> Incident:
    """The incident as a row tells it."""
    query = select(outbox.c.facts).where(outbox.c.id == entry_id)
    return load_incident(json.loads((await connection.execute(query)).scalar_one()))


async def release(connection: AsyncConnection) -> None:
    """At start and at the end: nobody else holds a lease, so what a killed or cancelled send left is pending again.

    Whether it arrived nobody knows.
    """
    left = update(outbox).where(outbox.c.state == "leased")
    await connection.execute(left.values(state="pending", lease_until=None, doubtful=True))


def _ready(*where: ColumnElement[bool]) -> Select[tuple[int, str, str, int, str, bool]]:
    """The first in line of each incident on its channel, past every wait at ``now``.

    A row is as urgent as what waits behind it: a red update must not wait for the yellow beginning of its incident.
    """
    line = (outbox.c.incident, outbox.c.receiver, outbox.c.channel)
    waiting = (
        select(
            outbox.c.id,
            outbox.c.receiver,
            outbox.c.channel,
            outbox.c.state,
            outbox.c.not_before,
            outbox.c.batch,
            func.max(outbox.c.level).over(partition_by=line).label("level"),
            func.min(outbox.c.id).over(partition_by=line).label("first"),
        )
        .where(outbox.c.state.in_(_WAITING), *where)
        .subquery()
    )
    now: BindParameter[datetime] = bindparam("now")
    held = exists().where(
        holds.c.receiver == waiting.c.receiver, holds.c.channel == waiting.c.channel, holds.c.until > now
    )
    carriers = select(outbox.c.digest).where(outbox.c.state == "digested")
    return select(
        waiting.c.id,
        waiting.c.receiver,
        waiting.c.channel,
        waiting.c.level,
        waiting.c.batch,
        waiting.c.id.in_(carriers).label("carries"),
    ).where(waiting.c.state == "pending", waiting.c.not_before <= now, waiting.c.id == waiting.c.first, ~held)


def _first_ready() -> Select[tuple[object, ...]]:
    every = _ready().subquery()
    order = func.row_number().over(
        partition_by=(every.c.receiver, every.c.channel), order_by=(every.c.level.desc(), every.c.id)
    )
    placed = select(every, order.label("place")).subquery()
    return select(placed).where(placed.c.place <= bindparam("most")).order_by(placed.c.level.desc(), placed.c.id)


_READY = _first_ready()


async def ready(connection: AsyncConnection, now: datetime, *, most: int = 1) -> list[Ready]:
    """For each channel those to send next, *most* of them: the most urgent, then the oldest. The most urgent first."""
    return [_as_ready(row) for row in await connection.execute(_READY, {"now": now, "most": most})]


async def queue(connection: AsyncConnection, now: datetime, addresses: Collection[Address]) -> list[Ready]:
    """All that may be sent to these channels now, in the order in which it would go."""
    every = _ready(_of(addresses)).subquery()
    query = select(every).order_by(every.c.level.desc(), every.c.id)
    return [_as_ready(row) for row in await connection.execute(query, {"now": now})]


def _as_ready(row: Row[tuple[object, ...]]) -> Ready:
    return Ready(row.id, (row.receiver, row.channel), Level(row.level), bool(row.carries), row.batch)


def _of(addresses: Collection[Address]) -> ColumnElement[bool]:
    return tuple_(outbox.c.receiver, outbox.c.channel).in_(list(addresses))


async def requests(connection: AsyncConnection, addresses: Collection[Address], *, since: datetime) -> list[datetime]:
    """When requests were made to these channels, of those after *since*: when each ended, else when it began.

    Of a row that was tried more than once, the newest: what was refused before was followed by a wait.
    """
    at = case(
        (outbox.c.state.in_(("sent", "dead")), func.coalesce(outbox.c.done_at, outbox.c.tried_at)),
        else_=outbox.c.tried_at,
    )
    query = select(at.label("at")).where(
        outbox.c.tried_at > since - _SLOWEST, outbox.c.digest.is_(None), _of(addresses), at > since
    )
    return [row.at for row in await connection.execute(query)]


_NEXT_READY = select(
    select(func.min(outbox.c.not_before))
    .where(outbox.c.state == "pending", outbox.c.not_before > bindparam("now"))
    .scalar_subquery(),
    select(func.min(holds.c.until)).where(holds.c.until > bindparam("now")).scalar_subquery(),
)


async def next_ready(connection: AsyncConnection, now: datetime) -> datetime | None:
    """The next time after *now* at which a wait ends."""
    times = (await connection.execute(_NEXT_READY, {"now": now})).one()
    return min((time for time in times if time is not None), default=None)


_LEASE = (
    update(outbox)
    .where(outbox.c.id == bindparam("entry"), outbox.c.state == "pending")
    .values(state="leased", lease_until=bindparam("until"), tried_at=bindparam("now"), attempts=outbox.c.attempts + 1)
    .returning(*outbox.c)
)


async def lease(
    connection: AsyncConnection, entry_id: int, now: datetime, *, also: Iterable[int] = (), carries: bool = True
) -> Entry | None:
    """Take a row for sending; the attempt counts from here, so that a crash in the middle is seen.

    None: it waits no more. ``also``: rows that its message tells too, from now on for good: their fate is its own.
    ``carries``: there may be such from an earlier try.
    """
    times = {"entry": entry_id, "until": now + LEASE, "now": now}
    row = (await connection.execute(_LEASE, times)).one_or_none()
    if row is None:
        return None
    others = list(also)
    if others:
        await connection.execute(
            update(outbox).where(outbox.c.id.in_(others)).values(state="digested", digest=entry_id)
        )
    entry = await _entry(connection, row)
    if not others and not carries:
        return entry
    told_too = select(outbox).where(outbox.c.digest == entry_id, outbox.c.state == "digested")
    parts = (await connection.execute(told_too.order_by(outbox.c.level.desc(), outbox.c.id))).all()
    if not parts:
        return entry
    digest = (entry, *[await _entry(connection, part) for part in parts])
    # A channel that knows the head's key has it as a message of its own, and would drop this one.
    key = hashlib.sha256("\0".join(part.key for part in digest).encode()).hexdigest()[:32]
    return replace(entry, key=key, digest=digest)


_LAST_SENT = (
    select(outbox.c.ref, outbox.c.done_at, outbox.c.level)
    .where(
        outbox.c.incident == bindparam("of"),
        outbox.c.receiver == bindparam("to"),
        outbox.c.channel == bindparam("by"),
        outbox.c.state == "sent",
    )
    .order_by(outbox.c.id.desc())
    .limit(literal(1))
)
_LAST_WITH_REF = _LAST_SENT.where(outbox.c.ref != "")


async def _entry(connection: AsyncConnection, row: Row[tuple[object, ...]]) -> Entry:
    facts = json.loads(row.facts)
    passed = json.loads(row.passed_on) if row.passed_on else None
    line = {"of": row.incident, "to": row.receiver, "by": row.channel}
    previous = last = (await connection.execute(_LAST_SENT, line)).one_or_none()
    if last is not None and not last.ref:
        previous = (await connection.execute(_LAST_WITH_REF, line)).one_or_none()
    return Entry(
        id=row.id,
        key=row.key,
        receiver=row.receiver,
        channel=row.channel,
        kind=row.kind,
        revision=row.revision,
        incident=load_incident(facts),
        created_at=row.created_at,
        attempts=row.attempts,
        previous=Receipt(ref=previous.ref, at=previous.done_at) if previous else None,
        was=Level(last.level) if last else None,
        batch=row.batch,
        note=_note(row.note),
        doubtful=row.doubtful,
        passed_on=PassedOn(passed[0], tuple(passed[1]), passed[2]) if passed else None,
        alive=load_alive(facts["alive"]) if "alive" in facts else None,
    )


def _note(text: str) -> Because | None:
    return Because(*json.loads(text)) if text else None


_MARK_SENT = (
    update(outbox)
    .where(outbox.c.id == bindparam("entry"))
    .values(state="sent", lease_until=None, done_at=bindparam("at"), ref=bindparam("receipt"), error="")
)


async def mark_sent(connection: AsyncConnection, entry_id: int, receipt: Receipt, *, digest: bool = False) -> None:
    """A digest's receipt is nobody's: no incident's message can be changed by changing it."""
    if digest:
        told_too = update(outbox).where(outbox.c.digest == entry_id, outbox.c.state == "digested")
        await connection.execute(told_too.values(state="sent", done_at=receipt.at, error=""))
    ref = "" if digest else receipt.ref
    await connection.execute(_MARK_SENT, {"entry": entry_id, "at": receipt.at, "receipt": ref})


async def mark_failed(
    connection: AsyncConnection, entry_id: int, *, error: str, retry_at: datetime, doubtful: bool = False
) -> None:
    """``doubtful``: it may have arrived; once so, always so."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == entry_id)
        .values(
            state="pending",
            lease_until=None,
            not_before=retry_at,
            error=error,
            doubtful=or_(outbox.c.doubtful, literal(doubtful)),
        )
    )


async def mark_dead(connection: AsyncConnection, entry_id: int, *, error: str, now: datetime) -> None:
    told_too = and_(outbox.c.digest == entry_id, outbox.c.state == "digested")
    await connection.execute(
        update(outbox)
        .where(or_(outbox.c.id == entry_id, told_too))
        .values(state="dead", lease_until=None, done_at=now, error=error)
    )


async def give_up_on_unknown(
    connection: AsyncConnection, channels: frozenset[tuple[str, str]], *, now: datetime
) -> list[tuple[str, str]]:
    """Rows of channels that the configuration no longer has: dead, and named so that it is told."""
    query = select(outbox.c.receiver, outbox.c.channel).where(outbox.c.state == "pending").distinct()
    gone = [(row.receiver, row.channel) for row in await connection.execute(query)]
    gone = [pair for pair in gone if pair not in channels]
    for receiver, channel in gone:
        waiting = outbox.c.state.in_(("pending", "digested"))
        where = and_(outbox.c.receiver == receiver, outbox.c.channel == channel, waiting)
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
        under_way = row.state in {"leased", "digested"} or (row.state == "pending" and row.attempts > 0)
        if over or under_way:
            last[row.incident] = None
        elif row.state == "sent":
            last[row.incident] = row.id
    found = select(outbox).where(outbox.c.id.in_([one for one in last.values() if one is not None]))
    return [
        New(row.key, row.receiver, row.channel, row.kind, load_incident(json.loads(row.facts)), note=_note(row.note))
        for row in await connection.execute(found.order_by(outbox.c.id))
    ]


_HEALTH = select(
    func.count(),
    func.min(outbox.c.created_at),
    select(func.count())
    .select_from(_DEAD := outbox.alias("dead"))
    .where(_DEAD.c.state == "dead", _DEAD.c.done_at > bindparam("since"))
    .scalar_subquery(),
).where(outbox.c.state.in_(_WAITING))


async def health(connection: AsyncConnection, *, now: datetime) -> tuple[int, datetime | None, int]:
    """How many wait, since when the oldest does, how many were given up in the last 24 h."""
    pending, oldest, dead = (await connection.execute(_HEALTH, {"since": now - timedelta(days=1)})).one()
    return pending, oldest, dead


async def first_sent(connection: AsyncConnection, incident: str, *, since: datetime) -> datetime | None:
    """When a channel first took a message of an incident since a time."""
    sent = (outbox.c.incident == incident, outbox.c.state == "sent", outbox.c.done_at >= since)
    found: datetime | None = (await connection.execute(select(func.min(outbox.c.done_at)).where(*sent))).scalar_one()
    return found
