"""What the API of incidents reads and has done, as values, and the port that the program implements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts import Incident, Level
from alerts.command import Command, Outcome
from alerts.handling import State
from alerts.silence import Silence, Stay
from listener.web.status import IncidentPage


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents; None: whatever it is. ``topic``: that it is of, or that it gathers."""

    state: State | None = None
    level: Level | None = None
    topic: str | None = None
    owner: str | None = None
    open: bool | None = None

    def fits(self, incident: Incident) -> bool:
        return (
            self.state in {None, incident.state}
            and self.level in {None, incident.level}
            and (self.topic in {None, incident.topic} or self.topic in incident.gathers)
            and self.owner in {None, incident.handling.owner}
            and self.open in {None, incident.open}
        )


Place = tuple[int, str]
"""Where a list of incidents has come to: the number and the id of the last."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Newest first, each with when the public is to be answered. ``ended_at``: go on from there, if not None."""

    incidents: tuple[tuple[Incident, datetime | None], ...]
    ended_at: Place | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was asked, by whom and from where, and what came of it (None: not yet)."""

    number: int
    command: Command
    outcome: Outcome | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answered:
    """``command``: as it was first asked, where its key says that it was asked before. ``outcome`` None: not yet."""

    number: int
    command: Command
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A silence as it would be made now, and the incidents of the last 7 days that it would have concerned."""

    silence: Silence
    incidents: tuple[Incident, ...]


class IncidentDesk(Protocol):
    """Every method may raise StatusError."""

    async def listed(self, wanted: Wanted, *, after: Place | None, most: int) -> Listed:
        """At most *most*, and fewer where it looked at many: then there is an ``ended_at`` all the same."""
        ...

    async def incident(self, name: str) -> IncidentPage | None:
        """By its id or number; None: there is none."""
        ...

    async def audit(self, *, incident: str | None, before: int | None, most: int) -> Sequence[AuditEntry]:
        """The newest commands, or those on one incident by its id or number; older ones than *before*."""
        ...

    async def silences(
        self, *, over: bool, before: int | None, most: int
    ) -> Sequence[tuple[Silence, Sequence[tuple[Incident, Stay]]]]:
        """The newest that are not over, or of all; older ones than *before*. With the incidents that were under each."""
        ...

    async def preview(self, command: Command) -> Preview | Outcome:
        """What the silence that a command asks for would have hidden, or why there can be none; nothing is done."""
        ...

    async def ask(self, command: Command, *, key: str, wait: timedelta) -> Answered:
        """Have it done. *key*, where it is not empty, makes a second one of the same key the first."""
        ...
