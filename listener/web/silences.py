"""The API of silences: ``/api/silences``, ``/api/silences/{number}/end``."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from alerts.command import Command, Outcome
from listener.asking import TEXT_AT_MOST, Asker, text_faults
from listener.incident_lines import outcome_line
from listener.silence_desk import MatchError, lasts, matchers, moment
from listener.silence_lines import preview_lines, silence_line
from listener.web.acting import IncidentDesk
from listener.web.asked_json import ApiRefusalError, Body, Gate, answer, body, parameters, problems
from listener.web.incidents import WAIT, LevelName, asker_of, outcome_answer, request_key


class ListParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    all: bool = False
    before: int | None = Field(default=None, ge=1, le=2**53)
    limit: int = Field(default=50, ge=1, le=200)


class AddBody(Body):
    """``match``: labels with their values, or ``incident``, or both. ``for`` a duration, or ``until`` RFC 3339."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    match: dict[str, str | list[str]] = Field(default_factory=dict)
    incident: str | int = ""
    lasts: str = Field("", alias="for")
    until: str = ""
    starts: str = Field("", alias="from")
    level: LevelName | None = None
    reason: str
    by: str | None = None
    dry_run: bool = False

    def faults(self) -> Iterator[tuple[str, str]]:
        """What cannot be read of it, as field and message."""
        yield from text_faults("reason", self.reason, TEXT_AT_MOST)
        yield from text_faults("incident", str(self.incident), 200)
        if not self.reason.strip():
            yield "reason", "is needed"
        if bool(self.lasts) == bool(self.until):
            yield "for", "give either for or until"
        for field, text, reading in (
            ("for", self.lasts, lasts), ("until", self.until, moment), ("from", self.starts, moment),
        ):  # fmt: skip
            try:
                if text:
                    reading(text)
            except (ValueError, OverflowError):
                yield field, "must be a duration such as 2h" if field == "for" else "must be RFC 3339 with an offset"
        if not self.match and self.incident == "":
            yield "match", "name labels, or an incident"
        try:
            matchers(self.match)
        except MatchError as error:
            yield "match", str(error)

    def command(self, asker: Asker) -> Command:
        payload = {"match": json.dumps(self.match, ensure_ascii=False), "reason": self.reason.strip()}
        given = {"for": self.lasts, "until": self.until, "from": self.starts, "level": self.level or ""}
        payload |= {name: value for name, value in given.items() if value}
        return Command("silence", str(self.incident), asker.actor, asker.origin, asker.at, payload)


class EndBody(Body):
    by: str | None = None


@dataclass(frozen=True, slots=True)
class SilenceApi:
    desk: IncidentDesk
    gate: Gate
    now: Callable[[], datetime]

    async def listing(self, request: web.Request) -> web.Response:
        """GET /api/silences: those that are not over, with ``all=true`` every one; the newest first, ``next`` goes on."""
        self.gate.reader(request)
        asked = parameters(request, ListParameters)
        found = await self.desk.silences(over=asked.all, before=asked.before, most=asked.limit)
        more = found[-1][0].number if len(found) == asked.limit else None
        lines = [silence_line(one, under, self.now()) for one, under in found]
        return answer({"silences": lines, "next": more})

    async def add(self, request: web.Request) -> web.Response:
        """POST /api/silences: 200 kept, 409 refused, 202 not yet; ``dry_run``: 200 what it would have hidden."""
        token = self.gate.writer(request, "silences")
        sent = await body(request, AddBody)
        key = request_key(request, token.name)
        asker = asker_of(request, token.name, sent.by, self.now())
        if faults := list(sent.faults()):
            raise ApiRefusalError(400, problems(*faults))
        command = sent.command(asker)
        return await (self._preview(command) if sent.dry_run else self._done(command, key))

    async def end(self, request: web.Request) -> web.Response:
        """POST /api/silences/{number}/end: 200 ended, 409 it was over, 404 there is none."""
        token = self.gate.writer(request, "silences")
        sent = await body(request, EndBody)
        asker = asker_of(request, token.name, sent.by, self.now())
        key = request_key(request, token.name)
        number = request.match_info["number"]
        return await self._done(Command("unsilence", number, asker.actor, asker.origin, asker.at), key)

    async def _preview(self, command: Command) -> web.Response:
        found = await self.desk.preview(command)
        if isinstance(found, Outcome):
            return answer(outcome_line(found), 404 if found.reason == "not_found" else 409)
        lines, summary = preview_lines(found)
        return answer({"would_have_hidden": summary, "incidents": lines})

    async def _done(self, command: Command, key: str) -> web.Response:
        return outcome_answer(command, await self.desk.ask(command, key=key, wait=WAIT))
