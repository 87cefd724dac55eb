"""A word that nobody used before."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from alerts import Because
from rules.filter import Filter
from rules.panes import NEVER
from rules.reading import Looks, Reading, State
from rules.rollup import Roll
from rules.strict import ConditionModel, WindowLength
from rules.view import View
from rules.vocabulary import MAX_VOICES, REMEMBERED
from rules.wording import Phrases, mentions

_MINUTE = timedelta(minutes=1)
_NAMED = 5


class NewTerm(ConditionModel):
    """Holds while a word that this topic did not use in the 30 days before is used by ``at_least`` different authors.

    An author counts once, however often he says it; where none is named the same text does.

    Phrases are cut by jieba's dictionary: two Chinese characters or three Latin letters at least, numbers left out. One
    is new while its first use, history counted, lies within ``window``. Until the topic has been watched for a day, or
    twice the window where that is longer, or history as dense as what follows reaches back that far, every word would be
    new: it does not hold.
    """

    type: Literal["new_term"]
    window: WindowLength = timedelta(hours=6)
    at_least: int = Field(default=5, ge=2, le=MAX_VOICES)
    where: Filter | None = None

    @property
    def looks_at(self) -> Looks:
        return Looks(self.where, self.window // _MINUTE, least=self.at_least, terms=True, roll=Roll(60, 1))

    def headline(self, where: Filter | None) -> Because:
        noun = mentions(where, self.where)
        return Because(f"{noun.zh}中出现新词", f"new words in {noun.en}".capitalize())

    def leaves(self) -> tuple["NewTerm"]:
        return (self,)

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:  # noqa: ARG002
        (tally, phrases), vocabulary = view.window(self), view.vocabulary(self)
        begin = view.minute - tally.size
        heard = (
            (word, min(count, vocabulary.spoken_by(word)))
            for word, count in tally.ranked("word")
            if count >= self.at_least and vocabulary.first(word, begin) > begin
        )
        words = tuple(sorted((one for one in heard if one[1] >= self.at_least), key=lambda one: (-one[1], one[0])))
        count = words[0][1] if words else 0
        old_at = self._old_at(view) if words else 0
        young = view.minute < old_at
        reading = Reading(
            bool(words) and not young, count, None, self._because, (phrases, tally.mentions, words, young),
            tally.figures, self, awake=bool(words), words=words, turns=old_at if young else NEVER,
        )  # fmt: skip
        return reading, None

    def _because(self, phrases: Phrases, whole: int, words: tuple[tuple[str, int], ...], young: bool) -> Because:
        noun, length, days = phrases.noun(whole), phrases.length, REMEMBERED // 1440
        if words:
            named = words[:_NAMED]
            listed = "、".join(f"{word} {times} 人" for word, times in named)
            zh = f"近 {length.zh}{noun.zh}出现此前 {days} 天未见的词：{listed}"
            en = f"words in the last {length.en} that were not seen in {days} days, by authors: "
            en += ", ".join(f"{word} {times}" for word, times in named)
            if len(words) > _NAMED:
                zh, en = f"{zh}等 {len(words)} 个", f"{en} and {len(words) - _NAMED} more"
        else:
            zh = f"近 {length.zh}{noun.zh}没有达到 {self.at_least} 人使用的新词"
            en = f"no new word by {self.at_least} authors of {noun.en} in the last {length.en}"
        if young:
            zh, en = f"{zh}；观察不足，尚不能判断何为新词", f"{en}; watched too briefly to tell what is new"
        return Because(zh, en)

    def _old_at(self, view: View) -> int:
        """The minute from which on enough is known of what the topic says."""
        # The oldest day of a history may be a first poll's last hour.
        known = min(view.since(self), (view.rollup(self).first(view.since(self)) - 1) * 60 + 1440)
        return known + max(1440, 2 * (self.window // _MINUTE))
