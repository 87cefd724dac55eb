"""So large a share of the mentions within a window."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter, OfAll
from rules.reading import Looks, Reading, State
from rules.strict import ConditionModel, Labels, WindowLength
from rules.view import View
from rules.wording import Phrases, labels, percent


class Ratio(ConditionModel):
    """Holds while, of ``floor`` mentions or more within ``window``, a share of ``at_least`` carries ``label``.

    ``floor`` has no default: one angry post of one is 100 %. The share is that of all mentions that ``where`` passes,
    so ``where`` may not ask for a label. Levels compare ``at_least`` with the mentions that carry the label.
    """

    type: Literal["ratio"]
    label: Labels = ("negative",)
    window: WindowLength = timedelta(hours=1)
    at_least: float = Field(gt=0, le=1)
    floor: int = Field(ge=1)
    where: OfAll = None

    @property
    def looks_at(self) -> Looks:
        return Looks(self.where, self.window // timedelta(minutes=1), least=self.floor)

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        kind = labels(self.label)
        return Because(f"{kind.zh}占比偏高", f"High share of {kind.en} mentions")

    def leaves(self) -> tuple["Ratio"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally, phrases = view.window(self)
        count, whole = tally.labelled(self.label), tally.mentions
        share = count / whole if whole else 0.0
        enough = whole >= self.floor
        seen = figures(tally, share=share, mentions=count)
        # Compared without dividing: 3 of 10 reaches 0.3.
        holds = enough and count >= self.at_least * whole - 1e-9
        return Reading(holds, count, None, self._because, (phrases, count, whole), seen, self, enough), None

    def _because(self, phrases: Phrases, count: int, whole: int) -> Because:
        kind, length, share = labels(self.label), phrases.length, count / whole if whole else 0.0
        zh = f"近 {length.zh}{kind.zh}占比 {percent(share)}（{whole} 条中 {count} 条），阈值 {percent(self.at_least)}"
        en = (
            f"{percent(share)} {kind.en} in the last {length.en} ({count} of {whole} mentions), "
            f"threshold {percent(self.at_least)}"
        )
        if whole < self.floor:
            zh, en = f"{zh}，不足 {self.floor} 条", f"{en}, fewer than {self.floor} mentions"
        return Because(zh, en)
