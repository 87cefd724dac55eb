"""The review set: what people say of judgements. Which to ask for, and to which near-duplicates an answer holds."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from sentiment.sentiment import Sentiment

ALIKE: Final = 0.8  # of all trigrams that either text holds, the share that both hold
_LEAST = 12  # characters: shorter texts are alike only when they are equal
_CHAIN = re.compile(r"//\s?@.*", re.DOTALL)
_NOISE = re.compile(r"https?://\S+|@[\w-]{1,30}[:：]?|转发微博|轉發微博|\[[^\]\n]{1,8}\]")


def plain(text: str) -> str:
    """*text* as near-duplicates share it: without forwarding chains, links, handles, emoticons, marks and blanks."""
    own = _CHAIN.sub("", text) or text
    folded = unicodedata.normalize("NFKC", _NOISE.sub("", own)).lower()
    return "".join(character for character in folded if character.isalnum())


def trigrams(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 3] for at in range(max(len(text) - 2, 1)))


def alike(one: str, other: str) -> bool:
    """Whether two texts, as :func:`plain` gives them, say the same thing: equal, or :data:`ALIKE` of their trigrams."""
    if one == other:
        return bool(one)
    if min(len(one), len(other)) < _LEAST or min(len(one), len(other)) < ALIKE * max(len(one), len(other)):
        return False
    mine, theirs = trigrams(one), trigrams(other)
    return len(mine & theirs) >= ALIKE * len(mine | theirs)


def near_duplicates(text: str, others: Iterable[tuple[int, str]]) -> list[int]:
    """The numbers of *others* that are near-duplicates of *text*."""
    mine = plain(text)
    return [number for number, other in others if alike(mine, plain(other))]


def to_ask(judged: Sequence[tuple[str, Sentiment]], count: int) -> list[int]:
    """Which *count* texts to ask a person about: those on which the model wavers most between its two best answers.

    Of texts that say the same only the first is asked. A text that the model does not understand comes last.
    """
    order = sorted(range(len(judged)), key=lambda index: (_margin(judged[index][1]), index))
    chosen: list[int] = []
    seen: list[str] = []
    for index in order:
        if len(chosen) >= count:
            break
        said = plain(judged[index][0])
        if said and not any(alike(said, other) for other in seen):
            chosen.append(index)
            seen.append(said)
    return chosen


def _margin(sentiment: Sentiment) -> float:
    if sentiment.label == "unknown":
        return 1.0
    first, second, _ = sorted((sentiment.negative, sentiment.neutral, sentiment.positive), reverse=True)
    return first - second
