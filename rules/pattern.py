"""Patterns in texts, in time that grows with the text and not with the pattern: RE2, which does not backtrack."""

import hashlib
import json
from collections.abc import Iterator, Sequence

import re2

LONGEST = 500
"""Characters of a pattern."""
_MOST_MEMORY = 4 << 20
_SHOWN = 30


class PatternError(ValueError):
    """A pattern that RE2 does not take; the message says why."""


def _options() -> "re2.Options":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    options.case_sensitive = False
    return options


class Patterns:
    """``patterns`` as they are given: RE2 syntax, case does not matter. Raises PatternError."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._compiled = [_compiled(one) for one in self.patterns]

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """The first hit of each pattern: begin, end, and what stands there, cut to 30 characters."""
        for pattern in self._compiled:
            hit = pattern.search(text)
            if hit is not None:
                yield hit.start(), hit.end(), " ".join(hit.group().split())[:_SHOWN] or pattern.pattern[:_SHOWN]


def _compiled(pattern: str) -> "re2._Regexp":
    if len(pattern) > LONGEST:
        raise PatternError(f"a pattern has {LONGEST} characters at most, this one {len(pattern)}")
    try:
        compiled = re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(f"{pattern!r} is no pattern of RE2: {told}") from error
    if compiled.search("") is not None:
        raise PatternError(f"{pattern!r} is found in every text")
    return compiled


def pattern_id(patterns: Sequence[str]) -> str:
    """The same for the same patterns in the same order, on every machine, and never a word list's."""
    return hashlib.sha256(json.dumps(["pattern", *patterns]).encode()).hexdigest()[:12]
