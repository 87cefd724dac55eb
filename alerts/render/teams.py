"""A message as an Adaptive Card for Microsoft Teams.

All text stands in the TextRuns of RichTextBlocks, which know no Markdown; TextBlocks and facts do, and would make links of
what people write (learn.microsoft.com, Adaptive Cards, Text features; Teams, Text formatting in cards). Version 1.2 is what
Teams shows on phones too. A mention needs an entity in ``msteams``, and there is none. A message over 28 KB is refused
(learn.microsoft.com/connectors/teams, Known issues); connectors were seen to refuse from 21 KB on, so ours stay below.
"""

from typing import Any

from alerts.alert import Level
from alerts.render.marks import segments
from alerts.render.message import Message, Quote
from alerts.render.shorten import by_quotes, fitting
from alerts.render.text import inert, json_size

BODY = 21_000  # bytes

Json = dict[str, Any]

_STYLES = {Level.blue: "accent", Level.yellow: "warning", Level.orange: "warning", Level.red: "attention"}


def payload(message: Message, size: int = BODY) -> Json:
    """What a workflow's webhook takes: a message with one card, within *size* bytes of JSON."""
    return fitting(by_quotes(message), _payload, lambda form: json_size(form) <= size)


def _payload(message: Message) -> Json:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": _safe(message.headline),
        "msteams": {"width": "Full"},
        "body": _body(message),
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in message.links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _body(message: Message) -> list[Json]:
    head = [_block(_run(f"{message.mark} {message.headline}", weight="Bolder", size="Large"))]
    head += [_block(_run(part)) for part in (message.notice, message.because) if part]
    style = "good" if message.over else _STYLES[message.level]
    body: list[Json] = [{"type": "Container", "style": style, "bleed": True, "items": head}]
    body += [
        _block(*([_run(message.named(label), weight="Bolder")] if label else []), _run(value))
        for label, value in message.facts
    ]
    body += [_quote(message, quote) for quote in message.quotes]
    body.append(_block(_run(message.footer, size="Small", isSubtle=True)))
    return body


def _quote(message: Message, quote: Quote) -> Json:
    word = message.word
    about = [_run(quote.about, size="Small", isSubtle=True)]
    if quote.url:
        open_it = {"type": "Action.OpenUrl", "url": quote.url}
        about += [_run(" · ", size="Small"), _run(word["original"], size="Small", selectAction=open_it)]
    said = [
        _run(piece, **({"weight": "Bolder"} if is_marked else {}))  # once more inert: each run stands for itself
        for piece, is_marked in segments(quote.text, quote.marks, _safe)
    ]
    said = [_run(word["open_quote"]), *said, _run(word["close_quote"])]
    return {"type": "Container", "style": "emphasis", "items": [_block(*said), _block(*about)]}


def _block(*runs: Json) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **looks: Any) -> Json:
    return {"type": "TextRun", "text": _safe(text) or "…", **looks}  # an empty run is refused


def _safe(text: str) -> str:
    """Inert; and no ``{{DATE(…)}}`` that the client would work out."""
    return inert(text).replace("{{", "{\u200b{")
