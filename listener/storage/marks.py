"""When what is done by the clock was done last."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.storage.database import upsert
from listener.storage.tables import marks


async def mark(connection: AsyncConnection, name: str) -> datetime | None:
    return (await connection.execute(select(marks.c.at).where(marks.c.name == name))).scalar_one_or_none()


async def set_mark(connection: AsyncConnection, name: str, at: datetime) -> None:
    await connection.execute(upsert(marks, ["name"], ["at"]), [{"name": name, "at": at}])
