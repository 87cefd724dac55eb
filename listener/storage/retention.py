"""What is forgotten, and when: a few thousand rows a transaction, so that nothing else waits long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, and_, delete, func, select

from listener.storage.database import Database
from listener.storage.tables import (
    alert_events,
    commands,
    escalations,
    incidents,
    log,
    matches,
    mentions,
    outbox,
    rollups,
    said,
    scores,
    snapshots,
    stays,
    story_aliases,
    told,
    verdicts,
)

AT_ONCE = 2000
POLLS_KEPT = timedelta(days=35)  # a hundred feeds make a million rows in that; a month of replay needs no more


@dataclass(frozen=True, slots=True)
class Keep:
    """How long each kind is kept; the log, alerts and deliveries as long as matched mentions."""

    matched: timedelta
    unmatched: timedelta
    rollups: timedelta


async def forget(database: Database, keep: Keep, now: datetime) -> dict[str, int]:
    """Delete what is past its time; rows deleted, by table. Open incidents and unread log rows are never touched."""
    deleted = {"mentions": 0}
    for matched, age in ((True, keep.matched), (False, keep.unmatched)):
        old = and_(mentions.c.matched == matched, mentions.c.committed_at < now - age)
        while count := await _forget_mentions(database, old):
            deleted["mentions"] += count
    before = now - keep.matched
    async with database.read("retention") as connection:
        safe = (await connection.execute(select(func.min(snapshots.c.seq)))).scalar_one_or_none() or 0
    goes_by = mentions.c.story == story_aliases.c.alias
    of_outbox = select(incidents.c.id).where(incidents.c.id == outbox.c.incident)
    closed = select(incidents.c.id).where(~incidents.c.firing, incidents.c.updated_at < before)
    for table, where in (
        (rollups, rollups.c.slot < now - keep.rollups),
        (log, and_(log.c.at < before, log.c.seq <= safe, log.c.kind != "rules")),
        (log, and_(log.c.at < now - min(POLLS_KEPT, keep.matched), log.c.seq <= safe, log.c.kind == "poll")),
        # An alias is of use as long as a mention goes by it.
        (story_aliases, and_(story_aliases.c.at < before, ~select(mentions.c.id).where(goes_by).exists())),
        (outbox, outbox.c.incident.in_(closed)),
        # What is of no incident, such as a silence's notices.
        (outbox, and_(outbox.c.done_at < before, ~of_outbox.exists())),
        (told, told.c.incident.in_(closed)),
        (stays, stays.c.incident.in_(closed)),
        (escalations, escalations.c.incident.in_(closed)),
        (said, said.c.incident.in_(closed)),
        (alert_events, alert_events.c.incident.in_(closed)),
        (verdicts, verdicts.c.at < before),
        (commands, and_(commands.c.state != "waiting", commands.c.done_at < before)),
        (alert_events, and_(alert_events.c.shadow, alert_events.c.at < before)),
        (incidents, and_(~incidents.c.firing, incidents.c.updated_at < before)),
    ):
        deleted[table.name] = deleted.get(table.name, 0) + await _forget_rows(database, table, where)
    return deleted


async def _forget_mentions(database: Database, old: object) -> int:
    async with database.write("retention") as connection:
        query = select(mentions.c.id).where(old).limit(AT_ONCE)  # type: ignore[arg-type]
        ids = [row.id for row in await connection.execute(query)]
        if ids:
            await connection.execute(delete(matches).where(matches.c.mention.in_(ids)))
            await connection.execute(delete(scores).where(scores.c.mention.in_(ids)))
            await connection.execute(delete(mentions).where(mentions.c.id.in_(ids)))
    return len(ids)


async def _forget_rows(database: Database, table: Table, where: object) -> int:
    async with database.write("retention") as connection:
        result = await connection.execute(delete(table).where(where))  # type: ignore[arg-type]
    return int(result.rowcount)
