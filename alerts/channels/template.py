"""Any service with an HTTP API, by a template: text messages and calls above all.

The address, the method, the headers and the body are the operator's. Templates stand in the leaves of ``body`` and
``query``, which are encoded afterwards, so that what people wrote cannot leave its place in a JSON object or a form. What
counts as sent is configured too: statuses, and a field of the JSON answer with the values that mean yes, for many of these
services answer 200 to what they refuse. Limits are the service's; ``characters`` is the length of ``short`` (a text message
of Chinese holds 70, a longer one is billed in parts of 67: 3GPP TS 23.038).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlencode

import aiohttp
from pydantic import Field, JsonValue, SecretStr, field_validator, model_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Headers, Limits, Name, SecretUrl, Strict, Timeout, utc_now
from alerts.channels.http import Answer, Poster, encode, refusal
from alerts.notification import Notification, Receipt
from alerts.render import message
from alerts.render import template as form

Scalar = str | int | bool | None

_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


class SuccessConfig(Strict):
    """When a message counts as sent."""

    status: list[int] = Field(default_factory=list, description="statuses that mean sent; none given: every 2xx")
    field: str | None = Field(
        None, min_length=1, description="field of the JSON answer that says it, with dots between levels: data.code"
    )
    equals: list[Scalar] = Field(default_factory=list, description="values of the field that mean sent")
    retry: list[Scalar] = Field(
        default_factory=list, description="values that mean: try again; every other one is final"
    )

    @model_validator(mode="after")
    def _field_and_values(self) -> Self:
        if (self.field is None) != (not self.equals):
            raise ValueError("field and equals go together")
        if self.retry and self.field is None:
            raise ValueError("retry needs field and equals")
        if any(not 200 <= status < 300 for status in self.status):
            raise ValueError("status: only 2xx can mean sent")
        return self


class TemplateConfig(Strict):
    """Sends a request of your own making, for text messages, calls and other services."""

    limits: ClassVar[Limits] = Limits(body=64 * 1024)
    pager: ClassVar[bool] = True

    type: Literal["template"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    url: SecretUrl = Field(description="where to send")
    method: Literal["POST", "PUT", "PATCH", "GET"] = Field("POST", description="method of the request")
    headers: Headers = Field(default_factory=dict, description="headers to add, such as Authorization")
    query: dict[str, str] = Field(default_factory=dict, description="what to add to the address; each value a template")
    body: JsonValue = Field(None, description="the body; every text in it is a template")
    encode: Literal["json", "form", "text"] = Field("json", description="how the body is written")
    values: dict[str, SecretStr] = Field(
        default_factory=dict, description="secrets for the templates, as `{{ values.NAME }}`"
    )
    characters: int = Field(200, ge=40, le=2000, description="length of `{{ short }}`")
    success: SuccessConfig = Field(default=SuccessConfig(), description="when it counts as sent")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @field_validator("query", "body")
    @classmethod
    def _templates_are_sound(cls, value: JsonValue) -> JsonValue:
        for path, source in _leaves(value):
            try:
                form.check(source)
            except form.TemplateMistakeError as error:
                raise ValueError(f"{path}: {error}" if path else str(error)) from None
        return value

    @model_validator(mode="after")
    def _body_fits(self) -> Self:
        if self.method == "GET" and self.body is not None:
            raise ValueError("body: GET has none; use query")
        if self.encode == "text" and not isinstance(self.body, str | None):
            raise ValueError("body: with encode text, it is one text")
        if self.encode == "form" and not _flat(self.body):
            raise ValueError("body: with encode form, it is names with plain values")
        return self

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "TemplateChannel":
        return TemplateChannel(self, http, clock)


class TemplateChannel:
    def __init__(self, config: TemplateConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        secrets = (config.url, *config.headers.values(), *config.values.values())
        self._poster = Poster(http, config.timeout, config.proxy, secrets)
        self._config = config
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        config = self._config
        secrets = {name: value.get_secret_value() for name, value in config.values.items()}
        told = form.values(message(notification), notification, characters=config.characters, secrets=secrets)
        try:
            query = urlencode({name: form.rendered(source, told) for name, source in config.query.items()})
            body = self._body(told)
        except form.TemplateMistakeError as error:
            raise DeliveryError("client", self._poster.scrub(str(error)), retryable=False) from None
        if body is not None and len(body) > config.limits.body:
            raise DeliveryError("too_long", f"the template gives {len(body)} bytes", retryable=False)
        url = config.url.get_secret_value()
        url += ("&" if "?" in url else "?") + query if query else ""
        headers = {"User-Agent": "listener", "Content-Type": _TYPES[config.encode]}
        headers |= {name: value.get_secret_value() for name, value in config.headers.items()}
        answer = await self._poster.request(config.method, url, body, headers)
        refused = self._refused(answer)
        if refused is not None:
            raise refused
        return Receipt("", self._clock())

    def _body(self, told: Mapping[str, form.Value]) -> bytes | None:
        config = self._config
        if config.body is None:
            return None
        filled = _filled(config.body, told)
        if config.encode == "json":
            return encode(filled)
        if isinstance(filled, dict):
            return urlencode({name: _form_value(value) for name, value in filled.items()}, errors="replace").encode()
        return str(filled).encode("utf-8", "replace")

    def _refused(self, answer: Answer) -> DeliveryError | None:
        success = self._config.success
        said = self._poster.scrub(answer.text[:200])
        refused = refusal(answer, said, self._clock())
        if refused is not None:
            return refused
        if success.status and answer.status not in success.status:
            return DeliveryError("refused", f"HTTP {answer.status} does not mean sent: {said}", retryable=True)
        if success.field is None:
            return None
        found, value = _at(answer.json(), success.field.split("."))
        if not found:
            told = f"HTTP {answer.status}, and no {success.field} in the answer: {said}"
            return DeliveryError("refused", told, retryable=True)
        if _among(value, success.equals):
            return None
        told = f"{success.field} is {self._poster.scrub(str(value))}: {said}"
        return DeliveryError("refused", told, retryable=_among(value, success.retry))


def _flat(body: JsonValue) -> bool:
    return body is None or (
        isinstance(body, dict) and not any(isinstance(value, dict | list) for value in body.values())
    )


def _form_value(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _leaves(body: JsonValue, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in it, and where it stands: to, items.0.name."""
    if isinstance(body, str):
        yield path, body
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, part in parts:
        yield from _leaves(part, f"{path}.{name}" if path else f"{name}")


def _filled(body: JsonValue, told: Mapping[str, form.Value]) -> JsonValue:
    if isinstance(body, str):
        return form.rendered(body, told)
    if isinstance(body, list):
        return [_filled(part, told) for part in body]
    if isinstance(body, dict):
        return {name: _filled(part, told) for name, part in body.items()}
    return body


def _at(body: Any, path: list[str]) -> tuple[bool, Any]:
    """Whether the field is there, and its value; a number steps into a list."""
    for step in path:
        if isinstance(body, dict) and step in body:
            body = body[step]
        elif isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        else:
            return False, None
    return True, body


def _among(value: Any, wanted: list[Scalar]) -> bool:
    """The same value of the same kind: 0 is neither false nor "0"."""
    return any(value == one and type(value) is type(one) for one in wanted)
