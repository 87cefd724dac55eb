"""Chinese words by jieba's dictionary and algorithm, with words of one's own, and the words that tell what texts are about.

The interface is jieba's (``cut``, ``tokenize``, ``add_word``, ``extract_tags``). Underneath is rjieba where its wheel
exists: the same dictionary and algorithm in Rust, about 30 times faster, 97 % of texts cut alike; else jieba itself.
Nothing on the way of a mention to an alert waits for it: scoring and matching read characters.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal

from sentiment.analyzer import AnalysisError

Segment = Callable[[str], Sequence[str]]
Engine = Literal["rjieba", "jieba"]

# A word of one's own must win over any way to cut it: jieba's commonest word has 883,634 occurrences in its dictionary,
# so that a product of two frequencies, each a share of 60 million, stays below this one's share.
_OWN_FREQUENCY: Final = 1_000_000
_OWN_TAG: Final = "nz"  # "other proper name" in jieba's tag set
_SHORTEST_KEYWORD: Final = 2


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it stands, in code points of the text as it came."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word that tells what texts are about; ``weight`` is its share of all words times jieba's IDF of it."""

    word: str
    weight: float


class Segmenter:
    """jieba's interface, with a dictionary of its own: two segmenters do not share the words added to one."""

    def __init__(self, words: Iterable[str] = (), *, engine: Engine | None = None) -> None:
        """*words* are never cut, a topic's names for one. *engine*: rjieba where it can be imported, unless one is named.

        Loading takes about 0.2 s (rjieba) or 1 s (jieba), once a process. Raises ImportError for an engine that is not
        installed.
        """
        self.engine, self._cutter = _cutter(engine)
        self._tags: Any = None
        for word in words:
            self.add_word(word)

    def add_word(self, word: str, freq: int = _OWN_FREQUENCY, tag: str = _OWN_TAG) -> None:
        """Take *word*, in simplified and traditional form alike, for one; blanks around it do not count."""
        folded = _simplified(word.strip())
        if folded:
            self._cutter.add_word(folded, freq, tag)

    def cut(self, text: str) -> list[str]:
        """The words of *text*; joined they are the text again. Traditional text is cut as its simplified form is."""
        return [token.text for token in self.tokenize(text)]

    def tokenize(self, text: str) -> Iterator[Token]:
        """The words of *text* with their places."""
        at = 0
        for word in self._cutter.cut(_simplified(text)):
            yield Token(text[at : at + len(word)], at, at + len(word))
            at += len(word)

    def extract_tags(self, texts: Iterable[str], top: int = 20) -> list[Keyword]:
        """The *top* words of all *texts* together by TF-IDF (``jieba.analyse``), heaviest first, ties by the word.

        Words of one character, numbers and jieba's stop words are left out, as jieba does; all words are simplified.
        """
        if self._tags is None:
            self._tags = _tfidf(self._cutter.cut)
        found = self._tags.extract_tags("\n".join(_simplified(text) for text in texts), topK=None, withWeight=True)
        words = [Keyword(word, weight) for word, weight in found if _tells(word)]
        words.sort(key=lambda keyword: (-keyword.weight, keyword.word))
        return words[:top]


def _tells(word: str) -> bool:
    return len(word.strip()) >= _SHORTEST_KEYWORD and not word.replace(".", "").isdigit()


def _cutter(engine: Engine | None) -> tuple[Engine, Any]:
    """The engine taken, and an object of its own dictionary with ``cut`` and ``add_word``."""
    if engine != "jieba":
        try:
            return "rjieba", import_module("rjieba").Jieba()
        except ImportError:
            if engine == "rjieba":
                raise
    jieba = import_module("jieba")
    jieba.setLogLevel("ERROR")
    return "jieba", jieba.Tokenizer()


def _tfidf(cut: Segment) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # jieba leaves the file of its 270,000 frequencies to be closed
        extractor = import_module("jieba.analyse").TFIDF()
    extractor.tokenizer = _Tokenizer(cut)
    return extractor


@dataclass(frozen=True, slots=True)
class _Tokenizer:
    """What jieba's TFIDF asks of a tokenizer."""

    cut: Segment


def _simplified(text: str) -> str:
    """*text* with each traditional character as its simplified one: of the same length. Lone surrogates become U+FFFD."""
    return text.translate(_characters()).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@cache
def _characters() -> dict[int, str]:
    converter = import_module("opencc").OpenCC("t2s")
    found = {}
    for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000)):
        simplified = converter.convert(chr(code))
        if len(simplified) == 1 and simplified != chr(code):
            found[code] = simplified
    return found


def segmenter(analyzer: str) -> Segment:
    """Words of a text as jieba cuts them, none added; raises AnalysisError naming *analyzer* where nothing can be loaded."""
    try:
        _, cutter = _cutter(None)
    except ImportError as error:
        raise AnalysisError(analyzer, "neither rjieba nor jieba can be imported; install listener anew") from error
    cutter.cut("预热")
    return lambda text: list(cutter.cut(text))
