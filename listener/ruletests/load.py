"""A file of rule tests read and checked whole: every mistake at once, each with its place."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from alerts.inhibition import Inhibition
from alerts.route import Route
from listener.collectors.config import SHORTEST_BLINDNESS
from listener.config import Config, ConfigError
from listener.config.assemble import assemble
from listener.config.crosscheck import Names, duplicates, unknown
from listener.config.explain import mistakes
from listener.config.load import load, problems
from listener.config.schema import Shape
from listener.document import Document
from listener.parts import brands, root_route, source_facts
from listener.problem import Keys, Mistake, Problem
from listener.ruletests.model import RuleTestConfig, RuleTestsConfig, SeriesConfig
from rules.calendar import Calendar
from rules.rule import RuleConfig
from rules.ruleset import SourceFacts, ruleset_json
from rules.ruletest import Feed

_SHAPE = Shape(RuleTestsConfig)
_STEP = timedelta(seconds=15)
_EVERY = timedelta(minutes=5)
_UNNAMED = "test"


@dataclass(frozen=True, slots=True)
class RuleTests:
    """What a file tests. ``brands`` by topic; ``feeds`` by source; ``rule_set`` as a RulesRow carries it."""

    document: Document
    tests: tuple[RuleTestConfig, ...]
    rules: tuple[RuleConfig, ...]
    feeds: Mapping[str, Feed]
    rule_set: str
    step: timedelta
    route: Route | None
    inhibit: tuple[Inhibition, ...] = ()

    def problem(self, keys: Keys, message: str) -> Problem:
        """A finding at a place of the file."""
        return problems([Mistake(self.document.origin(keys).place, keys, message)], self.document)[0]


def read_tests(path: Path, environ: Mapping[str, str] = os.environ) -> RuleTests:
    """Raises ConfigError with every mistake of the file, its rule files, or the configuration that it names."""
    document = assemble(path, environ)
    found = list(document.mistakes)
    file: RuleTestsConfig | None = None
    if document.value or not document.mistakes:
        try:
            file = RuleTestsConfig.model_validate(document.value)
        except ValidationError as error:
            found += mistakes(error, document, _SHAPE)
        found += duplicates(document, {})
    if file is None or found:
        raise ConfigError(problems(found, document))
    config = _config(file, document, environ)
    feeds = _feeds(file, config)
    rules = tuple(config.every_rule if config else file.rules)
    found = list(_names(file, config, document, feeds))
    if found:
        raise ConfigError(problems(found, document))
    sources = (
        source_facts(config.sources)
        if config
        else {name: SourceFacts(feed.channel, feed.tier) for name, feed in feeds.items()}
    )
    route = root_route(config) if config else None
    # Without a configuration, what a configuration that says nothing of it has.
    calendar = config.calendar if config else Calendar("Asia/Shanghai", "CN")
    return RuleTests(
        document=document,
        tests=tuple(file.tests),
        rules=rules,
        feeds=feeds,
        rule_set=ruleset_json(rules, brands(config) if config else file.topics, sources, calendar),
        step=config.step if config else _STEP,
        route=route.build(config.intervals) if config and route else None,
        inhibit=tuple(one.build() for one in config.inhibit) if config else (),
    )


def _config(file: RuleTestsConfig, document: Document, environ: Mapping[str, str]) -> Config | None:
    if file.config is None:
        return None
    path = Path(document.file).parent / file.config
    if not path.is_file():
        place = document.origin(("config",)).place
        raise ConfigError(problems([Mistake(place, ("config",), f"there is no file {path}")], document))
    return load(path, environ)


def source_of(series: SeriesConfig, feeds: Mapping[str, Feed]) -> str:
    """The source that a series comes from: the one that it names, else the first of its channel, else the first."""
    if series.source is not None:
        return series.source
    named = (name for name, feed in feeds.items() if series.channel in {None, feed.channel})
    return next(named, series.channel or _UNNAMED)


def _feeds(file: RuleTestsConfig, config: Config | None) -> dict[str, Feed]:
    """The sources that are known; where nothing says which there are, those that the series name."""
    if config is not None:
        return {
            # A file is looked at every other second, of which nothing can be seen here but the time that it takes.
            one.id: Feed(one.channel, one.tier, max(one.every, timedelta(minutes=1)), one.blindness)
            for one in config.sources
        }
    feeds = {
        name: Feed(one.channel, one.tier, one.every, one.blind_after or max(3 * one.every, SHORTEST_BLINDNESS))
        for name, one in file.sources.items()
    }
    if file.sources:
        return feeds
    for test in file.tests:
        for series in (*test.history, *test.input):
            name = source_of(series, feeds)
            feeds.setdefault(name, Feed(series.channel or name, "core", _EVERY, SHORTEST_BLINDNESS))
    return feeds


def _names(
    file: RuleTestsConfig, config: Config | None, document: Document, feeds: Mapping[str, Feed]
) -> Iterator[Mistake]:
    """Names that nobody has."""
    rules = {rule.id: rule for rule in (config.every_rule if config else file.rules)}
    known = dict.fromkeys(
        [*(brands(config) if config else file.topics), *(t for r in rules.values() for t in r.topics)]
    )
    receivers = dict.fromkeys(receiver.id for receiver in config.receivers) if config else {}
    sources: Names = dict.fromkeys(feeds)
    for number, test in enumerate(file.tests):
        at: Keys = ("tests", number)
        for section, series in (("history", test.history), ("input", test.input)):
            for place, one in enumerate(series):
                keys = (*at, section, place)
                yield from _of(document, known, "topic", (*keys, "topic"))
                yield from _of(document, sources, "source", (*keys, "source"))
                if one.source is None and source_of(one, feeds) not in feeds:
                    message = f"there is no source of the channel {one.channel!r}"
                    yield Mistake(document.origin((*keys, "channel")).place, (*keys, "channel"), message)
        for place in range(len(test.faults)):
            yield from _of(document, sources, "source", (*at, "faults", place, "source"))
        for section, wanted in (("expect", test.expect), ("expect_events", test.expect_events)):
            for place, alerts in enumerate(wanted):
                keys = (*at, section, place)
                yield from _of(document, dict.fromkeys(rules), "rule", (*keys, "rule"))
                yield from _of(document, known, "topic", (*keys, "topic"))
                yield from _key(document, rules.get(alerts.rule), alerts.key, (*keys, "key"))
        if test.expect_sent is not None:
            yield from _receivers(document, config, receivers, test.expect_sent, (*at, "expect_sent"))


def _of(document: Document, names: Names, noun: str, keys: Keys) -> Iterator[Mistake]:
    value = document.value
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else value[key]
    yield from unknown(document, names, noun, value, keys)


def _key(document: Document, rule: RuleConfig | None, key: Mapping[str, str], keys: Keys) -> Iterator[Mistake]:
    for name in key:
        if rule is not None and name not in rule.by:
            message = f"the rule tells its alerts apart by {', '.join(rule.by)} alone"
            yield Mistake(document.origin((*keys, name)).key, (*keys, name), message)


def _receivers(
    document: Document, config: Config | None, known: Names, sent: Mapping[str, object], keys: Keys
) -> Iterator[Mistake]:
    if config is None or not config.receivers:
        message = "needs receivers and a route: name a configuration that has them under config"
        yield Mistake(document.origin(keys).key, keys, message)
        return
    for name in sent:
        for mistake in unknown(document, known, "receiver", name, (*keys, name)):
            yield Mistake(document.origin((*keys, name)).key, mistake.keys, mistake.message)
