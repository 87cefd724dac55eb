"""The words of a quotation that made it negative: carried through cleaning, cutting and escaping, or dropped.

A mark is a pair of begin and end in code points. It is only ever kept where the very words stand at its place, and never
begins or ends inside a visible character.
"""

from collections.abc import Callable, Iterable, Iterator

from alerts.render.text import ELLIPSIS, breaks

Mark = tuple[int, int]

_BREAK = "\u200b"  # what escapes put behind characters that could call or link; cleaned text has none


def carried(text: str, marks: Iterable[Mark], form: Callable[[str], str], shown: str) -> tuple[Mark, ...]:
    """The marks of *text* as they stand in *shown*, which is ``form(text)`` or a beginning of it with an ellipsis."""
    found: list[Mark] = []
    room = len(shown) - shown.endswith(ELLIPSIS)
    for start, end in marks:
        words = form(text[start:end]) if 0 <= start < end <= len(text) else ""
        at = len(form(text[:start] + "|")) - 1
        first = found[-1][1] if found else 0
        # beyond the room it was cut away; another form than at its place, an address was replaced
        if words and first <= at and at + len(words) <= room and shown.startswith(words, at):
            found += whole(shown, at, at + len(words))
    return tuple(found)


def whole(text: str, start: int, end: int) -> Iterator[Mark]:
    """The mark, where it cuts through no visible character."""
    if breaks(text, start) and breaks(text, end):
        yield start, end


def within(marks: Iterable[Mark], text: str) -> tuple[Mark, ...]:
    """Those that are left of a text that was cut to *text*."""
    room = len(text) - text.endswith(ELLIPSIS)
    return tuple(mark for mark in marks if mark[1] <= room)


def segments(text: str, marks: Iterable[Mark], safe: Callable[[str], str] = str) -> list[tuple[str, bool]]:
    """``safe(text)`` in pieces, each with whether it is marked.

    *safe* is asked once for the whole text, so that what it breaks is broken also where a mark begins or ends. It may put
    zero-width spaces in and exchange characters one for one; if it does more, nothing is marked.
    """
    made = safe(text)
    places = [place for place, character in enumerate(made) if character != _BREAK]
    if len(places) != len(text) or _BREAK in text:
        return [(made, False)]
    places.append(len(made))
    found: list[tuple[str, bool]] = []
    last = 0
    for start, end in marks:
        found += [(made[last : places[start]], False), (made[places[start] : places[end]], True)]
        last = places[end]
    found.append((made[last:], False))
    return [(piece, is_marked) for piece, is_marked in found if piece]


def marked(
    text: str, marks: Iterable[Mark], around: tuple[str, str], safe: Callable[[str], str] = str,
    escape: Callable[[str], str] = str,
) -> str:  # fmt: skip
    """The text with its marks between *around*; *escape* goes character by character, *safe* as in ``segments``."""
    before, after = around
    return "".join(
        f"{before}{escape(piece)}{after}" if is_marked else escape(piece)
        for piece, is_marked in segments(text, marks, safe)
    )
