"""The way of a mention: normalise → match topics → story → score → keep everything, and the cursor, in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from listener.metrics import Metrics
from listener.poll import Polled
from listener.remember import Memory
from listener.storage import mentions as store
from listener.storage import sources as source_store
from listener.storage import stories as story_store
from listener.storage.database import Database, later
from listener.storage.sources import SourceState
from rules.log import MentionRow, PollRow, Row, Scored
from rules.mention import Mention
from rules.story_text import Post, post_of
from rules.topic import Match, Matcher
from sentiment import AnalysisError, Analyzer, Helped, Sentiment, Target

OLD = timedelta(days=30)  # an item older than this keeps its time and is history
AHEAD = timedelta(minutes=5)  # a clock this much ahead of ours is believed
POLLS_AT_ONCE = 50
MENTIONS_AT_ONCE = 200  # about: a poll is never split
_TRIES = 3
_log = structlog.get_logger()


def event_time(mention: Mention, collected_at: datetime, *, first_poll: bool) -> tuple[datetime, bool]:
    """When a mention counts, and whether it is history.

    Its publication where that is believable; the future means collected time; what is older than 30 days, or undated in
    the first poll of its source, is history.
    """
    published = mention.published_at
    if published is None:
        return collected_at, first_poll
    if published > collected_at + AHEAD:
        return collected_at, False
    return min(published, collected_at), published < collected_at - OLD


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mention on its way in: its source's tier, when it was collected, and whether nothing came from there before."""

    mention: Mention
    tier: str
    collected_at: datetime
    first_poll: bool


@dataclass(frozen=True, slots=True)
class Understanding:
    """The parts of the pipeline that a reload exchanges."""

    matcher: Matcher
    analyzer: Analyzer


@dataclass(frozen=True, slots=True)
class Counts:
    """What an analyzer's process has done so far."""

    answered: int = 0
    late: int = 0
    failures: int = 0


class Pipeline:
    def __init__(
        self,
        database: Database,
        understanding: Understanding,
        states: dict[str, SourceState],
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self.understanding = understanding
        self._helped = Counts()
        self.states = states
        self.newest: dict[str, datetime] = {}  # per source, when it last brought something new
        self._database = database
        self._metrics = metrics
        self._now = now
        # One thread: scoring is CPU work, and order is kept.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="score")
        self._memory = Memory(database, self._thread, metrics=metrics)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        _end(self.understanding.analyzer)

    def exchange(self, understanding: Understanding) -> None:
        """Match and score by *understanding* from the next batch on; the old one ends when its last batch is through."""
        old, self.understanding, self._helped = self.understanding.analyzer, understanding, Counts()
        self._thread.submit(_end, old)

    async def keep(self, polls: Sequence[Polled]) -> int:
        """Keep what these polls brought, all or nothing; the number of new mentions. Raises StorageError."""
        started = asyncio.get_running_loop().time()
        arrivals = [
            Arrival(
                mention=replace(mention, source=poll.source.id, collected_at=mention.collected_at or poll.ended_at),
                tier=poll.source.tier,
                collected_at=poll.ended_at,
                first_poll=self._state(poll.source.id).first_poll is None,
            )
            for poll in polls
            for mention in (poll.batch.mentions if poll.batch else ())
        ]
        before = {poll.source.id: self._state(poll.source.id) for poll in polls}
        stored = await self._take(arrivals, polls)
        for poll in polls:
            count_poll(self._metrics, poll, before[poll.source.id], self._state(poll.source.id))
        self._metrics.batch_seconds.observe(asyncio.get_running_loop().time() - started)
        return stored

    async def add(self, arrivals: Sequence[Arrival]) -> int:
        """Mentions that no poll brought (an import): no cursor, no poll, no watermark is moved."""
        return await self._take(arrivals, ())

    async def _take(self, arrivals: Sequence[Arrival], polls: Sequence[Polled]) -> int:
        fresh, changed, repeats = await self._sort_out(arrivals)
        rows, posts = await self._understand(fresh)
        await self._memory.ready(self._now())
        async with self._database.turn:
            at = self._database.stamp(self._now())
            states: dict[str, SourceState] = {}
            for poll in polls:
                states[poll.source.id] = next_state(states.get(poll.source.id) or self._state(poll.source.id), poll)
            told = await self._memory.place(rows, posts, at)
            logged: list[Row] = [*told.merges(at), *(poll_row(poll, at) for poll in polls)]
            committed = False
            try:
                async with self._database.write("mentions") as connection:
                    await store.add(connection, told.rows, at=at, born=told.born)
                    await store.revise(connection, changed, at=at)
                    await story_store.keep(connection, told.placed, at=at)
                    await store.append(connection, logged, at=at)
                    if states:
                        await source_store.save(connection, list(states.values()))
                committed = True
            finally:
                if not committed:
                    self._memory.forget()
        self.states.update(states)
        self._count(rows, repeats=repeats, revised=changed, at=at)
        return len(rows)

    async def _sort_out(
        self, arrivals: Sequence[Arrival]
    ) -> tuple[list[MentionRow], list[tuple[store.Stored, Mention]], dict[str, int]]:
        """Into new ones (not matched yet), changed ones, and repeats by source."""
        if not arrivals:
            return [], [], {}
        keys = [(arrival.mention.source, arrival.mention.external_id) for arrival in arrivals]
        async with self._database.read("mentions") as connection:
            stored = await store.known(connection, keys)
        fresh: dict[store.Key, MentionRow] = {}
        changed: dict[int, tuple[store.Stored, Mention]] = {}
        repeats: dict[str, int] = {}
        for key, arrival in zip(keys, arrivals, strict=True):
            mention, old = arrival.mention, stored.get(key)
            if old is None and key not in fresh:
                event_at, history = event_time(mention, arrival.collected_at, first_poll=arrival.first_poll)
                fresh[key] = MentionRow(0, arrival.collected_at, mention, arrival.tier, event_at, history, ())
            elif old is not None and old.digest != store.digest(mention):
                changed[old.id] = (old, mention)
            else:
                repeats[mention.source] = repeats.get(mention.source, 0) + 1
        return list(fresh.values()), list(changed.values()), repeats

    async def _understand(self, fresh: list[MentionRow]) -> tuple[list[MentionRow], list[Post]]:
        if not fresh:
            return [], []
        loop = asyncio.get_running_loop()
        how = self.understanding
        understood = await loop.run_in_executor(self._thread, understand, fresh, how)
        if how is self.understanding and isinstance(how.analyzer, Helped):
            self._count_help(how.analyzer)
        return understood

    def _count_help(self, analyzer: Helped) -> None:
        before, self._helped = self._helped, Counts(analyzer.answered, analyzer.late, analyzer.failures)
        self._metrics.helper_texts.labels("answered").inc(self._helped.answered - before.answered)
        self._metrics.helper_texts.labels("late").inc(self._helped.late - before.late)
        self._metrics.helper_failures.inc(self._helped.failures - before.failures)

    def _state(self, source: str) -> SourceState:
        return self.states.get(source) or SourceState(source)

    def _count(
        self,
        rows: Sequence[MentionRow],
        *,
        repeats: dict[str, int],
        revised: Sequence[tuple[store.Stored, Mention]],
        at: datetime,
    ) -> None:
        for row in rows:
            source = row.mention.source
            self.newest[source] = at
            self._metrics.stored.labels(source).inc()
            for scored in row.scored:
                self._metrics.matched.labels(scored.topic).inc()
                label = scored.sentiment.label if scored.sentiment else "failed"
                self._metrics.scored.labels(scored.topic, label).inc()
                if scored.sentiment is None:
                    self._metrics.score_failures.labels(self.understanding.analyzer.name).inc()
            if not row.history and row.scored and row.mention.collected_at:
                collected = row.mention.collected_at
                self._metrics.hops.labels("published_collected").observe((collected - row.event_at).total_seconds())
                self._metrics.hops.labels("collected_committed").observe((at - collected).total_seconds())
        for source, count in repeats.items():
            self._metrics.repeated.labels(source).inc(count)
        for _, mention in revised:
            self._metrics.revised.labels(mention.source).inc()


def _end(analyzer: Analyzer) -> None:
    if isinstance(analyzer, Helped):
        analyzer.close()


def brought(poll: Polled) -> int:
    return len(poll.batch.mentions) if poll.batch else 0


def next_state(old: SourceState, poll: Polled) -> SourceState:
    """What is known of a source after a poll; the cursor moves with the data, or not at all."""
    if poll.batch is None:
        reason = poll.error.reason if poll.error else ""
        return replace(old, last_poll=poll.ended_at, next_poll=poll.next_poll, failures=old.failures + 1, reason=reason)
    newest = max((mention.published_at for mention in poll.batch.mentions if mention.published_at), default=None)
    return replace(
        old,
        cursor=poll.batch.cursor,
        last_poll=poll.ended_at,
        last_success=poll.started_at,
        next_poll=poll.next_poll,
        failures=0,
        reason="",
        newest_published=later(old.newest_published, min(newest, poll.ended_at) if newest else None),
        first_poll=old.first_poll or poll.started_at,
    )


def poll_row(poll: Polled, at: datetime) -> PollRow:
    reason = poll.error.reason if poll.error else ""
    return PollRow(0, at, poll.source.id, poll.started_at, poll.batch is not None, reason, poll.source.blindness)


def understand(fresh: list[MentionRow], how: Understanding) -> tuple[list[MentionRow], list[Post]]:
    """Match, look at what tells the story, and score, in the scoring thread."""
    matched = [how.matcher.match(row.mention) for row in fresh]
    judged = iter(score(how.analyzer, [match.target for found in matched for match in found]))
    rows = [
        replace(row, scored=tuple(as_scored(match, next(judged), how.analyzer) for match in found))
        for row, found in zip(fresh, matched, strict=True)
    ]
    return rows, [post_of(row.mention) for row in rows]


def as_scored(match: Match, sentiment: Sentiment | None, analyzer: Analyzer) -> Scored:
    words = tuple(dict.fromkeys(word.text for word in match.words))
    return Scored(match.topic, words, sentiment, analyzer.name, analyzer.version)


def score(analyzer: Analyzer, targets: Sequence[Target]) -> list[Sentiment | None]:
    """One sentiment per target; None for a target that the analyzer failed on three times, the others go on."""
    if not targets:
        return []
    for _ in range(_TRIES):
        try:
            return list(analyzer.score(targets))
        except AnalysisError:
            continue
        except Exception as error:  # noqa: BLE001  one poison text must not stop the rest; it is stored unscored
            _log.error("scoring_failed", reason=type(error).__name__, count=len(targets))
            if len(targets) > 1:
                break
    if len(targets) == 1:
        return [None]
    return [sentiment for target in targets for sentiment in score(analyzer, [target])]


def count_poll(metrics: Metrics, poll: Polled, before: SourceState, after: SourceState) -> None:
    """The poll in the metrics and, where the source's state changed, in the log."""
    source = poll.source.id
    metrics.failures_in_a_row.labels(source).set(after.failures)
    if poll.batch is None:
        metrics.polls.labels(source, "failed").inc()
        metrics.collect_failures.labels(source, after.reason).inc()
        if after.reason != before.reason:
            _log.warning(
                "collect_failed", source=source, reason=after.reason, detail=poll.error.detail if poll.error else ""
            )
        return
    if before.failures:
        _log.info("source_recovered", source=source, attempts=before.failures + 1)
    metrics.polls.labels(source, "unchanged" if poll.batch.unchanged else "ok").inc()
    metrics.last_success.labels(source).set(poll.started_at.timestamp())
    metrics.collected.labels(source).inc(len(poll.batch.mentions))
    published = [mention.published_at for mention in poll.batch.mentions if mention.published_at]
    if published:
        metrics.source_lag.labels(source).set(max(0.0, (poll.ended_at - max(published)).total_seconds()))
    for problem in poll.batch.problems:
        metrics.items_refused.labels(source).inc()
        _log.warning("item_refused", source=source, detail=problem)
    for note in poll.batch.notes:
        _log.info("source_noted", source=source, detail=note)
