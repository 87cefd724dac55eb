"""The life of one alert: pending, firing, recovering, closed. Pure: state, sight and time in, the next state out."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts import Level

EventName = Literal["opened", "raised", "lowered", "updated", "resolved"]
REOPEN_WITHIN = timedelta(hours=1)
"""What fires again this soon after it was resolved is the same episode, reopened."""
MAX_AGE = timedelta(days=7)
"""How long an alert may be open. A week: longer than nearly all crises are, and an alert that is open for months is read
by nobody. What stands goes on under a new alert that says since when, so nothing is lost by its end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """``hold``: how long a condition must hold before it fires; ``keep``: how long not, before it is over.

    ``age``: how old an alert may grow, reopenings included.
    """

    hold: timedelta
    keep: timedelta
    age: timedelta = MAX_AGE

    def aged(self, episode: "Episode", now: datetime) -> bool:
        """Whether an episode's alert has reached its age, so that it ends, or is not opened again."""
        return episode.opened_at is not None and now - episode.opened_at >= self.age


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tick sees: the level that the rule reads (None: it does not hold), in mentions how much, from where.

    ``through``: up to when the sources that contributed are known; it moves only with what was really seen, so a
    source that fails holds a recovery up, and never makes one.
    """

    level: Level | None
    value: float
    sources: tuple[str, ...]
    through: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """``since``: when this phase began. ``told``: how much was seen when last something was told.

    ``low_since``: from when on the level has been below ``level``; ``low``: the highest that it has read since then.
    ``closed_at``: while pending, when the episode that may be reopened was resolved. ``opened_at``: when the alert first
    opened; ``stands_since``: when the first of the alerts did that followed each other because each grew too old.
    """

    phase: Literal["pending", "firing", "recovering", "closed"]
    since: datetime
    alert: str = ""
    revision: int = 0
    level: Level = Level.blue
    told: float = 0.0
    sources: tuple[str, ...] = ()
    low_since: datetime | None = None
    low: Level | None = None
    closed_at: datetime | None = None
    opened_at: datetime | None = None
    stands_since: datetime | None = None

    @property
    def told_open(self) -> bool:
        """Whether people were told that it is open."""
        return self.phase in {"firing", "recovering"}

    @property
    def active(self) -> bool:
        """Whether time alone may change it."""
        return self.phase != "closed"


def fingerprint(rule: str, key: Mapping[str, str]) -> str:
    """An alert's identity over all its episodes: the rule's id and the key, and nothing else."""
    return hashlib.sha256(json.dumps([rule, sorted(key.items())]).encode()).hexdigest()[:16]


def episode_id(identity: str, opened_at: datetime) -> str:
    return f"{identity}-{int(opened_at.timestamp()):x}"


def step(  # noqa: PLR0911  (one return per way on)
    old: Episode | None, sight: Sight, timing: Timing, identity: str, now: datetime
) -> tuple[Episode | None, EventName | None]:
    """The episode after this tick, and what is to be told of it."""
    if old is not None and old.told_open:
        if timing.aged(old, now):
            return _end_of_age(old, sight, now), "resolved"
        return _living(old, sight, timing.keep, now)
    if old is not None and old.phase == "pending":
        if sight.level is None:
            return _back(old, now), None
        if now - old.since < timing.hold:
            return old, None
        return _open(old, sight, timing, identity, now)
    if sight.level is None:
        return forget(old, now), None
    if timing.hold:
        pending = Episode("pending", now)
        return (replace(old, phase="pending", since=now, closed_at=old.since) if old else pending), None
    return _open(replace(old, closed_at=old.since) if old else None, sight, timing, identity, now)


def steady(old: Episode, level: Level | None, value: float, sources: tuple[str, ...]) -> bool:
    """Whether ``step`` leaves it as it is until it is of age: it fires, and nothing new is seen of it."""
    return (
        old.phase == "firing"
        and level is old.level
        and old.low_since is None
        and value < max(2 * old.told, 1)
        and (sources == old.sources or all(source in old.sources for source in sources))
    )


def waits(old: Episode, level: Level | None, timing: Timing, until: datetime) -> bool:
    """Whether ``step`` leaves it as it is up to *until*: it waits for what holds to hold long enough, or to be over so long.

    No source is known further than up to now, so that what is over is not told before.
    """
    if old.phase == "pending":
        return level is not None and until - old.since < timing.hold
    return (
        old.phase == "recovering" and level is None and until - old.since < timing.keep and not timing.aged(old, until)
    )


def forget(old: Episode | None, now: datetime) -> Episode | None:
    """None once a closed episode can no longer be reopened."""
    return None if old is not None and old.phase == "closed" and now - old.since > REOPEN_WITHIN else old


def _back(old: Episode, now: datetime) -> Episode | None:
    """A pending one that does not come true: what it was before."""
    if old.closed_at is None:
        return None
    return forget(replace(old, phase="closed", since=old.closed_at, closed_at=None), now)


def _open(old: Episode | None, sight: Sight, timing: Timing, identity: str, now: datetime) -> tuple[Episode, EventName]:
    level = sight.level or Level.blue
    fresh = Episode(
        "firing", now, episode_id(identity, now), 1, level, sight.value, sight.sources, opened_at=now, stands_since=now
    )
    if old is None or old.closed_at is None or now - old.closed_at > REOPEN_WITHIN:
        return fresh, "opened"
    fresh = replace(fresh, stands_since=old.stands_since)
    if timing.aged(old, now):
        return fresh, "opened"
    return replace(fresh, alert=old.alert, revision=old.revision + 1, opened_at=old.opened_at), "opened"


def _living(  # noqa: C901  (the ways that an open alert can go, side by side)
    old: Episode, sight: Sight, keep: timedelta, now: datetime
) -> tuple[Episode, EventName | None]:
    if sight.level is None:
        if old.phase == "firing":
            old = replace(old, phase="recovering", since=now, low_since=old.low_since or now)
        if sight.through - old.since < keep:
            return old, None
        return replace(old, phase="closed", since=now, revision=old.revision + 1, low_since=None, low=None), "resolved"
    new = old
    if old.phase == "recovering":
        new = replace(new, phase="firing", since=now)
    if not set(sight.sources) <= set(old.sources):
        new = replace(new, sources=union(old.sources, sight.sources))
    if sight.level > old.level:
        return _told(new, sight, sight.level), "raised"
    if sight.level < old.level:
        since, low = old.low_since or now, max(old.low or sight.level, sight.level)
        if sight.through - since >= keep:
            fallen = _told(new, sight, low)
            # It may be lower still by now; for that the wait begins here.
            return (replace(fallen, low_since=now, low=sight.level) if sight.level < low else fallen), "lowered"
        if (since, low) != (old.low_since, old.low):
            new = replace(new, low_since=since, low=low)
    elif old.low_since is not None:
        new = replace(new, low_since=None, low=None)
    if sight.value >= max(2 * old.told, 1):
        return replace(new, told=sight.value, revision=old.revision + 1), "updated"
    return new, None


def _end_of_age(old: Episode, sight: Sight, now: datetime) -> Episode:
    """What still holds waits to open anew, at the next tick where the rule asks for no ``for``."""
    over = replace(old, phase="closed", since=now, revision=old.revision + 1, low_since=None, low=None)
    return replace(over, phase="pending", closed_at=now) if sight.level is not None else over


def _told(episode: Episode, sight: Sight, level: Level) -> Episode:
    return replace(episode, level=level, told=sight.value, revision=episode.revision + 1, low_since=None, low=None)


def union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*first, *second}))
