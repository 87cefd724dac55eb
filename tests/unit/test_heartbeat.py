"""The heartbeat: sent while all is alive, and by nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from alerts.sample import sample_notification
from listener.config.told import HeartbeatConfig
from listener.health import Health
from listener.heartbeat import Heartbeat
from listener.metrics import Metrics
from listener.pulse import PATIENCE, Pulse
from listener.storage import outbox
from listener.storage.database import Database
from tests.support.program import serving

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class Outside:
    """The service that waits for requests; ``status``: what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.status = 200

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        return web.Response(status=self.status, text="pong")


class World:
    def __init__(self, database: Database, session: aiohttp.ClientSession, url: str, outside: Outside) -> None:
        self.database, self.session, self.outside = database, session, outside
        self.pulse = Pulse()
        self.metrics = Metrics(CollectorRegistry())
        self.health = Health(self.metrics)
        self.tick: datetime | None = NOW
        self.heart = Heartbeat(
            database,
            session,
            HeartbeatConfig(url=SecretStr(f"{url}/ping/secret-token")),
            self.pulse,
            tick=lambda: self.tick,
            step_length=15 * SECOND,
            health=self.health,
            metrics=self.metrics,
        )

    async def beats(self, now: datetime) -> bool:
        before = len(self.outside.asked)
        self.due = await self.heart.step(now)
        return len(self.outside.asked) > before

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"listener_heartbeat_{name}", labels)


@pytest.fixture
async def one(tmp_path: Path):
    outside = Outside()
    app = web.Application()
    app.router.add_route("*", "/ping/{token}", outside.handle)
    database = await Database.open("sqlite:///h.db", base=tmp_path)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield World(database, session, url, outside)
    await database.close()


async def test_it_beats_while_all_moves(one):
    """At its pace, by the configured method."""
    for number in range(3):
        now = NOW + number * MINUTE
        one.tick = now
        one.pulse.ended("decider", now + 15 * SECOND)
        assert await one.beats(now)
        assert one.due == now + MINUTE
    one.heart.config = one.heart.config.model_copy(update={"method": "POST"})
    assert await one.beats(now)
    assert [method for method, _ in one.outside.asked] == ["GET", "GET", "GET", "POST"]
    assert one.metric("last_success_timestamp_seconds") == now.timestamp()
    assert one.health.notes() == one.health.problems() == ()


@pytest.mark.parametrize("every", [MINUTE, 10 * SECOND])
@pytest.mark.parametrize("way", ["in a step", "before a step"])
async def test_a_stuck_loop_is_missed_within_two_intervals(one, every, way):
    """Row 34: one loop hangs while all others move; the address outside hears nothing for two intervals at most."""
    one.heart.config = one.heart.config.model_copy(update={"every": every})
    now, beats = NOW, []
    stuck_at = NOW + 5 * every
    due = now
    while now < stuck_at + 6 * every:
        one.tick = now
        one.pulse.ended("decider", now + SECOND)
        if now < stuck_at:
            one.pulse.ended("flush", now + SECOND)
        elif way == "in a step" and now == stuck_at:
            one.pulse.began("flush", now)
        if now >= due:
            if await one.beats(now):
                beats.append(now)
            due = one.due
        now += SECOND
    silent_from = max(beats) + every
    assert silent_from <= stuck_at + 2 * every
    assert beats == [NOW + number * every for number in range(len(beats))]
    assert "flush" in one.health.problems()[0], "the program is not ready either"
    assert one.metric("withheld") == 1
    one.pulse.ended("flush", now)
    assert await one.beats(now)
    assert one.health.problems() == ()
    print(
        f"row 34: stuck {way}: the first beat that is missing is due {(silent_from - stuck_at) / every:.1f} intervals later"
    )


async def test_what_rests_is_not_stuck(one):
    """A loop that waits for work has nothing to be late with, and one whose next step is hours away neither."""
    one.pulse.rests("pipeline")
    one.pulse.ended("retention", NOW + timedelta(hours=1))
    one.tick = NOW + timedelta(minutes=59)
    assert await one.beats(NOW + timedelta(minutes=59))


async def test_late_decisions_and_old_notifications_stop_it(one):
    """A tick behind, a notification that waits too long."""
    one.tick = NOW - 2 * MINUTE
    assert not await one.beats(NOW)
    assert "the newest decision is 120 s old" in one.health.notes()[0]
    one.tick = NOW
    async with one.database.write("test") as connection:
        incident = sample_notification(NOW, "zh").incident
        await outbox.put(connection, outbox.New("k", "pr", "robot", "open", incident), now=NOW - 31 * MINUTE)
    assert not await one.beats(NOW)
    assert one.metric("withheld") == 1
    assert one.health.problems() == (), "the program is ready all the same"
    one.heart.config = one.heart.config.model_copy(update={"outbox_age": timedelta(hours=1)})
    assert await one.beats(NOW)
    assert one.metric("withheld") == 0


async def test_a_database_that_takes_no_write_stops_it(one):
    """Here by a trigger of the database's own, as a full disk would."""
    async with one.database.write("test") as connection:
        full = "create trigger full before insert on marks begin select raise(abort, 'the disk is full'); end"
        await connection.exec_driver_sql(full)
    assert not await one.beats(NOW)
    assert one.health.notes() == ("heartbeat: withheld: the database refused: the disk is full",)


async def test_an_address_that_fails_stops_nothing(one):
    """Told once, counted, seen on the page without the secret, gone when it answers again."""
    one.outside.status = 503
    for number in range(3):
        assert await one.beats(NOW + number * SECOND)
    assert one.metric("failures_total", reason="server") == 3
    assert one.health.notes() == ("heartbeat: failed: server: HTTP 503: pong",)
    assert one.health.problems() == ()
    one.outside.status = 204
    await one.beats(NOW)
    assert one.health.notes() == ()


async def test_without_one_stuck_loops_are_still_told(one):
    """With no address configured, what hangs for a minute keeps the program from being ready."""
    one.heart.config = None
    one.pulse.began("sender", NOW)
    assert not await one.beats(NOW + PATIENCE - SECOND)
    assert one.health.problems() == ()
    await one.heart.step(NOW + PATIENCE)
    assert one.health.problems() == ("loops: no step for 60 s: sender",)
