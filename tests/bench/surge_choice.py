"""What choosing earns: a threshold in episodes, and ours with other constants, chosen on all series but the one judged."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import ModuleType

from listener.cli.detect import Detector
from rules import normal, rollup
from rules.calendar import UTC_WEEKS
from rules.conditions import Baseline, baseline
from rules.reading import Looks, State
from rules.rollup import Roll
from tests.bench.surge_detectors import STEP
from tests.bench.surge_scoring import STANDARD, Judge, Result, Series

THRESHOLDS = (1.6, 1.7, 1.8, 1.85, 1.9, 1.95, 2.0, 2.1, 2.2, 2.3)
WINDOWS = (1, 2, 3)
PRIORS = (1.0, 2.0, 4.0)
LATELY = (1, 2, 4)
LEVEL = (14, 28)
EPISODE_THRESHOLDS = 40
MEMORY = baseline.HOLDS_ON // 5


@dataclass(frozen=True, slots=True)
class Constants:
    """Hours of the window, bins that a parent weighs, and half-lives in days."""

    window: int = 2
    prior: float = 2.0
    lately: int = 2
    level: int = 28

    @property
    def values(self) -> dict[tuple[ModuleType, str], object]:
        return {
            (normal, "PRIOR"): self.prior,
            (normal, "LATELY_HALF_LIFE"): self.lately * 1440,
            (normal, "LEVEL_HALF_LIFE"): self.level * 1440,
        }


GRID = [Constants(*one) for one in itertools.product(WINDOWS, PRIORS, LATELY, LEVEL)]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``score``: of all series together, each judged by what is best on the others; ``chosen``: which, by series."""

    score: float
    chosen: list[int]


def leave_one_out(raws: Sequence[Sequence[float]], windows: int) -> LeftOut:
    """*raws*: of each choice what it has on each series. Where several are best, the first is taken."""
    chosen, total = [], 0.0
    for left in range(len(raws[0])):
        best = max(range(len(raws)), key=lambda choice: sum(raws[choice]) - raws[choice][left])
        chosen.append(best)
        total += raws[best][left]
    return LeftOut(as_score(total, windows), chosen)


def as_score(raw: float, windows: int) -> float:
    return 100 * raw / (windows * (STANDARD.hit + STANDARD.missed))


class Apart:
    """Every series judged alone, so that sums over some of them can be made."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._judges = [Judge([one]) for one in series]
        self.windows = sum(judge.windows for judge in self._judges)

    def raws(self, detections: Sequence[Sequence[int]]) -> list[float]:
        return [judge.at([rows]).raw(STANDARD) for judge, rows in zip(self._judges, detections, strict=True)]


def episodes(scores: Sequence[float], threshold: float) -> list[int]:
    """The rows that open one: it goes on while half the threshold is reached, and opens again an hour after that."""
    opened, last = [], -MEMORY - 1
    for row, score in enumerate(scores):
        going = row - last <= MEMORY
        if score >= (threshold / 2 if going else threshold):
            if not going:
                opened.append(row)
            last = row
    return opened


def in_episodes(judge: Judge, apart: Apart, scores: Sequence[Sequence[float]]) -> tuple[Result, LeftOut]:
    """At the best of thresholds that 16 to a quarter of all rows reach, and with it chosen on the others."""
    ordered = sorted((score for of in scores for score in of if score > 0), reverse=True)
    if not ordered:
        ordered = [math.inf]
    least, most = 16, max(17, len(ordered) // 4)
    steps = (least * (most / least) ** (step / (EPISODE_THRESHOLDS - 1)) for step in range(EPISODE_THRESHOLDS))
    thresholds = sorted({ordered[min(int(step), len(ordered) - 1)] for step in steps})
    opened = [[episodes(of, threshold) for of in scores] for threshold in thresholds]
    raws = [apart.raws(one) for one in opened]
    best = max(range(len(raws)), key=lambda choice: sum(raws[choice]))
    return judge.result(opened[best], STANDARD, thresholds[best]), leave_one_out(raws, apart.windows)


class QuarterHours(Baseline):
    """Learns what is usual by 15 minutes instead of by the hour."""

    @property
    def looks_at(self) -> Looks:
        looks = super().looks_at
        return replace(looks, roll=Roll(15, looks.window // 15, self.count))


@dataclass(frozen=True, slots=True)
class Without:
    """Ours, changed in one part. ``values``: of a module's constants; ``more``: of the condition's."""

    values: Mapping[tuple[ModuleType, str], object] = field(default_factory=dict)
    more: Mapping[str, float] = field(default_factory=dict)
    condition: type[Baseline] = Baseline
    hysteresis: bool = True

    def conditions(self, window: timedelta) -> list[Baseline]:
        return [
            self.condition(
                type="baseline", window=window, surprise=at, clear=None if self.hysteresis else at, **self.more
            )
            for at in THRESHOLDS
        ]


SHIPPED = Without()
PARTS = {
    "as shipped": SHIPPED,
    "a crisis teaches uncut": Without({(normal, "_CUT"): 1e18, (normal, "_MOST_TAUGHT"): 1e18}),
    "no Poisson bound": Without({(normal, "poisson"): lambda _count, _mean: math.inf}),
    "learnt at once, not settled": Without({(rollup, "SETTLE"): 0}),
    "bins of 15 minutes": Without(condition=QuarterHours),
    "no floor, no factor": Without(more={"at_least": 1, "factor": 1.0}),
    "no hysteresis": Without(hysteresis=False),
    "no hour of memory": Without({(baseline, "HOLDS_ON"): 0}),
}


def openings(series: Series, constants: Constants, without: Without = SHIPPED) -> list[list[int]]:
    """Of each of THRESHOLDS the rows that open an alert, as the shipped detector's do, in one pass."""
    window = timedelta(hours=constants.window)
    conditions = without.conditions(window)
    least = min(one.factor for one in conditions)
    minutes = window // timedelta(minutes=1)
    opened: list[list[int]] = [[] for _ in conditions]
    states: list[State] = [None] * len(conditions)
    with installed(constants.values | without.values):
        detector = Detector(STEP, UTC_WEEKS, conditions[0])
        for row, (at, value) in enumerate(zip(series.times, series.values, strict=True)):
            usual, minute, count = detector.take(at, value)
            # What is below `factor` times lately opens nothing: most rows need not be weighed.
            going = [one.going(state, minute) for one, state in zip(conditions, states, strict=True)]
            if not any(going) and count < least * usual.lately * minutes / usual.size:
                continue
            expected = usual.expected(minute, minutes, count)
            for number, one in enumerate(conditions):
                holds, states[number] = one.judge(expected, states[number], minute)
                if holds and not going[number]:
                    opened[number].append(row)
    return opened


@contextmanager
def installed(values: Mapping[tuple[ModuleType, str], object]) -> Iterator[None]:
    """Modules with these for as long."""
    before = {(module, name): getattr(module, name) for module, name in values}
    try:
        for (module, name), value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)
