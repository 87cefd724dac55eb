"""Detectors of surges in counts by five minutes, one row after the other: peers, the steps on the way, and ours.

A peer's score has the unit of its own threshold: a ratio, standard deviations, -log10 of a probability.
All are rebuilt from their published descriptions, with the constants that these give where they give some.
"""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from listener.cli.detect import Detector
from rules.calendar import UTC_WEEKS
from rules.conditions import Baseline
from rules.normal import Normal, overdispersed, poisson

STEP = timedelta(minutes=5)
HOUR, DAY, WEEK = 12, 288, 2016
AT_LEAST = 10
DISPERSION = 0.3


class Online(Protocol):
    """Of one series: the score of a row depends on it and the rows before it."""

    def score(self, at: datetime, value: int, /) -> float: ...


class _Past:
    """The rows so far, to be summed over any stretch of them."""

    def __init__(self) -> None:
        self._totals = [0]

    def add(self, value: int) -> None:
        self._totals.append(self._totals[-1] + value)

    def sum(self, rows: int, back: int = 0) -> int | None:
        """Of the *rows* that ended *back* rows ago; None where there are not as many."""
        end = len(self._totals) - 1 - back
        return self._totals[end] - self._totals[end - rows] if end >= rows else None


class Spike:
    """ElastAlert's ``spike``: an hour's count over that of the hour before, from ``threshold_cur`` on."""

    def __init__(self) -> None:
        self._past = _Past()

    def score(self, _: datetime, value: int, /) -> float:
        self._past.add(value)
        now, before = self._past.sum(HOUR), self._past.sum(HOUR, HOUR)
        return 0.0 if now is None or before is None or now < AT_LEAST else now / max(1, before)


class HourAgainst:
    """An hour over the mean of the twelve before it; *also*: over the same hour of yesterday and of last week, the largest."""

    def __init__(self, *, also: bool) -> None:
        self._past = _Past()
        self._also = (DAY, WEEK) if also else ()

    def score(self, _: datetime, value: int, /) -> float:
        self._past.add(value)
        now, before = self._past.sum(HOUR), self._past.sum(12 * HOUR, HOUR)
        if now is None or before is None or now < AT_LEAST:
            return 0.0
        return now / max(1, before / 12, *(self._past.sum(HOUR, back) or 0 for back in self._also))


class DayAgainstWeek:
    """The last 24 hours, in standard deviations above the mean of the days before, three at least and seven at most."""

    def __init__(self) -> None:
        self._past = _Past()

    def score(self, _: datetime, value: int, /) -> float:
        self._past.add(value)
        days = [day for back in range(8) if (day := self._past.sum(DAY, back * DAY)) is not None]
        if len(days) < 4:
            return 0.0
        now, *before = days
        mean = sum(before) / len(before)
        spread = math.sqrt(sum((day - mean) ** 2 for day in before) / (len(before) - 1))
        return (now - mean) / max(spread, 1.0)


class Ewma:
    """Standard deviations above an exponential mean with a half-life of a day, the variance exponential too."""

    def __init__(self) -> None:
        self._share = 1 - math.exp2(-1 / DAY)
        self._mean = self._variance = 0.0
        self._rows = 0

    def score(self, _: datetime, value: int, /) -> float:
        off = value - self._mean
        far = off / max(1.0, math.sqrt(self._variance)) if self._rows >= HOUR else 0.0
        self._rows += 1
        share = max(self._share, 1 / self._rows)
        self._mean += share * off
        self._variance = (1 - share) * (self._variance + share * off * off)
        return far


class WindowedGaussian:
    """NAB's ``windowedGaussian``: a row under the normal of the last 6,400, refitted every 100; both tails.

    As -log10 of the tail, which orders rows as one minus the tail does, and is as exact as that.
    """

    def __init__(self) -> None:
        self._rows: deque[int] = deque(maxlen=6400)
        self._waiting: list[int] = []
        self._mean, self._spread = 0.0, 1.0

    def score(self, _: datetime, value: int, /) -> float:
        tail = math.erfc(abs(value - self._mean) / self._spread / math.sqrt(2)) / 2 if self._rows else 1.0
        if len(self._rows) < 6400:
            self._rows.append(value)
            self._fit()
        else:
            self._waiting.append(value)
            if len(self._waiting) == 100:
                self._rows.extend(self._waiting)
                self._waiting.clear()
                self._fit()
        return -math.log10(max(tail, 1e-16))

    def _fit(self) -> None:
        count = len(self._rows)
        if count == 6400 or count % 100 == 0 or count < 100:
            self._mean = sum(self._rows) / count
            self._spread = math.sqrt(sum((row - self._mean) ** 2 for row in self._rows) / count) or 1e-6


Surprise = Callable[[Normal, int, int, int], float]
"""Of what is usual, the minute, the minutes of the window, and its count."""


class Learnt:
    """A figure of what ``rules.normal`` has learnt, and no episodes: every row says how surprising its window is."""

    def __init__(self, minutes: int, surprise: Surprise) -> None:
        self._minutes, self._surprise = minutes, surprise
        window = timedelta(minutes=minutes)
        self._detector = Detector(STEP, UTC_WEEKS, Baseline(type="baseline", window=window))

    def score(self, at: datetime, value: int, /) -> float:
        normal, minute, count = self._detector.take(at, value)
        return self._surprise(normal, minute, self._minutes, count) if normal.learnt else 0.0


def uncalibrated(normal: Normal, minute: int, minutes: int, count: int) -> float:
    """That of a negative binomial variable whose mean is the season's."""
    return overdispersed(count, normal._season(minute, minutes), DISPERSION)


def season_alone(normal: Normal, minute: int, minutes: int, count: int) -> float:
    return _calibrated(normal, 0, normal._season(minute, minutes), count)


def lately_alone(normal: Normal, _: int, minutes: int, count: int) -> float:
    return _calibrated(normal, 1, normal.lately * minutes / normal.size, count)


def smaller(normal: Normal, minute: int, minutes: int, count: int) -> float:
    return normal.expected(minute, minutes, count).surprise


def _calibrated(normal: Normal, which: int, expected: float, count: int) -> float:
    """By the tail of the series' own straying from *expected*, and no more than a Poisson count's."""
    found = normal._strays[which].surprise(math.log((count + 1) / (expected + 1)), normal.gain)
    if found is None:
        return overdispersed(count, expected, DISPERSION)
    return min(found, poisson(count, expected))


OURS = "ours, as shipped"
DETECTORS: dict[str, Callable[[], Online]] = {
    "spike: 1 h / the hour before": Spike,
    "1 h / mean of 12 h": lambda: HourAgainst(also=False),
    "1 h / 12 h, yesterday, last week": lambda: HourAgainst(also=True),
    "24 h: mean + k sd of a week": DayAgainstWeek,
    "EWMA z-score, 5 min": Ewma,
    "windowed Gaussian, 5 min": WindowedGaussian,
    "hour of week, 5 min": lambda: Learnt(5, uncalibrated),
    "hour of week, 2 h": lambda: Learnt(120, uncalibrated),
    "  calibrated: season alone": lambda: Learnt(120, season_alone),
    "  calibrated: lately alone": lambda: Learnt(120, lately_alone),
    "  the smaller of both": lambda: Learnt(120, smaller),
    OURS: lambda: Detector(STEP, UTC_WEEKS),
}
