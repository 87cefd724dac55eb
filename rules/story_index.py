"""Which nodes share a key: sorted runs of whole numbers, merged as they grow, looked up many at a time."""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Nodes = NDArray[np.int64]

NODE_BITS = np.uint64(28)
MOST_NODES = 1 << 28
_NODE_MASK = np.uint64(MOST_NODES - 1)
_GROWTH = 16  # a run is merged into the one before it once it is a sixteenth of it: few runs to look through


def pack(keys: Words, nodes: Nodes) -> Words:
    """The upper 36 bits of a key over its node: one number that sorts by key, then by node."""
    return (keys >> NODE_BITS << NODE_BITS) | nodes.astype(np.uint64)


class Index:
    """Entries (key, node). Keys are told apart by 36 of their bits, so what is found has to be looked at again."""

    def __init__(self) -> None:
        self._runs: list[Words] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def add(self, packed: Words) -> None:
        if not len(packed):
            return
        self._runs.append(np.sort(packed))
        while len(self._runs) > 1 and len(self._runs[-1]) * _GROWTH > len(self._runs[-2]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]), kind="stable")

    def replace(self, packed: Words) -> None:
        self._runs = [np.sort(packed)] if len(packed) else []

    def entries(self) -> Words:
        return np.concatenate(self._runs) if self._runs else np.empty(0, np.uint64)

    def before(self, packed: Words, first: int, most: int) -> tuple[Nodes, Nodes, Nodes]:
        """Per entry, the nodes under its key that are smaller than its own, the newest first in each run.

        From the *first* (1: the newest) to the *most*-th of each run, as pairs (place in *packed*, node); and the
        places where still more stood.
        """
        places, nodes, more = [], [], []
        order = np.argsort(packed)  # in order, one search begins where the last one ended: in the cache
        ordered = packed[order]
        for run in self._runs:
            at = np.empty(len(packed), np.int64)
            at[order] = np.searchsorted(run, ordered)
            left = np.flatnonzero(at >= first)
            for back in range(first, most + 2):
                left = left[at[left] >= back]
                entry = run[at[left] - back]
                same = (entry ^ packed[left]) >> NODE_BITS == 0
                left, entry = left[same], entry[same]
                if not len(left):
                    break
                if back > most:
                    more.append(left)
                    break
                places.append(left)
                nodes.append((entry & _NODE_MASK).astype(np.int64))
        return _joined(places), _joined(nodes), _joined(more)

    def oldest(self, packed: Words, most: int) -> tuple[Nodes, Nodes]:
        """As ``before``, the oldest *most* of each run."""
        places, nodes = [], []
        for run in self._runs:
            at = np.searchsorted(run, packed >> NODE_BITS << NODE_BITS)
            left = np.arange(len(packed))
            for ahead in range(most):
                left = left[at[left] + ahead < len(run)]
                entry = run[at[left] + ahead]
                smaller = ((entry ^ packed[left]) >> NODE_BITS == 0) & (entry < packed[left])
                left, entry = left[smaller], entry[smaller]
                if not len(left):
                    break
                places.append(left)
                nodes.append((entry & _NODE_MASK).astype(np.int64))
        return _joined(places), _joined(nodes)


def _joined(parts: list[Nodes]) -> Nodes:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
