"""What silences do by the clock: their notices, and the looks at the incidents that come under them and leave them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident
from alerts.render.silence import KINDS, notice
from alerts.route import Route, views
from alerts.silence import Silence, Stay, due_notice, receivers, stay
from listener.storage import alerting, outbox, silences


async def give_notice(
    connection: AsyncConnection,
    silence: Silence,
    told: str,
    now: datetime,
    *,
    route: Route | None,
    channels: Callable[[str, Incident], Sequence[str]],
    timezone: str,
) -> None:
    """The notice that is due, once to each who would have been told, and a look at what it concerns.

    ``channels``: those of a receiver that take a message about an incident; the notice comes as one.
    """
    phase = due_notice(silence, told, now)
    if phase is None:
        return
    under: list[tuple[Incident, Stay | None]] = list(await silences.stayed(connection, silence))
    if not told and phase != "end":
        known = {incident.id for incident, _ in under}
        now_open = [one for one in await alerting.open_now(connection) if silence.matches(one) and one.id not in known]
        under += [(one, None) for one in now_open]
    if not told or phase == "end":
        for incident, _ in under:
            await alerting.look_again(connection, incident.id, now)
    said = notice(silence, phase, under, now=now, timezone=timezone)
    for receiver in await _told(connection, silence, route):
        for channel in channels(receiver, said):
            key = hashlib.sha256(json.dumps([said.id, phase, receiver, channel]).encode()).hexdigest()[:32]
            await outbox.put(connection, outbox.New(key, receiver, channel, KINDS[phase], said), now=now)
    await silences.mark_told(connection, silence, phase)


async def _told(connection: AsyncConnection, silence: Silence, route: Route | None) -> Sequence[str]:
    if route is None:
        return ()
    incident = await alerting.by_number(connection, silence.incident) if silence.incident is not None else None
    if incident is None:
        return receivers(silence, route)
    told = await alerting.told_of(connection, incident.id)
    return [leg.receiver for leg in route.match(*views(incident), told=told)]


async def stays(
    connection: AsyncConnection,
    incident: Incident,
    stood: Mapping[int, Stay],
    active: Sequence[Silence],
    now: datetime,
) -> list[Stay]:
    """How the incident stands, and has stood, under silences; kept where that has changed. ``stood``: by number."""
    found = dict(stood)
    for one in active:
        before = found.get(one.number)
        after = stay(one, incident, before, now)
        if after is not None and after != before:
            await silences.keep_stay(connection, incident.id, after)
            found[one.number] = after
    return list(found.values())
