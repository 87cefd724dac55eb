"""What a message says of itself: whose it was, whether it came before, what has changed and what to do."""

from alerts.notification import Notification
from alerts.render import times
from alerts.render.act import named, spoken
from alerts.render.headline import title_of
from alerts.render.state import act_of
from alerts.render.tags import ACT, CALLS
from alerts.render.text import READ_AT_MOST, clean, cut, defuse
from alerts.render.words import LEVELS, WORDS, Language

NEWS = 3
_ENDS = 6  # characters of each end of an incident's id, where it is told in short


def notice(notification: Notification, state: str) -> str:
    """Sentences on the message itself, where there are some to say: whose it was, whether it came before, what it is."""
    told = [_passed_on(notification), repeated_notice(notification), _of_state(notification, state)]
    return _sentences([one for one in told if one], notification.language)


def _passed_on(notification: Notification) -> str:
    passed, language = notification.passed_on, notification.language
    if passed is None or notification.kind in {"resolve", "acknowledge", "act"}:
        return ""
    word = WORDS[language]
    channels = word["comma"].join(named(name, language) for name in passed.channels)
    return word["passed_late" if passed.late else "passed_failed"].format(
        receiver=named(passed.receiver, language), channels=channels
    )


def repeated_notice(notification: Notification) -> str:
    """By its number, or the ends of its id, the incident is found in the footer of the message that may be the same."""
    if not notification.perhaps_repeated:
        return ""
    name = clean(notification.incident.id[:200])
    short = name if len(name) <= 2 * _ENDS + 1 else f"{name[:_ENDS]}…{name[-_ENDS:]}"
    short = f"#{notification.incident.number}" if notification.incident.number else short
    return WORDS[notification.language]["perhaps_notice"].format(incident=short)


def _of_state(notification: Notification, state: str) -> str:
    language, incident = notification.language, notification.incident
    word = WORDS[language]
    if state in {"test", "late"}:
        return word[state]
    if state in {"lapse", *CALLS}:
        return _call(notification)
    if state == "resolve":
        return word["lasted"].format(duration=times.duration(incident.updated_at - incident.wave, language))
    act = act_of(notification)
    told = [spoken(act, language)] if act is not None else [word["taken"]] if state == "acknowledge" else []
    if state in {"ended", "merged"}:
        return _sentences(told, language)
    if state == "breakthrough":
        told.append(word["breakthrough"])
    if state == "update" and (news := _news(notification)):
        told.append(news)
    if state in {"update", "repeat", "acknowledge", "act", "unowned", "breakthrough", "unsilenced"}:
        where = times.zone(notification.timezone)
        opened, at = (
            times.moment(one, where, incident.updated_at, language) for one in (incident.wave, incident.lead.at)
        )
        return _sentences([*told, word["so_far"].format(opened=opened, at=at)], language)
    if state in {"raised", "lowered"} and notification.was is not None:
        told.insert(0, word["was"].format(level=LEVELS[language][notification.was]))
    if state in {"open", "raised"}:
        told.append(ACT[language][incident.level])
    return _sentences(told, language)


def _news(notification: Notification) -> str:
    """Which alerts of the incident opened, rose, fell or ended since the last message, or else at the newest time."""
    language, incident = notification.language, notification.incident
    word = WORDS[language]
    known = incident.updated_at if notification.previous is None else min(notification.previous.at, incident.updated_at)
    found = [
        word[f"news_{event.event}"].format(
            title=cut(title_of(event, language), 40), level=LEVELS[language][event.level]
        )
        for event in sorted(incident.alerts, key=lambda event: (event.event == "resolved", -event.level, event.at))
        if event.event != "updated" and incident.wave < event.at and known <= event.at
    ]
    if not found:
        return ""
    more = [word["news_more"].format(count=len(found) - NEWS)] if len(found) > NEWS else []
    return word["news"].format(news=word["semicolon"].join(found[:NEWS] + more))


def _call(notification: Notification) -> str:
    """What somebody must do, and why they are told."""
    language, note = notification.language, notification.note
    word = WORDS[language]
    if note is not None:
        return cut(defuse(note.of(language)[:READ_AT_MOST], word["link"]), 300)
    return word[f"{notification.kind}_told"]


def _sentences(told: list[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(told)
