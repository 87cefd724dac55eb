"""A message for the pagers: PagerDuty's Common Event Format, and an alert of Opsgenie's API.

Limits: PagerDuty takes 1,024 characters of summary, 255 of dedup_key and 512 KB in all (developer.pagerduty.com, Events API
v2, Send an Alert Event and Overview); Opsgenie 130 characters of message, 512 of alias and entity, 15,000 of description,
100 of source, 20 tags of 50 (docs.opsgenie.com, Alert API). Opsgenie renders HTML in message and description, so angle
brackets become their full-width forms. What people wrote is inert in both.
"""

from typing import Any

from alerts.alert import Level
from alerts.notification import Notification
from alerts.render.message import Message
from alerts.render.plain import plain
from alerts.render.shorten import in_one_line
from alerts.render.text import clean, cut, inert, inert_but, units

SUMMARY = 1024
MESSAGE = 130
DESCRIPTION = 15_000
ENTITY = 512

Json = dict[str, Any]

SEVERITIES = {Level.blue: "info", Level.yellow: "warning", Level.orange: "error", Level.red: "critical"}
PRIORITIES = {Level.blue: "P5", Level.yellow: "P3", Level.orange: "P2", Level.red: "P1"}


def severity(notification: Notification) -> str:
    """By level; a test wakes nobody."""
    return "info" if notification.kind == "test" else SEVERITIES[notification.incident.level]


def priority(notification: Notification) -> str:
    return "P5" if notification.kind == "test" else PRIORITIES[notification.incident.level]


def pagerduty(message: Message, notification: Notification) -> Json:
    """The ``payload`` and ``links`` of an event; details are in the order in which they are read."""
    incident = notification.incident
    details: dict[str, str] = {}
    if message.notice:
        details[message.word["notice"]] = inert(message.notice)
    for place, (label, value) in enumerate(message.facts, start=1):
        details[label or str(place)] = inert(value)
    for number, quote in enumerate(message.quotes, start=1):
        word = message.word
        told = f"{word['open_quote']}{inert(quote.text)}{word['close_quote']} {inert(quote.about)} {quote.url}"
        details[f"{word['excerpts']} {number}"] = told.rstrip()
    details[message.word["record"]] = inert(message.footer)
    payload = {
        "summary": _line(in_one_line(message), SUMMARY),
        "source": "listener",
        "severity": severity(notification),
        "timestamp": incident.lead.at.isoformat(),
        "component": _line(incident.lead.brand, 255),
        "group": _line(incident.topic or incident.kind, 255),
        "class": _line(incident.lead.rule, 255),
        "custom_details": details,
    }
    return {
        "payload": {name: value for name, value in payload.items() if value},
        "links": [{"href": link.url, "text": link.label} for link in message.links],
    }


def opsgenie(message: Message, notification: Notification) -> Json:
    """The fields of a new alert, without its alias."""
    incident = notification.incident
    tags = ("listener", incident.level.name, clean((incident.topic or incident.kind)[:200]))
    return {
        "message": cut(_angles(inert(message.headline)), MESSAGE, units),
        "description": cut(_angles(inert_but(plain(message), message.addresses)), DESCRIPTION, units),
        "priority": priority(notification),
        "source": "listener",
        "entity": _angles(_line(incident.lead.brand or "listener", ENTITY)),
        "tags": [_angles(cut(tag, 50, units)) for tag in tags if tag],
        "details": {"incident": _line(incident.id, 255), "level": incident.level.name},
    }


def _angles(text: str) -> str:
    return text.replace("<", "＜").replace(">", "＞")


def _line(text: str, limit: int) -> str:
    return cut(inert(clean(text[:4000])), limit, units)
