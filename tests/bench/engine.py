"""What the rule engine costs in processor time: ``python -m tests.bench.engine`` prints medians, one JSON line each."""

import gc
import json
import resource
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from rules.engine import Engine
from rules.log import MentionRow, RulesRow, Scored
from rules.mention import Author, Mention
from rules.panes import MINUTE, minute_of
from rules.replay import Driver
from rules.rule import RuleConfig
from rules.ruleset import ruleset_json
from sentiment import Sentiment
from tests.support.engine_log import START, STEP

RULES, TOPICS, SHARE, TICKS, WEEKS = 100, 1_000, 0.05, 9, 8
NEGATIVE = Sentiment(0.9, 0.07, 0.03, "negative", 0.9)
NEUTRAL = Sentiment(0.05, 0.9, 0.05, "neutral", 0.9)


def condition(number: int, floor: int) -> dict[str, Any]:
    """Of a hundred rules 40 count, 20 take a share, 20 know what is usual, 10 compare with before, 10 look for words.

    A ratio, a baseline and a spike have to be read whenever there are *floor* mentions; a volume below its threshold never.
    """
    hour = timedelta(hours=1)
    if number % 10 < 4:
        return {"type": "volume", "window": hour, "at_least": 20 + number}
    if number % 10 < 6:
        return {"type": "ratio", "window": hour, "at_least": 0.95, "floor": floor}
    if number % 10 < 8:
        return {"type": "baseline", "window": hour, "surprise": 12.0, "at_least": floor}
    if number % 10 < 9:
        return {"type": "spike", "window": hour, "factor": 3.0, "at_least": floor}
    return {"type": "watch", "window": hour, "words": [f"词{number}{one}" for one in "甲乙丙丁"], "at_least": 5}


def rules(topics: list[str], count: int, floor: int = 30) -> list[RuleConfig]:
    where = {"confidence": {"at_least": 0.6}}
    return [
        RuleConfig.model_validate(
            {"id": f"r{number}", "topics": topics, "where": where, "when": condition(number, floor)}
        )
        for number in range(count)
    ]


def mention(seq: int, topic: str, minutes: float) -> MentionRow:
    """One in three of a topic is neutral."""
    at = START + timedelta(minutes=minutes)
    said = f"云杉充电宝用了三天就鼓包，客服一直没有回音 {seq}"
    one = Mention("microblog", "microblog", str(seq), said, author=Author(f"u{seq % 997}", "某人"), collected_at=at)
    return MentionRow(
        seq,
        at,
        one,
        "core",
        at,
        history=False,
        scored=(Scored(topic, (), NEUTRAL if (seq + seq // TOPICS) % 3 == 0 else NEGATIVE),),
    )


def line(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"figure": name, "median": round(value, 3), "unit": unit, **more}, ensure_ascii=False))


def memory() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def tick_bench(state: str, floor: int) -> None:
    """Ticks over 100 rules and 1,000 topics, each with mentions in its window, where 5 % of the keys change.

    Quiet: topics stay below the floors. Busy: half of the rules have to be read for every topic that changes.
    """
    before = memory()
    names = [f"t{number}" for number in range(TOPICS)]
    engine = Engine(STEP, assume_healthy=True)
    driver = Driver(engine)
    driver.feed(RulesRow(1, START, ruleset_json(rules(names, RULES, floor), {}), ("microblog",)))
    seq = 1
    for round_ in range(3):
        for number, name in enumerate(names):
            seq += 1
            driver.feed(mention(seq, name, round_ * 15 + number / TOPICS * 14))
    gc.collect()
    changed = int(TOPICS * SHARE)
    took: dict[str, list[float]] = {"changed": [], "turned": [], "idle": []}
    for number in range(TICKS * 4):
        now = engine.next or START
        idle = number % 8 >= 4
        for one in range(0 if idle else changed):
            seq += 1
            engine.observe(mention(seq, names[(number * changed + one) % TOPICS], (now - START) / MINUTE - 0.01))
        begin = time.process_time()
        engine.evaluate(now)
        kind = "turned" if minute_of(now) != minute_of(now - STEP) else "idle" if idle else "changed"
        took[kind].append((time.process_time() - begin) * 1000)
    for kind, text in (
        ("changed", "tick, 5 % of the keys changed"),
        ("turned", "tick at which a minute begins"),
        ("idle", "tick, nothing changed"),
    ):
        line(f"{text}, {state}", statistics.median(took[kind]), "ms", worst=round(max(took[kind]), 1))
    if state == "busy":
        return
    line("memory of 100,000 keys with 3 mentions each", memory() - before, "MiB")
    begin = time.process_time()
    text = engine.snapshot()
    line("snapshot", time.process_time() - begin, "s", mib=round(len(text) / 2**20, 1))
    begin = time.process_time()
    Engine.restore(text)
    line("restore", time.process_time() - begin, "s")


def restart_bench() -> None:
    """A baseline on each of 1,000 topics that knows eight weeks: 1,344 hours each, learnt, written and read back."""
    names = [f"t{number}" for number in range(TOPICS)]
    config = RuleConfig.model_validate(
        {"id": "usual", "topics": names, "when": {"type": "baseline", "window": timedelta(hours=1), "at_least": 10}}
    )
    before = memory()
    driver = Driver(Engine(STEP, assume_healthy=True))
    driver.feed(RulesRow(1, START, ruleset_json([config], {}), ("microblog",)))
    for number, name in enumerate(names):
        driver.feed(mention(number + 2, name, number / TOPICS))
    driver.advance(START + timedelta(minutes=2))
    engine, now = driver.engine, minute_of(START)
    begin = time.process_time()
    for number, key in enumerate(engine.running["usual"].keys.values()):
        (rollup,) = key.rollups.values()
        for hour in range(WEEKS * 168):
            rollup.add(now - 60 * hour, 20 + (hour * (number + 7)) % 13)
        rollup.stale = 10**9
        rollup.catch_up(now + 2, now - WEEKS * 168 * 60, lambda _begin, _end: False)
    line("eight weeks learnt anew", (time.process_time() - begin) / TOPICS * 1000, "ms/topic")
    gc.collect()
    line("memory of 1,000 topics with eight weeks each", memory() - before, "MiB")
    took = []
    for _ in range(3):
        begin = time.process_time()
        text = engine.snapshot()
        middle = time.process_time()
        Engine.restore(text)
        took.append((middle - begin, time.process_time() - middle))
    line(
        "snapshot, 1,000 topics with eight weeks",
        statistics.median(one for one, _ in took),
        "s",
        mib=round(len(text) / 2**20, 1),
    )
    line("restart from it", statistics.median(one for _, one in took), "s")


def flow_bench(count: int) -> None:
    """Stored and scored mentions through the driver, ticks included, under *count* rules on ten topics."""
    names = [f"t{number}" for number in range(10)]
    rows = [mention(seq, names[seq % 10], seq / 200) for seq in range(2, 10_002)]
    took = []
    for _ in range(3):
        driver = Driver(Engine(STEP, assume_healthy=True))
        driver.feed(RulesRow(1, START, ruleset_json(rules(names, count), {}), ("microblog",)))
        begin = time.process_time()
        for row in rows:
            driver.feed(row)
        driver.run_out()
        took.append((time.process_time() - begin) / len(rows))
    median = statistics.median(took)
    line(f"observe, ticks included, {count} rules", median * 1e6, "µs/mention", per_second=round(1 / median))


def main() -> int:
    for count in (1, 5, 20, 100):
        flow_bench(count)
    tick_bench("quiet", 30)
    tick_bench("busy", 3)
    restart_bench()
    return 0


if __name__ == "__main__":
    sys.exit(main())
