"""What the program watches about itself, every few seconds: its sources, its deliveries, its rules and its escalations."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.decide import Decider
from listener.deliver import Sender
from listener.escalate import Auditor
from listener.intake import Intake
from listener.metrics import Metrics
from listener.parts import Parts
from listener.selfcheck import (
    EVERY,
    SelfCheck,
    delivery_troubles,
    escalation_troubles,
    rule_troubles,
    source_troubles,
    with_newest,
)
from listener.storage import sources
from listener.storage.database import Database
from listener.storage.sources import Arrivals

_LEARNT_FROM = timedelta(days=14)
_COUNT_EVERY = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class SelfWatch:
    """Publishes the program's own alerts. ``parts`` is exchanged by a reload."""

    database: Database
    parts: Parts
    selfcheck: SelfCheck
    intake: Intake
    decider: Decider
    sender: Sender
    auditor: Auditor
    started_at: datetime
    metrics: Metrics
    _arrivals: dict[str, Arrivals] = field(default_factory=dict)
    _next_count: datetime = _NEVER

    async def step(self, now: datetime) -> datetime:
        self.intake.raise_dead()
        if now >= self._next_count:
            async with self.database.read("self-check") as connection:
                self._arrivals = await sources.arrivals(connection, since=now - _LEARNT_FROM)
            self._next_count = now + _COUNT_EVERY
        found, undecided = source_troubles(
            self.parts.sources,
            self.intake.pipeline.states,
            with_newest(self._arrivals, self.intake.pipeline.newest),
            started_at=self.started_at,
            now=now,
            timezone=ZoneInfo(self.parts.config.timezone),
        )
        blind = {trouble.key[0][1] for trouble in found if trouble.rule == "self-source-blind"}
        for source in self.parts.sources:
            self.metrics.source_blind.labels(source).set(source in blind)
        self.metrics.database_bytes.set(self.database.size())
        troubles = [
            *found,
            *delivery_troubles(self.sender.outcomes),
            *rule_troubles(self.decider.engine.failures),
            *escalation_troubles(await self.auditor.look(now)),
        ]
        events = self.selfcheck.compare(troubles, now, undecided=undecided)
        if events:
            await self.decider.publish(events, now)
        return now + EVERY
