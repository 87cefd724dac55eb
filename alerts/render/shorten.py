"""Less of a message, what matters least first: the headline, the reason, how far it went and the link survive."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from alerts.render.message import Message
from alerts.render.text import cut, size

_COVERAGE = 64  # characters that say which source is blind and for how long, however short the rest
_PART, _LINK = 120, 500  # characters of a part, and of a link, in the briefest form
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


def fitting(forms: Iterable[Message], render: Callable[[Message], Form], fits: Callable[[Form], bool]) -> Form:
    """The first rendering that fits, from the whole message down; the last where none does. *forms* holds one at least."""
    for form in forms:
        rendered = render(form)
        if fits(rendered):
            break
    return rendered


def by_quotes(message: Message) -> Iterator[Message]:
    """The message, then with fewer and fewer excerpts, then ``brief``: for channels that take thousands of characters."""
    for count in range(len(message.quotes), -1, -1):
        yield replace(message, quotes=message.quotes[:count])
    yield brief(message)


def by_parts(message: Message) -> Iterator[Message]:
    """The message, then with every part shorter step by step: for channels that take few bytes.

    What it is, its links and how many excerpts were left out stay in every one. A digest is never shortened: its lines
    are as short as they can be, and each names an alert.
    """
    yield message
    if message.digest:
        return
    links = tuple(link for link in message.links if size(link.url) <= _LONGEST_URL)
    for step in _STEPS:
        quotes = tuple(
            replace(
                quote.cut(step.quote),
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
        elif not step.fewer or label in {word["spread"], word["window"], word["respond"], word["handling"]}:
            yield label, cut(value, step.fact)


def brief(message: Message) -> Message:
    """Headline, reason, who has it, by when to answer, how far it went, what was not seen, links; under 2,000 characters."""
    word = message.word
    kept = {word["handling"], word["respond"], word["spread"], word["coverage"]}
    facts = [fact for number, fact in enumerate(message.facts) if number == 0 or fact[0] in kept]
    return replace(
        message,
        because=cut(message.because, _PART),
        facts=tuple((label, cut(value, _PART)) for label, value in facts),
        quotes=(),
        links=tuple(link for link in message.links if len(link.url) <= _LINK),
    )


def in_one_line(message: Message) -> str:
    """Headline, number, deadline, who has it and reason as sentences, for what is read aloud or sent as a text message.

    At the end, how long it lasted: the reason's figures would read as if it went on.
    """
    told = message.notice.rstrip("。.") if message.over and message.notice else message.because
    headline = f"{message.headline} {message.number}".rstrip()
    people = message.word["semicolon"].join(part for part in (message.due, message.handler) if part)
    return message.word["stop"].join(part for part in (headline, people[:1].upper() + people[1:], told) if part)


def sms(message: Message, limit: int) -> str:
    """One line: headline and reason, cut to what the link leaves of *limit* characters.

    The link is never cut; where it would take more than half, it is left out. A text message of Chinese holds 70
    characters, a longer one is billed in parts of 67 (3GPP TS 23.038, UCS-2).
    """
    link = message.links[0].url if message.links and len(message.links[0].url) <= limit // 2 else ""
    room = limit - (len(link) + 1 if link else 0)
    return f"{cut(in_one_line(message), room)} {link}".rstrip()
