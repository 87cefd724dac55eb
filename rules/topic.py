"""Topics: what is watched, and which mentions satisfy it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from rules.finder import Place
from rules.fold import fold
from rules.mention import Mention
from rules.places import apart, outermost, union
from rules.query import QueryError, check_query
from rules.sight import Places, Sight, Watch
from rules.strict import Strict, Words
from rules.syntax import Alias, Query, Word
from rules.target import TargetConfig, findable
from rules.tree import All, Any, Close, Counted, Leaves, No, Stands, Tree, Witness, tree_of
from sentiment import Passage, Span, Target

__all__ = ["Match", "MatchedWord", "Matcher", "SetId", "TargetConfig", "TopicConfig", "TopicError", "WordSet"]

WORDS_AT_MOST: Final = 100
TRIED: Final = "query"  # the topic of a query that is only tried

TopicId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]


def _all_findable(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(findable(word) for word in words)


class TopicConfig(Strict):
    """What is watched."""

    id: TopicId = Field(description="Small letters, digits, - and _; stands in rules, links and metrics.")
    query: str = Field(description="The words that select mentions; see the reference of queries.")
    target: str | None = Field(
        default=None,
        description="Whom the sentiment is about: the id of a target. Without it, the whole text is judged.",
    )
    competitor_of: str | None = Field(default=None, description="The id of the topic beside which this one is shown.")
    title: str | None = Field(default=None, description="What people read in place of the id.")


SetId = TopicId
WordSet = Annotated[Words, Field(min_length=1, max_length=10_000), AfterValidator(_all_findable)]
Sets = Mapping[str, tuple[str, ...]]
"""Words by the name of their set: ``@jobs`` is any of them."""


Placed = tuple[Literal["title", "text"], int, int, int]


class TopicError(Exception):
    """A topic that cannot be watched; ``topic`` says which one."""

    def __init__(self, topic: str, message: str) -> None:
        super().__init__(f"{topic}: {message}")
        self.topic = topic


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """What stands at code points ``start`` to ``end`` of a field, as it is written there.

    Of a target: the ``name`` that it stands for, and in which ``variant`` of it; both empty for other words.
    """

    field: Literal["title", "text"]
    start: int
    end: int
    text: str
    name: str = ""
    variant: str = ""


@dataclass(slots=True, eq=False)  # not frozen: one is made for every match, and that would cost three times as much
class Match:
    """A mention satisfies a topic: on which words, and what is to be judged.

    ``places``: of each word the field, start, end (code points) and leaf, title first, in order, none within another, the
    first 100. ``words`` and ``target`` are made of what the matcher saw when they are asked for.
    """

    topic: str
    places: tuple[Placed, ...]
    _matcher: "Matcher" = field(repr=False)
    _sight: Sight = field(repr=False)

    @property
    def words(self) -> tuple[MatchedWord, ...]:
        """What stands at ``places``."""
        return self._matcher.words(self.places, self._sight)

    @property
    def target(self) -> Target:
        """Title and text; brand are the names of the topic's target, others those of all other targets beside these."""
        return self._matcher.target(self.topic, self._sight)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic made ready."""

    config: TopicConfig
    query: Query
    tree: Tree


class Matcher:
    """All topics at once: title and text are read once each, whatever the number of topics.

    Safe to share between threads: what it remembers beside its arguments is the same whoever finds it first.
    """

    def __init__(
        self, targets: Mapping[str, TargetConfig], topics: Sequence[TopicConfig], sets: Sets | None = None
    ) -> None:
        """Raise TopicError, with the QueryError as its cause where it is the query's."""
        self.targets, self.sets = targets, sets or {}
        queries = [_query(topic, targets, self.sets) for topic in topics]
        leaves = [leaf for query in queries for leaf in query.leaves() if isinstance(leaf, Word)]
        words = [leaf.folded for leaf in leaves if not leaf.prefix]
        words += [_folded(word) for words_of_set in self.sets.values() for word in words_of_set]
        self.watch = Watch(words, [leaf.folded for leaf in leaves if leaf.prefix], targets)
        self.topics = {
            topic.id: Topic(topic, query, tree_of(query.root, self.leaves_of))
            for topic, query in zip(topics, queries, strict=True)
        }
        self._ready = list(self.topics.values())
        self._asking, self._always = _asking([topic.tree for topic in self._ready])

    def trying(self, query: str) -> "Matcher":
        """A matcher of one query that is no topic yet, as the topic ``query``, with the targets and sets that it names.

        Raises QueryError.
        """
        named = {alias.name for alias in check_query(query, [*self.targets, *self.sets]).aliases()}
        return Matcher(
            {name: target for name, target in self.targets.items() if name in named},
            [TopicConfig(id=TRIED, query=query)],
            {name: words for name, words in self.sets.items() if name in named},
        )

    def match(self, mention: Mention) -> tuple[Match, ...]:
        """The topics that *mention* satisfies, in the order in which they are configured."""
        sight = self.watch.see(mention)
        asking = self._asking
        asked = {number for leaf in sight.text if leaf in asking for number in asking[leaf]}
        asked.update(number for leaf in sight.title if leaf in asking for number in asking[leaf])
        asked.update(self._always)
        matches = []
        for number in sorted(asked) if len(asked) > 1 else asked:
            topic = self._ready[number]
            if topic.tree.holds(sight):
                matches.append(Match(topic.config.id, placed(topic.tree.witnesses(sight)), self, sight))
        return tuple(matches)

    def words(self, places: Iterable[Placed], sight: Sight) -> tuple[MatchedWord, ...]:
        """What stands at these places, and of a name in which variant."""
        return tuple(self._word(place, sight) for place in places)

    def _word(self, place: Placed, sight: Sight) -> MatchedWord:
        field, start, end, leaf = place
        look, number = sight.looks[field], leaf - self.watch.first_target
        if number < 0:
            return MatchedWord(field, start, end, look.text[start:end])
        variant, name = self.watch.namings[number].variant((start, end), look)
        return MatchedWord(field, start, end, look.text[start:end], name, variant)

    def leaves_of(self, leaf: Word | Alias) -> Leaves:
        """The ids of a word of a query, of a target, or of all words of a set."""
        finder = self.watch.finder
        match leaf:
            case Word(folded=folded, prefix=True):
                return (finder.prefix_ids[folded],)
            case Word(folded=folded):
                return (finder.ids[folded],)
            case Alias(name) if name in self.watch.target_leaf:
                return (self.watch.target_leaf[name],)
            case Alias(name):
                return tuple(dict.fromkeys(finder.ids[_folded(word)] for word in self.sets[name]))

    def target(self, topic: str, sight: Sight) -> Target:
        """What of the mention is to be judged for *topic*."""
        target = self.topics[topic].config.target
        title = self._passage(sight.mention.title, target, sight.title) if sight.mention.title else None
        return Target(text=self._passage(sight.mention.text, target, sight.text), title=title)

    def _passage(self, text: str, target: str | None, places: Places) -> Passage:
        if target is None:
            return Passage(text)
        own, first = self.watch.target_leaf[target], self.watch.first_target
        brand = union(places.get(own, ()))
        others = [place for leaf, named in places.items() if leaf >= first and leaf != own for place in named]
        return Passage(text, _spans(brand), _spans(apart(union(others), brand)) if others else ())


def placed(witnesses: Sequence[Witness]) -> tuple[Placed, ...]:
    """The places of these, title first: the first 100, none within another."""
    if len(witnesses) == 1:
        ((field, (start, end), leaf),) = witnesses
        return ((field, start, end, leaf),)
    title: dict[Place, int] = {}
    text: dict[Place, int] = {}
    for field, place, leaf in witnesses:
        (text if field == "text" else title).setdefault(place, leaf)
    first: list[Placed] = [("title", *place, title[place]) for place in outermost(title)]
    then: list[Placed] = [("text", *place, text[place]) for place in outermost(text)]
    return (*first, *then)[:WORDS_AT_MOST]


def _asking(trees: Sequence[Tree]) -> tuple[dict[int, list[int]], list[int]]:
    """Per leaf the numbers of the trees that are asked where it holds, and those that are asked of each mention.

    What many topics look for (手机) should ask none of them, if each has something rarer that must be there too. A tree
    that could be true without any word (``channel:weibo``) is asked always.
    """
    shared = Counter(leaf for tree in trees for leaf in set(_leaves(tree)))
    asking: dict[int, list[int]] = {}
    always = []
    for number, tree in enumerate(trees):
        needed = _needed(tree, shared, true=True)
        if needed is None:
            always.append(number)
        for leaf in sorted(needed or ()):
            asking.setdefault(leaf, []).append(number)
    return asking, always


def _needed(tree: Tree, shared: Mapping[int, int], *, true: bool) -> frozenset[int] | None:
    """Leaves of which one holds wherever *tree* is as wanted, the rarest such; None where none need hold."""
    match tree:
        case Stands(leaves) | Counted(_, Stands(leaves)):
            return frozenset(leaves) if true else None
        case Close(left, right):
            return _rarest([frozenset(left.leaves), frozenset(right.leaves)], shared) if true else None
        case No(child):
            return _needed(child, shared, true=not true)
        case All(children) | Any(children):
            needed = [_needed(child, shared, true=true) for child in children]
            known = [leaves for leaves in needed if leaves is not None]
            if isinstance(tree, All) == true:  # all children are as wanted
                return _rarest(known, shared)
            return frozenset().union(*known) if len(known) == len(needed) else None
        case _:
            return None


def _rarest(choices: Sequence[frozenset[int]], shared: Mapping[int, int]) -> frozenset[int] | None:
    return min(choices, key=lambda leaves: sum(shared[leaf] for leaf in leaves), default=None)


def _leaves(tree: Tree) -> tuple[int, ...]:
    match tree:
        case Stands(leaves) | Counted(_, Stands(leaves)):
            return leaves
        case Close(left, right):
            return left.leaves + right.leaves
        case No(child):
            return _leaves(child)
        case All(children) | Any(children):
            return tuple(leaf for child in children for leaf in _leaves(child))
        case _:
            return ()


def _query(topic: TopicConfig, targets: Mapping[str, TargetConfig], sets: Sets) -> Query:
    if topic.target is not None and topic.target not in targets:
        raise TopicError(topic.id, f"there is no target {topic.target!r}")
    try:
        return check_query(topic.query, [*targets, *sets])
    except QueryError as error:
        raise TopicError(topic.id, f"query: {error}") from error


def _folded(word: str) -> str:
    return " ".join(fold(word).text.split())


def _spans(places: Sequence[Place]) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in places)
