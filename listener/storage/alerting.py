"""Transactions 2 and 3: alert events and incidents; what each receiver was told; when to look again."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import AlertEvent, Incident, Level
from alerts.codec import dump_event, dump_incident, load_event, load_incident
from alerts.flush import Told
from alerts.hold import Held
from listener.storage.database import insert
from listener.storage.tables import alert_events, incidents, told
from listener.web.acting import Place, Wanted

_AT_ONCE = 200
_LOOKED_AT = 2_000


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def has(connection: AsyncConnection, event: AlertEvent) -> bool:
    """Whether this event was kept before: a restart evaluates again what came after its snapshot."""
    query = select(alert_events.c.id).where(
        alert_events.c.alert == event.alert, alert_events.c.revision == event.revision
    )
    return (await connection.execute(query)).first() is not None


async def keep_event(connection: AsyncConnection, event: AlertEvent) -> None:
    """An event alone: all there is of one of a rule on trial."""
    await connection.execute(
        insert(alert_events),
        [
            {
                "alert": event.alert,
                "revision": event.revision,
                "at": event.at,
                "incident": event.incident,
                "kind": event.kind,
                "event": _text(dump_event(event)),
                "shadow": event.shadow,
            }
        ],
    )


async def keep(connection: AsyncConnection, incident: Incident, *, now: datetime) -> Incident:
    """The incident as it is by now, with its number; the flush looks at it at once."""
    stored = (await connection.execute(select(incidents.c.number).where(incidents.c.id == incident.id))).first()
    if stored is None or not incident.number:
        # One that was given out in a transaction that failed may be another's by now.
        highest = (await connection.execute(select(func.max(incidents.c.number)))).scalar_one_or_none()
        incident = replace(incident, number=stored.number if stored and stored.number else (highest or 0) + 1)
    statement = insert(incidents)
    changing = ("open", "firing", "level", "updated_at", "facts", "next_flush")
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in changing}
        ),
        [
            {
                "id": incident.id,
                "kind": incident.kind,
                "number": incident.number,
                "open": incident.open,
                "firing": incident.firing,
                "level": int(incident.level),
                "opened_at": incident.opened_at,
                "updated_at": incident.updated_at,
                "facts": _text(dump_incident(incident)),
                "next_flush": now,
            }
        ],
    )
    return incident


async def living(connection: AsyncConnection, *, since: datetime) -> list[Incident]:
    """Incidents of which something fires and those that changed since, oldest first: what the fold needs to go on."""
    query = select(incidents.c.facts).where(or_(incidents.c.firing, incidents.c.updated_at >= since))
    rows = await connection.execute(query.order_by(incidents.c.opened_at, incidents.c.id))
    return [load_incident(json.loads(row.facts)) for row in rows]


async def newest_at(connection: AsyncConnection) -> datetime | None:
    """When the newest event of a topic's alert was; they are kept in the order of their times."""
    query = select(alert_events.c.at).where(alert_events.c.kind == "topic").order_by(alert_events.c.id.desc())
    row = (await connection.execute(query.limit(1))).first()
    return row.at if row else None


async def due(connection: AsyncConnection, now: datetime, *, most: int) -> list[Incident]:
    """Incidents at which the flush must look, the highest level first, then what has waited longest."""
    query = select(incidents.c.facts).where(incidents.c.next_flush <= now)
    query = query.order_by(incidents.c.level.desc(), incidents.c.next_flush).limit(most)
    return [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]


async def next_due(connection: AsyncConnection) -> datetime | None:
    query = select(incidents.c.next_flush).where(incidents.c.next_flush.is_not(None))
    row = (await connection.execute(query.order_by(incidents.c.next_flush).limit(1))).first()
    return row.next_flush if row else None


async def settled(connection: AsyncConnection, also: Collection[str], now: datetime) -> list[Incident]:
    """Incidents that are open, or among *also*, and at which the flush has looked since they changed."""
    wanted = or_(incidents.c.open, incidents.c.id.in_(list(also)))
    query = select(incidents.c.facts).where(wanted, or_(incidents.c.next_flush.is_(None), incidents.c.next_flush > now))
    return [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]


async def open_now(connection: AsyncConnection) -> list[Incident]:
    """Oldest first."""
    query = select(incidents.c.facts).where(incidents.c.open).order_by(incidents.c.opened_at, incidents.c.id)
    return [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]


async def look_again(connection: AsyncConnection, incident: str, at: datetime | None) -> None:
    await connection.execute(update(incidents).where(incidents.c.id == incident).values(next_flush=at))


async def look_at_open(connection: AsyncConnection, now: datetime) -> None:
    """After a start or a change of routes: every incident that is open, or has an end to be told, is looked at.

    Whatever the clock said when their waits were written, none is waited for longer than it is.
    """
    waiting = or_(incidents.c.open, incidents.c.next_flush.is_not(None))
    await connection.execute(update(incidents).where(waiting).values(next_flush=now))


@dataclass(frozen=True, slots=True)
class ToldRow:
    """Since when an incident has been a receiver's business, what it was told last, and why it is not told now."""

    first_at: datetime
    state: Told | None = None
    held: Held | None = None


async def told_of(connection: AsyncConnection, incident: str) -> dict[str, ToldRow]:
    """By receiver."""
    query = select(told.c.receiver, told.c.first_at, told.c.state, told.c.held).where(told.c.incident == incident)
    return {
        row.receiver: ToldRow(row.first_at, _load_told(row.state), _load_held(row.held))
        for row in await connection.execute(query.order_by(told.c.first_at, told.c.receiver))
    }


async def tell(connection: AsyncConnection, incident: str, receiver: str, row: ToldRow) -> None:
    statement = insert(told)
    changing = ("first_at", "state", "held")
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["incident", "receiver"], set_={name: statement.excluded[name] for name in changing}
        ),
        [
            {
                "incident": incident,
                "receiver": receiver,
                "first_at": row.first_at,
                "state": _dump_told(row.state),
                "held": _dump_held(row.held),
            }
        ],
    )


def _dump_told(told: Told | None) -> str | None:
    return None if told is None else json.dumps([told.revision, told.level.name, told.kind, told.at.isoformat()])


def _load_told(text: str | None) -> Told | None:
    if text is None:
        return None
    revision, level, kind, at = json.loads(text)
    return Told(revision, Level[level], kind, datetime.fromisoformat(at))


def _dump_held(held: Held | None) -> str | None:
    if held is None:
        return None
    until = held.until.isoformat() if held.until else None
    return _text([held.reason, held.by, until, held.owed, held.dropped])


def _load_held(text: str | None) -> Held | None:
    if text is None:
        return None
    reason, by, until, owed, dropped = json.loads(text)
    return Held(reason, by, datetime.fromisoformat(until) if until else None, owed, dropped)


async def history(connection: AsyncConnection, incident: Incident) -> list[AlertEvent]:
    """The events that were an incident's when they were kept, and those of alerts that joined it later."""
    members = [event.alert for event in incident.alerts][:_AT_ONCE]
    its = or_(alert_events.c.incident == incident.id, alert_events.c.alert.in_(members))
    query = select(alert_events.c.event).where(its).order_by(alert_events.c.id)
    return [load_event(json.loads(row.event)) for row in await connection.execute(query)]


async def events(
    connection: AsyncConnection, *, incident: str | None = None, kind: str | None = None
) -> list[AlertEvent]:
    """Alert events in the order in which they were kept."""
    query = select(alert_events.c.event).order_by(alert_events.c.id)
    if incident is not None:
        query = query.where(alert_events.c.incident == incident)
    if kind is not None:
        query = query.where(alert_events.c.kind == kind)
    return [load_event(json.loads(row.event)) for row in await connection.execute(query)]


async def on_trial(connection: AsyncConnection, *, since: datetime) -> list[AlertEvent]:
    """The events of rules on trial since a time, in the order in which they were kept."""
    query = select(alert_events.c.event).where(alert_events.c.shadow, alert_events.c.at >= since)
    rows = await connection.execute(query.order_by(alert_events.c.id))
    return [load_event(json.loads(row.event)) for row in rows]


async def newest_self(connection: AsyncConnection) -> dict[str, AlertEvent]:
    """The newest event of each of the program's own alerts that is not resolved, by alert."""
    query = select(incidents.c.facts).where(incidents.c.firing, incidents.c.kind == "self")
    found = [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]
    return {event.alert: event for incident in found for event in incident.alerts if event.event != "resolved"}


async def incident(connection: AsyncConnection, incident_id: str) -> Incident | None:
    facts = (
        await connection.execute(select(incidents.c.facts).where(incidents.c.id == incident_id))
    ).scalar_one_or_none()
    return load_incident(json.loads(facts)) if facts else None


async def find(connection: AsyncConnection, name: str) -> Incident | None:
    """An incident by its id, or by its number with or without #."""
    found = await incident(connection, name)
    digits = name.removeprefix("#")
    if found is None and digits.isascii() and digits.isdigit() and 0 < len(digits) < 10:
        found = await by_number(connection, int(digits))
    return found


async def by_number(connection: AsyncConnection, number: int) -> Incident | None:
    """Those of before there were numbers have none: nobody is found under 0."""
    facts = (
        await connection.execute(
            select(incidents.c.facts).where(incidents.c.number == number, incidents.c.number > 0).limit(1)
        )
    ).scalar_one_or_none()
    return load_incident(json.loads(facts)) if facts else None


async def page(
    connection: AsyncConnection, wanted: Wanted, *, after: Place | None, most: int
) -> tuple[list[Incident], Place | None]:
    """Those that are wanted, the newest number first, from behind *after*; and where to go on, if it did not end.

    Looks at ``_LOOKED_AT`` at most, so that a wish that few fulfil holds nobody up.
    """
    query = select(incidents.c.number, incidents.c.id, incidents.c.facts)
    if wanted.open is not None:
        query = query.where(incidents.c.open == wanted.open)
    if wanted.level is not None:
        query = query.where(incidents.c.level == int(wanted.level))
    query = query.order_by(incidents.c.number.desc(), incidents.c.id.desc()).limit(_AT_ONCE)
    found: list[Incident] = []
    for _ in range(_LOOKED_AT // _AT_ONCE):
        here = query
        if after is not None:
            number, name = after
            same = and_(incidents.c.number == number, incidents.c.id < name)
            here = query.where(incidents.c.number <= number, or_(incidents.c.number < number, same))
        rows = (await connection.execute(here)).all()
        for row in rows:
            if len(found) == most:
                return found, after
            after = (row.number, row.id)
            incident = load_incident(json.loads(row.facts))
            if wanted.fits(incident):
                found.append(incident)
        if len(rows) < _AT_ONCE:
            return found, None
    return found, after


async def numbers(connection: AsyncConnection, names: Collection[str]) -> dict[str, int]:
    """By id, what people call some incidents by."""
    query = select(incidents.c.id, incidents.c.number).where(incidents.c.id.in_(sorted(names)[:_AT_ONCE]))
    return {row.id: row.number for row in await connection.execute(query)} if names else {}


async def recent(connection: AsyncConnection, *, since: datetime) -> Sequence[Incident]:
    """Open incidents and those that changed since, newest first."""
    query = select(incidents.c.facts).where(or_(incidents.c.open, incidents.c.updated_at >= since))
    rows = await connection.execute(query.order_by(incidents.c.open.desc(), incidents.c.updated_at.desc()))
    return [load_incident(json.loads(row.facts)) for row in rows]
