"""Commands and what came of them, and the verdicts that people gave."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because
from alerts.command import Command, Outcome
from alerts.verdict import Judgement
from listener.storage.database import batched, insert
from listener.storage.tables import alert_events, commands, verdicts
from listener.web.acting import AuditEntry

_AT_ONCE = 400


async def put(connection: AsyncConnection, command: Command, *, request: str = "") -> int:
    """Let it wait for whoever owns the database; its number. *request*: what makes a retry the same command."""
    statement = insert(commands).values(
        kind=command.kind,
        subject=command.subject,
        payload=json.dumps(dict(command.payload), ensure_ascii=False),
        actor=command.actor,
        origin=command.origin,
        at=command.at,
        expected_revision=command.expected_revision,
        state="waiting",
        outcome="",
        incident="",
        request=request or None,
    )
    return int((await connection.execute(statement.returning(commands.c.id))).scalar_one())


async def asked_before(connection: AsyncConnection, key: str, *, since: datetime) -> tuple[int, Command] | None:
    """The newest command that came with this key since a time."""
    query = (
        select(commands)
        .where(commands.c.request == key, commands.c.at >= since)
        .order_by(commands.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return (row.id, _command(row)) if row else None


async def waiting(connection: AsyncConnection, *, most: int = 100) -> list[tuple[int, Command]]:
    """Those that nobody has applied, in the order in which they came."""
    query = select(commands).where(commands.c.state == "waiting").order_by(commands.c.id).limit(most)
    return [(row.id, _command(row)) for row in await connection.execute(query)]


def _command(row: Row[Any]) -> Command:
    return Command(row.kind, row.subject, row.actor, row.origin, row.at, json.loads(row.payload), row.expected_revision)


async def finish(connection: AsyncConnection, number: int, outcome: Outcome, *, at: datetime) -> None:
    told = json.dumps([outcome.because.zh, outcome.because.en, outcome.reason], ensure_ascii=False)
    state = "done" if outcome.done else "refused"
    await connection.execute(
        update(commands)
        .where(commands.c.id == number)
        .values(state=state, outcome=told, done_at=at, incident=outcome.incident)
    )


async def outcome(connection: AsyncConnection, number: int) -> Outcome | None:
    """What came of a command; None while it waits."""
    query = select(commands).where(commands.c.id == number)
    return _outcome((await connection.execute(query)).one())


def _outcome(row: Row[Any]) -> Outcome | None:
    if row.state == "waiting":
        return None
    zh, en, reason = json.loads(row.outcome)
    return Outcome(row.state == "done", Because(zh, en), reason, row.incident)


async def log(
    connection: AsyncConnection, *, incident: str | None = None, before: int | None = None, most: int = 100
) -> list[AuditEntry]:
    """The audit log, newest first: of everything, or of one incident; *before*: only older ones than this number."""
    query = select(commands).order_by(commands.c.id.desc()).limit(most)
    if incident is not None:
        query = query.where(commands.c.incident == incident)
    if before is not None:
        query = query.where(commands.c.id < before)
    return [AuditEntry(row.id, _command(row), _outcome(row), row.done_at) for row in await connection.execute(query)]


async def judge(connection: AsyncConnection, judgement: Judgement) -> None:
    statement = insert(verdicts).values(
        incident=judgement.incident,
        alert=judgement.alert,
        verdict=judgement.verdict,
        by=judgement.by,
        at=judgement.at,
        note=judgement.note,
    )
    await connection.execute(statement)


async def judgements(connection: AsyncConnection, *, incidents: Sequence[str] | None = None) -> list[Judgement]:
    """All that were given, or those on some incidents and their alerts, in the order in which they were."""
    found = []
    if incidents is None:
        found = list(await connection.execute(select(verdicts).order_by(verdicts.c.id)))
    else:
        for some in batched(incidents, _AT_ONCE):
            query = select(verdicts).where(verdicts.c.incident.in_(some)).order_by(verdicts.c.id)
            found += list(await connection.execute(query))
    return [Judgement(row.incident, row.alert, row.verdict, row.by, row.at, row.note) for row in found]


async def home_of(connection: AsyncConnection, alert: str) -> tuple[str, str] | None:
    """The incident that an alert belongs to (empty: its rule is on trial) and its kind; None: there is no such alert."""
    query = select(alert_events.c.incident, alert_events.c.kind).where(alert_events.c.alert == alert).limit(1)
    row = (await connection.execute(query)).first()
    return (row.incident, row.kind) if row else None
