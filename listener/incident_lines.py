"""Incidents, their timelines and the audit log as JSON: what the command line prints and the API answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts import AlertEvent, Because, Incident
from alerts.codec import event_line
from alerts.command import Outcome
from alerts.handling import Act
from alerts.playbook import Playbook, named_by
from alerts.timeline import timeline
from alerts.verdict import Judgement, verdict_of
from listener.asking import FORMS, words_of
from listener.web.acting import AuditEntry
from listener.web.status import IncidentPage

Json = dict[str, object]
_NAMES = {form.kind: name for name, form in FORMS.items()}


def incident_line(incident: Incident, due: datetime | None, given: Sequence[Judgement] = ()) -> Json:
    """One incident in a line: where it stands, whose it is, its alerts and what people said of them.

    *due*: when the answer to the public is, or was.
    """
    lead, handling = incident.lead, incident.handling
    whole = [one for one in given if one.incident == incident.id and not one.alert]
    taken = handling.taken
    return {
        "incident": incident.id,
        "number": incident.number,
        "kind": incident.kind,
        "topic": incident.topic,
        "state": incident.state,
        "open": incident.open,
        "level": incident.level.name,
        "owner": handling.owner,
        "taken": {"by": taken.by, "at": taken.at.isoformat(), "level": taken.level.name} if taken else None,
        "responded_at": _time(handling.responded_at),
        "respond_by": _time(due),
        "resolved_by": handling.ended.by if handling.ended else "",
        "closed_at": _time(handling.closed_at),
        "merged_into": handling.merged_into,
        "opened_at": incident.opened_at.isoformat(),
        "since": _time(incident.since),
        "updated_at": incident.updated_at.isoformat(),
        "revision": incident.revision,
        "brand": lead.brand,
        "title": _both(lead.title),
        "because": _both(lead.because),
        "alerts": [_alert(event, incident, given) for event in incident.alerts],
        "verdict": _judgement(whole[-1]) if whole else None,
    }


def whole_incident(page: IncidentPage, playbooks: Mapping[str, Playbook]) -> Json:
    """Everything of one incident: its line, with the timeline, playbooks, alerts as event lines, and deliveries."""
    incident = page.incident
    return incident_line(incident, page.respond_by, page.judgements) | {
        "timeline": [_moment(one) for one in timeline(page.history, incident.handling.timeline)],
        "playbooks": [_playbook(name, playbooks.get(name), incident) for name in named_by(incident)],
        "events": [event_line(event) for event in incident.alerts],
        "verdicts": [_judgement(one) | {"alert": one.alert} for one in page.judgements],
        "silences": [one.number for one in page.silences],
        "held": [
            {"receiver": receiver, "reason": held.reason, "by": held.by, "until": _time(held.until)}
            for receiver, held in page.held
        ],
        "deliveries": [
            {
                "at": one.at.isoformat(),
                "receiver": one.receiver,
                "channel": one.channel,
                "kind": one.kind,
                "state": one.state,
                "attempts": one.attempts,
                "error": one.error,
            }
            for one in page.deliveries
        ],
    }


def audit_line(entry: AuditEntry) -> Json:
    command, outcome = entry.command, entry.outcome
    act, text, value = words_of(command)
    return {
        "command": entry.number,
        "at": command.at.isoformat(),
        "by": command.actor,
        "origin": command.origin,
        "act": act,
        "subject": command.subject,
        "text": text,
        "value": value,
        "revision": command.expected_revision,
        "done_at": _time(entry.done_at),
        **outcome_line(outcome),
    }


def outcome_line(outcome: Outcome | None) -> Json:
    """``done`` null: not yet."""
    if outcome is None:
        return {"done": None, "reason": "", "because": None, "incident": ""}
    return {
        "done": outcome.done,
        "reason": outcome.reason,
        "because": _both(outcome.because),
        "incident": outcome.incident,
    }


def _alert(event: AlertEvent, incident: Incident, given: Sequence[Judgement]) -> Json:
    last = verdict_of(event.alert, incident.id, given)
    return {
        "alert": event.alert,
        "rule": event.rule,
        "key": dict(event.key),
        "level": event.level.name,
        "open": event.event != "resolved",
        "verdict": last.verdict if last else None,
    }


def _judgement(one: Judgement) -> Json:
    return {"verdict": one.verdict, "by": one.by, "at": one.at.isoformat(), "note": one.note}


def _moment(one: AlertEvent | Act) -> Json:
    if isinstance(one, Act):
        return {
            "at": one.at.isoformat(),
            "act": _NAMES.get(one.kind, one.kind),
            "by": one.by,
            "text": one.text,
            "value": one.value,
            "origin": one.origin,
            "revision": one.revision,
        }
    return {
        "at": one.at.isoformat(),
        "event": one.event,
        "alert": one.alert,
        "rule": one.rule,
        "level": one.level.name,
        "because": _both(one.because),
    }


def _playbook(name: str, found: Playbook | None, incident: Incident) -> Json:
    checked = set(incident.handling.checked)
    steps = [
        {
            "step": found.step(number),
            "done": found.step(number) in checked,
            "text": {"zh": _text(found, "zh", number), "en": _text(found, "en", number)},
        }
        for number in range(1, (found.length if found else 0) + 1)
        if found
    ]
    return {"playbook": name, "steps": steps}


def _text(playbook: Playbook, language: str, number: int) -> str:
    sections = playbook.of("zh" if language == "zh" else "en")
    return next((text for one in sections for at, text in one.steps if at == number), "")


def _both(because: Because) -> Json:
    return {"zh": because.zh, "en": because.en}


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
