"""Transaction 3: when a flush is due, route the incident and put what its receivers must hear into the outbox."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident, NotificationKind
from alerts.flush import Told, decide
from alerts.hold import Held
from alerts.route import Leg, Route, labels
from alerts.settle import known_level, settle
from listener.metrics import Metrics
from listener.storage import alerting, outbox
from listener.storage.database import Database

_IDLE = timedelta(seconds=60)
_TOGETHER = 100  # incidents in one transaction


@dataclass(frozen=True, slots=True)
class Routing:
    """The parts of the flush that a reload exchanges: the route tree, and each receiver's channels."""

    route: Route | None  # None: nobody is told
    channels: Mapping[str, Sequence[str]]


class Flusher:
    def __init__(self, database: Database, routing: Routing, *, metrics: Metrics) -> None:
        self.routing = routing
        self.put = asyncio.Event()  # set when the outbox got a row
        self._database = database
        self._metrics = metrics

    async def step(self, now: datetime) -> datetime:
        async with self._database.read("flush") as connection:
            due = await alerting.due(connection, now)
            next_due = await alerting.next_due(connection)
        for start in range(0, len(due), _TOGETHER):
            async with self._database.write("flush") as connection:
                for incident in due[start : start + _TOGETHER]:
                    # Read again inside the transaction: the decider may have gone on since.
                    current = await alerting.incident(connection, incident.id)
                    if current is not None:
                        await self._flush(connection, current, now)
        if due:
            self.put.set()
            return now
        return min(next_due or now + _IDLE, now + _IDLE)

    async def _flush(self, connection: AsyncConnection, incident: Incident, now: datetime) -> None:
        told = await alerting.told_of(connection, incident.id)
        again: list[datetime] = []
        for leg in self._legs(incident, told):
            row = _not_after(told.get(leg.receiver, alerting.ToldRow(now)), now)
            decision = decide(incident, row.state, leg, first_at=row.first_at, now=now)
            done = settle(decision, incident, self._held(incident, row.state, leg, now), row.held, now=now)
            if done.next_at is not None:
                again.append(done.next_at)
            state = row.state
            if done.kind is not None:
                # What quiet hours held goes together: all of it that is due now is in this step.
                batch = now.isoformat() if done.deferred else ""
                await self._put(connection, incident, leg.receiver, done.kind, now, batch=batch)
                state = Told(incident.revision, incident.level, done.kind, now)
            elif done.dropped and done.held is not None:
                self._metrics.not_sent.labels(done.held.reason).inc()
            elif done.reason == "resolved_before_wait":
                self._metrics.not_sent.labels(done.reason).inc()
            await alerting.tell(connection, incident.id, leg.receiver, replace(row, state=state, held=done.held))
        await alerting.look_again(connection, incident.id, min(again, default=None))

    def _held(self, incident: Incident, told: Told | None, leg: Leg, now: datetime) -> Held | None:
        """The stages that may hold a message, in order: the first that does."""
        return leg.hours.held(known_level(incident, told), now)

    def _legs(self, incident: Incident, told: Mapping[str, object]) -> Sequence[Leg]:
        if self.routing.route is None:
            return ()
        legs = self.routing.route.match(labels(incident), told=told)
        refused = _refused_channel(incident)
        if refused is None or any(self._open_channels(leg.receiver, refused) for leg in legs):
            return legs
        # The program must say that a channel is dead, and every channel that the route names is that one: say it anywhere.
        pace = legs[0]
        others = (name for name in self.routing.channels if self._open_channels(name, refused))
        return [replace(pace, receiver=name) for name in others]

    def _open_channels(self, receiver: str, refused: tuple[str, str] | None) -> list[str]:
        return [name for name in self.routing.channels.get(receiver, ()) if (receiver, name) != refused]

    async def _put(
        self,
        connection: AsyncConnection,
        incident: Incident,
        receiver: str,
        kind: NotificationKind,
        now: datetime,
        *,
        batch: str,
    ) -> None:
        for channel in self._open_channels(receiver, _refused_channel(incident)):
            # A repeat says the same again on purpose: its time makes it another message.
            said = (incident.id, kind, incident.revision, now.isoformat() if kind == "repeat" else "")
            key = hashlib.sha256(json.dumps([*said, receiver, channel]).encode()).hexdigest()[:32]
            await outbox.put(connection, outbox.New(key, receiver, channel, kind, incident, batch), now=now)


def _refused_channel(incident: Incident) -> tuple[str, str] | None:
    """The channel that this incident is about, if it is about one: it must not be told there."""
    if incident.kind != "self":
        return None
    key = incident.lead.key
    return (key["receiver"], key["channel"]) if "channel" in key else None


def _not_after(row: alerting.ToldRow, now: datetime) -> alerting.ToldRow:
    """A time after *now* was written before the clock was set back: it counts as now, or its wait would be too long."""
    state = replace(row.state, at=min(row.state.at, now)) if row.state is not None else None
    return replace(row, first_at=min(row.first_at, now), state=state)
