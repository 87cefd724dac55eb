"""A message cut down in steps, what matters least first, for channels that take few bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from alerts.render.message import Message
from alerts.render.text import cut, size

_COVERAGE = 64  # characters that say which source is blind and for how long, however short the rest
_LONGEST_URL = 400  # bytes; a longer address would leave no room for what it is about

Form = TypeVar("Form")


@dataclass(frozen=True, slots=True)
class _Step:
    """Characters of each part. ``fewer``: only the facts that tell how far it goes, when, and what is not seen."""

    quotes: int
    quote: int
    because: int
    fact: int
    headline: int = 140
    fewer: bool = False


_STEPS = (
    _Step(3, 120, 300, 200),
    _Step(2, 80, 200, 120),
    _Step(1, 60, 150, 80),
    _Step(0, 0, 100, 60, fewer=True),
    _Step(0, 0, 50, 36, 60, fewer=True),
)


def fitting(message: Message, form: Callable[[Message], Form], measure: Callable[[Form], int], limit: int) -> Form:
    """The first form, from the whole message down, that *measure* finds within *limit*; else the shortest that there is.

    What it is, its links and how many excerpts were left out stay in every one. A digest is never shortened: its lines
    are as short as they can be, and each names an alert.
    """
    made = form(message)
    for shorter in _shorter(message):
        if measure(made) <= limit:
            break
        made = form(shorter)
    return made


def _shorter(message: Message) -> Iterator[Message]:
    if message.digest:
        return
    links = tuple(link for link in message.links if size(link.url) <= _LONGEST_URL)
    for step in _STEPS:
        quotes = tuple(
            replace(
                quote,
                text=cut(quote.text, step.quote),
                about=cut(quote.about, 60),
                url=quote.url if size(quote.url) <= _LONGEST_URL else "",
            )
            for quote in message.quotes[: step.quotes]
        )
        yield replace(
            message,
            headline=cut(message.headline, step.headline),
            because=cut(message.because, step.because),
            facts=tuple(_facts(message, step)),
            quotes=quotes,
            left=message.left + len(message.quotes) - len(quotes),
            links=links,
        )


def _facts(message: Message, step: _Step) -> Iterator[tuple[str, str]]:
    word = message.word
    for label, value in message.facts:
        if label == word["coverage"]:
            yield label, cut(value, max(step.fact, _COVERAGE))
        elif not step.fewer or label in {word["spread"], word["window"]}:
            yield label, cut(value, step.fact)
