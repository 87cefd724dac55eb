"""An analyzer's judgement of one target."""

from dataclasses import dataclass
from typing import Literal

Label = Literal["negative", "neutral", "positive", "unknown"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A span that drove the judgement; ``weight`` below zero speaks for negative, above zero for positive."""

    field: Literal["title", "text"]
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A distribution over three classes (summing to one), its label and how sure that is (0..1).

    ``unknown``: the analyzer does not speak the text's language; the distribution is then all neutral, confidence zero.
    """

    negative: float
    neutral: float
    positive: float
    label: Label
    confidence: float
    spans: tuple[Reason, ...] = ()


UNKNOWN = Sentiment(negative=0.0, neutral=1.0, positive=0.0, label="unknown", confidence=0.0)
