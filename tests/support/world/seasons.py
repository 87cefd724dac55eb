"""How much is said at which hour: work days and rest days in China, holidays, and the unrest that real volumes have."""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import chinese_calendar
import numpy as np
from numpy.typing import NDArray

CHINA = timezone(timedelta(hours=8))
SLOT = 300
"""Seconds: volumes are laid in slots of five minutes, as the real series are."""
SLOTS = 24 * 3600 // SLOT
WEEK = 7 * 24
Floats = NDArray[np.float64]

_QUIETEST = 4
"""The hour at which China says least; a series of elsewhere is turned until its own quietest hour is there."""


@dataclass(frozen=True, slots=True)
class Season:
    """One brand's day and its unrest.

    ``hours``: [work or rest day, hour], mean one over a week; ``unrest``: factors per hour, whole weeks, mean one;
    ``spread``: phi of a negative binomial with variance m + phi m² per slot of five minutes.
    """

    hours: Floats
    unrest: Floats
    spread: float


def rest_day(day: date) -> bool:
    """Whether China is off: weekends and holidays without the make-up days."""
    return bool(chinese_calendar.is_holiday(day))


def holiday(day: date) -> bool:
    """Whether it belongs to a holiday of three days or more, and is no plain weekend."""
    off, name = chinese_calendar.get_holiday_detail(day)
    return bool(off and name)


def made_up(rng: np.random.Generator) -> Season:
    """A season of our own: quiet at four, busy at noon and at nine in the evening, in bursts of some hours."""
    hour = np.arange(24)
    day = 0.15 + np.exp(-(((hour - 11.5) / 3.2) ** 2)) + 1.15 * np.exp(-(((hour - 20.5) / 2.6) ** 2))
    rest = 0.2 + 0.8 * np.exp(-(((hour - 13) / 4.5) ** 2)) + 1.1 * np.exp(-(((hour - 21) / 3) ** 2))
    hours = np.stack([day, rest * rng.uniform(0.6, 1.1)])
    noise = np.empty(WEEK * 4)
    last = 0.0
    for at, shock in enumerate(rng.standard_t(5, WEEK * 4)):
        noise[at] = last = 0.7 * last + 0.17 * shock
    return Season(_level(hours), _mean_one(np.clip(np.exp(noise), 0.3, 2.5)), float(rng.uniform(0.02, 0.15)))


def from_nab(folder: Path) -> list[Season]:
    """The season of each series in a folder of the Numenta benchmark; what is labelled a surge there is left out."""
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    return [_from_series(path, windows.get(path.name, [])) for path in sorted(folder.glob("*.csv"))]


def _from_series(path: Path, windows: list[list[str]]) -> Season:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(_when(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    surges = [(_when(begin), _when(end)) for begin, end in windows]
    calm = [(at, value) for at, value in rows if not any(begin <= at <= end for begin, end in surges)]
    first = calm[0][0].replace(minute=0, second=0, microsecond=0)
    slots: dict[int, list[float]] = {}
    for at, value in calm:
        slots.setdefault((at - first) // timedelta(hours=1), []).append(value)
    times = {hour: first + timedelta(hours=hour) for hour in slots}
    byday = np.array([
        [
            np.median([np.mean(v) for h, v in slots.items() if times[h].hour == hour and (times[h].weekday() > 4) == rest])
            for hour in range(24)
        ]
        for rest in (False, True)
    ])  # fmt: skip
    byday = np.maximum(byday, 0.05 * byday.mean())
    noise, spreads = [], []
    for hour in range((max(slots) + 1) // WEEK * WEEK):
        at, values = first + timedelta(hours=hour), slots.get(hour)
        if values is None:
            noise.append(1.0)
            continue
        expected = byday[int(at.weekday() > 4), at.hour]
        noise.append(float(np.clip(np.mean(values) / expected, 0.3, 2.5)))
        if len(values) > 5:
            mean, variance = float(np.mean(values)), float(np.var(values, ddof=1))
            spreads.append((variance - mean) / mean**2 if mean > 0 else 0.0)
    # What chance alone makes of so few mentions is drawn anew in the world, so it is taken out here.
    chance = float(np.mean(1 / np.maximum(12 * byday, 0.1)))
    real = max(0.1, 1 - chance / max(float(np.var(noise)), 1e-9)) ** 0.5
    noise = [1 + (one - 1) * real for one in noise]
    smooth = (np.roll(byday, 1, 1) + byday + np.roll(byday, -1, 1)).mean(0)
    turned = np.roll(byday, _QUIETEST - int(np.argmin(smooth)), 1)
    return Season(_level(turned), _mean_one(np.array(noise)), float(np.clip(np.median(spreads), 0.01, 0.3)))


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _level(hours: Floats) -> Floats:
    return hours / ((5 * hours[0].mean() + 2 * hours[1].mean()) / 7)


def _mean_one(factors: Floats) -> Floats:
    return factors / factors.mean()


def lay(
    season: Season, daily: float, start: datetime, days: int, *, festive: float, drift: float, rng: np.random.Generator
) -> Floats:
    """Expected mentions per slot of five minutes, over *days* from *start* (midnight in China).

    *festive*: times what is usual on holidays. *drift*: the level's logarithm at the end, zero at the beginning.
    """
    hourly = np.empty(days * 24)
    weeks = len(season.unrest) // WEEK
    unrest = np.concatenate([_week(season, int(rng.integers(weeks))) for _ in range(days // 7 + 1)])[: days * 24]
    for number in range(days):
        day = (start + timedelta(days=number)).astimezone(CHINA).date()
        factor = festive if holiday(day) else 1.0
        hourly[number * 24 : number * 24 + 24] = season.hours[int(rest_day(day))] * factor
    hourly *= unrest * np.exp(np.linspace(0, drift, len(hourly)))
    smooth = np.repeat(hourly, SLOTS // 24)
    kernel = np.ones(SLOTS // 24) / (SLOTS // 24)
    smooth = np.convolve(np.pad(smooth, (6, 5), mode="edge"), kernel, mode="valid")
    return daily / SLOTS * smooth


def _week(season: Season, number: int) -> Floats:
    return season.unrest[number * WEEK : (number + 1) * WEEK]


def draw(expected: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """Times of mentions, in seconds since the beginning: a negative binomial per slot, ascending."""
    shape = 1 / spread
    counts = rng.poisson(expected * rng.gamma(shape, 1 / shape, len(expected)))
    at = np.repeat(np.arange(len(expected)) * float(SLOT), counts)
    return np.sort(at + rng.uniform(0, SLOT, len(at)))
