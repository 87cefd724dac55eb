"""More than is usual at this hour, and more than there has been lately."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.conditions.leaf import figures, rarity, unit
from rules.filter import Filter
from rules.normal import Expected
from rules.reading import Looks, Reading, State
from rules.rollup import Count, Roll
from rules.strict import ConditionModel, WindowLength
from rules.view import View, amount
from rules.wording import mentions, number

_MINUTE = timedelta(minutes=1)
COLD_FLOOR = 2
"""While less than three days are known, ``at_least`` counts this many times."""
HOLDS_ON = 60
"""Minutes for which a surge is remembered that has ended, so that it goes on where it flares up again."""
_BINS = (5, 10, 15, 20, 30, 60)


class Baseline(ConditionModel):
    """Holds while ``window`` has ``at_least`` of what is counted, and so many are rarer than ``surprise`` says.

    ``surprise`` is -log10 of how often a window of this topic strays as far from what is usual: 1.9 is one window in
    eighty, 3 one in a thousand. What is usual is learnt from eight weeks at most, by hour and weekday (see
    ``rules.normal``). Once it holds it goes on until the surprise is below ``clear``. ``factor``: at least so many times
    what is usual. Until three days are known the baseline is *cold* and ``at_least`` counts double; before the first
    hour is learnt that alone decides.
    """

    type: Literal["baseline"]
    count: Count = "mentions"
    window: WindowLength = timedelta(hours=2)
    surprise: float = Field(default=1.9, gt=0, le=12)
    clear: float | None = Field(default=None, gt=0, le=12)
    at_least: int = Field(default=10, ge=1)
    factor: float = Field(default=1.5, ge=1, allow_inf_nan=False)
    where: Filter | None = None

    @field_validator("window")
    @classmethod
    def _bins(cls, window: timedelta) -> timedelta:
        minutes = window // _MINUTE
        if minutes > 1440 or not (minutes in _BINS or minutes % 60 == 0):
            raise ValueError("must be 5, 10, 15, 20 or 30 minutes, or whole hours up to 24h: it is learnt by the hour")
        return window

    @property
    def ends_at(self) -> float:
        """The surprise below which it is over: as given, else half of ``surprise``."""
        return min(self.clear or self.surprise / 2, self.surprise)

    @property
    def remembers(self) -> bool:
        return True

    @property
    def goes_on(self) -> int:
        """How many are enough for a surge to go on: half of ``at_least``."""
        return max(1, self.at_least // 2)

    @property
    def looks_at(self) -> Looks:
        minutes = self.window // _MINUTE
        size = min(60, minutes)
        return Looks(
            self.where,
            minutes,
            least=1 if self.count == "reach" else self.goes_on,
            roll=Roll(size, minutes // size, self.count),
        )

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}异常增多", f"unusually many {noun.en}".capitalize())

    def leaves(self) -> tuple["Baseline"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally = view.tally(self)
        count = amount(tally, self.count)
        usual = view.expected(self, count)
        cold = _cold(usual)
        holds, held_at = self.judge(usual, state, view.minute)
        times = count / usual.usual if usual.usual else None
        reading = Reading(
            holds,
            count,
            usual.usual if usual.baseline != "none" else None,
            self._because(view, usual, cold=cold),
            figures(tally, factor=times, surprise=usual.surprise if usual.baseline != "none" else None),
            self,
            # Without another mention a count only falls, so time alone matters from the floor on, or half of it for a surge
            # that is remembered.
            awake=holds or count >= self._floor(usual) or (held_at is not None and count >= self.goes_on),
            turns=0,
            baseline="cold" if cold else usual.baseline,
        )
        return reading, held_at

    @staticmethod
    def going(state: State, minute: int) -> bool:
        """Whether a surge that is remembered goes on where it flares up at *minute*."""
        return isinstance(state, int) and minute - state <= HOLDS_ON

    def judge(self, usual: Expected, state: State, minute: int) -> tuple[bool, int | None]:
        """Whether it holds at *minute*, and the last minute at which it did, which is what it remembers."""
        held_at = state if isinstance(state, int) and self.going(state, minute) else None
        count = usual.count
        floor = self._floor(usual)
        if usual.baseline == "none":
            holds = count >= floor
        elif held_at is not None:
            holds = count >= self.goes_on and usual.surprise >= self.ends_at
        else:
            holds = count >= floor and usual.surprise >= self.surprise and count >= self.factor * usual.usual
        return holds, minute if holds else held_at

    def _floor(self, usual: Expected) -> int:
        return self.at_least * (COLD_FLOOR if _cold(usual) else 1)

    def _because(self, view: View, usual: Expected, *, cold: bool) -> Because:
        noun, length = unit(self.count, view.noun(self, usual.count)), view.length(self)
        zh, en = (
            f"近 {length.zh}{noun.zh} {usual.count}{noun.measure}",
            f"{usual.count} {noun.en} in the last {length.en}",
        )
        if usual.baseline == "none":
            zh, en = f"{zh}，此前尚无可比的时段", f"{en}; nothing before it to compare with yet"
        else:
            zh = f"{zh}，平时此时约 {number(usual.season)}{noun.measure}，近两日平均 {number(usual.lately)}{noun.measure}"
            en = f"{en}, usually {number(usual.season)} at this hour and {number(usual.lately)} lately"
            rare = rarity(usual.surprise)
            zh, en = f"{zh}（{rare.zh}）", f"{en} ({rare.en})"
        if cold:
            zh = f"{zh}；基线不足 3 天，门槛加倍为 {self.at_least * COLD_FLOOR}"
            en = f"{en}; the baseline is less than 3 days old, so the floor is doubled to {self.at_least * COLD_FLOOR}"
        return Because(zh, en)


def _cold(usual: Expected) -> bool:
    return usual.baseline in {"none", "cold"}
