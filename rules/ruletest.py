"""A rule's unit test as a log: series of mentions, polls and outages become the rows that the engine would have read.

Pure and deterministic: the same scenario gives the same rows, byte for byte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.log import MentionRow, PollRow, Row, RulesRow, Scored
from rules.mention import Author, Mention, Reach
from rules.series import MAX_VALUES, Counts
from sentiment import Label, Risk, RiskCategory, Sentiment

MAX_MENTIONS = 500_000
MAX_POLLS = 500_000
"""Of one test; what asks for more is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A source that is polled every so often, from the start of the test on."""

    channel: str
    tier: str
    every: timedelta
    blind_after: timedelta


@dataclass(frozen=True, slots=True)
class Kind:
    """What all mentions of a series are like. ``authors`` of them take turns; None: each its own; 0: none is known.

    ``story``: all are copies of one; empty: each is a story of its own.
    """

    topics: tuple[str, ...]
    source: str
    channel: str
    label: Label = "neutral"
    confidence: float = 0.9
    risks: tuple[RiskCategory, ...] = ()
    authors: int | None = None
    author: str = ""
    followers: int | None = None
    verified: bool | None = None
    reach: int | None = None
    title: str = ""
    text: str = ""
    story: str = ""
    site: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A series of mentions: ``counts`` of them within each ``per`` from ``begins`` on, spread evenly.

    Those before ``first`` and from ``ends`` on are left out. ``late``: how long after it was published each is
    collected. ``history``: it trains, and never fires.
    """

    name: str
    kind: Kind
    counts: Counts
    per: timedelta
    begins: datetime
    first: datetime | None = None
    ends: datetime | None = None
    late: timedelta = timedelta(0)
    history: bool = False

    def published(self) -> Iterator[datetime]:
        """When each was published: of n within a step, the middles of its n equal parts, up to ``ends``."""
        begin = self.begins
        for count in self.counts.whole():
            for number in range(count):
                at = begin + self.per * (2 * number + 1) / (2 * count)
                if self.ends is not None and at >= self.ends:
                    return
                if self.first is None or at >= self.first:
                    yield at
            begin += self.per


@dataclass(frozen=True, slots=True)
class Outage:
    """The polls of these sources fail from ``begins`` on, until before ``ends``."""

    sources: frozenset[str]
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Scenario:
    """``rules``: what a RulesRow carries. It runs from ``start`` to ``ends``; history lies before."""

    rules: str
    step: timedelta
    start: datetime
    ends: datetime
    feeds: Mapping[str, Feed]
    streams: tuple[Stream, ...]
    outages: tuple[Outage, ...] = ()

    @property
    def began(self) -> datetime:
        """When the rules were switched on: where the history begins, else at the start."""
        return min((one.first or one.begins for one in self.streams if one.history), default=self.start)


def rows(scenario: Scenario) -> list[Row]:
    """The log of a scenario, in the order in which its rows were committed; raises ValueError for one that is too long."""
    _limit(scenario)
    drafts: list[tuple[datetime, int, str, Row]] = []
    for stream in scenario.streams:
        tier, judged = scenario.feeds[stream.kind.source].tier, _sentiment(stream.kind)
        scored = tuple(Scored(topic, (), judged) for topic in stream.kind.topics)
        for number, published in enumerate(stream.published()):
            at = published if stream.history else _arrives(scenario, stream, published)
            if at < scenario.ends:
                mention, story = _mention(stream, number, published, at)
                row = MentionRow(0, at, mention, tier, published, stream.history, scored, story)
                drafts.append((at, 0, mention.external_id, row))
    for name, feed in scenario.feeds.items():
        # A poll is committed after what it brought.
        drafts.extend((row.at, 1, name, row) for row in _polls(scenario, name, feed))
    drafts.sort(key=lambda draft: draft[:3])
    first = RulesRow(1, scenario.began, scenario.rules, tuple(scenario.feeds))
    return [first, *(replace(row, seq=seq) for seq, (*_, row) in enumerate(drafts, start=2))]


def _limit(scenario: Scenario) -> None:
    if sum(stream.counts.total for stream in scenario.streams) > MAX_MENTIONS:
        raise ValueError(f"its series make more than {MAX_MENTIONS:,} mentions")
    if any(len(stream.counts) > MAX_VALUES for stream in scenario.streams):
        raise ValueError(f"a series of its history is longer than {MAX_VALUES:,} values: let each stand for more time")
    lasts = scenario.ends - scenario.start
    if sum(lasts / feed.every for feed in scenario.feeds.values()) > MAX_POLLS:
        raise ValueError(
            f"it lasts for more than {MAX_POLLS:,} polls: end it earlier, or let sources be polled less often"
        )


def _polls(scenario: Scenario, name: str, feed: Feed) -> Iterator[PollRow]:
    at = scenario.start
    while at < scenario.ends:
        down = any(name in one.sources and one.begins <= at < one.ends for one in scenario.outages)
        yield PollRow(0, at, name, at, not down, "timeout" if down else "", feed.blind_after)
        at += feed.every


def _arrives(scenario: Scenario, stream: Stream, published: datetime) -> datetime:
    """When a mention is collected: as it appears, or with the first good poll after an outage."""
    at, source = published + stream.late, stream.kind.source
    every = scenario.feeds[source].every
    # By their beginnings, so that an outage into which the end of another leads is met as well.
    for outage in sorted(scenario.outages, key=lambda one: one.begins):
        if source in outage.sources and outage.begins <= at < outage.ends:
            at = scenario.start + -((scenario.start - outage.ends) // every) * every
    return at


def _mention(stream: Stream, number: int, published: datetime, at: datetime) -> tuple[Mention, str]:
    kind, name = stream.kind, f"{stream.name}-{number + 1}"
    mention = Mention(
        source=kind.source,
        channel=kind.channel,
        external_id=name,
        text=kind.text or f"{stream.name} {number + 1}",
        title=kind.title,
        url=f"https://{kind.source}.example.com/{name}",
        author=_author(stream, number),
        published_at=published,
        collected_at=at,
        reach=Reach(views=kind.reach),
        site=kind.site,
        region=kind.region,
    )
    return mention, kind.story or f"{kind.source}:{name}"


def _author(stream: Stream, number: int) -> Author | None:
    kind = stream.kind
    if kind.author:
        return Author(kind.author, kind.author, kind.followers, kind.verified)
    if kind.authors == 0:
        return None
    turn = number if kind.authors is None else number % kind.authors
    name = f"{stream.name}-author-{turn + 1}"
    return Author(name, name, kind.followers, kind.verified)


def _sentiment(kind: Kind) -> Sentiment:
    risks = tuple(Risk(risk, kind.confidence, "text", 0, 0) for risk in kind.risks)
    if kind.label == "unknown":
        return Sentiment(negative=0.0, neutral=1.0, positive=0.0, label="unknown", confidence=0.0, risks=risks)
    shares = dict.fromkeys(("negative", "neutral", "positive"), (1 - kind.confidence) / 2)
    shares[kind.label] = kind.confidence
    return Sentiment(
        negative=shares["negative"],
        neutral=shares["neutral"],
        positive=shares["positive"],
        label=kind.label,
        confidence=kind.confidence,
        risks=risks,
    )
