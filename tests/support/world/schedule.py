"""When what happens to which brand: crises, and what only looks like one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from tests.support.world.seasons import CHINA, holiday
from tests.support.world.voices import Brand

DAY = 24 * 3600.0
HOUR = 3600.0

CRISES = {"fast_burst": 0.32, "repost_storm": 0.28, "slow_burn": 0.25, "second_wave": 0.15}
"""Shares of the kinds. A second wave comes after a fast burst, which counts by itself."""
DECOYS = {"campaign": 0.2, "lottery": 0.2, "launch": 0.2, "loud_account": 0.2, "old_import": 0.1, "two_sources": 0.1}
"""Drawn by these shares; the others come by themselves: a rival's crisis, holidays and outages."""
CRISIS_SHARE = 0.38
RIVALRY = 0.45
"""Of the fast bursts, how many name a rival too."""
SLOW_BURN_FROM = 40
"""A brand with fewer mentions a day has no negative share that could creep."""
OUTAGE_SOURCES = ("weibo", "news", "forum", "video", "wechat")


@dataclass(frozen=True, slots=True)
class Plan:
    """``begin``, ``end`` in seconds since the world began; ``size`` mentions; ``rival``: the brand named with it."""

    kind: str
    brand: int
    begin: float
    end: float
    size: int
    rival: int | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    source: str
    begin: float
    end: float


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Evenly over the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def schedule(
    brands: Sequence[Brand], start: datetime, span: tuple[float, float], rng: np.random.Generator
) -> list[Plan]:
    """What happens within *span* (seconds after *start*); on one brand never two things at once."""
    plans: list[Plan] = []
    for brand in brands:
        closed = _holidays(brand, start, span)
        plans += closed
        cursor = span[0] + rng.uniform(0.3, 3) * DAY
        while True:
            made = _draw(brand, cursor, rng)
            begin, end = made[0].begin, made[-1].end
            if end > span[1] - 0.25 * DAY:
                break
            clash = [one.end for one in closed if begin < one.end + DAY and one.begin - DAY < end]
            if clash:
                cursor = max(clash) + DAY * 1.01
                continue
            plans += made
            cursor = end + rng.uniform(1.5, 5.5) * DAY
    return _with_rivals(plans, len(brands), rng)


def _holidays(brand: Brand, start: datetime, span: tuple[float, float]) -> list[Plan]:
    """A decoy for each stretch of holidays on which the brand is much spoken of."""
    if brand.festive < 1.5:
        return []
    plans: list[Plan] = []
    for number in range(int(span[0] / DAY), int(span[1] / DAY)):
        if not holiday((start + timedelta(days=number)).astimezone(CHINA).date()):
            continue
        begin, end = number * DAY, (number + 1) * DAY
        if plans and plans[-1].end == begin:
            plans[-1] = replace(plans[-1], end=end)
        else:
            plans.append(Plan("holiday", brand.number, begin, end, 0))
    return plans


def _draw(brand: Brand, cursor: float, rng: np.random.Generator) -> list[Plan]:
    kinds = CRISES if rng.random() < CRISIS_SHARE else DECOYS
    shares = np.array(list(kinds.values()))
    kind = str(rng.choice(list(kinds), p=shares / shares.sum()))
    if kind == "slow_burn" and brand.daily < SLOW_BURN_FROM:
        kind = "repost_storm"
    # By day more than by night: the hour is the better of two draws.
    hour = max(rng.uniform(0, 22), rng.uniform(0, 22))
    begin = np.ceil(cursor / DAY) * DAY + hour * HOUR
    daily, number = brand.daily, brand.number
    burst = int(max(between(rng, 30, 100), daily * between(rng, 0.2, 2.0)))
    storm = int(min(5000, max(between(rng, 25, 300), daily * between(rng, 0.15, 2.5))))
    match kind:
        case "fast_burst":
            return [Plan(kind, number, begin, begin + 1.5 * DAY, burst)]
        case "repost_storm":
            return [Plan(kind, number, begin, begin + 1.5 * DAY, storm)]
        case "slow_burn":
            days = rng.uniform(3, 5)
            size = int(daily * days * rng.uniform(0.15, 0.3) + 15)
            return [Plan(kind, number, begin, begin + (days + 1) * DAY, size)]
        case "second_wave":
            again = begin + rng.uniform(6, 48) * HOUR
            second = Plan(kind, number, again, again + 1.5 * DAY, max(30, int(burst * rng.uniform(0.6, 1.5))))
            return [Plan("fast_burst", number, begin, again, burst), second]
    return [_decoy(kind, brand, begin, rng)]


def _decoy(kind: str, brand: Brand, begin: float, rng: np.random.Generator) -> Plan:
    daily, number = brand.daily, brand.number
    match kind:
        case "campaign":
            size = int(min(3000, max(60, daily * between(rng, 0.5, 4))))
            return Plan(kind, number, begin, begin + rng.uniform(6, 30) * HOUR, size)
        case "lottery":
            size = int(min(4000, max(between(rng, 200, 1500), daily * between(rng, 0.5, 2))))
            return Plan(kind, number, begin, begin + rng.uniform(8, 36) * HOUR, size)
        case "launch":
            size = int(min(6000, max(40, daily * between(rng, 2, 8))))
            return Plan(kind, number, begin, begin + rng.uniform(24, 48) * HOUR, size)
        case "loud_account":
            return Plan(kind, number, begin, begin + rng.uniform(1, 6) * HOUR, 50)
        case "old_import":
            size = int(min(1500, max(200, daily * between(rng, 1, 10))))
            return Plan(kind, number, begin, begin + 2 * HOUR, size)
    return Plan("two_sources", number, begin, begin + rng.uniform(1, 2) * DAY, 0)


def _with_rivals(plans: list[Plan], brands: int, rng: np.random.Generator) -> list[Plan]:
    """Some crises name another brand on which nothing happens meanwhile; for that one they are decoys."""
    busy: dict[int, list[tuple[float, float]]] = {}
    for plan in plans:
        busy.setdefault(plan.brand, []).append((plan.begin, plan.end))
    found = []
    for plan in plans:
        rival = None
        if plan.kind == "fast_burst" and rng.random() < RIVALRY:
            free = (int(one) for one in rng.permutation(brands)[:4] if _free(plan, int(one), busy))
            rival = next(free, None)
        if rival is not None:
            busy.setdefault(rival, []).append((plan.begin, plan.end))
        found.append(replace(plan, rival=rival))
    return found


def _free(plan: Plan, brand: int, busy: Mapping[int, list[tuple[float, float]]]) -> bool:
    return brand != plan.brand and all(
        plan.end + DAY < begin or end + DAY < plan.begin for begin, end in busy.get(brand, ())
    )


def outages(span: tuple[float, float], count: int, rng: np.random.Generator) -> list[Outage]:
    """A source that is down for one and a half to three hours, the busiest of them more often than the others."""
    found = []
    for _ in range(count):
        begin = rng.uniform(span[0], span[1] - DAY)
        source = str(rng.choice(OUTAGE_SOURCES, p=(0.4, 0.15, 0.15, 0.15, 0.15)))
        found.append(Outage(source, begin, begin + rng.uniform(1.5, 3) * HOUR))
    return sorted(found, key=lambda one: one.begin)
