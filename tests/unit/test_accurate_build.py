"""The accurate analyzer's weights are built from folders of lines, by models that never saw the rows they score."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from sentiment.accurate import WIDTH, Vectors
from sentiment.train.examples import NEGATIVE, NEUTRAL, POSITIVE, Example, target_of
from sentiment.train.folding import folding_table
from sentiment.train.gather import fit_accurate

FOLDING = folding_table()
SAID = {NEGATIVE: "糟透了差劲", NEUTRAL: "今天上午十点", POSITIVE: "太棒了好用"}


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Three sources of texts, and mentions by six writers; what is said is told by no word that all of them use."""
    draw = random.Random(1)

    def text(label: int, source: int) -> str:
        words = [chr(0x4E00 + 400 * source + draw.randrange(40)) for _ in range(8)]
        return "".join(words) + draw.choice(SAID[label])

    found = []
    for source in range(3):
        for _ in range(60):
            label = draw.choice((NEGATIVE, NEUTRAL, POSITIVE))
            found.append(Example(target_of(text(label, source), None, [], []), label, f"set{source}"))
    for writer in range(6):
        for _ in range(25):
            label = draw.choice((NEGATIVE, NEUTRAL, POSITIVE))
            said = target_of(f"云杉{text(label, writer)}", None, ["云杉"], [])
            found.append(Example(said, label, "mentions", group=f"w{writer}"))
    return found


def told(texts: Sequence[str]) -> Vectors:
    """An embedding in which the mood stands, as a good E5's does: which of the three sets of characters ends the text."""
    rows = np.random.default_rng(3).normal(scale=0.02, size=(len(texts), WIDTH))
    for row, text in zip(rows, texts, strict=True):
        for place, ends in enumerate(SAID.values()):
            row[place] += text[-1] in ends
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_what_the_embedding_knows_is_learnt_and_measured(examples: list[Example]) -> None:
    """A sample of every source is embedded; held out, the blend is better than the small model, and the figures say so."""
    embedded: list[str] = []

    def embed(texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return told(texts)

    blends, measured = fit_accurate(examples, FOLDING, embed, {"name": "试"}, per_source=50, mentions=140)
    assert len(embedded) == 3 * 50 + 140
    assert sum("该品牌" in text for text in embedded) == 140
    assert blends.about == {"name": "试"}
    assert set(measured["texts"]) == {"small", "e5", "both", "cascade"}
    assert measured["texts"]["both"][2] > 0.95
    assert measured["mentions"]["both"] > 0.9
    assert measured["mentions"]["both"] >= measured["mentions"]["small"]
    assert 0 <= measured["asked"] <= 1
    assert np.abs(blends.text.embedding[:, :3]).min() > np.abs(blends.text.embedding[:, 3:]).mean()
