"""ntfy, on ntfy.sh or a server of one's own: pushes to phones.

Taken only where the status is 200 and the JSON is a ``message`` event with an id, of our topic. A refusal is
``{"code", "http", "error"}``: 429 (requests, or the day's messages) is tried again, 413 is sent shorter once, others are
final. Priority by level: blue 2, yellow 3, orange 4, red 5, which sounds through "do not disturb"; a click opens the
incident. Each notification is a message. Who knows a topic of an open server reads it: the topic is a secret. Sources:
docs.ntfy.sh/publish (Publish as JSON, Message priority, Limitations) and binwiederhier/ntfy, server/errors.go.
"""

from datetime import timedelta
from typing import ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Limits, Name, SecretUrl, Timeout, Told, Url, utc_now
from alerts.channels.http import JSON, Poster, encode, refusal
from alerts.notification import Notification, Receipt
from alerts.render import Message, message
from alerts.render import ntfy as form
from alerts.render.shorten import brief

URL = "https://ntfy.sh"


class NtfyConfig(Told):
    """Publishes to a topic of ntfy."""

    limits: ClassVar[Limits] = Limits(body=form.BODY, text=form.TEXT, digest=12)

    type: Literal["ntfy"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    topic: SecretStr = Field(description="the topic; on an open server, long and not to be guessed")
    url: Url = Field(URL, description="address of the server")
    token: SecretStr | None = Field(None, description="access token, where the topic is protected")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @field_validator("topic")
    @classmethod
    def _a_topic(cls, topic: SecretStr) -> SecretStr:
        name = topic.get_secret_value()
        if not (1 <= len(name) <= 64 and name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise ValueError("must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
        return topic

    @field_validator("token")
    @classmethod
    def _printable(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not all("!" <= character <= "~" for character in token.get_secret_value()):
            raise ValueError("holds a character that no token has")
        return token

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "NtfyChannel":
        return NtfyChannel(self, http, clock)


class NtfyChannel:
    """``ref`` of a receipt is ntfy's id of the message."""

    def __init__(self, config: NtfyConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        token = () if config.token is None else (config.token,)
        self._poster = Poster(http, config.timeout, config.proxy, (config.topic, *token))
        self._url = config.url
        self._topic = config.topic.get_secret_value()
        self._headers = dict(JSON)
        if config.token is not None:
            self._headers["Authorization"] = f"Bearer {config.token.get_secret_value()}"
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        try:
            ref = await self._post(told)
        except DeliveryError as error:
            if error.reason != "too_long" or told.digest:
                raise
            ref = await self._post(brief(told))
        return Receipt(ref, self._clock())

    async def _post(self, told: Message) -> str:
        answer = await self._poster.post(self._url, encode(form.payload(told, self._topic)), self._headers)
        body = answer.json()
        said = body if isinstance(body, dict) else {}
        ref = said.get("id")
        ours = (said.get("event"), said.get("topic")) == ("message", self._topic)
        if answer.status == 200 and ours and isinstance(ref, str) and ref:
            return ref
        detail = self._poster.scrub(str(said.get("error") or answer.text[:200]))
        refused = refusal(answer, detail, self._clock())
        if refused is None:
            refused = DeliveryError("refused", f"HTTP {answer.status}, but not ntfy's answer: {detail}", retryable=True)
        raise refused
