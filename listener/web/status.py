"""What the pages show, as values, and the port that storage implements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from alerts import AlertEvent, Incident, Level
from alerts.hold import Held
from alerts.silence import Silence
from alerts.verdict import Judgement

SourceState = Literal["ok", "waiting", "failing", "blind"]
DeliveryState = Literal["pending", "sent", "dead", "superseded"]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source is doing. Times are aware UTC.

    ``waiting``: not polled yet. ``failing``: its last poll failed. ``blind``: no good poll for so long that what is
    said there goes unseen. ``failures``: in a row. ``reason``: of the last failure. ``mentions_day``: in the last 24 h.
    """

    id: str
    type: str
    channel: str
    tier: str
    state: SourceState
    last_success: datetime | None
    last_poll: datetime | None
    next_poll: datetime | None
    failures: int
    reason: str
    mentions_day: int
    newest_published: datetime | None


@dataclass(frozen=True, slots=True)
class VolumePoint:
    """Mentions of one slot by sentiment; ``at`` is the slot's start, aware UTC. ``unknown``: not judged."""

    at: datetime
    negative: int
    neutral: int
    positive: int
    unknown: int

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive + self.unknown


@dataclass(frozen=True, slots=True)
class TopicVolume:
    """A topic's slots in order of time: every slot is there, zeros included."""

    topic: str
    title: str
    competitor_of: str | None
    points: tuple[VolumePoint, ...]


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A story in a line. ``copies``: its mentions that match the topic, in the time that was asked for.

    ``channels`` in the order in which it came there; ``rising``: its share grows faster than chance explains.
    """

    title: str
    url: str
    copies: int
    channels: tuple[str, ...]
    first_at: datetime
    rising: bool


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How the newest try of one notification went. ``kind``: open, update, repeat, resolve or test."""

    receiver: str
    channel: str
    kind: str
    state: DeliveryState
    at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """An incident with its events in order, its deliveries, newest first, and people's verdicts, in order.

    ``held``: by receiver, why it is not told what there is to say. ``silences``: those that hold it.
    ``numbers``: by id, those of the incidents that it was merged with or split from.
    ``respond_by``: when the answer to the public is, or was, due; None where there is no deadline to meet.
    """

    incident: Incident
    history: tuple[AlertEvent, ...]
    deliveries: tuple[DeliveryStatus, ...]
    judgements: tuple[Judgement, ...] = ()
    held: tuple[tuple[str, Held], ...] = ()
    silences: tuple[Silence, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrialAlert:
    """What a rule on trial would have sent. ``event``: its newest before it ended; ``level``: the highest it reached."""

    opened_at: datetime
    resolved_at: datetime | None
    level: Level
    event: AlertEvent


@dataclass(frozen=True, slots=True)
class OnTrial:
    """``rules``: the ids of those with ``mode: shadow``; ``alerts`` newest first, also of rules that are no more."""

    rules: tuple[str, ...] = ()
    alerts: tuple[TrialAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxHealth:
    """``pending`` messages wait, the oldest since ``oldest``; ``dead_day`` were given up in the last 24 hours.

    ``notes``: what else is amiss with telling people, a sentence each: a heartbeat that gets no answer.
    """

    pending: int
    oldest: datetime | None
    dead_day: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedReload:
    """The configuration was read again at ``at`` and refused, ``problems`` being ``file:line:column: path: message``."""

    at: datetime
    problems: tuple[str, ...]


class StatusError(Exception):
    """The reader cannot read now: storage does not answer. The pages say so, 503, and go on asking."""


HeldBack = Mapping[str, Sequence[tuple[str, Held]]]
"""By incident, each receiver that is not told what there is to say, and why."""


class StatusReader(Protocol):
    """Reads; every method may raise StatusError."""

    async def incidents(self, *, since: datetime) -> tuple[Incident, ...]:
        """The open ones and those updated since, newest first."""
        ...

    async def incident(self, id: str) -> IncidentPage | None:  # noqa: A002 - the page's own word
        """One incident by its id or number; None where there is none."""
        ...

    async def silences(self) -> tuple[Silence, ...]:
        """Those that hold now."""
        ...

    async def held(self) -> HeldBack:
        """Of open incidents, who is not told for now."""
        ...

    async def sources(self) -> tuple[SourceHealth, ...]:
        """Every configured source, in the configuration's order."""
        ...

    async def volumes(self, *, since: datetime, until: datetime, slot: timedelta) -> tuple[TopicVolume, ...]:
        """Every configured topic, in the configuration's order; slots start at *since* and end at *until*."""
        ...

    async def stories(self, *, since: datetime, until: datetime) -> Mapping[str, tuple[StoryLine, ...]]:
        """Per topic its largest stories of two mentions or more, the largest first; topics without any are left out."""
        ...

    async def on_trial(self, *, since: datetime) -> OnTrial:
        """What rules on trial would have sent since."""
        ...

    async def outbox(self) -> OutboxHealth:
        """How the delivery of notifications is doing."""
        ...
