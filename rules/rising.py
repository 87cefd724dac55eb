"""Words, phrases and stories that rise: more frequent now than this topic's own past would have it.

The measure is the log-odds ratio with an informative Dirichlet prior, over its standard deviation (Monroe, Colaresi &
Quinn, "Fightin' Words", Political Analysis 2008, eq. 16 and 22), of the share of texts that hold a word: a word counts
once a text, the past is what the same topic said before, and the prior is both together, worth PRIOR texts. It is a z
score: a word that was always frequent does not rise, and neither does one that three people happened to use.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from rules.story_text import own_words

Segment = Callable[[str], Sequence[str]]
Unit = tuple[str, ...]
"""A word, or the words of a phrase."""
_Name = TypeVar("_Name", bound=Hashable)

PRIOR = 100.0
RISES = 3.0
"""The z score from which on something rises."""
LEAST = 3
"""Texts, at least, that hold it now."""
_LONGEST_PHRASE = 4  # words
_WHOLE = 0.7  # a word that stands in one phrase this often is a part of it, not a word of its own
_TEXT = 1_000  # characters of a text that are looked at


@dataclass(frozen=True, slots=True)
class Rising:
    """``now``: texts that hold it; ``usual``: how many of as many texts held it before."""

    word: str
    now: int
    usual: float
    score: float


def scores(
    now: Mapping[_Name, int], texts_now: int, before: Mapping[_Name, int], texts_before: int
) -> dict[_Name, float]:
    """Per word the z score of its share of texts now against before; empty without a past to compare with."""
    if not texts_before or not texts_now:
        return {}
    found = {}
    for word, count in now.items():
        past = before.get(word, 0)
        prior = PRIOR * (count + past) / (texts_now + texts_before)
        odds = (count + prior) / max(texts_now + PRIOR - count - prior, 0.5)
        past_odds = (past + prior) / max(texts_before + PRIOR - past - prior, 0.5)
        found[word] = math.log(odds / past_odds) / math.sqrt(1 / (count + prior) + 1 / (past + prior))
    return found


def rising(
    now: Iterable[tuple[str, str]],
    before: Iterable[tuple[str, str]],
    *,
    segment: Segment | None = None,
    most: int = 20,
) -> tuple[Rising, ...]:
    """What rises in texts (title, text) against those of before, highest first.

    *segment*: a text to its words, which joined are the text again; by default rjieba's or jieba's, loaded at the first
    call (0.2 s or 1 s). Raises AnalysisError where neither can be loaded.
    """
    cut = segment or _default()
    counted = [_units(cut, title, text) for title, text in now]
    counts = {unit: count for unit, count in Counter(chain.from_iterable(counted)).items() if count >= LEAST}
    past: Counter[Unit] = Counter()
    texts_before = 0
    for title, text in before:
        texts_before += 1
        past.update(_units(cut, title, text) & counts.keys())
    found = scores(counts, len(counted), past, texts_before)
    high = {unit: score for unit, score in found.items() if score >= RISES}
    whole = _whole_ones([unit for unit in high if all((word,) in high for word in unit)], counts)
    ranked = sorted((unit for unit in whole if _tells(unit)), key=lambda unit: (-high[unit], unit))[:most]
    return tuple(
        Rising(_joined(unit), counts[unit], past[unit] * len(counted) / texts_before, round(high[unit], 2))
        for unit in ranked
    )


def _default() -> Segment:
    from sentiment.segment import segmenter  # noqa: PLC0415  (a dictionary of 5 MB: only for those who ask)

    return segmenter("rising words")


def _units(cut: Segment, title: str, text: str) -> set[Unit]:
    """Words, and phrases of up to four that stand side by side."""
    units: set[Unit] = set()
    run: list[str] = []
    for word in [*cut(own_words(title, text)[:_TEXT]), "\n"]:
        if word.isalnum() and not word.isdigit():
            run.append(word)
            continue
        if word == " " and run and run[-1].isascii():
            continue  # between Latin words
        for start in range(len(run)):
            for end in range(start + 1, min(start + _LONGEST_PHRASE, len(run)) + 1):
                units.add(tuple(run[start:end]))
        run.clear()
    return units


def _joined(unit: Unit) -> str:
    return " ".join(unit) if all(word.isascii() for word in unit) else "".join(unit)


def _tells(unit: Unit) -> bool:
    """A character alone is mostly half a word, and so are two Latin ones."""
    return len(unit) > 1 or len(unit[0]) > (2 if unit[0].isascii() else 1)


def _whole_ones(units: Iterable[Unit], counts: Mapping[Unit, int]) -> list[Unit]:
    """Of a phrase and its parts either the phrase, where its parts seldom stand elsewhere, or the parts."""
    kept: list[Unit] = []
    for unit in sorted(units, key=lambda unit: (-len(unit), unit)):
        # The longest first: a part is dropped where a phrase that is kept holds most of it.
        if not any(_holds(longer, unit) and counts[longer] >= _WHOLE * counts[unit] for longer in kept):
            kept.append(unit)
    return [unit for unit in kept if not any(other != unit and _holds(unit, other) for other in kept)]


def _holds(longer: Unit, unit: Unit) -> bool:
    return any(longer[at : at + len(unit)] == unit for at in range(len(longer) - len(unit) + 1))
