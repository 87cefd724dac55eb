"""What a source brought of the time in which it could not be seen."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import AlertEvent
from alerts.codec import load_event
from listener.interchange import stored_object
from listener.storage.tables import alert_events, matches, mentions, rollups, scores
from rules.mention import Mention

HOUR = timedelta(hours=1)
SLOT = timedelta(minutes=5)  # what the rollups are counted by
_USUAL = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one topic: how many, how many negative, and the hour that held the most negative.

    ``usual``: mentions in an hour, over the two weeks before; None where nothing was counted then.
    """

    topic: str
    mentions: int
    negative: int
    worst_from: datetime
    worst_mentions: int
    worst_negative: int
    usual: float | None


async def backlogs(connection: AsyncConnection, source: str, since: datetime, until: datetime) -> list[Backlog]:
    """By topic, the one with the most negative mentions first. Whole slots within the time, in event time."""
    counts = (rollups.c.topic, rollups.c.slot, rollups.c.mentions, rollups.c.negative)
    here = select(*counts).where(rollups.c.source == source, rollups.c.slot >= since, rollups.c.slot < until)
    slots: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    for row in await connection.execute(here.order_by(rollups.c.slot)):
        slots[row.topic].append((row.slot, row.mentions, row.negative))
    before = select(rollups.c.topic, func.sum(rollups.c.mentions).label("total")).where(
        rollups.c.source == source, rollups.c.slot >= since - _USUAL, rollups.c.slot < since
    )
    usual = {
        row.topic: row.total * (HOUR / _USUAL) for row in await connection.execute(before.group_by(rollups.c.topic))
    }
    found = [_backlog(topic, counted, usual.get(topic)) for topic, counted in slots.items()]
    return sorted(found, key=lambda one: (-one.negative, -one.mentions, one.topic))


def _backlog(topic: str, slots: Sequence[tuple[datetime, int, int]], usual: float | None) -> Backlog:
    hours = []
    for start, _, _ in slots:
        inside = [(count, negative) for at, count, negative in slots if start <= at < start + HOUR]
        hours.append((sum(negative for _, negative in inside), sum(count for count, _ in inside), start))
    # The latest of equals begins where the burst does.
    negative, count, start = max(hours, key=lambda hour: (hour[0], hour[2]))
    return Backlog(
        topic,
        sum(count for _, count, _ in slots),
        sum(negative for _, _, negative in slots),
        start,
        count,
        negative,
        usual,
    )


async def worst(
    connection: AsyncConnection, source: str, topic: str, start: datetime, end: datetime, *, most: int
) -> list[tuple[Mention, float]]:
    """The mentions of that time that speak worst of the topic's brand, with how likely that is; each by its newest score."""
    other = scores.alias()
    newest = select(func.max(other.c.id)).where(other.c.mention == mentions.c.id, other.c.topic == topic)
    query = (
        select(mentions.c.line, scores.c.negative)
        .join(matches, matches.c.mention == mentions.c.id)
        .join(scores, scores.c.id == newest.correlate(mentions).scalar_subquery())
        .where(
            matches.c.topic == topic,
            matches.c.event_at >= start,
            matches.c.event_at < end,
            mentions.c.source == source,
            scores.c.label == "negative",
        )
        .order_by(scores.c.negative.desc(), mentions.c.id)
        .limit(most)
    )
    return [(stored_object(json.loads(row.line)), row.negative) for row in await connection.execute(query)]


async def of_rule(connection: AsyncConnection, rule: str, *, kind: str, since: datetime) -> list[AlertEvent]:
    """The events of one of the program's own rules since a time, in the order in which they were kept."""
    query = select(alert_events.c.event).where(alert_events.c.kind == kind, alert_events.c.at >= since)
    rows = await connection.execute(query.order_by(alert_events.c.id))
    return [event for row in rows if (event := load_event(json.loads(row.event))).rule == rule]
