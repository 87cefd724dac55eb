"""What is allowed and works, but is seldom meant: ``listener check`` warns of it, ``listener lint`` tells it too."""

import glob
from collections.abc import Callable, Iterator
from pathlib import Path

from alerts.config import BranchConfig, RouteConfig, route_receivers
from alerts.oncall import reached_receivers
from listener.config.explain import suggest
from listener.config.findings import Finding
from listener.config.inhibitions import inhibit_findings
from listener.config.model import Config
from listener.config.open_secrets import open_secrets
from listener.config.packs import PACKS, PLAYBOOK, playbook_file
from listener.document import Document
from listener.problem import Keys
from listener.web.config import is_loopback
from rules.overlap import always, asks_for_no_word, never, within
from rules.query import parse
from rules.syntax import Node, leaves, written

_MOST_COMPARED = 20_000  # pairs of queries
Look = Callable[[Config, Path], Iterator[Finding]]


def surprises(config: Config, document: Document, base: Path) -> list[Finding]:
    """Everything of this kind. *base* is the configuration's folder."""
    found = [Finding("empty-pattern", mistake.keys, mistake.message) for mistake in document.warnings]
    found += [finding for look in _LOOKS for finding in look(config, base)]
    return [*found, *inhibit_findings(config), *open_secrets(config, document)]


def _nobody_told(config: Config, _base: Path) -> Iterator[Finding]:
    if not config.rules:
        yield Finding(
            "no-rules", ("rules",), "there is no rule: mentions are collected and judged, and nothing will alert"
        )
    elif all(rule.mode != "live" for rule in config.rules):
        message = "no rule is live: those on trial (mode: shadow) tell nobody, and nothing will alert"
        yield Finding("no-live-rule", ("rules",), message)
    if not config.receivers:
        yield Finding("no-receivers", ("receivers",), "there is no receiver: alerts show on the status page alone")
    if config.receivers and config.web.public_url is None:
        yield Finding(
            "no-public-url", ("web",), "public_url is not set: links in messages lead to this machine's own address"
        )
    named = {*(route_receivers(config.route) if config.route else ())}
    named |= reached_receivers(config.escalations, config.schedules)
    for index, receiver in enumerate(config.receivers):
        if config.route and receiver.id not in named:
            yield Finding("receiver-unused", ("receivers", index), "no route and no escalation leads to this receiver")


def _open_page(config: Config, _base: Path) -> Iterator[Finding]:
    host, _ = config.web.address
    if not is_loopback(host):
        yield Finding("open-page", ("web", "listen"), "the page has no login: whoever reaches this address can read it")


def _watched_by_none(config: Config, _base: Path) -> Iterator[Finding]:
    used = {topic.target for topic in config.topics}
    for name in config.targets:
        # A target that no topic names still says which words are "others"; one without any topic beside it is a slip.
        if name not in used and not any(f"@{name}" in topic.query for topic in config.topics):
            yield Finding("target-unused", ("targets", name), "no topic names this target")


def _odd_queries(config: Config, _base: Path) -> Iterator[Finding]:
    """Queries that nothing satisfies, or everything, or that ask for nothing a person wrote."""
    for index, root in _queries(config):
        place = ("topics", index, "query")
        if never(root, config.sets):
            yield Finding("query-never", place, "no mention can satisfy this query: it asks for what it also excludes")
        elif always(root, config.sets):
            yield Finding("query-always", place, "every mention satisfies this query")
        elif asks_for_no_word(root):
            yield Finding(
                "query-no-word",
                place,
                "this query asks for no word: it matches every mention of which these facts are true",
            )


def _contained(config: Config, _base: Path) -> Iterator[Finding]:
    """Topics all of whose mentions are another's too."""
    queries = [(index, root) for index, root in _queries(config) if not never(root, config.sets)]
    asking: dict[str, list[int]] = {}
    for number, (_, root) in enumerate(queries):
        for leaf in {written(leaf) for leaf in leaves(root)}:
            asking.setdefault(leaf, []).append(number)
    compared = 0
    for number, (index, root) in enumerate(queries):
        beside = {other for leaf in leaves(root) for other in asking[written(leaf)]} - {number}
        compared += len(beside)
        if compared > _MOST_COMPARED:
            return
        for other in sorted(beside):
            if within(root, queries[other][1], config.sets):
                name = config.topics[queries[other][0]].id
                yield Finding(
                    "topic-contained",
                    ("topics", index, "query"),
                    f"whatever satisfies this query satisfies that of topic {name} too",
                )
                break


def _queries(config: Config) -> Iterator[tuple[int, Node]]:
    for index, topic in enumerate(config.topics):
        yield index, parse(topic.query).root


def _shared_names(config: Config, _base: Path) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for target, names in config.targets.items():
        for name in dict.fromkeys([*names.names, *names.aliases]):
            if first.setdefault(name.casefold(), target) != target:
                told = f"{name} is also a name of {first[name.casefold()]}: a mention of it counts for both"
                yield Finding("name-shared", ("targets", target), told)


def _unknown_labels(config: Config, _base: Path) -> Iterator[Finding]:
    known = {"topic": [topic.id for topic in config.topics], "rule": [rule.id for rule in config.every_rule]}
    for keys, label, value in _matched(config.route, ("route",)) if config.route else ():
        names = known.get(label)
        if names is not None and value not in names and not value.startswith("self-"):  # the program's own rules
            yield Finding(
                "route-unknown-name",
                keys,
                f"there is no {label} {value!r} in this configuration{suggest(value, names)}",
            )


def _matched(route: RouteConfig | BranchConfig, keys: Keys) -> Iterator[tuple[Keys, str, str]]:
    if isinstance(route, BranchConfig):
        for label, values in route.match.items():
            yield from (
                ((*keys, "match", label), label, value) for value in ([values] if isinstance(values, str) else values)
            )
    for index, branch in enumerate(route.routes):
        yield from _matched(branch, (*keys, "routes", index))


def _missing_files(config: Config, base: Path) -> Iterator[Finding]:
    for index, rule in enumerate(config.rules):
        playbook, keys = rule.playbook or "", ("rules", index, "playbook")
        if playbook.startswith(PLAYBOOK):
            if playbook_file(playbook) is None:
                yield Finding(
                    "playbook-not-found", keys, f"there is no pack of this name: there are {', '.join(PACKS)}"
                )
        elif playbook and "://" not in playbook and not (base / playbook).exists():
            yield Finding("playbook-not-found", keys, f"there is no file {base / playbook}")
    for index, source in enumerate(config.sources):
        if source.type == "file" and not glob.glob(source.path, root_dir=base, recursive=True):  # noqa: PTH207
            yield Finding("nothing-there", ("sources", index, "path"), f"nothing is at {base / source.path} yet")


_LOOKS: tuple[Look, ...] = (
    _nobody_told,
    _open_page,
    _watched_by_none,
    _shared_names,
    _odd_queries,
    _contained,
    _unknown_labels,
    _missing_files,
)
