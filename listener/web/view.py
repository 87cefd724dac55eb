"""What the status page says, decided from the reader's values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import AlertEvent, Incident, Level
from alerts.handling import State
from alerts.playbook import Playbook, named_by
from alerts.silence import Silence
from listener.web.status import (
    HeldBack,
    OnTrial,
    OutboxHealth,
    RefusedReload,
    SourceHealth,
    StoryLine,
    TopicVolume,
    VolumePoint,
)

RECENT = timedelta(days=7)
DAY = timedelta(hours=24)
SLOT = timedelta(minutes=30)
IN_FULL = 20  # open incidents with excerpts; a storm's others are told in a line, so that the page stays light
RESOLVED = 15
ON_TRIAL = 15


@dataclass(frozen=True, slots=True)
class Glance:
    """What a person must know within a second."""

    sources: int
    blind: tuple[SourceHealth, ...]
    failing: tuple[SourceHealth, ...]
    waiting: tuple[SourceHealth, ...]
    open: int
    level: Level | None
    problems: tuple[str, ...]

    @property
    def all_seen(self) -> bool:
        return self.sources > 0 and not (self.blind or self.failing or self.waiting)


@dataclass(frozen=True, slots=True)
class Status:
    glance: Glance
    full: tuple[Incident, ...]
    brief: tuple[Incident, ...]
    resolved: tuple[Incident, ...]
    sources: tuple[SourceHealth, ...]
    outbox: OutboxHealth
    refused: RefusedReload | None
    trial: OnTrial
    silences: Mapping[str, tuple[Silence, ...]] = field(default_factory=dict)  # by incident, those that hold it
    held: HeldBack = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Volume:
    """A topic's day: sums over its slots, the slots that hold something, newest first, and what was passed on most."""

    topic: str
    title: str
    competitor_of: str
    total: VolumePoint
    slots: tuple[VolumePoint, ...]
    stories: tuple[StoryLine, ...] = ()


def status(
    incidents: Sequence[Incident],
    sources: Sequence[SourceHealth],
    outbox: OutboxHealth,
    problems: Sequence[str],
    refused: RefusedReload | None = None,
    trial: OnTrial | None = None,
    silences: Sequence[Silence] = (),
    held: HeldBack | None = None,
) -> Status:
    """The status page's values: open incidents by level, then newest; what cannot be seen first among the sources."""
    unresolved = sorted((each for each in incidents if each.open), key=lambda each: (-each.level, -stamp(each)))
    resolved = sorted((each for each in incidents if not each.open), key=lambda each: -stamp(each))

    def those(state: str) -> tuple[SourceHealth, ...]:
        return tuple(source for source in sources if source.state == state)

    glance = Glance(
        sources=len(sources),
        blind=those("blind"),
        failing=those("failing"),
        waiting=those("waiting"),
        open=len(unresolved),
        level=unresolved[0].level if unresolved else None,
        problems=tuple(problems),
    )
    order = ("blind", "failing", "waiting", "ok")
    return Status(
        glance=glance,
        full=tuple(unresolved[:IN_FULL]),
        brief=tuple(unresolved[IN_FULL:]),
        resolved=tuple(resolved[:RESOLVED]),
        sources=tuple(sorted(sources, key=lambda source: order.index(source.state))),
        outbox=outbox,
        refused=refused,
        trial=trial or OnTrial(),
        silences={
            each.id: tuple(one for one in silences if each.level <= one.level and one.matches(each))
            for each in unresolved
        },
        held=held or {},
    )


def ranked(incident: Incident) -> tuple[AlertEvent, ...]:
    """Its alerts as ``Incident.lead`` ranks them: open before resolved, then by level, then the newest."""
    order = sorted(incident.alerts, key=lambda event: (event.event != "resolved", event.level, event.at))
    return tuple(reversed(order))


@dataclass(frozen=True, slots=True)
class ShownPlaybook:
    """What a rule names, and its steps where it could be read. ``done``: the numbers of those that are ticked off."""

    link: str
    found: Playbook | None
    done: frozenset[int]
    elsewhere: tuple[str, ...] = ()


def playbooks(incident: Incident, known: Mapping[str, Playbook]) -> tuple[ShownPlaybook, ...]:
    """Those of its alerts, in order of opening; steps that were ticked off and belong to none stand with the first."""
    checked = incident.handling.checked
    shown = []
    told: set[str] = set()
    for name in named_by(incident):
        found = known.get(name)
        steps = {found.step(number): number for number in range(1, found.length + 1)} if found else {}
        told |= steps.keys()
        shown.append(ShownPlaybook(name, found, frozenset(steps[step] for step in checked if step in steps)))
    rest = tuple(step for step in checked if step not in told)
    if rest:
        first = shown[0] if shown else ShownPlaybook("", None, frozenset())
        shown[:1] = [replace(first, elsewhere=rest)]
    return tuple(shown)


def next_acts(incident: Incident) -> tuple[str, ...]:
    """What can be done about it now, by the names of ``listener incident``, the likeliest first."""
    if incident.handling.merged_into:
        return ()
    if incident.state == "resolved" and incident.firing:
        return ("reopen", "note")
    return _NEXT[incident.state]


_NEXT: Mapping[State, tuple[str, ...]] = {
    "open": ("ack", "respond", "resolve", "note"),
    "acknowledged": ("respond", "resolve", "assign", "note", "unack"),
    "mitigating": ("resolve", "assign", "note", "unack"),
    "resolved": ("close", "note"),
    "closed": ("note",),
}


def stamp(incident: Incident) -> float:
    return incident.updated_at.timestamp()


def last_day(now: datetime) -> tuple[datetime, datetime]:
    """From and until of 48 slots, the last of which is running; slots start at whole half hours of UTC."""
    slots = (now - datetime(1970, 1, 1, tzinfo=UTC)) // SLOT + 1
    until = datetime(1970, 1, 1, tzinfo=UTC) + slots * SLOT
    return until - DAY, until


def volumes(
    topics: Sequence[TopicVolume], stories: Mapping[str, tuple[StoryLine, ...]] | None = None
) -> tuple[Volume, ...]:
    titles = {topic.topic: topic.title or topic.topic for topic in topics}
    return tuple(
        Volume(
            topic=topic.topic,
            title=titles[topic.topic],
            competitor_of=titles.get(topic.competitor_of, topic.competitor_of) if topic.competitor_of else "",
            total=total(topic),
            slots=tuple(point for point in reversed(topic.points) if point.total),
            stories=(stories or {}).get(topic.topic, ()),
        )
        for topic in topics
    )


def total(topic: TopicVolume) -> VolumePoint:
    return VolumePoint(
        at=topic.points[0].at if topic.points else datetime.min.replace(tzinfo=UTC),
        negative=sum(point.negative for point in topic.points),
        neutral=sum(point.neutral for point in topic.points),
        positive=sum(point.positive for point in topic.points),
        unknown=sum(point.unknown for point in topic.points),
    )


def chart(topics: Sequence[TopicVolume], zone: ZoneInfo) -> dict[str, object]:
    """The chart's data as JSON has it: one list per topic and sentiment, one entry per slot; times in *zone*."""
    return {
        "zone": zone.key,
        "slot_minutes": SLOT // timedelta(minutes=1),
        "topics": [
            {
                "topic": topic.topic,
                "times": [point.at.astimezone(zone).isoformat(timespec="minutes") for point in topic.points],
                "negative": [point.negative for point in topic.points],
                "neutral": [point.neutral for point in topic.points],
                "positive": [point.positive for point in topic.points],
                "unknown": [point.unknown for point in topic.points],
            }
            for topic in topics
        ],
    }
