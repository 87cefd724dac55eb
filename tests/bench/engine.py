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
from rules.replay import Driver
from rules.rule import RuleConfig
from rules.ruleset import ruleset_json
from sentiment import Sentiment
from tests.support.engine_log import START, STEP

RULES, TOPICS, SHARE, TICKS = 100, 1_000, 0.05, 9
NEGATIVE = Sentiment(0.9, 0.07, 0.03, "negative", 0.9)


def condition(number: int) -> dict[str, Any]:
    """Of a hundred rules 40 count, 20 take a share, 30 compare with before, 10 look for words."""
    hour = timedelta(hours=1)
    if number % 10 < 4:
        return {"type": "volume", "window": hour, "at_least": 20 + number}
    if number % 10 < 6:
        return {"type": "ratio", "window": hour, "at_least": 0.5, "floor": 20 + number}
    if number % 10 < 9:
        return {"type": "spike", "window": hour, "factor": 3.0, "at_least": 20 + number}
    return {"type": "watch", "window": hour, "words": [f"词{number}{one}" for one in "甲乙丙丁"], "at_least": 5}


def rules(topics: list[str], count: int) -> list[RuleConfig]:
    where = {"confidence": {"at_least": 0.6}}
    return [
        RuleConfig.model_validate({"id": f"r{number}", "topics": topics, "where": where, "when": condition(number)})
        for number in range(count)
    ]


def mention(seq: int, topic: str, minutes: float) -> MentionRow:
    at = START + timedelta(minutes=minutes)
    said = f"云杉充电宝用了三天就鼓包，客服一直没有回音 {seq}"
    one = Mention("microblog", "microblog", str(seq), said, author=Author(f"u{seq % 997}", "某人"), collected_at=at)
    return MentionRow(seq, at, one, "core", at, history=False, scored=(Scored(topic, (), NEGATIVE),))


def line(name: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"figure": name, "median": round(value, 3), "unit": unit, **more}, ensure_ascii=False))


def memory() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def tick_bench() -> None:
    """Ticks over 100 rules and 1,000 topics, each with mentions in its window, where 5 % of the keys change."""
    before = memory()
    names = [f"t{number}" for number in range(TOPICS)]
    engine = Engine(STEP, assume_healthy=True)
    driver = Driver(engine)
    driver.feed(RulesRow(1, START, ruleset_json(rules(names, RULES), {}), ("microblog",)))
    seq = 1
    for round_ in range(3):
        for number, name in enumerate(names):
            seq += 1
            driver.feed(mention(seq, name, round_ * 15 + number / TOPICS * 14))
    gc.collect()
    changed, took, idle = int(TOPICS * SHARE), [], []
    for number in range(TICKS * 2):
        assert engine.next is not None
        driver.advance(now := engine.next)
        minutes = (now - START) / timedelta(minutes=1)
        for one in range(changed if number % 2 else 0):
            seq += 1
            engine.observe(mention(seq, names[(number * changed + one) % TOPICS], minutes))
        begin = time.process_time()
        engine.evaluate(now + STEP)
        (took if number % 2 else idle).append(time.process_time() - begin)
    line("tick, 5 % of the keys changed", statistics.median(took) * 1000, "ms", worst=round(max(took) * 1000, 1))
    line("tick, nothing changed", statistics.median(idle) * 1000, "ms", worst=round(max(idle) * 1000, 1))
    line("memory of 100,000 keys with 3 mentions each", memory() - before, "MiB")
    begin = time.process_time()
    text = engine.snapshot()
    line("snapshot", time.process_time() - begin, "s", mib=round(len(text) / 2**20, 1))
    begin = time.process_time()
    Engine.restore(text)
    line("restore", time.process_time() - begin, "s")


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
    for count in (5, 20):
        flow_bench(count)
    tick_bench()
    return 0


if __name__ == "__main__":
    sys.exit(main())
