"""Who has an incident, and by when the public is to be answered."""

from dataclasses import replace

from alerts.incident import Incident
from alerts.notification import Notification
from alerts.render import times
from alerts.render.act import named, spoken
from alerts.render.names import STATES
from alerts.render.state import act_of
from alerts.render.text import cut
from alerts.render.words import WORDS, Language

_NAME = 12  # characters of who has it, where it is told in short


def deadline(notification: Notification) -> str:
    """By when the answer is due and how long that is, or by how much it is late; empty where there is no deadline."""
    due, language = notification.respond_by, notification.language
    if due is None or not notification.incident.open:
        return ""
    word = WORDS[language]
    now = notification.at or due
    at = times.moment(due, times.zone(notification.timezone), now, language)
    if notification.at is None:
        return word["respond_by"].format(at=at)
    length = times.duration(abs(due - now), language)
    return word["respond_left" if now < due else "respond_over"].format(at=at, duration=length)


def due_in_short(notification: Notification) -> str:
    """By when the answer is due, or was; empty where there is no deadline, or an answer is out."""
    due, incident, language = notification.respond_by, notification.incident, notification.language
    if due is None or not incident.open or incident.handling.responded_at is not None:
        return ""
    now = notification.at or due
    at = times.moment(due, times.zone(notification.timezone), now, language)
    return WORDS[language]["due" if now <= due else "overdue"].format(at=at)


def handled(notification: Notification) -> bool:
    """Whether it is one that people take, and had the time to."""
    incident = notification.incident
    return incident.kind == "topic" and incident.open and notification.kind not in {"open", "test"}


def handler(notification: Notification, state: str) -> str:
    """Who has it, or what was done where that is the news, in few words; empty where the headline says it."""
    language, taken = notification.language, notification.incident.handling.taken
    if not handled(notification):
        return ""
    act = act_of(notification) if notification.kind in {"acknowledge", "act"} else None
    if act is not None:
        return spoken(replace(act, text=""), language).rstrip("。.")
    if taken is None:
        return "" if state in {"unowned", "escalate"} else WORDS[language]["untaken"]
    return WORDS[language]["taken_by"].format(by=cut(named(taken.by, language), _NAME))


def handling(incident: Incident, language: Language) -> str:
    """Who has it: an owner who has not taken it may be asleep."""
    word, taken = WORDS[language], incident.handling.taken
    owner = named(incident.handling.owner, language)
    if taken is None:
        return word["untaken_owner"].format(owner=owner) if owner else word["untaken"]
    told = word["taken_by"].format(by=named(taken.by, language))
    other = owner and incident.handling.owner != taken.by
    answered = f" · {STATES[language]['mitigating']}" if incident.handling.responded_at else ""
    return f"{told}{answered}" + (f" · {word['owner'].format(owner=owner)}" if other else "")
