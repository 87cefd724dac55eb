"""Transactions 2 and 3: alert events and incidents; what each receiver was told; when to look again."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import AlertEvent, Incident, Level
from alerts.codec import dump_event, dump_incident, load_event, load_incident
from alerts.flush import Told
from alerts.hold import Held
from listener.storage.database import batched, insert, upsert
from listener.storage.tables import alert_events, incidents, told
from listener.web.acting import Place, Wanted

_AT_ONCE = 200
_LOOKED_AT = 2_000


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_KNOWN = select(alert_events.c.alert, alert_events.c.revision).where(
    tuple_(alert_events.c.alert, alert_events.c.revision).in_(bindparam("events", expanding=True))
)


async def known(connection: AsyncConnection, events: Iterable[AlertEvent]) -> set[tuple[str, int]]:
    """Alert and revision of those that were kept before: a restart evaluates again what came after its snapshot."""
    found: set[tuple[str, int]] = set()
    for some in batched([(event.alert, event.revision) for event in events], _AT_ONCE):
        found |= {(row.alert, row.revision) for row in await connection.execute(_KNOWN, {"events": some})}
    return found


_KEEP_EVENT = insert(alert_events)


async def keep_events(connection: AsyncConnection, events: Iterable[AlertEvent]) -> None:
    """Events alone: all there is of one of a rule on trial."""
    rows = [
        {
            "alert": event.alert,
            "revision": event.revision,
            "at": event.at,
            "incident": event.incident,
            "kind": event.kind,
            "event": _text(dump_event(event)),
            "shadow": event.shadow,
        }
        for event in events
    ]
    if rows:
        await connection.execute(_KEEP_EVENT, rows)


_NUMBERS = select(incidents.c.id, incidents.c.number).where(incidents.c.id.in_(bindparam("names", expanding=True)))
_HIGHEST = select(func.max(incidents.c.number))
_KEEP = upsert(incidents, ["id"], ("open", "firing", "level", "updated_at", "facts", "next_flush"))


async def keep(connection: AsyncConnection, changed: Iterable[Incident], *, now: datetime) -> list[Incident]:
    """Incidents, each once, as they are by now, with their numbers; the flush looks at them at once."""
    every = list(changed)
    numbers: dict[str, int] = {}
    for some in batched([incident.id for incident in every], _AT_ONCE):
        numbers |= {row.id: row.number for row in await connection.execute(_NUMBERS, {"names": some})}
    if any(incident.id not in numbers or not incident.number for incident in every):
        # One that was given out in a transaction that failed may be another's by now.
        highest = (await connection.execute(_HIGHEST)).scalar_one_or_none() or 0
        for place, incident in enumerate(every):
            if incident.id not in numbers or not incident.number:
                number = numbers.get(incident.id) or (highest := highest + 1)
                every[place] = replace(incident, number=number)
    rows = [
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
        for incident in every
    ]
    if rows:
        await connection.execute(_KEEP, rows)
    return every


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


_DUE = (
    select(incidents.c.id)
    .where(incidents.c.next_flush <= bindparam("now"))
    .order_by(incidents.c.level.desc(), incidents.c.next_flush)
    .limit(bindparam("most"))
)


async def due(connection: AsyncConnection, now: datetime, *, most: int) -> list[str]:
    """The ids of incidents at which the flush must look, the highest level first, then what has waited longest."""
    return [row.id for row in await connection.execute(_DUE, {"now": now, "most": most})]


_NEXT_DUE = select(func.min(incidents.c.next_flush))


async def next_due(connection: AsyncConnection) -> datetime | None:
    found: datetime | None = (await connection.execute(_NEXT_DUE)).scalar_one()
    return found


async def settled(connection: AsyncConnection, also: Collection[str], now: datetime) -> list[Incident]:
    """Incidents that are open, or among *also*, and at which the flush has looked since they changed."""
    wanted = or_(incidents.c.open, incidents.c.id.in_(list(also)))
    query = select(incidents.c.facts).where(wanted, or_(incidents.c.next_flush.is_(None), incidents.c.next_flush > now))
    return [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]


async def open_now(connection: AsyncConnection) -> list[Incident]:
    """Oldest first."""
    query = select(incidents.c.facts).where(incidents.c.open).order_by(incidents.c.opened_at, incidents.c.id)
    return [load_incident(json.loads(row.facts)) for row in await connection.execute(query)]


_LOOK_AGAIN = update(incidents).where(incidents.c.id == bindparam("incident")).values(next_flush=bindparam("at"))


async def look_again(connection: AsyncConnection, incident: str, at: datetime | None) -> None:
    await connection.execute(_LOOK_AGAIN, {"incident": incident, "at": at})


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


_TOLD_OF = (
    select(told.c.incident, told.c.receiver, told.c.first_at, told.c.state, told.c.held)
    .where(told.c.incident.in_(bindparam("incidents", expanding=True)))
    .order_by(told.c.first_at, told.c.receiver)
)


async def told_of_each(connection: AsyncConnection, names: Collection[str]) -> dict[str, dict[str, ToldRow]]:
    """By incident and receiver."""
    found: dict[str, dict[str, ToldRow]] = {name: {} for name in names}
    for row in await connection.execute(_TOLD_OF, {"incidents": list(names)}):
        found[row.incident][row.receiver] = ToldRow(row.first_at, _load_told(row.state), _load_held(row.held))
    return found


async def told_of(connection: AsyncConnection, incident: str) -> dict[str, ToldRow]:
    """By receiver."""
    return (await told_of_each(connection, [incident]))[incident]


async def held_back(connection: AsyncConnection) -> dict[str, list[tuple[str, Held]]]:
    """By open incident, each receiver that is not told what there is to say, and why."""
    query = select(told.c.incident, told.c.receiver, told.c.held).join(incidents, incidents.c.id == told.c.incident)
    query = query.where(incidents.c.open, told.c.held.is_not(None)).order_by(told.c.first_at, told.c.receiver)
    found: dict[str, list[tuple[str, Held]]] = {}
    for row in await connection.execute(query):
        held = _load_held(row.held)
        if held is not None:
            found.setdefault(row.incident, []).append((row.receiver, held))
    return found


_TELL = upsert(told, ["incident", "receiver"], ("first_at", "state", "held"))


async def tell(connection: AsyncConnection, incident: str, receiver: str, row: ToldRow) -> None:
    values = {
        "incident": incident,
        "receiver": receiver,
        "first_at": row.first_at,
        "state": _dump_told(row.state),
        "held": _dump_held(row.held),
    }
    await connection.execute(_TELL, [values])


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


_FACTS = select(incidents.c.id, incidents.c.facts).where(incidents.c.id.in_(bindparam("names", expanding=True)))


async def incidents_of(connection: AsyncConnection, names: Collection[str]) -> list[Incident]:
    """Those of these ids that there are, in the order of the ids."""
    rows = {row.id: row.facts for row in await connection.execute(_FACTS, {"names": list(names)})}
    return [load_incident(json.loads(rows[name])) for name in names if name in rows]


async def incident(connection: AsyncConnection, incident_id: str) -> Incident | None:
    return next(iter(await incidents_of(connection, [incident_id])), None)


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
