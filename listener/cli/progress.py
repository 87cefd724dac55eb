"""How far a long command is, on a terminal; silent elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self


class Progress:
    """A line on stderr, rewritten at most ten times a second."""

    def __init__(self, what: str, *, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._shown = 0.0
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def advance(self, count: int = 1) -> None:
        self._done += count
        now = time.monotonic()
        if self._visible and now - self._shown > 0.1:
            self._shown = now
            self._show()

    def _show(self) -> None:
        share = f"/{self._total:,} ({self._done / self._total:.0%})" if self._total else ""
        sys.stderr.write(f"\r{self._what}: {self._done:,}{share}\x1b[K")
        sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._visible and self._shown:
            self._show()
            sys.stderr.write("\n")
