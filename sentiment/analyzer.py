"""The extension point of this package."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from sentiment.sentiment import Sentiment
from sentiment.target import Target


class AnalysisError(Exception):
    """An analyzer cannot be built or cannot score; ``analyzer`` says which one."""

    def __init__(self, analyzer: str, message: str) -> None:
        super().__init__(f"{analyzer}: {message}")
        self.analyzer = analyzer


class Analyzer(Protocol):
    """Scores targets. CPU-bound and synchronous: the caller picks the thread, never the event loop.

    ``name`` and ``version`` are stored beside each score.
    """

    name: str
    version: str

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        """One sentiment per target, in order; any string is answered, none raises."""
        ...


@runtime_checkable
class Helped(Protocol):
    """An analyzer that asks a process of its own about some texts.

    Counted since it was built: texts ``asked`` about, ``answered``, and ``late``, which keep the first judgement; and
    ``failures``, how often the process crashed, hung or could not be started.
    """

    asked: int
    answered: int
    late: int

    @property
    def failures(self) -> int: ...

    def close(self) -> None:
        """End the process; from then on the analyzer answers without it."""
        ...
