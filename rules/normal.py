"""What is usual for a series of counts: by hour of the week, by how it has been lately, and how far it strays.

Three things are learnt from each closed bin, and from nothing else.

* *Season*: the mean count of the hour of the week, shrunk towards (work or rest day, hour), towards the hour of the day,
  and towards the whole: ``(PRIOR * parent + sum) / (PRIOR + weight)``, weights fading by FADE a week. A slow factor, the
  *level*, moves all of it, so that a brand that has doubled is not a crisis for ever. On a holiday, or a weekend that is
  worked, the day's own kind is asked and the weekday is not.
* *Lately*: an exponential mean with a half-life of two days, hour and weekday left aside.
* *Straying*: for every window that ended with a bin, how far it was from either: ``log((count + 1) / (expected + 1))``.

``surprise`` is ``-log10`` of the share of such windows that strayed as far: 2 is one in a hundred of this series' own.
Above the 95th percentile the share is that of an exponential tail (peaks over threshold: Siffer et al., KDD 2017, with
the exponential as the tail's simplest form), so that what was never seen has a figure too. It is the smaller of the
two, from the season and from lately: a busy hour that is usual is no surprise, nor is one that is as busy as yesterday
because of the hour. And it is never more than a Poisson count of what is expected would be surprised, so that three
mentions where one was expected stay what they are. Nor is that taken at its word where next to nothing was seen: half a
count is added to all that was, which is the posterior mean ``(k + 1/2) / n`` of a Poisson rate under Jeffreys' prior
(Jeffreys, Proceedings of the Royal Society A 186, 1946). So the first mention after a day of none is one window in fifty,
and after two months one in a thousand or so.

A bin's count is cut at four standard deviations of an over-dispersed count before it teaches, and a window's straying
at a surprise of 3, so that a crisis does not become what is usual.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rules.calendar import HOURS_OF_WEEK, Calendar, Slot

FADE = 0.85
PRIOR = 2.0
LEVEL_HALF_LIFE = 28 * 1440
LATELY_HALF_LIFE = 2 * 1440
COLD_FOR = 3 * 1440
DAILY_FOR = 14 * 1440
WEEK = 7 * 1440
_LEVEL_MOST = math.log(3.3)
_CUT = 4.0
_DISPERSION = 0.3
_TAIL = 0.95
_MOST_TAUGHT = 3.0
_STEPS = 0.05
_LOWEST = -3.0
_BUCKETS = 240
_SLOTS = HOURS_OF_WEEK + 48 + 24 + 1
_GAIN_MOST = 1e9
_FEWEST = 12
_HEAD = 8
_LN10 = math.log(10)
_NOTHING = (0, 0, 0.0)

Baseline = Literal["none", "cold", "daily", "weekly"]


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a window: what season and what lately lead to expect, in the counted unit, and how surprising *count* is."""

    count: int
    season: float
    lately: float
    surprise: float
    baseline: Baseline

    @property
    def usual(self) -> float:
        """The larger of the two: what a count has to exceed to be a surprise at all."""
        return max(self.season, self.lately)


class Normal:
    """What is learnt so far. ``size``: minutes of a bin; ``span``: bins of the window that is asked about.

    ``learnt``: how many bins. ``gain``: what a bin that is learnt now weighs; it grows, which is the same as letting
    the older ones fade.
    """

    __slots__ = (
        "_asked",
        "_counts",
        "_marks",
        "_strays",
        "calendar",
        "gain",
        "lately",
        "learnt",
        "level",
        "size",
        "span",
    )

    def __init__(self, size: int, span: int, calendar: Calendar) -> None:
        self.size, self.span, self.calendar = size, span, calendar
        self.learnt, self.gain = 0, 1.0
        self._asked = _NOTHING  # the window that was asked about last, and what its season leads to expect
        self.level, self.lately = 0.0, 0.0
        # Sums of counts, and of weights: 168 hours of the week, 48 of (work, rest) days, 24 of the day, the whole.
        self._counts = array("d", bytes(8 * _SLOTS))
        self._marks = array("d", bytes(8 * _SLOTS))
        self._strays = (_Strays(), _Strays())

    @property
    def baseline(self) -> Baseline:
        minutes = self.learnt * self.size
        if not minutes:
            return "none"
        return "cold" if minutes < COLD_FOR else "daily" if minutes < DAILY_FOR else "weekly"

    def learn(self, end: int, counts: Sequence[int], *, dark: bool = False) -> None:
        """Take in the bin that ends at minute *end*: the last of *counts*, which are those of the window that it ends.

        *dark*: something could not be seen then, so the bin counts as no less than is usual there, and in the pools as no
        less than the mean of its own hour, towards which nothing is shrunk: dark hours leave what is expected as it was.
        """
        self._asked = _NOTHING
        count, slot = float(counts[-1]), self.calendar.slot(end - self.size)
        usual = self._mean(slot) * math.exp(self.level)
        if dark:
            count = max(count, usual if self.learnt else 0.0)
        if self.learnt:
            self._stray(end, counts, max(count - counts[-1], 0.0))
            cut = min(count, usual + _CUT * math.sqrt(usual + _DISPERSION * usual * usual) + 1)
            drift = math.log((cut + 0.5) / (usual + 0.5))
            self.level += _share(self.size, LEVEL_HALF_LIFE) * max(-_LEVEL_MOST, min(_LEVEL_MOST, drift))
            self.level = max(-_LEVEL_MOST, min(_LEVEL_MOST, self.level))
            # A mean of few bins follows them; later ones move it as the half-life has it.
            share = max(_share(self.size, LATELY_HALF_LIFE), 1 / (self.learnt + 1))
            self.lately += share * (min(count, _CUT * self.lately + _CUT) - self.lately)
        else:
            cut = self.lately = count
        places = _places(slot)
        if dark and self._marks[places[0]]:
            cut = max(min(float(counts[-1]), cut), self._counts[places[0]] / self._marks[places[0]])
        for place in places:
            self._counts[place] += self.gain * cut
            self._marks[place] += self.gain
        self.learnt += 1
        self.gain *= FADE ** (-self.size / WEEK)
        if self.gain > _GAIN_MOST:
            self._rescale()

    def expected(self, now: int, minutes: int, count: int) -> Expected:
        """Of the *minutes* before minute *now*, in which *count* were counted."""
        if not self.learnt:
            return Expected(count, 0.0, 0.0, 0.0, "none")
        if self._asked[:2] != (now, minutes):
            self._asked = now, minutes, self._season(now, minutes)
        season, lately = self._asked[2], self.lately * minutes / self.size
        mean = max(season, lately) + self._unseen(minutes)
        most = poisson(count, mean)
        by_season = self._strays[0].surprise(_far(count, season), self.gain)
        by_lately = self._strays[1].surprise(_far(count, lately), self.gain)
        if by_season is None or by_lately is None:
            surprise = overdispersed(count, mean, _DISPERSION)
        else:
            surprise = min(by_season, by_lately, most)
        return Expected(count, season, lately, surprise, self.baseline)

    def _unseen(self, minutes: int) -> float:
        """Half a count over all that is remembered, per *minutes*: so many may be usual although none were seen."""
        return 0.5 * minutes * self.gain / (self._marks[-1] * self.size)

    def _season(self, now: int, minutes: int) -> float:
        """The sum over the hours that the window touches, each by its share."""
        total, at, begin = 0.0, now, now - minutes
        while at > begin:
            hour = (at - 1) // 60 * 60
            start = max(hour, begin)
            total += self._mean(self.calendar.slot(start)) * (at - start)
            at = start
        return total * math.exp(self.level) / self.size

    def _mean(self, slot: Slot) -> float:
        """Per bin, of an hour of this kind, level apart."""
        counts, marks, gain = self._counts, self._marks, self.gain
        mean = counts[-1] / marks[-1] if marks[-1] else 0.0
        for place in reversed(_places(slot)[:-1]):
            mean = (PRIOR * gain * mean + counts[place]) / (PRIOR * gain + marks[place])
        return mean

    def _stray(self, end: int, counts: Sequence[int], more: float) -> None:
        count, minutes = sum(counts) + more, len(counts) * self.size
        self._strays[0].add(_far(count, self._season(end, minutes)), self.gain)
        self._strays[1].add(_far(count, self.lately * len(counts)), self.gain)

    def _rescale(self) -> None:
        for held in (self._counts, self._marks, *(one.buckets for one in self._strays)):
            for place, value in enumerate(held):
                held[place] = value / self.gain
        for strays in self._strays:
            strays.recount()
        self.gain = 1.0

    def dump(self) -> bytes:
        """All that is learnt; ``load`` of it behaves the same for ever."""
        # The running sums too: summed anew they would differ in the last bit.
        strays = (figure for one in self._strays for figure in (one.samples, one.whole))
        head = array("d", (self.learnt, self.gain, self.level, self.lately, *strays))
        return b"".join(
            held.tobytes() for held in (head, self._counts, self._marks, *(s.buckets for s in self._strays))
        )

    def load(self, state: bytes) -> None:
        """Raises ValueError for what ``dump`` did not make."""
        whole = array("d")
        whole.frombytes(state)
        if len(whole) != _HEAD + 2 * _SLOTS + 2 * _BUCKETS:
            raise ValueError(f"{len(whole)} figures are no baseline")
        learnt, self.gain, self.level, self.lately, *strays = whole[:_HEAD]
        self.learnt, self._asked = int(learnt), _NOTHING
        parts, at = [], _HEAD
        for length in (_SLOTS, _SLOTS, _BUCKETS, _BUCKETS):
            parts.append(whole[at : at + length])
            at += length
        self._counts, self._marks = parts[0], parts[1]
        self._strays = (_Strays(parts[2], int(strays[0]), strays[1]), _Strays(parts[3], int(strays[2]), strays[3]))


class _Strays:
    """How far windows strayed, as a histogram whose older entries fade. ``whole``: its sum; ``top``: past its last entry."""

    __slots__ = ("_tail", "buckets", "samples", "top", "whole")

    def __init__(self, buckets: "array[float] | None" = None, samples: int = 0, whole: float = 0.0) -> None:
        self.buckets = array("d", bytes(8 * _BUCKETS)) if buckets is None else buckets
        self.samples = samples
        self.recount()
        self.whole = whole

    def recount(self) -> None:
        """After the buckets were changed from outside."""
        self.whole = float(sum(self.buckets))
        self.top = _BUCKETS
        while self.top and not self.buckets[self.top - 1]:
            self.top -= 1
        self._tail: tuple[float, float] | None = None

    def add(self, far: float, weight: float) -> None:
        if self.samples >= _FEWEST:
            threshold, mean = self._shape()
            far = min(far, threshold + mean * _LN10 * (_MOST_TAUGHT + math.log10(1 - _TAIL)))
        place = _bucket(far)
        self.buckets[place] += weight
        self.whole += weight
        self.top = max(self.top, place + 1)
        self.samples += 1
        self._tail = None

    def surprise(self, far: float, weight: float) -> float | None:
        """``-log10`` of the share that strayed as far; None where too few have been seen. *weight*: of one."""
        if self.samples < _FEWEST:
            return None
        threshold, mean = self._shape()
        if far > threshold:
            return -math.log10(1 - _TAIL) + (far - threshold) / mean / _LN10
        above = float(sum(self.buckets[_bucket(far) : self.top]))
        return max(0.0, -math.log10((above + weight) / (self.whole + weight)))

    def _shape(self) -> tuple[float, float]:
        """The 95th percentile, and the mean excess above it."""
        if self._tail is None:
            most, above, excess, place = (1 - _TAIL) * self.whole, 0.0, 0.0, self.top
            buckets = self.buckets
            while place and above + buckets[place - 1] <= most:
                place -= 1
                # What lies above this bucket lies one step further from the next.
                excess += _STEPS * above + buckets[place] * _STEPS / 2
                above += buckets[place]
            # The bucket that the percentile falls in counts as far as the percentile reaches into it.
            excess += _STEPS * above + (most - above) * _STEPS / 2
            threshold = _LOWEST + (place - 1) * _STEPS
            self._tail = (threshold, max(excess / max(most, 1e-300), _STEPS))
        return self._tail


def poisson(count: int, mean: float) -> float:
    """``-log10 P(X >= count)`` of a Poisson variable, by its first term and a geometric bound of the rest."""
    if count <= mean or not count:
        return 0.0
    if mean <= 0:
        return math.inf
    first = count * math.log(mean) - mean - math.lgamma(count + 1)
    return max(0.0, -(first - math.log1p(-mean / (count + 1))) / _LN10)


def overdispersed(count: int, mean: float, dispersion: float) -> float:
    """The same of a negative binomial variable with variance ``mean + dispersion * mean ** 2``."""
    if count <= mean or not count:
        return 0.0
    if mean <= 0:
        return math.inf
    size = 1 / dispersion
    share = mean / (mean + size)
    first = math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1)
    first += size * math.log1p(-share) + count * math.log(share)
    ratio = max(share, share * (count + size) / (count + 1))
    if ratio >= 1:
        return 0.0
    return max(0.0, -(first - math.log1p(-ratio)) / _LN10)


def overdispersed_below(count: int, mean: float) -> float:
    """``-log10 P(X <= count)`` of a negative binomial variable with the dispersion that is assumed before any is known."""
    size = 1 / _DISPERSION
    share = mean / (mean + size)
    if share <= 0:
        return 0.0
    term = total = math.exp(size * math.log1p(-share))
    for at in range(count):
        term *= share * (at + size) / (at + 1)
        total += term
    return max(0.0, -math.log10(min(1.0, max(total, 1e-300))))


def _far(count: float, expected: float) -> float:
    return math.log((count + 1) / (expected + 1))


def _bucket(far: float) -> int:
    return max(0, min(_BUCKETS - 1, int((far - _LOWEST) / _STEPS)))


def _places(slot: Slot) -> tuple[int, ...]:
    """Where an hour counts, from the narrowest to the whole."""
    pools = (HOURS_OF_WEEK + 24 * slot.rest + slot.hour, HOURS_OF_WEEK + 48 + slot.hour, _SLOTS - 1)
    return pools if slot.week is None else (slot.week, *pools)


def _share(size: int, half_life: int) -> float:
    """How far a mean moves towards a bin's count."""
    return 1 - math.exp2(-size / half_life)
