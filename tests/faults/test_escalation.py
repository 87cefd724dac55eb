"""Row 7, the escalation wait: kill -9 while chains and deadlines wait; each call and each deadline is told, by one key."""

import asyncio
import random
import sqlite3
from collections import Counter, defaultdict
from pathlib import Path

from aiohttp import web

from tests.support.program import Feed, Hook, Program, serving, until

CONFIG = """
storage: {{url: "sqlite:///escalation.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
log: {{level: warning}}
sources: [{{id: feed, type: feed, url: "{url}/feed.xml", channel: forum, every: 1s}}]
targets: {{acme: {{names: [云杉科技], variants: []}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules: [{{id: loud, topics: [acme], when: {{type: volume, window: 1h, at_least: 3}}, levels: {{red: {{}}}}}}]
receivers:
  - {{id: pr, channels: [{{type: webhook, url: "{url}/pr", secret: s}}]}}
  - {{id: duty, channels: [{{type: webhook, url: "{url}/duty", secret: s}}]}}
  - {{id: head, channels: [{{type: webhook, url: "{url}/head", secret: s}}]}}
route: {{receiver: pr, group_wait: 0s}}
respond_within: {{red: 4s}}
schedules: [{{id: week, rotation: {{every: 1w, start: 2026-03-02 09:00, receivers: [duty]}}}}]
escalations:
  - id: chain
    match: {{level: red}}
    steps: [{{wait: 2s}}, {{notify: {{schedule: week}}}}, {{wait: 2s}}, {{notify: head}}, {{wait: 1s}}, {{repeat: 1}}]
"""
CALLED = ("duty", "head")


async def test_kills_while_a_chain_waits_lose_and_double_no_call(tmp_path: Path) -> None:
    """Five SIGKILLs from the first message on: two calls each, a reminder or a breach, no other key."""
    dice, feed = random.Random(7), Feed()
    hooks = {name: Hook() for name in ("pr", *CALLED)}
    app = web.Application()
    app.router.add_get("/feed.xml", feed.handle)
    for name, hook in hooks.items():
        app.router.add_post(f"/{name}", hook.handle)
    for number in range(4):
        feed.add(f"云杉科技 {number}：充电宝冒烟")
    async with serving(app) as url:
        file = tmp_path / "escalation.yml"
        file.write_text(CONFIG.format(url=url), encoding="utf-8")
        program = Program(file)
        await program.start()
        await until(lambda: bool(hooks["pr"].accepted), what="nothing was told")
        for _ in range(5):
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            await program.kill()
            await program.start(wait=dice.random() < 0.8)
        await until(lambda: len(_keys(hooks["head"])["escalate"]) == 2, what="the chain did not come to its end")
        await until(lambda: _runs(tmp_path) == [("ended", "last_step", 1)], what="the chain did not end")
        await until(lambda: bool(_keys(hooks["pr"])["breach"]), what="the deadline was not told")
        assert await program.stop() == 0
    for name, hook in hooks.items():
        found = {kind: len(keys) for kind, keys in _keys(hook).items()}
        assert found.get("escalate", 0) == (2 if name in CALLED else 0)
        # Who is called later than a deadline does not hear of it, and one that ends while nothing runs needs no reminder.
        assert max(found.get("remind", 0), found.get("breach", 0), found.get("open", 0)) <= 1
        repeated = Counter(data["notification"]["key"] for data in hook.accepted)
        assert sum(count - 1 for count in repeated.values()) <= 5
    assert len(_keys(hooks["pr"])["open"]) == len(_keys(hooks["pr"])["breach"]) == 1


def _runs(folder: Path) -> list[tuple[str, str, int]]:
    database = sqlite3.connect(folder / "escalation.db")
    try:
        return database.execute("select state, reason, round from escalations").fetchall()
    finally:
        database.close()


def _keys(hook: Hook) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for data in hook.accepted:
        found[data["notification"]["kind"]].add(data["notification"]["key"])
    return found
