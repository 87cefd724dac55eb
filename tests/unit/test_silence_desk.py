"""Silences by command: kept, refused with a reason, ended, listed, previewed; and what the pages say of them."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import AlertEvent, Because, Level
from alerts.command import Command
from alerts.incident import Incidents
from listener.cli import main
from listener.clock import utc_now
from listener.commands import Commands
from listener.desk import Desk
from listener.storage import acts, alerting, silences
from listener.storage.database import Database
from listener.storage.retention import Keep, forget
from listener.storage.status import Shown, StoredStatus
from listener.storage.tables import commands

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONFIG = """
storage: {url: "sqlite:///here.db"}
sources: [{id: microblog, type: file, path: "x/*.jsonl", channel: weibo}]
topics: [{id: acme, query: 云杉}]
"""


def event(alert: str, level: Level = Level.yellow, *, at: datetime = NOW, topic: str = "acme") -> AlertEvent:
    return AlertEvent(
        event="opened", at=at, alert=alert, revision=1, level=level, because=Because("因", "why"), seen=3, kind="topic",
        rule="surge", topic=topic, key={"topic": topic}, title=Because("负面突增", "a surge"),
    )  # fmt: skip


async def keep(database: Database, *events: AlertEvent) -> None:
    incidents = Incidents()
    async with database.write("test") as connection:
        for one in events:
            done, incident = incidents.apply(one)
            await alerting.keep_events(connection, [done])
            incidents.keep(*await alerting.keep(connection, [incident], now=one.at))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open("sqlite:///here.db", base=tmp_path)
    yield opened
    await opened.close()


def ask(subject: str = "", kind: str = "silence", revision: int | None = None, **payload: str) -> Command:
    payload = {"for": "2h", "reason": "例行促销", **payload} if kind == "silence" else payload
    return Command(kind, subject, "小林", "slack T/C/U", NOW, payload, revision)


async def act(database: Database, *asked: Command, at: datetime = NOW, woken: list[int] | None = None):
    async with database.write("test") as connection:
        numbers = [await acts.put(connection, one) for one in asked]
    told = (lambda: None) if woken is None else (lambda: woken.append(1))
    applying = Commands(database, Desk(Incidents()), told=told)
    while await applying.step(at) == at:
        pass
    async with database.read("test") as connection:
        return [await acts.outcome(connection, number) for number in numbers]


async def test_a_silence_is_kept_and_ended_and_never_deleted(database):
    """Its level is what is open and matches, unless said; who asked, why and when stay in it and in the audit log."""
    await keep(database, event("a", Level.yellow), event("b", Level.red, topic="rival"))
    woken: list[int] = []
    done = await act(
        database,
        ask(match='{"topic": ["acme"]}'),
        ask("#1"),
        ask("b", level="red"),
        ask(match='{"topic": "other"}', **{"from": (NOW + HOUR).isoformat()}),
        ask(match='{"kind": "topic"}'),
        woken=woken,
    )
    assert [one.done for one in done] == [True] * 5, done
    assert "#2" in done[4].because.zh
    assert len(woken) == 5
    async with database.read("test") as connection:
        kept = await silences.listed(connection)
    assert [(one.number, one.incident, one.level.name) for one in kept] == [
        (1, None, "yellow"), (2, 1, "yellow"), (3, 2, "red"), (4, None, "orange"), (5, None, "yellow"),
    ]  # fmt: skip
    assert (kept[0].owner, kept[0].reason, kept[0].ends_at) == ("小林", "例行促销", NOW + 2 * HOUR)
    assert (kept[3].starts_at, kept[3].ends_at) == (NOW + HOUR, NOW + 3 * HOUR)
    ended = await act(database, ask("1", "unsilence"), ask("#4", "unsilence"), at=NOW + HOUR / 2)
    assert [one.done for one in ended] == [True, True]
    again = await act(database, ask("1", "unsilence"), ask("77", "unsilence"), ask("x", "unsilence"), at=NOW + HOUR)
    assert [one.reason for one in again] == ["over", "not_found", "not_found"]
    async with database.read("test") as connection:
        active = await silences.active(connection, NOW + HOUR)
        first = await silences.get(connection, 1)
        log = [
            (row.kind, row.state, row.incident)
            for row in await connection.execute(select(commands).order_by(commands.c.id))
        ]
    assert [one.number for one in active] == [2, 3, 5]
    assert first is not None
    assert (first.ended_by, first.over_at) == ("小林", NOW + HOUR / 2)
    assert log[:3] == [("silence", "done", ""), ("silence", "done", "a"), ("silence", "done", "b")]
    day = timedelta(days=1)
    await forget(database, Keep(day, day, day), NOW + 900 * day)
    async with database.read("test") as connection:
        assert len(await silences.listed(connection)) == 5


async def test_what_cannot_be_is_refused(database):
    """Each with a reason for programs, and words."""
    await keep(database, event("a", Level.red), event("b", topic="rival"))
    cases = {
        "no_match": ask(),
        "not_found": ask("nobody"),
        "above": ask("a"),
        "no_text": ask("b", reason=" "),
        "too_long": ask("b", **{"for": "8d"}),
        "times": ask("b", **{"for": "1h", "from": (NOW - HOUR).isoformat()}),
        "revision": ask("b", revision=9),
        "bad_payload": ask("b", match='{"colour": "red"}'),
    }
    past = ask("b")
    past.payload.pop("for")  # type: ignore[attr-defined]
    past.payload["until"] = (NOW - HOUR).isoformat()  # type: ignore[index]
    cases["times"] = past
    outcomes = await act(database, *cases.values())
    assert [one.reason for one in outcomes] == list(cases)
    assert all(one.because.zh != one.because.en for one in outcomes)
    bad = [
        ask("b", **{"for": "soon"}),
        ask("b", level="purple"),
        ask("b", match="[]"),
        ask("b", match="{"),
        ask("b", **{"from": "2026-03-02"}),
    ]
    outcomes = await act(database, *bad)
    assert [one.reason for one in outcomes] == ["bad_payload"] * 5
    assert [one.because.zh.removeprefix("静默的参数有误：") for one in outcomes] == [
        "soon 不是时长", "没有级别 purple", "match 须为对象", "格式无法识别", "2026-03-02 缺少时区偏移",
    ]  # fmt: skip
    async with database.read("test") as connection:
        assert await silences.listed(connection) == []


async def test_a_button_needs_no_reason(database):
    """Slack's sends how long alone: where it came from stands for the reason."""
    await keep(database, event("a"))
    command = Command("silence", "a", "lin", "slack T/C/U", NOW, {"for": "1h"}, 1)
    (done,) = await act(database, command)
    assert done.done, done
    async with database.read("test") as connection:
        (kept,) = await silences.listed(connection)
    assert (kept.reason, kept.over_at) == ("slack", NOW + HOUR)


async def test_the_pages_read_them(database):
    """Of an incident those that hold it, not those that are for lower levels."""
    await keep(database, event("a"), event("b", Level.orange, topic="rival"))
    await act(database, ask(match='{"kind": "topic"}', level="yellow"))
    status = StoredStatus(database, Shown((), ()), {}, started_at=NOW, now=lambda: NOW + HOUR)
    pages = [await status.incident(name) for name in ("a", "b")]
    assert [len(page.silences) for page in pages if page] == [1, 0]
    assert [one.number for one in await status.silences()] == [1]


async def test_a_silence_for_one_incident_goes_where_that_goes(database):
    """It holds what its incident was merged into, up to its level as ever; one that is over stays what it was."""
    names = {"a": "acme", "b": "rival", "c": "other"}
    await keep(database, *(event(name, at=NOW + HOUR, topic=topic) for name, topic in names.items()))
    await act(database, ask("#1"), ask("#3"), ask("#1", **{"for": "10m"}), ask(match='{"topic": "acme"}'))
    later = NOW + HOUR
    merging = Command("merge", "#1", "小林", "cli", later, {"value": "#2"})
    assert [one.done for one in await act(database, merging, at=later)] == [True]
    status = StoredStatus(database, Shown((), ()), {}, started_at=NOW, now=lambda: later)
    held = {}
    for name in names:
        page = await status.incident(name)
        assert page is not None
        held[name] = [one.number for one in page.silences]
    assert held == {"a": [4], "b": [1], "c": [2]}
    async with database.read("test") as connection:
        kept = await silences.listed(connection)
    assert [one.incident for one in kept] == [2, 3, 1, None]
    again = Command("merge", "#2", "小林", "cli", later, {"value": "#3"})
    assert [one.done for one in await act(database, again, at=later)] == [True]
    page = await status.incident("c")
    assert page is not None
    assert [one.number for one in page.silences] == [1, 2]


async def _stored(tmp_path: Path) -> None:
    database = await Database.open("sqlite:///here.db", base=tmp_path)
    now = utc_now()
    await keep(
        database, event("a", at=now - HOUR), event("b", Level.red, at=now - HOUR, topic="rival"), event("c", at=now - HOUR, topic="other"),
    )  # fmt: skip
    await database.close()


async def test_the_command_line(tmp_path, capsys, monkeypatch):
    """add, list, show, preview and end, where no program runs: JSON lines, and words where it is refused."""
    import asyncio

    await _stored(tmp_path)
    config = tmp_path / "listener.yml"
    config.write_text(CONFIG, encoding="utf-8")

    async def run(*arguments: str) -> tuple[int, list[dict], str]:
        code = await asyncio.to_thread(main, ["silence", *arguments, "-c", str(config)])
        out = capsys.readouterr()
        return code, [json.loads(line) for line in out.out.splitlines()], out.err

    code, lines, _ = await run("add", "topic=acme,rival", "--for", "2h", "--reason", "促销", "--dry-run")
    assert (code, [(one["incident"], one["hidden"]) for one in lines[:-1]]) == (0, [("a", True), ("b", False)])
    assert lines[-1] == {"would_have_hidden": {"level": "yellow", "incidents": 1, "alerts": 1, "above": 1}}
    assert (await run("list"))[1] == []
    code, lines, _ = await run("add", "topic=acme,rival", "--for", "2h", "--reason", "促销", "--by", "小林")
    assert (code, lines[0]["done"]) == (0, True)
    code, lines, _ = await run("add", "--incident", "2", "--for", "2h", "--reason", "促销")
    assert (code, lines) == (1, [])
    code, lines, _ = await run("preview", "--incident", "2", "--red")
    assert (code, lines[-1]["would_have_hidden"]["incidents"]) == (0, 1)
    code, lines, _ = await run("list")
    assert [(one["silence"], one["state"], one["match"], one["owner"], one["level"]) for one in lines] == [
        (1, "active", {"topic": ["acme", "rival"]}, "小林", "yellow")
    ]
    assert (await run("end", "1"))[0] == 0
    code, lines, _ = await run("show", "1")
    assert (code, lines[0]["state"], lines[0]["reason"]) == (0, "over", "促销")
    assert (await run("list"))[1] == []
    assert [one["silence"] for one in (await run("list", "--all"))[1]] == [1]
    assert (await run("show", "9"))[0] == 1
    assert (await run("end", "9"))[0] == 1
    for wrong in (["colour=red"], ["level=purple"], ["topic"], []):
        code, _, said = await run("add", *wrong, "--for", "2h", "--reason", "x")
        assert (code, said.startswith("listener: ")) == (2, True)
    assert (await run("add", "topic=acme", "--reason", "x"))[0] == 2
