"""Time intervals that never hold or are not used, and hours in which nobody is ever told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from alerts.config import BranchConfig, RouteConfig
from alerts.hold import Hours
from alerts.hours import HORIZON, TimeInterval, closes_at, holding, opens_at
from listener.config.findings import Finding
from listener.config.model import Config
from listener.problem import Keys

_FROM = datetime(2024, 1, 1, tzinfo=UTC)  # a year with a leap day, whose holidays are known
_YEARS = 40  # within which every day of the week has fallen on every day of the year, the leap day too


def hours_findings(config: Config) -> Iterator[Finding]:
    intervals = config.intervals
    for index, one in enumerate(config.time_intervals):
        if not _ever(intervals[one.id], holidays=config.calendars.work != "none"):
            yield Finding("interval-never-holds", ("time_intervals", index), "no day is as this interval asks for")
    used: set[str] = set()
    if config.route is not None:
        yield from _routes(config.route, ("route",), intervals, used)
    for index, one in enumerate(config.time_intervals):
        if one.id not in used:
            yield Finding("interval-unused", ("time_intervals", index), "no route names this interval")


def _ever(interval: TimeInterval, *, holidays: bool) -> bool:
    """Whether a day can be one of its days. Where there are holidays, any day may come to be of any kind."""
    first, last = (
        (min(start for start, _ in interval.years), max(end for _, end in interval.years))
        if interval.years
        else (_FROM.year, _FROM.year + _YEARS)
    )
    day, end = date(first, 1, 1), date(min(last, first + _YEARS), 12, 31)
    possible = replace(interval, days=frozenset()) if holidays else interval
    while day <= end:
        if possible.on(day):
            return True
        day += timedelta(days=1)
    return False


def _routes(
    route: RouteConfig | BranchConfig, keys: Keys, intervals: dict[str, TimeInterval], used: set[str]
) -> Iterator[Finding]:
    if route.quiet is not None:
        used.update(route.quiet.intervals)
        if _always(_lasting(route.quiet.intervals, intervals)):
            message = f"these quiet hours never end: what is below {route.quiet.loud} is never told"
            yield Finding("quiet-never-ends", (*keys, "quiet"), message)
    if isinstance(route, BranchConfig):
        used.update(route.active_time_intervals, route.mute_time_intervals)
        active = _lasting(route.active_time_intervals, intervals)
        hours = Hours(
            # An interval of certain years says nothing of the others.
            active=active if len(active) == len(route.active_time_intervals) else (),
            mute=_lasting(route.mute_time_intervals, intervals),
        )
        if not _free(hours):
            name = "mute_time_intervals" if hours.mute else "active_time_intervals"
            yield Finding(
                "route-always-muted", (*keys, name), "nothing is ever told here, red neither: no time is left"
            )
    for index, branch in enumerate(route.routes):
        yield from _routes(branch, (*keys, "routes", index), intervals, used)


def _lasting(names: Sequence[str], intervals: dict[str, TimeInterval]) -> tuple[TimeInterval, ...]:
    return tuple(intervals[name] for name in names if not intervals[name].years)


def _always(intervals: Sequence[TimeInterval]) -> bool:
    return holding(intervals, _FROM) is not None and closes_at(intervals, _FROM) is None


def _free(hours: Hours) -> bool:
    """Whether there is a time at which hours let something pass."""
    at: datetime | None = _FROM
    while at is not None and at < _FROM + HORIZON:
        if hours.active and holding(hours.active, at) is None:
            at = opens_at(hours.active, at)
        elif holding(hours.mute, at) is not None:
            at = closes_at(hours.mute, at)
        else:
            return True
    return False
