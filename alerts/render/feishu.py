"""A message as a 飞书 (Lark) card.

Card JSON 1.0 (open.feishu.cn, 飞书卡片, 卡片 JSON 1.0 结构): a header in a colour, then elements. Everything that somebody
wrote stands in ``plain_text``, which nothing is read in; the one ``markdown`` element calls who the configuration names.
``update_multi`` makes a card that can be changed for all who have it. A robot's request holds at most 20 KB, an app's card
30 KB.
"""

import json
from collections.abc import Sequence
from typing import Any

from alerts.alert import Level
from alerts.render.marks import marked
from alerts.render.message import Message, Quote
from alerts.render.shorten import by_parts, fitting
from alerts.render.text import json_size
from alerts.render.wide import wide

Json = dict[str, Any]

_COLOURS = {Level.blue: "blue", Level.yellow: "yellow", Level.orange: "orange", Level.red: "red"}


def card(message: Message, limit: int, *, keyword: str = "", at: Sequence[str] = ()) -> Json:
    """The card within *limit* bytes as JSON; it holds *keyword*, and calls *at*: ids, or mail addresses."""

    def form(shown: Message) -> Json:
        return _card(shown, keyword, at)

    return fitting(by_parts(message), form, lambda made: json_size(made) <= limit)


def _card(message: Message, keyword: str, at: Sequence[str]) -> Json:
    word = message.word
    elements: list[Json] = []
    told = "\n".join(wide(part) for part in (message.notice, message.because) if part)
    if told:
        elements.append({"tag": "div", "text": _plain(told)})
    facts = "\n".join(f"{wide(message.named(label))}{wide(value)}" for label, value in message.facts)
    if facts:
        elements.append({"tag": "div", "text": _plain(facts)})
    if at:
        elements.append({"tag": "markdown", "content": " ".join(_call(one) for one in at)})
    if message.links:
        actions = [
            {
                "tag": "button",
                "text": _plain(wide(one.label)),
                "type": "primary" if first else "default",
                "url": one.url,
            }
            for first, one in zip([True, *[False] * len(message.links)], message.links, strict=False)
        ]
        elements.append({"tag": "action", "actions": actions})
    if message.quotes:
        elements.append({"tag": "hr"})
    elements += [_quote(message, quote) for quote in message.quotes]
    footer = wide(message.footer)
    if message.left:
        footer = f"{word['left'].format(count=message.left)}\n{footer}"
    headline = f"{message.mark} {wide(message.headline)}"
    if keyword and keyword not in json.dumps([headline, footer, *elements], ensure_ascii=False):
        footer += f" · {keyword}"
    elements.append({"tag": "note", "elements": [_plain(footer)]})
    return {
        "config": {"wide_screen_mode": True, "update_multi": True},
        "header": {
            "template": "green" if message.over else _COLOURS[message.level],
            "title": _plain(headline),
        },
        "elements": elements,
    }


def _quote(message: Message, quote: Quote) -> Json:
    word = message.word
    text = marked(quote.text, quote.marks, ("【", "】"), wide)  # plain text knows no bold
    said = f"{word['open_quote']}{text}{word['close_quote']}\n{wide(quote.about)}"
    element: Json = {"tag": "div", "text": _plain(said)}
    if quote.url:
        element["extra"] = {"tag": "button", "text": _plain(word["original"]), "type": "default", "url": quote.url}
    return element


def _call(who: str) -> str:
    return f"<at email={who}></at>" if "@" in who else f"<at id={who}></at>"


def _plain(text: str) -> Json:
    return {"tag": "plain_text", "content": text}
