"""The program's own alerts."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from alerts import Because, DeliveryReason, Level
from listener.collectors import FileConfig
from listener.deliver import Outcome
from listener.failure_words import REASONS, failure_zh
from listener.selfcheck import SelfCheck, delivery_troubles, rule_troubles, silence_allowed, source_troubles
from listener.storage.sources import Arrivals, SourceState

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SOURCE = FileConfig(type="file", id="weibo", channel="weibo", path="x", every=timedelta(minutes=5))
SHANGHAI = ZoneInfo("Asia/Shanghai")


def _look(state: SourceState | None, now: datetime, arrivals: Arrivals | None = None, source: FileConfig = SOURCE):
    states = {source.id: state} if state else {}
    arrived = {source.id: arrivals} if arrivals else {}
    return source_troubles({source.id: source}, states, arrived, started_at=START, now=now, timezone=SHANGHAI)


def test_nothing_is_said_of_a_source_before_its_first_poll_could_end() -> None:
    """A start is not an outage, and an alert open from before it stays open."""
    assert _look(None, START + timedelta(minutes=3)) == ([], frozenset({"weibo"}))


def test_a_source_that_never_answered_is_blind_after_its_allowance() -> None:
    """Three intervals, at least a quarter of an hour; a core source is orange."""
    (trouble,), undecided = _look(None, START + timedelta(minutes=16))
    assert undecided == frozenset()
    assert (trouble.rule, trouble.level) == ("self-source-blind", Level.orange)
    assert trouble.coverage.blind == (("weibo", START),)
    assert "16 分钟" in trouble.because.zh
    assert "16m" in trouble.because.en


def test_the_word_that_it_is_over_says_how_long_it_was_down_only_where_it_was() -> None:
    """A source's outage counts from before its alert; a rule or a channel that is mended has lasted, nothing was down."""
    checks, now = SelfCheck({}), START + timedelta(minutes=16)
    troubles, _ = _look(None, now)
    checks.compare([*troubles, *rule_troubles({"surge": "boom"})], now)
    over = {event.rule: event.because for event in checks.compare([], now + timedelta(hours=25))}
    assert over["self-source-blind"].zh == "已恢复正常，共中断约 1 天 1 小时。"
    assert over["self-rule-failed"] == Because("已恢复正常，历时约 1 天 1 小时。", "Back to normal after about 1d 1h.")


def test_every_reason_of_a_failure_has_a_chinese_name() -> None:
    """The word of metrics and docs beside it: the engineer looks it up, who is on duty reads it."""
    page = (ROOT / "docs/reference/sources.md").read_text().partition("## Reasons")[2].partition("## ")[0]
    reasons = {*re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE), *get_args(DeliveryReason), "bug", "no_answer"}
    assert len(reasons) > 25
    assert reasons == REASONS.keys()
    assert failure_zh("dns") == "域名解析失败（dns）"
    assert failure_zh("of a plug-in") == "of a plug-in"
    (trouble,), _ = _look(None, START + timedelta(minutes=16))
    assert "原因：没有响应（no_answer）" in trouble.because.zh


def test_a_channel_is_called_what_its_reader_calls_it() -> None:
    """And a day that is not today has its date."""
    now = START + timedelta(days=9)
    state = SourceState("weibo", last_poll=now, last_success=now)
    (trouble,), _ = _look(state, now, Arrivals(200, now - timedelta(hours=30), timedelta(hours=2)))
    assert "来源 weibo（微博）可以访问，但自 " in trouble.because.zh
    assert re.search(r"自 \d+月\d+日 \d\d:\d\d 起 30.0 小时", trouble.because.zh)
    assert "Source weibo (weibo) answers" in trouble.because.en


def test_a_good_poll_ends_blindness() -> None:
    """Success within the allowance: no trouble."""
    now = START + timedelta(hours=2)
    state = SourceState("weibo", last_poll=now, last_success=now - timedelta(minutes=4))
    assert _look(state, now) == ([], frozenset())


def test_a_source_that_answers_with_nothing_new_for_too_long_is_silent() -> None:
    """Four times its longest gap, at least a day; a source that is little known is left alone."""
    now = START + timedelta(days=9)
    state = SourceState("weibo", last_poll=now, last_success=now)
    arrived = Arrivals(count=200, newest=now - timedelta(hours=30), longest_gap=timedelta(hours=2))
    (trouble,), _ = _look(state, now, arrived)
    assert trouble.rule == "self-source-silent"
    assert _look(state, now, replace(arrived, longest_gap=timedelta(hours=8)))[0] == []
    assert _look(state, now, replace(arrived, count=19))[0] == []


def test_a_configured_silence_goes_before_what_is_learnt() -> None:
    """silent_after is taken as it stands."""
    source = SOURCE.model_copy(update={"silent_after": timedelta(hours=3)})
    assert silence_allowed(source, None) == timedelta(hours=3)


def test_an_alert_opens_once_and_resolves_when_its_trouble_has_gone() -> None:
    """Two looks at one trouble make one event; its end makes the second, with the next revision."""
    check = SelfCheck({})
    trouble = delivery_troubles({("pr", "slack"): Outcome(START, "auth", "invalid_auth")})
    (opened,) = check.compare(trouble, START)
    assert (opened.event, opened.kind, opened.topic) == ("opened", "self", None)
    assert check.compare(trouble, START + timedelta(seconds=5)) == []
    (resolved,) = check.compare([], START + timedelta(minutes=9))
    assert (resolved.event, resolved.alert, resolved.revision) == ("resolved", opened.alert, 2)
    assert "9 分钟" in resolved.because.zh


def test_an_alert_from_before_a_restart_goes_on() -> None:
    """It does not open a second time, and is not resolved while nothing is known."""
    (opened,) = SelfCheck({}).compare(_look(None, START + timedelta(minutes=16))[0], START)
    check = SelfCheck({opened.alert: opened})
    assert check.compare([], START, undecided=frozenset({"weibo"})) == []
    assert check.compare(_look(None, START + timedelta(minutes=20))[0], START) == []
    assert [event.event for event in check.compare([], START + timedelta(hours=1))] == ["resolved"]


def test_delivered_channels_are_no_trouble_and_failed_rules_are() -> None:
    """Only what was given up, and what raised."""
    assert delivery_troubles({("pr", "slack"): Outcome(START, "")}) == []
    (trouble,) = rule_troubles({"surge": "ZeroDivisionError"})
    assert trouble.key == (("rule", "surge"),)
