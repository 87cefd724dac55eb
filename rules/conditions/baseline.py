"""More than is usual at this hour, and more than there has been lately."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from alerts import Because
from rules.conditions.leaf import figures, rarity, unit
from rules.filter import Filter
from rules.normal import Expected
from rules.panes import time_of
from rules.reading import Looks, Reading, State
from rules.rollup import Count, Roll
from rules.strict import ConditionModel, WindowLength
from rules.view import View, amount
from rules.wording import Phrases, clock, mentions, number

_MINUTE = timedelta(minutes=1)
COLD_FLOOR = 2
"""While less than three days are known, ``at_least`` counts this many times."""
HOLDS_ON = 60
"""Minutes for which a surge is remembered that has ended, so that it goes on where it flares up again."""
_BINS = (5, 10, 15, 20, 30, 60)


class Surge(NamedTuple):
    """What is remembered of a surge: the minutes at which it began, last held and was at its highest, and how high.

    ``surprise``: the highest that it reached, which need not be at the same minute; nothing where none was known.
    A tuple, which is what JSON has for a list: it is the state that is kept.
    """

    began: int
    held_at: int
    peak_at: int
    peak: int
    surprise: float

    @classmethod
    def of(cls, state: State, minute: int) -> "Surge | None":
        """The surge that may go on at *minute*; None where there is none, or it is over for too long."""
        surge = state if isinstance(state, Surge) else cls._read(state)
        return surge if surge is not None and minute - surge.held_at <= HOLDS_ON else None

    @classmethod
    def _read(cls, state: State) -> "Surge | None":
        """One that comes from a snapshot; None for what is none."""
        if not isinstance(state, list) or len(state) != len(cls._fields):
            return None
        numbers = [one for one in state if isinstance(one, int | float)]
        if len(numbers) != len(state):
            return None
        began, held_at, peak_at, peak = map(int, numbers[:4])
        return cls(began, held_at, peak_at, peak, float(numbers[4]))

    def after(self, minute: int, count: int, surprise: float) -> "Surge":
        """The same where it holds at *minute* too."""
        if minute == self.held_at and count <= self.peak and surprise <= self.surprise:
            return self
        higher = count > self.peak
        return Surge(
            self.began,
            minute,
            minute if higher else self.peak_at,
            count if higher else self.peak,
            max(self.surprise, surprise),
        )


class Baseline(ConditionModel):
    """Holds while ``window`` has ``at_least`` of what is counted, and so many are rarer than ``surprise`` says.

    ``surprise`` is -log10 of how often a window of this topic strays as far from what is usual: 1.9 is one window in
    eighty, 3 one in a thousand. What is usual is learnt from eight weeks at most, by hour and weekday (see
    ``rules.normal``). Once it holds it goes on until the surprise is below ``clear``; what flares up within an hour after
    that is the same surge, says so, and levels take the highest surprise that the surge reached. ``factor``: at least so
    many times what is usual. Until three days are known the baseline is *cold* and ``at_least`` counts double; before
    the first hour is learnt that alone decides.
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

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        tally, phrases = view.window(self)
        count = amount(tally, self.count)
        usual = view.expected(self, count)
        known = usual.baseline != "none"
        holds, surge = self.judge(usual, state, view.minute)
        expected = usual.usual
        surprise, goes_on = usual.surprise if known else None, None
        if holds and surge is not None and known:
            surprise, goes_on = surge.surprise, None if self._opens(usual) else surge
        reading = Reading(
            holds,
            count,
            expected if known else None,
            self._because,
            (phrases, usual, goes_on, now),
            figures(tally, factor=count / expected if expected else None, surprise=surprise),
            self,
            # Without another mention a count only falls, so time alone matters from the floor on, or half of it for a surge
            # that is remembered.
            awake=holds or count >= self._floor(usual) or (surge is not None and count >= self.goes_on),
            turns=0,
            baseline=usual.baseline if known else "cold",
        )
        return reading, surge

    @staticmethod
    def going(state: State, minute: int) -> bool:
        """Whether a surge that is remembered goes on where it flares up at *minute*."""
        return Surge.of(state, minute) is not None

    def judge(self, usual: Expected, state: State, minute: int) -> tuple[bool, Surge | None]:
        """Whether it holds at *minute*, and the surge that it remembers."""
        surge = Surge.of(state, minute)
        holds = self._opens(usual)
        if surge is not None and usual.baseline != "none":
            holds = usual.count >= self.goes_on and usual.surprise >= self.ends_at
        if not holds:
            return False, surge
        if surge is None:
            return True, Surge(minute, minute, minute, usual.count, usual.surprise)
        return True, surge.after(minute, usual.count, usual.surprise)

    def _opens(self, usual: Expected) -> bool:
        """Whether so many are a surge by themselves."""
        if usual.count < self._floor(usual):
            return False
        return usual.baseline == "none" or (
            usual.surprise >= self.surprise and usual.count >= self.factor * usual.usual
        )

    def _floor(self, usual: Expected) -> int:
        return self.at_least * (COLD_FLOOR if _cold(usual) else 1)

    def _because(self, phrases: Phrases, usual: Expected, surge: Surge | None, now: datetime) -> Because:
        """*surge*: the one that goes on, where so many would open none."""
        because = self._counted(phrases, usual)
        if surge is None:
            return because
        measure = unit(self.count, phrases.noun(surge.peak)).measure
        began, peak = (clock(time_of(at), now, phrases.timezone) for at in (surge.began, surge.peak_at))
        return Because(
            f"延续 {began.zh}开始的这一波（{peak.zh}达到峰值 {surge.peak}{measure}）；{because.zh}",
            f"goes on from the surge that began {began.en} and reached {surge.peak} {peak.en}; {because.en}",
        )

    def _counted(self, phrases: Phrases, usual: Expected) -> Because:
        noun, length = unit(self.count, phrases.noun(usual.count)), phrases.length
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
        if _cold(usual):
            zh = f"{zh}；基线不足 3 天，门槛加倍为 {self.at_least * COLD_FLOOR}"
            en = f"{en}; the baseline is less than 3 days old, so the floor is doubled to {self.at_least * COLD_FLOOR}"
        return Because(zh, en)


def _cold(usual: Expected) -> bool:
    return usual.baseline in {"none", "cold"}
