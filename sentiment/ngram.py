"""The default analyzer: hashed character n-grams, two linear scores, and nothing hidden.

    polarity   = bias + scale * (sum of the integer weights of a text's n-grams) / sqrt(their number)
    neutrality = the same, with its own weights
    P(neutral) = 1 / (1 + exp(-neutrality))
    P(negative) = (1 - P(neutral)) / (1 + exp(polarity)),  P(positive) = the rest

A text with a brand marked is judged by weights that were fitted on mentions of brands, any other by weights of texts as
such. The weight of an n-gram depends on the zone it begins in (see :mod:`sentiment.reading`). Sums are of integers, so
that they are the same on every machine; a score is the sum of its parts exactly, and these are the reasons given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sentiment.english import judge_english
from sentiment.grams import ORDERS, Batch, Folding, hashes
from sentiment.reading import OUTSIDE, Reading, Zones, judged, read, unmarked, zones_of
from sentiment.risk import RiskScorer
from sentiment.sentiment import UNKNOWN, Label, Reason, Risk, RiskCategory, Sentiment
from sentiment.target import Passage, Target
from sentiment.weights import Head, Int8s, Weights, load

Floats = NDArray[np.float64]
Variant = Literal["standard", "snownlp"]

REASONS_AT_MOST: Final = 8
_AT_ONCE: Final = 60_000  # code points a pass: what fits the processor's cache
_LABELS: Final[tuple[Label, Label, Label]] = ("negative", "neutral", "positive")
_SHIPPED: Final = Path(__file__).parent / "models"
# Two weights of an n-gram in one integer, sixteen bits each, so that one look finds both. The bias keeps each above
# zero: a shared weight and a zone's lie within 254, and the sum over the three n-grams of a place within sixteen bits.
_HIGH = np.int32(16)
_LOW = np.int32(0xFFFF)
_BIAS = 1 << 10


def shipped(variant: Variant) -> Weights:
    """The weights in this package, read anew; raises AnalysisError where the file is damaged."""
    return load(_SHIPPED / f"{variant}.bin")


@dataclass(frozen=True, slots=True)
class Scores:
    """Of each text: its two scores, and the number of n-grams that they are means of."""

    polarity: Floats
    neutrality: Floats

    def classes(self) -> NDArray[np.float64]:
        """P(negative), P(neutral), P(positive): shape (texts, 3), each row summing to one."""
        neutral = sigmoid(self.neutrality)
        positive = (1 - neutral) * sigmoid(self.polarity)
        found = np.empty((len(neutral), 3))
        found[:, 0] = 1 - neutral - positive
        found[:, 1] = neutral
        found[:, 2] = positive
        return found


def sigmoid(scores: Floats) -> Floats:
    """1 / (1 + exp(-scores)), without overflow."""
    # np.clip costs five times as much as these two, which is felt where one text is scored at a time.
    return 1 / (1 + np.exp(np.minimum(np.maximum(-scores, -60.0), 60.0)))


class Scorer:
    """One head's weights in the form that scoring reads: both scores of an n-gram in one integer, a row a zone."""

    def __init__(self, head: Head, bits: int) -> None:
        # The head itself is not kept: thirty megabytes that scoring has no use for.
        self._bits = bits
        self._scale, self._bias = head.scale, head.bias
        self._table = np.concatenate([_packed(zone, head.shared) for zone in head.zones])

    def scores(self, batch: Batch, zones: NDArray[np.uint8] | None) -> Scores:
        """The scores of each text of *batch*; ``zones`` of each code, None where all is plain."""
        table = self._table
        rows = None if zones is None else zones.astype(np.uint32) << np.uint32(self._bits)
        one, two, three = hashes(batch.codes, self._bits)
        if rows is not None:
            one, two, three = one + rows, two + rows, three + rows
        packed = table[one]
        packed += table[two]
        packed += table[three]
        grams = _grams(batch)
        offset = grams * _BIAS
        root = np.sqrt(grams)
        polarity = np.add.reduceat(packed >> _HIGH, batch.starts, dtype=np.int64) - offset
        neutrality = np.add.reduceat(packed & _LOW, batch.starts, dtype=np.int64) - offset
        (p_scale, n_scale), (p_bias, n_bias) = self._scale, self._bias
        return Scores(p_bias + p_scale * polarity / root, n_bias + n_scale * neutrality / root)

    def parts(self, codes: NDArray[np.uint32], zones: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """What each code of one text brings to polarity and neutrality, its n-grams shared out evenly; without bias."""
        rows = zones.astype(np.uint32) << np.uint32(self._bits)
        polarity = np.zeros(len(codes) + ORDERS, dtype=np.float64)
        neutrality = np.zeros(len(codes) + ORDERS, dtype=np.float64)
        for order, bucket in enumerate(hashes(codes, self._bits), start=1):
            packed = self._table[bucket + rows]
            for to, part in ((polarity, (packed >> _HIGH) - _BIAS), (neutrality, (packed & _LOW) - _BIAS)):
                share = part / order
                for place in range(order):
                    to[place : place + len(share)] += share
        for to in (polarity, neutrality):  # what reaches beyond the text belongs to its end: the parts sum to the score
            to[len(codes) - 1] += to[len(codes) :].sum()
        root = np.sqrt(ORDERS * len(codes))
        return polarity[: len(codes)] * (self._scale[0] / root), neutrality[: len(codes)] * (self._scale[1] / root)


def _packed(zone: Int8s, shared: Int8s) -> NDArray[np.int32]:
    """Both scores' weights of each bucket in one zone, in one integer."""
    merged = zone.astype(np.int32) + shared + _BIAS
    found: NDArray[np.int32] = (merged[0] << _HIGH) | merged[1]
    return found


def _grams(batch: Batch) -> NDArray[np.int64]:
    ends = np.append(batch.starts[1:], len(batch.codes))
    return (ends - batch.starts) * ORDERS


class Ngram:
    """Character n-grams; about 0.01 ms for a post without a target, 0.1 ms with one and its reasons."""

    name = "ngram"

    def __init__(self, weights: Weights) -> None:
        self.version = weights.version
        self._folding = Folding(weights.folding)
        self._text = Scorer(weights.text, weights.bits)
        self._target = Scorer(weights.target, weights.bits)
        self._risk = RiskScorer(weights.risk, weights.bits) if weights.risk else None

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """P(negative), P(neutral), P(positive) of whole texts, shape (len(texts), 3), in order; no reasons, no target.

        The fastest way to score much text. A text without a Chinese character is neutral.
        """
        found = np.empty((len(texts), 3), dtype=np.float64)
        for start, end in _chunks(texts):
            part = [unmarked(text) for text in texts[start:end]]
            batch = self._folding.batch(part)
            chinese, foreign = _scripts(batch)
            classes = self._text.scores(
                batch, _laid_out(batch, [zones_of(text) for text in part], len(part[-1]))
            ).classes()
            classes[(chinese == 0) | (foreign > chinese)] = (0.0, 1.0, 0.0)
            found[start:end] = classes
        return found

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        readings = [read(target) for target in targets]
        found: list[Sentiment] = [UNKNOWN] * len(readings)
        for scorer, targeted in ((self._text, False), (self._target, True)):
            mine = [index for index, reading in enumerate(readings) if reading.targeted is targeted]
            for start, end in _chunks([readings[index].text for index in mine]):
                part = mine[start:end]
                for index, sentiment in zip(part, self._judge(scorer, [readings[i] for i in part]), strict=True):
                    found[index] = sentiment
        return found

    def _judge(self, scorer: Scorer, readings: Sequence[Reading]) -> list[Sentiment]:
        batch = self._folding.batch([reading.text for reading in readings])
        zones = _laid_out(batch, [reading.zones for reading in readings], len(readings[-1].text))
        if zones is None:
            zones = np.zeros(len(batch.codes), dtype=np.uint8)
        chinese, foreign = _scripts(batch)
        classes = scorer.scores(batch, zones).classes()
        risks = self._risk.score(batch, zones) if self._risk else [()] * len(readings)
        ends = np.append(batch.starts[1:], len(batch.codes))
        found = []
        for index, reading in enumerate(readings):
            if chinese[index] == 0 or foreign[index] > chinese[index]:
                found.append(judge_english(reading) if foreign[index] == 0 else UNKNOWN)
                continue
            part = slice(int(batch.starts[index]), int(ends[index]))
            origin = batch.origin[part] - batch.offsets[index]
            parts, _ = scorer.parts(batch.codes[part], zones[part])
            negative, neutral, positive = classes[index].tolist()
            best = int(classes[index].argmax())
            found.append(
                Sentiment(
                    negative=negative,
                    neutral=neutral,
                    positive=positive,
                    label=_LABELS[best],
                    confidence=max(negative, neutral, positive),
                    spans=_reasons(reading, origin, parts, zones[part]),
                    judged=judged(reading),
                    risks=_placed(risks[index], reading, origin),
                )
            )
        return found


def _chunks(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of *texts* of about :data:`_AT_ONCE` code points, one text at least."""
    edges = [0]
    held = 0
    for index, text in enumerate(texts):
        if held and held + len(text) > _AT_ONCE:
            edges.append(index)
            held = 0
        held += len(text)
    edges.append(len(texts))
    return [(start, end) for start, end in pairwise(edges) if start < end]


def _laid_out(batch: Batch, zones: Sequence[Zones | None], last: int) -> NDArray[np.uint8] | None:
    """The zone of each code, separators plain; None where all is. *last*: the length of the last text."""
    if not any(zone is not None for zone in zones):
        return None
    joined = np.zeros(int(batch.offsets[-1]) + last, dtype=np.uint8)
    for zone, offset in zip(zones, batch.offsets.tolist(), strict=True):
        if zone is not None:
            joined[offset : offset + len(zone)] = zone
    return joined[batch.origin]


def _scripts(batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many Han characters, and how many of kana and Hangul, each text holds."""
    kinds = _SCRIPT[np.minimum(batch.codes >> _PAGE, _LAST_PAGE)]
    counts = np.add.reduceat(kinds, batch.starts)
    return counts & _LOW_COUNT, counts >> _HIGH_COUNT


def _script_table() -> NDArray[np.int64]:
    """For each page of 32 code points: one for Han, 2**32 for kana and Hangul, so that one sum counts both."""
    table = np.zeros(_LAST_PAGE + 1, dtype=np.int64)
    for start, end, value in (
        (0x3400, 0x4DC0, 1),
        (0x4E00, 0xA000, 1),
        (0x1FC00, 0x20000, 1),  # what stands for all code points above
        (0x3040, 0x3100, 1 << 32),
        (0xAC00, 0xD7C0, 1 << 32),
    ):
        table[start >> 5 : end >> 5] = value
    return table


_PAGE, _LAST_PAGE = np.uint32(5), np.uint32((1 << 12) - 1)
_LOW_COUNT, _HIGH_COUNT = np.int64(0xFFFFFFFF), np.int64(32)
_SCRIPT = _script_table()


def _reasons(
    reading: Reading, origin: NDArray[np.int64], parts: Floats, zones: NDArray[np.uint8]
) -> tuple[Reason, ...]:
    """The stretches that weigh most either way, at most :data:`REASONS_AT_MOST`, title first and in order.

    Neighbours that pull the same way are one stretch. What lies outside the target's clauses may weigh a little as well,
    but is no reason to show to a person.
    """
    inside = origin >= 0
    origin, parts, zones = origin[inside], parts[inside], zones[inside]
    if not len(parts):
        return ()
    strong = np.abs(parts) >= max(float(np.abs(parts).max()) * 0.2, 1e-9)
    sign = np.where(strong, np.sign(parts), 0).astype(np.int8)
    breaks = np.flatnonzero((np.diff(sign) != 0) | (np.diff((zones == OUTSIDE).astype(np.int8)) != 0)) + 1
    begins = np.concatenate(([0], breaks))
    ends = np.concatenate((breaks, [len(parts)]))
    sums = np.add.reduceat(parts, begins)
    told = (sign[begins] != 0) & (zones[begins] != OUTSIDE)
    heaviest = [int(i) for i in np.argsort(-np.abs(sums), kind="stable") if told[i]][:REASONS_AT_MOST]
    found: list[Reason] = []
    for index in heaviest:
        last = int(ends[index]) - 1
        after = int(origin[last + 1]) if last + 1 < len(origin) else len(reading.text)
        place = reading.place(int(origin[begins[index]]), min(after, int(origin[last]) + 1) or after)
        if place and place[1] < place[2]:
            found.append(Reason(*place, float(sums[index])))
    found.sort(key=lambda reason: (reason.field != "title", reason.start))
    return tuple(found)


def _placed(
    risks: Sequence[tuple[RiskCategory, float, int, int]], reading: Reading, origin: NDArray[np.int64]
) -> tuple[Risk, ...]:
    placed = []
    for category, confidence, first, last in risks:
        start = max(int(origin[first]), 0)
        place = reading.place(start, max(int(origin[last]) + 1, start + 1))
        if place:
            placed.append(Risk(category, confidence, *place))
    return tuple(placed)


def whole(text: str, title: str | None = None) -> Target:
    """*text* as a target that names no brand."""
    return Target(Passage(text), Passage(title) if title else None)
