"""Inhibitions that mute nothing, and such as mute in a ring, found by trying every kind of incident that they tell apart."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from alerts import Level
from alerts.inhibition import Inhibition
from alerts.route import LabelName, Labels
from listener.config.findings import Finding
from listener.config.model import Config

_MOST_TRIED = 300_000
_OTHER = "\0other"  # any value that no inhibition names


def inhibit_findings(config: Config) -> Iterator[Finding]:
    rules = [one.build() for one in config.inhibit]
    if not rules:
        return
    kinds = _kinds(rules, config)
    if len(kinds) ** 2 * len(rules) > _MOST_TRIED:
        return
    muted: list[set[tuple[int, int]]] = [set() for _ in rules]  # by rule: which kind mutes which
    sources = [[one for one, labels in enumerate(kinds) if rule.from_source(labels)] for rule in rules]
    targets = [[one for one, labels in enumerate(kinds) if rule.to_target(labels)] for rule in rules]
    for number, rule in enumerate(rules):
        pairs = product(sources[number], targets[number])
        muted[number].update((one, other) for one, other in pairs if rule.mutes(kinds[one], kinds[other]))
    ring = _on_rings(set().union(*muted))
    for number, found in enumerate(muted):
        if not found:
            message = "it mutes nothing: no two incidents are as it asks for, or what mutes would be muted by itself"
            yield Finding("inhibit-never", ("inhibit", number), message)
        elif found & ring:
            message = "it mutes in a ring: what it mutes can mute its source in turn, and then nobody hears of either"
            yield Finding("inhibit-circular", ("inhibit", number), message)


def _kinds(rules: Sequence[Inhibition], config: Config) -> list[Labels]:
    """Labels of every kind of incident that makes a difference; what the configuration does not know is of none."""
    real: dict[LabelName, frozenset[str]] = {
        "level": frozenset(Level.__members__),
        "kind": frozenset({"topic", "self"}),
        "topic": frozenset(topic.id for topic in config.topics),
    }
    domains: dict[LabelName, list[str]] = {}
    for rule in rules:
        for name in (*rule.source, *rule.target, *rule.equal):
            domains.setdefault(name, sorted(real[name]) if name in {"level", "kind"} else [_OTHER])
        for match in (rule.source, rule.target):
            for name, values in match.items():
                known = [value for value in sorted(values) if value in real.get(name, values)]
                domains[name] += [value for value in known if value not in domains[name]]
    if prod(len(values) for values in domains.values()) > _MOST_TRIED:
        return [{}] * _MOST_TRIED  # more than will be tried
    every: list[Labels] = [dict(zip(domains, values, strict=True)) for values in product(*domains.values())]
    return [one for one in every if one.get("kind") != "self" or one.get("topic", _OTHER) == _OTHER]


def _on_rings(edges: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those that lie on a ring, or between two: what leads nowhere, or comes from nowhere, is taken away."""
    left = edges
    while True:
        begins, ends = {one for one, _ in left}, {other for _, other in left}
        kept = {(one, other) for one, other in left if one in ends and other in begins}
        if kept == left:
            return kept
        left = kept
