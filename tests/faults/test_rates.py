"""Robots that count: refused with HTTP 200, restarted with a full bucket, flooded. On a clock of our own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from alerts import Because, Incident, Level
from alerts.channels import ChannelConfig
from alerts.sample import sample_notification
from listener.deliver import Sender
from listener.metrics import Metrics
from listener.storage import outbox
from listener.storage.database import Database
from listener.turns import Line
from tests.support import china
from tests.support.program import serving

CONFIG: TypeAdapter[Any] = TypeAdapter(ChannelConfig)
START = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PLACES = {
    "dingtalk": (china.DingTalk, f"https://oapi.dingtalk.com/robot/send?access_token={china.DingTalk.token}"),
    "wecom": (china.WeComRobot, f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={china.WeComRobot.key}"),
    "feishu": (china.FeishuRobot, f"https://open.feishu.cn/open-apis/bot/v2/hook/{china.FeishuRobot.token}"),
}


class World:
    """A robot's server, an outbox on disk and the real sender, all on one clock that moves when nothing is under way."""

    def __init__(self, kind: str, server: Any, folder: Path, url: str, http: aiohttp.ClientSession) -> None:
        self.kind, self.server, self.folder, self.url, self.http = kind, server, folder, url, http
        self.now = START
        self.metrics = Metrics(CollectorRegistry())
        self.receivers = ("pr",)
        self.number = 0

    async def start(self) -> None:
        self.database = await Database.open("sqlite:///rates.db", base=self.folder)
        async with self.database.write("test") as connection:
            await outbox.release(connection)
        config = CONFIG.validate_python({"type": self.kind, "webhook": PLACES[self.kind][1], "api": f"{self.url}/"})
        channel = config.build(self.http, clock=lambda: self.now)
        line = Line(channel, "zh", config.limits, config.account)
        self.sender = Sender(
            self.database,
            {(receiver, "robot"): line for receiver in self.receivers},
            console=lambda incident: f"https://listener.example.com/{incident}",
            timezone="Asia/Shanghai",
            metrics=self.metrics,
            now=lambda: self.now,
        )

    async def restart(self) -> None:
        await self.sender.stop(5)
        await self.database.close()
        await self.start()

    async def put(self, level: Level, count: int = 1, *, receiver: str = "pr") -> list[str]:
        """That many incidents, each of a brand of its own, due now; their brands."""
        brands = []
        async with self.database.write("test") as connection:
            for _ in range(count):
                self.number += 1
                brands.append(f"云杉{self.number:04d}号")
                incident = one_incident(f"i{self.number}", brands[-1], level, self.now)
                new = outbox.New(f"k{self.number}", receiver, "robot", "open", incident)
                await outbox.put(connection, new, now=self.now)
        return brands

    async def run(self, until: datetime) -> None:
        """Let the sender work until then."""
        while True:
            self.sender.wake.clear()
            due = await self.sender.step(self.now)
            if [task for task in asyncio.all_tasks() if task.get_name().startswith("send ")]:
                await asyncio.wait_for(self.sender.wake.wait(), 20)
                await asyncio.sleep(0)
                self.now += timedelta(milliseconds=40)  # what a request takes
                continue
            self.now = min(due, until)
            if due >= until:
                return

    async def states(self) -> dict[str, int]:
        async with self.database.read("test") as connection:
            rows = await connection.exec_driver_sql("select state, count(*) from outbox group by 1")
            return {state: count for state, count in rows}

    def told(self, brands: Sequence[str]) -> list[datetime | None]:
        """When the server took the first message that names each."""
        return [next((at for at, text in self.server.taken if brand in text), None) for brand in brands]


def one_incident(name: str, brand: str, level: Level, now: datetime) -> Incident:
    lead = replace(
        sample_notification(now, "zh", level=level).incident.lead, alert=name, brand=brand, key={"topic": name}
    )
    lead = replace(lead, title=Because("负面提及激增", "surge of negative mentions"))
    return Incident(name, "topic", name, now, now, 1, (lead,))


@asynccontextmanager
async def world(kind: str, folder: Path, **settings: Any) -> AsyncIterator[World]:
    made: list[World] = []
    server = PLACES[kind][0](lambda: made[0].now, **settings)
    answers: list[Callable[[], web.Response]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if answers:
            server.requests.append(made[0].now)
            return answers.pop(0)()
        answer: web.StreamResponse = await server.answer(request, body)
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        made.append(World(kind, server, folder, url, http))
        made[0].server.first = answers
        await made[0].start()
        try:
            yield made[0]
        finally:
            await made[0].sender.stop(5)
            await made[0].database.close()


@pytest.mark.parametrize(
    ("kind", "number", "penalty"),
    [("dingtalk", 130101, timedelta(minutes=10)), ("feishu", 11232, MINUTE), ("wecom", 45009, MINUTE)],
)
async def test_a_refusal_with_200_is_tried_again_after_its_penalty(
    tmp_path: Path, kind: str, number: int, penalty: timedelta
) -> None:
    """Row 5: counted as failed, never as sent; nothing is asked before the penalty is over, also by what comes later."""
    async with world(kind, tmp_path) as one:
        key, words = ("code", "msg") if kind == "feishu" else ("errcode", "errmsg")
        one.server.first.append(lambda: web.json_response({key: number, words: "too fast"}))
        brands = await one.put(Level.orange)
        await one.run(START + timedelta(seconds=30))
        brands += await one.put(Level.red)
        await one.run(START + penalty - timedelta(seconds=1))
        assert await one.states() == {"pending": 2}
        assert len(one.server.requests) == 1
        failures = one.metrics.registry.get_sample_value(
            "listener_notification_failures_total", {"receiver": "pr", "channel": "robot", "reason": "rate_limited"}
        )
        assert failures == 1
        await one.run(START + penalty + timedelta(minutes=6))
        assert await one.states() == {"sent": 2}
        assert len(one.server.requests) == 3
        assert min(one.server.requests[1:]) >= START + penalty
        assert None not in one.told(brands)
        print(f"row 5, {kind}: {number} counted as failed, quiet for {penalty}, then both told")


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
async def test_a_restart_does_not_fill_the_bucket(tmp_path: Path, kind: str) -> None:
    """Row 9: whatever was used before is used after, also by another receiver's channel to the same robot."""
    async with world(kind, tmp_path, mute=timedelta(minutes=10)) as one:
        one.receivers = ("pr", "duty")
        await one.restart()
        brands = await one.put(Level.orange, 15)
        await one.run(START + timedelta(seconds=5))
        assert len(one.server.taken) == 15
        for _ in range(3):
            await one.restart()
            brands += await one.put(Level.orange, 3)
            brands += await one.put(Level.orange, 3, receiver="duty")
            brands += await one.put(Level.red, 1)
            await one.run(one.now + timedelta(seconds=3))
        assert len(one.server.taken) == 18, "the reserve is for red"
        await one.run(START + timedelta(minutes=4))
        assert await one.states() == {"sent": len(brands)}
        assert None not in one.told(brands)
        assert one.server.muted_until is None
        most = one.server.most_in_a_minute()
        assert most <= 20
        print(f"row 9, {kind}: 3 restarts, {len(brands)} alerts, at most {most} requests in any minute")


async def test_five_hundred_alerts_to_one_robot(tmp_path: Path) -> None:
    """Row 10: at most 20 a minute at the server, also over a restart; red first, within 5 s; every alert named."""
    async with world("dingtalk", tmp_path, mute=timedelta(minutes=10)) as one:
        brands: list[str] = []
        reds: list[tuple[datetime, str]] = []
        for number in range(100):
            brands += await one.put(Level.orange, 5 if number % 20 else 4)
            if number % 20 == 0:
                reds += [(one.now, brand) for brand in await one.put(Level.red)]
            if number == 60:
                await one.restart()
            await one.run(max(one.now, START + timedelta(seconds=0.1) * (number + 1)))
        assert len(brands) + len(reds) == 500
        await one.run(START + timedelta(minutes=3))
        assert one.server.muted_until is None
        assert one.server.most_in_a_minute() <= 20
        assert await one.states() == {"sent": 500}
        waits = [at - put for (put, brand), at in zip(reds, one.told([b for _, b in reds]), strict=True) if at]
        assert len(waits) == len(reds) == 5
        assert max(waits) <= timedelta(seconds=5)
        times = one.told(brands)
        assert None not in times
        last = max(at for at in times if at is not None) - START
        assert last <= timedelta(minutes=2)
        assert [] == one.server.problems
        print(
            f"row 10: 500 alerts in 10 s, {len(one.server.taken)} messages, at most {one.server.most_in_a_minute()} in any "
            f"minute; red after {max(waits).total_seconds():.1f} s at most, all named after {last.total_seconds():.0f} s"
        )


async def test_a_flood_of_red_is_put_together_too(tmp_path: Path) -> None:
    """Sixty red ones at once: within the limit, each named, no other kind among them."""
    async with world("wecom", tmp_path, mute=timedelta(minutes=10)) as one:
        reds = await one.put(Level.red, 60)
        calm = await one.put(Level.blue, 2)
        await one.run(START + timedelta(minutes=3))
        assert await one.states() == {"sent": 62}
        assert one.server.most_in_a_minute() <= 20
        assert None not in one.told(reds)
        assert max(at for at in one.told(reds) if at) < min(at for at in one.told(calm) if at)
        digests = [text for _, text in one.server.taken if "汇总" in text]
        assert digests
        assert not [text for text in digests if any(brand in text for brand in calm)]


async def test_what_can_go_soon_is_not_put_together(tmp_path: Path) -> None:
    """Fifteen at once are fifteen messages, and five more a minute later too: a digest tells less."""
    async with world("dingtalk", tmp_path) as one:
        brands = await one.put(Level.orange, 20)
        await one.run(START + timedelta(minutes=2))
        assert None not in one.told(brands)
        assert len(one.server.taken) == 20
        assert one.server.most_in_a_minute() <= 20


async def test_after_a_digest_the_end_says_what_was(tmp_path: Path) -> None:
    """An incident that was told in a digest goes on as any other: its end is told, in order."""
    async with world("dingtalk", tmp_path) as one:
        await one.put(Level.orange, 40)
        await one.run(START + timedelta(seconds=20))
        incident = one_incident("i40", "云杉0040号", Level.orange, one.now)
        over = replace(incident, revision=2, alerts=(replace(incident.alerts[0], event="resolved", revision=2),))
        async with one.database.write("test") as connection:
            await outbox.put(connection, outbox.New("end", "pr", "robot", "resolve", over), now=one.now)
        await one.run(START + timedelta(minutes=4))
        assert await one.states() == {"sent": 41}
        about = [text for _, text in one.server.taken if "云杉0040号" in text]
        assert len(about) == 2
        assert "汇总" in about[0]
        assert "已恢复" in about[1]
