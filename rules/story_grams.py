"""Texts as sets of character 3-grams, and the keys under which texts that share most of theirs are likely to meet.

MinHash (Broder 1997): the smallest hash of a set is equal for two sets as often as they share elements, and with rows of
three of those in a key, twelve keys meet with probability 1 - (1 - J^3)^12: .80 at a Jaccard similarity of .5, .98 at .7,
and .0001 at .02, what unrelated posts have. Two more keys are the first and the last twelve characters: a text that was
cut at one end, or got a comment there, meets its original for certain. All numbers are whole, and the rows' factors fixed,
so that every machine finds the same.
"""

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from rules.story_index import Nodes, Words
from rules.story_text import NEAR

BANDS, ROWS = 12, 3
KEYS = BANDS + 2
Grams = NDArray[np.uint32]

# Odd factors, as multiply-shift hashing wants them (Dietzfelbinger et al. 1997); any fixed ones would do.
_FACTORS = np.array(
    [
        int.from_bytes(hashlib.blake2b(b"row %d" % row, digest_size=8).digest(), "little") | 1
        for row in range(BANDS * ROWS)
    ],
    dtype=np.uint64,
)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)
_BIT_WORDS = 4


def hashes(values: Sequence[Hashable]) -> Words:
    """64 bits each, by Python's own hash.

    It is keyed anew in every process, so that nobody can write texts that collide; what outlives a process is no hash.
    """
    return np.fromiter(map(hash, values), np.int64, len(values)).view(np.uint64)


def grams_of(texts: Sequence[str]) -> tuple[Grams, Nodes]:
    """The distinct 3-grams of each text as 32-bit hashes, ascending, one text after the other; and how many each has.

    Every text has three characters at least.
    """
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    counts = lengths - 2
    owner = np.repeat(np.arange(len(texts)), counts)
    # Where each gram begins: places in the joined text, without the last two of each text.
    begins = np.arange(len(owner)) + 2 * owner
    grams = ((codes[begins] << np.uint64(42)) ^ (codes[begins + 1] << np.uint64(21)) ^ codes[begins + 2]) * _MIX
    keyed = np.sort((owner.astype(np.uint64) << _SHIFT) | (grams >> _SHIFT))
    distinct = keyed[np.concatenate([[True], keyed[1:] != keyed[:-1]])] if len(keyed) else keyed
    sizes = np.bincount((distinct >> _SHIFT).astype(np.int64), minlength=len(texts))
    return distinct.astype(np.uint32), sizes


def keys_of(texts: Sequence[str], numbers: Sequence[str], grams: Grams, sizes: Nodes) -> Words:
    """A row of KEYS per text. Texts with other numbers never meet: their keys differ from the start."""
    if not texts:
        return np.empty((0, KEYS), np.uint64)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    wide = grams.astype(np.uint64) * _MIX
    wide ^= wide >> np.uint64(29)
    keys = np.empty((len(texts), KEYS), np.uint64)
    for band in range(BANDS):
        mixed = np.full(len(texts), band + 1, np.uint64)
        for row in range(band * ROWS, band * ROWS + ROWS):
            least = np.minimum.reduceat((wide * _FACTORS[row]) >> _SHIFT, starts)
            mixed = (mixed ^ least) * _MIX
            mixed ^= mixed >> _SHIFT
        keys[:, band] = mixed
    keys[:, BANDS] = hashes([text[:NEAR] for text in texts])
    keys[:, BANDS + 1] = hashes([text[-NEAR:] for text in texts]) * _MIX
    return (keys ^ hashes(numbers)[:, None]) * _MIX


def bits_of(grams: Grams, sizes: Nodes) -> Words:
    """A row of 256 bits per set, one for each value of a gram's last eight bits that occurs in it.

    Bits of one set that another lacks are at most as many as elements: who lacks too many needs no closer look.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    bits = np.uint64(1) << (grams & np.uint32(63)).astype(np.uint64)
    word = (grams >> np.uint32(6)) & np.uint32(_BIT_WORDS - 1)
    rows = np.empty((len(sizes), _BIT_WORDS), np.uint64)
    for number in range(_BIT_WORDS):
        rows[:, number] = np.bitwise_or.reduceat(np.where(word == number, bits, np.uint64(0)), starts)
    return rows


def missing(grams: Grams, begins: tuple[Nodes, Nodes], sizes: tuple[Nodes, Nodes]) -> Nodes:
    """Per pair of sets in *grams*, how many elements of the first are not in the second."""
    pairs = len(sizes[0])
    mine, theirs = (_laid_out(grams, begin, size) for begin, size in zip(begins, sizes, strict=True))
    at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
    absent = theirs[at] != mine
    counted: Nodes = np.bincount((mine[absent] >> _SHIFT).astype(np.int64), minlength=pairs)
    return counted


def _laid_out(grams: Grams, begins: Nodes, sizes: Nodes) -> Words:
    """The sets one after the other, each element below the number of its set: ascending as a whole."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    laid: Words = (owner.astype(np.uint64) << _SHIFT) | grams[begins[owner] + within]
    return laid
