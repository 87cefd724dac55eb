"""Many different authors, channels, sites or stories, and not one loud account."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.filter import Filter
from rules.panes import Tally
from rules.reading import Looks, Reading, State
from rules.strict import ConditionModel, WindowLength
from rules.view import View, amount
from rules.wording import Phrases, mentions, percent

Of = Literal["authors", "channels", "sites", "stories"]
_NAMES: dict[Of, Because] = {
    "authors": Because("个不同作者", "different authors"),
    "channels": Because("个不同渠道", "different channels"),
    "sites": Because("个不同站点", "different sites"),
    "stories": Because("起不同事件", "different stories"),
}


class Cardinality(ConditionModel):
    """Holds while the mentions within ``window`` come from ``at_least`` different ones of ``of``.

    ``at_most_share``: and no single one of them has more than this share of the mentions, so that one loud account
    with a few followers of its own is no wave. A mention whose author or site is not known counts for none.
    """

    type: Literal["cardinality"]
    of: Of = "authors"
    window: WindowLength = timedelta(hours=1)
    at_least: int = Field(ge=2)
    at_most_share: float | None = Field(default=None, gt=0, lt=1)
    where: Filter | None = None

    @property
    def looks_at(self) -> Looks:
        return Looks(self.where, self.window // timedelta(minutes=1), least=self.at_least)

    def headline(self, where: Filter | None) -> Because:
        noun, name = mentions(where, self.where), _NAMES[self.of]
        return Because(f"{noun.zh}来自多{name.zh}", f"{noun.en} from many {name.en}".capitalize())

    def leaves(self) -> tuple["Cardinality"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally, phrases = view.window(self)
        count, largest = _counted(tally, self.of)
        share = largest / tally.mentions if tally.mentions else 0.0
        spread = self.at_most_share is None or share <= self.at_most_share
        enough = count >= self.at_least
        seen = phrases, tally.mentions, count, share
        # Where one account is too loud, its mentions leave the window with time and the rest may come to hold.
        return Reading(enough and spread, count, None, self._because, seen, tally.figures, self, awake=enough), None

    def _because(self, phrases: Phrases, whole: int, count: int, share: float) -> Because:
        noun, length, name = phrases.noun(whole), phrases.length, _NAMES[self.of]
        zh = f"近 {length.zh}{noun.zh} {whole} 条，来自 {count} {name.zh}（阈值 {self.at_least}）"
        en = f"{whole} {noun.en} in the last {length.en} from {count} {name.en} (threshold {self.at_least})"
        if self.at_most_share is not None:
            zh += f"，其中最多的一个占 {percent(share)}（上限 {percent(self.at_most_share)}）"
            en += f", the largest with {percent(share)} of them (limit {percent(self.at_most_share)})"
        return Because(zh, en)


def _counted(tally: Tally, of: Of) -> tuple[int, int]:
    """How many different ones, and how many mentions the largest has."""
    if of == "authors":
        return len(tally.authors), max(tally.authors.values(), default=0)
    if of == "stories":
        return amount(tally, "stories"), max(tally.stories.values(), default=min(1, tally.mentions))
    names = tally.ranked(of.removesuffix("s"))
    return len(names), names[0][1] if names else 0
