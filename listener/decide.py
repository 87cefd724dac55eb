"""Transaction 2: the log goes through the engine, and what it decides becomes alert events and incidents."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from alerts import AlertEvent, Incident, Level
from alerts.incident import REJOIN, Incidents
from listener.metrics import Metrics
from listener.storage import alerting, history
from listener.storage.database import Database
from rules.engine import Engine
from rules.log import Row
from rules.replay import Driver

SNAPSHOT_EVERY = timedelta(minutes=5)
_log = structlog.get_logger()


class Decider:
    """Reads the log on and evaluates at every tick; also takes the program's own alerts, which no rule decides."""

    def __init__(self, database: Database, engine: Engine, incidents: Incidents, *, metrics: Metrics) -> None:
        self.engine = engine
        self.told = asyncio.Event()  # set when an incident changed: somebody may have to hear of it
        self._driver = Driver(engine)
        self.incidents = incidents
        self._database = database
        self._metrics = metrics
        self._unsaved: list[AlertEvent] = []
        self._snapshot_seq = engine.seq
        self._next_snapshot: datetime | None = None
        self._failed: dict[str, str] = {}
        self._late: Counter[tuple[str, str]] = Counter()

    @classmethod
    async def load(cls, database: Database, *, step: timedelta, metrics: Metrics, now: datetime) -> "Decider":
        """From the newest snapshot that can be read, else from the log's beginning: a snapshot is only a cache of it."""
        async with database.read("snapshot") as connection:
            newest = await history.snapshot(connection)
            # What is not decided yet may lie before now, but never before the newest event that is kept.
            decided = await alerting.newest_at(connection)
            living = await alerting.living(connection, since=min(now, decided or now) - REJOIN)
            last = await history.last_time(connection)
        engine = Engine(step)
        if newest is not None:
            try:
                engine = Engine.restore(newest[2], step=step)
                database.stamp(newest[1])
            except (ValueError, KeyError, TypeError) as error:
                _log.warning("snapshot_refused", reason=type(error).__name__, detail=str(error))
        if last is not None:
            database.stamp(last)
        return cls(database, engine, Incidents(living), metrics=metrics)

    async def step(self, now: datetime) -> datetime:
        """Everything up to *now*; the time of the next tick. Raises StorageError, after which the next step goes on."""
        async with self._database.turn:
            while rows := await self._read():
                for row in rows:
                    self._unsaved.extend(self._driver.feed(row))
            with self._metrics.tick_seconds.time():
                self._unsaved.extend(self._driver.advance(now))
            if self.engine.tick is not None:
                self._database.stamp(self.engine.tick)
            await self._keep(now)
        if self._next_snapshot is None or now >= self._next_snapshot:
            await self.snapshot(now)
        self._tell(now)
        return self._driver.next_tick(now)

    async def _read(self) -> list[Row]:
        async with self._database.read("log") as connection:
            return await history.after(connection, self.engine.seq)

    async def publish(self, events: Iterable[AlertEvent], now: datetime) -> None:
        """Events of the program's own alerts."""
        async with self._database.turn:
            self._unsaved.extend(events)
            await self._keep(now)

    async def _keep(self, now: datetime) -> None:
        """Keep what is decided and not kept yet; where that fails, the next step tries again before it goes on."""
        if not self._unsaved:
            return
        before = self.incidents.all()
        try:
            kept = await self._keep_unsaved(now)
        except Exception:
            # As the database has them: what was forgotten on the way to the failure must be there for the next try.
            self.incidents.restore(before)
            raise
        self._unsaved.clear()
        for event in kept:
            self._count(event, now)
        if any(not event.shadow for event in kept):
            self.told.set()

    async def _keep_unsaved(self, now: datetime) -> list[AlertEvent]:
        """In one transaction; those that are new."""
        kept: list[AlertEvent] = []
        changed: dict[str, Incident] = {}
        async with self._database.write("alerts") as connection:
            known = await alerting.known(connection, self._unsaved)
            for event in self._unsaved:
                name = (event.alert, event.revision)
                if name in known:
                    continue  # decided before a restart, and kept then
                known.add(name)
                if event.shadow:
                    kept.append(event)
                    continue
                done, changed_one = self.incidents.apply(event)
                changed[changed_one.id] = changed_one
                kept.append(done)
            await alerting.keep_events(connection, kept)
            for incident in await alerting.keep(connection, changed.values(), now=now):
                # Known with its number from here on.
                if self.incidents.get(incident.id) is not None:
                    self.incidents.keep(incident)
        return kept

    def _count(self, event: AlertEvent, now: datetime) -> None:
        if event.shadow:
            self._metrics.shadow_alert_events.labels(event.rule, event.event, event.level.name).inc()
            _log.info(
                "shadow_alert_" + event.event, rule=event.rule, alert=event.alert,
                topic=event.topic, state=event.level.name, detail=event.because.en,
            )  # fmt: skip
            return
        self._metrics.alert_events.labels(event.rule, event.event, event.level.name).inc()
        _log.info(
            "alert_" + event.event, rule=event.rule, alert=event.alert, incident=event.incident,
            topic=event.topic, state=event.level.name, detail=event.because.en,
        )  # fmt: skip
        if event.event == "opened" and event.excerpts:
            self._metrics.hops.labels("committed_fired").observe(max(0.0, (now - event.at).total_seconds()))

    async def snapshot(self, now: datetime) -> None:
        """Keep the engine's state, so that a restart need not read the log from its beginning."""
        self._next_snapshot = now + SNAPSHOT_EVERY
        if self.engine.tick is None or self.engine.seq == self._snapshot_seq or self._unsaved:
            return  # what is decided and not kept would be lost with a restart that takes the engine's word for it
        # In a thread: with a hundred thousand keys it takes seconds. Only this loop changes the engine, and it waits here.
        state = await asyncio.to_thread(self.engine.snapshot)
        async with self._database.write("snapshot") as connection:
            await history.save_snapshot(connection, seq=self.engine.seq, at=self.engine.tick, state=state)
        self._snapshot_seq = self.engine.seq

    def _tell(self, now: datetime) -> None:
        tick = self.engine.tick
        self._metrics.tick_lag.set(max(0.0, (now - tick).total_seconds()) if tick else 0.0)
        for (rule, source), count in self.engine.late.items():
            self._metrics.late.labels(rule, source).inc(count - self._late[rule, source])
            self._late[rule, source] = count
        for rule, problem in self.engine.failures.items():
            if self._failed.get(rule) != problem:
                self._metrics.rule_failures.labels(rule).inc()
                _log.error("rule_failed", rule=rule, detail=problem)
        self._failed = dict(self.engine.failures)
        open_incidents = self.incidents.open()
        for level in Level:
            self._metrics.incidents_open.labels(level.name).set(sum(i.level is level for i in open_incidents))
            alerts = (event for i in open_incidents for event in i.alerts if event.event != "resolved")
            self._metrics.alerts_open.labels(level.name).set(sum(event.level is level for event in alerts))
