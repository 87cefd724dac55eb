"""So many mentions within a window."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.conditions.leaf import unit
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.rollup import Count
from rules.strict import ConditionModel, WindowLength
from rules.view import View, amount
from rules.wording import Phrases, mentions


class Volume(ConditionModel):
    """Holds while ``window`` has ``at_least`` mentions, or authors, stories or people reached, as ``count`` says."""

    type: Literal["volume"]
    window: WindowLength = timedelta(hours=1)
    at_least: int = Field(ge=1)
    count: Count = "mentions"
    where: Filter | None = None

    @property
    def looks_at(self) -> Looks:
        return Looks(
            self.where,
            self.window // timedelta(minutes=1),
            least=1 if self.count == "reach" else self.at_least,
            enough=self.count == "mentions",
        )

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}偏多", f"many {noun.en}".capitalize())

    def leaves(self) -> tuple["Volume"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally, phrases = view.window(self)
        count = amount(tally, self.count)
        holds = count >= self.at_least
        return Reading(holds, count, None, self._because, (phrases, count), tally.figures, self, holds), None

    def _because(self, phrases: Phrases, count: int) -> Because:
        noun, length = unit(self.count, phrases.noun(count)), phrases.length
        return Because(
            f"近 {length.zh}{noun.zh} {count}{noun.measure}（阈值 {self.at_least}{noun.measure}）",
            f"{count} {noun.en} in the last {length.en} (threshold {self.at_least})",
        )
