"""Many words found in one pass over a text."""

from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick

from rules.fold import Folded, fold, is_word


class Terms:
    """Words to find, Latin ones as whole words and Chinese ones as substrings; case and width do not matter.

    ``words`` are the words as given, in order, stripped; of those that differ in case or width alone, the first.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Raise ValueError for a word that is empty once folded."""
        known: dict[str, str] = {}
        for word in words:
            folded = fold(word.strip()).text.strip()
            if not folded:
                raise ValueError(f"{word!r} has no character to look for")
            known.setdefault(folded, word.strip())
        self.words: tuple[str, ...] = tuple(known.values())
        self._indexes = {folded: index for index, folded in enumerate(known)}
        self._automaton = AhoCorasick(list(known)) if known else None

    def find(self, text: str) -> tuple[tuple[int, int, str], ...]:
        """Every occurrence as (start, end, word as given), in code points of *text*, by start; overlaps included."""
        words = self.words
        return tuple((start, end, words[index]) for index, start, end in self.scan(fold(text)))

    def index(self, word: str) -> int:
        """Where *word*, in any case and width, stands in ``words``; raises KeyError for one that is not sought."""
        return self._indexes[fold(word.strip()).text.strip()]

    def scan(self, folded: Folded) -> Sequence[tuple[int, int, int]]:
        """Every occurrence in a text folded already as (index in ``words``, start, end), in original code points."""
        if self._automaton is None:
            return ()
        text = folded.text
        found: list[tuple[int, int, int]] = []
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if is_word(text, start, end):
                span = folded.span(start, end)
                if span is not None:
                    found.append((index, *span))
        found.sort(key=lambda hit: (hit[1], hit[2]))
        return found
