"""A story that doubles fast."""

import math
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.strict import ConditionModel, Duration, WindowLength
from rules.view import View
from rules.wording import span

_MINUTE = timedelta(minutes=1)


class Velocity(ConditionModel):
    """Holds while a story has ``at_least`` copies within ``window`` and doubles within ``doubling`` or faster.

    The doubling time is that of exponential growth between the middle of the window and now: with *n* copies in the
    window of which *k* came in its latter half, ``half * ln 2 / ln(n / (n - k))``, in whole minutes. A story that is
    older than the window counts with what of it stands there, so that a doubling of thousands is not told on the
    strength of ten.
    """

    type: Literal["velocity"]
    window: WindowLength = timedelta(hours=1)
    doubling: Duration = timedelta(minutes=30)
    at_least: int = Field(default=20, ge=4)
    where: Filter | None = None

    @field_validator("window")
    @classmethod
    def _halves(cls, window: timedelta) -> timedelta:
        if window < 2 * _MINUTE:
            raise ValueError("must be 2m at least: its halves are compared")
        return window

    @field_validator("doubling")
    @classmethod
    def _some(cls, doubling: timedelta) -> timedelta:
        if doubling <= timedelta(0):
            raise ValueError("must be more than nothing")
        return doubling

    @property
    def looks_at(self) -> Looks:
        minutes = self.window // _MINUTE
        return Looks(self.where, minutes, least=self.at_least, inner=(minutes // 2,))

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        return Because("事件快速扩散", "A story spreads fast")

    def leaves(self) -> tuple["Velocity"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally, late = view.tally(self), view.inner(self)
        half = self.looks_at.inner[0]
        best: tuple[float, int, str] | None = None
        largest = 0
        for story, copies in tally.stories.items():
            largest = max(largest, copies)
            if copies < self.at_least:
                continue
            time = _doubling(copies, late.stories.get(story, 0), half)
            best = min(best, (time, -copies, story)) if best is not None else (time, -copies, story)
        length = view.length(self)
        if best is None:
            zh = f"近 {length.zh}最大的事件 {largest} 条，不足 {self.at_least} 条"
            en = f"the largest story of the last {length.en} has {largest} mentions, fewer than {self.at_least}"
            return Reading(False, largest, None, Because(zh, en), figures(tally), self, awake=False), None
        time, copies = best[0], -best[1]
        limit = span(self.doubling)
        if math.isinf(time):
            zh = f"近 {length.zh}最大的事件 {copies} 条，已不再增长"
            en = f"a story of {copies} mentions in the last {length.en} grows no more"
        else:
            pace = span(timedelta(minutes=max(1, round(time))))
            zh = f"近 {length.zh}同一事件 {copies} 条，约每 {pace.zh}翻一番（阈值 {limit.zh}）"
            en = f"one story has {copies} mentions in the last {length.en}, doubling every {pace.en} "
            en += f"(threshold {limit.en})"
        seen = figures(tally, doubling=None if math.isinf(time) else time)
        holds = time <= self.doubling / _MINUTE
        return Reading(holds, copies, None, Because(zh, en), seen, self, awake=True), None


def _doubling(copies: int, late: int, half: float) -> float:
    """In minutes; infinite where nothing came in the latter half, and as fast as can be told where all did."""
    if not late:
        return math.inf
    return half * math.log(2) / math.log(copies / max(copies - late, 0.5))
