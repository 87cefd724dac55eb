"""The daily report that the program works: put into the outbox at its time, once a day, whatever was restarted."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.alive import Alive, due, incident
from alerts.render import in_words
from listener.parts import Parts
from listener.selfcheck import blind_since
from listener.storage import day, marks, outbox
from listener.storage.database import Database, later
from listener.storage.sources import SourceState

_MARK = "alive"
_LOOK = timedelta(minutes=1)  # a reload may change the time
_log = structlog.get_logger()


class DailyReport:
    """The mark in the database says when it was told last, and is written with the rows of the outbox or not at all."""

    def __init__(
        self, database: Database, parts: Parts, states: Mapping[str, SourceState], *, started_at: datetime
    ) -> None:
        self.parts = parts
        self.put = asyncio.Event()  # set when the outbox got a row
        self._database = database
        self._states = states
        self._started_at = started_at

    async def step(self, now: datetime) -> datetime:
        """Raises StorageError, after which the next step goes on."""
        config = self.parts.config.alive
        if config is None:
            return now + _LOOK
        zone = ZoneInfo(self.parts.config.timezone)
        async with self._database.read("alive") as connection:
            last = await marks.mark(connection, _MARK)
        if last is None:  # the first start: a day has to pass before there is one to tell of
            async with self._database.write("alive") as connection:
                await marks.set_mark(connection, _MARK, now)
            return now + _LOOK
        at = due(last, config.time, zone)
        if at > now:
            return min(at, now + _LOOK)
        async with self._database.write("alive") as connection:
            told = await self._told(connection, last, now)
            await self._put(connection, told, config.receiver, zone)
            await marks.set_mark(connection, _MARK, now)
        self.put.set()
        _log.info("day_reported", receiver=config.receiver, count=told.mentions)
        return now + _LOOK

    async def _told(self, connection: AsyncConnection, since: datetime, now: datetime) -> Alive:
        waiting, _, dead = await outbox.health(connection, now=now)
        opened = await day.opened(connection, since=since, until=now)
        still_open = await day.still_open(connection)
        sources = self.parts.sources.values()
        blind = [(one.id, blind_since(one, self._states.get(one.id), self._started_at, now)) for one in sources]
        newest: dict[str, datetime | None] = {}
        for source in sources:
            state = self._states.get(source.id)
            newest[source.channel] = later(newest.get(source.channel), state.newest_published if state else None)
        return Alive(
            since=since,
            at=now,
            mentions=await day.collected(connection, since=since, until=now),
            alerts=tuple(sorted(opened.items(), reverse=True)),
            open=tuple(sorted(still_open.items(), reverse=True)),
            blind=tuple((source, at) for source, at in blind if at is not None),
            waiting=waiting,
            dead=dead,
            newest=tuple(newest.items()),
        )

    async def _put(self, connection: AsyncConnection, told: Alive, receiver: str, zone: ZoneInfo) -> None:
        date = told.at.astimezone(zone).date().isoformat()
        facts = incident(told, date, in_words(told, zone.key))
        for channel in self.parts.routing.channels.get(receiver, ()):
            line = self.parts.lines.get((receiver, channel))
            if line is None or line.pager:
                continue
            said = json.dumps(["alive", told.at.isoformat(), receiver, channel])
            key = hashlib.sha256(said.encode()).hexdigest()[:32]
            new = outbox.New(key, receiver, channel, "alive", facts, alive=told)
            await outbox.put(connection, new, now=told.at)
