"""A silence as one JSON object: the same on the command line and the API."""

from collections.abc import Sequence
from datetime import datetime

from alerts import Incident, Level
from alerts.render.silence import hidden
from alerts.silence import Silence, Stay
from listener.web.acting import Preview

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


def concerned_line(incident: Incident) -> Json:
    """An incident that a silence concerns, or would have concerned."""
    title = incident.lead.title
    return {
        "incident": incident.id,
        "number": incident.number,
        "topic": incident.topic,
        "open": incident.open,
        "level": incident.level.name,
        "highest": highest(incident).name,
        "opened_at": incident.opened_at.isoformat(),
        "updated_at": incident.updated_at.isoformat(),
        "alerts": len(incident.alerts),
        "title": {"zh": title.zh, "en": title.en},
    }


def preview_lines(preview: Preview) -> tuple[list[Json], Json]:
    """A line for each incident with whether it would have been hidden, and what that comes to."""
    level, found = preview.silence.level, preview.incidents
    lines = [{**concerned_line(one), "hidden": highest(one) <= level} for one in found]
    quiet = [one for one in found if highest(one) <= level]
    alerts = sum(len(one.alerts) for one in quiet)
    return lines, {"level": level.name, "incidents": len(quiet), "alerts": alerts, "above": len(found) - len(quiet)}


def highest(incident: Incident) -> Level:
    """The highest level that it ever had."""
    return max([incident.level, *(level for level, _ in incident.reached)])
