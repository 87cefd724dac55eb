"""How a comparison of two rule sets is printed: a JSON line an alert, and a table for people."""

from collections import Counter
from collections.abc import Sequence

from rules.compare import Change
from rules.lives import Life

_NAMES = ("gained", "lost", "moved", "unchanged")
Json = dict[str, object]


def change_line(change: Change) -> Json:
    """Its keys stand in docs/reference/rules.md."""
    one = change.before or change.after
    return {
        "change": change.name,
        "rule": change.rule,
        "topic": one.topic if one else None,
        "key": dict(one.key) if one else {},
        "differs": list(change.differs),
        "before": life_line(change.before),
        "after": life_line(change.after),
    }


def life_line(life: Life | None) -> Json | None:
    if life is None:
        return None
    return {
        "alert": life.alert,
        "opened_at": life.opened_at.isoformat(),
        "resolved_at": life.resolved_at.isoformat() if life.resolved_at else None,
        "level": life.level.name,
        "levels": [{"at": at.isoformat(), "level": level.name} for at, level in life.levels],
        "reopened": life.reopened,
        "because": {"zh": life.because.zh, "en": life.because.en},
        **({"shadow": True} if life.shadow else {}),
    }


def summary(changes: Sequence[Change], rules: Sequence[str]) -> str:
    """A line a rule with how many alerts of it were gained, lost, moved and left; the rules with most change first."""
    counts = {rule: Counter[str](change.name for change in changes if change.rule == rule) for rule in rules}
    order = sorted(rules, key=lambda rule: (counts[rule]["unchanged"] - counts[rule].total(), rule))
    total = Counter[str](change.name for change in changes)
    rows = [["rule", *_NAMES]]
    rows += [[rule, *(str(counts[rule][name]) for name in _NAMES)] for rule in order]
    return table([*rows, ["all", *(str(total[name]) for name in _NAMES)]])


def table(rows: Sequence[Sequence[str]], *, left: bool = False) -> str:
    """Columns as wide as they need be; the first to the left, numbers to the right, or where there are none all *left*."""
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(size) if left or not column else cell.rjust(size)
            for column, (cell, size) in enumerate(zip(row, wide, strict=True))
        ).rstrip()
        for row in rows
    )
