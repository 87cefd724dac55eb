"""An analyzer's judgement of one target."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Label = Literal["negative", "neutral", "positive", "unknown"]

# What kind of trouble a text may report of its target; defined for people in the corpus' labelling guide.
RiskCategory = Literal[
    "food_safety",  # food that is spoilt, foreign, poisonous, over a limit; dirty kitchens; people ill after eating
    "product_safety",  # goods that burn, explode, leak current or harmful matter, injure; recalls for safety
    "data_privacy",  # leaks, theft, excessive collection or sale of personal data, spying
    "finance_legal",  # lawsuits, losses, defaults, frozen assets, delisting, insolvency, accounting doubts
    "regulatory",  # fines, investigations, summons, orders, failed official inspections, licences withdrawn
    "people",  # misconduct of executives or staff, arrests, unpaid wages, layoffs, overwork, harassment, strikes
    "service",  # complaints about service, delivery, refunds, queues, outages, or quality that harms nobody
    "fraud",  # fakes, false advertising, price tricks, pyramids, illegal fund-raising, running off with prepayments
    "rumor",  # an unconfirmed or refuted claim that is spreading
    "values",  # offence against national feeling, sex, region, minorities, animals, environment; a spokesman's scandal
]
CATEGORIES: Final[tuple[RiskCategory, ...]] = get_args(RiskCategory)


@dataclass(frozen=True, slots=True)
class Reason:
    """A span that drove the judgement; ``weight`` below zero speaks for negative, above zero for positive."""

    field: Literal["title", "text"]
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Risk:
    """A kind of trouble that the text reports of the target, how sure that is (0..1), and where it shows most."""

    category: RiskCategory
    confidence: float
    field: Literal["title", "text"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentiment:
    """A distribution over three classes (summing to one), its label and how sure that is (0..1).

    ``spans`` are the reasons, ``judged`` the stretches that were taken as said of the target: field, start, end. An
    analyzer that knows no risks tells none. ``unknown``: the analyzer does not speak the text's language; the
    distribution is then all neutral, confidence zero.
    """

    negative: float
    neutral: float
    positive: float
    label: Label
    confidence: float
    spans: tuple[Reason, ...] = ()
    judged: tuple[tuple[Literal["title", "text"], int, int], ...] = ()
    risks: tuple[Risk, ...] = ()


UNKNOWN = Sentiment(negative=0.0, neutral=1.0, positive=0.0, label="unknown", confidence=0.0)
