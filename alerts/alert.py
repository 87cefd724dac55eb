"""A rule firing for one key, told as a sequence of events of which the alert's state is a fold."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CATCH_UP = "catch-up"
"""The rule of an alert that tells what came late; nothing goes on, it is open for as long as it should be seen."""

AGED = "max_age"
"""How ``because`` begins where an alert ended because it was open for as long as its rule lets it: it may go on."""

WITHDRAWN = "rule_removed"
"""How ``because`` begins where an alert ended with its rule, or with its mode: nothing is known to be over."""


class Level(enum.IntEnum):
    """The four warning levels that Chinese practice knows: 蓝 黄 橙 红, in rising order."""

    blue = 1
    yellow = 2
    orange = 3
    red = 4


@dataclass(frozen=True, slots=True)
class Because:
    """A reason in both languages that users read."""

    zh: str
    en: str

    def of(self, language: Literal["zh", "en"]) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of event time that was read, both ends aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What somebody wrote: untrusted text.

    ``negative``: the probability that it speaks ill of the target; ``risks``: the kinds of trouble that it reports;
    ``marks``: where in ``text`` the words stand that made it negative, as begin and end in code points.
    """

    text: str
    url: str
    channel: str
    negative: float
    author: str = ""
    reach: int = 0
    published_at: datetime | None = None
    risks: tuple[str, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class StoryRef:
    id: str
    title: str
    copies: int
    channels: tuple[str, ...]
    first_url: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What could not be seen: each blind source, and since when."""

    blind: tuple[tuple[str, datetime], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.blind


@dataclass(frozen=True, slots=True)
class Reached:
    """How far it went within the window. ``channels``: mentions per channel, largest first."""

    mentions: int = 0
    negative: int = 0
    authors: int = 0
    people: int = 0
    channels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One event in an alert's life. ``alert`` is the episode's id, ``revision`` counts its events from 1.

    ``kind`` self: the program speaks of itself (a blind source, a refused channel); ``topic`` is then None.
    ``seen`` and ``expected`` are in the unit that ``because`` names. ``brand`` and ``title`` are for people.
    ``shadow``: of a rule on trial: kept and shown, of no incident, told to nobody.
    """

    event: Literal["opened", "raised", "lowered", "updated", "resolved"]
    kind: Literal["topic", "self"]
    at: datetime
    alert: str
    revision: int
    rule: str
    topic: str | None
    key: Mapping[str, str]
    level: Level
    because: Because
    seen: float
    expected: float | None = None
    baseline: Literal["none", "cold", "daily", "weekly"] = "none"
    window: Window | None = None
    brand: str = ""
    title: Because = Because("", "")
    reached: Reached = Reached()
    excerpts: tuple[Excerpt, ...] = ()
    stories: tuple[StoryRef, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    playbook: str = ""
    incident: str = ""
    shadow: bool = False
