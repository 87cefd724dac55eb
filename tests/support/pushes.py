"""Telegram, Teams, ntfy and a gateway for text messages, as strict as their documentation."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs

from aiohttp import web

from tests.support.peer import SECRET, Peer, refused, serve

LINKED = re.compile(r"(?<![\w.])(?:[\w-]+\.)+[^\W\d]{2,}(?![\w.])|(?<![\w/])/\w|[@＠](?=\w)")


def plain_text(told: str, problems: list[str]) -> None:
    """What programs make links, mentions and commands of where they find it in plain text."""
    if found := LINKED.search(told):
        problems.append(f"{found.group()!r} calls or links in {told[:80]!r}")


class TelegramHtml(HTMLParser):
    """Telegram's HTML: a few tags that must close, four entities, links to the web."""

    def __init__(self, problems):
        super().__init__(convert_charrefs=False)
        self.problems, self.text, self.links, self.open = problems, [], [], []

    def handle_starttag(self, tag, attrs):
        allowed = {"b": set(), "i": set(), "blockquote": set(), "a": {"href"}}
        if tag not in allowed or {name for name, _ in attrs} != allowed[tag]:
            self.problems.append(f"<{tag} {attrs}>")
        for _, value in attrs:
            if not value.startswith(("http://", "https://")):
                self.problems.append(f"leads to {value}")
            self.links.append(value)
        self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}>")

    def handle_entityref(self, name):
        if name not in {"lt", "gt", "amp", "quot"}:
            self.problems.append(f"&{name};")
        self.text.append({"lt": "<", "gt": ">", "amp": "&", "quot": '"'}.get(name, "?"))

    def handle_charref(self, name):
        self.problems.append(f"&#{name};")

    def handle_data(self, data):
        if "&" in data or "<" in data:
            self.problems.append(f"bare {data!r}")
        self.text.append(data)


class TelegramPeer(Peer):
    """``messages``: the text by message id; ``replies``: (to, silent); ``words``: method → answers to give first."""

    def __post_init__(self):
        self.messages: dict[int, str] = {}
        self.replies: list[tuple[int, bool]] = []
        self.words: dict[str, list[dict]] = {}
        self.chat = -100_42
        self.payloads: list[dict] = []

    def read(self, payload):
        if payload.get("parse_mode") != "HTML":
            return payload["text"], payload["text"]
        reader = TelegramHtml(self.problems)
        reader.feed(payload["text"])
        reader.close()
        if reader.open:
            self.problems.append(f"unclosed {reader.open}")
        text = "".join(reader.text)
        plain_text(text, self.problems)
        return text, "\n".join([text, *reader.links])


@contextlib.asynccontextmanager
async def telegram() -> AsyncIterator[TelegramPeer]:
    def no(code, description, **parameters):
        body = {"ok": False, "error_code": code, "description": description}
        return web.json_response(body | ({"parameters": parameters} if parameters else {}), status=code)

    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        _, bot, method = request.path.split("/")
        if bot != f"bot4711:{SECRET}":
            return no(401, "Unauthorized")
        payload = json.loads(body)
        if peer.words.get(method):
            word = peer.words[method].pop(0)
            return no(**word)
        if str(payload["chat_id"]) != str(peer.chat):
            return no(400, "Bad Request: chat not found")
        peer.sizes.append(len(body))
        peer.payloads.append(payload)
        text, told = peer.read(payload)
        if not 1 <= len(text.strip().encode("utf-16-le")) // 2 <= 4096:
            peer.problems.append("too long or empty")
            return no(400, "Bad Request: message is too long")
        if payload["link_preview_options"] != {"is_disabled": True}:
            peer.problems.append("previews what it links to")
        if method == "editMessageText":
            number = payload["message_id"]
            if number not in peer.messages:
                return no(400, "Bad Request: message to edit not found")
            if peer.messages[number] == text:
                return no(400, "Bad Request: message is not modified: specified new message content is the same")
            peer.messages[number] = text
        elif method == "sendMessage":
            number = 7 + len(peer.messages) + len(peer.replies)
            if "reply_parameters" in payload:
                peer.replies.append((payload["reply_parameters"]["message_id"], payload["disable_notification"]))
            else:
                peer.messages[number] = text
        else:
            return no(404, "Not Found")
        peer.texts.append(told)
        return web.json_response(
            {"ok": True, "result": {"message_id": number, "chat": {"id": peer.chat}, "date": 1, "text": text}}
        )

    peer = TelegramPeer("telegram", {})
    async with serve(handler) as url:
        peer.config = {
            "token": f"4711:{SECRET}",
            "chat": peer.chat,
            "api": f"{url}/",
            "timeout": timedelta(seconds=20),
        }
        yield peer


def read_card(payload: dict, problems: list[str]) -> str:
    """An Adaptive Card of version 1.2 whose texts no client formats."""
    if set(payload) != {"type", "attachments"} or payload["type"] != "message" or len(payload["attachments"]) != 1:
        problems.append("no message with one card")
    attachment = payload["attachments"][0]
    card = attachment["content"]
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or card["type"] != "AdaptiveCard":
        problems.append("no card")
    if card["version"] != "1.2" or card["msteams"] != {"width": "Full"}:
        problems.append("version, or entities that mention")
    lines: list[str] = []

    def action(one):
        if one["type"] != "Action.OpenUrl" or not one["url"].startswith(("http://", "https://")):
            problems.append(f"action {one}")
        return one["url"]

    def element(one):
        if one["type"] == "Container":
            if one["style"] not in {"default", "emphasis", "good", "attention", "warning", "accent"}:
                problems.append(f"style {one['style']}")
            for item in one["items"]:
                element(item)
            return
        if one["type"] != "RichTextBlock":
            problems.append(f"{one['type']} formats its text")
        line = ""
        for run in one["inlines"]:
            if run["type"] != "TextRun" or not run["text"]:
                problems.append(f"run {run}")
            plain_text(run["text"], problems)
            if "{{" in run["text"]:
                problems.append("a function of the client")
            line += run["text"] + (f" {action(run['selectAction'])} " if "selectAction" in run else "")
        lines.append(line)

    for one in card["body"]:
        element(one)
    if len(card["actions"]) > 6:
        problems.append("too many buttons")
    return "\n".join([*lines, *(f"{one['title']} {action(one)}" for one in card["actions"])])


@contextlib.asynccontextmanager
async def teams() -> AsyncIterator[Peer]:
    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.query.get("sig") != SECRET or request.content_type != "application/json":
            return web.json_response({"error": {"code": "DirectApiAuthorizationRequired", "message": "no"}}, status=401)
        if len(body) > 28 * 1024:
            return web.Response(status=413)
        peer.sizes.append(len(body))
        peer.texts.append(read_card(json.loads(body), peer.problems))
        return web.Response(status=202)

    peer = Peer("teams", {})
    async with serve(handler) as url:
        peer.config = {
            "webhook": f"{url}/workflows/1/triggers/manual/paths/invoke?api-version=1&sig={SECRET}",
            "timeout": timedelta(seconds=20),
        }
        yield peer


@contextlib.asynccontextmanager
async def ntfy() -> AsyncIterator[Peer]:
    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return web.json_response({"code": 40101, "http": 401, "error": "unauthorized"}, status=401)
        if len(body) > 8192:
            return web.json_response({"code": 41303, "http": 413, "error": "JSON body too large"}, status=413)
        form = json.loads(body)
        if form["topic"] != f"topic-{SECRET}" or not 1 <= form["priority"] <= 5:
            return web.json_response({"code": 40009, "http": 400, "error": "invalid request"}, status=400)
        if len(form["message"].encode()) > 4096:
            peer.problems.append("would become an attachment")
        if len(form.get("actions", [])) > 3:
            return web.json_response({"code": 40018, "http": 400, "error": "actions invalid"}, status=400)
        plain_text(form["title"], peer.problems)
        own = [one["url"] for one in form.get("actions", [])]
        for line in form["message"].splitlines():
            if re.fullmatch(r"https?://[^\s<>\"]+", line) is None:
                plain_text(line, peer.problems)
        peer.sizes.append(len(body))
        peer.texts.append("\n".join([form["title"], form["message"], form.get("click", ""), *own]))
        peer.priorities.append(form["priority"])
        answer = {"id": f"m{len(peer.texts)}", "time": 1, "event": "message", "topic": form["topic"]}
        return web.json_response(answer | {"message": form["message"]})

    class NtfyPeer(Peer):
        def __post_init__(self):
            self.priorities: list[int] = []

    peer = NtfyPeer("ntfy", {})
    async with serve(handler) as url:
        peer.config = {
            "url": f"{url}/",
            "topic": f"topic-{SECRET}",
            "token": SECRET,
            "timeout": timedelta(seconds=20),
        }
        yield peer


@contextlib.asynccontextmanager
async def template() -> AsyncIterator[Peer]:
    """A gateway for text messages: 200 to everything, the truth in ``data.code``."""

    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.headers.get("X-App-Key") != SECRET or request.query["account"] != f"{SECRET}-account":
            return web.json_response({"data": {"code": "AUTH", "message": "no such account"}})
        form = parse_qs(body.decode(), strict_parsing=True)
        if set(form) != {"to", "content", "short", "key"} or form["to"] != ["13800000000"]:
            peer.problems.append(f"fields {sorted(form)}")
        (content,), (short,) = form["content"], form["short"]
        if len(short) > 70 or "\n" in short:
            peer.problems.append(f"a text message of {len(short)}")
        plain_text(short.replace("https://listener.example.com/incidents/1", ""), peer.problems)
        peer.sizes.append(len(body))
        peer.texts.append(content)
        peer.shorts.append(short)
        return web.json_response({"data": {"code": "OK", "id": f"{len(peer.texts)}"}})

    class TemplatePeer(Peer):
        def __post_init__(self):
            self.shorts: list[str] = []

    peer = TemplatePeer("template", {})
    async with serve(handler) as url:
        peer.config = {
            "url": f"{url}/sms/{SECRET}-path",
            "headers": {"X-App-Key": SECRET},
            "query": {"account": "{{ values.account }}"},
            "values": {"account": f"{SECRET}-account"},
            "encode": "form",
            "body": {"to": 13800000000, "content": "{{ text }}", "short": "{{ short }}", "key": "{{ key }}"},
            "characters": 70,
            "success": {"field": "data.code", "equals": ["OK"], "retry": ["BUSY"]},
            "timeout": timedelta(seconds=20),
        }
        yield peer


@contextlib.asynccontextmanager
async def apprise() -> AsyncIterator[Peer]:
    """What Apprise's plug-in for JSON posts to."""

    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        form = json.loads(body)
        peer.kinds.append(form["type"])
        peer.sizes.append(len(body))
        peer.texts.append(f"{form['title']}\n{form['message']}")
        plain_text(form["title"], peer.problems)
        return web.Response()

    class ApprisePeer(Peer):
        def __post_init__(self):
            self.kinds: list[str] = []

    peer = ApprisePeer("apprise", {})
    async with serve(handler) as url:
        peer.config = {
            "url": f"{url.replace('http', 'json')}/{SECRET}",
            "timeout": timedelta(seconds=20),
        }
        yield peer
