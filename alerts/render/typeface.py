"""Text on pictures, in a font that comes with the program: Noto Sans SC, as many small files of some characters each.

Only the files of the characters that are drawn are opened. What the font has no shape for is left out.
"""

import json
from bisect import bisect_right
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

FOLDER = Path(__file__).parent / "fonts"
_REGULAR = 400
_AT_MOST = 64  # opened files


def write(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, *, size: int, fill: str, anchor: float = 0.0
) -> None:
    """*text* on the base line at *place*, which is its left end, its middle (``anchor`` 0.5) or its right end (1)."""
    x, y = place
    x -= width(text, size) * anchor
    for part, piece in _runs(text):
        font = _font(part, size)
        draw.text((x, y), piece, font=font, fill=fill, anchor="ls")
        x += font.getlength(piece)


def width(text: str, size: int) -> float:
    """In pixels."""
    return sum(_font(part, size).getlength(piece) for part, piece in _runs(text))


def _runs(text: str) -> list[tuple[str, str]]:
    """Pieces of one file each, with its name."""
    placed = [(part, character) for character in text if (part := _part(ord(character)))]
    return [(part, "".join(one for _, one in run)) for part, run in groupby(placed, key=lambda one: one[0])]


def _part(point: int) -> str:
    starts, ends, parts = _ranges()
    place = bisect_right(starts, point) - 1
    return parts[place] if place >= 0 and point <= ends[place] else ""


@lru_cache(maxsize=1)
def _ranges() -> tuple[list[int], list[int], list[str]]:
    """Begin, end and file of each range of characters. unicode.json: {"[4]": "U+1f1e9-1f1f5,U+1f21a", ..., "latin": ...}."""
    told: dict[str, str] = json.loads((FOLDER / "unicode.json").read_text(encoding="utf-8"))
    found = []
    for name, ranges in told.items():
        for one in ranges.split(","):
            start, _, end = one.strip().removeprefix("U+").partition("-")
            found.append((int(start, 16), int(end or start, 16), name.strip("[]")))
    found.sort()
    return [one[0] for one in found], [one[1] for one in found], [one[2] for one in found]


@lru_cache(maxsize=_AT_MOST)
def _font(part: str, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(FOLDER / f"{part}.woff2", size, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([_REGULAR])
    return font
