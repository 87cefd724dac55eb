"""When what is done by the clock was done last."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.storage.database import insert
from listener.storage.tables import marks


async def mark(connection: AsyncConnection, name: str) -> datetime | None:
    return (await connection.execute(select(marks.c.at).where(marks.c.name == name))).scalar_one_or_none()


async def set_mark(connection: AsyncConnection, name: str, at: datetime) -> None:
    statement = insert(marks).values(name=name, at=at)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))
