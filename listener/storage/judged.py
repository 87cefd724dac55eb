"""Alerts with their verdicts and how soon they came, read a page at a time."""

import json
from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import AlertEvent
from alerts.codec import load_event
from alerts.verdict import verdict_of
from listener.storage import acts
from listener.storage.tables import alert_events, matches, mentions, story_aliases
from rules.judged import Judged
from rules.lives import Lives

_PAGE = 500


async def judged(connection: AsyncConnection) -> list[Judged]:
    """Every alert of a topic that is on record, in order of opening."""
    lives = Lives()
    firsts: dict[str, datetime | None] = {}
    homes: dict[str, str] = {}
    async for event in _events(connection):
        lives.take([event])
        if event.alert not in firsts:
            firsts[event.alert] = await first_mention(connection, event)
            homes[event.alert] = event.incident
    given = await acts.judgements(connection)
    found = []
    for life in lives.all():
        last, first = verdict_of(life.alert, homes[life.alert], given), firsts[life.alert]
        found.append(Judged(life, last.verdict if last else None, life.opened_at - first if first else None))
    return found


async def first_mention(connection: AsyncConnection, event: AlertEvent) -> datetime | None:
    """When the first mention of the alert's largest story counts; where it names none, of its topic in its window.

    None: they are no longer stored, or the event says neither.
    """
    if event.topic is None:
        return None
    query = select(func.min(matches.c.event_at)).where(matches.c.topic == event.topic, matches.c.event_at <= event.at)
    if event.stories:
        story = event.stories[0].id
        aliases = select(story_aliases.c.alias).where(story_aliases.c.story == story)
        ids = select(mentions.c.id).where(or_(mentions.c.story == story, mentions.c.story.in_(aliases)))
        query = query.where(matches.c.mention.in_(ids))
    elif event.window is not None:
        query = query.where(matches.c.event_at >= event.window.start)
    else:
        return None
    first: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return first


async def _events(connection: AsyncConnection) -> AsyncIterator[AlertEvent]:
    last = 0
    while True:
        query = select(alert_events.c.id, alert_events.c.event).where(
            alert_events.c.kind == "topic", alert_events.c.id > last
        )
        page = list(await connection.execute(query.order_by(alert_events.c.id).limit(_PAGE)))
        for row in page:
            yield load_event(json.loads(row.event))
        if len(page) < _PAGE:
            return
        last = page[-1].id
