"""What choosing earns: a threshold in episodes, and ours with other constants, chosen on all series but the one judged."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from listener.cli.detect import Detector
from rules import normal
from rules.calendar import UTC_WEEKS
from rules.conditions import Baseline
from rules.conditions.baseline import HOLDS_ON
from rules.reading import State
from tests.bench.surge_detectors import STEP
from tests.bench.surge_scoring import STANDARD, Judge, Result, Series

THRESHOLDS = (1.6, 1.7, 1.8, 1.85, 1.9, 1.95, 2.0, 2.1, 2.2, 2.3)
WINDOWS = (1, 2, 3)
PRIORS = (1.0, 2.0, 4.0)
LATELY = (1, 2, 4)
LEVEL = (14, 28)
EPISODE_THRESHOLDS = 40
MEMORY = HOLDS_ON // 5


@dataclass(frozen=True, slots=True)
class Constants:
    """Hours of the window, bins that a parent weighs, and half-lives in days."""

    window: int = 2
    prior: float = 2.0
    lately: int = 2
    level: int = 28


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
    least, most = 16, max(17, len(ordered) // 4)
    steps = (least * (most / least) ** (step / (EPISODE_THRESHOLDS - 1)) for step in range(EPISODE_THRESHOLDS))
    thresholds = sorted({ordered[min(int(step), len(ordered) - 1)] for step in steps})
    opened = [[episodes(of, threshold) for of in scores] for threshold in thresholds]
    raws = [apart.raws(one) for one in opened]
    best = max(range(len(raws)), key=lambda choice: sum(raws[choice]))
    return judge.result(opened[best], STANDARD, thresholds[best]), leave_one_out(raws, apart.windows)


def openings(series: Series, constants: Constants) -> list[list[int]]:
    """Of each of THRESHOLDS the rows that open an alert, as the shipped detector's do, in one pass."""
    window = timedelta(hours=constants.window)
    conditions = [Baseline(type="baseline", window=window, surprise=threshold) for threshold in THRESHOLDS]
    least = min(one.factor for one in conditions)
    minutes = window // timedelta(minutes=1)
    opened: list[list[int]] = [[] for _ in conditions]
    states: list[State] = [None] * len(conditions)
    with installed(constants):
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
def installed(constants: Constants) -> Iterator[None]:
    """``rules.normal`` with these for as long."""
    wanted = {
        "PRIOR": constants.prior,
        "LATELY_HALF_LIFE": constants.lately * 1440,
        "LEVEL_HALF_LIFE": constants.level * 1440,
    }
    before = {name: getattr(normal, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(normal, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(normal, name, value)
