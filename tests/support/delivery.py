"""All of delivery on one clock of its own: decider, flush, fallbacks, sender and self-check, with servers on loopback.

Time moves only where nothing is under way, to the next thing that is due.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts import AlertEvent, Level
from alerts.config import ReceiverConfig, RouteConfig
from alerts.sample import sample_notification
from listener.decide import Decider
from listener.deliver import Sender
from listener.fallback import Fallbacks
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.selfcheck import SelfCheck, delivery_troubles
from listener.storage import alerting, holds, outbox
from listener.storage.database import Database
from listener.turns import Line
from tests.support.program import serving

START = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)
REQUEST = timedelta(milliseconds=40)

Answer = Callable[[datetime], web.Response | None]
"""What a channel's server says at a time; None: it cuts the line before it answers."""


@dataclass
class Taken:
    """A request that a server took: when, which kind of notification, of which incident, its key and words."""

    at: datetime
    kind: str
    incident: str
    key: str
    body: dict[str, Any]


@dataclass
class World:
    """``receivers``: by id the names of its channels, each a webhook; ``fallbacks``: by id the receiver's fallback."""

    folder: Path
    url: str
    http: aiohttp.ClientSession
    receivers: Mapping[str, Sequence[str]]
    fallbacks: Mapping[str, str]
    route: Mapping[str, Any]
    now: datetime = START
    answers: dict[str, Answer] = field(default_factory=dict)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    asked: dict[str, list[datetime]] = field(default_factory=dict)

    async def start(self) -> None:
        self.database = await Database.open("sqlite:///delivery.db", base=self.folder)
        async with self.database.write("test") as connection:
            await outbox.release(connection)
            await holds.set_clock(connection, self.now)
            await alerting.look_at_open(connection, self.now)
        async with self.database.read("test") as connection:
            own = await alerting.newest_self(connection)
        self.metrics = Metrics(CollectorRegistry())
        configs = [
            ReceiverConfig.model_validate(
                {
                    "id": name,
                    "channels": [
                        {"type": "webhook", "name": one, "url": f"{self.url}/{name}/{one}"} for one in channels
                    ],
                }
            )
            for name, channels in self.receivers.items()
        ]
        lines = {
            (one.id, label): Line(channel.build(self.http, clock=lambda: self.now), one.language, channel.limits)
            for one in configs
            for label, channel in zip(one.channel_names, one.channels, strict=True)
        }
        routing = Routing(
            RouteConfig.model_validate(self.route).build(),
            {one.id: one.channel_names for one in configs},
            fallbacks=dict(self.fallbacks),
        )
        self.decider = await Decider.load(self.database, step=timedelta(minutes=1), metrics=self.metrics, now=self.now)
        self.selfcheck = SelfCheck(own)
        self.flusher = Flusher(self.database, routing, metrics=self.metrics)
        self.passing = Fallbacks(self.database, routing, metrics=self.metrics)
        self.sender = Sender(
            self.database,
            lines,
            console=lambda incident: f"https://listener.example.com/{incident}",
            timezone="Asia/Shanghai",
            metrics=self.metrics,
            now=lambda: self.now,
        )

    async def stop(self) -> None:
        await self.sender.stop(5)
        await self.database.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def tell(
        self, name: str, level: Level = Level.red, *, event: str = "opened", revision: int = 1
    ) -> AlertEvent:
        """An alert event of an incident of its own."""
        lead = sample_notification(self.now, "zh", level=level).incident.lead
        happened = replace(
            lead, alert=name, topic=name, key={"topic": name}, at=self.now, event=event, revision=revision, incident="",
            stories=(),
        )  # fmt: skip
        await self.decider.publish([happened], self.now)
        return happened

    async def run(self, until: datetime, *, leap: timedelta = timedelta(0)) -> None:
        """Let everything work until then; *leap*: what is due sooner than that waits, as on a machine that sleeps."""
        known: object = None
        while True:
            self.sender.wake.clear()
            flush = await self.flusher.step(self.now)
            passing = await self.passing.step(self.now) if self.fallbacks else until
            send = await self.sender.step(self.now)
            outcomes = {address: outcome.reason for address, outcome in self.sender.outcomes.items()}
            if outcomes != known:
                known = outcomes
                events = self.selfcheck.compare(delivery_troubles(self.sender.outcomes), self.now)
                if events:
                    await self.decider.publish(events, self.now)
                    continue
            if [task for task in asyncio.all_tasks() if task.get_name().startswith("send ")]:
                await asyncio.wait_for(self.sender.wake.wait(), 20)
                await asyncio.sleep(0)
                self.now += REQUEST
                continue
            due = min(flush, passing, send)
            if due <= self.now:
                continue
            due = max(due, self.now + leap)
            self.now = min(due, until)
            if due >= until:
                return

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        name = request.match_info["channel"]
        self.asked.setdefault(name, []).append(self.now)
        answer = self.answers[name](self.now) if name in self.answers else web.Response(text="ok")
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if answer.status == 200:
            told = body["notification"]
            one = Taken(self.now, told["kind"], body["incident"], told["key"], body)
            self.taken.setdefault(name, []).append(one)
        return answer

    async def states(self, channel: str) -> dict[str, int]:
        async with self.database.read("test") as connection:
            query = "select state, count(*) from outbox where channel = ? group by 1"
            return {state: count for state, count in await connection.exec_driver_sql(query, (channel,))}

    def kinds(self, channel: str, incident: str | None = None) -> list[str]:
        return [one.kind for one in self.taken.get(channel, []) if incident in (None, one.incident)]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def world(
    folder: Path,
    receivers: Mapping[str, Sequence[str]],
    *,
    fallbacks: Mapping[str, str] | None = None,
    route: Mapping[str, Any] | None = None,
) -> AsyncIterator[World]:
    made: list[World] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await made[0].handle(request)

    app = web.Application()
    app.router.add_post("/{receiver}/{channel}", handle)
    default = {"receiver": next(iter(receivers)), "group_wait": timedelta(0)}
    async with serving(app) as url, aiohttp.ClientSession() as http:
        made.append(World(folder, url, http, receivers, fallbacks or {}, route or default))
        await made[0].start()
        try:
            yield made[0]
        finally:
            await made[0].stop()


def until(end: datetime, status: int = 500, **headers: str) -> Answer:
    """Refuses until then."""
    return lambda now: web.Response(status=status, headers=headers) if now < end else web.Response(text="ok")
