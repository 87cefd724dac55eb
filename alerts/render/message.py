"""What a notification says, in one language, before any channel's form."""

from dataclasses import dataclass, replace
from datetime import timedelta

from alerts.alert import AGED, CATCH_UP, WITHDRAWN, AlertEvent, Excerpt, Level, StoryRef
from alerts.handling import TOLD_ACTS, Act
from alerts.incident import Incident
from alerts.notification import Notification
from alerts.render import words
from alerts.render.act import named, spoken
from alerts.render.channels import channel
from alerts.render.marks import Mark, carried, within
from alerts.render.text import clean, cut, defuse, people, pieces, safe_url
from alerts.render.words import ACT, LEVELS, TAGS, WORDS, Language
from alerts.silence import RULE as SILENCE

QUOTES = 3
HEADLINE = 140  # characters of a headline of the operator's own
BODY_LINES, BODY_LINE = 20, 300  # lines of a body of his own, and characters of each
QUOTE_LENGTH = 220
STORIES = 2
MEMBERS = 5
NEWS = 3
CHANNELS = 8
BLIND = 5
_MARKS = 8
_NAME = 12  # characters of who has it, where it is told in short
_ENDS = 6  # characters of each end of an incident's id, where it is told in short
_READ_AT_MOST = 4000  # of a text that is shown cut: cleaning 100 kB to show 200 characters is waste

_DOTS = {Level.blue: "🔵", Level.yellow: "🟡", Level.orange: "🟠", Level.red: "🔴"}
_OVER = "✅"
_NOTED = "ℹ️"
_WELL = frozenset({"resolve", "ended", "late", "self_late", "self_resolve"})  # an end that is one
_CALLS = frozenset({"remind", "breach", "escalate"})  # somebody must do something, though nothing new has happened


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
    state = _state(notification)
    excerpts = _excerpts(notification)
    told = Message(
        language=language,
        level=incident.level,
        over=not incident.open,
        well=state in _WELL,
        raised=state in {"raised", "breakthrough", "unsilenced", "unowned", "lapse", *_CALLS},
        headline=_headline(notification, state),
        because=cut(defuse(_because(lead, language)[:_READ_AT_MOST], WORDS[language]["link"]), 600),
        notice=_notice(notification, state),
        facts=tuple(_facts(notification)),
        quotes=tuple(_quote(notification, excerpt) for excerpt in excerpts[:QUOTES]),
        links=_links(notification),
        footer=_footer(notification),
        left=max(len(excerpts) - QUOTES, 0),
        number=called(incident),
        due=due_in_short(notification),
        handler=_handler(notification, state),
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


def _state(notification: Notification) -> str:
    """What the message is: a key of TAGS."""
    incident, state = notification.incident, str(notification.kind)
    if incident.lead.rule == SILENCE:
        return f"silence_{state}"
    if state == "open" and not incident.open:
        state = "late"
    elif state == "resolve":
        state = _end(incident)
    elif state == "update":
        state = _change(notification)
    elif state == "remind" and notification.note is not None:
        state = "lapse"  # of who took it, not of the deadline
    elif state == "act" and incident.open and incident.handling.taken is None:
        state = "unowned"
    own = f"self_{state}"  # the program's own alerts must not look like a brand's crisis
    return own if incident.kind == "self" and own in TAGS["zh"] else state


def _end(incident: Incident) -> str:
    if incident.handling.merged_into:
        return "merged"
    if incident.handling.ended is not None:
        return "ended"
    if incident.lead.rule == CATCH_UP:
        return "caught_up"
    said = incident.lead.because.en
    return "withdrawn" if said.startswith(WITHDRAWN) else "expired" if said.startswith(AGED) else "resolve"


def _change(notification: Notification) -> str:
    incident, lead = notification.incident, notification.incident.lead
    if notification.was is not None and notification.was != incident.level:
        return "raised" if incident.level > notification.was else "lowered"
    if notification.was is None and lead.at == incident.updated_at and lead.event in {"raised", "lowered"}:
        return lead.event
    return "update"


def _headline(notification: Notification, state: str) -> str:
    language = notification.language
    tag, brand, what = _told(notification, state)
    headline = WORDS[language]["headline"].format(tag=tag if language == "zh" else tag.upper(), brand=brand, what=what)
    return repeated_mark(notification) + headline


def repeated_mark(notification: Notification) -> str:
    """What the headline begins with, for its end may be cut, where the message may have come before."""
    return WORDS[notification.language]["perhaps"] if notification.perhaps_repeated else ""


def in_short(notification: Notification) -> tuple[str, str, str]:
    """What a notification is (橙色预警), of which brand, and what happened: its headline in parts."""
    return _told(notification, _state(notification))


def _told(notification: Notification, state: str) -> tuple[str, str, str]:
    language, incident = notification.language, notification.incident
    lead = incident.lead
    own = incident.kind == "self"
    brand = WORDS[language]["self"] if own else named(lead.brand, language) or named(lead.topic or "", language)
    act = _act(notification) if state == "merged" else None
    other = f"#{act.other}" if act is not None and act.other else ""
    tag = TAGS[language]["merged_number" if other else state].format(
        level=LEVELS[language][incident.level], other=other
    )
    return tag, brand, cut(_title(lead, language), 80)


def _because(event: AlertEvent, language: Language) -> str:
    """The reason without the word that is there for programs."""
    return event.because.of(language).removeprefix(WITHDRAWN).removeprefix(AGED).lstrip("：: ")


def _title(event: AlertEvent, language: Language) -> str:
    told = event.title.of(language) or _because(event, language) or event.rule
    return defuse(told[:_READ_AT_MOST], WORDS[language]["link"])


def _notice(notification: Notification, state: str) -> str:
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
    if state in {"lapse", *_CALLS}:
        return _call(notification)
    if state == "resolve":
        return word["lasted"].format(duration=words.duration(incident.updated_at - incident.wave, language))
    act = _act(notification)
    told = [spoken(act, language)] if act is not None else [word["taken"]] if state == "acknowledge" else []
    if state in {"ended", "merged"}:
        return _sentences(told, language)
    if state == "breakthrough":
        told.append(word["breakthrough"])
    if state == "update" and (news := _news(notification)):
        told.append(news)
    if state in {"update", "repeat", "acknowledge", "act", "unowned", "breakthrough", "unsilenced"}:
        where = words.zone(notification.timezone)
        opened, at = (
            words.moment(one, where, incident.updated_at, language) for one in (incident.wave, incident.lead.at)
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
        word[f"news_{event.event}"].format(title=cut(_title(event, language), 40), level=LEVELS[language][event.level])
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
        return cut(defuse(note.of(language)[:_READ_AT_MOST], word["link"]), 300)
    return word[f"{notification.kind}_told"]


def deadline(notification: Notification) -> str:
    """By when the answer is due and how long that is, or by how much it is late; empty where there is no deadline."""
    due, language = notification.respond_by, notification.language
    if due is None or not notification.incident.open:
        return ""
    word = WORDS[language]
    now = notification.at or due
    at = words.moment(due, words.zone(notification.timezone), now, language)
    if notification.at is None:
        return word["respond_by"].format(at=at)
    length = words.duration(abs(due - now), language)
    return word["respond_left" if now < due else "respond_over"].format(at=at, duration=length)


def called(incident: Incident) -> str:
    """#12; empty where it has no number."""
    return f"#{incident.number}" if incident.number else ""


def due_in_short(notification: Notification) -> str:
    """By when the answer is due, or was; empty where there is no deadline, or an answer is out."""
    due, incident, language = notification.respond_by, notification.incident, notification.language
    if due is None or not incident.open or incident.handling.responded_at is not None:
        return ""
    now = notification.at or due
    at = words.moment(due, words.zone(notification.timezone), now, language)
    return WORDS[language]["due" if now <= due else "overdue"].format(at=at)


def _act(notification: Notification) -> Act | None:
    """What was done, where that is what the message is about."""
    incident = notification.incident
    if notification.kind in {"acknowledge", "act"}:
        kinds: frozenset[str] = TOLD_ACTS
    elif notification.kind == "resolve" and _end(incident) in {"ended", "merged"}:
        kinds = frozenset({"resolve", "merge"})
    elif notification.kind == "update" and incident.handling.taken is None:
        # A level that rose above what was taken makes it nobody's.
        last = incident.handling.timeline[-1:]
        return last[0] if last and last[0].kind == "unacknowledge" and last[0].revision == incident.revision else None
    else:
        return None
    return next((act for act in reversed(incident.handling.timeline) if act.kind in kinds), None)


def _sentences(told: list[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(told)


def _facts(notification: Notification) -> list[tuple[str, str]]:
    language, incident = notification.language, notification.incident
    word = WORDS[language]
    lead = incident.lead
    reached = lead.reached
    found: list[tuple[str, str]] = []
    if _handled(notification):
        found.append((word["handling"], _handling(incident, language)))
    if due := deadline(notification):
        found.append((word["respond"], due))
    if reached.mentions:
        spread = [
            words.counted(
                word["mentions"].format(
                    count=people(reached.mentions, language), negative=people(reached.negative, language)
                ),
                reached.mentions,
            ),
            words.counted(word["authors"].format(count=people(reached.authors, language)), reached.authors),
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
        where = words.zone(notification.timezone)
        period = words.period(lead.window.start, lead.window.end, where, incident.updated_at, language)
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
        found.append((word["playbook"], cut(defuse(lead.playbook[:_READ_AT_MOST], word["link"]), 200)))
    return found


def _handled(notification: Notification) -> bool:
    """Whether it is one that people take, and had the time to."""
    incident = notification.incident
    return incident.kind == "topic" and incident.open and notification.kind not in {"open", "test"}


def _handler(notification: Notification, state: str) -> str:
    """Who has it, or what was done where that is the news, in few words; empty where the headline says it."""
    language, taken = notification.language, notification.incident.handling.taken
    if not _handled(notification):
        return ""
    act = _act(notification) if notification.kind in {"acknowledge", "act"} else None
    if act is not None:
        return spoken(replace(act, text=""), language).rstrip("。.")
    if taken is None:
        return "" if state in {"unowned", "escalate"} else WORDS[language]["untaken"]
    return WORDS[language]["taken_by"].format(by=cut(named(taken.by, language), _NAME))


def _handling(incident: Incident, language: Language) -> str:
    """Who has it: an owner who has not taken it may be asleep."""
    word, taken = WORDS[language], incident.handling.taken
    owner = named(incident.handling.owner, language)
    if taken is None:
        return word["untaken_owner"].format(owner=owner) if owner else word["untaken"]
    told = word["taken_by"].format(by=named(taken.by, language))
    other = owner and incident.handling.owner != taken.by
    answered = f" · {words.STATES[language]['mitigating']}" if incident.handling.responded_at else ""
    return f"{told}{answered}" + (f" · {word['owner'].format(owner=owner)}" if other else "")


def _story(story: StoryRef, language: Language) -> str:
    """What is being passed on, how often, and where; one channel goes without saying."""
    word = WORDS[language]
    channels = [channel(name, language) for name in story.channels]
    return word["crossed" if len(channels) > 1 else "copies"].format(
        title=cut(defuse(story.title[:_READ_AT_MOST], word["link"]), 80),
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
        told.append(words.counted(word["more"].format(count=len(others) - MEMBERS), len(others) - MEMBERS))
    return word["semicolon"].join(told)


def _of_topic(event: AlertEvent, lead: AlertEvent, language: Language) -> str:
    """Its title, and of which topic it is where that is another than the lead's: a story brought them together."""
    title = cut(_title(event, language), 40)
    other = event.topic if event.topic is not None and event.topic != lead.topic else ""
    return f"{named(other, language)} · {title}" if other else title


def _coverage(notification: Notification) -> str:
    """What could not be seen when the lead alert spoke."""
    language, lead = notification.language, notification.incident.lead
    word = WORDS[language]
    where = words.zone(notification.timezone)
    blind = [
        word["blind"].format(
            source=named(source, language),
            duration=words.duration(max(lead.at - since, timedelta(0)), language),
            since=words.moment(since, where, lead.at, language),
        )
        for source, since in lead.coverage.blind[:BLIND]
    ]
    if not blind:
        return word["complete"]
    return word["comma"].join(blind) + _left(len(lead.coverage.blind) - BLIND) + word["at_least"]


def _excerpts(notification: Notification) -> list[Excerpt]:
    """The lead alert's, then those of the other open ones, each text once."""
    incident = notification.incident
    lead = incident.lead
    events = [lead, *(event for event in incident.alerts if event.alert != lead.alert and event.event != "resolved")]
    found: dict[str, Excerpt] = {}
    for event in events:
        for excerpt in event.excerpts:
            found.setdefault(excerpt.text[:_READ_AT_MOST], excerpt)
    return list(found.values())


def _quote(notification: Notification, excerpt: Excerpt) -> Quote:
    language = notification.language
    word = WORDS[language]
    about = [words.RISKS[language].get(risk, risk) for risk in excerpt.risks]
    about.append(channel(excerpt.channel, language))
    if excerpt.author:
        about.append(named(excerpt.author, language))
    if excerpt.reach:
        about.append(word["people"].format(count=people(excerpt.reach, language)))
    if excerpt.published_at is not None:
        where = words.zone(notification.timezone)
        about.append(words.moment(excerpt.published_at, where, notification.incident.updated_at, language))
    said = excerpt.text[:_READ_AT_MOST]
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
    incident = notification.incident
    where = words.zone(notification.timezone)
    return WORDS[notification.language]["footer"].format(
        number=f"#{incident.number} · " if incident.number else "",
        incident=cut(clean(incident.id[:200]), 60),
        at=f"{incident.lead.at.astimezone(where):%Y-%m-%d %H:%M}",
        zone=where.key,
    )
