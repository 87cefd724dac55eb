"""Branches of the route tree that no incident can take, found by trying every kind of incident that it tells apart."""

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

from alerts import Level
from alerts.config import BranchConfig, RouteConfig, route_receivers
from alerts.route import LabelName, Labels
from listener.config.findings import Finding
from listener.config.model import Config
from listener.problem import Keys

_MOST_TRIED = 1_000_000
_OTHER = "\0other"  # any value that no branch names


def route_findings(config: Config) -> Iterator[Finding]:
    if config.route is None:
        return
    tree = config.route.build(config.intervals)
    branches = dict(_branches(config.route, ("route",)))
    domains = _domains(branches.values())
    if prod(len(values) for values in domains.values()) * max(1, len(branches)) > _MOST_TRIED:
        return
    taken: set[Keys] = set()
    told: set[str] = set()
    for values in product(*domains.values()):
        labels = dict(zip(domains, values, strict=True))
        _walk(config.route, ("route",), labels, taken)
        told |= {leg.receiver for leg in tree.match(labels)}
    for keys in branches:
        if keys not in taken and keys[:-2] in {*taken, ("route",)}:
            message = "no incident ever comes here: the branches before it, or the one around it, leave none"
            yield Finding("route-never-taken", keys, message)
    named = route_receivers(config.route)
    for index, receiver in enumerate(config.receivers):
        if receiver.id in named and receiver.id not in told:
            message = "no incident comes to this receiver: other branches take all that its own would"
            yield Finding("receiver-never-reached", ("receivers", index), message)


def fallback_findings(config: Config) -> Iterator[Finding]:
    """Receivers that a brand's red comes to, and whom nobody stands in for; the last of a chain of fallbacks needs none."""
    if config.route is None or len(config.receivers) < 2:
        return
    branches = dict(_branches(config.route, ("route",)))
    domains = {**_domains(branches.values()), "kind": ["topic"], "level": [Level.red.name]}
    if prod(len(values) for values in domains.values()) * max(1, len(branches)) > _MOST_TRIED:
        return
    root = config.route.build(config.intervals)
    told = {
        leg.receiver
        for values in product(*domains.values())
        for leg in root.match(dict(zip(domains, values, strict=True)))
    }
    stand_ins = {receiver.fallback for receiver in config.receivers}
    for index, receiver in enumerate(config.receivers):
        if receiver.id in told and receiver.fallback is None and receiver.id not in stand_ins:
            message = "red alerts come here, and nobody is told where they cannot be delivered: name a fallback"
            yield Finding("fallback-missing", ("receivers", index), message)


def _branches(route: RouteConfig | BranchConfig, keys: Keys) -> Iterator[tuple[Keys, BranchConfig]]:
    for index, branch in enumerate(route.routes):
        place = (*keys, "routes", index)
        yield place, branch
        yield from _branches(branch, place)


def _domains(branches: Iterable[BranchConfig]) -> dict[LabelName, list[str]]:
    """By label, the values that make a difference."""
    domains: dict[LabelName, list[str]] = {"kind": ["topic", "self"], "level": [level.name for level in Level]}
    for branch in branches:
        for name, values in branch.match.items():
            known = domains.setdefault(name, [_OTHER])
            known += [value for value in ([values] if isinstance(values, str) else values) if value not in known]
    return domains


def _walk(route: RouteConfig | BranchConfig, keys: Keys, labels: Labels, taken: set[Keys]) -> None:
    """As ``alerts.route.Route.match`` goes: the first branch that holds, and on where it says ``continue``."""
    for index, branch in enumerate(route.routes):
        if not all(labels[name] in _values(values) for name, values in branch.match.items()):
            continue
        place = (*keys, "routes", index)
        taken.add(place)
        _walk(branch, place, labels, taken)
        if not branch.go_on:
            return


def _values(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values
