"""What a message is, and which act it is about."""

from alerts.alert import AGED, CATCH_UP, WITHDRAWN
from alerts.handling import TOLD_ACTS, Act
from alerts.incident import Incident
from alerts.notification import Notification
from alerts.render.tags import TAGS
from alerts.silence import RULE as SILENCE


def state_of(notification: Notification) -> str:
    """What the message is: a key of TAGS."""
    incident, state = notification.incident, str(notification.kind)
    if incident.lead.rule == SILENCE:
        return f"silence_{state}"
    if state == "open" and not incident.open:
        state = "late"
    elif state == "resolve":
        state = end_of(incident)
    elif state == "update":
        state = _change(notification)
    elif state == "remind" and notification.note is not None:
        state = "lapse"  # of who took it, not of the deadline
    elif state == "act" and incident.open and incident.handling.taken is None:
        state = "unowned"
    own = f"self_{state}"  # the program's own alerts must not look like a brand's crisis
    return own if incident.kind == "self" and own in TAGS["zh"] else state


def end_of(incident: Incident) -> str:
    """How an incident came to be over: a key of TAGS."""
    if incident.handling.merged_into:
        return "merged"
    if incident.handling.ended is not None:
        return "ended"
    if incident.lead.rule == CATCH_UP:
        return "caught_up"
    said = incident.lead.because.en
    return "withdrawn" if said.startswith(WITHDRAWN) else "expired" if said.startswith(AGED) else "resolve"


def _change(notification: Notification) -> str:
    incident, lead = notification.incident, notification.incident.lead
    if notification.was is not None and notification.was != incident.level:
        return "raised" if incident.level > notification.was else "lowered"
    if notification.was is None and lead.at == incident.updated_at and lead.event in {"raised", "lowered"}:
        return lead.event
    return "update"


def act_of(notification: Notification) -> Act | None:
    """What was done, where that is what the message is about."""
    incident = notification.incident
    if notification.kind in {"acknowledge", "act"}:
        kinds: frozenset[str] = TOLD_ACTS
    elif notification.kind == "resolve" and end_of(incident) in {"ended", "merged"}:
        kinds = frozenset({"resolve", "merge"})
    elif notification.kind == "update" and incident.handling.taken is None:
        # A level that rose above what was taken makes it nobody's.
        last = incident.handling.timeline[-1:]
        return last[0] if last and last[0].kind == "unacknowledge" and last[0].revision == incident.revision else None
    else:
        return None
    return next((act for act in reversed(incident.handling.timeline) if act.kind in kinds), None)
