"""A crisis world, and what the engine and its peers make of it.

``python -m tests.bench.world [--nab DIR] [--cascades DIR] [--brands N] [--weeks N] [--seed N]``

Every decider sees the same mentions in the same run: the engine by the pack ``general`` (or ``--rules``), one set
of defaults for every brand; each peer with its documented figures, and with those that are best for it on this world.
Seeds 1 to 5 are for developing; the others are kept aside, to be judged by.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tests.bench.world import peers
from tests.bench.world.engine import RULES, load, run
from tests.bench.world.report import Line, by_rule, cases, figures, table
from tests.bench.world.score import score
from tests.support.world.world import Config, World, build


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.world", description=__doc__.splitlines()[0])
    parser.add_argument("--nab", type=Path, help="a folder of the Numenta benchmark's series: real seasons and unrest")
    parser.add_argument("--cascades", type=Path, help="a folder of real cascades")
    parser.add_argument("--brands", type=int, default=60)
    parser.add_argument("--weeks", type=int, default=8, help="in which things happen; four of history come before")
    parser.add_argument("--history", type=int, default=4, help="weeks in which nothing happens yet")
    parser.add_argument("--seed", type=int, default=1, help="1 to 5 while developing")
    parser.add_argument("--rules", type=Path, default=RULES)
    parser.add_argument(
        "--step",
        type=float,
        default=300,
        help="seconds between ticks of the engine: sources are polled every five minutes",
    )
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--cases", type=int, default=0, metavar="N", help="print N of what was missed, late and false")
    parser.add_argument("--json", action="store_true", help="one JSON line for each decider")
    return parser.parse_args(given)


def peer_lines(world: World) -> list[Line]:
    seen = peers.look(world)
    lines = []
    for peer in peers.PEERS:
        told = peers.tell(peer, peer.usual, seen)
        lines.append(Line(peer.name, "as documented", score(told, world.truths, world.live, len(world.brands))))
        best = peers.tuned(peer, seen, world)
        if best is not None:
            note = "tuned on this world: " + ", ".join(f"{name} {value:g}" for name, value in best[0].items())
            lines.append(Line(f"{peer.name}, tuned", note, best[1]))
    return lines


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)
    begin = time.process_time()
    world = build(Config(asked.seed, asked.brands, asked.weeks, asked.history, nab=asked.nab, cascades=asked.cascades))
    built = time.process_time() - begin
    result = run(world, load(asked.rules, world), step=timedelta(seconds=asked.step))
    own = score(result.told, world.truths, world.live, len(world.brands))
    lines = [
        Line("engine", f"{asked.rules.name}, one set for all", own),
        *([] if asked.no_peers else peer_lines(world)),
    ]
    cost = {
        "mentions": len(world.columns), "brand_weeks": own.brand_weeks, "build_seconds": round(built, 1),
        "engine_seconds": round(result.seconds, 1), "engine_mentions_per_second": round(result.per_second),
        "seconds": round(time.process_time() - begin, 1),
    }  # fmt: skip
    if asked.json:
        print(json.dumps({"figure": "cost", **cost}))
        for line in lines:
            print(json.dumps({"figure": "decider", **figures(line)}, ensure_ascii=False))
        return 0
    print(table(lines))
    print(f"\n{by_rule(own, result.told)}\n\n" + ", ".join(f"{name} {value:,}" for name, value in cost.items()))
    if asked.cases:
        print(f"\n{cases(world, own, asked.cases)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
