"""Mentions that hold a word of risk."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.conditions.leaf import figures
from rules.filter import Filter
from rules.reading import Looks, Reading, State
from rules.strict import Strict, WindowLength, Words
from rules.terms import Terms
from rules.view import View

_NAMED = 5


class Watch(Strict):
    """Holds while ``window`` has ``at_least`` mentions whose title or text holds one of ``words``.

    ``words`` is a list, or a text with a word on each line (``!file lexicon.txt``) where ``#`` begins a comment.
    """

    type: Literal["watch"]
    words: Words
    window: WindowLength = timedelta(hours=1)
    at_least: int = Field(default=1, ge=1)
    where: Filter | None = None

    @field_validator("words")
    @classmethod
    def _findable(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words:
            raise ValueError("needs a word at least")
        return Terms(words).words

    @property
    def looks_at(self) -> Looks:
        return Looks(self.where, self.window // timedelta(minutes=1), lexicon=self.words, least=self.at_least)

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        return Because("出现风险词", "Words of risk")

    def leaves(self) -> tuple["Watch"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally = view.tally(self)
        count, words = tally.mentions, tuple(tally.ranked("word"))
        noun, length = view.noun(self, count), view.length(self)
        zh = f"近 {length.zh} {count} 条{noun.zh}出现风险词"
        en = f"{count} {noun.en} in the last {length.en} with words of risk"
        if words:
            named, more = words[:_NAMED], len(words) > _NAMED
            zh += "：" + "、".join(f"{word} {times}" for word, times in named) + ("等" if more else "")
            en += ": " + ", ".join(f"{word} {times}" for word, times in named) + (" and more" if more else "")
        because = Because(zh, en)
        holds = count >= self.at_least
        return Reading(holds, count, None, because, figures(tally), self, awake=holds, words=words), None
