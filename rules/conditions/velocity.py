"""A story that doubles fast, told by many, and larger than the topic's stories are."""

import math
from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.normal import Expected
from rules.reading import Looks, Reading, State
from rules.rollup import Roll
from rules.strict import ConditionModel, Duration, WindowLength
from rules.view import View
from rules.wording import number, span

_MINUTE = timedelta(minutes=1)
_LEAST_BIN, _MOST_BIN = 5, 60


class Velocity(ConditionModel):
    """Holds while a story has ``at_least`` copies within ``window`` and doubles within ``doubling`` or faster.

    The doubling time is that of exponential growth between the middle of the window and now: with *n* copies in the
    window of which *k* came in its latter half, ``half * ln 2 / ln(n / (n - k))``, in whole minutes. A story that is
    older than the window counts with what of it stands there, so that a doubling of thousands is not told on the
    strength of ten.

    Its copies must come from ``authors`` different ones, by default half of ``at_least``; where none is named the site
    or the source counts. And so many copies must be rarer than ``surprise`` says among the largest stories of the
    topic's hours (see ``rules.normal``); until three days of them are known that is not asked.
    """

    type: Literal["velocity"]
    window: WindowLength = timedelta(hours=1)
    doubling: Duration = timedelta(minutes=30)
    at_least: int = Field(default=20, ge=4)
    authors: int | None = Field(default=None, ge=1)
    surprise: float = Field(default=1.9, ge=0, le=12)
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

    @model_validator(mode="after")
    def _authors_of_copies(self) -> "Velocity":
        if self.authors is not None and self.authors > self.at_least:
            raise ValueError("authors must be at_least at most: no story has more authors than copies")
        return self

    @property
    def voices(self) -> int:
        """From how many authors the copies must come: as given, else half of ``at_least``."""
        return self.authors or self.at_least // 2

    @property
    def looks_at(self) -> Looks:
        minutes = self.window // _MINUTE
        size = max(_LEAST_BIN, min(_MOST_BIN, minutes))
        roll = Roll(size, -(-minutes // size), "largest")
        return Looks(self.where, minutes, least=self.at_least, inner=(minutes // 2,), voices=True, roll=roll)

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        return Because("事件快速扩散", "A story spreads fast")

    def leaves(self) -> tuple["Velocity"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        (tally, phrases), late = view.window(self), view.inner(self)
        half, length = self.window // _MINUTE // 2, phrases.length
        large = {story: copies for story, copies in tally.stories.items() if copies >= self.at_least}
        if not large:
            largest = max(tally.stories.values(), default=0)
            return Reading(False, largest, None, self._small, (length, largest), tally.figures, self, awake=False), None
        voices = Counter(name.partition("\n")[0] for name in tally.names("voice"))
        expected = {copies: view.expected(self, copies) for copies in set(large.values())}
        # First what enough people tell and is not usual, then the fastest, then the largest.
        poor, time, minus, story = min(
            (
                voices[story] < self.voices or self._common(expected[copies]),
                _doubling(copies, late.stories.get(story, 0), half),
                -copies,
                story,
            )
            for story, copies in large.items()
        )
        usual = expected[-minus]
        known = _known(usual)
        reading = Reading(
            time <= self.doubling / _MINUTE and not poor,
            -minus,
            usual.usual if known else None,
            self._because,
            (length, time, voices[story], usual),
            figures(tally, doubling=None if math.isinf(time) else time, surprise=usual.surprise if known else None),
            self,
            awake=True,
            turns=0,
            baseline=usual.baseline,
        )
        return reading, None

    def _common(self, usual: Expected) -> bool:
        """Whether the topic often has stories of so many copies."""
        return _known(usual) and usual.surprise < self.surprise

    def _small(self, length: Because, largest: int) -> Because:
        return Because(
            f"近 {length.zh}最大的事件 {largest} 条，不足 {self.at_least} 条",
            f"the largest story of the last {length.en} has {largest} mentions, fewer than {self.at_least}",
        )

    def _because(self, length: Because, time: float, voices: int, usual: Expected) -> Because:
        limit, copies = span(self.doubling), usual.count
        if math.isinf(time):
            zh = f"近 {length.zh}最大的事件 {copies} 条，已不再增长"
            en = f"a story of {copies} mentions in the last {length.en} grows no more"
        else:
            pace = span(timedelta(minutes=max(1, round(time))))
            zh = f"近 {length.zh}同一事件 {copies} 条，约每 {pace.zh}翻一番（阈值 {limit.zh}）"
            en = f"one story has {copies} mentions in the last {length.en}, doubling every {pace.en} "
            en += f"(threshold {limit.en})"
        zh, en = (
            f"{zh}；来自 {voices} 个发布者（阈值 {self.voices}）",
            f"{en}; from {voices} authors (threshold {self.voices})",
        )
        if _known(usual):
            zh = f"{zh}；平时最大的事件约 {number(usual.usual)} 条"
            return Because(zh, f"{en}; the largest story usually has {number(usual.usual)}")
        return Because(f"{zh}；平时多大尚不可知", f"{en}; how large stories usually are is not known yet")


def _known(usual: Expected) -> bool:
    return usual.baseline in {"daily", "weekly"}


def _doubling(copies: int, late: int, half: float) -> float:
    """In minutes; infinite where nothing came in the latter half, and as fast as can be told where all did."""
    if not late:
        return math.inf
    return half * math.log(2) / math.log(copies / max(copies - late, 0.5))
