"""The mentions that may still change: what each counted as, so that a revision or a new score replaces it, once."""

from bisect import insort
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from rules.facts import Facts

MAX_RECENT = 50_000
"""Mentions kept; past that the oldest minute is let go of, and what changes there no longer counts."""

MentionId = tuple[str, str]


class Ref(NamedTuple):
    """One mention. ``facts`` by topic; ``seen_through``: its source's watermark as it came; ``placed``: at which tick.

    ``late_known``: whether that watermark was a poll's, so that late is late and not the backlog of a first look.
    """

    id: MentionId
    minute: int
    event_at: datetime
    history: bool
    seen_through: datetime
    late_known: bool
    tier: str
    placed: datetime
    facts: Mapping[str, Facts]

    def fresh(self, allowance: timedelta) -> bool:
        """Whether it counts for a rule with this allowance; if not, it is history there."""
        return not self.history and self.seen_through - self.event_at <= allowance


class Recent:
    """Bounded by time and number; the oldest go first, whole minutes at a time."""

    def __init__(self) -> None:
        self.refs: dict[MentionId, Ref] = {}
        self._minutes: list[int] = []
        self._by_minute: dict[int, list[MentionId]] = {}

    def __len__(self) -> int:
        return len(self.refs)

    def add(self, ref: Ref) -> None:
        if ref.id in self.refs:
            return
        self.refs[ref.id] = ref
        if ref.minute not in self._by_minute:
            insort(self._minutes, ref.minute)
            self._by_minute[ref.minute] = []
        self._by_minute[ref.minute].append(ref.id)

    def change(self, ref: Ref, facts: Mapping[str, Facts], now: datetime) -> None:
        """It counts as *facts* from tick *now* on."""
        self.refs[ref.id] = ref._replace(facts=facts, placed=now)

    def forget(self, oldest: int) -> None:
        """Let go of what stands before minute *oldest*, and of more where there are too many."""
        while self._minutes and (self._minutes[0] < oldest or len(self.refs) > MAX_RECENT):
            for one in self._by_minute.pop(self._minutes.pop(0)):
                del self.refs[one]
