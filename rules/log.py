"""The rows of the one ordered log that feeds the engine; live, restart, replay and backtest read the same rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.mention import Mention
from sentiment import Sentiment


@dataclass(frozen=True, slots=True)
class Scored:
    """A mention's match with one topic and its score there; no sentiment: the analyzer failed on it three times."""

    topic: str
    words: tuple[str, ...]
    sentiment: Sentiment | None
    analyzer: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class MentionRow:
    """A mention that is new and matched. ``event_at`` is the time it counts at, aware UTC.

    ``history``: it trains and shows, it never fires (older than 30 days, or undated in its source's first poll).
    ``story``: what it is told to belong to, by the id that the story had then; empty in logs of before there were any.
    """

    seq: int
    at: datetime
    mention: Mention
    tier: str
    event_at: datetime
    history: bool
    scored: tuple[Scored, ...]
    story: str = ""


@dataclass(frozen=True, slots=True)
class StoryRow:
    """Two stories turned out to be one: what was told as ``alias`` is told as ``story`` from now on."""

    seq: int
    at: datetime
    alias: str
    story: str


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A stored mention came again, changed: its text and reach now. Never counted twice."""

    seq: int
    at: datetime
    mention: Mention


@dataclass(frozen=True, slots=True)
class PollRow:
    """A poll of a source ended. ``blind_after``: how long without a good poll until the source counts as blind."""

    seq: int
    at: datetime
    source: str
    started_at: datetime
    ok: bool
    reason: str
    blind_after: timedelta


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A later judgement of a stored mention for one topic, by a model or a person."""

    seq: int
    at: datetime
    source: str
    external_id: str
    scored: Scored
    by: str


@dataclass(frozen=True, slots=True)
class RulesRow:
    """From here on these rules, topics' targets and sources hold: the configuration as JSON, as it was checked.

    ``sources`` are the ids of all configured sources; one that is missing from now on no longer counts as blind.
    """

    seq: int
    at: datetime
    rules: str
    sources: tuple[str, ...]


Row = MentionRow | StoryRow | RevisionRow | PollRow | ScoreRow | RulesRow
