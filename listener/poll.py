"""When to ask a source again: interval, jitter, backoff, waits. Collectors know nothing of this."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from listener.collector import Batch, CollectError, Collector
from listener.collectors import SourceConfig
from listener.metrics import Metrics
from listener.storage.sources import SourceState

BACKOFF_CAP = timedelta(hours=1)
RETRY_AFTER_CAP = timedelta(hours=24)  # a source that asks for a year is asked again tomorrow
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Polled:
    """One poll that ended, on its way to the pipeline: a batch or an error, and when the next poll is."""

    source: SourceConfig
    started_at: datetime
    ended_at: datetime
    next_poll: datetime
    batch: Batch | None = None
    error: CollectError | None = None
    kept: asyncio.Event = field(default_factory=asyncio.Event, compare=False)  # set once it is in the database


def next_poll(
    source: SourceConfig, *, ended_at: datetime, failures: int, wait: timedelta | None, more: bool, chance: float
) -> datetime:
    """When the poll after this one is. *chance*: uniform in 0..1.

    Good: the interval, give or take a tenth, so that sources do not march in step. Failed: doubled each time up to an hour
    (or the interval, where that is longer), never given up. What the source asked for (Retry-After, ttl) is the least.
    """
    if more:
        return ended_at
    if failures:
        doubled: timedelta = source.every * 2 ** min(failures - 1, 16)
        slowed = min(doubled, max(BACKOFF_CAP, source.every))
        pause = slowed * (0.75 + chance / 4)
    else:
        pause = source.every * (0.9 + chance / 5)
    if wait is not None:
        pause = max(pause, min(wait, RETRY_AFTER_CAP))
    return ended_at + pause


class Poller:
    """Polls one source and hands on what came; the next poll waits until that is kept."""

    def __init__(
        self,
        source: SourceConfig,
        collector: Collector,
        state: SourceState,
        *,
        hand_on: Callable[[Polled], Awaitable[None]],
        host: asyncio.Semaphore,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self.source = source
        self._collector = collector
        self._cursor = state.cursor
        self._failures = state.failures
        # Not all at once at start, and not sooner than was planned before a restart.
        spread = min(source.every / 10, timedelta(seconds=5)) * random.random()
        planned = state.next_poll if state.next_poll and state.next_poll < now() + BACKOFF_CAP else None
        self.next_poll = max(planned or now(), now()) + spread
        self._hand_on = hand_on
        self._host = host
        self._metrics = metrics
        self._now = now

    async def step(self, now: datetime) -> datetime:
        if now < self.next_poll:
            return self.next_poll
        async with self._host:
            started_at = self._now()
            batch, error = await self._collect()
        ended_at = self._now()
        self._failures = self._failures + 1 if error else 0
        wait = error.retry_after if error else batch.wait if batch else None
        self.next_poll = next_poll(
            self.source,
            ended_at=ended_at,
            failures=self._failures,
            wait=wait,
            more=batch is not None and batch.more,
            chance=random.random(),
        )
        await self._hand_on(Polled(self.source, started_at, ended_at, self.next_poll, batch, error))
        if batch is not None:
            self._cursor = batch.cursor
        return self.next_poll

    async def _collect(self) -> tuple[Batch | None, CollectError | None]:
        try:
            return await self._collector.collect(self._cursor), None
        except CollectError as error:
            return None, error
        except Exception as error:  # noqa: BLE001  a bug in one collector must not blind the others
            _log.critical("collector_broke", source=self.source.id, exc_info=error)
            return None, CollectError(self.source.id, "bug", type(error).__name__)
