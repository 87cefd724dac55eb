"""Prometheus Alertmanager, API v2: our alerts among the others that it groups, silences and sends on.

``POST /api/v2/alerts`` is taken where the status is 200 and the body is empty or JSON. An open alert carries an ``endsAt``
of now and ``keep``: without one it would end after Alertmanager's resolve_timeout (5 min). What is open is told again every
``refresh``, because Alertmanager holds alerts in memory and a restart forgets them; ``keep`` is long, because an end that
comes only of our silence would be a lie. An end is told with ``endsAt`` of when it was. Same labels, same alert: a repeat
changes nothing. In a cluster, each member gets every alert: a channel each. Sources: prometheus.io, Alerting, Alerts API;
prometheus/alertmanager, api/v2/openapi.yaml and types/types.go (Merge).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import aiohttp
import pydantic
from pydantic import Field, model_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Headers, Idempotent, Limits, Name, SecretUrl, Timeout, Told, Url, utc_now
from alerts.channels.http import JSON, Poster, encode, refusal
from alerts.notification import Notification, Receipt
from alerts.render import alertmanager as form
from alerts.render import message
from alerts.render.shorten import brief

_AT_ONCE = 500  # alerts in one request of a refresh

Span = Annotated[timedelta, pydantic.Strict(), Field(ge=timedelta(seconds=1))]


class AlertmanagerConfig(Told):
    """Sends alerts to a Prometheus Alertmanager."""

    limits: ClassVar[Limits] = Limits(body=form.BODY)
    idempotent: ClassVar[Idempotent] = "always"
    pager: ClassVar[bool] = True

    type: Literal["alertmanager"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    url: Url = Field(description="address of the Alertmanager, without /api/v2")
    headers: Headers = Field(default_factory=dict, description="headers to add, such as Authorization")
    refresh: Span = Field(timedelta(minutes=1), description="how often what is open is told again")
    keep: Span = Field(timedelta(hours=24), description="how long an open alert stays if nothing more is heard of it")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @model_validator(mode="after")
    def _kept_until_refreshed(self) -> Self:
        if self.keep < 2 * self.refresh:
            raise ValueError("keep must be at least twice refresh, or an open alert ends between two of them")
        return self

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "AlertmanagerChannel":
        return AlertmanagerChannel(self, http, clock)


class AlertmanagerChannel:
    def __init__(self, config: AlertmanagerConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        self._poster = Poster(http, config.timeout, config.proxy, tuple(config.headers.values()))
        self._url = f"{config.url.rstrip('/')}/api/v2/alerts"
        self._headers = {**{name: value.get_secret_value() for name, value in config.headers.items()}, **JSON}
        self._keep = config.keep
        self._clock = clock
        self._turn = asyncio.Lock()
        self.refresh_every = config.refresh

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        async with self._turn:
            try:
                await self._post(form.alerts(told, notification, now=self._clock(), keep=self._keep))
            except DeliveryError as error:
                if error.reason != "too_long":
                    raise
                await self._post(form.alerts(brief(told), notification, now=self._clock(), keep=self._keep)[:1])
        return Receipt("", self._clock())

    async def refresh(self, standing: Callable[[], Awaitable[Sequence[Notification]]], /) -> None:
        async with self._turn:
            told = [(message(notification), notification) for notification in await standing()]
            open_alerts = form.standing(told, now=self._clock(), keep=self._keep)
            for start in range(0, len(open_alerts), _AT_ONCE):
                await self._post(open_alerts[start : start + _AT_ONCE])

    async def _post(self, alerts: list[dict[str, Any]]) -> None:
        answer = await self._poster.post(self._url, encode(alerts), self._headers)
        detail = self._poster.scrub(answer.text[:200])
        refused = refusal(answer, detail, self._clock())
        if refused is not None:
            raise refused
        if answer.status != 200 or (answer.text and answer.json() is None):
            told = f"HTTP {answer.status}, but not Alertmanager's answer: {detail}"
            raise DeliveryError("refused", told, retryable=True)
