"""``listener collect -c FILE [SOURCE…]``: poll sources once and write mention lines, storing nothing."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from listener.collector import Batch, CollectError
from listener.http import Http
from listener.interchange import mention_line

if TYPE_CHECKING:
    from listener.collectors import CollectorConfig


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="ids of sources; all where none is named")


def run(args: argparse.Namespace) -> int:
    from listener.config import load  # noqa: PLC0415 - heavy, and --help needs none of it

    config = load(args.config)
    known = {source.id: source for source in config.sources}
    unknown = [name for name in args.sources if name not in known]
    if unknown:
        print(f"no such source: {', '.join(unknown)} (there are: {', '.join(known)})", file=sys.stderr)
        return 2
    chosen = [known[name] for name in dict.fromkeys(args.sources)] or list(known.values())
    if config.proxy is not None:
        chosen = [source if source.proxy else source.model_copy(update={"proxy": config.proxy}) for source in chosen]
    return asyncio.run(_collect(chosen, ZoneInfo(config.timezone), config.base))


async def _collect(sources: "Sequence[CollectorConfig]", timezone: ZoneInfo, base: Path) -> int:
    failed = False
    async with Http() as http:
        for source in sources:
            collector = source.build(http, timezone=timezone, base=base)
            cursor: str | None = None
            more = True
            while more:
                try:
                    batch = await collector.collect(cursor)
                except CollectError as error:
                    print(error, file=sys.stderr)
                    failed = True
                    break
                _write(source.id, batch)
                cursor, more = batch.cursor, batch.more
    return 1 if failed else 0


def _write(source: str, batch: Batch) -> None:
    now = datetime.now(UTC)
    for told in (*batch.notes, *batch.problems):
        print(f"{source}: {told}", file=sys.stderr)
    for mention in batch.mentions:
        print(mention_line(replace(mention, collected_at=now)))
