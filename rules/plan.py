"""A rule made ready to run: which mentions it needs counted, over which windows, and what each condition reads."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta

from alerts import Level
from rules.calendar import Calendar
from rules.episode import Timing
from rules.facts import STORIES, TERMS, lexicon_id
from rules.filter import Filter, both
from rules.panes import MINUTE, Shape
from rules.pattern import pattern_id
from rules.reading import Condition, Leaf, Looks
from rules.rollup import Roll
from rules.rule import RuleConfig
from rules.wording import Phrases, mentions, span


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a condition's counts are: the shape's id, and places in its windows (tally, inner) and totals (near, far).

    ``window``: its window in minutes; ``counted``: where its counts by the bin are; ``phrases``: what it counts, in words.
    """

    shape: str
    tally: int
    inner: tuple[int, ...]
    near: int
    far: int
    window: int
    counted: tuple[str, Roll]
    phrases: Phrases


Gate = tuple[str, int, int]
"""(shape, place of the tally, mentions)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``slots`` is by the id() of the condition, which the rule keeps alive.

    ``gates``: with fewer mentions in one of them the rule cannot hold, so that most keys
    need not be read. There are none where a condition must be read always. ``level``: the one that the rule gives
    whatever is read, where no level asks for anything. ``enough``: the one gate of a rule that holds wherever it lets
    through, at the same level.
    """

    rule: RuleConfig
    shapes: tuple[Shape, ...]
    slots: dict[int, Slot]
    lexicons: tuple[tuple[str, ...], ...]
    patterns: tuple[tuple[str, ...], ...]
    terms: bool
    leaves: tuple[Leaf, ...]
    longest_window: timedelta
    allowance: timedelta
    gates: tuple[Gate, ...]
    enough: Gate | None
    conditions: tuple[Condition, ...]
    level: Level | None
    timing: Timing


def plan(rule: RuleConfig, calendar: Calendar) -> Plan:
    """Conditions that look at the same mentions share their counts; *calendar* says which hours are alike."""
    wanted: dict[str, list[Leaf]] = {}
    for leaf in rule.leaves():
        wanted.setdefault(_shape_id(rule.where, leaf.looks_at), []).append(leaf)
    shapes, slots = [], {}
    for name, leaves in wanted.items():
        looks = [leaf.looks_at for leaf in leaves]
        windows = tuple(sorted({size for look in looks for size in (look.window, *look.inner)}))
        spans = {size for look in looks if look.reference for size in (look.window, look.window + look.reference)}
        totals = tuple(sorted(spans))
        rolls = tuple(dict.fromkeys(look.roll for look in looks if look.roll.size))
        shapes.append(replace(_shape(name, rule.where, looks[0], windows, totals), rolls=rolls, calendar=calendar))
        for leaf, look in zip(leaves, looks, strict=True):
            near = totals.index(look.window) if look.reference else 0
            far = totals.index(look.window + look.reference) if look.reference else 0
            one, many = (mentions(rule.where, look.where, count=count) for count in (1, 2))
            phrases = Phrases(one, many, span(look.window * MINUTE), calendar.timezone)
            inner = tuple(windows.index(size) for size in look.inner)
            tally = windows.index(look.window)
            slots[id(leaf)] = Slot(name, tally, inner, near, far, look.window, (name, look.roll), phrases)
    return Plan(
        rule=rule,
        shapes=tuple(shapes),
        slots=slots,
        lexicons=_lexicons(rule),
        patterns=tuple(leaf.looks_at.patterns for leaf in rule.leaves() if leaf.looks_at.patterns),
        terms=any(leaf.looks_at.terms for leaf in rule.leaves()),
        leaves=rule.leaves(),
        longest_window=rule.longest_window,
        allowance=rule.allowance,
        gates=_gates(rule, slots),
        enough=_enough(rule, slots),
        conditions=rule.conditions,
        level=_only_level(rule),
        timing=rule.timing,
    )


def _shape(name: str, where: Filter | None, look: Looks, windows: tuple[int, ...], totals: tuple[int, ...]) -> Shape:
    tests = [one.test() for one in (where, look.where) if one is not None]
    lexicon = _lexicon(look)
    if lexicon and lexicon not in {TERMS, STORIES}:
        tests.append(lambda facts: lexicon in facts.found)
    return Shape(name, both(*tests), lexicon, windows, totals)


def _lexicon(look: Looks) -> str:
    """What a mention's hits are found under."""
    if look.terms:
        return TERMS
    if look.voices:
        return STORIES
    if look.patterns:
        return pattern_id(look.patterns)
    return lexicon_id(look.lexicon) if look.lexicon else ""


def _shape_id(where: Filter | None, look: Looks) -> str:
    """The same for conditions that look at the same mentions, in every run and after every edit that leaves that so."""
    parts = [one.model_dump(mode="json", by_alias=True) if one else None for one in (where, look.where)]
    return hashlib.sha256(json.dumps([parts, _lexicon(look)], sort_keys=True).encode()).hexdigest()[:12]


def _lexicons(rule: RuleConfig) -> tuple[tuple[str, ...], ...]:
    filters = [one for one in (rule.where, *(leaf.looks_at.where for leaf in rule.leaves())) if one is not None]
    words = [words for one in filters for words in one.lexicons()]
    return (*words, *(leaf.looks_at.lexicon for leaf in rule.leaves() if leaf.looks_at.lexicon))


def _only_level(rule: RuleConfig) -> Level | None:
    if all(test.asks_nothing for test in rule.levels.values()):
        return max(Level[name] for name in rule.levels)
    return None


def _enough(rule: RuleConfig, slots: dict[int, Slot]) -> Gate | None:
    if len(rule.conditions) > 1 or len(rule.leaves()) > 1 or _only_level(rule) is None:
        return None
    (leaf,) = rule.leaves()
    return _gate(leaf, slots) if leaf is rule.conditions[0] and leaf.looks_at.enough else None


def _gates(rule: RuleConfig, slots: dict[int, Slot]) -> tuple[Gate, ...]:
    if not all(leaf.looks_at.least for leaf in rule.leaves()):
        return ()
    # The conditions that count by themselves; those that combine others may hold on less than each of them asks for.
    alone = [leaf for condition in rule.conditions for leaf in condition.leaves() if leaf is condition]
    # What remembers is read whatever another condition's gate says, else it would depend on that what it remembers.
    for condition in rule.conditions:
        if condition.remembers:
            alone = [leaf for leaf in alone if leaf is condition]
    return tuple(_gate(leaf, slots) for leaf in alone)


def _gate(leaf: Leaf, slots: dict[int, Slot]) -> Gate:
    return slots[id(leaf)].shape, slots[id(leaf)].tally, leaf.looks_at.least
