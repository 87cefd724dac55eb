"""钉钉, 飞书 and 企业微信 as servers on loopback that enforce what the real ones do: signatures, limits, rates, answers."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

Json = dict[str, Any]

MINUTE = timedelta(minutes=1)
_LINK = re.compile(r"\[[^\[\]]*\]\(https?://[^()\s<>]*\)")
_SPECIAL = re.compile(r"[<>\[\]*`~#|\\]|(?<![\w])_|_(?![\w])")
_CALLS = re.compile(r"[@＠](?!\u200b)\S+")


@dataclass
class Robot:
    """What the platforms' robots share. ``taken``: when, and the text that a person reads; ``problems``: what must not be."""

    now: Callable[[], datetime]
    secret: str = ""
    keyword: str = ""
    called: tuple[str, ...] = ()
    per_minute: int = 20
    mute: timedelta = timedelta(0)
    requests: list[datetime] = field(default_factory=list)
    taken: list[tuple[datetime, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    muted_until: datetime | None = None
    pages: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """For those that remember more."""

    def too_fast(self) -> bool:
        """A rolling minute of what was taken; above it the robot is mute for a while."""
        now = self.now()
        self.requests.append(now)
        if self.muted_until is not None and now < self.muted_until:
            return True
        if sum(1 for at, _ in self.taken if at > now - MINUTE) >= self.per_minute:
            self.muted_until = now + self.mute
            return True
        return False

    def read(self, text: str, called: tuple[str, ...] = ()) -> None:
        """A person reads it. *called*: whom the request names; nobody else may be, and nothing may be markup by accident."""
        self.taken.append((self.now(), text))
        self.pages.append(called)
        for one in called:
            if one not in self.called:
                self.problems.append(f"calls {one}")
        shown = text
        for one in called:
            shown = shown.replace(f"@{one}", "")
        if found := _CALLS.findall(shown):
            self.problems.append(f"at signs: {found[:3]}")
        if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
            self.problems.append("control characters")

    def check_markup(self, text: str, own: str) -> None:
        """Without our own links and the patterns of *own*, no character is left that means something."""
        left = re.sub(own, "", _LINK.sub("", text), flags=re.MULTILINE)
        if found := _SPECIAL.search(left):
            self.problems.append(f"markup: {left[max(found.start() - 20, 0) : found.end() + 20]!r}")

    def most_in_a_minute(self) -> int:
        """The most that were asked for in any rolling minute."""
        return max((sum(1 for other in self.requests if at - MINUTE < other <= at) for at in self.requests), default=0)


def _json(body: bytes) -> Json | None:
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


class DingTalk(Robot):
    """``/robot/send?access_token=…``"""

    token = "t0ken-of-the-robot"

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        code, said = self._judge(request, body)
        return web.json_response({"errcode": code, "errmsg": said})

    def _judge(self, request: web.Request, body: bytes) -> tuple[int, str]:
        if request.method != "POST" or request.path != "/robot/send" or request.content_type != "application/json":
            return 43004, "bad request"
        if request.query.get("access_token") != self.token:
            return 300005, "token is not exist"
        if self.secret and not self._signed(request):
            return 310000, "sign not match, more: [https://open.dingtalk.com]"
        if len(body) > 20_000:
            return 460101, "message too long, exceed 20000 bytes"
        payload = _json(body)
        if payload is None or payload.get("msgtype") != "markdown":
            return 40035, "bad json"
        title, text = payload["markdown"]["title"], payload["markdown"]["text"]
        if not title or not text:
            return 40035, "title or text is empty"
        if self.keyword and self.keyword not in text:
            return 310000, "keywords not in content"
        if self.too_fast():
            return 130101, "send too fast, exceed 20 times per minute"
        at = payload["at"]
        if at["isAtAll"]:
            self.problems.append("calls all")
        called = (*at["atMobiles"], *at["atUserIds"])
        self.problems += [f"{one} is not in the text" for one in called if f"@{one}" not in text]
        self.sizes.append(len(body))
        self.check_markup(text, r'^### |^- |^>(?: |$)|\*\*|<font color="#[0-9a-f]{6}">|</font>')
        self.check_markup(title, "$^")
        self.read(text.replace("### ", "", 1), called)
        return 0, "ok"

    def _signed(self, request: web.Request) -> bool:
        stamp = request.query.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - self.now().timestamp()) > 3600:
            return False
        wanted = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        return hmac.compare_digest(request.query.get("sign", ""), base64.b64encode(wanted).decode())


class WeComRobot(Robot):
    """``/cgi-bin/webhook/send?key=…``"""

    key = "key-of-the-robot"

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        code, said = self._judge(request, body)
        return web.json_response({"errcode": code, "errmsg": said})

    def _judge(self, request: web.Request, body: bytes) -> tuple[int, str]:
        if request.method != "POST" or request.path != "/cgi-bin/webhook/send":
            return 43002, "require POST"
        if request.query.get("key") != self.key:
            return 93000, "invalid webhook url"
        payload = _json(body)
        if payload is None or payload.get("msgtype") not in {"markdown", "text"}:
            return 40008, "invalid message type"
        kind = payload["msgtype"]
        content = payload[kind]["content"]
        limit = {"markdown": 4096, "text": 2048}[kind]
        if len(content.encode()) > limit:
            return 40058, f"{kind}.content exceed max length {limit}"
        if not content:
            return 44004, "empty content"
        if self.too_fast():
            return 45009, "api freq out of limit"
        self.sizes.append(len(content.encode()))
        if kind == "text":
            called = (*payload["text"].get("mentioned_list", ()), *payload["text"].get("mentioned_mobile_list", ()))
            self.read(content, called)
            return 0, "ok"
        called = tuple(re.findall(r"<@([^<>]*)>", content))
        check_wecom(self, content, called)
        return 0, "ok"


def check_wecom(robot: Robot, content: str, called: tuple[str, ...] = ()) -> None:
    text = re.sub(r"<@[^<>]*>", "", content)
    robot.check_markup(text, r'^### |^> |\*\*|<font color="(?:info|comment|warning)">|</font>')
    robot.read(text.replace("### ", "", 1), called)


class WeComApp(Robot):
    """``gettoken`` and ``message/send``. ``stale``: tokens given before count as out of date, once."""

    corp_id, agent = "ww4711", 1000002
    unknown = ""

    def __post_init__(self) -> None:
        self.tokens: list[str] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        return web.json_response(self._judge(request, body))

    def _judge(self, request: web.Request, body: bytes) -> Json:
        if request.path == "/cgi-bin/gettoken":
            if (request.query.get("corpid"), request.query.get("corpsecret")) != (self.corp_id, self.secret):
                return {"errcode": 40001, "errmsg": "invalid credential"}
            self.tokens.append(f"lent-t0ken-{len(self.tokens)}")
            return {"errcode": 0, "errmsg": "ok", "access_token": self.tokens[-1], "expires_in": 7200}
        if request.path != "/cgi-bin/message/send" or request.query.get("access_token") not in self.tokens[-1:]:
            return {"errcode": 40014, "errmsg": "invalid access_token"}
        payload = _json(body) or {}
        if payload.get("agentid") != self.agent or payload.get("touser") != "zhangsan|lisi":
            return {"errcode": 81013, "errmsg": "user & party & tag all invalid"}
        content = payload["markdown"]["content"]
        if len(content.encode()) > 2048:
            return {"errcode": 45002, "errmsg": "content size out of limit"}
        if self.too_fast():
            return {"errcode": 45009, "errmsg": "api freq out of limit"}
        if payload.get("enable_duplicate_check") == 1 and body in self.bodies:
            return {"errcode": 0, "errmsg": "ok", "msgid": "again"}
        self.bodies.append(body)
        self.sizes.append(len(content.encode()))
        check_wecom(self, content)
        return {"errcode": 0, "errmsg": "ok", "invaliduser": self.unknown, "msgid": f"msg-{len(self.bodies)}"}


def check_card(robot: Robot, card: Json) -> None:
    """A card's limits and forms; its text as a person reads it, the header first."""
    if card["config"].get("update_multi") is not True:
        robot.problems.append("the card cannot be changed")
    if card["header"]["template"] not in {"blue", "yellow", "orange", "red", "green"}:
        robot.problems.append("no colour")
    texts, called = [card["header"]["title"]], []
    for element in card["elements"]:
        tag = element["tag"]
        if tag == "markdown":
            if left := re.sub(
                r"<at (?:id|email)=([^<> ]+)></at> ?", lambda m: called.append(m.group(1)) or "", element["content"]
            ):
                robot.problems.append(f"markdown {left!r}")
        elif tag == "div":
            texts.append(element["text"])
            if "extra" in element:
                _check_button(robot, element["extra"])
        elif tag == "action":
            for button in element["actions"]:
                _check_button(robot, button)
                texts.append({"tag": "plain_text", "content": button["url"]})
        elif tag == "note":
            texts += element["elements"]
        elif tag != "hr":
            robot.problems.append(f"element {tag}")
    robot.problems += [
        f"{text['tag']} is parsed" for text in texts if text["tag"] != "plain_text" or not text["content"]
    ]
    robot.read("\n".join(text["content"] for text in texts), tuple(called))


def _check_button(robot: Robot, button: Json) -> None:
    if button["tag"] != "button" or not button["url"].startswith(("https://", "http://")):
        robot.problems.append(f"button {button}")


class FeishuRobot(Robot):
    """``/open-apis/bot/v2/hook/…``: 100 a minute and 5 a second."""

    token = "t0ken-of-the-hook"

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        code, said = self._judge(request, body)
        return web.json_response({"code": code, "msg": said, "data": {}})

    def _judge(self, request: web.Request, body: bytes) -> tuple[int, str]:
        if request.method != "POST" or request.path != f"/open-apis/bot/v2/hook/{self.token}":
            return 19001, "param invalid: incoming webhook access token invalid"
        payload = _json(body)
        if payload is None or payload.get("msg_type") != "interactive" or len(body) > 20 * 1024:
            return 9499, "Bad Request"
        if self.secret and not self._signed(payload):
            return 19021, "sign match fail or timestamp is not within one hour from current time"
        if self.keyword and self.keyword not in json.dumps(payload["card"], ensure_ascii=False):
            return 19024, "Key Words Not Found"
        second = self.now() - timedelta(seconds=1)
        if self.too_fast() or sum(1 for at, _ in self.taken if at > second) >= 5:
            return 11232, "create message service trigger rate limit"
        self.sizes.append(len(body))
        check_card(self, payload["card"])
        return 0, "success"

    def _signed(self, payload: Json) -> bool:
        stamp = payload.get("timestamp", "")
        if not isinstance(stamp, str) or not stamp.isdigit() or abs(int(stamp) - self.now().timestamp()) > 3600:
            return False
        wanted = base64.b64encode(hmac.new(f"{stamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest())
        return hmac.compare_digest(payload.get("sign", ""), wanted.decode())


class FeishuApp(Robot):
    """The token, and messages that are made, changed and answered. ``cards``: as they are now, by id."""

    app_id, chat = "cli_4711", "oc_4711"

    def __post_init__(self) -> None:
        self.tokens: list[str] = []
        self.cards: dict[str, Json] = {}
        self.replies: list[tuple[str, Json]] = []
        self.uuids: dict[str, str] = {}
        self.codes: dict[str, list[int]] = {}  # by method and last part of the path: codes to answer first

    async def answer(self, request: web.Request, body: bytes) -> web.Response:
        answer = self._judge(request, _json(body) or {}, body)
        return web.json_response(answer, status=200 if answer["code"] == 0 else 400)

    def _judge(self, request: web.Request, payload: Json, body: bytes) -> Json:
        path = request.path.removeprefix("/open-apis")
        if path == "/auth/v3/tenant_access_token/internal":
            if (payload.get("app_id"), payload.get("app_secret")) != (self.app_id, self.secret):
                return {"code": 10014, "msg": "app secret invalid"}
            self.tokens.append(f"t-lent-t0ken-{len(self.tokens)}")
            return {"code": 0, "msg": "ok", "tenant_access_token": self.tokens[-1], "expire": 7200}
        if request.headers.get("Authorization") not in {f"Bearer {token}" for token in self.tokens[-1:]}:
            return {"code": 99991663, "msg": "Invalid access token for authorization."}
        if len(body) > 30 * 1024:
            return {"code": 230025, "msg": "The length of the message content reaches its limit."}
        name = f"{request.method} {path.rpartition('/')[2]}"
        if self.codes.get(name):
            return {"code": self.codes[name].pop(0), "msg": "as the test wants it"}
        card = json.loads(payload["content"])
        if request.method == "PATCH" and path.startswith("/im/v1/messages/om_"):
            message = path.rpartition("/")[2]
            if message not in self.cards:
                return {"code": 230011, "msg": "The message was recalled"}
            self.cards[message] = card
        elif path.endswith("/reply"):
            if payload["uuid"] not in self.uuids:
                self.replies.append((path.split("/")[-2], card))
            message = self.uuids.setdefault(payload["uuid"], "om_reply")
        elif path == "/im/v1/messages" and request.query.get("receive_id_type") == "chat_id":
            if payload["receive_id"] != self.chat or payload["msg_type"] != "interactive":
                return {"code": 230001, "msg": "invalid receive_id"}
            message = self.uuids.setdefault(payload["uuid"], f"om_{len(self.cards)}")
            self.cards.setdefault(message, card)
        else:
            return {"code": 230001, "msg": "invalid request"}
        self.requests.append(self.now())
        self.sizes.append(len(body))
        check_card(self, card)
        return {"code": 0, "msg": "success", "data": {"message_id": message}}
