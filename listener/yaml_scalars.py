"""What a bare word means in a configuration: narrower than YAML 1.1, whose surprises hurt here.

Only ``true`` and ``false`` are booleans (``NO`` stays a country), ``2024-01-02``, ``12:30``, ``007`` and ``1_000`` stay
text; ``1h30m`` is a timedelta.
"""

import re
from datetime import timedelta

DURATION = r"(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?"
"""Weeks to milliseconds, each unit at most once, the largest first."""

_DURATION = re.compile(DURATION + r"\Z", re.ASCII)
_PART = re.compile(r"(\d+)(ms|[wdhms])", re.ASCII)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?\Z", re.ASCII)
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    spelling: word == "true" for word in ("true", "false") for spelling in (word, word.capitalize(), word.upper())
}

Scalar = str | bool | int | float | timedelta | None


def duration(text: str) -> timedelta | None:
    """``1h30m`` as a timedelta, None where the text is no duration; OverflowError past what a timedelta holds."""
    if not _DURATION.match(text):
        return None
    return timedelta(**{_UNITS[unit]: int(amount) for amount, unit in _PART.findall(text)})


def duration_text(span: timedelta) -> str:
    """How a duration is written: ``1h30m``, ``400d`` (weeks are only read); what is finer than a millisecond is dropped."""
    left, parts = span // timedelta(milliseconds=1), []
    for unit, name in list(_UNITS.items())[1:]:
        amount, left = divmod(left, timedelta(**{name: 1}) // timedelta(milliseconds=1))
        parts += [f"{amount}{unit}"] if amount else []
    return "".join(parts) or "0s"


def plain(text: str) -> Scalar:
    """What an unquoted scalar means. OverflowError or ValueError: a number that is too large to hold."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    span = duration(text)
    return text if span is None else span
