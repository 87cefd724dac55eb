"""A message as 钉钉's Markdown.

What its robots read (open.dingtalk.com, 消息类型及数据格式): headings, quotes, bold, italics, links, pictures and lists; a
colour by ``font``. A paragraph ends with an empty line. Somebody is called only where the request's ``at``
names him and the text holds his number behind an at sign, so both come from the configuration.
"""

from collections.abc import Sequence

from alerts.alert import Level
from alerts.render.message import Message
from alerts.render.shorten import by_parts, fitting
from alerts.render.text import cut, size
from alerts.render.wide import bold, link, wide

TITLE = 100  # characters; what a phone's lock screen shows

_COLOURS = {Level.blue: "#1677ff", Level.yellow: "#b88700", Level.orange: "#d46b08", Level.red: "#cf1322"}
_GREEN = "#389e0d"


def title(message: Message) -> str:
    return f"{message.mark} {wide(cut(message.headline, TITLE))}"


def markdown(message: Message, limit: int, *, keyword: str = "", at: Sequence[str] = ()) -> str:
    """The text within *limit* bytes of UTF-8, whatever the message; it holds *keyword*, and calls *at*."""
    tail = f"\n\n{' '.join('@' + one for one in at)}" if at else ""
    room = limit - size(tail) - (size(keyword) + 2 if keyword else 0)
    text = cut(fitting(by_parts(message), _text, lambda made: size(made) <= room), room, size)
    if keyword and keyword not in text:
        text += f"\n\n{keyword}"
    return text + tail


def _text(message: Message) -> str:
    word = message.word
    colour = _GREEN if message.over else _COLOURS[message.level]
    parts = [f'### <font color="{colour}">{message.mark} {wide(message.headline)}</font>']
    if message.notice:
        parts.append(f"**{wide(message.notice)}**")
    if message.because:
        parts.append(wide(message.because))
    parts.append("\n".join(f"- {_label(message, label)}{wide(value)}" for label, value in message.facts))
    if message.links:
        parts.append(" · ".join(link(one.label, one.url) for one in message.links))
    for quote in message.quotes:
        about = wide(quote.about) + (f" · {link(word['original'], quote.url)}" if quote.url else "")
        parts.append(f"> {word['open_quote']}{bold(quote)}{word['close_quote']}\n>\n> {about}")
    if message.left:
        parts.append(word["left"].format(count=message.left))
    parts.append(wide(message.footer))
    return "\n\n".join(part for part in parts if part)


def _label(message: Message, label: str) -> str:
    return f"**{wide(label)}**{message.word['colon']}" if label else ""
