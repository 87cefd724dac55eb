"""Histories by chance, told by the program's flush on its database: word for word what its rules say."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.storage import alerting, silences
from listener.storage.database import Database
from listener.storage.tables import outbox
from tests.support.audience import LEGS, RED_MUTES, ROUTE, ZONE, Message
from tests.support.histories import T0, Happened, World


@pytest.mark.timeout(3600)
async def test_the_program_tells_what_they_hear(tmp_path):
    """The flush, on its database and over restarts, tells the same receivers the same at the same times."""
    messages = 0
    for seed in range(200 if os.environ.get("SOAK") else 8):
        world = World(seed)
        world.run(20)
        (tmp_path / str(seed)).mkdir()
        told = await Stored(tmp_path / str(seed)).replay(world.journal)
        assert told == sorted(world.audience.heard, key=lambda one: (one.at, one.receiver, one.incident)), seed
        messages += len(told)
    print(f"{seed + 1} histories, {messages} messages, the same from the program as from its rules")


@dataclass
class Stored:
    """The program's flush on a database of its own, looked at whenever it asks to be."""

    folder: Path
    now: datetime = T0

    async def replay(self, journal: Sequence[Happened]) -> list[Message]:
        self.database = await Database.open("sqlite:///histories.db", base=self.folder)
        self.restart()
        try:
            for at, what, value in journal:
                await self.on(value if what == "nobody there" else at)
                await self.flush()
                self.now = at
                await self.happen(what, value)
            await self.flush()
            async with self.database.read("test") as connection:
                rows = (await connection.execute(select(outbox).where(~outbox.c.incident.like("silence-%")))).all()
        finally:
            await self.database.close()
        told = [Message(row.created_at, row.receiver, row.incident, row.kind, row.revision) for row in rows]
        return sorted(told, key=lambda one: (one.at, one.receiver, one.incident))

    def restart(self) -> None:
        channels = {leg.receiver: ["mail"] for leg in LEGS}
        self.flusher = Flusher(
            self.database, Routing(ROUTE, channels, [RED_MUTES], ZONE.key), metrics=Metrics(CollectorRegistry())
        )

    async def happen(self, what: str, value: Any) -> None:
        if what in {"restart", "nobody there"}:
            self.restart()
        async with self.database.write("test") as connection:
            if what in {"restart", "nobody there"}:
                await alerting.look_at_open(connection, self.now)
            elif what == "keep":
                await alerting.keep(connection, [value], now=self.now)
            elif what == "silence":
                await silences.add(connection, value)
            elif what == "unsilence":
                await silences.end(connection, value, by="阿苏", now=self.now)
            elif what == "follow":
                await silences.follow(connection, *value, self.now)
        if what in {"restart", "nobody there"}:
            await self.flush()

    async def on(self, at: datetime) -> None:
        """Up to that time, at each at which something is due; what happens at one time is looked at together."""
        while self.now < at:
            await self.flush()
            async with self.database.read("test") as connection:
                due = [await alerting.next_due(connection), await silences.next_due(connection), at]
            self.now = min(one for one in due if one is not None and one > self.now)
            if self.now == at:
                await self.flush()

    async def flush(self) -> None:
        for _ in range(8):
            if await self.flusher.step(self.now) > self.now:
                return
        raise AssertionError("a flush that asks to be looked at again and again")
