"""Rules that fire always or never, waits and windows that do not fit the clock, and what people need beside an alert."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import timedelta

from listener.config.findings import Finding
from listener.config.lint.filters import Post, passing, posts
from listener.config.lint.levels import trivial
from listener.config.lint.places import conditions, numbered, top_conditions, where_of
from listener.config.model import Config
from listener.problem import Keys
from listener.yaml_scalars import duration_text
from rules.conditions import All, Any_, Not, Ratio, Spike, Velocity, Volume, Watch
from rules.filter import Filter
from rules.reading import Condition
from rules.rule import RuleConfig

_WEAK_FACTOR = 1.5
_WEAK_SHARE = 0.05
_POLLS_PER_WINDOW = 3
TITLE_WIDTH = 60
"""Columns, of which a Chinese character takes two: what a phone shows of a subject or a push message."""


def rule_findings(config: Config) -> Iterator[Finding]:
    among = posts(config)
    for keys, rule in numbered(config):
        yield from _always(rule, keys)
        yield from _never(rule, keys)
        yield from _weak(rule, keys)
        yield from _waits(rule, keys, config.step)
        yield from _windows(rule, keys, config, among)
        yield from _for_people(rule, keys)


def _always(rule: RuleConfig, keys: Keys) -> Iterator[Finding]:
    if not trivial(rule):
        return
    top = [condition for _, condition in top_conditions(rule, keys)]
    if all(isinstance(condition, Not) for condition in top):
        message = "only says what is not so, which is nearly always: put a condition that counts before it"
        yield Finding("rule-always-fires", (*keys, "when"), message)
    elif all(_on_anything(condition, rule) for condition in top):
        yield Finding(
            "rule-always-fires", (*keys, "when"), "every mention of the topic fires this: ask for more, or filter"
        )


def _on_anything(condition: Condition, rule: RuleConfig) -> bool:
    """Whether any one mention is enough for it."""
    if isinstance(condition, All):
        return all(_on_anything(part, rule) for part in condition.of)
    if isinstance(condition, Any_):
        return any(_on_anything(part, rule) for part in condition.of)
    if isinstance(condition, Volume):
        return condition.at_least == 1 and rule.where is None and condition.where is None
    return False


def _never(rule: RuleConfig, keys: Keys) -> Iterator[Finding]:
    yield from _opposed(list(top_conditions(rule, keys)))
    for place, condition in conditions(rule, keys):
        if isinstance(condition, All):
            yield from _opposed([((*place, "of", index), part) for index, part in enumerate(condition.of)])


def _opposed(together: Sequence[tuple[Keys, Condition]]) -> Iterator[Finding]:
    """Of conditions that must hold together, those of which one excludes another."""
    for keys, condition in together:
        if isinstance(condition, Not) and any(_entails(other, condition.of) for _, other in together):
            message = "never holds together with the conditions beside it: one of them asks for what this one excludes"
            yield Finding("rule-never-fires", keys, message)


def _entails(one: Condition, other: Condition) -> bool:
    """Whether *other* holds whenever *one* does."""
    if one == other:
        return True
    if not (isinstance(one, Volume) and isinstance(other, Volume)):
        return False
    same = (one.where, one.count) == (other.where, other.count)
    return same and one.window <= other.window and one.at_least >= other.at_least


def _weak(rule: RuleConfig, keys: Keys) -> Iterator[Finding]:
    for place, condition in conditions(rule, keys):
        if isinstance(condition, Spike) and condition.factor < _WEAK_FACTOR:
            message = (
                f"{condition.factor:g} times the usual is usual: chance alone does that, {_WEAK_FACTOR:g} is the least"
            )
            yield Finding("weak-factor", (*place, "factor"), message)
        if isinstance(condition, Ratio) and condition.at_least <= _WEAK_SHARE:
            message = f"a share of {condition.at_least:g} is nearly always reached"
            yield Finding("weak-share", (*place, "at_least"), message)
        if isinstance(condition, Velocity) and not any(map(_of_harm, (rule.where, where_of(condition)))):
            message = (
                "praise and news spread too: without a filter by label, risk or words any story that is shared alerts"
            )
            yield Finding("weak-velocity", place, message)


def _of_harm(where: Filter | None) -> bool:
    """Whether a filter asks for what a mention says."""
    if where is None:
        return False
    return bool(where.label or where.risk or where.words) or any(_of_harm(member) for member in where.members)


def _waits(rule: RuleConfig, keys: Keys, step: timedelta) -> Iterator[Finding]:
    for name, wait in (("for", rule.for_), ("keep_firing_for", rule.keep_firing_for)):
        if timedelta(0) < wait < step:
            message = f"is shorter than the step of {duration_text(step)}, so it lasts a whole step"
            yield Finding("shorter-than-step", (*keys, name), message)
    if all(isinstance(leaf, Volume | Watch) for leaf in rule.leaves()) and rule.for_ > rule.longest_window:
        length = duration_text(rule.longest_window)
        message = f"a burst leaves the window of {length} before this has passed: it fires only on what goes on and on"
        yield Finding("for-longer-than-window", (*keys, "for"), message)


def _windows(rule: RuleConfig, keys: Keys, config: Config, among: Sequence[Post]) -> Iterator[Finding]:
    """Windows that hold fewer than three polls of a source that matters."""
    for place, condition in conditions(rule, keys):
        window = getattr(condition, "window", None)
        if not isinstance(window, timedelta):
            continue
        passed = {post.source for post in passing([rule.where, where_of(condition)], among)}
        heard = [source for source in config.sources if source.id in passed]
        # Auxiliary sources may come late, unless there are no others.
        core = [source for source in heard if source.tier == "core"] or heard
        slow = [source for source in core if window < _POLLS_PER_WINDOW * source.every]
        if slow:
            named = ", ".join(f"{source.id} every {duration_text(source.every)}" for source in slow[:3])
            more = f" and {len(slow) - 3} more" if len(slow) > 3 else ""
            message = (
                f"holds fewer than {_POLLS_PER_WINDOW} polls of {named}{more}: a burst there is seen late, or in part"
            )
            yield Finding("window-below-polls", (*place, "window"), message)


def _for_people(rule: RuleConfig, keys: Keys) -> Iterator[Finding]:
    grave = [name for name in ("orange", "red") if name in rule.levels]
    if grave and rule.playbook is None:
        message = f"has no playbook, though it may turn {' and '.join(grave)}: say what is to be done then"
        yield Finding("playbook-missing", keys, message)
    width = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in rule.title or "")
    if width > TITLE_WIDTH:
        message = f"is {width} columns wide, of which a phone shows {TITLE_WIDTH} (a Chinese character takes two)"
        yield Finding("title-long", (*keys, "title"), message)
