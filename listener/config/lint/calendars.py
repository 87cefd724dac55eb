"""Holidays that are not known yet."""

from collections.abc import Iterator
from datetime import date

from listener.config.findings import Finding
from listener.config.model import Config

_ANNOUNCED = 11
"""The month in which the State Council publishes the next year's holidays; a package follows within weeks."""


def calendar_findings(config: Config, today: date) -> Iterator[Finding]:
    """A warning where this year's holidays, or late in the year the next one's, are not known."""
    calendar = config.calendar
    needed = today.year + (today.month >= _ANNOUNCED)
    year = next((year for year in range(today.year, needed + 1) if not calendar.covers(year)), None)
    if year is not None:
        message = (
            f"the holidays of {year} are not known to the package chinese-calendar that is installed: upgrade it, or "
            "weekends alone will count as days of rest"
        )
        yield Finding("calendar-ends", ("calendars",), message)
