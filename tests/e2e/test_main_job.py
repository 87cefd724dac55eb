"""The program whole, on loopback: a feed goes in, an alert comes out, and it tells the truth about itself."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.program import Feed, Hook, Program, listener, serving, until

CONFIG = """
storage: {{url: "sqlite:///main.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
sources:
  - {{id: forum, type: feed, url: "{url}/feed.xml", channel: forum, every: 1s, blind_after: 3s}}
targets: {{acme: {{names: [云杉科技], aliases: [云杉], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules:
  - id: loud
    topics: [acme]
    when: {{type: volume, window: 1h, at_least: {at_least}}}
    levels: {{yellow: {{}}, red: {{at_least: 50}}}}
receivers:
  - {{id: duty, channels: [{{type: webhook, url: "{url}/hook", secret: s}}]}}
route: {{receiver: duty, group_wait: 0s, group_interval: 1s}}
"""


@dataclass
class Site:
    """A feed that can break, and a hook that listens."""

    feed: Feed = field(default_factory=Feed)
    hook: Hook = field(default_factory=Hook)
    status: int = 200

    async def serve_feed(self, request: web.Request) -> web.Response:
        return await self.feed.handle(request) if self.status == 200 else web.Response(status=self.status)

    def events(self, kind: str = "topic") -> list[tuple[str, str]]:
        return [(d["notification"]["kind"], d["rule"]) for d in self.hook.accepted if d["kind"] == kind]


@asynccontextmanager
async def running(folder: Path, *, at_least: int = 3) -> AsyncIterator[tuple[Site, Program]]:
    site = Site()
    app = web.Application()
    app.router.add_get("/feed.xml", site.serve_feed)
    app.router.add_post("/hook", site.hook.handle)
    async with serving(app) as url:
        config = folder / "main.yml"
        config.write_text(CONFIG.format(url=url, at_least=at_least), encoding="utf-8")
        program = Program(config)
        await program.start()
        try:
            yield site, program
        finally:
            if program.running:
                await program.stop()


async def _get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def _complain(site: Site, count: int, *, ago: timedelta = timedelta(0)) -> None:
    for _ in range(count):
        site.feed.add(f"云杉科技充电宝鼓包，第{len(site.feed.items)}个人了", at=datetime.now(UTC) - ago)


async def test_a_feed_becomes_an_alert_and_a_page(tmp_path: Path) -> None:
    """Three complaints: one signed message with evidence, the same on the page, the way there in the metrics."""
    async with running(tmp_path) as (site, program):
        await until(lambda: site.feed.fetched > 1)
        assert site.hook.accepted == []
        _complain(site, 3)
        await until(lambda: site.events() == [("open", "loud")])
        told = site.hook.accepted[0]
        assert (told["level"], told["topic"], told["seen"]) == ("yellow", "acme", 3)
        assert told["coverage"]["complete"] is True
        assert len(told["excerpts"]) == 3
        status, page = await _get(f"{program.url}/?lang=zh")
        assert status == 200
        assert "云杉科技" in page
        assert "鼓包" in page
        assert (await _get(f"{program.url}/incidents/{told['incident']}"))[0] == 200
        assert (await _get(f"{program.url}/healthz"))[0] == 200
        assert (await _get(f"{program.url}/readyz"))[0] == 200
        _, metrics = await _get(f"{program.url}/metrics")
        assert 'listener_mentions_stored_total{source="forum"} 3.0' in metrics
        assert 'listener_notifications_sent_total{channel="webhook",receiver="duty"} 1.0' in metrics
        assert "listener_mention_to_notification_seconds_count 1.0" in metrics


async def test_old_chatter_trains_and_pages_nobody(tmp_path: Path) -> None:
    """Twenty back-dated complaints in the first poll are stored and shown, and no alert comes of them."""
    async with running(tmp_path) as (site, program):
        _complain(site, 20, ago=timedelta(hours=5))
        database = tmp_path / "main.db"
        await until(lambda: sqlite3.connect(database).execute("select count(*) from mentions").fetchone()[0] == 20)
        await asyncio.sleep(3)
        assert site.hook.accepted == []
        _, volumes = await _get(f"{program.url}/data/volumes.json")
        assert "acme" in volumes


async def test_a_source_that_fails_is_told_and_so_is_its_recovery(tmp_path: Path) -> None:
    """Blind after its allowance: an alert of the program's own; a good poll resolves it."""
    async with running(tmp_path) as (site, _):
        await until(lambda: site.feed.fetched > 0)
        site.status = 503
        await until(lambda: site.events("self") == [("open", "self-source-blind")], within=30)
        blind = site.hook.accepted[-1]
        assert blind["key"] == {"source": "forum"}
        assert blind["topic"] is None
        site.status = 200
        await until(lambda: site.events("self")[-1] == ("resolve", "self-source-blind"), within=60)


async def test_reload_swaps_all_or_nothing(tmp_path: Path) -> None:
    """A bad file changes nothing and says so; a good one changes the rule, and its alert keeps its name."""
    async with running(tmp_path, at_least=3) as (site, program):
        await until(lambda: site.feed.fetched > 0)
        _complain(site, 3)
        await until(lambda: len(site.events()) == 1)
        good = program.config.read_text(encoding="utf-8")
        program.config.write_text(good.replace("topics: [acme]", "topics: [nobody]"), encoding="utf-8")
        _hangup(program)
        await until(lambda: any("reload_refused" in line for line in program.output))
        assert "listener_config_last_reload_successful 0.0" in (await _get(f"{program.url}/metrics"))[1]
        refused = next(line for line in program.output if "reload_refused" in line)
        assert "main.yml:" in refused
        assert "nobody" in refused
        page = (await _get(f"{program.url}/?lang=en"))[1]
        assert "The configuration was not reloaded" in page
        assert re.search(r"<code>\S*main\.yml:\d+:\d+: [^<]*nobody[^<]*</code>", page)
        explained = json.loads((await _get(f"{program.url}/api/explain?text=%E4%BA%91%E6%9D%89&topic=acme"))[1])
        assert explained["topics"][0]["matched"] is True

        program.config.write_text(good.replace("red: {at_least: 50}", "red: {at_least: 4}"), encoding="utf-8")
        _hangup(program)
        await until(lambda: any("config_reloaded" in line for line in program.output))
        assert "listener_config_last_reload_successful 1.0" in (await _get(f"{program.url}/metrics"))[1]
        assert "The configuration was not reloaded" not in (await _get(f"{program.url}/?lang=en"))[1]
        _complain(site, 2)
        await until(lambda: site.hook.accepted[-1]["level"] == "red")
        first, last = site.hook.accepted[0], site.hook.accepted[-1]
        assert last["alert"] == first["alert"]

        program.config.write_text(
            good.replace("id: loud", "id: louder").replace("red: {at_least: 50}", "red: {at_least: 99}"),
            encoding="utf-8",
        )
        _hangup(program)
        await until(lambda: any(e == "resolved" for e in _alert_states(site, first["alert"])))


async def test_a_verdict_beside_the_running_program(tmp_path: Path) -> None:
    """The command leaves a row, the program applies it, the command prints what came of it, the page shows it."""
    async with running(tmp_path) as (site, program):
        await until(lambda: site.feed.fetched > 0)
        _complain(site, 3)
        await until(lambda: site.events() == [("open", "loud")])
        incident = site.hook.accepted[0]["incident"]
        arguments = ("-c", str(program.config), incident)
        code, out, errors = await listener(
            "incident", "verdict", *arguments, "real", "--by", "小林", "--note", "<b>真的</b>"
        )
        assert (code, errors.strip()) == (0, f"listener: incident {incident} is real")
        assert json.loads(out)["done"] is True
        code, _, errors = await listener("incident", "verdict", *arguments, "noise", "--revision", "77")
        assert code == 1
        assert "you saw 77" in errors
        page = (await _get(f"{program.url}/incidents/{incident}?lang=zh"))[1]
        assert "人工判定" in page
        assert "小林" in page
        assert "&lt;b&gt;真的" in page
        _, listed, _ = await listener("incident", "list", "-c", str(program.config))
        assert json.loads(listed.splitlines()[0])["verdict"]["verdict"] == "real"
        _, summed, _ = await listener("incident", "summary", "-c", str(program.config))
        (line,) = map(json.loads, summed.splitlines())
        assert (line["rule"], line["precision"], line["time_to_detect"]["alerts"]) == ("loud", 1.0, 1)


async def test_a_rule_on_trial_tells_nobody_until_it_goes_live(tmp_path: Path) -> None:
    """Shown on the page as what would have been sent, sent to nobody; live after a reload, it tells of what still holds."""
    async with running(tmp_path) as (site, program):
        live = program.config.read_text(encoding="utf-8")
        program.config.write_text(live.replace("id: loud", "id: loud\n    mode: shadow"), encoding="utf-8")
        _hangup(program)
        await until(lambda: any("config_reloaded" in line for line in program.output))
        _complain(site, 4)
        await until(lambda: any("shadow_alert_opened" in line for line in program.output))
        page = (await _get(f"{program.url}/?lang=en"))[1]
        assert "On trial: what would have been sent" in page
        assert "No open alerts" in page
        _, metrics = await _get(f"{program.url}/metrics")
        assert 'listener_shadow_alert_events_total{event="opened",level="yellow",rule="loud"} 1.0' in metrics
        assert site.events() == []
        program.config.write_text(live, encoding="utf-8")
        _hangup(program)
        await until(lambda: site.events() == [("open", "loud")])
        _, exported, _ = await listener("export", "-c", str(program.config), "--alerts")
        lines = [json.loads(line) for line in exported.splitlines()]
        assert [(line["event"], line.get("shadow", False)) for line in lines] == [
            ("opened", True), ("opened", False), ("resolved", True),
        ]  # fmt: skip
        _, log, _ = await listener("export", "-c", str(program.config))
        (tmp_path / "log.jsonl").write_text(log, encoding="utf-8")
        _, replayed, _ = await listener("replay", "-c", str(program.config), str(tmp_path / "log.jsonl"))
        assert replayed.startswith(exported)  # the log's last tick may be later


def _alert_states(site: Site, alert: str) -> list[str]:
    return [one["event"] for data in site.hook.accepted for one in data["alerts"] if one["alert"] == alert]


def _hangup(program: Program) -> None:
    import os
    import signal

    os.kill(program.pid, signal.SIGHUP)


async def test_it_stops_cleanly_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGTERM ends it cleanly; after a restart nothing is collected, opened or sent a second time."""
    async with running(tmp_path) as (site, program):
        await until(lambda: site.feed.fetched > 0)
        _complain(site, 4)
        await until(lambda: len(site.events()) == 1)
        # No clock here: a machine that is busy with other tests stops late. The program itself gives up after ten seconds.
        assert await program.stop() == 0
        fetched = site.feed.fetched
        await program.start()
        await until(lambda: site.feed.fetched >= fetched + 2)
        await asyncio.sleep(2)
        assert len(site.events()) == 1
        assert sqlite3.connect(tmp_path / "main.db").execute("select count(*) from mentions").fetchone()[0] == 4


async def test_a_second_daemon_on_the_same_database_refuses(tmp_path: Path) -> None:
    """Nothing may be sent twice because somebody started it twice."""
    async with running(tmp_path) as (_, program):
        code, _, errors = await listener("run", "-c", str(program.config))
        assert code == 1
        assert "in use by another listener" in errors


async def test_a_full_disk_stops_progress_and_not_honesty(tmp_path: Path) -> None:
    """While nothing can be written: not ready, nothing lost, cursor where it was; then it recovers by itself."""
    resource = pytest.importorskip("resource")
    async with running(tmp_path) as (site, program):
        await until(lambda: site.feed.fetched > 0)
        _complain(site, 2)
        database = tmp_path / "main.db"
        await until(lambda: sqlite3.connect(database).execute("select count(*) from mentions").fetchone()[0] == 2)
        _, hard = resource.prlimit(program.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (4096, hard))  # every write past 4 KiB fails
        _complain(site, 3)

        async def ready() -> dict[str, object]:
            status, body = await _get(f"{program.url}/readyz")
            return {"status": status, **json.loads(body)}

        for _ in range(100):
            if (await ready())["status"] == 503:
                break
            await asyncio.sleep(0.1)
        state = await ready()
        assert state["status"] == 503
        assert "database" in str(state["problems"])
        assert (await _get(f"{program.url}/healthz"))[0] == 200
        assert sqlite3.connect(database).execute("select count(*) from mentions").fetchone()[0] == 2
        resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await until(lambda: len(site.events()) == 1)
        for _ in range(100):
            if (await ready())["status"] == 200:
                break
            await asyncio.sleep(0.1)
        assert (await ready())["status"] == 200
        assert sqlite3.connect(database).execute("select count(*) from mentions").fetchone()[0] == 5


async def test_the_log_replayed_is_the_life_that_was_lived(tmp_path: Path) -> None:
    """Export and replay give the live alert events byte for byte; mention lines can be imported elsewhere."""
    async with running(tmp_path) as (site, program):
        await until(lambda: site.feed.fetched > 0)
        _complain(site, 5)
        await until(lambda: len(site.events()) == 1)
        await program.kill()
        await program.start()
        _complain(site, 60)
        await until(lambda: site.hook.accepted[-1]["level"] == "red")
        await program.stop()
    config = str(tmp_path / "main.yml")
    _, live, _ = await listener("export", "-c", config, "--alerts")
    _, log, _ = await listener("export", "-c", config)
    (tmp_path / "log.jsonl").write_text(log, encoding="utf-8")
    code, replayed, errors = await listener("replay", "-c", config, str(tmp_path / "log.jsonl"))
    assert (code, errors) == (0, "")
    assert replayed == live
    assert [json.loads(line)["event"] for line in live.splitlines()][:1] == ["opened"]

    _, mentions, _ = await listener("export", "-c", config, "--mentions")
    assert len(mentions.splitlines()) == 65
    (tmp_path / "mentions.jsonl").write_text(mentions + "{broken\n", encoding="utf-8")
    other = tmp_path / "other.yml"
    other.write_text(
        (tmp_path / "main.yml").read_text(encoding="utf-8").replace("main.db", "other.db"), encoding="utf-8"
    )
    code, _, errors = await listener("import", "-c", str(other), str(tmp_path / "mentions.jsonl"))
    assert code == 1
    assert "mentions.jsonl:66" in errors
    assert "65 new mentions stored, 1 lines refused" in errors
    code, out, _ = await listener("db", "status", "-c", str(other))
    assert json.loads(out)["rows"]["mentions"] == 65
    code, alone, errors = await listener("replay", "-c", config, str(tmp_path / "mentions.jsonl"))
    assert code == 1, "the broken line is told"
    assert [json.loads(line)["event"] for line in alone.splitlines()][-1] == "resolved"
