"""How a story spreads: the times of its copies, from real cascades or from one that excites itself."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LONGEST = 48 * 3600.0
"""Seconds: what spreads for longer is cut."""
FAST = (0.3 * 3600, 8 * 3600)
"""Seconds within which half of a fast cascade has happened."""


def from_folder(folder: Path, *, least: int = 100) -> list[Floats]:
    """The fast cascades of a folder, each as the seconds from its post to its reposts, ascending."""
    posted: dict[str, float] = {}
    with gzip.open(folder / "events.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            posted[event["id"]] = datetime.fromisoformat(event["published_at"]).timestamp()
    reposts: dict[str, list[float]] = {}
    with gzip.open(folder / "reposts.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            repost = json.loads(line)
            after = datetime.fromisoformat(repost["published_at"]).timestamp() - posted.get(repost["event"], 0.0)
            if 0 <= after <= LONGEST:
                reposts.setdefault(repost["event"], []).append(after)
    found = [np.sort(np.array(times)) for _, times in sorted(reposts.items()) if len(times) >= least]
    return [times for times in found if FAST[0] <= np.median(times) <= FAST[1]]


def excite(rng: np.random.Generator, size: int = 400) -> Floats:
    """A cascade that excites itself: each copy is made of an earlier one, after a delay with a long tail.

    The delay is Lomax with exponent 1.4 and a scale of 10 to 60 minutes, as the memory of reposting is reported to have.
    """
    scale, times = float(rng.uniform(600, 3600)), [0.0]
    for _ in range(size):
        # Early copies and large accounts make more: the parent is drawn towards the beginning.
        parent = times[int(len(times) * rng.random() ** 2.5)]
        times.append(parent + scale * ((1 - rng.random()) ** (-1 / 1.4) - 1))
    found = np.sort(np.array(times))
    return found[found <= LONGEST]


class Cascades:
    """Where shapes of spreading are drawn from."""

    def __init__(self, real: Sequence[Floats] = ()) -> None:
        self.real = real

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """Seconds from the first to each of *size* copies, ascending, the first at zero."""
        shape = self.real[int(rng.integers(len(self.real)))] if self.real else excite(rng)
        # The shape's quantiles, read at as many places as there are copies to be.
        places = np.sort(rng.random(size))
        times = np.interp(places, np.linspace(0, 1, len(shape)), shape)
        times += rng.uniform(0, 20, size)
        return np.sort(times) - times.min()
