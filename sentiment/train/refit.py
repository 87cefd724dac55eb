"""A user's corrections into new weights: the model in use, and on top of it what the corrections teach.

Before anything is taken, it is measured on corrections that the fit did not see; what is worse is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sentiment.grams import Folding
from sentiment.reading import Reading, read
from sentiment.train.build import Fitted, folds, rounded, table
from sentiment.train.examples import NEGATIVE, NEUTRAL, Example
from sentiment.train.fit import Floats, logistic
from sentiment.train.measure import Figures, classes, figures
from sentiment.weights import Head, Weights

ENOUGH: Final = 20  # corrections; with fewer, nothing can be measured
_PARTS = 5
_STRENGTH = 0.1


@dataclass(frozen=True, slots=True)
class Refit:
    """New weights, and both models' figures on held-out corrections; ``better`` says whether to take them."""

    weights: Weights
    before: Figures
    after: Figures

    @property
    def better(self) -> bool:
        """Not worse in macro-F1, nor in the log loss by which a model that is surer of its mistakes is found out."""
        return self.after.macro_f1 >= self.before.macro_f1 and self.after.log_loss <= self.before.log_loss


class TooFewError(Exception):
    """There are not enough corrections to learn from and to measure with."""


def refit(base: Weights, examples: Sequence[Example]) -> Refit:
    """Learn *examples*; seconds for some thousands. Raises TooFewError below :data:`ENOUGH`.

    Five parts, near-duplicates in one part: each is judged by a model fitted on the other four. The weights returned
    are fitted on all.
    """
    if len(examples) < ENOUGH:
        raise TooFewError(
            f"{len(examples)} corrections; {ENOUGH} are the least that can be learnt from and measured with"
        )
    if len({example.label for example in examples}) < 2:
        raise TooFewError("all corrections have one label; some of another are needed to learn what tells them apart")
    folding = Folding(base.folding)
    readings = [read(example.target) for example in examples]
    labels = np.array([example.label for example in examples])
    targeted = np.array([reading.targeted for reading in readings])
    rows = table(readings, folding, base.bits)
    part = folds(np.array([_alike(reading) for reading in readings]), _PARTS)
    text, target = floats(base.text), floats(base.target)
    old = np.where(targeted[:, None], target.scores(rows), text.scores(rows))
    new = np.zeros_like(old)
    everything = np.ones(len(labels), dtype=bool)
    for number in range(_PARTS):
        held = part == number
        more = _learnt(rows, labels, old, ~held, base.bits)
        new[held] = old[held] + more.scores(rows[held])
    more = _learnt(rows, labels, old, everything, base.bits)
    weights = replace(
        base,
        text=rounded(_sum(text, more)),
        target=rounded(_sum(target, more)),
        about={**base.about, "corrections": len(examples), "from": base.version},
    )
    return Refit(weights, figures(classes(old), labels), figures(classes(new), labels))


def floats(head: Head) -> Fitted:
    """The rounded weights as numbers again."""
    scale = np.array(head.scale, dtype=np.float32)
    return Fitted(head.shared * scale[:, None], head.zones * scale[None, :, None], head.bias)


def _sum(one: Fitted, other: Fitted) -> Fitted:
    return Fitted(
        one.shared + other.shared,
        one.zones + other.zones,
        (one.bias[0] + other.bias[0], one.bias[1] + other.bias[1]),
    )


def _learnt(rows: csr_matrix, labels: NDArray[Any], old: Floats, which: NDArray[np.bool_], bits: int) -> Fitted:
    """What must be added to the old scores. Shared columns alone: a user's few lines tell nothing about zones."""
    shared = rows[:, : 1 << bits]
    columns, biases = [], []
    for index, (chosen, yes) in enumerate(
        ((which & (labels != NEUTRAL), labels != NEGATIVE), (which, labels == NEUTRAL))
    ):
        if len(np.unique(yes[chosen])) < 2:  # one class alone teaches its share, not its words
            columns.append(np.zeros(1 << bits, dtype=np.float32))
            biases.append(0.0)
            continue
        found, bias = logistic(
            csr_matrix(shared[chosen]), yes[chosen].astype(np.float64), strength=_STRENGTH, offset=old[chosen, index]
        )
        columns.append(found)
        biases.append(bias)
    zones = (rows.shape[1] >> bits) - 1
    return Fitted(np.stack(columns), np.zeros((zones, 2, 1 << bits), dtype=np.float32), (biases[0], biases[1]))


def _alike(reading: Reading) -> str:
    """What near-duplicates share: the letters of the text alone."""
    return "".join(character for character in reading.text if character.isalpha())[:200]
