"""The outbox's sender: lease → send → mark. A crash between gives a duplicate, never a loss.

What a channel's rate leaves is reckoned from the outbox's own times, so a restart does not fill it up again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from alerts import DeliveryError, Incident, Notification, Receipt
from alerts.render.wording import worded
from alerts.retry import FAILURES, PROBE, is_down, is_the_channels, next_attempt
from alerts.silence import RULE as SILENCE
from alerts.texts import Texts
from listener.charts import charted
from listener.metrics import Metrics
from listener.storage import holds, outbox
from listener.storage.database import Database, StorageError
from listener.storage.outbox import Address, Entry, Ready
from listener.turns import Line, Turns

IN_A_ROW = 20  # messages to a channel without a rate before the outbox is read again
RUN = timedelta(seconds=0.25)  # and how long they may take together: red that comes meanwhile waits for no more
LOOK = timedelta(seconds=0.05)  # between two readings of the outbox while all goes on: each reads all that waits
AT_ONCE = 16  # sends under way over all channels
_IDLE = timedelta(seconds=30)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the newest delivery to a channel ended for good, for the self-check: sent, or given up and why."""

    at: datetime
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a channel took, and when; not kept yet."""

    entry: Entry
    receipt: Receipt
    at: datetime


class Sender:
    """Sends what is due: one at a time per channel, in order per incident, highest level first, within its rate.

    What would wait too long for its turn goes in one message with the rest of its channel's.
    """

    def __init__(
        self,
        database: Database,
        lines: Mapping[Address, Line],
        *,
        console: Callable[[str], str],
        timezone: str,
        metrics: Metrics,
        now: Callable[[], datetime],
        due: Callable[[Incident], datetime | None] = lambda _: None,
    ) -> None:
        """*due*: by when the public must have an answer, as is configured by now."""
        self.lines = lines
        self.timezone = timezone
        self.outcomes: dict[Address, Outcome] = {}
        self.wake = asyncio.Event()
        self._database = database
        self._console = console
        self._metrics = metrics
        self._now = now
        self._due = due
        self._under_way: dict[str, asyncio.Task[None]] = {}  # by account
        self._failing: dict[Address, str] = {}
        self._misworded: dict[tuple[str, str, str], str] = {}  # receiver, channel and text → why it failed last
        self._stopping = False
        self._looked: datetime | None = None

    async def step(self, now: datetime) -> datetime:
        """Begin what may be sent; when to look again if nothing wakes it before."""
        ended = self._raise_broken()
        if self._under_way and not ended and self._looked is not None and now - LOOK < self._looked <= now:
            return self._looked + LOOK
        self._looked = now
        turns = Turns(self.lines)
        async with self._database.read("outbox") as connection:
            ready = await outbox.ready(connection, now, most=IN_A_ROW)
            waiting = await outbox.next_ready(connection, now)
            pending, oldest, dead = await outbox.health(connection, now=now)
            down = await holds.down(connection)
            known = [one for one in ready if one.address in self.lines]
            rows = {name: [one for one in known if turns.account(one.address) == name] for name in map(turns.of, known)}
            opens = {name: await turns.opens(connection, row[0], now) for name, row in rows.items()}
        self._metrics.outbox_pending.set(pending)
        self._metrics.outbox_oldest.set((now - oldest).total_seconds() if oldest else 0.0)
        self._metrics.outbox_dead.set(dead)
        self._metrics.breaker_open.clear()  # of channels that the configuration no longer has
        for address in self.lines:
            self._metrics.breaker_open.labels(*address).set(address in down)
        if len(known) < len(ready):
            await self._give_up_unknown(now)
        for name, row in rows.items():
            if name in self._under_way:
                continue  # the end of what is under way wakes this loop
            if opens[name] <= now and len(self._under_way) < AT_ONCE and not self._stopping:
                # Where the channel sets a rate, each asks for its turn; else some go before this loop looks again.
                some = row[:1] if turns.paced(row[0].address) else row
                self._under_way[name] = asyncio.create_task(self._deliver(some), name=f"send {row[0].address[0]}")
        return min(at for at in (waiting, now + _IDLE, *opens.values()) if at is not None and at > now)

    def _raise_broken(self) -> bool:
        """A send that ended with something other than a delivery's outcome is a fault of ours; it is not hidden.

        Whether any ended.
        """
        done = [(account, task) for account, task in self._under_way.items() if task.done()]
        for account, task in done:
            del self._under_way[account]
            task.result()
        return bool(done)

    async def _give_up_unknown(self, now: datetime) -> None:
        async with self._database.write("outbox") as connection:
            gone = await outbox.give_up_on_unknown(connection, frozenset(self.lines), now=now)
        for receiver, channel in gone:
            _log.error("notification_given_up", receiver=receiver, channel=channel, reason="unknown_channel")
            self.outcomes[receiver, channel] = Outcome(now, "unknown_channel", "the channel left the configuration")

    async def _deliver(self, some: Sequence[Ready]) -> None:
        """One after the other, until one fails: those behind it wait for what that means for the channel.

        That one was sent is kept in the transaction that takes the next: a row more on disk would cost as much again.
        """
        sent: _Sent | None = None
        lines = self.lines  # a reload exchanges them while this waits
        until = self._now() + RUN
        try:
            for number, one in enumerate(some):
                if number and (self._stopping or self._now() >= until):
                    break
                if one.address not in lines:
                    break
                entry = await self._lease(one, sent, lines)
                sent = None
                if entry is not None and (sent := await self._send(entry, lines[one.address])) is None:
                    break
        except StorageError as error:
            _log.error("lease_failed", receiver=some[0].address[0], channel=some[0].address[1], detail=error.detail)
            await asyncio.sleep(1)
        finally:
            if sent is not None:
                await self._until_kept(partial(self._lease, None, sent, lines))
            self.wake.set()

    async def _lease(self, one: Ready | None, sent: "_Sent | None", lines: Mapping[Address, Line]) -> Entry | None:
        """Keep what was sent, and take the next; None: there is none, or it waits no more."""
        entry, failures = None, 0
        async with self._database.write("outbox") as connection:
            now = self._now()
            if sent is not None:
                receipt = Receipt(sent.receipt.ref, sent.at)
                await outbox.mark_sent(connection, sent.entry.id, receipt, digest=bool(sent.entry.digest))
                sharing = Turns(lines).sharing((sent.entry.receiver, sent.entry.channel))
                failures = await holds.recovered(connection, sharing, now=now)
            if one is not None:
                also = await Turns(lines).also(connection, one, now)
                entry = await outbox.lease(connection, one.id, now, also=also, carries=one.carries)
        if sent is not None:
            self._sent(sent.entry, sent.receipt, failures, sent.at)
        return entry

    async def _send(self, entry: Entry, line: Line) -> "_Sent | None":
        """None: it failed, and that is kept."""
        address = (entry.receiver, entry.channel)
        try:
            notification = self._message(entry, line)
            if line.texts is not None:
                notification = self._worded(notification, line.texts, address)
            if line.charts:
                notification = await charted(notification, self._database, self._metrics)
            receipt = await line.channel.send(notification)
        except DeliveryError as error:
            await self._until_kept(partial(self._failed, entry, error))
            return None
        except Exception as error:  # noqa: BLE001  a bug in one channel must not stop the others; it is tried again
            _log.critical("channel_broke", receiver=entry.receiver, channel=entry.channel, exc_info=error)
            bug = DeliveryError("refused", f"bug: {type(error).__name__}", retryable=True, perhaps_arrived=True)
            await self._until_kept(partial(self._failed, entry, bug))
            return None
        return _Sent(entry, receipt, self._now())

    def _worded(self, notification: Notification, texts: Texts, address: Address) -> Notification:
        """In the operator's words; ours stand where a template of his fails, and that is told once until it works."""
        told = worded(notification, texts)
        for text, why in told.failed:
            self._metrics.templates_failed.labels(*address, text).inc()
            if self._misworded.get((*address, text)) != why:
                _log.error("template_failed", receiver=address[0], channel=address[1], part=text, detail=why)
        self._misworded = {key: why for key, why in self._misworded.items() if key[:2] != address}
        self._misworded |= {(*address, text): why for text, why in told.failed}
        return told.notification

    def _message(self, entry: Entry, line: Line) -> Notification:
        if not entry.digest:
            return self._notification(entry, line)
        parts = tuple(self._notification(part, line) for part in entry.digest)
        return replace(
            parts[0],
            key=entry.key,
            previous=None,
            console_url=self._console(""),
            digest=parts,
            perhaps_repeated=entry.doubtful and line.shows_twice(None),
        )

    def _notification(self, entry: Entry, line: Line) -> Notification:
        return Notification(
            key=entry.key,
            revision=entry.revision,
            kind=entry.kind,
            incident=entry.incident,
            language=line.language,
            previous=entry.previous,
            console_url=self._console("" if entry.alive or entry.incident.lead.rule == SILENCE else entry.incident.id),
            timezone=self.timezone,
            was=entry.was,
            deferred=bool(entry.batch),
            at=self._now(),
            respond_by=self._due(entry.incident),
            note=entry.note,
            perhaps_repeated=entry.doubtful and line.shows_twice(entry.previous),
            passed_on=entry.passed_on,
            alive=entry.alive,
        )

    async def _until_kept(self, write: Callable[[], Awaitable[object]]) -> None:
        """What happened must be kept, or the message goes twice: tried until the database takes it."""
        while True:
            try:
                await write()
            except StorageError as error:
                self._metrics.storage_failures.labels(error.operation).inc()
                await asyncio.sleep(1)
            else:
                return

    def _sent(self, entry: Entry, receipt: Receipt, failures: int, now: datetime) -> None:
        address = (entry.receiver, entry.channel)
        self.outcomes[address] = Outcome(now, "")
        if self._failing.pop(address, None) or is_down(failures):
            _log.info("channel_recovered", receiver=entry.receiver, channel=entry.channel)
        if receipt.missing:
            self._metrics.incomplete.labels(*address).inc()
            _log.warning(
                "notification_incomplete", receiver=entry.receiver, channel=entry.channel, incident=entry.incident.id,
                detail=receipt.missing,
            )  # fmt: skip
        for part in entry.digest or (entry,):
            self._told(part, entry, now)

    def _told(self, part: Entry, entry: Entry, now: datetime) -> None:
        self._metrics.sent.labels(part.receiver, part.channel).inc()
        _log.info(
            "notification_sent", receiver=part.receiver, channel=part.channel, incident=part.incident.id,
            attempts=entry.attempts, detail=f"{part.kind} in a digest of {len(entry.digest)}" if entry.digest else part.kind,
        )  # fmt: skip
        self._metrics.hops.labels("fired_sent").observe((now - part.created_at).total_seconds())
        newest = max((e.published_at for e in part.incident.lead.excerpts if e.published_at), default=None)
        if part.kind == "open" and newest is not None:
            seconds = (now - newest).total_seconds()
            self._metrics.hops.labels("published_sent").observe(seconds)
            self._metrics.mention_to_notification.observe(seconds)

    async def _failed(self, entry: Entry, error: DeliveryError) -> None:
        now = self._now()
        address = (entry.receiver, entry.channel)
        self._metrics.send_failures.labels(*address, error.reason).inc()
        sharing = Turns(self.lines).sharing(address)
        async with self._database.write("outbox") as connection:
            failures = await holds.failed(connection, sharing, now=now) if is_the_channels(error) else 0
            retry_at = next_attempt(
                error,
                attempts=entry.attempts,
                first_at=entry.created_at,
                now=now,
                random=random.random(),
                failures=failures,
            )
            if retry_at is None:
                await outbox.mark_dead(connection, entry.id, error=str(error), now=now)
            else:
                doubtful = error.perhaps_arrived
                await outbox.mark_failed(connection, entry.id, error=str(error), retry_at=retry_at, doubtful=doubtful)
            quiet = max(error.retry_after or timedelta(0), PROBE if is_down(failures) else timedelta(0))
            if quiet:
                await holds.hold(connection, sharing, now + quiet, now=now)
        if failures == FAILURES:
            _log.warning("channel_suspended", receiver=entry.receiver, channel=entry.channel, reason=error.reason)
        if retry_at is None:
            self.outcomes[address] = Outcome(now, error.reason, error.detail)
            for part in entry.digest or (entry,):
                self._metrics.dead.labels(*address, error.reason).inc()
                _log.error(
                    "notification_given_up", receiver=entry.receiver, channel=entry.channel, reason=error.reason,
                    incident=part.incident.id, attempts=entry.attempts, detail=error.detail,
                )  # fmt: skip
        elif self._failing.get(address) != error.reason:
            _log.warning(
                "delivery_failed", receiver=entry.receiver, channel=entry.channel, reason=error.reason,
                incident=entry.incident.id, attempts=entry.attempts, detail=error.detail,
            )  # fmt: skip
        self._failing[address] = error.reason

    async def stop(self, patience: float) -> None:
        """Let what is under way end; what does not is sent again after the next start."""
        self._stopping = True
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with suppress(StorageError):  # the next start does the same
            async with self._database.write("outbox") as connection:
                await outbox.release(connection)
