"""The conditions that compare with what is usual, with others, or with before: when each holds, and where its edges are."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts import AlertEvent
from rules.engine import Engine
from rules.reading import Reading
from rules.replay import Driver
from tests.support.engine_log import START, STEP, Log, after, rule, run, story, volume

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTES = timedelta(minutes=1)


def read(log: Log, at_minutes: float, *, healthy: bool = True, where: Any = None, **given: Any) -> Reading:
    """What the rule reads at a time of the topic ``acme``; it stands since START."""
    driver = Driver(Engine(STEP, assume_healthy=healthy))
    for row in sorted([Log().rules(START, rule(where=where, **given)), *log.rows], key=lambda row: row.at):
        driver.feed(row)
    driver.advance(after(at_minutes))
    running = driver.engine.running["surge"]
    return running._read(running.keys[("acme",)], after(at_minutes)).read.reading


def told(log: Log, until: float, *, healthy: bool = True, where: Any = None, **given: Any) -> list[AlertEvent]:
    rows = [Log().rules(START, rule(where=where, **given)), *log.rows]
    return run(rows, healthy=healthy, until=after(until))


def days(log: Log, count: int, per_hour: Callable[[int, int], int], *, begin: int = 0, **more: Any) -> None:
    """Whole days from START on: so many mentions in each (day, hour), spread evenly."""
    for day in range(begin, begin + count):
        for hour in range(24):
            wanted = per_hour(day, hour)
            for number in range(wanted):
                at = after(day * 1440 + hour * 60 + 60 * (number + 0.5) / wanted)
                log.mention(at, author=f"u{number}", **more)


def busy_days(_day: int, hour: int) -> int:
    """Twelve an hour for fourteen hours, and quiet nights."""
    return 12 if hour < 14 else 0


# baseline


def test_a_baseline_knows_the_hour() -> None:
    """After ten days, twelve an hour are nothing by day, and five times as many in the night are a surge."""
    log = Log()
    days(log, 10, busy_days)
    for number in range(24):
        log.mention(after(10 * 1440 + 5 * number), author=f"d{number}")
    usual = read(log, 10 * 1440 + 120, when={"type": "baseline"})
    assert not usual.holds
    assert usual.baseline == "daily"
    assert usual.expected == pytest.approx(24, rel=0.3)
    night = Log()
    days(night, 10, busy_days)
    night.burst(after(9 * 1440 + 20 * 60), 60, every=timedelta(minutes=1))
    surge = read(night, 9 * 1440 + 21 * 60, when={"type": "baseline"})
    assert surge.holds
    assert surge.figures.surprise is not None
    assert surge.figures.surprise >= 1.9
    assert "平时此时约" in surge.because.zh
    assert "usually" in surge.because.en


@pytest.mark.parametrize(("factor", "holds"), [(2.0, True), (5.0, False)])
def test_a_baseline_asks_for_a_multiple_of_what_is_usual(factor: float, holds: bool) -> None:
    """Three times what is usual is rare where nothing ever strays, and still not five times as much."""
    log = Log()
    days(log, 10, lambda _day, _hour: 12)
    log.burst(after(10 * 1440), 36, every=timedelta(minutes=1))
    given = {"type": "baseline", "window": HOUR, "factor": factor}
    reading = read(log, 10 * 1440 + 40, when=given)
    assert reading.figures.surprise is not None
    assert reading.figures.surprise > 3
    assert reading.holds is holds


@pytest.mark.parametrize(("count", "holds"), [(19, False), (20, True)])
def test_a_cold_baseline_doubles_its_floor_and_says_so(count: int, holds: bool) -> None:
    """Within the first hours the doubled floor alone decides."""
    log = Log()
    log.burst(after(10), count, every=timedelta(seconds=1))
    reading = read(log, 11, when={"type": "baseline"})
    assert reading.baseline == "cold"
    assert reading.holds is holds
    assert "门槛加倍为 20" in reading.because.zh
    assert "doubled to 20" in reading.because.en


def test_a_baseline_outlives_a_quiet_night() -> None:
    """A topic with no mention for half a day is as well known in the morning as in the evening."""
    log = Log()
    days(log, 10, busy_days)
    for number in range(24):
        log.mention(after(10 * 1440 + 5 * number), author=f"d{number}")
    assert told(log, 10 * 1440 + 180, when={"type": "baseline"}) == []
    assert read(log, 10 * 1440 + 120, when={"type": "baseline"}).baseline == "daily"


@pytest.mark.parametrize("when", [{"type": "baseline", "at_least": 1}, {"type": "drift", "at_least": 1}])
def test_what_was_never_used_again_is_forgotten(when: Mapping[str, Any]) -> None:
    """Eight weeks after its last mention a key is gone, with its baseline and all that its condition remembered."""
    log = Log()
    log.burst(after(1), 3)
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in [Log().rules(START, rule(where=None, when=when)), *log.rows]:
        driver.feed(row)
    driver.advance(after(5))
    assert driver.engine.running["surge"].keys[("acme",)].state is not None
    driver.advance(after(55 * 1440))
    assert driver.engine.running["surge"].keys
    driver.advance(after(57 * 1440 + 120))
    assert not driver.engine.running["surge"].keys


def test_a_baseline_is_remembered_whatever_is_beside_it() -> None:
    """What began to hold while another condition did not still goes on, on the lower threshold, when that one does too."""
    log = Log()
    days(log, 10, busy_days)
    log.burst(after(9 * 1440 + 20 * 60), 30, every=timedelta(minutes=1))
    alone = read(log, 9 * 1440 + 20 * 60 + 40, when=[{"type": "baseline"}, volume(1000)])
    assert not alone.holds
    driver = Driver(Engine(STEP, assume_healthy=True))
    rows = [Log().rules(START, rule(where=None, when=[{"type": "baseline"}, volume(1000)])), *log.rows]
    for row in sorted(rows, key=lambda row: row.at):
        driver.feed(row)
    driver.advance(after(9 * 1440 + 20 * 60 + 40))
    state = driver.engine.running["surge"].keys[("acme",)].state
    assert isinstance(state, list)
    assert state[0] is not None


def flared(levels: Mapping[str, Any]) -> list[AlertEvent]:
    """Ten days of one an hour, forty within half an hour, an hour and a half later six more."""
    log, begin = Log(), 10 * 1440
    days(log, 10, lambda _day, _hour: 1)
    log.burst(after(begin), 40, every=timedelta(seconds=45))
    log.burst(after(begin + 110), 6, every=timedelta(seconds=20))
    when = {"type": "baseline", "window": HOUR, "at_least": 10, "factor": 10.0}
    return told(log, begin + 300, when=when, levels=levels, keep_firing_for=timedelta(minutes=5))


def test_a_surge_that_flares_up_says_that_it_goes_on() -> None:
    """What opens again within the hour, on less than would open it, tells when the surge began and how high it was."""
    first, *_, again, _ = [one for one in flared({"yellow": {}}) if one.event in {"opened", "resolved"}]
    assert "延续" not in first.because.zh
    assert (again.event, again.alert, again.seen) == ("opened", first.alert, 5)
    assert "延续 08:06 开始的这一波（08:29 达到峰值 41 条）；近 1 小时" in again.because.zh
    assert "goes on from the surge that began at 08:06 and reached 41 at 08:29; 5 " in again.because.en


def test_a_level_takes_the_surprise_of_the_whole_surge() -> None:
    """The flare-up of a surge that was orange by its surprise is orange, and a surge does not fall for being waned."""
    events = [(one.event, one.level.name) for one in flared({"orange": {"surprise": 4.0}})]
    assert [one for one in events if one[0] != "updated"] == [("opened", "orange"), ("resolved", "orange")] * 2


@pytest.mark.parametrize("window", [timedelta(minutes=7), timedelta(minutes=90), timedelta(hours=25)])
def test_a_baseline_is_learnt_by_the_hour(window: timedelta) -> None:
    """A window that no bins make up is refused."""
    with pytest.raises(ValidationError, match="learnt by the hour"):
        rule(when={"type": "baseline", "window": window})


# drift


def shares(log: Log, count: int, share: Callable[[int], float], per_hour: int = 4) -> None:
    """Days of which so large a part is negative, spread evenly over the mentions."""
    owed = 0.0
    for number in range(count * 24 * per_hour):
        owed += share(number // (24 * per_hour))
        negative = owed >= 1
        owed -= negative
        label = "negative" if negative else "neutral"
        log.mention(after((number + 0.5) * 60 / per_hour), author=f"u{number % 50}", label=label)


DRIFT: Mapping[str, Any] = {"type": "drift"}


def test_drift_sees_a_slow_burn() -> None:
    """A share that creeps from 5 to 25 per cent over a week is told, with how long it has run high."""
    log = Log()
    shares(log, 21, lambda day: 0.05 if day < 14 else 0.05 + 0.03 * (day - 13))
    reading = read(log, 21 * 1440, when=DRIFT)
    assert reading.holds
    assert reading.figures.share == pytest.approx(0.26, abs=0.03)
    assert "已持续偏高" in reading.because.zh
    assert "above that for" in reading.because.en


def test_drift_is_silent_on_a_constant_share_with_bursts() -> None:
    """More mentions at the same share are no drift, however many more."""
    log = Log()
    shares(log, 14, lambda _day: 0.1)
    for hour in (200, 250, 300):
        for number in range(100):
            label = "negative" if number % 10 == 0 else "neutral"
            log.mention(after(hour * 60 + number * 0.5), author=f"b{number}", label=label)
    assert told(log, 14 * 1440, when=DRIFT) == []


@pytest.mark.parametrize(("last", "holds"), [("negative", True), ("neutral", False)])
def test_drift_is_over_where_the_share_is_usual_again(last: str, holds: bool) -> None:
    """Days of a high share leave their evidence; whether it still holds is what the window says."""
    log = Log()
    shares(log, 21, lambda day: 0.05 if day < 14 else 0.05 + 0.03 * (day - 13))
    for number in range(12):
        log.mention(after(21 * 1440 + 5 * number + 1), author=f"n{number}", label=last if number % 2 else "neutral")
    given = {"type": "drift", "window": HOUR, "at_least": 1}
    if last == "neutral":
        log.mention(after(21 * 1440 + 58), author="one", label="negative")
    reading = read(log, 21 * 1440 + 60, when=given)
    assert "证据" in reading.because.zh
    assert reading.holds is holds


@pytest.mark.parametrize(
    ("quiet", "evidence"), [(20, "已持续偏高 27 天 3 小时（证据 12，"), (22, "已持续偏高 1 小时 31 分钟（证据 1.1，")]
)
def test_three_quiet_weeks_clear_the_evidence_of_a_drift(quiet: int, evidence: str) -> None:
    """What a topic is said to do after a month of silence is not added to what it did before."""
    log = Log()
    shares(log, 21, lambda day: 0.05 if day < 14 else 0.05 + 0.03 * (day - 13))
    log.burst(after((21 + quiet) * 1440), 12, every=timedelta(minutes=5))
    assert evidence in read(log, (21 + quiet) * 1440 + 91, when=DRIFT).because.zh


def test_drift_says_nothing_of_the_first_days() -> None:
    """Nine in ten negative are no drift while nothing is known to compare with."""
    log = Log()
    shares(log, 2, lambda _day: 0.9)
    reading = read(log, 2 * 1440, when=DRIFT)
    assert not reading.holds
    assert reading.baseline == "cold"


def test_old_entries_of_a_first_poll_are_no_usual_share() -> None:
    """A lone mention of weeks ago does not stand for what is usual: the share is learnt from what was watched."""
    log = Log()
    log.mention(after(0.1), event_at=after(-40 * 1440), history=True)
    shares(log, 6, lambda _day: 0.3)
    assert told(log, 6 * 1440, when=DRIFT) == []


@pytest.mark.parametrize("of", ["drift", "kpi"])
def test_a_share_is_of_all_labels(of: str) -> None:
    """Neither the rule's nor the condition's where may ask for a label."""
    when = {"drift": dict(DRIFT), "kpi": {"type": "kpi", "measure": "negative_share", "at_most": 0.2}}[of]
    with pytest.raises(ValidationError, match="where asks for a label"):
        rule(where={"label": "negative"}, when=when)
    with pytest.raises(ValidationError, match="not ask for a label"):
        rule(where=None, when={**when, "where": {"not": {"label": "positive"}}})


def test_a_number_of_mentions_may_be_of_one_label() -> None:
    """A target for the number of negative mentions is sound, for it is no share."""
    rule(where={"label": "negative"}, when={"type": "kpi", "measure": "mentions", "at_most": 100.0})
    rule(where=None, when={"type": "kpi", "measure": "mentions", "at_most": 100.0, "where": {"label": "negative"}})


# velocity

VELOCITY: Mapping[str, Any] = {"type": "velocity", "window": HOUR, "at_least": 20}


def spread(early: int, late: int, name: str = "fire") -> Log:
    """So many copies in the earlier and in the later half of the hour that ends at minute 400."""
    log = Log()
    for count, begin in ((early, 345), (late, 375)):
        for number in range(count):
            log.mention(after(begin, number), author=f"u{begin}-{number}", story=name)
    return log


@pytest.mark.parametrize(
    ("early", "late", "minutes"), [(10, 10, 30.0), (5, 15, 15.0), (5, 35, 10.0), (20, 20, 30.0), (16, 4, 93.19)]
)
def test_velocity_tells_the_doubling_time(early: int, late: int, minutes: float) -> None:
    """Half an hour doubles 10 to 20; from 5 to 40 are three doublings."""
    reading = read(spread(early, late), 400, when=VELOCITY)
    assert reading.figures.doubling == pytest.approx(minutes, abs=0.01)
    assert reading.holds is (minutes <= 30)


def test_an_odd_window_is_parted_in_whole_minutes() -> None:
    """Of five minutes the later two are compared: 10 to 20 within two minutes double in two."""
    log = Log()
    for count, begin in ((10, 395), (10, 398)):
        for number in range(count):
            log.mention(after(begin, 1 + number), author=f"u{begin}-{number}", story="fire")
    reading = read(log, 400, when={**VELOCITY, "window": 5 * MINUTES})
    assert reading.figures.doubling == pytest.approx(2.0)


def test_velocity_needs_one_story_with_enough_copies() -> None:
    """Nineteen copies are too few, and so are forty of two stories."""
    reading = read(spread(5, 14), 400, when=VELOCITY)
    assert not reading.holds
    assert "最大的事件 19 条，不足 20 条" in reading.because.zh
    both = spread(5, 14)
    both.rows += spread(4, 15, "flood").rows
    assert not read(both, 400, when=VELOCITY).holds


def test_a_story_that_has_ended_spreads_no_more() -> None:
    """Nothing in the latter half: infinitely slow."""
    reading = read(spread(40, 0), 400, when=VELOCITY)
    assert not reading.holds
    assert reading.figures.doubling is None
    assert "grows no more" in reading.because.en


def test_one_account_spreads_nothing() -> None:
    """Half of the copies' number in authors is asked for, or as many as given; of an unnamed one the site or source counts."""
    log = Log()
    for number in range(40):
        log.mention(after(371, number), author=f"u{number % 9}", story="fire")
    reading = read(log, 400, when=VELOCITY)
    assert not reading.holds
    assert "来自 9 个发布者（阈值 10）" in reading.because.zh
    assert read(log, 400, when={**VELOCITY, "authors": 9}).holds
    log.mention(after(372), story="fire", site="a.example.com")
    assert read(log, 400, when=VELOCITY).holds
    with pytest.raises(ValidationError, match="more authors than copies"):
        rule(when={**VELOCITY, "authors": 21})


def test_many_stories_beside_hide_none() -> None:
    """A story that enough people tell is found behind a faster one that a single account repeats."""
    log = spread(8, 20)
    for number in range(60):
        log.mention(after(390, number / 2), author="loud", story="promo")
    reading = read(log, 400, when=VELOCITY)
    assert (reading.holds, reading.value) == (True, 28)


@pytest.mark.parametrize(("copies", "holds"), [(40, False), (150, True)])
def test_a_story_as_large_as_the_topic_often_has_is_none(copies: int, holds: bool) -> None:
    """Where six times a day a story has forty copies, forty are ordinary and a hundred and fifty are not."""
    log = Log()
    for day in range(8):
        for hour in range(24):
            for number in range(40 if hour % 4 == 0 else 3):
                at = after(day * 1440 + hour * 60 + number)
                log.mention(at, author=f"u{number}", story=f"d{day}-{hour}")
    for number in range(copies):
        log.mention(after(8 * 1440 + 725, number * 8), author=f"u{number}", story="new")
    reading = read(log, 8 * 1440 + 725 + copies * 8 / 60, when=VELOCITY)
    assert reading.figures.doubling is not None
    assert reading.figures.doubling <= 30
    assert reading.holds is holds
    assert "平时最大的事件约" in reading.because.zh
    assert read(log, 8 * 1440 + 725 + copies * 8 / 60, when={**VELOCITY, "surprise": 0.0}).holds


# cardinality


def test_cardinality_counts_different_authors() -> None:
    """Five authors reach five; four with many mentions do not, and one whose name is not known counts for none."""
    when = {"type": "cardinality", "window": HOUR, "at_least": 5}
    log = Log()
    log.burst(after(1), 4)
    log.burst(after(2), 20, author="u0")
    log.mention(after(9), author="")
    assert not read(log, 10, when=when).holds
    log.mention(after(9, 30), author="u4")
    assert read(log, 10, when=when).holds


@pytest.mark.parametrize(("loud", "holds"), [(10, True), (11, False)])
def test_one_loud_account_makes_no_wave(loud: int, holds: bool) -> None:
    """Ten of twenty are half of them and may be; eleven of twenty-one may not."""
    when = {"type": "cardinality", "window": HOUR, "at_least": 5, "at_most_share": 0.5}
    log = Log()
    log.burst(after(1), 10, every=timedelta(seconds=1))
    log.burst(after(2), loud, every=timedelta(seconds=1), author="loud")
    reading = read(log, 10, when=when)
    assert reading.holds is holds
    assert "其中最多的一个占" in reading.because.zh


@pytest.mark.parametrize("of", ["channels", "sites", "stories"])
def test_cardinality_of_other_things(of: str) -> None:
    """Channels, sites and stories are told apart too."""
    when = {"type": "cardinality", "of": of, "window": HOUR, "at_least": 2}
    more = {"channels": {}, "sites": {"site": "a.example.com"}, "stories": {"story": "one"}}[of]
    other = {"channels": {"source": "forum"}, "sites": {"site": "b.example.com"}, "stories": {"story": "two"}}[of]
    log = Log()
    log.burst(after(1), 5, **more)
    assert not read(log, 10, when=when).holds
    log.mention(after(5), author="z", **other)
    assert read(log, 10, when=when).holds


# new_term

NEW: Mapping[str, Any] = {"type": "new_term", "window": HOUR, "at_least": 3}


def talk(days_: int) -> Log:
    """Usual talk, four times an hour."""
    log = Log()
    for number in range(days_ * 96):
        log.mention(after(15 * number + 1), author=f"u{number % 9}", text="云杉充电宝外观好看手感舒服")
    return log


def test_a_new_word_is_told_and_a_known_one_is_not() -> None:
    """A word that nobody used in two days stands in three mentions; the usual ones do not count."""
    log = talk(2)
    for number in range(3):
        log.mention(after(2880 + number), author=f"n{number}", text="充电宝突然自燃")
    reading = read(log, 2884, when=NEW)
    assert reading.holds
    assert dict(reading.words)["自燃"] == 3
    assert "充电宝" not in dict(reading.words)
    assert not read(log, 2882, when=NEW).holds


def test_a_word_ceases_to_be_new_with_the_window() -> None:
    """An hour after its first use it is known."""
    log = talk(2)
    for number in range(9):
        log.mention(after(2880 + 10 * number), author=f"n{number}", text="充电宝突然自燃")
    assert not read(log, 2880 + 85, when=NEW).holds


@pytest.mark.parametrize("author", ["", "\ud83d"])
def test_half_a_character_is_no_obstacle(author: str) -> None:
    """A lone surrogate in a name, or in a text that nobody signs, as in every other condition."""
    log = talk(2)
    for number in range(3):
        log.mention(after(2880 + number), author=author and f"{author}{number}", text=f"\ud83d{number} 充电宝突然自燃")
    assert dict(read(log, 2884, when=NEW).words)["自燃"] == 3


def test_the_words_of_one_account_are_its_own() -> None:
    """What one author says in every post, or one text that nobody signs, counts once; three authors are three."""
    log = talk(2)
    for number in range(12):
        log.mention(
            after(2880 + number), author="店铺" if number % 2 else "", text="限时直降包邮下单立减", site="a.example.com"
        )
    assert not read(log, 2895, when=NEW).holds
    log.mention(after(2893), author="甲", text="直降真香")
    reading = read(log, 2895, when=NEW)
    assert reading.holds
    assert dict(reading.words)["直降"] == 3
    assert "直降 3 人" in reading.because.zh


def test_on_the_first_day_every_word_is_new() -> None:
    """It says so, and does not hold; a few old entries of a first poll do not change that."""
    log = Log()
    for number in range(40):
        at = after(-number if number < 20 else -1440 * (number - 19))
        log.mention(after(0.1), event_at=at, history=True, text="新品发布", author=f"o{number}")
    for number in range(3):
        log.mention(after(60 + number), author=f"n{number}", text="充电宝突然自燃")
    reading = read(log, 64, when=NEW)
    assert not reading.holds
    assert "观察不足" in reading.because.zh


def test_an_import_makes_words_known() -> None:
    """History of two days, as dense as what follows, tells what is new in the first hour."""
    log = Log()
    for number in range(192):
        at = after(-15 * number - 1)
        log.mention(after(0.1), event_at=at, history=True, text="云杉充电宝外观好看", author=f"o{number}")
    for number in range(3):
        log.mention(after(60 + number), author=f"n{number}", text="充电宝突然自燃")
    assert read(log, 64, when=NEW).holds


# flatline

FLAT: Mapping[str, Any] = {"type": "flatline", "window": 4 * HOUR, "expected": 10.0}


def test_silence_by_day_is_told_once_and_its_end_too() -> None:
    """A topic that stops on the eleventh morning is told within hours, without another row, once; and its return."""
    log = Log()
    days(log, 10, busy_days)
    days(log, 1, lambda _day, hour: 12 if 9 <= hour < 14 else 0, begin=10)
    events = told(log, 11 * 1440, when=FLAT)
    assert story(events) == [("opened", "yellow"), ("resolved", "yellow")]
    opened = (events[0].at - after(10 * 1440)) / HOUR
    assert 0 < opened <= 4
    assert events[0].at > after(10 * 1440)


def test_a_quiet_night_is_no_silence() -> None:
    """Ten hours without a mention, as every night, are no alarm."""
    log = Log()
    days(log, 12, busy_days)
    assert told(log, 11 * 1440 + 14 * 60, when=FLAT) == []


def test_a_blind_source_is_no_silence() -> None:
    """While its polls fail nothing is missed; after a good one with nothing new it is."""
    log = Log()
    days(log, 10, busy_days)
    # Nothing is seen from the last evening on until the next morning is over.
    for minute in range(0, 9 * 1440 + 14 * 60, 30):
        log.poll(after(minute, 1), blind_after=HOUR)
    for minute in range(9 * 1440 + 14 * 60, 10 * 1440 + 480, 30):
        log.poll(after(minute, 1), ok=False, blind_after=HOUR)
    assert told(log, 10 * 1440 + 480, healthy=False, when=FLAT) == []
    for minute in range(10 * 1440 + 480, 10 * 1440 + 720, 30):
        log.poll(after(minute, 1), blind_after=HOUR)
    events = told(log, 10 * 1440 + 720, healthy=False, when=FLAT)
    assert story(events) == [("opened", "yellow")]
    assert events[0].at >= after(10 * 1440 + 480)


def test_what_has_ended_is_missed_no_more() -> None:
    """Two weeks after its last mention a key is let go."""
    log = Log()
    days(log, 10, busy_days)
    events = told(log, 30 * 1440, when=FLAT)
    assert events[-1].event == "resolved"


# kpi


def kpi(**more: Any) -> Mapping[str, Any]:
    return {"type": "kpi", "measure": "negative_share", "at_most": 0.2, **more}


def test_a_missed_target_is_told() -> None:
    """A quarter negative over a week misses a fifth."""
    log = Log()
    shares(log, 8, lambda _day: 0.25)
    reading = read(log, 8 * 1440, when=kpi())
    assert reading.holds
    assert "目标不高于 20%" in reading.because.zh
    assert "按近一天的走势" not in reading.because.zh


def test_a_target_that_is_about_to_be_missed_is_told() -> None:
    """Six days at 15 per cent and one at 50 make 20; with another like the last it will be 25."""
    log = Log()
    shares(log, 8, lambda day: 0.5 if day == 7 else 0.14)
    reading = read(log, 8 * 1440, when=kpi())
    assert reading.holds
    assert "按近一天的走势，1 天后将为" in reading.because.zh
    assert "a miss" in reading.because.en


def test_a_target_that_is_kept_is_not_told() -> None:
    """A tenth does not miss a fifth."""
    log = Log()
    shares(log, 8, lambda _day: 0.1)
    assert not read(log, 8 * 1440, when=kpi()).holds


@pytest.mark.parametrize(("count", "more"), [(3, {}), (8, {"floor": 2000})], ids=["too short", "too few"])
def test_too_little_is_no_miss(count: int, more: Mapping[str, Any]) -> None:
    """Before a week is known, or below the floor, it says that it cannot tell."""
    log = Log()
    shares(log, count, lambda _day: 0.9)
    reading = read(log, count * 1440, when=kpi(**more))
    assert not reading.holds
    assert "数据不足" in reading.because.zh


def test_a_number_is_missed_in_silence() -> None:
    """A target of 100 mentions a week fails as the hours pass, days after the last row."""
    log = Log()
    days(log, 8, lambda _day, _hour: 1)
    when = {"type": "kpi", "measure": "mentions", "at_least": 100.0}
    events = told(log, 12 * 1440, when=when)
    assert story(events) == [("opened", "yellow")]
    # 168 in a week, 24 fewer with each silent day: 96 at the end of the third, which is seen a day before.
    assert events[0].at == pytest.approx(after(10 * 1440), abs=3 * HOUR)


# sequence


def steps(within: timedelta = HOUR) -> Mapping[str, Any]:
    of = [volume(2, 5, where={"channel": "forum"}), volume(2, 5, where={"channel": "microblog"})]
    return {"type": "sequence", "of": of, "within": within}


def two(log: Log, minute: float, source: str) -> None:
    log.burst(after(minute), 2, every=timedelta(seconds=1), source=source)


@pytest.mark.parametrize(
    ("forum", "microblog", "holds"),
    [
        (10, 30, True),
        (30, 10, False),
        (10, 10, False),
        (10, 10.5, True),
        (10, 74, True),
        (10, 76, False),
    ],
    ids=["in order", "other order", "same tick", "same minute", "just within", "too late"],
)
def test_one_and_then_the_other(forum: float, microblog: float, holds: bool) -> None:
    """The forum first, the microblog within an hour of the forum's end; together or the other way round is nothing."""
    log = Log()
    two(log, forum, "forum")
    two(log, microblog, "microblog")
    events = told(log, 200, when=steps())
    assert story(events) == ([("opened", "yellow"), ("resolved", "yellow")] if holds else [])
    if holds:
        assert events[0].at - after(microblog) <= 2 * STEP
        assert "此前 1 小时内已依次出现前 1 步" in events[0].because.zh


def test_what_held_before_its_turn_has_to_come_again() -> None:
    """The microblog is loud before the forum is: only its second wave follows the forum."""
    log = Log()
    two(log, 8, "microblog")
    two(log, 10, "forum")
    assert told(log, 16, when=steps()) == []
    two(log, 20, "microblog")
    assert story(told(log, 21, when=steps())) == [("opened", "yellow")]


def test_three_steps_need_all_three() -> None:
    """Forum, microblog, forum again under another condition."""
    third = volume(4, 5, where={"channel": "forum"})
    when = {"type": "sequence", "of": [*steps()["of"], third], "within": HOUR}
    log = Log()
    two(log, 10, "forum")
    two(log, 20, "microblog")
    log.burst(after(30), 4, every=timedelta(seconds=1), source="forum")
    assert story(told(log, 31, when=when)) == [("opened", "yellow")]
    skipped = Log()
    two(skipped, 10, "forum")
    skipped.burst(after(30), 4, every=timedelta(seconds=1), source="forum")
    assert told(skipped, 31, when=when) == []


def test_a_sequence_remembers_whatever_is_beside_it() -> None:
    """A condition beside it whose gate is shut when the first step is reached does not make it forget that step."""
    log = Log()
    two(log, 10, "forum")
    log.burst(after(30), 6, every=timedelta(seconds=1))
    assert story(told(log, 31, when=[volume(6, 5), steps()])) == [("opened", "yellow")]


def test_a_sequence_that_waits_for_nothing_remembers_nothing() -> None:
    """Once the time within which the next step may follow is over, its key can be let go."""
    log = Log()
    two(log, 10, "forum")
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in [Log().rules(START, rule(where=None, when=steps())), *log.rows]:
        driver.feed(row)
    driver.advance(after(30))
    assert driver.engine.running["surge"].keys
    driver.advance(after(200))
    assert not driver.engine.running["surge"].keys


# watch, volume


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"patterns": []}, "a pattern at least"),
        ({"patterns": ["(燃"]}, "no pattern of RE2: missing"),
        ({"patterns": [r"(\w)\1"]}, "no pattern of RE2: invalid escape"),
        ({"patterns": ["自燃(?=了)"]}, "no pattern of RE2: invalid perl operator"),
        ({"patterns": ["a*"]}, "found in every text"),
        ({"patterns": ["燃" * 501]}, "500 characters at most"),
        ({"patterns": ["燃"], "words": ["燃"]}, "not both"),
        ({}, "needs words, patterns, or a where"),
    ],
    ids=["none", "open bracket", "back reference", "lookahead", "empty", "long", "both", "nothing"],
)
def test_a_watch_that_cannot_be_is_refused_with_its_reason(given: Mapping[str, Any], says: str) -> None:
    """A pattern is refused where it is not RE2's, or found everywhere."""
    with pytest.raises(ValidationError, match=says):
        rule(when={"type": "watch", **given})


def test_a_pattern_finds_what_words_cannot() -> None:
    """Case does not matter; what was found is told."""
    when = {"type": "watch", "patterns": [r"召回\s*\d+", "IPX[0-9]"]}
    log = Log()
    log.mention(after(1), text="据说要召回 3000 台")
    log.mention(after(2), text="标称ipx7")
    log.mention(after(3), text="召回了")
    reading = read(log, 4, when=when)
    assert reading.value == 2
    assert dict(reading.words) == {"召回 3000": 1, "ipx7": 1}


def test_a_watch_of_where_alone_counts_all_that_passes() -> None:
    """A large account is watched without a word."""
    log = Log()
    log.mention(after(1), author="a", followers=10)
    log.mention(after(2), author="b", followers=2_000_000)
    reading = read(log, 4, when={"type": "watch", "where": {"followers": {"at_least": 1_000_000}}})
    assert reading.holds
    assert reading.value == 1


@pytest.mark.parametrize(("count", "value"), [("mentions", 4), ("authors", 2), ("stories", 3), ("reach", 650)])
def test_a_volume_counts_what_it_is_told_to(count: str, value: int) -> None:
    """Four mentions of two authors: two copies of a story, two of none, 650 views."""
    log = Log()
    for number, (author, name) in enumerate([("甲", "s"), ("乙", "s"), ("甲", ""), ("甲", "")]):
        log.mention(after(1 + number), author=author, story=name, views=100 * (number % 2 + 1) + 25 * (number > 1))
    assert read(log, 6, when=volume(value, count=count)).value == value
    assert read(log, 6, when=volume(value, count=count)).holds
    assert not read(log, 6, when=volume(value + 1, count=count)).holds
