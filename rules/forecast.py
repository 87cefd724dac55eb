"""How many alerts a week each rule gave over the weeks on record. What is not on record is never made up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from alerts import Level
from rules.lives import Life, Period
from rules.rule import RuleConfig
from rules.seen import History

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Weeks:
    """The stretches of seven days that are counted, oldest first; the last ends where the record does.

    ``whole`` False: the record is shorter than a week, and the one stretch is all of it; nothing is scaled up.
    """

    stretches: tuple[Period, ...]
    whole: bool

    @property
    def period(self) -> Period:
        return Period(self.stretches[0].since, self.stretches[-1].until)


@dataclass(frozen=True, slots=True)
class Count:
    """Alerts that opened: all of them, a week in the mean, and the week that had most."""

    alerts: int
    mean: float
    worst: int
    worst_week: Period


@dataclass(frozen=True, slots=True)
class RuleForecast:
    """``levels``: by the highest level that an alert reached. ``over``: the mean is above what the budget allows."""

    rule: str
    shadow: bool
    all: Count
    levels: tuple[tuple[Level, Count], ...]
    over: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """``total``: of the live rules, which are those that send."""

    weeks: Weeks
    rules: tuple[RuleForecast, ...]
    total: Count
    over: bool

    @property
    def above_budget(self) -> bool:
        """Whether a live rule, or all of them together, are above the budget."""
        return self.over or any(rule.over and not rule.shadow for rule in self.rules)


def last_weeks(history: History, most: int) -> Weeks:
    """As many whole weeks as are on record, the last *most* of them."""
    whole = min(most, (history.last - history.first) // WEEK)
    # The next full second: an alert of the last tick is one.
    end = history.last.replace(microsecond=0) + timedelta(seconds=1)
    if whole == 0:
        return Weeks((Period(history.first, end),), whole=False)
    ends = [end - (whole - number) * WEEK for number in range(whole + 1)]
    return Weeks(tuple(Period(a, b) for a, b in pairwise(ends)), whole=True)


def forecast(
    rules: Iterable[RuleConfig], lives: Sequence[Life], weeks: Weeks, *, total: float | None, per_rule: float | None
) -> Forecast:
    """Every rule that runs, the quiet ones too, those with most alerts first. *total*, *per_rule*: a week's budget."""
    by_rule: dict[str, list[Life]] = {}
    for life in lives:
        by_rule.setdefault(life.rule, []).append(life)
    told = [_of_rule(rule, by_rule.get(rule.id, []), weeks, per_rule) for rule in rules if rule.mode != "off"]
    live = [life for rule in told if not rule.shadow for life in by_rule.get(rule.rule, [])]
    everything = _count(live, weeks)
    return Forecast(
        weeks,
        tuple(sorted(told, key=lambda one: (-one.all.alerts, one.rule))),
        everything,
        total is not None and everything.mean > total,
    )


def _of_rule(rule: RuleConfig, lives: Sequence[Life], weeks: Weeks, budget: float | None) -> RuleForecast:
    count = _count(lives, weeks)
    levels = tuple(
        (level, _count([life for life in lives if life.level is level], weeks))
        for level in sorted({Level[name] for name in rule.levels})
    )
    return RuleForecast(rule.id, rule.mode == "shadow", count, levels, budget is not None and count.mean > budget)


def _count(lives: Iterable[Life], weeks: Weeks) -> Count:
    counted: Counter[int] = Counter()
    for life in lives:
        for number, stretch in enumerate(weeks.stretches):
            if stretch.holds(life.opened_at):
                counted[number] += 1
    worst = max(range(len(weeks.stretches)), key=lambda number: (counted[number], number))
    every = sum(counted.values())
    return Count(every, every / len(weeks.stretches), counted[worst], weeks.stretches[worst])


def whole_days(since: datetime, until: datetime) -> float:
    """Days on record, to a tenth."""
    return round((until - since) / timedelta(days=1), 1)
