"""How fast a channel may be asked: a pure decision from the times of the requests that were made.

A request may start when, for every rate, fewer than its number were made within its length before. Counting what was
made, rather than filling a bucket, holds over any window and over a restart, because the times are in the outbox.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PATIENCE = timedelta(seconds=60)
"""What would wait longer than this in a channel's queue is told together, in one message."""

_CROWDED = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most *requests* within any *per*. The last *reserve* of them are kept for red alerts."""

    requests: int
    per: timedelta
    reserve: int = 0


def opens_at(rates: Sequence[Rate], made: Iterable[datetime], now: datetime, *, urgent: bool) -> datetime:
    """The earliest time from *now* on at which a request may start.

    ``made``: the times of the requests so far, in any order; a time after *now* (a clock that went back) counts as one
    at *now*. ``urgent``: a red alert, which may use the reserve.
    """
    times = sorted(min(at, now) for at in made)
    at = now
    for rate in rates:
        allowed = rate.requests - (0 if urgent else rate.reserve)
        if len(times) >= allowed:
            at = max(at, times[len(times) - allowed] + rate.per)
    return at


def waits_too_long(
    rates: Sequence[Rate], made: Iterable[datetime], now: datetime, *, urgent: int, others: int = 0
) -> bool:
    """Whether the last of the queue, the urgent ones first, would start more than ``PATIENCE`` after *now*."""
    times = list(made)
    at = now
    for number in range(urgent + others):
        at = opens_at(rates, times, at, urgent=number < urgent)
        if at > now + PATIENCE:
            return True
        times.append(at)
    return False


def off_the_half_hour(at: datetime, name: str) -> datetime:
    """*at*, or a little later where it lies within the first 30 s of a full or half hour, when everybody sends.

    How much later comes from *name*, so that our own channels do not meet either.
    """
    start = at - timedelta(minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond)
    spread = timedelta(seconds=5 + zlib.crc32(name.encode()) % 25)
    return max(at, start + spread) if at - start < _CROWDED else at
