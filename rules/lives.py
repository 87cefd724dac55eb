"""Alert events folded into the life of each alert: from when to when, at which levels, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from alerts import AlertEvent, Because, Level


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time with its beginning, without its end; None: no bound on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Life:
    """One alert from its first opening on.

    ``levels``: each level that was told, with its time, in order. ``because``: what was said when it first stood at its
    highest level. ``resolved_at`` None: open still; ``reopened``: how often it opened again under the same id.
    """

    alert: str
    rule: str
    topic: str | None
    key: Mapping[str, str]
    opened_at: datetime
    levels: tuple[tuple[datetime, Level], ...]
    because: Because
    resolved_at: datetime | None = None
    reopened: int = 0
    shadow: bool = False

    @property
    def level(self) -> Level:
        """The highest that it reached."""
        return max(level for _, level in self.levels)

    @property
    def who(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The rule and the key: what an alert is of, whatever its id."""
        return self.rule, tuple(sorted(self.key.items()))


@dataclass(slots=True)
class Lives:
    """The fold. Memory grows with the alerts, never with the mentions."""

    _by_alert: dict[str, Life] = field(default_factory=dict)

    def take(self, events: Iterable[AlertEvent]) -> None:
        for event in events:
            self._by_alert[event.alert] = _after(self._by_alert.get(event.alert), event)

    def all(self, period: Period = ALWAYS) -> tuple[Life, ...]:
        """Those that opened in the period, in order of opening."""
        found = (life for life in self._by_alert.values() if period.holds(life.opened_at))
        return tuple(sorted(found, key=lambda life: (life.opened_at, life.alert)))


def _after(life: Life | None, event: AlertEvent) -> Life:
    if life is None:
        life = Life(
            event.alert, event.rule, event.topic, dict(event.key), event.at, ((event.at, event.level),), event.because,
            shadow=event.shadow,
        )  # fmt: skip
    elif event.event == "opened":
        life = replace(life, resolved_at=None, reopened=life.reopened + 1)
    if event.event == "resolved":
        return replace(life, resolved_at=event.at)
    if event.level > life.level:
        life = replace(life, because=event.because)
    if event.level is not life.levels[-1][1]:
        life = replace(life, levels=(*life.levels, (event.at, event.level)))
    return life
