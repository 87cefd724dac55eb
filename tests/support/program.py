"""The real program as a subprocess, and the servers on loopback that it talks to."""

import asyncio
import html
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).parents[2]
Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free loopback port; gives the address without a slash at the end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Feed:
    """An RSS feed that grows; newest first, as feeds are."""

    items: list[tuple[str, str, datetime]] = field(default_factory=list)
    fetched: int = 0

    def add(self, text: str, *, at: datetime | None = None) -> str:
        guid = f"item-{len(self.items)}"
        self.items.append((guid, text, at or datetime.now(UTC)))
        return guid

    def document(self) -> str:
        rows = "".join(
            f"<item><guid isPermaLink='false'>{guid}</guid><link>http://example.com/{guid}</link>"
            f"<title>{html.escape(text[:30])}</title><description>{html.escape(text)}</description>"
            f"<pubDate>{format_datetime(at)}</pubDate></item>"
            for guid, text, at in reversed(self.items)
        )
        return f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{rows}</channel></rss>"

    async def handle(self, _request: web.Request) -> web.Response:
        self.fetched += 1
        return web.Response(text=self.document(), content_type="application/rss+xml")


@dataclass
class Hook:
    """A webhook receiver that answers as it is told to and remembers what it accepted."""

    answer: Answer | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        data = json.loads(body)
        self.requests.append((asyncio.get_running_loop().time(), data))
        response = await self.answer(request, body) if self.answer else web.Response(text="ok")
        if response.status == 200:
            self.accepted.append(data)
        return response


class Program:
    """``listener run`` on a configuration."""

    def __init__(self, config: Path, **environment: str) -> None:
        self.config = config
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.url = ""
        self.output: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *, wait: bool = True, dies: tuple[str, int] | None = None) -> None:
        """*dies*: the point of ``tests.support.failpoint`` at which it kills itself, and in which call."""
        entry = ("listener",) if dies is None else ("tests.support.failpoint", dies[0], str(dies[1]))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *entry, "run", "-c", str(self.config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=self.environment, cwd=None if dies is None else ROOT,
        )  # fmt: skip
        up = asyncio.Event()
        self._reader = asyncio.create_task(self._read(up))
        if wait:
            async with asyncio.timeout(60):
                await up.wait()
            assert self.url, "\n".join(self.output[-40:])

    async def _read(self, up: asyncio.Event) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.output.append(text)
            if found := re.search(r"console at (http://\S+)/", text):
                self.url = found[1]
                up.set()
        up.set()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def dead(self) -> int:
        """Wait until it has ended by itself; the exit code."""
        assert self._process is not None
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """A polite end; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        code = await self._process.wait()
        if self._reader is not None:
            await self._reader
        return code


async def listener(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """One command of the program: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "listener", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def until(holds: Callable[[], bool], *, within: float = 30.0, what: str = "") -> None:
    """Wait for something to become true; the test fails when it does not."""
    deadline = asyncio.get_running_loop().time() + within
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, what or "not within the time"
        await asyncio.sleep(0.05)
