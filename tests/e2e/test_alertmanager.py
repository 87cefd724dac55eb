"""A real Alertmanager receives our alerts, groups them by incident, gets them again after a restart, and ends them."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from tests.support.program import Hook, Program, serving

CONFIG = """
storage: {{url: "sqlite:///here.db"}}
web: {{listen: "127.0.0.1:0", public_url: "http://listener.example.com"}}
step: 1s
sources:
  - {{id: inbox, type: file, path: "inbox.jsonl", channel: forum, every: 1s}}
targets: {{acme: {{names: [云杉科技], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules:
{rules}
receivers:
  - id: pr
    channels: [{{type: alertmanager, url: "{url}", refresh: 1s}}]
route: {{receiver: pr, group_wait: 0s, group_interval: 1s}}
"""
LOUD = """  - id: loud
    topics: [acme]
    when: {type: volume, window: 1h, at_least: 3}
    levels: {yellow: {}, red: {at_least: 6}}
"""
WATCH = """  - id: fire
    topics: [acme]
    when: {type: volume, window: 1h, at_least: 2}
    levels: {blue: {}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def alertmanager(folder: Path, port: int, hook: str) -> AsyncIterator[str]:
    """An Alertmanager that forgets all when it stops; it posts groups of one incident to *hook*."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("needs a real Alertmanager (on Debian: apt-get install prometheus-alertmanager)")
    settings = {
        "global": {"resolve_timeout": "5s"},  # ours must not end by it
        "route": {
            "receiver": "hook", "group_by": ["incident"], "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h",
        },
        "receivers": [{"name": "hook", "webhook_configs": [{"url": hook, "send_resolved": True}]}],
    }  # fmt: skip
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            await process.wait()


async def active(http: aiohttp.ClientSession, url: str) -> set[tuple[str, str]]:
    """Name and level of what it holds as firing."""
    try:
        async with http.get(f"{url}/api/v2/alerts") as answer:
            alerts = await answer.json()
    except aiohttp.ClientError:
        return set()
    return {(alert["labels"]["alertname"], alert["labels"]["level"]) for alert in alerts}


async def becomes(http: aiohttp.ClientSession, url: str, wanted: set[tuple[str, str]]) -> None:
    held: set[tuple[str, str]] = set()
    for _ in range(300):
        if (held := await active(http, url)) == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"holds {held}, not {wanted}")


async def told(hook: Hook, status: str, wanted: set[tuple[str, str]]) -> dict[str, Any]:
    """The first group that it sent on in which these alerts have this status."""
    for _ in range(300):
        for group in hook.accepted:
            alerts = [alert for alert in group["alerts"] if alert["status"] == status]
            if wanted <= {(alert["labels"]["alertname"], alert["labels"]["level"]) for alert in alerts}:
                return group
        await asyncio.sleep(0.1)
    raise AssertionError(f"never sent {status} {wanted}: {[group['alerts'] for group in hook.accepted]}")


def say(folder: Path, start: int, count: int) -> None:
    with (folder / "inbox.jsonl").open("a", encoding="utf-8") as inbox:
        for number in range(start, start + count):
            line = {
                "source": "inbox", "channel": "forum", "external_id": str(number),
                "text": f"云杉科技的充电宝第{number}次鼓包了，太吓人 <a href='https://evil.example'>@all</a>",
                "published_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            inbox.write(json.dumps(line, ensure_ascii=False) + "\n")


@pytest.mark.timeout(180)
async def test_a_real_alertmanager_receives_groups_and_resolves(tmp_path: Path) -> None:
    """Open, kept past the resolve timeout, risen, told again to one that forgot, and ended: as we say, at each step."""
    (tmp_path / "inbox.jsonl").touch()
    file, port, hook = tmp_path / "listener.yml", free_port(), Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    async with serving(app) as own, aiohttp.ClientSession() as http:
        file.write_text(CONFIG.format(rules=LOUD + WATCH, url=f"http://127.0.0.1:{port}"), encoding="utf-8")
        program = Program(file)
        async with alertmanager(tmp_path / "first", port, f"{own}/hook") as url:
            await program.start()
            say(tmp_path, 0, 3)
            await becomes(http, url, {("loud", "yellow"), ("fire", "blue")})
            group = await told(hook, "firing", {("loud", "yellow"), ("fire", "blue")})
            assert group["groupLabels"]["incident"] == group["commonLabels"]["incident"]
            assert group["commonLabels"]["topic"] == "acme"
            annotations = [alert["annotations"] for alert in group["alerts"]]
            assert any("云杉科技" in one["summary"] for one in annotations)
            assert "evil.example" not in json.dumps(annotations)
            assert all(
                alert["generatorURL"].startswith("http://listener.example.com/incidents/") for alert in group["alerts"]
            )
            say(tmp_path, 3, 4)
            await becomes(http, url, {("loud", "red"), ("fire", "blue")})
            await told(hook, "resolved", {("loud", "yellow")})
            await asyncio.sleep(6)  # past its resolve_timeout
            assert await active(http, url) == {("loud", "red"), ("fire", "blue")}
        hook.accepted.clear()
        async with alertmanager(tmp_path / "second", port, f"{own}/hook") as url:  # with nothing in memory or on disk
            await becomes(http, url, {("loud", "red"), ("fire", "blue")})
            await told(hook, "firing", {("loud", "red")})
            file.write_text(CONFIG.format(rules=WATCH, url=url), encoding="utf-8")
            os.kill(program.pid, signal.SIGHUP)  # the rule is gone, so its alert ends
            await told(hook, "resolved", {("loud", "red")})
            await becomes(http, url, {("fire", "blue")})
        assert await program.stop() == 0
