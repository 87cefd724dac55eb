"""钉钉, 飞书 and 企业微信 against their strict servers: numbers, signatures, whom they call, lengths, digests, cards."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import TypeAdapter

from alerts import Because, Level, Notification, Receipt
from alerts.channel import Channel, DeliveryError
from alerts.channels import ChannelConfig
from tests.conformance.test_channels import AWKWARD, NOW, awkward, notification
from tests.support import china
from tests.support.program import serving

CONFIG: TypeAdapter[Any] = TypeAdapter(ChannelConfig)
SECRET = "SEC-of-the-test"
PEOPLE = ("13800000000", "zhangsan", "ou_1")
KINDS = ["dingtalk", "wecom-robot", "wecom-app", "feishu-robot", "feishu-app"]
WEBHOOKS = {
    "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={china.DingTalk.token}",
    "wecom-robot": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={china.WeComRobot.key}",
    "feishu-robot": f"https://open.feishu.cn/open-apis/bot/v2/hook/{china.FeishuRobot.token}",
}
SERVERS = {
    "dingtalk": china.DingTalk,
    "wecom-robot": china.WeComRobot,
    "wecom-app": china.WeComApp,
    "feishu-robot": china.FeishuRobot,
    "feishu-app": china.FeishuApp,
}
APPS: dict[str, dict[str, Any]] = {
    "wecom-app": {"corp_id": "ww4711", "agent": 1000002, "secret": SECRET, "to": ["zhangsan", "lisi"]},
    "feishu-app": {"app_id": "cli_4711", "app_secret": SECRET, "chat": "oc_4711"},
}


class Side:
    """A server and the way to it. ``answers``: what it says instead, first; ``settings``: what the configuration adds."""

    def __init__(self, kind: str, server: Any, url: str, http: aiohttp.ClientSession) -> None:
        self.kind, self.server, self.url, self.http = kind, server, url, http
        self.answers: list[web.Response] = []
        self.settings: dict[str, Any] = {}
        if kind in {"dingtalk", "feishu-robot"}:
            self.settings["secret"] = SECRET

    def config(self) -> Any:
        way = APPS.get(self.kind) or {"webhook": WEBHOOKS[self.kind]}
        form = {"type": self.kind.partition("-")[0], **way, "api": f"{self.url}/", **self.settings}
        return CONFIG.validate_python(form)

    def channel(self) -> Channel:
        built: Channel = self.config().build(self.http, clock=lambda: NOW)
        return built

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.server.taken]


@pytest.fixture
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    kind = request.param
    server = SERVERS[kind](lambda: NOW, secret=SECRET, per_minute=10_000, called=PEOPLE)

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        return found.answers.pop(0) if found.answers else await server.answer(request, body)

    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", handle)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        found = Side(kind, server, url, http)
        yield found


def of(*kinds: str) -> Any:
    return pytest.mark.parametrize("side", kinds, indirect=True)


async def refusal(channel: Channel, told: Notification | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(told or notification())
    return caught.value


# ---- HTTP 200 with a number

TEN, ONE, HOUR = timedelta(minutes=10), timedelta(minutes=1), timedelta(hours=1)
NUMBERS = [
    ("dingtalk", 130101, "send too fast, exceed 20 times per minute", "rate_limited", TEN),
    ("dingtalk", 410100, "too fast", "rate_limited", TEN),
    ("dingtalk", 90030, "webhook over limit", "rate_limited", HOUR),
    ("dingtalk", -1, "系统繁忙", "server", None),
    ("dingtalk", 310000, "keywords not in content", "auth", None),
    ("dingtalk", 300005, "token is not exist", "auth", None),
    ("dingtalk", 400013, "group disbanded", "refused", None),
    ("dingtalk", 999999, "something new", "refused", None),
    ("wecom-robot", 45009, "api freq out of limit", "rate_limited", ONE),
    ("wecom-robot", 45033, "api concurrent out of limit", "rate_limited", ONE),
    ("wecom-robot", -1, "system error", "server", None),
    ("wecom-robot", 93000, "invalid webhook url", "auth", None),
    ("wecom-robot", 40058, "invalid Request Parameter", "client", None),
    ("wecom-app", 45009, "api freq out of limit", "rate_limited", ONE),
    ("wecom-app", 40013, "invalid corpid", "auth", None),
    ("wecom-app", 81013, "all invalid", "refused", None),
    ("feishu-robot", 11232, "create message service trigger rate limit", "rate_limited", ONE),
    ("feishu-robot", 9499, "Bad Request", "client", None),
    ("feishu-robot", 9499, "too many request", "rate_limited", ONE),
    ("feishu-robot", 19021, "sign match fail", "auth", None),
    ("feishu-robot", 19024, "Key Words Not Found", "auth", None),
    ("feishu-app", 99991400, "request trigger frequency limit", "rate_limited", ONE),
    ("feishu-app", 230020, "chat rate limit", "rate_limited", timedelta(seconds=10)),
    ("feishu-app", 230002, "Bot can NOT be out of the chat.", "refused", None),
    ("feishu-app", 10014, "app secret invalid", "auth", None),
]


@pytest.mark.parametrize(("side", "number", "words", "reason", "wait"), NUMBERS, indirect=["side"])
@pytest.mark.parametrize("status", [200, 400])
async def test_a_number_in_the_body_is_a_refusal(
    side: Side, number: int, words: str, reason: str, wait: timedelta | None, status: int
) -> None:
    """Whatever the status: what passes by itself is tried again after its wait, all else is final; the words are told."""
    key = "code" if side.kind.startswith("feishu") else "errcode"
    message = "msg" if key == "code" else "errmsg"
    side.answers = [web.json_response({key: number, message: words}, status=status)]
    error = await refusal(side.channel())
    unknown = number == 999999 and status == 400  # then the status is all that is known
    assert ("client" if unknown else reason) == error.reason
    assert error.retryable == (reason in {"rate_limited", "server"})
    assert wait == error.retry_after
    assert words in error.detail
    assert [] == side.texts


@of("feishu-robot", "feishu-app")
async def test_feishu_says_when_its_limit_ends(side: Side) -> None:
    """x-ogw-ratelimit-reset goes before what is usual, with 429 and with 400."""
    for status in (400, 429):
        body = {"code": 99991400, "msg": "request trigger frequency limit"}
        side.answers = [web.json_response(body, status=status, headers={"x-ogw-ratelimit-reset": "52"})]
        error = await refusal(side.channel())
        assert ("rate_limited", timedelta(seconds=52)) == (error.reason, error.retry_after)


@of(*KINDS)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "ok",
        "<html>welcome</html>",
        "{}",
        '{"errcode": "0"}',
        '{"code": true}',
        '{"code": null}',
        "[0]",
        "0",
        "[" * 9000,
    ],
)
async def test_only_their_own_nought_is_a_yes(side: Side, body: str) -> None:
    """HTTP 200 with anything else is not taken for sent, and is tried again: a gateway stands between."""
    side.answers = [web.Response(text=body)]
    error = await refusal(side.channel())
    assert ("refused", True) == (error.reason, error.retryable)
    assert [] == side.texts


@of("dingtalk", "feishu-robot")
async def test_a_signature_is_checked(side: Side) -> None:
    """With the right secret it is taken, with another or none refused for good."""
    await side.channel().send(notification())
    for wrong in ({"secret": "SEC-another"}, {"secret": None}):
        side.settings = wrong
        error = await refusal(side.channel())
        assert ("auth", False) == (error.reason, error.retryable)
    assert len(side.texts) == 1


def test_signatures_are_the_documented_ones() -> None:
    """钉钉 has the secret as key and both as message; 飞书 both as key and no message. Computed by OpenSSL's dgst."""
    from alerts.channels.dingtalk import sign as in_query  # noqa: PLC0415
    from alerts.channels.feishu import sign as in_body  # noqa: PLC0415

    assert in_query("SECabc", NOW) == f"timestamp=1772416800000&sign={DINGTALK_SIGN}"
    assert in_body("SECabc", NOW) == {"timestamp": "1772416800", "sign": FEISHU_SIGN}


DINGTALK_SIGN = "1mCoFuK1BdCWQTcIFLyQQtWUFa9w0PotxCWAjPO9P1s%3D"
FEISHU_SIGN = "RS9sw1hwAmlOXUDHnTRhq5Q6AMCIY7XFPCovzdW4amg="


# ---- whom they call


@of("dingtalk", "wecom-robot", "feishu-robot", "feishu-app")
@pytest.mark.parametrize(
    ("kind", "level", "was", "called"),
    [
        ("open", Level.red, None, True),
        ("repeat", Level.red, Level.red, True),
        ("update", Level.red, Level.orange, True),
        ("update", Level.red, Level.red, False),
        ("open", Level.orange, None, False),
        ("resolve", Level.red, Level.red, False),
    ],
)
async def test_people_are_called_for_red_alone(
    side: Side, kind: Any, level: Level, was: Level | None, called: bool
) -> None:
    """For what begins, rises or goes on at red; not for each piece of news, nor the end."""
    people = {"dingtalk": ["13800000000", "zhangsan"], "wecom-robot": ["zhangsan"]}.get(side.kind, ["ou_1"])
    side.settings["at"] = people
    told = notification(kind, level, was=was)
    if kind == "resolve":
        over = replace(told.incident.lead, event="resolved")
        told = replace(told, incident=replace(told.incident, alerts=(over,)))
    await side.channel().send(told)
    assert [tuple(people) if called else ()] == side.server.pages
    assert [] == side.server.problems


@of("wecom-robot")
async def test_wecom_calls_phone_numbers_by_text(side: Side) -> None:
    """Only a text message has their list; it fits, and says the same."""
    side.settings["at"] = ["zhangsan", "13800000000"]
    await side.channel().send(awkward_at(Level.red, "&<>" * 9000))
    assert [("zhangsan", "13800000000")] == side.server.pages
    assert max(side.server.sizes) <= 2048
    assert [] == side.server.problems
    assert "https://listener.example.com/incidents/1" in side.texts[0]


def awkward_at(level: Level, text: str) -> Notification:
    told = awkward(text)
    alerts = tuple(replace(event, level=level) for event in told.incident.alerts)
    return replace(told, incident=replace(told.incident, alerts=alerts))


@of(*KINDS)
@pytest.mark.parametrize(
    "text",
    [
        '<at user_id="all">所有人</at> <at id=all></at> <@all> @all @所有人 ＠所有人 @13800000000 <@zhangsan>',
        "**粗** _斜_ `code` [公告](https://evil.example) ![](https://evil.example/x.png) <font color='red'>x</font>",
        "&#60;at id=all&#62; &lt;@all&gt; \\<@all\\>",
        "# 标题", "> 引用", "- 项", "1. 项", "| a | b |", "evil.example/login", "${secret} $x$ :OK: [微笑]",
    ],
)  # fmt: skip
async def test_nobody_is_called_by_what_people_write(side: Side, text: str) -> None:
    """At red too, with people to call: only those; no markup, link or face, and no host's name that an app makes a link of."""
    if side.kind != "wecom-app":
        side.settings["at"] = ["ou_1"] if side.kind.startswith("feishu") else ["zhangsan"]
    await side.channel().send(awkward_at(Level.red, text))
    (told,) = side.texts
    assert [] == side.server.problems
    assert "evil.example" not in told
    assert len(side.server.pages[0]) <= 1


# ---- lengths

TOO_LONG = {
    "dingtalk": {"errcode": 460101, "errmsg": "message too long"},
    "wecom-robot": {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"},
    "feishu-robot": {"code": 230025, "msg": "The length of the message content reaches its limit."},
}


@of("dingtalk", "wecom-robot", "feishu-robot")
async def test_what_is_too_long_is_said_shorter_once(side: Side) -> None:
    """The headline, the link and how much was left out stay; a second refusal is final."""
    await side.channel().send(awkward_at(Level.orange, "长" * 3000))
    side.answers = [web.json_response(TOO_LONG[side.kind])]
    await side.channel().send(awkward_at(Level.orange, "长" * 3000))
    whole, shorter = side.texts
    assert len(shorter) < len(whole)
    for text in (whole, shorter):
        assert "橙色预警" in text
        assert "https://listener.example.com/incidents/1" in text
    assert "段摘录见详情" in shorter
    side.answers = [web.json_response(TOO_LONG[side.kind]) for _ in range(2)]
    error = await refusal(side.channel())
    assert ("too_long", False) == (error.reason, error.retryable)
    assert len(side.texts) == 2


@of("dingtalk", "feishu-robot")
@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
async def test_the_keyword_is_in_every_message(side: Side, text: str) -> None:
    """However much is cut."""
    side.settings["keyword"] = side.server.keyword = "监测"
    await side.channel().send(awkward_at(Level.red, text))
    assert len(side.texts) == 1
    assert [] == side.server.problems


@of(*KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("text", ["短", "🔥👨‍👩‍👧‍👦", "&<>@.a", "长" * 5000, '"\\' * 200, "@a" * 100])
async def test_a_digest_names_every_alert(side: Side, language: Any, text: str) -> None:
    """As many as the limits say, of whatever length: one message, within its bytes, each line whole."""
    count = side.config().limits.digest
    assert count > 1
    parts = []
    for number in range(count):
        told = awkward_at([Level.red, Level.orange, Level.blue][number % 3], text)
        lead = replace(told.incident.lead, brand=f"№{number:03d}{text}", title=Because(text, text))
        incident = replace(told.incident, id=f"i{number}", alerts=(lead,))
        parts.append(replace(told, language=language, incident=incident))
    url = "https://listener.example.com/" + "p" * 360
    await side.channel().send(replace(parts[0], digest=tuple(parts), console_url=url))
    (told_all,) = side.texts
    assert [] == [f"№{number:03d}" for number in range(count) if f"№{number:03d}" not in told_all]
    assert [] == side.server.problems
    assert max(side.server.sizes) <= side.config().limits.body
    assert url in told_all
    last = told_all.rstrip().splitlines()[-1]
    assert "Asia/Shanghai" in last


@of("dingtalk", "wecom-robot", "feishu-robot")
async def test_a_digest_is_never_cut(side: Side) -> None:
    """Where the platform finds it too long, that is an error: cut, it would name fewer alerts than are marked as told."""
    part = notification()
    side.answers = [web.json_response(TOO_LONG[side.kind])]
    error = await refusal(side.channel(), replace(part, digest=(part, part)))
    assert ("too_long", False) == (error.reason, error.retryable)
    assert [] == side.texts


# ---- apps


@of("feishu-app")
async def test_feishu_keeps_one_card(side: Side) -> None:
    """The first card is changed in place; a rise, a repeat and the end are also a reply to it; a new episode is a new card."""
    channel = side.channel()
    server = side.server
    first = await channel.send(notification(level=Level.yellow, key="k1"))
    assert first == Receipt("om_0", NOW)
    over = notification("resolve", Level.red, previous=first, key="k5")
    lead = replace(over.incident.lead, event="resolved")
    again = [
        await channel.send(notification("update", Level.yellow, previous=first, was=Level.yellow, key="k2")),
        await channel.send(notification("update", Level.red, previous=first, was=Level.yellow, key="k3")),
        await channel.send(notification("repeat", Level.red, previous=first, key="k4")),
        await channel.send(replace(over, incident=replace(over.incident, alerts=(lead,)))),
    ]
    assert [first] * 4 == again
    assert list(server.cards) == ["om_0"]
    assert server.cards["om_0"]["header"]["template"] == "green"
    assert [card["header"]["template"] for _, card in server.replies] == ["red", "red", "green"]
    assert {where for where, _ in server.replies} == {"om_0"}
    assert len(server.tokens) == 1
    assert (await channel.send(notification("open", previous=first, key="k6"))).ref == "om_1"
    assert [] == server.problems


@of("feishu-app")
@pytest.mark.parametrize("code", [230011, 230031, 230110, 230001])
async def test_feishu_makes_a_new_card_where_the_old_is_gone(side: Side, code: int) -> None:
    """Recalled, older than 14 days, another's: the news is told anyway."""
    side.server.codes["PATCH om_9"] = [code]
    receipt = await side.channel().send(notification("update", previous=Receipt("om_9", NOW)))
    assert receipt.ref == "om_0"
    assert list(side.server.cards) == ["om_0"]


@of("feishu-app")
async def test_feishu_tells_the_rest_of_a_failed_update(side: Side) -> None:
    """Where the reply fails after the change, the send fails; a retry changes nothing and adds the reply, once."""
    channel = side.channel()
    first = await channel.send(notification(key="k1"))
    side.server.codes["POST reply"] = [230020]
    told = notification("repeat", previous=first, key="k2")
    assert (await refusal(channel, told)).retryable
    await channel.send(told)
    await channel.send(told)
    assert len(side.server.cards) == len(side.server.replies) == 1


@of("feishu-app", "wecom-app")
async def test_a_stale_token_is_renewed(side: Side) -> None:
    """One message, one new token; a token that is refused at once is not asked for again and again."""
    channel = side.channel()
    await channel.send(notification(key="k1"))
    side.server.tokens.append("another-program-took-a-new-one")
    await channel.send(notification("open", Level.red, key="k2"))
    assert len(side.texts) == 2
    assert len(side.server.tokens) == 3


@of("feishu-app", "wecom-app")
async def test_a_wrong_secret_is_final(side: Side) -> None:
    """It is told as auth, and no message leaves."""
    side.server.secret = "another"
    error = await refusal(side.channel())
    assert ("auth", False) == (error.reason, error.retryable)
    assert SECRET not in f"{error!r}{error.detail}{error.__cause__!r}"
    assert [] == side.texts


@of("wecom-app")
async def test_wecom_does_not_tell_twice(side: Side) -> None:
    """A retry of the same notification is the same request, which the platform delivers once."""
    channel = side.channel()
    for _ in range(2):
        await channel.send(notification())
    assert len(side.texts) == 1


@of("wecom-app")
async def test_wecom_says_who_got_nothing(side: Side) -> None:
    """Errcode 0 with unknown recipients: the rest have it, and the channel is told as broken, not as sent."""
    side.server.unknown = "lisi"
    error = await refusal(side.channel())
    assert ("refused", False) == (error.reason, error.retryable)
    assert "lisi" in error.detail
    assert len(side.texts) == 1


@pytest.mark.parametrize(
    ("chat", "kind"),
    [("oc_1", "chat_id"), ("ou_1", "open_id"), ("on_1", "union_id"), ("a@b.example", "email"), ("x7", "user_id")],
)
async def test_feishu_knows_what_an_id_is(chat: str, kind: str) -> None:
    """A group, or a person by any of the platform's four kinds of id."""
    seen: list[Callable[[], str]] = []

    async def handle(request: web.Request) -> web.Response:
        if "receive_id_type" in request.query:
            payload = json.loads(await request.read())
            seen.append(lambda: f"{request.query['receive_id_type']} {payload['receive_id']}")
        return web.json_response(
            {"code": 0, "tenant_access_token": "t", "expire": 7200, "data": {"message_id": "om_1"}}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        config = {"type": "feishu", "app_id": "cli_1", "app_secret": SECRET, "chat": chat, "api": url}
        await CONFIG.validate_python(config).build(http, clock=lambda: NOW).send(notification())
    assert [one() for one in seen] == [f"{kind} {chat}"]


def test_two_channels_of_one_robot_share_its_account() -> None:
    """And another robot has another; the name tells nothing of the key."""
    one = CONFIG.validate_python({"type": "dingtalk", "webhook": WEBHOOKS["dingtalk"], "name": "a"})
    two = CONFIG.validate_python({"type": "dingtalk", "webhook": WEBHOOKS["dingtalk"], "name": "b", "keyword": "x"})
    other = CONFIG.validate_python({"type": "dingtalk", "webhook": WEBHOOKS["dingtalk"] + "2"})
    assert one.account == two.account != other.account
    assert china.DingTalk.token not in one.account
