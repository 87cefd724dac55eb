"""Chains under way, a row per incident, wave and chain; and the marks of what is said once."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.escalation import Run
from listener.storage.database import insert, upsert
from listener.storage.tables import escalations, incidents, said

LEASE = timedelta(seconds=60)
_MICROSECOND = timedelta(microseconds=1)


_RUNS_OF = (
    select(escalations)
    .where(escalations.c.incident.in_(bindparam("incidents", expanding=True)))
    .order_by(escalations.c.wave, escalations.c.chain)
)


async def runs_of_each(connection: AsyncConnection, incidents: Collection[str]) -> dict[str, list[Run]]:
    """By incident."""
    found: dict[str, list[Run]] = {name: [] for name in incidents}
    for row in await connection.execute(_RUNS_OF, {"incidents": list(incidents)}):
        found[row.incident].append(_run(row))
    return found


async def runs_of(connection: AsyncConnection, incident: str) -> list[Run]:
    return (await runs_of_each(connection, [incident]))[incident]


async def of_open(connection: AsyncConnection) -> list[Run]:
    """Those of open incidents, and those that have not ended."""
    is_open = select(incidents.c.id).where(incidents.c.open)
    query = select(escalations).where(or_(escalations.c.state != "ended", escalations.c.incident.in_(is_open)))
    return [_run(row) for row in await connection.execute(query)]


_KEEP = upsert(
    escalations,
    ["incident", "wave", "chain"],
    ("step", "round", "state", "due_at", "left", "lease_until", "reason", "notified"),
)


async def keep(connection: AsyncConnection, run: Run) -> None:
    """The run as it is by now; nobody has a lease on it any more."""
    values = {
        "incident": run.incident,
        "wave": run.wave,
        "chain": run.chain,
        "step": run.step,
        "round": run.round,
        "state": run.state,
        "due_at": run.due_at,
        "left": run.left // _MICROSECOND,
        "lease_until": None,
        "reason": run.reason,
        "notified": json.dumps(run.notified, ensure_ascii=False),
    }
    await connection.execute(_KEEP, [values])


async def lease(connection: AsyncConnection, now: datetime) -> list[Run]:
    """Take all that is due and that nobody else has, oldest first."""
    free = or_(escalations.c.lease_until.is_(None), escalations.c.lease_until <= now)
    due = and_(escalations.c.state == "waiting", escalations.c.due_at <= now, free)
    found = [
        _run(row) for row in await connection.execute(select(escalations).where(due).order_by(escalations.c.due_at))
    ]
    if found:
        await connection.execute(update(escalations).where(due).values(lease_until=now + LEASE))
    return found


async def leased(connection: AsyncConnection, run: Run) -> Run | None:
    """The run as it is by now; None where it is no longer waiting with its lease, because something came between."""
    query = select(escalations).where(
        _is(run), escalations.c.state == "waiting", escalations.c.lease_until.is_not(None)
    )
    row = (await connection.execute(query)).one_or_none()
    return _run(row) if row else None


async def release(connection: AsyncConnection, *, before: datetime | None = None) -> int:
    """Give back leases, at start all: nobody else has one. *before*: only of what was due before then; how many."""
    where: list[ColumnElement[bool]] = [escalations.c.lease_until.is_not(None)]
    if before is not None:
        where += [escalations.c.state == "waiting", escalations.c.due_at < before]
    result = await connection.execute(update(escalations).where(*where).values(lease_until=None))
    return int(result.rowcount)


async def next_due(connection: AsyncConnection, now: datetime) -> datetime | None:
    """When the next step may be taken, *now* at the earliest."""
    free_at = func.max(escalations.c.due_at, func.coalesce(escalations.c.lease_until, escalations.c.due_at))
    first = (
        await connection.execute(select(func.min(free_at)).where(escalations.c.state == "waiting"))
    ).scalar_one_or_none()
    return None if first is None else max(now, first)


def _is(run: Run) -> ColumnElement[bool]:
    return and_(
        escalations.c.incident == run.incident, escalations.c.wave == run.wave, escalations.c.chain == run.chain
    )


def _run(row: Row[Any]) -> Run:
    return Run(
        incident=row.incident,
        wave=row.wave,
        chain=row.chain,
        step=row.step,
        round=row.round,
        state=row.state,
        due_at=row.due_at,
        left=row.left * _MICROSECOND,
        reason=row.reason,
        notified=tuple(json.loads(row.notified)),
    )


_SAID_OF = select(said).where(said.c.incident.in_(bindparam("incidents", expanding=True)))


async def said_of_each(connection: AsyncConnection, incidents: Collection[str]) -> dict[str, dict[str, datetime]]:
    """By incident and mark, when it was said."""
    found: dict[str, dict[str, datetime]] = {name: {} for name in incidents}
    for row in await connection.execute(_SAID_OF, {"incidents": list(incidents)}):
        found[row.incident][row.mark] = row.at
    return found


async def say(connection: AsyncConnection, incident: str, marks: Iterable[str], *, at: datetime) -> None:
    statement = insert(said)
    rows = [{"incident": incident, "mark": mark, "at": at} for mark in marks]
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["incident", "mark"]), rows)
