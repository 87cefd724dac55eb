"""Levels that no reading can reach, and such as a higher one always hides."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import product

from alerts import Level
from listener.config.findings import Finding
from listener.config.lint.filters import Post, posts, reachable_channels
from listener.config.lint.places import conditions, numbered, top_conditions
from listener.config.model import Config
from listener.problem import Keys
from rules.conditions import All, Ratio, Spike, Volume, Watch
from rules.reading import Condition
from rules.rule import LevelName, LevelTest, RuleConfig

_MOST_ALTERNATIVES = 200

Bounds = Mapping[str, float | frozenset[str]]
"""What is at least reached, by threshold; under ``words`` those of which one was found."""


def level_findings(config: Config) -> Iterator[Finding]:
    among = posts(config)
    for keys, rule in numbered(config):
        lost = [name for name, test in rule.levels.items() if not _reachable(rule, test, among)]
        for name in lost:
            message = f"this level is never reached: {_why_not(rule, rule.levels[name], among)}"
            yield Finding("level-never-reached", (*keys, "levels", name), message)
        if len(lost) == len(rule.levels):
            yield Finding("rule-never-fires", keys, "none of its levels is ever reached, so this rule never fires")
        yield from _hidden(rule, keys, [name for name in rule.levels if name not in lost])


def alternatives(test: LevelTest) -> list[Bounds]:
    """The test as a choice of thresholds, of one of which all must be reached; nothing where there are too many."""
    own: dict[str, float | frozenset[str]] = {}
    for name in type(test).model_fields:
        value = getattr(test, name)
        if name == "words" and value is not None:
            own[name] = frozenset(value)
        elif isinstance(value, timedelta):
            own[name] = -value.total_seconds()  # so fast or faster: less asks for more
        elif isinstance(value, int | float):
            own[name] = value
    choices: list[list[Bounds]] = [[own], *(alternatives(member) for member in test.all)]
    if test.any:
        choices.append([one for member in test.any for one in alternatives(member)])
    if math.prod(len(choice) for choice in choices) > _MOST_ALTERNATIVES:
        return []
    return [_joined(chosen) for chosen in product(*choices)]


def _joined(chosen: Sequence[Bounds]) -> Bounds:
    whole: dict[str, float | frozenset[str]] = {}
    for bounds in chosen:
        for name, value in bounds.items():
            old = whole.get(name)
            if isinstance(value, frozenset):
                whole[name] = value & old if isinstance(old, frozenset) else value
            else:
                whole[name] = max(value, old) if isinstance(old, int | float) else value
    return whole


# never reached


def _reachable(rule: RuleConfig, test: LevelTest, among: Sequence[Post]) -> bool:
    choices = alternatives(test)
    return not choices or any(_barrier(rule, bounds, among) == "" for bounds in choices)


def _why_not(rule: RuleConfig, test: LevelTest, among: Sequence[Post]) -> str:
    return next(why for bounds in alternatives(test) if (why := _barrier(rule, bounds, among)))


def _barrier(rule: RuleConfig, bounds: Bounds, among: Sequence[Post]) -> str:
    """Why these thresholds can never all be reached; empty where they may."""
    wanted = bounds.get("channels")
    if isinstance(wanted, int | float):
        counting = [one for _, one in conditions(rule, ()) if hasattr(one, "looks_at")]
        most = [reachable_channels(rule, one, among) for one in counting]
        highest = max((one for one in most if one is not None), default=0)
        if None not in most and highest < wanted:
            why = " as there is an alert for each channel" if "channel" in rule.by else ""
            return f"it asks for {wanted:g} channels, and there can be {highest} at most{why}"
    words = bounds.get("words")
    if isinstance(words, frozenset):
        watched = {word for _, one in conditions(rule, ()) if isinstance(one, Watch) for word in one.words or ()}
        if not words & watched:
            return "it asks for words that no watch condition of the rule looks for"
    return ""


# hidden


def _hidden(rule: RuleConfig, keys: Keys, reached: Sequence[LevelName]) -> Iterator[Finding]:
    granted = _granted([condition for _, condition in top_conditions(rule, keys)])
    ordered = sorted(reached, key=lambda name: Level[name])
    for index, lower in enumerate(ordered):
        for higher in ordered[index + 1 :]:
            if _implies(rule, lower, higher, granted):
                message = f"never shown: whenever its test holds, that of {higher} does too"
                yield Finding("level-hidden", (*keys, "levels", lower), message)
                break


def _implies(rule: RuleConfig, lower: LevelName, higher: LevelName, granted: Bounds) -> bool:
    """Whether the higher level's test holds whenever the lower one's does."""
    below, above = (alternatives(rule.levels[name]) for name in (lower, higher))
    if not below or not above:
        return False
    return all(any(_covers(_joined([one, granted]), bounds) for bounds in above) for one in below)


def _covers(reached: Bounds, wanted: Bounds) -> bool:
    for name, value in wanted.items():
        got = reached.get(name)
        if isinstance(value, frozenset):
            if not isinstance(got, frozenset) or not got <= value:
                return False
        elif not isinstance(got, int | float) or got < value:
            return False
    return True


def trivial(rule: RuleConfig) -> bool:
    """Whether one of its levels is reached whenever its conditions hold."""
    granted = _granted(list(rule.conditions))
    return any(_covers(granted, bounds) for test in rule.levels.values() for bounds in alternatives(test))


def _granted(together: Sequence[Condition]) -> Bounds:
    """What is reached whenever these conditions hold: levels read the first one's counts."""
    granted: dict[str, float | frozenset[str]] = {}
    if not together:
        return granted
    first, shares = together[0], [one for one in together if isinstance(one, Ratio)]
    if isinstance(first, All):
        return _granted(first.of)
    if isinstance(first, Spike | Watch) or (isinstance(first, Volume) and first.count == "mentions"):
        granted = {"at_least": first.at_least, "channels": 1}
    elif isinstance(first, Ratio):
        granted = {"at_least": math.ceil(first.at_least * first.floor - 1e-9), "channels": 1}
    if shares:
        granted["share"] = shares[0].at_least
    return granted
