"""Acts on incidents: rows that the owner of the database applies, each in one transaction with its outcome.

A command line beside a running program leaves a row and waits for what comes of it; where no program runs it takes the
database itself and applies its row at once.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from alerts.command import Command, Outcome
from alerts.incident import REJOIN, Incidents
from listener.clock import utc_now
from listener.config import Config
from listener.desk import Desk
from listener.storage import acts, alerting
from listener.storage.database import Database, InUseError

EVERY = timedelta(seconds=1)
_ASK_AGAIN = 0.1  # seconds


class Commands:
    """The loop of the owner."""

    def __init__(self, database: Database, desk: Desk, *, told: Callable[[], None] = lambda: None) -> None:
        """*told*: called when an incident was changed, so that somebody may have to hear of it."""
        self.wake = asyncio.Event()
        self._database = database
        self._desk = desk
        self._told = told
        self._asked: dict[int, asyncio.Future[Outcome]] = {}

    async def step(self, now: datetime) -> datetime:
        """Apply what waits, in order. Raises StorageError, after which the next step goes on."""
        async with self._database.read("commands") as connection:
            found = await acts.waiting(connection)
        for number, command in found:
            # The turn: what the decider does to incidents comes before or after, never between.
            async with self._database.turn:
                async with self._database.write("commands") as connection:
                    outcome, changed = await self._desk.apply(connection, command, now)
                    await acts.finish(connection, number, outcome, at=now)
                self._desk.keep(changed, now)
            if changed or outcome.done:  # a silence changes no incident, and what is told of them
                self._told()
            if (asked := self._asked.get(number)) is not None and not asked.done():
                asked.set_result(outcome)
        return now if found else now + EVERY

    async def ask(self, command: Command, *, wait: timedelta) -> Outcome | None:
        """Have a command applied by this loop; None: not within *wait*, and it waits still. Raises StorageError."""
        async with self._database.write("commands") as connection:
            number = await acts.put(connection, command)
        asked: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._asked[number] = asked
        self.wake.set()
        try:
            async with asyncio.timeout(wait.total_seconds()):
                return await asked
        except TimeoutError:
            return None
        finally:
            del self._asked[number]


async def submit(config: Config, command: Command, *, wait: timedelta) -> Outcome | None:
    """Have a command applied, by the program that runs or by ourselves; None: not within *wait*, and it waits still.

    Raises StorageError.
    """
    deadline = utc_now() + wait
    beside = await Database.open(config.storage.url, base=config.base, owner=False)
    number: int | None = None
    try:
        while True:
            try:
                owner = await Database.open(config.storage.url, base=config.base)
            except InUseError:
                number = await _put(beside, command) if number is None else number
            else:
                try:
                    number = await _put(owner, command) if number is None else number
                    commands = Commands(owner, await _desk(owner))
                    while await commands.step(now := utc_now()) == now:
                        pass
                finally:
                    await owner.close()
            async with beside.read("commands") as connection:
                outcome = await acts.outcome(connection, number)
            if outcome is not None or utc_now() >= deadline:
                return outcome
            await asyncio.sleep(_ASK_AGAIN)
    finally:
        await beside.close()


async def _put(database: Database, command: Command) -> int:
    async with database.write("commands") as connection:
        return await acts.put(connection, command)


async def _desk(database: Database) -> Desk:
    async with database.read("commands") as connection:
        return Desk(Incidents(await alerting.living(connection, since=utc_now() - REJOIN)))
