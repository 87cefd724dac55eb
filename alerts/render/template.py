"""Texts of the operator's own, from sandboxed Jinja2 templates.

What people wrote reaches a template only as values, cleaned and inert, never as a template. A template is checked before
anything starts: a mistake in it, or a name that is none, is told with its line.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.notification import Notification
from alerts.render.headline import in_short
from alerts.render.message import Message
from alerts.render.plain import plain
from alerts.render.shorten import sms
from alerts.render.text import inert, inert_but

NAMES = (
    "short", "text", "headline", "tag", "what", "notice", "because", "facts", "quotes", "link", "level", "level_number",
    "kind", "open", "incident", "key", "brand", "topic", "rule", "language", "mentions", "negative", "authors", "people",
    "values",
)  # fmt: skip
WORDS = tuple(name for name in NAMES if name != "values")
"""The names in texts of messages, which are given no secrets."""

Value = str | int | bool | list[str] | dict[str, str]

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


class TemplateMistakeError(ValueError):
    """A template that cannot be used; the message says where and why."""


def check(source: str, names: Sequence[str] = NAMES) -> None:
    """Raises TemplateMistakeError."""
    try:
        tree = _ENVIRONMENT.parse(source)
        _ENVIRONMENT.compile(tree)
    except TemplateSyntaxError as error:
        raise TemplateMistakeError(f"line {error.lineno} of the template: {error.message}") from None
    except TemplateError as error:  # an unknown filter or test
        raise TemplateMistakeError(f"the template: {error.message}") from None
    unknown = sorted(meta.find_undeclared_variables(tree) - set(names))
    if unknown:
        raise TemplateMistakeError(f"the template has no {unknown[0]!r}; there are {', '.join(names)}")


def named(source: str) -> frozenset[str]:
    """The names that a sound template asks for."""
    return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(source)))


def values(
    message: Message, notification: Notification, *, characters: int, secrets: Mapping[str, str]
) -> dict[str, Value]:
    """What a template may name; ``characters`` is the length of ``short``."""
    incident, reached = notification.incident, notification.incident.lead.reached
    tag, brand, what = in_short(notification)
    return {
        "short": inert_but_link(message, characters),
        "text": inert_but(plain(message), message.addresses),
        "headline": inert(message.headline),
        "tag": tag,
        "what": inert(what),
        "notice": inert(message.notice),
        "because": inert(message.because),
        "facts": {label: inert(value) for label, value in message.facts if label},
        "quotes": [f"{inert(quote.text)} {inert(quote.about)} {quote.url}".rstrip() for quote in message.quotes],
        "link": message.links[0].url if message.links else "",
        "level": incident.level.name,
        "level_number": int(incident.level),
        "kind": notification.kind,
        "open": incident.open,
        "incident": inert(incident.id),
        "key": notification.key,
        "brand": inert(brand),
        "topic": incident.topic or "",
        "rule": incident.lead.rule,
        "language": message.language,
        "mentions": reached.mentions,
        "negative": reached.negative,
        "authors": reached.authors,
        "people": reached.people,
        "values": dict(secrets),
    }


def inert_but_link(message: Message, characters: int) -> str:
    """``sms``, with only its own link to be followed. Zero-width marks count as characters."""
    link = message.links[0].url if message.links else ""
    for limit in range(characters, 0, -1):
        told, found, _ = sms(message, limit).partition(link) if link else (sms(message, limit), "", "")
        line = inert(told) + found
        if len(line) <= characters:
            return line
    return ""


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def rendered(source: str, told: Mapping[str, Value]) -> str:
    """Raises TemplateMistakeError where only these values show the mistake."""
    try:
        return str(_compiled(source).render(told))
    except UndefinedError as error:  # its message names what is missing, never a value
        raise TemplateMistakeError(f"the template failed: {error.message}") from None
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        TypeError,
        LookupError,
        ValueError,
        RecursionError,
    ) as error:
        raise TemplateMistakeError(f"the template failed ({type(error).__name__})") from None
