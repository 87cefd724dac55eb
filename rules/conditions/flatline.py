"""A topic, a channel or a source that has gone quiet."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.filter import Filter
from rules.normal import overdispersed_below
from rules.panes import minute_of
from rules.reading import Looks, Reading, State
from rules.rollup import Roll
from rules.strict import ConditionModel, WindowLength
from rules.view import View
from rules.wording import Phrases, mentions, number

_MINUTE = timedelta(minutes=1)
_SLACK = 120
"""Minutes by which what is known may lag behind the clock; past that nothing can be said of silence."""
FORGET = 14 * 1440
"""Minutes without a mention after which a key is no longer missed: it has ended."""


class Flatline(ConditionModel):
    """Holds while ``window`` has at most ``at_most`` mentions where, at this hour, ``expected`` or more are usual.

    What is usual is that of the ``baseline`` condition: nights and holidays are quiet and no alarm. It says nothing
    until three days are known. "Less than" waits for what can be known: the window ends where every source has been
    polled up to, and while one is blind, or everything lags by more than two hours, it does not begin to hold. A key
    that has had no mention for 14 days is no longer missed.
    """

    type: Literal["flatline"]
    window: WindowLength = timedelta(hours=6)
    at_most: int = Field(default=0, ge=0)
    expected: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    where: Filter | None = None

    @field_validator("window")
    @classmethod
    def _hours(cls, window: timedelta) -> timedelta:
        if window % timedelta(hours=1) or window > timedelta(hours=48):
            raise ValueError("must be whole hours up to 48h: what is usual is learnt by the hour")
        return window

    @property
    def looks_at(self) -> Looks:
        minutes = self.window // _MINUTE
        return Looks(self.where, minutes + _SLACK, least=0, roll=Roll(60, minutes // 60))

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}突然沉寂", f"{noun.en} have stopped".capitalize())

    def leaves(self) -> tuple["Flatline"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        (tally, phrases), minutes = view.window(self), self.window // _MINUTE
        through = minute_of(view.marks.common(view.marks.seen, now))
        lag = view.minute - through
        count = view.since_minute(self, through - minutes)
        usual = view.expected_at(self, through, minutes, count)
        blind = view.marks.blind(now)
        last = view.last_seen(self)
        ended = last is None or view.minute - last > FORGET
        sure = not blind and lag <= _SLACK and usual.baseline in {"daily", "weekly"} and not ended
        surprising = overdispersed_below(count, usual.season) >= 2
        quiet = count <= self.at_most and usual.season >= self.expected and surprising
        # What held goes on while it cannot be seen: blindness is no recovery.
        holds = (quiet and sure) or (state is True and not sure and not ended)
        reading = Reading(
            holds,
            count,
            usual.season,
            self._because,
            (phrases, count, usual.season, sure or ended),
            tally.figures,
            self,
            awake=not ended,
            # Silence brings no row, and neither polls nor the hour's usual count wait for one.
            turns=0,
            baseline=usual.baseline,
        )
        return reading, None if ended else holds

    def _because(self, phrases: Phrases, count: int, season: float, sure: bool) -> Because:
        noun, hours = phrases.noun(count), self.window // timedelta(hours=1)
        zh = f"近 {hours} 小时{noun.zh} {count} 条，平时此时约 {number(season)} 条"
        en = f"{count} {noun.en} in the last {hours} h, usually {number(season)} at this hour"
        if not sure:
            zh = f"{zh}；尚不能确认（来源失联、数据滞后或基线不足 3 天）"
            en = f"{en}; not certain (a blind source, late data, or a young baseline)"
        return Because(zh, en)
