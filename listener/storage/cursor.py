"""A statement and its rows in one trip to the connection's thread.

aiosqlite makes a trip for each of: a cursor, the statement, the rows, the close. A trip costs several times what SQLite
needs for a statement of ours (measured: `python -m tests.bench.delivery`), so here one trip does all four. SQLAlchemy asks
of a cursor what ``AsyncIODBAPICursor`` in ``sqlalchemy.connectors.asyncio`` lists; of that, whatever our statements use.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite


class Cursor:
    """``description``, ``rowcount`` and ``lastrowid`` are of the last statement; its rows are fetched already."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> Self:
        await self._connection.trip(lambda connection: self._take(connection.execute(operation, parameters)))
        return self

    async def executemany(self, operation: str, parameters: Sequence[Any]) -> Self:
        await self._connection.trip(lambda connection: self._take(connection.executemany(operation, parameters)))
        return self

    def _take(self, cursor: sqlite3.Cursor) -> None:
        """In the connection's thread."""
        self._rows = cursor.fetchall() if cursor.description else []
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []


class Connection(aiosqlite.Connection):
    def cursor(self) -> Cursor:  # type: ignore[override]  # SQLAlchemy, the only caller, awaits what it asks of it
        return Cursor(self)

    async def trip(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do *work* in the connection's thread."""
        await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]


def connect(database: str, **settings: Any) -> Connection:
    """What ``aiosqlite.connect`` gives, with cursors of one trip, in a thread that ends with the program."""
    connection = Connection(lambda: sqlite3.connect(database, **settings), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy's own dialect does
    return connection
