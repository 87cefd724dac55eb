"""PagerDuty, by Events API v2: an incident triggers, is acknowledged and resolves under one ``dedup_key``.

Taken only where the status is 202 and the JSON says ``"status": "success"``. 400 is final, 429 and 5xx are tried again
(PagerDuty advises a pause of minutes after 429 and names none). The key comes from the incident, so a repeat of the same
event changes nothing but the alert's log, and a resolve closes what the trigger opened; after a resolve, a trigger with the
same key opens a new alert. What is acknowledged notifies nobody, whatever triggers it, and no event takes that back: where
an acknowledgement has ended here, a trigger under a new key calls people again, and the old key is resolved. Severity: blue
info, yellow warning, orange error, red critical. Source: developer.pagerduty.com, Events API v2, Overview and Send an Alert
Event.
"""

from datetime import timedelta
from typing import ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Idempotent, Limits, Name, SecretUrl, Timeout, Told, Url, utc_now
from alerts.channels.http import JSON, Poster, encode, refusal
from alerts.channels.pager import ACKNOWLEDGED, identity, is_taken, was_named
from alerts.notification import Notification, NotificationKind, Receipt
from alerts.render import Message, message
from alerts.render import pager as form
from alerts.render.shorten import brief

URL = "https://events.pagerduty.com/v2/enqueue"
KEY = 255

_ACTIONS: dict[NotificationKind, str] = {"acknowledge": "acknowledge", "resolve": "resolve"}


class PagerDutyConfig(Told):
    """Triggers, acknowledges and resolves alerts in PagerDuty."""

    limits: ClassVar[Limits] = Limits(body=512 * 1024)
    idempotent: ClassVar[Idempotent] = "always"
    pager: ClassVar[bool] = True

    type: Literal["pagerduty"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    routing_key: SecretStr = Field(min_length=1, description="integration key of the service (Events API v2)")
    url: Url = Field(URL, description="where to post; EU: https://events.eu.pagerduty.com/v2/enqueue")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "PagerDutyChannel":
        return PagerDutyChannel(self, http, clock)


class PagerDutyChannel:
    """``ref`` of a receipt is the dedup_key, and whether it is acknowledged there by us."""

    def __init__(self, config: PagerDutyConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        self._poster = Poster(http, config.timeout, config.proxy, (config.routing_key,))
        self._url = config.url
        self._key = config.routing_key.get_secret_value()
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        action = _ACTIONS.get(notification.kind, "trigger")
        first = identity(notification.incident.id, KEY - len(".9999"))
        known, acknowledged = was_named(notification, first)
        calls = action == "trigger" and acknowledged and not is_taken(notification)
        key = _next(known, first) if calls else known
        try:
            await self._post(told, notification, key, action)
        except DeliveryError as error:
            if error.reason != "too_long":
                raise
            told = brief(told)
            await self._post(told, notification, key, action)
        if calls:
            await self._post(told, notification, known, "resolve")
        still = action == "acknowledge" or (action == "trigger" and acknowledged and not calls)
        return Receipt(key + ACKNOWLEDGED if still else key, self._clock())

    async def _post(self, told: Message, notification: Notification, key: str, action: str) -> None:
        event = {
            "routing_key": self._key,
            "event_action": action,
            "dedup_key": key,
            "client": "Listener",
            **form.pagerduty(told, notification),
        }
        if told.links:
            event["client_url"] = told.links[0].url
        answer = await self._poster.post(self._url, encode(event), JSON)
        body = answer.json()
        said = body if isinstance(body, dict) else {}
        if answer.status == 202 and said.get("status") == "success":
            return
        errors = said.get("errors")
        reasons = [said.get("message"), *(errors if isinstance(errors, list) else [])]
        detail = self._poster.scrub("; ".join(str(reason) for reason in reasons if reason) or answer.text[:200])
        refused = refusal(answer, detail, self._clock())
        if refused is None:
            told_so = f"HTTP {answer.status}, but not PagerDuty's answer: {detail}"
            refused = DeliveryError("refused", told_so, retryable=True)
        raise refused


def _next(key: str, first: str) -> str:
    number = key.removeprefix(first).removeprefix(".")
    return f"{first}.{int(number) + 1 if number.isdecimal() else 2}"
