"""So many mentions within a window."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.strict import Strict, WindowLength
from rules.view import View
from rules.wording import mentions


class Volume(Strict):
    """Holds while ``window`` has ``at_least`` mentions."""

    type: Literal["volume"]
    window: WindowLength = timedelta(hours=1)
    at_least: int = Field(ge=1)
    where: Filter | None = None

    @property
    def looks_at(self) -> Looks:
        return Looks(self.where, self.window // timedelta(minutes=1), least=self.at_least)

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}偏多", f"many {noun.en}".capitalize())

    def leaves(self) -> tuple["Volume"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally = view.tally(self)
        count = tally.mentions
        noun, length = view.noun(self, count), view.length(self)
        because = Because(
            f"近 {length.zh}{noun.zh} {count} 条（阈值 {self.at_least} 条）",
            f"{count} {noun.en} in the last {length.en} (threshold {self.at_least})",
        )
        holds = count >= self.at_least
        return Reading(holds, count, None, because, figures(tally), self, awake=holds), None
