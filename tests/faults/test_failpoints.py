"""Killed at named points between a fetch and the note that a message was sent: nothing lost, and no double unmarked."""

import asyncio
import random
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support import china
from tests.support.failpoint import CALLS, TRANSACTIONS
from tests.support.program import Feed, Hook, Program, serving, until

BRANDS = [f"牌子{name}" for name in "甲乙丙丁"]
MARK = "（可能重复）"
ROBOT = f'"https://oapi.dingtalk.com/robot/send?access_token={china.DingTalk.token}"'
CONFIG = """
storage: {{url: "sqlite:///points.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
log: {{level: warning}}
sources:
  - {{id: feed, type: feed, url: "{url}/feed.xml", channel: forum, every: 1s}}
targets: {{{targets}}}
topics: [{topics}]
rules:
  - id: loud
    topics: [{ids}]
    when: {{type: volume, window: 1h, at_least: 3}}
    levels: {{yellow: {{}}, red: {{at_least: 6}}}}
receivers:
  - {{id: pr, channels: [{{type: dingtalk, webhook: {robot}, api: "{url}/"}}, {{type: webhook, url: "{url}/hook"}}]}}
route: {{receiver: pr, group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
"""
# A snapshot is taken at a start that finds more in the log; a lease is released at a start where one was left.
AFTER_A_RESTART = {"snapshot written", "snapshot committed", "released at the start"}
# Of these a second call comes only with more complaints, and one kill is in the first.
FIRST = {
    "fetched", "cursor written", "events written", "incidents written", "mentions ready", "mentions committed",
    "alerts ready", "alerts committed", *AFTER_A_RESTART,
}  # fmt: skip
ALWAYS = {
    "cursor written", "mentions committed", "alerts ready", "message put", "flush committed", "leased",
    "delivery committed", "hook answered", "robot answered", "released at the start",
}  # fmt: skip
POINTS = [
    pytest.param(
        point, rounds, id=f"{point}-{rounds}", marks=[] if rounds == 1 and point in ALWAYS else pytest.mark.soak
    )
    for point in (*CALLS, *TRANSACTIONS)
    for rounds in (1, 4)
]


class Receivers:
    """A robot and a hook; on demand they kill who asks before they answer."""

    def __init__(self) -> None:
        self.robot = china.DingTalk(lambda: datetime.now(UTC))
        self.hook = Hook()

    async def ding(self, request: web.Request) -> web.StreamResponse:
        return await self.robot.answer(request, await request.read())


def _configure(folder: Path, url: str) -> Path:
    ids = [f"b{number}" for number in range(len(BRANDS))]
    text = CONFIG.format(
        url=url,
        robot=ROBOT,
        ids=", ".join(ids),
        targets=", ".join(f"{one}: {{names: [{name}], variants: []}}" for one, name in zip(ids, BRANDS, strict=True)),
        topics=", ".join(f'{{id: {one}, target: {one}, query: "@{one}"}}' for one in ids),
    )
    file = folder / "points.yml"
    file.write_text(text, encoding="utf-8")
    return file


def _complain(feed: Feed, each: int) -> None:
    for _ in range(each):
        for brand in BRANDS:
            feed.add(f"{brand}的充电宝又出问题了，客服一直不理人，第{len(feed.items)}次投诉")


async def _dies(program: Program, feed: Feed, point: str, nth: int) -> None:
    """It runs until it gets to that point; what is not reached with what there is, is reached with more complaints."""
    await program.start(wait=False, dies=(point, nth))
    dead = asyncio.ensure_future(program.dead())
    while not (await asyncio.wait([dead], timeout=4))[0]:
        _complain(feed, 3)
    assert dead.result() == -9, program.output[-20:]


@pytest.mark.timeout(540)
@pytest.mark.parametrize(("point", "rounds"), POINTS)
async def test_killed_at(tmp_path: Path, point: str, rounds: int) -> None:
    """Once, in the middle of a batch where it comes in one; in a soak at all points, and four times in either call."""
    dice, feed, receivers = random.Random(point), Feed(), Receivers()
    app = web.Application()
    app.router.add_get("/feed.xml", feed.handle)
    app.router.add_post("/robot/send", receivers.ding)
    app.router.add_post("/hook", receivers.hook.handle)
    kills = 0
    async with serving(app) as url:
        program = Program(_configure(tmp_path, url))
        for number in range(rounds):
            _complain(feed, 3 if number == 0 else 1)
            if point in AFTER_A_RESTART:
                await _dies(program, feed, "hook answered", 1)
                kills += 1
            nth = dice.randint(1, 2) if rounds > 1 else 1 if point in FIRST else 2
            nth = 1 if point in AFTER_A_RESTART else nth
            await _dies(program, feed, point, nth)
            kills += 1
        _complain(feed, 1)
        await program.start()
        await until(lambda: _settled(tmp_path, feed), within=60, what="not all was stored and sent")
        assert await program.stop() == 0
    doubles, marked = _laws(tmp_path, feed, receivers, kills)
    print(
        f"{point}: {kills} kills, {len(feed.items)} items, {doubles} doubles at the hook, {marked} marked by the robot"
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", ["request at the hook", "request at the robot"])
async def test_killed_while_asking(tmp_path: Path, point: str) -> None:
    """The receiver has the message and has not answered: the program cannot know, so it tells again and says so."""
    feed, receivers = Feed(), Receivers()
    program: list[Program] = []

    async def die(_request: web.Request) -> None:
        if program[0].running and not killed:
            killed.append(point)
            await program[0].kill()

    async def ding(request: web.Request) -> web.StreamResponse:
        answer = await receivers.ding(request)
        if point.endswith("robot"):
            await die(request)
        return answer

    async def hook(request: web.Request) -> web.StreamResponse:
        answer = await receivers.hook.handle(request)
        if point.endswith("hook"):
            await die(request)
        return answer

    killed: list[str] = []
    app = web.Application()
    app.router.add_get("/feed.xml", feed.handle)
    app.router.add_post("/robot/send", ding)
    app.router.add_post("/hook", hook)
    async with serving(app) as url:
        program.append(Program(_configure(tmp_path, url)))
        _complain(feed, 3)
        await program[0].start(wait=False)
        await until(lambda: bool(killed) and not program[0].running, what="nobody was asked")
        await program[0].start()
        await until(lambda: _settled(tmp_path, feed), within=60, what="not all was stored and sent")
        assert await program[0].stop() == 0
    doubles, marked = _laws(tmp_path, feed, receivers, 1)
    assert doubles == 1 if point.endswith("hook") else marked >= 1
    print(f"{point}: 1 kill, {doubles} doubles at the hook, {marked} marked by the robot")


def _rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "points.db") as database:
        return database.execute(query).fetchall()


def _settled(folder: Path, feed: Feed) -> bool:
    stored = _rows(folder, "select count(*) from mentions")[0][0]
    waiting = _rows(folder, "select count(*) from outbox where state not in ('sent', 'superseded')")[0][0]
    opened = _rows(folder, "select count(*) from outbox where kind = 'open' and state = 'sent'")[0][0]
    due = _rows(folder, "select count(*) from incidents where next_flush < (select max(created_at) from outbox)")
    return stored == len(feed.items) and not waiting and opened == 2 * len(BRANDS) and not due[0][0]


def _laws(folder: Path, feed: Feed, receivers: Receivers, kills: int) -> tuple[int, int]:
    """How many messages the hook has twice, and how many at the robot are marked."""
    # Nothing is lost, and nothing is kept twice
    stored = Counter(row[0] for row in _rows(folder, "select external_id from mentions"))
    assert stored == Counter(guid for guid, _, _ in feed.items)
    rows = _rows(folder, "select key, channel, incident, kind, doubtful, digest from outbox where state = 'sent'")
    heard = Counter(data["notification"]["key"] for data in receivers.hook.accepted)
    assert set(heard) == {key for key, channel, *_ in rows if channel == "webhook"}
    opened = [incident for _, channel, incident, kind, *_ in rows if channel == "webhook" and kind == "open"]
    assert sorted(opened) == sorted({row[0] for row in _rows(folder, "select incident from alert_events")})
    # Twice only where nobody knew what became of the first time, and marked where a reader would see two
    doubtful = {key for key, *_, doubt, _ in rows if doubt}
    assert {key for key, times in heard.items() if times > 1} <= doubtful
    doubles = sum(times - 1 for times in heard.values())
    texts = [text for _, text in receivers.robot.taken]
    marked = sum(MARK in text for text in texts)
    unmarked = Counter(text for text in texts if MARK not in text)
    assert receivers.robot.problems == []
    assert set(unmarked.values()) <= {1}
    robots = sum(channel == "dingtalk" and digest is None for _, channel, *_, digest in rows)
    assert 0 <= len(texts) - robots <= marked
    assert marked <= kills
    assert doubles <= kills
    # Numbers go on: one each without a gap, and as they were told
    numbers = dict(_rows(folder, "select id, number from incidents where kind = 'topic'"))
    assert sorted(numbers.values()) == list(range(1, len(BRANDS) + 1))
    told = _rows(folder, "select incident, json_extract(facts, '$.number') from outbox where incident like 'a%'")
    assert all(number == numbers[incident] for incident, number in told)
    return doubles, marked
