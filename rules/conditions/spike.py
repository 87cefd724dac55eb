"""Many more mentions, authors, stories or people than in the stretch just before."""

import math
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from alerts import Because
from rules.conditions.leaf import figures, unit
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.rollup import NO_ROLL, Count, Roll
from rules.strict import LONGEST_REFERENCE, ConditionModel, ReferenceLength, WindowLength
from rules.view import Preceding, View, amount
from rules.wording import Phrases, mentions, number, span

_MINUTE = timedelta(minutes=1)
COLD_FLOOR = 2
"""While the reference is incomplete, ``at_least`` counts this many times."""
REFERENCE_WINDOWS = 12


class Spike(ConditionModel):
    """Holds while ``window`` has ``at_least`` mentions and ``factor`` times what the stretch before it leads to expect.

    That stretch is the ``reference``, by default twelve windows long.
    expected = mentions in the reference / its minutes * the window's minutes. History counts in the reference alone.
    Where ``count`` is another than mentions, what is expected is the mean over the whole windows that lie in the
    reference, on the clock: the authors of twelve hours are fewer than twelve times those of one.
    The reference is complete once the rule has stood for all of it, or once imported history both reaches back to its
    beginning and has ``at_least`` mentions in it. Until then the baseline is *cold*: ``at_least`` counts double, and
    what is expected comes from the minutes that were watched, or is left out where those are fewer than the window's.
    """

    type: Literal["spike"]
    window: WindowLength = timedelta(hours=1)
    reference: ReferenceLength | None = None
    factor: float = Field(default=3.0, gt=1, allow_inf_nan=False)
    at_least: int = Field(ge=1)
    count: Count = "mentions"
    where: Filter | None = None

    @model_validator(mode="after")
    def _long_enough(self) -> "Spike":
        if self.preceding < self.window:
            raise ValueError("reference must be as long as the window at least")
        return self

    @property
    def preceding(self) -> timedelta:
        """The reference's length: as given, else twelve windows."""
        return self.reference or min(self.window * REFERENCE_WINDOWS, LONGEST_REFERENCE)

    @property
    def looks_at(self) -> Looks:
        minutes = self.window // _MINUTE
        roll = NO_ROLL if self.count == "mentions" else Roll(minutes, 1, self.count)
        least = 1 if self.count == "reach" else self.at_least
        return Looks(self.where, minutes, self.preceding // _MINUTE, least=least, roll=roll)

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}激增", f"surge of {noun.en}".capitalize())

    def leaves(self) -> tuple["Spike"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        (tally, phrases), before = view.window(self), view.preceding(self)
        count = amount(tally, self.count)
        cold = not (before.watched or (before.reaches_back and before.mentions >= self.at_least))
        expected = self._expected(view, before)
        floor = self.at_least * (COLD_FLOOR if cold else 1)
        holds = count >= floor and (expected is None or count >= self.factor * expected)
        times = None if expected is None else (count / expected if expected else math.inf)
        reading = Reading(
            holds,
            count,
            expected,
            self._because,
            (phrases, count, expected, before.minutes, cold),
            figures(tally, factor=times),
            self,
            awake=count >= self.at_least,
            # Above the floor what is expected decides, and while cold, or of whole windows, that changes by the minute.
            turns=0 if count >= floor and (cold or self.count != "mentions") else before.turns,
            baseline="cold" if cold else "none",
        )
        return reading, None

    def _expected(self, view: View, before: Preceding) -> float | None:
        """Of the window, by the reference; None where too little of it is known."""
        size, end = self.window // _MINUTE, view.minute - self.window // _MINUTE
        if before.minutes < size:
            return None
        if self.count == "mentions":
            return before.mentions * size / before.minutes
        last, known = end // size, -(-(end - before.minutes) // size)
        return view.rollup(self).counted(known, last) / (last - known) if last > known else None

    def _because(self, phrases: Phrases, count: int, expected: float | None, minutes: int, cold: bool) -> Because:
        noun, length = unit(self.count, phrases.noun(count)), phrases.length
        past = span(min(self.preceding, minutes * _MINUTE))
        zh, en = f"近 {length.zh}{noun.zh} {count}{noun.measure}", f"{count} {noun.en} in the last {length.en}"
        if expected is None:
            zh, en = f"{zh}，此前尚无可比的时段", f"{en}; nothing before it to compare with yet"
        elif expected == 0:
            zh, en = f"{zh}，前 {past.zh}没有", f"{en}, none in the {past.en} before"
        else:
            usual = number(expected)
            zh = f"{zh}，前 {past.zh}平均每 {length.zh} {usual}{noun.measure}"
            en = f"{en}, against {usual} per {length.en} in the {past.en} before"
            if count >= expected:
                times = number(count / expected)
                zh, en = f"{zh}（{times} 倍）", f"{en} ({times} times)"
        if cold:
            zh = f"{zh}；参照期不足 {span(self.preceding).zh}，门槛加倍为 {self.at_least * COLD_FLOOR}{noun.measure}"
            en = (
                f"{en}; watched for less than {span(self.preceding).en}, "
                f"so the floor is doubled to {self.at_least * COLD_FLOOR}"
            )
        return Because(zh, en)
