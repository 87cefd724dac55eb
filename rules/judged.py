"""How good a rule has been, month by month: its precision by people's verdicts, and how soon it told."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from alerts.verdict import Verdict
from rules.lives import Life


@dataclass(frozen=True, slots=True)
class Judged:
    """``verdict`` None: nobody has looked. ``detected``: from the first mention to the opening; None: it is not known."""

    life: Life
    verdict: Verdict | None
    detected: timedelta | None


@dataclass(frozen=True, slots=True)
class RuleMonth:
    """``month`` as 2026-03. ``detected``: how many alerts the times rest on."""

    rule: str
    shadow: bool
    month: str
    alerts: int
    real: int
    noise: int
    known: int
    detected: int
    p50: timedelta | None
    p95: timedelta | None

    @property
    def precision(self) -> float | None:
        """Real ones among the real and the noise; None where there is neither. What is known counts neither way."""
        return self.real / (self.real + self.noise) if self.real + self.noise else None

    @property
    def unjudged(self) -> int:
        return self.alerts - self.real - self.noise - self.known


def by_month(judged: Iterable[Judged], zone: tzinfo) -> tuple[RuleMonth, ...]:
    """By rule, then month of opening in *zone*; an alert on trial is counted apart."""
    groups: dict[tuple[str, bool, str], list[Judged]] = {}
    for one in judged:
        month = f"{one.life.opened_at.astimezone(zone):%Y-%m}"
        groups.setdefault((one.life.rule, one.life.shadow, month), []).append(one)
    return tuple(_month(*who, those) for who, those in sorted(groups.items()))


def _month(rule: str, shadow: bool, month: str, those: Sequence[Judged]) -> RuleMonth:  # noqa: FBT001
    verdicts = Counter(one.verdict for one in those)
    times = sorted(one.detected for one in those if one.detected is not None)
    return RuleMonth(
        rule, shadow, month, len(those), verdicts["real"], verdicts["noise"], verdicts["known"],
        len(times), _rank(times, 0.5), _rank(times, 0.95),
    )  # fmt: skip


def _rank(times: Sequence[timedelta], share: float) -> timedelta | None:
    """The nearest-rank percentile of sorted times."""
    return times[max(0, math.ceil(share * len(times)) - 1)] if times else None
