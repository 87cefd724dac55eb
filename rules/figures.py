"""What is counted of a window, in the figures that a rule's levels ask for."""

from typing import NamedTuple


class Figures(NamedTuple):
    """What the levels' tests compare. Those that are None are read by no condition of the rule.

    ``reach``: people, summed over mentions; ``sources``: where they come from, by name. ``factor`` is infinite where
    nothing was expected. ``surprise``: -log10 of how rare it is; ``doubling``: minutes.
    """

    mentions: int = 0
    authors: int = 0
    channels: int = 0
    sites: int = 0
    stories: int = 0
    reach: int = 0
    sources: tuple[str, ...] = ()
    share: float | None = None
    factor: float | None = None
    surprise: float | None = None
    doubling: float | None = None
