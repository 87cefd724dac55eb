"""What people do about an incident, and where that leaves it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from alerts.alert import Level

State = Literal[
    "open",  # nobody has taken it
    "acknowledged",  # somebody has
    "mitigating",  # an answer is out
    "resolved",  # its alerts are over, or a person said that it is dealt with
    "closed",  # with a note on what it was; nothing joins it any more
]
STATES: Final[tuple[State, ...]] = get_args(State)

ActKind = Literal[
    "acknowledge",
    "unacknowledge",
    "assign",
    "note",
    "check",
    "uncheck",
    "respond",
    "resolve",
    "reopen",
    "close",
    "merge",
    "merged",
    "split",
]
ACTS: Final[tuple[ActKind, ...]] = get_args(ActKind)
TOLD_ACTS: Final[frozenset[ActKind]] = frozenset(
    {"acknowledge", "unacknowledge", "assign", "respond", "reopen", "merged", "split"}
)
"""Acts that the incident's receivers hear of at once: they change who must do something. The others go with the next."""

TIMELINE = 100
"""The newest acts that an incident carries; all of them stay in the audit log."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done. ``by``: who, empty for the program itself; ``text``: their words, untrusted.

    ``value``: whom it was assigned to, which step of the playbook, which incident it was merged with, which alerts were
    split off. ``revision``: of the incident with it. ``other``: the number of the incident that ``value`` names, 0 for none.
    """

    kind: ActKind
    by: str
    at: datetime
    text: str = ""
    value: str = ""
    origin: str = ""
    revision: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """An acknowledgement. It holds while the incident stays open without a break, and at no higher a level."""

    by: str
    at: datetime
    level: Level


@dataclass(frozen=True, slots=True)
class Ended:
    """That a person resolved it while alerts may still fire: those stay quiet until one opens or is higher than this."""

    by: str
    at: datetime
    level: Level


@dataclass(frozen=True, slots=True)
class Handling:
    """``owner`` outlives an acknowledgement. ``checked``: the steps of the playbook that are done. ``closed_at``: for good.

    ``merged_into``: the incident that this one's alerts went to; it is over then.
    """

    owner: str = ""
    taken: Taken | None = None
    responded_at: datetime | None = None
    ended: Ended | None = None
    closed_at: datetime | None = None
    merged_into: str = ""
    checked: tuple[str, ...] = ()
    timeline: tuple[Act, ...] = ()
