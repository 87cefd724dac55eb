"""Verdicts: given through commands, kept for good, the last one counts; precision and time to detect from them."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent, Because, Level, StoryRef, Window
from alerts.command import Command
from alerts.incident import Incidents
from alerts.verdict import VERDICTS, Judgement, verdict_of
from listener.cli import main
from listener.clock import utc_now
from listener.commands import Commands, submit
from listener.config import load
from listener.desk import Desk
from listener.storage import acts, alerting, mentions
from listener.storage.database import Database
from listener.storage.judged import judged
from listener.storage.retention import Keep, forget
from rules.judged import Judged, by_month
from rules.lives import Life
from tests.support.engine_log import Log

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONFIG = """
storage: {url: "sqlite:///here.db"}
sources: [{id: microblog, type: file, path: "x/*.jsonl", channel: weibo}]
topics: [{id: acme, query: 云杉}]
"""


def event(alert: str, *, at: datetime = NOW, name: str = "opened", revision: int = 1, **more) -> AlertEvent:
    base = {"kind": "topic", "rule": "surge", "topic": "acme", "key": {"topic": "acme"}, **more}
    return AlertEvent(
        event=name, at=at, alert=alert, revision=revision, level=Level.red, because=Because("因", "why"), seen=3, **base
    )  # type: ignore[arg-type]


async def keep(database: Database, *events: AlertEvent) -> None:
    incidents = Incidents()
    async with database.write("test") as connection:
        for one in events:
            if one.shadow:
                await alerting.keep_events(connection, [one])
            else:
                done, incident = incidents.apply(one)
                await alerting.keep_events(connection, [done])
                incidents.keep(*await alerting.keep(connection, [incident], now=one.at))


def command(subject: str, verdict: str = "noise", **more) -> Command:
    payload = {"verdict": verdict, **more.pop("payload", {})}
    return Command("verdict", subject, more.pop("actor", "小林"), "test", NOW, payload, **more)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open("sqlite:///here.db", base=tmp_path)
    yield opened
    await opened.close()


async def act(database: Database, *asked: Command, at: datetime = NOW) -> list[tuple[bool, str]]:
    async with database.write("test") as connection:
        numbers = [await acts.put(connection, one) for one in asked]
    commands = Commands(database, Desk(Incidents()))
    while await commands.step(at) == at:
        pass
    async with database.read("test") as connection:
        found = [await acts.outcome(connection, number) for number in numbers]
    assert all(found)
    return [(one.done, one.reason) for one in found if one]


TWO = (event("a"), event("b", at=NOW + MINUTE, key={"topic": "acme", "channel": "weibo"}))  # one incident: a


async def test_a_verdict_is_of_an_incident_or_of_one_alert(database):
    """An incident's id is its first alert's: it is taken for the incident unless the alert is asked for."""
    await keep(database, *TWO, event("t", shadow=True, rule="trial"))
    told = await act(
        database,
        command("a", "real"),
        command("b", "noise"),
        command("a", "known", payload={"of": "alert"}),
        command("t"),
    )
    assert told == [(True, "")] * 4
    async with database.read("test") as connection:
        kept = await acts.judgements(connection)
        of_incident = await acts.judgements(connection, incidents=["a"])
    assert [(one.incident, one.alert, one.verdict, one.by) for one in kept] == [
        ("a", "", "real", "小林"), ("a", "b", "noise", "小林"), ("a", "a", "known", "小林"), ("", "t", "noise", "小林"),
    ]  # fmt: skip
    assert of_incident == kept[:3]
    assert [verdict_of(alert, home, kept).verdict for alert, home in (("a", "a"), ("b", "a"), ("c", "a"), ("t", ""))] == [
        "known", "noise", "real", "noise",
    ]  # fmt: skip


async def test_what_cannot_be_done_is_refused_with_a_reason(database):
    """Nothing is kept of it; what comes after is done."""
    await keep(database, *TWO, event("s", kind="self", topic=None, key={}, rule="self-source-blind"))
    told = await act(
        database,
        command("nobody"),
        command("s"),
        command("a", "splendid"),
        command("a", expected_revision=3),
        command("a", expected_revision=2),
        Command("dance", "a", "小林", "test", NOW),
    )
    assert told == [
        (False, "not_found"), (False, "self"), (False, "bad_payload"), (False, "revision"), (True, ""), (False, "unknown_kind"),
    ]  # fmt: skip
    async with database.read("test") as connection:
        assert len(await acts.judgements(connection)) == 1


async def test_a_command_is_applied_once(database):
    """Another step, as after a restart, does nothing to what is done."""
    await keep(database, *TWO)
    await act(database, command("a"))
    assert await Commands(database, Desk(Incidents())).step(NOW) == NOW + timedelta(seconds=1)
    async with database.read("test") as connection:
        assert len(await acts.judgements(connection)) == 1


async def test_verdicts_are_forgotten_with_the_alerts(database):
    """By ``retention.matched``; a command that waits is not."""
    await keep(database, *TWO)
    await act(database, command("a"))
    async with database.write("test") as connection:
        waiting = await acts.put(connection, command("b"))
    day = timedelta(days=1)
    assert (await forget(database, Keep(day, day, day), NOW + day))["verdicts"] == 0
    deleted = await forget(database, Keep(day, day, day), NOW + 2 * day)
    assert (deleted["verdicts"], deleted["commands"]) == (1, 1)
    async with database.read("test") as connection:
        assert await acts.outcome(connection, waiting) is None


JUDGEMENTS = st.lists(
    st.builds(
        Judgement, st.sampled_from(["", "i", "j"]), st.sampled_from(["", "a", "b"]), st.sampled_from(VERDICTS), st.just("x"),
        st.just(NOW),
    )
)  # fmt: skip


@given(JUDGEMENTS)
def test_the_last_word_counts(judgements):
    """Of the alert or of its whole incident, whichever came last; nothing said of others touches it."""
    mine = [one for one in judgements if one.alert == "a" or (one.alert == "" and one.incident == "i")]
    assert verdict_of("a", "i", judgements) == (mine[-1] if mine else None)


# measures


def life(opened: datetime, rule: str = "surge", *, shadow: bool = False) -> Life:
    return Life("a", rule, "acme", {}, opened, ((opened, Level.red),), Because("", ""), shadow=shadow)


def test_precision_counts_real_and_noise_alone():
    """By month of the zone, known and unjudged apart; none of either is no precision, not zero."""
    last = datetime(2026, 3, 31, 17, 0, tzinfo=UTC)  # April in Shanghai
    given = [("real", 1), ("real", 2), ("real", 3), ("noise", 60), ("known", None), (None, None)]
    found = by_month(
        [
            *[Judged(life(NOW), verdict, None if wait is None else wait * MINUTE) for verdict, wait in given],  # type: ignore[arg-type]
            Judged(life(last), "known", None),
            Judged(life(NOW, shadow=True), "noise", 5 * MINUTE),
        ],
        ZoneInfo("Asia/Shanghai"),
    )
    march, april, shadow = found
    assert (march.month, march.alerts, march.precision, march.unjudged) == ("2026-03", 6, 0.75, 1)
    assert (march.detected, march.p50, march.p95) == (4, 2 * MINUTE, 60 * MINUTE)
    assert (april.month, april.precision, april.p50) == ("2026-04", None, None)
    assert (shadow.shadow, shadow.precision) == (True, 0.0)


async def test_time_to_detect_begins_with_the_story_or_the_window(database):
    """The alert's largest story as it is called by now; without one the topic's first in the window; else it is not known."""
    log = Log()
    rows = [
        log.mention(NOW - 300 * MINUTE, name="old"),
        log.mention(NOW - 90 * MINUTE, name="s1"),
        log.mention(NOW - 20 * MINUTE, name="w1"),
        log.mention(NOW - 10 * MINUTE, name="later"),
        log.mention(NOW - 50 * MINUTE, name="foreign", topics=("rival",)),
    ]
    async with database.write("test") as connection:
        for row in rows:
            story = "microblog/s1" if row.mention.external_id in {"s1", "later"} else ""
            await mentions.add(connection, [replace(row, story=story)], at=row.at)
    window = Window(NOW - 60 * MINUTE, NOW)
    told = StoryRef("microblog/s1", "t", 2, ("weibo",), "")
    await keep(
        database,
        event("story", window=window, stories=(told,)),
        event("story", name="updated", revision=2, at=NOW + MINUTE),
        event("window", rule="other", window=window, shadow=True),
        event("neither", rule="third", shadow=True),
    )
    async with database.read("test") as connection:
        found = {one.life.alert: one.detected for one in await judged(connection)}
    assert found == {"story": 90 * MINUTE, "window": 20 * MINUTE, "neither": None}


# the command line


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "listener.yml"
    path.write_text(CONFIG, encoding="utf-8")
    return str(path)


def fill(tmp_path: Path, *events: AlertEvent) -> None:
    async def run() -> None:
        database = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            await keep(database, *events)
        finally:
            await database.close()

    asyncio.run(run())


def test_without_a_program_it_is_done_at_once(config, tmp_path, capsys):
    """List, verdict, list again, summary."""
    now = utc_now()
    fill(
        tmp_path,
        event("a", at=now),
        event("b", at=now, rule="other"),
        event("old", at=now - timedelta(days=9), name="resolved", topic="x"),
    )
    assert main(["incident", "list", "-c", config]) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["incident"], line["open"], line["level"], line["verdict"]) == ("a", True, "red", None)
    assert main(["incident", "verdict", "-c", config, "a", "real", "--by", "小林", "--note", "门店确有起火"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] is True
    assert main(["incident", "verdict", "-c", config, "b", "noise", "--revision", "2"]) == 0
    capsys.readouterr()
    assert main(["incident", "list", "-c", config, "--last", "30d"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2
    assert lines[0]["verdict"]["note"] == "门店确有起火"
    assert [alert["verdict"] for alert in lines[0]["alerts"]] == ["real", "noise"]
    assert main(["incident", "summary", "-c", config]) == 0
    captured = capsys.readouterr()
    rules = {line["rule"]: line for line in map(json.loads, captured.out.splitlines()) if line["real"] or line["noise"]}
    assert (rules["surge"]["precision"], rules["other"]["precision"]) == (1.0, 0.0)
    assert "precision" in captured.err.splitlines()[0]


def test_refusals_and_wrong_usage(config, tmp_path, capsys):
    """Each says what is wrong."""
    assert main(["incident", "verdict", "-c", config, "a", "real"]) == 1
    assert "there is no database yet" in capsys.readouterr().err
    assert not (tmp_path / "here.db").exists()
    fill(tmp_path, event("a"))
    assert main(["incident", "verdict", "-c", config, "zzz", "real"]) == 1
    assert "there is no incident or alert zzz" in capsys.readouterr().err
    assert main(["incident", "verdict", "-c", config, "a", "real", "--revision", "7"]) == 1
    assert "it is at revision 1, you saw 7" in capsys.readouterr().err
    for wrong in (
        ["verdict", "a", "splendid"],
        ["verdict", "a", "real", "--by", " "],
        ["verdict", "a", "real", "--note", "x" * 2001],
        [],
    ):
        assert main(["incident", *wrong, *(["-c", config] if wrong else [])]) == 2


def test_beside_an_owner_that_is_busy_it_waits_and_is_kept(config, tmp_path, capsys):
    """An owner that does not answer in time: said so, and the row is applied later, once."""
    fill(tmp_path, event("a"))

    async def beside() -> None:
        owner = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            given = load(Path(config))
            assert await submit(given, command("a"), wait=timedelta(seconds=0.3)) is None
            assert await Commands(owner, Desk(Incidents())).step(NOW) == NOW
            answer = asyncio.create_task(submit(given, command("a", "real"), wait=timedelta(seconds=20)))
            while await Commands(owner, Desk(Incidents())).step(NOW) != NOW:
                await asyncio.sleep(0.02)
            outcome = await answer
            assert outcome is not None
            assert outcome.done
            async with owner.read("test") as connection:
                assert [one.verdict for one in await acts.judgements(connection)] == ["noise", "real"]
        finally:
            await owner.close()

    asyncio.run(beside())


def test_an_owner_that_goes_away_leaves_it_to_us(config, tmp_path):
    """The program stops while we wait: the row is applied by the one that waits for it."""
    fill(tmp_path, event("a"))

    async def beside() -> None:
        owner = await Database.open("sqlite:///here.db", base=tmp_path)
        answer = asyncio.create_task(submit(load(Path(config)), command("a"), wait=timedelta(seconds=20)))
        while True:
            async with owner.read("test") as connection:
                if await acts.waiting(connection):
                    break
            await asyncio.sleep(0.02)
        await owner.close()
        outcome = await answer
        assert outcome is not None
        assert outcome.done

    asyncio.run(beside())
