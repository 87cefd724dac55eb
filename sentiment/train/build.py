"""How the shipped weights are made, step by step; the same steps serve the measurements with sources left out.

1. Text head: all texts, no brand marked. Polarity on what is not neutral, neutrality on everything.
2. Target head: mentions with a brand marked, and the two scores of the text head beside their n-grams, so that it
   begins from what texts as such taught.
3. Calibration of the target head: each score's slope and offset, fitted on scores of mentions by writers it had not
   seen. The text head is left as it is: fitted on so many sources it is calibrated on others (expected calibration
   error .050), and offsets learnt without half of them made that worse (.059).
4. Risk head: mentions whose risks are known.
5. Rounding to eight bits.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from sentiment.grams import BRAND, Codes, Folding
from sentiment.ngram import sigmoid
from sentiment.reading import COMPARED, OUTSIDE, ZONES, Reading, read
from sentiment.sentiment import CATEGORIES
from sentiment.target import Passage, Span, Target
from sentiment.train.examples import NEGATIVE, NEUTRAL, Example, without_names
from sentiment.train.fit import Floats, beside, inside, logistic, matrix
from sentiment.train.lexicon import lexicon_examples
from sentiment.weights import Head, RiskHead, Weights

BITS: Final = 19
# Sources that hold each other's texts: when one is left out, so are the others.
OVERLAPS: Final[tuple[frozenset[str], ...]] = (
    frozenset({"nlpcc_weibo_8moods", "weibo_5_moods", "covid_weibo_7emo"}),
    frozenset({"chnsenticorp_htl", "online_shopping_10_cats"}),
)
OWN: Final = ("mentions", "remarks")  # written for this project
_BALANCE = 0.3  # a source's weight falls with its size to this power: none drowns the others
_USUAL = 3_000  # rows of a source that weighs one
_OWN_WEIGHT = 4.0
# Event types of financial news, nearly all bad: heard in full they teach that news is bad, and confidence suffers.
_TEXT_WEIGHTS: Final = {"finese": 0.3}
_TEXT_STRENGTH = 1.0
_TARGET_STRENGTH = 0.02
_TARGET_STEPS = 80
# Companies in the news are judged by another standard than brands in talk: they are heard, but must not drown it.
_COMPOSED: Final = "composed"
TARGET_WEIGHTS: Final = {"finnsp": 0.1, _COMPOSED: 0.1}
_RISK_STRENGTH = 0.02
_RISK_WEIGHTS: Final = {"finese": 0.03, "lexicon": 1.0}
_RISK_PARTS = 4
_RISK_RARITY = 3.0  # a report of trouble is rare, and worse to miss than to tell in vain
_PRIOR_SHARE = 1.0  # how cheaply the target head may use the text head's scores
_ZONE_SHARE = 1.0
_PARTS = 8  # of a cross-validation within one source


@dataclass(frozen=True, slots=True)
class Fitted:
    """Float weights of one head: shared (2, buckets), zones (zones, 2, buckets), bias (2,)."""

    shared: NDArray[np.float32]
    zones: NDArray[np.float32]
    bias: tuple[float, float]

    def scores(self, rows: csr_matrix) -> Floats:
        """Polarity and neutrality of rows of :func:`table`, shape (n, 2)."""
        flat = np.concatenate([self.shared, self.zones.transpose(1, 0, 2).reshape(2, -1)], axis=1)
        scores: Floats = np.asarray(rows @ flat.T, dtype=np.float64) + np.array(self.bias)
        return scores


def table(readings: Sequence[Reading], folding: Folding, bits: int = BITS) -> csr_matrix:
    """The rows that both heads are fitted on: shared columns, then those of each zone."""
    both = matrix(readings, folding, bits, zoned=True)
    return csr_matrix(hstack([both.shared, both.zoned * _ZONE_SHARE]))


def weigh(sources: NDArray[Any], own: float = _OWN_WEIGHT) -> Floats:
    """A weight for each row, so that sources of all sizes are heard."""
    names, counts = np.unique(sources, return_counts=True)
    of = {
        name: (_USUAL / count) ** _BALANCE * (own if str(name).startswith(OWN) else _TEXT_WEIGHTS.get(str(name), 1.0))
        for name, count in zip(names, counts, strict=True)
    }
    return np.array([of[name] for name in sources])


def fit_head(
    rows: csr_matrix,
    labels: NDArray[Any],
    weight: Floats,
    *,
    strength: float,
    prior: tuple[Fitted, Floats] | None = None,
    bits: int = BITS,
    steps: int = 40,
) -> Fitted:
    """Both scores of a head.

    *prior*: a fitted head, and its scores of these rows, to begin from; what few rows teach
    beyond it is bound to their rarer n-grams (see :func:`rarity`), which would harm a head of many sources.
    """
    opinions = labels != NEUTRAL
    buckets = 1 << bits
    columns, rare = rows, np.ones(rows.shape[1])
    if prior is not None:
        rare = np.tile(rarity(rows[:, :buckets]), ZONES + 1)
        columns = beside(csr_matrix(rows @ diags(rare.astype(np.float32))), prior[1] * _PRIOR_SHARE)
    polarity, first = logistic(
        columns[opinions],
        (labels[opinions] != NEGATIVE).astype(np.float64),
        strength=strength,
        weight=weight[opinions],
        steps=steps,
    )
    neutrality, second = logistic(
        columns, (labels == NEUTRAL).astype(np.float64), strength=strength, weight=weight, steps=steps
    )
    width = rows.shape[1]
    both = np.stack([polarity[:width], neutrality[:width]]) * rare
    shared: NDArray[Any] = both[:, :buckets]
    zones: NDArray[Any] = both[:, buckets:].reshape(2, ZONES, buckets).transpose(1, 0, 2) * _ZONE_SHARE
    bias = np.array([first, second])
    if prior is not None:
        taken = np.stack([polarity[width:], neutrality[width:]]) * _PRIOR_SHARE  # (2 scores, 2 of the prior)
        shared = shared + taken @ prior[0].shared
        zones = zones + np.einsum("ij,zjb->zib", taken, prior[0].zones)
        bias = bias + taken @ np.array(prior[0].bias)
    return Fitted(shared.astype(np.float32), zones.astype(np.float32), (float(bias[0]), float(bias[1])))


def rarity(rows: csr_matrix) -> Floats:
    """How freely each bucket's weight may move: the root of its inverse document frequency, 0 to 1 (Spaerck Jones 1972).

    What stands in nearly every text says little, and is kept small.
    """
    count, width = rows.shape
    seen = np.bincount(rows.indices, minlength=width)
    found: Floats = np.sqrt(np.log((count + 1) / (np.minimum(seen, count) + 1)) / np.log(count + 1))
    return found


def calibrate(fitted: Fitted, scores: Floats, labels: NDArray[Any], weight: Floats) -> Fitted:
    """*fitted* with slope and offset of each score as they fit *scores*, which were made without the scored rows."""
    opinions = labels != NEUTRAL
    slopes, offsets = np.ones(2), np.zeros(2)
    for index, (which, yes) in enumerate(((opinions, labels != NEGATIVE), (np.ones(len(labels), bool), ~opinions))):
        column = csr_matrix(scores[which, index : index + 1].astype(np.float32))
        slope, offset = logistic(column, yes[which].astype(np.float64), strength=1e-3, weight=weight[which])
        slopes[index], offsets[index] = slope[0], offset
    return Fitted(
        fitted.shared * slopes[:, None].astype(np.float32),
        fitted.zones * slopes[None, :, None].astype(np.float32),
        (
            float(fitted.bias[0] * slopes[0] + offsets[0]),
            float(fitted.bias[1] * slopes[1] + offsets[1]),
        ),
    )


def left_out_with(source: str) -> frozenset[str]:
    """*source* and every source that holds its texts."""
    return frozenset({source}).union(*(group for group in OVERLAPS if source in group))


def rounded(fitted: Fitted) -> Head:
    """Eight bits a weight; the scale is chosen so that one weight in a hundred thousand is cut."""
    shared, zones, scales = [], [], []
    for index in range(2):
        found = np.concatenate([fitted.shared[index], fitted.zones[:, index].ravel()])
        top = float(np.sort(np.abs(found))[-max(len(found) // 100_000, 1)]) or 1.0
        scale = top / 127
        shared.append(np.clip(np.rint(fitted.shared[index] / scale), -127, 127).astype(np.int8))
        zones.append(np.clip(np.rint(fitted.zones[:, index] / scale), -127, 127).astype(np.int8))
        scales.append(scale)
    return Head(np.stack(shared), np.stack(zones, axis=1), (scales[0], scales[1]), fitted.bias)


def text_examples(examples: Sequence[Example]) -> list[Example]:
    """What the text head learns from: each text once, no brand marked; none whose other brands fare differently."""
    by_text: dict[tuple[str, str | None], list[Example]] = {}
    for example in examples:
        title = example.target.title
        by_text.setdefault((example.target.text.text, title.text if title else None), []).append(example)
    once = []
    for same in by_text.values():
        labels = {example.label for example in same}
        first = same[0]
        if first.source == "finnsp":  # of a document about several companies, one bad word is enough
            once.append(replace(first, label=min(labels)))
        elif len({example.source for example in same}) > 1 or not _names_another(first):
            once.extend(same if len(same) < 2 or len(labels) == 1 else [same[0]])
    return without_names(once)


def _names_another(example: Example) -> bool:
    title = example.target.title
    return bool(example.target.text.others or (title and title.others)) or example.kind == "other_target"


def folds(groups: NDArray[Any], parts: int) -> NDArray[np.int64]:
    """A part for each row: groups stay together, the largest are dealt first, always to the smallest part."""
    names, counts = np.unique(groups, return_counts=True)
    sizes = np.zeros(parts, dtype=np.int64)
    of: dict[Any, int] = {}
    for name, count in sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], str(pair[0]))):
        of[name] = int(sizes.argmin())
        sizes[of[name]] += count
    return np.array([of[name] for name in groups])


def _group(example: Example) -> str:
    if example.source in {"mentions", _COMPOSED}:
        return f"mentions/{example.group}"
    return f"{example.source}/{example.group}" if example.source == "finnsp" else example.source


@dataclass(frozen=True, slots=True)
class Data:
    """What a head is fitted on."""

    examples: Sequence[Example]
    rows: csr_matrix
    labels: NDArray[Any]
    sources: NDArray[Any]
    weight: Floats

    @classmethod
    def of(cls, examples: Sequence[Example], folding: Folding, given: Mapping[str, float] | None = None) -> "Data":
        """With a weight for each row: by :func:`weigh`, or as *given* by source, one where it is not."""
        sources = np.array([example.source for example in examples])
        return cls(
            examples,
            table([read(example.target) for example in examples], folding),
            np.array([example.label for example in examples]),
            sources,
            weigh(sources) if given is None else np.array([given.get(source, 1.0) for source in sources.tolist()]),
        )

    def without(self, sources: Collection[str]) -> NDArray[np.bool_]:
        return ~np.isin(self.sources, list(sources))


def fit_text(data: Data, which: NDArray[np.bool_]) -> Fitted:
    return fit_head(data.rows[which], data.labels[which], data.weight[which], strength=_TEXT_STRENGTH)


def fit_prior(data: Data, which: NDArray[np.bool_]) -> Fitted:
    """A text head to begin from: of what is said of others it knows nothing, and so says nothing.

    What a comparison says of the other side it takes for its opposite: 好用 in 云杉不如格澜好用 is bad news for 云杉.
    It never saw the mentions that the target head is fitted on; else it would be trusted too much.
    """
    fitted = fit_text(data, which & data.without({"mentions", "finnsp"}))
    zones = fitted.zones.copy()
    zones[OUTSIDE] = -fitted.shared
    zones[COMPARED, 0] = -2 * fitted.shared[0]
    return replace(fitted, zones=zones)


def fit_target(data: Data, which: NDArray[np.bool_], prior: Fitted) -> Fitted:
    rows = data.rows[which]
    return fit_head(
        rows,
        data.labels[which],
        data.weight[which],
        strength=_TARGET_STRENGTH,
        prior=(prior, prior.scores(rows)),
        steps=_TARGET_STEPS,
    )


def target_examples(examples: Sequence[Example]) -> list[Example]:
    """What the target head learns from: every example whose brand is marked."""
    return [*(example for example in examples if BRAND in read(example.target).text), *compose(examples)]


def compose(examples: Sequence[Example], count: int = 4_000, longest: int = 70) -> list[Example]:
    """Pairs of mentions put side by side, each pair judged by the label of one of them.

    What is said of another brand in the same breath must not rub off. Drawn with a fixed seed from mentions of at most
    *longest* characters that name no other brand; the pair's group is the judged one's.
    """
    drawn = random.Random(0)
    short = [
        example
        for example in examples
        if example.source == "mentions"
        and example.target.title is None
        and example.target.text.brand
        and not example.target.text.others
        and len(example.target.text.text) <= longest
    ]
    if len(short) < 2:
        return []
    found: list[Example] = []
    while len(found) < count:
        judged, other = drawn.sample(short, 2)
        first, second = (judged, other) if drawn.random() < 0.5 else (other, judged)
        mark = drawn.choice("。，；\n ")
        begin = first.target.text.text.rstrip("。") if mark in "，；" else first.target.text.text
        shift = len(begin) + 1
        names = [
            (first is judged, [span for span in first.target.text.brand if span.end <= len(begin)]),
            (second is judged, [Span(span.start + shift, span.end + shift) for span in second.target.text.brand]),
        ]
        brand, others = (tuple(next(spans for mine, spans in names if mine is which)) for which in (True, False))
        if brand and others:
            passage = Passage(begin + mark + second.target.text.text, brand, others)
            found.append(Example(Target(passage), judged.label, _COMPOSED, group=judged.group))
    return found


def build(examples: Sequence[Example], folding: Codes, about: Mapping[str, Any]) -> Weights:
    """The weights from all *examples*. Some minutes on one core; the same examples give the same weights."""
    folds_table = Folding(folding)
    text_data = Data.of(text_examples(examples), folds_table)
    everything = np.ones(len(text_data.labels), dtype=bool)
    text = fit_text(text_data, everything)
    target_data = Data.of(target_examples(examples), folds_table, TARGET_WEIGHTS)
    prior = fit_prior(text_data, everything)
    target = fit_target(target_data, np.ones(len(target_data.labels), dtype=bool), prior)
    target_out = np.zeros((len(target_data.labels), 2))
    part = folds(np.array([_group(example) for example in target_data.examples]), _PARTS)
    for number in range(_PARTS):
        target_out[part == number] = fit_target(target_data, part != number, prior).scores(
            target_data.rows[part == number]
        )
    own = target_data.sources == "mentions"
    return Weights(
        bits=BITS,
        folding=folding,
        text=rounded(text),
        target=rounded(calibrate(target, target_out[own], target_data.labels[own], target_data.weight[own])),
        risk=fit_risk(examples, folds_table),
        about=about,
    )


def fit_risk(examples: Sequence[Example], folding: Folding) -> RiskHead:
    """One score a category, on the clauses about the target; half as many buckets as the sentiment heads have.

    Slope and offset of each score, and the confidence from which its category is told, are fitted on scores of mentions
    by writers it had not seen; that limit is the one with the best F1 there.
    """
    data = RiskData.of(examples, folding)
    weights, scales, biases, limits = [], [], [], []
    for category in CATEGORIES:
        found, bias = data.fit(category, np.ones(len(data.part), dtype=bool))
        held, yes = data.held_out(category)
        slope, offset = logistic(csr_matrix(held[:, None].astype(np.float32)), yes.astype(np.float64), strength=1e-3)
        scale = (float(np.abs(found).max()) or 1.0) / 127
        weights.append(np.clip(np.rint(found / scale), -127, 127).astype(np.int8))
        scales.append(scale * float(slope[0]))
        biases.append(bias * float(slope[0]) + offset)
        limits.append(best_limit(sigmoid(held * float(slope[0]) + offset), yes))
    return RiskHead(CATEGORIES, np.stack(weights), tuple(scales), tuple(biases), tuple(limits))


@dataclass(frozen=True, slots=True)
class RiskData:
    """What the risk head is fitted on; ``part``: a part of the cross-validation for each mention, -1 for all else."""

    rows: csr_matrix
    risks: Sequence[frozenset[str]]
    weight: Floats
    part: NDArray[np.int64]

    @classmethod
    def of(cls, examples: Sequence[Example], folding: Folding) -> "RiskData":
        known = [*(example for example in examples if example.risks is not None), *lexicon_examples()]
        own = np.array([example.source == "mentions" for example in known])
        part = np.full(len(known), -1, dtype=np.int64)
        if own.any():
            part[own] = folds(np.array([example.group for example in known])[own], _RISK_PARTS)
        return cls(
            inside([read(example.target) for example in known], folding, BITS - 1),
            [example.risks or frozenset() for example in known],
            np.array([_RISK_WEIGHTS.get(example.source, 1.0) for example in known]),
            part,
        )

    def fit(self, category: str, which: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
        yes = np.array([category in risks for risks in self.risks], dtype=np.float64)
        weight = self.weight * np.where(yes > 0, _RISK_RARITY, 1.0)
        return logistic(self.rows[which], yes[which], strength=_RISK_STRENGTH, weight=weight[which])

    def held_out(self, category: str) -> tuple[Floats, NDArray[np.bool_]]:
        """The mentions' scores by models that saw none of their writers, and whether *category* holds."""
        scores = np.zeros(len(self.part))
        for number in range(_RISK_PARTS):
            held = self.part == number
            if held.any():
                found, bias = self.fit(category, ~held)
                scores[held] = self.rows[held] @ found + bias
        own = self.part >= 0
        return scores[own], np.array([category in risks for risks in self.risks], dtype=bool)[own]


def best_limit(sure: Floats, yes: NDArray[np.bool_]) -> float:
    """The confidence from which telling gives the best F1; one half where nothing holds. Between two judgements."""
    order = np.argsort(-sure, kind="stable")
    hits = np.cumsum(yes[order])
    if not len(hits) or not hits[-1]:
        return 0.5
    told = np.arange(1, len(hits) + 1)
    best = int(np.argmax(2 * hits / (told + hits[-1])))
    after = sure[order[best + 1]] if best + 1 < len(sure) else 0.0
    return float((sure[order[best]] + after) / 2)
