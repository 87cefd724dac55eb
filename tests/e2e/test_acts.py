"""People act while the program runs, by the API and by the command line; what they did outlives it, and is told once."""

import asyncio
import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.support.program import Feed, Hook, Program, listener, serving, until

TOKEN, NEXT = "0123456789abcdef-first", "0123456789abcdef-second"
CONFIG = """
storage: {{url: "sqlite:///main.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
sources: [{{id: forum, type: feed, url: "{url}/feed.xml", channel: forum, every: 1s}}]
targets: {{acme: {{names: [云杉科技], aliases: [云杉], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules:
  - {{id: loud, topics: [acme], when: {{type: volume, window: 1h, at_least: 3}}, playbook: "pack:product-safety"}}
receivers: [{{id: duty, channels: [{{type: webhook, url: "{url}/hook", secret: s}}]}}]
route: {{receiver: duty, group_wait: 0s, group_interval: 1s}}
tokens: [{{name: pr-bot, token: !file token.txt, scopes: [incidents, read]}}]
"""


async def _post(program: Program, path: str, body: dict[str, Any], token: str = TOKEN) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "e2e-" + path}
    async with (
        aiohttp.ClientSession() as session,
        session.post(program.url + path, json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def _get(program: Program, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(program.url + path) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_taken_while_it_runs_told_once_and_kept_over_a_restart(tmp_path: Path) -> None:
    feed, hook = Feed(), Hook()
    app = web.Application()
    app.router.add_get("/feed.xml", feed.handle)
    app.router.add_post("/hook", hook.handle)

    def told() -> list[str]:
        return [data["notification"]["kind"] for data in hook.accepted if data["kind"] == "topic"]

    async with serving(app) as url:
        config = tmp_path / "main.yml"
        config.write_text(CONFIG.format(url=url), encoding="utf-8")
        (tmp_path / "token.txt").write_text(TOKEN)
        for number in range(3):
            feed.add(f"云杉科技充电宝鼓包，第{number}个人了", at=datetime.now(UTC))
        program = Program(config)
        await program.start()
        try:
            await until(lambda: told() == ["open"])
            status, done = await _post(program, "/api/incidents/1/ack", {"by": "小林"})
            assert (status, done["because"]["zh"]) == (200, "#1 已由 小林 认领")
            await until(lambda: told() == ["open", "acknowledge"])
            assert (await _post(program, "/api/incidents/1/ack", {"by": "小林"})) == (200, done)
            metrics = await _get(program, "/metrics")
            assert 'listener_acts_total{act="ack",outcome="done"} 1.0' in metrics
            for hop in ("fired_acknowledged", "sent_acknowledged"):
                assert f'listener_hop_seconds_count{{hop="{hop}"}} 1.0' in metrics

            # Beside it the command line; a reload takes another token.
            code, out, errors = await listener("incident", "check", "1", "2", "-c", str(config), "--by", "老周")
            assert (code, json.loads(out)["done"]) == (0, True), errors
            (tmp_path / "token.txt").write_text(NEXT)
            program._process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
            await until(lambda: any("config_reloaded" in line for line in program.output))
            assert (await _post(program, "/api/incidents/1/unack", {}))[0] == 401
            page = await _get(program, "/incidents/1?lang=zh")
            for part in (
                "已认领",
                "小林",
                "老周 完成了预案步骤 product-safety:2",
                "前 15 分钟",
                "api pr-bot 127.0.0.1",
            ):
                assert part in page
            assert await program.stop() == 0
            assert TOKEN not in "\n".join(program.output)

            await program.start()
            fetched = feed.fetched
            await until(lambda: feed.fetched > fetched + 1)
            assert told() == ["open", "acknowledge"]
            assert "已认领" in await _get(program, "/incidents/1?lang=zh")
            status, _ = await _post(program, "/api/incidents/1/assign", {"value": "老周"}, NEXT)
            await until(lambda: told() == ["open", "acknowledge", "act"])
            assert status == 200
        finally:
            if program.running:
                await program.stop()

        # Nobody runs: the same command does it itself, and a program that comes later tells of it.
        code, _, errors = await listener("incident", "resolve", "#1", "-c", str(config), "--text", "已召回")
        assert (code, "was resolved by" in errors) == (0, True), errors
        code, out, errors = await listener("incident", "show", "1", "-c", str(config))
        shown = json.loads(out)
        assert (code, shown["state"], shown["owner"]) == (0, "resolved", "老周")
        assert [line["act"] for line in shown["timeline"] if "act" in line] == ["ack", "check", "assign", "resolve"]
        for part in ("[x]   2", "timeline", "Taken by 小林.", "deliveries"):
            assert part in errors
        _, out, _ = await listener("incident", "audit", "-c", str(config))
        log = [json.loads(line) for line in out.splitlines()]
        assert [(line["act"], line["origin"]) for line in log] == [
            ("resolve", "cli"), ("assign", "api pr-bot 127.0.0.1"), ("check", "cli"), ("ack", "api pr-bot 127.0.0.1"),
        ]  # fmt: skip
        _, out, _ = await listener("incident", "list", "--state", "resolved", "--owner", "老周", "-c", str(config))
        assert [json.loads(line)["number"] for line in out.splitlines()] == [1]
        await program.start()
        await until(lambda: told()[-1] == "resolve")
        await asyncio.sleep(0.1)
        assert told() == ["open", "acknowledge", "act", "resolve"]
        assert await program.stop() == 0
