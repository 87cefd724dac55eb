"""What is done where a receiver has something to hear and may be held: a pure decision."""

from dataclasses import dataclass, replace
from datetime import datetime

from alerts.alert import Level
from alerts.flush import Decision, Reason, Told
from alerts.hold import Held
from alerts.hours import HORIZON
from alerts.incident import Incident
from alerts.notification import NotificationKind

_WAITS = ("group_wait", "group_interval")


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be done. ``kind`` None: nothing is sent. ``next_at``: when to look again though nothing happens.

    ``held``: what to remember, None where nothing is held. ``deferred``: it waited for the end of quiet hours, and goes in
    one message with what else did. ``dropped``: from now on it will not be told, for ``held.reason``.
    """

    kind: NotificationKind | None
    reason: Reason
    next_at: datetime | None
    held: Held | None = None
    deferred: bool = False
    dropped: bool = False


def known_level(incident: Incident, told: Told | None) -> Level:
    """What hours go by: the level, or the one that the receiver knows of where that is higher.

    So whoever was called for red also hears at once that it is red no more.
    """
    known = told is not None and told.kind != "resolve"
    return max(incident.level, told.level) if told is not None and known else incident.level


def settle(decision: Decision, incident: Incident, held: Held | None, before: Held | None, *, now: datetime) -> Settled:
    """What comes of a decision where the leg is *held* now, and was held as *before* when it was looked at last."""
    owed = (before is not None and before.owed) or (held is not None and held.owed)
    begun = decision.kind == "open" or (decision.reason == "resolved_before_wait" and before is not None and owed)
    kind, reason, next_at = decision.kind, decision.reason, decision.next_at
    if begun and not incident.open:  # all of it happened while the receiver knew nothing
        if before is not None and not before.owed and (before.dropped or _outlasted(before, incident)):
            return _dropped(reason, held or before, before)  # whatever else holds it by now
        if owed:
            kind, reason, next_at = "resolve", "resolved", None
        elif held is not None:
            return _dropped(reason, held, before)
    if before is not None and before.dropped:
        before = replace(before, dropped=False)  # it has opened since
    if kind is None:
        return Settled(None, reason, next_at, before if reason in _WAITS else None)
    if held is not None:
        return Settled(None, reason, held.until or now + HORIZON, replace(held, owed=owed))
    waited = before is not None and before.owed and before.until is not None and before.until <= now
    return Settled(kind, reason, next_at, deferred=waited and incident.level < Level.red)


def _dropped(reason: Reason, held: Held | None, before: Held | None) -> Settled:
    kept = replace(held, owed=False, dropped=True) if held is not None else None
    return Settled(None, reason, None, kept, dropped=before is None or not before.dropped)


def _outlasted(before: Held, incident: Incident) -> bool:
    """Whether what held it lasted longer than the incident, and only we look late (a restart)."""
    over_at = incident.over_at or incident.updated_at
    return before.until is None or over_at < before.until
