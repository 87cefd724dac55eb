"""Waits of the flush over restarts, set clocks and changes of the clock: nothing extra, nothing missing, no burst."""

import asyncio
import io
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts import AlertEvent, Because, Level
from alerts.channels.console import ConsoleChannel, ConsoleConfig
from alerts.config import RouteConfig
from alerts.incident import REJOIN, Incidents
from alerts.rehearse import rehearse
from alerts.route import Route
from alerts.time_intervals import TimeIntervalConfig
from listener.deliver import Sender
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.storage import alerting
from listener.storage.database import Database
from listener.storage.tables import outbox
from listener.turns import Line
from rules.calendar import Calendar

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 3, 2, 18, 0, tzinfo=SHANGHAI)
NIGHT = [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "08:00"}]
NINE = [{"start_time": "09:00", "end_time": "10:30"}]


def route(timezone: str = "Asia/Shanghai", **more: Any) -> Route:
    day_kind = Calendar(timezone, "CN").day_kind
    intervals = {
        name: TimeIntervalConfig.model_validate({"id": name, **fields}).build(timezone=timezone, day_kind=day_kind)
        for name, fields in {
            "night": {"times": NIGHT},
            "nine": {"times": NINE},
            "leap": {"days_of_month": ["-1"]},
        }.items()
    }
    return RouteConfig.model_validate({"receiver": "pr", **more}).build(intervals)


def busy() -> Route:
    """Every wait that there is."""
    return route(
        quiet={"intervals": ["night"]},
        repeat_interval=HOUR,
        levels={"red": {"group_wait": timedelta(0), "repeat_interval": 20 * MINUTE}},
        routes=[
            {"match": {"level": "red"}, "receiver": "duty", "quiet": {"intervals": []}, "continue": True},
            {"match": {"topic": "rival"}, "receiver": "analysts", "mute_time_intervals": ["nine"]},
            {"group_wait": 3 * MINUTE},
        ],
    )


def event(
    at: datetime, name: str, revision: int, level: str = "yellow", *, alert: str = "a", topic: str = ""
) -> AlertEvent:
    return AlertEvent(
        event=name, kind="topic", at=at, alert=alert, revision=revision, rule="r", topic=topic or alert,
        key={}, level=Level[level], because=Because("原因", "reason"), seen=1.0, brand=f"云杉{alert}",
    )  # fmt: skip


def lives(seed: int, hours: float = 20) -> list[AlertEvent]:
    """Events of several alerts of two topics over a night, in order of time."""
    source, events = random.Random(seed), []
    for number in range(8):
        at, revision = T0 + source.uniform(0, hours) * HOUR, 1
        alert, topic = f"alert-{number}", source.choice(["acme", "rival"])
        events.append(event(at, "opened", revision, source.choice(["blue", "yellow"]), alert=alert, topic=topic))
        for _ in range(source.randrange(5)):
            at, revision = at + source.uniform(0, 90) * MINUTE, revision + 1
            name, level = source.choice([("raised", "red"), ("updated", "yellow"), ("lowered", "blue")])
            events.append(event(at, name, revision, level, alert=alert, topic=topic))
        events.append(event(at + source.uniform(0.1, 120) * MINUTE, "resolved", revision + 1, alert=alert, topic=topic))
    return sorted(events, key=lambda one: one.at)


class World:
    """The flush on a database, at the times that it asks for."""

    def __init__(self, folder: Path, tree: Route) -> None:
        self.folder, self.tree = folder, tree
        self.metrics = Metrics(CollectorRegistry())

    @classmethod
    @asynccontextmanager
    async def at(cls, folder: Path, tree: Route, now: datetime) -> AsyncIterator["World"]:
        folder.mkdir(exist_ok=True)
        world = cls(folder, tree)
        await world.start(now)
        try:
            yield world
        finally:
            await world.database.close()

    async def start(self, now: datetime) -> None:
        self.database = await Database.open("sqlite:///hours.db", base=self.folder)
        async with self.database.read("test") as connection:
            self.incidents = Incidents(await alerting.living(connection, since=now - 10 * REJOIN))
        async with self.database.write("test") as connection:
            await alerting.look_at_open(connection, now)
        routing = Routing(self.tree, {"pr": ["mail"], "duty": ["mail"], "analysts": ["mail"]})
        self.flusher = Flusher(self.database, routing, metrics=self.metrics)

    async def restart(self, now: datetime) -> None:
        await self.database.close()
        await self.start(now)

    async def take(self, events: Iterable[AlertEvent], now: datetime) -> None:
        async with self.database.write("test") as connection:
            for one in events:
                done, incident = self.incidents.apply(one)
                await alerting.keep_events(connection, [done])
                self.incidents.keep(*await alerting.keep(connection, [incident], now=now))

    async def flush(self, now: datetime) -> datetime:
        """All that is due; when to look again."""
        for _ in range(3):
            due = await self.flusher.step(now)
            if due > now:
                return due
        raise AssertionError("a flush that asks to be looked at again and again")

    async def run(self, events: Sequence[AlertEvent], until: datetime, *, restarts: Sequence[datetime] = ()) -> None:
        waiting, stops = list(events), sorted(restarts)
        while True:
            async with self.database.read("test") as connection:
                due = await alerting.next_due(connection)
            times = [due, waiting[0].at if waiting else None, stops[0] if stops else None]
            now = min(at for at in [*times, until] if at is not None)
            if stops and stops[0] == now:
                await self.restart(stops.pop(0))
            together = [one for one in waiting if one.at == now]
            del waiting[: len(together)]
            await self.take(together, now)
            await self.flush(now)
            if now == until:
                return

    async def rows(self) -> list[tuple[datetime, str, str, int, str]]:
        async with self.database.read("test") as connection:
            query = select(outbox).order_by(outbox.c.created_at, outbox.c.receiver, outbox.c.incident)
            return [
                (row.created_at, row.receiver, row.kind, row.revision, row.batch)
                for row in await connection.execute(query)
            ]


@pytest.mark.parametrize("seed", [0, 3])
async def test_restarts_change_nothing(tmp_path, seed):
    """Thirty restarts within every kind of wait: the same messages at the same times as without, as rehearsed too."""
    events, until = lives(seed), T0 + 40 * HOUR
    source = random.Random(seed)
    stops = [T0 + source.uniform(0, 40) * HOUR for _ in range(25)]
    stops += [one.at + source.choice([SECOND, 10 * SECOND, 2 * MINUTE, 4 * MINUTE]) for one in events[:8]]
    found = []
    for name, restarts in (("whole", ()), ("broken", stops)):
        async with World.at(tmp_path / name, busy(), T0) as world:
            await world.run(events, until, restarts=restarts)
            found.append(
                (
                    await world.rows(),
                    world.metrics.registry.get_sample_value(
                        "listener_notifications_dropped_total", {"reason": "muted"}
                    ),
                )
            )
    whole, broken = found
    assert broken[0] == whole[0]
    assert (broken[1] or 0) == (whole[1] or 0)
    assert len(whole[0]) > 12
    assert any(batch for *_, batch in whole[0])
    messages = rehearse(events, busy(), until=until)
    assert sorted((one.at, one.receiver, one.kind) for one in messages) == sorted(row[:3] for row in whole[0])


async def test_a_clock_that_was_set_back_lengthens_no_wait(tmp_path):
    """An hour back over a restart: within group_wait, and with news after a message, nobody waits an hour more."""
    async with World.at(tmp_path, route(group_wait=30 * SECOND, group_interval=5 * MINUTE), T0) as world:
        await world.take([event(T0, "opened", 1)], T0)
        await world.flush(T0)
        back = T0 - HOUR
        await world.restart(back)
        await world.flush(back)
        assert await world.flush(back + 30 * SECOND) > back + 30 * SECOND
        assert [(row[0], row[2]) for row in await world.rows()] == [(back + 30 * SECOND, "open")]
        further = back - HOUR
        await world.restart(further)
        await world.flush(further)
        await world.take([event(T0 + MINUTE, "updated", 2)], further + MINUTE)
        due = await world.flush(further + MINUTE)
        assert due <= further + 6 * MINUTE
        await world.flush(further + 5 * MINUTE)
        assert [row[2] for row in await world.rows()] == ["update", "open"]
        # An end that waits for its interval is no more late than its beginning was.
        await world.take([event(T0 + 2 * MINUTE, "resolved", 3)], further + 6 * MINUTE)
        assert await world.flush(further + 6 * MINUTE) > further + 6 * MINUTE
        last = further - HOUR
        await world.restart(last)
        await world.flush(last)
        await world.flush(last + 5 * MINUTE)
        assert [row[2] for row in await world.rows()] == ["resolve", "update", "open"]


async def test_a_clock_that_goes_on_by_an_hour_makes_no_burst(tmp_path):
    """Fifty incidents with news, repeats and waits under way: one message each, however often one looks."""
    async with World.at(tmp_path, route(group_wait=30 * SECOND, repeat_interval=10 * MINUTE), T0) as world:
        names = [f"i{number}" for number in range(50)]
        await world.take([event(T0, "opened", 1, alert=name) for name in names], T0)
        await world.flush(T0)
        await world.flush(T0 + 30 * SECOND)
        await world.take([event(T0 + MINUTE, "updated", 2, alert=name) for name in names[:25]], T0 + MINUTE)
        await world.flush(T0 + MINUTE)
        assert Counter(row[2] for row in await world.rows()) == {"open": 50}
        ahead = T0 + HOUR + MINUTE
        for second in range(5):
            assert await world.flush(ahead + second * SECOND) > ahead + second * SECOND
        assert Counter(row[2] for row in await world.rows()) == {"open": 50, "update": 25, "repeat": 25}


@pytest.mark.parametrize("first", [datetime(2026, 3, 27), datetime(2026, 10, 23)])  # noqa: DTZ001
async def test_the_night_ends_at_eight_whatever_the_clock_does(tmp_path, first):
    """Five nights about the change in London: one message a morning, at eight, and none at another time."""
    london = ZoneInfo("Europe/London")
    tree = route("Europe/London", quiet={"intervals": ["night"]}, group_wait=timedelta(0), repeat_interval=400 * HOUR)
    start = first.replace(hour=12, tzinfo=london)
    async with World.at(tmp_path, tree, start) as world:
        days = [(first + timedelta(days=day)).replace(hour=23, tzinfo=london) for day in range(5)]
        events = [
            one for number, at in enumerate(days)
            for one in (event(at, "opened", 1, alert=f"n{number}"), event((at.astimezone(UTC) + 2 * HOUR), "resolved", 2, alert=f"n{number}"))
        ]  # fmt: skip
        await world.run(events, start + 150 * HOUR)
        rows = await world.rows()
        assert [(row[0].astimezone(london).strftime("%H:%M"), row[2]) for row in rows] == [("08:00", "resolve")] * 5
        assert len({row[0].astimezone(london).date() for row in rows}) == 5


async def test_the_last_of_february_is_the_leap_day(tmp_path):
    """Quiet on the month's last day: in 2028 on the 29th until midnight, in 2027 on the 28th."""
    tree = route(quiet={"intervals": ["leap"]}, group_wait=timedelta(0))
    for year, quiet_day in ((2028, 29), (2027, 28)):
        at = datetime(year, 2, quiet_day, 12, 0, tzinfo=SHANGHAI)
        async with World.at(tmp_path / str(year), tree, at) as world:
            await world.run(
                [event(at - timedelta(days=1), "opened", 1, alert="free"), event(at, "opened", 1)], at + 13 * HOUR
            )
            rows = await world.rows()
            assert [row[0] for row in rows if row[4]] == [
                datetime(year, 3, 1, tzinfo=SHANGHAI)
            ] * 2  # the first one's repeat


async def test_the_morning_is_one_message_that_names_all(tmp_path):
    """A night of forty incidents, half of them over by eight, one red: the red one at once, the others in one message."""
    night = datetime(2026, 3, 2, 23, 0, tzinfo=SHANGHAI)
    async with World.at(tmp_path, route(quiet={"intervals": ["night"]}, group_wait=timedelta(0)), night) as world:
        stream, now = io.StringIO(), [night]
        line = Line(ConsoleChannel(stream), "zh", ConsoleConfig.limits)
        sender = Sender(
            world.database, {("pr", "mail"): line}, console=lambda incident: f"https://listener.example.com/{incident}",
            timezone="Asia/Shanghai", metrics=world.metrics, now=lambda: now[0],
        )  # fmt: skip

        async def deliver() -> None:
            for _ in range(4):
                await sender.step(now[0])
                sends = [task for task in asyncio.all_tasks() if task.get_name().startswith("send ")]
                await asyncio.gather(*sends)

        names = [f"{number:03d}号" for number in range(40)]
        await world.take([event(night, "opened", 1, alert=name) for name in names], night)
        await world.take([event(night, "opened", 1, "red", alert="急")], night)
        await world.flush(night)
        await deliver()
        first = stream.getvalue()
        assert "云杉急" in first
        assert "云杉000号" not in first
        async with world.database.read("test") as connection:
            held = await alerting.held_back(connection)
        assert len(held) == 40
        assert {(who, one.reason) for each in held.values() for who, one in each} == {("pr", "quiet_hours")}
        now[0] = night + HOUR
        await world.take([event(now[0], "resolved", 2, alert=name) for name in names[::2]], now[0])
        await world.flush(now[0])
        await deliver()
        assert stream.getvalue() == first
        now[0] = datetime(2026, 3, 3, 8, 0, tzinfo=SHANGHAI)
        await world.flush(now[0])
        await deliver()
        told = stream.getvalue()[len(first) :]
        repeat, _, digest = told.partition("【汇总")
        assert "云杉急" in repeat
        assert "云杉" not in repeat.replace("云杉急", "")
        assert [name for name in names if f"云杉{name}" not in digest] == []
        assert digest.count("已恢复：云杉") == 20
        assert "免打扰时段" in digest
        assert told.count("【汇总") == 1
        await world.flush(now[0] + 10 * MINUTE)
        assert len([row for row in await world.rows() if row[0] > now[0]]) == 0
