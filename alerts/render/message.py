"""What a notification says, in one language, before any channel's form."""

from dataclasses import dataclass, replace

from alerts.alert import Excerpt, Level
from alerts.notification import Notification
from alerts.render import times
from alerts.render.act import named
from alerts.render.channels import channel
from alerts.render.facts import facts
from alerts.render.handling import due_in_short, handler
from alerts.render.headline import called, headline, reason
from alerts.render.marks import Mark, carried, within
from alerts.render.names import RISKS
from alerts.render.notice import notice
from alerts.render.state import state_of
from alerts.render.tags import CALLS
from alerts.render.text import READ_AT_MOST, clean, cut, defuse, people, safe_url
from alerts.render.words import WORDS, Language
from alerts.silence import RULE as SILENCE

QUOTES = 3
HEADLINE = 140  # characters of a headline of the operator's own
BODY_LINES, BODY_LINE = 20, 300  # lines of a body of his own, and characters of each
QUOTE_LENGTH = 220
_MARKS = 8

_DOTS = {Level.blue: "🔵", Level.yellow: "🟡", Level.orange: "🟠", Level.red: "🔴"}
_OVER = "✅"
_NOTED = "ℹ️"
_WELL = frozenset({"resolve", "ended", "late", "self_late", "self_resolve"})  # an end that is one


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody wrote, defused and cut; ``about`` says where, who and how far it went.

    ``marks``: where in ``text`` the words stand that made it negative, as begin and end, in order, none overlapping.
    """

    text: str
    about: str
    url: str
    marks: tuple[Mark, ...] = ()

    def cut(self, limit: int) -> "Quote":
        """The same with at most so many characters of text."""
        text = cut(self.text, limit)
        return replace(self, text=text, marks=self.marks if text == self.text else within(self.marks, text))


@dataclass(frozen=True, slots=True)
class Message:
    """Clean single-line strings, none escaped for any channel. ``headline`` alone tells level, brand and what happened.

    ``facts`` are (label, value) pairs, or lines with no label. ``raised``: worth a second look by those who saw the first
    message. ``left``: excerpts that there are beyond ``quotes``. ``digest``: each fact names an alert, so none may be
    left out. ``well``: of what is over, that it is known to be. For forms of one line, which have no room for the facts:
    ``number``, what people call the incident, #12; ``due``, by when the public is to be answered; ``handler``, who has it,
    or what was done.
    """

    language: Language
    level: Level
    over: bool
    raised: bool
    headline: str
    because: str
    notice: str
    facts: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    links: tuple[Link, ...]
    footer: str
    left: int = 0
    digest: bool = False
    well: bool = True
    number: str = ""
    due: str = ""
    handler: str = ""

    @property
    def mark(self) -> str:
        """The level's dot, a tick where it is over."""
        if self.over:
            return _OVER if self.well else _NOTED
        return _DOTS[self.level]

    @property
    def word(self) -> dict[str, str]:
        return WORDS[self.language]

    def named(self, label: str) -> str:
        """What stands before a fact's value."""
        return f"{label}{self.word['colon']}" if label else ""

    @property
    def addresses(self) -> frozenset[str]:
        """All that may be followed: ours, and those of the excerpts."""
        return frozenset([link.url for link in self.links] + [quote.url for quote in self.quotes if quote.url])


def message(notification: Notification) -> Message:
    """The message of a notification; the same notification gives the same message."""
    incident = notification.incident
    lead = incident.lead
    language = notification.language
    state = state_of(notification)
    excerpts = _excerpts(notification)
    told = Message(
        language=language,
        level=incident.level,
        over=not incident.open,
        well=state in _WELL,
        raised=state in {"raised", "breakthrough", "unsilenced", "unowned", "lapse", *CALLS},
        headline=headline(notification, state),
        because=cut(defuse(reason(lead.because, language)[:READ_AT_MOST], WORDS[language]["link"]), 600),
        notice=notice(notification, state),
        facts=tuple(facts(notification)),
        quotes=tuple(_quote(notification, excerpt) for excerpt in excerpts[:QUOTES]),
        links=_links(notification),
        footer=_footer(notification),
        left=max(len(excerpts) - QUOTES, 0),
        number=called(incident),
        due=due_in_short(notification),
        handler=handler(notification, state),
    )
    return _in_own_words(told, notification)


def _in_own_words(told: Message, notification: Notification) -> Message:
    """What the operator's words leave out: all but the headline or the body's lines, a test's mark, and blindness."""
    wording = notification.wording
    if wording is None:
        return told
    if wording.headline is not None:
        told = replace(told, headline=wording.headline)
    if not wording.body:
        return told
    first, *rest = wording.body
    blind = notification.incident.kind == "topic" and notification.incident.lead.coverage.blind
    kept = [fact for fact in told.facts if blind and fact[0] == told.word["coverage"]]
    notice = told.notice if notification.kind == "test" else ""
    return replace(told, because=first, notice=notice, facts=(*(("", line) for line in rest), *kept))


def _excerpts(notification: Notification) -> list[Excerpt]:
    """The lead alert's, then those of the other open ones, each text once."""
    incident = notification.incident
    lead = incident.lead
    events = [lead, *(event for event in incident.alerts if event.alert != lead.alert and event.event != "resolved")]
    found: dict[str, Excerpt] = {}
    for event in events:
        for excerpt in event.excerpts:
            found.setdefault(excerpt.text[:READ_AT_MOST], excerpt)
    return list(found.values())


def _quote(notification: Notification, excerpt: Excerpt) -> Quote:
    language = notification.language
    word = WORDS[language]
    about = [RISKS[language].get(risk, risk) for risk in excerpt.risks]
    about.append(channel(excerpt.channel, language))
    if excerpt.author:
        about.append(named(excerpt.author, language))
    if excerpt.reach:
        about.append(word["people"].format(count=people(excerpt.reach, language)))
    if excerpt.published_at is not None:
        where = times.zone(notification.timezone)
        about.append(times.moment(excerpt.published_at, where, notification.incident.updated_at, language))
    said = excerpt.text[:READ_AT_MOST]
    text = cut(defuse(said, word["link"]), QUOTE_LENGTH) or "…"
    return Quote(
        text=text,
        about=" · ".join(part for part in about if part),
        url=safe_url(excerpt.url),
        marks=carried(said, excerpt.marks[:_MARKS], lambda part: defuse(part, word["link"]), text),
    )


def _links(notification: Notification) -> tuple[Link, ...]:
    word = WORDS[notification.language]
    links = [
        Link(word["console"], safe_url(notification.console_url)),
        Link(word["playbook"], safe_url(notification.incident.lead.playbook)),
    ]
    return tuple(link for link in links if link.url)


def _footer(notification: Notification) -> str:
    """Which incident it is, where it is one, and of when the figures are."""
    incident = notification.incident
    where = times.zone(notification.timezone)
    none = notification.kind == "alive" or incident.lead.rule == SILENCE
    return WORDS[notification.language]["footer_of_none" if none else "footer"].format(
        number=f"#{incident.number} · " if incident.number else "",
        incident=cut(clean(incident.id[:200]), 60),
        at=f"{incident.lead.at.astimezone(where):%Y-%m-%d %H:%M}",
        zone=where.key,
    )
