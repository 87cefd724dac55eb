r"""A 钉钉 (DingTalk) group's custom robot.

Taken only where the JSON says ``"errcode": 0``: it refuses with HTTP 200. Signed (安全设置: 加签) by ``timestamp`` in
milliseconds and ``sign``, the base64 of HMAC-SHA256 with the secret as key over ``timestamp\nsecret``, both in the query;
good for an hour. A robot with 自定义关键词 takes only what holds one of its words, so ``keyword`` is added. 20 messages a
minute and robot, or it is mute for ten minutes (130101); 20,000 bytes. It cannot change what it posted and knows no key
of a message.

Sources: open.dingtalk.com, 自定义机器人接入, 自定义机器人安全设置, 消息类型及数据格式; ccfos/nightingale issue 369 (130101).
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

import aiohttp
from pydantic import AfterValidator, Field, SecretStr

from alerts.channels.base import Clock, Limits, Name, SecretUrl, Timeout, Told, utc_now
from alerts.channels.errcode import (
    Code,
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
from alerts.notification import Notification, Receipt
from alerts.pace import Rate
from alerts.render import Message, message
from alerts.render import dingtalk as form

_MUTED = timedelta(minutes=10)
_CODES = {
    -1: Code("server"),
    101002: Code("too_long"),
    130101: Code("rate_limited", _MUTED),
    300001: Code("auth"),  # no such token
    300005: Code("auth"),
    310000: Code("auth"),  # signature, keyword or address of the sender
    400013: Code("refused"),  # the group is dissolved
    400101: Code("auth"),  # no such token
    400102: Code("auth"),  # the robot is stopped
    400106: Code("auth"),  # there is no such robot
    410100: Code("rate_limited", _MUTED),
    460101: Code("too_long"),
    90018: Code("rate_limited", timedelta(minutes=1)),
    90030: Code("rate_limited", timedelta(hours=1)),  # the month's or the day's calls are used up
}
_ROBOTS = {"oapi.dingtalk.com": "/robot/send", "api.dingtalk.com": "/robot/send"}
_EXAMPLE = "https://oapi.dingtalk.com/robot/send?access_token="

Webhook = Annotated[SecretUrl, AfterValidator(lambda value: official(value, _ROBOTS, _EXAMPLE))]


class DingTalkConfig(Told):
    """Posts to a 钉钉 group by its custom robot."""

    limits: ClassVar[Limits] = Limits(body=20_000, rates=(Rate(20, timedelta(minutes=1), reserve=5),), digest=50)

    type: Literal["dingtalk"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    webhook: Webhook = Field(description="address of the robot")
    secret: SecretStr | None = Field(
        None, min_length=1, description="the secret (SEC…) of a robot that wants signatures"
    )
    keyword: str = Field("", max_length=30, description="the keyword of a robot that wants one in every message")
    at: list[Person] = Field(
        default_factory=list, max_length=20, description="who is called for red: mobile numbers or user ids"
    )
    api: SecretUrl | None = Field(None, description="address of a gateway, where the robot is reached by one")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @property
    def account(self) -> str:
        return account(self.webhook.get_secret_value())

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "DingTalkRobot":
        secrets = (self.webhook, *(one for one in (self.secret, self.api) if one is not None))
        return DingTalkRobot(self, Poster(http, self.timeout, self.proxy, secrets), clock)


class DingTalkRobot:
    def __init__(self, config: DingTalkConfig, poster: Poster, clock: Clock = utc_now) -> None:
        self._config = config
        self._url = SecretStr(at_gateway(config.webhook, config.api))
        self._poster = poster
        self._clock = clock
        self._judge = Judge("DingTalk", _CODES, poster, clock, {})

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        at = self._config.at if calls(notification, told) else []
        limit = self._config.limits.body - 1_000  # what stands around the text
        await shortening(told, lambda part: self._post(told, limit // part, at), 4)
        return Receipt("", self._clock())

    async def _post(self, told: Message, limit: int, at: list[str]) -> None:
        mobiles = [who for who in at if is_mobile(who)]
        markdown = {"title": form.title(told)}
        call: Json = {"atMobiles": mobiles, "atUserIds": [who for who in at if who not in mobiles], "isAtAll": False}
        # in JSON a line break takes two bytes and a quotation mark too, so the text is measured as it is sent
        for room in (limit, limit * 9 // 10, limit * 2 // 3):
            markdown["text"] = form.markdown(told, room, keyword=self._config.keyword, at=at)
            body = encode({"msgtype": "markdown", "markdown": markdown, "at": call})
            if len(body) <= limit + 1_000:
                break
        url = self._url.get_secret_value()
        if self._config.secret is not None:
            url += "&" + sign(self._config.secret.get_secret_value(), self._clock())
        self._judge.taken(await self._poster.post(url, body, JSON))


def sign(secret: str, at: datetime) -> str:
    """``timestamp`` and ``sign``, as they stand in the query."""
    stamp = str(int(at.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={stamp}&sign={quote(base64.b64encode(digest), safe='')}"
