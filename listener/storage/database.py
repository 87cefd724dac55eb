"""One SQLite file: a single writer connection behind a lock, a few readers, one process at a time."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, event, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from listener.storage.cursor import connect

_T = TypeVar("_T")

insert = sqlite.insert
NEWEST = "0012"  # the newest of the migrations


def batched(values: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Parts of at most *size*: a statement takes so many values and no more."""
    return (values[start : start + size] for start in range(0, len(values), size))


def upsert(table: Table, key: Sequence[str], changing: Sequence[str]) -> sqlite.Insert:
    """Rows; where one with the same *key* stands, it gets the *changing* columns of the new one."""
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in changing}
    )


class StorageError(Exception):
    """The database refused or could not be reached; nothing of the transaction was kept. ``operation`` is a metric label."""

    def __init__(self, operation: str, detail: str) -> None:
        super().__init__(f"{operation}: {detail}")
        self.operation = operation
        self.detail = detail


class InUseError(StorageError):
    """Another process owns the database."""


def database_url(url: str, base: Path) -> URL:
    """The asynchronous form of a configured URL; a relative SQLite path is taken from *base*, the configuration's folder."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StorageError("open", f"storage.url must be sqlite:///PATH, not {parsed.drivername}")
    path = (base / parsed.database).absolute()
    return URL.create("sqlite+aiosqlite", database=str(path))


def _on_connect(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves
    cursor = dbapi_connection.cursor()
    # FULL: a commit that returned survives a power cut, which the outbox's promise rests on.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "cache_size=-8000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _engine(url: URL, *, writer: bool) -> AsyncEngine:
    # One kept writer connection, and two readers: the console's and the loops' short questions.
    engine = create_async_engine(
        url,
        pool_size=1 if writer else 2,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"async_creator_fn": connect},
    )
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _begin_immediate if writer else _begin)
    return engine


class Database:
    """An opened database. ``write`` is one transaction at a time; ``read`` sees the last commit."""

    def __init__(self, url: URL) -> None:
        self.path = Path(str(url.database))
        self._url = url
        self._writer = _engine(url, writer=True)
        self._reader = _engine(url, writer=False)
        self._lock: int | None = None
        # Who holds the turn decides what comes next in the log: rows get their time, and ticks are run, in one order,
        # so that a tick at T has seen exactly the rows stamped before T, in a replay as live.
        self.turn = asyncio.Lock()
        self._floor = datetime.min.replace(tzinfo=UTC)

    @classmethod
    async def open(cls, url: str, *, base: Path, owner: bool = True) -> "Database":
        """Open, and as owner take the instance lock and bring the tables up to date. Raises StorageError."""
        database = cls(database_url(url, base))
        try:
            if owner:
                database._take_lock()
                await database._bring_up_to_date()
            elif not database.path.exists():
                raise FileNotFoundError("there is no database yet")
        except (OSError, SQLAlchemyError) as error:
            await database.close()
            raise StorageError("open", f"{database.path}: {_plain(error)}") from error
        except StorageError:
            await database.close()
            raise
        return database

    async def _bring_up_to_date(self) -> None:
        async with self._writer.connect() as connection:
            if await connection.run_sync(_newest):
                return
            # Here, because Alembic is slow to import and a start on a database that is up to date does not need it.
            from listener.storage.migrate import upgrade  # noqa: PLC0415

            await connection.run_sync(upgrade)

    def _take_lock(self) -> None:
        """Two daemons on one database would send twice: the second refuses."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise InUseError("open", f"{self.path} is in use by another listener") from error
        self._lock = handle

    @asynccontextmanager
    async def write(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """A transaction of the one writer. All of it is kept, or StorageError is raised and none."""
        try:
            async with self._writer.connect() as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(operation, _plain(error)) from error

    @asynccontextmanager
    async def read(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """A consistent view of the last commit."""
        try:
            async with self._reader.connect() as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(operation, _plain(error)) from error

    def stamp(self, now: datetime) -> datetime:
        """The commit time for what the holder of the turn does: *now*, but never before anything stamped earlier."""
        self._floor = max(self._floor, now)
        return self._floor

    def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _newest(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("select version_num from alembic_version")).scalar_one_or_none() == NEWEST


def _plain(error: Exception) -> str:
    """What the driver said, without the statement and its values: those hold other people's texts."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig)
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def later(first: datetime | None, second: datetime | None) -> datetime | None:
    """The later of two times of which either may be missing."""
    if first is None or second is None:
        return first or second
    return max(first, second)
