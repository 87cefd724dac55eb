"""What the API of incidents asks: read from storage, done by the commands' loop."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident
from alerts.command import Command, Outcome
from alerts.deadline import respond_by
from alerts.silence import Silence, Stay
from listener import silence_desk
from listener.clock import utc_now
from listener.commands import Commands
from listener.storage import acts, alerting, silences
from listener.storage.database import Database, StorageError
from listener.storage.status import StoredStatus
from listener.web.acting import Answered, AuditEntry, Listed, Place, Preview, Wanted
from listener.web.status import IncidentPage, StatusError


class StoredDesk:
    """Implements listener.web.acting.IncidentDesk."""

    def __init__(self, database: Database, commands: Commands, status: StoredStatus) -> None:
        self._database = database
        self._commands = commands
        self._status = status

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.read("incidents") as connection:
                yield connection
        except StorageError as error:
            raise StatusError(str(error)) from error

    async def listed(self, wanted: Wanted, *, after: Place | None, most: int) -> Listed:
        async with self._reading() as connection:
            found, ended_at = await alerting.page(connection, wanted, after=after, most=most)
        times = self._status.shown.times
        return Listed(tuple((incident, respond_by(incident, times)) for incident in found), ended_at)

    async def incident(self, name: str) -> IncidentPage | None:
        return await self._status.incident(name)

    async def audit(self, *, incident: str | None, before: int | None, most: int) -> Sequence[AuditEntry]:
        async with self._reading() as connection:
            if incident is not None:
                found = await alerting.find(connection, incident)
                incident = found.id if found else incident
            return await acts.log(connection, incident=incident, before=before, most=most)

    async def silences(
        self, *, over: bool, before: int | None, most: int
    ) -> Sequence[tuple[Silence, Sequence[tuple[Incident, Stay]]]]:
        async with self._reading() as connection:
            found = await silences.page(connection, over_after=None if over else utc_now(), before=before, most=most)
            return [(one, await silences.stayed(connection, one)) for one in found]

    async def preview(self, command: Command) -> Preview | Outcome:
        async with self._reading() as connection:
            return await silence_desk.preview(connection, command, command.at)

    async def ask(self, command: Command, *, key: str, wait: timedelta) -> Answered:
        try:
            return await self._commands.ask(command, key=key, wait=wait)
        except StorageError as error:
            raise StatusError(str(error)) from error
