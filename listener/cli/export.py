"""``listener export``: what is stored, one JSON object a line."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from alerts.codec import event_line
from listener.cli.times import moment
from listener.config import Config, load
from listener.storage import alerting, history
from listener.storage.database import Database, StorageError
from listener.storage.tables import mentions

_PAGE = 2000


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--mentions",
        action="store_true",
        help="every stored mention, also those that match no topic, instead of the log",
    )
    what.add_argument("--alerts", action="store_true", help="the alert events of the topics, instead of the log")
    parser.add_argument("--since", type=moment, metavar="TIME", help="from this time on (RFC 3339), by commit")
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time")


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    export = _mentions if args.mentions else _alerts if args.alerts else _log
    try:
        asyncio.run(_export(config, export, args.since, args.until))
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    return 0


async def _export(
    config: Config, export: Callable[..., object], since: datetime | None, until: datetime | None
) -> None:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        await export(database, since, until)  # type: ignore[misc]
    finally:
        await database.close()


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


async def _log(database: Database, since: datetime | None, until: datetime | None) -> None:
    """The log whole: what an engine was fed, and a last row for how far it has evaluated."""
    async with database.read("export") as connection:
        async for seq, at, kind, payload in history.lines(connection, since=since, until=until):
            _write({"kind": kind, "seq": seq, "at": at.isoformat(), **json.loads(payload)})
        snapshot = await history.snapshot(connection)
    if snapshot is not None and until is None:
        _write({"kind": "tick", "at": snapshot[1].isoformat()})


async def _alerts(database: Database, since: datetime | None, until: datetime | None) -> None:
    async with database.read("export") as connection:
        for event in await alerting.events(connection, kind="topic"):
            if (since is None or event.at >= since) and (until is None or event.at < until):
                _write(event_line(event))


async def _mentions(database: Database, since: datetime | None, until: datetime | None) -> None:
    last = 0
    async with database.read("export") as connection:
        while True:
            query = select(mentions.c.id, mentions.c.line).where(mentions.c.id > last).order_by(mentions.c.id)
            if since is not None:
                query = query.where(mentions.c.committed_at >= since)
            if until is not None:
                query = query.where(mentions.c.committed_at < until)
            page = list(await connection.execute(query.limit(_PAGE)))
            for row in page:
                sys.stdout.write(row.line + "\n")
            if len(page) < _PAGE:
                return
            last = page[-1].id
