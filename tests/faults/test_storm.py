"""A storm of reposts: ten thousand near copies over the real pipeline, rules and flush, on a clock of our own."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from alerts import Level
from alerts.config import RouteConfig
from listener.collector import Batch
from listener.collectors import FileConfig
from listener.decide import Decider
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.pipeline import Pipeline, Understanding
from listener.poll import Polled
from listener.storage import alerting, mentions
from listener.storage.database import Database
from listener.storage.tables import incidents, outbox
from listener.storage.tables import mentions as stored
from rules.log import RulesRow
from rules.mention import Author, Mention
from rules.rule import RuleConfig
from rules.ruleset import SourceFacts, ruleset_json
from rules.topic import Matcher, TargetConfig, TopicConfig
from sentiment import Sentiment, Target
from tests.support.edits import Original, copy_of

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLLED = 3 * MINUTE
INTERVAL = 6 * MINUTE
COPIES, MINUTES = 10_000, 60
TEXT = (
    "今天下午三点四十分左右，G1027次列车七号车厢内一只云杉牌充电宝突然起火，座椅被烧出一个大洞，"
    "列车员用灭火器扑灭，有两名乘客手部被烫伤，目前列车已在前方站临时停车，铁路部门正在调查。"
)
SOURCE = FileConfig(type="file", id="microblog", channel="microblog", path="x")
RULES = [
    {"id": "surge", "topics": ["acme"], "when": {"type": "volume", "window": timedelta(minutes=30), "at_least": 50},
     "levels": {"yellow": {}, "orange": {"at_least": 500}, "red": {"at_least": 2500}}},
    {"id": "by-story", "topics": ["acme"], "by": ["topic", "story"], "levels": {"yellow": {}, "red": {"at_least": 3000}},
     "when": {"type": "volume", "window": timedelta(minutes=30), "at_least": 100}},
    {"id": "words", "topics": ["acme"], "when": {"type": "watch", "words": ["起火"]}, "levels": {"blue": {}}},
]  # fmt: skip


class Harsh:
    name = "harsh"
    version = "1"

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        return [Sentiment(0.9, 0.05, 0.05, "negative", 0.9) for _ in targets]


async def test_ten_thousand_copies_are_one_incident(tmp_path):
    """One story, one incident: one beginning, at most one update per group_interval but where the level rises, one end."""
    now, dice = [START], random.Random(7)
    metrics = Metrics(CollectorRegistry())
    matcher = Matcher({"acme": TargetConfig(names=["云杉"])}, [TopicConfig(id="acme", target="acme", query="@acme")])
    route = RouteConfig(receiver="pr", group_wait=timedelta(seconds=30), group_interval=INTERVAL)
    database = await Database.open("sqlite:///storm.db", base=tmp_path)
    try:
        facts = {"microblog": SourceFacts("microblog")}
        rules = ruleset_json([RuleConfig.model_validate(one) for one in RULES], {"acme": "云杉"}, facts)
        async with database.write("test") as connection:
            await mentions.append(connection, [RulesRow(0, START, rules, ("microblog",))], at=START)
        understanding = Understanding(matcher, Harsh())
        pipeline = Pipeline(database, understanding, {}, metrics=metrics, now=lambda: now[0])
        decider = await Decider.load(database, step=MINUTE, metrics=metrics, now=START)
        flusher = Flusher(database, Routing(route.build(), {"pr": ["slack"]}), metrics=metrics)
        made = 0
        while now[0] < START + (MINUTES + 80) * MINUTE:
            now[0] += POLLED
            minute = (now[0] - START) // MINUTE
            # fast at first and slower later, as storms are
            upto = min(COPIES, round(COPIES * (1 - (1 - min(minute, MINUTES) / MINUTES) ** 2)))
            found = tuple(copied(number, now[0], dice) for number in range(made, upto))
            made = upto
            batch = Batch(mentions=found, cursor=str(minute))
            await pipeline.keep([Polled(SOURCE, now[0], now[0], now[0] + POLLED, batch)])
            await decider.step(now[0])
            await flusher.step(now[0])
        pipeline.close()
        async with database.read("test") as connection:
            kept = (await connection.execute(select(func.count()).select_from(stored))).scalar_one()
            largest = select(func.count(stored.c.id)).group_by(stored.c.story).order_by(func.count(stored.c.id).desc())
            copies = (await connection.execute(largest.limit(1))).scalar_one()
            count = (await connection.execute(select(func.count()).select_from(incidents))).scalar_one()
            events = await alerting.events(connection)
            rows = list(await connection.execute(select(outbox).order_by(outbox.c.id)))
    finally:
        await database.close()
    assert (kept, count) == (COPIES, 1)
    assert copies > 0.99 * COPIES
    assert max(event.level for event in events) == Level.red
    assert [row.kind for row in rows].count("open") == 1
    assert (rows[0].kind, rows[-1].kind) == ("open", "resolve")
    for before, after in zip(rows, rows[1:], strict=False):
        assert after.created_at - before.created_at >= INTERVAL or after.level > before.level
    assert len(rows) <= 2 + 2 + (MINUTES + 80) * MINUTE / INTERVAL
    assert 3 <= len(rows)


def copied(number: int, at: datetime, dice: random.Random) -> Mention:
    text = TEXT if number == 0 else copy_of(Original(TEXT, 60), dice)[0]
    return Mention(
        "microblog", "microblog", f"m{number}", text, author=Author(f"u{number}", f"u{number}"), published_at=at, collected_at=at
    )  # fmt: skip
