"""The daily word that the program works, with what it could not see: a day without alerts and a dead program differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.alert import AlertEvent, Because, Coverage, Level
from alerts.incident import Incident

RULE = "self-alive"
_WELL = Because("运行正常", "all is well")
_QUIET = Because("没有采集到任何内容", "nothing was collected")
_LOOK = Because("有问题需要处理", "something needs a look")


@dataclass(frozen=True, slots=True)
class Alive:
    """What has been from ``since`` to ``at``, aware UTC.

    ``alerts``: how many opened, and ``open``: how many incidents are, by level. ``blind``: sources that cannot be seen,
    and since when. ``waiting``: notifications not yet sent; ``dead``: given up in the last 24 h. ``newest``: by class of
    source (its ``channel``) when its newest mention was published; None where there has been none.
    """

    since: datetime
    at: datetime
    mentions: int
    alerts: tuple[tuple[Level, int], ...] = ()
    open: tuple[tuple[Level, int], ...] = ()
    blind: tuple[tuple[str, datetime], ...] = ()
    waiting: int = 0
    dead: int = 0
    newest: tuple[tuple[str, datetime | None], ...] = ()

    @property
    def well(self) -> bool:
        """Nothing in it asks for a look."""
        return self.mentions > 0 and not self.blind and not self.dead


def due(last: datetime, at: time, zone: ZoneInfo) -> datetime:
    """When the next one after *last* is told: the first *at* of a day in *zone* that is later.

    A time that a day skips (clocks put forward) is as long after midnight as it would have been; of one that a day has
    twice, the first counts. So each day has one, and *last* may be any time: days without the program are told of once.
    """
    day = last.astimezone(zone).date() - timedelta(days=1)
    while True:
        moment = datetime.combine(day, at, zone).astimezone(UTC)
        if moment > last:
            return moment
        day += timedelta(days=1)


def incident(alive: Alive, day: str, because: Because) -> Incident:
    """The form in which every channel takes a notification: one alert, about nothing that is wrong."""
    level = Level.blue if alive.well else Level.yellow
    event = AlertEvent(
        event="opened",
        kind="self",
        at=alive.at,
        alert=f"alive-{day}",
        revision=1,
        rule=RULE,
        topic=None,
        key={"day": day},
        level=level,
        because=because,
        seen=float(alive.mentions),
        brand="Listener",
        title=_WELL if alive.well else _LOOK if alive.mentions else _QUIET,
        coverage=Coverage(alive.blind),
        incident=f"alive-{day}",
    )
    return Incident(event.incident, "self", None, alive.at, alive.at, 1, (event,))


def dump(alive: Alive) -> dict[str, Any]:
    """As JSON types; ``load`` gives the same back."""
    return {
        "since": alive.since.isoformat(),
        "at": alive.at.isoformat(),
        "mentions": alive.mentions,
        "alerts": [[level.name, count] for level, count in alive.alerts],
        "open": [[level.name, count] for level, count in alive.open],
        "blind": [[source, since.isoformat()] for source, since in alive.blind],
        "waiting": alive.waiting,
        "dead": alive.dead,
        "newest": [[name, at.isoformat() if at else None] for name, at in alive.newest],
    }


def load(form: Mapping[str, Any]) -> Alive:
    moment = datetime.fromisoformat
    return Alive(
        since=moment(form["since"]),
        at=moment(form["at"]),
        mentions=form["mentions"],
        alerts=tuple((Level[name], count) for name, count in form["alerts"]),
        open=tuple((Level[name], count) for name, count in form["open"]),
        blind=tuple((source, moment(since)) for source, since in form["blind"]),
        waiting=form["waiting"],
        dead=form["dead"],
        newest=tuple((name, moment(at) if at else None) for name, at in form["newest"]),
    )
