"""Each condition by itself: when it holds, what it says in both languages, and where its edges are."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts import Because, Level
from rules.engine import Engine
from rules.reading import Figures, Reading
from rules.replay import Driver
from tests.support.engine_log import START, STEP, Log, after, rule, run, story, volume

HOUR = timedelta(hours=1)
MINUTES = timedelta(minutes=1)


def read(log: Log, at_minutes: float, **given: Any) -> Reading:
    """What the rule reads at a time of the topic ``acme``, whether it holds or not."""
    rows = [Log().rules(START, rule(**given)), *log.rows]
    engine = Engine(STEP, assume_healthy=True)
    driver = Driver(engine)
    for row in sorted(rows, key=lambda row: row.at):
        driver.feed(row)
    driver.advance(after(at_minutes))
    running = engine.running["surge"]
    return running._read(running.keys[("acme",)], engine.tick).read.reading  # type: ignore[arg-type]


def spike(**more: Any) -> Mapping[str, Any]:
    return {"type": "spike", "window": HOUR / 2, "reference": 6 * HOUR, "factor": 3.0, "at_least": 10, **more}


def busy(count: int, begin: float = 400, **more: Any) -> Log:
    """So many mentions, one a second."""
    log = Log()
    log.burst(after(begin), count, every=timedelta(seconds=1), **more)
    return log


def test_a_reading_stays_what_it_was_whatever_comes_after() -> None:
    """It is put in words when it is told; what came in the meantime is not in them."""
    config, log = rule(when=volume(3, 30)), busy(5)
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in (Log().rules(START, config), *log.rows):
        driver.feed(row)
    driver.advance(after(401))
    running = driver.engine.running["surge"]
    reading = running._read(running.keys[("acme",)], after(401)).read.reading
    for row in busy(4, 402).rows:
        driver.feed(replace(row, mention=replace(row.mention, external_id=f"later-{row.mention.external_id}")))
    driver.advance(after(403))
    assert reading.because.en == "5 negative mentions in the last 30 min (threshold 3)"
    assert running._read(running.keys[("acme",)], after(403)).read.reading.because.en.startswith("9 negative")


def test_volume_holds_at_its_threshold_and_not_one_below() -> None:
    """A volume of ten is reached by ten mentions and not by nine."""
    assert read(busy(10), 401, when=volume(10)).holds
    assert not read(busy(9), 401, when=volume(10)).holds


def test_volume_says_how_many_of_how_many() -> None:
    """The reason of a volume names the label, the window, the count and the threshold in both languages."""
    reading = read(busy(12), 401, when=volume(10, 30))
    assert reading.because.zh == "近 30 分钟负面提及 12 条（阈值 10 条）"
    assert reading.because.en == "12 negative mentions in the last 30 min (threshold 10)"


def test_one_mention_is_singular() -> None:
    """English says one mention, not one mentions."""
    assert "1 negative mention in" in read(busy(1), 401, when=volume(1)).because.en


@pytest.mark.parametrize(("event", "seen_at", "counts"), [(0.0, 10.0, False), (0.01, 10.0, True), (0.01, 10.25, True)])
def test_window_edges(event: float, seen_at: float, counts: bool) -> None:
    """At a whole minute a window is (now - window, now]; between two it keeps what the last whole minute kept."""
    log = Log()
    log.mention(after(1, 1), event_at=after(event))
    log.mention(after(1, 1), event_at=after(1))
    assert (read(log, seen_at, when=volume(1)).value == 2) is counts


def test_ratio_needs_its_floor() -> None:
    """Nine angry mentions of nine do not make a ratio whose floor is ten; ten of ten do."""
    when = {"type": "ratio", "window": HOUR, "at_least": 0.5, "floor": 10}
    assert not read(busy(9), 401, where=None, when=when).holds
    assert "不足 10 条" in read(busy(9), 401, where=None, when=when).because.zh
    assert read(busy(10), 401, where=None, when=when).holds


def test_ratio_holds_at_exactly_its_share() -> None:
    """Three of ten reach a share of 0.3, which no binary fraction is."""
    log = busy(3)
    log.burst(after(401), 7, every=timedelta(seconds=1), label="positive")
    when = {"type": "ratio", "window": HOUR, "at_least": 0.3, "floor": 10}
    reading = read(log, 402, where=None, when=when)
    assert reading.holds
    assert reading.value == 3
    assert reading.because.zh == "近 1 小时负面占比 30%（10 条中 3 条），阈值 30%"
    assert reading.because.en == "30% negative in the last 1 h (3 of 10 mentions), threshold 30%"


@pytest.mark.parametrize("also", [[], [volume(5)]], ids=["alone", "with another"])
@pytest.mark.parametrize("praise", [1, 2])
def test_ratio_can_begin_to_hold_as_praise_leaves_the_window(praise: int, also: list[Mapping[str, Any]]) -> None:
    """A share rises without a new mention when the window moves past the others; the alert opens then."""
    log = Log()
    when = {"type": "ratio", "window": timedelta(minutes=10), "at_least": 0.6, "floor": 5}
    log.rules(START, rule(where=None, when=[when, *also]))
    log.burst(after(praise, 1), 10, every=timedelta(seconds=1), label="positive")
    log.burst(after(8), 5, every=timedelta(seconds=1))
    events = run(log.rows)
    assert events[0].event == "opened"
    assert events[0].at == after(11 + praise)


def history(log: Log, count: int, hours: float = 6) -> None:
    """Imported mentions, spread over the hours before the rule began."""
    for number in range(count):
        event_at = after(400) - timedelta(hours=hours) * (number + 0.5) / count - timedelta(minutes=31)
        log.mention(after(1), event_at=event_at, history=event_at < START)


def test_spike_compares_with_the_stretch_before() -> None:
    """Forty-two mentions against 1.25 expected say both numbers and how many times that is."""
    log = busy(42)
    for number in range(15):
        log.mention(after(12 + number * 24))
    reading = read(log, 401, when=spike())
    assert reading.holds
    assert reading.expected == pytest.approx(1.25)
    assert reading.baseline == "none"
    assert reading.because.zh == "近 30 分钟负面提及 42 条，前 6 小时平均每 30 分钟 1.2 条（34 倍）"
    assert (
        reading.because.en
        == "42 negative mentions in the last 30 min, against 1.2 per 30 min in the 6 h before (34 times)"
    )


@pytest.mark.parametrize(("count", "holds"), [(29, False), (30, True)])
def test_spike_factor_edge(count: int, holds: bool) -> None:
    """Thirty mentions are three times ten expected; twenty-nine are not."""
    log = busy(count)
    for number in range(120):
        log.mention(after(12 + number * 3))
    reading = read(log, 401, when=spike())
    assert reading.expected == 10
    assert reading.holds is holds


def test_spike_needs_its_floor() -> None:
    """Nine mentions where none were expected are infinitely many times more, and still too few."""
    assert not read(busy(9), 401, when=spike()).holds
    reading = read(busy(10), 401, when=spike())
    assert reading.holds
    assert reading.because.zh == "近 30 分钟负面提及 10 条，前 6 小时没有"
    assert reading.because.en == "10 negative mentions in the last 30 min, none in the 6 h before"


@pytest.mark.parametrize(("count", "holds"), [(19, False), (20, True)])
def test_cold_spike_doubles_its_floor(count: int, holds: bool) -> None:
    """Two hours after the start a six-hour reference is incomplete: ten are not enough, twenty are, and it says so."""
    reading = read(busy(count, 120), 121, when=spike())
    assert reading.baseline == "cold"
    assert reading.holds is holds
    assert reading.because.zh.endswith("；参照期不足 6 小时，门槛加倍为 20 条")
    assert reading.because.en.endswith("; watched for less than 6 h, so the floor is doubled to 20")


@pytest.mark.parametrize(
    ("count", "value", "expected"),
    [("mentions", 42, 20), ("authors", 12, 2), ("stories", 42, 1), ("reach", 420, 2000)],
)
def test_a_spike_counts_what_it_is_told_to(count: str, value: int, expected: float) -> None:
    """Of the whole half hours in the six hours before: two authors, one story, twenty mentions of a hundred views each."""
    log = Log()
    for number in range(226):
        at = after(31 + number * 1.5, 1)
        log.mention(at, author=f"old{number % 2}", story="old", views=100)
    for number in range(42):
        log.mention(after(391.5, number), author=f"u{number % 12}", views=10)
    reading = read(log, 401, when=spike(count=count))
    assert (reading.value, reading.expected) == (value, pytest.approx(expected, rel=0.12))
    assert reading.holds is (value >= 3 * reading.expected)
    measure = {"mentions": "条", "authors": "人", "stories": "起", "reach": "人次"}[count]
    assert f" {value} {measure}，前 6 小时平均每 30 分钟" in reading.because.zh


def test_a_spike_of_authors_is_none_of_one_loud_account() -> None:
    """Forty mentions of one account are a spike of mentions, and not of authors."""
    log = Log()
    log.burst(after(395), 40, every=timedelta(seconds=1), author="loud")
    assert read(log, 401, when=spike()).holds
    assert not read(log, 401, when=spike(count="authors")).holds


def test_a_spike_of_authors_before_a_whole_window_is_known_doubles_its_floor() -> None:
    """Forty minutes after the start no half hour on the clock has been watched: nothing is expected."""
    log = Log()
    log.burst(after(35), 20, every=timedelta(seconds=1))
    reading = read(log, 40, when=spike(count="authors"))
    assert (reading.expected, reading.baseline, reading.holds) == (None, "cold", True)
    assert "此前尚无可比的时段" in reading.because.zh


def opened_at(log: Log) -> list[float]:
    """The minutes at which an alert opened."""
    return [(event.at - START) / MINUTES for event in run(log.rows) if event.event == "opened"]


def test_a_cold_spike_opens_when_its_reference_is_complete() -> None:
    """Seven are too few while the floor is doubled, and enough at the minute at which the reference is complete."""
    log = Log()
    log.rules(START, rule(when=spike(window=10 * MINUTES, reference=60 * MINUTES, at_least=5)))
    log.burst(after(65), 7, every=timedelta(seconds=1))
    assert opened_at(log) == [70]


def test_a_cold_spike_opens_as_the_stretch_before_grows() -> None:
    """Ten mentions in 17 watched minutes lead to expect fewer than in 12: what was too few is enough five minutes later."""
    log = Log()
    log.rules(START, rule(when=spike(window=10 * MINUTES, reference=60 * MINUTES, at_least=4, factor=1.5)))
    log.burst(after(1), 3, every=timedelta(seconds=60))
    log.burst(after(4), 7, every=timedelta(seconds=1), label="negative")
    log.burst(after(21, 30), 9, every=timedelta(seconds=1))
    assert opened_at(log) == [4.25, 27]


def test_cold_spike_without_a_stretch_to_compare_with() -> None:
    """In the first minutes nothing is expected, and the reason says that there is nothing to compare with."""
    reading = read(busy(20, 1), 2, when=spike())
    assert reading.holds
    assert reading.expected is None
    assert "此前尚无可比的时段" in reading.because.zh


def test_imported_history_warms_a_spike() -> None:
    """With imported mentions that reach back over the reference the baseline is complete from the first minute."""
    log = busy(12, 1)
    for number in range(24):
        log.mention(after(0, 1), event_at=after(-number * 18 - 10), history=True)
    reading = read(log, 2, when=spike())
    assert reading.baseline == "none"
    assert reading.expected == pytest.approx(20 / 12, rel=0.1)
    assert reading.holds


def test_one_old_pinned_post_does_not_warm_a_spike() -> None:
    """A single mention from long ago shows no baseline: the reference stays cold."""
    log = busy(12, 1)
    log.mention(after(0, 1), event_at=after(-60 * 24), history=True)
    log.mention(after(0, 1), event_at=after(-60), history=True)
    assert read(log, 2, when=spike()).baseline == "cold"


def test_spike_default_reference_is_twelve_windows() -> None:
    """Without a reference, that of twelve windows is compared with."""
    given = {key: value for key, value in spike(at_least=1).items() if key != "reference"}
    assert "前 6 小时" in read(busy(10), 401, when=given).because.zh


def test_watch_names_the_words_it_found() -> None:
    """A watch counts mentions, in title or text and in any width, and names each word with its count."""
    log = Log()
    log.mention(after(1), text="充电宝起火，随后爆炸")
    log.mention(after(1, 1), text="没事", title="又起火了")
    log.mention(after(1, 2), text="ＦＩＲＥ！")
    log.mention(after(1, 3), text="一切正常")
    when = {"type": "watch", "words": ["起火", "爆炸", "fire"], "window": HOUR}
    reading = read(log, 2, when=when)
    assert reading.holds
    assert reading.words == (("起火", 2), ("fire", 1), ("爆炸", 1))
    assert reading.because.zh == "近 1 小时 3 条负面提及出现风险词：起火 2、fire 1、爆炸 1"
    assert reading.because.en == "3 negative mentions in the last 1 h with words of risk: 起火 2, fire 1, 爆炸 1"


def test_watch_reads_a_word_list_from_text() -> None:
    """A lexicon given as text is read a word a line, without comments and blank lines."""
    config = rule(when={"type": "watch", "words": "# 火情\n起火\n\n爆炸 # 也算\n"})
    assert config.conditions[0].words == ("起火", "爆炸")  # type: ignore[attr-defined]


def test_a_list_means_all() -> None:
    """Of two conditions in a list both must hold, and the reason gives both."""
    both = [volume(5), {"type": "watch", "words": ["起火"], "window": HOUR}]
    log = busy(6)
    assert not read(log, 401, when=both).holds
    log.mention(after(400, 30), text="起火")
    reading = read(log, 401, when=both)
    assert reading.holds
    assert reading.because.zh.count("；") == 1


def test_any_says_what_holds_and_not_what_does_not() -> None:
    """Of alternatives the reason names the one that holds."""
    when = {"type": "any", "of": [volume(100), volume(5, 30)]}
    reading = read(busy(6), 401, when=when)
    assert reading.holds
    assert reading.because.en == "6 negative mentions in the last 30 min (threshold 5)"
    assert not read(busy(4), 401, when=when).holds


def test_not_turns_a_condition_round() -> None:
    """Many mentions but not of the other channel hold only while the other channel is quiet."""
    quiet = {"type": "not", "of": volume(1, where={"channel": "forum"})}
    log = busy(6)
    reading = read(log, 401, when=[volume(5), quiet])
    assert reading.holds
    assert "不成立：近 10 分钟论坛上的负面提及 0 条" in reading.because.zh
    log.mention(after(400, 30), source="forum")
    assert not read(log, 401, when=[volume(5), quiet]).holds


def test_nested_composition() -> None:
    """All, any and not nest to any depth."""
    when = {"type": "all", "of": [{"type": "any", "of": [volume(5), {"type": "not", "of": volume(1)}]}, volume(2)]}
    assert read(busy(6), 401, when=when).holds
    assert not read(busy(4), 401, when=when).holds


def test_each_leaf_has_its_own_filter() -> None:
    """Two volumes in one rule count different mentions."""
    when = [volume(3, where={"channel": "microblog"}), volume(2, where={"channel": "forum"})]
    log = busy(3)
    log.burst(after(400), 1, source="forum")
    assert not read(log, 401, when=when).holds
    log.burst(after(400, 5), 1, source="forum", author="other")
    assert read(log, 401, when=when).holds


FILTERS: list[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]] = [
    ({"label": "negative"}, {}, {"label": "positive"}),
    ({"label": ["negative", "neutral"]}, {"label": "neutral"}, {"label": None}),
    ({"confidence": {"at_least": 0.6}}, {"confidence": 0.6}, {"confidence": 0.59}),
    ({"channel": "forum"}, {"source": "forum"}, {}),
    ({"source": ["forum", "x"]}, {"source": "forum"}, {}),
    ({"tier": "auxiliary"}, {"tier": "auxiliary"}, {}),
    ({"author": "某甲"}, {"author": "某甲"}, {"author": "某乙"}),
    ({"followers": {"at_least": 100}}, {"author": "a", "followers": 100}, {"author": "a"}),
    ({"verified": True}, {"author": "a", "verified": True}, {"author": "a"}),
    ({"verified": False}, {"author": "a", "verified": False}, {"author": "a"}),
    ({"words": ["起火", "爆炸"]}, {"text": "它起火了"}, {"text": "它很好"}),
    ({"not": {"words": ["抽奖"]}}, {"text": "很好"}, {"text": "转发抽奖"}),
    ({"any": [{"channel": "forum"}, {"label": "positive"}]}, {"label": "positive"}, {}),
    (
        {"all": [{"channel": "forum"}, {"label": "positive"}]},
        {"source": "forum", "label": "positive"},
        {"source": "forum"},
    ),
]


@pytest.mark.parametrize(("where", "passes", "fails"), FILTERS, ids=[str(one[0]) for one in FILTERS])
def test_filters(where: Mapping[str, Any], passes: Mapping[str, Any], fails: Mapping[str, Any]) -> None:
    """Each key of a filter lets through what it names and nothing else."""
    log = Log()
    log.rules(START, rule(where=where, when=volume(1)))
    log.mention(after(1), **fails)
    assert run(log.rows) == []
    log.mention(after(2), **passes)
    assert story(run(log.rows)) == [("opened", "yellow"), ("resolved", "yellow")]


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"when": {"type": "ratio", "at_least": 0.5}}, "floor"),
    ({"when": {"type": "spike", "window": HOUR}}, "at_least"),
    ({"when": {"type": "ratio", "at_least": 0.5, "floor": 5}}, "asks for a label"),
    (
        {"where": None, "when": {"type": "ratio", "at_least": 0.5, "floor": 5, "where": {"label": "negative"}}},
        "must not ask",
    ),
    ({"when": volume(1, 0)}, "whole minutes"),
    ({"when": {**volume(1), "window": timedelta(seconds=90)}}, "whole minutes"),
    ({"when": {**volume(1), "window": timedelta(days=8)}}, "7d at most"),
    ({"when": spike(reference=HOUR / 4)}, "as long as the window"),
    ({"when": spike(factor=1.0)}, "greater than 1"),
    ({"when": spike(factor=float("inf"))}, "finite"),
    ({"when": {"type": "watch", "words": []}}, "a word at least"),
    ({"when": {"type": "watch", "words": ["\u200b"]}}, "no character to look for"),
    ({"when": []}, "at least 1"),
    ({"when": {"type": "surge"}}, "surge"),
    ({"when": {"type": "any", "of": []}}, "at least 1"),
    ({"when": volume(1), "levels": {}}, "at least 1"),
    ({"when": volume(1), "levels": {"purple": {}}}, "purple"),
    ({"when": volume(1), "levels": {"red": {"factor": 3}}}, "only a spike"),
    ({"when": volume(1), "levels": {"red": {"any": [{"share": 0.5}]}}}, "only a ratio"),
    ({"when": volume(1), "levels": {"red": {"words": ["死亡"]}}}, "only a watch"),
    ({"when": volume(1), "where": {}}, "empty filter"),
    ({"when": volume(1), "topics": []}, "at least 1"),
    ({"when": volume(1), "topics": ["acme", "acme"]}, "named twice"),
    ({"when": volume(1), "id": "Bad Id"}, "pattern"),
    ({"when": volume(1), "colour": 1}, "colour"),
    ({"when": volume(1), "for": timedelta(seconds=-1)}, "negative"),
    ({"when": volume(1), "for": 30}, "timedelta"),
    ({"when": volume(1), "by": ["author"]}, "by"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED, ids=[one[1] for one in REFUSED])
def test_mistakes_are_refused_by_name(given: Mapping[str, Any], says: str) -> None:
    """A mistake in a rule is refused with a message that names it."""
    with pytest.raises(ValidationError, match=says):
        rule(**given)


def figured(**given: object) -> Reading:
    """A reading with these figures."""
    leaf = rule(when={"type": "volume", "at_least": 1}).leaves()[0]
    return Reading(True, 1, None, Because, ("一", "one"), Figures(**given), leaf, awake=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mentions", "had", "level"),
    [
        (10, None, Level.orange),
        (9, None, Level.yellow),
        (9, Level.yellow, Level.yellow),  # a level is reached by all of its threshold
        (8, Level.orange, Level.orange),  # and kept by four fifths
        (7, Level.orange, Level.yellow),
        (8, Level.red, Level.orange),
    ],
)
def test_a_level_is_kept_by_less_than_it_takes_to_reach_it(mentions: int, had: Level | None, level: Level) -> None:
    """So that an alert does not go up and down about one figure."""
    config = rule(when={"type": "volume", "at_least": 1}, levels={"yellow": {}, "orange": {"at_least": 10}})
    assert config.level(figured(mentions=mentions), had) is level


@pytest.mark.parametrize(
    ("minutes", "had", "level"), [(31, None, None), (37, Level.red, Level.red), (38, Level.red, None)]
)
def test_a_doubling_time_is_kept_by_a_slower_one(minutes: float, had: Level | None, level: Level | None) -> None:
    """Of a time the slack goes the other way: 30 minutes are kept up to 37 and a half."""
    config = rule(
        when={"type": "velocity", "at_least": 10}, levels={"red": {"all": [{"doubling": timedelta(minutes=30)}]}}
    )
    assert config.level(figured(mentions=50, doubling=minutes), had) is level
