"""Texts of the operator's own for messages: the templates, and what they gave for one notification."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """Templates in the receiver's language; None: the text that is there without."""

    headline: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """What the templates gave: clean, defused lines. None, or no lines: none was given, or it failed."""

    headline: str | None = None
    body: tuple[str, ...] = ()
