"""A message for ntfy's JSON publishing.

Limits (docs.ntfy.sh/publish, Limitations; server/config.go): a message over 4,096 bytes becomes an attachment or is refused,
and the whole JSON may be twice that, escapes counted. The apps make links of addresses in the text, so it is inert.
"""

from typing import Any

from alerts.alert import Level
from alerts.render.message import Message
from alerts.render.shorten import by_quotes, fitting
from alerts.render.text import cut, inert, json_size, size

TEXT = 4096
BODY = 8192
TITLE = 250

PRIORITIES = {Level.blue: 2, Level.yellow: 3, Level.orange: 4, Level.red: 5}
_TAGS = {
    Level.blue: "large_blue_circle",
    Level.yellow: "yellow_circle",
    Level.orange: "orange_circle",
    Level.red: "red_circle",
}


def payload(message: Message, topic: str) -> dict[str, Any]:
    """The JSON to publish, within both limits; excerpts go first where it is too long."""

    def render(less: Message) -> dict[str, Any]:
        form: dict[str, Any] = {
            "topic": topic,
            "title": cut(inert(message.headline), TITLE, size),
            "message": _text(less),
            "priority": 3 if message.over else PRIORITIES[message.level],
            "tags": ["white_check_mark" if message.over else _TAGS[message.level]],
        }
        if less.links:
            form["click"] = less.links[0].url
            form["actions"] = [{"action": "view", "label": link.label, "url": link.url} for link in less.links[:3]]
        return form

    return fitting(by_quotes(message), render, lambda form: size(form["message"]) <= TEXT and json_size(form) <= BODY)


def _text(message: Message) -> str:
    word = message.word
    lines = [inert(part) for part in (message.notice, message.because) if part]
    lines += ["", *(f"{message.named(label)}{inert(value)}" for label, value in message.facts)]
    for quote in message.quotes:
        lines += ["", f"{word['open_quote']}{inert(quote.text)}{word['close_quote']}", inert(quote.about)]
        lines += [quote.url] if quote.url else []
    lines += ["", inert(message.footer)]
    return "\n".join(lines)
