"""Every channel against a strict server of its kind: what counts as sent, what is tried again, what is told, what leaks."""

import asyncio
import contextlib
import hashlib
import hmac
import io
import json
import re
import ssl
import traceback
import typing
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from urllib.parse import parse_qs

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult

from alerts import (
    Because,
    Coverage,
    DeliveryError,
    Excerpt,
    Level,
    Notification,
    NotificationKind,
    Reached,
    Receipt,
    StoryRef,
)
from alerts.channels import ChannelConfig
from alerts.channels.console import ConsoleChannel
from alerts.codec import event_line
from alerts.render.chart import draw
from alerts.render.wording import worded
from alerts.sample import sample_notification, sample_trend
from alerts.texts import Texts
from tests.support import china
from tests.support.china_peers import CHINA_PEERS, ChinaPeer
from tests.support.pagers import alertmanager, opsgenie, pagerduty
from tests.support.peer import CONFIG, NOW, SECRET, Peer, refused, serve
from tests.support.pushes import apprise, ntfy, teams, telegram, template

TYPES = {
    member.model_fields["type"].annotation.__args__[0] for member in typing.get_args(typing.get_args(ChannelConfig)[0])
}
CALLS = re.compile(r"[@＠](?:all|here|channel|everyone|所有人|U\d+)", re.IGNORECASE)
PAGES = re.compile(r"<!|<@|<#|[@＠](?:all|here|channel|everyone|所有人|U\d+)", re.IGNORECASE)
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
AWKWARD = {
    "page": "<!channel> <!here> <!everyone> <@U12345678> <#C1|x> @all @everyone @here @channel ＠所有人 @所有人",
    "markup": "</td><script>alert(1)</script><img src=x onerror=alert(1)> *b* _i_ `c` [x](javascript:alert(1)) &lt;!channel&gt;",
    "links": "看 https://evil.example/x?a=1 和 www.evil.example 以及 mailto:a@evil.example javascript:alert(1)",
    "slack-link": "<https://evil.example|官方公告>",
    "long": "长" * 100_000,
    "long-escaped": "&<>" * 40_000,
    "emoji": "🔥👨‍👩‍👧‍👦🏳️‍🌈🇨🇳👍🏽" * 200,
    "rtl": "\u202egnp.exe\u202c שלום \u2066x\u2069 مرحبا \u200f",
    "control": "a\r\nBcc: x@evil.example\r\n\r\n\x00\x07\x1b[31m\x7f\x85\u2028.\r\n.\r\n",
    "surrogate": "half \ud83d and \udfff",
    "zalgo": "Z" + "\u0301\u0323" * 3000,
    "template": "{{ 7*7 }} {0} {brand} %s ${jndi:ldap://x} #{1}",
    "blank": " \t\n\u3000\u200b ",
    "quotes": "\"'`\\ </script> ]]> --> \u2018\u2019",
}


def awkward(text: str, kind="open") -> Notification:
    """A notification whose every text that can come from outside is *text*."""
    plain = sample_notification(
        NOW, "zh", console_url="https://listener.example.com/incidents/1", timezone="Asia/Shanghai"
    )
    lead = plain.incident.lead
    bad = replace(
        lead,
        brand=text,
        title=Because(text, text),
        because=Because(text, text),
        playbook=text,
        key={"topic": text},
        reached=Reached(3, 2, 1, 10**7, ((text, 5), ("weibo", 2))),
        stories=(StoryRef("s", text, 7, (text,), text),),
        excerpts=tuple(
            Excerpt(f"{text}{n}", text, text, 0.9, text, 10**9, NOW, marks=((1, 3), (4, 9))) for n in range(5)
        ),
        coverage=Coverage(((text, NOW - timedelta(minutes=22)),)),
    )
    others = tuple(replace(bad, alert=f"other-{n}", event="opened") for n in range(8))
    return replace(plain, kind=kind, incident=replace(plain.incident, alerts=(bad, *others)))


def notification(kind="open", level=Level.orange, **changes) -> Notification:
    plain = sample_notification(
        NOW, "zh", console_url="https://listener.example.com/incidents/1", timezone="Asia/Shanghai", level=level
    )
    return replace(plain, kind=kind, **changes)


# ---- the other side


def check_slack(payload: dict, problems: list[str]) -> str:
    """Slack's documented limits; the text of the whole message."""
    told, total = [payload.get("text", "")], 0
    if not payload.get("text"):
        problems.append("no fallback text")
    blocks = payload.get("blocks", [])
    if len(blocks) > 50:
        problems.append("too many blocks")
    limits = {"header": 150, "section": 3000}
    for block in blocks:
        if block["type"] == "header" and block["text"]["type"] != "plain_text":
            problems.append("a header is plain text")
        if block["type"] in limits and not 1 <= len(block["text"]["text"]) <= limits[block["type"]]:
            problems.append(f"{block['type']} of {len(block['text']['text'])} characters")
        if len(block.get("block_id", "")) > 255:
            problems.append("block_id too long")
        for element in block.get("elements", []) if block["type"] != "rich_text" else []:
            if block.get("block_id"):
                words = element["placeholder" if element["type"] == "users_select" else "text"]["text"]
                if element["type"] not in {"button", "users_select"} or not 1 <= len(words) <= 75:
                    problems.append("not to be pressed")
            elif element["type"] == "button":
                if len(element["text"]["text"]) > 75 or len(element["url"]) > 3000:
                    problems.append("button too long")
                if not element["url"].startswith("https://"):
                    problems.append("button leads elsewhere")
            elif not (1 <= len(element["text"]) <= 3000 and element["verbatim"] is True):
                problems.append("context")
        if len(block.get("elements", [])) > (10 if block["type"] == "context" else 25):
            problems.append("too many elements")
        if block.get("block_id"):
            continue  # buttons: our own words alone
        if block["type"] == "rich_text":  # nothing in it is read as anything but text
            (section,) = block["elements"]
            pieces = section["elements"]
            if section["type"] != "rich_text_section" or any(
                one["type"] != "text" or not one["text"] or one.get("style", {"bold": True}) != {"bold": True}
                for one in pieces
            ):
                problems.append(f"rich text {section}")
            told.append("".join(one["text"] for one in pieces))
            total += len(told[-1])
            if re.search("[<>&]", told[-1]):
                problems.append(f"control characters in {told[-1][:60]!r}")
            continue
        texts = [block["text"]] if "text" in block else block["elements"]
        for text in texts:
            raw = text["text"] if isinstance(text["text"], str) else text["text"]["text"]
            total += len(raw)
            told.append(raw)
            outside = re.sub(r"<https?://[^<>|]*\|(原文|original)>", "", raw) if text.get("type") == "mrkdwn" else raw
            if "<" in outside or ">" in outside or re.search(r"&(?!amp;|lt;|gt;)", raw):
                problems.append(f"control characters in {raw[:60]!r}")
    if total > 13_000:
        problems.append(f"{total} characters in all")
    if re.search("[<>]", payload.get("text", "")) or payload.get("mrkdwn") is not False:
        problems.append("the fallback is parsed")
    return "\n".join(told)


@contextlib.asynccontextmanager
async def slack_webhook() -> AsyncIterator[Peer]:
    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.path != f"/services/{SECRET}" or request.content_type != "application/json":
            return web.Response(status=404, text="no_service")
        peer.sizes.append(len(body))
        peer.texts.append(check_slack(json.loads(body), peer.problems))
        return web.Response(text="ok")

    peer = Peer("slack", {})
    async with serve(handler) as url:
        peer.config = {"webhook": f"{url}/services/{SECRET}", "timeout": timedelta(seconds=20)}
        yield peer


class SlackPeer(Peer):
    """The Web API: ``messages`` by ts; ``replies`` as (thread, broadcast)."""

    def __post_init__(self):
        self.messages: dict[str, dict] = {}
        self.replies: list[tuple[str, bool]] = []
        self.words: dict[str, list[str]] = {}  # method → errors to answer first
        self.files: dict[str, bytes] = {}
        self.lent: dict[str, list[str]] = {}
        self.shown: list[dict] = []

    def lend(self, request, asked):
        """files.getUploadURLExternal, which reads a form."""
        if request.content_type != "application/x-www-form-urlencoded" or int(asked["length"][0]) < 1:
            return {"ok": False, "error": "invalid_arguments"}
        self.lent = asked
        return {"ok": True, "upload_url": str(request.url.with_path("/upload/v1/F1")), "file_id": "F1"}

    def complete(self, payload):
        """files.completeUploadExternal, of a file that is there, to a channel by its id."""
        if [one["id"] for one in payload["files"]] != ["F1"] or len(self.files["F1"]) != int(self.lent["length"][0]):
            return {"ok": False, "error": "file_not_found"}
        if payload["channel_id"] != "C042" or payload["thread_ts"] not in self.messages:
            return {"ok": False, "error": "invalid_channel"}
        self.shown.append(payload)
        return {"ok": True, "files": [{"id": "F1"}]}


@contextlib.asynccontextmanager
async def slack_bot() -> AsyncIterator[Peer]:
    async def handler(request):
        body = await request.read()
        if request.path == "/upload/v1/F1":
            peer.files["F1"] = body
            return web.Response(text=f"OK - {len(body)}")
        if (answer := await refused(peer)) is not None:
            return answer
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        method = request.path.removeprefix("/api/")
        if peer.words.get(method):
            return web.json_response({"ok": False, "error": peer.words[method].pop(0)})
        if method == "files.getUploadURLExternal":
            return web.json_response(peer.lend(request, parse_qs(body.decode())))
        payload = json.loads(body)
        if method == "files.completeUploadExternal":
            return web.json_response(peer.complete(payload))
        if (payload.get("parse"), payload.get("link_names")) != ("none", False):
            peer.problems.append(f"{method} parses names")
        peer.sizes.append(len(body))
        peer.texts.append(check_slack(payload, peer.problems))
        if method == "chat.update":
            if payload["ts"] not in peer.messages or payload["channel"] != "C042":
                return web.json_response({"ok": False, "error": "message_not_found"})
            peer.messages[payload["ts"]] = payload
            return web.json_response({"ok": True, "channel": "C042", "ts": payload["ts"]})
        if method != "chat.postMessage":
            return web.json_response({"ok": False, "error": "unknown_method"})
        ts = f"1772416800.{len(peer.messages):06}"
        if "thread_ts" in payload:
            peer.replies.append((payload["thread_ts"], payload["reply_broadcast"]))
        else:
            peer.messages[ts] = payload
        return web.json_response({"ok": True, "channel": "C042", "ts": ts})

    peer = SlackPeer("slack", {})
    async with serve(handler) as url:
        peer.config = {
            "token": SECRET, "channel": "#pr", "api": f"{url}/api", "timeout": timedelta(seconds=20), "app_token": "xapp-1"
        }  # fmt: skip
        yield peer


@contextlib.asynccontextmanager
async def webhook() -> AsyncIterator[Peer]:
    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        stamp, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["X-Listener-Signature"]).groups()
        expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(digest, expected) or abs(int(stamp) - NOW.timestamp()) > 300:
            return web.Response(status=401, text="bad signature")
        if request.headers["Authorization"] != f"Bearer {SECRET}-header" or not request.headers["X-Listener-Key"]:
            return web.Response(status=403)
        peer.sizes.append(len(body))
        form = json.loads(body)
        lines = [form, *form["alerts"]]
        keys = list(event_line(notification().incident.lead))
        if list(form) != [*keys, "notification", "alerts"] or any(list(line) != keys for line in form["alerts"]):
            peer.problems.append("keys")
        if list(form["notification"]) != ["key", "kind", "revision", "incident", "open", "url"]:
            peer.problems.append("notification keys")
        peer.texts.append(json.dumps(lines, ensure_ascii=False))
        return web.Response(status=202)

    peer = Peer("webhook", {})
    async with serve(handler) as url:
        peer.config = {
            "url": f"{url}/hook/{SECRET}-path",
            "secret": SECRET,
            "headers": {"Authorization": f"Bearer {SECRET}-header"},
            "timeout": timedelta(seconds=20),
        }
        yield peer


class Mailbox:
    """An SMTP server's side: login needed after TLS, refusals on demand."""

    def __init__(self, peer):
        self.peer = peer

    async def _refusal(self, stage):
        self.peer.requests += stage == "MAIL"
        answer = self.peer.replies.get(stage)
        if callable(answer):
            return await answer()
        return answer

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if reply := await self._refusal("MAIL"):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if reply := self.peer.replies.get(address) or await self._refusal("RCPT"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if reply := await self._refusal("DATA"):
            return reply
        self.peer.take(envelope)
        return "250 OK"


class MailPeer(Peer):
    def __post_init__(self):
        self.replies: dict[str, object] = {}
        self.mails: list = []
        self.recipients: list[list[str]] = []

    def take(self, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        self.sizes.append(len(envelope.content))
        if any(len(line) > 998 for line in envelope.content.split(b"\r\n")):
            self.problems.append("a line over 998 characters")
        if mail.defects or any(part.defects for part in mail.walk()):
            self.problems.append("defects")
        if set(mail.keys()) - {
            "Subject", "From", "To", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Listener-Level",
            "Importance", "X-Priority", "Date", "MIME-Version", "Content-Type",
        }:  # fmt: skip
            self.problems.append(f"headers {mail.keys()}")
        plain = mail.get_body(("plain",)).get_content()
        page = mail.get_body(("html",)).get_content()
        reader = Page()
        reader.feed(page)
        self.problems += reader.problems
        self.texts.append(f"{mail['Subject']}\n{plain}\n{''.join(reader.text)}")


class Page(HTMLParser):
    """What a mail's HTML shows; anything but our own elements is a problem."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.problems = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in "html head meta title style body table tr td h1 p div a mark img".split():
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if (
                name.startswith("on")
                or (name == "src" and value != "cid:trend@listener")
                or (name == "href" and not value.startswith(("http://", "https://")))
            ):
                self.problems.append(f"{name}={value}")

    def handle_data(self, data):
        self.text.append(data)


@contextlib.asynccontextmanager
async def email(tmp_path, *, security="starttls") -> AsyncIterator[MailPeer]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    peer = MailPeer("email", {})
    connections = set()

    def authenticate(server, session, envelope, mechanism, data):
        known = (data.login, data.password) == (b"alerts@example.com", SECRET.encode())
        return AuthResult(success=known, handled=False)  # the server answers 535

    class Server(SMTP):
        def connection_made(self, transport):
            connections.add(transport)
            super().connection_made(transport)

    def protocol():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a login without STARTTLS is what some tests are about
            return Server(
                Mailbox(peer),
                hostname="mail.example.com",
                tls_context=context if security == "starttls" else None,
                require_starttls=security == "starttls",
                authenticator=authenticate,
                auth_required=True,
                auth_require_tls=security == "starttls",
                timeout=5,
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if security == "tls" else None)
    peer.config = {
        "to": ["pr@example.com", "boss@example.com"],
        "from": "alerts@example.com",
        "smtp": {
            "host": "127.0.0.1",
            "port": server.sockets[0].getsockname()[1],
            "security": security,
            "password": SECRET,
            "ca_file": tmp_path / "ca.pem",
            "timeout": timedelta(seconds=20),
        },
    }
    try:
        yield peer
    finally:
        server.close()
        for transport in connections:
            transport.abort()
        await asyncio.sleep(0.01)


class ConsolePeer(Peer):
    def build(self, http):
        config = CONFIG.validate_python({"type": "console"})
        assert isinstance(config.build(http), ConsoleChannel)
        peer = self

        class Stream(io.StringIO):
            encoding = "utf-8"

            def flush(self):
                text = self.getvalue()
                peer.texts.append(text)
                peer.sizes.append(len(text.encode()))
                self.seek(0)
                self.truncate()
                if re.search(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f]", text):
                    peer.problems.append("control characters")

        return ConsoleChannel(Stream(), lambda: NOW)


@contextlib.asynccontextmanager
async def console() -> AsyncIterator[Peer]:
    yield ConsolePeer("console", {})


HTTP_PEERS = {
    "slack-webhook": slack_webhook,
    "slack-bot": slack_bot,
    "webhook": webhook,
    "telegram": telegram,
    "teams": teams,
    "pagerduty": pagerduty,
    "opsgenie": opsgenie,
    "alertmanager": alertmanager,
    "ntfy": ntfy,
    "template": template,
    **CHINA_PEERS,
}
SHORTENED = {"slack", "telegram", "teams", "pagerduty", "opsgenie", "alertmanager", "ntfy"}
PEERS = {**HTTP_PEERS, "email": email, "console": console, "apprise": apprise}
# Apprise's own requests are out of our hands: what it says of them is all we know
NETWORK_PEERS = [name for name in PEERS if name not in {"console", "apprise"}]


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def peer(request, tmp_path):
    if request.param == "apprise":
        pytest.importorskip("apprise", reason="apprise is not installed")
    make = PEERS[request.param]
    async with make(tmp_path) if make is email else make() as made:
        yield made


every = pytest.mark.parametrize("peer", PEERS, indirect=True)
networked = pytest.mark.parametrize("peer", NETWORK_PEERS, indirect=True)
over_http = pytest.mark.parametrize("peer", HTTP_PEERS, indirect=True)


async def refusal(channel, told=None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(told or notification())
    return caught.value


def assert_no_secret(peer: Peer, channel, error: BaseException | None) -> None:
    """Nothing that could reach a log tells a secret: texts, representations, the chain of causes, the config."""
    config = CONFIG.validate_python({"type": peer.type, **peer.config})
    told = [repr(config), str(config), config.model_dump_json(), repr(channel), str(channel)]
    secrets = [SECRET, china.DingTalk.token, china.FeishuRobot.token, "lent-t0ken"]
    if error is not None:
        told += [str(error), repr(error), error.detail, *traceback.format_exception(error)]
        link = error
        while link is not None:
            told.append(f"{link!s} {link!r} {getattr(link, '__dict__', '')!r} {link.args!r}")
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    assert not [text for text in told if any(secret in text for secret in secrets)]


# ---- what holds for every channel


def test_every_channel_has_a_server_here():
    """A channel that joins the union joins this kit."""
    assert TYPES == {name.partition("-")[0] for name in PEERS}


@every
async def test_a_message_says_what_it_must(peer, http):
    """One send, one message: level, brand, what happened, three excerpts, reach, coverage, link; a receipt comes back."""
    told = notification()
    blind = replace(told.incident.lead, coverage=Coverage((("weibo-supplier", NOW - timedelta(minutes=22)),)))
    receipt = await peer.build(http).send(replace(told, incident=replace(told.incident, alerts=(blind,))))
    assert isinstance(receipt, Receipt)
    (text,) = peer.texts
    wanted = ["云杉", "近 30 分钟负面提及 42 条", "充到一半直接", "三个工作日", "多人反映", "weibo", "weibo-supplier"]
    wanted += ["orange"] if peer.type == "webhook" else ["橙色", "12.3万", "采集中断 22 分钟", "2026-03-02 10:00"]
    assert [] == [word for word in wanted if word not in text]
    assert [] == peer.problems


@every
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", AWKWARD)
async def test_awkward_text_is_defused(peer, http, name, language):
    """Whatever people write: it arrives, within the limits, and pages nobody, injects nothing, hides nothing."""
    told = replace(awkward(AWKWARD[name]), language=language)
    channel = peer.build(http)
    await channel.send(told)
    (text,) = peer.texts
    assert [] == peer.problems
    config = CONFIG.validate_python({"type": peer.type, **peer.config})
    assert max(peer.sizes) <= config.limits.body
    if peer.type == "webhook":
        return  # facts for a program: whole, as JSON
    assert "\ufffd" in text or name != "surrogate"
    assert BIDI.search(text) is None
    assert "evil.example" not in text
    assert "https://listener.example.com/incidents/1" in text or peer.type in {"slack", "email"}
    assert ("22 分钟" if language == "zh" else "22m") in text
    if peer.type not in {"email", "console"}:
        assert CALLS.search(text) is None
    if peer.type == "slack" or isinstance(peer, ChinaPeer):
        assert PAGES.search(text) is None


@every
@pytest.mark.parametrize("name", AWKWARD)
async def test_own_texts_let_nothing_through(peer, http, name):
    """Templates that put what people wrote where it could call, link or be read as markup: nothing does."""
    texts = Texts(
        "@{{ brand }} <{{ brand }}>", "https://{{ brand }}\n<!{{ because }}\n**{{ text }}**\n{{ quotes|join }}"
    )
    told = worded(awkward(AWKWARD[name]), texts)
    assert told.failed == ()
    await peer.build(http).send(told.notification)
    (text,) = peer.texts
    assert [] == peer.problems
    assert max(peer.sizes) <= CONFIG.validate_python({"type": peer.type, **peer.config}).limits.body
    if peer.type == "webhook":
        return
    assert BIDI.search(text) is None
    assert "evil.example" not in text
    if peer.type not in {"email", "console"}:
        assert CALLS.search(text) is None
    if peer.type == "slack" or isinstance(peer, ChinaPeer):
        assert PAGES.search(text) is None


@every
@pytest.mark.parametrize("name", ["page", "markup", "links", "long", "control", "quotes"])
async def test_the_reason_of_a_call_is_defused(peer, http, name):
    """Names in the reason of an escalation call nobody, inject nothing and break no limit."""
    text = AWKWARD[name]
    await peer.build(http).send(replace(notification("escalate"), note=Because(text, text), at=NOW, respond_by=NOW))
    assert [] == peer.problems
    if peer.type == "webhook":
        return
    assert "evil.example" not in peer.texts[0]
    if peer.type not in {"email", "console"}:
        assert CALLS.search(peer.texts[0]) is None
    if peer.type == "slack" or isinstance(peer, ChinaPeer):
        assert PAGES.search(peer.texts[0]) is None


@every
@pytest.mark.parametrize("kind", typing.get_args(NotificationKind))
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_each_kind_says_what_it_is(peer, http, kind, language):
    """The first line of each kind of message tells it from the others, in both languages."""
    told = replace(notification(kind=kind, was=Level.blue), language=language)
    if kind == "resolve":
        lead = replace(told.incident.lead, event="resolved", at=NOW + timedelta(minutes=80))
        told = replace(told, incident=replace(told.incident, alerts=(lead,), updated_at=lead.at))
    await peer.build(http).send(told)
    if peer.type == "webhook":
        assert [] == peer.problems
        return
    words = {
        "zh": {
            "open": "橙色预警",
            "update": "升至橙色",
            "repeat": "橙色·仍在持续",
            "acknowledge": "已认领",
            "act": "待认领",
            "remind": "回应时限将至",
            "breach": "回应超时",
            "escalate": "无人认领",
            "resolve": "已恢复",
            "breakthrough": "静默期内加剧",
            "unsilenced": "静默结束，仍在持续",
            "alive": "值守日报",
            "test": "测试",
        },
        "en": {
            "open": "ORANGE ALERT",
            "update": "RAISED TO ORANGE",
            "repeat": "ORANGE, STILL OPEN",
            "acknowledge": "ACKNOWLEDGED",
            "act": "NEEDS AN OWNER",
            "remind": "RESPONSE DUE SOON",
            "breach": "RESPONSE OVERDUE",
            "escalate": "NOBODY HAS TAKEN IT",
            "resolve": "RESOLVED",
            "breakthrough": "WORSE WHILE SILENCED",
            "unsilenced": "SILENCE OVER, STILL OPEN",
            "alive": "DAILY REPORT",
            "test": "TEST",
        },
    }
    first = peer.texts[0].splitlines()[0]
    assert words[language][kind] in first
    assert [] == [word for other, word in words[language].items() if other != kind and word in first]


def soon(peer: Peer) -> None:
    """A channel that gives up after half a second; others wait so long that a busy machine is no timeout."""
    settings = peer.config["smtp"] if "smtp" in peer.config else peer.config
    settings["timeout"] = timedelta(seconds=0.5)


@networked
async def test_a_hanging_server_is_a_timeout(peer, http):
    """No answer within the deadline is a retryable timeout, and the secret stays inside."""
    stall = asyncio.Event()

    async def hang():
        await stall.wait()

    if isinstance(peer, MailPeer):
        peer.replies["DATA"] = hang
    else:
        peer.refuse = hang
    soon(peer)
    channel = peer.build(http)
    error = await refusal(channel)
    assert ("timeout", True) == (error.reason, error.retryable)
    assert_no_secret(peer, channel, error)
    stall.set()


@networked
async def test_a_closed_port_is_a_network_error(peer, http, unused_port):
    """A server that is not there is a retryable network error, and the secret stays inside."""
    text = json.dumps(peer.config, default=str)
    for key in ("webhook", "api", "url"):
        if key in peer.config:
            peer.config[key] = re.sub(r":\d+/", f":{unused_port}/", peer.config[key])
    if "smtp" in peer.config:
        peer.config["smtp"]["port"] = unused_port
    assert text != json.dumps(peer.config, default=str)
    channel = peer.build(http)
    error = await refusal(channel)
    assert ("network", True) == (error.reason, error.retryable)
    assert_no_secret(peer, channel, error)


@pytest.fixture
async def unused_port():
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@networked
@pytest.mark.parametrize(
    "garbage", [b"", b"\x00" * 100, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\no"]
)
async def test_a_cut_connection_is_a_network_error(peer, http, garbage):
    """A connection that breaks, or speaks another protocol, is a retryable error, and the secret stays inside."""

    async def cut(reader, writer):
        if garbage:
            await reader.read(1)
            writer.write(garbage)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for key in ("webhook", "api", "url"):
        if key in peer.config:
            peer.config[key] = re.sub(r":\d+/", f":{port}/", peer.config[key])
    if "smtp" in peer.config:
        peer.config["smtp"]["port"] = port
    soon(peer)
    channel = peer.build(http)
    error = await refusal(channel)
    assert error.retryable
    assert error.reason in {"network", "timeout", "server"}
    assert_no_secret(peer, channel, error)
    server.close()


@networked
async def test_cancelling_stops_at_once(peer, http):
    """A cancelled send ends at once as cancelled, and sends nothing more."""
    started, stall = asyncio.Event(), asyncio.Event()

    async def hang():
        started.set()
        await stall.wait()

    if isinstance(peer, MailPeer):
        peer.replies["DATA"] = hang
    else:
        peer.refuse = hang
    task = asyncio.create_task(peer.build(http).send(notification()))
    await asyncio.wait_for(started.wait(), 15)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=10)  # half of what the channel would wait for an answer
    assert task in done
    assert task.cancelled()
    assert [] == peer.texts
    stall.set()


# ---- over HTTP


RETRIED = {408: "timeout", 425: "server", 429: "rate_limited"}
FINAL = {401: "auth", 403: "auth", 407: "auth", 413: "too_long"}


@over_http
async def test_every_status_has_its_class(peer, http):
    """Of all statuses, 408, 425, 429 and 5xx are tried again after Retry-After; other refusals are final."""
    channel = peer.build(http)
    for status in range(300, 600):
        peer.refuse = lambda status=status: web.Response(
            status=status, text=f"no {SECRET}", headers={"Retry-After": "7", "Location": "/elsewhere"}
        )
        before = peer.requests
        error = await refusal(channel)
        retryable = status in RETRIED or status >= 500
        assert (status, retryable) == (status, error.retryable)
        assert (status, timedelta(seconds=7) if retryable else None) == (status, error.retry_after)
        expected = RETRIED.get(status) or ("server" if status >= 500 else FINAL.get(status, "client"))
        assert (status, expected) == (status, error.reason)
        # no redirect followed; a message that is too large is tried once more, shorter
        assert peer.requests - before == (2 if status == 413 and peer.type in SHORTENED else 1)
        assert str(status) in error.detail
        assert_no_secret(peer, channel, error)
    assert [] == peer.texts
    peer.refuse = None
    await channel.send(notification())
    assert len(peer.texts) == 1


@pytest.mark.parametrize("peer", ["telegram", "teams", "ntfy"], indirect=True)
async def test_a_digest_that_is_too_large_is_not_sent_shorter(peer, http):
    """Shorter, it would name fewer alerts than are marked as told; Slack's other form names all."""
    channel = peer.build(http)
    peer.refuse = lambda: web.Response(status=413, text="too large")
    part = notification()
    before = peer.requests
    error = await refusal(channel, replace(part, digest=(part, part)))
    assert (error.reason, error.retryable, peer.requests - before) == ("too_long", False, 1)


@over_http
@pytest.mark.parametrize("status", [100, 101, 102, 103])
async def test_a_provisional_answer_is_none(peer, http, status):
    """1xx alone is never taken for success."""

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} Odd\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for key in ("webhook", "api", "url"):
        if key in peer.config:
            peer.config[key] = re.sub(r":\d+/", f":{port}/", peer.config[key])
    error = await refusal(peer.build(http))
    assert error.reason in {"network", "client"}
    server.close()


@over_http
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", timedelta(seconds=30)),
        ("0", timedelta(0)),
        ("1.5", timedelta(seconds=1.5)),
        ("Mon, 02 Mar 2026 02:00:45 GMT", timedelta(seconds=45)),
        ("Mon, 02 Mar 2026 01:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("٣", None),
        ("9" * 400, None),
    ],
)
async def test_retry_after_is_read(peer, http, value, expected):
    """Seconds and dates are understood; nonsense counts as absent."""
    peer.refuse = lambda: web.Response(status=429, headers={"Retry-After": value})
    error = await refusal(peer.build(http))
    assert (expected, True, "rate_limited") == (error.retry_after, error.retryable, error.reason)


@over_http
async def test_an_endless_answer_is_cut(peer, http):
    """A refusal whose body never ends is judged by its beginning, at once."""

    async def endless():
        response = web.StreamResponse(status=503)

        async def prepare(request):
            await web.StreamResponse.prepare(response, request)
            with contextlib.suppress(ConnectionError):
                while True:
                    await response.write(b"x" * 65536)

        response.prepare = prepare
        return response

    peer.refuse = endless
    error = await asyncio.wait_for(refusal(peer.build(http)), 15)
    assert ("server", True) == (error.reason, error.retryable)


@over_http
async def test_retries_are_the_same_message(peer, http):
    """A refused send is sent again with the same content."""
    channel, told, bodies = peer.build(http), notification(), []
    peer.refuse = lambda: web.Response(status=503)
    await refusal(channel, told)
    peer.refuse = None
    for _ in range(2):
        await channel.send(told)
        bodies.append(peer.texts[-1])
    assert bodies[0] == bodies[1]


# ---- Slack

SLACK_TEMPORARY = [
    "ratelimited",
    "rate_limited",
    "fatal_error",
    "internal_error",
    "service_unavailable",
    "request_timeout",
]
SLACK_FINAL = {
    "invalid_auth": "auth",
    "account_inactive": "auth",
    "token_revoked": "auth",
    "missing_scope": "auth",
    "not_authed": "auth",
    "channel_not_found": "refused",
    "is_archived": "refused",
    "not_in_channel": "refused",
    "no_text": "refused",
    "something_new": "refused",
}


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
@pytest.mark.parametrize("word", [*SLACK_TEMPORARY, *SLACK_FINAL])
async def test_slack_refuses_with_200(peer, http, word):
    """HTTP 200 with ok: false is a refusal: passing errors are tried again, all others are final."""
    peer.refuse = lambda: web.json_response({"ok": False, "error": word}, headers={"Retry-After": "3"})
    error = await refusal(peer.build(http))
    assert (word, word in SLACK_TEMPORARY) == (word, error.retryable)
    assert word in error.detail
    if word in SLACK_FINAL:
        assert SLACK_FINAL[word] == error.reason
    else:
        assert timedelta(seconds=3) == error.retry_after


@pytest.mark.parametrize("peer", ["slack-webhook", "slack-bot"], indirect=True)
@pytest.mark.parametrize(
    "body",
    ["", "OK", "okay", "<html>welcome</html>", "{}", '{"ok": "true"}', '{"ok": 1}', "[true]", "null", "[" * 9000],
)
async def test_slack_success_is_in_the_body(peer, http, body):
    """HTTP 200 with anything but Slack's own yes is not taken for sent."""
    peer.refuse = lambda: web.Response(text=body)
    error = await refusal(peer.build(http))
    assert error.reason == "refused"
    peer.refuse = None
    assert [] == peer.texts


@pytest.mark.parametrize("peer", ["slack-webhook"], indirect=True)
@pytest.mark.parametrize(
    ("status", "word", "reason", "retryable"),
    [
        (400, "invalid_payload", "client", False),
        (403, "action_prohibited", "auth", False),
        (403, "invalid_token", "auth", False),
        (404, "no_service", "client", False),
        (404, "channel_not_found", "client", False),
        (410, "channel_is_archived", "client", False),
        (429, "rate_limited", "rate_limited", True),
        (500, "rollup_error", "server", True),
        (200, "invalid_auth", "auth", False),
    ],
)
async def test_slack_webhook_answers(peer, http, status, word, reason, retryable):
    """Each documented answer of an incoming webhook has its class."""
    peer.refuse = lambda: web.Response(status=status, text=word)
    error = await refusal(peer.build(http))
    assert (reason, retryable) == (error.reason, error.retryable)
    assert word in error.detail


@pytest.mark.parametrize("peer", ["slack-webhook", "slack-bot"], indirect=True)
@pytest.mark.parametrize("word", ["invalid_blocks", "msg_blocks_too_long"])
async def test_slack_without_blocks_where_it_refuses_them(peer, http, word):
    """A message whose blocks Slack refuses is told as text, in one send."""
    answers = [
        web.Response(status=400, text=word)
        if "webhook" in peer.config
        else web.json_response({"ok": False, "error": word})
    ]
    peer.refuse = lambda: answers.pop() if answers else None
    await peer.build(http).send(notification())
    assert ["三个工作日" in text for text in peer.texts] == [True]
    assert [] == peer.problems


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
async def test_slack_bot_keeps_one_message(peer, http):
    """The first message is changed in place; a rise and a repeat are shown in the channel, the end in the thread."""
    channel = peer.build(http)
    first = await channel.send(notification(level=Level.yellow))
    assert first == Receipt("C042:1772416800.000000", NOW)
    again = [
        await channel.send(notification("update", Level.yellow, previous=first, was=Level.yellow)),
        await channel.send(notification("update", Level.red, previous=first, was=Level.yellow)),
        await channel.send(notification("repeat", Level.red, previous=first)),
        await channel.send(notification("resolve", Level.red, previous=first)),
    ]
    assert [first] * 4 == again
    assert list(peer.messages) == ["1772416800.000000"]
    assert "已恢复" in peer.messages["1772416800.000000"]["text"]
    assert [("1772416800.000000", True), ("1772416800.000000", True), ("1772416800.000000", False)] == peer.replies
    reopened = await channel.send(notification("open", previous=first))
    assert reopened != first
    assert len(peer.messages) == 2


def with_chart(told: Notification) -> Notification:
    return replace(told, chart=draw(sample_trend(NOW), told))


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
async def test_slack_bot_shows_the_chart_in_the_thread(peer, http):
    """With the first message, a rise, a repeat and the end; an update that nobody is told of has none."""
    channel = peer.build(http)
    first = await channel.send(with_chart(notification(level=Level.yellow)))
    assert first.missing == ""
    assert peer.files["F1"].startswith(b"\x89PNG")
    assert peer.lent["alt_txt"][0].startswith("云杉科技 · 每 30 分钟提及量")
    assert [(one["channel_id"], one["thread_ts"]) for one in peer.shown] == [("C042", "1772416800.000000")]
    for kind, level, count in (("update", Level.yellow, 1), ("update", Level.red, 2), ("resolve", Level.red, 3)):
        await channel.send(with_chart(notification(kind, level, previous=first, was=Level.yellow)))
        assert len(peer.shown) == count


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(("word", "again"), [("missing_scope", 0), ("internal_error", 1)])
async def test_a_chart_that_slack_refuses_costs_no_message(peer, http, method, word, again):
    """The message counts as sent and says what is missing; without the scope no picture is tried again."""
    channel = peer.build(http)
    peer.words[method] = [word]
    receipt = await channel.send(with_chart(notification()))
    assert (receipt.ref, receipt.missing) == ("C042:1772416800.000000", f"chart: Slack: {word}")
    assert len(peer.messages) == 1
    await channel.send(with_chart(notification()))
    assert len(peer.shown) == again


@pytest.mark.parametrize("peer", ["email"], indirect=True)
async def test_mail_carries_the_chart_in_its_page(peer, http):
    """The page names the picture by its Content-ID, with its words beside it; a retry is the same mail."""
    told = with_chart(notification())
    channel = peer.build(http)
    await channel.send(told)
    await channel.send(told)
    first, second = peer.mails
    assert first.as_bytes() == second.as_bytes()
    assert peer.problems == []
    plain, related = first.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    page, picture = related.iter_parts()
    assert picture["Content-ID"] == "<trend@listener>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content() == told.chart.png
    assert 'src="cid:trend@listener"' in page.get_content()
    assert f'alt="{told.chart.text}"' in page.get_content()


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
@pytest.mark.parametrize("word", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_slack_bot_posts_anew_where_the_message_is_gone(peer, http, word):
    """An update that Slack cannot make becomes a message of its own, whose receipt comes back."""
    peer.words["chat.update"] = [word]
    receipt = await peer.build(http).send(notification("update", previous=Receipt("C042:1.0", NOW)))
    assert receipt.ref == "C042:1772416800.000000"
    assert len(peer.messages) == 1


@pytest.mark.parametrize("peer", ["slack-bot"], indirect=True)
async def test_slack_bot_tells_the_rest_of_a_failed_update(peer, http):
    """Where the reply fails after the change, the send fails, and a retry changes nothing but adds the reply."""
    channel = peer.build(http)
    first = await channel.send(notification())
    peer.words["chat.postMessage"] = ["internal_error"]
    told = notification("repeat", previous=first)
    assert (await refusal(channel, told)).retryable
    await channel.send(told)
    assert len(peer.messages) == len(peer.replies) == 1


# ---- mail


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_is_verified_and_logged_in(tmp_path, http, security):
    """Mail goes over verified TLS after a login; an unknown authority's server gets neither password nor mail."""
    async with email(tmp_path, security=security) as peer:
        receipt = await peer.build(http).send(notification())
        (mail,) = peer.mails
        assert receipt.ref == mail["Message-ID"]
        assert [["pr@example.com", "boss@example.com"]] == peer.recipients
        peer.config["smtp"]["ca_file"] = None
        channel = peer.build(http)
        error = await refusal(channel)
        assert ("network", True) == (error.reason, error.retryable)
        assert_no_secret(peer, channel, error)
        assert len(peer.mails) == 1


@pytest.mark.parametrize("peer", ["email"], indirect=True)
async def test_mail_threads_and_keeps_its_id(peer, http):
    """A retry has the same id and content; later mails of the incident answer the first and share one root."""
    channel = peer.build(http)
    first = await channel.send(notification())
    await channel.send(notification())
    await channel.send(notification("update", key="k2", previous=first))
    await channel.send(notification("resolve", key="k3"))
    one, again, update, lost = peer.mails
    assert one.as_bytes() == again.as_bytes()
    assert update["In-Reply-To"] == one["Message-ID"] != update["Message-ID"]
    (root,) = one["References"].split()
    assert [root, one["Message-ID"]] == update["References"].split()
    assert root == lost["In-Reply-To"] == lost["References"]
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["Subject"].startswith("【橙色预警】云杉科技：负面提及激增")
    assert one["Date"].datetime == NOW
    assert ["text/plain", "text/html"] == [part.get_content_type() for part in one.iter_parts()]


@pytest.mark.parametrize("peer", ["email"], indirect=True)
@pytest.mark.parametrize("ref", ["<a@b>\r\nBcc: x@evil.example", "no id", "<" + "a" * 999 + "@b>"])
async def test_mail_takes_no_header_from_a_receipt(peer, http, ref):
    """A receipt that is no Message-ID does not enter the headers."""
    await peer.build(http).send(notification("update", previous=Receipt(ref, NOW)))
    (mail,) = peer.mails
    assert mail["Bcc"] is None
    assert mail["In-Reply-To"] == mail["References"]
    assert [] == peer.problems


@pytest.mark.parametrize("peer", ["email"], indirect=True)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        ("421 closing", True),
        ("450 busy", True),
        ("451 local error", True),
        ("452 no room", True),
        ("550 unknown", False),
        ("552 too much", False),
        ("554 spam", False),
    ],
)
async def test_smtp_replies(peer, http, stage, reply, retryable):
    """4yz is tried again, 5yz is final, at every stage; the server's words are told."""
    peer.replies[stage] = f"{reply} {SECRET}"
    channel = peer.build(http)
    error = await refusal(channel)
    assert retryable is error.retryable
    # After 421 the library finds the line closed; what counts is that it is tried again.
    assert reply[:3] in error.detail or (reply.startswith("421") and error.reason == "network")
    assert_no_secret(peer, channel, error)
    peer.replies.clear()
    await channel.send(notification())
    assert len(peer.mails) == 1


@pytest.mark.parametrize("peer", ["email"], indirect=True)
async def test_wrong_password_is_final(peer, http):
    """A refused login is an auth error and permanent, and the password stays inside."""
    peer.config["smtp"]["password"] = f"{SECRET}-wrong"
    channel = peer.build(http)
    error = await refusal(channel)
    assert ("auth", False) == (error.reason, error.retryable)
    assert_no_secret(peer, channel, error)


@pytest.mark.parametrize("peer", ["email"], indirect=True)
async def test_some_recipients_refused(peer, http):
    """Those who have it do not get it again; a lasting refusal ends the matter as an error, never as sent."""
    channel = peer.build(http)
    peer.replies["boss@example.com"] = "450 greylisted"
    error = await refusal(channel)
    assert ("refused", True) == (error.reason, error.retryable)
    assert "1 of 2 recipients" in error.detail
    assert "boss@example.com: 450" in error.detail
    peer.replies["boss@example.com"] = "550 no such person"
    error = await refusal(channel)
    assert not error.retryable
    peer.replies.clear()
    await channel.send(notification())
    assert [["pr@example.com"], ["boss@example.com"]] == peer.recipients
    await channel.send(notification(key="next"))
    assert peer.recipients[-1] == ["pr@example.com", "boss@example.com"]


async def test_mail_without_starttls_is_refused(tmp_path, http):
    """A server that does not offer the TLS that was asked for gets nothing."""
    async with email(tmp_path, security="none") as peer:
        peer.config["smtp"]["security"] = "starttls"
        error = await refusal(peer.build(http))
        assert not error.retryable
        assert [] == peer.mails


# ---- webhook


@pytest.mark.parametrize("peer", ["webhook"], indirect=True)
async def test_webhook_body_is_the_event_line(peer, http):
    """The body is the lead alert's event line, then the notification, then all members' lines."""
    told = notification()
    second = replace(told.incident.lead, alert="second", level=Level.red, event="resolved")
    told = replace(told, incident=replace(told.incident, alerts=(second, *told.incident.alerts)))
    await peer.build(http).send(told)
    lead, *members = json.loads(peer.texts[0])
    line = json.loads(json.dumps(event_line(told.incident.lead)))
    assert line == {key: value for key, value in lead.items() if key not in {"notification", "alerts"}}
    assert [second.alert, told.incident.lead.alert] == [member["alert"] for member in members]
    assert lead["notification"]["open"] is True


@pytest.mark.parametrize("peer", ["webhook"], indirect=True)
async def test_webhook_of_a_huge_incident_fits(peer, http):
    """Two thousand alerts with long texts still fit, the open ones and the lead first."""
    one = awkward("长" * 3000)
    lead = one.incident.lead
    many = tuple(replace(lead, alert=f"a{n}", event="resolved") for n in range(2000))
    await peer.build(http).send(replace(one, incident=replace(one.incident, alerts=(*many, lead))))
    form, *members = json.loads(peer.texts[0])
    assert max(peer.sizes) <= 256 * 1024
    assert lead.alert == form["alert"]
    assert lead.alert in {member["alert"] for member in members}


# ---- configuration


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "slack"},
        {"type": "slack", "webhook": f"https://hooks.example.com/{SECRET}", "token": SECRET, "channel": "pr"},
        {"type": "slack", "token": SECRET},
        {"type": "slack", "webhook": f"https://hooks.example.com/{SECRET}", "channel": "pr"},
        {"type": "slack", "webhook": f"ftp://hooks.example.com/{SECRET}"},
        {"type": "slack", "webhook": f"hooks.example.com/{SECRET}"},
        {"type": "slack", "webhook": f"https://[{SECRET}"},
        {"type": "slack", "token": f"{SECRET}\r\nX: y", "channel": "pr"},
        {"type": "webhook", "url": f"https://hooks.example.com/{SECRET}\n"},
        {"type": "webhook", "url": "https://x.example.com", "headers": {"X-Listener-Key": SECRET}},
        {"type": "webhook", "url": "https://x.example.com", "headers": {"A": f"{SECRET}\r\nB: c"}},
        {"type": "webhook", "url": "https://x.example.com", "headers": {"A b": SECRET}},
        {"type": "webhook", "url": "https://x.example.com", "timeout": 10},
        {"type": "webhook", "url": "https://x.example.com", "timeout": timedelta(0)},
        {"type": "email", "to": [], "smtp": {"host": "h"}},
        {"type": "email", "to": ["a@b\r\nBcc: c@d"], "smtp": {"host": "h"}},
        {"type": "email", "to": ["a@b.example"], "smtp": {"host": "h", "security": "none", "password": SECRET}},
        {"type": "email", "to": ["a@b.example"], "smtp": {"host": "h", "username": "u"}},
        {"type": "email", "to": ["a@b.example"], "smtp": {"host": "h", "ca_file": "/nowhere/ca.pem"}},
        {"type": "console", "stream": "stdin"},
        {"type": "dingtalk", "webhook": f"https://evil.example.com/robot/send?access_token={SECRET}"},
        {"type": "dingtalk", "webhook": f"http://oapi.dingtalk.com/robot/send?access_token={SECRET}"},
        {"type": "dingtalk", "webhook": f"https://oapi.dingtalk.com@evil.example.com/robot/send?access_token={SECRET}"},
        {"type": "dingtalk", "webhook": f"https://oapi.dingtalk.com/other?access_token={SECRET}"},
        {"type": "dingtalk", "webhook": f"https://oapi.dingtalk.com/robot/send?access_token={SECRET}", "at": ["all"]},
        {"type": "dingtalk", "webhook": f"https://oapi.dingtalk.com/robot/send?access_token={SECRET}", "at": ["@x y"]},
        {"type": "feishu", "secret": SECRET},
        {"type": "feishu", "webhook": f"https://open.feishu.cn/{SECRET}"},
        {"type": "feishu", "app_id": "cli_1", "app_secret": SECRET},
        {"type": "feishu", "app_id": "cli_1", "app_secret": SECRET, "chat": "oc_1", "keyword": "x"},
        {"type": "feishu", "app_id": "cli_1", "app_secret": SECRET, "chat": "oc_1&receive_id_type=x"},
        {
            "type": "feishu",
            "webhook": f"https://open.feishu.cn/open-apis/bot/v2/hook/{SECRET}",
            "app_id": "cli_1",
            "app_secret": SECRET,
            "chat": "oc_1",
        },
        {"type": "wecom"},
        {"type": "wecom", "corp_id": "ww1", "agent": 1, "secret": SECRET},
        {"type": "wecom", "corp_id": "ww1", "agent": 1, "secret": SECRET, "to": ["@all"]},
        {"type": "wecom", "corp_id": "ww1", "agent": 1, "secret": SECRET, "to": ["a|b"]},
        {"type": "wecom", "corp_id": "ww1", "agent": 1, "secret": SECRET, "to": ["a"], "at": ["b"]},
        {"type": "wecom", "webhook": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={SECRET}", "to": ["a"]},
        {"type": "pigeon"},
    ],
)
def test_bad_configuration_is_refused_without_secrets(bad):
    """What cannot work is refused when it is read, and the message quotes no secret."""
    with pytest.raises(ValueError) as caught:
        CONFIG.validate_python(bad)
    told = [
        f"{error['loc']} {error['msg']} {error.get('ctx', '')}" for error in caught.value.errors(include_input=False)
    ]
    assert told
    assert not [text for text in told if SECRET in text]


def test_mail_sender_has_sensible_defaults():
    """Without a sender, the login is it where it is an address; else listener@ and the recipients' domain."""
    smtp = {"host": "smtp.example.com", "password": SECRET}
    config = {"type": "email", "to": ["pr@example.com"], "smtp": smtp}
    assert CONFIG.validate_python(config).from_address == "listener@example.com"
    config["smtp"] = {**smtp, "username": "robot@mail.example.com"}
    assert CONFIG.validate_python(config).from_address == "robot@mail.example.com"
    assert CONFIG.validate_python({**config, "from": "a@b.example"}).from_address == "a@b.example"


# ---- console


@pytest.mark.parametrize(("tty", "no_color", "coloured"), [(True, "", True), (False, "", False), (True, "1", False)])
async def test_console_colours_only_a_terminal(monkeypatch, tty, no_color, coloured):
    """Colour goes to a terminal that has not declined it, and nowhere else."""
    monkeypatch.setenv("NO_COLOR", no_color)

    class Stream(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return tty

    stream = Stream()
    await ConsoleChannel(stream, lambda: NOW).send(notification())
    assert coloured == ("\x1b[" in stream.getvalue())


async def test_console_survives_a_narrow_terminal():
    """Characters that the terminal's encoding lacks are written as escapes."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    await ConsoleChannel(stream, lambda: NOW).send(notification())
    assert b"\\u4e91" in raw.getvalue()


async def test_console_tells_a_closed_stream():
    """A stream that cannot be written is a retryable error."""
    stream = io.StringIO()
    stream.close()
    assert (await refusal(ConsoleChannel(stream, lambda: NOW))).retryable
