"""How many there were around an alert, and how many are usual: what a message's chart is drawn from."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The mentions of one slot, counted from ``at``. ``usual``: from and to, where enough is known to say."""

    at: datetime
    count: int
    negative: int
    usual: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """A topic's mentions, slot by slot without gaps, oldest first.

    What is usual is the mean, give or take one standard deviation, of the same time of day and week in the ``weeks``
    before; the neighbouring slots count too, so that few weeks give a steady figure. 0: too little is known.
    """

    points: tuple[TrendPoint, ...]
    slot: timedelta
    weeks: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture for a message: a PNG; ``text`` says the same in words."""

    png: bytes
    text: str
