"""What other programs do, on the same mentions: each sees what is read as negative of a brand, as it comes.

ElastAlert2's ``spike`` (its source and documentation), Meltwater's and Socialmetrix' spike alerts (their help pages).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tests.bench.world.score import Score, Told, score
from tests.support.world.schedule import HOUR
from tests.support.world.seasons import Floats
from tests.support.world.world import World

TICK = 300.0
"""Seconds between two looks."""
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]
Parameters = dict[str, float]
ALLOWED = 0.1
"""False alarms per brand-week at which a peer's parameters are chosen."""


class Seen:
    """One brand's counts at every tick: of what was published in a stretch before the tick, and had come by then."""

    def __init__(self, published: Floats, came: Floats, end: float) -> None:
        self.published, self.came = published, came
        self.ticks = int(end // TICK)
        self._known: dict[tuple[float, float], Counts] = {}

    def back(self, near: float, far: float) -> Counts:
        """Mentions of (tick - *far*, tick - *near*], both in hours."""
        if (near, far) not in self._known:
            begin = np.ceil(np.maximum(self.published + near * HOUR, self.came) / TICK).astype(int)
            end = np.ceil((self.published + far * HOUR) / TICK).astype(int)
            stands = (end > begin) & (begin < self.ticks) & (end > 0)
            change = np.zeros(self.ticks + 1, np.int64)
            np.add.at(change, np.clip(begin[stands], 0, self.ticks), 1)
            np.add.at(change, np.clip(end[stands], 0, self.ticks), -1)
            self._known[near, far] = np.cumsum(change[:-1])
        return self._known[near, far]


def elastalert(seen: Seen, given: Parameters) -> list[tuple[int, int]]:
    """The last hour has ``height`` times what the hour before had, and both have their least.

    After a match its windows are emptied and it is silent for two of them.
    """
    now, before = seen.back(0, 1), seen.back(1, 2)
    holds = (now >= before * given["height"]) & (now >= given["cur"]) & (before >= given["ref"])
    found: list[tuple[int, int]] = []
    silent = -1
    for tick in np.flatnonzero(holds & (now > 0)).tolist():
        if tick >= silent:
            found.append((tick, tick))
            silent = tick + int(2 * HOUR / TICK)
    return found


def meltwater(seen: Seen, given: Parameters) -> list[tuple[int, int]]:
    """The last hour against the mean of the twelve before; it must also be above that hour of yesterday and a week ago."""
    now = seen.back(0, 1)
    usual = seen.back(1, 13) / 12
    holds = (now > given["times"] * usual) & (now > seen.back(24, 25)) & (now > seen.back(168, 169))
    return episodes(holds & (now >= given["least"]), given["rearm"])


def socialmetrix(seen: Seen, given: Parameters) -> list[tuple[int, int]]:
    """The last day against mean and deviation of the seven before."""
    today = seen.back(0, 24)
    days = np.stack([seen.back(24 * day, 24 * day + 24) for day in range(1, 8)])
    holds = today > days.mean(0) + given["sd"] * days.std(0, ddof=1)
    return episodes(holds & (today >= given["least"]), given["rearm"])


def episodes(holds: Bools, rearm: float) -> list[tuple[int, int]]:
    """First and last tick of each stretch; it is over when it has not held for *rearm* hours."""
    ticks = np.flatnonzero(holds)
    if not len(ticks):
        return []
    gaps = np.flatnonzero(np.diff(ticks) > rearm * HOUR / TICK)
    firsts, lasts = ticks[np.concatenate([[0], gaps + 1])], ticks[np.concatenate([gaps, [len(ticks) - 1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Peer:
    """``usual``: as its documentation has it; ``grid``: what is tried for each parameter."""

    name: str
    decide: Callable[[Seen, Parameters], list[tuple[int, int]]]
    usual: Parameters
    grid: dict[str, Sequence[float]]

    def settings(self) -> Iterable[Parameters]:
        return (dict(zip(self.grid, one, strict=True)) for one in product(*self.grid.values()))


_LEAST = (0, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200)
PEERS = (
    # The example of its documentation has height 3 and threshold_cur 5.
    Peer("ElastAlert2 spike 1h/1h", elastalert, {"height": 3, "cur": 5, "ref": 0},
         {"height": (1.5, 2, 3, 4, 6, 10), "cur": _LEAST, "ref": (0, 1, 2, 5)}),
    # No figure is published for how many times; twice, and five mentions, are ours.
    Peer("one hour against twelve", meltwater, {"times": 2, "least": 5, "rearm": 1},
         {"times": (1.5, 2, 3, 4, 6, 8, 12), "least": _LEAST, "rearm": (1, 6)}),
    # k of 1.5, 2 or 3 are offered.
    Peer("day against week", socialmetrix, {"sd": 2, "least": 0, "rearm": 1},
         {"sd": (1.5, 2, 3, 4, 6, 8, 12, 20), "least": _LEAST, "rearm": (1, 6)}),
)  # fmt: skip


def look(world: World) -> list[Seen]:
    return [Seen(*world.negative(brand.number), world.live[1]) for brand in world.brands]


def tell(peer: Peer, given: Parameters, seen: Sequence[Seen]) -> list[Told]:
    """What it tells of every brand, with these parameters."""
    told = []
    for brand, one in enumerate(seen):
        for number, (first, last) in enumerate(peer.decide(one, given)):
            name = f"{brand}-{number}"
            told.append(Told(brand, first * TICK, "opened", name, peer.name))
            told.append(Told(brand, last * TICK, "resolved", name, peer.name))
    return told


def tuned(peer: Peer, seen: Sequence[Seen], world: World) -> tuple[Parameters, Score] | None:
    """The parameters with the best recall at ``ALLOWED`` false alarms, chosen on this very world; None: there are none."""
    best: tuple[Parameters, Score] | None = None
    for given in peer.settings():
        got = score(tell(peer, given, seen), world.truths, world.live, len(world.brands))
        if got.false_rate <= ALLOWED and (best is None or got.recall > best[1].recall):
            best = given, got
    return best
