"""An incident's alerts as Alertmanager knows alerts.

An alert is its labels: whoever sends the same labels speaks of the same alert (prometheus.io, Alerting, Alerts API). Each
alert of an incident is one there, named by its rule, with ``incident`` to group by, and ``level`` and ``severity`` to route
by. A new level is thus another alert, so each message also ends those that the other levels would be; to end what never was
notifies nobody. Alertmanager sets no limit to a body; past a thousand alerts the resolved and low ones are left off.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import AlertEvent, Level
from alerts.notification import Notification
from alerts.render.message import Message
from alerts.render.pager import SEVERITIES
from alerts.render.plain import plain
from alerts.render.text import clean, cut, inert, inert_but, json_size

VALUE = 200
TEXT = 8000
BODY = 1024 * 1024

Json = dict[str, Any]

_STEPS = (1000, 200, 50, 10, 1)
_NAME = re.compile(r"[^a-zA-Z0-9_]")


def alerts(message: Message, notification: Notification, *, now: datetime, keep: timedelta) -> list[Json]:
    """The incident's alerts at *now*, the lead first; an open one ends in *keep* unless it is told again."""
    lead = notification.incident.lead
    members = sorted(
        notification.incident.alerts,
        key=lambda event: (event.alert != lead.alert, event.event == "resolved", -event.level),
    )
    found: list[Json] = []
    for most in _STEPS:
        found = [form for event in members[:most] for form in _levels(message, notification, event, now, keep)]
        if json_size(found) <= BODY:
            break
    return found


def standing(told: Sequence[tuple[Message, Notification]], *, now: datetime, keep: timedelta) -> list[Json]:
    """Of incidents that were told before, the open alerts alone."""
    return [
        _alert(message, notification, event, now, keep)
        for message, notification in told
        for event in notification.incident.alerts[-_STEPS[0] :]
        if event.event != "resolved"
    ]


def _levels(
    message: Message, notification: Notification, event: AlertEvent, now: datetime, keep: timedelta
) -> list[Json]:
    found = [_alert(message, notification, event, now, keep)]
    if notification.kind not in {"open", "test"}:
        ended = _time(min(event.at, now))
        others = [level for level in Level if level != event.level]
        found += [
            {"labels": _labels(notification, event, level), "startsAt": ended, "endsAt": ended} for level in others
        ]
    return found


def _alert(message: Message, notification: Notification, event: AlertEvent, now: datetime, keep: timedelta) -> Json:
    at = min(event.at, now)
    is_lead = event.alert == notification.incident.lead.alert
    because = inert(clean(event.because.of(message.language)[:TEXT]))
    annotations = {
        "summary": inert(message.headline) if is_lead else _value(event.title.of(message.language)),
        "description": _description(message) if is_lead else cut(because, 600),
    }
    form: Json = {
        "labels": _labels(notification, event, event.level),
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": _time(at),
        "endsAt": _time(at if event.event == "resolved" else now + keep),
    }
    if message.links:
        form["generatorURL"] = message.links[0].url
    return form


def _labels(notification: Notification, event: AlertEvent, level: Level) -> dict[str, str]:
    """Their values are never empty, which would be no label, and of one line."""
    incident = notification.incident
    own = {
        "alertname": _value(event.rule) or "listener",
        "incident": _value(incident.id),
        "alert": _value(event.alert),
        "kind": event.kind,
        "topic": _value(event.topic or ""),
        "brand": _value(event.brand),
        "level": level.name,
        "severity": "info" if notification.kind == "test" else SEVERITIES[level],
    }
    keys = {_NAME.sub("_", f"key_{name}"): _value(value) for name, value in event.key.items() if name not in own}
    return {name: value for name, value in {**keys, **own}.items() if value}


def _value(text: str) -> str:
    return cut(inert(clean(text[:4000])), VALUE)


def _description(message: Message) -> str:
    """The whole message but its headline, which is the summary."""
    _, _, rest = plain(message).partition("\n")
    return cut(inert_but(rest, message.addresses).strip(), TEXT)


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
