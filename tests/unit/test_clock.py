"""The program's clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from listener.clock import Clock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Hands:
    """A wall and a steady clock that are set by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 0.0

    def go(self, seconds: float, *, step: float = 0.0) -> None:
        self.steady += seconds
        self.wall += timedelta(seconds=seconds + step)

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)


def test_it_is_the_wall_where_the_wall_behaves() -> None:
    """Also after a step ahead: the machine slept."""
    hands = Hands()
    clock = hands.clock()
    hands.go(10)
    assert clock() == NOON + timedelta(seconds=10)
    hands.go(10, step=3600)
    assert clock() == NOON + timedelta(seconds=3620)


def test_a_step_back_of_an_hour_is_taken_up_in_two() -> None:
    """Time goes on at half speed, and then it is the wall's again."""
    hands = Hands()
    clock = hands.clock()
    hands.go(0, step=-3600)
    assert clock() == NOON
    hands.go(60)
    assert clock() == NOON + timedelta(seconds=30)
    for _ in range(120):
        hands.go(60)
        clock()
    assert clock() == hands.wall


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e5, 1e5)), max_size=50))
def test_it_never_runs_back(moves: list[tuple[float, float]]) -> None:
    """Whatever the wall does."""
    hands = Hands()
    clock = hands.clock()
    last = clock()
    for seconds, step in moves:
        hands.go(seconds, step=step)
        assert clock() >= last
        last = clock()
