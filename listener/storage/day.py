"""What the daily report counts."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Level
from listener.storage.tables import alert_events, incidents, mentions


async def collected(connection: AsyncConnection, *, since: datetime, until: datetime) -> int:
    query = select(func.count()).where(mentions.c.collected_at > since, mentions.c.collected_at <= until)
    return (await connection.execute(query)).scalar_one()


async def opened(connection: AsyncConnection, *, since: datetime, until: datetime) -> Mapping[Level, int]:
    """Alerts of topics that began, by the level that they began with; none of rules on trial."""
    query = select(alert_events.c.event).where(
        alert_events.c.at > since,
        alert_events.c.at <= until,
        alert_events.c.kind == "topic",
        alert_events.c.revision == 1,
        ~alert_events.c.shadow,
    )
    return Counter(Level[json.loads(row.event)["level"]] for row in await connection.execute(query))


async def still_open(connection: AsyncConnection) -> Mapping[Level, int]:
    """Open incidents of topics by level."""
    query = select(incidents.c.level, func.count()).where(incidents.c.open, incidents.c.kind == "topic")
    return {Level(level): count for level, count in await connection.execute(query.group_by(incidents.c.level))}
