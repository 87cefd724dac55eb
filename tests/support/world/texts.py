"""Every sentence of a world, once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.support.world.voices import SAID, Brand, Ints


class Texts:
    """``said``: the sentences; mentions hold places in it."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.said: list[str] = []
        self._first: list[list[int]] = []
        for brand in brands:
            first = []
            for label in (0, 1, 2):
                first.append(len(self.said))
                self.said += [one.format(b=brand.name) for one in SAID[label]]
            self._first.append(first)

    def add(self, text: str) -> int:
        self.said.append(text)
        return len(self.said) - 1

    def ordinary(self, brand: int, truth: Ints, rng: np.random.Generator) -> NDArray[np.int32]:
        """A sentence for each of these."""
        first = np.array(self._first[brand])[truth]
        many = np.array([len(SAID[label]) for label in (0, 1, 2)])[truth]
        return (first + (many * rng.random(len(truth))).astype(np.int64)).astype(np.int32)
