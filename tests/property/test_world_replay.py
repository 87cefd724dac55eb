"""Over a small crisis world: a replay, restarts at any row, and any order within a tick tell the same, byte for byte."""

import json
import random
from collections.abc import Iterable
from datetime import timedelta

import pytest

from alerts import AlertEvent
from alerts.codec import event_line
from rules.engine import Engine
from rules.log import Row
from rules.replay import Driver
from rules.rule import RuleConfig
from tests.support.world.log import rows
from tests.support.world.world import Config, build

STEP = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NEGATIVE = {"label": "negative"}
CONDITIONS = {
    "usual": {"type": "baseline", "window": HOUR, "surprise": 2.0, "at_least": 4, "where": NEGATIVE},
    "authors": {"type": "baseline", "window": 2 * HOUR, "count": "authors", "at_least": 5},
    "drift": {"type": "drift", "at_least": 4, "evidence": 4.0},
    "fast": {"type": "velocity", "window": HOUR, "at_least": 5, "doubling": HOUR},
    "many": {"type": "cardinality", "window": HOUR, "at_least": 4, "at_most_share": 0.5, "where": NEGATIVE},
    "quiet": {"type": "flatline", "window": 6 * HOUR, "expected": 2.0},
    "spike": {"type": "spike", "window": HOUR, "at_least": 5},
    "then": {
        "type": "sequence",
        "of": [
            {"type": "volume", "window": HOUR, "at_least": 4, "where": NEGATIVE},
            {"type": "volume", "window": HOUR, "at_least": 10},
        ],
        "within": 6 * HOUR,
    },
}


@pytest.fixture(scope="module")
def log() -> list[Row]:
    world = build(Config(seed=4, brands=3, weeks=1, history=1, most=60, outages=2))
    topics = tuple(brand.topic for brand in world.brands)
    rules = [
        RuleConfig.model_validate({"id": name, "topics": topics, "when": when}) for name, when in CONDITIONS.items()
    ]
    return list(rows(world, rules))


@pytest.fixture(scope="module")
def told(log: list[Row]) -> list[str]:
    return run(log)


def lines(events: Iterable[AlertEvent]) -> list[str]:
    return [json.dumps(event_line(event), ensure_ascii=False) for event in events]


def run(log: Iterable[Row], restarts: Iterable[int] = ()) -> list[str]:
    """What is told of the log; before each row that *restarts* numbers, the engine is written out and read back."""
    driver, at, found = Driver(Engine(STEP)), set(restarts), list[str]()
    for number, row in enumerate(log):
        if number in at:
            driver = Driver(Engine.restore(driver.engine.snapshot()))
        found += lines(driver.feed(row))
    return found


def test_the_world_says_something_of_each_rule(log: list[Row], told: list[str]) -> None:
    """Otherwise what follows would prove nothing."""
    assert {json.loads(line)["rule"] for line in told} >= set(CONDITIONS) - {"quiet", "drift"}
    assert {json.loads(line)["event"] for line in told} >= {"opened", "resolved"}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
def test_restarts_change_nothing(log: list[Row], told: list[str], seed: int) -> None:
    """Fifteen restarts at any rows, in a crisis or out of one."""
    assert run(log, random.Random(seed).sample(range(1, len(log)), 15)) == told


def test_the_order_within_a_tick_changes_nothing(log: list[Row], told: list[str]) -> None:
    """The rows that one tick sees, in another order."""
    shuffled: list[Row] = []
    tick: list[Row] = []
    chance, ends = random.Random(1), None
    for row in log:
        end = row.at.timestamp() // STEP.total_seconds()
        if end != ends:
            chance.shuffle(tick)
            shuffled += tick
            tick, ends = [], end
        tick.append(row)
    shuffled += tick
    # The rules come first, whatever else is in their tick.
    first = shuffled.index(log[0])
    shuffled.insert(0, shuffled.pop(first))
    assert run(shuffled) == told
