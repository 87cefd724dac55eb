"""The life of an alert as a pure function, where the engine's own tests do not reach."""

from datetime import timedelta

from alerts import Level
from rules.episode import Episode, Sight, Timing, step
from tests.support.engine_log import after

KEEP = timedelta(minutes=10)
TIMING = Timing(timedelta(0), KEEP)


def follow(levels: list[Level | None]) -> list[tuple[int, str, Level]]:
    """What is told when these levels are seen, a minute apart: (minute, event, level)."""
    episode: Episode | None = None
    told = []
    for minute, level in enumerate(levels):
        sight = Sight(level, 5, ("s",), after(minute))
        episode, event = step(episode, sight, TIMING, "f", after(minute))
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
