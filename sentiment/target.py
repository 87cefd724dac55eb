"""What is judged: a text, and where in it the brand and other brands stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Code points ``start`` (inclusive) to ``end`` (exclusive) of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One field of a mention, with the spans that name the brand and those that name others; both in ascending order."""

    text: str
    brand: tuple[Span, ...] = ()
    others: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What an analyzer judges. No brand span in either field: the whole text is judged."""

    text: Passage
    title: Passage | None = None
