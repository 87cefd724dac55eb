"""The other side of a channel under test: a server on loopback that is as strict as the real one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter

from alerts.channels import ChannelConfig

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CONFIG = TypeAdapter(ChannelConfig)
SECRET = "s3cr3t-T0ken-4711"


@dataclass
class Peer:
    """A loopback server that a channel sends to. ``texts``: what a person, or a program, would be told, per message."""

    type: str
    config: dict
    texts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refuse: Callable[[], object] | None = None  # answers instead, while set
    requests: int = 0
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self):
        """For the peers that remember more."""

    def build(self, http: aiohttp.ClientSession):
        config = CONFIG.validate_python({"type": self.type, **self.config})
        return config.build(http, clock=lambda: NOW)


@contextlib.asynccontextmanager
async def serve(handler) -> AsyncIterator[str]:
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def refused(peer: Peer) -> web.StreamResponse | None:
    peer.requests += 1
    answer = peer.refuse() if peer.refuse is not None else None
    return await answer if asyncio.iscoroutine(answer) else answer
