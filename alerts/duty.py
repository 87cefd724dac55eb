"""Who is on duty: a rotation with overrides, by the clock on the wall of its zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Override:
    """*receiver* is on duty instead from ``start`` until just before ``end``, both aware UTC."""

    start: datetime
    end: datetime
    receiver: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """``start``: the first hand-over, naive, in the zone's own time; ``every``: time between two, an hour at least.

    Hand-overs are reckoned on the wall's clock: one at 09:00 stays at 09:00 when the clocks change, and the shift around
    the change is an hour longer or shorter.
    """

    id: str
    zone: ZoneInfo
    start: datetime
    every: timedelta
    receivers: tuple[str, ...]
    overrides: tuple[Override, ...] = ()

    def hand_over(self, number: int) -> datetime:
        """When shift *number* begins, aware UTC. Never before the shift before it begins."""
        return (self.start + number * self.every).replace(tzinfo=self.zone).astimezone(UTC)

    def shift(self, at: datetime) -> int:
        """The number of the shift that *at* lies in; below 0 before the first hand-over."""
        number = (at.astimezone(self.zone).replace(tzinfo=None) - self.start) // self.every
        while self.hand_over(number) > at:
            number -= 1
        while self.hand_over(number + 1) <= at:
            number += 1
        return number


def on_duty(schedule: Schedule, at: datetime) -> str | None:
    """The receiver on duty; None before the first hand-over, where no override says otherwise."""
    for override in schedule.overrides:
        if override.start <= at < override.end:
            return override.receiver
    number = schedule.shift(at)
    return None if number < 0 else schedule.receivers[number % len(schedule.receivers)]


def called_by(schedule: Schedule, at: datetime) -> tuple[str, ...]:
    """Whom an escalation reaches: who is on duty, else everybody of the rotation, for a call must never reach nobody."""
    found = on_duty(schedule, at)
    return tuple(dict.fromkeys(schedule.receivers)) if found is None else (found,)


def hand_overs(schedule: Schedule, after: datetime) -> Iterator[tuple[datetime, str | None]]:
    """Each time after *after* at which somebody else comes on duty, and who; without end where several take turns."""
    before, number = on_duty(schedule, after), max(schedule.shift(after), -1)
    edges = sorted({edge for one in schedule.overrides for edge in (one.start, one.end) if edge > after}, reverse=True)
    while edges or before is None or len(set(schedule.receivers)) > 1:
        at = schedule.hand_over(number + 1)
        if edges and edges[-1] <= at:
            at = edges.pop()
        number = max(schedule.shift(at), -1)
        now = on_duty(schedule, at)
        if now != before:
            yield at, now
        before = now
