"""Every member of the union of conditions keeps the contract; a new one is tested by adding its smallest example."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest

from rules.conditions import AnyCondition
from rules.engine import Engine
from rules.key import Outcome
from rules.replay import Driver
from rules.rule import RuleConfig
from tests.support.engine_log import START, STEP, Log, after, rule, volume

EXAMPLES: dict[str, dict[str, Any]] = {
    "volume": dict(volume(3)),
    "ratio": {"type": "ratio", "window": timedelta(minutes=10), "at_least": 0.5, "floor": 3},
    "spike": {"type": "spike", "window": timedelta(minutes=10), "at_least": 3},
    "watch": {"type": "watch", "words": ["起火"], "window": timedelta(minutes=10)},
    "baseline": {"type": "baseline", "window": timedelta(minutes=10), "at_least": 3},
    "drift": {"type": "drift", "at_least": 3},
    "velocity": {"type": "velocity", "window": timedelta(minutes=10), "at_least": 4},
    "cardinality": {"type": "cardinality", "window": timedelta(minutes=10), "at_least": 2},
    "new_term": {"type": "new_term", "window": timedelta(minutes=10), "at_least": 2},
    "flatline": {"type": "flatline"},
    "kpi": {"type": "kpi", "measure": "negative_share", "at_most": 0.2},
    "sequence": {"type": "sequence", "of": [volume(3, 5), volume(6, 40)], "within": timedelta(hours=1)},
    "all": {"type": "all", "of": [volume(3), volume(2, 20)]},
    "any": {"type": "any", "of": [volume(3), volume(2, 20)]},
    "not": {"type": "not", "of": volume(3)},
}
DAY = 1440
MEMBERS = [get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(AnyCondition)[0])]


def few(config: RuleConfig, **more: Any) -> tuple[Log, int]:
    """Nine mentions in the last minute but one, on the second day; and the minute at which they are read."""
    log = Log()
    log.rules(START, config)
    log.burst(after(DAY), 9, every=timedelta(seconds=1), text="起火", **more)
    return log, DAY + 1


def hourly(config: RuleConfig, days: int, labels: Callable[[int], str] = lambda _hour: "neutral") -> Log:
    """Four mentions an hour, each hour's last of another label."""
    log = Log()
    log.rules(START, config)
    for number in range(days * 96):
        label = labels(number // 4) if number % 4 == 3 else "neutral"
        log.mention(after(15 * number + 1), author=f"u{number % 9}", label=label, text="云杉充电宝外观好看")
    return log


def drifting(config: RuleConfig) -> tuple[Log, int]:
    """A twelfth negative for ten days, a quarter for two."""
    return hourly(config, 12, lambda hour: "negative" if hour % 3 == 0 or hour >= 240 else "neutral"), 12 * DAY


def spreading(config: RuleConfig) -> tuple[Log, int]:
    return few(config, story="fire")


def coined(config: RuleConfig) -> tuple[Log, int]:
    """Two mentions of a word after two days without it."""
    log = hourly(config, 2)
    log.burst(after(2 * DAY), 2, text="充电宝突然自燃")
    return log, 2 * DAY + 2


def silent(config: RuleConfig) -> tuple[Log, int]:
    """Four an hour for five days, then six and a half of nothing."""
    return hourly(config, 5), 5 * DAY + 390


def missing(config: RuleConfig) -> tuple[Log, int]:
    """A quarter negative, where a fifth is allowed."""
    return hourly(config, 8, lambda _hour: "negative"), 8 * DAY


def ordered(config: RuleConfig) -> tuple[Log, int]:
    """Three mentions, and two more once they have left the first window."""
    log = Log()
    log.rules(START, config)
    log.burst(after(1), 3)
    log.burst(after(30), 3)
    return log, 32


def alone(config: RuleConfig) -> tuple[Log, int]:
    """One mention."""
    log = Log()
    log.rules(START, config)
    log.mention(after(1))
    return log, 2


HOLDS: dict[str, Callable[[RuleConfig], tuple[Log, int]]] = {
    "drift": drifting,
    "velocity": spreading,
    "new_term": coined,
    "flatline": silent,
    "kpi": missing,
    "sequence": ordered,
    "not": alone,
}
"""Logs in which a member's example holds, and the minute at which it does."""


def outcome(name: str, count: int, **more: Any) -> tuple[RuleConfig, Outcome]:
    """The member's example, read of a key with so many mentions in its window."""
    config = rule(where=None, when=EXAMPLES[name])
    log = Log()
    log.rules(START, config)
    log.mention(after(1), event_at=after(-60 * 24 * 3), history=True)
    log.burst(after(60), count, every=timedelta(seconds=1), text="起火", **more)
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in log.rows:
        driver.feed(row)
    driver.advance(after(61))
    running = driver.engine.running["surge"]
    # The example's keys may be below a gate, and not read on their own.
    key = running.open(("acme",), after(61))
    return config, running._read(key, after(61))


@pytest.mark.parametrize("name", MEMBERS)
def test_there_is_an_example(name: str) -> None:
    """Each member of the union has an example here, and is chosen by its ``type``."""
    (condition,) = rule(where=None, when=EXAMPLES[name]).conditions
    assert condition.type == name  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MEMBERS)
def test_it_survives_the_log(name: str) -> None:
    """Written into a rules row and read back, it is the same."""
    config = rule(where=None, when=EXAMPLES[name])
    assert RuleConfig.model_validate_json(config.model_dump_json(by_alias=True, exclude_none=True)) == config


@pytest.mark.parametrize("name", MEMBERS)
def test_it_speaks_both_languages(name: str) -> None:
    """Its reason has text in both languages, with a number in it, whether it holds or not."""
    for count in (0, 1, 9):
        because = outcome(name, count)[1].read.reading.because
        assert any(character.isdigit() for character in because.zh)
        assert any(character.isdigit() for character in because.en)
        assert not any("\u4e00" <= character <= "\u9fff" for character in because.en.replace("起火", ""))


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "not"])
def test_an_empty_window_does_not_hold(name: str) -> None:
    """Of nothing at all it does not hold."""
    assert not outcome(name, 0)[1].read.reading.holds


@pytest.mark.parametrize("name", MEMBERS)
def test_reading_changes_nothing(name: str) -> None:
    """Where it holds, read twice it says the same."""
    config = rule(where=None, when=EXAMPLES[name])
    log, minute = HOLDS.get(name, few)(config)
    driver = Driver(Engine(STEP, assume_healthy=True))
    for row in log.rows:
        driver.feed(row)
    driver.advance(after(minute))
    running = driver.engine.running["surge"]
    key = running.keys[("acme",)]
    first = running._read(key, after(minute))
    assert first.read.reading.holds
    assert running._read(key, after(minute)) == first
    assert config.leaves()


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("count", range(6))
def test_its_gate_is_honest(name: str, count: int) -> None:
    """With fewer mentions than its gate asks for a rule does not hold, and cannot come to by time alone."""
    config, read = outcome(name, count)
    running_gates = [leaf.looks_at.least for leaf in config.leaves()]
    alone = config.conditions[0] in config.leaves()
    if alone and count < running_gates[0]:
        assert not read.read.reading.holds
        assert not read.read.reading.awake


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("count", range(1, 9))
def test_its_enough_is_honest(name: str, count: int) -> None:
    """Where so many mentions are said to be enough, it holds from there on, awake, and remembers nothing."""
    config, read = outcome(name, count)
    looks = config.leaves()[0].looks_at
    if looks.enough and config.conditions[0] in config.leaves() and count >= looks.least:
        assert read.read.reading.holds
        assert read.read.reading.awake
        assert read.read.reading.value == count
        assert read.state is None


@pytest.mark.parametrize("name", MEMBERS)
def test_it_is_documented(name: str) -> None:
    """It has a section in the reference."""
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "reference" / "conditions.md"
    assert f"### `{name}`" in page.read_text(encoding="utf-8")
