"""What keeps the program from being ready, in words; the readiness page and the ready metric read it."""

from listener.metrics import Metrics


class Health:
    """Parts report a problem under their name and clear it when they are well again.

    A note is seen on the page as a problem is, but the program is ready all the same.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._problems: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._gauge = metrics.ready

    def report(self, part: str, problem: str) -> bool:
        """True where this changes what was known: a state is logged when it changes, not while it lasts."""
        changed = self._problems.get(part) != problem
        self._problems[part] = problem
        self._gauge.set(0)
        return changed

    def clear(self, part: str) -> bool:
        changed = self._problems.pop(part, None) is not None
        self._gauge.set(0 if self._problems else 1)
        return changed

    def problems(self) -> tuple[str, ...]:
        return _told(self._problems)

    def note(self, part: str, words: str) -> bool:
        """True where there was none; its figures may change from time to time."""
        new = part not in self._notes
        self._notes[part] = words
        return new

    def forget(self, part: str) -> bool:
        """True where there was a note."""
        return self._notes.pop(part, None) is not None

    def notes(self) -> tuple[str, ...]:
        return _told(self._notes)


def _told(found: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{part}: {words}" for part, words in sorted(found.items()))
