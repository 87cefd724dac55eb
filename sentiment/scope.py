"""Which part of a target is judged: the clauses about the brand, or the whole text where no brand is marked."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from sentiment.target import Passage, Span, Target

# The most that is judged, in code points: what follows changes no judgement and would cost without bound.
JUDGED_AT_MOST = 5_000

# A sentence ends at its marks or its line; one without any is cut at 1,000, so that a text without marks costs no more.
_SENTENCE = re.compile(r"[^。！？!?；;\n]{1,1000}[。！？!?；;\n”』」’）]{0,8}|[。！？!?；;\n]+")
_CLAUSE = re.compile(r"[^，,、：:]*[，,、：:]?")

# "A和B", "A手机比B", "A不如B": what follows speaks of the brand too, though another name stands before it.
_JOINT = re.compile(
    r"[^，,：:]{0,4}?(?:比|不比|比起|对比|和|与|跟|同|及|以及|还有|或|或者|不如|没有|[、/&+]|vs\.?|pk)\s*",
    re.IGNORECASE,
)

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_JAPANESE_OR_KOREAN = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uac00-\ud7a3]")

Field = Literal["title", "text"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Code points ``start`` to ``end`` of a field, which hold ``text``; ``names`` are those in it, in order."""

    field: Field
    start: int
    end: int
    text: str
    names: tuple[Span, ...] = ()


def scope(target: Target) -> tuple[Piece, ...]:
    """The pieces of *target* that are judged, title first, together at most :data:`JUDGED_AT_MOST` code points.

    With a brand span in a field: the sentences that hold one (a title is a sentence), without their clauses about
    others; and the whole text where the title names the brand alone and the text names nobody. Title and text whole
    where no brand is marked, or where nothing Chinese is said beside its name and no other is named.
    """
    text, title = target.text, target.title or Passage("")
    whole = _pieces("title", title, _all_of(title)), _pieces("text", text, _all_of(text))
    if not (text.brand or title.brand):
        return _bounded(*whole)
    heading = _pieces("title", title, _about_brand(title, is_title=True))
    if not (text.brand or text.others or title.others):
        return _bounded(heading, whole[1])
    judged = _bounded(heading, _pieces("text", text, _about_brand(text, is_title=False)))
    if not (text.others or title.others) and not any(_says_something(piece) for piece in judged):
        return _bounded(*whole)
    return judged


def _all_of(passage: Passage) -> Iterable[tuple[int, int]]:
    return [(0, len(passage.text))]


def _pieces(field: Field, passage: Passage, stretches: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    names = sorted(passage.brand + passage.others, key=_start)
    for start, end in stretches:
        last = min(end, start + JUDGED_AT_MOST)
        first = max(bisect_right(names, start, key=_start) - 1, 0)
        within = tuple(names[first : bisect_left(names, last, first, key=_start)])
        yield Piece(field, start, last, passage.text[start:last], within)


def _start(span: Span) -> int:
    return span.start


def _bounded(title: Iterable[Piece], text: Iterable[Piece]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    left = JUDGED_AT_MOST
    for piece in chain(title, text):
        if left <= 0:
            break
        if piece.text:
            last = min(piece.end, piece.start + left)
            pieces.append(Piece(piece.field, piece.start, last, piece.text[:left], piece.names))
            left -= last - piece.start
    return tuple(pieces)


def _says_something(piece: Piece) -> bool:
    return any(_CHINESE.search(said) for _, said in unnamed(piece))


def unnamed(piece: Piece) -> Iterator[tuple[int, str]]:
    """What stands between the names in *piece*: (offset in the field, text), in order, none empty."""
    at = piece.start
    for name in piece.names:
        if at < name.start and piece.start < name.end:
            said = piece.text[at - piece.start : name.start - piece.start]
            if said:
                yield at, said
        at = max(at, name.end)
    if at < piece.end:
        yield at, piece.text[at - piece.start :]


def speaks_chinese(pieces: Iterable[Piece]) -> bool:
    """Whether there is Chinese to judge: a Han character, and not more kana or Hangul than Han."""
    text = unicodedata.normalize("NFKC", "".join(piece.text for piece in pieces))
    han = len(_CHINESE.findall(text))
    return han > 0 and len(_JAPANESE_OR_KOREAN.findall(text)) <= han


def _about_brand(passage: Passage, *, is_title: bool) -> Iterator[tuple[int, int]]:
    """The stretches of the sentences that hold a brand span and speak of the brand, in order."""
    text = passage.text
    if not passage.brand:
        return
    sentences = [(0, len(text))] if is_title else (found.span() for found in _SENTENCE.finditer(text))
    brand, others = _Cursor(passage.brand), _Cursor(passage.others)
    for start, end in sentences:
        here, elsewhere = brand.within(start, end), others.within(start, end)
        if here and elsewhere:
            yield from _clauses_about_brand(text, start, end, here, elsewhere)
        elif here:
            yield start, end


class _Cursor:
    """Reads ascending spans sentence by sentence, each span once, at the sentence in which it begins."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        self._spans = spans
        self._next = 0

    def within(self, start: int, end: int) -> list[Span]:
        found = []
        while self._next < len(self._spans) and self._spans[self._next].start < end:
            if self._spans[self._next].start >= start:
                found.append(self._spans[self._next])
            self._next += 1
        return found


def _clauses_about_brand(
    text: str, start: int, end: int, brand: list[Span], others: list[Span]
) -> Iterator[tuple[int, int]]:
    """Of a sentence that names both, what is said of the brand.

    Each name speaks from the beginning of its clause, or from itself where its clause named the other side before, up
    to where the other side begins to speak. What stands before the first name belongs to it.
    """
    names = sorted(
        [(span, True) for span in brand] + [(span, False) for span in others], key=lambda name: name[0].start
    )
    clauses = [found.span() for found in _CLAUSE.finditer(text, start, end) if found.end() > found.start()]
    begins = [clause[0] for clause in clauses]
    holder = names[0][1]
    since = start
    previous: Span | None = None
    clause = 0
    for span, is_brand in names:
        before = clause
        while clause + 1 < len(begins) and begins[clause + 1] <= span.start:
            clause += 1
        if is_brand != holder and not _joint(text, previous, span, is_brand=is_brand):
            border = begins[clause] if clause != before or previous is None else span.start
            if holder:
                yield since, border
            holder, since = is_brand, border
        previous = span
    if holder:
        yield since, end


def _joint(text: str, previous: Span | None, span: Span, *, is_brand: bool) -> bool:
    """Whether the brand, named first, and another, named right after it, are spoken of together."""
    return previous is not None and not is_brand and _JOINT.fullmatch(text, previous.end, span.start) is not None
