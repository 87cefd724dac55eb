"""A log to feed the engine with, written row by row."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts import AlertEvent
from rules.engine import Engine
from rules.log import MentionRow, PollRow, RevisionRow, Row, RulesRow, Scored, ScoreRow
from rules.mention import Author, Mention, Reach
from rules.replay import Driver
from rules.rule import RuleConfig
from rules.ruleset import SourceFacts, ruleset_json
from sentiment import Sentiment

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
TOPICS = {"acme": "云杉科技", "rival": "格澜数码"}
SOURCES = {"microblog": SourceFacts("microblog"), "forum": SourceFacts("forum", "auxiliary")}


def after(minutes: float = 0, seconds: float = 0) -> datetime:
    return START + timedelta(minutes=minutes, seconds=seconds)


def sentiment(label: str = "negative", confidence: float = 0.9) -> Sentiment:
    rest = round((1 - confidence) / 2, 6)
    shares = {name: confidence if name == label else rest for name in ("negative", "neutral", "positive")}
    return Sentiment(**shares, label=label, confidence=confidence)  # type: ignore[arg-type]


def rule(**given: Any) -> RuleConfig:
    base = {"id": "surge", "topics": ["acme"], "where": {"label": "negative"}}
    return RuleConfig.model_validate({**base, **{key.removesuffix("_"): value for key, value in given.items()}})


class Log:
    """Rows with ascending numbers. ``seen`` is (source, external id) of what was written."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @property
    def seq(self) -> int:
        return len(self.rows) + 1

    def rules(self, at: datetime, *rules: RuleConfig, sources: Iterable[str] = ("microblog", "forum")) -> RulesRow:
        row = RulesRow(self.seq, at, ruleset_json(rules, TOPICS, SOURCES), tuple(sources))
        self.rows.append(row)
        return row

    def mention(
        self,
        at: datetime,
        *,
        source: str = "microblog",
        name: str = "",
        label: str | None = "negative",
        confidence: float = 0.9,
        event_at: datetime | None = None,
        history: bool = False,
        topics: Iterable[str] = ("acme",),
        author: str = "",
        text: str = "",
        **more: Any,
    ) -> MentionRow:
        name = name or f"m{self.seq}"
        mention = Mention(
            source=source,
            channel=more.get("channel", source),
            external_id=name,
            text=text or f"云杉充电宝的第 {name} 条",
            title=more.get("title", ""),
            url=f"https://{source}.example/{name}",
            author=Author(author, author, more.get("followers"), more.get("verified")) if author else None,
            published_at=event_at or at,
            collected_at=at,
            reach=Reach(views=more.get("views")),
            site=more.get("site", ""),
            region=more.get("region", ""),
        )
        judged = sentiment(label, confidence) if label else None
        scored = tuple(Scored(topic, ("云杉",), judged) for topic in topics)
        row = MentionRow(
            self.seq, at, mention, more.get("tier", "core"), event_at or at, history, scored, more.get("story", "")
        )
        self.rows.append(row)
        return row

    def revision(self, at: datetime, mention: Mention) -> RevisionRow:
        row = RevisionRow(self.seq, at, mention)
        self.rows.append(row)
        return row

    def score(self, at: datetime, name: str, label: str, *, source: str = "microblog", topic: str = "acme") -> ScoreRow:
        row = ScoreRow(self.seq, at, source, name, Scored(topic, (), sentiment(label)), "person")
        self.rows.append(row)
        return row

    def poll(
        self,
        at: datetime,
        source: str = "microblog",
        *,
        ok: bool = True,
        blind_after: timedelta = timedelta(minutes=15),
    ) -> PollRow:
        row = PollRow(self.seq, at, source, at - timedelta(seconds=2), ok, "" if ok else "timeout", blind_after)
        self.rows.append(row)
        return row

    def burst(self, begin: datetime, count: int, *, every: timedelta = timedelta(seconds=20), **more: Any) -> None:
        for number in range(count):
            self.mention(begin + number * every, author=more.get("author", f"u{number}"), **{
                key: value for key, value in more.items() if key != "author"
            })  # fmt: skip


def run(rows: Iterable[Row], *, healthy: bool = True, until: datetime | None = None) -> list[AlertEvent]:
    """The events of a log, replayed until all is over or up to a time."""
    driver = Driver(Engine(STEP, assume_healthy=healthy))
    events = [event for row in sorted(rows, key=lambda row: row.at) for event in driver.feed(row)]
    events.extend(driver.run_out() if until is None else driver.advance(until))
    return events


def story(events: Iterable[AlertEvent]) -> list[tuple[str, str]]:
    """The events' names and levels."""
    return [(event.event, event.level.name) for event in events]


def volume(at_least: int, minutes: int = 10, **more: Any) -> Mapping[str, Any]:
    return {"type": "volume", "window": timedelta(minutes=minutes), "at_least": at_least, **more}
