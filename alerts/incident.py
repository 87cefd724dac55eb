"""Alerts that belong together: what people acknowledge, work and close."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import AlertEvent, Level
from alerts.handling import TIMELINE, Act, Handling, State


@dataclass(frozen=True, slots=True)
class Incident:
    """``alerts`` holds each member's newest event, in order of opening; ``revision`` counts the events and acts folded in.

    ``number`` is what people call it by, 0 until it is kept. ``opened_at``: the first time; ``since``: the newest, after
    a time in which nothing fired. ``reached``: since then, when it first stood at each level that it had.
    ``turn``: the revision at which it last opened, rose, ended, or was taken, given up, or merged: who saw an older one has
    not seen that. ``gathers``: the topics whose new alerts join it. ``over_at``: when it ceased to be open, if it is not;
    its alerts may change after that, where a person ended it.
    """

    id: str
    kind: Literal["topic", "self"]
    topic: str | None
    opened_at: datetime
    updated_at: datetime
    revision: int
    alerts: tuple[AlertEvent, ...]
    number: int = 0
    since: datetime | None = None
    reached: tuple[tuple[Level, datetime], ...] = ()
    turn: int = 1
    gathers: tuple[str, ...] = ()
    over_at: datetime | None = None
    handling: Handling = field(default_factory=Handling)

    @property
    def firing(self) -> bool:
        """Whether an alert of it is unresolved, whatever people have said."""
        return not self.handling.merged_into and any(event.event != "resolved" for event in self.alerts)

    @property
    def open(self) -> bool:
        return self.firing and self.handling.ended is None and self.handling.closed_at is None

    @property
    def state(self) -> State:
        handling = self.handling
        if handling.closed_at is not None or handling.merged_into:
            return "closed"
        if not self.open:
            return "resolved"
        if handling.responded_at is not None:
            return "mitigating"
        return "acknowledged" if handling.taken is not None else "open"

    @property
    def wave(self) -> datetime:
        """When it last opened: what is said, taken or escalated once is so once per wave."""
        return self.since or self.opened_at

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


def settled(incident: Incident, now: datetime) -> bool:
    """Nothing joins it any more, and its alerts may be another incident's by now."""
    return not incident.firing and now - incident.updated_at >= REJOIN


class Incidents:
    """The fold of alert events into incidents: same events and acts in the same order, same incidents.

    A topic's alerts are one incident while one of them fires, or the last was resolved less than ``REJOIN`` before the
    event. So are those of a brand that open on one story, whatever their topics; from then on both topics' alerts join it.
    The program's alerts about itself are an incident each. An incident's id is the id of its first alert, with that
    one's revision where it is not the first of the alert. Events come in order of ``at`` per kind; incidents are
    forgotten once they can no longer be joined.
    """

    def __init__(self, restored: Iterable[Incident] = ()) -> None:
        self.restore(restored)

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Know these, and nothing else."""
        self._incidents: dict[str, Incident] = {}
        self._by_alert: dict[str, str] = {}
        self._by_topic: dict[str, str] = {}
        self._by_story: defaultdict[_Story, set[str]] = defaultdict(set)
        # per kind, in order of resolving: the id of each incident that waits to be forgotten
        self._resolved: dict[str, dict[str, datetime]] = {"topic": {}, "self": {}}
        for incident in sorted(incidents, key=lambda incident: (incident.updated_at, incident.opened_at, incident.id)):
            self.keep(incident)

    def all(self) -> tuple[Incident, ...]:
        return tuple(self._incidents.values())

    def open(self) -> tuple[Incident, ...]:
        """Those that are open, oldest first."""
        found = (incident for incident in self._incidents.values() if incident.open)
        return tuple(sorted(found, key=lambda incident: (incident.opened_at, incident.id)))

    def firing(self) -> tuple[Incident, ...]:
        """Those with an unresolved alert, whatever people have said of them."""
        return tuple(incident for incident in self._incidents.values() if incident.firing)

    def get(self, incident: str) -> Incident | None:
        return self._incidents.get(incident)

    def __len__(self) -> int:
        return len(self._incidents)

    def apply(self, event: AlertEvent) -> tuple[AlertEvent, Incident]:
        """The event with its incident's id set, and that incident; an event that was applied before changes nothing."""
        self._forget(event.kind, event.at)
        incident = self._home(event)
        if incident is None:
            # One that opens again has been in an incident before, which may be closed and must stay as it is.
            name = event.alert if event.revision == 1 else f"{event.alert}-{event.revision}"
            event = replace(event, incident=name)
            incident = _first(event)
            self.keep(incident)
            return event, incident
        event = replace(event, incident=incident.id)
        known = next((member for member in incident.alerts if member.alert == event.alert), None)
        if known is not None and known.revision >= event.revision:
            return event, incident
        incident = _fold(incident, event)
        self.keep(incident)
        return event, incident

    def acted(self, incident: Incident, now: datetime) -> None:
        """Go on with an incident that an act has changed. One that nothing can join any more stays forgotten."""
        if incident.id in self._incidents or not settled(incident, now):
            self.keep(incident)

    def keep(self, incident: Incident) -> None:
        """Take an incident as it is by now."""
        before = self._incidents.get(incident.id)
        if before is not None:
            self._let_go(before)
        self._incidents[incident.id] = incident
        if not incident.handling.merged_into:
            self._by_alert.update((member.alert, incident.id) for member in incident.alerts)
        if incident.handling.closed_at is None:
            self._by_topic.update((topic, incident.id) for topic in incident.gathers)
            for story in _stories(incident) if incident.gathers else ():
                self._by_story[story].add(incident.id)
        self._await(incident)

    def _home(self, event: AlertEvent) -> Incident | None:
        known = self._incidents.get(self._by_alert.get(event.alert, ""))
        if known is not None and known.handling.closed_at is None:
            return known
        if event.kind != "topic":
            return None
        its = self._incidents.get(self._by_topic.get(event.topic or "", ""))
        if its is not None or (story := _story(event)) is None:
            return its
        about = [self._incidents[name] for name in self._by_story.get(story, ())]
        return min(about, key=lambda incident: (not incident.open, incident.opened_at, incident.id), default=None)

    def _let_go(self, incident: Incident) -> None:
        for member in incident.alerts:
            if self._by_alert.get(member.alert) == incident.id:
                del self._by_alert[member.alert]
        for topic in incident.gathers:
            if self._by_topic.get(topic) == incident.id:
                del self._by_topic[topic]
        for story in _stories(incident):
            self._by_story[story].discard(incident.id)
            if not self._by_story[story]:
                del self._by_story[story]

    def _await(self, incident: Incident) -> None:
        """Let it wait to be forgotten, in its place, or no more. What only gets a number or a note stays where it is."""
        waiting = self._resolved[incident.kind]
        if not incident.firing and waiting.get(incident.id) == incident.updated_at:
            return
        waiting.pop(incident.id, None)
        if not incident.firing:
            last = next(reversed(waiting.values()), incident.updated_at)
            waiting[incident.id] = incident.updated_at
            if last > incident.updated_at:  # an act ended it, which changes no time of its alerts
                self._resolved[incident.kind] = dict(sorted(waiting.items(), key=lambda item: item[1]))

    def _forget(self, kind: str, now: datetime) -> None:
        waiting = self._resolved[kind]
        while waiting:
            name, resolved_at = next(iter(waiting.items()))
            if now - resolved_at < REJOIN:
                return
            del waiting[name]
            self._let_go(self._incidents.pop(name))


_Story = tuple[str, str]  # of a brand


def _story(event: AlertEvent) -> _Story | None:
    """The story that an alert is about: the one that leads what it counted."""
    return (event.brand, event.stories[0].id) if event.kind == "topic" and event.stories else None


def _stories(incident: Incident) -> frozenset[_Story]:
    return frozenset(story for event in incident.alerts if (story := _story(event)) is not None)


def _first(event: AlertEvent) -> Incident:
    incident = Incident(event.incident, event.kind, event.topic, event.at, event.at, 1, (event,), since=event.at)
    gathers = (event.topic,) if event.kind == "topic" and event.topic is not None else ()
    return replace(incident, gathers=gathers, reached=((event.level, event.at),))


def _fold(incident: Incident, event: AlertEvent) -> Incident:
    members = [event if member.alert == event.alert else member for member in incident.alerts]
    gathers = incident.gathers
    if all(member.alert != event.alert for member in incident.alerts):
        members.append(event)
        if event.topic is not None and event.topic not in gathers:
            gathers = (*gathers, event.topic)  # it came by its story: from now on its topic's alerts come too
    over = [member for member in members if member.event == "resolved" and event.at - member.at >= REJOIN]
    dropped = {member.alert for member in sorted(over, key=lambda member: member.at)[:-KEPT_RESOLVED]}
    after = replace(
        incident,
        gathers=gathers,
        updated_at=max(incident.updated_at, event.at),
        revision=incident.revision + 1,
        alerts=tuple(member for member in members if member.alert not in dropped),
    )
    return _handled(incident, after, event)


def _wakes(incident: Incident, event: AlertEvent) -> bool:
    """Whether an event is news to who said that it is dealt with."""
    ended = incident.handling.ended
    return event.event == "opened" or (event.event != "resolved" and ended is not None and event.level > ended.level)


def _handled(before: Incident, after: Incident, event: AlertEvent) -> Incident:
    """What the event does to what people have done: a new wave is nobody's, and neither is a higher level."""
    if after.handling.ended is not None and _wakes(before, event):
        after = replace(after, handling=replace(after.handling, ended=None))
    after = turned(before, after, event.at)
    if outgrown(after):
        broken = Act("unacknowledge", "", event.at, value=after.level.name, revision=after.revision)
        handling = with_act(replace(after.handling, taken=None), broken)
        after = replace(after, handling=handling, turn=after.revision)
    return after


def turned(before: Incident, after: Incident, at: datetime) -> Incident:
    """*after*, where alerts that came, went or moved have opened it, ended it, or brought it to a level that is new."""
    if after.handling.ended is not None and not after.firing:
        # It ended by itself: whoever said so before is right by now, and what opens next is a new wave.
        after = replace(after, handling=replace(after.handling, ended=None))
    if after.open and not before.open:
        fresh = replace(after.handling, taken=None, responded_at=None)
        reached = ((after.level, at),)
        return replace(after, handling=fresh, since=at, reached=reached, turn=after.revision, over_at=None)
    if before.open and not after.open:
        return replace(after, turn=after.revision, over_at=at)
    if after.open and all(level < after.level for level, _ in after.reached):
        return replace(after, reached=(*after.reached, (after.level, at)), turn=after.revision)
    return after


def outgrown(incident: Incident) -> bool:
    """Whether it stands above the level at which it was taken."""
    taken = incident.handling.taken
    return incident.open and taken is not None and incident.level > taken.level


def with_act(handling: Handling, act: Act) -> Handling:
    return replace(handling, timeline=(*handling.timeline, act)[-TIMELINE:])


def related(incident: Incident) -> frozenset[str]:
    """The incidents that it was merged with or split from, as far as its timeline tells."""
    joined = {act.value for act in incident.handling.timeline if act.kind in {"merge", "merged", "split"}}
    return frozenset(joined | {incident.handling.merged_into}) - {""}
