"""What is always said of a brand: single mentions in their season, and the small flurries that are nobody's crisis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.support.world.columns import Columns, columns
from tests.support.world.seasons import Floats, Season, draw
from tests.support.world.texts import Texts
from tests.support.world.voices import NO_RISK, Brand, Ints, confidences, read

DAY = 24 * 3600.0
FLURRIES_A_DAY = 0.25
FRESH_AUTHORS = 10_000_000
"""Authors from here on belong to nobody's regulars."""


@dataclass(slots=True)
class Numbers:
    """The next story that is free."""

    story: int = 0

    def new_story(self) -> int:
        self.story += 1
        return self.story


def background(
    brand: Brand, season: Season, expected: Floats, texts: Texts, numbers: Numbers, rng: np.random.Generator
) -> Columns:
    """All of a brand's own mentions over the slots of *expected*."""
    at = draw(expected, season.spread, rng)
    parts = [_single(brand, at, len(expected), texts, rng)]
    days = len(expected) * 300 / DAY
    for _ in range(int(rng.poisson(FLURRIES_A_DAY * days))):
        parts.append(_flurry(brand, expected, texts, numbers, rng))
    return Columns.join(parts)


def _single(brand: Brand, at: Floats, slots: int, texts: Texts, rng: np.random.Generator) -> Columns:
    """The share of the negative is another one each day, and wanders over the weeks."""
    days = int(slots * 300 / DAY) + 1
    wander = np.cumsum(rng.normal(0, 0.05, days))
    share = brand.share * np.exp(rng.normal(0, 0.2, days) + wander - wander.mean())
    truth = truths(np.clip(share, 0.01, 0.3)[(at / DAY).astype(int)], rng, len(at))
    return spoken(brand, at, truth, texts, rng, author=regulars(brand, len(at), rng))


def _flurry(brand: Brand, expected: Floats, texts: Texts, numbers: Numbers, rng: np.random.Generator) -> Columns:
    """Some copies of one thing within hours: more of it is negative than usual at times, never most of it."""
    mean = min(0.08 * brand.daily, 30.0)
    size = int(min(3 + rng.exponential(mean), max(6.0, 0.15 * brand.daily), 80.0))
    begin = _moment(expected, rng)
    at = begin + np.sort(rng.exponential(rng.uniform(0.5, 3) * 3600, size))
    at = at[at < len(expected) * 300 - 60]
    truth = truths(min(0.5, float(rng.beta(1.2, 9))), rng, len(at))
    return spoken(
        brand, at, truth, texts, rng, author=regulars(brand, len(at), rng), story=np.full(len(at), numbers.new_story())
    )


def _moment(expected: Floats, rng: np.random.Generator) -> float:
    total = np.cumsum(expected)
    return float(np.searchsorted(total, rng.random() * total[-1]) * 300.0)


def truths(share: "float | Floats", rng: np.random.Generator, count: int, positive: float = 0.3) -> Ints:
    """Negative by *share*; of the rest so much is positive."""
    luck = rng.random(count)
    return np.where(luck < share, 0, np.where(luck < share + (1 - share) * positive, 2, 1)).astype(np.int64)


def regulars(brand: Brand, count: int, rng: np.random.Generator) -> Ints:
    """Authors who speak of the brand again and again, some much more than others."""
    return (brand.number * 100_000 + (20 + 6 * brand.daily) * rng.random(count) ** 2).astype(np.int64)


def strangers(count: int, rng: np.random.Generator, back: float = 0.12) -> Ints:
    """Authors who come for this alone; so many of the mentions are by one who spoke before."""
    found = rng.integers(FRESH_AUTHORS, 2**31 - 1, count)
    again = np.flatnonzero(rng.random(count) < back)
    again = again[again > 0]
    found[again] = found[(again * rng.random(len(again))).astype(int)]
    return found


def lateness(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Seconds until a platform shows it: one in five takes up to 25 minutes, the others up to one."""
    return np.where(rng.random(count) < 0.2, rng.uniform(0, 1500, count), rng.uniform(0, 60, count))


def channels(brand: Brand, count: int, rng: np.random.Generator) -> Ints:
    return np.searchsorted(np.cumsum(brand.channels)[:-1], rng.random(count)).astype(np.int64)


def spoken(brand: Brand, at: Floats, truth: Ints, texts: Texts, rng: np.random.Generator, **given: object) -> Columns:
    """Mentions of one brand as they are written and read; *given* overrides what is drawn here."""
    count = len(at)
    label = given.pop("label", None)
    label = read(truth, rng) if label is None else label
    assert isinstance(label, np.ndarray)
    risky = rng.random(count) < np.where(truth == 0, 0.15, 0.01)
    drawn: dict[str, object] = {
        "kept_back": lateness(count, rng),
        "source": channels(brand, count, rng),
        "risk": np.where(risky, rng.integers(0, 10, count), NO_RISK),
        "text": texts.ordinary(brand.number, truth, rng) if count else np.zeros(0, np.int32),
        "author": strangers(count, rng),
    }
    return columns(
        count, at=np.rint(at), brand=brand.number, truth=truth, label=label, sure=confidences(truth, label, rng),
        **{**drawn, **given},
    )  # fmt: skip
