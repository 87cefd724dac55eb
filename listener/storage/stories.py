"""Stories on disk: which mention is in which, what each is called by now, and what a restart needs to go on."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.interchange import parse_object
from listener.storage.database import upsert
from listener.storage.tables import matches, mentions, story_aliases, story_memory
from rules.mention import Mention
from rules.rising import scores
from rules.story import Member, Placed

PAGE = 2000
RECENT = 1 / 8
"""The last part of a stretch of time, in which a story's share is compared with its share before: 3 hours of a day."""
_NAME = func.coalesce(story_aliases.c.story, mentions.c.story)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A mention as it was placed, when that was committed, and its story as it is called by now."""

    mention: Mention
    at: datetime
    member: Member


@dataclass(frozen=True, slots=True)
class TopicStory:
    """``copies``: mentions of the story that match the topic, within the time that was asked for.

    ``rising``: by how many standard deviations its share of the last of RECENT is above that of before.
    """

    story: str
    copies: int
    rising: float


async def keep(connection: AsyncConnection, placed: Placed, *, at: datetime) -> None:
    """The merges, flat: an alias never leads to another. The members' rows are kept with their mentions."""
    for merge in placed.merges:
        new = {"story": merge.story, "born": merge.born}
        await connection.execute(update(story_aliases).where(story_aliases.c.story == merge.alias).values(**new))
        alias = upsert(story_aliases, ["alias"], ["story", "born"])
        await connection.execute(alias, [{"alias": merge.alias, **new, "at": at}])
    if placed.floor is not None:
        await connection.execute(upsert(story_memory, ["id"], ["floor"]), [{"id": 1, "floor": placed.floor}])


async def floor(connection: AsyncConnection) -> datetime | None:
    """Where memory ran out last: what no mention had since is forgotten."""
    return (await connection.execute(select(story_memory.c.floor))).scalar_one_or_none()


async def remembered(connection: AsyncConnection, *, since: datetime) -> AsyncIterator[list[Remembered]]:
    """What was placed later than *since*, in the order in which it was committed, a page at a time."""
    # Of either kind, so that an index leads to the first of them.
    recent = and_(mentions.c.matched.in_((True, False)), mentions.c.committed_at > since)
    first = (await connection.execute(select(func.min(mentions.c.id)).where(recent))).scalar_one_or_none()
    if first is None:
        return
    last = first - 1
    query = (
        select(
            mentions.c.id,
            func.coalesce(mentions.c.first_line, mentions.c.line).label("line"),
            mentions.c.committed_at,
            _NAME.label("story"),
            func.coalesce(story_aliases.c.born, mentions.c.story_born).label("born"),
        )
        .outerjoin(story_aliases, story_aliases.c.alias == mentions.c.story)
        .where(mentions.c.committed_at > since, mentions.c.story != "")
        .order_by(mentions.c.id)
        .limit(PAGE)
    )
    while page := list(await connection.execute(query.where(mentions.c.id > last))):
        yield [
            Remembered(parse_object(json.loads(row.line)), row.committed_at, Member(row.story, row.born))
            for row in page
        ]
        last = page[-1].id


async def largest(
    connection: AsyncConnection, topic: str, *, since: datetime, until: datetime, most: int
) -> list[TopicStory]:
    """A topic's stories of two mentions or more with an event time in since..until, those with most copies first."""
    border = until - RECENT * (until - since)
    recent = func.sum(case((matches.c.event_at > border, 1), else_=0))
    stories = (
        select(_NAME.label("story"), func.count().label("copies"), recent.label("recent"))
        .select_from(matches.join(mentions, mentions.c.id == matches.c.mention))
        .outerjoin(story_aliases, story_aliases.c.alias == mentions.c.story)
        .where(matches.c.topic == topic, matches.c.event_at > since, matches.c.event_at <= until)
        .group_by(_NAME)
        .subquery()
    )
    total = (await connection.execute(select(func.sum(stories.c.copies), func.sum(stories.c.recent)))).one()
    query = (
        select(stories)
        .where(stories.c.copies > 1, stories.c.story != "")
        .order_by(stories.c.copies.desc(), stories.c.story)
        .limit(most)
    )
    found = list(await connection.execute(query))
    now = {row.story: row.recent for row in found}
    past = {row.story: row.copies - row.recent for row in found}
    rises = scores(now, total[1] or 0, past, (total[0] or 0) - (total[1] or 0))
    return [TopicStory(row.story, row.copies, round(rises.get(row.story, 0.0), 2)) for row in found]


async def members(connection: AsyncConnection, story: str, *, most: int) -> list[tuple[datetime, Mention]]:
    """A story's mentions with their event times, those that match no topic too; the first *most* by event time."""
    aliases = select(story_aliases.c.alias).where(story_aliases.c.story == story)
    query: Select[tuple[datetime, str]] = (
        select(mentions.c.event_at, mentions.c.line)
        .where(or_(mentions.c.story == story, mentions.c.story.in_(aliases)))
        .order_by(mentions.c.event_at, mentions.c.id)
        .limit(most)
    )
    return [(row.event_at, parse_object(json.loads(row.line))) for row in await connection.execute(query)]


async def texts(
    connection: AsyncConnection, topic: str, *, since: datetime, until: datetime, most: int
) -> Sequence[tuple[str, str]]:
    """Title and text of a topic's mentions by event time, one of each story; the newest *most* of them."""
    query = (
        select(func.min(mentions.c.id), mentions.c.line)
        .select_from(matches.join(mentions, mentions.c.id == matches.c.mention))
        .outerjoin(story_aliases, story_aliases.c.alias == mentions.c.story)
        .where(matches.c.topic == topic, matches.c.event_at > since, matches.c.event_at <= until)
        # Of before there were stories each mention counts for itself.
        .group_by(func.coalesce(func.nullif(_NAME, ""), mentions.c.id))
        .order_by(func.max(matches.c.event_at).desc())
        .limit(most)
    )
    found = [parse_object(json.loads(row.line)) for row in await connection.execute(query)]
    return [(mention.title, mention.text) for mention in found]
