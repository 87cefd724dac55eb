"""Rules that count alike share what is counted, and none reads otherwise for another that stands beside it."""

import gc
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts import AlertEvent
from alerts.codec import dump_event
from rules import running
from rules.calendar import UTC_WEEKS
from rules.engine import Engine
from rules.log import Row
from rules.panes import Series
from rules.plan import plan
from rules.replay import Driver
from rules.rule import RuleConfig
from rules.ruleset import load_ruleset, ruleset_json
from tests.support.engine_log import START, STEP, Log, after, rule, volume

BOTH = ("acme", "rival")
END = after(40)


def counting(name: str, at_least: int, minutes: int = 10, **more: Any) -> RuleConfig:
    return rule(**{"id": name, "topics": BOTH, "when": volume(at_least, minutes), **more})


def series(engine: Engine) -> set[Series]:
    return {one for each in engine.running.values() for key in each.keys.values() for one in key.series.values()}


def fed(rows: Sequence[Row], until: datetime = END) -> tuple[Engine, list[AlertEvent]]:
    driver = Driver(Engine(STEP, assume_healthy=True))
    events = [event for row in rows for event in driver.feed(row)]
    return driver.engine, [*events, *driver.advance(until)]


def told(events: Sequence[AlertEvent], name: str) -> list[str]:
    return [json.dumps(dump_event(event), sort_keys=True) for event in events if event.rule == name]


# What changes later counts as far back as the longest window of all rules reaches, so that is the same in every set.
REACH = counting("reach", 10**6, 90, where=None, by=["site"])


def busy(*sets: tuple[datetime, Sequence[RuleConfig]]) -> list[Row]:
    """Half an hour of two topics from two channels, with late ones, history and what changes later."""
    log = Log()
    waiting = list(sets)
    for number in range(72):
        at = after(number / 2.4)
        while waiting and waiting[0][0] <= at:
            log.rules(at, *waiting.pop(0)[1], REACH)
        row = log.mention(
            at, name=f"n{number}", topics=(BOTH[number % 2],), author=f"u{number % 5}", source=("microblog", "forum")[number % 3 == 0],
            label="positive" if number % 7 == 0 else "negative", history=number % 11 == 0,
            event_at=at - timedelta(minutes=(0, 0, 0, 0, 7, 50)[number % 6]), story=f"s{number % 4}",
        )  # fmt: skip
        if number % 8 == 0:
            log.score(at, row.mention.external_id, "negative", topic=BOTH[number % 2])
        if number % 9 == 0:
            log.revision(at, replace(row.mention, text="已更正"))
    return log.rows


USUAL = {"type": "baseline", "window": timedelta(minutes=10), "at_least": 4, "surprise": 1.5}
SPIKE = {"type": "spike", "window": timedelta(minutes=5), "factor": 1.5, "at_least": 3}
MANY = [
    counting("two", 2), counting("five", 5), counting("nine", 9, levels={"blue": {}, "red": {"authors": 4}}),
    counting("long", 9, 20), counting("late", 9, 20, late=timedelta(minutes=10)),
    counting("others", 5, where={"label": "positive"}), counting("channels", 3, by=["channel"]),
    counting("pairs", 3, by=["topic", "channel"]),
    rule(id="usual", topics=BOTH, when=USUAL), rule(id="usual-too", topics=BOTH, when={**USUAL, "at_least": 3}),
    rule(id="spike", topics=BOTH, when=SPIKE, late=timedelta(minutes=10)),
    rule(id="spike-too", topics=BOTH, when={**SPIKE, "factor": 2.0}, late=timedelta(minutes=10)),
]  # fmt: skip


def test_a_mention_is_counted_once_for_all_rules_that_count_alike() -> None:
    log = Log()
    log.rules(START, *(counting(f"r{number}", number + 1) for number in range(30)), counting("other", 2, 20))
    log.burst(after(1), 6)
    engine, _ = fed(log.rows, after(5))
    assert sorted(len(one.readers) for one in series(engine)) == [1, 30]
    assert {one.tallies[0].mentions for one in series(engine)} == {6}


def test_each_rule_tells_what_it_tells_alone() -> None:
    _, together = fed(busy((START, MANY)))
    for one in MANY:
        _, alone = fed(busy((START, [one])))
        assert told(together, one.id) == told(alone, one.id)
        assert alone or one.id == "others"


EDITS = {
    "thresholds": {"two": counting("two", 3)},
    "a longer window": {"two": counting("two", 2, 20)},
    "two windows at once": {"two": counting("two", 2, 20), "five": counting("five", 5, 20)},
    "allowance": {"five": counting("five", 5, late=timedelta(minutes=5)), "nine": counting("nine", 9, late=timedelta(hours=1))},
    "filter": {"nine": counting("nine", 9, where=None)},
    "topics": {"five": counting("five", 5, topics=("acme",))},
    "by": {"five": counting("five", 5, by=["source"])},
    "what is usual": {"usual": rule(id="usual", topics=BOTH, when={**USUAL, "window": timedelta(minutes=5)})},
    "mode": {"nine": counting("nine", 9, mode="shadow")},
    "all": {one.id: one.model_copy(update={"late": timedelta(minutes=20)}) for one in MANY},
}  # fmt: skip


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
def test_an_edit_changes_one_rule_and_none_that_shared_with_it(edited: dict[str, RuleConfig]) -> None:
    """And so it is where the edit is taken back, where a rule goes or comes, and after a restart between any of these."""
    sets = [
        (START, MANY),
        (after(10), [edited.get(one.id, one) for one in MANY]),
        (after(16), [one for one in MANY if one.id != "usual"]),
        (after(22), [*MANY, counting("new", 2)]),
    ]
    rows = busy(*sets)
    whole, events = fed(rows)
    for name in sorted({*edited, "nine", "usual"})[:4]:
        own = [(at, [one for one in rules if one.id == name]) for at, rules in sets]
        _, alone = fed(busy(*own))
        assert told(events, name) == told(alone, name)
    driver, again = Driver(Engine(STEP, assume_healthy=True)), list[AlertEvent]()
    for number, row in enumerate(rows):
        if number % 13 == 5:
            text = driver.engine.snapshot()
            driver = Driver(Engine.restore(text))
            assert driver.engine.snapshot() == text
            assert len(json.loads(text)["series"]) == len(series(driver.engine))
        again += driver.feed(row)
    again += driver.advance(END)
    assert [dump_event(event) for event in again] == [dump_event(event) for event in events]
    assert json.loads(driver.engine.snapshot()) == json.loads(whole.snapshot())


def test_rules_that_are_edited_alike_share_on() -> None:
    before = [counting(f"r{number}", number + 1) for number in range(5)]
    longer = [counting(f"r{number}", number + 1, 20) for number in range(4)]
    log = Log()
    log.rules(START, *before)
    log.burst(after(1), 6)
    log.rules(after(5), *longer, before[4])
    log.burst(after(6), 3)
    engine, _ = fed(log.rows, after(8))
    assert sorted(len(one.readers) for one in series(engine)) == [1, 4]
    assert {one.tallies[0].mentions for one in series(engine)} == {9}


def test_a_rule_that_comes_later_counts_from_then_on() -> None:
    log = Log()
    log.rules(START, counting("first", 3))
    log.burst(after(1), 6)
    log.rules(after(5), counting("first", 3), counting("second", 3))
    log.burst(after(6), 2)
    engine, events = fed(log.rows, after(8))
    counted = {each.id: key.series for each in engine.running.values() for key in each.keys.values()}
    assert {name: one.tallies[0].mentions for name, own in counted.items() for one in own.values()} == {
        "first": 8,
        "second": 2,
    }
    assert told(events, "first")
    assert not told(events, "second")


def test_keys_past_the_most_count_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules whose keys are full at different times do not mix what they keep under ``__other__``."""
    monkeypatch.setattr(running, "MAX_KEYS", 3)
    early = [counting("early", 2, by=["channel"], where=None), counting("too", 3, by=["channel"], where=None)]
    late = counting("late", 2, by=["channel"], where=None)

    def rows(*sets: tuple[datetime, Sequence[RuleConfig]]) -> list[Row]:
        log = Log()
        waiting = list(sets)
        for number in range(40):
            at = after(number / 2)
            while waiting and waiting[0][0] <= at:
                log.rules(at, *waiting.pop(0)[1])
            log.mention(
                at, name=f"n{number}", channel=f"c{number % 9 if number < 20 else number % 4}", author=f"u{number}"
            )
        return log.rows

    engine, events = fed(rows((START, early), (after(6), [*early, late])))
    assert any("__other__" in values for values in engine.running["late"].keys)
    for one in (*early, late):
        begin = after(6) if one is late else START
        _, alone = fed(rows((START, [one] if one is not late else []), (begin, [one])))
        assert told(events, one.id) == told(alone, one.id)


def test_what_no_rule_reads_is_forgotten() -> None:
    log = Log()
    log.rules(START, counting("first", 3), counting("second", 3))
    log.burst(after(1), 6)
    log.rules(after(5))
    log.mention(after(6))
    engine, _ = fed(log.rows, after(7))
    assert series(engine) == set()
    assert engine.ledgers.sheets == ()


@pytest.mark.parametrize(
    ("levels", "only"),
    [
        ({"yellow": {}}, "yellow"),
        ({"blue": {}, "red": {}}, "red"),
        ({"blue": {}, "red": {"any": [{"reach": 9}]}}, None),
    ],
)
def test_the_level_is_known_beforehand_where_none_asks_for_anything(levels: dict[str, Any], only: str | None) -> None:
    """A rule that came through the log, too."""
    for config in (one := counting("r", 1, levels=levels), *load_ruleset(ruleset_json([one], {})).rules):
        level = plan(config, UTC_WEEKS).level
        assert (level.name if level is not None else None) == only


def test_a_steady_alert_ends_at_its_age_between_two_minutes() -> None:
    """Nothing is read of it meanwhile, for nothing comes and no window moves."""
    log = Log()
    log.rules(START, counting("old", 2, 600, max_age=timedelta(hours=1)))
    log.burst(after(0, 20), 2, every=timedelta(seconds=1))
    _, events = fed(log.rows, after(70))
    opened, ended = (next(one.at for one in events if one.event == name) for name in ("opened", "resolved"))
    assert opened.second
    assert ended - opened == timedelta(hours=1)


def test_what_an_edit_leaves_behind_is_let_go_of() -> None:
    """Three that shared go on over a longer window in one copy; what they shared before is held by nobody."""
    three = [counting(f"r{number}", number + 1, where=None, by=["site"]) for number in range(3)]
    longer = [counting(f"r{number}", number + 1, 20, where=None, by=["site"]) for number in range(3)]
    log = Log()
    log.rules(START, *three)
    log.burst(after(1), 6, site="left-behind.example.com")
    log.rules(after(5), *longer)
    engine, _ = fed(log.rows, after(8))
    gc.collect()
    known = [one for one in gc.get_objects() if isinstance(one, Series) and one.values == ("left-behind.example.com",)]
    assert known == list(series(engine))
