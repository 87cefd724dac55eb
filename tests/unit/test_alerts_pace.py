"""How fast a channel may be asked: never more than its rates, red before the rest, and not a moment later than that."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.pace import PATIENCE, Rate, off_the_half_hour, opens_at, waits_too_long

NOW = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWENTY = (Rate(20, MINUTE, reserve=5),)


def seconds(*offsets: float) -> list[datetime]:
    return [NOW + timedelta(seconds=offset) for offset in offsets]


RATES = st.lists(
    st.builds(
        lambda requests, per, reserve: Rate(requests, timedelta(seconds=per), min(reserve, requests - 1)),
        st.integers(1, 12),
        st.integers(1, 90),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=3,
)


@given(RATES, st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60))
def test_no_window_holds_more_than_its_rate(rates, wanted):
    """Whatever is wanted and when: started at the earliest time each, no window of any rate is ever overfull."""
    made: list[tuple[datetime, bool]] = []
    at = NOW
    for gap, urgent in wanted:
        at = opens_at(rates, [one for one, _ in made], at + timedelta(seconds=gap), urgent=urgent)
        made.append((at, urgent))
    for rate in rates:
        for number, (start, urgent) in enumerate(made):
            before = sum(1 for one, _ in made[:number] if one > start - rate.per)
            assert before < rate.requests - (0 if urgent else rate.reserve)


@given(RATES, st.lists(st.floats(-100, 0), max_size=40), st.booleans())
def test_it_opens_as_soon_as_it_may(rates, before, urgent):
    """A moment before, some rate is used up; and what is open stays open for red."""
    made = seconds(*before)
    at = opens_at(rates, made, NOW, urgent=urgent)
    assert opens_at(rates, made, NOW, urgent=True) <= at
    if at > NOW:
        early = at - timedelta(microseconds=1)
        allowed = [rate.requests - (0 if urgent else rate.reserve) for rate in rates]
        assert any(
            sum(1 for one in made if one > early - rate.per) >= most for rate, most in zip(rates, allowed, strict=True)
        )


def test_the_reserve_is_for_red():
    """Fifteen a minute for the rest, five more for red, and then nothing before the first is a minute old."""
    fifteen = seconds(*range(15))
    at = NOW + timedelta(seconds=15)
    assert opens_at(TWENTY, fifteen, at, urgent=False) == NOW + MINUTE
    assert opens_at(TWENTY, fifteen, at, urgent=True) == at
    twenty = [*fifteen, *seconds(15, 16, 17, 18, 19)]
    assert opens_at(TWENTY, twenty, at, urgent=True) == NOW + MINUTE


def test_a_time_ahead_counts_as_now():
    """A clock that went back an hour does not stop the channel for an hour."""
    ahead = seconds(*[3600] * 20)
    assert opens_at(TWENTY, ahead, NOW, urgent=True) == NOW + MINUTE


@pytest.mark.parametrize(
    ("used", "urgent", "others", "too_long"),
    [
        (0, 0, 15, False),
        (0, 0, 16, False),  # the sixteenth goes when the first is a minute old
        (0, 0, 31, True),
        (15, 0, 15, False),
        (15, 0, 16, True),
        (15, 5, 0, False),
        (0, 20, 0, False),
        (0, 41, 0, True),
        (0, 5, 11, False),
        (0, 0, 500, True),
    ],
)
def test_how_long_a_queue_waits(used, urgent, others, too_long):
    """By what was used and what stands before."""
    made = seconds(*[-0.001] * used)
    assert waits_too_long(TWENTY, made, NOW, urgent=urgent, others=others) is too_long
    assert timedelta(seconds=60) == PATIENCE


@given(st.timedeltas(timedelta(0), timedelta(days=2)), st.text(max_size=10))
def test_the_half_hour_is_left_to_others(after, name):
    """Within the first half minute a little later, else at once; never earlier, and never by more than that."""
    at = NOW + after
    got = off_the_half_hour(at, name)
    assert timedelta(0) <= got - at < timedelta(seconds=30)
    assert got == off_the_half_hour(got, name)
    into = at - at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)
    if into >= timedelta(seconds=30):
        assert got == at
    else:
        assert got - (at - into) >= timedelta(seconds=5)
