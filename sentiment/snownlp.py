"""The reference analyzer: SnowNLP as it is, about 7 ms for a post, 2 to 4 s and 400 MB to load."""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from sentiment.analyzer import AnalysisError
from sentiment.bayes import Tables, encodable, load_tables
from sentiment.judgement import Word, classes, reasons
from sentiment.scope import Piece, scope, speaks_chinese
from sentiment.sentiment import UNKNOWN, Sentiment
from sentiment.target import Target

# SnowNLP's own segmenter takes about 0.2 ms a character.
_JUDGED_AT_MOST = 1_000


class _Bayes(Protocol):
    def classify(self, words: Sequence[str]) -> tuple[str, float]: ...


class _Classifier(Protocol):
    """What is used of ``snownlp.sentiment``: its own way from a text to words, and from words to P(class)."""

    classifier: _Bayes

    def handle(self, text: str) -> list[str]: ...


class SnowNLP:
    """``SnowNLP(text).sentiments`` of what is judged, its first 1,000 code points; the three classes are ours."""

    name = "snownlp"
    version = "0.12.3"

    def __init__(self, classifier: _Classifier, tables: Tables) -> None:
        self._classifier = classifier
        self._tables = tables

    @classmethod
    def load(cls) -> "SnowNLP":
        """Import snownlp; raises AnalysisError where it is missing or its model is not its own."""
        tables = load_tables()
        try:
            classifier: _Classifier = import_module("snownlp.sentiment").classifier
        except ImportError as error:
            raise AnalysisError(cls.name, f"snownlp cannot be imported: {error}") from error
        return cls(classifier, tables)

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        return [self._score(target) for target in targets]

    def _score(self, target: Target) -> Sentiment:
        pieces = scope(target)
        if not speaks_chinese(pieces):
            return UNKNOWN
        text = encodable("\n".join(piece.text for piece in pieces)[:_JUDGED_AT_MOST])
        words = self._classifier.handle(text)
        label, probability = self._classifier.classifier.classify(words)
        positive = probability if label == "pos" else 1 - probability
        return classes(positive, reasons(self._located(text, pieces, words), unseen=self._tables.unseen))

    def _located(self, text: str, pieces: Sequence[Piece], words: Sequence[str]) -> list[Word]:
        """Where SnowNLP's words stand: it gives them in order but without offsets, the stop words left out."""
        found: list[Word] = []
        borders = iter(pieces)
        piece, begin = next(borders), 0
        at = 0
        for word, weight in zip(words, self._tables.weights(words), strict=True):
            start = text.find(word, at)
            if start < 0:
                continue
            at = start + len(word)
            while start > begin + len(piece.text):
                begin += len(piece.text) + 1
                piece = next(borders)
            first = piece.start + start - begin
            found.append(Word(piece.field, first, first + len(word), weight))
        return found
