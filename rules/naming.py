"""Where a text names a target, in which spelling, and which of these places do not count."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from rules.dictionary import Dictionary, is_ideograph
from rules.finder import Finder, Place
from rules.fold import Folded, fold, is_word
from rules.han import SIMPLIFIED
from rules.noise import Squeezed
from rules.places import Cover, outermost
from rules.sound import sounds_of_name
from rules.spelling import DEFAULT, Spelling, Variant, spellings
from rules.strict import Strict

NEAR: Final = 10  # code points between a name and a word of its context
_COMMON: Final = 5.0  # occurrences in the dictionary of a word beside noise that makes the name no name
_ONLY_LETTERS_FROM: Final = 5  # letters of a Latin name that may hold a sign anywhere


def findable(word: str) -> str:
    if not fold(word).text.strip():
        raise ValueError("there is nothing to look for in this word")
    return word


Name = Annotated[str, AfterValidator(findable)]


class TargetConfig(Strict):
    """A brand, and how people call it."""

    names: tuple[Name, ...] = Field(min_length=1, description="Full names; the first is shown to people.")
    aliases: tuple[Name, ...] = Field(default=(), description="Short forms, nicknames, names in Latin script.")
    variants: tuple[Variant, ...] = Field(
        default=DEFAULT,
        description="In which other spellings the names are found too; [] for as they stand, in any case and width.",
    )
    homophones: tuple[Name, ...] = Field(
        default=(), description="Of the names and aliases, those that other characters of the same sound stand for too."
    )
    near: tuple[Name, ...] = Field(
        default=(),
        description="Words of which one must stand within 10 characters of a name for it to count. A name that holds "
        "another (小米科技 beside 小米) needs none.",
    )
    unless_near: tuple[Name, ...] = Field(
        default=(),
        description="Words that tell that something else is meant. One that holds a name (云杉树 for 云杉) says so of "
        "the place where it stands; any other (红富士 for 苹果) of each name within 10 characters.",
    )
    inside_words: bool = Field(
        default=False, description="Whether a name counts inside a common word too, as 小米 in 小米粥."
    )

    @property
    def all_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, *self.aliases)))

    @model_validator(mode="after")
    def _homophones_are_names(self) -> "TargetConfig":
        known = {fold(name).text.strip() for name in self.all_names}
        for name in self.homophones:
            if fold(name).text.strip() not in known:
                raise ValueError(f"homophones: {name} is none of the names and aliases")
        return self


Rule = Literal["unless_near", "near", "word"]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a name does not count: the rule, and where the word is that it goes by (``near`` has none: it is missing)."""

    rule: Rule
    word: Place | None


@dataclass(frozen=True, slots=True)
class Look:
    """One field, read once: what stands where, as original code points, by the finder's ids.

    ``odd``: per target the places of names with noise in them, or written by their sound.
    """

    text: str
    folded: Folded
    found: Mapping[int, list[Place]]
    odd: Mapping[int, list[tuple[Place, Spelling]]]


class Naming:
    """The names of one target. Built in two steps: its texts go into the finder, ``number`` it is known by there."""

    def __init__(self, target: TargetConfig) -> None:
        self.target = target
        self.by_text: dict[str, Spelling] = {}
        for variants in ((), target.variants):  # a name as it stands comes before another's variant
            for spelling in (spelling for name in target.all_names for spelling in spellings(name, variants)):
                known = self.by_text.setdefault(spelling.text, spelling)
                if not spelling.cuts <= known.cuts:
                    self.by_text[spelling.text] = replace(known, cuts=known.cuts | spelling.cuts)
        self._folded = frozenset(text for text, spelling in self.by_text.items() if spelling.variant == "exact")
        heard = target.homophones if "homophones" in target.variants else ()
        self.by_sound = {sound: name for name in heard for sound in sounds_of_name(fold(name).text.strip())}
        self.contexts = frozenset(fold(word).text.strip() for word in (*target.near, *target.unless_near))
        self.ids: frozenset[int] = frozenset()
        self._spelling_of: dict[int, Spelling] = {}
        self._reach: dict[int, int] = {}
        self._near: tuple[int, ...] = ()
        self._free: frozenset[int] = frozenset()
        self._dictionary: Dictionary | None = None

    def bind(self, finder: Finder, dictionary: Dictionary | None) -> None:
        """Learn the ids of its texts; *dictionary* None: names count inside common words too."""
        self._spelling_of = {finder.ids[text]: spelling for text, spelling in self.by_text.items()}
        self.ids = frozenset(self._spelling_of)
        self._reach = {
            finder.ids[word]: 0 if any(name in word for name in self._folded) else NEAR + 1
            for word in (fold(word).text.strip() for word in self.target.unless_near)
        }
        self._near = tuple(finder.ids[fold(word).text.strip()] for word in self.target.near)
        self._free = frozenset(finder.ids[name] for name in self._folded if self._holds_another(name))
        self._dictionary = None if self.target.inside_words else dictionary

    def _holds_another(self, name: str) -> bool:
        return any(other in name and other != name for other in self._folded)

    def places(self, look: Look, number: int) -> list[Place]:
        """The names that count in one field, in order, none within another."""
        named = self._named(look, number)
        if not named:
            return named
        ruled_out = Cover(stretch for stretch, _ in self._ruled_out(named, look)) if self._reach else None
        return [
            place
            for place in named
            if not (ruled_out and ruled_out.touches(*place))
            and not (self._near and self._lacks_context(place, look))
            and not (self._dictionary and self._other_word(place, look))
        ]

    def refused(self, look: Look, number: int) -> list[tuple[Place, Objection]]:
        """The names that do not count in one field, each with the reason."""
        named = self._named(look, number)
        ruled_out = sorted(self._ruled_out(named, look))
        return [(place, reason) for place in named if (reason := self._objection(place, look, ruled_out)) is not None]

    def spelling(self, place: Place, look: Look, number: int) -> tuple[str, str]:
        """In which variant the name at *place* is written, and which name it stands for."""
        for other, spelling in look.odd.get(number, ()):
            if other == place:
                return "noise" if spelling.variant == "exact" else spelling.variant, spelling.name
        for identity in self.ids & look.found.keys():
            if place in look.found[identity]:
                spelling = self._spelling_of[identity]
                if spelling.variant == "exact" and _in_other_script(look.text[slice(*place)], spelling.name):
                    return "traditional", spelling.name
                return spelling.variant, spelling.name
        raise KeyError(place)

    def _named(self, look: Look, number: int) -> list[Place]:
        found = look.found
        named = outermost(
            [place for identity in self.ids if identity in found for place in found[identity]]
            + [place for place, _ in look.odd.get(number, ())]
        )
        if named and "traditional" not in self.target.variants:
            return [place for place in named if self.spelling(place, look, number)[0] != "traditional"]
        return named

    def _objection(self, place: Place, look: Look, ruled_out: list[tuple[Place, Place]]) -> Objection | None:
        touching = (word for (start, end), word in ruled_out if place[0] < end and place[1] > start)
        if (word := next(touching, None)) is not None:
            return Objection("unless_near", word)
        if self._near and self._lacks_context(place, look):
            return Objection("near", None)
        if self._dictionary and (word := self._other_word(place, look)):
            return Objection("word", word)
        return None

    def _ruled_out(self, named: Sequence[Place], look: Look) -> Iterator[tuple[Place, Place]]:
        """Stretches in which no name counts, each with the word that is the reason."""
        starts = [start for start, _ in named]
        for index, reach in self._reach.items():
            for start, end in look.found.get(index, ()):
                # A longer name that holds the word (云杉树脂) is meant itself.
                holder = bisect_right(starts, start) - 1
                if holder < 0 or not _inside((start, end), named[holder]):
                    yield (start - reach, end + reach), (start, end)

    def _lacks_context(self, place: Place, look: Look) -> bool:
        start, end = place
        if any(place in look.found.get(identity, ()) for identity in self._free):
            return False
        for identity in self._near:
            words = look.found.get(identity, [])
            first = bisect_left(words, start - NEAR, key=lambda word: word[1])
            if first < len(words) and words[first][0] <= end + NEAR:
                return False
        return True

    def _other_word(self, place: Place, look: Look) -> Place | None:
        """The common word that holds a part of the name at *place*, if the text is likelier read that way."""
        start, end = look.folded.folded_span(*place)
        text, dictionary = look.folded.text, self._dictionary
        if dictionary is None or not (is_ideograph(text[start]) or is_ideograph(text[end - 1])):
            return None
        if not _could_go_on(text, start, end, dictionary):
            return None
        word = dictionary.other_reading(text, start, end)
        return look.folded.span(*word) if word else None

    def noisy_texts(self) -> list[str]:
        """What may stand with noise in it. Blanks between syllables are no noise but how pinyin is written."""
        noise = "noise" in self.target.variants
        return [
            text
            for text, spelling in self.by_text.items()
            if (noise and len(text) > 1) or (text.isascii() and spelling.cuts)
        ]

    def noisy(self, squeezed: Squeezed, look: Look, text: str, start: int, end: int) -> Place | None:
        """The place of the spelling *text* at ``start:end`` of a squeezed text, if it is one with noise in it."""
        gaps = squeezed.inner_gaps(start, end)
        if not gaps:
            return None
        spelling = self.by_text[text]
        folded, first, last = look.folded, squeezed.origin(start), squeezed.origin(end - 1) + 1
        place = folded.span(first, last)
        if place is None or not is_word(folded.text, first, last) or "\n" in look.text[slice(*place)]:
            return None
        inner = {gap - start for gap in gaps}
        blank = " " in folded.text[first:last]
        if not (
            inner <= spelling.cuts
            or len(inner) == len(text) - 1
            or (not blank and text.isascii() and len(text) >= _ONLY_LETTERS_FROM)
        ):
            return None
        if self._dictionary and any(self._splits_words(squeezed, folded.text, gap, (start, end)) for gap in gaps):
            return None
        return place

    def heard(self, look: Look, sound: str, start: int, end: int) -> tuple[Place, Spelling] | None:
        """The place of characters that sound like a listed name, unless they are a word of their own or parts of some."""
        folded, name = look.folded, self.by_sound[sound]
        written = folded.text[start:end]
        place = folded.span(start, end)
        if place is None or written in self._folded:
            return None
        if self._dictionary and (
            self._dictionary.holds(written) or self._dictionary.other_reading(folded.text, start, end, 1.0)
        ):
            return None
        return place, Spelling(written, name, "homophones", frozenset())

    def _splits_words(self, squeezed: Squeezed, text: str, gap: int, name: Place) -> bool:
        """Whether what stands on one side of the noise is a part of a common word there: 很青 禾苗."""
        dictionary = self._dictionary
        if dictionary is None:
            return False
        right, end = squeezed.origin(gap), squeezed.origin(name[1] - 1) + 1
        left, start = squeezed.origin(gap - 1) + 1, squeezed.origin(name[0])
        after = any(
            dictionary.holds(text[right:last], _COMMON) for last in range(end + 1, min(len(text), right + 4) + 1)
        )
        return after or any(dictionary.holds(text[first:left], _COMMON) for first in range(max(0, left - 4), start))


def _could_go_on(text: str, start: int, end: int, dictionary: Dictionary) -> bool:
    """Whether a character beside the name is one that a common word has beside a part of it; a quick look."""
    if end < len(text) and is_ideograph(text[end]):
        following = text[end]
        for first in range(max(start, end - 3), end):
            if following in dictionary.begins_after(text[first:end]):
                return True
    if start > 0 and is_ideograph(text[start - 1]):
        preceding = text[start - 1]
        for last in range(start + 1, min(end, start + 3) + 1):
            if preceding in dictionary.ends_before(text[start:last]):
                return True
    return False


def _in_other_script(written: str, name: str) -> bool:
    """Whether one is traditional where the other is simplified; otherwise both are the same name."""
    return [one for one in written if one in SIMPLIFIED] != [one for one in name if one in SIMPLIFIED]


def _inside(inner: Place, outer: Place) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer
