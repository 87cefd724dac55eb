"""Why a receiver is not told now though there is something to say.

A stage between routing and sending looks at an incident and a leg and answers ``Held`` or None; ``alerts.settle`` joins
that with what the pace decided. Nothing that is held is lost from sight: it is told when the hold ends, or counted and
shown.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.alert import Level
from alerts.hours import TimeInterval, closes_at, holding, opens_at

HoldReason = Literal["quiet_hours", "muted", "outside_hours", "silenced", "inhibited"]


@dataclass(frozen=True, slots=True)
class Held:
    """``by``: what holds it: its name in the configuration, a silence's number, an incident's id.

    ``until``: when it ends; None: no end is in sight.

    ``owed``: the receiver is told at the end, whatever has become of it by then; otherwise what began and ended meanwhile
    is not told. ``dropped``: that has happened.
    """

    reason: HoldReason
    by: str
    until: datetime | None
    owed: bool = False
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a leg.

    ``active``: told only then, empty for always; ``mute``: not then, red neither; ``quiet``: what happens then is told
    later, unless its level is ``loud`` or above.
    """

    active: tuple[TimeInterval, ...] = ()
    mute: tuple[TimeInterval, ...] = ()
    quiet: tuple[TimeInterval, ...] = ()
    loud: Level = Level.red

    def held(self, level: Level, now: datetime) -> Held | None:
        quiet = holding(self.quiet, now) if level < self.loud else None
        if quiet is not None:
            return Held("quiet_hours", quiet.id, closes_at(self.quiet, now), owed=True)
        mute = holding(self.mute, now)
        if mute is not None:
            return Held("muted", mute.id, closes_at(self.mute, now))
        if self.active and holding(self.active, now) is None:
            return Held("outside_hours", self.active[0].id, opens_at(self.active, now))
        return None


ALWAYS = Hours()
