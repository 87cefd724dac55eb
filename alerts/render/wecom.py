"""A message as 企业微信's Markdown, or as plain text where phone numbers are to be called.

What it reads (developer.work.weixin.qq.com, path/91770 for robots and 90236 for apps): headings, bold, links, quotes, and
``font`` in the colours info (green), comment (grey) and warning (orange). ``<@userid>`` calls a member in a robot's
message; phone numbers are called by a text message's own list alone.
"""

from collections.abc import Sequence

from alerts.alert import Level
from alerts.render.dingtalk import mark
from alerts.render.inert import inert, link
from alerts.render.message import Message
from alerts.render.shorten import fitting
from alerts.render.text import cut, size

_COLOURS = {Level.orange: "warning", Level.red: "warning"}


def markdown(message: Message, limit: int, *, at: Sequence[str] = ()) -> str:
    """The text within *limit* bytes of UTF-8, whatever the message; it calls the members *at*, by user id."""
    tail = "\n" + "".join(f"<@{one}>" for one in at) if at else ""
    room = limit - size(tail)
    return cut(fitting(message, _markdown, size, room), room, size) + tail


def text(message: Message, limit: int) -> str:
    """Plain text within *limit* bytes; addresses stand in the open, as its reader links them."""
    return cut(fitting(message, _plain, size, limit), limit, size)


def _markdown(message: Message) -> str:
    word = message.word
    colour = "info" if message.over else _COLOURS.get(message.level, "")
    headline = f"{mark(message)} {inert(message.headline)}"
    lines = [f'### <font color="{colour}">{headline}</font>' if colour else f"### {headline}"]
    if message.notice:
        lines.append(f"**{inert(message.notice)}**")
    if message.because:
        lines.append(inert(message.because))
    for label, value in message.facts:
        name = f"{label}{word['colon']}"
        lines.append((inert(name) if message.digest else _grey(name)) + inert(value))
    if message.links:
        lines.append(" · ".join(link(one.label, one.url) for one in message.links))
    for quote in message.quotes:
        original = f" {link(word['original'], quote.url)}" if quote.url else ""
        lines.append(f"> {word['open_quote']}{inert(quote.text)}{word['close_quote']}")
        lines.append(f"> {_grey(quote.about)}{original}")
    if message.left:
        lines.append(word["left"].format(count=message.left))
    lines.append(_grey(message.footer))
    return "\n".join(lines)


def _grey(words: str) -> str:
    return f'<font color="comment">{inert(words)}</font>'


def _plain(message: Message) -> str:
    word = message.word
    lines = [f"{mark(message)} {inert(message.headline)}", inert(message.notice), inert(message.because)]
    lines += [f"{inert(label)}{word['colon']}{inert(value)}" for label, value in message.facts]
    lines += [f"{inert(one.label)}{word['colon']}{one.url}" for one in message.links]
    for quote in message.quotes:
        lines.append(f"{word['open_quote']}{inert(quote.text)}{word['close_quote']} {inert(quote.about)} {quote.url}")
    if message.left:
        lines.append(word["left"].format(count=message.left))
    lines.append(inert(message.footer))
    return "\n".join(line.rstrip() for line in lines if line)
