"""The program's clock: the wall's, except that it never runs back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _wall() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Aware UTC. Where the wall steps back, this goes on at half speed until the wall has caught up.

    So a step back of an hour neither stops the ticks for an hour nor runs any of them twice; a step ahead is taken as it
    is, because a machine that slept must know how long.
    """

    def __init__(self, wall: Callable[[], datetime] = _wall, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._last = wall()
        self._last_steady = steady()

    def __call__(self) -> datetime:
        wall, steady = self._wall(), self._steady()
        if wall < self._last:
            wall = self._last + timedelta(seconds=(steady - self._last_steady) / 2)
        self._last, self._last_steady = wall, steady
        return wall


utc_now = Clock()
