"""``python -m tests.bench.surges FOLDER``: what detectors of surges find on labelled series, and what they cost.

FOLDER holds CSV files of timestamp,value, five minutes a row, and ``windows.json``: for each file its labelled windows,
``{"a.csv": [["2026-03-02 08:00:00", "2026-03-03 08:00:00"]]}``, as the Numenta Anomaly Benchmark's realTweets.
Everything runs online. Of peers nothing is fitted on a label but the one threshold that the scoring takes for all series.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.surge_choice import (
    GRID,
    PARTS,
    THRESHOLDS,
    Apart,
    Constants,
    as_score,
    in_episodes,
    leave_one_out,
    openings,
)
from tests.bench.surge_detectors import DETECTORS, OURS, STEP, Online
from tests.bench.surge_scoring import LOW_FN, LOW_FP, STANDARD, FolderError, Judge, Series, read_folder

RUNS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="the detectors alone, without other constants of ours")
    args = parser.parse_args()
    try:
        series = read_folder(args.folder)
        check(series)
    except FolderError as error:
        print(f"surges: {error}", file=sys.stderr)
        return 1
    judge, apart = Judge(series), Apart(series)
    rows = sum(len(one.times) for one in series)
    print(
        f"{len(series)} series, {rows:,} rows, {judge.windows} windows; {platform.machine()}, {os.cpu_count()} cores\n"
    )
    compare(series, judge, apart)
    if not args.quick:
        leave_parts_out(series, judge)
        choose(series, apart)
    return 0


def check(series: Sequence[Series]) -> None:
    """The detectors count rows as five minutes each."""
    for one in series:
        steps = [after - before for before, after in zip(one.times, one.times[1:], strict=False)]
        if statistics.median(steps) != STEP or min(steps) <= STEP * 0:
            raise FolderError(f"{one.name}: the rows must ascend, five minutes apart")
    if len(series) < 2 or not all(one.countable for one in series):
        raise FolderError("two series or more are needed, each with a window after its first 15 %")


def run(make: Callable[[], Online], series: Sequence[Series]) -> tuple[list[list[float]], float]:
    """The scores, and microseconds of processor time a row."""
    begin = time.process_time()
    scores = []
    for one in series:
        detector = make()
        scores.append([detector.score(at, value) for at, value in zip(one.times, one.values, strict=True)])
    took = time.process_time() - begin
    return scores, took / sum(len(one.times) for one in series) * 1e6


def compare(series: Sequence[Series], judge: Judge, apart: Apart) -> None:
    print("Every row that scores above the threshold counts; then the same scores in episodes (opened once, half the")
    print("threshold to go on, an hour of memory) at their best threshold, and at one chosen on the other series.\n")
    print(
        f"{'':34} {'standard':>8} {'low FP':>7} {'low FN':>7} {'found':>6} {'false':>6} {'delay':>6} {'µs/row':>7}"
        f" | {'episodes':>8} {'found':>6} {'false':>6} {'left out':>9}"
    )
    for name, make in DETECTORS.items():
        runs = [run(make, series) for _ in range(RUNS)]
        scores, cost = runs[0][0], statistics.median(cost for _, cost in runs)
        best = judge.best(scores)
        one = best[STANDARD]
        line = (
            f"{name:34} {one.score:8.2f} {best[LOW_FP].score:7.2f} {best[LOW_FN].score:7.2f} {one.found:3}/{one.windows}"
            f" {one.false_rows:6} {one.delay if one.delay is not None else '-':>6} {cost:7.1f} |"
        )
        if name != OURS:
            told, left = in_episodes(judge, apart, scores)
            line += f" {told.score:8.2f} {told.found:3}/{told.windows} {told.false_rows:6} {left.score:9.2f}"
        print(line, flush=True)
    print("\nfound, false rows and the median delay (rows) are of the standard profile.")


def leave_parts_out(series: Sequence[Series], judge: Judge) -> None:
    """Ours with one part changed, at three thresholds and at the best of all."""
    shown = (1.8, 1.9, 2.0)
    print("\nOurs with one part changed, standard profile: score (found, false alarms) by threshold")
    print(f"{'':30}" + "".join(f"{at:>18g}" for at in shown) + f"{'the best':>26}")
    for name, without in PARTS.items():
        of_series = [openings(one, Constants(), without) for one in series]
        results = [
            judge.result([opened[number] for opened in of_series], STANDARD, threshold)
            for number, threshold in enumerate(THRESHOLDS)
        ]
        told = [f"{one.score:.2f} ({one.found}, {one.false_rows})" for one in results if one.threshold in shown]
        best = max(results, key=lambda one: one.score)
        told_best = f"{best.score:.2f} ({best.found}, {best.false_rows}) at {best.threshold:g}"
        print(f"  {name:28}" + "".join(f"{one:>18}" for one in told) + f"{told_best:>26}", flush=True)


def choose(series: Sequence[Series], apart: Apart) -> None:
    """Ours in all its variants: leave-one-series-out, and how flat it is around what is shipped."""
    raws: dict[tuple[Constants, float], list[float]] = {}
    for constants in GRID:
        of_series = [openings(one, constants) for one in series]
        for number, threshold in enumerate(THRESHOLDS):
            raws[constants, threshold] = apart.raws([opened[number] for opened in of_series])
    scores = {choice: as_score(sum(of), apart.windows) for choice, of in raws.items()}
    shipped = Constants()
    print(
        f"\nOurs, standard profile, alerts opened; {len(raws)} variants: {len(THRESHOLDS)} thresholds x {len(GRID)} sets"
    )
    print("of constants (window 1, 2, 3 h; prior 1, 2, 4; lately 1, 2, 4 days; level 14, 28 days)")
    print("  threshold, constants as shipped: " + spread({f"{at:g}": scores[shipped, at] for at in THRESHOLDS}))
    for field, values in (
        ("window", (1, 2, 3)),
        ("prior", (1.0, 2.0, 4.0)),
        ("lately", (1, 2, 4)),
        ("level", (14, 28)),
    ):
        told = {}
        for value in values:
            near = Constants(**{name: getattr(shipped, name) for name in shipped.__slots__} | {field: value})
            told[f"{value:g}"] = scores[near, 1.9]
        print(f"  {field}, all else as shipped: " + spread(told))
    ordered = sorted(scores.values())
    quarters = statistics.quantiles(ordered, n=4)
    print(
        f"  the whole grid: {ordered[0]:.2f} to {ordered[-1]:.2f}, median {quarters[1]:.2f}, half of it within "
        f"{quarters[0]:.2f} to {quarters[2]:.2f}; as shipped {scores[shipped, 1.9]:.2f}"
    )
    inside = [score for (_, threshold), score in scores.items() if 1.8 <= threshold <= 1.95]
    print(
        f"  thresholds 1.8 to 1.95, any constants: {min(inside):.2f} to {max(inside):.2f}, median {statistics.median(inside):.2f}"
    )
    print("Chosen on all series but one, judged on that one, all of those together:")
    for title, choices in (
        ("the threshold", [choice for choice in raws if choice[0] == shipped]),
        ("threshold and constants", list(raws)),
    ):
        left = leave_one_out([raws[choice] for choice in choices], apart.windows)
        print(f"  {title}: {left.score:.2f}")
        for one, number in zip(series, left.chosen, strict=True):
            constants, threshold = choices[number]
            print(
                f"    without {one.name}: {threshold:g}, window {constants.window} h, prior {constants.prior:g}, "
                f"lately {constants.lately} d, level {constants.level} d"
            )


def spread(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {score:.2f}" for name, score in scores.items())


if __name__ == "__main__":
    sys.exit(main())
