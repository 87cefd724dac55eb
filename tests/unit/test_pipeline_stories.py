"""Stories on their way through the pipeline: kept with the mentions, or not at all, and found again after a restart."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, text

from listener.collector import Batch
from listener.collectors import FileConfig
from listener.metrics import Metrics
from listener.pipeline import Pipeline, Understanding
from listener.poll import Polled
from listener.storage import history
from listener.storage import stories as store
from listener.storage.database import Database, StorageError
from listener.storage.retention import Keep, forget
from listener.storage.tables import mentions, story_aliases
from rules.log import MentionRow, StoryRow
from rules.mention import Mention
from rules.topic import Matcher, TargetConfig, TopicConfig
from sentiment import Sentiment, Target

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SOURCE = FileConfig(type="file", id="inbox", channel="forum", path="x")
FIRE = "云杉充电宝在地铁车厢里突然起火，现场浓烟滚滚，乘客紧急疏散"
SMELL = "早上开箱就闻到一股塑料味，云杉的客服让我放阳台晾三天"


class Calm:
    name = "calm"
    version = "1"

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        return [Sentiment(0.1, 0.8, 0.1, "neutral", 0.8) for _ in targets]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open("sqlite:///p.db", base=tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def start(database: Database, clock: Clock) -> Pipeline:
    matcher = Matcher({"acme": TargetConfig(names=["云杉"])}, [TopicConfig(id="acme", target="acme", query="@acme")])
    return Pipeline(database, Understanding(matcher, Calm()), {}, metrics=Metrics(CollectorRegistry()), now=clock)


def mention(name: str, text: str = FIRE, **changes: object) -> Mention:
    return replace(Mention("inbox", "forum", name, text, published_at=NOW), **changes)


def polled(*found: Mention) -> Polled:
    return Polled(SOURCE, NOW, NOW, NOW + timedelta(minutes=5), Batch(mentions=found, cursor="1"))


async def told(database: Database) -> dict[str, str]:
    async with database.read("test") as connection:
        return {row.external_id: row.story for row in await connection.execute(select(mentions))}


async def rows(database: Database, kind: type) -> list:
    async with database.read("test") as connection:
        return [row for row in await history.after(connection, 0) if isinstance(row, kind)]


async def test_each_mention_is_kept_with_its_story(database, clock):
    """Those that match no topic too: a repost's comment seldom names the brand."""
    pipeline = start(database, clock)
    await pipeline.keep([polled(mention("a"), mention("b", "太可怕了", repost_of="a"), mention("c", SMELL))])
    await pipeline.keep([polled(mention("d", f"求证//@某人：{FIRE}"))])
    assert await told(database) == {"a": "inbox/a", "b": "inbox/a", "c": "inbox/c", "d": "inbox/a"}
    assert [row.story for row in await rows(database, MentionRow)] == ["inbox/a", "inbox/c", "inbox/a"]
    assert pipeline._metrics.story_copies._value.get() == 2
    assert pipeline._metrics.stories_open._value.get() == 2


async def test_a_merge_is_logged_and_the_alias_kept(database, clock):
    """The log tells of it once; what was stored keeps the id that it saw; the older name is the one to go by."""
    pipeline = start(database, clock)
    for found in (
        mention("a"),
        mention("b", SMELL),
        mention("c", "第三件事情，说的是云杉的门店排队太久"),
        mention("d", "", quote_of="b", repost_of="c"),
    ):
        await pipeline.keep([polled(found)])
    await pipeline.keep([polled(mention("e", "", quote_of="a", repost_of="c"))])
    assert [(row.alias, row.story) for row in await rows(database, StoryRow)] == [
        ("inbox/c", "inbox/b"),
        ("inbox/b", "inbox/a"),
    ]
    assert (await told(database))["c"] == "inbox/c"
    async with database.read("test") as connection:
        aliases = {row.alias: row.story for row in await connection.execute(select(story_aliases))}
        members = await store.members(connection, "inbox/a", most=100)
        largest = await store.largest(connection, "acme", since=NOW - timedelta(days=1), until=clock.now, most=5)
    assert aliases == {"inbox/b": "inbox/a", "inbox/c": "inbox/a"}
    assert {one.external_id for _, one in members} == {"a", "b", "c", "d", "e"}
    assert [(one.story, one.copies) for one in largest] == [("inbox/a", 3)]
    assert pipeline._metrics.story_merges._value.get() == 2


async def test_a_restart_changes_nothing(database, clock):
    """Between any two batches: the same stories as without, merges and revised texts among them."""
    batches = [
        [mention("a"), mention("b", SMELL)],
        [
            mention("a", "作者已编辑此文，云杉的事以官方通报为准")
        ],  # a revision: copies of the first text still belong to it
        [mention("c", f"{FIRE}。坐等回应"), mention("d", "", repost_of="b", quote_of="a")],
        [mention("e", SMELL), mention("f", "作者已编辑此文，云杉的事以官方通报为准")],
    ]
    pipeline = start(database, clock)
    for batch in batches:
        await pipeline.keep([polled(*batch)])
        pipeline.close()
        pipeline = start(database, clock)
    pipeline.close()
    assert await told(database) == {
        "a": "inbox/a", "b": "inbox/b", "c": "inbox/a", "d": "inbox/a", "e": "inbox/a", "f": "inbox/f",
    }  # fmt: skip


async def test_a_failed_commit_is_forgotten(database, clock):
    """A story that was never committed has no members."""
    pipeline = start(database, clock)
    async with database.write("test") as connection:
        await connection.execute(
            text("create trigger refuse before insert on mentions begin select raise(abort, 'full'); end")
        )
    with pytest.raises(StorageError):
        await pipeline.keep([polled(mention("a"))])
    async with database.write("test") as connection:
        await connection.execute(text("drop trigger refuse"))
    clock.now += timedelta(minutes=1)
    await pipeline.keep([polled(mention("b"), mention("a"))])
    assert set((await told(database)).values()) == {"inbox/a"}
    async with database.read("test") as connection:
        born = {row.story_born for row in await connection.execute(select(mentions))}
    assert len(born) == 1
    assert born.pop() > NOW + timedelta(minutes=1)


async def test_what_came_before_stories_is_left_alone(database, clock):
    """Rows of an older database have none, and are nobody's copies."""
    pipeline = start(database, clock)
    await pipeline.keep([polled(mention("a"))])
    async with database.write("test") as connection:
        await connection.execute(text("update mentions set story = '', story_born = null"))
    pipeline.close()
    pipeline = start(database, clock)
    await pipeline.keep([polled(mention("b"))])
    assert (await told(database))["b"] == "inbox/b"
    async with database.read("test") as connection:
        assert len(await store.texts(connection, "acme", since=NOW - timedelta(days=1), until=clock.now, most=9)) == 2


async def test_an_alias_is_forgotten_with_its_last_mention(database, clock):
    """And not before."""
    pipeline = start(database, clock)
    await pipeline.keep([polled(mention("a"), mention("b", SMELL))])
    await pipeline.keep([polled(mention("c", "", quote_of="a", repost_of="b"))])
    keep = Keep(timedelta(days=30), timedelta(days=40), timedelta(days=90))
    for days, aliases in ((20, 1), (50, 0)):
        await forget(database, keep, clock.now + timedelta(days=days))
        async with database.read("test") as connection:
            assert len(list(await connection.execute(select(story_aliases)))) == aliases
