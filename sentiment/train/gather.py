"""The rows that the accurate analyzer's weights are fitted on: a sample of every source, scored by models that never saw it.

Embedding takes a core about a minute for a thousand texts, and each source left out a fit of its own: half an hour.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from sentiment.accurate import Blends, Vectors, wording
from sentiment.grams import Codes, Folding
from sentiment.reading import read
from sentiment.train.accurate import TARGET_STRENGTH, TEXT_STRENGTH, build, measure, split, ways
from sentiment.train.build import (
    TARGET_WEIGHTS,
    Data,
    fit_prior,
    fit_target,
    fit_text,
    folds,
    left_out_with,
    target_examples,
    text_examples,
)
from sentiment.train.examples import Example
from sentiment.train.fit import Floats
from sentiment.train.measure import figures

Embed = Callable[[Sequence[str]], Vectors]

PER_SOURCE: Final = 400
MENTIONS: Final = 3_000
TARGET_SOURCES: Final = ("mentions", "finnsp")  # those of the rows with a brand marked
_PARTS: Final = 4


def gather(
    examples: Sequence[Example], folding: Codes, embed: Embed, *, per_source: int = PER_SOURCE, mentions: int = MENTIONS
) -> tuple[list[Example], Vectors, Floats]:
    """Examples (n), their embeddings (n, 384) and the small model's held-out scores (n, 2); drawn with a fixed seed."""
    table = Folding(folding)
    text_data = Data.of(text_examples(examples), table)
    texts, text_scores = _texts(text_data, per_source)
    targets, target_scores = _targets(examples, text_data, table, per_source, mentions)
    chosen = [*texts, *targets]
    return chosen, embed([wording(read(example.target)) for example in chosen]), np.vstack([text_scores, target_scores])


def fit_accurate(
    examples: Sequence[Example], folding: Codes, embed: Embed, about: Mapping[str, Any], **sizes: int
) -> tuple[Blends, Mapping[str, Any]]:
    """The accurate analyzer's weights from all *examples*, and its figures, each group judged by a blend without it.

    Figures: by way (small, e5, both, cascade) the mean over the sources with two classes of accuracy, F1 of negative,
    AUC and ECE (``texts``), the macro-F1 of the mentions (``mentions``), and the share of them that is asked.
    """
    chosen, embeddings, small = gather(examples, folding, embed, **sizes)
    text, target = split(chosen, embeddings, small)
    blends = build(text, target, about)
    both = [
        str(source)
        for source in np.unique(text.groups)
        if {0, 2} <= set(text.labels[text.groups == source].tolist()) and source not in {"mentions", "remarks"}
    ]
    by_way = measure(text, both, strength=TEXT_STRENGTH)
    told: dict[str, Any] = {
        way: [
            round(float(np.mean([getattr(one, name) for one in found.values()])), 4)
            for name in ("accuracy", "negative_f1", "auc", "ece")
        ]
        for way, found in by_way.items()
    }
    writers = [str(group) for group in np.unique(target.groups) if str(group).startswith("mentions")]
    shares, asked = ways(target, writers, strength=TARGET_STRENGTH)
    own = np.isin(target.groups, writers)
    return blends, {
        "texts": told,
        "mentions": {way: round(figures(found[own], target.labels[own]).macro_f1, 4) for way, found in shares.items()},
        "asked": round(float(asked[own].mean()), 3),
    }


def _texts(data: Data, per_source: int) -> tuple[list[Example], Floats]:
    """A sample of each source of texts without a brand, scored by a text head that saw no source like it."""
    chosen: list[int] = []
    scores = np.zeros((len(data.labels), 2))
    known: dict[frozenset[str], Any] = {}
    for source in np.unique(data.sources):
        if source in TARGET_SOURCES:
            continue
        out = left_out_with(str(source))
        if out not in known:
            known[out] = fit_text(data, data.without(out))
        rows = np.flatnonzero(data.sources == source).tolist()
        drawn = sorted(random.Random(0).sample(rows, min(per_source, len(rows))))
        scores[drawn] = known[out].scores(data.rows[drawn])
        chosen += drawn
    return [data.examples[index] for index in chosen], scores[chosen]


def _targets(
    examples: Sequence[Example], text_data: Data, folding: Folding, per_source: int, mentions: int
) -> tuple[list[Example], Floats]:
    """A sample of mentions and of one source with entities, scored by target heads that saw neither writer nor entity."""
    data = Data.of(target_examples(examples), folding, TARGET_WEIGHTS)
    prior = fit_prior(text_data, np.ones(len(text_data.labels), dtype=bool))
    groups = np.array([f"{example.source == 'finnsp'}/{example.group}" for example in data.examples])
    part = folds(groups, _PARTS)
    scores = np.zeros((len(data.labels), 2))
    for number in range(_PARTS):
        held = part == number
        scores[held] = fit_target(data, ~held, prior).scores(data.rows[held])
    chosen: list[int] = []
    for source, size in zip(TARGET_SOURCES, (mentions, per_source), strict=True):
        rows = np.flatnonzero(data.sources == source).tolist()
        chosen += sorted(random.Random(0).sample(rows, min(size, len(rows))))
    return [data.examples[index] for index in chosen], scores[chosen]
