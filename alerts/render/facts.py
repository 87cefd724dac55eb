"""How far it went, where, when, what else belongs to it, and what could not be seen."""

from datetime import timedelta

from alerts.alert import AlertEvent, StoryRef
from alerts.notification import Notification
from alerts.render import times
from alerts.render.act import named
from alerts.render.channels import channel
from alerts.render.handling import deadline, handled, handling
from alerts.render.headline import title_of
from alerts.render.text import READ_AT_MOST, cut, defuse, people, pieces, safe_url
from alerts.render.words import LEVELS, WORDS, Language, counted

STORIES = 2
MEMBERS = 5
CHANNELS = 8
BLIND = 5


def facts(notification: Notification) -> list[tuple[str, str]]:
    """Pairs of a label and a value, in the order in which they are read."""
    language, incident = notification.language, notification.incident
    word = WORDS[language]
    lead = incident.lead
    reached = lead.reached
    found: list[tuple[str, str]] = []
    if handled(notification):
        found.append((word["handling"], handling(incident, language)))
    if due := deadline(notification):
        found.append((word["respond"], due))
    if reached.mentions:
        spread = [
            counted(
                word["mentions"].format(
                    count=people(reached.mentions, language), negative=people(reached.negative, language)
                ),
                reached.mentions,
            ),
            counted(word["authors"].format(count=people(reached.authors, language)), reached.authors),
        ]
        # Nought means that no source tells, not that nobody saw it.
        known = word["people"].format(count=people(reached.people, language))
        spread.append(known if reached.people else word["people_unknown"])
        found.append((word["spread"], " · ".join(spread)))
    if reached.channels:
        counts = [
            word["channel"].format(name=channel(name, language), count=people(count, language))
            for name, count in reached.channels[:CHANNELS]
        ]
        found.append((word["channels"], word["comma"].join(counts) + _left(len(reached.channels) - CHANNELS)))
    if lead.window is not None:
        where = times.zone(notification.timezone)
        period = times.period(lead.window.start, lead.window.end, where, incident.updated_at, language)
        found.append((word["window"], period))
    if lead.baseline == "cold":
        found.append((word["baseline"], word["cold"]))
    passed_on = [story for story in lead.stories if story.copies > 1]
    found.extend((word["story"], _story(story, language)) for story in passed_on[:STORIES])
    also = _members(notification)
    if also:
        found.append((word["also"], also))
    if incident.kind == "topic":  # of itself the program says it in the reason
        found.append((word["coverage"], _coverage(notification)))
    if lead.playbook and not safe_url(lead.playbook):
        found.append((word["playbook"], cut(defuse(lead.playbook[:READ_AT_MOST], word["link"]), 200)))
    return found


def _story(story: StoryRef, language: Language) -> str:
    """What is being passed on, how often, and where; one channel goes without saying."""
    word = WORDS[language]
    channels = [channel(name, language) for name in story.channels]
    return word["crossed" if len(channels) > 1 else "copies"].format(
        title=cut(defuse(story.title[:READ_AT_MOST], word["link"]), 80),
        count=pieces(story.copies, language),
        channels=word["comma"].join(channels[:CHANNELS]) + _left(len(channels) - CHANNELS),
    )


def _left(count: int) -> str:
    return f" +{count}" if count > 0 else ""


def _members(notification: Notification) -> str:
    """The incident's other alerts, the open and high ones first."""
    language, incident = notification.language, notification.incident
    word = WORDS[language]
    others = sorted(
        (event for event in incident.alerts if event.alert != incident.lead.alert),
        key=lambda event: (event.event == "resolved", -event.level, event.at),
    )
    told = [
        (word["resolved"] if event.event == "resolved" else word["member"]).format(
            title=_of_topic(event, incident.lead, language), level=LEVELS[language][event.level]
        )
        for event in others[:MEMBERS]
    ]
    if len(others) > MEMBERS:
        told.append(counted(word["more"].format(count=len(others) - MEMBERS), len(others) - MEMBERS))
    return word["semicolon"].join(told)


def _of_topic(event: AlertEvent, lead: AlertEvent, language: Language) -> str:
    """Its title, and of which topic it is where that is another than the lead's: a story brought them together."""
    title = cut(title_of(event, language), 40)
    other = event.topic if event.topic is not None and event.topic != lead.topic else ""
    return f"{named(other, language)} · {title}" if other else title


def _coverage(notification: Notification) -> str:
    """What could not be seen when the lead alert spoke."""
    language, lead = notification.language, notification.incident.lead
    word = WORDS[language]
    where = times.zone(notification.timezone)
    blind = [
        word["blind"].format(
            source=named(source, language),
            duration=times.duration(max(lead.at - since, timedelta(0)), language),
            since=times.moment(since, where, lead.at, language),
        )
        for source, since in lead.coverage.blind[:BLIND]
    ]
    if not blind:
        return word["complete"]
    return word["comma"].join(blind) + _left(len(lead.coverage.blind) - BLIND) + word["at_least"]
