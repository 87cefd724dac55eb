"""Texts to hashed character n-grams, a batch at a time, in numpy alone.

A batch is one array of code points: every text behind two separators, so that no n-gram of up to three crosses from one
text to the next. Each position then begins one unigram, one bigram and one trigram, and nothing has to be masked.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Positions = NDArray[np.int64]

ORDERS: Final = 3  # n-grams of 1, 2 and 3 characters
BRAND: Final = "\ue000"  # stands for the name of the brand that is judged
OTHER: Final = "\ue001"  # stands for the name of another brand
_LINK: Final = "\ue002"
_HANDLE: Final = "\ue003"
_SEPARATOR: Final = "\0\0"

_LINKS = re.compile(r"https?://[\w./?=&%#~+:-]+|www\.[\w./?=&%#~+:-]+", re.ASCII)
_HANDLES = re.compile(r"@[\w-]{1,30}")

_BLANK, _ZERO = ord(" "), ord("0")
_PRIVATE = 0x40000  # from here on tags and private use
_FIRST_MARK, _LAST_MARK = ord(BRAND), ord(_HANDLE)


@dataclass(frozen=True, slots=True)
class Batch:
    """Folded texts.

    ``codes``: code points of all texts, separators among them. ``starts[i]``: where text *i* begins, at its
    separators. ``origin``: for each code its place in the joined original; ``offsets[i]``: where text *i* begins there.
    """

    codes: Codes
    starts: Positions
    origin: Positions
    offsets: Positions


class Folding:
    """What becomes of each code point: full width, case, digits, blanks and traditional forms fall together."""

    def __init__(self, table: Codes) -> None:
        """*table*: the folded code point of each below its length; all above share the last one."""
        self._table = table
        self._last = np.uint32(len(table) - 1)

    @property
    def table(self) -> Codes:
        return self._table

    def batch(self, texts: Sequence[str]) -> Batch:
        """*texts* as one batch.

        Links and handles count as one character each, runs are cut: three of a kind and more to two; blanks, digits and
        marked names to one.
        """
        joined = _SEPARATOR + _SEPARATOR.join(
            [text.replace("\0", " ") for text in texts] if any("\0" in text for text in texts) else texts
        )
        return self._fold(joined, texts)

    def _fold(self, joined: str, texts: Sequence[str]) -> Batch:
        if "://" in joined or "www." in joined:
            joined = _LINKS.sub(_same_length(_LINK), joined)
        if "@" in joined:
            joined = _HANDLES.sub(_same_length(_HANDLE), joined)
        raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        if raw.max() > self._last:  # the later planes: Han shares one class, what stands for no text is blank
            codes = self._table[np.where(raw < _PRIVATE, np.minimum(raw, self._last), np.uint32(_BLANK))]
        else:
            codes = self._table[raw]
        same = codes[1:] == codes[:-1]
        keep = np.ones(len(codes), dtype=bool)
        if same.any():
            # A run of one: the code equals the one before it, and is of a kind that is told once.
            keep[1:] = ~(same & _told_once(codes[1:]))
            keep[2:] &= ~(same[1:] & same[:-1])
            keep |= raw == 0
        origin = np.flatnonzero(keep)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        offsets = np.cumsum(lengths + 2) - lengths
        return Batch(codes[origin], np.searchsorted(origin, offsets - 2), origin, offsets)


def hashes(codes: Codes, bits: int) -> tuple[Codes, Codes, Codes]:
    """The bucket, below ``2**bits``, of the unigram, bigram and trigram that begins at each code.

    Multiplicative hashing (Knuth, TAOCP vol. 3, 6.4) of the codes with a multiplier per place, mixed once more; the
    same on every machine. Behind the last code stand separators.
    """
    padded = np.concatenate((codes, _END))
    one = padded * _FIRST
    two = one[:-1] * _SPREAD + padded[1:] * _SECOND
    three = two[:-1] * _SPREAD + padded[2:] * _THIRD
    return _bucket(one[:-2], bits), _bucket(two[:-1], bits), _bucket(three, bits)


def _bucket(hashed: Codes, bits: int) -> Codes:
    mixed = (hashed ^ (hashed >> _FIFTEEN)) * _MIX
    return mixed >> np.uint32(32 - bits)


_END = np.zeros(2, dtype=np.uint32)
_FIRST, _SECOND, _THIRD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_SPREAD, _MIX, _FIFTEEN = np.uint32(0x27D4EB2F), np.uint32(0x2C1B3C6D), np.uint32(15)


def _same_length(mark: str) -> Callable[[re.Match[str]], str]:
    return lambda found: mark * (found.end() - found.start())


def _told_once(codes: Codes) -> NDArray[np.bool_]:
    once: NDArray[np.bool_] = (codes == _BLANK) | (codes == _ZERO) | ((codes >= _FIRST_MARK) & (codes <= _LAST_MARK))
    return once
