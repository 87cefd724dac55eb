"""Unit tests of rules: the notation, the rows that it makes, and judgements that fail where they should."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.cli import main
from listener.config import ConfigError
from listener.ruletests.judge import Verdict, judge
from listener.ruletests.load import read_tests
from rules.calendar import UTC_WEEKS
from rules.conditions import Volume
from rules.log import MentionRow, PollRow, RulesRow
from rules.plan import plan
from rules.replay import Driver
from rules.ruletest import Feed, Kind, Outage, Scenario, Stream, rows
from rules.ruletest_judge import _Noting
from rules.series import Counts, parse_counts
from tests.support.engine_log import START, STEP, Log, after, rule, volume

T0 = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = """\
rules:
  - {id: many, topics: [acme], where: {label: negative}, when: {type: volume, window: 10m, at_least: 5}, levels: {yellow: {}, red: {authors: 20}}, for: 1m, keep_firing_for: 5m}
"""


# The notation


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("4", [4]),
        ("2x3 40x2", [2, 2, 2, 40, 40]),
        ("0+5x4", [0, 5, 10, 15, 20]),
        ("20-5x4", [20, 15, 10, 5, 0]),
        ("1 _x3 2 _", [1, 0, 0, 0, 2, 0]),
        ("0.25x8", [0, 0, 0, 1, 0, 0, 0, 1]),
        ("0.1x10", [0] * 9 + [1]),
        ("1.5 1.5", [1, 2]),
        ("3x0 1", [1]),
        ("  7\n 8 ", [7, 8]),
    ],
)
def test_notation(text, values):
    """Each form stands for its values; fractions add up without an error of rounding."""
    counts = parse_counts(text)
    assert list(counts.whole()) == values
    assert len(counts) == len(values)
    assert counts.total == sum(values)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "a", "2x", "x3", "-1", "2-1x3", "1+2", "_+1x3", "2x3x4", "1e3", "1x-2", "٣", "stale", "1x1000001"],
)
def test_what_is_no_series_is_refused(text):
    """What cannot be read, falls below zero or is far too long raises ValueError."""
    with pytest.raises(ValueError, match=r"value|entry|falls"):
        parse_counts(text)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=6), st.integers(1, 7_200))
def test_series_are_spread_evenly_within_their_steps(parts, seconds):
    """Of n mentions in a step each stands in its n-th part, none on a border, and none is lost."""
    text = " ".join(f"{value}x{times}" for value, times in parts)
    per = timedelta(seconds=seconds)
    stream = Stream("s", Kind(("acme",), "a", "a"), parse_counts(text), per, T0)
    published = list(stream.published())
    values = [value for value, times in parts for _ in range(times)]
    assert published == sorted(set(published))
    assert [sum(T0 + i * per < at < T0 + (i + 1) * per for at in published) for i in range(len(values))] == values


# The rows


def scenario(*streams: Stream, outages: tuple[Outage, ...] = (), minutes: int = 60) -> Scenario:
    feed = Feed("weibo", "core", 5 * MINUTE, 15 * MINUTE)
    text = '{"rules":[],"brands":{},"sources":{}}'
    return Scenario(text, timedelta(seconds=15), T0, T0 + minutes * MINUTE, {"weibo": feed}, streams, outages)


def stream(values: str = "1x30", **more) -> Stream:
    return Stream("s", Kind(("acme",), "weibo", "weibo"), parse_counts(values), MINUTE, more.pop("begins", T0), **more)


def test_rows_are_a_log():
    """One rule set first, ascending numbers and times, polls every five minutes after what they brought."""
    log = rows(scenario(stream(late=timedelta(0))))
    assert isinstance(log[0], RulesRow)
    assert [row.seq for row in log] == list(range(1, len(log) + 1))
    assert [row.at for row in log[1:]] == sorted(row.at for row in log[1:])
    assert [row.at - T0 for row in log if isinstance(row, PollRow)] == [5 * i * MINUTE for i in range(12)]
    assert sum(isinstance(row, MentionRow) for row in log) == 30
    assert log == rows(scenario(stream(late=timedelta(0))))


def test_what_was_published_in_an_outage_arrives_after_it():
    """Polls fail from its begin to before its end; its mentions come with the first good poll, in their own time."""
    down = Outage(frozenset({"weibo"}), T0 + 10 * MINUTE, T0 + 22 * MINUTE)
    log = rows(scenario(stream(), outages=(down,)))
    assert [row.at - T0 for row in log if isinstance(row, PollRow) and not row.ok] == [
        10 * MINUTE,
        15 * MINUTE,
        20 * MINUTE,
    ]
    mentions = [row for row in log if isinstance(row, MentionRow)]
    held = [row for row in mentions if row.at != row.event_at]
    assert [row.event_at for row in held] == [T0 + (10.5 + i) * MINUTE for i in range(12)]
    assert {row.at for row in held} == {T0 + 25 * MINUTE}


def test_one_outage_may_lead_into_the_next():
    """A poll that would bring what was held up falls into the next outage, and so on to the last."""
    spans = [(20, 31), (5, 12), (14, 21)]
    downs = tuple(Outage(frozenset({"weibo"}), T0 + a * MINUTE, T0 + b * MINUTE) for a, b in spans)
    log = rows(scenario(stream("0x6 1"), outages=downs))
    [mention] = [row for row in log if isinstance(row, MentionRow)]
    assert mention.at == T0 + 35 * MINUTE


def test_late_mentions_keep_their_time():
    """With ``late`` a mention is collected so long after it was published; what comes after the end is left out."""
    mentions = [row for row in rows(scenario(stream(late=45 * MINUTE))) if isinstance(row, MentionRow)]
    assert {row.at - row.event_at for row in mentions} == {45 * MINUTE}
    assert len(mentions) == 15


def test_history_is_history():
    """It stands before the start, is marked as what never fires, and the rules are switched on where it begins."""
    begins = T0 - 30 * MINUTE
    log = rows(scenario(stream("1x40", begins=begins, ends=T0, history=True)))
    assert log[0].at == begins
    mentions = [row for row in log if isinstance(row, MentionRow)]
    assert len(mentions) == 30
    assert all(row.history and row.event_at < T0 for row in mentions)


def test_a_slip_of_the_pen_is_refused():
    """A test that would make millions of mentions, values or polls says so and makes none."""
    with pytest.raises(ValueError, match="more than 500,000 mentions"):
        rows(scenario(stream("1000000")))
    with pytest.raises(ValueError, match="longer than"):
        rows(scenario(replace(stream(), counts=Counts(parse_counts("0x1000000").stretches * 2))))
    with pytest.raises(ValueError, match="polls"):
        rows(scenario(stream(), minutes=5 * 600_000))


# The judgement


def verdict(tmp_path: Path, test: str, *, rules: str = RULES) -> Verdict:
    path = tmp_path / "t.test.yml"
    path.write_text(f"{rules}tests:\n  - name: one\n    start: 2026-03-02T00:00Z\n{test}", encoding="utf-8")
    return judge(read_tests(path), 0)


BURST = "    input: [{topic: acme, channel: weibo, label: negative, values: '0x10 2x10 0x60'}]\n"


def expecting(*wanted: str) -> str:
    return BURST + "    expect:\n" + "".join(f"      - {one}\n" for one in wanted)


def test_states_over_a_life(tmp_path):
    """Inactive, pending, firing, recovering and resolved are each told from the others."""
    found = verdict(tmp_path, expecting(
        "{between: 0m..12m, rule: many, state: inactive}",
        "{at: 13m, rule: many, state: pending}",
        "{at: 15m, rule: many, state: firing, level: yellow}",
        "{at: 20m, rule: many, state: firing, level: red}",
        "{at: 29m, rule: many, state: recovering, level: red}",
        "{at: 60m, rule: many, state: resolved}",
        "{at: 80m, rule: many, state: resolved, topic: acme, key: {topic: acme}}",
    ))  # fmt: skip
    assert found.failures == ()
    assert found.mentions == 20


@pytest.mark.parametrize("state", ["inactive", "pending", "recovering", "resolved"])
def test_every_other_state_fails(tmp_path, state):
    """While it fires, a test that wants anything else fails, with what it saw, why, and the nearest event."""
    found = verdict(tmp_path, expecting(f"{{at: 15m, rule: many, state: {state}}}"))
    [failure] = found.failures
    assert (failure.problem.line, failure.problem.column) == (8, 9)
    assert failure.expected == f"many {state} at 15m"
    assert failure.seen == "firing yellow since 13m30s (topic acme) at 15m"
    assert "10 negative mentions in the last 10 min (threshold 5)" in failure.because
    assert failure.nearest == "opened yellow at 13m30s (acme)"


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("{at: 15m, rule: many, state: firing, level: red}", "firing yellow since 13m30s (topic acme) at 15m"),
        ("{between: 0m..20m, rule: many, state: inactive}", "pending since 12m30s (topic acme) at 12m30s"),
        ("{between: 15m..90m, rule: many, state: [firing, recovering]}", "resolved red since 35m15s (topic acme) at 35m15s"),
        ("{at: 10m, rule: many, state: firing}", "inactive at 10m"),
        ("{at: 0m, rule: many, state: firing}", "inactive at 0s"),
    ],
)  # fmt: skip
def test_what_is_not_so_fails(tmp_path, wanted, seen):
    """A wrong level, and a stretch in which it changes, fail at the first tick at which it is not so."""
    [failure] = verdict(tmp_path, expecting(wanted)).failures
    assert failure.seen == seen


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ("{rule: many, event: opened}", True),
        ("{rule: many, event: opened, at: 13m..14m}", True),
        ("{rule: many, event: opened, at: 13m30s}", True),
        ("{rule: many, event: opened, at: 13m..13m15s}", False),
        ("{rule: many, event: opened, times: 1}", True),
        ("{rule: many, event: opened, times: 0}", False),
        ("{rule: many, event: opened, times: 2..3}", False),
        ("{rule: many, event: lowered, times: 0}", True),
        ("{rule: many, event: lowered}", False),
        ("{rule: many, event: raised, level: red}", True),
        ("{rule: many, event: raised, level: orange}", False),
        ("{rule: many, event: opened, because: 负面提及}", True),
        ("{rule: many, event: opened, because: 正面提及}", False),
        ("{rule: many, event: opened, baseline: none}", True),
        ("{rule: many, event: opened, baseline: weekly}", False),
        ("{rule: many, event: opened, blind: weibo}", False),
    ],
)
def test_events(tmp_path, wanted, passes):
    """Each part of what is expected of an event decides."""
    found = verdict(tmp_path, BURST + f"    expect_events: [{wanted}]\n")
    assert found.passed is passes


def test_an_outage_delays_the_end_and_is_told(tmp_path):
    """While its source is blind an alert is not called over, and its events say what could not be seen."""
    outage = "    faults: [{source: weibo, down: 18m..70m}]\n"
    wanted = expecting(
        "{at: 65m, rule: many, state: [firing, recovering]}", "{at: 85m, rule: many, state: resolved}"
    )  # fmt: skip
    blind = "    expect_events: [{rule: many, event: raised, blind: weibo, times: 0}]\n"
    assert verdict(tmp_path, wanted.replace("0x60", "0x75") + outage + blind).failures == ()
    assert not verdict(tmp_path, wanted.replace("0x60", "0x75") + blind).passed


def test_the_gravest_of_several_keys_counts(tmp_path):
    """With one alert per channel, a state without a key speaks of the gravest; with one, of that alone."""
    rules = RULES.replace("topics: [acme],", "topics: [acme], by: [topic, channel],")
    inputs = (
        "    input:\n      - {topic: acme, channel: weibo, label: negative, values: '2x30'}\n"
        "      - {topic: acme, channel: forum, label: negative, values: '2x5 0x25'}\n"
    )
    wanted = (
        "    expect:\n      - {at: 30m, rule: many, state: firing}\n"
        "      - {at: 30m, rule: many, state: firing, key: {channel: weibo}}\n"
        "      - {at: 30m, rule: many, state: resolved, key: {channel: forum}}\n"
    )
    assert verdict(tmp_path, inputs + wanted, rules=rules).failures == ()
    assert len(verdict(tmp_path, inputs + wanted.replace("resolved", "firing"), rules=rules).failures) == 1


def test_a_filter_sees_what_a_series_says(tmp_path):
    """Followers, verification, author, words, tier, source, risk, region's key and confidence reach the rule's filter."""
    given = "followers: 5000, verified: true, author: 小李, text: 云杉起火, risks: product_safety, confidence: 0.8"
    for where, fires in [
        ("followers: {at_least: 5000}", True), ("followers: {at_least: 5001}", False), ("verified: true", True), ("verified: false", False),
        ("author: 小李", True), ("author: 小王", False), ("words: [起火]", True), ("words: [召回]", False), ("risk: product_safety", True),
        ("risk: fraud", False), ("confidence: {at_least: 0.8}", True), ("confidence: {at_least: 0.81}", False), ("channel: weibo", True),
        ("source: forum", False), ("tier: auxiliary", False), ("label: negative", True), ("label: positive", False),
    ]:  # fmt: skip
        rules = RULES.replace("{label: negative}", f"{{{where}}}").replace(", red: {authors: 20}", "")
        test = f"    input: [{{topic: acme, channel: weibo, label: negative, values: '2x10', {given}}}]\n"
        found = verdict(tmp_path, test + "    expect: [{at: 10m, rule: many, state: firing}]\n", rules=rules)
        assert found.passed is fires, where


def test_authors_and_reach_make_levels(tmp_path):
    """Three authors who take turns are three, and views add up."""
    rules = RULES.replace("red: {authors: 20}", "orange: {authors: 3}, red: {authors: 4}")
    test = "    input: [{topic: acme, label: negative, values: '2x10', authors: 3}]\n    expect: [{at: 10m, rule: many, state: firing, level: orange}]\n"
    assert verdict(tmp_path, test, rules=rules).failures == ()
    rules = RULES.replace("red: {authors: 20}", "orange: {reach: 200}, red: {reach: 201}")
    test = test.replace("authors: 3", "reach: 10")
    assert verdict(tmp_path, test, rules=rules).failures == ()


def test_history_fires_nothing_and_trains(tmp_path):
    """However much of it there is, history opens no alert; a spike is then compared with it."""
    rules = RULES.replace("type: volume,", "type: spike, reference: 1h, factor: 3,")
    history = "    history: [{topic: acme, label: negative, per: 1m, values: '9x120'}]\n"
    test = BURST + "    expect: [{between: 0m..80m, rule: many, state: inactive}]\n"
    assert verdict(tmp_path, history + test, rules=rules).failures == ()
    assert not verdict(tmp_path, test, rules=rules).passed


@pytest.mark.parametrize(
    ("sent", "failed"),
    [
        ("{pr: {opened: 1, updated: 2, resolved: 1}, duty: {opened: 1, resolved: 1}}", []),
        ("{pr: {opened: 1, updated: 1..2, resolved: 1, repeated: 0}, duty: {opened: 0..5, resolved: 1}}", []),
        ("{pr: {opened: 1, updated: 2, resolved: 1}}", ["0 opened to duty", "0 resolved to duty"]),
        ("{pr: {opened: 1, resolved: 1}, duty: {opened: 1, resolved: 1}}", ["0 updated to pr"]),
        ("{pr: {opened: 2, updated: 3..4, resolved: 1}, duty: {opened: 1, resolved: 1}}", ["2 opened to pr", "3 to 4 updated to pr"]),
        ("{}", ["0 opened to pr", "0 updated to pr", "0 resolved to pr", "0 opened to duty", "0 resolved to duty"]),
    ],
)  # fmt: skip
def test_messages_are_accounted_for_whole(tmp_path, sent, failed):
    """Each receiver and kind must be as expected; what is not named must not be sent."""
    (tmp_path / "listener.yml").write_text(
        'sources: [{id: weibo, type: feed, url: "https://weibo.example.com/rss", channel: weibo}]\n'
        f"topics: [{{id: acme, query: 云杉}}]\n{RULES}"
        "receivers: [{id: pr, channels: [{type: console}]}, {id: duty, channels: [{type: console}]}]\n"
        "route: {receiver: pr, group_interval: 1m, routes: [{match: {level: red}, receiver: duty, continue: true}, {receiver: pr}]}\n",
        encoding="utf-8",
    )
    found = verdict(tmp_path, BURST + f"    expect_sent: {sent}\n", rules="config: listener.yml\n")
    assert [failure.expected for failure in found.failures] == failed
    assert all("it was sent" in failure.seen for failure in found.failures)


@pytest.mark.parametrize(
    ("inhibit", "failed"),
    [
        ("", []),
        ("inhibit: [{source: {rule: loud}, target: {topic: acme}}]\n", ["1 opened to pr", "2 updated to pr", "1 resolved to pr"]),
    ],
)  # fmt: skip
def test_what_another_incident_mutes_is_not_sent(tmp_path, inhibit, failed):
    """The configuration's inhibitions hold as its route does; what mutes is told all the same."""
    (tmp_path / "listener.yml").write_text(
        'sources: [{id: weibo, type: feed, url: "https://weibo.example.com/rss", channel: weibo}]\n'
        f"topics: [{{id: acme, query: 云杉}}, {{id: rival, query: 格澜}}]\n{RULES}"
        "  - {id: loud, topics: [rival], when: {type: volume, window: 1h, at_least: 1}}\n"
        "receivers: [{id: pr, channels: [{type: console}]}, {id: duty, channels: [{type: console}]}]\n"
        f"route: {{receiver: pr, group_interval: 1m, routes: [{{match: {{rule: loud}}, receiver: duty}}]}}\n{inhibit}",
        encoding="utf-8",
    )
    test = BURST.replace("[{", "[{topic: rival, channel: weibo, values: '1x80'}, {")
    test += "    expect_sent: {duty: {opened: 1, updated: 0..9}, pr: {opened: 1, updated: 2, resolved: 1}}\n"
    found = verdict(tmp_path, test, rules="config: listener.yml\n")
    assert [failure.expected for failure in found.failures] == failed


class Broken(Volume):
    """A condition with a mistake in it, as a plug-in might have."""

    def read(self, view, state, now, /):
        raise ZeroDivisionError("division by zero")


def test_a_rule_that_ever_raised_is_remembered():
    """A rule that raised at one tick and no longer does is still told of, so that the test fails."""
    log = Log()
    log.rules(START, rule(id="broken", when=volume(1)))
    log.mention(after(1))
    driver = Driver(engine := _Noting(STEP))
    driver.feed(log.rows[0])
    driver.advance(after(0, 15))
    config = rule(id="broken", when=volume(1))
    bad = config.model_copy(update={"when": Broken(type="volume", window=10 * MINUTE, at_least=1)})
    engine.running["broken"].edit(plan(bad, UTC_WEEKS), after(0, 15))
    driver.feed(log.rows[1])
    driver.advance(after(2))
    engine.running["broken"].edit(plan(config, UTC_WEEKS), after(2))
    driver.advance(after(3))
    assert engine.failures == {}
    assert engine.noted == {"broken": "ZeroDivisionError: division by zero"}


# Bad input


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "bad.test.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_tests(path, {})
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


HEAD = RULES + "tests:\n  - name: one\n    start: 2026-03-02T00:00Z\n"
WANTED = "    expect: [{at: 1m, rule: many, state: firing}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tests: [{name: a, start: 2026-03-02T00:00Z, expect: [{at: 1m, rule: x, state: firing}]}]", "1:1: says not which rules to test: write rule_files, rules or config"),
        (HEAD.replace("start: 2026-03-02T00:00Z", "start: 2026-03-02T00:00") + WANTED, "5:12: tests[0].start: must be a time with its offset, such as 2026-03-02T00:00+08:00"),
        (HEAD, "4:5: tests[0]: expects nothing: write expect, expect_events or expect_sent"),
        (HEAD + "    expect: [{at: 1m, rule: manny, state: firing}]\n", "6:29: tests[0].expect[0].rule: there is no rule 'manny': did you mean many?"),
        (HEAD + "    expect: [{rule: many, state: firing}]\n", "6:14: tests[0].expect[0]: give either at or between"),
        (HEAD + "    expect: [{at: 1m, rule: many, state: burning}]\n", "6:42: tests[0].expect[0].state: must be 'inactive', 'pending', 'firing', 'recovering' or 'resolved'"),
        (HEAD + "    expect: [{at: 1m, rule: many, state: pending, level: red}]\n", "6:14: tests[0].expect[0]: an alert that is inactive or pending has no level yet"),
        (HEAD + "    expect: [{between: 5m..1m, rule: many, state: firing}]\n", "6:24: tests[0].expect[0].between: ends before it begins"),
        (HEAD + "    expect: [{at: 1m, rule: many, state: firing, key: {channel: weibo}}]\n", "6:56: tests[0].expect[0].key.channel: the rule tells its alerts apart by topic alone"),
        (HEAD + WANTED + "    input: [{topic: acme, values: 2y3}]\n", "7:35: tests[0].input[0].values: '2y3' is no entry of a series: write a, axn, a+bxn, a-bxn, _ or _xn"),
        (HEAD + WANTED + "    input: [{topic: acmee, values: 2}]\n", "7:21: tests[0].input[0].topic: there is no topic 'acmee': did you mean acme?"),
        (HEAD + WANTED + "    input: [{topic: acme, value: 2}]\n", "7:27: tests[0].input[0].value: unknown key: did you mean values?"),
        (HEAD + WANTED + "    input: [{topic: acme, values: 2, author: a, authors: 2}]\n", "7:13: tests[0].input[0]: author and authors exclude each other"),
        (HEAD + WANTED + "    input: [{topic: acme, values: 2, per: 10ms}]\n", "7:43: tests[0].input[0].per: must be 1s or more"),
        (HEAD + WANTED + "    history: [{topic: acme, values: 2x24, per: 1h, days: 7}]\n", "7:15: tests[0].history[0]: days and repeat go together; without them the values end at the start of the test"),
        (HEAD + WANTED + "    history: [{topic: acme, values: 2x23, per: 1h, days: 7, repeat: day}]\n", "7:15: tests[0].history[0]: a day has 24 values of this length, not 23"),
        (HEAD + WANTED + "    faults: [{source: weibo, down: 1m..2m}]\n", "7:23: tests[0].faults[0].source: there is no source 'weibo'"),
        (HEAD + WANTED + "    faults: [{down: 1m}]\n", "7:21: tests[0].faults[0].down: must be two times such as 10m..25m"),
        (HEAD + WANTED + "    until: 59s\n", "4:5: tests[0]: until is before the time of an expectation"),
        (HEAD + "    expect_sent: {pr: {opened: 1}}\n", "6:5: tests[0].expect_sent: needs receivers and a route: name a configuration that has them under config"),
        (HEAD + WANTED + "    expect_events: [{rule: many, event: opened, times: 3..1}]\n", "7:56: tests[0].expect_events[0].times: must be a whole number, or two such as 1..3, the smaller one first"),
        (HEAD.replace("rules:", "config: x.yml\nrules:", 1) + WANTED, "1:1: config and rules exclude each other: the configuration has its own"),
        ("config: x.yml\n" + HEAD.partition("\n")[2].partition("\n")[2] + WANTED, "1:9: config: there is no file"),
        (HEAD.replace("at_least: 5", "at_leest: 5") + WANTED, "2:92: rules[many].when.at_leest: unknown key: did you mean at_least?"),
    ],
)  # fmt: skip
def test_mistakes_are_located(tmp_path, text, expected):
    """Each mistake is told once, with its line, column and path."""
    [told] = mistakes(tmp_path, text)
    assert told.startswith(expected)


def test_mistakes_in_a_rule_file_are_told_there(tmp_path):
    """What is wrong in a rule file is told with that file's name."""
    (tmp_path / "r.yml").write_text(RULES.replace("volume", "volum"), encoding="utf-8")
    path = tmp_path / "t.test.yml"
    path.write_text("rule_files: [r.yml]\n" + HEAD.removeprefix(RULES) + WANTED, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_tests(path)
    [problem] = caught.value.problems
    assert problem.file == str(tmp_path / "r.yml")


# The command


def test_the_command_tells_passed_from_failed(tmp_path, capsys):
    """A line per test, the failures and refusals on stderr with their places, exit 1; a bad file stops no other."""
    good, bad = tmp_path / "good.test.yml", tmp_path / "bad.test.yml"
    wanted = expecting("{at: 15m, rule: many, state: firing}")
    second = "  - name: two\n    start: 2026-03-02T00:00Z\n" + wanted.replace("firing", "resolved")
    good.write_text(HEAD + wanted + second, encoding="utf-8")
    bad.write_text("tests: 7\n", encoding="utf-8")
    assert main(["test-rules", str(bad), str(good)]) == 1
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(line["test"], line["passed"]) for line in lines] == [("one", True), ("two", False)]
    assert [event["event"] for event in lines[0]["events"]] == ["opened", "updated", "raised", "resolved"]
    errors = said.err.splitlines()
    assert errors[0].startswith(f"{bad}:1:8: tests: must be a list")
    assert any(
        line.startswith(f"{good}:13:9: tests[1].expect[0]: 'two': expected many resolved at 15m") for line in errors
    )
    assert errors[-1] == "2 tests: 1 passed, 1 failed; 1 file refused"
    assert main(["test-rules", str(good), "--run", "one"]) == 0
    assert main(["test-rules", str(good), "--run", "three"]) == 1
