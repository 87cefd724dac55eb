"""What a condition reads, and the extension point for conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from alerts import Because, Level
from rules.panes import NEVER
from rules.rollup import NO_ROLL, Roll

if TYPE_CHECKING:
    from rules.filter import Filter
    from rules.view import View

State = Mapping[str, "State"] | list["State"] | str | float | int | bool | None
"""What a condition remembers between readings, in JSON's types; None to begin with."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the levels' tests compare. Those that are None are read by no condition of the rule.

    ``reach``: people, summed over mentions. ``factor`` is infinite where nothing was expected. ``surprise``: -log10 of
    how rare it is; ``doubling``: minutes.
    """

    mentions: int = 0
    authors: int = 0
    channels: int = 0
    sites: int = 0
    stories: int = 0
    reach: int = 0
    share: float | None = None
    factor: float | None = None
    surprise: float | None = None
    doubling: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The outcome of a condition, *and because*. ``value`` and ``expected`` are in mentions.

    ``awake``: whether it may come to hold by the passing of time alone; where it may not, the engine does not read the
    key again before a row arrives for it. ``turns``: the minute at which time changes it even if no mention leaves a
    window. ``leaf`` is the condition whose window is shown. ``level`` is the rule's to fill in: the highest whose test
    holds.
    """

    holds: bool
    value: float
    expected: float | None
    because: Because
    figures: Figures
    leaf: "Leaf"
    awake: bool
    turns: int = NEVER
    baseline: Literal["none", "cold", "daily", "weekly"] = "none"
    words: tuple[tuple[str, int], ...] = ()
    level: Level | None = None


class Condition(Protocol):
    """One test. The condition *is* its frozen model; reading it is pure."""

    @property
    def remembers(self) -> bool:
        """Whether it reads otherwise by what it remembers: while awake it is read, whatever keeps the rule from holding."""
        ...

    def read(self, view: "View", state: State, now: datetime, /) -> tuple[Reading, State]:
        """What it says at *now* of the key that *view* shows, and what it wants to remember."""
        ...

    def leaves(self) -> tuple["Leaf", ...]:
        """The conditions in it that look at mentions themselves; it alone, or those that it combines."""
        ...


class Leaf(Condition, Protocol):
    """A condition that counts mentions in a window."""

    @property
    def looks_at(self) -> "Looks":
        """What it needs counted."""
        ...

    def headline(self, where: "Filter | None") -> Because:
        """What its alert is called where the rule has no title; *where* is the rule's."""
        ...


@dataclass(frozen=True, slots=True)
class Looks:
    """What is to be counted for a leaf: which mentions, over how many minutes, and before that over how many more.

    ``inner``: more windows that end with it and are counted too, shorter ones.
    ``roll``: what is counted by the bin; nothing where its size is 0.
    ``lexicon``: the word list, ``patterns``: the patterns, whose hits are counted one by one;
    ``terms``: every word is; ``voices``: who speaks in each story is. ``least``: with fewer mentions in the window the leaf
    does not hold, and remembers nothing of it; zero where that cannot be said.
    """

    where: "Filter | None"
    window: int
    reference: int = 0
    lexicon: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    least: int = 0
    terms: bool = False
    voices: bool = False
    inner: tuple[int, ...] = ()
    roll: Roll = NO_ROLL
