"""Chinese text as its sounds: one private character per syllable, so that what sounds alike compares equal."""

import functools
import unicodedata
from importlib import import_module
from typing import Final

from rules.dictionary import is_ideograph
from rules.spelling import syllables

_FIRST: Final = 0xE000  # of the private use area; there are about 420 syllables


@functools.cache
def _table() -> tuple[dict[int, int], dict[str, int]]:
    """Per ideograph the code of its first reading, and per syllable its code."""
    codes: dict[str, int] = {}
    table: dict[int, int] = {}
    readings: dict[int, str] = import_module("pypinyin.pinyin_dict").pinyin_dict
    for character, reading in sorted(readings.items()):
        if is_ideograph(chr(character)):
            table[character] = codes.setdefault(_toneless(reading.split(",")[0]), _FIRST + len(codes))
    return table, codes


def _toneless(reading: str) -> str:
    """``lǜ`` as ``lv``: marks of tone go, the two dots stay as v."""
    letters = unicodedata.normalize("NFD", reading)
    return "".join(letter for letter in letters.replace("u\u0308", "v") if letter.isalpha())


def is_syllable(letters: str) -> bool:
    """Whether folded *letters*, with or without tones, are one syllable."""
    return _toneless(letters) in _table()[1]


def sounds(folded: str) -> str:
    """*folded* with each ideograph as its syllable, of the same length."""
    return folded.translate(_table()[0])


def sounds_of_name(folded: str) -> set[str]:
    """What a name sounds like, read as a word and character by character."""
    codes = _table()[1]
    read = (chr(codes[syllable]) if syllable in codes else syllable for syllable in syllables(folded))
    return {"".join(read), sounds(folded)}
