"""Ten thousand alerts in a minute over the channels that set no rate: from commit to taken, and what it costs.

python -m tests.bench.delivery [ALERTS] [SECONDS]

The real decider, flush, outbox and sender on one SQLite file with synchronous=FULL; webhooks and a mail server on loopback, in
processes of their own. An alert's time runs from the commit of its event to the receiver's having taken its message.
"""

import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from alerts import Because, Level
from alerts.channels import ChannelConfig
from alerts.config import RouteConfig
from alerts.incident import Incidents
from alerts.sample import sample_notification
from listener.decide import Decider
from listener.deliver import Sender
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.storage.database import Database
from listener.turns import Line
from rules.engine import Engine

CONFIG: TypeAdapter[Any] = TypeAdapter(ChannelConfig)
RECEIVERS = ("hook-a", "hook-b", "mail")
RED = 100  # one of so many is red, and must not wait for the others


def serve_hook(pipe: Connection) -> None:
    """Takes every request; when it is told to end, says when each incident's first message was taken."""
    taken: dict[str, float] = {}

    async def handle(request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        taken.setdefault(event["incident"], time.time())
        return web.Response(text="ok")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/hook", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        pipe.send(runner.addresses[0][1])
        while not pipe.poll():
            await asyncio.sleep(0.1)
        await runner.cleanup()

    asyncio.run(run())
    pipe.send(taken)


def serve_mail(pipe: Connection) -> None:
    """As ``serve_hook``; the incident is in the subject, as its brand."""
    from email import message_from_bytes  # noqa: PLC0415
    from email.header import decode_header, make_header  # noqa: PLC0415

    from aiosmtpd.smtp import SMTP  # noqa: PLC0415

    taken: dict[str, float] = {}

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            subject = str(make_header(decode_header(message_from_bytes(envelope.content)["Subject"])))
            brand = subject.partition("】")[2].partition("：")[0]
            taken.setdefault(brand, time.time())
            return "250 OK"

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler()), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while not pipe.poll():
            await asyncio.sleep(0.1)
        server.close()

    asyncio.run(run())
    pipe.send(taken)


def event_of(number: int, at: datetime) -> Any:
    name = f"i{number:05d}"
    level = Level.red if number % RED == 0 else Level.orange
    lead = sample_notification(at, "zh", level=level).incident.lead
    return replace(
        lead, alert=name, topic=name, brand=name, key={"topic": name}, at=at, incident="",
        title=Because("负面提及激增", "surge of negative mentions"),
    )  # fmt: skip


async def loop(step: Callable[[datetime], Awaitable[datetime]], wake: asyncio.Event) -> None:
    while True:
        wake.clear()
        due = await step(datetime.now(UTC))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, (due - datetime.now(UTC)).total_seconds())):
                await wake.wait()


async def run(folder: Path, ports: dict[str, int], alerts: int, seconds: float) -> dict[str, float]:
    """Publish that many alerts at an even pace; when each was committed."""
    metrics = Metrics(CollectorRegistry())
    database = await Database.open("sqlite:///delivery.db", base=folder)
    async with aiohttp.ClientSession() as http:
        configs = {
            "hook-a": {"type": "webhook", "url": f"http://127.0.0.1:{ports['hook-a']}/hook"},
            "hook-b": {"type": "webhook", "url": f"http://127.0.0.1:{ports['hook-b']}/hook"},
            "mail": {
                "type": "email", "to": ["pr@example.com"], "from": "listener@example.com",
                "smtp": {"host": "127.0.0.1", "port": ports["mail"], "security": "none"},
            },
        }  # fmt: skip
        lines = {}
        for name, config in configs.items():
            built = CONFIG.validate_python(config)
            lines[name, "one"] = Line(built.build(http), "zh", built.limits, getattr(built, "account", ""))
        branches = [
            {"receiver": name, "match": {"topic": [f"i{n:05d}" for n in range(place, alerts, len(RECEIVERS))]}}
            for place, name in enumerate(RECEIVERS)
        ]
        route = RouteConfig.model_validate({"receiver": "hook-a", "group_wait": timedelta(0), "routes": branches})
        decider = Decider(database, Engine(timedelta(seconds=15)), Incidents(), metrics=metrics)
        flusher = Flusher(database, Routing(route.build(), dict.fromkeys(RECEIVERS, ("one",))), metrics=metrics)
        sender = Sender(
            database, lines, console=lambda name: f"https://listener.example.com/incidents/{name}", timezone="UTC",
            metrics=metrics, now=lambda: datetime.now(UTC),
        )  # fmt: skip

        async def relay() -> None:
            while True:
                await flusher.put.wait()
                flusher.put.clear()
                sender.wake.set()

        tasks = [
            asyncio.create_task(loop(flusher.step, decider.told)),
            asyncio.create_task(loop(sender.step, sender.wake)),
            asyncio.create_task(relay()),
        ]
        committed = await _publish(decider, alerts, seconds)
        deadline = time.monotonic() + 600
        while await _left(database, alerts) and time.monotonic() < deadline:
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sender.stop(2)
    await database.close()
    return committed


async def _publish(decider: Decider, alerts: int, seconds: float) -> dict[str, float]:
    committed: dict[str, float] = {}
    start, number = time.monotonic(), 0
    while number < alerts:
        now = datetime.now(UTC)
        due = min(alerts, int((time.monotonic() - start) / seconds * alerts) + 1)
        events = [event_of(one, now) for one in range(number, due)]
        if events:
            await decider.publish(events, now)
            at = time.time()
            committed.update((event.alert, at) for event in events)
            number = due
        await asyncio.sleep(0.05)
    return committed


async def _left(database: Database, alerts: int) -> bool:
    async with database.read("bench") as connection:
        rows = await connection.exec_driver_sql("select count(*) from outbox where state = 'sent'")
        return rows.scalar_one() < alerts


def main(alerts: int = 10_000, seconds: float = 60.0) -> None:
    context = multiprocessing.get_context("spawn")
    pipes, servers, ports = {}, [], {}
    for name in RECEIVERS:
        pipes[name], theirs = context.Pipe()
        server = context.Process(target=serve_mail if name == "mail" else serve_hook, args=(theirs,), daemon=True)
        server.start()
        servers.append(server)
        ports[name] = pipes[name].recv()
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        committed = asyncio.run(run(Path(folder), ports, alerts, seconds))
        took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    everything: list[float] = []
    red: list[float] = []
    for name in RECEIVERS:
        pipes[name].send("end")
        taken = pipes[name].recv()
        waits = sorted(at - committed[one] for one, at in taken.items())
        everything += waits
        red += [at - committed[one] for one, at in taken.items() if int(one.removeprefix("i")) % RED == 0]
        print(f"{name:>7}: {len(waits):6} taken, {_quantiles(waits)}")
    for server in servers:
        server.join(5)
    everything.sort()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"    red: {len(red):6} taken, {_quantiles(sorted(red))}")
    print(f"    all: {len(everything):6} taken, {_quantiles(everything)}")
    print(
        f"{alerts} alerts published over {seconds:.0f} s, the last taken after {took:.1f} s; CPU {cpu:.1f} s; "
        f"memory {before.ru_maxrss / 1024:.0f} MB before, at most {after.ru_maxrss / 1024:.0f} MB"
    )
    if len(everything) != alerts:
        sys.exit(f"{alerts - len(everything)} alerts were not taken")


def _quantiles(waits: list[float]) -> str:
    if not waits:
        return "none"
    at = {share: waits[min(int(len(waits) * share), len(waits) - 1)] for share in (0.5, 0.95, 0.99)}
    return ", ".join(f"p{share * 100:.0f} {value * 1000:.0f} ms" for share, value in at.items())


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((int, float), sys.argv[1:], strict=False)))
