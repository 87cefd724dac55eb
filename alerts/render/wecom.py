"""A message as 企业微信's Markdown, or as plain text where phone numbers are to be called.

What it reads (developer.work.weixin.qq.com, path/91770 for robots and 90236 for apps): headings, bold, links, quotes, and
``font`` in the colours info (green), comment (grey) and warning (orange). ``<@userid>`` calls a member in a robot's
message; phone numbers are called by a text message's own list alone.
"""

from collections.abc import Sequence

from alerts.alert import Level
from alerts.render.message import Message
from alerts.render.shorten import by_parts, fitting
from alerts.render.text import cut, size
from alerts.render.wide import bold, link, wide

_COLOURS = {Level.orange: "warning", Level.red: "warning"}


def markdown(message: Message, limit: int, *, at: Sequence[str] = ()) -> str:
    """The text within *limit* bytes of UTF-8, whatever the message; it calls the members *at*, by user id."""
    tail = "\n" + "".join(f"<@{one}>" for one in at) if at else ""
    room = limit - size(tail)
    return cut(fitting(by_parts(message), _markdown, lambda made: size(made) <= room), room, size) + tail


def text(message: Message, limit: int) -> str:
    """Plain text within *limit* bytes; addresses stand in the open, as its reader links them."""
    return cut(fitting(by_parts(message), _plain, lambda made: size(made) <= limit), limit, size)


def _markdown(message: Message) -> str:
    word = message.word
    colour = "info" if message.over else _COLOURS.get(message.level, "")
    headline = f"{message.mark} {wide(message.headline)}"
    lines = [f'### <font color="{colour}">{headline}</font>' if colour else f"### {headline}"]
    if message.notice:
        lines.append(f"**{wide(message.notice)}**")
    if message.because:
        lines.append(wide(message.because))
    for label, value in message.facts:
        name = message.named(label)
        lines.append((wide(name) if message.digest else _grey(name)) + wide(value))
    if message.links:
        lines.append(" · ".join(link(one.label, one.url) for one in message.links))
    for quote in message.quotes:
        original = f" {link(word['original'], quote.url)}" if quote.url else ""
        lines.append(f"> {word['open_quote']}{bold(quote)}{word['close_quote']}")
        lines.append(f"> {_grey(quote.about)}{original}")
    if message.left:
        lines.append(word["left"].format(count=message.left))
    lines.append(_grey(message.footer))
    return "\n".join(lines)


def _grey(words: str) -> str:
    return f'<font color="comment">{wide(words)}</font>'


def _plain(message: Message) -> str:
    word = message.word
    lines = [f"{message.mark} {wide(message.headline)}", wide(message.notice), wide(message.because)]
    lines += [f"{wide(message.named(label))}{wide(value)}" for label, value in message.facts]
    lines += [f"{wide(one.label)}{word['colon']}{one.url}" for one in message.links]
    for quote in message.quotes:
        lines.append(f"{word['open_quote']}{wide(quote.text)}{word['close_quote']} {wide(quote.about)} {quote.url}")
    if message.left:
        lines.append(word["left"].format(count=message.left))
    lines.append(wide(message.footer))
    return "\n".join(line.rstrip() for line in lines if line)
