"""Common Chinese words and how frequent they are, by jieba's dictionary: where the words beside a name begin and end.

A name that stands inside a longer word (小米粥), or across the border of two (完|美的 in 完美的), names nobody. All words
of up to four characters are packed into sorted arrays, 64 bits a word, so that the whole costs 7 MB and a look-up
microseconds. Words that say what a brand does are left out, as they are no other words: organisations (jieba's tag
``nt``) and what ends in a noun of business (苹果电脑, 格力空调).
"""

import functools
import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

LONGEST: Final = 4
_BUSINESS: Final = frozenset((
    "公司", "集团", "股份", "科技", "技术", "电子", "电器", "家电", "电脑", "手机", "汽车", "空调", "电视", "冰箱", "保险",
    "银行", "证券", "品牌", "官方", "官网", "客服", "门店", "产品",
))  # fmt: skip
_REMEMBERED: Final = 50_000
_UNKNOWN: Final = 0.5  # occurrences of a character that the dictionary does not hold
# A name counts as a word at least as frequent as this, be it in the dictionary or not.
EXPECTED: Final = 3.0
_KNOWN_PERSON: Final = 10  # occurrences from which a person's name is more than a surname before a brand

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def is_ideograph(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _packed(word: str) -> int:
    key = 0
    for character in word:
        key = key << 16 | ord(character)
    return key << 16 * (LONGEST - len(word))


class Dictionary:
    def __init__(self, words: Sequence[str], counts: Sequence[str], tags: Sequence[str]) -> None:
        """Words, how often each occurs (digits), and their tags, side by side: 350,000 rows are slow one by one."""
        often = np.array(list(map(int, counts)), dtype=np.float64)
        self._total = math.log(often.sum())
        self._unknown = math.log(_UNKNOWN) - self._total
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        packed = []
        for length in range(1, LONGEST + 1):
            rows = [
                row for row in np.flatnonzero(lengths == length).tolist() if not _is_business(words[row], tags[row])
            ]
            persons = np.array([tags[row].startswith("nr") for row in rows], dtype=np.bool_)
            packed.append(_pack_all([words[row] for row in rows], often[rows], persons, length))
        keys, occurrences, person, reverse = (np.concatenate(columns) for columns in zip(*packed, strict=True))
        order = np.argsort(keys)
        self._keys: Keys = keys[order]
        self._sorted = array("Q", self._keys.tobytes())  # bisect is quicker than numpy for one word
        self._weights = array("d", (np.log(occurrences[order]) - self._total).tobytes())
        self._person = person[order].tobytes()
        self._reverse: Keys = np.sort(reverse)
        self._after = functools.lru_cache(maxsize=None)(functools.partial(_continuing, self._keys))
        self._entry = functools.lru_cache(maxsize=_REMEMBERED)(self._find)
        self._before = functools.lru_cache(maxsize=None)(functools.partial(_continuing, self._reverse))

    def holds(self, word: str, at_least: float = 1.0) -> bool:
        """Whether *word*, of up to four ideographs, occurs that often; longer ones are not known."""
        entry = self._entry(word)
        return entry is not None and entry[0] >= math.log(at_least) - self._total - 1e-9

    def begins_after(self, piece: str) -> frozenset[str]:
        """The characters that go on with *piece* in a word that begins with it."""
        return self._after(piece)

    def ends_before(self, piece: str) -> frozenset[str]:
        """The characters that stand before *piece* in a word that ends with it."""
        return self._before(piece[::-1])

    def other_reading(
        self, text: str, start: int, end: int, *, expected: float = EXPECTED, whole: bool = False
    ) -> tuple[int, int] | None:
        """The word that takes a part of ``text[start:end]`` where *text* is likelier read otherwise; None where it is not.

        The likeliest reading of four characters around, by the product of the words' frequencies, as jieba finds it; the
        name itself counts as a word that occurs *expected* times at least. A person's name (由云杉) that ends with the
        name is no word: what stands before a brand is often one character. Two words that share the whole name between
        them, of which one begins before it (天蓝|麦田 over 蓝麦田), are always the likelier reading. *whole*: several
        words that make up the name are another reading too.
        """
        first, last = start, end
        while first > 0 and start - first < LONGEST and is_ideograph(text[first - 1]):
            first -= 1
        while last < len(text) and last - end < LONGEST and is_ideograph(text[last]):
            last += 1
        entry = self._entry(text[start:end])
        named = math.log(expected) - self._total
        if entry is not None and not whole:
            named = max(named, entry[0])
        # The best way to each offset: without the name as a word, and with it where that is better.
        plain: dict[int, tuple[float, int]] = {first: (0.0, first)}
        best = dict(plain)
        for right in range(first + 1, last + 1):
            choices = self._words_to(text, right, first, start, end)
            plain[right] = max((plain[left][0] + weight, left) for left, weight in choices)
            if right == end:
                choices.append((start, named))
            best[right] = max((best[left][0] + weight, left) for left, weight in choices)
        if astride := _astride(_way(plain, first, last), start, end):
            return astride
        words = _way(best, first, last)
        if (start, end) in words:
            return None
        over = [word for word in words if word[0] < start < word[1] or word[0] < end < word[1]]
        inside = [word for word in words if start <= word[0] < end] if whole else []
        return next(iter(over + inside), None)

    def _words_to(self, text: str, right: int, first: int, start: int, end: int) -> list[tuple[int, float]]:
        """Where the words begin that end at *right*, with their weights; the name itself left out."""
        choices = []
        for left in range(max(first, right - LONGEST), right):
            if left == start and right == end and right > left + 1:
                continue
            entry = self._entry(text[left:right])
            if entry is not None and not (entry[1] and left < start < right):
                choices.append((left, entry[0]))
            elif right == left + 1:
                choices.append((left, self._unknown))
        return choices

    def _find(self, word: str) -> tuple[float, bool] | None:
        """The logarithm of its frequency, and whether it is a person's name; None for what is no word of it."""
        if not 0 < len(word) <= LONGEST or not all(map(is_ideograph, word)):
            return None
        key = _packed(word)
        place = bisect_left(self._sorted, key)
        if place == len(self._sorted) or self._sorted[place] != key:
            return None
        return self._weights[place], bool(self._person[place])


def _is_business(word: str, tag: str) -> bool:
    return tag == "nt" or (word[-2:] in _BUSINESS and len(word) > 2)


def _pack_all(words: list[str], counts: Numbers, person: Flags, length: int) -> tuple[Keys, Numbers, Flags, Keys]:
    """Of words of one length: keys, counts, whether they are little known persons, and the keys of the words reversed."""
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
    table = codes.reshape(-1, length).astype(np.uint64)
    kept = ((table >= 0x4E00) & (table <= 0x9FFF)).all(axis=1) & (counts > 0)
    table, counts, person = table[kept], counts[kept], person[kept]
    shifts = np.array([16 * (LONGEST - 1 - place) for place in range(length)], dtype=np.uint64)
    keys = (table << shifts).sum(axis=1, dtype=np.uint64)
    return keys, counts, person & (counts < _KNOWN_PERSON), (table[:, ::-1] << shifts).sum(axis=1, dtype=np.uint64)


def _continuing(keys: Keys, piece: str) -> frozenset[str]:
    """The characters that follow *piece* at the start of the packed words."""
    if len(piece) >= LONGEST:
        return frozenset()
    shift = 16 * (LONGEST - len(piece))
    low = _packed(piece)
    first, last = np.searchsorted(keys, np.array([low + 1, low + (1 << shift) - 1], dtype=np.uint64))
    following = (keys[first : last + 1] >> np.uint64(shift - 16)) & np.uint64(0xFFFF)
    shown = np.unique(following[(keys[first : last + 1] >> np.uint64(shift)) == np.uint64(low >> shift)]).tolist()
    return frozenset(chr(code) for code in shown if code)


def _way(best: dict[int, tuple[float, int]], first: int, last: int) -> list[tuple[int, int]]:
    """The words of the best way from *first* to *last*."""
    words = []
    while last > first:
        left = best[last][1]
        words.append((left, last))
        last = left
    return words[::-1]


def _astride(words: list[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The first of two words, the other of two characters or more, that hold ``start:end`` and more before it."""
    for one, other in pairwise(words):
        if one[0] < start < one[1] < end <= other[1] and other[1] - other[0] > 1:
            return one
    return None


@functools.lru_cache(maxsize=1)
def dictionary() -> Dictionary:
    """Jieba's dictionary; about half a second the first time."""
    # A word, its count and its tag on each line, with blanks between, of which a word holds none.
    fields = resources.files("jieba").joinpath("dict.txt").read_text(encoding="utf-8").split()
    return Dictionary(fields[0::3], fields[1::3], fields[2::3])
