"""Whether what looks like a name is one: not where it is part of another word, of an address, or of a run of syllables."""

import re
from collections.abc import Iterable
from typing import Final, Literal

from rules.dictionary import LONGEST, Dictionary, is_ideograph
from rules.finder import Place
from rules.sound import is_syllable
from rules.spelling import Spelling

Doubt = Literal["word", "link"]
Neighbours = tuple[tuple[int, frozenset[str]], ...]

_COMMON: Final = 5.0  # occurrences in the dictionary of a word that makes a part of a name no name
_RARE: Final = 1.0  # of a spelling in other characters: any likelier reading is preferred
_LINK: Final = re.compile(
    "(?:https?://|www[.])[!-~]+(?:[\u4e00-\u9fff]+/[!-~]*)*(?:(?<=/)[\u4e00-\u9fff]+)?"
    r"|(?<![a-z0-9.+_-])[a-z0-9.+_-]{1,64}@[a-z0-9-]{1,63}(?:[.][a-z0-9-]{1,63})+"
    r"|(?<![a-z0-9.-])(?:[a-z0-9-]{1,63}[.]){1,6}(?:com|cn|net|org|io|co|cc|top|hk|tw|jp|gov|edu)(?![a-z0-9])(?:/[!-~]*)?"
)
_AROUND: Final = 200  # code points before and after a name in which an address is looked for
_SYLLABLE_BEFORE: Final = re.compile("([^\\W\\d_]{2,6})[ '’-]{1,2}$")
_SYLLABLE_AFTER: Final = re.compile("[ '’-]{1,2}([^\\W\\d_]{2,6})(?![^\\W\\d_])")


class Doubts:
    """Asked of each name that is found; *words* None: names count inside common words too."""

    def __init__(self, words: Dictionary | None) -> None:
        self.words = words
        self._beside: dict[str, tuple[Neighbours, Neighbours]] = {}

    def of(self, text: str, start: int, end: int, spelling: Spelling) -> tuple[Doubt, Place] | None:
        """Why ``text[start:end]``, folded, is no name, and what in the text says so; None where it is one."""
        if ("." in text or "@" in text) and (link := _link(text, start, end)):
            return "link", link
        words = self.words
        if words is None:
            return None
        if spelling.variant == "exact":
            other = (
                words.other_reading(text, start, end)
                if self._could_go_on(text, start, end, spelling.text, words)
                else None
            )
        else:
            other = self._other_word(text, start, end, spelling, words)
        return ("word", other) if other else None

    def _other_word(self, text: str, start: int, end: int, spelling: Spelling, words: Dictionary) -> Place | None:
        match spelling.variant:
            case "homophones" | "split" if words.holds(text[start:end]):
                return start, end
            case "homophones" | "split":
                return words.other_reading(text, start, end, expected=_RARE, whole=True)
            case "pinyin" | "initials" if spelling.text.isascii():
                return None if text[start:end].isalnum() else _syllable_beside(text, start, end)
            case "pinyin" | "initials":
                return _word_at_edge(text, start, end, words)
        return None

    def _could_go_on(self, text: str, start: int, end: int, name: str, words: Dictionary) -> bool:
        """Whether a common word holds a part of *name* and what is beside it; mostly no word has that character there."""
        beside = self._beside.get(name)
        if beside is None:
            beside = self._beside[name] = _neighbours(name, words)
        if end < len(text):
            following = text[end]
            for length, characters in beside[1]:
                if following in characters and _any_word(text, end - length, end + 1, words):
                    return True
        if start > 0:
            preceding = text[start - 1]
            for length, characters in beside[0]:
                if preceding in characters and _any_word_back(text, start - 1, start + length, words):
                    return True
        return False


def _link(text: str, start: int, end: int) -> Place | None:
    """The address that holds the name; only what is around it is read, so that many names in a long text cost little."""
    for found in _LINK.finditer(text, max(0, start - _AROUND), end + _AROUND):
        if found.start() < end and found.end() > start:
            return found.span()
    return None


def _syllable_beside(text: str, start: int, end: int) -> Place | None:
    """A syllable before or after a name in syllables: it is a piece of something longer, wen nuan li liang."""
    before = _SYLLABLE_BEFORE.search(text, max(0, start - 8), start)
    after = _SYLLABLE_AFTER.match(text, end)
    return next((found.span(1) for found in (before, after) if found and is_syllable(found[1])), None)


def _word_at_edge(text: str, start: int, end: int, words: Dictionary) -> Place | None:
    """The common word that the Chinese part of a mixed spelling ends or begins: 昨晚 in 昨晚ning."""
    first, last = start, end
    while first < end and is_ideograph(text[first]):
        first += 1
    while last > start and is_ideograph(text[last - 1]):
        last -= 1
    return (word_before(text, start, first, words) if first > start else None) or (
        word_after(text, last, end, words) if last < end else None
    )


def word_before(text: str, start: int, end: int, words: Dictionary) -> Place | None:
    """The common word that ends at *end* and begins before *start*."""
    return _first_common(text, ((left, end) for left in range(max(0, end - LONGEST), start)), words)


def word_after(text: str, start: int, end: int, words: Dictionary) -> Place | None:
    """The common word that begins at *start* and ends after *end*."""
    return _first_common(text, ((start, right) for right in range(end + 1, min(len(text), start + LONGEST) + 1)), words)


def _first_common(text: str, places: Iterable[Place], words: Dictionary) -> Place | None:
    return next((place for place in places if words.holds(text[slice(*place)], _COMMON)), None)


def _neighbours(name: str, words: Dictionary) -> tuple[Neighbours, Neighbours]:
    """The characters that common words have before the first letters of *name*, and after its last."""
    lengths = range(1, min(len(name), LONGEST - 1) + 1)
    before = ((length, words.ends_before(name[:length])) for length in lengths)
    after = ((length, words.begins_after(name[len(name) - length :])) for length in lengths)
    return tuple(pair for pair in before if pair[1]), tuple(pair for pair in after if pair[1])


def _any_word(text: str, first: int, last: int, words: Dictionary) -> bool:
    return any(words.holds(text[first:right]) for right in range(last, min(len(text), first + LONGEST) + 1))


def _any_word_back(text: str, first: int, last: int, words: Dictionary) -> bool:
    return any(words.holds(text[left:last]) for left in range(first, max(0, last - LONGEST) - 1, -1))
