"""Which words a topic has used, and when each was first and last seen."""

from collections.abc import Callable, Sequence

from rules.mention import Mention
from rules.story_text import own_words

REMEMBERED = 30 * 1440
"""Minutes after which a word that was not used is forgotten, and new again."""
MAX_WORDS = 30_000
MAX_VOICES = 200
_MOST_NEW = 20_000
_TEXT = 1_000
_MOST_PER_MENTION = 60
_SHORTEST_LATIN = 3

Cut = Callable[[str], Sequence[str]]


class Vocabulary:
    """By word the minutes of its first and last use. Past MAX_WORDS the words unused for longest go.

    ``voices``: of words that are new still, the numbers of those who used them, in order; MAX_VOICES at most.
    """

    __slots__ = ("voices", "words")

    def __init__(self) -> None:
        self.words: dict[str, tuple[int, int]] = {}
        self.voices: dict[str, tuple[int, ...]] = {}

    def copy(self) -> "Vocabulary":
        other = Vocabulary()
        other.words, other.voices = dict(self.words), dict(self.voices)
        return other

    def use(self, words: Sequence[str], minute: int, voice: int, new_for: int) -> None:
        """*voice* uses *words*; a word is new for *new_for* minutes."""
        for word in words:
            known = self.words.get(word)
            if known is None:
                self.words[word] = (minute, minute)
                self.voices[word] = (voice,)
                continue
            first, last = known
            if minute - last > REMEMBERED:
                first = minute
                self.voices[word] = ()
            elif minute < first and first - minute <= REMEMBERED:
                first = minute
            self.words[word] = (first, max(last, minute))
            if minute - first > new_for:
                self.voices.pop(word, None)
            elif (heard := self.voices.get(word)) is not None and voice not in heard and len(heard) < MAX_VOICES:
                self.voices[word] = tuple(sorted((*heard, voice)))
        if len(self.voices) > _MOST_NEW:
            self._forget_voices(minute - new_for)
        if len(self.words) > MAX_WORDS:
            kept = sorted(self.words.items(), key=lambda item: (item[1][1], item[0]))[MAX_WORDS // 10 :]
            self.words = dict(kept)

    def _forget_voices(self, begin: int) -> None:
        """Of words first used at minute *begin* or before, or of those that are new the newest."""
        new = [word for word in self.voices if word in self.words and self.words[word][0] > begin]
        kept = sorted(new, key=lambda word: (self.words[word][0], word))[-_MOST_NEW // 2 :]
        self.voices = {word: self.voices[word] for word in kept}

    def spoken_by(self, word: str) -> int:
        """How many different ones have used a word since it was new, MAX_VOICES at most."""
        return len(self.voices.get(word, ()))

    def remembers(self, now: int) -> bool:
        """Whether a word is known still at minute *now*."""
        return any(now - last <= REMEMBERED for _, last in self.words.values())

    def first(self, word: str, otherwise: int) -> int:
        """The minute of its first use; *otherwise* where it has been forgotten."""
        known = self.words.get(word)
        return known[0] if known else otherwise


def cutter() -> Cut:
    """Jieba's words; a dictionary of 5 MB is loaded at the first call. Raises AnalysisError where it cannot be."""
    from sentiment.segment import segmenter  # noqa: PLC0415  (only for those who ask)

    return segmenter("new_term")


def words_of(mention: Mention, cut: Cut) -> tuple[str, ...]:
    """The different words of a title and text that can be new, in order; sixty at most."""
    found: dict[str, None] = {}
    for word in cut(own_words(mention.title, mention.text)[:_TEXT]):
        if len(found) == _MOST_PER_MENTION:
            break
        if word.isalnum() and not word.isdigit() and len(word) >= (_SHORTEST_LATIN if word.isascii() else 2):
            found[word] = None
    return tuple(found)
