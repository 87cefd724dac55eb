"""Text as the matcher sees it: case, width, compatibility forms and traditional characters folded, offsets traceable.

Each code point is folded alone, as Unicode's NFKC_Casefold does (UAX #44): ``Ａ`` and ``A`` become ``a``, ``①`` becomes
``1``, characters that show nothing (zero-width space, variation selectors) disappear. A traditional character becomes
its simplified form (``rules.han``). White space of any kind becomes
one blank per code point, a lone surrogate U+FFFD, and an ellipsis stays one character. Because code points are folded
alone, a letter and a combining mark that follows it are not composed.
"""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from rules.han import SIMPLIFIED

# Characters that show nothing, which NFKC_Casefold maps to nothing (Default_Ignorable_Code_Point).
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Scripts written without spaces between words (and Hangul, whose words carry particles): found as substrings.
UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b"  # Jamo, radicals, marks
    "\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00016fe0-\U0001b2ff\U00020000-\U0003ffff"
    "]"
)


def _fold_one(code: int) -> str:
    character = chr(code)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if _IGNORED.match(character):
        return ""
    if character == "\u2026":
        return character  # NFKC makes three dots of it; in Chinese it is so frequent that offsets would seldom be equal
    if character.isspace():
        return " "
    if character in SIMPLIFIED:
        return SIMPLIFIED[character]
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    return "".join(SIMPLIFIED.get(one, one) for one in folded)


_REMEMBERED = 50_000


class _Folds(dict[int, str | int]):
    """What ``str.translate`` asks per code point; filled as code points are met, up to a bound that no language needs."""

    def __missing__(self, code: int) -> str | int:
        folded = _fold_one(code)
        # An int is translate's fast path: one code point for one.
        value: str | int = ord(folded) if len(folded) == 1 else folded
        if len(self) < _REMEMBERED:
            self[code] = value
        return value


_FOLDS = _Folds()


# Most posts hold nothing but what stands here; for them, lower case and a few replacements are the whole fold, in half
# the time of a look at each code point. In Chinese text the traditional characters are what is left out of the range.
def _as_it_is(first: int, last: int) -> str:
    """The characters of a range that are no traditional ones, as the inside of a character class."""
    kept = [code for code in range(first, last + 1) if chr(code) not in SIMPLIFIED]
    edges = [kept[0], *(code for pair in pairwise(kept) if pair[1] != pair[0] + 1 for code in pair), kept[-1]]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(edges[::2], edges[1::2], strict=True))


_WIDE = tuple(zip("\n\u3000，！？：；（）", "  ,!?:;()", strict=True))
_UNUSUAL = re.compile(
    "[^\n\x20-\x7e\u2014\u2018\u2019\u201c\u201d\u2026\u3000-\u3003\u3008-\u3011\u3041-\u3096\u30a1-\u30fa"
    f"{_as_it_is(0x4E00, 0x9FFF)}，！？：；（）\U0001f300-\U0001faff]"
)


@dataclass(slots=True)  # not frozen: one is made for every text, and that would cost three times as much
class Folded:
    """A folded text. ``origin[i]`` is the offset in the original of folded character *i*; None: the same offsets.

    ``usual``: the original surely holds nothing traditional.
    """

    text: str
    origin: tuple[int, ...] | None = None
    usual: bool = False

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where folded ``start:end`` stands in the original; None where an edge falls inside one of its characters."""
        origin = self.origin
        if origin is None:
            return start, end
        if start > 0 and origin[start - 1] == origin[start]:
            return None
        if end < len(origin) and origin[end - 1] == origin[end]:
            return None
        return origin[start], origin[end - 1] + 1

    def folded_span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``start:end`` of the original stands in the folded text: the reverse of ``span``."""
        origin = self.origin
        return (start, end) if origin is None else (bisect_left(origin, start), bisect_left(origin, end))


def fold(text: str) -> Folded:
    """*text* folded, of any length and content; never raises."""
    if not _UNUSUAL.search(text):
        folded = text.lower()
        for wide, narrow in _WIDE:
            folded = folded.replace(wide, narrow)
        return Folded(folded, None, True)
    folded = text.translate(_FOLDS)
    # One that grows and one that vanishes may balance in length, so length alone does not tell that nothing moved.
    if len(folded) == len(text) and not _IGNORED.search(text):
        return Folded(folded)
    pieces: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        value = _FOLDS[ord(character)]
        piece = chr(value) if isinstance(value, int) else value
        pieces.append(piece)
        origin.extend([index] * len(piece))
    return Folded("".join(pieces), tuple(origin))


def is_joining(character: str) -> bool:
    """A letter, digit or mark of a spaced script: part of a word that a neighbour of its kind would continue."""
    if "\u4e00" <= character <= "\u9fff":
        return False
    if character.isascii():
        return character.isalnum() or character == "_"
    if UNSPACED.match(character):
        return False
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def is_word(text: str, start: int, end: int) -> bool:
    """Whether folded ``text[start:end]`` stands there as a word of its own, not as a part of a longer one.

    Between Chinese and Latin there is always a border, among letters and digits of spaced scripts none; only a letter
    at the edge of the word ends it beside a digit: ``yunshan`` stands in ``yunshan5``, but ``a4`` not in ``a4l`` and
    ``5g`` not in ``15g``, nor ``361`` in ``3.361``.
    """
    if start > 0 and is_joining(text[start]) and _continues(text, start, start - 1, -1):
        return False
    return not (end < len(text) and is_joining(text[end - 1]) and _continues(text, end - 1, end, 1))


def _continues(text: str, edge: int, beside: int, step: int) -> bool:
    """Whether the word goes on from its *edge* to the character *beside* it; a number goes on past its point."""
    neighbour = text[beside]
    if is_joining(neighbour):
        return text[edge].isdigit() or not neighbour.isdigit()
    beyond = beside + step
    return text[edge].isdigit() and neighbour in ".," and 0 <= beyond < len(text) and text[beyond].isdigit()
