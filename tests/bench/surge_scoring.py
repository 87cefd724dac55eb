"""Scoring of a surge detector on labelled windows, as the Numenta Anomaly Benchmark v1.1 does.

Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015 (arXiv:1510.03336). The first detection within a
window earns a scaled sigmoid of its place there, each one outside costs the same sigmoid of its distance past the window
before it (in full before the first window, and from three widths on), each window without one costs as it is. One
threshold serves all series. Of a series the first 15 %, 750 rows at most, are probation, and are not scored.
"""

import csv
import json
import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

PROBATION, PROBATION_MOST = 0.15, 750
FAR = 3.0


class FolderError(Exception):
    """What is not as the benchmark needs it, with its file."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a detection, a false row and a missed window weigh."""

    name: str
    hit: float
    false: float
    missed: float


STANDARD = Profile("standard", 1.0, 0.11, 1.0)
LOW_FP = Profile("low FP", 1.0, 0.22, 1.0)
LOW_FN = Profile("low FN", 1.0, 0.11, 2.0)
PROFILES = (STANDARD, LOW_FP, LOW_FN)


@dataclass(frozen=True, slots=True)
class Series:
    """``windows``: the first and the last row of each label, in order. ``times`` are aware and ascend."""

    name: str
    times: Sequence[datetime]
    values: Sequence[int]
    windows: Sequence[tuple[int, int]]

    @property
    def begin(self) -> int:
        """The first row that is scored."""
        return min(math.floor(PROBATION * len(self.times)), PROBATION_MOST)

    @property
    def countable(self) -> int:
        """How many windows reach past the probation."""
        return sum(last >= self.begin for _, last in self.windows)

    def rewards(self) -> list[tuple[float, int | None]]:
        """Of each row what a detection there is worth, and the number of the window that it falls in."""
        found, at = [], 0
        for row in range(len(self.times)):
            while at < len(self.windows) and self.windows[at][1] < row:
                at += 1
            if at < len(self.windows) and self.windows[at][0] <= row:
                first, last = self.windows[at]
                found.append((sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1.0), at))
            elif at:
                first, last = self.windows[at - 1]
                found.append((sigmoid((row - last) / (last - first)), None))
            else:
                found.append((-1.0, None))
        return found


@dataclass(slots=True)
class Tally:
    """Detections, counted one by one: of hits the reward of the earliest in each window, of the others all of theirs."""

    windows: int
    hits: float = 0.0
    false: float = 0.0
    false_rows: int = 0
    first: dict[tuple[int, int], tuple[int, float]] = field(default_factory=dict)

    def add(self, series: int, row: int, reward: float, window: int | None) -> None:
        if window is None:
            self.false += reward
            self.false_rows += 1
            return
        known = self.first.get((series, window))
        if known is None or row < known[0]:
            self.hits += reward - (known[1] if known else 0.0)
            self.first[series, window] = (row, reward)

    def raw(self, profile: Profile) -> float:
        """Above what silence has, which is the weight of every window missed."""
        return profile.hit * self.hits + profile.false * self.false + profile.missed * len(self.first)

    def score(self, profile: Profile) -> float:
        """100: each window found at once and nothing else; 0: silence."""
        return 100 * self.raw(profile) / (self.windows * (profile.hit + profile.missed))


@dataclass(frozen=True, slots=True)
class Result:
    """At one threshold. ``delay``: the median rows from a window's first to its first detection; None without any."""

    score: float
    threshold: float
    found: int
    windows: int
    false_rows: int
    delay: float | None


class Judge:
    """The labels of all series, ready to score with."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.series = series
        self.windows = sum(one.countable for one in series)
        self._rewards = [one.rewards() for one in series]

    def at(self, detections: Sequence[Iterable[int]]) -> Tally:
        """Of each series the rows that were detected."""
        tally = Tally(self.windows)
        for number, rows in enumerate(detections):
            for row in rows:
                if row >= self.series[number].begin:
                    tally.add(number, row, *self._rewards[number][row])
        return tally

    def best(self, scores: Sequence[Sequence[float]]) -> dict[Profile, Result]:
        """Each profile at its own best threshold over all series; *scores*: one for each row of each series."""
        rows = sorted(
            (
                (score, number, row)
                for number, (one, of) in enumerate(zip(self.series, scores, strict=True))
                for row, score in enumerate(of)
                if row >= one.begin
            ),
            key=lambda item: -item[0],
        )
        tally = Tally(self.windows)
        best = {profile: self._result(tally, profile, math.inf) for profile in PROFILES}
        for at, (score, number, row) in enumerate(rows):
            tally.add(number, row, *self._rewards[number][row])
            if at + 1 < len(rows) and rows[at + 1][0] == score:
                continue
            for profile, known in best.items():
                if tally.score(profile) > known.score:
                    best[profile] = self._result(tally, profile, score)
        return best

    def result(self, detections: Sequence[Iterable[int]], profile: Profile, threshold: float) -> Result:
        return self._result(self.at(detections), profile, threshold)

    def _result(self, tally: Tally, profile: Profile, threshold: float) -> Result:
        delays = [row - self.series[number].windows[window][0] for (number, window), (row, _) in tally.first.items()]
        return Result(
            tally.score(profile),
            threshold,
            len(delays),
            self.windows,
            tally.false_rows,
            statistics.median(delays) if delays else None,
        )


def sigmoid(place: float) -> float:
    """*place*: -1 at a window's left edge, 0 at its right edge, in widths past it after that."""
    return -1.0 if place > FAR else 2 / (1 + math.exp(5 * place)) - 1


def read_folder(folder: Path) -> list[Series]:
    """Every series that ``windows.json`` ({file: [[from, to], ...]}) labels. Raises FolderError."""
    labels = folder / "windows.json"
    try:
        known: Mapping[str, list[list[str]]] = json.loads(labels.read_text(encoding="utf-8"))
        return [_series(folder / name, known[name]) for name in sorted(known)]
    except OSError as error:
        raise FolderError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise FolderError(f"{labels}: {error}") from error


def _series(path: Path, labels: Sequence[Sequence[str]]) -> Series:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        try:
            rows = [(_time(row["timestamp"]), round(float(row["value"]))) for row in csv.DictReader(stream)]
        except (KeyError, TypeError, ValueError) as error:
            raise FolderError(f"{path}: no lines of timestamp,value: {error}") from error
    times = [at for at, _ in rows]
    windows = []
    for begin, end in labels:
        first, last = bisect_left(times, _time(begin)), bisect_right(times, _time(end)) - 1
        if first >= last:
            raise FolderError(f"{path}: two rows or more are needed from {begin} to {end}")
        windows.append((first, last))
    return Series(path.stem, times, [value for _, value in rows], sorted(windows))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
