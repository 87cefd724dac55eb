"""What stands in a mention of all that is sought: title and text are read once each, for all topics together."""

import re
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rules.dictionary import dictionary
from rules.doubt import Doubts
from rules.finder import Finder, Place
from rules.fold import UNSPACED, Folded, fold
from rules.mention import Mention
from rules.naming import Look, Naming
from rules.noise import squeeze
from rules.sound import sounds
from rules.spelling import Spelling
from rules.syntax import Field
from rules.target import TargetConfig

Places = Mapping[int, Sequence[Place]]
Named = dict[int, dict[Place, Spelling]]

# What NEAR counts: a character of an unspaced script, or a word of any other.
_UNIT: Final = re.compile(f"{UNSPACED.pattern}|(?:[^\\W{UNSPACED.pattern[1:-1]}]|[\u0300-\u036f])+")


@dataclass(slots=True)
class Sight:
    """Per field (title, text) the places of each leaf that holds there: words by their id, then the targets.

    Those of a target are in order and none within another.
    """

    mention: Mention
    title: Places
    text: Places
    looks: Mapping[Field, Look]
    _units: dict[Field, list[int]] = field(default_factory=dict)

    def places(self, field: Field) -> Places:
        return self.text if field == "text" else self.title

    def units(self, field: Field) -> list[int]:
        """Where the characters and words begin that NEAR counts; found once, whatever the number of NEARs."""
        if field not in self._units:
            self._units[field] = [found.start() for found in _UNIT.finditer(self.looks[field].text)]
        return self._units[field]


class Watch:
    """The words of all queries and the names of all targets, in one automaton, and one more for each way of misspelling."""

    def __init__(self, words: Sequence[str], prefixes: Sequence[str], targets: Mapping[str, TargetConfig]) -> None:
        self.namings = [Naming(target, number) for number, target in enumerate(targets.values())]
        spelt = [text for naming in self.namings for text in (*naming.by_text, *sorted(naming.contexts))]
        self.finder = Finder([*words, *spelt], prefixes)
        careless = Doubts(None)
        careful = careless if all(target.inside_words for target in targets.values()) else Doubts(dictionary())
        for naming in self.namings:
            naming.bind(self.finder, careless if naming.target.inside_words else careful)
        self.first_target = len(self.finder.texts) + len(self.finder.prefix_ids)
        self.target_leaf = {name: self.first_target + number for number, name in enumerate(targets)}
        self._spelt: dict[int, list[tuple[int, Spelling]]] = {}
        for naming in self.namings:
            for text, spelling in naming.by_text.items():
                self._spelt.setdefault(self.finder.ids[text], []).append((naming.number, spelling))
        noisy = [naming.noisy_texts() for naming in self.namings]
        self._squeezed = Finder(text for texts in noisy for text in texts)
        self._squeezed_by = _owners(self._squeezed, noisy)
        self._heard = Finder(sound for naming in self.namings for sound in naming.by_sound)
        self._heard_by = _owners(self._heard, [naming.by_sound for naming in self.namings])

    def see(self, mention: Mention) -> Sight:
        text = self.look(mention.text)
        if not mention.title:
            return Sight(mention, {}, self._places(text, text.found), {"text": text})
        title = self.look(mention.title)
        both = text.found.keys() | title.found.keys()
        return Sight(mention, self._places(title, both), self._places(text, both), {"title": title, "text": text})

    def look(self, text: str) -> Look:
        """Read one field."""
        folded = fold(text)
        found = self.finder.scan(folded)
        named: Named = {}
        spelt = self._spelt
        for identity, places in found.items():
            if identity in spelt:
                for number, spelling in spelt[identity]:
                    own = named.get(number)
                    if own is None:
                        named[number] = dict.fromkeys(places, spelling)
                    else:
                        own.update(dict.fromkeys(places, spelling))
        if self._squeezed.texts:
            self._squeeze(text, folded, named)
        if self._heard.texts:
            self._hear(folded, named)
        return Look(text, folded, found, named)

    def _places(self, look: Look, mention: Collection[int]) -> Places:
        """Words, and the names that count."""
        if not look.named:
            return look.found
        first, places = self.first_target, dict(look.found)
        for number in sorted(look.named) if len(look.named) > 1 else look.named:
            counting = self.namings[number].places(look, mention)
            if counting:
                places[first + number] = counting
        return places

    def _squeeze(self, text: str, folded: Folded, named: Named) -> None:
        squeezed = squeeze(folded.text)
        if squeezed is None:
            return
        for identity, start, end in self._squeezed.hits(squeezed.text):
            if not squeezed.inner_gaps(start, end):
                continue
            spelt = self._squeezed.texts[identity]
            for number in self._squeezed_by[identity]:
                noisy = self.namings[number].noisy(squeezed, text, folded, spelt, start, end)
                if noisy is not None:
                    named.setdefault(number, {}).setdefault(*noisy)

    def _hear(self, folded: Folded, named: Named) -> None:
        for identity, start, end in self._heard.hits(sounds(folded.text)):
            for number in self._heard_by[identity]:
                heard = self.namings[number].heard(folded, self._heard.texts[identity], start, end)
                if heard is not None:
                    named.setdefault(number, {}).setdefault(*heard)


def _owners(finder: Finder, texts: Sequence[Mapping[str, object] | Sequence[str]]) -> dict[int, list[int]]:
    """Per id of the finder the numbers of those whose text it is."""
    owners: dict[int, list[int]] = {}
    for number, own in enumerate(texts):
        for text in own:
            owners.setdefault(finder.ids[text], []).append(number)
    return owners


def units_between(units: Sequence[int], start: int, end: int) -> int:
    """How many characters and words begin in ``start:end``."""
    return bisect_left(units, end) - bisect_left(units, start)
