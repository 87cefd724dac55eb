"""When to try a refused notification again: pure decisions."""

from datetime import datetime, timedelta

from alerts.channel import DeliveryError

BASE = timedelta(seconds=1)
CAP = timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)
FAILURES = 5
"""So many in a row, and the channel counts as down: its circuit breaker is open."""
PROBE = timedelta(seconds=30)
"""While it is open the channel is tried once in this time, and by nothing else."""

_DOUBLINGS = 9  # BASE doubled this often has passed CAP; more would only overflow
_OF_THE_MESSAGE = frozenset({"client", "too_long"})


def next_attempt(
    error: DeliveryError, *, attempts: int, first_at: datetime, now: datetime, random: float, failures: int = 0
) -> datetime | None:
    """When to try again; None: the notification is dead.

    ``attempts`` counts those made, this one too; ``first_at`` is when the first was due; ``random`` is in [0, 1);
    ``failures``: the channel's in a row, this one too.
    Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015): anywhere up to ``BASE`` doubled
    per attempt, at most ``CAP``; ``PROBE`` where the channel is down; never before the receiver's Retry-After. What cannot
    be tried within ``GIVE_UP`` of ``first_at`` is dead now, so that it is told elsewhere soon.
    """
    if not error.retryable:
        return None
    ceiling = min(CAP, BASE * 2 ** min(max(attempts, 1) - 1, _DOUBLINGS))
    wait = PROBE if is_down(failures) else ceiling * random
    at = now + max(wait, error.retry_after or timedelta(0))
    return at if at <= first_at + GIVE_UP else None


def is_down(failures: int) -> bool:
    """Whether the circuit breaker is open after so many failures in a row (Nygard, "Release It!", 2007)."""
    return failures >= FAILURES


def is_the_channels(error: DeliveryError) -> bool:
    """Whether a failure speaks against the channel; a refused text or size speaks against that one message."""
    return error.retryable or error.reason not in _OF_THE_MESSAGE
