"""Channels whose receiver forgets (Alertmanager) are told again what is open there."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from alerts import DeliveryError, Notification, Refreshing
from alerts.render.wording import worded
from listener.metrics import Metrics
from listener.storage import outbox
from listener.storage.database import Database, StorageError
from listener.storage.outbox import Address
from listener.turns import Line

_IDLE = timedelta(minutes=10)
_log = structlog.get_logger()


class Refresher:
    """Tells each such channel again at its own pace. One that refuses is told at its next turn, not sooner."""

    def __init__(
        self,
        database: Database,
        lines: Mapping[Address, Line],
        *,
        console: Callable[[str], str],
        timezone: str,
        metrics: Metrics,
    ) -> None:
        self.lines = lines
        self.timezone = timezone
        self._database = database
        self._console = console
        self._metrics = metrics
        self._due: dict[Address, datetime] = {}
        self._failing: dict[Address, str] = {}

    async def step(self, now: datetime) -> datetime:
        channels = {address: line for address, line in self.lines.items() if isinstance(line.channel, Refreshing)}
        self._due = {address: self._due.get(address, now) for address in channels}
        for address, line in channels.items():
            if self._due[address] <= now and isinstance(line.channel, Refreshing):
                self._due[address] = now + line.channel.refresh_every
                await self._refresh(address, line, line.channel)
        return min(self._due.values(), default=now + _IDLE)

    async def _refresh(self, address: Address, line: Line, channel: Refreshing) -> None:
        async def standing() -> Sequence[Notification]:
            async with self._database.read("refresh") as connection:
                return [self._notification(told, line) for told in await outbox.standing(connection, *address)]

        try:
            await channel.refresh(standing)
        except StorageError:
            raise
        except DeliveryError as error:
            self._metrics.send_failures.labels(*address, error.reason).inc()
            if self._failing.get(address) != error.reason:
                _log.warning(
                    "refresh_failed", receiver=address[0], channel=address[1], reason=error.reason, detail=error.detail
                )
            self._failing[address] = error.reason
        except Exception as error:  # noqa: BLE001  a bug in one channel must not stop the others
            _log.critical("channel_broke", receiver=address[0], channel=address[1], exc_info=error)
        else:
            if self._failing.pop(address, None):
                _log.info("refresh_recovered", receiver=address[0], channel=address[1])

    def _notification(self, told: outbox.New, line: Line) -> Notification:
        notification = Notification(
            key=told.key,
            revision=told.incident.revision,
            kind=told.kind,
            incident=told.incident,
            language=line.language,
            console_url=self._console(told.incident.id),
            timezone=self.timezone,
            note=told.note,
        )
        # In the words in which it was told; where they fail the sender has said so.
        return notification if line.texts is None else worded(notification, line.texts).notification
