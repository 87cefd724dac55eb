"""A share that creeps up over days: the slow burn that no surge shows."""

import math
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.panes import time_of
from rules.reading import Looks, Reading, State
from rules.rollup import Roll, Rollup
from rules.strict import Labels, Strict, WindowLength
from rules.view import View
from rules.wording import labels, number, percent, span

_HOURS = 24 * 21
"""Hours that the sum looks back over."""
_LAG = 24
"""Hours that an hour waits before it teaches what is usual, so that a slow burn does not teach itself at once."""
_HALF_LIFE = 14 * 24.0
_PRIOR = 20.0
_YOUNG = 3 * 24
_MOST_DISPERSED = 9.0


class Drift(Strict):
    """Holds while the share of ``label`` has run above what is usual for so long that chance does not explain it.

    A CUSUM (Page, Biometrika 1954) of log-likelihood ratios over the hours: with *n* mentions of which *k* carry the
    label, ``S = max(0, S + (k ln(q/p) + (n - k) ln((1-q)/(1-p))) / D)``, p the usual share (a mean with a half-life of
    14 days that ends a day before the hour), q = ``times`` p, and D how much more than by chance the share varies (the
    mean of squared standardised residuals, 1 at least). Holds while S reaches ``evidence`` and the window has
    ``at_least`` mentions with the label, at a share above p. Says nothing until three days are known. Neither the
    rule's nor this ``where`` may ask for a label: the share is of all that it passes.
    """

    type: Literal["drift"]
    label: Labels = ("negative",)
    window: WindowLength = timedelta(days=1)
    times: float = Field(default=1.6, gt=1, le=10)
    evidence: float = Field(default=8.0, gt=0, le=100)
    at_least: int = Field(default=10, ge=1)
    where: Filter | None = None

    @field_validator("where")
    @classmethod
    def _of_all(cls, where: Filter | None) -> Filter | None:
        if where is not None and where.labels():
            raise ValueError("must not ask for a label: the share is of all mentions that it passes")
        return where

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
        rollup, tally = view.rollup(self), view.tally(self)
        count, whole = sum(tally.count("label", label) for label in self.label), tally.mentions
        share = count / whole if whole else 0.0
        hour = rollup.upto or 0
        known = state.get("hour") if isinstance(state, dict) else None
        if isinstance(state, dict) and known == hour and state.get("seen") == rollup.changes:
            sums = state
        else:
            total, share_then, since = self._sum(rollup, rollup.first(view.since(self)), hour)
            sums = {"hour": hour, "seen": rollup.changes, "evidence": total, "usual": share_then, "begin": since}
        evidence, usual, begin = (_figure(sums[name]) for name in ("evidence", "usual", "begin"))
        kind, length = labels(self.label), view.length(self)
        zh = f"近 {length.zh}{kind.zh}占比 {percent(share)}（{whole} 条中 {count} 条），平时 {percent(usual)}"
        en = f"{percent(share)} {kind.en} in the last {length.en} ({count} of {whole} mentions), usually {percent(usual)}"
        if evidence > 0:
            lasting = span(max(now - time_of(int(begin) * 60), timedelta(hours=1)))
            zh += f"；已持续偏高 {lasting.zh}（证据 {number(evidence)}，阈值 {number(self.evidence)}）"
            en += f"; above that for {lasting.en} (evidence {number(evidence)}, threshold {number(self.evidence)})"
        young = rollup.normal.baseline in {"none", "cold"}
        holds = not young and evidence >= self.evidence and count >= self.at_least and share > usual
        seen = figures(tally, share=share, factor=share / usual if usual else None)
        reading = Reading(
            holds, count, usual * whole, Because(zh, en), seen, self, awake=whole >= self.at_least,
            turns=rollup.turns, baseline="cold" if young else "weekly",
        )  # fmt: skip
        return reading, sums

    def _sum(self, rollup: Rollup, known: int, last: int) -> tuple[float, float, int]:
        """The sum at the end of hour *last*, the usual share then, and the hour at which the sum last was nothing.

        *known*: the first hour that is.
        """
        first = max(known, last - _HOURS)
        fade = 0.5 ** (1 / _HALF_LIFE)
        hits, mass = 0.0, 0.0
        for number_ in range(first, first + _YOUNG):
            hits, mass = hits + rollup.mark(number_), mass + rollup.count(number_)
        overall = hits / mass if mass else 0.1
        hits, mass = 0.0, 0.0
        total, spread, seen, begin = 0.0, 1.0, 0, first
        usual = overall
        for hour in range(first, last + 1):
            taught = hour - _LAG
            if taught >= first:
                hits, mass = hits * fade + rollup.mark(taught), mass * fade + rollup.count(taught)
            usual = min(0.9, max(0.002, (_PRIOR * overall + hits) / (_PRIOR + mass)))
            n, k = rollup.count(hour), rollup.mark(hour)
            if n and hour - first >= _YOUNG:
                high = min(0.97, self.times * usual)
                gain = k * math.log(high / usual) + (n - k) * math.log((1 - high) / (1 - usual))
                total = max(0.0, min(total + gain / spread, 2 * self.evidence))
            if not total:
                begin = hour
            if n >= 3:
                seen += 1
                odd = min(_MOST_DISPERSED, (k - n * usual) ** 2 / (n * usual * (1 - usual)))
                spread = max(1.0, spread + (odd - spread) / min(seen + 20, 400))
        return round(total, 6), round(usual, 9), begin


def _figure(value: State) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
