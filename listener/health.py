"""What keeps the program from being ready, in words; the readiness page and the ready metric read it."""

from listener.metrics import Metrics


class Health:
    """Parts report a problem under their name and clear it when they are well again."""

    def __init__(self, metrics: Metrics) -> None:
        self._problems: dict[str, str] = {}
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
        return tuple(f"{part}: {problem}" for part, problem in sorted(self._problems.items()))
