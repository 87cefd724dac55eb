"""``listener db``: where the database stands."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy import func, select

from listener.config import Config, load
from listener.storage.database import Database, StorageError
from listener.storage.migrate import revision
from listener.storage.tables import metadata


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["status", "upgrade"], help="what there is, or bring the tables up to date")
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    try:
        print(json.dumps(asyncio.run(_status(config, upgrade=args.action == "upgrade")), ensure_ascii=False))
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    return 0


async def _status(config: Config, *, upgrade: bool) -> dict[str, object]:
    database = await Database.open(config.storage.url, base=config.base, owner=upgrade)
    try:
        async with database.read("status") as connection:
            have, newest = await connection.run_sync(revision)
            rows = {
                table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in metadata.sorted_tables
            }
        return {"file": str(database.path), "bytes": database.size(), "form": have, "newest_form": newest, "rows": rows}
    finally:
        await database.close()
