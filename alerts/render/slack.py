"""A message as Slack's Block Kit.

Limits (docs.slack.dev, reference/block-kit): 50 blocks a message; a text object 3,000 characters, a header's 150 (plain
text alone), a button's label 75 and its url 3,000; 10 elements in a context. All text of a message's blocks together is
refused from about 13,200 characters on (msg_blocks_too_long, slackapi/bolt-js issue 2509), so ours stays under 12,000.

Nothing that somebody wrote is ever parsed: it stands in plain_text objects, in rich text or with ``verbatim`` set,
``&``, ``<`` and ``>`` are entities (as text objects want them; rich text gets them in full width), at signs are broken,
and the message asks for no parsing of names.
"""

from collections.abc import Mapping
from typing import Any

from alerts.alert import Level
from alerts.render.marks import segments
from alerts.render.message import Message, Quote
from alerts.render.text import cut, units, unpage

BLOCKS = 50
HEADER = 150
TEXT = 3000
TOTAL = 12_000
FALLBACK = 3000
BUTTON_URL = 3000
DIGEST = 24  # alerts that one message names
DIGEST_SECTION = 6

Json = dict[str, Any]

_DOTS = {
    Level.blue: ":large_blue_circle:",
    Level.yellow: ":large_yellow_circle:",
    Level.orange: ":large_orange_circle:",
    Level.red: ":red_circle:",
}
_OVER = ":white_check_mark:"
_NOTED = ":information_source:"
_WIDE = str.maketrans({character: chr(ord(character) + 0xFEE0) for character in "&<>"})


def escape(text: str) -> str:
    """A text object's control characters as entities, and no name that an at sign calls."""
    return unpage(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(message: Message) -> str:
    """What a phone's lock screen shows: the headline and why."""
    return _fit(" ".join(part for part in (message.headline, message.notice, message.because) if part), FALLBACK)


def text_only(message: Message) -> str:
    """The whole message without blocks, for the case that Slack refuses them."""
    word = message.word
    lines = [message.headline, message.notice, message.because]
    lines += [f"{message.named(label)}{value}" for label, value in message.facts]
    for quote in message.quotes:
        lines.append(f"{word['open_quote']}{cut(quote.text, 120)}{word['close_quote']} {quote.about} {quote.url}")
    lines += [f"{link.label}{word['colon']}{link.url}" for link in message.links]
    lines.append(message.footer)
    return _fit("\n".join(line for line in lines if line), TOTAL if message.digest else FALLBACK)


def blocks(message: Message) -> list[Json]:
    """The message's blocks, within every limit above."""
    mark = (_OVER if message.well else _NOTED) if message.over else _DOTS[message.level]
    header = f"{mark} {_fit(message.headline, HEADER - len(mark) - 1)}"
    found: list[Json] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    told = "\n".join(part for part in (message.notice, message.because) if part)
    if told:
        found.append(_plain(told))
    lines = [f"{message.named(label)}{value}" for label, value in message.facts]
    # An alert's line in a digest is under 430 characters however it is escaped, and none may be cut away.
    size = DIGEST_SECTION if message.digest else max(len(lines), 1)
    found += [_plain("\n".join(lines[start : start + size])) for start in range(0, len(lines), size)]
    for quote in message.quotes:
        found += _quote(message, quote)
    buttons = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": _fit(link.label, 75), "emoji": False},
            "url": link.url,
            "action_id": f"open-{number}",
        }
        for number, link in enumerate(message.links)
        if units(link.url) <= BUTTON_URL
    ]
    if buttons:
        found.append({"type": "actions", "elements": buttons})
    found.append(_context(_fit(message.footer, 500)))
    return found


def _quote(message: Message, quote: Quote) -> list[Json]:
    word = message.word
    about = _fit(quote.about, 300)
    if quote.url and units(quote.url) < 1500:
        # safe_url leaves no <, > or | in it
        about += f" · <{quote.url.replace('&', '&amp;')}|{word['original']}>"
    if quote.marks:
        return [_marked(quote, word), _context(about)]
    return [_plain(f"{word['open_quote']}{quote.text}{word['close_quote']}"), _context(about)]


def _marked(quote: Quote, word: Mapping[str, str]) -> Json:
    """The quotation as rich text, in whose elements nothing is parsed; bold in *mrkdwn* would need blanks around it."""
    pieces = [(word["open_quote"], False), *segments(quote.text, quote.marks, _literal), (word["close_quote"], False)]
    elements = [
        {"type": "text", "text": piece, **({"style": {"bold": True}} if bold else {})} for piece, bold in pieces
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _literal(text: str) -> str:
    """No entity is read in rich text, and no control character is left that would need one."""
    return unpage(text).translate(_WIDE)


def _plain(text: str) -> Json:
    return {"type": "section", "text": {"type": "plain_text", "text": _fit(text, TEXT), "emoji": False}}


def _context(text: str) -> Json:
    """*text* is escaped already."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _fit(text: str, limit: int) -> str:
    """Escaped and within *limit*; cut before escaping, so that no entity is cut in two."""
    room = limit
    while True:
        escaped = escape(cut(text, room, units))
        over = units(escaped) - limit
        if over <= 0:
            return escaped
        room -= max(over // 4, 1)
