"""Receivers that refuse, hang, cut the line or lie: delivered after recovery, in order, never inside a wait."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.program import Program, serving, until

CONFIG = """
storage: {{url: "sqlite:///deliveries.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
sources:
  - {{id: inbox, type: file, path: "inbox.jsonl", channel: forum, every: 1s}}
targets: {{acme: {{names: [云杉科技], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules:
  - id: loud
    topics: [acme]
    when: {{type: volume, window: 1h, at_least: 3}}
    levels: {{yellow: {{}}, red: {{at_least: 6}}}}
receivers:
{receivers}
route:
  receiver: calm
  group_wait: 0s
  group_interval: 1s
  routes:
{routes}
"""

WEBHOOK = '{{id: {name}, channels: [{{type: webhook, url: "{url}/hook/{name}", secret: s, timeout: 1s}}]}}'
SLACK = (
    "{{id: {name}, language: en, channels: [{{type: slack, token: xoxb-secret-token, channel: C1, "
    'api: "{url}/slack/{name}/", timeout: 1s}}]}}'
)


class Receivers:
    """One address per fate; each misbehaves for its first requests and is well from then on."""

    def __init__(self) -> None:
        self.requests: dict[str, list[float]] = {}
        self.accepted: dict[str, list[str]] = {}

    async def hook(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        data = await request.json()
        return await self._answer(request, name, data["notification"]["kind"], ok=lambda: web.Response(text="ok"))

    async def slack(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        method = request.match_info["method"]
        return await self._answer(
            request, name, method, ok=lambda: web.json_response({"ok": True, "channel": "C1", "ts": "1.2"})
        )

    async def _answer(
        self, request: web.Request, name: str, what: str, *, ok: Callable[[], web.Response]
    ) -> web.StreamResponse:
        seen = self.requests.setdefault(name, [])
        seen.append(asyncio.get_running_loop().time())
        fate = FATES[name.partition("-")[2]]
        answer = await fate(request, len(seen)) if fate else None
        if answer is not None:
            return answer
        self.accepted.setdefault(name, []).append(what)
        return ok()


async def _five_hundred(_request: web.Request, number: int) -> web.StreamResponse | None:
    return web.Response(status=500) if number <= 3 else None


async def _slow_down(_request: web.Request, number: int) -> web.StreamResponse | None:
    return web.Response(status=429, headers={"Retry-After": "3"}) if number <= 2 else None


async def _ratelimited(_request: web.Request, number: int) -> web.StreamResponse | None:
    return web.json_response({"ok": False, "error": "ratelimited"}) if number <= 2 else None


async def _invalid_auth(_request: web.Request, _number: int) -> web.StreamResponse | None:
    return web.json_response({"ok": False, "error": "invalid_auth"})


async def _hang(_request: web.Request, number: int) -> web.StreamResponse | None:
    if number <= 2:
        await asyncio.sleep(30)
    return None


async def _cut(request: web.Request, number: int) -> web.StreamResponse | None:
    if number <= 3:
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(0.1)
        return web.Response(status=500)
    return None


FATES: dict[str, Callable[[web.Request, int], Awaitable[web.StreamResponse | None]] | None] = {
    "": None,
    "500": _five_hundred,
    "429": _slow_down,
    "ratelimited": _ratelimited,
    "auth": _invalid_auth,
    "hang": _hang,
    "cut": _cut,
}
WEBHOOKS = ["calm", "hook-500", "hook-429", "hook-hang", "hook-cut"]
SLACKS = ["slack-500", "slack-429", "slack-ratelimited", "slack-auth", "slack-hang", "slack-cut"]


def _configure(folder: Path, url: str) -> Path:
    lines = [f"  - {WEBHOOK.format(name=name, url=url)}" for name in WEBHOOKS]
    lines += [f"  - {SLACK.format(name=name, url=url)}" for name in SLACKS]
    routes = [f"    - {{receiver: {name}, continue: true}}" for name in [*WEBHOOKS, *SLACKS]]
    file = folder / "deliveries.yml"
    file.write_text(CONFIG.format(receivers="\n".join(lines), routes="\n".join(routes)), encoding="utf-8")
    return file


def _say(folder: Path, start: int, count: int) -> None:
    with (folder / "inbox.jsonl").open("a", encoding="utf-8") as inbox:
        for number in range(start, start + count):
            line: dict[str, Any] = {
                "source": "inbox", "channel": "forum", "external_id": str(number),
                "text": f"云杉科技的充电宝第{number}次鼓包了，太吓人",
                "published_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            inbox.write(json.dumps(line, ensure_ascii=False) + "\n")


@pytest.mark.timeout(120)
async def test_refused_messages_arrive_in_order_after_recovery(tmp_path: Path) -> None:
    """Every fate but a wrong token ends in both messages delivered, in order; the wrong token is told elsewhere."""
    receivers = Receivers()
    app = web.Application()
    app.router.add_post("/hook/{name}", receivers.hook)
    app.router.add_post("/slack/{name}/{method}", receivers.slack)
    (tmp_path / "inbox.jsonl").touch()
    async with serving(app) as url:
        program = Program(_configure(tmp_path, url))
        await program.start()
        _say(tmp_path, 0, 3)
        await until(lambda: "calm" in receivers.accepted, what="the first message")
        _say(tmp_path, 3, 4)
        mending = [name for name in [*WEBHOOKS, *SLACKS] if name != "slack-auth"]

        def delivered() -> bool:
            return all(_told_twice(receivers, name) for name in mending) and _self_alert_told(tmp_path)

        await until(delivered, within=90, what=f"not delivered: {receivers.accepted}")
        assert await program.stop() == 0

    for name in WEBHOOKS:
        kinds = [kind for kind in receivers.accepted[name] if kind != "resolve"]
        assert kinds[0] == "open", name
        assert "update" in kinds, name
    for name in SLACKS:
        if name != "slack-auth":
            assert receivers.accepted[name][0] == "chat.postMessage", name
    for name in ("hook-429", "slack-429"):
        times = receivers.requests[name]
        assert times[1] - times[0] >= 3.0, f"{name} was asked again inside its wait"
        assert times[2] - times[1] >= 3.0, f"{name} was asked again inside its wait"
    database = sqlite3.connect(tmp_path / "deliveries.db")
    states = database.execute("select receiver, state, count(*) from outbox group by 1, 2").fetchall()
    refused = {receiver: state for receiver, state, _ in states if receiver == "slack-auth"}
    assert set(refused.values()) == {"dead"}
    assert len(receivers.requests["slack-auth"]) == sum(n for r, _, n in states if r == "slack-auth"), "dead at once"
    for receiver, count in database.execute("select receiver, count(*) from outbox where state = 'sent' group by 1"):
        assert len(receivers.accepted[receiver]) >= count, f"{receiver}: marked sent what was refused"
    assert "xoxb-secret-token" not in "\n".join(program.output)


def _told_twice(receivers: Receivers, name: str) -> bool:
    accepted = receivers.accepted.get(name, [])
    return len(accepted) >= 2 if name.startswith("slack") else "open" in accepted and "update" in accepted


def _self_alert_told(folder: Path) -> bool:
    database = sqlite3.connect(folder / "deliveries.db")
    query = """select count(*) from outbox join incidents on incidents.id = outbox.incident
               where incidents.kind = 'self' and outbox.state = 'sent' and outbox.receiver = 'calm'"""
    return bool(database.execute(query).fetchone()[0])
