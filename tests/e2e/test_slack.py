"""Slack's buttons against the real program: what is pressed is done once, by Socket Mode and by signed requests."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from tests.support.program import Feed, Program, listener, serving, until

TOKEN, APP_TOKEN, SIGNING = "xoxb-t0ken-4711", "xapp-t0ken-0815", "0123456789abcdef0123"
CONFIG = """
storage: {{url: "sqlite:///main.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
sources: [{{id: forum, type: feed, url: "{url}/feed.xml", channel: forum, every: 1s}}]
targets: {{acme: {{names: [云杉科技], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules: [{{id: loud, topics: [acme], when: {{type: volume, window: 1h, at_least: 3}}, levels: {{yellow: {{}}, red: {{at_least: 9}}}}}}]
receivers:
  - {{id: pr, channels: [{{type: slack, token: {token}, channel: "#pr", api: "{url}/api", {secret}}}]}}
route: {{receiver: pr, group_wait: 0s, group_interval: 1s}}
"""


@dataclass
class Slack:
    """As much of Slack as an app with buttons meets."""

    feed: Feed = field(default_factory=Feed)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    whispers: list[tuple[str, str]] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    opened: int = 0
    url: str = ""

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        wanted = APP_TOKEN if method == "apps.connections.open" else TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        is_form = request.content_type == "application/x-www-form-urlencoded"
        payload = dict(await request.post()) if is_form else await request.json()
        if method == "apps.connections.open":
            self.opened += 1
            return web.json_response({"ok": True, "url": f"{self.url.replace('http', 'ws')}/link"})
        if method.startswith("files."):
            return web.json_response({"ok": False, "error": "missing_scope"})  # it goes without its chart
        if method == "chat.postEphemeral":
            self.whispers.append((payload["user"], payload["text"]))
        elif method == "users.info":
            return web.json_response({"ok": True, "user": {"id": payload["user"], "profile": {"display_name": "老周"}}})
        elif "thread_ts" not in payload:
            ts = payload.get("ts", f"1772416800.{len(self.messages):06}")
            self.messages[ts] = payload
            return web.json_response({"ok": True, "channel": "C042", "ts": ts})
        return web.json_response({"ok": True, "channel": "C042", "ts": "1"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for message in socket:
            self.acknowledged.append(json.loads(message.data)["envelope_id"])
        return socket

    @property
    def shown(self) -> str:
        return next(iter(self.messages.values()))["text"] if self.messages else ""

    def buttons(self) -> dict[str, Any]:
        (message,) = self.messages.values()
        (block,) = [one for one in message["blocks"] if one["type"] == "actions" and one.get("block_id")]
        return block

    def pressed(self, action: str, *, by: str = "lin", block_id: str = "", at: str = "1") -> dict[str, Any]:
        block = self.buttons()
        element = next(one for one in block["elements"] if one["action_id"] == action)
        said = {
            "action_id": action,
            "block_id": block_id or block["block_id"],
            "type": element["type"],
            "action_ts": at,
        }
        if element["type"] == "users_select":
            said["selected_user"] = "U0ZHOU"
        return {
            "type": "block_actions", "user": {"id": f"U{by}", "username": by, "name": by},
            "team": {"id": "T1"}, "channel": {"id": "C042", "name": "pr"}, "actions": [said],
        }  # fmt: skip


@asynccontextmanager
async def running(folder: Path, secret: str) -> AsyncIterator[tuple[Slack, Program]]:
    slack = Slack()
    app = web.Application()
    app.router.add_get("/feed.xml", slack.feed.handle)
    app.router.add_post("/api/{method}", slack.api)
    app.router.add_get("/link", slack.link)
    async with serving(app) as slack.url:
        config = folder / "main.yml"
        config.write_text(CONFIG.format(url=slack.url, token=TOKEN, secret=secret), encoding="utf-8")
        for _ in range(4):
            slack.feed.add(f"云杉科技充电宝鼓包，第{len(slack.feed.items)}个人了")
        program = Program(config)
        await program.start()
        try:
            await until(lambda: bool(slack.messages), what="\n".join(program.output))
            yield slack, program
        finally:
            if program.running:
                await program.stop()


async def _audit(program: Program) -> list[tuple[str, str]]:
    code, out, _ = await listener("incident", "list", "-c", str(program.config))
    assert code == 0
    (one,) = [json.loads(line) for line in out.splitlines()]
    return [one["verdict"] and one["verdict"]["verdict"]]


async def test_presses_by_socket_mode(tmp_path):
    """Taken once, told in the message; another's press is refused to them alone; a dropped connection is dialled anew."""
    async with running(tmp_path, f"app_token: {APP_TOKEN}") as (slack, program):
        await until(lambda: bool(slack.sockets))

        async def send(payload, number):
            envelope = {"type": "interactive", "envelope_id": f"e{number}", "payload": payload}
            await slack.sockets[-1].send_json(envelope)
            await until(lambda: f"e{number}" in slack.acknowledged)

        stale = slack.pressed("acknowledge", by="wu", at="2")
        await send(slack.pressed("acknowledge"), 1)
        await until(lambda: "已认领" in slack.shown, what=slack.shown)
        assert "lin" in slack.shown
        await send(stale, 2)
        await until(lambda: bool(slack.whispers))
        assert [who for who, _ in slack.whispers] == ["Uwu"]
        await send(slack.pressed("assign", at="3"), 3)
        await until(lambda: "老周" in slack.shown, what=slack.shown)
        await send(slack.pressed("noise", at="4"), 4)
        await until(lambda: len(slack.whispers) == 2)
        assert await _audit(program) == ["noise"]
        await slack.sockets[-1].send_json({"type": "disconnect", "reason": "refresh_requested"})
        await until(lambda: len(slack.sockets) == 2)
        twice = slack.pressed("resolve", at="5")
        for number in (5, 6):
            await send(twice, number)
        await until(lambda: "人工解除" in slack.shown, what=slack.shown)
        assert len(slack.whispers) == 2
        assert APP_TOKEN not in "\n".join(program.output)


def _signed(payload, *, secret: str = SIGNING, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def test_presses_by_signed_requests(tmp_path):
    """What Slack did not sign, or signed long ago, does nothing; what it did is done."""
    async with running(tmp_path, f"signing_secret: {SIGNING!r}") as (slack, program), aiohttp.ClientSession() as http:
        assert slack.opened == 0
        good = slack.pressed("acknowledge")
        for wrong, status in (
            (_signed(good, secret="another-secret-0123"), 401),
            (_signed(good, at=time.time() - 3600), 401),
            (_signed(good, at=time.time() + 3600), 401),
            ((b"payload=%7B", {}), 401),
            ((b"x" * 300_000, {}), 413),
        ):
            async with http.post(f"{program.url}/slack/actions", data=wrong[0], headers=wrong[1]) as answer:
                assert answer.status == status
        await asyncio.sleep(0.3)
        assert "已认领" not in slack.shown
        body, headers = _signed(good)
        async with http.post(f"{program.url}/slack/actions", data=body, headers=headers) as answer:
            assert (answer.status, await answer.text()) == (200, "")
        await until(lambda: "已认领" in slack.shown, what=slack.shown)


@pytest.mark.parametrize(
    "secret",
    [f"webhook: https://hooks.example.com/x, app_token: {APP_TOKEN}", f"app_token: x, signing_secret: {SIGNING}"],
)
async def test_what_cannot_have_buttons_is_refused(tmp_path, secret):
    """A webhook has no bot, and one way in is enough."""
    config = tmp_path / "main.yml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1", token=TOKEN, secret=secret), encoding="utf-8")
    code, _, err = await listener("check", "-c", str(config))
    assert code == 1
    assert "give either" in err
