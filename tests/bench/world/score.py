"""What a decider told, held against what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tests.support.world.happenings import Truth
from tests.support.world.schedule import HOUR

JOIN = 2 * HOUR
"""Alerts of one brand that follow each other so soon, or overlap, are one incident."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of one alert, ``at`` in seconds since the world began. ``because``: what the alert says."""

    brand: int
    at: float
    event: Literal["opened", "raised", "lowered", "updated", "resolved"]
    alert: str
    rule: str = ""
    because: str = ""


@dataclass(slots=True)
class Incident:
    """``opens``: each time that an alert of it opened; ``end``: when its last alert was over, infinity while one is open."""

    brand: int
    opens: list[Told]
    open: set[str] = field(default_factory=set)
    end: float = 0.0


@dataclass(frozen=True, slots=True)
class Catch:
    """A crisis and the first that was told of it; None: missed."""

    truth: Truth
    told: Told | None

    @property
    def from_begin(self) -> float:
        """Minutes from its first mention."""
        assert self.told is not None
        return (self.told.at - self.truth.begin) / 60

    @property
    def from_tenth(self) -> float:
        """Minutes from its tenth negative mention; below zero where it was told before that."""
        assert self.told is not None
        assert self.truth.tenth is not None
        return (self.told.at - self.truth.tenth) / 60


@dataclass(frozen=True, slots=True)
class Score:
    """``false``: incidents that opened while no crisis of their brand was; ``fired``: decoys on which one opened."""

    catches: Sequence[Catch]
    false: Sequence[Incident]
    fired: Sequence[tuple[Truth, Incident]]
    decoys: Sequence[Truth]
    incidents_in_crises: int
    brand_weeks: float

    @property
    def recall(self) -> float:
        return share(sum(one.told is not None for one in self.catches), len(self.catches))

    @property
    def false_rate(self) -> float:
        """False alarms per brand-week."""
        return share(len(self.false), self.brand_weeks)

    @property
    def incidents_per_crisis(self) -> float:
        caught = sum(one.told is not None for one in self.catches)
        return share(self.incidents_in_crises, caught)

    def of_kind(self, kind: str) -> list[Catch]:
        return [one for one in self.catches if one.truth.kind == kind]


def share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def percentile(values: Iterable[float], q: float) -> float:
    found = list(values)
    return float(np.percentile(found, q)) if found else float("nan")


def incidents(told: Iterable[Told]) -> list[Incident]:
    """The alerts of each brand joined where they overlap or follow each other within ``JOIN``."""
    found: list[Incident] = []
    last: dict[int, Incident] = {}
    for one in sorted(told, key=lambda one: one.at):
        now = last.get(one.brand)
        if one.event == "opened":
            if now is None or (not now.open and one.at - now.end > JOIN):
                now = last[one.brand] = Incident(one.brand, [])
                found.append(now)
            now.opens.append(one)
            now.open.add(one.alert)
            now.end = one.at
        elif now is not None:
            now.end = one.at
            if one.event == "resolved":
                now.open.discard(one.alert)
    return found


def score(told: Sequence[Told], truths: Sequence[Truth], live: tuple[float, float], brands: int) -> Score:
    """Within *live*, seconds. A crisis is caught by what opens in it, or by what was open and rises or grows in it.

    An incident belongs to the latest crisis of its brand in which it opened, and is false where there is none; a decoy
    has fired where a false one opened in it.
    """
    inside = [one for one in told if live[0] <= one.at < live[1]]
    by_brand: dict[int, list[Told]] = {}
    for one in inside:
        if one.event in {"opened", "raised", "updated"}:
            by_brand.setdefault(one.brand, []).append(one)
    crises: dict[int, list[Truth]] = {}
    for truth in truths:
        if truth.crisis:
            crises.setdefault(truth.brand, []).append(truth)
    catches = []
    for truth in (one for one in truths if one.crisis):
        first = [one for one in by_brand.get(truth.brand, ()) if truth.begin <= one.at <= truth.end]
        catches.append(Catch(truth, min(first, key=lambda one: one.at, default=None)))
    false, within = [], 0
    for incident in incidents(inside):
        at = incident.opens[0].at
        if any(one.begin <= at <= one.end for one in crises.get(incident.brand, ())):
            within += 1
        else:
            false.append(incident)
    decoys = [one for one in truths if not one.crisis]
    fired = []
    for decoy in decoys:
        opened = (one for one in false if one.brand == decoy.brand and decoy.begin <= one.opens[0].at <= decoy.end)
        first_false = next(opened, None)
        if first_false is not None:
            fired.append((decoy, first_false))
    return Score(catches, false, fired, decoys, within, brands * (live[1] - live[0]) / (7 * 24 * HOUR))
