"""The way of a mention, on a real database."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from listener.collector import Batch, CollectError
from listener.collectors import FileConfig
from listener.metrics import Metrics
from listener.pipeline import Pipeline, Understanding, score
from listener.poll import Polled
from listener.storage import history
from listener.storage.database import Database
from listener.storage.tables import mentions, scores
from rules.log import MentionRow, PollRow, RevisionRow
from rules.mention import Mention, Reach
from rules.topic import Matcher, TargetConfig, TopicConfig
from sentiment import Passage, Sentiment, Target
from sentiment.accurate import WIDTH, Accurate, Blend, Blends, Worker
from sentiment.ngram import Ngram, shipped

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CALM = Sentiment(0.1, 0.8, 0.1, "neutral", 0.8)
SOURCE = FileConfig(type="file", id="inbox", channel="forum", path="x")


class Fussy:
    """An analyzer that breaks on some texts."""

    name = "fussy"
    version = "1"

    def __init__(self) -> None:
        self.calls = 0

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        self.calls += 1
        if any("poison" in target.text.text for target in targets):
            raise ZeroDivisionError("a bug")
        return [CALM for _ in targets]


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    database = await Database.open("sqlite:///p.db", base=tmp_path)
    matcher = Matcher({"acme": TargetConfig(names=["云杉"])}, [TopicConfig(id="acme", target="acme", query="@acme")])
    made = Pipeline(
        database, Understanding(matcher, Fussy()), {}, metrics=Metrics(CollectorRegistry()), now=lambda: NOW
    )
    yield made
    made.close()
    await database.close()


def _mention(name: str, text: str = "云杉不错", **changes: object) -> Mention:
    mention = Mention(source="inbox", channel="forum", external_id=name, text=text, published_at=NOW)
    return replace(mention, **changes)


def _polled(*found: Mention, cursor: str = "1") -> Polled:
    return Polled(SOURCE, NOW, NOW, NOW + timedelta(minutes=5), Batch(mentions=found, cursor=cursor))


async def _log(pipeline: Pipeline) -> list[type]:
    async with pipeline._database.read("test") as connection:
        return [type(row) for row in await history.after(connection, 0)]


async def test_the_same_page_a_hundred_times_adds_nothing(pipeline: Pipeline) -> None:
    """Whatever the order, a key is stored once, within a batch and over batches."""
    page = [_mention(str(number)) for number in range(5)]
    assert await pipeline.keep([_polled(*page, *page)]) == 5
    for turn in range(100):
        assert await pipeline.keep([_polled(*page[turn % 5 :], *page[: turn % 5])]) == 0
    async with pipeline._database.read("test") as connection:
        assert len(list(await connection.execute(select(mentions)))) == 5


async def test_the_cursor_moves_with_the_data(pipeline: Pipeline) -> None:
    """One transaction holds both, and a failed poll keeps the cursor."""
    await pipeline.keep([_polled(_mention("1"), cursor="here")])
    assert pipeline.states["inbox"].cursor == "here"
    failed = Polled(SOURCE, NOW, NOW, NOW, error=CollectError("inbox", "timeout", "slow"))
    await pipeline.keep([failed])
    state = pipeline.states["inbox"]
    assert (state.cursor, state.failures, state.reason, state.last_success) == ("here", 1, "timeout", NOW)
    assert await _log(pipeline) == [MentionRow, PollRow, PollRow]


async def test_what_changed_is_a_revision_and_counts_once(pipeline: Pipeline) -> None:
    """A like more is news of the same mention."""
    await pipeline.keep([_polled(_mention("1"))])
    assert await pipeline.keep([_polled(_mention("1", reach=Reach(likes=9)))]) == 0
    assert await pipeline.keep([_polled(_mention("1", reach=Reach(likes=9)))]) == 0
    assert await _log(pipeline) == [MentionRow, PollRow, RevisionRow, PollRow, PollRow]


async def test_a_poison_text_is_kept_unscored_and_the_rest_flows(pipeline: Pipeline) -> None:
    """The scorer breaks on one of three: that one is stored without a score, counted, the others have theirs."""
    found = [_mention("1"), _mention("2", "云杉 poison"), _mention("3")]
    assert await pipeline.keep([_polled(*found)]) == 3
    async with pipeline._database.read("test") as connection:
        rows = [row for row in await history.after(connection, 0) if isinstance(row, MentionRow)]
        assert len(list(await connection.execute(select(scores)))) == 2
    assert [row.scored[0].sentiment for row in rows] == [CALM, None, CALM]
    assert pipeline._metrics.score_failures.labels("fussy")._value.get() == 1


def test_a_lone_poison_text_is_tried_three_times() -> None:
    """And no more."""
    analyzer = Fussy()
    assert score(analyzer, [Target(Passage("poison"))]) == [None]
    assert analyzer.calls == 3


async def test_a_mention_without_a_topic_is_stored_and_not_logged(pipeline: Pipeline) -> None:
    """It is there for a new query to be tried on; no rule hears of it."""
    assert await pipeline.keep([_polled(_mention("1", "天气不错"))]) == 1
    assert await _log(pipeline) == [PollRow]


async def test_what_the_analyzers_process_did_is_counted_and_it_ends_when_exchanged(pipeline: Pipeline) -> None:
    """The E5's process, here with a stand-in for the E5: answers are counted, a reload ends it, and so does the stop."""
    helped = _accurate()
    pipeline.exchange(Understanding(pipeline.understanding.matcher, helped))
    await pipeline.keep([_polled(_mention("1"), _mention("2", "云杉还行吧"))])
    process, texts = helped._worker.process, pipeline._metrics.helper_texts
    assert process is not None and process.poll() is None
    assert texts.labels("answered")._value.get() == 2
    assert texts.labels("late")._value.get() == 0
    again = _accurate()
    pipeline.exchange(Understanding(pipeline.understanding.matcher, again))
    await pipeline.keep([_polled(_mention("3"))])  # one thread: the old analyzer has ended when this is scored
    assert process.poll() is not None
    assert texts.labels("answered")._value.get() == 3
    assert (second := again._worker.process) is not None
    pipeline.close()
    assert second.poll() is not None


def _accurate() -> Accurate:
    nothing = Blend(np.zeros(2), np.zeros((2, 2)), np.zeros((2, WIDTH), dtype=np.float32))
    worker = Worker("tests.support.embedder:embed")
    return Accurate(Ngram(shipped("standard")), Blends(nothing, nothing, {}), budget=60.0, unsure=1.1, worker=worker)
