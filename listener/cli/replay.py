"""``listener replay``: recorded mentions through the rules on a virtual clock; alert events on stdout.

A log that ``export`` wrote is replayed as it was: its rows, its scores, its rules, its polls, up to its last tick. Mention
lines alone are matched and judged by the configuration, in order of collection, with healthy sources assumed, and the
replay runs on until all has resolved.
"""

import argparse
import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from alerts import AlertEvent
from alerts.codec import event_line
from alerts.incident import Incidents
from listener.cli.lines import Lines
from listener.cli.progress import Progress
from listener.config import Config, load
from listener.interchange import LineError, parse_line
from listener.parts import rule_set, understanding
from listener.pipeline import event_time, understand
from listener.storage import rows
from rules.engine import Engine
from rules.log import MentionRow, Row, RulesRow, StoryRow
from rules.mention import Mention
from rules.replay import Driver
from rules.story import Stories
from rules.story_text import Post

AT_ONCE = 500


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="LINES", help="mention lines or a log; none: standard input"
    )


@dataclass(frozen=True, slots=True)
class Tick:
    """The last row of an exported log: how far it was evaluated."""

    at: datetime


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    lines = Lines(args.files)
    try:
        logged, mentions = _read(lines)
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if logged and mentions:
        print("listener: the input mixes a log with mention lines; replay one or the other", file=sys.stderr)
        return 1
    events = replay_log(config, logged) if logged else replay_mentions(config, mentions)
    incidents = Incidents()
    for event in events:
        sys.stdout.write(_text(incidents.apply(event)[0]) + "\n")
    return 1 if lines.refused else 0


def _text(event: AlertEvent) -> str:
    return json.dumps(event_line(event), ensure_ascii=False, separators=(",", ":"))


def _read(lines: Lines) -> tuple[list[Row | Tick], list[Mention]]:
    logged: list[Row | Tick] = []
    mentions: list[Mention] = []
    with Progress("read") as progress:
        for line in lines:
            try:
                row = read_row(line)
                if isinstance(row, Mention):
                    mentions.append(row)
                else:
                    logged.append(row)
            except LineError as error:
                lines.refuse(str(error))
            progress.advance()
    return logged, mentions


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


def replay_log(config: Config, logged: list[Row | Tick]) -> Iterator[AlertEvent]:
    """As live; where the log begins without rules, with the configuration's."""
    driver = Driver(Engine(config.step))
    first = next((row for row in logged if not isinstance(row, Tick)), None)
    if first is not None and not any(isinstance(row, RulesRow) for row in logged):
        yield from driver.feed(_rules(config, first.at))
    with Progress("replay", total=len(logged)) as progress:
        for row in logged:
            yield from driver.advance(row.at) if isinstance(row, Tick) else driver.feed(row)
            progress.advance()
    if not any(isinstance(row, Tick) for row in logged):
        yield from driver.run_out()


def replay_mentions(config: Config, mentions: list[Mention]) -> Iterator[AlertEvent]:
    """In the order in which they were collected (published, where a line does not say), all sources healthy."""
    arrived = sorted(((_arrival(mention), mention) for mention in mentions), key=lambda pair: pair[0])
    if not arrived:
        return
    driver = Driver(Engine(config.step, assume_healthy=True))
    yield from driver.feed(_rules(config, arrived[0][0]))
    tiers = {source.id: source.tier for source in config.sources}
    how = understanding(config)
    stories = Stories()
    seen: set[tuple[str, str]] = set()
    seq = 1
    with Progress("replay", total=len(arrived)) as progress:
        for start in range(0, len(arrived), AT_ONCE):
            page = []
            for at, mention in arrived[start : start + AT_ONCE]:
                if (mention.source, mention.external_id) in seen:
                    continue  # told twice in the input; counted once, as live
                seen.add((mention.source, mention.external_id))
                seq += 1
                event_at, history = event_time(mention, at, first_poll=False)
                page.append(MentionRow(seq, at, mention, tiers.get(mention.source, "core"), event_at, history, ()))
            yield from _feed(driver, placed(stories, *understand(page, how)))
            progress.advance(AT_ONCE)
    yield from driver.run_out()


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


def _feed(driver: Driver, found: Iterable[Row]) -> Iterator[AlertEvent]:
    for row in found:
        yield from driver.feed(row)


def _arrival(mention: Mention) -> datetime:
    at = mention.collected_at or mention.published_at or mention.updated_at
    return at if at is not None else datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _rules(config: Config, at: datetime) -> RulesRow:
    return RulesRow(1, at, rule_set(config), tuple(source.id for source in config.sources))
