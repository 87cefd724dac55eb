"""The wiring, top to bottom: what `listener run` starts, in which order, and how it stops."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
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
from listener.intake import Intake
from listener.loops import Loops
from listener.metrics import Metrics
from listener.parts import brands, build
from listener.pipeline import Pipeline
from listener.pulse import Pulse
from listener.refresh import Refresher
from listener.selfcheck import (
    SelfCheck,
)
from listener.selfwatch import SelfWatch
from listener.slack import Slack
from listener.storage import alerting, escalations, history, holds, mentions, outbox, rows
from listener.storage import sources as source_store
from listener.storage.database import Database, StorageError
from listener.storage.retention import Keep, forget
from listener.storage.status import StoredStatus
from listener.web.app import create_app, runner
from listener.web.slack import SlackActions
from listener.web.status import RefusedReload
from rules.log import RulesRow
from sentiment import AnalysisError

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
        self._looping = Loops(self._health, self._pulse, self._metrics)
        self._reloading = asyncio.Lock()
        self._refused: RefusedReload | None = None

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
            await self._keep_rules()

            # 3. The stages, from the source to the receiver.
            self._pipeline = Pipeline(
                self._database, self._parts.understanding, states, metrics=self._metrics, now=utc_now
            )
            stack.callback(self._pipeline.close)
            self._intake = Intake(self._pipeline, self._looping, metrics=self._metrics)
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
            auditor = Auditor(self._database, self._flusher, metrics=self._metrics, started_at=self._started_at)
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
            self._watch = SelfWatch(
                self._database,
                self._parts,
                SelfCheck(own),
                self._intake,
                self._decider,
                self._sender,
                auditor,
                self._started_at,
                self._metrics,
            )
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
        keep_going = self._looping.keep_going
        tasks = [
            asyncio.create_task(loop, name=name)
            for name, loop in (
                ("pipeline", self._intake.drain()),
                ("decider", keep_going("decider", self._decider.step)),
                ("flush", keep_going("flush", self._flusher.step, wake=self._decider.told)),
                ("escalation", keep_going("escalation", self._escalator.step, wake=self._flusher.looked)),
                ("sender", keep_going("sender", self._sender.step, wake=self._sender.wake)),
                ("fallback", keep_going("fallback", self._fallbacks.step)),
                ("refresh", keep_going("refresh", self._refresher.step)),
                ("self-check", keep_going("self-check", self._watch.step)),
                ("catch-up", keep_going("catch-up", self._catch_up.step)),
                ("commands", keep_going("commands", self._commands.step, wake=self._commands.wake)),
                ("slack", keep_going("slack", self._slack.step)),
                ("daily report", keep_going("daily report", self._report.step)),
                ("heartbeat", keep_going("heartbeat", self._heartbeat.step)),
                ("retention", keep_going("retention", self._forget)),
                ("relay", self._relay(self._flusher.put)),
                ("relay of fallbacks", self._relay(self._fallbacks.put)),
                ("relay of reports", self._relay(self._report.put)),
            )
        ]
        self._intake.start(self._parts)
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
        await self._intake.stop()
        await self._sender.stop(2.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StorageError):
            await self._decider.snapshot(utc_now())

    async def _relay(self, put: asyncio.Event) -> None:
        """What others put into the outbox is the sender's work."""
        while True:
            await put.wait()
            put.clear()
            self._sender.wake.set()

    async def _ask(self, command: Command) -> Outcome | None:
        """What a person asks for in a chat."""
        try:
            return (await self._commands.ask(command, wait=_ANSWER)).outcome
        except StorageError as error:
            self._looping.storage_failed("chat", error)
            because = Because("暂时无法保存，请稍后重试。", "It cannot be kept just now; try again later.")
            return Outcome(done=False, because=because, reason="storage")

    def _watched(self) -> tuple[dict[str, timedelta], dict[str, str]]:
        """How long each source may be unseen, and the name that people know each topic's brand by."""
        return {source.id: source.blindness for source in self._config.sources}, brands(self._config)

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
            await self._intake.stop()
            gone = set(self._parts.sources) - set(parts.sources)
            self._config, self._parts = config, parts
            await self._looping.until_kept("reload", self._keep_rules)
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
            self._watch.parts = parts
            self._heartbeat.config = parts.heartbeat
            for source in gone:
                self._metrics.forget_source(source)
            self._intake.start(parts)
            self._decider.told.set()
            self._refused = None
            self._metrics.reload_ok.set(1)
            self._metrics.reload_at.set(utc_now().timestamp())
            _log.info("config_reloaded", file=str(self._path))

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


def refuse_fixed(old: Config, new: Config) -> None:
    """Raises ReloadError where the new configuration changes what only a restart can."""
    fixed = ("storage", "web", "step", "log")
    changed = [name for name in fixed if getattr(old, name) != getattr(new, name)]
    if changed:
        raise ReloadError(f"{', '.join(changed)} can change only with a restart")


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("listener-monitor")
