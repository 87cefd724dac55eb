"""What the conditions that count mentions share."""

from rules.panes import Tally
from rules.reading import Figures


def figures(tally: Tally, *, share: float | None = None, factor: float | None = None) -> Figures:
    return Figures(
        mentions=tally.mentions,
        authors=len(tally.authors),
        channels=len(tally.names("channel")),
        reach=tally.people,
        share=share,
        factor=factor,
    )
