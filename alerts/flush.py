"""Whether a receiver is told of an incident now: a pure decision, with its reason and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.act import acts_since
from alerts.alert import Level
from alerts.handling import TOLD_ACTS
from alerts.incident import Incident
from alerts.notification import NotificationKind
from alerts.route import Leg

Reason = Literal[
    # told now
    "first",
    "reopened",
    "level_rose",
    "level_fell",
    "news",
    "acted",
    "repeat_interval",
    "resolved",
    "breakthrough",
    "unsilenced",
    # not now
    "group_wait",
    "group_interval",
    "nothing_new",
    "acknowledged",
    # never
    "resolved_before_wait",
    "closed",
]


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was last told of an incident, and when; it counts from when its outbox row was written."""

    revision: int
    level: Level
    kind: NotificationKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """``kind`` None: not now. ``next_at``: when to look again though nothing happens; None: when something does."""

    kind: NotificationKind | None
    reason: Reason
    next_at: datetime | None


def decide(incident: Incident, told: Told | None, leg: Leg, *, first_at: datetime, now: datetime) -> Decision:
    """What to tell the leg's receiver at *now*.

    ``first_at``: when the incident first went to this receiver.

    - The first message waits ``group_wait`` after ``first_at``, that of a new wave after its beginning, and for
      ``group_interval`` since the last unless the level rose; what resolves within that wait is never told.
    - A level above the one last told goes at once, and so does what people have done that others must know. All other
      news waits for ``group_interval`` since the last message, the end too, unless a person has put it there. With no
      news, an open incident is told again after ``repeat_interval``.
    - While somebody has taken it, news waits for ``repeat_interval``, and nothing is told again.
    - An end is told only where a beginning was; after it nothing follows until an alert opens the incident again.
    """
    if told is None or told.kind == "resolve":
        return _closed(incident, told, leg, first_at, now)
    if not incident.open:
        by_hand = incident.handling.ended is not None or incident.handling.merged_into
        return _tell_or_wait("resolve", "resolved", now if by_hand else told.at + leg.group_interval, None, now)
    return _going_on(incident, told, leg, now)


def _going_on(incident: Incident, told: Told, leg: Leg, now: datetime) -> Decision:
    """It is open, and the receiver knows of it."""
    taken = incident.handling.taken is not None
    quiet = max(leg.repeat_interval, leg.group_interval)
    quiet_over = None if taken else now + quiet
    if incident.level > told.level:
        return Decision("update", "level_rose", quiet_over)
    if acts := acts_since(incident, told.revision, TOLD_ACTS):
        return Decision("acknowledge" if acts[-1].kind == "acknowledge" else "act", "acted", quiet_over)
    if incident.revision > told.revision:
        fell = incident.level < told.level
        due = told.at + (quiet if taken and not fell else leg.group_interval)
        return _tell_or_wait("update", "level_fell" if fell else "news", due, quiet_over, now)
    if taken:
        return Decision(None, "acknowledged", None)
    if now < told.at + quiet:
        return Decision(None, "nothing_new", told.at + quiet)
    return Decision("repeat", "repeat_interval", quiet_over)


def _closed(incident: Incident, told: Told | None, leg: Leg, first_at: datetime, now: datetime) -> Decision:
    """The receiver knows of nothing open."""
    # What opens again begins a wave, and what belongs to that is told together as it was the first time.
    due = (first_at if told is None else max(first_at, told.at, incident.wave)) + leg.group_wait
    waits: Reason = "group_wait"
    if told is not None and incident.level <= told.level and told.at + leg.group_interval > due:
        due, waits = told.at + leg.group_interval, "group_interval"
    if not incident.open:
        over_at = incident.over_at or incident.updated_at
        # Also where it has turned and nothing opened: it took in another that is over.
        if told is not None and (incident.turn <= told.revision or over_at <= told.at):
            return Decision(None, "closed", None)
        if over_at < due:
            return Decision(None, "resolved_before_wait", None)
        # It outlived the wait, and only we are late (a restart): what happened is told, and then its end.
    if now < due:
        return Decision(None, waits, due)
    quiet = max(leg.repeat_interval, leg.group_interval) if incident.open else leg.group_interval
    return Decision("open", "first" if told is None else "reopened", now + quiet)


def _tell_or_wait(
    kind: NotificationKind, reason: Reason, due: datetime, next_at: datetime | None, now: datetime
) -> Decision:
    if now < due:
        return Decision(None, "group_interval", due)
    return Decision(kind, reason, next_at)
