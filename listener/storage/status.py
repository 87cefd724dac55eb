"""The storage side of what the pages read."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident
from alerts.deadline import ResponseTimes, respond_by
from alerts.incident import related
from alerts.silence import Silence
from listener.storage import acts, alerting, silences, stories
from listener.storage import outbox as outbox_store
from listener.storage.alerting import find
from listener.storage.database import Database, StorageError
from listener.storage.sources import SourceState
from listener.storage.tables import mentions, outbox, rollups
from listener.web.status import (
    DeliveryStatus,
    HeldBack,
    IncidentPage,
    OnTrial,
    OutboxHealth,
    SourceHealth,
    StatusError,
    StoryLine,
    TopicVolume,
    TrialAlert,
    VolumePoint,
)
from rules.rising import RISES
from rules.story_facts import story_facts

_STORIES = 3  # per topic
_MEMBERS = 50  # of a story that are read for a line about it
_LABELS = ("negative", "neutral", "positive", "unknown")


@dataclass(frozen=True, slots=True)
class ShownSource:
    id: str
    type: str
    channel: str
    tier: str
    blindness: timedelta


@dataclass(frozen=True, slots=True)
class ShownTopic:
    id: str
    title: str
    competitor_of: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the configuration the pages name, in its order."""

    sources: Sequence[ShownSource]
    topics: Sequence[ShownTopic]
    on_trial: Sequence[str] = ()  # ids of rules
    times: ResponseTimes = field(default_factory=ResponseTimes)


class StoredStatus:
    """Implements listener.web.status.StatusReader. ``shown`` is exchanged by a reload."""

    def __init__(
        self,
        database: Database,
        shown: Shown,
        states: Mapping[str, SourceState],
        *,
        started_at: datetime,
        now: Callable[[], datetime],
        notes: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self.shown = shown
        self._notes = notes
        self._database = database
        self._states = states
        self._started_at = started_at
        self._now = now

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.read("status") as connection:
                yield connection
        except StorageError as error:
            raise StatusError(str(error)) from error

    async def incidents(self, *, since: datetime) -> tuple[Incident, ...]:
        async with self._reading() as connection:
            return tuple(await alerting.recent(connection, since=since))

    async def incident(self, id: str) -> IncidentPage | None:  # noqa: A002
        async with self._reading() as connection:
            page = await incident_page(connection, id, self._now())
        return page and replace(page, respond_by=respond_by(page.incident, self.shown.times))

    async def silences(self) -> tuple[Silence, ...]:
        async with self._reading() as connection:
            return tuple(await silences.active(connection, self._now()))

    async def held(self) -> HeldBack:
        async with self._reading() as connection:
            return await alerting.held_back(connection)

    async def sources(self) -> tuple[SourceHealth, ...]:
        now = self._now()
        query = (
            select(mentions.c.source, func.count())
            .where(mentions.c.collected_at > now - timedelta(days=1))
            .group_by(mentions.c.source)
        )
        async with self._reading() as connection:
            counted = {row[0]: row[1] for row in await connection.execute(query)}
        return tuple(self._health(source, counted.get(source.id, 0), now) for source in self.shown.sources)

    def _health(self, source: ShownSource, count: int, now: datetime) -> SourceHealth:
        state = self._states.get(source.id) or SourceState(source.id)
        seen = state.last_success or self._started_at
        blind = now - seen > source.blindness
        polled = state.last_poll is not None
        return SourceHealth(
            id=source.id,
            type=source.type,
            channel=source.channel,
            tier=source.tier,
            state="blind" if blind else "failing" if state.failures else "ok" if polled else "waiting",
            last_success=state.last_success,
            last_poll=state.last_poll,
            next_poll=state.next_poll,
            failures=state.failures,
            reason=state.reason,
            mentions_day=count,
            newest_published=state.newest_published,
        )

    async def volumes(self, *, since: datetime, until: datetime, slot: timedelta) -> tuple[TopicVolume, ...]:
        """Whole slots, counted from the epoch, that overlap since..until."""
        query = (
            select(rollups.c.topic, rollups.c.slot, *(func.sum(rollups.c[label]) for label in _LABELS))
            .where(rollups.c.slot >= _floor(since, slot), rollups.c.slot < until)
            .group_by(rollups.c.topic, rollups.c.slot)
        )
        counted: dict[tuple[str, datetime], list[int]] = {}
        async with self._reading() as connection:
            for topic, at, *counts in await connection.execute(query):
                row = counted.setdefault((topic, _floor(at, slot)), [0, 0, 0, 0])
                counted[topic, _floor(at, slot)] = [a + b for a, b in zip(row, counts, strict=True)]
        slots = []
        at = _floor(since, slot)
        while at < until:
            slots.append(at)
            at += slot
        return tuple(
            TopicVolume(
                topic=topic.id,
                title=topic.title,
                competitor_of=topic.competitor_of,
                points=tuple(VolumePoint(at, *counted.get((topic.id, at), (0, 0, 0, 0))) for at in slots),
            )
            for topic in self.shown.topics
        )

    async def stories(self, *, since: datetime, until: datetime) -> Mapping[str, tuple[StoryLine, ...]]:
        found: dict[str, tuple[StoryLine, ...]] = {}
        async with self._reading() as connection:
            for topic in self.shown.topics:
                largest = await stories.largest(connection, topic.id, since=since, until=until, most=_STORIES)
                lines = [await _story_line(connection, one) for one in largest]
                if lines:
                    found[topic.id] = tuple(lines)
        return found

    async def on_trial(self, *, since: datetime) -> OnTrial:
        async with self._reading() as connection:
            events = await alerting.on_trial(connection, since=since)
        found: dict[str, TrialAlert] = {}
        for event in events:
            old = found.get(event.alert)
            over = event.event == "resolved"
            found[event.alert] = TrialAlert(
                opened_at=old.opened_at if old else event.at,
                resolved_at=event.at if over else None,
                level=max(old.level, event.level) if old else event.level,
                event=old.event if old and over else event,
            )
        alerts = sorted(found.values(), key=lambda alert: (alert.opened_at, alert.event.alert), reverse=True)
        return OnTrial(tuple(self.shown.on_trial), tuple(alerts))

    async def outbox(self) -> OutboxHealth:
        async with self._reading() as connection:
            pending, oldest, dead = await outbox_store.health(connection, now=self._now())
        return OutboxHealth(pending, oldest, dead, self._notes())


async def incident_page(connection: AsyncConnection, name: str, now: datetime) -> IncidentPage | None:
    """All of one incident, by its id or number; its newest 100 deliveries."""
    found = await find(connection, name)
    if found is None:
        return None
    query = select(outbox).where(outbox.c.incident == found.id).order_by(outbox.c.id.desc()).limit(100)
    deliveries = tuple(
        DeliveryStatus(
            receiver=row.receiver,
            channel=row.channel,
            kind=row.kind,
            state="pending" if row.state in {"leased", "digested"} else row.state,
            at=row.done_at or row.created_at,
            attempts=row.attempts,
            error=row.error,
        )
        for row in await connection.execute(query)
    )
    told = await alerting.told_of(connection, found.id)
    return IncidentPage(
        found,
        tuple(await alerting.history(connection, found)),
        deliveries,
        tuple(await acts.judgements(connection, incidents=[found.id])),
        held=tuple((receiver, row.held) for receiver, row in told.items() if row.held is not None),
        silences=tuple(one for one in await silences.active(connection, now) if one.holds(found, found.level, now)),
        numbers=await alerting.numbers(connection, related(found)),
    )


async def _story_line(connection: AsyncConnection, one: stories.TopicStory) -> StoryLine:
    """Told by its first members: where it began, and where it went first."""
    facts = story_facts(one.story, await stories.members(connection, one.story, most=_MEMBERS))
    return StoryLine(
        title=facts.title,
        url=facts.first_url,
        copies=one.copies,
        channels=tuple(name for name, _ in facts.channels),
        first_at=facts.first_at,
        rising=one.rising >= RISES,
    )


def _floor(at: datetime, slot: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (at - epoch) // slot * slot
