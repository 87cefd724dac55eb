"""Traditional Chinese characters as simplified ones, one for one, by OpenCC's table of characters.

Single characters alone: whether 乾 is 干 or itself depends on the word, but text and words sought are folded alike, so
that no word is missed by it.
"""

from typing import Final

import opencc

_BLOCKS: Final = ((0x3400, 0x4DC0), (0x4E00, 0xA000))


def _simplified() -> dict[str, str]:
    characters = [chr(code) for start, end in _BLOCKS for code in range(start, end)]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    table = {old: new for old, new in zip(characters, converted, strict=True) if old != new and len(new) == 1}
    return {old: table.get(new, new) for old, new in table.items()}


SIMPLIFIED: Final = _simplified()
"""The simplified form of each traditional character that has another; folding twice is folding once."""
