"""The program as a process: killed in the middle of a send, told to stop under load, stopped dead, locked out."""

import asyncio
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from tests.support import china
from tests.support.program import Hook, Program, serving, until

CONFIG = """
storage: {{url: "sqlite:///process.db"}}
web: {{listen: "127.0.0.1:0"}}
step: 1s
sources:
  - {{id: inbox, type: file, path: "inbox.jsonl", channel: forum, every: 1s}}
targets: {{{targets}}}
topics: [{topics}]
rules:
  - id: loud
    topics: [{ids}]
    when: {{type: volume, window: 1h, at_least: 3}}
    levels: {{yellow: {{}}, red: {{at_least: 6}}}}
receivers: [{{id: pr, channels: [{channels}]}}]
route: {{receiver: pr, group_wait: 0s, group_interval: 1s}}
{more}
"""
ROBOT = f'{{type: dingtalk, webhook: "https://oapi.dingtalk.com/robot/send?access_token={china.DingTalk.token}", api: "URL/"}}'
HOOK = '{type: webhook, url: "URL/hook", timeout: 5s}'
BRANDS = [f"牌子{name}" for name in "甲乙丙丁戊己庚辛壬癸"]


def _configure(folder: Path, url: str, *channels: str, brands: int = 1, more: str = "") -> Path:
    ids = [f"b{number}" for number in range(brands)]
    text = CONFIG.format(
        targets=", ".join(f"{one}: {{names: [{name}], variants: []}}" for one, name in zip(ids, BRANDS, strict=False)),
        topics=", ".join(f'{{id: {one}, target: {one}, query: "@{one}"}}' for one in ids),
        ids=", ".join(ids),
        channels=", ".join(channels).replace("URL", url),
        more=more.replace("URL", url),
    )
    file = folder / "process.yml"
    file.write_text(text, encoding="utf-8")
    return file


def _say(folder: Path, brand: str, start: int, count: int) -> None:
    with (folder / "inbox.jsonl").open("a", encoding="utf-8") as inbox:
        for number in range(start, start + count):
            line = {
                "source": "inbox", "channel": "forum", "external_id": f"{brand}{number}",
                "text": f"{brand}的充电宝第{number}次鼓包了，太吓人", "published_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            inbox.write(json.dumps(line, ensure_ascii=False) + "\n")


def _states(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "process.db") as database:
        return dict(database.execute("select state, count(*) from outbox group by 1").fetchall())


@pytest.mark.timeout(120)
async def test_killed_between_sending_and_noting(tmp_path: Path) -> None:
    """Row 2: the robot has the message, the program dies before it knows; it comes again, marked, and no loss."""
    kills = 2
    robot = china.DingTalk(lambda: datetime.now(UTC))
    hook = Hook()
    program: list[Program] = []
    killed = 0

    async def ding(request: web.Request) -> web.StreamResponse:
        nonlocal killed
        answer = await robot.answer(request, await request.read())
        if killed < kills:
            killed += 1
            await program[0].kill()
        return answer

    app = web.Application()
    app.router.add_post("/robot/send", ding)
    app.router.add_post("/hook", hook.handle)
    async with serving(app) as url:
        _say(tmp_path, BRANDS[0], 0, 3)
        program.append(Program(_configure(tmp_path, url, ROBOT, HOOK)))
        for number in range(kills):
            await program[0].start()
            await until(lambda wanted=number + 1: killed == wanted and not program[0].running, what="no kill")
        await program[0].start()
        await until(lambda: _states(tmp_path) == {"sent": 2}, what="not sent")
        assert await program[0].stop() == 0
    texts = [text for _, text in robot.taken]
    assert robot.problems == []
    assert 1 <= len(texts) <= 1 + kills
    assert [text.count("（可能重复）") > 0 for text in texts] == [False] + [True] * (len(texts) - 1)
    keys = {data["notification"]["key"] for data in hook.accepted}
    assert len(keys) == 1, "a program that reads the key has it once"
    print(
        f"row 2: {killed} kills between send and mark, {len(texts)} messages, {len(texts) - 1} of them marked as a repeat"
    )


@pytest.mark.timeout(120)
async def test_told_to_stop_under_load(tmp_path: Path) -> None:
    """Row 32: SIGTERM while receivers hang and mentions pour in: out within 10 s, no lease left, nothing lost."""
    hook = Hook()

    async def hang(_request: web.Request, _body: bytes) -> web.StreamResponse:
        await asyncio.sleep(8)
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    (tmp_path / "inbox.jsonl").touch()
    async with serving(app) as url:
        program = Program(_configure(tmp_path, url, HOOK, brands=len(BRANDS)))
        hook.answer = hang
        await program.start()
        for brand in BRANDS:
            _say(tmp_path, brand, 0, 80)
        await until(lambda: len(hook.requests) >= 1, what="nothing was sent")
        for brand in BRANDS:
            _say(tmp_path, brand, 80, 80)
        began = time.monotonic()
        assert await program.stop() == 0
        took = time.monotonic() - began
        assert took < 10
        states = _states(tmp_path)
        assert "leased" not in states
        hook.answer = None
        await program.start()
        with sqlite3.connect(tmp_path / "process.db") as database:
            count = lambda what: database.execute(f"select count(*) from {what}").fetchone()[0]  # noqa: E731, S608
            await until(lambda: count("mentions") == 160 * len(BRANDS), within=60, what="mentions are missing")
            await until(
                lambda: count("outbox where state in ('pending', 'leased')") == 0
                and count("outbox where state = 'sent'") >= len(BRANDS),
                within=60, what="not delivered",
            )  # fmt: skip
        assert await program.stop() == 0
    opened = {data["incident"] for data in hook.accepted if data["notification"]["kind"] == "open"}
    assert len(opened) == len(BRANDS)
    print(
        f"row 32: out after {took:.1f} s under load, left {states}, {160 * len(BRANDS)} mentions and 10 of 10 incidents told"
    )


class Outside:
    """The service that waits for heartbeats."""

    def __init__(self) -> None:
        self.beats: list[float] = []

    async def handle(self, _request: web.Request) -> web.Response:
        self.beats.append(time.monotonic())
        return web.Response(text="OK")

    async def silence(self, intervals: float) -> float:
        """Since the last beat, once that is more than so many intervals (of a second)."""
        await until(lambda: time.monotonic() - self.beats[-1] > intervals, what="it still beats")
        return time.monotonic() - self.beats[-1]


async def _while_stopped(program: Program, _folder: Path) -> Callable[[], None]:
    program.send_signal(signal.SIGSTOP)
    return lambda: program.send_signal(signal.SIGCONT)


async def _while_locked(_program: Program, folder: Path) -> Callable[[], None]:
    database = sqlite3.connect(folder / "process.db", timeout=20, isolation_level=None)
    database.execute("begin immediate")
    return database.close


@pytest.mark.timeout(90)
@pytest.mark.parametrize("fault", [_while_stopped, _while_locked], ids=["stopped", "locked"])
async def test_a_program_that_hangs_is_missed(tmp_path: Path, fault) -> None:
    """Row 34: a process that is stopped, and a database that takes no write: no beat, and beats again after it."""
    outside = Outside()
    app = web.Application()
    app.router.add_get("/ping", outside.handle)
    app.router.add_post("/hook", Hook().handle)
    (tmp_path / "inbox.jsonl").touch()
    async with serving(app) as url:
        program = Program(_configure(tmp_path, url, HOOK, more='heartbeat: {url: "URL/ping", every: 1s}'))
        await program.start()
        try:
            await until(lambda: len(outside.beats) >= 3, what="it does not beat")
            mend = await fault(program, tmp_path)
            began = time.monotonic()
            try:
                await outside.silence(2.0)
                late = [beat - began for beat in outside.beats if beat > began]
            finally:
                mend()
            assert max(late, default=0.0) <= 1.5, "a beat that was under way may still come, no other"
            before = len(outside.beats)
            await until(lambda: len(outside.beats) > before + 1, what="it does not beat again")
        finally:
            code = await program.stop()
        assert code == 0
    print(
        f"row 34, {fault.__name__.rpartition('_')[2]}: no beat for two intervals after {max(late, default=0.0):.1f} s, then again"
    )
