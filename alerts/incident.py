"""Alerts that belong together: what people acknowledge, work and close."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import AlertEvent, Level


@dataclass(frozen=True, slots=True)
class Incident:
    """``alerts`` holds each member's newest event, in order of opening; ``revision`` counts the events folded in."""

    id: str
    kind: Literal["topic", "self"]
    topic: str | None
    opened_at: datetime
    updated_at: datetime
    revision: int
    alerts: tuple[AlertEvent, ...]

    @property
    def open(self) -> bool:
        return any(event.event != "resolved" for event in self.alerts)

    @property
    def level(self) -> Level:
        """Its highest open level; once all is resolved, the highest that its alerts ended on."""
        unresolved = [event.level for event in self.alerts if event.event != "resolved"]
        return max(unresolved or [event.level for event in self.alerts])

    @property
    def lead(self) -> AlertEvent:
        """The alert that speaks for the incident: open before resolved, then the highest level, then the newest."""
        return max(self.alerts, key=lambda event: (event.event != "resolved", event.level, event.at))


REJOIN = timedelta(hours=2)  # a topic's alerts belong together until it has been quiet for this long
KEPT_RESOLVED = 50  # a topic that never rests must not make its incident grow without end


class Incidents:
    """The fold of alert events into incidents: same events in the same order, same incidents.

    A topic's alerts are one incident while it is open, or was resolved less than ``REJOIN`` before the event; the
    program's alerts about itself are an incident each. An incident's id is the id of its first alert. Events come in
    order of ``at`` per kind; incidents are forgotten once they can no longer be joined.
    """

    def __init__(self, restored: Iterable[Incident] = ()) -> None:
        self._incidents: dict[str, Incident] = {}
        self._by_alert: dict[str, str] = {}
        self._by_topic: dict[str, str] = {}
        # per kind, in order of resolving: the id of each incident that waits to be forgotten
        self._resolved: dict[str, dict[str, datetime]] = {"topic": {}, "self": {}}
        for incident in sorted(restored, key=lambda incident: (incident.updated_at, incident.opened_at, incident.id)):
            self._keep(incident)

    def open(self) -> tuple[Incident, ...]:
        """Those with an unresolved alert, oldest first."""
        found = (incident for incident in self._incidents.values() if incident.open)
        return tuple(sorted(found, key=lambda incident: (incident.opened_at, incident.id)))

    def get(self, incident: str) -> Incident | None:
        return self._incidents.get(incident)

    def __len__(self) -> int:
        return len(self._incidents)

    def apply(self, event: AlertEvent) -> tuple[AlertEvent, Incident]:
        """The event with its incident's id set, and that incident; an event that was applied before changes nothing."""
        self._forget(event.kind, event.at)
        incident = self._home(event)
        if incident is None:
            event = replace(event, incident=event.alert)
            incident = Incident(event.alert, event.kind, event.topic, event.at, event.at, 1, (event,))
            self._keep(incident)
            return event, incident
        event = replace(event, incident=incident.id)
        known = next((member for member in incident.alerts if member.alert == event.alert), None)
        if known is not None and known.revision >= event.revision:
            return event, incident
        incident = _fold(incident, event)
        self._keep(incident)
        return event, incident

    def _home(self, event: AlertEvent) -> Incident | None:
        known = self._by_alert.get(event.alert)
        if known is None and event.kind == "topic" and event.topic is not None:
            known = self._by_topic.get(event.topic)
        return None if known is None else self._incidents[known]

    def _keep(self, incident: Incident) -> None:
        before = self._incidents.get(incident.id)
        for gone in before.alerts if before is not None else ():
            self._by_alert.pop(gone.alert, None)
        self._incidents[incident.id] = incident
        self._by_alert.update((member.alert, incident.id) for member in incident.alerts)
        if incident.kind == "topic" and incident.topic is not None:
            self._by_topic[incident.topic] = incident.id
        waiting = self._resolved[incident.kind]
        waiting.pop(incident.id, None)
        if not incident.open:
            waiting[incident.id] = incident.updated_at

    def _forget(self, kind: str, now: datetime) -> None:
        waiting = self._resolved[kind]
        while waiting:
            name, resolved_at = next(iter(waiting.items()))
            if now - resolved_at < REJOIN:
                return
            del waiting[name]
            incident = self._incidents.pop(name)
            for member in incident.alerts:
                self._by_alert.pop(member.alert, None)
            if incident.topic is not None and self._by_topic.get(incident.topic) == name:
                del self._by_topic[incident.topic]


def _fold(incident: Incident, event: AlertEvent) -> Incident:
    members = [event if member.alert == event.alert else member for member in incident.alerts]
    if all(member.alert != event.alert for member in incident.alerts):
        members.append(event)
    over = [member for member in members if member.event == "resolved" and event.at - member.at >= REJOIN]
    dropped = {member.alert for member in sorted(over, key=lambda member: member.at)[:-KEPT_RESOLVED]}
    return replace(
        incident,
        updated_at=max(incident.updated_at, event.at),
        revision=incident.revision + 1,
        alerts=tuple(member for member in members if member.alert not in dropped),
    )
