"""What matched nothing, tried on a query that came later: the same rows as if the query had been there."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from listener.collector import Batch
from listener.collectors import FileConfig
from listener.config import Config, load
from listener.metrics import Metrics
from listener.parts import understanding
from listener.pipeline import Pipeline, Understanding
from listener.poll import Polled
from listener.recorded import Tick, from_database
from listener.rematch import Rematched, rematch
from listener.storage.database import Database
from rules.lives import ALWAYS
from rules.log import MentionRow, Row
from rules.mention import Mention
from rules.topic import Matcher, TopicConfig
from sentiment import Sentiment, Target
from tests.support.engine_log import Log

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOURCES = [FileConfig(type="file", id=name, channel="forum", path="x") for name in ("one", "two")]
CONFIG = """
storage: {{url: "sqlite:///{name}.db"}}
sources: [{{id: one, type: file, path: "x/*.jsonl", channel: forum}}, {{id: two, type: file, path: "y/*.jsonl", channel: forum}}]
sentiment: {{type: bayes}}
topics: [{{id: acme, query: 云杉}}{more}]
"""
SAID = ("云杉的炉子太差了，要求退货", "格澜的炉子烧坏了", "今天天气不错", "云杉很好", "炉子 {number} 号很好用，推荐")


def arrivals(seed: int) -> list[tuple[datetime, Polled]]:
    """Polls of two sources over an hour, the first of each with undated and old items, with copies among them."""
    source = random.Random(seed)
    polls = []
    for minute in range(0, 60, 5):
        for config in SOURCES:
            at = NOW + minute * MINUTE + source.random() * MINUTE
            found = []
            for number in range(source.randrange(5)):
                published = source.choice([at - MINUTE, at - timedelta(days=40), None])
                text = source.choice(SAID).format(number=source.randrange(3))
                name = f"{config.id}-{minute}-{number}"
                found.append(
                    Mention(source=config.id, channel="forum", external_id=name, text=text, published_at=published)
                )
            polls.append(
                Polled(config, at, at + MINUTE / 60, at + 5 * MINUTE, Batch(mentions=tuple(found), cursor=str(minute)))
            )
    return [(one.ended_at, one) for one in sorted(polls, key=lambda one: one.ended_at)]


async def live(config: Config, base: Path, polls: Sequence[tuple[datetime, Polled]]) -> None:
    database = await Database.open(config.storage.url, base=base)
    clock = [NOW]
    metrics = Metrics(CollectorRegistry())
    pipeline = Pipeline(database, understanding(config), {}, metrics=metrics, now=lambda: clock[0])
    try:
        for clock[0], poll in polls:
            await pipeline.keep([poll])
    finally:
        pipeline.close()
        await database.close()


def rows_of(config: Config, *, anew: bool) -> list[Row | Tick]:
    """Without numbers; those of one time in an order of their own, for it makes no difference."""
    rows = list(from_database(config, ALWAYS, anew=anew).rows)
    bare = [row if isinstance(row, Tick) else replace(row, seq=0) for row in rows]
    return sorted(bare, key=lambda row: (row.at, str(row)))


@pytest.mark.parametrize("seed", range(4))
async def test_a_query_that_came_later_finds_what_it_would_have_found(tmp_path, seed):
    """Matches, scores, stories, what is history and the polls: row for row what a program with that query logged."""
    configs = []
    for name, more in (("before", ""), ("after", ', {id: stove, query: "炉子 OR 格澜"}')):
        path = tmp_path / f"{name}.yml"
        path.write_text(CONFIG.format(name=name, more=more), encoding="utf-8")
        configs.append(load(path))
        await live(configs[-1], tmp_path, arrivals(seed))
    before, after = configs
    asked = after.model_copy(update={"storage": before.storage})
    wanted = await _in_thread(after, anew=False)
    found = await _in_thread(asked, anew=True)
    assert found == wanted
    topics = {one.topic for row in found if isinstance(row, MentionRow) for one in row.scored}
    assert topics == {"acme", "stove"}
    assert any(row.history for row in found if isinstance(row, MentionRow))


async def _in_thread(config: Config, *, anew: bool) -> list[Row | Tick]:
    return await asyncio.to_thread(rows_of, config, anew=anew)


class Failing:
    name = "failing"
    version = "1"

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        raise ZeroDivisionError


def test_stored_scores_stay_and_the_rest_is_counted():
    """A topic's own score is kept with the words of now; what the analyzer fails on is a match without one."""
    log = Log()
    log.mention(NOW, name="1", text="云杉和炉子")
    log.poll(NOW)
    log.mention(NOW, name="2", text="炉子", topics=())
    log.mention(NOW, name="3", text="别的")
    matcher = Matcher({}, [TopicConfig(id="acme", query="云杉 OR 杉"), TopicConfig(id="stove", query="炉子")])
    found = Rematched()
    rows = list(rematch(log.rows, Understanding(matcher, Failing()), found))
    first, poll, second = rows
    assert poll is log.rows[1]
    assert isinstance(first, MentionRow)
    assert isinstance(second, MentionRow)
    stored = log.rows[0].scored[0]
    assert [(one.topic, one.sentiment, one.analyzer) for one in first.scored] == [
        ("acme", stored.sentiment, stored.analyzer), ("stove", None, "failing"),
    ]  # fmt: skip
    assert "云杉" in first.scored[0].words
    assert [(one.topic, one.sentiment) for one in second.scored] == [("stove", None)]
    assert found == Rematched(tried=3, kept_aside=1, scoreless=2, failed=2)
