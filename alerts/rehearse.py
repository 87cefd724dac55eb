"""What a route would send for a run of alert events: the flush's own decisions on a virtual clock, nothing stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from alerts.alert import AlertEvent
from alerts.flush import Reason, Told, decide
from alerts.hold import Held
from alerts.incident import Incident, Incidents
from alerts.inhibition import Inhibition, inhibitor
from alerts.notification import NotificationKind
from alerts.route import Route, views
from alerts.settle import known_level, settle


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a receiver, over however many channels it has."""

    at: datetime
    receiver: str
    kind: NotificationKind
    reason: Reason
    incident: Incident


def rehearse(
    events: Iterable[AlertEvent], route: Route, *, until: datetime, inhibit: Sequence[Inhibition] = ()
) -> tuple[Message, ...]:
    """The messages up to *until*, in order of time. *events* in order of ``at``; those of rules on trial send nothing."""
    stage = _Stage(route, inhibit)
    live = (event for event in events if not event.shadow)
    for at, together in groupby(live, key=lambda event: event.at):
        if at > until:
            break
        stage.run(at, included=False)
        for event in together:
            stage.take(event)
        stage.run(at, included=True)
    stage.run(until, included=True)
    return tuple(stage.messages)


class _Stage:
    def __init__(self, route: Route, inhibit: Sequence[Inhibition]) -> None:
        self.messages: list[Message] = []
        self._route = route
        self._inhibit = inhibit
        self._muted_by: dict[str, tuple[str, int]] = {}  # by id, what mutes it, and at which revision it did
        self._fold = Incidents()
        self._incidents: dict[str, Incident] = {}
        self._told: dict[str, dict[str, tuple[datetime, Told | None, Held | None]]] = {}
        self._due: dict[str, datetime] = {}

    def take(self, event: AlertEvent) -> None:
        _, incident = self._fold.apply(event)
        self._incidents[incident.id] = incident
        self._due[incident.id] = event.at

    def run(self, until: datetime, *, included: bool) -> None:
        """Every flush that is due by then."""
        while self._due:
            at, name = min((at, name) for name, at in self._due.items())
            if at > until or (at == until and not included):
                return
            del self._due[name]
            self._flush(self._incidents[name], at)

    def _flush(self, incident: Incident, now: datetime) -> None:
        told = self._told.setdefault(incident.id, {})
        again: list[datetime] = []
        muted = self._muted(incident)
        for leg in self._route.match(*views(incident), told=told):
            first_at, state, before = told.get(leg.receiver, (now, None, None))
            decision = decide(incident, state, leg, first_at=first_at, now=now)
            held = muted or leg.hours.held(known_level(incident, state), now)
            done = settle(decision, incident, held, before, now=now)
            if done.next_at is not None:
                again.append(done.next_at)
            if done.kind is not None:
                self.messages.append(Message(now, leg.receiver, done.kind, done.reason, incident))
                state = Told(incident.revision, incident.level, done.kind, now)
            told[leg.receiver] = (first_at, state, done.held)
        if again:
            self._due[incident.id] = min(again)
        for target, (source, revision) in self._muted_by.items():
            if source == incident.id and revision != incident.revision:
                self._due[target] = now

    def _muted(self, incident: Incident) -> Held | None:
        source = inhibitor(incident, self._incidents.values(), self._inhibit)
        if source is None:
            self._muted_by.pop(incident.id, None)
            return None
        self._muted_by[incident.id] = (source.id, source.revision)
        return Held("inhibited", source.id, None)
