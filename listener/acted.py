"""What is logged and counted of people's acts. Who and what they wrote stand in the audit log alone."""

import structlog

from listener.asking import FORMS, words_of
from listener.commands import Acted
from listener.metrics import Metrics

_COUNTED = frozenset({*FORMS, "silence", "unsilence"})
_log = structlog.get_logger()


def note(acted: Acted, metrics: Metrics) -> None:
    outcome = acted.outcome
    act = words_of(acted.command)[0]
    act = act if act in _COUNTED else "other"
    state = "done" if outcome.done else "refused"
    metrics.acts.labels(act, state).inc()
    _log.info(
        "incident_acted", incident=outcome.incident, act=act, state=state, reason=outcome.reason, seq=acted.number
    )
    taken = acted.changed[0].handling.taken if acted.changed else None
    if taken is None or acted.command.kind not in {"acknowledge", "respond"} or taken.at != acted.at:
        return
    since = acted.changed[0].since or acted.changed[0].opened_at
    metrics.hops.labels("fired_acknowledged").observe(max(0.0, (taken.at - since).total_seconds()))
    if acted.told_at is not None:
        metrics.hops.labels("sent_acknowledged").observe(max(0.0, (taken.at - acted.told_at).total_seconds()))
