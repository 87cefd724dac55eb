"""Mentions that hold a word of risk."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from alerts import Because
from rules.filter import Filter
from rules.pattern import Patterns
from rules.reading import Looks, Reading, State
from rules.strict import ConditionModel, Names, WindowLength, Words
from rules.terms import Terms
from rules.view import View
from rules.wording import Phrases

_NAMED = 5


class Watch(ConditionModel):
    """Holds while ``window`` has ``at_least`` mentions that hold one of ``words``, or match one of ``patterns``.

    ``words`` is a list, or a text with a word on each line (``!file lexicon.txt``) where ``#`` begins a comment.
    ``patterns`` are RE2's: they take time in proportion to the text, whatever they are. With neither, every mention
    that ``where`` passes counts: a person, a large account, a channel.
    """

    type: Literal["watch"]
    words: Words | None = None
    patterns: Names | None = None
    window: WindowLength = timedelta(hours=1)
    at_least: int = Field(default=1, ge=1)
    where: Filter | None = None

    @field_validator("words")
    @classmethod
    def _findable(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if words is None:
            return None
        if not words:
            raise ValueError("needs a word at least")
        return Terms(words).words

    @field_validator("patterns")
    @classmethod
    def _compilable(cls, patterns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if patterns is not None:
            if not patterns:
                raise ValueError("needs a pattern at least")
            Patterns(patterns)
        return patterns

    @model_validator(mode="after")
    def _one_thing(self) -> "Watch":
        if self.words is not None and self.patterns is not None:
            raise ValueError("give words or patterns, not both; two conditions under any watch for either")
        if self.words is None and self.patterns is None and self.where is None:
            raise ValueError("needs words, patterns, or a where that says what to watch for")
        return self

    @property
    def looks_at(self) -> Looks:
        return Looks(
            self.where,
            self.window // timedelta(minutes=1),
            lexicon=self.words or (),
            patterns=self.patterns or (),
            least=self.at_least,
            enough=True,
        )

    def headline(self, where: Filter | None) -> Because:  # noqa: ARG002
        if self.words is None and self.patterns is None:
            return Because("关注对象有新动态", "Somebody or something watched")
        return Because("出现风险词", "Words of risk")

    def leaves(self) -> tuple["Watch"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        tally, phrases = view.window(self)
        count, words = tally.mentions, tuple(tally.ranked("word"))
        holds = count >= self.at_least
        seen = phrases, count, words
        return Reading(holds, count, None, self._because, seen, tally.figures, self, holds, words=words), None

    def _because(self, phrases: Phrases, count: int, words: tuple[tuple[str, int], ...]) -> Because:
        noun, length = phrases.noun(count), phrases.length
        zh = f"近 {length.zh} {count} 条{noun.zh}"
        en = f"{count} {noun.en} in the last {length.en}"
        if self.words is not None or self.patterns is not None:
            zh, en = f"{zh}出现风险词", f"{en} with words of risk"
        if words:
            named, more = words[:_NAMED], len(words) > _NAMED
            zh += "：" + "、".join(f"{word} {times}" for word, times in named) + ("等" if more else "")
            en += ": " + ", ".join(f"{word} {times}" for word, times in named) + (" and more" if more else "")
        return Because(zh, en)
