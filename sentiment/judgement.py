"""From the weights of words to a sentiment of three classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal

from sentiment.sentiment import Label, Reason, Sentiment

REASONS_AT_MOST = 8
_LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the judged text and its contribution to the log-odds of positive."""

    field: Literal["title", "text"]
    start: int
    end: int
    weight: float


def judge(prior: float, words: Sequence[Word], *, unseen: float) -> Sentiment:
    """The sentiment of a text of *words*, with those that weigh most as its reasons; see :func:`reasons`."""
    total = prior + sum(word.weight for word in words)
    return classes(sigmoid(total), reasons(words, unseen=unseen))


def classes(positive: float, spans: tuple[Reason, ...] = ()) -> Sentiment:
    """Three classes from P(positive) = p of a model of two: (1 - p)^2, 2 p (1 - p) and p^2.

    The model is asked twice, as it were: negative where both answers are negative, neutral where they differ. Nothing
    is fitted. Neutral is the label for p between 1/3 and 2/3.
    """
    share = (1 - positive) ** 2, 2 * positive * (1 - positive), positive**2
    best = max(range(3), key=lambda index: share[index])
    return Sentiment(*share, label=_LABELS[best], confidence=share[best], spans=spans)


def reasons(words: Sequence[Word], *, unseen: float) -> tuple[Reason, ...]:
    """The words that weigh most either way, at most :data:`REASONS_AT_MOST`, title first and in order of the text.

    One that weighs as much as a word that the model never saw, ``unseen``, or nothing, is no reason.
    """
    heaviest = sorted((word for word in words if word.weight not in {0.0, unseen}), key=lambda word: -abs(word.weight))[
        :REASONS_AT_MOST
    ]
    heaviest.sort(key=lambda word: (word.field != "title", word.start))
    return tuple(Reason(word.field, word.start, word.end, word.weight) for word in heaviest)


def sigmoid(log_odds: float) -> float:
    """1 / (1 + exp(-log_odds)), without overflow on either side."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    odds = exp(log_odds)
    return odds / (1 + odds)
