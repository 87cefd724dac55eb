"""What the services that call people out have in common: what an incident is named there, and whether we acknowledged it.

The receipt of the newest message keeps both: its name, and behind it the mark of an acknowledgement of ours.
"""

import hashlib

from alerts.notification import Notification

ACKNOWLEDGED = " acknowledged"


def was_named(notification: Notification, first: str) -> tuple[str, bool]:
    """What the newest receipt calls the incident there, *first* if there is none, and whether we acknowledged it there."""
    ref = notification.previous.ref if notification.previous is not None else ""
    name = ref.removesuffix(ACKNOWLEDGED)
    return (name, ref != name) if name.startswith(first) else (first, False)


def is_taken(notification: Notification) -> bool:
    return notification.incident.handling.taken is not None


def identity(incident: str, limit: int) -> str:
    """A name for the incident that is the same in every message, printable ASCII, within *limit*."""
    name = f"listener-{incident}"
    if len(name) <= limit and all("!" <= character <= "~" for character in name):
        return name
    return f"listener-{hashlib.sha256(incident.encode('utf-8', 'replace')).hexdigest()}"
