"""Rows that were recorded, from a file or from the program's own database, in order, never all in memory.

A log that ``export`` wrote comes as it stands. Mention lines are put in order of collection (publication, where a line
does not say), matched, judged and told into stories; sources count as healthy there. The database gives its log with the
newest scores.
"""

import asyncio
import hashlib
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
from listener.storage import history, rescored, rows
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
    """``logged``: it is a log, with polls and rules; else sources count as healthy."""

    logged: bool
    rows: Iterator[Row | Tick]


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


def from_database(config: Config, period: Period) -> Recording:
    """The stored log from ``WARM_UP`` before the period to its end, or to where the program has come. Raises StorageError.

    Read page by page and without a lock, so that a running program is not held up.
    """
    return Recording(logged=True, rows=_stored(config, period))


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


def _stored(config: Config, period: Period) -> Iterator[Row | Tick]:
    """The log as it is read by a loop of its own, a page at a time."""
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(config.storage.url, base=config.base, owner=False))
        try:
            seq, last, reached = runner.run(_bounds(database, period))
            changed = runner.run(_changed(database))
            while seq < last:
                page = runner.run(_page(database, seq, changed=changed))
                if not page:
                    break
                for row in page:
                    if row.seq <= last and (period.until is None or row.at < period.until):
                        yield row
                seq = page[-1].seq
            if reached is not None:
                yield Tick(reached if period.until is None else min(reached, period.until))
        finally:
            runner.run(database.close())


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
