"""Opsgenie and what speaks its Alert API (Jira Service Management: api ``https://api.atlassian.com/jsm/ops/integration``).

An incident is one alert under one alias. Opening creates it; an update creates it again, which Opsgenie counts on the open
alert, and then sets its priority, message and description, for those a repeated create does not change; an acknowledged
incident is acknowledged, given back where that ends, and a resolved one closed, all by alias. Taken only where the status is
202 and the JSON names a ``requestId``: Opsgenie works requests off later, and what it refuses then stands in its logs alone.
422 and other 4xx are final, 429 and 5xx are tried again. A compatible server that cannot change an alert (404, 405) has at
least counted it.
Sources: docs.opsgenie.com, Alert API, Response and Rate Limiting; Atlassian JSDCLOUD-14179 for the alias with Jira.
"""

from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import aiohttp
from pydantic import Field, SecretStr, field_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Idempotent, Limits, Name, SecretUrl, Timeout, Told, Url, utc_now
from alerts.channels.http import JSON, Answer, Poster, encode, refusal
from alerts.channels.pager import ACKNOWLEDGED, identity, is_taken, was_named
from alerts.notification import Notification, Receipt
from alerts.render import Message, message
from alerts.render import pager as form
from alerts.render.shorten import brief

API = "https://api.opsgenie.com"
ALIAS = 512


class OpsgenieConfig(Told):
    """Creates, updates, acknowledges and closes alerts by Opsgenie's Alert API."""

    limits: ClassVar[Limits] = Limits(body=128 * 1024)
    idempotent: ClassVar[Idempotent] = "always"
    pager: ClassVar[bool] = True

    type: Literal["opsgenie"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    key: SecretStr = Field(min_length=1, description="API key of the integration")
    teams: list[str] = Field(default_factory=list, max_length=50, description="names of the teams to respond")
    api: Url = Field(API, description="address of the API; EU: https://api.eu.opsgenie.com")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @field_validator("key")
    @classmethod
    def _printable(cls, key: SecretStr) -> SecretStr:
        if not all("!" <= character <= "~" for character in key.get_secret_value()):
            raise ValueError("holds a character that no key has")
        return key

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "OpsgenieChannel":
        return OpsgenieChannel(self, http, clock)


class OpsgenieChannel:
    """``ref`` of a receipt is the alias."""

    def __init__(self, config: OpsgenieConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        self._poster = Poster(http, config.timeout, config.proxy, (config.key,))
        self._alerts = f"{config.api.rstrip('/')}/v2/alerts"
        self._headers = {**JSON, "Authorization": f"GenieKey {config.key.get_secret_value()}"}
        self._teams = config.teams
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        alias = identity(notification.incident.id, ALIAS)
        _, acknowledged = was_named(notification, alias)
        back = acknowledged and not is_taken(notification) and notification.kind != "resolve"
        told = message(notification)
        try:
            await self._send(told, notification, alias, back=back)
        except DeliveryError as error:
            if error.reason != "too_long":
                raise
            await self._send(brief(told), notification, alias, back=back)
        kind = notification.kind
        still = kind == "acknowledge" or (acknowledged and not back and kind != "resolve")
        return Receipt(alias + ACKNOWLEDGED if still else alias, self._clock())

    async def _send(self, told: Message, notification: Notification, alias: str, *, back: bool) -> None:
        """*back*: it is nobody's any more, and must not stand there as taken."""
        alert = form.opsgenie(told, notification)
        by = {"source": alert["source"], "user": "listener"}
        if notification.kind in {"acknowledge", "resolve"}:
            act = "close" if notification.kind == "resolve" else "acknowledge"
            await self._ask(
                "POST", f"/{_path(alias, act)}", {**by, "note": f"{alert['message']}\n{alert['description']}"}
            )
            return
        if self._teams:
            alert["responders"] = [{"name": team, "type": "team"} for team in self._teams]
        await self._ask("POST", "", {**alert, "alias": alias})
        if notification.kind in {"open", "test"}:
            return
        changes = [("PUT", name, {name: alert[name]}) for name in ("priority", "message", "description")]
        if back:
            changes.append(("POST", "unacknowledge", by))
        for method, what, payload in changes:
            try:
                await self._ask(method, f"/{_path(alias, what)}", payload, known=False)
            except _UnknownError:
                return

    async def _ask(self, method: str, path: str, payload: dict[str, Any], *, known: bool = True) -> None:
        """``known``: every server that speaks this API has it."""
        answer = await self._poster.request(method, self._alerts + path, encode(payload), self._headers)
        body = answer.json()
        said = body if isinstance(body, dict) else {}
        if answer.status == 202 and said.get("requestId"):
            return
        raise self._refused(answer, str(said.get("message") or answer.text[:200]), known=known)

    def _refused(self, answer: Answer, told: str, *, known: bool) -> DeliveryError:
        detail = self._poster.scrub(told)
        refused = refusal(answer, detail, self._clock())
        if refused is None:
            told = f"HTTP {answer.status}, but not Opsgenie's answer: {detail}"
            return DeliveryError("refused", told, retryable=True)
        if not known and answer.status in {404, 405}:
            return _UnknownError(refused.reason, refused.detail, retryable=False)
        return refused


class _UnknownError(DeliveryError):
    """The server does not know how to change an alert, or not this one."""


def _path(alias: str, act: str) -> str:
    return f"{quote(alias, safe='')}/{act}?identifierType=alias"
