"""When a source is asked again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from listener.collectors import FileConfig
from listener.poll import BACKOFF_CAP, RETRY_AFTER_CAP, next_poll

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def _source(every: timedelta = timedelta(minutes=5)) -> FileConfig:
    return FileConfig(type="file", id="s", channel="c", path="x", every=every)


def _next(*, failures: int = 0, wait: timedelta | None = None, chance: float = 0.5, every: int = 300) -> timedelta:
    source = _source(timedelta(seconds=every))
    return next_poll(source, ended_at=NOW, failures=failures, wait=wait, more=False, chance=chance) - NOW


def test_a_good_poll_waits_the_interval_give_or_take_a_tenth() -> None:
    """Jitter is a tenth to either side."""
    assert _next(chance=0.0) == timedelta(seconds=270)
    assert _next(chance=0.5) == timedelta(seconds=300)
    assert _next(chance=1.0) == timedelta(seconds=330)


def test_failures_double_the_wait_up_to_an_hour_and_never_end_it() -> None:
    """The thousandth failure is followed by a poll within the hour."""
    assert _next(failures=1, chance=1.0) == timedelta(minutes=5)
    assert _next(failures=2, chance=1.0) == timedelta(minutes=10)
    assert _next(failures=1000, chance=1.0) == BACKOFF_CAP


def test_a_source_slower_than_the_cap_keeps_its_interval() -> None:
    """A daily source that fails is asked again the next day, not each hour."""
    assert _next(failures=9, chance=1.0, every=86_400) == timedelta(days=1)


def test_retry_after_is_the_least_and_is_capped() -> None:
    """What the source asked for wins where it is longer, up to a day."""
    assert _next(failures=1, wait=timedelta(minutes=30)) == timedelta(minutes=30)
    assert _next(wait=timedelta(seconds=1)) == timedelta(minutes=5)
    assert _next(failures=1, wait=timedelta(days=365)) == RETRY_AFTER_CAP


def test_more_at_once_waits_for_nothing() -> None:
    """A file that is behind is read on without a pause."""
    assert next_poll(_source(), ended_at=NOW, failures=0, wait=None, more=True, chance=0.3) == NOW


@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(1, 7 * 86_400))
def test_the_next_poll_is_always_ahead_and_never_far(failures: int, chance: float, every: int) -> None:
    """No source is hammered and none is forgotten."""
    pause = _next(failures=failures, chance=chance, every=every)
    assert timedelta(0) < pause <= max(BACKOFF_CAP, 1.1 * timedelta(seconds=every))
