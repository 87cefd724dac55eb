"""JSON forms of what happened: the public line of an alert event, and the whole of events and incidents for storage.

Times are RFC 3339 in UTC with the offset ``+00:00`` and microseconds where there are any; a number that is not finite
is null in the public line.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alerts.alert import AlertEvent, Because, Coverage, Excerpt, Level, Reached, StoryRef, Window
from alerts.handling import Act, Ended, Handling, Taken
from alerts.incident import Incident

Json = dict[str, Any]


class CodecError(Exception):
    """What was stored is not what ``dump_event`` or ``dump_incident`` writes; the cause says which part."""


def event_line(event: AlertEvent) -> Json:
    """The interchange form, for ``replay``, the webhook channel and the API: these keys, in this order, no others.

    One of a rule on trial has a last key, ``shadow``: true; no others have it.
    """
    window = event.window
    return {
        "event": event.event,
        "kind": event.kind,
        "at": _time(event.at),
        "incident": event.incident,
        "alert": event.alert,
        "rule": event.rule,
        "topic": event.topic,
        "key": dict(event.key),
        "level": event.level.name,
        "because": {"zh": event.because.zh, "en": event.because.en},
        "window": None if window is None else {"from": _time(window.start), "to": _time(window.end)},
        "seen": _number(event.seen),
        "expected": _number(event.expected),
        "baseline": event.baseline,
        "stories": [
            {
                "id": story.id,
                "title": story.title,
                "copies": story.copies,
                "channels": list(story.channels),
                "first_url": story.first_url,
            }
            for story in event.stories
        ],
        "excerpts": [
            {
                "text": excerpt.text,
                "url": excerpt.url,
                "channel": excerpt.channel,
                "negative": _number(excerpt.negative),
            }
            for excerpt in event.excerpts
        ],
        "coverage": {
            "complete": event.coverage.complete,
            "blind": [{"source": source, "since": _time(since)} for source, since in event.coverage.blind],
        },
        **({"shadow": True} if event.shadow else {}),
    }


def dump_event(event: AlertEvent) -> Json:
    """Everything in the event, as JSON types; ``load_event`` gives the same event back."""
    window = event.window
    reached = event.reached
    return {
        "event": event.event,
        "kind": event.kind,
        "at": _time(event.at),
        "alert": event.alert,
        "revision": event.revision,
        "rule": event.rule,
        "topic": event.topic,
        "key": dict(event.key),
        "level": event.level.name,
        "because": [event.because.zh, event.because.en],
        "seen": event.seen,
        "expected": event.expected,
        "baseline": event.baseline,
        "window": None if window is None else [_time(window.start), _time(window.end)],
        "brand": event.brand,
        "title": [event.title.zh, event.title.en],
        "reached": {
            "mentions": reached.mentions,
            "negative": reached.negative,
            "authors": reached.authors,
            "people": reached.people,
            "channels": [[name, count] for name, count in reached.channels],
        },
        "excerpts": [_dump_excerpt(excerpt) for excerpt in event.excerpts],
        "stories": [
            [story.id, story.title, story.copies, list(story.channels), story.first_url] for story in event.stories
        ],
        "blind": [[source, _time(since)] for source, since in event.coverage.blind],
        "playbook": event.playbook,
        "incident": event.incident,
        "shadow": event.shadow,
    }


def load_event(form: Mapping[str, Any]) -> AlertEvent:
    """The event that was dumped; raises CodecError."""
    try:
        window = form["window"]
        reached = form["reached"]
        return AlertEvent(
            event=form["event"],
            kind=form["kind"],
            at=datetime.fromisoformat(form["at"]),
            alert=form["alert"],
            revision=form["revision"],
            rule=form["rule"],
            topic=form["topic"],
            key=dict(form["key"]),
            level=Level[form["level"]],
            because=Because(*form["because"]),
            seen=form["seen"],
            expected=form["expected"],
            baseline=form["baseline"],
            window=None if window is None else Window(*map(datetime.fromisoformat, window)),
            brand=form["brand"],
            title=Because(*form["title"]),
            reached=Reached(
                mentions=reached["mentions"],
                negative=reached["negative"],
                authors=reached["authors"],
                people=reached["people"],
                channels=tuple((name, count) for name, count in reached["channels"]),
            ),
            excerpts=tuple(_load_excerpt(excerpt) for excerpt in form["excerpts"]),
            stories=tuple(
                StoryRef(name, title, copies, tuple(channels), first_url)
                for name, title, copies, channels, first_url in form["stories"]
            ),
            coverage=Coverage(tuple((source, datetime.fromisoformat(since)) for source, since in form["blind"])),
            playbook=form["playbook"],
            incident=form["incident"],
            shadow=form.get("shadow", False),  # of before there was any
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not an alert event: {type(error).__name__}: {error}") from error


def dump_incident(incident: Incident) -> Json:
    """Everything in the incident, as JSON types; ``load_incident`` gives the same incident back."""
    return {
        "id": incident.id,
        "kind": incident.kind,
        "topic": incident.topic,
        "opened_at": _time(incident.opened_at),
        "updated_at": _time(incident.updated_at),
        "revision": incident.revision,
        "alerts": [dump_event(event) for event in incident.alerts],
        "number": incident.number,
        "since": _maybe(incident.since),
        "reached": [[level.name, _time(at)] for level, at in incident.reached],
        "turn": incident.turn,
        "gathers": list(incident.gathers),
        "over_at": _maybe(incident.over_at),
        "handling": _dump_handling(incident.handling),
    }


def load_incident(form: Mapping[str, Any]) -> Incident:
    """The incident that was dumped; raises CodecError."""
    try:
        return Incident(
            id=form["id"],
            kind=form["kind"],
            topic=form["topic"],
            opened_at=datetime.fromisoformat(form["opened_at"]),
            updated_at=datetime.fromisoformat(form["updated_at"]),
            revision=form["revision"],
            alerts=tuple(load_event(event) for event in form["alerts"]),
            **(_load_later(form) if "handling" in form else _of_before(form)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not an incident: {type(error).__name__}: {error}") from error


def _load_later(form: Mapping[str, Any]) -> Json:
    return {
        "number": form["number"],
        "since": _moment(form["since"]),
        "reached": tuple((Level[level], datetime.fromisoformat(at)) for level, at in form["reached"]),
        "turn": form["turn"],
        "gathers": tuple(form["gathers"]),
        "over_at": _moment(form.get("over_at")),
        "handling": _load_handling(form["handling"]),
    }


def _of_before(form: Mapping[str, Any]) -> Json:
    """What an incident that was kept before people could act on it is taken for."""
    gathers = (form["topic"],) if form["kind"] == "topic" and form["topic"] is not None else ()
    return {"since": datetime.fromisoformat(form["opened_at"]), "turn": form["revision"], "gathers": gathers}


def _dump_handling(handling: Handling) -> Json:
    taken, ended = handling.taken, handling.ended
    return {
        "owner": handling.owner,
        "taken": None if taken is None else [taken.by, _time(taken.at), taken.level.name],
        "responded_at": _maybe(handling.responded_at),
        "ended": None if ended is None else [ended.by, _time(ended.at), ended.level.name],
        "closed_at": _maybe(handling.closed_at),
        "merged_into": handling.merged_into,
        "checked": list(handling.checked),
        "timeline": [_dump_act(act) for act in handling.timeline],
    }


def _dump_act(act: Act) -> list[str | int]:
    other = [act.other] if act.other else []
    return [act.kind, act.by, _time(act.at), act.text, act.value, act.origin, act.revision, *other]


def _load_handling(form: Mapping[str, Any]) -> Handling:
    taken, ended = form["taken"], form["ended"]
    return Handling(
        owner=form["owner"],
        taken=None if taken is None else Taken(taken[0], datetime.fromisoformat(taken[1]), Level[taken[2]]),
        responded_at=_moment(form["responded_at"]),
        ended=None if ended is None else Ended(ended[0], datetime.fromisoformat(ended[1]), Level[ended[2]]),
        closed_at=_moment(form["closed_at"]),
        merged_into=form["merged_into"],
        checked=tuple(form["checked"]),
        timeline=tuple(
            Act(kind, by, datetime.fromisoformat(at), text, value, origin, *numbers)
            for kind, by, at, text, value, origin, *numbers in form["timeline"]
        ),
    )


def _dump_excerpt(excerpt: Excerpt) -> Json:
    return {
        "text": excerpt.text,
        "url": excerpt.url,
        "channel": excerpt.channel,
        "negative": excerpt.negative,
        "author": excerpt.author,
        "reach": excerpt.reach,
        "published_at": None if excerpt.published_at is None else _time(excerpt.published_at),
        "risks": list(excerpt.risks),
        "marks": [list(mark) for mark in excerpt.marks],
    }


def _load_excerpt(form: Mapping[str, Any]) -> Excerpt:
    published_at = form["published_at"]
    return Excerpt(
        text=form["text"],
        url=form["url"],
        channel=form["channel"],
        negative=form["negative"],
        author=form["author"],
        reach=form["reach"],
        published_at=None if published_at is None else datetime.fromisoformat(published_at),
        risks=tuple(form.get("risks", ())),  # of before there were any
        marks=tuple((start, end) for start, end in form.get("marks", ())),  # the same
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else _time(at)


def _moment(at: str | None) -> datetime | None:
    return None if at is None else datetime.fromisoformat(at)


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
