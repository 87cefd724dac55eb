"""A scenario through the engine, and what of it is not as it should be, judged while the clock runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from alerts import AlertEvent, Because, Level
from rules.conditions.combine import read_all
from rules.engine import Engine
from rules.episode import EventName
from rules.key import Key
from rules.log import MentionRow
from rules.replay import Driver
from rules.rule import RuleConfig
from rules.ruletest import Scenario, rows
from rules.running import Running

StateName = Literal["inactive", "pending", "firing", "recovering", "resolved"]
_GRAVITY: tuple[StateName, ...] = ("inactive", "resolved", "pending", "recovering", "firing")


@dataclass(frozen=True, slots=True)
class Alerts:
    """Which alerts are meant: those of a rule, of one topic where it is given, and of these values of its ``by``."""

    rule: str
    topic: str | None = None
    key: Mapping[str, str] = field(default_factory=dict)

    def has(self, topic: str | None, key: Mapping[str, str]) -> bool:
        return (self.topic is None or self.topic == topic) and all(
            key.get(name) == value for name, value in self.key.items()
        )


@dataclass(frozen=True, slots=True)
class WantedState:
    """At every tick from ``first`` to ``last`` the gravest of these alerts is in one of ``states``, and at ``level``.

    At a time that is no tick the one before it counts.
    """

    alerts: Alerts
    states: tuple[StateName, ...]
    level: Level | None
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class WantedEvent:
    """Of these alerts, between ``first`` and ``last``, ``times`` events (at least, at most) of this kind."""

    alerts: Alerts
    event: EventName
    first: datetime
    last: datetime
    times: tuple[int, int | None] = (1, None)
    level: Level | None = None
    because: str = ""
    baseline: str | None = None
    blind: frozenset[str] = frozenset()

    def is_met_by(self, event: AlertEvent) -> bool:
        because = (event.because.zh, event.because.en)
        return (
            self.is_about(event)
            and event.event == self.event
            and self.first <= event.at <= self.last
            and self.level in {None, event.level}
            and any(self.because in one for one in because)
            and self.baseline in {None, event.baseline}
            and self.blind <= {name for name, _ in event.coverage.blind}
        )

    def is_about(self, event: AlertEvent) -> bool:
        return event.rule == self.alerts.rule and self.alerts.has(event.topic, event.key)


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of one alert. ``since``: where that is known. ``because``: what its conditions read; None: nothing."""

    state: StateName
    level: Level | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    because: Because | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """The first tick at which a wanted state (by its place in the list) was not so, and what was so instead."""

    place: int
    at: datetime
    seen: Seen


@dataclass(frozen=True, slots=True)
class Played:
    """``failures``: rules that raised, and what. ``mentions``: those of the log; ``late``: after a rule's allowance."""

    events: tuple[AlertEvent, ...]
    misses: tuple[Miss, ...]
    failures: Mapping[str, str]
    mentions: int
    late: int


class _Noting(Engine):
    """Remembers every rule that ever raised: ``failures`` speaks of the last tick alone."""

    def __init__(self, tick_length: timedelta) -> None:
        super().__init__(tick_length)
        self.noted: dict[str, str] = {}

    def evaluate(self, now: datetime) -> tuple[AlertEvent, ...]:
        events = super().evaluate(now)
        for rule, problem in self.failures.items():
            self.noted.setdefault(rule, problem)
        return events


def play(scenario: Scenario, wanted: Sequence[WantedState]) -> Played:
    """Run a scenario to its end. Raises ValueError for one that makes too many mentions, RuleError for no rule set."""
    log = rows(scenario)
    engine = _Noting(scenario.step)
    driver = Driver(engine)
    events: list[AlertEvent] = []
    last: dict[tuple[str, tuple[tuple[str, str], ...]], AlertEvent] = {}
    misses: dict[int, Miss] = {}

    def take(told: Iterable[AlertEvent]) -> None:
        for event in told:
            events.append(event)
            last[event.rule, tuple(event.key.items())] = event

    following = iter(log)
    row = next(following, None)
    for tick, places in _checks(engine, wanted):
        while row is not None and row.at < tick:
            take(driver.feed(row))
            row = next(following, None)
        take(driver.advance(tick))
        for place in places:
            if place not in misses:
                one = wanted[place]
                seen = _gravest(engine, one.alerts, [e for (rule, _), e in last.items() if rule == one.alerts.rule])
                if seen.state not in one.states or one.level not in {None, seen.level}:
                    because = None if one.alerts.rule in engine.failures else _reading(engine, one.alerts, seen, tick)
                    found = Seen(seen.state, seen.level, seen.key, seen.since, because)
                    misses[place] = Miss(place, tick, found)
    while row is not None:
        take(driver.feed(row))
        row = next(following, None)
    take(driver.advance(scenario.ends))
    counted = sum(isinstance(row, MentionRow) for row in log)
    told = tuple(miss for _, miss in sorted(misses.items()))
    return Played(tuple(events), told, engine.noted, counted, engine.late.total())


def _checks(engine: Engine, wanted: Sequence[WantedState]) -> Iterator[tuple[datetime, list[int]]]:
    """Every tick at which something is wanted, in order, and which."""
    places: dict[datetime, list[int]] = {}
    for place, one in enumerate(wanted):
        tick = engine.at_or_after(one.first)
        if tick > one.last:
            tick -= engine.step
        while tick <= one.last:
            places.setdefault(tick, []).append(place)
            tick += engine.step
    yield from sorted(places.items())


def _gravest(engine: Engine, alerts: Alerts, last: Sequence[AlertEvent]) -> Seen:
    """The state of the gravest alert that is meant: an open one from the engine, else as its events left it."""
    found = {tuple(event.key.items()): _closed(event) for event in last if alerts.has(event.topic, event.key)}
    for running, key in _keys(engine, alerts):
        episode, named = key.episode, _named(running.plan.rule, key)
        if episode is None or not episode.active:
            continue
        level = None if episode.phase == "pending" else episode.level
        state: StateName = "firing"
        if episode.phase in {"pending", "recovering"}:
            state = "pending" if episode.phase == "pending" else "recovering"
        found[tuple(named.items())] = Seen(state, level, named, episode.since)
    return max(found.values(), key=lambda one: (_GRAVITY.index(one.state), one.level or 0), default=Seen("inactive"))


def _closed(event: AlertEvent) -> Seen:
    return Seen("resolved", event.level, event.key, event.at)


def _keys(engine: Engine, alerts: Alerts) -> Iterator[tuple[Running, Key]]:
    running = engine.running.get(alerts.rule)
    for _, key in sorted(running.keys.items()) if running is not None else ():
        named = _named(running.plan.rule, key) if running is not None else {}
        if running is not None and alerts.has(named.get("topic", running.plan.rule.topics[0]), named):
            yield running, key


def _named(rule: RuleConfig, key: Key) -> dict[str, str]:
    return dict(zip(rule.by, key.values, strict=True))


def _reading(engine: Engine, alerts: Alerts, seen: Seen, now: datetime) -> Because | None:
    """What the rule reads of that alert now; of one that is not there, of the key that has most to show."""
    readings = []
    for running, key in _keys(engine, alerts):
        if not seen.key or _named(running.plan.rule, key) == dict(seen.key):
            reading, _ = read_all(running.plan.rule.conditions, running.view(key, now), key.state, now)
            readings.append(reading)
    return max(readings, key=lambda one: one.value).because if readings else None
