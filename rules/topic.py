"""Topics: what is watched, and which mentions satisfy it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from rules.fold import fold
from rules.mention import Mention
from rules.naming import Naming, Place, TargetConfig, apart, outermost, union
from rules.query import QueryError, check_query
from rules.strict import Strict
from rules.syntax import Alias, And, Node, Not, Or, Query, Word
from rules.terms import Terms
from sentiment import Passage, Span, Target

__all__ = ["Match", "MatchedWord", "Matcher", "TargetConfig", "TopicConfig", "TopicError"]

WORDS_AT_MOST: Final = 100

TopicId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]


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


class TopicError(Exception):
    """A topic that cannot be watched; ``topic`` says which one."""

    def __init__(self, topic: str, message: str) -> None:
        super().__init__(f"{topic}: {message}")
        self.topic = topic


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """What stands at code points ``start`` to ``end`` of a field, as it is written there."""

    field: Literal["title", "text"]
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A mention satisfies a topic: on which words (the first 100, title first), and what is to be judged.

    ``target`` has as brand the names of the topic's target and as others those of all other targets, so far as they do
    not overlap the brand's; neither where the topic has no target.
    """

    topic: str
    words: tuple[MatchedWord, ...]
    target: Target


Tree = (
    int | tuple[Literal["and", "or", "not"], tuple["Tree", ...]]
)  # an int is a leaf: a word, or all names of a target
Places = Mapping[int, Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic made ready: the leaves of ``tree`` are indexes of words, or beyond these, of targets."""

    config: TopicConfig
    query: Query
    tree: Tree


@dataclass(frozen=True, slots=True)
class Sight:
    """What stands in a mention: per field (title, text) the places of each leaf that holds there."""

    title: Places
    text: Places

    def holds(self, leaf: int) -> bool:
        return leaf in self.text or leaf in self.title


class Matcher:
    """All topics at once: one automaton, one pass over title and text, whatever the number of topics."""

    def __init__(self, targets: Mapping[str, TargetConfig], topics: Sequence[TopicConfig]) -> None:
        """Raise TopicError, with the QueryError as its cause where it is the query's."""
        queries = [_query(topic, targets) for topic in topics]
        words = [leaf.folded for query in queries for leaf in query.leaves() if isinstance(leaf, Word)]
        names = [name for target in targets.values() for name in (*target.names, *target.aliases, *target.unless_near)]
        self.terms = Terms([*words, *names])
        self.namings = [Naming(target, self.terms) for target in targets.values()]
        first = len(self.terms.words)
        self.target_leaf = {name: first + number for number, name in enumerate(targets)}
        self.topics = {
            topic.id: Topic(topic, query, self._tree(query.root)) for topic, query in zip(topics, queries, strict=True)
        }
        self._named_by: dict[int, list[int]] = defaultdict(list)
        for number, naming in enumerate(self.namings):
            for index in sorted(naming.names):
                self._named_by[index].append(number)
        self._ready = list(self.topics.values())
        self._asking = _asking([topic.tree for topic in self._ready])

    def match(self, mention: Mention) -> tuple[Match, ...]:
        """The topics that *mention* satisfies, in the order in which they are configured."""
        sight = self.look(mention)
        asked = {number for leaf in (*sight.title, *sight.text) for number in self._asking.get(leaf, ())}
        matched = [topic for topic in map(self._ready.__getitem__, sorted(asked)) if holds(topic.tree, sight)]
        targets: dict[str | None, Target] = {}
        for target in dict.fromkeys(topic.config.target for topic in matched):
            targets[target] = self._target(mention, target, sight)
        return tuple(
            Match(
                topic.config.id,
                words_at(mention, _witnesses(topic.tree, sight), sight),
                targets[topic.config.target],
            )
            for topic in matched
        )

    def look(self, mention: Mention) -> Sight:
        """What of all that is sought stands in *mention*, and which targets are named."""
        return Sight(self._look(mention.title), self._look(mention.text))

    def scan(self, text: str) -> dict[int, list[Place]]:
        """The places of each word in one field, by its index; those of names count or not."""
        found: dict[int, list[Place]] = {}
        for index, start, end in self.terms.scan(fold(text)):
            found.setdefault(index, []).append((start, end))
        return found

    def _look(self, text: str) -> Places:
        if not text:
            return {}
        found = self.scan(text)
        first = len(self.terms.words)
        named = {number for index in found for number in self._named_by.get(index, ())}
        places = {first + number: self.namings[number].places(found) for number in sorted(named)}
        found.update((leaf, counted) for leaf, counted in places.items() if counted)
        return found

    def _tree(self, node: Node) -> Tree:
        match node:
            case Word():
                return self.terms.index(node.folded)
            case Alias():
                return self.target_leaf[node.name]
            case Not(child):
                return "not", (self._tree(child),)
            case And(children):
                return "and", tuple(self._tree(child) for child in children)
            case Or(children):
                return "or", tuple(self._tree(child) for child in children)

    def _target(self, mention: Mention, target: str | None, sight: Sight) -> Target:
        title = self._passage(mention.title, target, sight.title) if mention.title else None
        return Target(text=self._passage(mention.text, target, sight.text), title=title)

    def _passage(self, text: str, target: str | None, places: Places) -> Passage:
        if target is None:
            return Passage(text)
        own = self.target_leaf[target]
        first = len(self.terms.words)
        brand = union(places.get(own, ()))
        other = union(place for leaf, named in places.items() if leaf >= first and leaf != own for place in named)
        return Passage(text, _spans(brand), _spans(apart(other, brand)))


def words_at(mention: Mention, leaves: Sequence[int], sight: Sight) -> tuple[MatchedWord, ...]:
    """What stands in *mention* for any of *leaves*, title first: the first 100, none within another."""
    title = outermost(place for leaf in leaves for place in sight.title.get(leaf, ()))[:WORDS_AT_MOST]
    text = outermost(place for leaf in leaves for place in sight.text.get(leaf, ()))[: WORDS_AT_MOST - len(title)]
    return (
        *(MatchedWord("title", start, end, mention.title[start:end]) for start, end in title),
        *(MatchedWord("text", start, end, mention.text[start:end]) for start, end in text),
    )


def holds(tree: Tree, sight: Sight) -> bool:
    """Whether *tree* is true of what stands in a mention."""
    if isinstance(tree, int):
        return sight.holds(tree)
    kind, children = tree
    if kind == "and":
        return all(holds(child, sight) for child in children)
    if kind == "or":
        return any(holds(child, sight) for child in children)
    return not holds(children[0], sight)


def _witnesses(tree: Tree, sight: Sight) -> Sequence[int]:
    """The leaves on which a tree that holds does so: all of AND, those of OR that hold, none of NOT."""
    if isinstance(tree, int):
        return (tree,)
    kind, children = tree
    if kind == "not":
        return ()
    return [leaf for child in children if kind == "and" or holds(child, sight) for leaf in _witnesses(child, sight)]


def _asking(trees: Sequence[Tree]) -> dict[int, list[int]]:
    """Per leaf the numbers of the trees that are asked where it holds; no other tree can be true.

    What many topics look for (手机) should ask none of them, if each has something rarer that must be there too.
    """
    shared = Counter(leaf for tree in trees for leaf in set(_leaves(tree)))
    asking: dict[int, list[int]] = defaultdict(list)
    for number, tree in enumerate(trees):
        for leaf in sorted(_needed(tree, shared, true=True) or ()):
            asking[leaf].append(number)
    return dict(asking)


def _needed(tree: Tree, shared: Mapping[int, int], *, true: bool) -> frozenset[int] | None:
    """Leaves of which one holds wherever *tree* is as wanted, the rarest such; None where none need hold.

    None is answered exactly where the tree is as wanted in a text that holds nothing, which no query is.
    """
    if isinstance(tree, int):
        return frozenset([tree]) if true else None
    kind, children = tree
    if kind == "not":
        return _needed(children[0], shared, true=not true)
    needed = [_needed(child, shared, true=true) for child in children]
    known = [leaves for leaves in needed if leaves is not None]
    if (kind == "and") == true:  # all children are as wanted
        return min(known, key=lambda leaves: sum(shared[leaf] for leaf in leaves), default=None)
    return frozenset().union(*known) if len(known) == len(needed) else None


def _leaves(tree: Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else [leaf for child in tree[1] for leaf in _leaves(child)]


def _query(topic: TopicConfig, targets: Mapping[str, TargetConfig]) -> Query:
    if topic.target is not None and topic.target not in targets:
        raise TopicError(topic.id, f"there is no target {topic.target!r}")
    try:
        return check_query(topic.query, targets.keys())
    except QueryError as error:
        raise TopicError(topic.id, f"query: {error}") from error


def _spans(places: Sequence[Place]) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in places)
