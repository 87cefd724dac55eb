"""A rule set over rows that were recorded under another: the log's own rules are passed over, all else is as it was."""

from datetime import datetime

from alerts import AlertEvent
from rules.engine import Engine
from rules.log import Row, RulesRow
from rules.replay import Driver


class Trial:
    """``rules``: as a RulesRow carries them. They hold from the first row on."""

    def __init__(self, engine: Engine, rules: str, sources: tuple[str, ...]) -> None:
        self._driver = Driver(engine)
        self._rules = rules
        self._sources = sources
        self._begun = False

    def feed(self, row: Row) -> tuple[AlertEvent, ...]:
        if not self._begun:
            self._begun = True
            self._driver.feed(RulesRow(0, row.at, self._rules, self._sources))
        return () if isinstance(row, RulesRow) else self._driver.feed(row)

    def advance(self, now: datetime) -> tuple[AlertEvent, ...]:
        """Run the ticks up to *now*, included."""
        return self._driver.advance(now)

    def run_out(self) -> tuple[AlertEvent, ...]:
        """Let time go on until every alert is over; see Driver."""
        return self._driver.run_out()
