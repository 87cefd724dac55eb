"""Filters that no mention can pass, or that ask for what no source and no analyzer tells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from listener.config.explain import suggest
from listener.config.findings import Finding
from listener.config.lint.places import conditions, filters, numbered, where_of
from listener.config.model import Config
from listener.problem import Keys
from rules.conditions import Watch
from rules.filter import Filter
from rules.fold import fold
from rules.overlap import never
from rules.query import QueryError, parse
from rules.reading import Condition
from rules.rule import RuleConfig
from rules.syntax import Fact, Node, children_of, leaves
from rules.syntax import Not as Negation
from sentiment import Label

_SET_CHANNEL = frozenset({"feed"})
"""The types of source whose mentions are all of the configured channel; a line of a file names its own."""
_TELLS_NO_RISK = frozenset({"bayes", "snownlp"})
_DECIDED = frozenset({"label", "channel", "source", "tier", "verified", "confidence", "all", "any", "not_"})


@dataclass(frozen=True, slots=True)
class Post:
    """A mention of which only this is known; ``channel`` None: any."""

    source: str
    tier: str
    channel: str | None
    label: Label
    verified: bool | None


def posts(config: Config) -> tuple[Post, ...]:
    """One for each thing that a mention of a configured source may be."""
    kinds = list(product(get_args(Label), (True, False, None)))
    return tuple(
        Post(source.id, source.tier, source.channel if source.type in _SET_CHANNEL else None, label, verified)
        for source in config.sources
        for label, verified in kinds
    )


def passing(given: Sequence[Filter | None], among: Sequence[Post]) -> list[Post]:
    """Those that may pass all these filters."""
    wanted = [one for one in given if one is not None]
    return [post for post in among if _all(_passes(one, post) for one in wanted) is not False]


def _passes(where: Filter, post: Post) -> bool | None:
    """Whether it does; None: that depends on what is not known."""
    answers = _facts(where, post)
    answers += [_passes(member, post) for member in where.all]
    if where.any:
        answers.append(_not(_all(_not(_passes(member, post)) for member in where.any)))
    if where.not_ is not None:
        answers.append(_not(_passes(where.not_, post)))
    return _all(answers)


def _facts(where: Filter, post: Post) -> list[bool | None]:
    """An answer for each key but those that hold filters."""
    answers: list[bool | None] = []
    for wanted, got in ((where.label, post.label), (where.channel, post.channel), (where.source, post.source)):
        if wanted is not None:
            answers.append(None if got is None else got in wanted)
    if where.tier is not None:
        answers.append(post.tier == where.tier)
    if where.verified is not None:
        answers.append(post.verified is where.verified)
    if where.confidence is not None:
        unsure = post.label == "unknown" and where.confidence.at_least > 0  # its confidence is 0
        answers.append(False if unsure else None)
    if where.model_fields_set - _DECIDED:
        answers.append(None)  # keys of which nothing can be known here
    return answers


def _not(answer: bool | None, /) -> bool | None:  # noqa: FBT001 - a truth value is what it turns
    return None if answer is None else not answer


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    if False in found:
        return False
    return None if None in found else True


def filter_findings(config: Config) -> Iterator[Finding]:
    yield from _queries(config)
    among = posts(config)
    channels = {source.channel for source in config.sources}
    for keys, rule in numbered(config):
        excluded = _excluded(rule, config)
        yield from _empty(rule, keys, among)
        for place, condition in conditions(rule, keys):
            if isinstance(condition, Watch) and condition.words is not None:
                yield from _words(condition.words, (*place, "words"), excluded, kept_out=False)
        for place, where in filters(rule, keys):
            for name in where.channel or ():
                if name not in channels:
                    message = f"no source has the channel {name!r}{suggest(name, channels)}"
                    yield Finding("unknown-channel", (*place, "channel"), message)
            if where.words is not None:
                yield from _words(where.words, (*place, "words"), excluded, kept_out="not" in place)
            if where.risk is not None and config.sentiment.type in _TELLS_NO_RISK:
                message = f"the analyzer {config.sentiment.type} tells no kinds of risk, so none passes"
                yield Finding("risk-not-told", (*place, "risk"), message)


def _queries(config: Config) -> Iterator[Finding]:
    """Channels and sources that a topic's query names and that are not configured."""
    known = {
        "channel": sorted({source.channel for source in config.sources}),
        "source": [source.id for source in config.sources],
    }
    for index, topic in enumerate(config.topics):
        for leaf in leaves(parse(topic.query).root):
            names = known.get(leaf.field) if isinstance(leaf, Fact) else None
            if isinstance(leaf, Fact) and names is not None and leaf.value not in {fold(name).text for name in names}:
                what = "no source has the channel" if leaf.field == "channel" else "there is no source"
                message = f"{what} {str(leaf.value)!r}{suggest(str(leaf.value), names)}"
                yield Finding(f"unknown-{leaf.field}", ("topics", index, "query"), message)


def _empty(rule: RuleConfig, keys: Keys, among: Sequence[Post]) -> Iterator[Finding]:
    if not passing([rule.where], among):
        yield Finding("filter-empty", (*keys, "where"), "no mention of the configured sources can pass this filter")
        return
    for place, condition in conditions(rule, keys):
        where = where_of(condition)
        if where is not None and not passing([rule.where, where], among):
            beside = "" if rule.where is None else " beside the rule's own"
            message = f"no mention of the configured sources can pass this filter{beside}"
            yield Finding("filter-empty", (*place, "where"), message)


def _words(words: Sequence[str], keys: Keys, excluded: frozenset[str], *, kept_out: bool) -> Iterator[Finding]:
    """Words that the topics' own queries exclude. ``kept_out``: under a ``not`` they are needless, and do no harm."""
    gone = [word for word in words if word in excluded]
    if not gone:
        return
    named = ", ".join(gone[:5]) + (" and more" if len(gone) > 5 else "")
    if len(gone) == len(words) and not kept_out:
        yield Finding(
            "words-excluded", keys, f"the rule's topics exclude all of these words, so none is ever found: {named}"
        )
    else:
        yield Finding("word-excluded", keys, f"the rule's topics exclude these words themselves: {named}")


def _excluded(rule: RuleConfig, config: Config) -> frozenset[str]:
    """The words of the rule that no mention of its topics can hold."""
    lists = [where.words for _, where in filters(rule, ()) if where.words is not None]
    lists += [one.words for _, one in conditions(rule, ()) if isinstance(one, Watch) and one.words is not None]
    words = {word for one in lists for word in one}
    queries = [topic.query for topic in config.topics if topic.id in rule.topics]
    return frozenset(word for word in words if queries and all(_excludes(query, word, config) for query in queries))


def _excludes(query: str, word: str, config: Config) -> bool:
    try:
        root = parse(query).root
        if not _negates(root) or never(root, config.sets):
            return False
        return never(parse(f'({query}) "{word}"').root, config.sets)
    except QueryError:  # a word that a query cannot hold, such as one with a quote in it
        return False


def _negates(node: Node) -> bool:
    return isinstance(node, Negation) or any(_negates(child) for child in children_of(node))


def reachable_channels(rule: RuleConfig, condition: Condition, among: Sequence[Post]) -> int | None:
    """How many channels one alert of this condition can see at most; None: any number."""
    found = {post.channel for post in passing([rule.where, where_of(condition)], among)}
    if "channel" in rule.by:
        return 1
    if None not in found:
        return 1 if "source" in rule.by else len(found)
    named = [where.channel for where in (rule.where, where_of(condition)) if where is not None and where.channel]
    return min((len(set(names)) for names in named), default=None)
