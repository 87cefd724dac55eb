"""By when the public must have an answer, and how long an acknowledgement stands without a sign of life. Pure decisions.

That a crisis needs its first answer within four hours (黄金四小时) is the practice of Chinese public relations; the
reminder and the end of an acknowledgement that nobody renews are Grafana OnCall's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import Level
from alerts.incident import Incident

REMIND_AT = 0.75
"""The share of the time after which a reminder is due."""

SILENCE = "silence"
"""The value of the act by which the program ends an acknowledgement that nobody renewed."""


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """``limits``: by level, from when the incident first stood at it; ``rules``: what single rules say instead.

    None, or no entry: there is no deadline.
    """

    limits: Mapping[Level, timedelta | None] = field(default_factory=dict)
    rules: Mapping[str, Mapping[Level, timedelta | None]] = field(default_factory=dict)

    def limit(self, incident: Incident, level: Level) -> timedelta | None:
        """The shortest that a rule of this wave's alerts has for the level."""
        wave = incident.wave
        rules = {event.rule for event in incident.alerts if event.event != "resolved" or event.at >= wave}
        found = (self.rules.get(rule, {}).get(level, self.limits.get(level)) for rule in rules)
        return min((limit for limit in found if limit is not None), default=None)


@dataclass(frozen=True, slots=True)
class Deadline:
    level: Level
    since: datetime
    due: datetime

    @property
    def remind_at(self) -> datetime:
        return self.since + REMIND_AT * (self.due - self.since)


@dataclass(frozen=True, slots=True)
class Say:
    """What the incident's receivers must hear now, and the marks that it is said under: none is ever said twice."""

    kind: Literal["remind", "breach"]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lapse:
    """The taker is silent: ``remind`` them, or ``end`` the acknowledgement; ``silent``: for how long by now."""

    what: Literal["remind", "end"]
    mark: str
    silent: timedelta


@dataclass(frozen=True, slots=True)
class AckLife:
    """``remind_after``: time without an act; ``give_up_after``: time from the reminder. None: an acknowledgement stands."""

    remind_after: timedelta | None = None
    give_up_after: timedelta | None = None


def deadlines(incident: Incident, times: ResponseTimes) -> tuple[Deadline, ...]:
    """What is to be met, the earliest first: one for each level that it stood at in this wave.

    None once the answer is out or the incident is over. A lower level's that falls due after a higher one's adds nothing.
    """
    if incident.kind != "topic" or not incident.open or incident.handling.responded_at is not None:
        return ()
    found = []
    for level, at in incident.reached:
        limit = times.limit(incident, level)
        if limit is not None:
            found.append(Deadline(level, at, at + limit))
    found.sort(key=lambda one: (one.due, -one.level))
    return tuple(one for place, one in enumerate(found) if all(one.level > other.level for other in found[:place]))


def respond_by(incident: Incident, times: ResponseTimes) -> datetime | None:
    """When the earliest deadline is, or was; None: there is none to meet."""
    return next((one.due for one in deadlines(incident, times)), None)


def to_say(
    incident: Incident, times: ResponseTimes, said: Mapping[str, datetime], now: datetime
) -> tuple[Say | None, datetime | None]:
    """What is to be said at *now*, and when to look again. *said*: the marks of what was, by the time it was.

    After an outage in which several fell due, one message says so; a reminder that comes after its deadline is left out.
    """
    wave = incident.wave.isoformat()
    breach: list[str] = []
    remind: list[str] = []
    later: list[datetime] = []
    for one in deadlines(incident, times):
        reminded, breached = (f"{kind}:{one.level.name}:{wave}" for kind in ("remind", "breach"))
        if breached in said:
            continue
        if now >= one.due:
            breach += [mark for mark in (reminded, breached) if mark not in said]
            continue
        later.append(one.due)
        if reminded in said:
            continue
        if now >= one.remind_at:
            remind.append(reminded)
        else:
            later.append(one.remind_at)
    next_at = min(later, default=None)
    if breach:
        return Say("breach", (*breach, *remind)), next_at
    return (Say("remind", tuple(remind)) if remind else None), next_at


def renewed_at(incident: Incident) -> datetime | None:
    """The newest sign of life since it was taken: any act by anybody. None: nobody has it, or its answer is out."""
    taken = incident.handling.taken
    if taken is None or not incident.open or incident.handling.responded_at is not None:
        return None
    return max([taken.at, *(act.at for act in incident.handling.timeline if act.by)])


def lapse(
    incident: Incident, life: AckLife, said: Mapping[str, datetime], now: datetime
) -> tuple[Lapse | None, datetime | None]:
    """What the silence of who took it comes to at *now*, and when to look again.

    Nothing ends without a reminder: after an outage its time counts from when the reminder was really given.
    """
    since = renewed_at(incident)
    if since is None or life.remind_after is None:
        return None, None
    reminded, ended = f"silent:{since.isoformat()}", f"ended:{since.isoformat()}"
    if ended in said:
        return None, None
    if reminded not in said:
        due = since + life.remind_after
        return (Lapse("remind", reminded, now - since), None) if now >= due else (None, due)
    if life.give_up_after is None:
        return None, None
    due = said[reminded] + life.give_up_after
    return (Lapse("end", ended, now - since), None) if now >= due else (None, due)
