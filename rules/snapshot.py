"""The engine's whole state as one JSON text, and back: a cache of the log, never the truth."""

import json
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.coder import coder
from rules.engine import Engine
from rules.episode import Episode
from rules.facts import Facts
from rules.facts import Key as CountedKey
from rules.key import Key
from rules.ledger import Sheet
from rules.log import MentionRow, PollRow, RevisionRow, Row, RulesRow, ScoreRow, StoryRow
from rules.panes import EPOCH, KeyValues, Pane, Series, minute_of
from rules.plan import plan
from rules.recent import Recent, Ref
from rules.rollup import Rollup
from rules.ruleset import RuleError, load_ruleset, ruleset_json
from rules.running import Running
from rules.story_known import Card
from rules.watermark import Seen

FORMAT = 7
"""Raised with every change of what is kept; a snapshot of another format is refused, and the log is read instead."""

_ROWS: dict[str, type] = {
    "mention": MentionRow,
    "story": StoryRow,
    "revision": RevisionRow,
    "poll": PollRow,
    "score": ScoreRow,
    "rules": RulesRow,
}
_KINDS = {row: kind for kind, row in _ROWS.items()}
_CODERS = {kind: coder(row) for kind, row in _ROWS.items()}
_TIME = coder(datetime | None)
_EPISODE = coder(Episode | None)
_FACTS = coder(Facts)
_SEEN = coder(Seen)
_REF = coder(Ref)
_CARDS = coder(Mapping[str, Card])


class _Shared:
    """What stands in many places, series, facts and counted keys, is written once, and pointed at by its place."""

    def __init__(self) -> None:
        self.series: dict[Series, int] = {}
        self.facts: list[Any] = []
        self.keys: dict[CountedKey, int] = {}
        self._places: dict[int, int] = {}

    def place(self, facts: Facts) -> int:
        place = self._places.get(id(facts))
        if place is None:
            place = self._places[id(facts)] = len(self.facts)
            self.facts.append(_FACTS.dump(facts))
        return place

    def row(self, series: Series) -> int:
        return self.series.setdefault(series, len(self.series))

    def key(self, key: CountedKey) -> int:
        return self.keys.setdefault(key, len(self.keys))


@dataclass(frozen=True, slots=True)
class _Tables:
    """What places point at, read back."""

    facts: tuple[Facts, ...]
    keys: tuple[CountedKey, ...]


def dump(engine: Engine) -> str:
    shared = _Shared()
    minute = minute_of(engine.tick) if engine.tick else 0
    state = {
        "format": FORMAT,
        "step": engine.step.total_seconds(),
        "healthy": engine.assume_healthy,
        "seq": engine.seq,
        "tick": _TIME.dump(engine.tick),
        "next": _TIME.dump(engine.next),
        "late": [[rule, source, count] for (rule, source), count in sorted(engine.late.items())],
        "failures": dict(sorted(engine.failures.items())),
        "configured": sorted(engine.marks.configured),
        "dark": list(engine.marks.dark_hours),
        "seen": {name: _SEEN.dump(seen) for name, seen in sorted(engine.marks.seen.items())},
        "set": ruleset_json(
            engine.rule_set.rules, engine.rule_set.brands, engine.rule_set.sources, engine.rule_set.calendar
        ),
        "rules": {rule.id: _dump_rule(rule, shared) for rule in engine.running.values()},
        "recent": [_dump_ref(ref, shared) for ref in engine.recent.refs.values()],
        "stories": _CARDS.dump(engine.stories.cards),
        "aliases": engine.stories.aliases,
        "pending": [_dump_row(row) for row in engine.pending],
    }
    state["series"] = [_dump_series(series, minute, shared) for series in shared.series]
    state["facts"] = shared.facts
    state["keys"] = list(shared.keys)
    return json.dumps(state, separators=(",", ":"))


def load(text: str) -> Engine:
    """Raises ValueError for a text that is no snapshot, or one of another format."""
    try:
        return _load(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuleError) as error:
        raise ValueError(f"not a snapshot of the engine: {type(error).__name__}: {error}") from error


def _load(state: Mapping[str, Any]) -> Engine:
    if state["format"] != FORMAT:
        raise ValueError(f"format {state['format']} is not {FORMAT}")
    engine = Engine(timedelta(seconds=state["step"]), assume_healthy=state["healthy"])
    facts = tuple(_FACTS.load(row) for row in state["facts"])
    tables = _Tables(facts, tuple((kind, name) for kind, name in state["keys"]))
    tick: datetime | None = _TIME.load(state["tick"])
    minute = minute_of(tick) if tick else 0
    engine.marks.configure(state["configured"])
    engine.marks.seen = {name: _SEEN.load(seen) for name, seen in state["seen"].items()}
    engine.marks.dark_hours = dict.fromkeys(state["dark"])
    engine.rule_set = load_ruleset(state["set"])
    plans = {rule.id: plan(rule, engine.rule_set.calendar) for rule in engine.rule_set.rules}
    running = {name: Running(plans[name], EPOCH, engine.marks, engine.ledgers) for name in state["rules"]}
    restored = _Restored(state["series"], minute, tables)
    for name, rule in running.items():
        _load_rule(rule, state["rules"][name], restored)
    engine.run(running)
    engine.recent = Recent()
    for row in state["recent"]:
        engine.recent.add(_load_ref(row, facts))
    engine.stories.restore(_CARDS.load(state["stories"]), state["aliases"])
    for kind, row in state["pending"]:
        engine.observe(_CODERS[kind].load(row))
    engine.seq, engine.tick, engine.next = state["seq"], tick, _TIME.load(state["next"])
    engine.late = Counter({(rule, source): count for rule, source, count in state["late"]})
    engine.failures = dict(state["failures"])
    return engine


def _dump_row(row: Row) -> list[Any]:
    kind = _KINDS[type(row)]
    return [kind, _CODERS[kind].dump(row)]


def _dump_ref(ref: Ref, shared: _Shared) -> list[Any]:
    facts = [shared.place(one) for one in ref.facts.values()]
    return [_REF.dump(ref._replace(facts={})), facts]


def _load_ref(row: list[Any], facts: tuple[Facts, ...]) -> Ref:
    bare: Ref = _REF.load(row[0])
    return bare._replace(facts={facts[place].topic: facts[place] for place in row[1]})


def _dump_rule(rule: Running, shared: _Shared) -> dict[str, Any]:
    return {
        "since": rule.since,
        "topics": rule.topics,
        "blurred": _TIME.dump(rule.blurred_until),
        "dirty": sorted(rule.dirty),
        "keys": [_dump_key(key, shared) for _, key in sorted(rule.keys.items())],
    }


def _load_rule(rule: Running, state: Mapping[str, Any], restored: "_Restored") -> None:
    rule.since, rule.topics = dict(state["since"]), dict(state["topics"])
    rule.blurred_until = _TIME.load(state["blurred"])
    for row in state["keys"]:
        key = _load_key(row, rule, restored)
        rule.keys[key.values] = key
        rule.mark(key)
    rule.dirty = {tuple(values) for values in state["dirty"]}


def _dump_key(key: Key, shared: _Shared) -> list[Any]:
    """Its series by their places, in the order of the plan's shapes, as its rollups."""
    series = [shared.row(one) for one in key.series.values()]
    rollups = [_dump_rollup(one) for one in key.rollups.values()]
    return [key.values, _EPISODE.dump(key.episode), key.state, key.awake, key.wakes, series, rollups]


def _load_key(row: list[Any], rule: Running, restored: "_Restored") -> Key:
    values, episode, state, awake, wakes, series, rollups = row
    key = Key(tuple(values), {}, {}, _EPISODE.load(episode), state, awake, wakes)
    for sheet, place in zip(rule.sheets.values(), series, strict=True):
        key.series[sheet.shape.id] = restored.series(place, sheet, key.values)
        sheet.restore(rule, key.series[sheet.shape.id])
    rule.feed(key, {})
    for rollup, kept in zip(key.rollups.values(), rollups, strict=True):
        _load_rollup(rollup, kept)
    return key


class _Restored:
    """The series of a snapshot, each made when the first that reads it asks for it."""

    def __init__(self, rows: list[Any], minute: int, tables: _Tables) -> None:
        self._rows = rows
        self._minute = minute
        self._tables = tables
        self._made: dict[int, Series] = {}

    def series(self, place: int, sheet: Sheet, values: KeyValues) -> Series:
        """Raises ValueError where those who share it do not count alike."""
        series = self._made.get(place)
        if series is None:
            series = self._made[place] = Series(sheet.shape, values)
            _load_series(series, self._rows[place], self._minute, self._tables)
        if series.shape is not sheet.shape or series.values != values:
            raise ValueError("a series is shared by rules that do not count alike")
        return series


def _dump_series(series: Series, minute: int, shared: _Shared) -> list[Any]:
    """Birth, the first pane, minute and count in turn, and the panes; flat lists of numbers, because there are many."""
    # What no window reaches any more goes first, so that a state has one form.
    series.advance(minute)
    every = [value for number in series.minutes for value in (number, series.every[number])]
    panes = [_dump_pane(number, pane, shared) for number, pane in sorted(series.panes.items())]
    vocabulary = series.vocabulary
    words = [[word, *used, *vocabulary.voices.get(word, ())] for word, used in vocabulary.words.items()]
    return [_TIME.dump(series.born), series.first, every, panes, words]


def _load_series(series: Series, row: list[Any], minute: int, tables: _Tables) -> None:
    born, series.first, every, panes, words = row
    series.born = _TIME.load(born)
    series.minutes = every[::2]
    series.every = dict(zip(series.minutes, every[1::2], strict=True))
    series.panes = {flat[0]: _load_pane(flat, tables) for flat in panes}
    series.take_shape(series.shape, minute)
    series.vocabulary.words = {word: (first, last) for word, first, last, *_ in words}
    series.vocabulary.voices = {word: tuple(voices) for word, _, _, *voices in words if voices}


def _dump_rollup(rollup: Rollup) -> list[Any]:
    """The first bin, what is learnt up to where, and the figures: packed, since there are thousands."""
    names = [[number, *sorted(held.items())] for number, held in sorted(rollup.names.items())]
    learnt = _pack(rollup.normal.dump()) if rollup.upto is not None else ""
    figures = (_pack(rollup.counts.tobytes()), _pack(rollup.marked.tobytes()), learnt)
    return [rollup.base, rollup.upto, rollup.stale, rollup.changes, *figures, names]


def _load_rollup(rollup: Rollup, row: list[Any]) -> None:
    rollup.base, rollup.upto, rollup.stale, rollup.changes, counts, marked, learnt, names = row
    rollup.counts.frombytes(_unpack(counts))
    rollup.marked.frombytes(_unpack(marked))
    if rollup.upto is not None:
        rollup.normal.load(_unpack(learnt))
    rollup.names = {number: dict(held) for number, *held in names}


def _pack(data: bytes) -> str:
    return b64encode(zlib.compress(data, 1)).decode()


def _unpack(text: str) -> bytes:
    return zlib.decompress(b64decode(text))


def _dump_pane(number: int, pane: Facts | Pane, shared: _Shared) -> list[int]:
    """Its number and its facts' place; or number, mentions, people, how many tell, authors and stories, these, the rest."""
    if not isinstance(pane, Pane):
        return [number, shared.place(pane)]
    flat = [number, pane.mentions, pane.people, len(pane.telling), len(pane.authors), len(pane.stories)]
    flat.extend([shared.place(one) for one in pane.telling])
    for who, count in sorted(pane.authors.items()):
        flat += (shared.key(("author", who)), count)
    for story, count in sorted(pane.stories.items()):
        flat += (shared.key(("story", story)), count)
    for key, count in sorted(pane.rest.items()):
        flat += (shared.key(key), count)
    return flat


def _load_pane(flat: list[int], tables: _Tables) -> Facts | Pane:
    if len(flat) == 2:
        return tables.facts[flat[1]]
    _, mentions, people, telling, authors, stories = flat[:6]
    pane = Pane()
    pane.mentions, pane.people = mentions, people
    pane.telling = [tables.facts[place] for place in flat[6 : 6 + telling]]
    counted = flat[6 + telling :]
    pairs = list(zip(counted[::2], counted[1::2], strict=True))
    pane.authors = {tables.keys[place][1]: count for place, count in pairs[:authors]}
    pane.stories = {tables.keys[place][1]: count for place, count in pairs[authors : authors + stories]}
    pane.rest = {tables.keys[place]: count for place, count in pairs[authors + stories :]}
    return pane
