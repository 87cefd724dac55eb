"""How a target is read: names become marks, and each character lies in one zone, which says how it is to be taken.

The same reading serves training and scoring. Zones, the first that fits: outside what is said of the brand, what a
comparison says of the other side (好用 in 云杉不如格澜好用), inside quoted or forwarded words, before the last turn
(但是, 就是 …), inside a question, plain.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sentiment.grams import BRAND, OTHER
from sentiment.target import Passage, Target

PLAIN: Final = 0
ASKED: Final = 1
BEFORE: Final = 2
QUOTED: Final = 3
OUTSIDE: Final = 4
COMPARED: Final = 5
ZONES: Final = 6

Field = Literal["title", "text"]
Zones = NDArray[np.uint8]

# A turn gives what follows it the last word. 就是, 只是 and their like turn at the head of a clause alone. Every
# alternative begins with a literal: that is what keeps the search fast.
_TURN = re.compile(
    "但|不过|不過|可是|然而|却|卻|反而|反倒|没想到|沒想到|结果|結果|其实|其實|可惜|好在|幸好|还好|還好|偏偏|居然|竟然|"
    "[，。,；;！!](?:就是|只是|可|谁知|誰知|唯一)| but | however[ ,]"
)
_QUOTED = re.compile('“[^”\n]{4,}”|「[^」\n]{4,}」|『[^』\n]{4,}』|"[^"\n]{4,}"')
_QUOTES = ("“", "「", "『", '"')
_FORWARDED = re.compile("//\\s?@|转发自|轉發自")
_ASKED = re.compile("[?？]+|[吗嗎呢么](?=[。，,；;\n]|$)")
_STOPS = "。！？!?；;\n"
_ASKED_AT_MOST = 200  # characters of a question, counted back from its mark
_CLAUSE = re.compile("[^，,。！？!?；;、：:\n…~～]*[，,。！？!?；;、：:\n…~～\\s]*")

# "A和B", "A及B": what follows speaks of the brand too, though another name stands before it.
_JOINT = re.compile(
    "[^，,：:。！？\n]{0,4}?(?:和|与|與|跟|同|及|以及|还有|還有|或|或者|[、/&+])\\s*",
    re.IGNORECASE,
)

# Between two names of one clause: what is said behind the second is said of the first (云杉比格澜好用) ...
_BEATS = re.compile(
    "[^，,：:。！？\n]{0,8}?(?:比(?!不)|胜过|勝過|强过|強過|好过|好過|优于|優於|超过|超過)[^，,：:。！？\n]{0,6}"
)
# ... or of the second (云杉不如格澜好用).
_YIELDS = re.compile(
    "[^，,：:。！？\n]{0,8}?(?:不如|不及|比不上|比不了|没有|沒有|没|沒|输给|輸給|逊于|遜於|不敌|不敵|差过)[^，,：:。！？\n]{0,6}"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A target as an analyzer sees it.

    ``text``: title, line break and text, names marked, of the length of what they stand for. ``shift``: where the
    text begins in it. ``zones``: one a character; None where all is plain. ``targeted``: whether a brand is marked.
    """

    text: str
    shift: int
    zones: Zones | None
    targeted: bool

    def place(self, start: int, end: int) -> tuple[Field, int, int] | None:
        """Field and offsets in it of ``start:end``, cut to the field in which it begins; None for the border between."""
        if start >= self.shift:
            return "text", start - self.shift, end - self.shift
        end = min(end, self.shift - 1)
        return ("title", start, end) if start < end else None


def read(target: Target) -> Reading:
    """*target* as an analyzer reads it; of any text."""
    title = target.title
    if title is None or not title.text:
        text, shift = _marked(target.text), 0
    else:
        text, shift = f"{_marked(title)}\n{_marked(target.text)}", len(title.text) + 1
    targeted = BRAND in text
    zones = _zones(text, told_apart=targeted and OTHER in text)
    return Reading(text, shift, zones, targeted)


def zones_of(text: str) -> Zones | None:
    """The zones of a text that names no brand; None where all is plain."""
    return _zones(text, told_apart=False)


def unmarked(text: str) -> str:
    """*text* with U+FFFD for characters of its own that are our marks: old emoji of one maker stand there."""
    if BRAND in text or OTHER in text:
        return text.replace(BRAND, "\ufffd").replace(OTHER, "\ufffd")
    return text


def _marked(passage: Passage) -> str:
    text = unmarked(passage.text)
    if not passage.brand and not passage.others:
        return text
    names = sorted([(s.start, s.end, BRAND) for s in passage.brand] + [(s.start, s.end, OTHER) for s in passage.others])
    pieces: list[str] = []
    at = 0
    for start, end, mark in names:
        begin = max(start, at)
        if begin < end:
            pieces += (text[at:begin], mark * (end - begin))
            at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _zones(text: str, *, told_apart: bool) -> Zones | None:
    questions = _questions(text)
    turn = _last(_TURN, text)
    quotes = [found.span() for found in _QUOTED.finditer(text)] if any(mark in text for mark in _QUOTES) else []
    forwarded = _FORWARDED.search(text) if "//" in text or "发自" in text or "發自" in text else None
    others = list(_others(text)) if told_apart else []
    if not (questions or turn or quotes or forwarded or others):
        return None
    zones = np.zeros(len(text), dtype=np.uint8)
    for start, end in questions:
        zones[start:end] = ASKED
    if turn:
        zones[:turn] = BEFORE
    for start, end in quotes:
        zones[start:end] = QUOTED
    if forwarded and forwarded.start() > 0:
        zones[forwarded.start() :] = QUOTED
    for start, end, zone in others:
        zones[start:end] = zone
    return zones


def _questions(text: str) -> list[tuple[int, int]]:
    """From behind the stop before it to the question's mark, or its 吗, 呢, 么 at the end of a clause."""
    if not ("?" in text or "？" in text or "吗" in text or "嗎" in text or "呢" in text or "么" in text):
        return []
    found = []
    for mark in _ASKED.finditer(text):
        earliest = max(mark.start() - _ASKED_AT_MOST, 0)
        begin = max(text.rfind(stop, earliest, mark.start()) for stop in _STOPS) + 1
        found.append((max(begin, earliest), mark.end()))
    return found


def _last(pattern: re.Pattern[str], text: str) -> int:
    at = 0
    for found in pattern.finditer(text):
        at = found.start()
    return at


def _others(text: str) -> Iterator[tuple[int, int, int]]:
    """What is said of others: start, end and zone, in order.

    Outside: from another's clause, or its name where the clause named the brand before, up to where the brand speaks
    again. What stands before the first name belongs to it, and a clause without a name to the last. Compared: in a
    comparison with the brand, what is said of the other side.
    """
    names = _listed(text)
    begins = [found.start() for found in _CLAUSE.finditer(text) if found.end() > found.start()]
    holder, since, previous = names[0][2], 0, names[0]
    for name in names[1:]:
        place = bisect_right(begins, name[0])
        clause = begins[place - 1]
        between = text[previous[1] : name[0]] if clause <= previous[0] and name[2] != previous[2] else ""
        beats, yields = bool(_BEATS.fullmatch(between)), bool(_YIELDS.fullmatch(between))
        if beats or yields:
            if holder == OTHER and since < previous[1]:
                yield since, previous[1], OUTSIDE
            holder = previous[2] if beats else name[2]
            since = name[1]
            if holder == OTHER:
                since = begins[place] if place < len(begins) else len(text)
                yield name[1], since, COMPARED
        elif name[2] != holder and not (
            name[2] == OTHER and previous[2] == BRAND and _JOINT.fullmatch(text, previous[1], name[0])
        ):
            border = name[0] if clause <= previous[0] else clause
            if holder == OTHER:
                yield since, border, OUTSIDE
            holder, since = name[2], border
        previous = name
    if holder == OTHER and since < len(text):
        yield since, len(text), OUTSIDE


def _listed(text: str) -> list[tuple[int, int, str]]:
    """The names of a marked text: start, end, mark. Others in a row (格澜、青禾和乙) are one name."""
    names: list[tuple[int, int, str]] = []
    for found in _NAMES.finditer(text):
        start, end, mark = found.start(), found.end(), found.group()[0]
        if mark == OTHER and names and names[-1][2] == OTHER and _JOINT.fullmatch(text, names[-1][1], start):
            start = names.pop()[0]
        names.append((start, end, mark))
    return names


_NAMES = re.compile(f"{BRAND}+|{OTHER}+")


def judged(reading: Reading) -> tuple[tuple[Field, int, int], ...]:
    """The stretches that are taken as said of the target, title first."""
    length = len(reading.text)
    if reading.zones is None:
        inside: Iterable[tuple[int, int]] = [(0, length)]
    else:
        turns = np.flatnonzero(np.diff(np.concatenate(([True], reading.zones == OUTSIDE, [True])).astype(np.int8)))
        inside = zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)
    found: list[tuple[Field, int, int]] = []
    for start, end in inside:
        edges = [start, reading.shift, end] if start < reading.shift < end else [start, end]
        found += [
            place for one, other in pairwise(edges) if (place := reading.place(one, other)) and place[1] < place[2]
        ]
    return tuple(found)
