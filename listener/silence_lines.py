"""A silence as one JSON object: the same on the command line and the API."""

from collections.abc import Sequence
from datetime import datetime

from alerts import Incident
from alerts.render.silence import hidden
from alerts.silence import Silence, Stay

Json = dict[str, object]


def silence_line(one: Silence, under: Sequence[tuple[Incident, Stay]], now: datetime) -> Json:
    """*under*: the incidents that have been under it."""
    incidents, alerts = hidden(under)
    return {
        "silence": one.number,
        "state": "waiting" if now < one.starts_at < one.over_at else "active" if one.active(now) else "over",
        "match": {name: sorted(values) for name, values in one.matchers.items()},
        "incident": one.incident,
        "level": one.level.name,
        "owner": one.owner,
        "reason": one.reason,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "created_at": one.created_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "ended_by": one.ended_by,
        "incidents": incidents,
        "alerts": alerts,
    }
