"""A key of a rule, and what a tick reads of it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from alerts import Level
from rules.episode import Episode
from rules.panes import KeyValues, Series
from rules.reading import Reading, State
from rules.rollup import Roll, Rollup
from rules.view import View


@dataclass(slots=True)
class Key:
    """One value of a rule's ``by``: its panes by shape, its episode, and what the conditions remember.

    ``series`` may be other rules' too; ``rollups``, by shape, are its own.
    ``awake``: it may come to hold by the passing of time alone, but not before minute ``wakes``.
    ``identity``: its alerts' fingerprint.
    ``last``: what was read of it last, which stands until a row comes for it or its windows move.
    ``view``: what its conditions see of it, once they have been read.
    """

    values: KeyValues
    series: dict[str, Series] = field(default_factory=dict)
    rollups: dict[tuple[str, Roll], Rollup] = field(default_factory=dict)
    episode: Episode | None = None
    state: State = None
    awake: bool = False
    wakes: int = 0
    identity: str = ""
    last: "Read | None" = None
    view: View | None = None


class Read(NamedTuple):
    """What a key says: its reading, the level that the rule gives it, and the sources that stand in its windows."""

    reading: Reading
    level: Level | None
    sources: tuple[str, ...]


class Outcome(NamedTuple):
    """A key as it was read, and what its conditions remember from now on."""

    key: Key
    read: Read
    state: State


class Round(NamedTuple):
    """What a tick read of a rule's keys: the outcomes of which nothing comes, most of them, and those to decide on."""

    settled: list[Outcome]
    open: list[Outcome]
