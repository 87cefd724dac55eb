"""A database with a log in it, as a program would have left it."""

from collections.abc import Iterable
from pathlib import Path

from listener.storage import mentions
from listener.storage.database import Database
from rules.log import Row


async def store_log(rows: Iterable[Row], *, base: Path, url: str = "sqlite:///here.db") -> None:
    """Each row with its own time as the commit's."""
    database = await Database.open(url, base=base)
    try:
        async with database.write("test") as connection:
            for row in rows:
                await mentions.append(connection, [row], at=row.at)
    finally:
        await database.close()
