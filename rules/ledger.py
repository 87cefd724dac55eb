"""Where a mention counts: rules that count alike share their series, so that each mention is counted once for all of them.

Rules count alike where topics, ``by``, filter, windows and allowance are the same. They share a key's series where they
have had it from its first mention on; one that lets go of a key, or comes later, begins a series of its own, so that no
rule ever reads otherwise for another that stands beside it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from rules.facts import Facts
from rules.panes import OTHER, KeyValues, Series, Shape, minute_of
from rules.recent import Ref

if TYPE_CHECKING:
    from rules.plan import Plan
    from rules.rule import RuleConfig
    from rules.running import Running


class Sheet:
    """The series of one filter, windows and allowance, by key; ``readers``: the rules that count so."""

    def __init__(self, ledger: "Ledger", shape: Shape, allowance: timedelta) -> None:
        self.ledger = ledger
        self.shape = shape
        self.allowance = allowance
        self.readers: list[Running] = []
        self._series: dict[KeyValues, list[Series]] = {}
        self._settled: dict[KeyValues, list[Series]] = {}
        self._moved: dict[Series, Series] = {}

    def enter(self, rule: "Running") -> None:
        self.readers.append(rule)
        self._settled.clear()

    def retire(self, rule: "Running") -> None:
        """A rule that has let go of its keys counts here no more."""
        self.readers.remove(rule)
        self._settled.clear()
        if not self.readers:
            self.ledger.remove(self)

    def opened(self, values: KeyValues, now: datetime) -> Sequence[Series]:
        """The series that a mention with this key counts in; a rule that has no such key yet gets one."""
        settled = self._settled.get(values)
        if settled is not None:
            return settled
        keys = [rule.open(values, now) for rule in self.readers]
        found = list(dict.fromkeys(key.series[self.shape.id] for key in keys))
        # What overflows may come under any key, so only a key of its own is remembered.
        if all(key.values == values for key in keys):
            self._settled[values] = found
        return found

    def held(self, values: KeyValues) -> Iterable[Series]:
        """The series that a mention with this key may have been counted in."""
        settled = self._settled.get(values)
        if settled is not None:
            return settled
        keys = (rule.holding(values) for rule in self.readers)
        return dict.fromkeys(key.series[self.shape.id] for key in keys if key is not None)

    def join(self, rule: "Running", values: KeyValues, now: datetime) -> Series:
        """A series in which nothing has been counted yet."""
        series = next((one for one in self._series.get(values, ()) if one.first is None), None)
        # What overflows in one rule has a key of its own in another.
        if series is None or OTHER in values:
            series = Series(self.shape, values, now)
            self._keep(series)
        series.readers.append(rule)
        return series

    def leave(self, rule: "Running", series: Series) -> None:
        series.readers.remove(rule)
        self._settled.pop(series.values, None)
        if not series.readers:
            there = self._series[series.values]
            there.remove(series)
            if not there:
                del self._series[series.values]

    def adopt(self, rule: "Running", series: Series, now: datetime) -> Series:
        """Go on over this sheet's windows with what *rule* has just left; what comes by the same edit shares it."""
        if series.shape is self.shape:
            self.restore(rule, series)
            return series
        if series.first is None:
            return self.join(rule, series.values, now)
        moved = self._moved.get(series)
        if moved is None or not moved.readers:
            moved = series.copy() if series.readers else series
            moved.take_shape(self.shape, minute_of(now))
            self._moved[series] = moved
            self._keep(moved)
        moved.readers.append(rule)
        return moved

    def let_go(self) -> None:
        """An edit is over: what its rules have left is let go of."""
        self._moved.clear()

    def restore(self, rule: "Running", series: Series) -> None:
        """Let *rule* read a series that is this sheet's already, or is in a snapshot."""
        if not series.readers:
            self._keep(series)
        series.readers.append(rule)

    def _keep(self, series: Series) -> None:
        self._series.setdefault(series.values, []).append(series)


class Ledger:
    """The sheets of the rules with the same topics and the same ``by``."""

    def __init__(self, ledgers: "Ledgers", rule: "RuleConfig") -> None:
        self._ledgers = ledgers
        self.by = rule.by
        self.order = {topic: place for place, topic in enumerate(rule.topics)}
        self.sheets: dict[tuple[str, tuple[int, ...], tuple[int, ...], timedelta], Sheet] = {}
        self._by_filter: dict[str, list[Sheet]] = {}
        self._values = _values(rule.by)

    def sheet(self, shape: Shape, allowance: timedelta) -> Sheet:
        name = (shape.id, shape.windows, shape.totals, allowance)
        sheet = self.sheets.get(name)
        if sheet is None:
            sheet = self.sheets[name] = Sheet(self, shape, allowance)
            self._by_filter.setdefault(shape.id, []).append(sheet)
        return sheet

    def remove(self, sheet: Sheet) -> None:
        shape = sheet.shape
        del self.sheets[shape.id, shape.windows, shape.totals, sheet.allowance]
        self._by_filter[shape.id].remove(sheet)
        if not self._by_filter[shape.id]:
            del self._by_filter[shape.id]
        if not self.sheets:
            self._ledgers.remove(self)

    def place(self, ref: Ref, facts: Collection[Facts], now: datetime, changed: set[Series]) -> None:
        """Count a mention, once per key, as the first of the topics that it matched."""
        for values, one in self._by_key(facts):
            sheets = self._concerned(one)
            # All keys come to be before anything is counted in any.
            found = [(sheet, sheet.opened(values, now)) for sheet in sheets]
            for sheet, each in found:
                fresh = ref.fresh(sheet.allowance)
                for series in each:
                    series.put(ref.minute, one, fresh=fresh)
                changed.update(each)

    def displace(self, ref: Ref, changed: set[Series]) -> None:
        """Undo ``place`` for what is counted still."""
        for values, one in self._by_key(ref.facts.values()):
            for sheet in self._concerned(one):
                for series in sheet.held(values):
                    if ref.placed >= series.born:
                        series.take(ref.minute, one, fresh=ref.fresh(sheet.allowance))
                        changed.add(series)

    def _concerned(self, facts: Facts) -> list[Sheet]:
        found: list[Sheet] = []
        for sheets in self._by_filter.values():
            if sheets[0].shape.test(facts):
                found += sheets
        return found

    def _by_key(self, facts: Collection[Facts]) -> Iterable[tuple[KeyValues, Facts]]:
        order, values = self.order, self._values
        if len(facts) == 1:
            return [(values(one), one) for one in facts if one.topic in order]
        found: dict[KeyValues, Facts] = {}
        for one in sorted((one for one in facts if one.topic in order), key=lambda one: order[one.topic]):
            found.setdefault(values(one), one)
        return found.items()


class Ledgers:
    """All that is counted."""

    def __init__(self) -> None:
        self._ledgers: dict[tuple[tuple[str, ...], tuple[str, ...]], Ledger] = {}
        self._by_topic: dict[str, list[Ledger]] = {}
        self._changed: set[Series] = set()

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        return tuple(sheet for ledger in self._ledgers.values() for sheet in ledger.sheets.values())

    def enter(self, rule: "Running", plan: "Plan") -> dict[str, Sheet]:
        """The sheets, by shape, that a rule counts in from now on."""
        config = plan.rule
        ledger = self._ledgers.get((config.topics, config.by))
        if ledger is None:
            ledger = self._ledgers[config.topics, config.by] = Ledger(self, config)
            for topic in config.topics:
                self._by_topic.setdefault(topic, []).append(ledger)
        sheets = {shape.id: ledger.sheet(shape, plan.allowance) for shape in plan.shapes}
        for sheet in sheets.values():
            sheet.enter(rule)
        return sheets

    def remove(self, ledger: Ledger) -> None:
        del self._ledgers[tuple(ledger.order), ledger.by]
        for topic in ledger.order:
            self._by_topic[topic].remove(ledger)

    def let_go(self) -> None:
        """An edit is over, for all sheets."""
        for sheet in self.sheets:
            sheet.let_go()

    def place(self, ref: Ref, facts: Mapping[str, Facts], now: datetime) -> None:
        """Count a mention as *facts*, at tick *now*."""
        for ledger in self._of(facts):
            ledger.place(ref, facts.values(), now, self._changed)

    def displace(self, ref: Ref) -> None:
        """Undo what a mention counted as."""
        for ledger in self._of(ref.facts):
            ledger.displace(ref, self._changed)

    def mark(self) -> None:
        """Tell the rules which of their keys have changed since they were told last."""
        for series in self._changed:
            for rule in series.readers:
                rule.dirty.add(series.values)
        self._changed.clear()

    def _of(self, topics: Collection[str]) -> Iterable[Ledger]:
        if len(topics) == 1:
            return self._by_topic.get(next(iter(topics)), ())
        return dict.fromkeys(ledger for topic in topics for ledger in self._by_topic.get(topic, ()))


def _values(by: tuple[str, ...]) -> Callable[[Facts], KeyValues]:
    if len(by) == 1:
        one = attrgetter(by[0])
        return lambda facts: (one(facts),)
    return attrgetter(*by)
