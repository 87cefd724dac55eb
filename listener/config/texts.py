"""Texts of the operator's own, tried on messages of every kind before anything starts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, get_args

from alerts import Coverage, Level, Notification, Reached
from alerts.channels import ChannelConfig, Limits
from alerts.render import message
from alerts.render.message import BODY_LINE, BODY_LINES, HEADLINE
from alerts.render.template import WORDS, TemplateMistakeError, check, rendered, values
from alerts.render.text import size, units
from alerts.render.wording import SHORT
from alerts.render.words import Language
from alerts.sample import sample_notification
from listener.document import Document
from listener.problem import Keys, Mistake

_AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
_MODELS: Final = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(ChannelConfig)[0])
}

Taker = tuple[str, Limits]
"""A channel that a template is for: its type, and what it takes."""
Place = tuple[Keys, str, tuple[Taker, ...]]
"""Where a template stands, its text, and for whom."""


def template_mistakes(document: Document) -> Iterator[Mistake]:
    """Templates that are sound in themselves and fail, or are too long, on a message as it will come."""
    receivers = document.value.get("receivers")
    for index, receiver in enumerate(receivers if isinstance(receivers, list) else []):
        if not isinstance(receiver, dict):
            continue
        language: Language = "en" if receiver.get("language") == "en" else "zh"
        for keys, source, takers in _templates(receiver, ("receivers", index)):
            why = _mistake(source, str(keys[-1]), language, takers)
            if why is not None:
                yield Mistake(document.origin(keys).place, keys, why)


def _templates(receiver: dict[str, Any], keys: Keys) -> Iterator[Place]:
    listed = receiver.get("channels")
    channels = [one if isinstance(one, dict) else {} for one in (listed if isinstance(listed, list) else [])]
    yield from _named(receiver, keys, tuple(taker for one in channels for taker in _takers(one)))
    for index, channel in enumerate(channels):
        yield from _named(channel, (*keys, "channels", index), tuple(_takers(channel)))


def _takers(channel: dict[str, Any]) -> Iterator[Taker]:
    """Its own type and limits, which for some depend on whether it has a webhook; of a webhook's JSON nobody reads texts."""
    kind = str(channel.get("type"))
    if kind in _MODELS and kind not in {"template", "webhook"}:
        yield kind, _MODELS[kind].model_construct(webhook=channel.get("webhook")).limits


def _named(holder: dict[str, Any], keys: Keys, takers: tuple[Taker, ...]) -> Iterator[Place]:
    found = holder.get("templates")
    for name in ("headline", "body"):
        source = found.get(name) if isinstance(found, dict) else None
        if isinstance(source, str) and source:
            yield (*keys, "templates", name), source, takers


def _mistake(source: str, name: str, language: Language, takers: tuple[Taker, ...]) -> str | None:
    try:
        check(source, WORDS)
    except TemplateMistakeError:
        return None  # the model says so
    for told, notification in _samples(language):
        try:
            made = rendered(source, values(message(notification), notification, characters=SHORT, secrets={}))
        except TemplateMistakeError as error:
            return f"{error}, for {told}"
        too_much = _too_much(made, name, takers)
        if too_much is not None:
            return f"gives {too_much} for {told}"
    return None


def _too_much(made: str, name: str, takers: tuple[Taker, ...]) -> str | None:
    """What of a text would not be sent; or that it is none."""
    lines = [line for line in made.splitlines() if line.strip()]
    if name == "headline":
        lines = [" ".join(lines)] if lines else []
    most, longest = (1, HEADLINE) if name == "headline" else (BODY_LINES, BODY_LINE)
    over = max((len(line) for line in lines), default=0)
    if not lines:
        return "no text"
    if len(lines) > most:
        return f"{len(lines)} lines, of which {most} are sent,"
    if over > longest:
        return f"a line of {over} characters, of which {longest} are sent,"
    for kind, limits in takers:
        if size(made) > limits.body or units(made) > (limits.text or limits.body):
            return f"{size(made)} bytes, more than {kind} takes,"
    return None


def _samples(language: Language) -> Iterator[tuple[str, Notification]]:
    """Messages of each kind, and one of which hardly anything is known."""
    full = sample_notification(_AT, language, console_url="https://listener.example.com/incidents/1", level=Level.red)
    blind = replace(full.incident.lead, coverage=Coverage((("weibo", _AT),)))
    yield "a new alert", replace(full, kind="open")
    yield "an update", replace(full, kind="update", was=Level.yellow, incident=replace(full.incident, alerts=(blind,)))
    yield "a repeat", replace(full, kind="repeat")
    over = replace(full.incident.lead, event="resolved")
    yield "an end", replace(full, kind="resolve", incident=replace(full.incident, alerts=(over,)))
    bare = replace(
        full.incident.lead, kind="self", topic=None, brand="", key={}, reached=Reached(), window=None, excerpts=(),
        stories=(), expected=None, rule="self-source-blind",
    )  # fmt: skip
    own = replace(full.incident, kind="self", topic=None, alerts=(bare,))
    yield (
        "an alert of the program's own, which has no figures and no brand",
        replace(full, kind="open", incident=own, console_url=""),
    )
