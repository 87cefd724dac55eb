"""What one section says of another: ids that are taken, names that nobody has, queries that cannot be read.

It looks at the document as it was written, so that these mistakes are told beside those that the models find.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from listener.config.explain import suggest, within
from listener.config.texts import template_mistakes
from listener.document import Document
from listener.problem import Keys, Mistake
from rules.query import QueryError, parse

_EXAMPLES = {
    "sources": "- {id: news, type: feed, url: 'https://news.example.com/rss', channel: news}",
    "topics": "- {id: acme, query: '云杉科技 OR YUNSHAN'}",
}


_NAMED = ("sources", "targets", "sets", "topics", "receivers", "time_intervals", "schedules")
_TAKEN = {"self-": "the program's own rules", "kpi-": "those of the rules that watch kpis"}

_TAKEN_TWICE = {"packs": ("use", "this pack is used"), "tokens": ("name", "this name is taken")}
_GIVEN = (
    "sources", "topics", "kpis", "rules", "receivers", "time_intervals", "packs", "escalations", "schedules", "tokens",
)  # fmt: skip

Names = dict[str, None] | None  # ordered, and found at once
Known = Mapping[str, Names]


def cross_check(document: Document) -> list[Mistake]:
    """Every mistake between the sections; values whose shape is wrong are left to the models to refuse."""
    known = {section: _ids(document, section) for section in _NAMED}
    return [mistake for check in _CHECKS for mistake in check(document, known)]


def _ids(document: Document, section: str) -> Names:
    """The ids that a section gives; None where they cannot be told for sure."""
    entries = document.value.get(section) or []
    if not document.complete or not isinstance(entries, list | dict):
        return None
    if isinstance(entries, dict):
        return dict.fromkeys(entries)
    return {entry["id"]: None for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}


def _entries(document: Document, section: str) -> Iterator[tuple[Keys, dict[str, Any]]]:
    entries = document.value.get(section)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield (section, index), entry


def _texts(value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    """The text at *keys*, or each text of the list there."""
    if isinstance(value, str):
        yield keys, value
    for index, inner in enumerate(value if isinstance(value, list) else []):
        if isinstance(inner, str):
            yield (*keys, index), inner


def unknown(document: Document, names: Names, noun: str, value: Any, keys: Keys) -> Iterator[Mistake]:
    """A mistake for each name at *keys* that is not among *names*."""
    for place, name in _texts(value, keys) if names is not None else ():
        if names is not None and name not in names:
            yield Mistake(document.origin(place).place, place, f"there is no {noun} {name!r}{suggest(name, names)}")


def duplicates(document: Document, _known: Known) -> Iterator[Mistake]:
    """A mistake for each id that an entry before has taken, and for each pack that is used twice."""
    for section in _GIVEN:
        first: dict[str, Keys] = {}
        for keys, entry in _entries(document, section):
            key, taken = _TAKEN_TWICE.get(section, ("id", "this id is taken"))
            for place, name in _texts(entry.get(key), (*keys, key)):
                if name in first:
                    before = document.origin(first[name]).place
                    more = ": name all its topics in one entry" if section == "packs" else ""
                    yield Mistake(document.origin(place).place, place, f"{taken} already, at {before}{more}")
                first.setdefault(name, place)


def _tokens(document: Document, _known: Known) -> Iterator[Mistake]:
    """A token that two entries share would act under either name."""
    first: dict[str, Keys] = {}
    for keys, entry in _entries(document, "tokens"):
        for place, secret in _texts(entry.get("token"), (*keys, "token")):
            if secret in first:
                before = document.origin(first[secret]).place
                yield Mistake(document.origin(place).place, place, f"is the same as the one at {before}")
            first.setdefault(secret, place)


def _emptiness(document: Document, _known: Known) -> Iterator[Mistake]:
    for section, example in _EXAMPLES.items():
        if document.complete and (document.value.get(section) or []) == []:
            message = f"nothing stands here: write at least one, such as {example}"
            yield Mistake(document.origin((section,)).key, (section,), message)


def _topics(document: Document, known: Known) -> Iterator[Mistake]:
    for keys, topic in _entries(document, "topics"):
        yield from unknown(document, known["targets"], "target", topic.get("target"), (*keys, "target"))
        rival = topic.get("competitor_of")
        if isinstance(rival, str) and rival == topic.get("id"):
            place = (*keys, "competitor_of")
            yield Mistake(document.origin(place).place, place, "a topic cannot compete with itself")
        yield from unknown(document, known["topics"], "topic", rival, (*keys, "competitor_of"))
        if isinstance(topic.get("query"), str):
            yield from _query(document, _aliases(known), (*keys, "query"), topic["query"])


def _aliases(known: Known) -> Names:
    """What ``@name`` may stand for."""
    targets, sets = known["targets"], known["sets"]
    return None if targets is None or sets is None else {**targets, **sets}


def _sets(document: Document, known: Known) -> Iterator[Mistake]:
    targets, sets = known["targets"], known["sets"]
    for name in sets if targets is not None and sets is not None else ():
        if targets is not None and name in targets:
            before = document.origin(("targets", name)).key
            yield Mistake(
                document.origin(("sets", name)).key, ("sets", name), f"this name is a target's already, at {before}"
            )


def _query(document: Document, aliases: Names, keys: Keys, text: str) -> Iterator[Mistake]:
    try:
        query = parse(text)
    except QueryError as error:
        yield within(document, keys, error.line, error.column, error.message)
        return
    for alias in query.aliases():
        if aliases is not None and alias.name not in aliases:
            message = f"@{alias.name} is no target and no set{suggest(alias.name, aliases)}"
            yield within(document, keys, alias.line, alias.column, message)


def _kpis(document: Document, known: Known) -> Iterator[Mistake]:
    for keys, kpi in _entries(document, "kpis"):
        yield from unknown(document, known["topics"], "topic", kpi.get("topic"), (*keys, "topic"))


def _rules(document: Document, known: Known) -> Iterator[Mistake]:
    for keys, rule in _entries(document, "rules"):
        for prefix, owner in _TAKEN.items():
            if str(rule.get("id", "")).startswith(prefix):
                place = (*keys, "id")
                message = f"ids that start with {prefix} are {owner}"
                yield Mistake(document.origin(place).place, place, message)
        written = document.derived.get(keys, keys)
        yield from unknown(document, known["topics"], "topic", rule.get("topics"), (*written, "topics"))
        yield from _filters(document, known["sources"], rule, keys)


def _filters(document: Document, sources: Names, value: Any, keys: Keys) -> Iterator[Mistake]:
    """Of every filter of a rule, wherever its ``where`` stands, the sources that it names."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else []):
        if key == "source" and "where" in keys:
            yield from unknown(document, sources, "source", inner, (*keys, key))
        else:
            yield from _filters(document, sources, inner, (*keys, key))


def _routes(document: Document, known: Known) -> Iterator[Mistake]:
    receivers = known["receivers"]
    if document.value.get("route") is not None:
        yield from _route(document, known, document.value["route"], ("route",))
    elif receivers is not None and len(receivers) > 1:
        example = f"route: {{receiver: {next(iter(receivers))}}}"
        message = f"is missing: with several receivers, say who gets what, such as '{example}'"
        yield Mistake(document.origin(("route",)).place, ("route",), message)


def _alive(document: Document, known: Known) -> Iterator[Mistake]:
    alive = document.value.get("alive")
    if isinstance(alive, dict):
        place = ("alive", "receiver")
        yield from unknown(document, known["receivers"], "receiver", alive.get("receiver"), place)


def _fallbacks(document: Document, known: Known) -> Iterator[Mistake]:
    """A fallback must be another receiver, and no chain of them may come back to where it began."""
    next_of: dict[str, str] = {}
    for keys, receiver in _entries(document, "receivers"):
        place, name, fallback = (*keys, "fallback"), receiver.get("id"), receiver.get("fallback")
        yield from unknown(document, known["receivers"], "receiver", fallback, place)
        if not isinstance(name, str) or not isinstance(fallback, str):
            continue
        next_of[name] = fallback
        chain = [name]
        while (after := next_of.get(chain[-1])) is not None and after not in chain:
            chain.append(after)
        if after == name:
            way = " → ".join([*chain, name])
            message = f"goes round in a circle: {way}" if len(chain) > 1 else "a receiver cannot be its own fallback"
            yield Mistake(document.origin(place).place, place, message)


def _route(document: Document, known: Known, route: Any, keys: Keys) -> Iterator[Mistake]:
    if not isinstance(route, dict):
        return
    yield from unknown(document, known["receivers"], "receiver", route.get("receiver"), (*keys, "receiver"))
    quiet = route.get("quiet")
    named: list[tuple[Keys, Any]] = [
        ((name,), route.get(name)) for name in ("active_time_intervals", "mute_time_intervals")
    ]
    named.append((("quiet", "intervals"), quiet.get("intervals") if isinstance(quiet, dict) else None))
    for place, value in named:
        yield from unknown(document, known["time_intervals"], "time interval", value, (*keys, *place))
    branches = route.get("routes")
    for index, branch in enumerate(branches if isinstance(branches, list) else []):
        yield from _route(document, known, branch, (*keys, "routes", index))


def _escalations(document: Document, known: Known) -> Iterator[Mistake]:
    for keys, chain in _entries(document, "escalations"):
        steps = chain.get("steps")
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            whom, times = (step.get("notify"), step.get("if_time")) if isinstance(step, dict) else (None, None)
            place = (*keys, "steps", index, "notify")
            hours = (*keys, "steps", index, "if_time")
            yield from unknown(document, known["time_intervals"], "time interval", times, hours)
            if isinstance(whom, dict):
                yield from unknown(document, known["schedules"], "schedule", whom.get("schedule"), (*place, "schedule"))
            else:
                yield from unknown(document, known["receivers"], "receiver", whom, place)


def _schedules(document: Document, known: Known) -> Iterator[Mistake]:
    for keys, schedule in _entries(document, "schedules"):
        rotation, overrides = schedule.get("rotation"), schedule.get("overrides")
        if isinstance(rotation, dict):
            place = (*keys, "rotation", "receivers")
            yield from unknown(document, known["receivers"], "receiver", rotation.get("receivers"), place)
        for index, override in enumerate(overrides if isinstance(overrides, list) else []):
            if isinstance(override, dict):
                place = (*keys, "overrides", index, "receiver")
                yield from unknown(document, known["receivers"], "receiver", override.get("receiver"), place)


_CHECKS: tuple[Callable[[Document, Known], Iterator[Mistake]], ...] = (
    duplicates,
    _tokens,
    _emptiness,
    _topics,
    _sets,
    _kpis,
    _rules,
    _routes,
    lambda document, _: template_mistakes(document),
    _escalations,
    _schedules,
    _fallbacks,
    _alive,
)
