"""A planned happening as the mentions that it adds, and as the truth of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.support.world.background import Numbers, channels, spoken, strangers, truths
from tests.support.world.cascades import Cascades
from tests.support.world.columns import Columns
from tests.support.world.schedule import CRISES as CRISIS_KINDS
from tests.support.world.schedule import DAY, HOUR, Plan
from tests.support.world.seasons import Floats
from tests.support.world.texts import Texts
from tests.support.world.voices import CALM, CRISES, RISKS, Brand, Ints, read

IMPORT, SECOND_SOURCE = 6, 5
LEAST_NEGATIVE = 12
AFTERMATH = 2 * HOUR
"""An alert that opens so soon after the last of a crisis still belongs to it."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened to a brand, in seconds since the world began; ``tenth``: its tenth negative mention, published.

    Where ``crisis`` is false it is a decoy: no rule on the negative may open an alert on it.
    """

    kind: str
    brand: int
    begin: float
    end: float
    crisis: bool
    size: int
    tenth: float | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What happenings are made of. ``expected``: per brand, mentions per slot; ``usual``: per brand what is said."""

    brands: Sequence[Brand]
    expected: Sequence[Floats]
    usual: Sequence[Columns]
    cascades: Cascades
    texts: Texts
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Story:
    """What a crisis is about; a second wave has its first one's."""

    number: int
    text: int
    risk: int
    recall: float


def happen(plans: Sequence[Plan], stage: Stage, rng: np.random.Generator) -> tuple[list[Columns], list[Truth]]:
    """The mentions of all plans, each with its plan's place as ``event``; and the truths, in order of time."""
    parts: list[Columns] = []
    found: list[Truth] = []
    story: Story | None = None
    for place, plan in enumerate(plans):
        brand = stage.brands[plan.brand]
        if plan.kind in CRISIS_KINDS:
            if plan.kind != "second_wave" or story is None:
                story = _story(brand, stage, rng)
            added = _crisis(plan, brand, story, stage, rng)
            found.append(_truth(plan, added))
            if plan.rival is not None:
                added = _with_rival(added, plan.rival, rng)
                found.append(Truth("rivals_crisis", plan.rival, found[-1].begin, found[-1].end, False, len(added)))
        else:
            added = _DECOYS[plan.kind](plan, brand, stage, rng)
            found.append(Truth(plan.kind, plan.brand, plan.begin, plan.end + AFTERMATH, False, len(added)))
        added.event[:] = place
        parts.append(added)
    return parts, sorted(found, key=lambda one: (one.begin, one.brand))


def _story(brand: Brand, stage: Stage, rng: np.random.Generator) -> Story:
    risk, text = CRISES[int(rng.integers(len(CRISES)))]
    # Copies of one text share the fate of being read well or badly.
    recall = float(rng.beta(6, 2))
    return Story(stage.numbers.new_story(), stage.texts.add(text.format(b=brand.name)), RISKS[risk], recall)


def _crisis(plan: Plan, brand: Brand, story: Story, stage: Stage, rng: np.random.Generator) -> Columns:
    size = plan.size
    share = {"fast_burst": 0.75, "second_wave": 0.75, "repost_storm": 0.9, "slow_burn": 0.85}[plan.kind]
    told = {"fast_burst": 0.5, "second_wave": 0.5, "repost_storm": 1.0, "slow_burn": 0.0}[plan.kind]
    if plan.kind == "slow_burn":
        at = _creep(plan, stage.expected[brand.number], rng)
    else:
        at = plan.begin + stage.cascades.draw(size, rng)
        if plan.kind == "fast_burst" and plan.end < plan.begin + 1.5 * DAY:
            at = at[at < plan.end]  # the second wave takes over
    count = len(at)
    truth = truths(share, rng, count, positive=0.2)
    short = LEAST_NEGATIVE - int((truth == 0).sum())
    if short > 0:
        truth[np.flatnonzero(truth != 0)[:short]] = 0
    copies = rng.random(count) < told
    # All copies of the story are read by its own chance of being understood, the others by the usual one.
    label = np.where(copies, read(truth, rng, story.recall), read(truth, rng))
    origin = int(rng.choice(5, p=(0.55, 0.05, 0.15, 0.2, 0.05)))
    at_origin = rng.random(count) < (0.85 if plan.kind == "repost_storm" else 0.55)
    more: dict[str, object] = {}
    if plan.kind != "slow_burn":
        more["source"] = np.where(at_origin, origin, channels(brand, count, rng))
        more["risk"] = np.where((truth == 0) & (rng.random(count) < 0.7), story.risk, -1)
    added = spoken(brand, at, truth, stage.texts, rng, label=label, story=np.where(copies, story.number, -1), **more)
    added.text[copies] = story.text
    return added


def _creep(plan: Plan, expected: Floats, rng: np.random.Generator) -> Floats:
    """Times by the brand's season, under a ramp that rises until a day before the end and falls in its last half."""
    first, last = int(plan.begin // 300), int(plan.end // 300)
    up = int((plan.end - DAY - plan.begin) // 300)
    ramp = np.interp(np.arange(last - first), [0, up, last - first - 144, last - first], [0.05, 1, 1, 0])
    return _seasonal(plan.size, expected, first, ramp, rng)


def _seasonal(size: int, expected: Floats, first: int, ramp: Floats, rng: np.random.Generator) -> Floats:
    weight = np.cumsum(expected[first : first + len(ramp)] * ramp)
    slots = np.searchsorted(weight, rng.random(size) * weight[-1])
    return np.sort((first + slots) * 300.0 + rng.uniform(0, 300, size))


def _truth(plan: Plan, added: Columns) -> Truth:
    negative = added.at[added.truth == 0]
    end = min(float(np.quantile(added.at, 0.98)) + AFTERMATH, plan.end + (0 if plan.kind == "slow_burn" else DAY))
    return Truth(plan.kind, plan.brand, float(added.at[0]), end, True, len(added), float(negative[9]))


def _with_rival(added: Columns, rival: int, rng: np.random.Generator) -> Columns:
    """Six in ten name the rival too, mostly beside the point; one in twelve is read as being against it."""
    named = rng.random(len(added)) < 0.6
    reading = rng.choice(3, len(added), p=(0.08, 0.84, 0.08))
    added.second[named] = rival
    added.rival[named] = reading[named]
    return added


# decoys


def _campaign(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    first, slots = int(plan.begin // 300), max(2, int((plan.end - plan.begin) // 300))
    at = _seasonal(plan.size, stage.expected[brand.number], first, np.linspace(1, 0.3, slots), rng)
    truth = truths(0.02, rng, len(at), positive=0.8)
    added = spoken(brand, at, truth, stage.texts, rng)
    copies = rng.random(len(at)) < 0.3
    added.story[copies] = stage.numbers.new_story()
    added.text[copies] = stage.texts.add(CALM["campaign"].format(b=brand.name))
    return added


def _lottery(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    shape = stage.cascades.draw(plan.size, rng)
    at = plan.begin + shape / max(float(shape[-1]), 1.0) * (plan.end - plan.begin)
    truth: Ints = np.ones(len(at), np.int64)
    wrong = float(rng.beta(1, 40))
    label = np.where(rng.random(len(at)) < wrong, 0, np.where(rng.random(len(at)) < 0.2, 2, 1))
    added = spoken(brand, at, truth, stage.texts, rng, label=label, story=np.full(len(at), stage.numbers.new_story()))
    added.source[:] = 0
    added.text[:] = stage.texts.add(CALM["lottery"].format(b=brand.name))
    return added


def _launch(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    first, slots = int(plan.begin // 300), int((plan.end - plan.begin) // 300)
    at = _seasonal(plan.size, stage.expected[brand.number], first, np.linspace(1.6, 0.2, slots), rng)
    added = spoken(brand, at, truths(brand.share, rng, len(at), positive=0.4), stage.texts, rng)
    copies = rng.random(len(at)) < 0.3
    added.story[copies] = stage.numbers.new_story()
    added.text[copies] = stage.texts.add(CALM["launch"].format(b=brand.name))
    return added


def _loud_account(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    at = np.sort(rng.uniform(plan.begin, plan.end, plan.size))
    texts = [stage.texts.add(CALM["loud"].format(b=brand.name, n=number)) for number in range(plan.size)]
    author = np.full(plan.size, int(strangers(1, rng)[0]))
    source = np.full(plan.size, int(channels(brand, 1, rng)[0]))
    truth: Ints = np.zeros(plan.size, np.int64)
    return spoken(brand, at, truth, stage.texts, rng, author=author, source=source, text=np.array(texts))


def _old_import(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    """Posts of up to 200 days ago, a third of them of the last month, come within ten minutes; half are negative."""
    ages = np.where(rng.random(plan.size) < 0.3, rng.uniform(1, 29, plan.size), rng.uniform(31, 200, plan.size)) * DAY
    came = np.sort(rng.uniform(plan.begin, plan.begin + 600, plan.size))
    at = np.rint(came - ages)
    added = spoken(
        brand, at, truths(0.5, rng, plan.size), stage.texts, rng, source=np.full(plan.size, IMPORT), kept_back=came - at
    )
    added.text[:] = stage.texts.add(CALM["import"].format(b=brand.name))
    return added


def _two_sources(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:
    """A second source brings what weibo's has brought, somewhat later; ``copy_of`` is a place in ``usual``."""
    usual = stage.usual[brand.number]
    within = (usual.source == 0) & (usual.at >= plan.begin) & (usual.at < plan.end)
    inside = np.flatnonzero(within & (rng.random(len(usual)) < 0.9))
    added = usual.take(inside)
    added.copy_of[:] = inside
    added.source[:] = SECOND_SOURCE
    added.kept_back[:] += rng.uniform(60, 900, len(added))
    return added


def _holiday(plan: Plan, brand: Brand, stage: Stage, rng: np.random.Generator) -> Columns:  # noqa: ARG001
    """Nothing is added: the season has it."""
    return stage.usual[brand.number].take(np.zeros(0, np.int64))


_DECOYS: dict[str, Callable[[Plan, Brand, Stage, np.random.Generator], Columns]] = {
    "campaign": _campaign,
    "lottery": _lottery,
    "launch": _launch,
    "loud_account": _loud_account,
    "old_import": _old_import,
    "two_sources": _two_sources,
    "holiday": _holiday,
}
