"""Whether the loops still move: each notes by when it will have taken its next step."""

from datetime import datetime, timedelta

PATIENCE = timedelta(minutes=1)


class Pulse:
    """``patience``: how long a step may take, and how long after it was due it may begin."""

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self.patience = patience
        self._expected: dict[str, datetime] = {}

    def began(self, loop: str, now: datetime) -> None:
        """A step is under way."""
        self._expected[loop] = now

    def ended(self, loop: str, due: datetime) -> None:
        """It has ended, and the next one is due then."""
        self._expected[loop] = due

    def rests(self, loop: str) -> None:
        """The loop has nothing to do until something comes."""
        self._expected.pop(loop, None)

    def stuck(self, now: datetime) -> tuple[str, ...]:
        """The loops that should have moved by *now*."""
        return tuple(sorted(loop for loop, at in self._expected.items() if now - at >= self.patience))
