"""The wiring, top to bottom: what `listener run` starts, in which order, and how it stops."""

import asyncio
import signal
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts import Because
from alerts.command import Command, Outcome
from alerts.deadline import respond_by
from listener.acted import note
from listener.alive import DailyReport
from listener.catchup import CatchUp, last_seen
from listener.clock import utc_now
from listener.commands import Commands
from listener.config import Config, ConfigError, load
from listener.decide import Decider
from listener.deliver import Outcome as Delivered
from listener.deliver import Sender
from listener.desk import Desk
from listener.escalate import Auditor, Escalator
from listener.fallback import Fallbacks
from listener.flush import Flusher
from listener.guard import guarded_session
from listener.health import Health
from listener.heartbeat import Heartbeat
from listener.http import Http
from listener.incident_desk import StoredDesk
from listener.metrics import Metrics
from listener.parts import brands, build, host_of
from listener.pipeline import MENTIONS_AT_ONCE, POLLS_AT_ONCE, Pipeline, brought
from listener.poll import Polled, Poller
from listener.pulse import Pulse
from listener.refresh import Refresher
from listener.selfcheck import (
    EVERY,
    SelfCheck,
    delivery_troubles,
    escalation_troubles,
    rule_troubles,
    source_troubles,
    with_newest,
)
from listener.slack import Slack
from listener.storage import alerting, escalations, history, holds, mentions, outbox, rows
from listener.storage import sources as source_store
from listener.storage.database import Database, StorageError
from listener.storage.retention import Keep, forget
from listener.storage.sources import Arrivals
from listener.storage.status import StoredStatus
from listener.web.app import create_app, runner
from listener.web.slack import SlackActions
from listener.web.status import RefusedReload
from rules.log import RulesRow
from sentiment import AnalysisError

PER_HOST = 2  # polls under way on one host
QUEUE = 64  # polled batches that wait; when it is full, polling waits
QUIET_WAIT = 0.5  # seconds
_RETRY = timedelta(seconds=1)
_DAY = timedelta(days=1)
_ANSWER = timedelta(seconds=10)
_log = structlog.get_logger()


class ReloadError(Exception):
    """A sound configuration that a running program cannot take."""


class Daemon:
    """One running program. ``run`` returns when it was asked to stop; anything else that ends it is raised."""

    def __init__(self, path: Path, config: Config, *, say: Callable[[str], None]) -> None:
        self._path = path
        self._config = config
        self._say = say
        self._metrics = Metrics(CollectorRegistry())
        self._health = Health(self._metrics)
        self._pulse = Pulse()
        self._stop = asyncio.Event()
        self._queue: asyncio.Queue[Polled] = asyncio.Queue(QUEUE)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        self._polling: list[asyncio.Task[None]] = []
        self._reloading = asyncio.Lock()
        self._refused: RefusedReload | None = None
        self._arrivals: dict[str, Arrivals] = {}
        self._next_count = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            # 1. What may fail, before anything is touched.
            self._database = await Database.open(self._config.storage.url, base=self._config.base)
            stack.push_async_callback(self._database.close)
            self._http = await stack.enter_async_context(Http())
            # The addresses of channels are the operator's own words, and an intranet's chat is a good place for an alert.
            self._session = await stack.enter_async_context(guarded_session(allow_private=True))
            self._parts = await build(self._config, http=self._http, session=self._session)

            # 2. What was known before the last stop.
            self._started_at = utc_now()
            async with self._database.write("start") as connection:
                await outbox.release(connection)
                await escalations.release(connection)
                await holds.set_clock(connection, self._started_at)
            async with self._database.read("start") as connection:
                states = await source_store.load(connection)
                own = await alerting.newest_self(connection)
            self._decider = await Decider.load(
                self._database, step=self._config.step, metrics=self._metrics, now=self._started_at
            )
            self._selfcheck = SelfCheck(own)
            await self._keep_rules()

            # 3. The stages, from the source to the receiver.
            self._pipeline = Pipeline(
                self._database, self._parts.understanding, states, metrics=self._metrics, now=utc_now
            )
            stack.callback(self._pipeline.close)
            self._catch_up = CatchUp(
                self._database,
                self._decider,
                self._pipeline.states,
                last_seen(states),
                *self._watched(),
                zone=ZoneInfo(self._config.timezone),
                started_at=self._started_at,
            )
            self._commands = Commands(
                self._database,
                Desk(self._decider.incidents, lambda: self._parts.playbooks),
                told=self._decider.told.set,
                acted=lambda acted: note(acted, self._metrics),
            )
            self._slack = Slack(self._parts.slack, self._session, self._ask, now=utc_now, metrics=self._metrics)
            stack.push_async_callback(self._slack.stop)
            self._flusher = Flusher(self._database, self._parts.routing, metrics=self._metrics)
            self._escalator = Escalator(self._database, self._flusher, metrics=self._metrics)
            self._auditor = Auditor(self._database, self._flusher, metrics=self._metrics, started_at=self._started_at)
            self._fallbacks = Fallbacks(self._database, self._parts.routing, metrics=self._metrics)
            self._sender = Sender(
                self._database,
                self._parts.lines,
                console=lambda incident: f"{self._url}/incidents/{incident}" if incident else f"{self._url}/",
                timezone=self._config.timezone,
                metrics=self._metrics,
                now=utc_now,
                due=lambda incident: respond_by(incident, self._parts.routing.on_call.times),
            )
            self._refresher = Refresher(
                self._database,
                self._parts.lines,
                console=lambda incident: f"{self._url}/incidents/{incident}",
                timezone=self._config.timezone,
                metrics=self._metrics,
            )
            for event in own.values():
                if event.rule == "self-delivery":  # still refused, as far as is known
                    address = (event.key["receiver"], event.key["channel"])
                    self._sender.outcomes[address] = Delivered(event.at, "refused_before")
            self._status = StoredStatus(
                self._database,
                self._parts.shown,
                states,
                started_at=self._started_at,
                now=utc_now,
                notes=self._health.notes,
            )
            self._report = DailyReport(self._database, self._parts, states, started_at=self._started_at)
            self._heartbeat = Heartbeat(
                self._database,
                self._session,
                self._parts.heartbeat,
                self._pulse,
                tick=lambda: self._decider.engine.tick,
                step_length=self._config.step,
                health=self._health,
                metrics=self._metrics,
            )
            self._url = await self._serve(stack)
            self._metrics.build.info({"version": _version()})
            self._metrics.reload_ok.set(1)
            self._metrics.reload_at.set(self._started_at.timestamp())

            # 4. The loops, until somebody says stop.
            self._listen_to_signals()
            self._say(f"console at {self._url}/")
            await self._loops()

    async def _loops(self) -> None:
        tasks = [
            asyncio.create_task(loop, name=name)
            for name, loop in (
                ("pipeline", self._drain()),
                ("decider", self._keep_going("decider", self._decider.step)),
                ("flush", self._keep_going("flush", self._flusher.step, wake=self._decider.told)),
                ("escalation", self._keep_going("escalation", self._escalator.step, wake=self._flusher.looked)),
                ("sender", self._keep_going("sender", self._sender.step, wake=self._sender.wake)),
                ("fallback", self._keep_going("fallback", self._fallbacks.step)),
                ("refresh", self._keep_going("refresh", self._refresher.step)),
                ("self-check", self._keep_going("self-check", self._check_self)),
                ("catch-up", self._keep_going("catch-up", self._catch_up.step)),
                ("commands", self._keep_going("commands", self._commands.step, wake=self._commands.wake)),
                ("slack", self._keep_going("slack", self._slack.step)),
                ("daily report", self._keep_going("daily report", self._report.step)),
                ("heartbeat", self._keep_going("heartbeat", self._heartbeat.step)),
                ("retention", self._keep_going("retention", self._forget)),
                ("relay", self._relay(self._flusher.put)),
                ("relay of fallbacks", self._relay(self._fallbacks.put)),
                ("relay of reports", self._relay(self._report.put)),
            )
        ]
        self._start_polling()
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a loop never ends by itself: whatever ended it ends the program
                raise RuntimeError(f"{task.get_name()} ended")
        finally:
            await self._wind_down([*tasks, stopping])

    async def _wind_down(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        """Stop asking, keep what was decided, let messages under way arrive; what is left is on disk."""
        await self._stop_polling()
        await self._sender.stop(2.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StorageError):
            await self._decider.snapshot(utc_now())

    # The loops' common frame: the only place that sleeps.

    async def _keep_going(
        self,
        name: str,
        step: Callable[[datetime], Awaitable[datetime]],
        *,
        wake: asyncio.Event | None = None,
    ) -> None:
        while True:
            if wake is not None:
                wake.clear()
            self._pulse.began(name, utc_now())
            try:
                due = await step(utc_now())
            except StorageError as error:
                due = utc_now() + _RETRY
                self._storage_failed(name, error)
            else:
                if self._health.clear(name):
                    _log.info("storage_recovered", detail=name)
            self._pulse.ended(name, due)
            await _sleep_until(due, wake)

    def _storage_failed(self, part: str, error: StorageError) -> None:
        self._metrics.storage_failures.labels(error.operation).inc()
        if self._health.report(part, f"the database refused: {error.detail}"):
            _log.error("storage_failed", reason=error.operation, detail=error.detail)

    async def _relay(self, put: asyncio.Event) -> None:
        """What others put into the outbox is the sender's work."""
        while True:
            await put.wait()
            put.clear()
            self._sender.wake.set()

    async def _drain(self) -> None:
        """Polled batches into the database, in order; while it refuses, nothing is taken from the queue."""
        while True:
            self._pulse.rests("pipeline")
            polls = await self._gather()
            self._pulse.began("pipeline", utc_now())
            self._metrics.queue_depth.set(self._queue.qsize())
            while True:
                try:
                    await self._pipeline.keep(polls)
                except StorageError as error:
                    self._storage_failed("pipeline", error)
                    await asyncio.sleep(_RETRY.total_seconds())
                else:
                    self._health.clear("pipeline")
                    break
            for poll in polls:
                poll.kept.set()

    async def _gather(self) -> list[Polled]:
        """Some polls for one transaction. What brought nothing may wait a moment for company; what brought news may not."""
        polls = [await self._queue.get()]
        mentions = brought(polls[0])
        with suppress(TimeoutError, asyncio.QueueEmpty):
            async with asyncio.timeout(QUIET_WAIT):
                while len(polls) < POLLS_AT_ONCE and mentions < MENTIONS_AT_ONCE:
                    polls.append(self._queue.get_nowait() if mentions else await self._queue.get())
                    mentions += brought(polls[-1])
        return polls

    # Polling

    def _start_polling(self) -> None:
        for source in self._parts.config.sources:
            poller = Poller(
                source,
                self._parts.collectors[source.id],
                self._pipeline.states.get(source.id) or source_store.SourceState(source.id),
                hand_on=self._hand_on,
                host=self._hosts[host_of(source)],
                metrics=self._metrics,
                now=utc_now,
            )
            self._polling.append(asyncio.create_task(self._poll(poller), name=f"poll {source.id}"))

    async def _poll(self, poller: Poller) -> None:
        while True:
            await _sleep_until(await poller.step(utc_now()), None)

    async def _hand_on(self, poll: Polled) -> None:
        await self._queue.put(poll)
        self._metrics.queue_depth.set(self._queue.qsize())
        await poll.kept.wait()

    async def _stop_polling(self) -> None:
        for task in self._polling:
            task.cancel()
        ended = await asyncio.gather(*self._polling, return_exceptions=True)
        self._polling.clear()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _ask(self, command: Command) -> Outcome | None:
        """What a person asks for in a chat."""
        try:
            return (await self._commands.ask(command, wait=_ANSWER)).outcome
        except StorageError as error:
            self._storage_failed("chat", error)
            because = Because("暂时无法保存，请稍后重试。", "It cannot be kept just now; try again later.")
            return Outcome(done=False, because=because, reason="storage")

    # What the program watches about itself

    async def _check_self(self, now: datetime) -> datetime:
        self._raise_dead_pollers()
        if now >= self._next_count:
            async with self._database.read("self-check") as connection:
                self._arrivals = await source_store.arrivals(connection, since=now - 14 * _DAY)
            self._next_count = now + timedelta(hours=1)
        sources, undecided = source_troubles(
            self._parts.sources,
            self._pipeline.states,
            with_newest(self._arrivals, self._pipeline.newest),
            started_at=self._started_at,
            now=now,
            timezone=ZoneInfo(self._config.timezone),
        )
        blind = {trouble.key[0][1] for trouble in sources if trouble.rule == "self-source-blind"}
        for source in self._parts.sources:
            self._metrics.source_blind.labels(source).set(source in blind)
        self._metrics.database_bytes.set(self._database.size())
        troubles = [
            *sources,
            *delivery_troubles(self._sender.outcomes),
            *rule_troubles(self._decider.engine.failures),
            *escalation_troubles(await self._auditor.look(now)),
        ]
        events = self._selfcheck.compare(troubles, now, undecided=undecided)
        if events:
            await self._decider.publish(events, now)
        return now + EVERY

    def _watched(self) -> tuple[dict[str, timedelta], dict[str, str]]:
        """How long each source may be unseen, and the name that people know each topic's brand by."""
        return {source.id: source.blindness for source in self._config.sources}, brands(self._config)

    def _raise_dead_pollers(self) -> None:
        for task in self._polling:
            if task.done() and not task.cancelled():
                task.result()

    async def _forget(self, now: datetime) -> datetime:
        keep = self._config.retention
        deleted = await forget(self._database, Keep(keep.matched, keep.unmatched, keep.rollups), now)
        if any(deleted.values()):
            _log.info("retention_applied", count=sum(deleted.values()))
        return now + timedelta(hours=1)

    # Reload

    async def reload(self) -> None:
        """Read the configuration again. The whole new graph is built first; a bad file keeps the old one running."""
        async with self._reloading:
            try:
                config = await asyncio.to_thread(load, self._path)
                refuse_fixed(self._config, config)
                parts = await build(config, http=self._http, session=self._session)
            except (ConfigError, AnalysisError, ReloadError) as error:
                self._metrics.reload_ok.set(0)
                lines = [str(problem) for problem in error.problems] if isinstance(error, ConfigError) else [str(error)]
                for line in lines:
                    _log.error("reload_refused", detail=line)
                self._refused = RefusedReload(utc_now(), tuple(lines))
                return
            await self._stop_polling()
            gone = set(self._parts.sources) - set(parts.sources)
            self._config, self._parts = config, parts
            await self._until_kept(self._keep_rules)
            self._pipeline.exchange(parts.understanding)
            self._flusher.routing = parts.routing
            self._fallbacks.routing = parts.routing
            self._catch_up.blindness, self._catch_up.brands = self._watched()
            self._catch_up.zone = ZoneInfo(config.timezone)
            self._sender.lines = parts.lines
            self._sender.timezone = config.timezone
            self._slack.apps = parts.slack
            self._refresher.lines = parts.lines
            self._refresher.timezone = config.timezone
            self._status.shown = parts.shown
            self._report.parts = parts
            self._heartbeat.config = parts.heartbeat
            for source in gone:
                self._metrics.forget_source(source)
            self._start_polling()
            self._decider.told.set()
            self._refused = None
            self._metrics.reload_ok.set(1)
            self._metrics.reload_at.set(utc_now().timestamp())
            _log.info("config_reloaded", file=str(self._path))

    async def _until_kept(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await write()
            except StorageError as error:
                self._storage_failed("reload", error)
                await asyncio.sleep(_RETRY.total_seconds())

    async def _keep_rules(self) -> None:
        """A row in the log wherever the rules change, so that a replay changes them at the same place."""
        sources = tuple(source.id for source in self._parts.config.sources)
        row = RulesRow(0, utc_now(), self._parts.rules, sources)
        async with self._database.turn:
            at = self._database.stamp(utc_now())
            async with self._database.write("rules") as connection:
                if rows.dump(row)[1] != await history.newest_rules(connection):
                    await mentions.append(connection, [row], at=at)
                await alerting.look_at_open(connection, at)

    # The edges

    async def _serve(self, stack: AsyncExitStack) -> str:
        """Serve the pages; the address that people reach them by, without a slash at its end."""
        host, port = self._config.web.address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Bound before the pages are built: they must know the port, and a taken one ends the start here.
        listening = socket.create_server((host, port), family=family)
        settings = self._config.web.settings(ZoneInfo(self._config.timezone), listening.getsockname()[1])
        app = create_app(
            reader=self._status,
            registry=self._metrics.registry,
            problems=self._health.problems,
            matcher=lambda: self._pipeline.understanding.matcher,
            refused=lambda: self._refused,
            settings=settings,
            now=utc_now,
            playbooks=lambda: self._parts.playbooks,
            desk=StoredDesk(self._database, self._commands, self._status),
            tokens=lambda: self._parts.tokens,
        )
        app.add_routes([SlackActions(self._slack.signed_app, self._slack.take, utc_now).route()])
        serving = runner(app)
        await serving.setup()
        stack.push_async_callback(serving.cleanup)
        await web.SockSite(serving, listening).start()
        return settings.public_url

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)

    def _on_hangup(self) -> None:
        self._reload_task = asyncio.create_task(self.reload(), name="reload")

    def stop(self) -> None:
        self._stop.set()


async def _sleep_until(due: datetime, wake: asyncio.Event | None) -> None:
    seconds = (due - utc_now()).total_seconds()
    if wake is None:
        await asyncio.sleep(max(0.0, seconds))
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await wake.wait()


def refuse_fixed(old: Config, new: Config) -> None:
    """Raises ReloadError where the new configuration changes what only a restart can."""
    fixed = ("storage", "web", "step", "log")
    changed = [name for name in fixed if getattr(old, name) != getattr(new, name)]
    if changed:
        raise ReloadError(f"{', '.join(changed)} can change only with a restart")


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("listener-monitor")
