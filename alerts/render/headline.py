"""The first line of a message: what it is, whose, and what happened."""

from alerts.alert import AGED, WITHDRAWN, AlertEvent, Because
from alerts.incident import Incident
from alerts.notification import Notification
from alerts.render.act import named
from alerts.render.state import act_of, state_of
from alerts.render.tags import TAGS
from alerts.render.text import READ_AT_MOST, cut, defuse
from alerts.render.words import LEVELS, WORDS, Language


def headline(notification: Notification, state: str) -> str:
    """The line whole, with the mark of a repeat before it."""
    language = notification.language
    tag, brand, what = _told(notification, state)
    headline = WORDS[language]["headline"].format(tag=tag if language == "zh" else tag.upper(), brand=brand, what=what)
    return repeated_mark(notification) + headline


def repeated_mark(notification: Notification) -> str:
    """What the headline begins with, for its end may be cut, where the message may have come before."""
    return WORDS[notification.language]["perhaps"] if notification.perhaps_repeated else ""


def in_short(notification: Notification) -> tuple[str, str, str]:
    """What a notification is (橙色预警), of which brand, and what happened: its headline in parts."""
    return _told(notification, state_of(notification))


def _told(notification: Notification, state: str) -> tuple[str, str, str]:
    language, incident = notification.language, notification.incident
    lead = incident.lead
    own = incident.kind == "self"
    brand = WORDS[language]["self"] if own else named(lead.brand, language) or named(lead.topic or "", language)
    act = act_of(notification) if state == "merged" else None
    other = f"#{act.other}" if act is not None and act.other else ""
    tag = TAGS[language]["merged_number" if other else state].format(
        level=LEVELS[language][incident.level], other=other
    )
    return tag, brand, cut(title_of(lead, language), 80)


def called(incident: Incident) -> str:
    """#12; empty where it has no number."""
    return f"#{incident.number}" if incident.number else ""


def reason(because: Because, language: Language) -> str:
    """The reason without the word that is there for programs."""
    return because.of(language).removeprefix(WITHDRAWN).removeprefix(AGED).lstrip("：: ")


def title_of(event: AlertEvent, language: Language) -> str:
    """What the alert is about; its reason where it has no title, its rule where it has neither."""
    told = event.title.of(language) or reason(event.because, language) or event.rule
    return defuse(told[:READ_AT_MOST], WORDS[language]["link"])
