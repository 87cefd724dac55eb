"""All words and spellings of all topics in one automaton: where each stands in a folded text."""

from collections.abc import Iterable, Mapping
from typing import Final

from ahocorasick_rs import AhoCorasick

from rules.fold import Folded, is_joining, is_word

Place = tuple[int, int]  # code points of a field: start, end
Found = Mapping[int, list[Place]]

_LONGEST_TAIL: Final = 40  # letters after the stem of a wildcard


class Finder:
    """``texts`` are folded; what is found is told by ``ids``, wildcards by ``prefix_ids``."""

    def __init__(self, texts: Iterable[str], prefixes: Iterable[str] = ()) -> None:
        known = dict.fromkeys(texts)
        stems = dict.fromkeys(prefixes)
        self.texts = tuple(dict.fromkeys([*known, *stems]))
        self.ids = {text: number for number, text in enumerate(self.texts)}
        self.prefix_ids = {stem: len(self.texts) + number for number, stem in enumerate(stems)}
        self._prefix_of = {self.ids[stem]: number for stem, number in self.prefix_ids.items()}
        # Where neither edge is a letter or a digit of a spaced script, a word is found anywhere.
        self._bordered = [is_joining(text[0]) or is_joining(text[-1]) for text in self.texts]
        self._automaton = AhoCorasick(self.texts) if self.texts else None

    def hits(self, text: str) -> list[tuple[int, int, int]]:
        """Every occurrence in a folded text as (id, start, end), as part of a longer word too, by its end."""
        if self._automaton is None:
            return []
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return found

    def scan(self, folded: Folded) -> dict[int, list[Place]]:
        """The places of each id in the original's code points, those of one id in order."""
        text, origin, bordered = folded.text, folded.origin, self._bordered
        found: dict[int, list[Place]] = {}
        for number, start, end in self.hits(text):
            if bordered[number]:
                if number in self._prefix_of:
                    self._add_prefix(found, folded, number, start, end)
                if not is_word(text, start, end):
                    continue
            place = (start, end) if origin is None else folded.span(start, end)
            if place is None:
                continue
            if number in found:
                found[number].append(place)
            else:
                found[number] = [place]
        return found

    def _add_prefix(self, found: dict[int, list[Place]], folded: Folded, number: int, start: int, end: int) -> None:
        """The word that begins with the stem at ``start:end``, if a word begins there."""
        text = folded.text
        last = end
        while last < len(text) and last - end < _LONGEST_TAIL and is_joining(text[last]):
            last += 1
        if not is_word(text, start, last):
            return
        place = folded.span(start, last)
        if place is not None:
            found.setdefault(self._prefix_of[number], []).append(place)
