"""The API of silences: ``/api/silences``, ``/api/silences/{number}/end``."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from alerts.command import Command
from listener.asking import TEXT_AT_MOST, Asker, text_faults
from listener.silence_desk import MatchError, matchers
from listener.silence_lines import silence_line
from listener.web.acting import IncidentDesk
from listener.web.asked_json import ApiRefusalError, Body, Gate, answer, body, parameters, problems
from listener.web.incidents import WAIT, LevelName, asker_of, outcome_answer, request_key


class ListParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    all: bool = False


class AddBody(Body):
    """``match``: labels with their values, or ``incident``, or both. ``for`` a duration, or ``until`` RFC 3339."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    match: dict[str, str | list[str]] = Field(default_factory=dict)
    incident: str = ""
    lasts: str = Field("", alias="for")
    until: str = ""
    starts: str = Field("", alias="from")
    level: LevelName | None = None
    reason: str
    by: str | None = None


class EndBody(Body):
    by: str | None = None


@dataclass(frozen=True, slots=True)
class SilenceApi:
    desk: IncidentDesk
    gate: Gate
    now: Callable[[], datetime]

    async def listing(self, request: web.Request) -> web.Response:
        """GET /api/silences: those that are not over, with ``all=true`` every one."""
        self.gate.reader(request)
        asked = parameters(request, ListParameters)
        found = await self.desk.silences(over=asked.all)
        return answer({"silences": [silence_line(one, under, self.now()) for one, under in found]})

    async def add(self, request: web.Request) -> web.Response:
        """POST /api/silences: 200 kept, 409 refused, 202 not yet."""
        token = self.gate.writer(request, "silences")
        sent = await body(request, AddBody)
        key = request_key(request, token.name)
        asker = asker_of(request, token.name, sent.by, self.now())
        faults = [
            *text_faults("reason", sent.reason, TEXT_AT_MOST),
            *text_faults("incident", sent.incident, 200),
            *([("reason", "is needed")] if not sent.reason.strip() else []),
            *([("for", "give either for or until")] if bool(sent.lasts) == bool(sent.until) else []),
            *([("match", "name labels, or an incident")] if not sent.match and not sent.incident else []),
        ]
        try:
            matchers(sent.match)
        except MatchError as error:
            faults.append(("match", str(error)))
        if faults:
            raise ApiRefusalError(400, problems(*faults))
        payload = {"match": json.dumps(sent.match, ensure_ascii=False), "reason": sent.reason.strip()}
        given = {"for": sent.lasts, "until": sent.until, "from": sent.starts, "level": sent.level or ""}
        payload |= {name: value for name, value in given.items() if value}
        return await self._done(asker, "silence", sent.incident, payload, key)

    async def end(self, request: web.Request) -> web.Response:
        """POST /api/silences/{number}/end: 200 ended, 409 it was over, 404 there is none."""
        token = self.gate.writer(request, "silences")
        sent = await body(request, EndBody)
        asker = asker_of(request, token.name, sent.by, self.now())
        key = request_key(request, token.name)
        return await self._done(asker, "unsilence", request.match_info["number"], {}, key)

    async def _done(self, asker: Asker, kind: str, subject: str, payload: dict[str, str], key: str) -> web.Response:
        command = Command(kind, subject, asker.actor, asker.origin, asker.at, payload)
        return outcome_answer(command, await self.desk.ask(command, key=key, wait=WAIT))
