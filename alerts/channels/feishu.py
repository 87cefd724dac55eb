r"""飞书 (Feishu, abroad Lark): a group's custom robot, or an app.

Taken only where the JSON says ``"code": 0``; both refuse with HTTP 200, the app with 400 too, also where 429 is meant.

Robot: signed in the body, by ``timestamp`` in seconds and ``sign``, the base64 of HMAC-SHA256 with ``timestamp\nsecret``
as key over nothing (钉钉 has key and message the other way round); good for an hour (19021). 100 messages a minute and 5 a
second; the vendor says to keep off full and half hours, where it answers 11232. 20 KB a request. It cannot change what
it posted.

App (app_id, app_secret, chat; im:message:send_as_bot): a token of two hours. The incident's card is kept up to date in
place, for 14 days; since that alerts nobody, a rise, a repeat and the end are also a short reply. ``uuid`` makes the same
message go once in an hour. 5 requests a second and chat; a card of 30 KB.

Sources: open.feishu.cn, 自定义机器人使用指南, 发送消息, 回复消息, 更新已发送的消息卡片, 自建应用获取 tenant_access_token,
频控策略, 服务端错误码说明. Lark has the same at open.larksuite.com.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import quote

import aiohttp
from pydantic import AfterValidator, Field, SecretStr, model_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Idempotent, Limits, Name, SecretUrl, Timeout, Told, utc_now
from alerts.channels.errcode import (
    Code,
    CodeError,
    Json,
    Judge,
    Person,
    account,
    at_gateway,
    calls,
    official,
    shortening,
)
from alerts.channels.http import JSON, Poster, encode
from alerts.channels.token import TokenCache, read
from alerts.notification import Notification, Receipt
from alerts.pace import Rate
from alerts.render import Message, message
from alerts.render import feishu as form

API = "https://open.feishu.cn"

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_ROBOT = Limits(body=20 * 1024, rates=(Rate(4, _SECOND), Rate(95, _MINUTE, reserve=15)), digest=50, crowded=True)
# an update and its reply are two requests
_APP = Limits(body=30 * 1024, rates=(Rate(2, _SECOND), Rate(95, _MINUTE, reserve=15)), digest=50, crowded=True)
_AROUND = 1024  # bytes around the card

_STALE = frozenset({99991661, 99991663, 99991664, 99991665, 99991668, 99991671})
_CODES = {
    -1: Code("server"),
    1500: Code("server"),
    9499: Code("client"),
    10003: Code("auth"),  # the app
    10014: Code("auth"),  # its secret
    11232: Code("rate_limited", _MINUTE),
    19001: Code("auth"),  # the robot's address
    19002: Code("client"),
    19021: Code("auth"),  # the signature, or our clock
    19022: Code("auth"),  # the sender's address is not in the list
    19024: Code("auth"),  # no keyword in it
    230002: Code("refused"),  # the app is not in the group
    230006: Code("auth"),  # the app is no bot
    230013: Code("refused"),  # the person may not use the app
    230018: Code("auth"),  # it may not speak there
    230020: Code("rate_limited", timedelta(seconds=10)),  # of this chat
    230025: Code("too_long"),
    230027: Code("auth"),
    230035: Code("auth"),
    99991400: Code("rate_limited", _MINUTE),
    99991672: Code("auth"),  # a scope is missing
    **dict.fromkeys(_STALE, Code("auth")),
}
_HINTS = {(9499, "too many"): Code("rate_limited", _MINUTE), (9499, "frequency"): Code("rate_limited", _MINUTE)}
_HOSTS = {"open.feishu.cn": "/open-apis/bot/v2/hook/", "open.larksuite.com": "/open-apis/bot/v2/hook/"}
_EXAMPLE = f"{API}/open-apis/bot/v2/hook/"
_KINDS = {"oc_": "chat_id", "ou_": "open_id", "on_": "union_id"}

Webhook = Annotated[SecretUrl, AfterValidator(lambda value: official(value, _HOSTS, _EXAMPLE))]


class FeishuConfig(Told):
    """Sends to a 飞书 or Lark group by its custom robot, or to a group or person by an app."""

    type: Literal["feishu"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    webhook: Webhook | None = Field(None, description="address of a group's custom robot")
    secret: SecretStr | None = Field(None, min_length=1, description="the secret of a robot that wants signatures")
    keyword: str = Field("", max_length=30, description="the keyword of a robot that wants one in every message")
    app_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_]+$", description="the app's id (cli_…)")
    app_secret: SecretStr | None = Field(None, min_length=1, description="the app's secret")
    chat: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.@+-]{1,100}$",
        description="with an app: a group (oc_…), or a person by open_id (ou_…), union_id (on_…), mail or user_id",
    )
    at: list[Person] = Field(
        default_factory=list,
        max_length=20,
        description="who is called for red: open_ids or user ids; for an app mails too",
    )
    api: SecretUrl | None = Field(None, description="https://open.larksuite.com for an app of Lark; or a gateway")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        app = (self.app_id, self.app_secret, self.chat)
        if (self.webhook is None) == all(part is None for part in app):
            raise ValueError("give either webhook, or app_id, app_secret and chat")
        if self.webhook is None and None in app:
            raise ValueError("app_id, app_secret and chat go together")
        if self.webhook is None and (self.secret is not None or self.keyword):
            raise ValueError("secret and keyword are for a robot")
        return self

    @property
    def limits(self) -> Limits:
        return _APP if self.webhook is None else _ROBOT

    @property
    def account(self) -> str:
        if self.webhook is not None:
            return account(self.webhook.get_secret_value())
        return account(self.app_id, self.chat)

    @property
    def idempotent(self) -> Idempotent:
        return "always" if self.webhook is None else "never"

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "FeishuRobot | FeishuApp":
        parts = (self.webhook, self.secret, self.app_secret, self.api)
        poster = Poster(http, self.timeout, self.proxy, tuple(one for one in parts if one is not None))
        return FeishuRobot(self, poster, clock) if self.webhook is not None else FeishuApp(self, poster, clock)


class FeishuRobot:
    def __init__(self, config: FeishuConfig, poster: Poster, clock: Clock = utc_now) -> None:
        if config.webhook is None:
            raise AssertionError("the validator lets no such config through")
        self._config = config
        self._url = SecretStr(at_gateway(config.webhook, config.api))
        self._poster = poster
        self._clock = clock
        self._judge = Judge("Feishu", _CODES, poster, clock, _HINTS)

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        at = self._config.at if calls(notification, told) else []
        limit = self._config.limits.body - _AROUND
        keyword = self._config.keyword
        await shortening(told, lambda part: self._post(form.card(told, limit // part, keyword=keyword, at=at)), 4)
        return Receipt("", self._clock())

    async def _post(self, card: Json) -> None:
        payload: Json = {"msg_type": "interactive", "card": card}
        if self._config.secret is not None:
            payload = {**sign(self._config.secret.get_secret_value(), self._clock()), **payload}
        self._judge.taken(await self._poster.post(self._url.get_secret_value(), encode(payload), JSON))


def sign(secret: str, at: datetime) -> Json:
    """``timestamp`` and ``sign``, as they stand in the body."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


class FeishuApp:
    """``ref`` of a receipt is the id of the incident's card, or of the one that took its place."""

    def __init__(self, config: FeishuConfig, poster: Poster, clock: Clock = utc_now) -> None:
        self._config = config
        self._api = (config.api.get_secret_value() if config.api is not None else API).rstrip("/") + "/open-apis"
        self._poster = poster
        self._clock = clock
        self._judge = Judge("Feishu", _CODES, poster, clock, _HINTS)
        self._token = TokenCache(self._fetch_token, clock)

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        at = self._config.at if calls(notification, told) else []
        card = "" if notification.previous is None else notification.previous.ref
        if notification.digest or notification.kind in {"open", "test"} or not card:
            return await self._create(notification, told, at)
        try:
            await self._tell("PATCH", f"/im/v1/messages/{quote(card, safe='')}", told, [], {})
        except DeliveryError as error:
            if error.retryable or error.reason not in {"client", "refused"}:
                raise
            # gone, older than 14 days, or another's: a new card takes its place, and nothing is lost
            return await self._create(notification, told, at)
        # A retry changes the card to what it is, and uuid keeps the reply from coming twice.
        if notification.kind in {"repeat", "resolve"} or told.raised:
            short = replace(told, facts=(), quotes=(), left=0)
            where = f"/im/v1/messages/{quote(card, safe='')}/reply"
            await self._tell("POST", where, short, at, {"msg_type": "interactive", "uuid": notification.key[:50]})
        return Receipt(card, self._clock())

    async def _create(self, notification: Notification, told: Message, at: list[str]) -> Receipt:
        chat = self._config.chat or ""
        kind = "email" if "@" in chat else _KINDS.get(chat[:3], "user_id")
        around = {"receive_id": chat, "msg_type": "interactive", "uuid": notification.key[:50]}
        body = await self._tell("POST", f"/im/v1/messages?receive_id_type={kind}", told, at, around)
        data = body.get("data")
        ref = data.get("message_id", "") if isinstance(data, dict) else ""
        return Receipt(ref if isinstance(ref, str) else "", self._clock())

    async def _tell(self, method: str, path: str, told: Message, at: list[str], around: Json) -> Json:
        """With all; shorter, where it finds that too long. The card's JSON is a string within JSON, so it is escaped."""
        limit = self._config.limits.body - _AROUND

        def say(part: int) -> Awaitable[Json]:
            return self._call(method, path, {**around, "content": _content(told, limit // part, at)})

        return await shortening(told, say, 4)

    async def _call(self, method: str, path: str, payload: Json) -> Json:
        async def call(token: SecretStr) -> Json:
            poster = self._poster.keeping(token)
            headers = {**JSON, "Authorization": f"Bearer {token.get_secret_value()}"}
            return self._judge.by(poster).taken(
                await poster.request(method, self._api + path, encode(payload), headers)
            )

        return await self._token.use(call, stale=lambda error: isinstance(error, CodeError) and error.code in _STALE)

    async def _fetch_token(self) -> tuple[SecretStr, timedelta]:
        secret = self._config.app_secret
        payload = {"app_id": self._config.app_id, "app_secret": secret.get_secret_value() if secret else ""}
        url = f"{self._api}/auth/v3/tenant_access_token/internal"
        body = self._judge.taken(await self._poster.post(url, encode(payload), JSON))
        return read(body, "tenant_access_token", "expire", "Feishu")


def _content(told: Message, limit: int, at: list[str]) -> str:
    """The card as a string whose form within the request is within *limit* bytes."""
    for room in (limit, limit * 3 // 4, limit // 2):
        content = json.dumps(form.card(told, room, at=at), ensure_ascii=False)
        if len(encode({"content": content})) <= limit:
            break
    return content
