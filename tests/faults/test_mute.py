"""Silences and inhibitions over restarts: what is muted is never told, nothing is told twice, and the end is told."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts import AlertEvent, Because, Coverage, Level
from alerts.config import InhibitConfig, RouteConfig
from alerts.incident import REJOIN, Incidents
from alerts.inhibition import Inhibition
from alerts.silence import Ask, Silence, silence
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.storage import alerting, silences
from listener.storage.database import Database
from listener.storage.tables import outbox

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TREE = RouteConfig.model_validate(
    {
        "receiver": "pr",
        "repeat_interval": 4 * HOUR,
        "routes": [
            {"match": {"level": "red"}, "receiver": "duty", "group_wait": timedelta(0), "continue": True},
            {"match": {"topic": "rival"}, "receiver": "analysts"},
            {},
        ],
    }
).build()
RED_MUTES = InhibitConfig.model_validate(
    {"source": {"level": "red"}, "target": {"level": ["blue", "yellow"]}, "equal": ["brand"]}
).build()


def event(minute: float, name: str, revision: int, level: str = "yellow", *, alert: str = "a", **more) -> AlertEvent:
    fields = {"topic": more.pop("topic", alert), "brand": "云杉科技", "rule": "r", "seen": 5.0, **more}
    return AlertEvent(
        event=name, kind="topic", at=T0 + minute * MINUTE, alert=alert, revision=revision, key={}, level=Level[level],
        because=Because("原因", "reason"), title=Because("负面突增", "a surge"), **fields,
    )  # type: ignore[arg-type]  # fmt: skip


class World:
    """The flush on a database, at the times that it asks for."""

    def __init__(self, folder: Path, inhibit: Sequence[Inhibition] = ()) -> None:
        self.folder, self.inhibit = folder, inhibit
        self.metrics = Metrics(CollectorRegistry())
        self.now = T0

    @classmethod
    @asynccontextmanager
    async def at(cls, folder: Path, inhibit: Sequence[Inhibition] = ()) -> AsyncIterator["World"]:
        folder.mkdir(exist_ok=True)
        world = cls(folder, inhibit)
        await world.start()
        try:
            yield world
        finally:
            await world.database.close()

    async def start(self) -> None:
        self.database = await Database.open("sqlite:///mute.db", base=self.folder)
        async with self.database.read("test") as connection:
            self.incidents = Incidents(await alerting.living(connection, since=self.now - REJOIN))
        async with self.database.write("test") as connection:
            await alerting.look_at_open(connection, self.now)
        routing = Routing(TREE, {name: ["mail"] for name in ("pr", "duty", "analysts")}, self.inhibit, "Asia/Shanghai")
        self.flusher = Flusher(self.database, routing, metrics=self.metrics)

    async def restart(self) -> None:
        await self.database.close()
        await self.start()

    async def take(self, events: Iterable[AlertEvent]) -> None:
        async with self.database.write("test") as connection:
            for one in events:
                done, incident = self.incidents.apply(one)
                await alerting.keep_events(connection, [done])
                self.incidents.keep(*await alerting.keep(connection, [incident], now=self.now))

    async def silence(self, **ask) -> Silence:
        asked = Ask("小林", "例行促销", self.now + ask.pop("lasts", 3 * HOUR), **ask)
        async with self.database.write("test") as connection:
            made = silence(asked, await alerting.open_now(connection), self.now)
            assert isinstance(made, Silence)
            return await silences.add(connection, made)

    async def end(self, one: Silence) -> None:
        async with self.database.write("test") as connection:
            await silences.end(connection, one, by="阿苏", now=self.now)

    async def flush(self) -> datetime:
        """All that is due; when to look again."""
        for _ in range(5):
            due = await self.flusher.step(self.now)
            if due > self.now:
                return due
        raise AssertionError("a flush that asks to be looked at again and again")

    async def run(self, until: float, events: Sequence[AlertEvent] = (), restarts: Sequence[float] = ()) -> None:
        """On to that minute, at every time at which something is due."""
        waiting, stops, end = list(events), sorted(T0 + at * MINUTE for at in restarts), T0 + until * MINUTE
        first = [one for one in waiting if one.at <= self.now]
        del waiting[: len(first)]
        await self.take(first)
        while True:
            due = await self.flush()
            times = [end, due, *(one.at for one in waiting[:1]), *stops[:1]]
            self.now = min(at for at in times if at > self.now) if self.now < end else end
            if stops and stops[0] <= self.now:
                stops.pop(0)
                await self.restart()
            together = [one for one in waiting if one.at <= self.now]
            del waiting[: len(together)]
            await self.take(together)
            if self.now >= end:
                await self.flush()
                return

    async def rows(self) -> list[tuple[float, str, str, str]]:
        async with self.database.read("test") as connection:
            query = select(outbox).order_by(outbox.c.created_at, outbox.c.receiver, outbox.c.id)
            return [
                (round((row.created_at - T0) / MINUTE, 2), row.receiver, row.incident, row.kind)
                for row in await connection.execute(query)
            ]

    async def told(self, incident: str = "a") -> list[tuple[float, str]]:
        return [(at, kind) for at, _, name, kind in await self.rows() if name == incident]

    async def texts(self) -> list[str]:
        async with self.database.read("test") as connection:
            query = select(outbox.c.facts).where(outbox.c.incident.like("silence-%")).order_by(outbox.c.id)
            return [json.loads(row.facts)["alerts"][0]["because"][0] for row in await connection.execute(query)]

    def dropped(self, reason: str) -> float:
        return self.metrics.registry.get_sample_value("listener_notifications_dropped_total", {"reason": reason}) or 0.0


@pytest.fixture
async def world(tmp_path) -> AsyncIterator[World]:
    async with World.at(tmp_path / "one") as one:
        yield one


async def test_what_is_open_when_the_silence_ends_is_told(world):
    """Known before: nothing while it lasts, then that it goes on. Notices at start, an hour before the end, at the end."""
    await world.run(10, [event(0, "opened", 1)])
    await world.silence(matchers={"topic": frozenset({"a"})})
    await world.run(400, [event(30, "updated", 2), event(60, "updated", 3)])
    assert await world.told() == [(0.5, "open"), (190, "unsilenced")]
    assert await world.told("silence-1") == [(10, "open"), (130, "repeat"), (190, "resolve")]
    start, warned, ended = await world.texts()
    assert (
        start
        == "小林 设置静默，至 13:10。原因：例行促销。黄色及以下暂不通知；级别上升，或增至四倍，仍会通知一次。当前涉及：#1 负面突增（黄色）。"
    )
    assert (
        warned
        == "小林 设置的静默将于 13:10 结束。原因：例行促销。静默期间共 1 起事件、1 条预警。仍未解除：#1 负面突增（黄色）。"
    )
    assert ended.startswith("小林 设置的静默已到期。")


async def test_what_is_over_by_then_is_not_told(world):
    """It opened and ended under the silence: nobody hears of it, and it is counted once."""
    await world.silence(matchers={"topic": frozenset({"a"})})
    await world.run(500, [event(30, "opened", 1), event(60, "updated", 2), event(90, "resolved", 3)])
    assert await world.told() == []
    assert world.dropped("silenced") == 1
    assert (await world.texts())[
        -1
    ] == "小林 设置的静默已到期。原因：例行促销。静默期间共 1 起事件、1 条预警。均已解除。"


async def test_the_end_of_what_was_told_before_is_told_after(world):
    """What was opened at a receiver is closed there, once the silence is over."""
    await world.run(10, [event(0, "opened", 1)])
    made = await world.silence(matchers={"topic": frozenset({"a"})})
    await world.run(60, [event(30, "resolved", 2)])
    assert await world.told() == [(0.5, "open")]
    await world.end(made)
    await world.run(70)
    assert await world.told() == [(0.5, "open"), (60, "resolve")]
    assert "已由 阿苏 提前结束" in (await world.texts())[-1]
    assert await world.told("silence-1") == [(10, "open"), (60, "resolve")]


async def test_a_rising_level_breaks_through_once(world):
    """From blue to yellow and on to orange under a silence up to orange: one message; red is above it, and told as ever."""
    await world.silence(matchers={"topic": frozenset({"a"})})
    events = [
        event(20, "opened", 1, "blue"),
        event(30, "raised", 2, "yellow"),
        event(40, "raised", 3, "orange"),
        event(50, "raised", 4, "red"),
        event(60, "lowered", 5, "orange"),
        event(70, "updated", 6, "orange"),
    ]
    await world.run(75, events)
    assert [(at, kind) for at, receiver, name, kind in await world.rows() if (receiver, name) == ("pr", "a")] == [
        (30, "breakthrough"), (50, "update"), (60, "update"),
    ]  # fmt: skip
    assert [(at, kind) for at, receiver, name, kind in await world.rows() if (receiver, name) == ("duty", "a")] == [
        (50, "open"), (60, "update"),
    ]  # fmt: skip


async def test_fourfold_growth_breaks_through_once(world):
    """By what its rule counts where mentions are not known."""
    await world.run(10, [event(0, "opened", 1)])
    async with world.database.read("test") as connection:
        known = await alerting.incident(connection, "a")
    await world.silence(incident=known)
    await world.run(
        100,
        [event(20, "updated", 2, seen=19.0), event(30, "updated", 3, seen=20.0), event(40, "updated", 4, seen=90.0)],
    )
    assert await world.told() == [(0.5, "open"), (30, "breakthrough")]


async def test_red_that_opens_new_is_told(world):
    """A silence for what is yellow now is none for red."""
    await world.run(10, [event(0, "opened", 1)])
    await world.silence(matchers={"brand": frozenset({"云杉科技"})})
    await world.run(
        100,
        [
            event(20, "opened", 1, "red", alert="b"),
            event(21, "opened", 1, "orange", alert="c"),
            event(22, "opened", 1, alert="d"),
        ],
    )
    assert [kind for _, kind in await world.told("b")] == ["open", "open"]
    assert [kind for _, kind in await world.told("c")] == ["open"]
    assert await world.told("d") == []


@pytest.mark.parametrize("seed", range(2))
async def test_restarts_change_nothing(tmp_path, seed):
    """Row 7, silenced: the same messages at the same times with fifteen restarts as without."""
    source, events = random.Random(seed), []
    for number in range(6):
        at, alert = source.uniform(0, 300), f"alert-{number}"
        topic = source.choice(["acme", "rival"])
        events.append(event(at, "opened", 1, "yellow", alert=alert, topic=topic))
        for revision in range(2, 2 + source.randrange(6)):
            at += source.uniform(1, 60)
            name, level = source.choice(
                [("raised", "orange"), ("raised", "red"), ("updated", "yellow"), ("lowered", "blue")]
            )
            events.append(event(at, name, revision, level, alert=alert, topic=topic, seen=source.uniform(1, 40)))
        events.append(event(at + source.uniform(1, 200), "resolved", 9, alert=alert, topic=topic))
    events.sort(key=lambda one: one.at)
    stops = [source.uniform(0, 700) for _ in range(15)]
    found = []
    for name, restarts in (("whole", []), ("broken", stops)):
        async with World.at(tmp_path / name, [RED_MUTES]) as world:
            await world.silence(matchers={"topic": frozenset({"acme"})}, lasts=4 * HOUR, level=Level.orange)
            await world.silence(matchers={"kind": frozenset({"topic"})}, starts_at=T0 + 3 * HOUR, lasts=5 * HOUR)
            await world.run(900, events, restarts)
            found.append((await world.rows(), world.dropped("silenced"), world.dropped("inhibited")))
    assert found[0] == found[1]
    assert len(found[0][0]) > 8


async def test_an_inhibited_incident_is_never_sent_over_fifty_restarts(tmp_path):
    """Row 8: both fire, the program is restarted fifty times; then the source ends, and what it muted is told."""
    async with World.at(tmp_path / "one", [RED_MUTES]) as world:
        events = [event(0, "opened", 1, "red", alert="source"), event(0, "opened", 1, alert="target")]
        await world.run(300, events, [1 + 5 * number for number in range(50)])
        rows = await world.rows()
        assert Counter((receiver, name) for _, receiver, name, _ in rows if name == "source")[("pr", "source")] >= 1
        assert await world.told("target") == []
        async with world.database.read("test") as connection:
            held = (await alerting.told_of(connection, "target"))["pr"].held
        assert held is not None
        assert (held.reason, held.by) == ("inhibited", "source")
        await world.run(320, [event(301, "resolved", 2, "red", alert="source")])
        assert await world.told("target") == [(301, "open")]
    print(f"50 restarts, {len(rows)} messages, none of the inhibited incident")


async def test_what_ends_while_inhibited_is_not_told(tmp_path):
    """Held, and over before its source: dropped, and counted."""
    async with World.at(tmp_path / "one", [RED_MUTES]) as world:
        events = [
            event(0, "opened", 1, "red", alert="source"),
            event(0, "opened", 1, alert="target"),
            event(30, "resolved", 2, alert="target"),
            event(60, "resolved", 2, "red", alert="source"),
        ]
        await world.run(100, events)
        assert await world.told("target") == []
        assert world.dropped("inhibited") == 1


async def test_a_blind_source_inhibits_nothing(tmp_path):
    """What it says of the rest is not known; from when it sees again, it does."""
    async with World.at(tmp_path / "one", [RED_MUTES]) as world:
        blind = replace(event(0, "opened", 1, "red", alert="source"), coverage=Coverage((("weibo", T0),)))
        seeing = event(20, "updated", 2, "red", alert="source")
        later = event(21, "opened", 1, alert="later")
        await world.run(100, [blind, event(0, "opened", 1, alert="target"), seeing, later])
        assert await world.told("target") == [(0.5, "open")]
        assert await world.told("later") == []
        blind = replace(event(101, "updated", 3, "red", alert="source"), coverage=Coverage((("weibo", T0),)))
        await world.run(110, [blind])
        assert await world.told("later") == [(101, "open")]


async def test_a_source_that_falls_while_a_step_waits_to_write_mutes_no_longer(tmp_path):
    """What the step read of it is old by then; the source was looked at, and would not be again for hours."""
    async with World.at(tmp_path / "one", [RED_MUTES]) as world:
        await world.take([event(0, "opened", 1, "red", alert="source"), event(0, "opened", 1, alert="target")])
        world.now = await world.flush()
        world.flusher._sources = ()
        async with world.database.write("test") as connection:
            step = asyncio.create_task(world.flusher.step(world.now))
            while not world.flusher._sources:  # it has read, and waits for the writer
                await asyncio.sleep(0)
            done, fallen = world.incidents.apply(event(0.5, "updated", 2, alert="source"))
            await alerting.keep_events(connection, [done])
            await alerting.keep(connection, [fallen], now=world.now)
        await step
        await world.run(10)
        assert await world.told("target") == [(0.5, "open")]


async def test_who_a_reload_left_out_hears_the_end(world):
    """Nothing else any more, but what was opened there is closed there."""
    await world.run(2, [event(0, "opened", 1)])
    route = RouteConfig.model_validate({"receiver": "duty", "group_wait": timedelta(0)}).build({})
    world.flusher.routing = replace(world.flusher.routing, route=route)
    await world.run(40, [event(20, "updated", 2), event(30, "resolved", 3)])
    told = [(receiver, kind) for _, receiver, name, kind in await world.rows() if name == "a"]
    assert [kind for receiver, kind in told if receiver == "pr"] == ["open", "resolve"]
    assert ("duty", "resolve") in told


async def test_a_silences_notices_call_nobody_out(world):
    """A pager hears of the incident, and neither of the silence's beginning nor of its end."""
    channels = {**world.flusher.routing.channels, "pr": ["mail", "pager"]}
    world.flusher.routing = replace(world.flusher.routing, channels=channels, pagers=frozenset({("pr", "pager")}))
    await world.run(10, [event(0, "opened", 1)])
    await world.silence(matchers={"topic": frozenset({"a"})})
    await world.run(400)
    async with world.database.read("test") as connection:
        rows = (await connection.execute(select(outbox.c.channel, outbox.c.incident))).all()
    assert {row.incident for row in rows if row.channel == "mail"} == {"a", "silence-1"}
    assert {row.incident for row in rows if row.channel == "pager"} == {"a"}
