"""What a condition reads, and the extension point for conditions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from alerts import Because
from rules.figures import Figures
from rules.panes import NEVER
from rules.rollup import NO_ROLL, Roll

if TYPE_CHECKING:
    from rules.filter import Filter
    from rules.view import View

State = Mapping[str, "State"] | list["State"] | tuple["State", ...] | str | float | int | bool | None
"""What a condition remembers between readings, in JSON's types, a tuple for a list; None to begin with.

What comes from a snapshot has lists for tuples.
"""


class Reading(NamedTuple):
    """The outcome of a condition, *and because*. ``value`` and ``expected`` are in mentions.

    ``says`` puts ``seen``, which does not change any more, in words: few readings of many are ever told.
    ``awake``: whether it may come to hold by the passing of time alone; where it may not, the engine does not read the
    key again before a row arrives for it. ``turns``: the minute at which time changes it even if no mention leaves a
    window. ``leaf`` is the condition whose window is shown. A tuple, because one is made of every key at every tick.
    """

    holds: bool
    value: float
    expected: float | None
    says: Callable[..., Because]
    seen: tuple[object, ...]
    figures: Figures
    leaf: "Leaf"
    awake: bool
    turns: int = NEVER
    baseline: Literal["none", "cold", "daily", "weekly"] = "none"
    words: tuple[tuple[str, int], ...] = ()

    @property
    def because(self) -> Because:
        """Why, in words."""
        return self.says(*self.seen)


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
    does not hold, and remembers nothing of it; zero where that cannot be said. ``enough``: with so many it holds.
    """

    where: "Filter | None"
    window: int
    reference: int = 0
    lexicon: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    least: int = 0
    enough: bool = False
    terms: bool = False
    voices: bool = False
    inner: tuple[int, ...] = ()
    roll: Roll = NO_ROLL
