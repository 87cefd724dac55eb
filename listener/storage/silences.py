"""Silences, which are never deleted, and how incidents stood when they came under one."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident, Level
from alerts.codec import load_incident
from alerts.silence import Silence, Stay, due
from listener.storage.database import insert, upsert
from listener.storage.tables import incidents, silences, stays


async def add(connection: AsyncConnection, silence: Silence) -> Silence:
    """Kept, with its number."""
    following = due(silence, "")
    statement = insert(silences).values(
        matchers=json.dumps({name: sorted(values) for name, values in silence.matchers.items()}, ensure_ascii=False),
        incident=silence.incident,
        level=int(silence.level),
        owner=silence.owner,
        reason=silence.reason,
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        created_at=silence.created_at,
        over_at=silence.over_at,
        ended_at=silence.ended_at,
        ended_by=silence.ended_by,
        told="",
        next_at=None if following is None else following[1],
    )
    number = (await connection.execute(statement.returning(silences.c.number))).scalar_one()
    return replace(silence, number=int(number))


async def end(connection: AsyncConnection, silence: Silence, *, by: str, now: datetime) -> Silence:
    """Ended before its time."""
    ended = replace(silence, ended_at=now, ended_by=by)
    told = (await connection.execute(select(silences.c.told).where(silences.c.number == silence.number))).scalar_one()
    following = due(ended, told)
    await connection.execute(
        update(silences)
        .where(silences.c.number == silence.number)
        .values(ended_at=now, ended_by=by, over_at=ended.over_at, next_at=following[1] if following else None)
    )
    return ended


async def follow(connection: AsyncConnection, gone: int, into: int, now: datetime) -> None:
    """Those for one incident by number go on for the one that it was merged into, unless they are over."""
    await connection.execute(
        update(silences).where(silences.c.incident == gone, silences.c.over_at > now).values(incident=into)
    )


async def get(connection: AsyncConnection, number: int) -> Silence | None:
    row = (await connection.execute(select(silences).where(silences.c.number == number))).one_or_none()
    return None if row is None else _silence(row)


async def active(connection: AsyncConnection, now: datetime) -> list[Silence]:
    """Those that hold now, in order of number."""
    return [one for one in await listed(connection, over_after=now) if one.active(now)]


async def listed(connection: AsyncConnection, *, over_after: datetime | None = None) -> list[Silence]:
    """All that there ever were, or those that are not over by then, in order of number."""
    query = select(silences).order_by(silences.c.number)
    if over_after is not None:
        query = query.where(silences.c.over_at > over_after)
    return [_silence(row) for row in await connection.execute(query)]


async def page(
    connection: AsyncConnection, *, over_after: datetime | None, before: int | None, most: int
) -> list[Silence]:
    """The newest first: of all that there ever were, or of those that are not over by then; older ones than *before*."""
    query = select(silences).order_by(silences.c.number.desc()).limit(most)
    if over_after is not None:
        query = query.where(silences.c.over_at > over_after)
    if before is not None:
        query = query.where(silences.c.number < before)
    return [_silence(row) for row in await connection.execute(query)]


_TO_TELL = (
    select(silences).where(silences.c.next_at <= bindparam("now")).order_by(silences.c.next_at, silences.c.number)
)
_NEXT_DUE = select(func.min(silences.c.next_at))


async def to_tell(connection: AsyncConnection, now: datetime) -> list[tuple[Silence, str]]:
    """Those of which a notice is due, with the last that was given."""
    return [(_silence(row), row.told) for row in await connection.execute(_TO_TELL, {"now": now})]


async def next_due(connection: AsyncConnection) -> datetime | None:
    found: datetime | None = (await connection.execute(_NEXT_DUE)).scalar_one()
    return found


async def mark_told(connection: AsyncConnection, silence: Silence, told: str) -> None:
    following = due(silence, told)
    await connection.execute(
        update(silences)
        .where(silences.c.number == silence.number)
        .values(told=told, next_at=None if following is None else following[1])
    )


_KEEP_STAY = upsert(stays, ["silence", "incident"], ("since", "level", "rule", "mentions", "seen", "broke"))


async def keep_stay(connection: AsyncConnection, incident: str, stay: Stay) -> None:
    values = {
        "silence": stay.silence.number,
        "incident": incident,
        "since": stay.since,
        "level": int(stay.level),
        "rule": stay.rule,
        "mentions": stay.mentions,
        "seen": stay.seen,
        "broke": stay.broke,
    }
    await connection.execute(_KEEP_STAY, [values])


_STAYS_OF = (
    select(*stays.c, *(column.label(f"of_{column.name}") for column in silences.c))
    .join(silences, silences.c.number == stays.c.silence)
    .where(stays.c.incident.in_(bindparam("incidents", expanding=True)))
    .order_by(stays.c.silence)
)


async def stays_of_each(connection: AsyncConnection, names: Collection[str]) -> dict[str, dict[int, Stay]]:
    """By incident and the silence's number."""
    found: dict[str, dict[int, Stay]] = {name: {} for name in names}
    for row in await connection.execute(_STAYS_OF, {"incidents": list(names)}):
        found[row.incident][row.silence] = _stay(row)
    return found


async def stayed(connection: AsyncConnection, silence: Silence) -> list[tuple[Incident, Stay]]:
    """The incidents that have been under it, as they are by now, and since when they were."""
    query = select(stays, incidents.c.facts).join(incidents, incidents.c.id == stays.c.incident)
    query = query.where(stays.c.silence == silence.number).order_by(stays.c.since, stays.c.incident)
    return [
        (
            load_incident(json.loads(row.facts)),
            Stay(silence, row.since, Level(row.level), row.rule, row.mentions, row.seen, row.broke),
        )
        for row in await connection.execute(query)
    ]


def _stay(row: Row[Any]) -> Stay:
    return Stay(_silence(row, "of_"), row.since, Level(row.level), row.rule, row.mentions, row.seen, row.broke)


def _silence(row: Row[Any], prefix: str = "") -> Silence:
    def of(name: str) -> Any:
        return getattr(row, prefix + name)

    return Silence(
        matchers={name: frozenset(values) for name, values in json.loads(of("matchers")).items()},
        incident=of("incident"),
        level=Level(of("level")),
        owner=of("owner"),
        reason=of("reason"),
        starts_at=of("starts_at"),
        ends_at=of("ends_at"),
        created_at=of("created_at"),
        number=of("number"),
        ended_at=of("ended_at"),
        ended_by=of("ended_by"),
    )
