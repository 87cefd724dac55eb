"""Rows that were recorded, from a file or from the program's own database, in order, never all in memory.

A log that ``export`` wrote comes as it stands. Mention lines are put in order of collection (publication, where a line
does not say), matched, judged and told into stories; sources count as healthy there. The database gives its log with the
newest scores.
"""

import asyncio
import hashlib
import heapq
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Protocol

from listener.config import Config
from listener.external_sort import ordered
from listener.interchange import LineError, parse_line
from listener.parts import understanding
from listener.pipeline import event_time, understand
from listener.rematch import Rematched, rematch
from listener.storage import history, rescored, rows
from listener.storage import mentions as store
from listener.storage import sources as source_store
from listener.storage.database import Database
from rules.lives import Period
from rules.log import MentionRow, Row, StoryRow
from rules.mention import Mention
from rules.story import Stories
from rules.story_text import Post

AT_ONCE = 500
WARM_UP = timedelta(weeks=8)
"""How much of the stored log before the time that is asked for runs first, so that what is usual is known by then."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """How far the log was evaluated: its last row."""

    at: datetime


class LineSource(Protocol):
    """Lines, of which a bad one is told of and passed over."""

    def __iter__(self) -> Iterator[bytes]: ...

    def refuse(self, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """``logged``: it is a log, with polls and rules; else sources count as healthy. ``rematched``: if it was asked for."""

    logged: bool
    rows: Iterator[Row | Tick]
    rematched: Rematched | None = None


class MixedError(Exception):
    """The input mixes a log with mention lines."""

    def __init__(self) -> None:
        super().__init__("the input mixes a log with mention lines; replay one or the other")


def from_lines(lines: LineSource, config: Config) -> Recording:
    """A log or mention lines, told by the first good line. Raises MixedError where another kind follows, OSError."""
    read = _read(lines)
    first = next(read, None)
    if first is None:
        return Recording(logged=False, rows=iter(()))
    every = chain([first], read)
    if isinstance(first[0], Mention):
        return Recording(logged=False, rows=_judged(_in_order(every), config))
    return Recording(logged=True, rows=_log(every))


def from_database(config: Config, period: Period, *, anew: bool = False) -> Recording:
    """The stored log from ``WARM_UP`` before the period to its end, or to where the program has come. Raises StorageError.

    Read page by page and without a lock, so that a running program is not held up. *anew*: with the mentions that matched
    nothing, as far as they are kept, and all of them matched by the configuration. Raises AnalysisError then.
    """
    if not anew:
        return Recording(logged=True, rows=_stored(config, period))
    found = Rematched()
    rows = rematch(_stored(config, period, aside=True), understanding(config), found)
    return Recording(logged=True, rows=rows, rematched=found)


def bounded(rows: Iterator[Row | Tick], until: datetime | None) -> Iterator[Row | Tick]:
    """The rows before a time; where there are others after it, a tick in their place."""
    for row in rows:
        if until is not None and row.at >= until:
            yield Tick(until)
            return
        yield row


# lines


def read_row(line: bytes) -> Row | Tick | Mention:
    """A line of a log, or a mention line; raises LineError."""
    if b'"seq"' not in line and b'"tick"' not in line:
        return parse_line(line)
    try:
        value = json.loads(line)
    except ValueError:
        return parse_line(line)  # says what is wrong with it
    if not isinstance(value, dict) or "kind" not in value or "at" not in value:
        return parse_line(line)
    try:
        at = datetime.fromisoformat(value.pop("at"))
    except (ValueError, TypeError) as error:
        raise LineError("at", "is no RFC 3339 time") from error
    kind = value.pop("kind")
    return Tick(at) if kind == "tick" else rows.load(value.pop("seq", 0), at, kind, value)


def _read(lines: LineSource) -> Iterator[tuple[Row | Tick | Mention, bytes]]:
    for line in lines:
        try:
            yield read_row(line), line
        except LineError as error:
            lines.refuse(str(error))


def _log(read: Iterable[tuple[Row | Tick | Mention, bytes]]) -> Iterator[Row | Tick]:
    for row, _ in read:
        if isinstance(row, Mention):
            raise MixedError
        yield row


def _in_order(read: Iterable[tuple[Row | Tick | Mention, bytes]]) -> Iterator[tuple[datetime, Mention]]:
    """By arrival, then as they stood; one that is told twice counts once, as live. Two sorts, neither in memory."""

    def keyed() -> Iterator[bytes]:
        for number, (mention, line) in enumerate(read):
            if not isinstance(mention, Mention):
                raise MixedError
            name = hashlib.blake2b(
                f"{mention.source}\0{mention.external_id}".encode("utf-8", "surrogatepass"), digest_size=16
            ).hexdigest()
            yield b"%s %020d %012d %s" % (name.encode(), _microseconds(_arrival(mention)), number, line.strip())

    def again() -> Iterator[bytes]:
        for _, same in groupby(ordered(keyed()), key=lambda record: record[:32]):
            yield next(iter(same))[33:]

    for record in ordered(again()):
        yield _EPOCH + int(record[:20]) * _MICROSECOND, parse_line(record[34:])


def _microseconds(at: datetime) -> int:
    return max(0, (at - _EPOCH) // _MICROSECOND)


def _arrival(mention: Mention) -> datetime:
    return mention.collected_at or mention.published_at or mention.updated_at or _EPOCH


def _judged(arrived: Iterator[tuple[datetime, Mention]], config: Config) -> Iterator[Row]:
    tiers = {source.id: source.tier for source in config.sources}
    how = understanding(config)
    stories = Stories()
    page: list[MentionRow] = []
    for seq, (at, mention) in enumerate(arrived, start=1):
        event_at, history = event_time(mention, at, first_poll=False)
        page.append(MentionRow(seq, at, mention, tiers.get(mention.source, "core"), event_at, history, ()))
        if len(page) == AT_ONCE:
            yield from placed(stories, *understand(page, how))
            page = []
    if page:
        yield from placed(stories, *understand(page, how))


def placed(stories: Stories, rows: Sequence[MentionRow], posts: Sequence[Post]) -> Iterator[Row]:
    """The matched ones with their stories, and the merges, an hour at a time: that exact is a story's end."""
    begin = 0
    while begin < len(rows):
        end = bisect_right(rows, rows[begin].at + timedelta(hours=1), begin, key=lambda row: row.at)
        told = stories.place(posts[begin:end], [row.at for row in rows[begin:end]])
        for row, member in zip(rows[begin:end], told.members, strict=True):
            if row.scored:
                yield replace(row, story=member.story)
        for merge in told.merges:
            yield StoryRow(rows[end - 1].seq, rows[end - 1].at, merge.alias, merge.story)
        begin = end


# the database


def _stored(config: Config, period: Period, *, aside: bool = False) -> Iterator[Row | Tick]:
    """The log as it is read by a loop of its own, a page at a time; *aside*: with what matched nothing in its place."""
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(config.storage.url, base=config.base, owner=False))
        try:
            seq, last, reached = runner.run(_bounds(database, period))
            rows = _logged(runner, database, seq, last, period)
            if aside:
                # Those first: live, what a poll brings stands before the poll.
                rows = heapq.merge(_kept_aside(runner, database, config, period), rows, key=lambda row: row.at)
            for row in rows:
                reached = row.at if reached is None else max(reached, row.at)
                yield row
            if reached is not None:
                yield Tick(reached if period.until is None else min(reached, period.until))
        finally:
            runner.run(database.close())


def _logged(runner: asyncio.Runner, database: Database, seq: int, last: int, period: Period) -> Iterator[Row]:
    changed = runner.run(_changed(database))
    while seq < last:
        page = runner.run(_page(database, seq, changed=changed))
        if not page:
            break
        for row in page:
            if row.seq <= last and (period.until is None or row.at < period.until):
                yield row
        seq = page[-1].seq


def _kept_aside(runner: asyncio.Runner, database: Database, config: Config, period: Period) -> Iterator[Row]:
    """Mentions that matched nothing, as they read now, as rows that stand where the log would have had them."""
    tiers = {source.id: source.tier for source in config.sources}
    first_polls: dict[str, datetime | None] = {}
    since, after = _EPOCH if period.since is None else period.since - WARM_UP, 0
    while page := runner.run(_page_aside(database, since, after, period.until, first_polls)):
        for one in page:
            mention = one.mention
            first = mention.published_at is None and first_polls[mention.source] == one.committed_at
            history = event_time(mention, mention.collected_at or one.committed_at, first_poll=first)[1]
            tier = tiers.get(mention.source, "core")
            yield MentionRow(0, one.committed_at, mention, tier, one.event_at, history, (), one.story)
        since, after = page[-1].committed_at, page[-1].id


async def _page_aside(
    database: Database, since: datetime, after: int, until: datetime | None, first_polls: dict[str, datetime | None]
) -> list[store.Unmatched]:
    """And by source, where something came undated, when its first poll was committed."""
    async with database.read("replay") as connection:
        page = await store.unmatched(connection, since=since, after=after, until=until, most=AT_ONCE)
        undated = {one.mention.source for one in page if one.mention.published_at is None} - first_polls.keys()
        states = await source_store.load(connection) if undated else {}
        for source in undated:
            state = states.get(source)
            polled = state.first_poll if state else None
            first_polls[source] = await history.committed_at(connection, (source, polled)) if polled else None
    return page


async def _bounds(database: Database, period: Period) -> tuple[int, int, datetime | None]:
    """The sequence before the first row, the last one's, and up to when the program has evaluated."""
    async with database.read("replay") as connection:
        begin = None if period.since is None else period.since - WARM_UP
        first = await history.before(connection, begin)
        last = await history.before(connection, period.until)
        at = await history.last_time(connection)
        newest = await history.snapshot(connection)
    known = [at for at in (at, newest[1] if newest else None) if at is not None]
    return first if begin is not None else 0, last, max(known, default=None)


async def _changed(database: Database) -> bool:
    async with database.read("replay") as connection:
        return await rescored.any_twice(connection)


async def _page(database: Database, seq: int, *, changed: bool) -> list[Row]:
    async with database.read("replay") as connection:
        page = await history.after(connection, seq)
        return await rescored.newest(connection, page) if changed else page
