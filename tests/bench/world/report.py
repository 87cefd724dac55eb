"""The table of a run, the same as JSON lines, and the cases that are worth looking at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.world.score import Catch, Incident, Score, Told, percentile, share
from tests.support.world.happenings import Truth
from tests.support.world.schedule import CRISES, DAY, HOUR
from tests.support.world.world import World


@dataclass(frozen=True, slots=True)
class Line:
    """A decider and its score. ``note``: with which parameters."""

    decider: str
    note: str
    score: Score


def figures(line: Line) -> dict[str, Any]:
    """Everything in the table as one JSON object; times in minutes."""
    score = line.score
    caught = [one for one in score.catches if one.told is not None]
    kinds = sorted({one.kind for one in score.decoys})
    return {
        "decider": line.decider,
        "note": line.note,
        "crises": len(score.catches),
        "recall": _round(score.recall),
        "false_per_brand_week": _round(score.false_rate),
        "false": len(score.false),
        "incidents_per_crisis": _round(score.incidents_per_crisis),
        "decoys": len(score.decoys),
        "decoys_fired": len(score.fired),
        "from_tenth": _times([one.from_tenth for one in caught]),
        "kinds": {kind: _kind(score.of_kind(kind)) for kind in CRISES},
        "decoy_kinds": {
            kind: {
                "fired": sum(decoy.kind == kind for decoy, _ in score.fired),
                "of": sum(decoy.kind == kind for decoy in score.decoys),
            }
            for kind in kinds
        },
    }


def _kind(catches: list[Catch]) -> dict[str, Any]:
    caught = [one for one in catches if one.told is not None]
    return {
        "crises": len(catches),
        "recall": _round(share(len(caught), len(catches))),
        "from_begin": _times([one.from_begin for one in caught]),
        "from_tenth": _times([one.from_tenth for one in caught]),
    }


def _times(minutes: list[float]) -> dict[str, float | None]:
    return {"p50": _round(percentile(minutes, 50), 1), "p95": _round(percentile(minutes, 95), 1)}


def _round(value: float, digits: int = 3) -> float | None:
    return None if value != value else round(value, digits)  # noqa: PLR0124  (NaN alone is not itself)


def table(lines: Sequence[Line]) -> str:
    """For people: recall with the median and p95 of minutes from the tenth negative mention, per kind; then decoys."""
    every = [(line, figures(line)) for line in lines]
    head = f"{'':34}{'recall':>7}{'false/bw':>9}{'inc/crisis':>11}{'decoys':>9}" + "".join(f"{k:>22}" for k in CRISES)
    out = [head, f"{'':70}" + "".join(f"{'recall  p50   p95':>22}" for _ in CRISES)]
    for line, one in every:
        cells = [
            f"{_cell(kind['recall'])} {_cell(kind['from_tenth']['p50'], 5)} {_cell(kind['from_tenth']['p95'], 6)}"
            for kind in one["kinds"].values()
        ]
        out.append(
            f"{line.decider[:34]:34}{_cell(one['recall']):>7}{_cell(one['false_per_brand_week']):>9}"
            f"{_cell(one['incidents_per_crisis']):>11}{one['decoys_fired']:>4}/{one['decoys']:<4}"
            + "".join(f"{cell:>22}" for cell in cells)
        )
        if line.note:
            out.append(f"    {line.note}")
    kinds = sorted({kind for _, one in every for kind in one["decoy_kinds"]})
    out += ["", f"{'decoys fired':34}" + "".join(f"{kind:>14}" for kind in kinds)]
    for line, one in every:
        counts = (one["decoy_kinds"].get(kind, {"fired": 0, "of": 0}) for kind in kinds)
        out.append(f"{line.decider[:34]:34}" + "".join(f"{count['fired']:>9}/{count['of']:<4}" for count in counts))
    return "\n".join(out)


def _cell(value: float | None, width: int = 5) -> str:
    if value is None:
        return f"{'-':>{width}}"
    return f"{value:{width}.3f}" if abs(value) < 10 and width == 5 and value != int(value) else f"{value:{width}.6g}"  # noqa: PLR2004


def by_rule(score: Score, told: Sequence[Told]) -> str:
    """For each rule: crises that it caught, those that it caught first, and false alarms that it opened."""
    caught: Counter[str] = Counter()
    first: Counter[str] = Counter()
    false: Counter[str] = Counter(one.opens[0].rule for one in score.false)
    for catch in score.catches:
        if catch.told is None:
            continue
        first[catch.told.rule] += 1
        caught.update({
            one.rule
            for one in told
            if one.brand == catch.truth.brand
            and catch.truth.begin <= one.at <= catch.truth.end
            and one.event in {"opened", "raised", "updated"}
        })  # fmt: skip
    rules = sorted({one.rule for one in told})
    rows = [f"{'rule':30}{'caught':>8}{'first':>8}{'false':>8}"]
    rows += [f"{rule:30}{caught[rule]:>8}{first[rule]:>8}{false[rule]:>8}" for rule in rules]
    return "\n".join(rows)


def cases(world: World, score: Score, most: int) -> str:
    """The largest crises that were missed, the latest catches, and the false alarms, the longest first."""
    missed = sorted((one for one in score.catches if one.told is None), key=lambda one: -one.truth.size)
    late = sorted(
        (one for one in score.catches if one.told is not None and one.truth.kind != "slow_burn"),
        key=lambda one: -one.from_tenth,
    )
    out = [f"missed: {len(missed)}", *(_miss(world, one) for one in missed[:most]), "", "caught latest:"]
    out += [f"{_miss(world, one)}: {one.from_tenth:.0f} min after the tenth" for one in late[:most]]
    causes = Counter(_cause(world, one) for one in score.false)
    counts = ", ".join(f"{cause} {count}" for cause, count in causes.most_common())
    out += ["", f"false alarms: {len(score.false)}: {counts}"]
    spread = score.false[:: max(1, len(score.false) // most)] if most else []
    return "\n".join([*out, *(_false(world, one) for one in spread)])


def _miss(world: World, catch: Catch) -> str:
    truth, brand = catch.truth, world.brands[catch.truth.brand]
    at, came = world.negative(truth.brand)
    inside = (at >= truth.begin) & (at <= truth.end)
    hours = max(1.0, (truth.end - truth.begin) / HOUR)
    busiest = max((int(((at > t - HOUR) & (at <= t)).sum()) for t in at[inside]), default=0)
    usual = ((at >= truth.begin - 14 * DAY) & (at < truth.begin)).sum() / (14 * 24)
    return (
        f"  {truth.kind:13} {brand.topic} {brand.daily:6.0f}/day {world.time(truth.begin):%m-%d %H:%M} {hours:.0f} h, "
        f"{truth.size} mentions; read as negative {int(inside.sum())}, {busiest} in the busiest hour, usually {usual:.2f} an hour"
    )


def _false(world: World, incident: Incident) -> str:
    first = incident.opens[0]
    brand = world.brands[incident.brand]
    near = [one for one in world.truths if one.brand == incident.brand and one.begin <= first.at <= one.end + 2 * DAY]
    what = ", ".join(f"{one.kind}{_since(one, first.at)}" for one in near) or "nothing happens"
    return f"  {brand.topic} {brand.daily:6.0f}/day {world.time(first.at):%m-%d %H:%M} {first.rule}: {first.because} [{what}]"


def _cause(world: World, incident: Incident) -> str:
    """What it opened on: a decoy, the days after a crisis, or what is always said."""
    at = incident.opens[0].at
    own = [one for one in world.truths if one.brand == incident.brand]
    for one in own:
        if not one.crisis and one.begin <= at <= one.end:
            return one.kind
    if any(one.crisis and one.end < at <= one.end + 2 * DAY for one in own):
        return "after a crisis"
    return "nothing"


def _since(truth: Truth, at: float) -> str:
    return "" if at <= truth.end else f", over for {(at - truth.end) / HOUR:.0f} h"
