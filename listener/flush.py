"""Transaction 3: when a flush is due, route the incident and put what its receivers must hear into the outbox."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because, Incident, NotificationKind
from alerts.escalation import Run
from alerts.flush import Told, decide
from alerts.hold import Held
from alerts.inhibition import Inhibition, by_which, inhibitor
from alerts.oncall import OnCall
from alerts.route import Leg, Route, views
from alerts.settle import known_level, settle
from alerts.silence import RULE as SILENCE
from alerts.silence import Silence, Stay, speak
from listener import oncall
from listener.metrics import Metrics
from listener.silencing import give_notice, stays
from listener.storage import alerting, escalations, outbox, silences
from listener.storage.database import Database, batched

_IDLE = timedelta(seconds=60)
_AGAIN = frozenset({"repeat", "unsilenced"})
_TOGETHER = 20  # incidents in one transaction: the sender waits for it
_AT_ONCE = 300  # in one step: red that comes meanwhile waits for no more, and what quiet hours held is put together


@dataclass(frozen=True, slots=True)
class Routing:
    """What a reload exchanges: the route tree, receivers' channels, what mutes what, whom to call, who stands in."""

    route: Route | None  # None: nobody is told
    channels: Mapping[str, Sequence[str]]
    inhibit: Sequence[Inhibition] = ()
    timezone: str = "UTC"  # of the times in a silence's notices
    on_call: OnCall = field(default_factory=OnCall)
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    pagers: frozenset[tuple[str, str]] = frozenset()  # receiver and channel of those that call people out

    def open_channels(self, receiver: str, incident: Incident) -> list[str]:
        """The receiver's channels but for the one that the incident is about; a silence's notices call nobody out."""
        left_out = {_refused_channel(incident), *(self.pagers if incident.lead.rule == SILENCE else ())}
        return [name for name in self.channels.get(receiver, ()) if (receiver, name) not in left_out]


@dataclass(frozen=True, slots=True)
class _Standing:
    """An incident, and by receiver, chain, silence and mark what has come of it so far."""

    incident: Incident
    told: Mapping[str, alerting.ToldRow]
    runs: Sequence[Run]
    stays: Mapping[int, Stay]
    said: Mapping[str, datetime]


async def _standings(connection: AsyncConnection, names: Sequence[str]) -> list[_Standing]:
    """One statement for each kind, not for each incident."""
    told = await alerting.told_of_each(connection, names)
    runs = await escalations.runs_of_each(connection, names)
    under = await silences.stays_of_each(connection, names)
    said = await escalations.said_of_each(connection, names)
    return [
        _Standing(one, told[one.id], runs[one.id], under[one.id], said[one.id])
        for one in await alerting.incidents_of(connection, names)
    ]


class Flusher:
    def __init__(self, database: Database, routing: Routing, *, metrics: Metrics) -> None:
        self.routing = routing
        self.put = asyncio.Event()  # set when the outbox got a row
        self.looked = asyncio.Event()  # set when incidents were looked at: a chain may have begun
        self._database = database
        self._metrics = metrics
        self._silences: Sequence[Silence] = ()  # those that hold
        self._open: Sequence[Incident] = ()  # where there are inhibitions
        self._sources: Sequence[Incident] = ()  # what of it may mute others
        # By id, what mutes it, and at which revision; every open incident is looked at after a start, so this fills itself.
        self._muted_by: dict[str, tuple[str, int]] = {}

    async def step(self, now: datetime) -> datetime:
        noticed = await self._give_notices(now)
        async with self._database.read("flush") as connection:
            due = await alerting.due(connection, now, most=_AT_ONCE)
            next_due = await alerting.next_due(connection)
            next_notice = await silences.next_due(connection)
            self._silences = await silences.active(connection, now) if due else ()
            self._open = await alerting.open_now(connection) if due and self.routing.inhibit else ()
            self._sources = [one for one in self._open if by_which(one, self.routing.inhibit)]
        for some in batched(due, _TOGETHER):
            async with self._database.write("flush") as connection:
                # Inside the transaction: the decider may have gone on since.
                for standing in await _standings(connection, some):
                    await self._flush(connection, standing, now)
        if due or noticed:
            self.put.set()
            self.looked.set()
            return now
        return min(at for at in (next_due, next_notice, now + _IDLE) if at is not None)

    async def _give_notices(self, now: datetime) -> bool:
        """Of silences that begin and end; before the incidents are looked at, so that these are seen as they began."""
        async with self._database.read("flush") as connection:
            waiting = await silences.to_tell(connection, now)
        routing = self.routing
        for silence, told in waiting:
            async with self._database.write("flush") as connection:
                await give_notice(
                    connection, silence, told, now,
                    route=routing.route, channels=routing.open_channels, timezone=routing.timezone,
                )  # fmt: skip
        return bool(waiting)

    async def _flush(self, connection: AsyncConnection, standing: "_Standing", now: datetime) -> None:
        incident, told, runs = standing.incident, standing.told, standing.runs
        again: list[datetime] = []
        under = await stays(connection, incident, standing.stays, self._silences, now)
        muted = await self._muted(connection, incident)
        knowing: list[str] = []
        heard = False
        for leg in [*self._legs(incident, told), *self._called(incident, runs, told)]:
            row = _not_after(told.get(leg.receiver, alerting.ToldRow(now)), now)
            decision = decide(incident, row.state, leg, first_at=row.first_at, now=now)
            decision, silenced = speak(decision, incident, row.state, leg, under, first_at=row.first_at, now=now)
            # The stages that may hold a message, in order: the first that does. What is muted is not owed for the night.
            held = silenced or muted or leg.hours.held(known_level(incident, row.state), now)
            heard = heard or not (silenced or muted)
            done = settle(decision, incident, held, row.held, now=now)
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
            knowing += [leg.receiver] if _knows(state) else []
            await alerting.tell(connection, incident.id, leg.receiver, replace(row, state=state, held=done.held))
        # What is silenced or muted calls nobody, and its deadlines are told once that is over.
        on_call = self.routing.on_call
        await oncall.follow(connection, incident, runs, on_call.chains, now, silent=not heard)
        due = await oncall.due(connection, incident, standing.said, on_call, now, silent=not heard or not knowing)
        again += due.again
        for message in due.messages:
            for receiver in knowing:
                said = (incident.id, message.kind, message.mark)
                await self._put(connection, incident, receiver, message.kind, now, said=said, note=message.note)
        await alerting.look_again(connection, incident.id, min(again, default=None))
        for target in self._concerned(incident):
            await alerting.look_again(connection, target, now)

    def _concerned(self, incident: Incident) -> list[str]:
        """Incidents that it mutes and that have seen an older revision of it, and those that it has begun to mute.

        Where nothing is new, such as among those that mute each other in a ring, there is nothing to look at.
        """
        mutes = [
            target
            for target, (source, revision) in self._muted_by.items()
            if source == incident.id and revision != incident.revision
        ]
        rules = by_which(incident, self.routing.inhibit)
        fresh = [one for one in self._open if one.id not in self._muted_by] if rules else ()
        return mutes + [one.id for one in fresh if inhibitor(one, [incident], rules) is not None]

    async def _muted(self, connection: AsyncConnection, incident: Incident) -> Held | None:
        """Whether another incident mutes it; remembered, so that it is looked at when that one changes."""
        while (source := inhibitor(incident, self._sources, self.routing.inhibit)) is not None:
            fresh = await alerting.incident(connection, source.id)
            if fresh == source:
                break
            # It has changed since this step began, and may have been looked at for that: it will not be so soon again.
            others = [one for one in self._sources if one.id != source.id]
            self._sources = [*others, fresh] if fresh is not None and by_which(fresh, self.routing.inhibit) else others
        if source is None:
            self._muted_by.pop(incident.id, None)
            return None
        self._muted_by[incident.id] = (source.id, source.revision)
        return Held("inhibited", source.id, None)

    async def call(
        self,
        connection: AsyncConnection,
        incident: Incident,
        receivers: Sequence[str],
        mark: str,
        note: Because,
        now: datetime,
    ) -> None:
        """Tell receivers that an escalation calls; from then on they hear how the incident goes on, as those of a route."""
        told = await alerting.told_of(connection, incident.id)
        for receiver in receivers:
            said = (incident.id, "escalate", mark)
            await self._put(connection, incident, receiver, "escalate", now, said=said, note=note)
            row = told.get(receiver, alerting.ToldRow(now))
            if not _knows(row.state):
                state = Told(incident.revision, incident.level, "escalate", now)
                await alerting.tell(connection, incident.id, receiver, replace(row, state=state, held=None))
        await alerting.look_again(connection, incident.id, now)

    def _called(self, incident: Incident, runs: Sequence[Run], told: Mapping[str, alerting.ToldRow]) -> Sequence[Leg]:
        """Beside the route's: who was called by an escalation and, of the end, who was told before a reload left it out."""
        legs = self._legs(incident, told)
        named = {leg.receiver for leg in legs} | (told.keys() - self.routing.channels.keys())
        called = {name for run in runs for name in run.notified}
        known = [name for name, row in told.items() if name not in named and _knows(row.state)]
        return (
            [replace(legs[0], receiver=name) for name in known if name in called or not incident.open] if legs else ()
        )

    def _legs(self, incident: Incident, told: Mapping[str, object]) -> Sequence[Leg]:
        if self.routing.route is None:
            return ()
        legs = self.routing.route.match(*views(incident), told=told)
        open_channels = self.routing.open_channels
        if _refused_channel(incident) is None or any(open_channels(leg.receiver, incident) for leg in legs):
            return legs
        # The program must say that a channel is dead, and every channel that the route names is that one: say it anywhere.
        pace = legs[0]
        others = (name for name in self.routing.channels if open_channels(name, incident))
        return [replace(pace, receiver=name) for name in others]

    async def _put(
        self,
        connection: AsyncConnection,
        incident: Incident,
        receiver: str,
        kind: NotificationKind,
        now: datetime,
        *,
        batch: str = "",
        said: tuple[str, ...] | None = None,
        note: Because | None = None,
    ) -> None:
        """*said*: what the message is, so that it goes once; by default this kind at this revision."""
        for channel in self.routing.open_channels(receiver, incident):
            # These say the same again on purpose: the time makes it another message.
            what = said or (incident.id, kind, incident.revision, now.isoformat() if kind in _AGAIN else "")
            key = hashlib.sha256(json.dumps([*what, receiver, channel]).encode()).hexdigest()[:32]
            await outbox.put(connection, outbox.New(key, receiver, channel, kind, incident, batch, note), now=now)


def _knows(told: Told | None) -> bool:
    """Whether a receiver knows of something open."""
    return told is not None and told.kind != "resolve"


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
