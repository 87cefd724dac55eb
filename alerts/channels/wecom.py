"""企业微信 (WeCom): a group's robot, or an app's message to members.

Taken only where the JSON says ``"errcode": 0``; it refuses with HTTP 200. 45009 is the limit of calls.

Robot: 20 messages a minute; Markdown of at most 4,096 bytes, text of 2,048. Members are called by ``<@userid>`` in
Markdown; phone numbers only by a text message's list, so a red alert with phone numbers to call is sent as text.

App (corp_id, agent, secret): a token of two hours from ``gettoken``, asked for anew where it is found stale (40014,
42001). Markdown of at most 2,048 bytes, which only the 企业微信 app shows. A member gets at most 30 messages a minute and
1,000 an hour, and what is above is dropped without a word, so the limit here stays below. With
``enable_duplicate_check`` the same request is delivered once in five minutes, so a retry is no second message. Where some
recipients are unknown the rest get it, with errcode 0: that is told as an error, for those got nothing. Sources:
developer.work.weixin.qq.com, path/91770 (robot), 90236 (app message), 91039 (token), 90455 (codes).
"""

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlencode

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
    is_mobile,
    official,
    shortening,
)
from alerts.channels.http import JSON, Poster, encode
from alerts.channels.token import TokenCache, read
from alerts.notification import Notification, Receipt
from alerts.pace import Rate
from alerts.render import Message, message
from alerts.render import wecom as form

API = "https://qyapi.weixin.qq.com"
MARKDOWN = 4096
TEXT = 2048

_MINUTE = timedelta(minutes=1)
_ROBOT = Limits(body=MARKDOWN, rates=(Rate(20, _MINUTE, reserve=5),), digest=10)
_APP = Limits(
    body=TEXT, rates=(Rate(25, _MINUTE, reserve=5), Rate(900, timedelta(hours=1), reserve=100)), digest=4, crowded=True
)

_STALE = frozenset({40014, 42001})
_CODES = {
    -1: Code("server"),
    40001: Code("auth"),  # the secret
    40013: Code("auth"),  # the corp id
    40014: Code("auth"),
    40056: Code("auth"),  # the agent
    40058: Code("client"),
    41001: Code("auth"),
    42001: Code("auth"),
    45002: Code("too_long"),
    45009: Code("rate_limited", _MINUTE),
    45033: Code("rate_limited", _MINUTE),  # at the same time
    48002: Code("auth"),
    60011: Code("auth"),
    60020: Code("auth"),  # the sender's address is not in the list
    81013: Code("refused"),  # none of the recipients is known
    93000: Code("auth"),  # the robot's key
    93004: Code("auth"),  # the robot is stopped
    93008: Code("auth"),  # the robot is not in the group
    301002: Code("auth"),
}
_HINTS = {(40058, "exceed max length"): Code("too_long")}
_EXAMPLE = f"{API}/cgi-bin/webhook/send?key="

Webhook = Annotated[
    SecretUrl, AfterValidator(lambda value: official(value, {"qyapi.weixin.qq.com": "/cgi-bin/webhook/send"}, _EXAMPLE))
]
Recipient = Annotated[str, Field(pattern=r"^[^|\s@]{1,64}$")]


class WeComConfig(Told):
    """Sends to a 企业微信 group by its robot, or to members by an app."""

    type: Literal["wecom"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    webhook: Webhook | None = Field(None, description="address of a group's robot")
    at: list[Person] = Field(
        default_factory=list,
        max_length=20,
        description="with webhook: who is called for red, user ids or mobile numbers",
    )
    corp_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$", description="the company's id, for an app")
    agent: int | None = Field(None, ge=1, description="the app's AgentId")
    secret: SecretStr | None = Field(None, min_length=1, description="the app's secret")
    to: list[Recipient] = Field(default_factory=list, max_length=1000, description="members by user id, for an app")
    parties: list[int] = Field(default_factory=list, max_length=100, description="departments by number, for an app")
    api: SecretUrl | None = Field(None, description="address of a gateway, where the platform is reached by one")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        app = (self.corp_id, self.agent, self.secret)
        if (self.webhook is None) == all(part is None for part in app):
            raise ValueError("give either webhook, or corp_id, agent and secret")
        if self.webhook is None and (None in app or not (self.to or self.parties)):
            raise ValueError("an app needs corp_id, agent, secret, and recipients: to or parties")
        if self.webhook is None and self.at:
            raise ValueError("at is for a robot: an app's message calls its recipients anyway")
        if self.webhook is not None and (self.to or self.parties):
            raise ValueError("to and parties are for an app: a robot speaks to its group")
        return self

    @property
    def limits(self) -> Limits:
        """``body``: bytes of the text, which is what the platform measures."""
        return _APP if self.webhook is None else _ROBOT

    @property
    def account(self) -> str:
        if self.webhook is not None:
            return account(self.webhook.get_secret_value())
        return account(self.corp_id, str(self.agent))

    @property
    def idempotent(self) -> Idempotent:
        return "always" if self.webhook is None else "never"

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "WeComRobot | WeComApp":
        secrets = tuple(one for one in (self.webhook, self.secret, self.api) if one is not None)
        poster = Poster(http, self.timeout, self.proxy, secrets)
        if self.webhook is not None:
            return WeComRobot(SecretStr(at_gateway(self.webhook, self.api)), self.at, poster, clock)
        if self.corp_id is None or self.agent is None or self.secret is None:
            raise AssertionError("the validator lets no such config through")
        to: Json = {"touser": "|".join(self.to), "toparty": "|".join(map(str, self.parties)), "agentid": self.agent}
        api = (self.api.get_secret_value() if self.api is not None else API).rstrip("/")
        return WeComApp(api, (self.corp_id, self.secret), to, poster, clock)


class WeComRobot:
    def __init__(self, url: SecretStr, at: list[str], poster: Poster, clock: Clock = utc_now) -> None:
        self._url = url
        self._members = [who for who in at if not is_mobile(who)]
        self._mobiles = [who for who in at if is_mobile(who)]
        self._poster = poster
        self._clock = clock
        self._judge = Judge("WeCom", _CODES, poster, clock, _HINTS)

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        form_of = self._calling if calls(notification, told) else _payload
        await shortening(told, lambda part: self._post(form_of(told, part)), 2)
        return Receipt("", self._clock())

    def _calling(self, told: Message, part: int) -> Json:
        if not self._mobiles or told.digest:  # a digest's names need the room that only Markdown has
            content = form.markdown(told, MARKDOWN // part, at=self._members)
            return {"msgtype": "markdown", "markdown": {"content": content}}
        text = {
            "content": form.text(told, TEXT // part),
            "mentioned_list": self._members,
            "mentioned_mobile_list": self._mobiles,
        }
        return {"msgtype": "text", "text": text}

    async def _post(self, payload: Json) -> None:
        self._judge.taken(await self._poster.post(self._url.get_secret_value(), encode(payload), JSON))


def _payload(told: Message, part: int, limit: int = MARKDOWN) -> Json:
    return {"msgtype": "markdown", "markdown": {"content": form.markdown(told, limit // part)}}


class WeComApp:
    """``ref`` of a receipt is the message's id, of use to nobody but a person: the app cannot change what it sent."""

    def __init__(self, api: str, key: tuple[str, SecretStr], to: Json, poster: Poster, clock: Clock = utc_now) -> None:
        self._api = api
        self._key = key
        self._to = to
        self._poster = poster
        self._clock = clock
        self._judge = Judge("WeCom", _CODES, poster, clock, _HINTS)
        self._token = TokenCache(self._fetch_token, clock)

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        body = await shortening(told, lambda part: self._post(_payload(told, part, TEXT)), 2)
        unknown = [str(body[key]) for key in ("invaliduser", "invalidparty", "unlicenseduser") if body.get(key)]
        if unknown:
            detail = self._poster.scrub(f"WeCom: the rest got it, but it does not know {' '.join(unknown)}")
            raise DeliveryError("refused", detail, retryable=False)
        return Receipt(str(body.get("msgid", "")), self._clock())

    async def _post(self, payload: Json) -> Json:
        body = encode({**self._to, **payload, "enable_duplicate_check": 1, "duplicate_check_interval": 300})

        async def call(token: SecretStr) -> Json:
            url = f"{self._api}/cgi-bin/message/send?{urlencode({'access_token': token.get_secret_value()})}"
            poster = self._poster.keeping(token)
            return self._judge.by(poster).taken(await poster.post(url, body, JSON))

        return await self._token.use(call, stale=lambda error: isinstance(error, CodeError) and error.code in _STALE)

    async def _fetch_token(self) -> tuple[SecretStr, timedelta]:
        corp_id, secret = self._key
        query = urlencode({"corpid": corp_id, "corpsecret": secret.get_secret_value()})
        body = self._judge.taken(
            await self._poster.request("GET", f"{self._api}/cgi-bin/gettoken?{query}", None, {"User-Agent": "listener"})
        )
        return read(body, "access_token", "expires_in", "WeCom")
