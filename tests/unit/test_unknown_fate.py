"""Which tries may have arrived, and how a retry says so."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web

from alerts import DeliveryError, Receipt
from alerts.channels import ChannelConfig
from alerts.channels.http import JSON, Poster
from alerts.notification import PassedOn
from alerts.render import message
from alerts.render.dingtalk import markdown
from alerts.render.plain import plain
from alerts.render.shorten import by_parts, sms
from alerts.sample import sample_notification
from listener.storage import holds, outbox
from listener.storage.database import Database
from listener.turns import Line
from tests.support.program import serving

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SAMPLE = replace(sample_notification(NOW, "zh"), kind="open")


async def _hang(_request: web.Request) -> web.Response:
    await asyncio.sleep(5)
    return web.Response()


async def _cut(request: web.Request) -> web.Response:
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b'{"errcode"')
    assert request.transport is not None
    request.transport.abort()
    return answer


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("fate", [_hang, _cut, _half])
async def test_what_was_written_and_not_answered_may_have_arrived(fate, method):
    """No answer in time, a line that is cut before the answer or within it."""
    app = web.Application()
    app.router.add_route(method, "/", fate)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        poster = Poster(http, timedelta(milliseconds=300))
        with pytest.raises(DeliveryError) as caught:
            await poster.request(method, url, b"{}" if method == "POST" else None, JSON)
    assert caught.value.retryable
    assert caught.value.perhaps_arrived


@pytest.mark.parametrize("body", [b"{}", None])
async def test_what_was_never_written_has_not_arrived(body, unused_tcp_port):
    """Nobody listens, or the name is nobody's."""
    async with aiohttp.ClientSession() as http:
        for url in (f"http://127.0.0.1:{unused_tcp_port}/", "http://no-such-host.invalid/"):
            with pytest.raises(DeliveryError) as caught:
                await Poster(http, timedelta(seconds=2)).request("POST", url, body, JSON)
            assert caught.value.reason == "network"
            assert not caught.value.perhaps_arrived


@pytest.fixture
def unused_tcp_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def test_the_doubt_is_kept(tmp_path: Path):
    """A try of unknown fate, and a lease that nobody ended, are remembered over restarts and further tries."""
    database = await Database.open("sqlite:///d.db", base=tmp_path)
    try:
        async with database.write("test") as connection:
            for name in ("timed", "killed", "refused"):
                incident = replace(SAMPLE.incident, id=name)
                await outbox.put(connection, outbox.New(name, "pr", name, "open", incident), now=NOW)
            rows = {row.address[1]: row.id for row in await outbox.ready(connection, NOW)}
            for row in rows.values():
                assert not (await outbox.lease(connection, row, NOW)).doubtful
            await outbox.mark_failed(connection, rows["timed"], error="", retry_at=NOW, doubtful=True)
            await outbox.mark_failed(connection, rows["refused"], error="", retry_at=NOW)
            await outbox.release(connection)
            found = {name: (await outbox.lease(connection, rows[name], NOW)).doubtful for name in rows}
            assert found == {"timed": True, "killed": True, "refused": False}
            await outbox.mark_failed(connection, rows["timed"], error="", retry_at=NOW)
            assert (await outbox.lease(connection, rows["timed"], NOW)).doubtful
            await holds.set_clock(connection, NOW)
    finally:
        await database.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_retry_says_that_it_may_be_a_repeat(language):
    """The mark stands first, so that no cut takes it, and the incident is named as in the footer."""
    mark = {"zh": "（可能重复）", "en": "(may be a repeat)"}[language]
    again = message(replace(SAMPLE, language=language, perhaps_repeated=True))
    assert again.headline.startswith(mark)
    short = again.notice.partition("事件 " if language == "zh" else "incident ")[2][:13]
    start, _, end = short.partition("…")
    assert start in again.footer
    assert end in again.footer
    assert all(mark in form.headline for form in by_parts(again))
    assert mark in plain(again)
    assert mark in markdown(again, 300)
    assert mark in sms(again, 70)
    assert mark not in plain(message(replace(SAMPLE, language=language)))
    numbered = replace(SAMPLE, perhaps_repeated=True, incident=replace(SAMPLE.incident, number=42))
    assert "事件 #42" in message(numbered).notice


def test_a_digest_says_it_too():
    parts = tuple(replace(SAMPLE, key=str(number)) for number in range(3))
    told = message(replace(SAMPLE, digest=parts, perhaps_repeated=True))
    assert told.headline.startswith("（可能重复）")
    assert told.notice.startswith("上次发送未获确认")


def test_what_is_passed_on_says_whose_it_was():
    """In both languages, late or failed; the end of it needs no such word."""
    passed = replace(SAMPLE, passed_on=PassedOn("pr", ("robot", "mail"), late=True))
    assert message(passed).notice.startswith("原接收人 pr 的 robot、mail 渠道 3 分钟内未送达，转由您处理。")
    failed = replace(passed, language="en", passed_on=PassedOn("pr", ("robot",), late=False))
    assert message(failed).notice.startswith("Passed on to you: pr cannot be reached by robot.")
    assert "转由您处理" not in message(replace(passed, kind="resolve")).notice


def test_every_channel_says_how_a_repeat_shows():
    """A platform that knows a message's key shows it once; where a message is changed, a retry changes it again."""
    known = {
        "PagerDutyConfig": "always", "OpsgenieConfig": "always", "AlertmanagerConfig": "always", "EmailConfig": "always",
        "WebhookConfig": "always", "TelegramConfig": "edits",
    }  # fmt: skip
    for member in get_args(get_args(ChannelConfig)[0]):
        how = getattr(member, "idempotent", "never")
        if not isinstance(how, property):
            assert how == known.get(member.__name__, "never"), member
    first, none = Receipt("C1:1.2", NOW), None
    line = Line(channel=None, language="zh")
    assert line.shows_twice(first)
    assert not replace(line, idempotent="always").shows_twice(none)
    assert replace(line, idempotent="edits").shows_twice(none)
    assert not replace(line, idempotent="edits").shows_twice(first)
