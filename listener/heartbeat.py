"""The dead-man's switch: a request to an outside address for as long as all of the pipeline is truly alive.

Healthchecks and its like expect a GET or POST on an address of one's own, and tell people when none has come for as long as
they were told (healthchecks.io, Pinging API). So nothing here raises an alarm: it only stops.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import aiohttp
import structlog

from alerts import DeliveryError
from alerts.channels.http import Poster, refusal
from listener.config.told import HeartbeatConfig
from listener.health import Health
from listener.metrics import Metrics
from listener.pulse import PATIENCE, Pulse
from listener.storage import marks, outbox
from listener.storage.database import Database, StorageError

_LOOK = timedelta(seconds=5)
_HEADERS = {"User-Agent": "listener"}
_log = structlog.get_logger()


class Heartbeat:
    """Looks at the loops, the decider, the outbox and the database, and asks the address where all of them are well.

    ``tick``: the newest tick that was decided; None before the first. ``step_length``: from one tick to the next.
    """

    def __init__(
        self,
        database: Database,
        session: aiohttp.ClientSession,
        config: HeartbeatConfig | None,
        pulse: Pulse,
        *,
        tick: Callable[[], datetime | None],
        step_length: timedelta,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._session = session
        self._pulse = pulse
        self._tick = tick
        self._step_length = step_length
        self._health = health
        self._metrics = metrics
        self.config = config

    @property
    def config(self) -> HeartbeatConfig | None:
        return self._config

    @config.setter
    def config(self, config: HeartbeatConfig | None) -> None:
        """What is stuck longer than one interval stops the next request, so that it is missed within two."""
        self._config = config
        self._pulse.patience = PATIENCE if config is None else config.every
        self._poster = None
        if config is None:
            self._health.forget("heartbeat")
        else:
            self._poster = Poster(self._session, config.timeout, config.proxy, (config.url,))

    async def step(self, now: datetime) -> datetime:
        stuck = self._pulse.stuck(now)
        if stuck:
            if self._health.report(
                "loops", f"no step for {self._pulse.patience.total_seconds():g} s: {', '.join(stuck)}"
            ):
                _log.error("loops_stuck", detail=", ".join(stuck))
        else:
            self._health.clear("loops")
        config, poster = self._config, self._poster
        if config is None or poster is None:
            return now + _LOOK
        troubles = [*(f"{loop} is stuck" for loop in stuck), *await self._troubles(config, now)]
        self._metrics.heartbeat_withheld.set(bool(troubles))
        if troubles:
            self._tell(f"withheld: {'; '.join(troubles)}")
            return now + min(config.every, _LOOK)
        try:
            body = b"" if config.method == "POST" else None
            answer = await poster.request(config.method, config.url.get_secret_value(), body, _HEADERS)
            refused = refusal(answer, poster.scrub(answer.text[:200]), now)
            if refused is not None:
                raise refused
        except DeliveryError as error:
            self._metrics.heartbeat_failures.labels(error.reason).inc()
            self._tell(f"failed: {error}")
        else:
            self._metrics.heartbeat_at.set(now.timestamp())
            if self._health.forget("heartbeat"):
                _log.info("heartbeat_recovered")
        return now + config.every

    async def _troubles(self, config: HeartbeatConfig, now: datetime) -> Sequence[str]:
        found = []
        tick = self._tick()
        # A tick is due once a step, and nothing is decided that is not written.
        if tick is not None and now - tick > self._step_length + config.every:
            found.append(f"the newest decision is {(now - tick).total_seconds():.0f} s old")
        try:
            async with self._database.read("heartbeat") as connection:
                _, oldest, _ = await outbox.health(connection, now=now)
            async with self._database.write("heartbeat") as connection:
                await marks.set_mark(connection, "heartbeat", now)
        except StorageError as error:
            return [*found, f"the database refused: {error.detail}"]
        if oldest is not None and now - oldest > config.outbox_age:
            found.append(f"a notification has waited {(now - oldest).total_seconds() / 60:.0f} min")
        return found

    def _tell(self, problem: str) -> None:
        """Seen on the page; it keeps nothing from being ready. Only the kind of a problem makes it another one."""
        if self._health.note("heartbeat", problem):
            _log.warning("heartbeat_missed", detail=problem)
