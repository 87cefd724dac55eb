"""How the accurate analyzer's weights are made: two logistic scores over the small model's scores and an embedding.

Mentions with a brand marked have weights of their own. Fitted together with texts as such, the embedding made the
mentions worse than the small model alone: whose fault something is, it cannot tell, and what a review means by a word
says little of a mention.

The small model's scores of a row must come from a model that never saw the row's source (see
:mod:`sentiment.train.build`): scores of texts that it was fitted on are surer than it will ever be, and the embedding
would be hardly listened to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sentiment.accurate import DOUBTFUL, UNSURE, Blend, Blends, Vectors, cut
from sentiment.reading import read
from sentiment.train.build import TARGET_WEIGHTS, left_out_with, weigh
from sentiment.train.examples import NEGATIVE, NEUTRAL, Example
from sentiment.train.fit import Floats, logistic
from sentiment.train.measure import TwoClass, classes, two_class

# Chosen with the groups left out, among powers of four: weaker ones learn the sources by heart.
TEXT_STRENGTH: Final = 1024.0
TARGET_STRENGTH: Final = 64.0
_STEPS = 300
# The small scores are few and known to be good: what binds the embedding's 384 weights must not bind theirs.
_TRUST = 4.0
# E5's embeddings lie close together; less their mean and times this, a column is about as wide as a small score.
_SPREAD = 20.0
_PARTS: Final = ("small", "embedding")
# What is measured: its name, and the parts that the blend may use; None: the small model as it is.
_WAYS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "small": None,
    "e5": ("embedding",),
    "both": _PARTS,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """What a blend is fitted on, *n* rows.

    ``embeddings`` (n, 384), each of length one; ``small`` (n, 2), the small model's polarity and neutrality, held out;
    ``labels`` (n,) of 0, 1, 2; ``groups`` (n,) of names: what is left out as a whole; ``weight`` (n,).
    """

    embeddings: Vectors
    small: Floats
    labels: NDArray[Any]
    groups: NDArray[Any]
    weight: Floats

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        embeddings: Vectors,
        small: Floats,
        given: Mapping[str, float] | None = None,
    ) -> "Rows":
        """The rows of *examples*, weighed so that no source drowns the others, or as *given* by source, else one.

        A group is a source; of the mentions written for this project, a writer.
        """
        sources = np.array([example.source for example in examples])
        groups = np.array([f"{e.source}/{e.group}" if e.source == "mentions" else e.source for e in examples])
        labels = np.array([example.label for example in examples])
        weight = weigh(sources) if given is None else np.array([given.get(str(source), 1.0) for source in sources])
        return cls(embeddings, cut(small), labels, groups, weight)

    def at(self, which: NDArray[Any]) -> "Rows":
        return Rows(
            self.embeddings[which], self.small[which], self.labels[which], self.groups[which], self.weight[which]
        )


def fit(rows: Rows, *, strength: float, parts: Collection[str] = _PARTS) -> Blend:
    """The blend of *rows*: polarity from what is not neutral, neutrality from everything.

    *parts*: which of ``small`` and ``embedding`` it may use; the other's weights are zero.
    """
    mean = rows.embeddings.mean(axis=0, dtype=np.float64)
    columns = np.concatenate([rows.small * _TRUST, (rows.embeddings - mean) * _SPREAD], axis=1)
    used = np.repeat([part in parts for part in _PARTS], [rows.small.shape[1], len(mean)])
    taken = csr_matrix((columns * used).astype(np.float32))
    opinions = rows.labels != NEUTRAL
    weights, biases = [], []
    for which, yes in ((opinions, rows.labels != NEGATIVE), (np.ones(len(opinions), dtype=bool), ~opinions)):
        found, bias = logistic(
            taken[which],
            yes[which].astype(np.float64),
            strength=strength,
            weight=rows.weight[which],
            steps=_STEPS,
        )
        weights.append(found.astype(np.float64))
        biases.append(bias)
    both = np.stack(weights)
    small, embedding = both[:, : rows.small.shape[1]] * _TRUST, both[:, rows.small.shape[1] :] * _SPREAD
    return Blend(np.array(biases) - embedding @ mean, small, embedding.astype(np.float32))


def split(examples: Sequence[Example], embeddings: Vectors, small: Floats) -> tuple[Rows, Rows]:
    """The rows of texts as such, and those with a brand marked: what :func:`build` is given."""
    targeted = np.array([read(example.target).targeted for example in examples], dtype=bool)
    texts, mentions = np.flatnonzero(~targeted).tolist(), np.flatnonzero(targeted).tolist()
    return (
        Rows.of([examples[index] for index in texts], embeddings[texts], small[texts]),
        Rows.of([examples[index] for index in mentions], embeddings[mentions], small[mentions], TARGET_WEIGHTS),
    )


def build(text: Rows, target: Rows, about: Mapping[str, Any]) -> Blends:
    """The whole model; the same rows give the same weights."""
    return Blends(fit(text, strength=TEXT_STRENGTH), fit(target, strength=TARGET_STRENGTH), about)


def judge(blend: Blend, rows: Rows) -> Floats:
    """P(negative), P(neutral), P(positive) of *rows*, shape (n, 3)."""
    return blend.scores(rows.small, rows.embeddings).classes()


def leave_out(
    rows: Rows,
    groups: Collection[str],
    *,
    strength: float,
    parts: Collection[str] = _PARTS,
) -> Floats:
    """Shares, (n, 3), of the rows of *groups*, each by a blend that saw neither its group nor any that overlaps.

    The rows of all other groups have NaN.
    """
    shares = np.full((len(rows.labels), 3), np.nan)
    for group in groups:
        mine = rows.groups == group
        rest = ~np.isin(rows.groups, list(left_out_with(group)))
        shares[mine] = judge(fit(rows.at(rest), strength=strength, parts=parts), rows.at(mine))
    return shares


def cascade(
    shares: Floats, small: Floats, *, unsure: float = UNSURE, doubtful: tuple[float, float] = DOUBTFUL
) -> tuple[Floats, NDArray[np.bool_]]:
    """*shares* where the small model's own, of the scores *small* (n, 2), are unsure, else those; and which are."""
    own = classes(small)
    low, high = doubtful
    asked = (own.max(axis=1) < unsure) | ((own[:, 0] >= low) & (own[:, 0] <= high))
    return np.where(asked[:, None], shares, own), asked


def ways(
    rows: Rows,
    groups: Collection[str],
    *,
    strength: float,
    unsure: float = UNSURE,
    doubtful: tuple[float, float] = DOUBTFUL,
) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
    """Shares, (n, 3), of the rows of *groups*, each without its group, by every way there is; and which are asked.

    Ways: ``small``, ``e5`` alone, ``both`` for every row, and the ``cascade``.
    """
    found = {
        name: classes(rows.small) if parts is None else leave_out(rows, groups, strength=strength, parts=parts)
        for name, parts in _WAYS.items()
    }
    found["cascade"], asked = cascade(found["both"], rows.small, unsure=unsure, doubtful=doubtful)
    return found, asked


def measure(rows: Rows, sources: Sequence[str], *, strength: float) -> dict[str, dict[str, TwoClass]]:
    """Negative against positive, each of *sources* left out: the figures by way, then by source."""
    found, _ = ways(rows, sources, strength=strength)
    return {
        name: {
            source: two_class(shares[rows.groups == source], rows.labels[rows.groups == source]) for source in sources
        }
        for name, shares in found.items()
    }
