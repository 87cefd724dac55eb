"""A rule at work: its keys, their panes, and which of them have to be read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain

from alerts import Level
from rules.conditions.combine import read_all
from rules.episode import Episode, forget, steady, waits
from rules.key import Key, Outcome, Read, Round
from rules.ledger import Ledgers, Sheet
from rules.panes import MINUTE, OTHER, KeyValues, kept, minute_of
from rules.plan import Gate, Plan
from rules.reading import Reading
from rules.rollup import Roll, Rollup
from rules.view import View
from rules.watermark import Watermarks

MAX_KEYS = 5_000
"""Keys of a rule; what comes past that counts under a key whose channel and source are ``__other__``."""


class Running:
    """``since``: the minute from which on a filter has been watched; ``topics``: a topic.

    ``active``: keys with an open episode; ``restless``: those of them that time may change before a minute begins.
    ``blurred_until``: after an edit that changed what is counted, until when its windows are not full again.
    """

    def __init__(self, plan: Plan, now: datetime, marks: Watermarks, ledgers: Ledgers) -> None:
        self.plan = plan
        self._marks = marks
        self._ledgers = ledgers
        self.sheets = ledgers.enter(self, plan)
        self.since = {shape.id: minute_of(now) for shape in plan.shapes}
        self.topics = dict.fromkeys(plan.rule.topics, minute_of(now))
        self.blurred_until: datetime | None = None
        self._watched: dict[str, Mapping[str, int]] = {}
        self.keys: dict[KeyValues, Key] = {}
        self.dirty: set[KeyValues] = set()
        self.active: set[KeyValues] = set()
        self.restless: set[KeyValues] = set()
        self.awake: dict[KeyValues, int] = {}

    @property
    def id(self) -> str:
        return self.plan.rule.id

    def edit(self, plan: Plan, now: datetime) -> None:
        """Go on under another plan: what is counted alike is kept, the rest begins anew."""
        old = {shape.id: shape for shape in self.plan.shapes}
        minute = minute_of(now)
        grown = [one for one in plan.shapes if one.id not in old or one.windows[-1] > old[one.id].windows[-1]]
        longer = {one.id for one in plan.shapes if one.id in old and kept(one) > kept(old[one.id])}
        same = self.plan.rule.when == plan.rule.when
        self.plan = plan
        self._watched.clear()
        self.topics = {topic: self.topics.get(topic, minute) for topic in plan.rule.topics}
        self.since = {
            one.id: self.since[one.id] if one.id in old and one.id not in longer else minute for one in plan.shapes
        }
        if grown:
            self.blurred_until = now + plan.rule.longest_window
        before, self.sheets = self.sheets, self._ledgers.enter(self, plan)
        for key in self.keys.values():
            self._move(key, before, now)
            key.last = key.view = None
            if not same:
                key.state = None
        for sheet in before.values():
            sheet.retire(self)
        self.dirty.update(self.keys)

    def retire(self) -> None:
        """Count no more, once every key is dropped."""
        for sheet in self.sheets.values():
            sheet.retire(self)

    def open(self, values: KeyValues, now: datetime) -> Key:
        """The key that a mention counts under; one that is new begins at tick *now*."""
        key = self.keys.get(values)
        if key is None and len(self.keys) >= MAX_KEYS:
            values = self._other(values)
            key = self.keys.get(values)
        return key or self._begin(values, now)

    def holding(self, values: KeyValues) -> Key | None:
        """The key that a mention may have been counted under."""
        return self.keys.get(values) or self.keys.get(self._other(values))

    def waits(self, *, turned: bool) -> bool:
        """Whether there is no key to read."""
        return not (self.dirty or self.restless or (turned and (self.active or self.awake)))

    def read(self, now: datetime, *, turned: bool) -> Round:
        """Every key that may have something to say. ``turned``: a new minute has begun, so windows have moved."""
        minute = minute_of(now)
        woken = [values for values, wakes in self.awake.items() if wakes <= minute] if turned else []
        due = {*self.dirty, *(self.active if turned else self.restless), *woken}
        settled: list[Outcome] = []
        unsettled: list[Outcome] = []
        soon, enough = now + MINUTE, self.plan.enough
        for values in sorted(due):
            key = self.keys[values]
            # Between two minutes windows stand still, so what was read of an open alert still holds.
            if key.last is not None and not turned and values not in self.dirty:
                outcome = Outcome(key, key.last, key.state)
            elif enough is not None and key.last is not None and self._stands(key, enough, minute, soon):
                continue
            elif key.episode is not None or not self._below(key, minute):
                outcome = self._look(key, now, minute)
            else:
                self.awake.pop(values, None)
                continue
            (settled if self._settles(outcome, soon) else unsettled).append(outcome)
        return Round(settled, unsettled)

    def _settles(self, outcome: Outcome, soon: datetime) -> bool:
        """Whether nothing comes of an outcome before *soon*, a minute from now, but that it is what was read last."""
        key, (reading, level, sources), _ = outcome
        if key.awake != reading.awake:
            return False
        episode = key.episode
        if episode is None:
            return level is None and key.last is None
        if key.last is None:
            return False
        timing = self.plan.timing
        if key.values in self.restless:
            return waits(episode, level, timing, soon)
        return steady(episode, level, reading.value, sources) and not timing.aged(episode, soon)

    def _below(self, key: Key, minute: int) -> bool:
        """Whether there are too few mentions for the rule to hold, whatever else may be."""
        for shape, place, least in self.plan.gates:
            series = key.series[shape]
            series.advance(minute)
            if series.tallies[place].mentions < least:
                key.awake = False
                return True
        return False

    def _stands(self, key: Key, enough: Gate, minute: int, soon: datetime) -> bool:
        """Whether an alert that is open goes on as it is, by the count alone: most of what fires need not be read."""
        if key.episode is None:
            return False
        shape, place, least = enough
        series = key.series[shape]
        if series.minute < minute:
            series.advance(minute)
        tally = series.tallies[place]
        return (
            tally.mentions >= least
            and steady(key.episode, self.plan.level, tally.mentions, tally.figures.sources)
            and key.values not in self.restless
            and not self.plan.timing.aged(key.episode, soon)
        )

    def view(self, key: Key, now: datetime) -> View:
        return self._view(key).at(now, minute_of(now))

    def _view(self, key: Key) -> View:
        if key.view is None:
            key.view = View(self.plan, key, self._since(key.values), self._marks)
        return key.view

    def _read(self, key: Key, now: datetime) -> Outcome:
        return self._look(key, now, minute_of(now))

    def _look(self, key: Key, now: datetime, minute: int) -> Outcome:
        view = key.view or self._view(key)
        view.now = now
        if view.minute != minute:
            view.turn(minute)
        reading, state = read_all(self.plan.conditions, view, key.state, now)
        if not reading.holds:
            return Outcome(key, Read(reading, None, ()), state)
        level = self.plan.level or self._level(key, reading)
        return Outcome(key, Read(reading, level, view.sources(reading) if level is not None else ()), state)

    def _level(self, key: Key, reading: Reading) -> Level | None:
        had = key.episode.level if key.episode is not None and key.episode.told_open else None
        return self.plan.rule.level(reading, had)

    def drop(self, values: KeyValues) -> None:
        """Forget a key, whatever it holds."""
        self._leave(self.keys.pop(values), self.sheets)
        self.dirty.discard(values)
        self.active.discard(values)
        self.restless.discard(values)
        self.awake.pop(values, None)

    def stay(self, settled: Iterable[Outcome]) -> None:
        """Take over outcomes that are settled."""
        for key, read, state in settled:
            key.state = state
            if key.last is not None:
                key.last = read
            elif key.awake:
                self._wake(key, read)

    def keep(self, outcome: Outcome, episode: Episode | None, now: datetime) -> None:
        """Take an outcome over."""
        key, read = outcome.key, outcome.read
        # Until the next minute begins its windows stand still.
        steady = episode is not None and self.steady(episode, read, until=now + MINUTE)
        key.state, key.episode, key.awake = outcome.state, episode, read.reading.awake
        alive = episode is not None and episode.active
        if alive:
            # It is read whenever a minute begins.
            key.wakes = 0
        elif key.awake:
            self._wake(key, read)
        key.last = read if alive else None
        self.mark(key)
        if steady:
            self.restless.discard(key.values)

    def _wake(self, key: Key, read: Read) -> None:
        """Note when a key that has no alert open has to be read again, if no row comes for it."""
        key.wakes = min(read.reading.turns, *[one.stands_until for one in key.series.values()])
        self.awake[key.values] = key.wakes

    def steady(self, episode: Episode, read: Read, *, until: datetime) -> bool:
        """Whether an episode stays as it is up to *until* while this is read of it."""
        return steady(episode, read.level, read.reading.value, read.sources) and not self.plan.timing.aged(
            episode, until
        )

    def mark(self, key: Key) -> None:
        """Sort a key by when it has to be read."""
        alive = key.episode is not None and key.episode.active
        for keys in (self.active, self.restless):
            (keys.add if alive else keys.discard)(key.values)
        if key.awake:
            self.awake[key.values] = key.wakes
        else:
            self.awake.pop(key.values, None)

    def sweep(self, now: datetime) -> None:
        """Forget keys that hold nothing any more."""
        minute = minute_of(now)
        for values in [values for values in self.keys if values not in self.dirty]:
            key = self.keys[values]
            key.episode = forget(key.episode, now)
            for series in key.series.values():
                series.advance(minute)
            if (
                key.episode is None
                and not any(one.remembers(minute) for one in key.series.values())
                and not any(one.remembers(minute) for one in key.rollups.values())
            ):
                # What a condition remembers of a key that was not read since is for the condition to let go.
                if key.state is not None:
                    key.state = self._read(key, now).state
                if key.state is None:
                    self.drop(values)

    def _since(self, values: KeyValues) -> Mapping[str, int]:
        """Since when each filter was watched for a key: a topic that came later was not watched before."""
        by = self.plan.rule.by
        topic = values[by.index("topic")] if "topic" in by else ""
        since = self._watched.get(topic)
        if since is None:
            known = self.topics[topic] if topic else max(self.topics.values())
            since = self._watched[topic] = {shape: max(minute, known) for shape, minute in self.since.items()}
        return since

    def _other(self, values: KeyValues) -> KeyValues:
        return tuple(value if name == "topic" else OTHER for name, value in zip(self.plan.rule.by, values, strict=True))

    def _begin(self, values: KeyValues, now: datetime) -> Key:
        key = self.keys[values] = Key(values)
        for shape, sheet in self.sheets.items():
            key.series[shape] = sheet.join(self, values, now)
        self.feed(key, {})
        return key

    def _move(self, key: Key, before: Mapping[str, Sheet], now: datetime) -> None:
        """Let a key go on under the plan that holds now: what is counted alike is kept."""
        series, rollups = key.series, key.rollups
        self._leave(key, before)
        key.series = {}
        for shape, sheet in self.sheets.items():
            old = series.get(shape)
            key.series[shape] = sheet.join(self, key.values, now) if old is None else sheet.adopt(self, old, now)
        self.feed(key, rollups)

    def _leave(self, key: Key, sheets: Mapping[str, Sheet]) -> None:
        for (shape, _), rollup in key.rollups.items():
            key.series[shape].rollups.remove(rollup)
        for shape, series in key.series.items():
            sheets[shape].leave(self, series)

    def feed(self, key: Key, known: Mapping[tuple[str, Roll], Rollup]) -> None:
        """Give a key the rollups that the plan asks for, as they are where they are known, and let its series fill them."""
        key.rollups = {}
        for shape in self.plan.shapes:
            for roll in shape.rolls:
                rollup = known.get((shape.id, roll))
                if rollup is None or rollup.normal.calendar != shape.calendar:
                    rollup = Rollup(roll, shape.calendar)
                key.rollups[shape.id, roll] = rollup
                key.series[shape.id].rollups.append(rollup)


def all_patterns(rules: Iterable[Running]) -> list[tuple[str, ...]]:
    return sorted(set(chain.from_iterable(rule.plan.patterns for rule in rules)))


def all_lexicons(rules: Iterable[Running]) -> list[tuple[str, ...]]:
    return sorted(set(chain.from_iterable(rule.plan.lexicons for rule in rules)))
