"""Microsoft Teams, by the webhook of a workflow ("Post to a channel when a webhook request is received").

Taken where the status is 200, 201 or 202. A workflow answers 202 without a body before it has posted, so a card that Teams
refuses later is seen only in the workflow's run history: that is as much as this API tells. Addresses of the connectors
before it answer 200 also to what Teams refused, with ``… endpoint returned HTTP error 429 …`` in the body, and that counts
as that status. A page of HTML is no answer of either. A workflow cannot change what it posted: each notification is a card.
Sources: learn.microsoft.com (Create incoming webhooks with Workflows for Microsoft Teams; Microsoft Teams connector, Known
issues and limitations) and MicrosoftDocs/msteams-docs issues 4145 and 7830. The address holds the signature: it is a secret.
"""

import re
from datetime import timedelta
from typing import ClassVar, Literal

import aiohttp
from pydantic import Field

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Limits, Name, SecretUrl, Timeout, Told, utc_now
from alerts.channels.http import JSON, Answer, Poster, encode, refusal
from alerts.notification import Notification, Receipt
from alerts.render import Message, message
from alerts.render import teams as form
from alerts.render.shorten import brief

_TAKEN = (200, 201, 202)
_ERROR = re.compile(r"HTTP error (\d{3})")


class TeamsConfig(Told):
    """Posts Adaptive Cards to Microsoft Teams through a workflow."""

    limits: ClassVar[Limits] = Limits(body=form.BODY, digest=30)

    type: Literal["teams"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    webhook: SecretUrl = Field(description="address of the workflow's webhook")
    timeout: Timeout = Field(timedelta(seconds=15), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "TeamsChannel":
        return TeamsChannel(self, http, clock)


class TeamsChannel:
    def __init__(self, config: TeamsConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        self._poster = Poster(http, config.timeout, config.proxy, (config.webhook,))
        self._url = config.webhook.get_secret_value()
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        try:
            await self._post(told)
        except DeliveryError as error:
            if error.reason != "too_long" or told.digest:
                raise
            await self._post(brief(told))
        return Receipt("", self._clock())

    async def _post(self, told: Message) -> None:
        answer = await self._poster.post(self._url, encode(form.payload(told)), JSON)
        detail = self._poster.scrub(_told(answer))
        hidden = _ERROR.search(answer.text) if answer.status in _TAKEN else None
        if hidden is not None:
            answer = Answer(int(hidden.group(1)), answer.headers, answer.body)
        refused = refusal(answer, detail, self._clock())
        if refused is not None:
            raise refused
        if hidden is not None or answer.status not in _TAKEN or answer.text.startswith("<"):
            raise DeliveryError("refused", f"HTTP {answer.status}, but not Teams' answer: {detail}", retryable=True)


def _told(answer: Answer) -> str:
    """The code and message of Azure's error object, else the beginning of the body."""
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return f"{error.get('code', '')} {error.get('message', '')}"
    return answer.text[:200]
