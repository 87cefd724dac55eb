"""``listener route``: where an incident would go, when, and what refuses the question."""

import json

import pytest

from listener.cli import main

CONFIG = """\
sources:
  - {id: news, type: feed, url: "https://news.example.com/rss", channel: news}
targets: {acme: {names: [云杉科技]}}
topics: [{id: acme, target: acme, query: "@acme"}, {id: rival, query: 格澜}]
rules: [{id: surge, topics: [acme, rival], when: {type: volume, window: 1h, at_least: 5}}]
receivers: [{id: pr, channels: [{type: console}]}, {id: duty, channels: [{type: console}]}]
time_intervals:
  - {id: night, times: [{start_time: 22:00, end_time: 24:00}, {start_time: 00:00, end_time: 08:00}]}
  - {id: office, days: [work], times: [{start_time: 09:00, end_time: 18:00}]}
  - {id: never, years: [1999]}
route:
  receiver: pr
  quiet: {intervals: [night]}
  levels: {red: {group_wait: 0s, repeat_interval: 1h}}
  routes:
    - {match: {level: red}, receiver: duty, continue: true}
    - {match: {brand: 云杉科技, channel: weibo}, receiver: duty, group_wait: 5m}
    - {match: {topic: rival}, active_time_intervals: [office], routes: [{match: {rule: surge, level: blue}, active_time_intervals: [never]}]}
"""


@pytest.fixture
def ask(tmp_path, capsys):
    path = tmp_path / "listener.yml"
    path.write_text(CONFIG, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, list[dict], str]:
        code = main(["route", *arguments, "-c", str(path)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def test_the_way_the_pace_and_the_hours(ask):
    """By night a yellow incident waits for the morning's digest; the words tell why each branch is not taken."""
    code, (line,), err = ask("test", "topic=acme", "level=yellow", "--at", "2026-03-02T23:00:00+08:00")
    assert code == 0
    assert line == {
        "receiver": "pr", "place": "route", "group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h",
        "held": [{"reason": "quiet_hours", "by": "night", "until": "2026-03-03T08:00:00+08:00"}],
        "goes_at": "2026-03-03T08:00:00+08:00", "digest": True,
    }  # fmt: skip
    assert err.splitlines()[-5:] == [
        "route (everything): matches",
        "  route.routes[0] (level=red): no, level is yellow",
        "  route.routes[1] (brand=云杉科技, channel=weibo): no, channel is not given",
        "  route.routes[2] (topic=rival): no, topic is acme",
        "-> pr",
    ]


def test_red_goes_at_once_and_a_topic_names_its_brand(ask):
    """At both, on a worked Saturday too; one outside its hours waits over the Spring Festival."""
    code, lines, _ = ask("test", "topic=rival", "level=red", "--at", "2026-02-14T19:00:00+08:00")
    assert code == 0
    assert [(line["receiver"], line["place"], line["goes_at"], line["repeat_interval"]) for line in lines] == [
        ("duty", "route.routes[0]", "2026-02-14T19:00:00+08:00", "1h"),
        ("pr", "route.routes[2]", "2026-02-24T09:00:00+08:00", "1h"),
    ]
    _, (line,), _ = ask("test", "topic=acme", "channel=weibo", "--at", "2026-03-02T12:00:00+08:00")
    assert (line["receiver"], line["goes_at"]) == ("duty", "2026-03-02T12:05:00+08:00")


def test_what_never_goes_says_so(ask):
    """No time within a year: null."""
    _, (line,), _ = ask("test", "topic=rival", "level=blue", "rule=surge", "--at", "2026-03-02T12:00:00+08:00")
    assert (line["place"], line["goes_at"], line["held"][0]["until"]) == ("route.routes[2].routes[0]", None, None)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["topic=acme", "--expect", "pr"], 0, "-> pr"),
        (["topic=acme", "--expect", "duty"], 1, "expected duty; it goes to pr"),
        (["topic=acme", "level=red", "--expect", "duty"], 0, "-> duty"),
        (["topic=rival", "level=red", "--expect", "duty"], 1, "it goes to duty, pr"),
        (["topic=rival", "level=red", "--expect", "pr", "--expect", "duty"], 0, "-> pr"),
        (["kind=self", "rule=self-delivery"], 0, "no level given: taken as yellow"),
        (["topic=acmee"], 2, "there is no topic 'acmee'; there are acme, rival"),
        (["level=crimson"], 2, "there are blue, yellow, orange, red"),
        (["colour=red"], 2, "the labels are kind, level, topic, brand, rule, channel"),
        (["brand=别家"], 2, "there are 云杉科技, rival"),
        (["rule=surge", "rule=surge"], 2, "write each label once"),
        (["topic"], 2, "topic=VALUE"),
        (["--expect", "nobody"], 2, "there is no receiver 'nobody'; there are pr, duty"),
        (["--at", "noon"], 2, "no RFC 3339 time"),
    ],
)
def test_what_is_asked_and_expected(ask, arguments, code, told):
    """0 as expected, 1 otherwise, 2 for what no incident of this configuration has."""
    found, _, err = ask("test", *arguments)
    assert found == code
    assert told in err


def test_show_prints_the_whole_tree(ask):
    """A line per branch, everything inherited filled in."""
    code, lines, err = ask("show")
    assert code == 0
    assert [line["place"] for line in lines] == [
        "route", "route.routes[0]", "route.routes[1]", "route.routes[2]", "route.routes[2].routes[0]",
    ]  # fmt: skip
    assert lines[2]["match"] == {"brand": ["云杉科技"], "channel": ["weibo"]}
    assert lines[2]["group_wait"] == "5m"
    assert lines[2]["levels"]["red"] == {"group_wait": "0s", "group_interval": "5m", "repeat_interval": "1h"}
    assert [line["active_time_intervals"] for line in lines] == [[], [], [], ["office"], ["never"]]
    assert {tuple(line["quiet"]["intervals"]) for line in lines} == {("night",)}
    assert "    rule=surge, level=blue -> pr" in err.splitlines()


def test_nobody_to_tell(tmp_path, capsys):
    """Without a receiver there is no tree."""
    path = tmp_path / "listener.yml"
    path.write_text(CONFIG.partition("receivers:")[0], encoding="utf-8")
    assert main(["route", "show", "-c", str(path)]) == 1
    assert "nobody is told" in capsys.readouterr().err
