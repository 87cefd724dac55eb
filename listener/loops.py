"""The frame of every loop: step, tell the pulse, sleep until the next is due. Nothing else in the program sleeps."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from listener.clock import utc_now
from listener.health import Health
from listener.metrics import Metrics
from listener.pulse import Pulse
from listener.storage.database import StorageError

_RETRY = timedelta(seconds=1)
_log = structlog.get_logger()


class Loops:
    """What the loops of one program share: a database that refuses is told of once, and tried again every second."""

    def __init__(self, health: Health, pulse: Pulse, metrics: Metrics) -> None:
        self.pulse = pulse
        self._health = health
        self._metrics = metrics

    async def keep_going(
        self,
        name: str,
        step: Callable[[datetime], Awaitable[datetime]],
        *,
        wake: asyncio.Event | None = None,
    ) -> None:
        while True:
            if wake is not None:
                wake.clear()
            self.pulse.began(name, utc_now())
            try:
                due = await step(utc_now())
            except StorageError as error:
                due = utc_now() + _RETRY
                self.storage_failed(name, error)
            else:
                if self._health.clear(name):
                    _log.info("storage_recovered", detail=name)
            self.pulse.ended(name, due)
            await sleep_until(due, wake)

    async def until_kept(self, name: str, write: Callable[[], Awaitable[object]]) -> None:
        """Tried until the database takes it."""
        while True:
            try:
                await write()
            except StorageError as error:
                self.storage_failed(name, error)
                await asyncio.sleep(_RETRY.total_seconds())
            else:
                self._health.clear(name)
                return

    def storage_failed(self, part: str, error: StorageError) -> None:
        self._metrics.storage_failures.labels(error.operation).inc()
        if self._health.report(part, f"the database refused: {error.detail}"):
            _log.error("storage_failed", reason=error.operation, detail=error.detail)


async def sleep_until(due: datetime, wake: asyncio.Event | None) -> None:
    seconds = (due - utc_now()).total_seconds()
    if wake is None:
        await asyncio.sleep(max(0.0, seconds))
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await wake.wait()
