"""The table that says which code points count as one: made when a model is built, and kept in its file."""

import unicodedata
from typing import Final

import numpy as np
import opencc

from sentiment.grams import Codes

CODES: Final = 0x20000  # the Basic Multilingual Plane and the next, where the emoji are
_VARIATION = (0xFE00, 0xFE10)
_MARKS = (0xE000, 0xE010)  # our own marks for names, links and handles: untouched


def folding_table() -> Codes:
    """The folded code point of each code point below :data:`CODES`.

    Compatibility forms and case by Unicode (NFKC, lower), blanks to one blank, digits to ``0``, traditional Han to
    simplified by OpenCC's characters, lone surrogates to U+FFFD. Code points that become several keep the first.
    """
    table = np.arange(CODES, dtype=np.uint32)
    for code in range(1, CODES):
        if _MARKS[0] <= code < _MARKS[1]:
            continue
        table[code] = _folded(code)
    converter = opencc.OpenCC("t2s")
    for start, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)):
        for code in range(start, end):
            simplified = converter.convert(chr(code))
            if len(simplified) == 1 and ord(simplified) < CODES:
                table[code] = ord(simplified)
    return table


def _folded(code: int) -> int:
    if 0xD800 <= code < 0xE000:
        return 0xFFFD
    if _VARIATION[0] <= code < _VARIATION[1]:
        return ord(" ")
    character = chr(code)
    folded = unicodedata.normalize("NFKC", character).lower()[:1] or character
    if folded.isspace() or unicodedata.category(folded) in {"Cc", "Cf", "Zs", "Zl", "Zp"}:
        return ord(" ")
    if folded.isdigit():
        return ord("0")
    return min(ord(folded), CODES - 1)
