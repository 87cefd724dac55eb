"""Acts on incidents: rows that the owner of the database applies, each in one transaction with its outcome.

A command line beside a running program leaves a row and waits for what comes of it; where no program runs it takes the
database itself and applies its row at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident
from alerts.command import Command, Outcome
from alerts.incident import REJOIN, Incidents
from listener.clock import utc_now
from listener.config import Config
from listener.desk import Desk
from listener.playbooks import playbooks
from listener.storage import acts, alerting, outbox
from listener.storage.database import Database, InUseError
from listener.web.acting import Answered

EVERY = timedelta(seconds=1)
REMEMBERED = timedelta(days=1)
"""How long a key makes a retry the same command."""
_ASK_AGAIN = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of a command: the incidents that it changed, and since when somebody had been told of the first."""

    number: int
    command: Command
    at: datetime
    outcome: Outcome
    changed: tuple[Incident, ...]
    told_at: datetime | None


class Commands:
    """The loop of the owner."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        *,
        told: Callable[[], None] = lambda: None,
        acted: Callable[[Acted], None] = lambda _: None,
    ) -> None:
        """*told*: called when an incident was changed, so that somebody may have to hear of it; *acted*: of each command."""
        self.wake = asyncio.Event()
        self._database = database
        self._desk = desk
        self._told = told
        self._acted = acted
        self._waiting: defaultdict[int, set[asyncio.Future[Outcome]]] = defaultdict(set)

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
                    told_at = await _told_at(connection, changed)
                self._desk.keep(changed, now)
            self._acted(Acted(number, command, now, outcome, changed, told_at))
            for future in self._waiting.pop(number, ()):
                if not future.done():
                    future.set_result(outcome)
            if changed or outcome.done:  # a silence changes no incident, and what is told of them
                self._told()
        return now if found else now + EVERY

    async def ask(self, command: Command, *, key: str = "", wait: timedelta) -> Answered:
        """Have it applied and wait for what comes of it; one that came with *key* before is not asked again.

        Raises StorageError.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        number = 0
        try:
            async with self._database.write("commands") as connection:
                before = await acts.asked_before(connection, key, since=command.at - REMEMBERED) if key else None
                if before is not None:
                    number, command = before
                    outcome = await acts.outcome(connection, number)
                    if outcome is not None:
                        return Answered(number, command, outcome)
                else:
                    number = await acts.put(connection, command, request=key)
                # Before the commit: from then on the loop may find it.
                self._waiting[number].add(future)
            self.wake.set()
            async with asyncio.timeout(wait.total_seconds()):
                return Answered(number, command, await future)
        except TimeoutError:
            return Answered(number, command, None)
        finally:
            if number in self._waiting:
                self._waiting[number].discard(future)
                if not self._waiting[number]:
                    del self._waiting[number]


async def _told_at(connection: AsyncConnection, changed: tuple[Incident, ...]) -> datetime | None:
    """When somebody first heard of this wave of the incident that was taken."""
    if not changed or changed[0].handling.taken is None:
        return None
    return await outbox.first_sent(connection, changed[0].id, since=changed[0].since or changed[0].opened_at)


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
                    commands = Commands(owner, await _desk(owner, config))
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


async def _desk(database: Database, config: Config) -> Desk:
    known = await asyncio.to_thread(playbooks, config)
    async with database.read("commands") as connection:
        return Desk(Incidents(await alerting.living(connection, since=utc_now() - REJOIN)), lambda: known)
