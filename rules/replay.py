"""Rows of a log, or of a file, through the engine at the ticks between them: the clock is the rows'.

The daemon runs the same driver on its log, so a replay differs from it in nothing.
"""

from datetime import datetime, timedelta

from alerts import AlertEvent
from rules.engine import Engine
from rules.log import Row


class Driver:
    """Tick T sees exactly the rows with ``at`` before T. Ticks at which nothing can change are passed over."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def feed(self, row: Row) -> tuple[AlertEvent, ...]:
        """Run the ticks up to the row's time, then take the row; what those ticks decided."""
        events = self.advance(row.at)
        self.engine.observe(row)
        return events

    def advance(self, now: datetime) -> tuple[AlertEvent, ...]:
        """Run the ticks up to *now*, included; nothing before the first row ever."""
        engine, events = self.engine, list[AlertEvent]()
        if engine.next is None or now < engine.next:
            return ()
        last = self._last(now)
        while engine.next is not None and engine.next <= last:
            due = engine.due()
            if due is None or due > last:
                engine.skip(last)
                break
            if due > engine.next:
                engine.skip(due - engine.step)
            events.extend(engine.evaluate(due))
        return tuple(events)

    def run_out(self) -> tuple[AlertEvent, ...]:
        """Let time go on, with no more rows, until every alert is over.

        It ends by itself where sources count as healthy; where one is blind its alerts stay open, and this stops when
        nothing has been told for twice as long as the slowest rule takes. What holds without mentions ends of age and opens
        anew for ever; that is followed for the longest ``max_age`` and no further.
        """
        engine, events = self.engine, list[AlertEvent]()
        begin = told_at = engine.next
        patience = 2 * engine.slowest + timedelta(hours=1)
        oldest = max((one.plan.rule.max_age for one in engine.running.values()), default=timedelta(0))
        while engine.restless and (due := engine.due()) is not None:
            begin, told_at = begin or due, told_at or due
            if due - told_at > patience or due - begin > patience + oldest:
                break
            if told := self.advance(due):
                events.extend(told)
                told_at = due
        return tuple(events)

    def next_tick(self, now: datetime) -> datetime:
        """The first tick after *now* that has not been run."""
        after = self.engine.at_or_after(now + timedelta(microseconds=1))
        return max(after, self.engine.next) if self.engine.next is not None else after

    def _last(self, now: datetime) -> datetime:
        """The last tick that is not after *now*."""
        tick = self.engine.at_or_after(now)
        return tick if tick <= now else tick - self.engine.step
