"""A signed POST of the facts as JSON, for programs.

The body is the lead alert's event line, with two more keys: ``notification`` and ``alerts``. The signature is
``X-Listener-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`` under the shared secret, the form that
Stripe and others use: the receiver checks that t is recent and compares in constant time. ``X-Listener-Key`` is the
same over all retries: who has seen it has the message.
"""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Headers, Idempotent, Limits, Name, SecretUrl, Strict, Timeout, utc_now
from alerts.channels.http import Poster, refusal
from alerts.codec import event_line
from alerts.notification import Notification, Receipt
from alerts.render.text import cut, size

# (most characters of a text, most alerts): each is tried until the body fits; the last one always does
_STEPS = ((20_000, 1_000), (2_000, 200), (500, 50), (200, 10), (100, 1))


class WebhookConfig(Strict):
    """Posts alert events as JSON, signed where a secret is given."""

    limits: ClassVar[Limits] = Limits(body=256 * 1024)
    idempotent: ClassVar[Idempotent] = "always"

    type: Literal["webhook"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    url: SecretUrl = Field(description="where to post")
    secret: SecretStr | None = Field(None, description="the shared secret of the signature; without it, none is sent")
    headers: Headers = Field(default_factory=dict, description="headers to add, such as Authorization")
    timeout: Timeout = Field(timedelta(seconds=10), description="for the whole request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "WebhookChannel":
        return WebhookChannel(self, http, clock)


class WebhookChannel:
    def __init__(self, config: WebhookConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        secrets = (config.url, *config.headers.values(), *(() if config.secret is None else (config.secret,)))
        self._poster = Poster(http, config.timeout, config.proxy, secrets)
        self._config = config
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        """Taken where the status is 2xx; the body's answer is nobody's standard here."""
        body = webhook_body(notification, self._config.limits.body)
        now = self._clock()
        headers = {name: value.get_secret_value() for name, value in self._config.headers.items()}
        headers |= {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "listener",
            "X-Listener-Key": _header(notification.key),
        }
        if self._config.secret is not None:
            headers["X-Listener-Signature"] = sign(self._config.secret.get_secret_value(), body, int(now.timestamp()))
        answer = await self._poster.post(self._config.url.get_secret_value(), body, headers)
        refused = refusal(answer, self._poster.scrub(answer.text[:200]), self._clock())
        if refused is not None:
            raise refused
        return Receipt("", self._clock())


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of X-Listener-Signature; *at* in unix seconds."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def webhook_body(notification: Notification, limit: int) -> bytes:
    """The JSON within *limit* bytes: long texts are cut and, past a thousand alerts, resolved and low ones left off."""
    for length, members in _STEPS:
        body = json.dumps(_form(notification, length, members), ensure_ascii=False, allow_nan=False)
        if size(body) <= limit:
            return body.encode("utf-8", "replace")
    raise DeliveryError("too_long", f"the alert does not fit into {limit} bytes", retryable=False)


def _form(notification: Notification, length: int, members: int) -> dict[str, Any]:
    incident = notification.incident
    told = sorted(incident.alerts, key=lambda event: (event.event == "resolved", -event.level))[:members]
    kept = {event.alert for event in told}
    return {
        **_shortened(event_line(incident.lead), length),
        "notification": {
            "key": notification.key,
            "kind": notification.kind,
            "revision": notification.revision,
            "incident": incident.id,
            "open": incident.open,
            "url": notification.console_url,
        },
        "alerts": [_shortened(event_line(event), length) for event in incident.alerts if event.alert in kept],
    }


def _shortened(value: Any, length: int) -> Any:
    """Every text cut to *length*; lists and objects of any depth."""
    if isinstance(value, str):
        return cut(value, length)
    if isinstance(value, list):
        return [_shortened(item, length) for item in value]
    if isinstance(value, dict):
        return {name: _shortened(item, length) for name, item in value.items()}
    return value


def _header(value: str) -> str:
    return "".join(character for character in value if character.isascii() and character.isprintable())[:200]
