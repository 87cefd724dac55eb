"""The memory behind stories: nodes that are joined and never parted, and the grams of those that are texts."""

from array import array
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rules.story_grams import Grams, bits_of
from rules.story_index import Index, Nodes, Words, pack

_Number = TypeVar("_Number", bound=np.generic)
Label = tuple[int, str]
"""When a story's first member came (microseconds since 1970), and that member's key. The smaller one is the older."""


class NodeTable:
    """A node is what two mentions may share: a text, a headline, a post's id, an address. Nodes are numbered as they come.

    ``key``: 64 bits by which it is known; ``seen``: when a mention last had it; ``begin`` and ``size``: its grams, if it
    is a text that is compared, and ``text``: its row in ``bits``. ``labels`` stand at the roots alone.
    """

    def __init__(self) -> None:
        self.count = 0
        self.texts = 0
        self.key = np.empty(1024, np.uint64)
        self.seen = np.empty(1024, np.int64)
        self.begin = np.empty(1024, np.int64)
        self.size = np.empty(1024, np.int32)
        self.text = np.empty(1024, np.int32)
        self.bits: Words = np.empty((256, 4), np.uint64)
        self.grams: Grams = np.empty(1 << 14, np.uint32)
        self.gram_count = 0
        self.parent = array("i")
        self.labels: dict[int, Label] = {}
        self.exact = Index()
        self.bands = Index()

    def add(self, keys: Words, seen: Nodes) -> Nodes:
        """Nodes for keys that have none, each for itself."""
        begin, end = self.count, self.count + len(keys)
        for name in ("key", "seen", "begin", "size", "text"):
            setattr(self, name, _room(getattr(self, name), end))
        new = np.arange(begin, end)
        self.key[begin:end], self.seen[begin:end] = keys, seen
        self.begin[begin:end], self.size[begin:end] = 0, 0
        self.parent.frombytes(new.astype(np.int32).tobytes())
        self.count = end
        self.exact.add(pack(keys, new))
        return new

    def hang(self, new: Nodes, under: Nodes) -> None:
        """Join new nodes, that nothing was joined with yet, to others; no circle may come of it."""
        np.frombuffer(self.parent, np.int32)[new] = under

    def known(self, keys: Words, cutoff: int) -> Nodes:
        """Per key its node that was seen after *cutoff*, or -1."""
        found = np.full(len(keys), -1, np.int64)
        last = np.full(len(keys), (1 << 28) - 1, np.int64)
        places, nodes, _ = self.exact.before(pack(keys, last), 1, 8)
        right = (self.key[nodes] == keys[places]) & (self.seen[nodes] > cutoff)
        found[places[right]] = nodes[right]
        return found

    def keep_texts(self, nodes: Nodes, grams: Grams, sizes: Nodes, keys: Words) -> Words:
        """Make texts of nodes; their entries in the index of bands, which they are put into."""
        end = self.gram_count + len(grams)
        self.grams = _room(self.grams, end)
        self.grams[self.gram_count : end] = grams
        self.begin[nodes] = self.gram_count + np.cumsum(sizes) - sizes
        self.size[nodes] = sizes
        self.gram_count = end
        self.text[nodes] = np.arange(self.texts, self.texts + len(nodes))
        self.bits = _room(self.bits, self.texts + len(nodes))
        self.bits[self.texts : self.texts + len(nodes)] = bits_of(grams, sizes)
        self.texts += len(nodes)
        packed = pack(keys.ravel(), np.repeat(nodes, keys.shape[1]))
        self.bands.add(packed)
        return packed

    def find(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    def roots(self, nodes: Nodes) -> Nodes:
        parent = np.frombuffer(self.parent, np.int32)
        found = nodes
        while True:
            above = parent[found].astype(np.int64)
            if np.array_equal(above, found):
                return above
            found = above

    def union(self, one: int, other: int) -> tuple[Label, int] | None:
        """Join two nodes; where each had a story, the label of the younger, and the root of both now."""
        root, gone = self.find(one), self.find(other)
        if root == gone:
            return None
        mine, theirs = self.labels.get(root), self.labels.get(gone)
        if mine is None or (theirs is not None and theirs < mine):
            root, gone, mine, theirs = gone, root, theirs, mine
        self.parent[gone] = root
        if theirs is None:
            return None
        del self.labels[gone]
        return theirs, root

    def compact(self, alive: Nodes) -> None:
        """Forget all but these nodes (ascending); what was one story stays one."""
        roots, story = np.unique(self.roots(alive), return_inverse=True)
        first = np.full(len(roots), len(alive), np.int64)
        np.minimum.at(first, story, np.arange(len(alive)))
        labels = {}
        for root, place in zip(roots.tolist(), first.tolist(), strict=True):
            labels[place] = self.labels[root]
        moved = np.full(self.count, -1, np.int64)
        moved[alive] = np.arange(len(alive))
        entries = self.bands.entries()
        node = moved[(entries & np.uint64((1 << 28) - 1)).astype(np.int64)]
        self.bands.replace(pack(entries[node >= 0], node[node >= 0]))
        begin, size = self.begin[alive], self.size[alive]
        self.bits = self.bits[self.text[alive[size > 0]]]
        self.text = (np.cumsum(size > 0) - 1).astype(np.int32)
        places = np.repeat(begin - (np.cumsum(size, dtype=np.int64) - size), size) + np.arange(int(size.sum()))
        self.grams = self.grams[places]
        self.gram_count = len(self.grams)
        self.key, self.seen, self.size = self.key[alive], self.seen[alive], size
        self.begin = np.cumsum(size, dtype=np.int64) - size
        self.parent = array("i", first[story].astype(np.int32).tobytes())
        self.labels = labels
        self.count, self.texts = len(alive), int((size > 0).sum())
        self.exact.replace(pack(self.key, np.arange(self.count)))


def _room(values: NDArray[_Number], count: int) -> NDArray[_Number]:
    """The same array with place for *count*."""
    if count <= len(values):
        return values
    larger = np.empty((max(count, len(values) + len(values) // 2), *values.shape[1:]), values.dtype)
    larger[: len(values)] = values
    return larger
