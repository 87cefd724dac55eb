"""Two rule sets over the same rows: which alerts the second gains, loses, moves, and which it leaves as they were."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rules.episode import REOPEN_WITHIN
from rules.lives import ALWAYS, Life, Period

ChangeName = Literal["gained", "lost", "moved", "unchanged"]
Difference = Literal["opened_at", "resolved_at", "levels"]
_ENDLESS = timedelta(days=36500)


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is of the first rule set, ``after`` of the second; ``differs``: in what a moved alert is another."""

    name: ChangeName
    before: Life | None
    after: Life | None
    differs: tuple[Difference, ...] = ()

    @property
    def rule(self) -> str:
        return self._either.rule

    @property
    def at(self) -> datetime:
        """The earlier of the two openings."""
        return min(life.opened_at for life in (self.before, self.after) if life is not None)

    @property
    def _either(self) -> Life:
        life = self.before or self.after
        if life is None:
            raise ValueError("a change has a side")
        return life


def compare(before: Iterable[Life], after: Iterable[Life], period: Period = ALWAYS) -> tuple[Change, ...]:
    """Every alert of both sides that opened in the period, in order of time, then rule.

    Alerts are of the same rule and key, and one of each side is paired with one of the other: those that are open at the
    same time, or opened within ``REOPEN_WITHIN`` of each other, nearest openings first. What finds no partner was gained
    or lost. A pair counts where either side opened in the period, so that its border makes no change.
    """
    sides: dict[object, tuple[list[Life], list[Life]]] = defaultdict(lambda: ([], []))
    for place, lives in enumerate((before, after)):
        for life in lives:
            sides[life.who][place].append(life)
    changes = [change for old, new in sides.values() for change in _pair(old, new)]
    kept = [change for change in changes if any(period.holds(at) for at in _openings(change))]
    return tuple(sorted(kept, key=lambda change: (change.at, change.rule, change.name)))


def _openings(change: Change) -> list[datetime]:
    return [life.opened_at for life in (change.before, change.after) if life is not None]


def _pair(old: Sequence[Life], new: Sequence[Life]) -> list[Change]:
    near = sorted(
        (abs(first.opened_at - second.opened_at), i, j)
        for i, first in enumerate(old)
        for j, second in enumerate(new)
        if _same(first, second)
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in near:
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    changes = [
        _change(first, new[partner[i]]) if i in partner else Change("lost", first, None) for i, first in enumerate(old)
    ]
    return changes + [Change("gained", None, life) for j, life in enumerate(new) if j not in taken]


def _same(first: Life, second: Life) -> bool:
    if abs(first.opened_at - second.opened_at) <= REOPEN_WITHIN:
        return True
    return first.opened_at < _end(second) and second.opened_at < _end(first)


def _end(life: Life) -> datetime:
    return life.resolved_at or life.opened_at + _ENDLESS


def _change(before: Life, after: Life) -> Change:
    differs: list[Difference] = []
    if before.opened_at != after.opened_at:
        differs.append("opened_at")
    if before.resolved_at != after.resolved_at:
        differs.append("resolved_at")
    if before.levels[0][1] != after.levels[0][1] or before.levels[1:] != after.levels[1:]:
        differs.append("levels")
    return Change("moved" if differs else "unchanged", before, after, tuple(differs))
