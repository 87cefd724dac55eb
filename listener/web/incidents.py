"""The API of incidents: ``/api/incidents``, ``/api/incidents/{id}``, ``/api/incidents/{id}/{act}``, ``/api/audit``."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from alerts import Level
from alerts.command import Command
from alerts.handling import State
from alerts.playbook import Playbook
from listener.asking import FORMS, Asker, AskError, ask, name_fault
from listener.incident_lines import audit_line, incident_line, outcome_line, whole_incident
from listener.web.acting import Answered, IncidentDesk, Place, Wanted
from listener.web.asked_json import ApiRefusalError, Body, Gate, Json, answer, body, parameters, problems, refuse

WAIT: Final = timedelta(seconds=10)
_KEY = re.compile(r"[A-Za-z0-9._~:/+=-]{1,100}")
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"|(\d{1,9})')

LevelName = Literal["blue", "yellow", "orange", "red"]
_Name = Annotated[str, Field(max_length=200)]


class _Parameters(BaseModel):
    """Parameters come as texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListParameters(_Parameters):
    state: State | None = None
    level: LevelName | None = None
    topic: _Name | None = None
    owner: _Name | None = None
    open: bool | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: _Name | None = None


class AuditParameters(_Parameters):
    incident: _Name | None = None
    before: int | None = Field(default=None, ge=1, le=2**53)
    limit: int = Field(default=50, ge=1, le=200)


class ActBody(Body):
    """What an act says. ``value``: whom, which step, which incident, which alerts, which verdict."""

    text: str = ""
    value: str = ""
    revision: int | None = Field(default=None, ge=0, le=2**31 - 1)
    by: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentApi:
    desk: IncidentDesk
    gate: Gate
    playbooks: Callable[[], Mapping[str, Playbook]]
    now: Callable[[], datetime]

    async def listing(self, request: web.Request) -> web.Response:
        """GET /api/incidents: newest first; ``next`` is the cursor of what follows, null at the end."""
        self.gate.reader(request)
        asked = parameters(request, ListParameters)
        wanted = Wanted(asked.state, Level[asked.level] if asked.level else None, asked.topic, asked.owner, asked.open)
        after = _place(asked.cursor) if asked.cursor else None
        found = await self.desk.listed(wanted, after=after, most=asked.limit)
        lines = [incident_line(incident, due) for incident, due in found.incidents]
        return answer({"incidents": lines, "next": _cursor(found.ended_at) if found.ended_at else None})

    async def one(self, request: web.Request) -> web.Response:
        """GET /api/incidents/{id}: all of one; its ETag is its revision."""
        self.gate.reader(request)
        parameters(request, _Parameters)
        name = request.match_info["id"]
        page = await self.desk.incident(name)
        if page is None:
            refuse(404, "there is no such incident", at="id")
        told = whole_incident(page, self.playbooks())
        return answer(told, headers={"ETag": f'"{page.incident.revision}"'})

    async def audit(self, request: web.Request) -> web.Response:
        """GET /api/audit: who asked what, when and from where, and what came of it, newest first."""
        self.gate.holder(request, "read")
        asked = parameters(request, AuditParameters)
        found = await self.desk.audit(incident=asked.incident, before=asked.before, most=asked.limit)
        more = found[-1].number if len(found) == asked.limit else None
        return answer({"audit": [audit_line(entry) for entry in found], "next": more})

    async def act(self, request: web.Request) -> web.Response:
        """POST /api/incidents/{id}/{act}: 200 done, 409 refused, 202 not yet."""
        token = self.gate.writer(request, "incidents")
        act = request.match_info["act"]
        if act not in FORMS:
            refuse(404, f"there is no such act; there are {', '.join(FORMS)}", at="act")
        parameters(request, _Parameters)
        sent = await body(request, ActBody)
        key = request_key(request, token.name)
        seen = _seen(request, sent.revision)
        asker = asker_of(request, token.name, sent.by, self.now())
        command = _asked(act, request.match_info["id"], asker, sent, seen)
        answered = await self.desk.ask(command, key=key, wait=WAIT)
        return outcome_answer(command, answered, by_header="If-Match" in request.headers)


def outcome_answer(asked: Command, answered: Answered, *, by_header: bool = False) -> web.Response:
    """What came of a command, as HTTP has it; 422 where its key came with another one before."""
    first = answered.command
    if (first.kind, first.subject, first.actor, first.expected_revision, first.payload) != (
        asked.kind, asked.subject, asked.actor, asked.expected_revision, asked.payload,
    ):  # fmt: skip
        refuse(422, "this Idempotency-Key came with another request before", at="Idempotency-Key")
    outcome = answered.outcome
    told: Json = {"command": answered.number, **outcome_line(outcome)}
    if outcome is None:
        return answer(told, 202)
    if outcome.done:
        return answer(told)
    if outcome.reason == "not_found":
        return answer(told, 404)
    return answer(told, 412 if by_header and outcome.reason == "revision" else 409)


def request_key(request: web.Request, token: str) -> str:
    """What makes a retry the same request, apart for each token; empty where none was sent. Raises ApiRefusalError."""
    sent = request.headers.getall("Idempotency-Key", [])
    if not sent:
        return ""
    key = sent[0].strip('"')
    if len(sent) > 1 or not _KEY.fullmatch(key):
        refuse(400, "must be one key of 1 to 100 letters, digits and . _ ~ : / + = -", at="Idempotency-Key")
    return f"{token} {key}"


def asker_of(request: web.Request, token: str, by: str | None, now: datetime) -> Asker:
    """Who asks: the person that is named, else the token; from where: by which token, at which address.

    Raises ApiRefusalError.
    """
    faults = name_fault("by", by) if by is not None else []
    if faults:
        raise ApiRefusalError(400, problems(*((fault.field, fault.message) for fault in faults)))
    return Asker(by.strip() if by else token, f"api {token} {request.remote or '?'}", now)


def _asked(act: str, incident: str, asker: Asker, sent: ActBody, seen: int | None) -> Command:
    try:
        return ask(act, incident, asker, text=sent.text, value=sent.value, revision=seen)
    except AskError as error:
        found = ((fault.field, fault.message) for fault in error.faults)
        raise ApiRefusalError(400, problems(*found)) from error


def _seen(request: web.Request, revision: int | None) -> int | None:
    """The revision that the asker saw, of the body or of If-Match; ``*`` is whatever it is by now."""
    sent = request.headers.get("If-Match", "*").strip()
    if sent == "*":
        return revision
    found = _ETAG.fullmatch(sent)
    if found is None:
        refuse(400, 'must be the revision that you saw, such as "7"', at="If-Match")
    seen = int(found[1] or found[2])
    if revision not in {None, seen}:
        refuse(400, "differs from If-Match", at="revision")
    return seen


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        number, _, name = text.partition(":")
        place = (int(number), name)
    except (ValueError, binascii.Error):
        refuse(400, "is none that a list gave", at="cursor")
    if not 0 <= place[0] < 2**31 or not name:
        refuse(400, "is none that a list gave", at="cursor")
    return place
