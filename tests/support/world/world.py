"""A world of brands, what is said of them, the crises among it and what only looks like one; from a seed alone.

Seeds 1 to 5 are for developing rules against. Higher ones are kept aside: judge by them, once, and fit nothing on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from tests.support.world import seasons
from tests.support.world.background import Numbers, background
from tests.support.world.cascades import Cascades, from_folder
from tests.support.world.columns import Columns
from tests.support.world.happenings import IMPORT, Stage, Truth, happen
from tests.support.world.schedule import DAY, HOUR, Outage, outages, schedule
from tests.support.world.seasons import CHINA, SLOTS, Floats, Season
from tests.support.world.texts import Texts
from tests.support.world.voices import CHANNELS, Brand, brands

SOURCES = (*CHANNELS, "aggregator", "archive")
"""A mention's ``source`` is a place in it. The aggregator brings what weibo has, the archive is pushed to and never polled."""
POLLED = 6
EVERY = 300.0
# Four weeks before each of these lie in 2026 too; eight weeks after each have holidays and make-up days in them.
_BEGINNINGS = (
    datetime(2026, 2, 2, tzinfo=CHINA),
    datetime(2026, 3, 30, tzinfo=CHINA),
    datetime(2026, 8, 31, tzinfo=CHINA),
)


@dataclass(frozen=True, slots=True)
class Config:
    """``history``: weeks before the first happening; ``least``, ``most``: mentions a day of the smallest brand and the largest.

    Without ``nab`` seasons are made up, without ``cascades`` the spreading is.
    """

    seed: int = 1
    brands: int = 60
    weeks: int = 8
    history: int = 4
    least: float = 3.0
    most: float = 2000.0
    outages: int = 6
    nab: Path | None = None
    cascades: Path | None = None


@dataclass(frozen=True, slots=True)
class Polls:
    """Of one source: when each began and ended, and whether it was good."""

    begin: Floats
    end: Floats
    good: "np.ndarray[tuple[int], np.dtype[np.bool_]]"


@dataclass(frozen=True)
class World:
    """``columns`` are in order of ``at``; ``came``: when each was committed, in seconds since ``start``, NaN for never."""

    config: Config
    start: datetime
    brands: Sequence[Brand]
    truths: Sequence[Truth]
    columns: Columns
    came: Floats
    polls: Sequence[Polls]
    outages: Sequence[Outage]
    texts: Sequence[str]

    @property
    def live(self) -> tuple[float, float]:
        """From when on happenings are, and until when, in seconds."""
        return self.config.history * 7 * DAY, (self.config.history + self.config.weeks) * 7 * DAY

    def time(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    @cached_property
    def crises(self) -> list[Truth]:
        return [one for one in self.truths if one.crisis]

    def negative(self, brand: int) -> tuple[Floats, Floats]:
        """When what is read as negative of a brand was published, and when it came, by the first of the two."""
        own, c = self.columns, self.came
        which = (((own.brand == brand) & (own.label == 0)) | ((own.second == brand) & (own.rival == 0))) & ~np.isnan(c)
        return own.at[which], c[which]


def build(config: Config) -> World:
    """The world of a configuration, always the same. Raises ValueError where it does not fit into 2026."""
    rng = np.random.default_rng(config.seed)
    first = _BEGINNINGS[config.seed % len(_BEGINNINGS)]
    start = first - timedelta(weeks=config.history)
    days = 7 * (config.history + config.weeks)
    if start.year != 2026 or (start + timedelta(days=days)).year != 2026:  # noqa: PLR2004
        raise ValueError("the world must lie in 2026, for which the holidays are known: fewer weeks, please")
    real = seasons.from_nab(config.nab) if config.nab else []
    cascades = Cascades(from_folder(config.cascades) if config.cascades else ())
    people = brands(config.brands, config.least, config.most, rng)
    texts, numbers = Texts(people), Numbers()
    expected, usual = [], []
    for brand in people:
        season = _season(real, rng)
        level = seasons.lay(season, brand.daily, start, days, festive=brand.festive, drift=brand.drift, rng=rng)
        expected.append(level)
        usual.append(background(brand, season, level, texts, numbers, rng))
    span = (config.history * 7 * DAY, days * DAY)
    plans = schedule(people, start, span, rng)
    added, truths = happen(plans, Stage(people, expected, usual, cascades, texts, numbers), rng)
    columns = _together(usual, added, days * SLOTS * float(seasons.SLOT))
    downs = outages(span, config.outages, rng)
    polls = [_polls(number, days * DAY, downs, rng) for number in range(POLLED)]
    came = _collect(columns, polls)
    truths = sorted([*truths, *_outage_truths(downs, truths, columns, people)], key=lambda one: (one.begin, one.brand))
    return World(config, start, people, truths, columns, came, polls, downs, texts.said)


def _season(real: Sequence[Season], rng: np.random.Generator) -> Season:
    """One of the real ones, with another day of rest and some of its unrest, or one made up."""
    if not real:
        return seasons.made_up(rng)
    chosen = real[int(rng.integers(len(real)))]
    hours = chosen.hours * np.array([[1.0], [rng.uniform(0.6, 1.3)]])
    unrest = 1 + (chosen.unrest - 1) * rng.uniform(0.6, 1.0)
    return replace(chosen, hours=hours / ((5 * hours[0].mean() + 2 * hours[1].mean()) / 7), unrest=unrest)


def _together(usual: list[Columns], added: list[Columns], end: float) -> Columns:
    """All mentions in order of publication; what copies another names its new place."""
    firsts = np.cumsum([0, *(len(one) for one in usual)])
    for one in added:
        if len(one) and one.copy_of[0] >= 0:
            one.copy_of[:] += firsts[int(one.brand[0])]
    joined = Columns.join([*usual, *added])
    order = np.flatnonzero(joined.at < end)
    order = order[np.argsort(joined.at[order], kind="stable")]
    place = np.full(len(joined) + 1, -1)
    place[order] = np.arange(len(order))
    sorted_ = joined.take(order)
    sorted_.copy_of[:] = np.where(sorted_.copy_of >= 0, place[sorted_.copy_of], -1)
    return sorted_


def _polls(number: int, end: float, downs: Sequence[Outage], rng: np.random.Generator) -> Polls:
    """Every five minutes, each source at a second of its own; a source that is down answers nothing."""
    begin = np.arange(number * 37.0 + 11, end, EVERY)
    begin += rng.uniform(0, 5, len(begin))
    good = np.ones(len(begin), bool)
    for down in downs:
        if SOURCES[number] == down.source:
            good &= (begin < down.begin) | (begin >= down.end)
    begin = np.rint(begin)
    return Polls(begin, begin + rng.integers(3, 15, len(begin)), good)


def _collect(columns: Columns, polls: Sequence[Polls]) -> Floats:
    """When each mention is committed: at the end of the first good poll that begins after it can be seen."""
    came = np.full(len(columns), np.nan)
    seen = columns.at + columns.kept_back
    for number, source in enumerate(polls):
        which = np.flatnonzero(columns.source == number)
        begins, ends = source.begin[source.good], source.end[source.good]
        place = np.searchsorted(begins, seen[which], side="right")
        found = place < len(begins)
        came[which[found]] = ends[place[found]]
    pushed = columns.source == IMPORT
    came[pushed] = np.rint(seen[pushed])
    return came


def _outage_truths(
    downs: Sequence[Outage], truths: Sequence[Truth], columns: Columns, people: Sequence[Brand]
) -> list[Truth]:
    """An outage is a decoy for each brand that it kept five mentions or more from, if nothing else happened to it."""
    found = []
    for down in downs:
        source = SOURCES.index(down.source)
        held = (columns.source == source) & (columns.at >= down.begin) & (columns.at < down.end)
        counts = np.bincount(columns.brand[held], minlength=len(people))
        for brand in np.flatnonzero(counts >= 5):  # noqa: PLR2004
            busy = any(
                one.brand == brand and one.begin < down.end + DAY and down.begin < one.end + DAY for one in truths
            )
            if not busy:
                found.append(Truth("outage", int(brand), down.begin, down.end + 2 * HOUR, False, int(counts[brand])))
    return found
