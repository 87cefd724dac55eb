"""When a refused notification is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts import DeliveryError
from alerts.retry import CAP, FAILURES, GIVE_UP, PROBE, is_the_channels, next_attempt

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def error(*, retryable=True, retry_after=None):
    return DeliveryError("server", "HTTP 500", retryable=retryable, retry_after=retry_after)


@pytest.mark.parametrize(
    ("attempts", "ceiling"), [(0, 1), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (11, 300), (10_000, 300)]
)
def test_backoff_doubles_to_its_cap(attempts, ceiling):
    """The wait is a random part of a ceiling that doubles from 1 s to 5 min."""

    def wait(random):
        return next_attempt(error(), attempts=attempts, first_at=T0, now=T0, random=random) - T0

    assert timedelta(0) == wait(0.0)
    assert timedelta(seconds=ceiling) / 2 == wait(0.5)
    assert CAP >= timedelta(seconds=ceiling) == wait(1.0)


def test_permanent_refusal_is_dead():
    """What a retry cannot mend is dead at once."""
    assert next_attempt(error(retryable=False), attempts=1, first_at=T0, now=T0, random=0.5) is None


@pytest.mark.parametrize("random", [0.0, 0.3, 1.0])
def test_retry_after_is_obeyed(random):
    """No attempt comes before the time that the receiver asked for."""
    asked = timedelta(seconds=30)
    for attempts in range(1, 20):
        at = next_attempt(error(retry_after=asked), attempts=attempts, first_at=T0, now=T0, random=random)
        assert at >= T0 + asked


def test_dead_after_a_day():
    """The last attempt lies within 24 h of the first."""
    late = T0 + GIVE_UP - timedelta(seconds=10)
    assert next_attempt(error(), attempts=99, first_at=T0, now=late, random=0.01) == late + CAP * 0.01
    assert next_attempt(error(), attempts=99, first_at=T0, now=late, random=0.9) is None
    assert next_attempt(error(), attempts=99, first_at=T0, now=T0 + 2 * GIVE_UP, random=0.0) is None


def test_a_wait_past_the_day_is_dead_now():
    """A Retry-After beyond the 24 h is not waited for: it is told elsewhere at once. More than an hour is never waited."""
    asked = error(retry_after=timedelta(days=2))
    assert next_attempt(asked, attempts=1, first_at=T0, now=T0, random=0.0) == T0 + timedelta(hours=1)
    late = T0 + timedelta(hours=23, minutes=30)
    assert next_attempt(asked, attempts=1, first_at=T0, now=late, random=0.0) is None
    absurd = error(retry_after=timedelta.max)
    assert next_attempt(absurd, attempts=1, first_at=T0, now=T0, random=0.0) == T0 + timedelta(hours=1)


def test_a_channel_that_is_down_is_tried_every_thirty_seconds():
    """From the fifth failure in a row the wait is 30 s, whatever the attempt; a longer Retry-After still binds."""
    for failures, wait in ((4, timedelta(0)), (FAILURES, PROBE), (50, PROBE)):
        at = next_attempt(error(), attempts=30, first_at=T0, now=T0, random=0.0, failures=failures)
        assert at == T0 + wait
    asked = error(retry_after=timedelta(minutes=10))
    at = next_attempt(asked, attempts=3, first_at=T0, now=T0, random=0.0, failures=FAILURES)
    assert at == T0 + timedelta(minutes=10)


def test_only_what_the_channel_is_to_blame_for_counts_against_it():
    """A text that is refused says nothing of the channel; a wrong key and an outage do."""
    assert [
        is_the_channels(DeliveryError(reason, "", retryable=retryable))
        for reason, retryable in (("client", False), ("too_long", False), ("auth", False), ("server", True))
    ] == [False, False, True, True]
