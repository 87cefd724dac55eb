"""The notation of a series of counts, close to promtool's: ``2x60 40x10``, ``0+5x4``, ``10-2x5``, ``_x3``.

Entries are separated by white space. ``a``: one value. ``axn``: the value n times (promtool writes n+1 of them).
``a+bxn``, ``a-bxn``: the n+1 values a, a±b, …, a±nb, as in promtool. ``_``, ``_xn``: nothing. Values may be decimal
fractions, which add up over the series: ``0.25x8`` is one mention in every fourth step.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MAX_VALUES = 1_000_000
_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_ENTRY = re.compile(rf"(?P<first>_|-?{_NUMBER})(?:(?P<step>[+-]{_NUMBER}))?(?:x(?P<times>\d+))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stretch:
    """``count`` values that begin at ``first`` and rise by ``step``."""

    first: Decimal
    step: Decimal
    count: int

    @property
    def total(self) -> Decimal:
        return self.count * self.first + self.step * (self.count * (self.count - 1) // 2)


@dataclass(frozen=True, slots=True)
class Counts:
    """A series as it was written, not spelled out."""

    stretches: tuple[Stretch, ...]

    def __len__(self) -> int:
        return sum(one.count for one in self.stretches)

    @property
    def total(self) -> int:
        """Mentions in all; a fraction that is left at the end is none."""
        return int(sum((one.total for one in self.stretches), Decimal(0)))

    def whole(self) -> Iterator[int]:
        """How many mentions fall into each step."""
        sum_, made = Decimal(0), 0
        for one in self.stretches:
            for number in range(one.count):
                sum_ += one.first + number * one.step
                now = int(sum_)
                yield now - made
                made = now


def parse_counts(text: str) -> Counts:
    """Raises ValueError, which names the entry that cannot be read."""
    stretches = tuple(_stretch(entry) for entry in text.split())
    if not stretches:
        raise ValueError("holds no value: write counts such as '2x60 40x10'")
    counts = Counts(stretches)
    if len(counts) > MAX_VALUES:
        raise ValueError(f"is longer than {MAX_VALUES:,} values")
    return counts


def _stretch(entry: str) -> Stretch:
    found = _ENTRY.match(entry)
    if found is None or (found["step"] and (found["first"] == "_" or found["times"] is None)):
        raise ValueError(f"{entry!r} is no entry of a series: write a, axn, a+bxn, a-bxn, _ or _xn")
    times = 1 if found["times"] is None else int(found["times"])
    first = Decimal(0) if found["first"] == "_" else Decimal(found["first"])
    step = Decimal(found["step"] or 0)
    count = times + 1 if found["step"] else times
    if first < 0 or first + (count - 1) * step < 0:
        raise ValueError(f"{entry!r} falls below zero, and mentions cannot")
    return Stretch(first, step, count)
