"""A share that creeps up over days: the slow burn that no surge shows."""

import math
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter, OfAll
from rules.panes import time_of
from rules.reading import Looks, Reading, State
from rules.rollup import Roll, Rollup
from rules.strict import ConditionModel, Labels, WindowLength
from rules.view import View
from rules.wording import Phrases, labels, number, percent, span

_HOURS = 24 * 21
"""Hours that the sum looks back over: of what has been quiet for longer nothing is held against it."""
_LAG = 24
"""Hours that an hour waits before it teaches what is usual, so that a slow burn does not teach itself at once."""
_HALF_LIFE = 14 * 24.0
_PRIOR = 20.0
_YOUNG = 3 * 24
_FEWEST_HOURS = 12
"""An hour adds a twelfth of the evidence at most: a burst of one afternoon is a surge, not a drift."""
_TELLING = 3
_UNKNOWN = 0.1
_FADE = 0.5 ** (1 / _HALF_LIFE)
_MOST_DISPERSED = 9.0


class Drift(ConditionModel):
    """Holds while the share of ``label`` has run above what is usual for so long that chance does not explain it.

    A CUSUM (Page, Biometrika 1954) of log-likelihood ratios over the hours: with *n* mentions of which *k* carry the
    label, ``S = max(0, S + (k ln(q/p) + (n - k) ln((1-q)/(1-p))) / D)``, p the usual share (a mean with a half-life of
    14 days that ends a day before the hour), q = ``times`` p, and D how much more than by chance the share varies (the
    mean of squared standardised residuals, 1 at least). An hour adds a twelfth of ``evidence`` at most. Holds while S
    reaches ``evidence`` and the window has ``at_least`` mentions with the label, at a share of (1 + times) / 2 p. Says
    nothing until three days are known. Neither the rule's nor this ``where`` may ask for a label: the share is of all
    that it passes.
    """

    type: Literal["drift"]
    label: Labels = ("negative",)
    window: WindowLength = timedelta(days=1)
    times: float = Field(default=1.6, gt=1, le=10)
    evidence: float = Field(default=8.0, gt=0, le=100)
    at_least: int = Field(default=10, ge=1)
    where: OfAll = None

    @property
    def looks_at(self) -> Looks:
        return Looks(
            self.where, self.window // timedelta(minutes=1), least=self.at_least, roll=Roll(60, 1, marked=self.label)
        )

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        kind = labels(self.label)
        return Because(f"{kind.zh}占比持续走高", f"share of {kind.en} mentions creeps up".capitalize())

    def leaves(self) -> tuple["Drift"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        rollup, (tally, phrases) = view.rollup(self), view.window(self)
        count, whole = tally.labelled(self.label), tally.mentions
        share = count / whole if whole else 0.0
        sums = self._carried(view, rollup, state)
        evidence, usual, begin = sums.total, sums.usual, sums.begin
        young = rollup.normal.baseline in {"none", "cold"}
        high = share >= usual * (1 + self.times) / 2
        holds = not young and evidence >= self.evidence and count >= self.at_least and high
        seen = figures(tally, share=share, factor=share / usual if usual else None)
        reading = Reading(
            holds,
            count,
            usual * whole,
            self._because,
            (phrases, count, whole, usual, evidence, now - time_of(int(begin) * 60)),
            seen,
            self,
            awake=whole >= self.at_least,
            turns=rollup.turns,
            baseline="cold" if young else "weekly",
        )
        return reading, None if sums.hour - sums.heard > _HOURS else sums.state()

    def _because(
        self, phrases: Phrases, count: int, whole: int, usual: float, evidence: float, lasted: timedelta
    ) -> Because:
        kind, length, share = labels(self.label), phrases.length, count / whole if whole else 0.0
        zh = f"近 {length.zh}{kind.zh}占比 {percent(share)}（{whole} 条中 {count} 条），平时 {percent(usual)}"
        en = f"{percent(share)} {kind.en} in the last {length.en} ({count} of {whole} mentions), usually {percent(usual)}"
        if evidence > 0:
            lasting = span(max(lasted, timedelta(hours=1)))
            zh += f"；已持续偏高 {lasting.zh}（证据 {number(evidence)}，阈值 {number(self.evidence)}）"
            en += f"; above that for {lasting.en} (evidence {number(evidence)}, threshold {number(self.evidence)})"
        return Because(zh, en)

    def _carried(self, view: View, rollup: Rollup, state: State) -> "_Sums":
        """The sums up to the last hour that is settled: from those that are remembered, unless the past has changed."""
        last = rollup.upto or 0
        sums = _Sums.of(state)
        if sums is None or sums.changes != rollup.changes or sums.hour > last:
            first = max(rollup.first(view.since(self)), last - _HOURS)
            young = first - 1, min(first + _YOUNG - 1, last)
            mass = rollup.counted(*young)
            overall = rollup.counted_marked(*young) / mass if mass else _UNKNOWN
            sums = _Sums(first - 1, rollup.changes, first, overall, begin=first, heard=first - 1)
        for hour in range(sums.hour + 1, last + 1):
            self._add(sums, rollup, hour)
        return sums

    def _add(self, sums: "_Sums", rollup: Rollup, hour: int) -> None:
        taught = hour - _LAG
        if taught >= sums.first:
            sums.hits = sums.hits * _FADE + rollup.mark(taught)
            sums.mass = sums.mass * _FADE + rollup.count(taught)
        usual = min(0.9, max(0.002, (_PRIOR * sums.overall + sums.hits) / (_PRIOR + sums.mass)))
        n, k = rollup.count(hour), rollup.mark(hour)
        if n:
            if hour - sums.heard > _HOURS:
                sums.total, sums.begin = 0.0, hour
            sums.heard = hour
        if n and hour - sums.first >= _YOUNG:
            high = min(0.97, self.times * usual)
            gain = k * math.log(high / usual) + (n - k) * math.log((1 - high) / (1 - usual))
            gain = min(gain / sums.spread, self.evidence / _FEWEST_HOURS)
            sums.total = max(0.0, min(sums.total + gain, 1.5 * self.evidence))
        if not sums.total:
            sums.begin = hour
        if n >= _TELLING:
            sums.seen += 1
            odd = min(_MOST_DISPERSED, (k - n * usual) ** 2 / (n * usual * (1 - usual)))
            sums.spread = max(1.0, sums.spread + (odd - sums.spread) / min(sums.seen + 20, 400))
        sums.hour, sums.usual = hour, usual


@dataclass(slots=True)
class _Sums:
    """``hour``: the last that is in them; ``changes``: of the rollup then; ``overall``: the share of the first days.

    ``heard``: the last hour that had a mention;
    ``hits``, ``mass``: what is usual, fading; ``spread``: D; ``begin``: the hour at which the sum last was nothing.
    """

    hour: int
    changes: int
    first: int
    overall: float
    begin: int
    heard: int
    hits: float = 0.0
    mass: float = 0.0
    total: float = 0.0
    spread: float = 1.0
    seen: int = 0
    usual: float = _UNKNOWN

    def state(self) -> list[State]:
        return [getattr(self, field.name) for field in fields(self)]

    @classmethod
    def of(cls, state: State) -> "_Sums | None":
        """None for what ``state`` did not make."""
        if not isinstance(state, list) or len(state) != len(fields(cls)):
            return None
        numbers = [one for one in state if isinstance(one, int | float)]
        whole = {"hour", "changes", "first", "begin", "heard", "seen"}
        given = dict(zip((field.name for field in fields(cls)), numbers, strict=False))
        if len(given) != len(state):
            return None
        return cls(**{name: int(value) if name in whole else float(value) for name, value in given.items()})  # type: ignore[arg-type]
