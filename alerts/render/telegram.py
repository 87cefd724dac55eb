"""A message in Telegram's HTML.

Limits (core.telegram.org/bots/api, sendMessage and Formatting options): 1 to 4,096 characters after the entities are
parsed, which Telegram counts in UTF-16 units; of entities only ``&lt;``, ``&gt;``, ``&amp;`` and ``&quot;``. Telegram
makes links of bare host names, mentions of at signs and commands of slashes also in HTML, so what people wrote is made
inert before it is escaped.
"""

import re
from html import unescape

from alerts.render.marks import marked
from alerts.render.message import Message, Quote
from alerts.render.shorten import by_quotes, fitting
from alerts.render.text import inert, units

TEXT = 4096

_TAG = re.compile(r"<[^>]*>")


def escape(text: str) -> str:
    return _entities(inert(text))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def html(message: Message) -> str:
    """The message within Telegram's limit: excerpts are left off from the last until it fits."""
    return fitting(by_quotes(message), _html, lambda text: units(visible(text)) <= TEXT)


def visible(text: str) -> str:
    """What is left of our HTML after Telegram has parsed it."""
    return unescape(_TAG.sub("", text))


def _html(message: Message) -> str:
    colon = message.word["colon"]
    lines = [f"{message.mark} <b>{escape(message.headline)}</b>"]
    lines += [escape(part) for part in (message.notice, message.because) if part]
    lines += [""] if message.facts else []
    lines += [(f"<b>{label}</b>{colon}" if label else "") + escape(value) for label, value in message.facts]
    lines += ["", *(_quote(message, quote) for quote in message.quotes)] if message.quotes else []
    if message.links:
        lines += ["", " · ".join(_link(link.label, link.url) for link in message.links)]
    lines += ["", f"<i>{escape(message.footer)}</i>"]
    return "\n".join(lines)


def _quote(message: Message, quote: Quote) -> str:
    word = message.word
    text = marked(quote.text, quote.marks, ("<b>", "</b>"), inert, _entities)
    about = escape(quote.about) + (f" · {_link(word['original'], quote.url)}" if quote.url else "")
    return f"<blockquote>{word['open_quote']}{text}{word['close_quote']}\n{about}</blockquote>"


def _link(label: str, url: str) -> str:
    """*url* is from safe_url, which leaves no quotation mark and no angle bracket in it."""
    return f'<a href="{url.replace("&", "&amp;")}">{escape(label)}</a>'
