"""kill -9 at random moments: what was collected is there once, what was decided is delivered."""

import asyncio
import json
import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.program import Feed, Hook, Program, listener, serving, until

BRANDS = [f"牌子{name}" for name in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"]

CONFIG = """
storage: {{url: "sqlite:///kill.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
log: {{level: warning}}
sources:
  - {{id: feed, type: feed, url: "{feed}", channel: forum, every: 1s}}
targets: {{{targets}}}
topics: [{topics}]
rules:
  - id: loud
    topics: [{ids}]
    when: {{type: volume, window: 1h, at_least: 3}}
    levels: {{blue: {{}}, yellow: {{at_least: 6}}, orange: {{at_least: 10}}, red: {{at_least: 20}}}}
receivers:
  - id: hook
    channels: [{{type: webhook, url: "{hook}", secret: s, timeout: 1s}}]
route: {{receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
"""


def configuration(folder: Path, feed: str, hook: str) -> Path:
    file = folder / "kill.yml"
    ids = [f"b{number}" for number in range(len(BRANDS))]
    text = CONFIG.format(
        feed=feed,
        hook=hook,
        targets=", ".join(f"{i}: {{names: [{name}], variants: []}}" for i, name in zip(ids, BRANDS, strict=True)),
        topics=", ".join(f'{{id: {i}, target: {i}, query: "@{i}"}}' for i in ids),
        ids=", ".join(ids),
    )
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.timeout(540)
@pytest.mark.parametrize("rounds", [12, pytest.param(50, marks=pytest.mark.soak)])
async def test_kills_lose_nothing(tmp_path: Path, rounds: int) -> None:
    """After SIGKILLs every item is stored once, every alert is delivered, duplicates do not outnumber the kills."""
    dice = random.Random(20261122)
    feed, hook = Feed(), Hook()

    async def flaky(_request: web.Request, _body: bytes) -> web.StreamResponse:
        fate = dice.random()
        if fate < 0.25:
            return web.Response(status=500)
        if fate < 0.35:
            return web.Response(status=429, headers={"Retry-After": "1"})
        if fate < 0.40:
            await asyncio.sleep(1.5)
            return web.Response(status=500)
        return web.Response(text="ok")

    hook.answer = flaky
    app = web.Application()
    app.router.add_get("/feed.xml", feed.handle)
    app.router.add_post("/hook", hook.handle)
    async with serving(app) as url:
        program = Program(configuration(tmp_path, f"{url}/feed.xml", f"{url}/hook"))
        growing = asyncio.create_task(_grow(feed, dice))
        kills = 0
        for _ in range(rounds):
            # Mostly while it works, sometimes while it starts.
            await program.start(wait=dice.random() < 0.9)
            await asyncio.sleep(dice.uniform(0.0, 1.5))
            if program.running:
                kills += 1
            await program.kill()
        await until(lambda: len(feed.items) >= 4 * len(BRANDS), what="too few items")
        growing.cancel()
        hook.answer = None
        await program.start()
        await until(lambda: _settled(tmp_path, feed), within=60, what="not all was stored and sent")
        fetched = feed.fetched  # and the engine has been past the last of it
        await until(lambda: feed.fetched >= fetched + 3)
        assert await program.stop() == 0

    database = sqlite3.connect(tmp_path / "kill.db")
    stored = Counter(row[0] for row in database.execute("select external_id from mentions"))
    assert kills == rounds
    assert sorted(stored) == sorted(guid for guid, _, _ in feed.items)
    assert set(stored.values()) == {1}
    opened = {row[0] for row in database.execute("select distinct incident from alert_events")}
    assert len(opened) == len(BRANDS)
    delivered = Counter(data["notification"]["key"] for data in hook.accepted)
    sent = {row[0] for row in database.execute("select key from outbox where state = 'sent'")}
    assert {row[0] for row in database.execute("select distinct state from outbox")} <= {"sent", "superseded"}
    assert sent <= set(delivered)
    assert opened == {d["incident"] for d in hook.accepted if d["notification"]["kind"] == "open"}
    duplicates = sum(count - 1 for count in delivered.values())
    assert duplicates <= kills
    _in_order(hook)
    await _replay_is_live(tmp_path)
    print(f"{kills} kills, {len(stored)} items, {len(sent)} notifications, {duplicates} duplicates")


async def _grow(feed: Feed, dice: random.Random) -> None:
    """Endless complaints: every brand once in each twenty."""
    while True:
        for brand in dice.sample(BRANDS, len(BRANDS)):
            feed.add(f"{brand}的充电宝又出问题了，客服一直不理人，第{len(feed.items)}次投诉")
            await asyncio.sleep(dice.uniform(0.05, 0.5))


def _settled(folder: Path, feed: Feed) -> bool:
    database = sqlite3.connect(folder / "kill.db")
    stored = database.execute("select count(*) from mentions").fetchone()[0]
    waiting = database.execute("select count(*) from outbox where state in ('pending', 'leased')").fetchone()[0]
    due = database.execute("select count(*) from incidents where next_flush < (select max(created_at) from outbox)")
    alerts = database.execute("select count(distinct alert) from alert_events").fetchone()[0]
    return stored == len(feed.items) and waiting == 0 and due.fetchone()[0] == 0 and alerts == len(BRANDS)


def _in_order(hook: Hook) -> None:
    """Per incident, accepted revisions never go back but for a repeat of the one before (a duplicate)."""
    last: dict[str, int] = {}
    for data in hook.accepted:
        incident, revision = data["incident"], data["notification"]["revision"]
        assert revision >= last.get(incident, 0)
        last[incident] = revision


async def _replay_is_live(folder: Path) -> None:
    """The log of the killed and restarted program gives the alert events that were live."""
    code, log, errors = await listener("export", "-c", str(folder / "kill.yml"))
    assert code == 0, errors
    (folder / "log.jsonl").write_text(log, encoding="utf-8")
    code, live, errors = await listener("export", "-c", str(folder / "kill.yml"), "--alerts")
    assert code == 0, errors
    code, replayed, errors = await listener("replay", "-c", str(folder / "kill.yml"), str(folder / "log.jsonl"))
    assert code == 0, errors
    assert [json.loads(line) for line in replayed.splitlines()] == [json.loads(line) for line in live.splitlines()]
    assert replayed == live
