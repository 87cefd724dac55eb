"""What the outbox tells of notifications that may have to go to a fallback."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Level
from alerts.fallback import Row
from listener.storage.tables import outbox

State = Literal["waiting", "sent", "dead", "superseded"]

_RECENT = timedelta(hours=25)  # what was given up before is history
_LIVES = timedelta(days=60)  # no incident that was passed on is waited for longer
_STATES: Mapping[str, State] = {
    "pending": "waiting", "leased": "waiting", "digested": "waiting",
    "sent": "sent", "dead": "dead", "superseded": "superseded",
}  # fmt: skip


async def rows(
    connection: AsyncConnection, receivers: Collection[str], now: datetime, *, incident: str | None = None
) -> dict[str, list[Row]]:
    """By incident all its rows, in order: of incidents with red that these receivers lack, and of those passed on."""
    lacking = and_(
        outbox.c.receiver.in_(list(receivers)),
        outbox.c.level == int(Level.red),
        or_(
            outbox.c.state.in_(("pending", "leased", "digested")),
            and_(outbox.c.state == "dead", outbox.c.created_at > now - _RECENT),
        ),
    )
    passed = and_(outbox.c.passed_on > "", outbox.c.created_at > now - _LIVES)
    found = [select(outbox.c.incident).where(one) for one in (lacking, passed)]
    columns = [outbox.c[name] for name in _COLUMNS]
    query = select(*columns).where(or_(*(outbox.c.incident.in_(one) for one in found))).order_by(outbox.c.id)
    if incident is not None:
        query = select(*columns).where(outbox.c.incident == incident).order_by(outbox.c.id)
    grouped: dict[str, list[Row]] = {}
    for row in await connection.execute(query):
        grouped.setdefault(row.incident, []).append(
            Row(
                id=row.id,
                receiver=row.receiver,
                channel=row.channel,
                kind=row.kind,
                revision=row.revision,
                red=row.level == Level.red,
                state=_STATES[row.state],
                at=row.created_at,
                source=row.source,
            )
        )
    return grouped


_COLUMNS = ("id", "incident", "receiver", "channel", "kind", "revision", "level", "state", "created_at", "source")
