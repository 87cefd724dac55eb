"""How far each source has been seen: polls move it, events never do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.log import PollRow

MOST_DARK = 56 * 24
"""Hours of past outages that are remembered: eight weeks, as long as anything is learnt from."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A source that has been polled. ``through``: start of its last good poll; ``first_at``: end of its first poll."""

    first_at: datetime
    through: datetime | None
    blind_after: timedelta


class Watermarks:
    """Per source. A source that was never polled, such as one that is pushed to, has none: it holds nothing up.

    ``dark_hours``: since 1970, those that an outage that is over reached into.
    """

    def __init__(self, *, assume_healthy: bool = False) -> None:
        self.assume_healthy = assume_healthy
        self.configured: frozenset[str] = frozenset()
        self.seen: dict[str, Seen] = {}
        self.dark_hours: dict[int, None] = {}

    def configure(self, sources: Iterable[str]) -> None:
        """From now on these sources count; one that is missing is forgotten."""
        self.configured = frozenset(sources)
        self.seen = {name: seen for name, seen in self.seen.items() if name in self.configured}

    def poll(self, row: PollRow) -> None:
        if row.source not in self.configured:
            return
        old = self.seen.get(row.source)
        through = old.through if old else None
        # Never ahead of the poll's own end, whatever a row claims.
        started = min(row.started_at, row.at)
        if row.ok and through is not None and started - through > row.blind_after:
            self._darken(through, started)
        if row.ok and (through is None or started > through):
            through = started
        self.seen[row.source] = Seen(old.first_at if old else row.at, through, row.blind_after)

    def darkness(self, now: datetime) -> Callable[[int, int], bool]:
        """Tells whether a source could not be seen in a part of the minutes (begin, end] since 1970, as known at *now*."""
        blind_since = min((since for _, since in self.blind(now)), default=None)
        last = int(blind_since.timestamp()) // 60 if blind_since else None
        hours = self.dark_hours

        def dark(begin: int, end: int) -> bool:
            if last is not None and end > last:
                return True
            return bool(hours) and any(hour in hours for hour in range(begin // 60, -(-end // 60)))

        return dark

    def _darken(self, begin: datetime, end: datetime) -> None:
        """Note the hours of an outage that is over; the oldest are forgotten."""
        first, last = int(begin.timestamp()) // 3600, int(end.timestamp()) // 3600
        for hour in range(max(first, last - MOST_DARK), last + 1):
            self.dark_hours[hour] = None
        if len(self.dark_hours) > 2 * MOST_DARK:
            self.dark_hours = dict.fromkeys(sorted(self.dark_hours)[-MOST_DARK:])

    def through(self, source: str) -> datetime | None:
        """Up to when the source is known; None: never polled well."""
        seen = self.seen.get(source)
        return seen.through if seen and not self.assume_healthy else None

    def common(self, sources: Iterable[str], now: datetime) -> datetime:
        """Up to when all of *sources* are known: what is asked before anything is called over."""
        if self.assume_healthy:
            return now
        known = [self.seen[name] for name in sources if name in self.seen]
        return min((one.through or one.first_at for one in known), default=now)

    def blind(self, now: datetime) -> tuple[tuple[str, datetime], ...]:
        """The sources that have not been seen for longer than they may, and since when, by name."""
        if self.assume_healthy:
            return ()
        last = ((name, one.through or one.first_at, one.blind_after) for name, one in sorted(self.seen.items()))
        return tuple((name, since) for name, since, allowed in last if now - since > allowed)
