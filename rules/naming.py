"""Where a text names a target, in which spelling, and which of these places do not count."""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from rules.dictionary import Dictionary
from rules.doubt import Doubts, word_after, word_before
from rules.finder import Finder, Place
from rules.fold import Folded, fold, is_word
from rules.han import SIMPLIFIED
from rules.noise import Squeezed
from rules.places import Cover, outermost
from rules.sound import sounds_of_name
from rules.spelling import Spelling, spellings
from rules.target import TargetConfig

NEAR: Final = 10  # code points between a name and a word of unless_near
_ANYWHERE_FROM: Final = 5  # letters of a Latin name that may hold a sign anywhere

Agrees = Callable[[str, Spelling], bool]
Rule = Literal["unless_near", "near", "word", "link"]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a name does not count: the rule, and where the word is that it goes by (``near`` has none: it is missing)."""

    rule: Rule
    word: Place | None


@dataclass(slots=True)
class Look:
    """One field, read once: what stands where, as original code points, by the finder's ids.

    ``named``: per target every place that is written as one of its names is, whether it counts or not.
    """

    text: str
    folded: Folded
    found: Mapping[int, list[Place]]
    named: Mapping[int, Mapping[Place, Spelling]]


class Naming:
    """The names of one target: ``by_text`` and ``contexts`` go into the finder, then ``bind`` tells it their ids."""

    def __init__(self, target: TargetConfig, number: int) -> None:
        self.target = target
        self.number = number
        self.by_text: dict[str, Spelling] = {}
        for variants in ((), target.variants):  # a name as it stands comes before another's variant
            for spelling in (spelling for name in target.all_names for spelling in spellings(name, variants)):
                known = self.by_text.setdefault(spelling.text, spelling)
                if not spelling.cuts <= known.cuts:
                    self.by_text[spelling.text] = replace(known, cuts=known.cuts | spelling.cuts)
        self._folded = frozenset(text for text, spelling in self.by_text.items() if spelling.variant == "exact")
        heard = target.homophones if target.looks_for("homophones") else ()
        self.by_sound = {sound: name for name in heard for sound in sounds_of_name(fold(name).text.strip())}
        self.contexts = frozenset(fold(word).text.strip() for word in (*target.near, *target.unless_near))
        self._agreeing: list[Agrees] = [] if target.looks_for("traditional") else [_same_script]
        self._agreeing += [_AGREE[what] for what in target.exact]
        self._simplified = all(one not in SIMPLIFIED for name in target.all_names for one in name)
        self._reach: dict[int, int] = {}
        self._near: frozenset[int] = frozenset()
        self._free: frozenset[str] = frozenset()
        self._doubts = Doubts(None)

    def bind(self, finder: Finder, doubts: Doubts) -> None:
        """Learn the ids of its texts."""
        self._reach = {
            finder.ids[word]: 0 if any(name in word for name in self._folded) else NEAR + 1
            for word in (fold(word).text.strip() for word in self.target.unless_near)
        }
        self._near = frozenset(finder.ids[fold(word).text.strip()] for word in self.target.near)
        self._free = frozenset(name for name in self._folded if self._holds_another(name))
        self._doubts = doubts

    def _holds_another(self, name: str) -> bool:
        return any(other in name and other != name for other in self._folded)

    def places(self, look: Look, mention: Collection[int]) -> list[Place]:
        """The names that count in one field, in order, none within another; *mention*: the ids that all fields hold."""
        named = self._named(look)
        places = outermost(named) if len(named) > 1 else list(named)
        if self._reach and places:
            ruled_out = Cover(stretch for stretch, _ in self._ruled_out(named, look))
            places = [place for place in places if not ruled_out.touches(*place)]
        if self._near and self._near.isdisjoint(mention):
            places = [place for place in places if fold(named[place].name).text.strip() in self._free]
        if look.folded.origin is not None:
            return [place for place in places if self._doubt(place, named[place], look) is None]
        text, doubted = look.folded.text, self._doubts.of
        return [place for place in places if doubted(text, *place, named[place]) is None]

    def refused(self, look: Look, mention: Collection[int]) -> Iterator[tuple[Place, Spelling, Objection]]:
        """The names that do not count in one field, each with the reason."""
        named = self._named(look)
        ruled_out = sorted(self._ruled_out(named, look))
        alone = bool(self._near) and self._near.isdisjoint(mention)
        for place in outermost(named):
            touching = (word for (start, end), word in ruled_out if place[0] < end and place[1] > start)
            if (word := next(touching, None)) is not None:
                yield place, named[place], Objection("unless_near", word)
            elif alone and fold(named[place].name).text.strip() not in self._free:
                yield place, named[place], Objection("near", None)
            elif objection := self._doubt(place, named[place], look):
                yield place, named[place], objection

    def _named(self, look: Look) -> Mapping[Place, Spelling]:
        """The places of its names that are written as its switches allow."""
        named = look.named.get(self.number) or {}
        for agrees in self._agreeing:
            if agrees is _same_script and look.folded.usual and self._simplified:
                continue
            named = {place: spelling for place, spelling in named.items() if agrees(look.text[slice(*place)], spelling)}
        return named

    def variant(self, place: Place, look: Look) -> tuple[str, str]:
        """In which variant the name at *place* is written, and which name it stands for."""
        spelling = look.named[self.number][place]
        if spelling.variant == "exact" and not (look.folded.usual and self._simplified):
            return "exact" if _script(look.text[slice(*place)], spelling) else "traditional", spelling.name
        return spelling.variant, spelling.name

    def _ruled_out(self, named: Mapping[Place, Spelling], look: Look) -> Iterator[tuple[Place, Place]]:
        """Stretches in which no name counts, each with the word that is the reason."""
        names = outermost(named)
        starts = [start for start, _ in names]
        for index, reach in self._reach.items():
            for start, end in look.found.get(index, ()):
                # A longer name that holds the word (云杉树脂) is meant itself.
                holder = bisect_right(starts, start) - 1
                if holder < 0 or not _inside((start, end), names[holder]):
                    yield (start - reach, end + reach), (start, end)

    def _doubt(self, place: Place, spelling: Spelling, look: Look) -> Objection | None:
        folded = look.folded
        start, end = place if folded.origin is None else folded.folded_span(*place)
        doubted = self._doubts.of(folded.text, start, end, spelling)
        return Objection(doubted[0], folded.span(*doubted[1])) if doubted else None

    def noisy_texts(self) -> list[str]:
        """What may stand with noise in it. Blanks between syllables are no noise but how pinyin is written."""
        noise = self.target.looks_for("noise")
        return [
            text
            for text, spelling in self.by_text.items()
            if (noise and len(text) > 1) or (spelling.variant == "pinyin" and len(spelling.cuts) and text.isalpha())
        ]

    def noisy(
        self, squeezed: Squeezed, original: str, folded: Folded, text: str, start: int, end: int
    ) -> tuple[Place, Spelling] | None:
        """The place of the spelling *text* at ``start:end`` of a squeezed text, if it is one with noise in it."""
        spelling = self.by_text[text]
        gaps = squeezed.inner_gaps(start, end)
        cuts, inner = spelling.cuts, {gap - start for gap in gaps}
        first, last = squeezed.origin(start), squeezed.origin(end - 1) + 1
        place = folded.span(first, last)
        if place is None or not is_word(folded.text, first, last) or "\n" in original[slice(*place)]:
            return None
        signs_alone = text.isascii() and len(text) >= _ANYWHERE_FROM and " " not in folded.text[first:last]
        if not (inner <= cuts or len(inner) == len(text) - 1 or signs_alone):
            return None
        words = self._doubts.words
        if words and any(_splits_words(squeezed, folded.text, gap, (first, last), words) for gap in gaps):
            return None
        return place, replace(spelling, variant="noise") if spelling.variant == "exact" else spelling

    def heard(self, folded: Folded, sound: str, start: int, end: int) -> tuple[Place, Spelling] | None:
        """The place of other characters that sound like a listed name."""
        written, place = folded.text[start:end], folded.span(start, end)
        if place is None or written in self._folded:
            return None
        return place, Spelling(written, self.by_sound[sound], "homophones", frozenset())


def _splits_words(squeezed: Squeezed, text: str, gap: int, name: Place, words: Dictionary) -> bool:
    """Whether what stands on one side of the noise is a part of a common word there: 很青 禾苗."""
    right, left = squeezed.origin(gap), squeezed.origin(gap - 1) + 1
    return (word_after(text, right, name[1], words) or word_before(text, name[0], left, words)) is not None


def _script(written: str, spelling: Spelling) -> bool:
    """Whether both are traditional, or both simplified, character by character."""
    return [one for one in written if one in SIMPLIFIED] == [one for one in spelling.name if one in SIMPLIFIED]


def _same_script(written: str, spelling: Spelling) -> bool:
    return spelling.variant not in {"exact", "noise"} or _script(written, spelling)


def _case(written: str, spelling: Spelling) -> bool:
    if spelling.variant not in {"exact", "noise"}:
        return True
    cased = ([one for one in unicodedata.normalize("NFKC", text) if one.isalpha()] for text in (written, spelling.name))
    return next(cased) == next(cased)


def _width(written: str, spelling: Spelling) -> bool:
    if spelling.variant not in {"exact", "noise"}:
        return True
    wide = ([one for one in text if unicodedata.normalize("NFKC", one) != one] for text in (written, spelling.name))
    return next(wide) == next(wide)


_AGREE: Final[Mapping[str, Agrees]] = {"case": _case, "width": _width}


def _inside(inner: Place, outer: Place) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer
