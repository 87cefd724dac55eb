"""Names with something between their characters: 青.禾, 青 禾, 青❤禾. The text is read again without it, only then.

What ends a clause (，。！？；：, one bracket, a line break) is no noise, nor are letters and digits. Brackets are where they
stand around each piece alone (【青】【禾】, not 【资讯网】【易车】), and # is where it neither opens nor closes a hashtag.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

MOST: Final = 4  # signs between two characters
_NOISE = re.compile(
    "(?:"
    "[ .'’·•・*\\-_~/\\\\|+=^%$#&@`°"
    "\u00a1-\u00bf\u2010-\u2015\u2022\u203b\u2190-\u2bff\u3012\u3013\u301c-\u3020\U0001f000-\U0001faff丨丶灬]{1,4}"
    "|】 ?【|\\] ?\\[|\\) ?\\(|」 ?「|』 ?『|〕 ?〔|》 ?《|〉 ?〈)"  # brackets around each character
    "(?=[^\\W_])"
)


_HASHTAG: Final = re.compile("#[^#\n]{2,40}#")  # of Weibo; one of a single character is noise
_CLOSING: Final = "】])」』〕》〉"
_PIECE: Final = re.compile("[^\\W_]|[a-z]{2,6}")  # a character or a syllable
_LONGEST_PIECE: Final = 6


@dataclass(frozen=True, slots=True)
class Squeezed:
    """A folded text without noise. ``gaps``: offsets in ``text`` where some was, ``shifts`` how much up to each."""

    text: str
    gaps: list[int]
    shifts: list[int]

    def inner_gaps(self, start: int, end: int) -> list[int]:
        """The gaps within ``text[start:end]``."""
        first = bisect_right(self.gaps, start)
        return self.gaps[first : bisect_right(self.gaps, end - 1, first)]

    def origin(self, offset: int) -> int:
        """Where the character at *offset* stands in the folded text."""
        at = bisect_right(self.gaps, offset)
        return offset + (self.shifts[at - 1] if at else 0)


def squeeze(text: str) -> Squeezed | None:
    """A folded text without the noise between its characters; None where there is none."""
    spans = [
        (start, end)
        for start, end in (found.span() for found in _NOISE.finditer(text))
        if start > 0 and text[start - 1].isalnum() and (text[start] not in _CLOSING or _encloses(text, start, end))
    ]
    if "#" in text:
        signs = {at for tag in _HASHTAG.finditer(text) for at in (tag.start(), tag.end() - 1)}
        spans = [(start, end) for start, end in spans if signs.isdisjoint(range(start, end))]
    if not spans:
        return None
    pieces, at = [], 0
    for start, end in spans:
        pieces.append(text[at:start])
        at = end
    pieces.append(text[at:])
    shifts = list(accumulate(end - start for start, end in spans))
    gaps = [end - shift for (_, end), shift in zip(spans, shifts, strict=True)]
    return Squeezed("".join(pieces), gaps, shifts)


def _encloses(text: str, start: int, end: int) -> bool:
    """Whether the brackets that meet at ``start:end`` stand around one piece each."""
    opened = text.rfind(text[end - 1], max(0, start - _LONGEST_PIECE - 1), start)
    closed = text.find(text[start], end, end + _LONGEST_PIECE + 1)
    return opened >= 0 and closed >= 0 and all(map(_PIECE.fullmatch, (text[opened + 1 : start], text[end:closed])))
