"""The extension point for sources."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from rules.mention import Mention


@dataclass(frozen=True, slots=True)
class Batch:
    """What a poll brought. ``cursor`` is stored in the transaction that stores the mentions, and handed to the next poll.

    ``unchanged``: the source said that there is nothing new. ``more``: there is more at once; do not wait an interval.
    ``problems``: items that could not be read, each told for a person (which file, line, field); the rest is in the batch.
    ``notes``: what an engineer should know of a source that works (moved for good, announced its end).
    ``wait``: the source asks not to be polled sooner (Retry-After, ttl).
    """

    mentions: tuple[Mention, ...]
    cursor: str | None
    unchanged: bool = False
    more: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    wait: timedelta | None = None


class CollectError(Exception):
    """A poll failed. ``reason`` is a metric label from a closed list (see docs/reference/metrics.md)."""

    def __init__(self, source: str, reason: str, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{source}: {reason}: {detail}")
        self.source = source
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


class Collector(Protocol):
    """One configured source. Loops, intervals, backoff, storage, logs and metrics are not its job."""

    async def collect(self, cursor: str | None, /) -> Batch:
        """What is new since *cursor* (None: the first poll ever), or raise CollectError."""
        ...
