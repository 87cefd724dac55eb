"""The engine over a log: life of an alert, levels, time, coverage, reload, bounds."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts import AlertEvent, Level
from rules import running
from rules.calendar import UTC_WEEKS
from rules.conditions import Volume
from rules.engine import Engine
from rules.log import Row, StoryRow
from rules.plan import plan
from rules.reading import Reading, State
from rules.replay import Driver
from rules.ruleset import RuleError, load_ruleset, ruleset_json
from rules.snapshot import FORMAT
from rules.story_known import MAX_KNOWN, KnownStories, card_of
from tests.support.engine_log import SOURCES, START, STEP, TOPICS, Log, after, rule, run, story, volume

MINUTE = timedelta(minutes=1)


def surge(**more: Any) -> Log:
    """A log that begins with one rule: three in ten minutes."""
    log = Log()
    log.rules(START, rule(**{"when": volume(3), "keep_firing_for": 5 * MINUTE, **more}))
    return log


def test_an_alert_opens_at_the_next_tick_and_resolves_when_it_has_been_quiet() -> None:
    """It opens at the tick after the third mention, and resolves ``keep_firing_for`` after the window let go of it."""
    log = surge()
    for second in (5, 10, 20):
        log.mention(after(1, second))
    opened, resolved = run(log.rows)
    assert (opened.event, opened.at, opened.level) == ("opened", after(1, 30), Level.yellow)
    assert (resolved.event, resolved.at) == ("resolved", after(12) + 5 * MINUTE)
    assert resolved.because.zh == "已连续 5 分钟不再满足条件；近 10 分钟负面提及 0 条（阈值 3 条）"
    assert resolved.because.en.startswith("no longer so for 5 min; 0 negative mentions")
    assert [event.revision for event in (opened, resolved)] == [1, 2]
    assert opened.alert == resolved.alert


def standing() -> list[Row]:
    """Three each minute for two hours and a half, under a rule whose alerts end at an hour."""
    log = surge(max_age=timedelta(hours=1))
    log.burst(after(1), 450, every=timedelta(seconds=20))
    return list(log.rows)


def test_what_stands_for_longer_than_an_alert_may_says_so() -> None:
    """The alert ends of age with its reason, another opens at the next tick, and tells how long it has stood, also later."""
    events = [one for one in run(standing()) if one.event in {"opened", "resolved"}]
    assert [one.event for one in events] == ["opened", "resolved"] * 3
    first, aged, second, _, third, last = events
    assert (aged.at - first.at, second.at - aged.at) == (timedelta(hours=1), STEP)
    assert aged.because.zh.startswith(
        "max_age：本条预警已满 1 小时，到期结束；条件仍满足，将另开一条继续跟进，并不代表舆情已平息；近 10 分钟"
    )
    assert "the condition still holds, so another opens" in aged.because.en
    assert len({first.alert, second.alert, third.alert}) == 3
    assert third.because.zh.startswith("已持续 2 小时未平息（前一条预警满 1 小时后续开）；近 10 分钟负面提及")
    assert third.because.en.startswith("has stood for 2 h (goes on from an alert that ended at its age of 1 h); ")
    assert last.because.zh.startswith("已连续 5 分钟不再满足条件")


def test_age_is_the_same_after_a_restart() -> None:
    """An engine that is restored from its snapshot every ten minutes tells the same."""
    rows = sorted(standing(), key=lambda row: row.at)
    driver, due = Driver(Engine(STEP, assume_healthy=True)), after(10)
    events: list[AlertEvent] = []
    for row in rows:
        events += driver.feed(row)
        if row.at >= due:
            driver, due = Driver(Engine.restore(driver.engine.snapshot())), due + timedelta(minutes=10)
    events += driver.run_out()
    assert events == run(rows)


def test_what_holds_in_silence_ends_of_age_and_does_not_keep_a_replay_from_ending() -> None:
    """A condition that no mention ends opens anew each hour, and time is let go on for a while only."""
    log = surge(when=[{"type": "not", "of": volume(3)}], max_age=timedelta(hours=1))
    log.mention(after(1))
    events = [one.event for one in run(log.rows)]
    assert events == ["opened", "resolved"] * (len(events) // 2) + ["opened"] * (len(events) % 2)
    assert 2 <= len(events) < 12


def test_an_age_of_minutes_is_refused() -> None:
    """Within an hour an alert opens again, so its age is that at least."""
    with pytest.raises(ValidationError, match="1h at least"):
        rule(when=volume(3), max_age=timedelta(minutes=59))


def test_an_event_says_all_that_a_message_needs() -> None:
    """Brand, title, window, reach, channels, excerpts and playbook stand in the event itself."""
    log = surge(playbook="https://playbooks.example/fire", title="起火")
    log.mention(after(1), author="a", views=1000, title="充电宝起火", text="现场视频")
    log.mention(after(1, 1), author="a", source="forum", views=10)
    log.mention(after(1, 2), author="b", label="negative", text="一样的话")
    log.mention(after(1, 3), author="c", label="negative", text="一样的话")
    opened = run(log.rows)[0]
    assert (opened.kind, opened.rule, opened.topic, opened.key) == ("topic", "surge", "acme", {"topic": "acme"})
    assert (opened.brand, opened.title.zh, opened.playbook) == ("云杉科技", "起火", "https://playbooks.example/fire")
    assert opened.seen == 4.0
    assert opened.window is not None
    assert (opened.window.start, opened.window.end) == (after(-9), after(1, 15))
    reached = opened.reached
    assert (reached.mentions, reached.negative, reached.authors, reached.people) == (4, 4, 4, 1010)
    assert reached.channels == (("microblog", 3), ("forum", 1))
    texts = [excerpt.text for excerpt in opened.excerpts]
    assert texts[0] == "【充电宝起火】现场视频"
    assert len(texts) == len(set(texts)) == 3
    assert opened.excerpts[0].reach == 1000
    assert opened.incident == ""
    assert opened.alert.startswith(load_fingerprint())


def load_fingerprint() -> str:
    """sha256 of ["surge", [["topic", "acme"]]], sixteen digits: written out, because it may never change."""
    return "b4eface62ddbbc3f"


def test_for_asks_that_it_lasts() -> None:
    """With ``for: 5m`` what holds for four minutes opens nothing, and what holds for five opens at the fifth."""
    log = surge(when=volume(1, 3), for_=5 * MINUTE)
    log.mention(after(1))
    assert run(log.rows) == []
    log.mention(after(3))
    log.mention(after(5))
    assert next((event.event, event.at) for event in run(log.rows)) == ("opened", after(1, 15) + 5 * MINUTE)


def test_levels_rise_at_once_and_fall_after_a_while() -> None:
    """Orange is told at the tick at which it is reached; yellow again only after ``keep_firing_for`` below orange."""
    log = surge(levels={"yellow": {}, "orange": {"at_least": 6, "authors": 5}}, when=volume(3))
    log.burst(after(1), 6, every=timedelta(seconds=1))
    for minute in range(2, 30):
        log.burst(after(minute), 1, author="one")
        log.burst(after(minute, 1), 1, author="two")
    events = run(log.rows)
    assert story(events)[:3] == [("opened", "orange"), ("updated", "orange"), ("updated", "orange")]
    lowered = next(event for event in events if event.event == "lowered")
    assert (lowered.level, lowered.at) == (Level.yellow, after(12) + 5 * MINUTE)
    assert story(events)[-1] == ("resolved", "yellow")


def test_a_level_that_comes_back_in_time_is_not_lowered() -> None:
    """A dip below orange that is shorter than ``keep_firing_for`` is not told."""
    log = surge(levels={"yellow": {}, "orange": {"at_least": 6}}, when=volume(3, 2))
    for begin in (1, 5, 9, 13):
        log.burst(after(begin), 6, every=timedelta(seconds=1))
        log.burst(after(begin + 2), 3, every=timedelta(seconds=1))
    names = [event.event for event in run(log.rows)]
    assert "lowered" not in names
    assert "raised" not in names


def test_the_highest_level_that_holds_wins() -> None:
    """Tests of levels are tried from red down, and a rule whose levels none hold does not fire."""
    levels = {"blue": {}, "orange": {"any": [{"reach": 5000}, {"channels": 2}]}, "red": {"all": [{"reach": 10_000}]}}
    for views, level in ((10, "blue"), (5000, "orange"), (10_000, "red")):
        log = surge(levels=levels)
        log.burst(after(1), 2, every=timedelta(seconds=1))
        log.mention(after(1, 3), views=views)
        assert story(run(log.rows))[0] == ("opened", level)
    log = surge(levels={"red": {"reach": 10_000}})
    log.burst(after(1), 9, every=timedelta(seconds=1))
    assert run(log.rows) == []


def test_a_level_may_ask_for_a_word() -> None:
    """A watch that finds the word of a level reaches that level."""
    when = {"type": "watch", "words": ["冒烟", "死亡"], "window": timedelta(hours=1)}
    log = surge(when=when, levels={"yellow": {}, "red": {"words": "死亡"}})
    log.mention(after(1), text="冒烟了")
    log.mention(after(3), text="有人死亡")
    assert story(run(log.rows))[:2] == [("opened", "yellow"), ("raised", "red")]


def test_an_update_is_told_when_what_is_seen_has_doubled() -> None:
    """From three mentions on, six and twelve are told, and nothing between."""
    log = surge(when=volume(3, 60))
    log.burst(after(1), 13, every=MINUTE)
    events = [event for event in run(log.rows) if event.event in {"opened", "updated"}]
    assert [event.seen for event in events] == [3, 6, 12]


def test_what_fires_again_within_an_hour_is_the_same_alert() -> None:
    """Reopened within an hour it keeps its id and counts on; later it is another episode of the same fingerprint."""
    log = surge()
    for begin in (1, 60, 200):
        log.burst(after(begin), 3, every=timedelta(seconds=1))
    events = run(log.rows)
    assert [(event.event, event.revision) for event in events] == [
        ("opened", 1), ("resolved", 2), ("opened", 3), ("resolved", 4), ("opened", 1), ("resolved", 2),
    ]  # fmt: skip
    assert len({event.alert for event in events[:4]}) == 1
    assert events[4].alert != events[0].alert
    assert events[4].alert[:16] == events[0].alert[:16]


def test_an_hour_and_a_half_later_is_another_episode() -> None:
    """The hour is counted from the resolution, whether or not what was remembered has been swept away."""
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.burst(after(16 + 61), 3, every=timedelta(seconds=1))
    events = run(log.rows)
    assert events[1].at == after(16)
    assert [event.revision for event in events] == [1, 2, 1, 2]
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.burst(after(16 + 59), 3, every=timedelta(seconds=1))
    assert [event.revision for event in run(log.rows)] == [1, 2, 3, 4]


def test_reopening_respects_for() -> None:
    """What fires again while it is remembered has to last as long as the first time."""
    log = surge(when=volume(1, 2), for_=3 * MINUTE)
    for minute in (1, 2, 3, 4, 5, 30):
        log.mention(after(minute))
    assert story(run(log.rows)) == [("opened", "yellow"), ("resolved", "yellow")]


def test_history_fires_nothing() -> None:
    """A hundred mentions marked as history open nothing, whatever their time."""
    log = surge(when=volume(1))
    for number in range(100):
        log.mention(after(1), event_at=after(1) - number * MINUTE, history=True)
    assert run(log.rows) == []


def test_what_comes_too_late_is_history_and_counted() -> None:
    """Past the allowance behind the source's last good poll a mention opens nothing and is counted as late."""
    log = surge(when=volume(1), late=20 * MINUTE)
    log.poll(after(60))
    log.mention(after(61), event_at=after(30))
    log.mention(after(61), event_at=after(39))
    driver = Driver(Engine(STEP))
    events = [event for row in log.rows for event in driver.feed(row)] + list(driver.advance(after(62)))
    assert events == []
    assert driver.engine.late == {("surge", "microblog"): 2}


@pytest.mark.parametrize("late", [{}, {"late": timedelta(days=10**6)}])
def test_what_comes_late_but_within_the_allowance_counts(late: dict[str, Any]) -> None:
    """Half an hour old is within the default allowance, and within one that is older than the calendar."""
    log = surge(when=volume(1, 30), **late)
    log.poll(after(60))
    log.mention(after(61), event_at=after(35))
    assert story(run(log.rows, healthy=False, until=after(62))) == [("opened", "yellow")]


def test_the_backlog_of_a_first_look_is_not_late() -> None:
    """What a source brings before its first good poll is known is history, without being counted as late."""
    log = surge(when=volume(1))
    log.mention(after(1), event_at=after(-300))
    log.poll(after(1, 2))
    driver = Driver(Engine(STEP))
    for row in log.rows:
        driver.feed(row)
    assert driver.advance(after(5)) == ()
    assert driver.engine.late == {}


@pytest.mark.parametrize("event_at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2027, 3, 2, tzinfo=UTC)])
def test_impossible_times_move_nothing(event_at: datetime) -> None:
    """A mention of 1970 opens nothing; one of next year counts when it came, and resolves like any other."""
    log = surge(when=volume(1))
    log.mention(after(1), event_at=event_at)
    log.mention(after(2), source="forum", label="positive")
    events = run(log.rows)
    if event_at.year == 1970:
        assert events == []
    else:
        assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
        assert events[-1].at < after(30)


def polled(log: Log, begin: int, end: int, **more: Any) -> None:
    for minute in range(begin, end):
        log.poll(after(minute, 30), **more)


def test_a_blind_source_holds_a_recovery_up() -> None:
    """While the source of an alert fails it stays open, with the source named; it resolves once the source is seen."""
    log = surge()
    polled(log, 0, 5)
    log.burst(after(4), 3, every=timedelta(seconds=1))
    polled(log, 5, 120, ok=False)
    blind = run(log.rows, healthy=False, until=after(120))
    assert story(blind) == [("opened", "yellow")]
    polled(log, 120, 123)
    events = run(log.rows, healthy=False, until=after(123))
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    assert events[1].at > after(120)


def test_a_recovery_waits_for_a_poll_even_where_none_fails() -> None:
    """A source that is polled every ten minutes resolves its alert after a poll, not between two."""
    log = surge(when=volume(3, 2), keep_firing_for=MINUTE)
    log.poll(after(0, 30))
    log.burst(after(4), 3, every=timedelta(seconds=1))
    log.poll(after(10, 30))
    events = run(log.rows, healthy=False, until=after(20))
    assert [(event.event, event.at) for event in events][1] == ("resolved", after(10, 45))


@pytest.mark.parametrize(("left", "lowered"), [(8, False), (7, True)])
def test_a_level_does_not_flap_about_its_threshold(left: int, lowered: bool) -> None:
    """Orange from ten on stays with eight in the window, for longer than a level waits to fall, and falls with seven."""
    log = surge(levels={"yellow": {}, "orange": {"at_least": 10}}, when=volume(2, 30))
    log.burst(after(1), 10 - left, every=timedelta(seconds=1))
    log.burst(after(20), left, every=timedelta(seconds=1))
    told = story(run(log.rows, until=after(48)))
    assert ("raised", "orange") in told or ("opened", "orange") in told
    assert (("lowered", "yellow") in told) is lowered


def test_a_blind_source_holds_a_lower_level_up() -> None:
    """A level does not fall either while the source that gave it is not seen, though another goes on."""
    log = surge(levels={"yellow": {}, "orange": {"at_least": 7}}, when=volume(2, 5))
    polled(log, 0, 5)
    log.burst(after(4), 7, every=timedelta(seconds=1))
    polled(log, 5, 40, ok=False)
    for minute in range(5, 40):
        log.burst(after(minute), 1, source="forum", author=f"f{minute}")
    polled(log, 0, 40, source="forum")
    assert story(run(log.rows, healthy=False, until=after(39))) == [("opened", "orange")]
    assert ("lowered", "yellow") in story(run(log.rows, healthy=True, until=after(39)))


def test_another_source_that_fails_does_not_hold_it_up() -> None:
    """A blind source that gave nothing to the alert is named in its coverage, and delays nothing."""
    log = surge()
    polled(log, 0, 60)
    log.poll(after(0, 40), "forum")
    log.burst(after(20), 3, every=timedelta(seconds=1))
    events = run(log.rows, healthy=False, until=after(60))
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    assert events[0].coverage.blind == (("forum", after(0, 38)),)
    assert not events[0].coverage.complete


def test_a_source_that_was_never_seen_is_blind_from_its_first_try() -> None:
    """Where no poll ever succeeded, coverage counts from the first that failed."""
    log = surge()
    polled(log, 0, 30, ok=False)
    polled(log, 0, 30, source="forum")
    log.burst(after(29), 3, every=timedelta(seconds=1), source="forum")
    opened = run(log.rows, healthy=False, until=after(30))[0]
    assert opened.coverage.blind == (("microblog", after(0, 30)),)


def test_a_source_that_leaves_the_configuration_is_not_blind() -> None:
    """A removed source holds nothing up any more."""
    log = surge()
    log.poll(after(0, 30))
    log.burst(after(4), 3, every=timedelta(seconds=1))
    log.rules(after(30), rule(when=volume(3), keep_firing_for=5 * MINUTE), sources=["forum"])
    events = run(log.rows, healthy=False, until=after(40))
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    assert events[1].coverage.complete


def test_an_edited_rule_keeps_its_episode() -> None:
    """After an edit of threshold and levels the alert goes on under the same id."""
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.rules(after(3), rule(when=volume(2), levels={"red": {}}, keep_firing_for=5 * MINUTE))
    events = run(log.rows)
    assert story(events) == [("opened", "yellow"), ("raised", "red"), ("resolved", "red")]
    assert len({event.alert for event in events}) == 1


def test_an_edit_of_the_filter_fakes_no_recovery() -> None:
    """A new filter starts with empty panes; the alert cannot resolve before its window could have filled again."""
    log = surge(when=volume(3, 60))
    log.burst(after(1), 3, every=timedelta(seconds=1))
    edited = rule(when=volume(3, 60), where={"label": ["negative", "neutral"]}, keep_firing_for=MINUTE)
    log.rules(after(3), edited)
    events = run(log.rows)
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    assert events[1].at >= after(3) + timedelta(hours=1)


def test_a_longer_window_takes_over_what_is_counted() -> None:
    """An edit of the window alone keeps the panes: two before it and one after it make three."""
    log = surge(when=volume(3, 30))
    log.burst(after(1), 2, every=timedelta(seconds=1))
    log.rules(after(20), rule(when=volume(3, 60)))
    log.mention(after(29))
    assert run(log.rows)[0].event == "opened"


def test_a_removed_rule_resolves_with_its_reason() -> None:
    """The alert of a removed rule ends with ``rule_removed``, and does not claim that it is over."""
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.rules(after(3), rule(id="other", when=volume(99)))
    events = run(log.rows)
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    assert events[1].because.zh.startswith("rule_removed：")
    assert events[1].because.en.startswith("rule_removed: ")
    assert events[1].brand == "云杉科技"


def test_a_topic_that_leaves_a_rule_resolves_its_alert() -> None:
    """So does the alert of a topic that the rule no longer names, and the others go on."""
    log = Log()
    log.rules(START, rule(when=volume(3), topics=["acme", "rival"]))
    log.burst(after(1), 3, every=timedelta(seconds=1), topics=["acme", "rival"])
    log.rules(after(3), rule(when=volume(3), topics=["rival"]))
    events = run(log.rows, until=after(4))
    assert [(event.event, event.topic) for event in events] == [
        ("opened", "acme"), ("opened", "rival"), ("resolved", "acme"),
    ]  # fmt: skip


def test_a_topic_that_joins_a_rule_begins_cold() -> None:
    """A topic added to an old rule has not been watched for the reference, so its floor is doubled."""
    when = {"type": "spike", "window": 10 * MINUTE, "reference": 60 * MINUTE, "at_least": 5}
    log = Log()
    log.rules(START, rule(when=when))
    log.rules(after(300), rule(when=when, topics=["acme", "rival"]))
    log.burst(after(302), 7, every=timedelta(seconds=1), topics=["acme", "rival"])
    assert [event.topic for event in run(log.rows) if event.event == "opened"] == ["acme"]


def test_a_key_for_each_channel() -> None:
    """By topic and channel, each channel has an alert of its own."""
    log = surge(by=["topic", "channel"])
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.burst(after(1), 2, every=timedelta(seconds=1), source="forum")
    log.burst(after(2), 3, every=timedelta(seconds=1), source="forum")
    opened = [event.key for event in run(log.rows) if event.event == "opened"]
    assert opened == [{"topic": "acme", "channel": "microblog"}, {"topic": "acme", "channel": "forum"}]


def test_without_topic_in_by_a_mention_counts_once() -> None:
    """A mention of two topics counts once where topics are not told apart."""
    log = surge(by=["channel"], topics=["acme", "rival"])
    log.burst(after(1), 2, every=timedelta(seconds=1), topics=["rival", "acme"])
    assert run(log.rows) == []
    log.mention(after(1, 5), topics=["rival"])
    opened = run(log.rows)[0]
    assert (opened.topic, opened.key, opened.seen) == ("acme", {"channel": "microblog"}, 3)


def test_keys_are_bounded() -> None:
    """Past 5,000 keys the rest counts under ``__other__``, and none is lost."""
    log = surge(by=["topic", "channel"], when=volume(2, 60))
    for number in range(running.MAX_KEYS + 10):
        log.mention(after(1), name=f"n{number}", channel=f"c{number:05}")
    events = run(log.rows, until=after(2))
    assert [(event.key, event.seen) for event in events] == [({"topic": "acme", "channel": "__other__"}, 10)]
    assert run([log.rows[0], *reversed(log.rows[1:])], until=after(2)) == events


def test_a_revision_changes_reach_and_never_counts_twice() -> None:
    """A post that went from ten views to a million makes it red, and is still one mention."""
    log = surge(levels={"yellow": {}, "red": {"reach": 1_000_000}})
    log.burst(after(1), 2, every=timedelta(seconds=1))
    posted = log.mention(after(1, 3), name="viral", views=10).mention
    grown = log.mention(after(3), name="viral", views=2_000_000).mention
    log.rows.pop()
    log.revision(after(3), grown)
    events = run(log.rows)
    assert story(events) == [("opened", "yellow"), ("raised", "red"), ("resolved", "red")]
    assert (events[1].seen, events[1].reached.people) == (3, 2_000_000)
    assert events[1].excerpts[0].reach == 2_000_000
    assert posted.reach.views == 10


def test_a_later_score_replaces_the_first() -> None:
    """A person who calls a mention neutral takes it out of the count; one who calls it negative puts it in."""
    log = surge()
    log.burst(after(1), 2, every=timedelta(seconds=1))
    log.mention(after(1, 3), name="joke", label="neutral")
    assert run(log.rows) == []
    log.score(after(2), "joke", "negative")
    assert run(log.rows)[0].seen == 3
    log.rows.pop()
    log.score(after(1, 4), "m2", "neutral")
    log.score(after(1, 5), "joke", "negative")
    assert run(log.rows) == []


def test_a_mention_that_changes_after_an_edit_counts_once() -> None:
    """What counted before the filter was edited, and changes twice after, counts once under the new filter."""
    log = surge()
    kept = log.mention(after(1), name="kept").mention
    log.mention(after(1, 1), name="other")
    log.rules(after(1, 30), rule(where={"label": ["negative", "neutral"]}, when=volume(2)))
    log.mention(after(1, 40), name="new", event_at=after(1))
    assert run(log.rows, until=after(2)) == []
    for second in range(5):
        log.revision(after(2, second), kept)
        log.revision(after(2, 20 + second), kept)
    events = run(log.rows, until=after(5))
    assert [event.seen for event in events] == [2]


def test_the_same_mention_twice_counts_once() -> None:
    """A row that repeats a mention changes nothing."""
    log = surge()
    for _ in range(5):
        log.mention(after(1), name="same")
    assert run(log.rows) == []


class Broken(Volume):
    """A condition with a mistake in it, as a plug-in might have."""

    def read(self, view: Any, state: State, now: datetime, /) -> tuple[Reading, State]:
        raise ZeroDivisionError("division by zero")


def test_a_rule_that_raises_is_left_out_and_told_of() -> None:
    """The rule that raises is named in ``failures`` at each tick at which it does; the other fires."""
    log = Log()
    log.rules(START, rule(when=volume(3)), rule(id="broken", when=volume(1)))
    log.burst(after(1), 3, every=timedelta(seconds=1))
    driver = Driver(Engine(STEP, assume_healthy=True))
    driver.feed(log.rows[0])
    driver.advance(after(0, 15))
    engine = driver.engine
    config = rule(id="broken", when=volume(1))
    broken = config.model_copy(update={"when": Broken(type="volume", window=10 * MINUTE, at_least=1)})
    engine.running["broken"].edit(plan(broken, UTC_WEEKS), after(0, 15))
    events = [event for row in log.rows[1:] for event in driver.feed(row)] + list(driver.advance(after(2)))
    assert [(event.event, event.rule) for event in events] == [("opened", "surge")]
    assert engine.failures == {"broken": "ZeroDivisionError: division by zero"}
    running = engine.running["broken"]
    for key in running.keys.values():
        key.state = "something that it remembers"
    for hour in range(1, 8):  # nor does it stop the others where it is asked for keys that are quiet
        running.dirty.clear()
        running.active.clear()
        driver.advance(after(2 + 60 * hour))
    assert "surge" in engine.running


def test_a_rule_set_that_cannot_be_read_is_refused() -> None:
    """A rule set from elsewhere raises RuleError with the rule and the key, and the old set goes on."""
    with pytest.raises(RuleError, match="not a rule set"):
        load_ruleset("[]")
    with pytest.raises(RuleError, match=r"rule x: when\.one\.volume\.at_least: "):
        load_ruleset(
            '{"rules":[{"id":"x","topics":["a"],"when":{"type":"volume","at_least":0}}],"brands":{},"sources":{}}'
        )
    text = ruleset_json([rule(when=volume(1))], TOPICS, SOURCES)
    twice = json.loads(text)
    twice["rules"] *= 2
    with pytest.raises(RuleError, match="rule surge: defined twice"):
        load_ruleset(json.dumps(twice))
    assert load_ruleset(text).rules == (rule(when=volume(1)),)


def test_a_snapshot_of_something_else_is_refused() -> None:
    """A text that is no snapshot, or of another format, raises ValueError: the log is read instead."""
    text = Engine(STEP).snapshot()
    for other in ("", "{}", "null", "[1]", text.replace(f'"format":{FORMAT}', f'"format":{FORMAT - 1}'), text[:-2]):
        with pytest.raises(ValueError, match="not a snapshot"):
            Engine.restore(other)


def test_a_snapshot_keeps_crowded_minutes() -> None:
    """Minutes with many authors, channels, words and excerpts come back whole, and go on to tell the same."""
    when = [{"type": "watch", "words": ["起火", "爆炸"], "window": 10 * MINUTE}, volume(30, 5)]
    log = surge(when=when, levels={"yellow": {}, "orange": {"reach": 500}, "red": {"authors": 9, "words": "爆炸"}})
    for number in range(90):
        log.mention(
            after(1, number), source=("microblog", "forum")[number % 2], author=f"u{number % 11}", views=number % 13,
            text=f"{('起火', '爆炸', '起火又爆炸')[number % 3]}{number % 7}",
        )  # fmt: skip
    whole = run(log.rows)
    driver = Driver(Engine(STEP, assume_healthy=True))
    events = [event for row in log.rows[:60] for event in driver.feed(row)]
    text = driver.engine.snapshot()
    restored = Engine.restore(text)
    assert restored.snapshot() == text
    driver = Driver(restored)
    events += [event for row in log.rows[60:] for event in driver.feed(row)]
    events += driver.run_out()
    assert events == whole
    assert max(event.reached.authors for event in events) == 22  # an author is one of a channel


def test_a_snapshot_goes_on_under_another_step() -> None:
    """After a change of the step in the configuration the next tick is one of the new step, and nothing is lost."""
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in log.rows:
        driver.feed(row)
    engine = Engine.restore(driver.engine.snapshot(), step=timedelta(seconds=40))
    assert engine.next == after(1, 20)
    assert [event.at for event in Driver(engine).advance(after(5))] == [after(1, 20)]


def test_ticks_are_multiples_of_the_step() -> None:
    """A time that is no tick, or not after the last one, is refused; the first tick is after the first row."""
    engine = Engine(STEP)
    with pytest.raises(ValueError, match="not a tick"):
        engine.evaluate(after(0, 7))
    log = surge()
    engine.observe(log.rows[0])
    assert engine.next == START + STEP
    engine.evaluate(after(1))
    with pytest.raises(ValueError, match="not a tick"):
        engine.evaluate(after(1))


def test_a_tick_sees_the_rows_before_it_alone() -> None:
    """A mention at exactly the time of a tick is seen by the next."""
    log = surge(when=volume(1))
    log.mention(after(1))
    assert run(log.rows)[0].at == after(1, 15)


def test_long_silence_is_passed_over() -> None:
    """A year without rows costs nothing, and the alert after it is what it would have been."""
    log = surge()
    log.burst(after(1), 3, every=timedelta(seconds=1))
    log.burst(after(60 * 24 * 365), 3, every=timedelta(seconds=1))
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in log.rows[:4]:
        driver.feed(row)
    driver.advance(after(60 * 3))
    assert driver.engine.due() is None
    assert [event.event for event in run(log.rows)] == ["opened", "resolved", "opened", "resolved"]


def test_next_tick() -> None:
    """The next tick is the first after now that has not been run."""
    driver = Driver(Engine(STEP))
    assert driver.next_tick(after(0, 1)) == after(0, 15)
    assert driver.next_tick(after(0, 15)) == after(0, 30)
    driver.feed(surge().rows[0])
    driver.advance(after(1))
    assert driver.next_tick(after(0, 50)) == after(1, 15)


def test_an_alert_names_what_is_being_passed_on() -> None:
    """The three largest stories of the window by copies, as they are called by now; one mention alone is none."""
    log = Log()
    log.rules(START, rule(when=volume(9)))
    for number, (name, channel) in enumerate(
        [("s/1", "weibo"), ("s/2", "weibo"), ("s/2", "news"), ("s/3", "weibo"), ("s/3", "weibo"), ("s/4", "weibo"),
         ("s/4", "forum"), ("s/4", "news"), ("s/5", "weibo"), ("s/5", "weibo"), ("", "weibo"), ("", "weibo")]
    ):  # fmt: skip
        row = log.mention(after(1, number), channel=channel, text=f"{name} 的第 {number} 条", author=f"u{number}")
        log.rows[-1] = replace(row, story=name)
    log.rows.append(StoryRow(log.seq, after(2), "s/3", "s/2"))
    events = run(log.rows, until=after(3))
    assert [(one.id, one.copies, one.channels) for one in events[0].stories] == [
        ("s/4", 3, ("weibo", "forum", "news")),
        ("s/2", 2, ("weibo", "news")),
        ("s/3", 2, ("weibo",)),
    ]
    assert events[0].stories[0].title == "s/4 的第 5 条"
    log.burst(after(2), 15, every=timedelta(seconds=1), source="forum")
    later = run(log.rows, until=after(4))[-1]
    assert (later.event, [(one.id, one.copies) for one in later.stories]) == (
        "updated",
        [("s/2", 4), ("s/4", 3), ("s/5", 2)],
    )


def test_a_snapshot_keeps_stories_and_what_they_are_called() -> None:
    """Restored between any two rows, the engine names the same."""
    log = Log()
    log.rules(START, rule(when=volume(3)))
    for number in range(20):
        row = log.mention(after(1, number * 7), text=f"第 {number} 条", author=f"u{number}")
        log.rows[-1] = replace(row, story=f"s/{number % 4}")
        if number in {9, 14}:
            log.rows.append(StoryRow(log.seq, after(1, number * 7), f"s/{number % 4}", "s/0"))
    driver, events = Driver(Engine(STEP, assume_healthy=True)), []
    for row in log.rows:
        driver = Driver(Engine.restore(driver.engine.snapshot()))
        events += driver.feed(row)
    events += driver.run_out()
    assert events == run(log.rows)
    assert any(len(event.stories) == 3 for event in events)


def test_what_is_known_of_stories_is_bounded() -> None:
    """Those that nothing came to for longest go first, and what has left every window goes."""
    known = KnownStories()
    row = Log().mention(START, name="m")
    for number in range(MAX_KNOWN + 10):
        known.see(f"s/{number}", card_of(row.mention, START, number))
    known.merge("s/0", f"s/{MAX_KNOWN}")
    known.forget(0)
    assert len(known.cards) == MAX_KNOWN
    assert known.aliases == {"s/0": f"s/{MAX_KNOWN}"}
    known.forget(MAX_KNOWN + 1)
    assert sorted(known.cards) == [f"s/{MAX_KNOWN + number}" for number in range(1, 10)]
    assert known.aliases == {}


def test_a_story_is_forgotten_by_its_newest_member_after_a_restart_too() -> None:
    """A member that comes later keeps it; what is restored goes at the same minute as what was not."""
    row = Log().mention(START, name="m")
    known = KnownStories()
    for minute, name in ((1, "a"), (2, "b"), (9, "a"), (3, "c"), (5, "c")):
        known.see(name, card_of(row.mention, START, minute))
    known.merge("b", "c")
    again = KnownStories()
    again.restore(known.cards, known.aliases)
    for oldest, left in ((5, ["a", "c"]), (6, ["a"]), (9, ["a"]), (10, [])):
        for one in (known, again):
            one.forget(oldest)
            assert sorted(one.cards) == left
            assert one.aliases == ({"b": "c"} if "c" in left else {})


def test_a_quiet_night_does_not_make_a_baseline_forget() -> None:
    """Keys that hold nothing are swept once an hour; what a key has learnt is kept for eight weeks all the same."""
    log = Log()
    when = {"type": "baseline", "window": timedelta(hours=1), "at_least": 5}
    log.rules(START, rule(when=when, keep_firing_for=timedelta(0)))
    for day in range(20):
        log.burst(after(day * 1440 + 1), 6, every=timedelta(minutes=5), author=f"u{day}")
    driver = Driver(Engine(timedelta(minutes=1), assume_healthy=True))
    for row in log.rows:
        driver.feed(row)
    driver.advance(after(19 * 1440 + 40))
    learnt = next(iter(driver.engine.running["surge"].keys.values())).rollups
    counted = list(learnt.values())
    assert [sum(rollup.counts) for rollup in counted] == [20 * 6] * len(counted) != []
    driver.advance(after(80 * 1440))
    assert not driver.engine.running["surge"].keys
