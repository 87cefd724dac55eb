"""How good judgements are: the figures that every table here is made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment.ngram import sigmoid
from sentiment.train.examples import NEGATIVE, NEUTRAL, POSITIVE

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of three classes: share right, mean F1, F1 of each (negative, neutral, positive), mean log loss in nats."""

    count: int
    accuracy: float
    macro_f1: float
    f1: tuple[float, float, float]
    log_loss: float


@dataclass(frozen=True, slots=True)
class TwoClass:
    """Of the rows that are not neutral, by P(negative) / (P(negative) + P(positive)) against one half."""

    count: int
    accuracy: float
    negative_f1: float
    auc: float
    ece: float


def classes(scores: Floats) -> Floats:
    """P(negative), P(neutral), P(positive) from polarity and neutrality, (n, 2) to (n, 3)."""
    neutral = sigmoid(scores[:, 1])
    positive = (1 - neutral) * sigmoid(scores[:, 0])
    return np.stack([1 - neutral - positive, neutral, positive], axis=1)


def figures(shares: Floats, labels: NDArray[Any]) -> Figures:
    """*shares*: (n, 3); *labels*: (n,) of 0, 1, 2. The label is the largest share."""
    said = shares.argmax(axis=1)
    f1 = tuple(f_score(said == one, labels == one) for one in (NEGATIVE, NEUTRAL, POSITIVE))
    given = shares[np.arange(len(labels)), labels]
    return Figures(
        len(labels),
        float((said == labels).mean()),
        float(np.mean(f1)),
        (f1[0], f1[1], f1[2]),
        float(-np.log(np.maximum(given, 1e-9)).mean()),
    )


def two_class(shares: Floats, labels: NDArray[Any]) -> TwoClass:
    """The figures of the rows whose label is not neutral."""
    known = labels != NEUTRAL
    negative, positive = shares[known, 0], shares[known, 2]
    probability = negative / np.maximum(negative + positive, 1e-12)
    bad = labels[known] == NEGATIVE
    return TwoClass(
        int(known.sum()),
        float(((probability >= 0.5) == bad).mean()),
        f_score(probability >= 0.5, bad),
        auc(probability, bad),
        expected_calibration_error(probability, bad),
    )


def f_score(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """2 PR / (P + R); zero where nothing is found."""
    hits = int((said & true).sum())
    return 2 * hits / max(int(said.sum()) + int(true.sum()), 1)


def auc(scores: Floats, true: NDArray[np.bool_]) -> float:
    """The chance that a true row scores above a false one, ties half (Mann and Whitney's U over both counts)."""
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    yes, no = int(true.sum()), int((~true).sum())
    return float((ranks[true].sum() - yes * (yes + 1) / 2) / max(yes * no, 1))


def expected_calibration_error(probability: Floats, true: NDArray[np.bool_], bins: int = 15) -> float:
    """How far confidence and accuracy lie apart, over *bins* of equal width (Guo et al. 2017)."""
    said = probability >= 0.5
    sure = np.where(said, probability, 1 - probability)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(
            (place == one).mean() * abs((said == true)[place == one].mean() - sure[place == one].mean())
            for one in np.unique(place)
        )
    )


def average_precision(scores: Floats, true: NDArray[np.bool_]) -> float:
    """The mean of the precision at each true row, from the highest score down."""
    hits = true[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def precision_at_recall(scores: Floats, true: NDArray[np.bool_], recall: float) -> float:
    """The precision where, from the highest score down, *recall* of the true rows are found."""
    hits = np.cumsum(true[np.argsort(-scores, kind="stable")])
    at = int(np.searchsorted(hits, recall * hits[-1]))
    return float(hits[at] / (at + 1))
