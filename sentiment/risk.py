"""What kind of trouble a text reports of its target, beside how it speaks of it: a fact can be bad in neutral words."""

import numpy as np
from numpy.typing import NDArray

from sentiment.grams import ORDERS, Batch, hashes
from sentiment.reading import OUTSIDE
from sentiment.sentiment import RiskCategory
from sentiment.weights import RiskHead

_STEP = 8  # a span of reasons is this many codes on either side of the one that weighs most


class RiskScorer:
    """A yes or no a category, by a linear score of the n-grams inside the target's clauses."""

    def __init__(self, head: RiskHead, bits: int) -> None:
        self._categories = head.categories
        self._bits = bits
        self._table = np.ascontiguousarray(head.weights.T)  # (buckets, categories): one n-gram's weights lie together
        self._scale = np.array(head.scale)
        self._bias = np.array(head.bias)
        self._limits = np.array(head.limits)

    def score(self, batch: Batch, zones: NDArray[np.uint8]) -> list[tuple[tuple[RiskCategory, float, int, int], ...]]:
        """For each text its categories, the surest first: name, confidence, first and last code of its span."""
        weights = self._weights(batch, zones)
        sure = self._confidences(weights, batch, zones)
        ends = np.append(batch.starts[1:], len(batch.codes))
        found: list[tuple[tuple[RiskCategory, float, int, int], ...]] = []
        for index in range(len(batch.starts)):
            told = [int(i) for i in np.flatnonzero(sure[index] >= self._limits)]
            told.sort(key=lambda i: -sure[index, i])
            start, end = int(batch.starts[index]), int(ends[index])
            found.append(
                tuple(
                    (self._categories[i], float(sure[index, i]), *_peak(weights[start:end, i], end - start))
                    for i in told
                )
            )
        return found

    def scores(self, batch: Batch, zones: NDArray[np.uint8]) -> NDArray[np.float64]:
        """P(category) for each text: shape (texts, categories)."""
        return self._confidences(self._weights(batch, zones), batch, zones)

    def _confidences(self, weights: NDArray[np.int16], batch: Batch, zones: NDArray[np.uint8]) -> NDArray[np.float64]:
        grams = np.maximum(np.add.reduceat((zones < OUTSIDE).astype(np.int64), batch.starts) * ORDERS, 1)
        sums = np.add.reduceat(weights, batch.starts, axis=0, dtype=np.int64)
        scores = self._bias + self._scale * sums / np.sqrt(grams)[:, None]
        sure: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        return sure

    def _weights(self, batch: Batch, zones: NDArray[np.uint8]) -> NDArray[np.int16]:
        one, two, three = hashes(batch.codes, self._bits - 1)  # half as many buckets: fewer examples
        weights = self._table[one].astype(np.int16)
        weights += self._table[two]
        weights += self._table[three]
        weights[zones >= OUTSIDE] = 0
        return weights


def _peak(weights: NDArray[np.int16], length: int) -> tuple[int, int]:
    """The codes around the best stretch of five; behind the two separators."""
    sums = np.convolve(weights.astype(np.int64), np.ones(5, dtype=np.int64), mode="same")
    best = int(sums.argmax())
    return min(max(best - _STEP // 2, 2), length - 1), min(best + _STEP // 2, length - 1)
