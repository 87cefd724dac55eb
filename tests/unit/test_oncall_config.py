"""What the configuration says of deadlines, escalation and duty: read, checked, and shown."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import Because, Level
from alerts.deadline import AckLife
from alerts.escalation import Count, Notify, Repeat, Wait, advance, follow
from alerts.handling import Act
from alerts.render import message
from alerts.render.act import spoken
from alerts.sample import sample_notification
from listener.cli import main
from listener.config import ConfigError, load
from listener.parts import rule_set

NOW = datetime(2026, 3, 2, 7, 8, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "escalation.yml"
BASE = """\
sources: [{id: news, type: feed, url: "https://news.example.com/rss", channel: news}]
topics: [{id: acme, query: 云杉}]
rules: [{id: r, topics: [acme], when: {type: volume, at_least: 3}RULE}]
receivers: [{id: pr, channels: [{type: console}]}, {id: duty, channels: [{type: console}]}]
route: {receiver: pr}
"""


def read(tmp_path, more="", rule=""):
    path = tmp_path / "listener.yml"
    path.write_text(BASE.replace("RULE", rule) + more, encoding="utf-8")
    return load(path, {})


def test_the_example_says_what_it_says():
    """Every part of the example arrives in the values that the program goes by."""
    on_call = load(EXAMPLE, {}).on_call
    assert on_call.times.limits == {
        Level.red: 4 * HOUR, Level.orange: 12 * HOUR, Level.yellow: None, Level.blue: None,
    }  # fmt: skip
    assert on_call.times.rules == {"fire": {Level.red: 2 * HOUR}}
    assert on_call.chains["red-chain"].steps == (
        Wait(5 * MINUTE), Notify(schedules=("duty",)), Wait(10 * MINUTE), Notify(("head",)), Wait(15 * MINUTE), Repeat(2),
    )  # fmt: skip
    assert on_call.schedules["duty"].receivers == ("zhang", "li")


def test_nothing_said_means_the_defaults(tmp_path):
    """黄金四小时 for red; none and null turn a limit off; a step may count."""
    on_call = read(tmp_path).on_call
    assert on_call.times.limits == {
        Level.red: 4 * HOUR,
        Level.orange: 12 * HOUR,
        Level.yellow: 24 * HOUR,
        Level.blue: None,
    }
    assert on_call.life == AckLife(2 * HOUR, 15 * MINUTE)
    assert (on_call.chains, on_call.schedules, on_call.times.rules) == ({}, {}, {})
    off = read(
        tmp_path,
        "respond_within: {red: none, orange: null}\nacknowledge: {remind_after: none}\n"
        "escalations: [{id: c, steps: [{notify: duty, if: unacknowledged, if_count: {at_least: 3, within: 30m}}]}]\n",
    ).on_call
    assert (off.times.limits[Level.red], off.times.limits[Level.orange], off.life.remind_after) == (None, None, None)
    assert off.chains["c"].steps == (Notify(("duty",), count=Count(3, 30 * MINUTE)),)


def test_a_rules_own_limit_is_no_change_of_the_rule(tmp_path):
    """The rules that the log carries are the same with it: no episode ends and no replay differs."""
    plain, own = read(tmp_path), read(tmp_path, rule=", respond_within: {red: 1h, yellow: none}")
    assert rule_set(plain) == rule_set(own)
    assert own.on_call.times.rules == {"r": {Level.red: HOUR, Level.yellow: None}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("respond_within: {red: 0h}", "6:23: respond_within.red: must be longer than nothing"),
        ("respond_within: {red: 5}", "6:23: respond_within.red: must be a duration such as 30m or 1h30m or 'none'"),
        (
            "escalations: [{id: c, steps: [{notify: dty}]}]",
            "6:40: escalations[c].steps[0].notify: there is no receiver 'dty'",
        ),
        (
            "escalations: [{id: c, steps: [{notify: {schedule: x}}]}]",
            "6:51: escalations[c].steps[0].notify.schedule: there is no schedule 'x'",
        ),
        (
            "escalations: [{id: c, steps: [{notify: pr, if_time: night}]}]",
            "6:53: escalations[c].steps[0].if_time: there is no time interval 'night'",
        ),
        ("escalations: [{id: c, steps: [{wait: 5m}]}]", "6:15: escalations[c]: calls nobody"),
        (
            "escalations: [{id: c, steps: [{notify: pr}, {repeat: 9}]}]",
            "6:54: escalations[c].steps[1].repeat: must be at most 5",
        ),
        ("escalations: [{id: c, steps: [{notify: pr}, {repeat: 2}]}]", "6:15: escalations[c]: repeat without a wait"),
        (
            "escalations: [{id: c, steps: [{wait: 5m}, {repeat: 2}, {notify: pr}]}]",
            "6:15: escalations[c]: repeat must be the last step",
        ),
        (
            "escalations: [{id: c, match: {level: rot}, steps: [{notify: pr}]}]",
            "6:30: escalations[c].match: level: 'rot'",
        ),
        (
            "schedules: [{id: s, rotation: {every: 1d, start: 2026-03-02 09:00, receivers: []}}]",
            "6:79: schedules[s].rotation.receivers: must have at least one entry",
        ),
        (
            "schedules: [{id: s, rotation: {every: 30m, start: 2026-03-02 09:00, receivers: [pr]}}]",
            "6:39: schedules[s].rotation.every: must be at least 1h",
        ),
        (
            "schedules: [{id: s, rotation: {every: 1d, start: 2026-03-02, receivers: [nobody]}}]",
            "6:50: schedules[s].rotation.start: is no local time such as 2026-03-02 09:00",
        ),
    ],
)
def test_each_mistake_is_told_at_its_place(tmp_path, text, expected):
    """File, line and column, and what is wrong."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text + "\n")
    assert str(caught.value.problems[0]).removeprefix(f"{tmp_path}/listener.yml:").startswith(expected)


def test_the_command_prints_who_is_on_duty(capsys):
    """A line per schedule, with an override among what comes; an unknown one is refused."""
    assert main(["oncall", "-c", str(EXAMPLE), "--at", "2026-04-30T12:00:00+08:00", "--next", "2"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schedule": "duty",
        "zone": "Asia/Shanghai",
        "at": "2026-04-30T12:00:00+08:00",
        "on_duty": "zhang",
        "next": [
            {"at": "2026-05-01T09:00:00+08:00", "receiver": "li"},
            {"at": "2026-05-11T09:00:00+08:00", "receiver": "zhang"},
        ],
    }
    assert main(["oncall", "-c", str(EXAMPLE), "night"]) == 1
    assert "there is no schedule 'night'" in capsys.readouterr().err
    assert main(["oncall", "-c", str(EXAMPLE), "--next", "-1"]) == 2


# ---- words


def told(kind="open", **changes):
    plain = sample_notification(NOW - HOUR, "zh", console_url="", timezone="Asia/Shanghai", level=Level.red)
    return message(replace(plain, kind=kind, **changes))


def test_every_message_counts_down():
    """What is left until the deadline, or by how much it is late; nothing where there is none."""
    due = datetime(2026, 3, 2, 10, 20, tzinfo=UTC)
    assert ("回应时限", "须在 18:20 前对外回应，剩 3 小时 12 分钟") in told(at=NOW, respond_by=due).facts
    late = told("breach", at=due + 65 * MINUTE, respond_by=due)
    assert ("回应时限", "应在 18:20 前对外回应，已超时 1 小时 5 分钟") in late.facts
    assert late.headline.startswith("【红色·回应超时】")
    assert "对外回应已超时" in late.notice
    assert late.raised
    english = replace(
        sample_notification(NOW, "en", console_url="", timezone="UTC"), kind="remind", at=NOW, respond_by=due
    )
    assert ("Public response", "due by 10:20, 3h 12m left") in message(english).facts
    assert "回应时限" not in dict(told(at=NOW).facts)


def test_a_call_says_why():
    """The reason as the chain gave it; no address in a name can be followed."""
    why = Because("5 分钟无人认领，升级通知 https://evil.example/x。", "")
    got = told("escalate", note=why)
    assert got.headline.startswith("【红色·无人认领】")
    assert got.notice.startswith("5 分钟无人认领，升级通知")
    assert "evil.example" not in got.notice


def test_silence_and_a_risen_level_are_told_apart():
    """The program gives an incident up for two reasons, in words of their own."""
    silent = Act("unacknowledge", "", NOW, value="silence")
    assert spoken(silent, "zh") == "认领后长时间无任何操作，系统已自动取消认领，请重新认领。"
    assert spoken(replace(silent, value="red"), "zh").startswith("因级别升至红色")
    assert "nobody's again" in spoken(silent, "en")


def test_a_step_keeps_its_hours(tmp_path):
    """It calls while its time interval holds, and is passed over else."""
    chain = read(
        tmp_path,
        "time_intervals: [{id: office, times: [{start_time: '09:00', end_time: '18:00'}]}]\n"
        "escalations: [{id: c, steps: [{notify: duty, if_time: office}, {notify: pr, if_time: [office]}, {notify: pr}]}]\n",
    ).on_call.chains["c"]
    incident = sample_notification(NOW, "zh", console_url="", timezone="UTC").incident
    for hour, called in ((1, 3), (10, 1)):  # UTC; 09:00 and 18:00 in Shanghai
        now = datetime(2026, 3, 2, hour, tzinfo=UTC)
        run = follow(None, chain, incident, now)
        assert run is not None
        assert len(advance(run, chain, incident, now, duty=lambda _: ())[1]) == called
