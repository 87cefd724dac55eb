"""The pipeline's stories: placed in a thread, in step with what is committed, found again after a restart."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from listener.metrics import Metrics
from listener.storage import stories as store
from listener.storage.database import Database
from rules.log import MentionRow, StoryRow
from rules.story import LIFE, Placed, Stories
from rules.story_text import Post, key_of, post_of

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """Rows with their stories, and what is to be kept beside them."""

    rows: list[MentionRow]
    placed: Placed

    @property
    def born(self) -> dict[str, datetime]:
        return {member.story: member.born for member in self.placed.members}

    def merges(self, at: datetime) -> list[StoryRow]:
        return [StoryRow(0, at, merge.alias, merge.story) for merge in self.placed.merges]


class Memory:
    """What stories are found by. It holds what was committed and nothing else: after a failed commit, forget it."""

    def __init__(self, database: Database, executor: Executor, *, metrics: Metrics) -> None:
        self._database = database
        self._executor = executor
        self._metrics = metrics
        self._stories: Stories | None = None
        self._counted = (0, 0, 0)

    async def ready(self, now: datetime) -> Stories:
        """Read the last 7 days again, unless they are known. Raises StorageError."""
        if self._stories is None:
            loop = asyncio.get_running_loop()
            count = 0
            async with self._database.read("stories") as connection:
                floor = await store.floor(connection)
                stories = Stories(floor=floor)
                since = max(now - LIFE, floor) if floor else now - LIFE
                async for page in store.remembered(connection, since=since):
                    await loop.run_in_executor(self._executor, _learn, stories, page)
                    count += len(page)
            self._counted = (0, 0, 0)
            self._stories = stories
            if count:
                _log.info("stories_remembered", count=count)
        return self._stories

    async def place(self, rows: Sequence[MentionRow], posts: Sequence[Post], at: datetime) -> Told:
        """The story of each row, as of the commit's time; ``ready`` comes first."""
        if not rows:
            return Told([], Placed((), (), None))
        stories = self._stories
        if stories is None:
            raise RuntimeError("the memory of stories is not ready")
        placed = await asyncio.get_running_loop().run_in_executor(
            self._executor, stories.place, posts, [at] * len(posts)
        )
        told = [replace(row, story=member.story) for row, member in zip(rows, placed.members, strict=True)]
        self._count(stories, told)
        return Told(told, placed)

    def forget(self) -> None:
        """The commit failed: what was placed for it is not true."""
        self._stories = None

    def _count(self, stories: Stories, rows: Sequence[MentionRow]) -> None:
        self._metrics.stories_open.set(stories.open)
        self._metrics.story_copies.inc(
            sum(row.story != key_of(row.mention.source, row.mention.external_id) for row in rows)
        )
        now = (stories.merges, stories.evicted, stories.crowded)
        counters = (self._metrics.story_merges, self._metrics.story_evictions, self._metrics.story_crowded)
        for counter, new, old in zip(counters, now, self._counted, strict=True):
            counter.inc(new - old)
        self._counted = now


def _learn(stories: Stories, page: Sequence[store.Remembered]) -> None:
    posts = [post_of(one.mention) for one in page]
    stories.learn(posts, [one.at for one in page], [one.member for one in page])
