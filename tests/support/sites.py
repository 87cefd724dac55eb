"""Loopback sites for the collectors' tests: real aiohttp servers, and raw sockets for what no server library says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def site(**pages: Handler) -> AsyncIterator[str]:
    """A site whose pages are handlers by name; yields its address with a slash at the end."""
    app = web.Application()
    for name, handler in pages.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


def page(
    body: bytes | str = b"", *, status: int = 200, content_type: str = "application/xml", **headers: str
) -> Handler:
    """A page that always answers the same; header names with underscores for dashes."""
    data = body.encode() if isinstance(body, str) else body

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=data, status=status, headers={"Content-Type": content_type, **named})

    return answer


@asynccontextmanager
async def raw(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that reads the request's head and then says what *talk* says."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def rss(*items: str, head: str = "") -> str:
    """An RSS 2.0 document of these items' inner XML."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>测试站</title>'
        f"<link>http://news.example.com/</link>{head}{inside}</channel></rss>"
    )


def item(number: int, title: str = "云杉手机", *, date: str = "Mon, 05 Jan 2026 10:00:00 +0800") -> str:
    return (
        f"<title>{title} {number}</title><link>http://news.example.com/{number}</link>"
        f"<guid>news-{number}</guid><pubDate>{date}</pubDate><description>&lt;p&gt;正文 {number}&lt;/p&gt;</description>"
    )
