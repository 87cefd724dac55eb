"""When to try a refused notification again: a pure decision."""

from datetime import datetime, timedelta

from alerts.channel import DeliveryError

BASE = timedelta(seconds=1)
CAP = timedelta(minutes=5)
GIVE_UP = timedelta(hours=24)

_DOUBLINGS = 9  # BASE doubled this often has passed CAP; more would only overflow


def next_attempt(
    error: DeliveryError, *, attempts: int, first_at: datetime, now: datetime, random: float
) -> datetime | None:
    """When to try again; None: the notification is dead.

    ``attempts`` counts those made, this one too; ``first_at`` is when the first was due; ``random`` is in [0, 1).
    Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015): anywhere up to ``BASE`` doubled
    per attempt, at most ``CAP``; never before the receiver's Retry-After. What cannot be tried within ``GIVE_UP`` of
    ``first_at`` is dead now, so that it is told elsewhere soon.
    """
    if not error.retryable:
        return None
    ceiling = min(CAP, BASE * 2 ** min(max(attempts, 1) - 1, _DOUBLINGS))
    at = now + max(ceiling * random, error.retry_after or timedelta(0))
    return at if at <= first_at + GIVE_UP else None
