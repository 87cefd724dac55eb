"""The life of an alert as a pure function, where the engine's own tests do not reach."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts import Level
from rules.episode import Episode, Sight, Timing, episode_id, step, waits
from tests.support.engine_log import after
from tests.support.examples import examples

KEEP, MINUTE = timedelta(minutes=10), timedelta(minutes=1)
TIMING = Timing(timedelta(0), KEEP)


def follow(levels: Sequence[Level | None], timing: Timing = TIMING) -> list[tuple[int, str, Level]]:
    """What is told when these levels are seen, a minute apart: (minute, event, level)."""
    episode: Episode | None = None
    told = []
    for minute, level in enumerate(levels):
        sight = Sight(level, 5, ("s",), after(minute))
        episode, event = step(episode, sight, timing, "f", after(minute))
        if event is not None:
            assert episode is not None
            told.append((minute, event, episode.level))
    return told


def test_lowered_to_the_highest_level_of_the_quieter_time() -> None:
    """From red through orange to yellow it falls to orange first, and to yellow after as long again."""
    levels = [Level.red, *[Level.orange] * 2, *[Level.yellow] * 30]
    assert follow(levels) == [(0, "opened", Level.red), (11, "lowered", Level.orange), (21, "lowered", Level.yellow)]


def test_a_gap_belongs_to_the_quieter_time() -> None:
    """Minutes at which nothing holds count as lower too, and do not resolve it while they are short."""
    levels = [Level.red, None, None, *[Level.blue] * 30]
    assert follow(levels) == [(0, "opened", Level.red), (11, "lowered", Level.blue)]


def test_a_level_that_returns_starts_the_wait_again() -> None:
    """One minute back at red within the wait, and the fall is counted anew."""
    levels = [Level.red, *[Level.blue] * 8, Level.red, *[Level.blue] * 30]
    assert follow(levels) == [(0, "opened", Level.red), (20, "lowered", Level.blue)]


def test_resolved_at_the_level_that_was_told_last() -> None:
    """A recovery is told once, at the level that people know."""
    assert follow([Level.orange, *[None] * 30]) == [(0, "opened", Level.orange), (11, "resolved", Level.orange)]


def aging(levels: Sequence[Level | None], hold: int = 0) -> list[tuple[int, str, int, int]]:
    """What is told where alerts end at an hour: (minute, event, the minute in which the alert opened, and since when it stands)."""
    timing = Timing(timedelta(minutes=hold), KEEP, timedelta(hours=1))
    episode: Episode | None = None
    told = []
    for minute, level in enumerate(levels):
        sight = Sight(level, 5, ("s",), after(minute))
        episode, event = step(episode, sight, timing, "f", after(minute))
        if event is not None:
            assert episode is not None
            assert episode.opened_at is not None
            assert episode.stands_since is not None
            assert episode.alert == episode_id("f", episode.opened_at)
            opened, stands = ((at - after()) // MINUTE for at in (episode.opened_at, episode.stands_since))
            told.append((minute, event, opened, stands))
    return told


def test_an_alert_of_age_ends_and_what_stands_goes_on_under_another() -> None:
    """At its hour it ends although the level holds, and another opens at the next tick that knows since when it stands."""
    assert aging([Level.red] * 130) == [
        (0, "opened", 0, 0), (60, "resolved", 0, 0),
        (61, "opened", 61, 0), (121, "resolved", 61, 0), (122, "opened", 122, 0),
    ]  # fmt: skip
    assert aging([Level.red] * 80, hold=5) == [(5, "opened", 5, 5), (65, "resolved", 5, 5), (70, "opened", 70, 5)]


def test_an_alert_of_age_that_no_longer_holds_stays_closed() -> None:
    """It ends while it recovers; what comes within an hour is another alert of what stands, and later all is new."""
    gone = [*[Level.red] * 58, *[None] * 30]
    assert aging(gone) == [(0, "opened", 0, 0), (60, "resolved", 0, 0)]
    assert aging([*gone, Level.red])[-1] == (88, "opened", 88, 0)
    assert aging([*gone, *[None] * 60, Level.red])[-1] == (148, "opened", 148, 148)


def test_an_alert_that_opens_again_is_as_old_as_it_was() -> None:
    """Reopenings count into its age, so an alert that comes and goes ends too."""
    flapping = [*[Level.red] * 20, *[None] * 20] * 2
    assert aging([*flapping, *[Level.red] * 9]) == [
        (0, "opened", 0, 0), (30, "resolved", 0, 0), (40, "opened", 0, 0), (60, "resolved", 0, 0), (80, "opened", 80, 0),
    ]  # fmt: skip


moments = st.integers(0, 90).map(after)
episodes = st.builds(
    Episode,
    phase=st.sampled_from(["pending", "recovering", "firing"]),
    since=moments,
    closed_at=st.none() | moments,
    opened_at=st.none() | moments,
    low_since=st.none() | moments,
)


@given(
    episodes,
    st.none() | st.sampled_from(Level),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(60, 100),
    moments,
    st.integers(0, 9),
)
@examples(300)
def test_what_waits_is_left_as_it_is(
    old: Episode, level: Level | None, hold: int, keep: int, age: int, now: datetime, behind: int
) -> None:
    """Where an episode is said to wait, ``step`` changes nothing and tells nothing, however far its sources are known."""
    timing = Timing(hold * MINUTE, keep * MINUTE, age * MINUTE)
    if waits(old, level, timing, now):
        assert step(old, Sight(level, 5, ("s",), now - behind * MINUTE), timing, "f", now) == (old, None)
