"""How far recorded rows reach: from when to when, how many mentions, and which sources could not be seen meanwhile."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.lives import Period
from rules.log import MentionRow, PollRow, Row

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class History:
    """``first`` and ``last``: of the rows. ``history``: mentions that train and never fire, such as imported old ones.

    ``matched``: mentions by topic. ``polled_since``: the first poll on record, before which nothing is known of what could
    be seen; None: there are no polls, and sources count as seen. ``polled``: the sources with a poll on record. ``blind``:
    by source, each stretch longer than it may be in which no poll of it succeeded.
    """

    first: datetime
    last: datetime
    mentions: int
    history: int
    matched: Mapping[str, int]
    polled_since: datetime | None
    polled: tuple[str, ...]
    blind: Mapping[str, tuple[Stretch, ...]]

    def blind_time(self, period: Period) -> dict[str, timedelta]:
        """By source, how much of the period it was not seen; sources that were seen throughout are left out."""
        found = {}
        for source, stretches in sorted(self.blind.items()):
            total = sum((_overlap(one, period) for one in stretches), timedelta(0))
            if total:
                found[source] = total
        return found


class HistoryFold:
    """Takes the rows as they come."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._mentions = self._history = 0
        self._matched: defaultdict[str, int] = defaultdict(int)
        self._polled_since: datetime | None = None
        self._through: dict[str, tuple[datetime, timedelta]] = {}
        self._blind: defaultdict[str, list[Stretch]] = defaultdict(list)

    def take(self, row: Row) -> None:
        if self._first is None:
            self._first = row.at
        self._last = row.at
        if isinstance(row, MentionRow):
            self._mentions += 1
            self._history += row.history
            for scored in row.scored:
                self._matched[scored.topic] += 1
        elif isinstance(row, PollRow):
            self._poll(row)

    def reached(self, at: datetime) -> None:
        """The record goes on until *at*, with no more rows."""
        self._last = max(self._last or at, at)

    def done(self) -> History | None:
        """None where there was no row."""
        if self._first is None or self._last is None:
            return None
        blind = {source: list(stretches) for source, stretches in self._blind.items()}
        for source, (through, allowed) in self._through.items():
            if self._last - through > allowed:
                blind.setdefault(source, []).append((through, self._last))
        return History(
            self._first, self._last, self._mentions, self._history, dict(self._matched), self._polled_since,
            tuple(sorted(self._through)), {source: tuple(stretches) for source, stretches in blind.items()},
        )  # fmt: skip

    def _poll(self, row: PollRow) -> None:
        if self._polled_since is None:
            self._polled_since = row.at
        started = min(row.started_at, row.at)
        through, _ = self._through.get(row.source, (started if row.ok else row.at, row.blind_after))
        if row.ok and started > through:
            if started - through > row.blind_after:
                self._blind[row.source].append((through, started))
            through = started
        self._through[row.source] = (through, row.blind_after)


def _overlap(stretch: Stretch, period: Period) -> timedelta:
    begin = max(stretch[0], period.since or stretch[0])
    end = min(stretch[1], period.until or stretch[1])
    return max(timedelta(0), end - begin)
