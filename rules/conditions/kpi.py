"""A target that is missed, or about to be."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.rollup import Roll
from rules.strict import ConditionModel, ReferenceLength
from rules.view import View
from rules.wording import labels, number, percent, span

_MINUTE = timedelta(minutes=1)
Measure = Literal["positive_share", "neutral_share", "negative_share", "mentions"]


def _hours(value: timedelta) -> timedelta:
    if value < timedelta(days=1) or value % timedelta(hours=1):
        raise ValueError("must be whole hours, 1d or more")
    return value


Over = Annotated[ReferenceLength, AfterValidator(_hours)]


class Kpi(ConditionModel):
    """Holds while a measure over ``over`` misses its target, or will within ``ahead`` if the last day goes on.

    ``positive_share`` and the like are shares of all mentions, of which there must be ``floor``; ``mentions`` is their
    number. What will be is the same stretch moved on by ``ahead``: its oldest hours give way to as many of the last
    day's pace. It says nothing before ``over`` has been watched, or history reaches back that far.
    """

    type: Literal["kpi"]
    measure: Measure
    at_least: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    at_most: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    over: Over = timedelta(days=7)
    ahead: Over = timedelta(days=1)
    floor: int = Field(default=30, ge=1)
    where: Filter | None = None

    @model_validator(mode="after")
    def _one_side(self) -> "Kpi":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give at_least or at_most, one of them")
        if self.measure != "mentions" and not 0 < self._target < 1:
            raise ValueError("a share's target lies between 0 and 1")
        if self._label and self.where is not None and self.where.labels():
            raise ValueError("where must not ask for a label: the share is of all mentions that it passes")
        if self.ahead >= self.over:
            raise ValueError("ahead must be shorter than over")
        return self

    @property
    def _target(self) -> float:
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    @property
    def _label(self) -> str:
        return self.measure.removesuffix("_share") if self.measure != "mentions" else ""

    @property
    def looks_at(self) -> Looks:
        marked = (self._label,) if self._label else ()
        # The window is what an alert shows: the last day.
        return Looks(self.where, 1440, roll=Roll(60, 1, marked=marked))

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        name = self._name()
        return Because(f"指标未达标：{name.zh}", f"target missed: {name.en}".capitalize())

    def leaves(self) -> tuple["Kpi"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        rollup, tally = view.rollup(self), view.tally(self)
        hours, ahead, last = self.over // timedelta(hours=1), self.ahead // timedelta(hours=1), rollup.upto or 0
        gone, day = last - hours + ahead, last - 24
        whole, hits = rollup.counted(last - hours, last), rollup.counted_marked(last - hours, last)
        old_whole, old_hits = rollup.counted(last - hours, gone), rollup.counted_marked(last - hours, gone)
        day_whole, day_hits = rollup.counted(day, last), rollup.counted_marked(day, last)
        pace = ahead / 24
        now_value = self._value(whole, hits)
        then_value = self._value(whole - old_whole + day_whole * pace, hits - old_hits + day_hits * pace)
        known = rollup.first(view.since(self)) - 1 <= last - hours
        enough = known and (self.measure == "mentions" or whole >= self.floor)
        missed, coming = enough and self._misses(now_value), enough and self._misses(then_value)
        share = now_value if self._label else None
        reading = Reading(
            missed or coming, tally.mentions, None, self._because, (now_value, then_value, enough, missed, coming),
            figures(tally, share=share), self, awake=True, turns=rollup.turns,
        )  # fmt: skip
        return reading, None

    def _because(self, now_value: float, then_value: float, enough: bool, missed: bool, coming: bool) -> Because:
        name, length, target = self._name(), span(self.over), self._figure(self._target)
        side = Because("不低于", "at least") if self.at_least is not None else Because("不高于", "at most")
        zh = f"近 {length.zh}{name.zh} {self._figure(now_value)}（目标{side.zh} {target}）"
        en = f"{name.en} {self._figure(now_value)} over {length.en} (target: {side.en} {target})"
        if not enough:
            zh, en = f"{zh}；数据不足，尚不能判断", f"{en}; too little is known to tell"
        elif coming and not missed:
            soon = span(self.ahead)
            zh = f"{zh}；按近一天的走势，{soon.zh}后将为 {self._figure(then_value)}，未达标"
            en = f"{en}; as the last day goes it will be {self._figure(then_value)} in {soon.en}, a miss"
        return Because(zh, en)

    def _value(self, whole: float, hits: float) -> float:
        return (hits / whole if whole else 0.0) if self._label else whole

    def _misses(self, value: float) -> bool:
        return value < self.at_least - 1e-9 if self.at_least is not None else value > self._target + 1e-9

    def _figure(self, value: float) -> str:
        return percent(value) if self._label else number(value)

    def _name(self) -> Because:
        if not self._label:
            return Because("提及量", "mentions")
        kind = labels((self._label,))
        return Because(f"{kind.zh}占比", f"share of {kind.en} mentions")
