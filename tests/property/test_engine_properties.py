"""What must hold of the engine for every log: order, restarts, jumps, ``for``, history, coverage, the grammar of events."""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent
from alerts.codec import dump_event
from rules.engine import Engine
from rules.log import MentionRow, PollRow, Row
from rules.panes import MINUTE, minute_of, pane_of, time_of
from rules.replay import Driver
from rules.rule import RuleConfig
from tests.support.engine_log import START, STEP, Log, rule, volume
from tests.support.examples import examples

FOR, KEEP, AT_LEAST = timedelta(seconds=45), timedelta(minutes=2), 3


def rule_sets() -> list[list[RuleConfig]]:
    """Two sets: the second edits, removes and adds rules of the first."""
    ratio = {"type": "ratio", "window": 4 * MINUTE, "at_least": 0.6, "floor": 3}
    spike = {"type": "spike", "window": 2 * MINUTE, "reference": 6 * MINUTE, "factor": 2.0, "at_least": 2}
    watch = {"type": "watch", "words": ["起火", "爆炸"], "window": 3 * MINUTE, "at_least": 2}
    levels = {"blue": {}, "orange": {"at_least": 5}, "red": {"any": [{"reach": 900}, {"authors": 4, "channels": 2}]}}
    both = ["acme", "rival"]
    quiet = {"type": "not", "of": volume(2, 2)}
    first = [
        rule(id="volume", when=volume(AT_LEAST, 3), levels=levels, keep_firing_for=KEEP, for_=FOR, topics=both),
        rule(id="ratio", where=None, when=ratio, keep_firing_for=KEEP, by=["topic", "channel"], topics=both),
        rule(id="spike", when=spike, keep_firing_for=MINUTE, late=3 * MINUTE, topics=both),
        rule(id="mixed", when=[{"type": "any", "of": [watch, volume(4, 3)]}, volume(2, 5)], keep_firing_for=MINUTE),
        rule(id="quiet", where=None, when=[volume(1, 4), quiet], by=["source"], keep_firing_for=timedelta(0)),
        rule(id="new", when=watch, mode="shadow", keep_firing_for=KEEP),
    ]
    second = [
        first[0].model_copy(update={"for_": timedelta(0)}),
        rule(id="ratio", where=None, when={**ratio, "window": 2 * MINUTE}, keep_firing_for=KEEP, topics=["acme"]),
        first[3].model_copy(update={"mode": "off"}),
        rule(id="spike", where={"label": ["negative", "neutral"]}, when=spike, topics=both),
        rule(id="new", when=watch, keep_firing_for=KEEP),
        first[4].model_copy(update={"mode": "shadow"}),
    ]
    return [first, second]


mentions = st.fixed_dictionaries(
    {
        "kind": st.just("mention"),
        "source": st.sampled_from(["microblog", "forum"]),
        "label": st.sampled_from(["negative", "negative", "negative", "positive", None]),
        "lag": st.sampled_from([0, 0, 0, 0, 20, 70, 200, 3000, -3600]),
        "history": st.sampled_from([False, False, False, False, True]),
        "topics": st.sampled_from([["acme"], ["acme"], ["acme"], ["rival"], ["acme", "rival"], ["nobody"]]),
        "author": st.sampled_from(["甲", "乙", "丙", "丁", "戊", ""]),
        "text": st.sampled_from(["充电宝起火", "起火又爆炸", "很好用", "鼓包", "\ud800 坏了"]),
        "views": st.sampled_from([None, 0, 7, 300, 1000]),
    }
)
polls = st.fixed_dictionaries(
    {"kind": st.just("poll"), "source": st.sampled_from(["microblog", "forum"]), "ok": st.booleans()}
)
changes = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["revision", "score"]),
        "of": st.integers(0, 10**6),
        "views": st.sampled_from([5, 500, 5000]),
        "label": st.sampled_from(["negative", "positive"]),
        "text": st.sampled_from(["已更正", "爆炸现场"]),
    }
)
swaps = st.fixed_dictionaries({"kind": st.just("rules"), "which": st.integers(0, 1)})
steps = st.tuples(
    st.sampled_from([0, 0, 0, 1, 1, 1, 2, 2, 4, 4, 9, 9, 16, 16, 40, 40, 100, 700]),
    st.one_of(*[mentions] * 8, polls, polls, changes, changes, swaps),
)
# Left to itself hypothesis writes lists of five or so, which open few alerts.
logs = st.lists(steps, min_size=25, max_size=60)


def write(steps: Sequence[tuple[int, dict[str, Any]]]) -> list[Row]:
    """The rows of a log; times never go back."""
    sets, log, at = rule_sets(), Log(), START
    log.rules(START, *sets[0])
    for seconds, what in steps:
        at += timedelta(seconds=seconds)
        written = [row for row in log.rows if isinstance(row, MentionRow)]
        if what["kind"] == "mention":
            given = {key: value for key, value in what.items() if key not in {"kind", "lag"}}
            log.mention(at, event_at=at - timedelta(seconds=what["lag"]), **given)
        elif what["kind"] == "poll":
            log.poll(at, what["source"], ok=what["ok"], blind_after=3 * MINUTE)
        elif what["kind"] == "rules":
            log.rules(at, *sets[what["which"]])
        elif written:
            old = written[what["of"] % len(written)].mention
            if what["kind"] == "score":
                log.score(at, old.external_id, what["label"], source=old.source)
            else:
                log.revision(at, replace(old, text=what["text"], reach=replace(old.reach, views=what["views"])))
    return log.rows


def told(events: Iterable[AlertEvent]) -> str:
    return json.dumps([dump_event(event) for event in events], sort_keys=True)


def replayed(rows: Sequence[Row], *, healthy: bool, tail: timedelta = timedelta(minutes=30)) -> list[AlertEvent]:
    driver = Driver(Engine(STEP, assume_healthy=healthy))
    events = [event for row in rows for event in driver.feed(row)]
    return events + list(driver.advance(rows[-1].at + tail))


@given(logs, st.booleans())
@examples(30)
def test_a_replay_is_the_same_every_time(steps: Any, healthy: bool) -> None:
    """Two replays of a log tell byte for byte the same."""
    rows = write(steps)
    assert told(replayed(rows, healthy=healthy)) == told(replayed(rows, healthy=healthy))


@given(logs, st.booleans(), st.sets(st.integers(0, 40), min_size=2, max_size=8))
@examples(50)
def test_a_restart_anywhere_changes_nothing(steps: Any, healthy: bool, cuts: set[int]) -> None:
    """An engine restored from its snapshot between any two rows tells the same ever after, and ends in the same state."""
    rows = write(steps)
    whole, cut = (Driver(Engine(STEP, assume_healthy=healthy)) for _ in range(2))
    expected, events = [], []
    for number, row in enumerate(rows):
        expected += whole.feed(row)
        events += cut.feed(row)
        if number in cuts:
            text = cut.engine.snapshot()
            cut = Driver(Engine.restore(text))
            assert cut.engine.snapshot() == text
    end = rows[-1].at + timedelta(minutes=7)
    expected += whole.advance(end)
    events += cut.advance(end)
    assert told(events) == told(expected)
    assert json.loads(cut.engine.snapshot()) == json.loads(whole.engine.snapshot())


def shuffled(rows: Sequence[Row], seed: int) -> list[Row]:
    """The rows with those of each tick in another order; what changed a mention keeps its order, for it must."""
    engine, dice = Engine(STEP), random.Random(seed)
    by_tick: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        by_tick[engine.at_or_after(row.at + timedelta(microseconds=1))].append(row)
    mixed = []
    for tick in sorted(by_tick):
        own = by_tick[tick]
        dice.shuffle(own)
        mixed += own
    return mixed


@given(logs, st.booleans(), st.integers(0, 10**6))
@examples(50)
def test_order_within_a_tick_changes_nothing(steps: Any, healthy: bool, seed: int) -> None:
    """Rows of one tick may come in any order: the same is told."""
    rows = write(steps)
    engines = Engine(STEP, assume_healthy=healthy), Engine(STEP, assume_healthy=healthy)
    results = []
    for engine, order in zip(engines, (rows, shuffled(rows, seed)), strict=True):
        driver, events = Driver(engine), []
        by_tick: dict[datetime, list[Row]] = defaultdict(list)
        for row in order:
            by_tick[engine.at_or_after(row.at + timedelta(microseconds=1))].append(row)
        for tick in sorted(by_tick):
            events += driver.advance(tick - STEP)
            for row in by_tick[tick]:
                engine.observe(row)
        events += driver.advance(rows[-1].at + timedelta(minutes=20))
        results.append(told(events))
    assert results[0] == results[1]


@given(logs, st.booleans())
@examples(40)
def test_passing_ticks_over_changes_nothing(steps: Any, healthy: bool) -> None:
    """The driver, which passes over ticks at which nothing can change, tells what a loop over every tick tells."""
    rows = write(steps)
    engine, events = Engine(STEP, assume_healthy=healthy), list[AlertEvent]()
    end = rows[-1].at + timedelta(minutes=30)
    waiting = list(rows)
    tick = engine.at_or_after(rows[0].at)
    while tick <= end:
        while waiting and waiting[0].at < tick:
            engine.observe(waiting.pop(0))
        events += engine.evaluate(tick)
        tick += STEP
    assert told(events) == told(replayed(rows, healthy=healthy))


@given(logs, st.booleans())
@examples(40)
def test_reading_only_what_may_have_changed_changes_nothing(steps: Any, healthy: bool) -> None:
    """An engine that reads every key at every tick, without gates, tells what one tells that reads a few."""
    rows = write(steps)
    engine, events = Engine(STEP, assume_healthy=healthy), list[AlertEvent]()
    waiting, tick = list(rows), engine.at_or_after(rows[0].at + timedelta(microseconds=1))
    while tick <= rows[-1].at + timedelta(minutes=30):
        while waiting and waiting[0].at < tick:
            engine.observe(waiting.pop(0))
        for running in engine.running.values():
            running.dirty.update(running.keys)
            running.plan = replace(running.plan, gates=())
        events += engine.evaluate(tick)
        tick += STEP
    assert told(events) == told(replayed(rows, healthy=healthy))


@given(logs)
@examples(30)
def test_history_never_fires(steps: Any) -> None:
    """A log whose mentions are all history tells nothing, whatever rules, changes and polls stand in it."""
    rows = [replace(row, history=True) if isinstance(row, MentionRow) else row for row in write(steps)]
    assert replayed(rows, healthy=True) == []


@given(logs, st.booleans())
@examples(40)
def test_events_of_an_alert_follow_its_grammar(steps: Any, healthy: bool) -> None:
    """Opened first; numbered without gaps; raised is higher, lowered lower; after resolved comes opened or nothing.

    And what began on trial ends on trial.
    """
    state: dict[str, AlertEvent] = {}
    for event in replayed(write(steps), healthy=healthy):
        last = state.get(event.alert)
        assert event.revision == (last.revision + 1 if last else 1)
        assert last is None or event.shadow == last.shadow
        assert (event.event == "opened") == (last is None or last.event == "resolved")
        if last is not None and event.event in {"raised", "lowered", "updated"}:
            difference = event.level - last.level
            assert {"raised": difference > 0, "lowered": difference < 0, "updated": difference == 0}[event.event]
            assert event.event != "updated" or event.seen > last.seen
        state[event.alert] = event


plain = st.lists(
    st.tuples(st.sampled_from([0, 3, 11, 30, 60, 130]), st.sampled_from(["mention"] * 3 + ["ok", "failed"])),
    min_size=20,
    max_size=70,
)


def plain_log(steps: Sequence[tuple[int, str]], config: RuleConfig) -> list[Row]:
    log, at = Log(), START
    log.rules(START, config, sources=["microblog"])
    for seconds, what in steps:
        at += timedelta(seconds=seconds)
        if what == "mention":
            log.mention(at)
        else:
            log.poll(at, ok=what == "ok")
    return log.rows


def held(rows: Sequence[Row], window: int) -> Callable[[datetime], bool]:
    """Counting by hand: whether a volume holds at a tick."""
    seen = [row for row in rows if isinstance(row, MentionRow)]

    def holds(tick: datetime) -> bool:
        low = time_of(minute_of(tick) - window)
        return sum(row.at < tick and time_of(pane_of(row.event_at)) > low for row in seen) >= AT_LEAST

    return holds


@given(plain)
@examples(50)
def test_for_and_the_window_agree_with_counting_by_hand(steps: Any) -> None:
    """An alert opens at exactly the first tick at which the count has held for as long as ``for`` says."""
    rows = plain_log(steps, rule(when=volume(AT_LEAST, 3), for_=FOR, keep_firing_for=KEEP))
    holds = held(rows, 3)
    events = replayed(rows, healthy=True)
    expected, since, is_open, quiet = [], None, False, None
    tick = START + STEP
    while tick <= rows[-1].at + timedelta(minutes=30):
        if holds(tick):
            since, quiet = since or tick, None
            if not is_open and tick - since >= FOR:
                expected.append(("opened", tick))
                is_open = True
        else:
            since = None
            quiet = quiet or tick
            if is_open and tick - quiet >= KEEP:
                expected.append(("resolved", tick))
                is_open = False
        tick += STEP
    assert [(event.event, event.at) for event in events if event.event != "updated"] == expected


@given(plain)
@examples(50)
def test_missing_data_never_fakes_a_recovery(steps: Any) -> None:
    """An alert resolves only when its source was seen up to ``keep_firing_for`` after the count fell."""
    rows = plain_log(steps, rule(when=volume(AT_LEAST, 3), keep_firing_for=KEEP))
    holds = held(rows, 3)
    polled = [row for row in rows if isinstance(row, PollRow)]
    for event in replayed(rows, healthy=False):
        if event.event != "resolved":
            continue
        fell = event.at
        while not holds(fell - STEP):
            fell -= STEP
        before = [row for row in polled if row.at < event.at]
        if before:
            good = [row.started_at for row in before if row.ok]
            assert good
            assert max(good) - fell >= KEEP


def test_nothing_depends_on_how_text_is_hashed() -> None:
    """Processes with different hash seeds tell byte for byte the same and keep the same snapshot."""
    program = (
        "import random\n"
        "from tests.property.test_engine_properties import *\n"
        "dice = random.Random(5)\n"
        "steps = [(dice.choice([1, 4, 16]), {'kind': 'mention', 'source': dice.choice(['microblog', 'forum']),"
        " 'label': 'negative', 'lag': 0, 'history': False, 'topics': ['acme', 'rival'], 'author': dice.choice('甲乙丙丁'),"
        " 'text': dice.choice(['充电宝起火', '爆炸']), 'views': dice.choice([1, 900])}) for _ in range(200)]\n"
        "driver = Driver(Engine(STEP, assume_healthy=True))\n"
        "events = [event for row in write(steps) for event in driver.feed(row)]\n"
        "assert events\n"
        "print(told(events), driver.engine.snapshot())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
