"""When a mention counts, and what is history."""

from datetime import UTC, datetime, timedelta

from listener.pipeline import event_time
from rules.mention import Mention

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def _at(published: datetime | None, *, first_poll: bool = False) -> tuple[datetime, bool]:
    mention = Mention(source="s", channel="c", external_id="1", text="t", published_at=published)
    return event_time(mention, NOW, first_poll=first_poll)


def test_publication_counts_where_it_is_believable() -> None:
    """An hour ago is an hour ago."""
    assert _at(NOW - timedelta(hours=1)) == (NOW - timedelta(hours=1), False)


def test_the_future_means_collected_time() -> None:
    """A date ten years ahead moves nothing; one of four minutes ahead is a clock that is off, and counts as now."""
    assert _at(NOW + timedelta(days=3650)) == (NOW, False)
    assert _at(NOW + timedelta(minutes=4)) == (NOW, False)


def test_older_than_thirty_days_keeps_its_time_and_is_history() -> None:
    """1970 too."""
    assert _at(NOW - timedelta(days=31)) == (NOW - timedelta(days=31), True)
    assert _at(datetime(1970, 1, 1, tzinfo=UTC)) == (datetime(1970, 1, 1, tzinfo=UTC), True)
    assert _at(NOW - timedelta(days=30)) == (NOW - timedelta(days=30), False)


def test_an_undated_item_is_history_in_the_first_poll_alone() -> None:
    """A whole undated archive must not page when a source is added; what comes later is news."""
    assert _at(None, first_poll=True) == (NOW, True)
    assert _at(None, first_poll=False) == (NOW, False)
