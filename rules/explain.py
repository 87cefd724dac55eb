"""Why a topic matches a mention, or what is missing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from rules.finder import Place
from rules.mention import Mention
from rules.naming import Look, Rule
from rules.sight import Sight
from rules.syntax import Alias, AtLeast, Field, Kind, Near, Node, Within, Word, children_of, kind_of, written
from rules.topic import WORDS_AT_MOST, MatchedWord, Matcher, placed
from rules.tree import tree_of

_BOTH: tuple[Field, ...] = ("title", "text")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A name that does not count, and which rule decided.

    ``unless_near``: ``because`` is a word of that list. ``near``: none of the words of that list is within reach, so
    that there is no ``because``. ``word``: the text is read as the common word ``because`` there. ``link``: it stands in
    the address ``because``.
    """

    name: MatchedWord
    rule: Rule
    because: MatchedWord | None


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the query tree: ``query`` is its part of the query, ``words`` what stands in the mention for a leaf."""

    kind: Kind
    query: str
    holds: bool
    words: tuple[MatchedWord, ...] = ()
    refused: tuple[Refusal, ...] = ()
    children: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one topic; ``words``: what it matched on.

    ``nearest``: for a miss, the clauses of which the fewest words would have to change; all of them are needed.
    """

    topic: str
    query: str
    matched: bool
    words: tuple[MatchedWord, ...]
    tree: Step
    nearest: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, the nearest clauses as their part of the query."""
        return {**asdict(self), "nearest": [step.query for step in self.nearest]}

    def __str__(self) -> str:
        """The tree, a node a line: ``+`` holds, ``-`` does not."""
        lines = [f"{self.topic}: {'matched' if self.matched else 'not matched'}: {self.query}"]
        lines.extend(_lines(self.tree, 1))
        if self.nearest:
            lines.append(f"  nearest: {' and '.join(_lack(step) for step in self.nearest)}")
        return "\n".join(lines)


def explain(matcher: Matcher, mention: Mention, topic_id: str) -> Explanation:
    """Explain one topic of *matcher* on *mention*; raises KeyError for a topic that it does not know."""
    return explain_all(matcher, mention, [topic_id])[0]


def explain_all(matcher: Matcher, mention: Mention, topic_ids: Iterable[str]) -> tuple[Explanation, ...]:
    """These topics in this order, the mention read once for all; raises KeyError for a topic that is not known."""
    sight = matcher.watch.see(mention)
    explainer = _Explainer(matcher, sight)
    return tuple(_explained(matcher, sight, topic_id, explainer) for topic_id in topic_ids)


def _explained(matcher: Matcher, sight: Sight, topic_id: str, explainer: "_Explainer") -> Explanation:
    topic = matcher.topics[topic_id]
    step = explainer.step(topic.query.root, _BOTH)
    words = matcher.words(placed(topic.tree.witnesses(sight)), sight) if step.holds else ()
    nearest = () if step.holds else tuple(_nearest(step))
    return Explanation(topic_id, topic.config.query, step.holds, words, step, nearest)


class _Explainer:
    def __init__(self, matcher: Matcher, sight: Sight) -> None:
        self._matcher = matcher
        self._sight = sight
        self._refusals: dict[tuple[str, tuple[Field, ...]], tuple[Refusal, ...]] = {}

    def step(self, node: Node, fields: tuple[Field, ...]) -> Step:
        """*node*, which looks at *fields* alone."""
        tree = tree_of(node, self._matcher.leaves_of, fields)
        true = tree.holds(self._sight)
        told = isinstance(node, Word | Alias) or (true and isinstance(node, Near | AtLeast))
        words = self._matcher.words(placed(tree.witnesses(self._sight)), self._sight) if told else ()
        refused = self._refused(node.name, fields) if isinstance(node, Alias) else ()
        inner = (node.field,) if isinstance(node, Within) else fields
        children = tuple(self.step(child, inner) for child in children_of(node))
        return Step(kind_of(node), written(node), true, words, refused, children)

    def _refused(self, name: str, fields: tuple[Field, ...]) -> tuple[Refusal, ...]:
        """The first 100; found once, whatever the number of topics that name it."""
        known = self._refusals.get((name, fields))
        if known is None:
            known = self._refusals[name, fields] = tuple(islice(self._find_refused(name, fields), WORDS_AT_MOST))
        return known

    def _find_refused(self, name: str, fields: tuple[Field, ...]) -> Iterator[Refusal]:
        watch = self._matcher.watch
        if name not in watch.target_leaf:
            return
        naming = watch.namings[watch.target_leaf[name] - watch.first_target]
        mention = {identity for look in self._sight.looks.values() for identity in look.found}
        for field in fields:
            if field not in self._sight.looks:
                continue
            look = self._sight.looks[field]
            for place, _, objection in naming.refused(look, mention):
                variant, meant = naming.variant(place, look)
                word = _at(field, objection.word, look) if objection.word else None
                yield Refusal(_at(field, place, look, meant, variant), objection.rule, word)


def _at(field: Field, place: Place, look: Look, name: str = "", variant: str = "") -> MatchedWord:
    return MatchedWord(field, *place, look.text[slice(*place)], name, variant)


_SIMPLE = ("word", "alias", "fact", "near", "atleast", "within")


def _nearest(step: Step) -> Iterator[Step]:
    """The clauses to change so that *step*, which does not hold, would."""
    if step.kind == "and":
        for child in step.children:
            if not child.holds:
                yield from _nearest(child)
    elif step.kind == "or" and any(child.kind not in _SIMPLE for child in step.children):
        yield from _nearest(min(step.children, key=lambda child: _cost(child, wanted=True)))
    else:
        yield step


def _cost(step: Step, *, wanted: bool) -> int:
    """How many words would have to come or go until *step* is as wanted."""
    if step.holds == wanted:
        return 0
    if step.kind in _SIMPLE:
        return 1
    if step.kind == "not":
        return _cost(step.children[0], wanted=not wanted)
    costs = [_cost(child, wanted=wanted) for child in step.children]
    return sum(costs) if (step.kind == "and") == wanted else min(costs)


def _lines(step: Step, depth: int) -> Iterator[str]:
    label = step.query if step.kind in _SIMPLE else step.kind.upper()
    found = "".join(f"  {_shown(word)}" for word in step.words)
    yield f"{'  ' * depth}{'+' if step.holds else '-'} {label}{found}"
    for refusal in step.refused:
        yield f"{'  ' * (depth + 1)}{_shown(refusal.name)} does not count: {_REASONS[refusal.rule](refusal)}"
    for child in step.children:
        yield from _lines(child, depth + 1)


_REASONS: dict[Rule, Callable[[Refusal], str]] = {
    "unless_near": lambda refusal: f"{_quoted(refusal.because)} is near (unless_near)",
    "near": lambda _refusal: "none of the words that must be near is (near)",
    "link": lambda refusal: f"it stands in the address {_quoted(refusal.because)}",
    "word": lambda refusal: f"the text reads {_quoted(refusal.because)} there (inside_words)",
}


def _shown(word: MatchedWord) -> str:
    variant = f" ({word.variant} of {word.name})" if word.variant not in {"", "exact"} else ""
    return f"{word.field} {word.start}-{word.end} {word.text!r}{variant}"


def _quoted(word: MatchedWord | None) -> str:
    return repr(word.text) if word else ""


def _lack(step: Step) -> str:
    if step.kind != "not":
        return f"{step.query} is missing"
    words = ", ".join(dict.fromkeys(word.text for word in present(step)))
    return f"{step.query} is against it: {words}" if words else f"{step.query} is against it"


def present(step: Step) -> Iterator[MatchedWord]:
    """What stands in the mention that makes *step* hold, of each of its words three at most."""
    yield from step.words[:3]
    for child in step.children:
        if child.holds:
            yield from present(child)
