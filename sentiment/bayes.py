"""The default analyzer: jieba's words in the Bayes tables that the snownlp package ships, snownlp itself not loaded.

With c the classes pos and neg, n(c) the sum of a class's table, n(w, c) the entry of word w there (one where it is
missing: the tables' add-one smoothing) and N = n(pos) + n(neg):

    score(c) = log n(c) - log N + sum over the words w of (log n(w, c) - log n(c))
    P(positive) = 1 / (1 + exp(score(neg) - score(pos)))

Only the difference of the two classes is kept, one number a word: its contribution to the log-odds of positive. Words
of snownlp's stop list are skipped, and so are blanks and the names of the brand and of others. Words are taken as
independent, so that a text of some hundred characters nearly always comes out at 0 or 1: on long texts the confidence
says little.
"""

import gzip
import hashlib
import marshal
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Final

from sentiment.analyzer import AnalysisError
from sentiment.judgement import Word, judge
from sentiment.scope import Piece, scope, speaks_chinese, unnamed
from sentiment.segment import Segment, segmenter
from sentiment.sentiment import UNKNOWN, Sentiment
from sentiment.target import Target

_NAME: Final = "bayes"
_MODEL: Final = "sentiment/sentiment.marshal.3"
_STOP_WORDS: Final = "normal/stopwords.txt"
# The model of snownlp 0.12.3, its last release. marshal trusts its input, so no other file is handed to it.
_SHA256: Final = "70e3feeef768a6e7d8abdf00cbf8cce7c20be884b03da16efd4c0edfaaddd4d1"


@dataclass(frozen=True, slots=True)
class Tables:
    """Log-odds of positive against negative: before any word, per known word, and of a word in neither table.

    A word of the stop list weighs nothing.
    """

    prior: float
    words: Mapping[str, float]
    unseen: float
    stop: frozenset[str]

    def weights(self, words: Iterable[str]) -> list[float]:
        """The contribution of each word, zero for blanks and stop words."""
        known, unseen, stop = self.words, self.unseen, self.stop
        return [
            weight if (weight := known.get(word)) is not None and word not in stop
            else 0.0 if word in stop or not (bare := word.strip()) or bare in stop
            else known.get(bare, unseen)
            for word in words
        ]  # fmt: skip


def load_tables(folder: Path | None = None) -> Tables:
    """Read the tables from *folder*, by default that of the installed snownlp, which is found but not imported.

    Raises AnalysisError where the package is missing or the model is not the one it shipped.
    """
    folder = folder or _snownlp_folder()
    model, stop_words = folder / _MODEL, folder / _STOP_WORDS
    try:
        packed = model.read_bytes()
        stop = frozenset(line.strip() for line in stop_words.read_text(encoding="utf-8").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise AnalysisError(_NAME, f"the model of snownlp cannot be read: {error}") from error
    if hashlib.sha256(packed).hexdigest() != _SHA256:
        raise AnalysisError(
            _NAME, f"{model} is not the model of snownlp 0.12.3: damaged or replaced; install snownlp 0.12.3 anew"
        )
    tables = marshal.loads(gzip.decompress(packed))["d"]  # noqa: S302 - its digest is known
    return _log_odds(tables["pos"], tables["neg"], stop)


def _log_odds(positive: dict[str, object], negative: dict[str, object], stop: frozenset[str]) -> Tables:
    ours, theirs = positive["d"], negative["d"]
    assert isinstance(ours, dict)  # noqa: S101 - the file's digest is known, so these hold
    assert isinstance(theirs, dict)  # noqa: S101
    total, other = float(str(positive["total"])), float(str(negative["total"]))
    unseen = log(other) - log(total)
    words = {
        word: log(ours.get(word, 1)) - log(theirs.get(word, 1)) + unseen for word in sorted(ours.keys() | theirs.keys())
    }
    return Tables(prior=log(total) - log(other), words=words, unseen=unseen, stop=stop)


def _snownlp_folder() -> Path:
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise AnalysisError(_NAME, "the snownlp package, whose model is used, is not installed")
    return Path(spec.origin).parent


class Bayes:
    """jieba's words in snownlp's tables; about 0.05 ms for a post."""

    name = _NAME
    version = f"snownlp-0.12.3+{_SHA256[:8]}"

    def __init__(self, tables: Tables, segment: Segment) -> None:
        self._tables = tables
        self._segment = segment

    @classmethod
    def load(cls) -> "Bayes":
        """With the installed tables and dictionary; raises AnalysisError where one cannot be used."""
        return cls(load_tables(), segmenter(_NAME))

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        return [self._score(target) for target in targets]

    def _score(self, target: Target) -> Sentiment:
        pieces = scope(target)
        if not speaks_chinese(pieces):
            return UNKNOWN
        found: list[Word] = []
        for piece in pieces:
            found.extend(self._words(piece))
        return judge(self._tables.prior, found, unseen=self._tables.unseen)

    def _words(self, piece: Piece) -> Iterable[Word]:
        # A name is no opinion of who bears it, and the segmenter would take its end and what follows for one word.
        for at, said in unnamed(piece):
            start = at
            words = self._segment(encodable(said))
            for word, weight in zip(words, self._tables.weights(words), strict=True):
                end = start + len(word)
                yield Word(piece.field, start, end, weight)
                start = end


_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """*text* with lone surrogates as U+FFFD, one for one, which segmenters written in other languages ask for."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
