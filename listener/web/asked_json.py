"""The frame of the API that people and programs act by: who may, what they sent, and how a refusal is told.

Nothing is taken from a page elsewhere: a token is never sent by a browser unasked, and a body that is no
``application/json`` is refused, so that no form of another site can post one (CSRF).
"""

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from listener.web.config import WebSettings
from listener.web.status import StatusError
from listener.web.tokens import Scope, Token, Tokens

BODY_AT_MOST: Final = 16 * 1024
_SLOWEST: Final = 10.0  # seconds for a body
BURST: Final = 60
PER_SECOND: Final = 1.0
_BEARER = re.compile(r"bearer +(\S{1,1000})", re.IGNORECASE)
_MOST_PROBLEMS = 20

Model = TypeVar("Model", bound=BaseModel)
Json = Mapping[str, Any]


class Body(BaseModel):
    """A body: no key that it does not know, and no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ApiRefusalError(Exception):
    """An answer that is no success, as the asker reads it."""

    def __init__(self, status: int, told: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.told = told
        self.headers = dict(headers or {})


def refuse(status: int, message: str, *, at: str = "", headers: Mapping[str, str] | None = None) -> NoReturn:
    """Raises ApiRefusalError with one problem; *at* is the field."""
    raise ApiRefusalError(status, problems((at, message)), headers)


def problems(*found: tuple[str, str]) -> Json:
    return {"problems": [{"field": field, "message": message} for field, message in found]}


def answer(told: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    response = web.Response(text=text, status=status, content_type="application/json", headers=headers)
    response.enable_compression()
    return response


Handler = Callable[[web.Request], Awaitable[web.Response]]


def told(handler: Handler) -> Handler:
    """The handler, its refusals told as JSON."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ApiRefusalError as refusal:
            return answer(refusal.told, refusal.status, refusal.headers)
        except StatusError:
            return answer(problems(("", "storage does not answer; see /readyz")), 503, {"Retry-After": "5"})

    return handle


@dataclass(slots=True)
class Gate:
    """Who may read and act. ``tokens``: those of the configuration by now; ``now``: aware UTC."""

    tokens: Callable[[], Tokens]
    settings: WebSettings
    now: Callable[[], datetime]
    _left: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def reader(self, request: web.Request) -> None:
        """For what the pages show too: on loopback whoever reads those reads this; elsewhere it takes ``read``.

        Raises ApiRefusalError.
        """
        if "Authorization" in request.headers or not self.settings.loopback:
            token = self._shown(request)
            if not self.settings.loopback:
                _holds(token, "read")

    def holder(self, request: web.Request, scope: Scope) -> Token:
        """The token that was shown, which has that scope. Raises ApiRefusalError."""
        token = self._shown(request)
        _holds(token, scope)
        return token

    def writer(self, request: web.Request, scope: Scope) -> Token:
        """The same, for what changes something: at most ``PER_SECOND`` on average, ``BURST`` at once."""
        token = self.holder(request, scope)
        now = self.now()
        left, at = self._left.get(token.name, (float(BURST), now))
        left = min(float(BURST), left + PER_SECOND * max(0.0, (now - at).total_seconds()))
        if left < 1:
            refuse(
                429,
                "too many requests with this token",
                headers={"Retry-After": str(math.ceil((1 - left) / PER_SECOND))},
            )
        self._left[token.name] = (left - 1, now)
        return token

    def _shown(self, request: web.Request) -> Token:
        shown = request.headers.getall("Authorization", [])
        bearer = _BEARER.fullmatch(shown[0].strip()) if len(shown) == 1 else None
        token = self.tokens().find(bearer[1]) if bearer else None
        if token is None:
            wrong = ', error="invalid_token"' if shown else ""
            headers = {"WWW-Authenticate": f'Bearer realm="listener"{wrong}'}
            refuse(401, "needs 'Authorization: Bearer TOKEN' with a token of the configuration", headers=headers)
        return token


def _holds(token: Token, scope: Scope) -> None:
    if scope not in token.scopes:
        headers = {"WWW-Authenticate": f'Bearer realm="listener", error="insufficient_scope", scope="{scope}"'}
        refuse(403, f"this token lacks the scope {scope!r}", headers=headers)


async def body(request: web.Request, model: type[Model]) -> Model:
    """What was sent, checked. Raises ApiRefusalError: 400, 408, 413 or 415."""
    if request.content_type != "application/json":
        refuse(415, "the body must be JSON: 'Content-Type: application/json'")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        refuse(415, "the body must not be compressed")
    raw = await _read(request)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except ApiRefusalError:
        raise
    except (ValueError, RecursionError):
        refuse(400, "the body is no JSON in UTF-8")
    return checked(value, model)


async def _read(request: web.Request) -> bytes:
    too_long = f"the body must have at most {BODY_AT_MOST} bytes"
    if (request.content_length or 0) > BODY_AT_MOST:
        refuse(413, too_long, headers={"Connection": "close"})
    raw = bytearray()
    try:
        async with asyncio.timeout(_SLOWEST):
            while chunk := await request.content.read(BODY_AT_MOST + 1 - len(raw)):
                raw += chunk
                if len(raw) > BODY_AT_MOST:
                    refuse(413, too_long, headers={"Connection": "close"})
    except TimeoutError:
        refuse(408, "the body did not arrive", headers={"Connection": "close"})
    return bytes(raw)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        refuse(400, "a key stands in the body twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def parameters(request: web.Request, model: type[Model]) -> Model:
    """The parameters of an address, each once; the model reads them from texts. Raises ApiRefusalError."""
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    if twice:
        raise ApiRefusalError(400, problems(*((name[:100], "stands there more than once") for name in twice)))
    return checked(dict(request.query), model)


def checked(value: object, model: type[Model]) -> Model:
    """The value as the model has it; raises ApiRefusalError that names every field that it refuses."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [
            (".".join(str(key)[:100] for key in one["loc"]), one["msg"])
            for one in error.errors(include_url=False, include_input=False)[:_MOST_PROBLEMS]
        ]
        raise ApiRefusalError(400, problems(*found)) from error
