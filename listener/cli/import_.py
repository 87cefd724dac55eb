"""``listener import``: mention lines into the database, judged as collected ones are; what is old is history."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from listener.cli.lines import Lines
from listener.cli.progress import Progress
from listener.clock import utc_now
from listener.config import Config, load
from listener.interchange import LineError, parse_line, parse_object
from listener.metrics import Metrics
from listener.parts import understanding
from listener.pipeline import Arrival, Pipeline
from listener.storage import sources as source_store
from listener.storage.database import Database, StorageError
from rules.mention import Mention

AT_ONCE = 500


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="LINES", help="files of mention lines; none: standard input"
    )


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    lines = Lines(args.files)
    try:
        stored = asyncio.run(_import(config, lines))
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{lines.read} lines read, {stored} new mentions stored, {lines.refused} lines refused", file=sys.stderr)
    return 1 if lines.refused else 0


async def _import(config: Config, lines: Lines) -> int:
    tiers = {source.id: source.tier for source in config.sources}
    database = await Database.open(config.storage.url, base=config.base)
    try:
        async with database.read("import") as connection:
            states = await source_store.load(connection)
        pipeline = Pipeline(database, understanding(config), states, metrics=Metrics(CollectorRegistry()), now=utc_now)
        stored = 0
        with Progress("import") as progress:
            for batch in _batches(_mentions(lines)):
                now = utc_now()
                arrivals = []
                for mention in batch:
                    collected_at = min(mention.collected_at or now, now)
                    kept = replace(mention, collected_at=collected_at)
                    arrivals.append(Arrival(kept, tiers.get(mention.source, "core"), collected_at, first_poll=True))
                stored += await pipeline.add(arrivals)
                progress.advance(len(batch))
        pipeline.close()
    finally:
        await database.close()
    return stored


def _batches(mentions: Iterator[Mention]) -> Iterator[list[Mention]]:
    batch: list[Mention] = []
    for mention in mentions:
        batch.append(mention)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _mentions(lines: Lines) -> Iterator[Mention]:
    for line in lines:
        try:
            mention = read(line)
        except LineError as error:
            lines.refuse(str(error))
        else:
            if mention is not None:
                yield mention


def read(line: bytes) -> Mention | None:
    """The mention of a mention line, also of one that an export of the log wrote; None for the log's other rows."""
    if b'"log"' not in line and b'"kind"' not in line:
        return parse_line(line)
    try:
        value = json.loads(line)
    except ValueError:
        return parse_line(line)  # says what is wrong with it
    if not isinstance(value, dict) or "seq" not in value:
        return parse_line(line)
    if value.get("kind") != "mention":
        return None
    return parse_object({key: part for key, part in value.items() if key not in ("seq", "at", "log")})
