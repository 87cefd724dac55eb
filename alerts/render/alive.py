"""The daily word that the program works."""

from collections.abc import Sequence

from alerts.alert import Because, Level
from alerts.alive import Alive
from alerts.notification import Notification
from alerts.render import times
from alerts.render.act import named
from alerts.render.channels import channel
from alerts.render.message import Message, message
from alerts.render.text import pieces
from alerts.render.words import LEVELS, WORDS, Language

SOURCES = 20
CLASSES = 12


def alive(notification: Notification, told: Alive) -> Message:
    """A message as every other, with its own facts."""
    language = notification.language
    word, zone = WORDS[language], notification.timezone
    undelivered = [
        word[name].format(count=pieces(count, language))
        for name, count in (("alive_waiting", told.waiting), ("alive_dead", told.dead))
        if count
    ]
    since = times.moment(told.since, times.zone(zone), told.at, language)
    facts = (
        (
            word["alive_mentions"],
            word["alive_since"].format(count=pieces(told.mentions, language), since=since),
        ),
        (word["alive_alerts"], _levels(told.alerts, language)),
        (word["alive_open"], _levels(told.open, language)),
        (word["alive_blind"], _blind(told, language, zone) or word["none"]),
        (word["alive_undelivered"], word["comma"].join(undelivered) or word["none"]),
        (word["alive_newest"], _newest(told, language, zone)),
    )
    state = "alive_well" if told.well else "alive_quiet" if told.mentions == 0 else "alive_look"
    whole = message(notification)
    return Message(
        language=language,
        level=whole.level,
        over=False,
        raised=False,
        headline=whole.headline,
        because=word[state],
        notice=whole.notice,
        facts=facts,
        quotes=(),
        links=whole.links,
        footer=whole.footer,
    )


def in_words(told: Alive, timezone: str) -> Because:
    """The same in a sentence, for what reads an alert's reason: programs, and the lists of pages."""
    return Because(_sentence(told, "zh", timezone), _sentence(told, "en", timezone))


def _sentence(told: Alive, language: Language, timezone: str) -> str:
    word = WORDS[language]
    blind = _blind(told, language, timezone)
    return word["alive_because"].format(
        since=times.moment(told.since, times.zone(timezone), told.at, language),
        mentions=pieces(told.mentions, language),
        alerts=_levels(told.alerts, language),
        blind=word["alive_blind_yes"].format(sources=blind) if blind else word["alive_blind_no"],
    )


def _levels(counts: Sequence[tuple[Level, int]], language: Language) -> str:
    word = WORDS[language]
    told = [
        word["alive_level"].format(level=LEVELS[language][level], count=pieces(count, language))
        for level, count in sorted(counts, reverse=True)
        if count
    ]
    return word["comma"].join(told) or word["none"]


def _blind(told: Alive, language: Language, timezone: str) -> str:
    word, zone = WORDS[language], times.zone(timezone)
    sources = [
        word["alive_source"].format(source=named(source, language), since=times.moment(since, zone, told.at, language))
        for source, since in told.blind[:SOURCES]
    ]
    return word["comma"].join(sources) + (f" +{len(told.blind) - SOURCES}" if len(told.blind) > SOURCES else "")


def _newest(told: Alive, language: Language, timezone: str) -> str:
    word, zone = WORDS[language], times.zone(timezone)
    classes = [
        word["alive_class"].format(
            name=channel(name, language), at=times.moment(at, zone, told.at, language) if at else word["alive_never"]
        )
        for name, at in told.newest[:CLASSES]
    ]
    return word["semicolon"].join(classes) or word["none"]
