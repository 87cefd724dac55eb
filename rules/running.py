"""A rule at work: its keys, their panes, and which of them have to be read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from alerts import Level
from rules.conditions.combine import all_of, read_each
from rules.episode import Episode, forget
from rules.facts import Facts
from rules.panes import OTHER, Series, kept, minute_of
from rules.plan import Plan
from rules.reading import Reading, State
from rules.recent import Ref
from rules.view import View
from rules.watermark import Watermarks

MAX_KEYS = 5_000
"""Keys of a rule; what comes past that counts under a key whose channel and source are ``__other__``."""

KeyValues = tuple[str, ...]


@dataclass(slots=True)
class Key:
    """One value of a rule's ``by``: its panes by shape, its episode, and what the conditions remember.

    ``awake``: it may come to hold by the passing of time alone, but not before minute ``wakes``.
    ``identity``: its alerts' fingerprint.
    ``last``: what was read of it last, which stands until a row comes for it or its windows move.
    """

    values: KeyValues
    series: dict[str, Series]
    episode: Episode | None = None
    state: State = None
    awake: bool = False
    wakes: int = 0
    identity: str = ""
    last: "Read | None" = None


@dataclass(frozen=True, slots=True)
class Read:
    """What a key says: its reading, the level that the rule gives it, and the sources that stand in its windows."""

    reading: Reading
    level: Level | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A key as it was read, and what its conditions remember from now on."""

    key: Key
    read: Read
    state: State


class Running:
    """``since``: the minute from which on a filter has been watched; ``topics``: a topic.

    ``born``: the tick at which a filter's counting began.
    ``blurred_until``: after an edit that changed what is counted, until when its windows are not full again.
    """

    def __init__(self, plan: Plan, now: datetime, marks: Watermarks) -> None:
        self.plan = plan
        self._marks = marks
        self.since = {shape.id: minute_of(now) for shape in plan.shapes}
        self.topics = dict.fromkeys(plan.rule.topics, minute_of(now))
        self.born = {shape.id: now for shape in plan.shapes}
        self.blurred_until: datetime | None = None
        self._watched: dict[str, Mapping[str, int]] = {}
        self.keys: dict[KeyValues, Key] = {}
        self.dirty: set[KeyValues] = set()
        self.active: set[KeyValues] = set()
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
        self.born = {one.id: self.born.get(one.id, now) for one in plan.shapes}
        if grown:
            self.blurred_until = now + plan.rule.longest_window
        for key in self.keys.values():
            series = {}
            for shape in plan.shapes:
                counted = key.series.get(shape.id)
                if counted is None:
                    counted = Series(shape)
                else:
                    counted.take_shape(shape, minute)
                series[shape.id] = counted
            key.series = series
            key.last = None
            if not same:
                key.state = None
        self.dirty.update(self.keys)

    def place(self, ref: Ref, facts: Iterable[Facts], *, fresh: bool) -> None:
        """Count a mention, once per key, as the first of the rule's topics that it matched."""
        for values, one in self._by_key(facts).items():
            for shape in self.plan.shapes:
                if shape.test(one):
                    key = self._key(values)
                    key.series[shape.id].put(ref.minute, one, fresh=fresh)
                    self.dirty.add(key.values)

    def displace(self, ref: Ref, facts: Iterable[Facts], *, fresh: bool) -> None:
        """Undo ``place`` for what is counted still."""
        for values, one in self._by_key(facts).items():
            key = self.keys.get(values) or self.keys.get(self._other(values))
            if key is None:
                continue
            for shape in self.plan.shapes:
                if ref.placed >= self.born[shape.id] and shape.test(one):
                    key.series[shape.id].take(ref.minute, one, fresh=fresh)
                    self.dirty.add(key.values)

    def read(self, now: datetime, *, turned: bool) -> list[Outcome]:
        """Every key that may have something to say. ``turned``: a new minute has begun, so windows have moved."""
        minute = minute_of(now)
        woken = [values for values, wakes in self.awake.items() if wakes <= minute] if turned else []
        due = {*self.dirty, *self.active, *woken}
        outcomes = []
        for values in sorted(due):
            key = self.keys[values]
            # Between two minutes windows stand still, so what was read of an open alert still holds.
            if key.last is not None and not turned and values not in self.dirty:
                outcomes.append(Outcome(key, key.last, key.state))
            elif key.episode is not None or not self._below(key, minute):
                outcomes.append(self._read(key, now))
            else:
                self.awake.pop(values, None)
        return outcomes

    def _below(self, key: Key, minute: int) -> bool:
        """Whether there are too few mentions for the rule to hold, whatever else may be."""
        for shape, place, least in self.plan.gates:
            series = key.series[shape]
            series.advance(minute)
            if series.tallies[place].mentions < least:
                key.awake = False
                return True
        return False

    def view(self, key: Key, now: datetime) -> View:
        return View(self.plan, key.series, self._since(key.values), self._marks, now)

    def _read(self, key: Key, now: datetime) -> Outcome:
        view, rule = self.view(key, now), self.plan.rule
        readings, state = read_each(rule.conditions, view, key.state, now)
        reading = all_of(rule.conditions, readings)
        had = key.episode.level if key.episode is not None and key.episode.told_open else None
        level = rule.level(reading, had) if reading.holds else None
        if level is None:
            return Outcome(key, Read(reading, None, ()), state)
        sources = {name for leaf in self.plan.leaves for name in view.tally(leaf).names("source")}
        return Outcome(key, Read(reading, level, tuple(sorted(sources))), state)

    def drop(self, values: KeyValues) -> None:
        """Forget a key, whatever it holds."""
        del self.keys[values]
        self.dirty.discard(values)
        self.active.discard(values)
        self.awake.pop(values, None)

    def keep(self, outcome: Outcome, episode: Episode | None) -> None:
        """Take an outcome over."""
        key, reading = outcome.key, outcome.read.reading
        key.state, key.episode, key.awake = outcome.state, episode, reading.awake
        if reading.awake:
            key.wakes = min(reading.turns, *(one.stands_until() for one in key.series.values()))
        self.mark(key)
        key.last = outcome.read if episode is not None and episode.active else None

    def mark(self, key: Key) -> None:
        """Sort a key by when it has to be read."""
        alive = key.episode is not None and key.episode.active
        (self.active.add if alive else self.active.discard)(key.values)
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
            if key.episode is None and not any(one.remembers(minute) for one in key.series.values()):
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

    def _by_key(self, facts: Iterable[Facts]) -> dict[KeyValues, Facts]:
        order = self.plan.order
        concerned = [one for one in facts if one.topic in order]
        if len(concerned) > 1:
            concerned.sort(key=lambda one: order[one.topic])
        found: dict[KeyValues, Facts] = {}
        for one in concerned:
            found.setdefault(self._values(one), one)
        return found

    def _values(self, facts: Facts) -> KeyValues:
        return tuple([getattr(facts, name) for name in self.plan.rule.by])

    def _other(self, values: KeyValues) -> KeyValues:
        return tuple(value if name == "topic" else OTHER for name, value in zip(self.plan.rule.by, values, strict=True))

    def _key(self, values: KeyValues) -> Key:
        key = self.keys.get(values)
        if key is None and len(self.keys) >= MAX_KEYS:
            values = self._other(values)
            key = self.keys.get(values)
        if key is None:
            key = self.keys[values] = Key(values, {shape.id: Series(shape) for shape in self.plan.shapes})
        return key


def all_patterns(rules: Iterable[Running]) -> list[tuple[str, ...]]:
    return sorted(set(chain.from_iterable(rule.plan.patterns for rule in rules)))


def all_lexicons(rules: Iterable[Running]) -> list[tuple[str, ...]]:
    return sorted(set(chain.from_iterable(rule.plan.lexicons for rule in rules)))
