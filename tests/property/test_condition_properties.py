"""What must hold of every log for the conditions that learn or remember: restarts, order, and what is not read."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent
from alerts.codec import dump_event
from rules.engine import Engine
from rules.log import MentionRow, Row
from rules.panes import MINUTE
from rules.replay import Driver
from rules.rule import RuleConfig
from tests.support.engine_log import START, Log, rule, volume
from tests.support.examples import examples

HOUR = timedelta(hours=1)
STEP = timedelta(seconds=30)
TAIL = timedelta(hours=7)


def rule_set() -> list[RuleConfig]:
    """Every condition that learns or remembers, alone and beside others, with thresholds that are often met."""
    baseline = {"type": "baseline", "window": 10 * MINUTE, "surprise": 0.8, "at_least": 3, "factor": 1.0}
    then = {"type": "sequence", "within": 40 * MINUTE}
    steps = [volume(2, 10, where={"source": "forum"}), volume(2, 10, where={"source": "microblog"})]
    every: dict[str, Any] = {
        "baseline": baseline,
        "authors": {**baseline, "count": "authors", "where": {"label": "negative"}},
        "beside": [volume(5, 30), baseline],
        "either": {"type": "any", "of": [{"type": "not", "of": volume(1, 60)}, {**baseline, "window": HOUR}]},
        "spike": {"type": "spike", "window": 20 * MINUTE, "count": "authors", "factor": 1.5, "at_least": 2},
        "drift": {"type": "drift", "at_least": 2, "evidence": 1.0, "times": 1.3},
        "velocity": {"type": "velocity", "window": 21 * MINUTE, "at_least": 4, "doubling": 12 * MINUTE},
        "cardinality": {"type": "cardinality", "window": 30 * MINUTE, "at_least": 3, "at_most_share": 0.4},
        "new_term": {"type": "new_term", "window": HOUR, "at_least": 2},
        "flatline": {"type": "flatline", "window": 5 * HOUR},
        "share": {"type": "kpi", "measure": "negative_share", "at_most": 0.27, "over": timedelta(days=2), "floor": 5},
        "number": {"type": "kpi", "measure": "mentions", "at_most": 190.0, "over": timedelta(days=2)},
        "sequence": {**then, "of": steps},
        "later": [volume(3, 20), {**then, "of": [*steps, volume(3, 5)]}],
    }
    by = {"authors": ["topic", "source"], "cardinality": ["source"]}
    more = {name: {"max_age": 2 * HOUR} for name in ("either", "number", "velocity")}
    return [
        rule(
            id=name, where=None, when=when, by=by.get(name, ["topic"]), keep_firing_for=5 * MINUTE, **more.get(name, {})
        )
        for name, when in every.items()
    ]


RULES = rule_set()
changes = st.fixed_dictionaries(
    {"kind": st.just("score"), "of": st.integers(0, 10**6), "label": st.sampled_from(["negative", "positive"])}
)
polls = st.fixed_dictionaries(
    {"kind": st.just("poll"), "source": st.sampled_from(["microblog", "forum"]), "ok": st.booleans()}
)
mentions = st.fixed_dictionaries(
    {
        "kind": st.just("mention"),
        "source": st.sampled_from(["microblog", "forum"]),
        "label": st.sampled_from(["negative", "neutral", "positive"]),
        "lag": st.sampled_from([0, 0, 0, 0, 70, 3000, 9000]),
        "history": st.sampled_from([False, False, False, False, True]),
        "author": st.sampled_from(["甲", "乙", "丙", ""]),
        "story": st.sampled_from(["fire", "fire", "flood", ""]),
        "text": st.sampled_from(["充电宝自燃", "云杉充电宝外观好看", "很好用", "鼓包"]),
    }
)
steps = st.tuples(
    st.sampled_from([0, 0, 1, 1, 5, 20, 20, 45, 60, 130, 400, 1500, 9000]), st.one_of(*[mentions] * 8, polls, changes)
)
logs = st.lists(steps, min_size=25, max_size=50)


def write(steps: Sequence[tuple[int, dict[str, Any]]]) -> list[Row]:
    """Five days of imported mentions, three an hour, and then what hypothesis draws."""
    log, at = Log(), START
    log.rules(START, *RULES)
    for number in range(5 * 72):
        label = "negative" if number % 4 == 0 else "neutral"
        when = START - number * 20 * MINUTE - timedelta(seconds=7 * (number % 60))
        source = "forum" if number % 3 == 0 else "microblog"
        log.mention(
            START, event_at=when, history=True, source=source, label=label, author=f"h{number % 7}", text="云杉外观好看"
        )
    for seconds, what in steps:
        at += timedelta(seconds=seconds)
        written = [row for row in log.rows if isinstance(row, MentionRow)]
        if what["kind"] == "mention":
            more = {key: value for key, value in what.items() if key not in {"kind", "lag"}}
            log.mention(at, event_at=at - timedelta(seconds=what["lag"]), **more)
        elif what["kind"] == "poll":
            log.poll(at, what["source"], ok=what["ok"], blind_after=HOUR)
        else:
            old = written[-1 - what["of"] % min(40, len(written))].mention
            log.score(at, old.external_id, what["label"], source=old.source)
    return log.rows


def told(events: Iterable[AlertEvent]) -> str:
    return json.dumps([dump_event(event) for event in events], sort_keys=True)


def by_tick(rows: Sequence[Row], *, healthy: bool, dice: random.Random | None = None) -> str:
    """What an engine tells that takes the rows of each tick together, in their order or in another."""
    engine = Engine(STEP, assume_healthy=healthy)
    driver, events = Driver(engine), list[AlertEvent]()
    waiting: dict[Any, list[Row]] = {}
    for row in rows:
        waiting.setdefault(engine.at_or_after(row.at + timedelta(microseconds=1)), []).append(row)
    for tick, own in waiting.items():
        events += driver.advance(tick - STEP)
        if dice is not None:
            dice.shuffle(own)
        for row in own:
            engine.observe(row)
    return told([*events, *driver.advance(rows[-1].at + TAIL)])


def test_every_condition_has_something_to_say() -> None:
    """Over a few random logs each of the rules tells of an alert: the properties below are not empty."""
    dice, rules = random.Random(7), set[str]()
    for length in (1, 1, 1, 9):
        drawn = []
        for _ in range(60):
            drawn.append((length * dice.choice([0, 1, 5, 20, 60, 400, 600]), {
                "kind": "mention", "source": dice.choice(["microblog", "forum"]), "lag": 0, "history": False,
                "label": dice.choice(["negative", "negative", "neutral"]), "author": dice.choice(["甲", "乙", "丙"]),
                "story": dice.choice(["fire", "fire", ""]), "text": dice.choice(["充电宝自燃", "很好用"]),
            }))  # fmt: skip
        rows = write(drawn)
        rules |= {one["rule"] for one in json.loads(by_tick(rows, healthy=True))}
    assert rules == {one.id for one in RULES}


@given(logs, st.booleans(), st.sets(st.integers(0, 409), min_size=2, max_size=6))
@examples(8)
def test_a_restart_anywhere_changes_nothing(steps: Any, healthy: bool, cuts: set[int]) -> None:
    """Restored from its snapshot after any row, an engine tells the same ever after, and ends in the same state."""
    rows = write(steps)
    whole, cut = (Driver(Engine(STEP, assume_healthy=healthy)) for _ in range(2))
    expected, events = list[AlertEvent](), list[AlertEvent]()
    for number, row in enumerate(rows):
        expected += whole.feed(row)
        events += cut.feed(row)
        if number in cuts or number - 361 in cuts:
            text = cut.engine.snapshot()
            cut = Driver(Engine.restore(text))
            assert cut.engine.snapshot() == text
    end = rows[-1].at + TAIL
    expected += whole.advance(end)
    events += cut.advance(end)
    assert told(events) == told(expected)
    assert json.loads(cut.engine.snapshot()) == json.loads(whole.engine.snapshot())


@given(logs, st.booleans(), st.integers(0, 10**6))
@examples(8)
def test_order_within_a_tick_changes_nothing(steps: Any, healthy: bool, seed: int) -> None:
    """Rows of one tick may come in any order: the same is told."""
    rows = write(steps)
    assert by_tick(rows, healthy=healthy, dice=random.Random(seed)) == by_tick(rows, healthy=healthy)


@given(logs, st.booleans())
@examples(5)
def test_reading_only_what_may_have_changed_changes_nothing(steps: Any, healthy: bool) -> None:
    """An engine that reads every key at every tick, without gates, tells what one tells that reads a few.

    Of mentions that come in time: what comes late is learnt at a reading, so that figures depend on when that is.
    """
    rows = write(
        [(seconds, {**what, "lag": 0, "history": False}) for seconds, what in steps if what["kind"] == "mention"]
    )
    engine, events = Engine(STEP, assume_healthy=healthy), list[AlertEvent]()
    waiting, tick = list(rows), engine.at_or_after(rows[0].at + timedelta(microseconds=1))
    while tick <= rows[-1].at + TAIL:
        while waiting and waiting[0].at < tick:
            engine.observe(waiting.pop(0))
        for running in engine.running.values():
            running.dirty.update(running.keys)
            running.plan = replace(running.plan, gates=())
        events += engine.evaluate(tick)
        tick += STEP
    assert told(events) == by_tick(rows, healthy=healthy)


@given(logs)
@examples(4)
def test_history_never_fires_what_counts_more(steps: Any) -> None:
    """A log whose mentions are all history tells nothing, but of silence and of targets, which count it, and of what is not there."""
    rows = [replace(row, history=True) if isinstance(row, MentionRow) else row for row in write(steps)]
    assert {one["rule"] for one in json.loads(by_tick(rows, healthy=True))} <= {"flatline", "share", "number", "either"}
