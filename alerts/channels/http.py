"""One HTTP request of a channel, and what its answer's status means."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from pydantic import SecretStr

from alerts.channel import DeliveryError, DeliveryReason

JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "listener"}
READ_AT_MOST = 64 * 1024  # of an answer's body; what decides stands at its beginning

_PARTS = re.compile(r"[/?&=:@#]")
_TELLING = 8  # characters; shorter parts are words such as "hook", and blanking those hides what a server says

_RETRIED = {408: "timeout", 425: "server", 429: "rate_limited"}
_REFUSED = {401: "auth", 403: "auth", 407: "auth", 413: "too_long"}


def encode(payload: Any) -> bytes:
    """JSON in UTF-8; half characters become question marks."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()

    def json(self) -> Any:
        """The body as JSON, None where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:  # a decoding error is one too
            return None
        except RecursionError:
            return None


class _Body(aiohttp.BytesPayload):
    """A request's body that knows whether any of it was written: from then on the request may have arrived."""

    begun = False

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.begun = True
        await super().write(writer)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self.begun = True
        await super().write_with_length(writer, content_length)


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends bodies: one request each, no redirect, no retry, a deadline over the whole of it.

    ``secrets`` are kept out of every error: an address or a token never leaves the channel.
    """

    http: aiohttp.ClientSession
    timeout: timedelta
    proxy: SecretStr | None = None
    secrets: tuple[SecretStr, ...] = ()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, whatever its status; raises DeliveryError where there is none."""
        return await self.request("POST", url, body, headers)

    async def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """As ``post``, with another method, or without a body."""
        sent = None if body is None else _Body(body)
        try:
            async with (
                asyncio.timeout(self.timeout.total_seconds()),
                self.http.request(
                    method,
                    url,
                    data=sent,
                    headers={"Accept-Encoding": "identity", **headers},
                    proxy=None if self.proxy is None else self.proxy.get_secret_value(),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as response,
            ):
                return Answer(response.status, response.headers, await _read(response))
        except TimeoutError as error:
            detail = f"no answer within {self.timeout.total_seconds():g} s"
            perhaps = sent is None or sent.begun
            raise DeliveryError("timeout", detail, retryable=True, perhaps_arrived=perhaps) from self._safe(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"the request failed ({type(error).__name__})"
            perhaps = sent.begun if sent is not None else not isinstance(error, aiohttp.ClientConnectorError)
            raise DeliveryError("network", detail, retryable=True, perhaps_arrived=perhaps) from self._safe(error)

    def keeping(self, *secrets: SecretStr) -> "Poster":
        """The same with more secrets to keep: a token that a platform lends."""
        return replace(self, secrets=(*self.secrets, *secrets))

    def scrub(self, text: str) -> str:
        """What a server said, fit for an error: one short printable line without our secrets."""
        for secret in self._all_secrets():
            text = text.replace(secret, "***")
        printable = "".join(character if character.isprintable() else " " for character in text)
        return " ".join(printable.split())[:200]

    def _safe(self, error: BaseException) -> BaseException | None:
        """The error, to chain; None where it, or what it came from, tells a secret: aiohttp's hold addresses."""
        link: BaseException | None = error
        while link is not None:
            told = f"{link!s}{link!r}{link.__dict__!r}"
            if any(secret in told for secret in self._all_secrets()):
                return None
            link = link.__cause__ or link.__context__
        return error

    def _all_secrets(self) -> Iterable[str]:
        for secret in (*self.secrets, *(() if self.proxy is None else (self.proxy,))):
            value = secret.get_secret_value()
            if value:
                yield value
                # a server may tell a token without the word before it: Bearer, Basic, GenieKey
                yield from (part for part in value.split(" ")[1:] if len(part) >= _TELLING)
                # an address tells its secret in a part of its path, its query or its login, and errors quote parts
                if "://" in value:
                    yield from (part for part in _PARTS.split(value.split("://", 1)[1])[1:] if len(part) >= _TELLING)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in response.content.iter_chunked(8 * 1024):
        read += chunk
        if len(read) >= READ_AT_MOST:
            response.close()  # not back to the pool: the rest of the body is still coming
            break
    return bytes(read[:READ_AT_MOST])


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """RFC 9110 §10.2.3: seconds, or a date; None where there is none or it makes no sense."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        if value.isascii() and value.replace(".", "", 1).isdigit():
            return timedelta(seconds=float(value))
        at = parsedate_to_datetime(value)
        return max(at - now, timedelta(0)) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def refusal(answer: Answer, detail: str, now: datetime) -> DeliveryError | None:
    """The error that an answer's status stands for; None for 2xx.

    Tried again: 408, 425, 429 and 5xx, after Retry-After where given. Everything else is final; a redirect too, for an
    alert must not follow one to an address that nobody configured.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    told = f"HTTP {status}" + (f": {detail}" if detail else "")
    retried = _RETRIED.get(status) or ("server" if 500 <= status < 600 else None)
    if retried is not None:
        return DeliveryError(_reason(retried), told, retryable=True, retry_after=retry_after(answer.headers, now))
    return DeliveryError(_reason(_REFUSED.get(status, "client")), told, retryable=False)


def _reason(name: str) -> DeliveryReason:
    reasons: dict[str, DeliveryReason] = {
        "auth": "auth",
        "client": "client",
        "rate_limited": "rate_limited",
        "server": "server",
        "timeout": "timeout",
        "too_long": "too_long",
    }
    return reasons[name]
