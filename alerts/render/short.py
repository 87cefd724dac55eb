"""Less of a message, for channels that carry little: what must survive is the headline, the reason, the counts, the link."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from alerts.render.message import Message
from alerts.render.text import cut

PART = 120
LINK = 500

Rendered = TypeVar("Rendered")


def brief(message: Message) -> Message:
    """Headline, reason, how far it went, what could not be seen, and the links; under 1,600 characters."""
    coverage = message.word["coverage"]
    facts = [fact for number, fact in enumerate(message.facts) if number == 0 or fact[0] == coverage]
    return replace(
        message,
        because=cut(message.because, PART),
        facts=tuple((label, cut(value, PART)) for label, value in facts),
        quotes=(),
        links=tuple(link for link in message.links if len(link.url) <= LINK),
    )


def shorter(message: Message) -> Iterator[Message]:
    """The message, then with fewer and fewer excerpts, then ``brief``."""
    for count in range(len(message.quotes), -1, -1):
        yield replace(message, quotes=message.quotes[:count])
    yield brief(message)


def fitting(message: Message, render: Callable[[Message], Rendered], fits: Callable[[Rendered], bool]) -> Rendered:
    """The longest rendering that fits; the briefest where none does, which the receiver may then refuse."""
    rendered = render(message)
    for less in shorter(message):
        rendered = render(less)
        if fits(rendered):
            break
    return rendered


def in_one_line(message: Message) -> str:
    """The headline and the reason as two sentences, for what is read aloud or sent as a text message.

    At the end, how long it lasted: the reason's figures would read as if it went on.
    """
    told = message.notice.rstrip("。.") if message.over and message.notice else message.because
    return message.word["stop"].join(part for part in (message.headline, told) if part)


def sms(message: Message, limit: int) -> str:
    """One line: headline and reason, cut to what the link leaves of *limit* characters.

    The link is never cut; where it would take more than half, it is left out. A text message of Chinese holds 70
    characters, a longer one is billed in parts of 67 (3GPP TS 23.038, UCS-2).
    """
    link = message.links[0].url if message.links and len(message.links[0].url) <= limit // 2 else ""
    room = limit - (len(link) + 1 if link else 0)
    return f"{cut(in_one_line(message), room)} {link}".rstrip()
