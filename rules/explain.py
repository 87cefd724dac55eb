"""Why a topic matches a mention, or what is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rules.mention import Mention
from rules.syntax import Alias, And, Node, Not, Or, Word, written
from rules.topic import MatchedWord, Matcher, Sight, Tree, holds, words_at


@dataclass(frozen=True, slots=True)
class Refusal:
    """A name that does not count, and the word of its ``unless_near`` that is the reason."""

    name: MatchedWord
    because: MatchedWord


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the query tree: ``query`` is its part of the query, ``words`` what stands in the mention for a leaf."""

    kind: Literal["and", "or", "not", "word", "alias"]
    query: str
    holds: bool
    words: tuple[MatchedWord, ...] = ()
    refused: tuple[Refusal, ...] = ()
    children: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """``nearest``: for a miss, the clauses of which the fewest words would have to change; all of them are needed."""

    topic: str
    query: str
    matched: bool
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
    topic = matcher.topics[topic_id]
    sight = matcher.look(mention)
    tree = _Explainer(matcher, mention, sight).step(topic.query.root, topic.tree)
    return Explanation(topic_id, topic.config.query, tree.holds, tree, () if tree.holds else tuple(_nearest(tree)))


class _Explainer:
    def __init__(self, matcher: Matcher, mention: Mention, sight: Sight) -> None:
        self._matcher = matcher
        self._mention = mention
        self._sight = sight

    def step(self, node: Node, tree: Tree) -> Step:
        true = holds(tree, self._sight)
        match node:
            case Word() | Alias():
                assert isinstance(tree, int)  # noqa: S101 - a leaf is an int, by Matcher
                words = words_at(self._mention, [tree], self._sight)
                if isinstance(node, Word):
                    return Step("word", written(node), true, words)
                return Step("alias", written(node), true, words, tuple(self._refused(tree)))
            case Not():
                return Step("not", written(node), true, children=self._steps([node.child], tree))
            case And(children):
                return Step("and", written(node), true, children=self._steps(children, tree))
            case Or(children):
                return Step("or", written(node), true, children=self._steps(children, tree))

    def _steps(self, nodes: Sequence[Node], tree: Tree) -> tuple[Step, ...]:
        assert not isinstance(tree, int)  # noqa: S101 - a node with children, by Matcher
        return tuple(self.step(node, child) for node, child in zip(nodes, tree[1], strict=True))

    def _refused(self, leaf: int) -> Iterator[Refusal]:
        naming = self._matcher.namings[leaf - len(self._matcher.terms.words)]
        fields: tuple[tuple[Literal["title", "text"], str], ...] = (
            ("title", self._mention.title), ("text", self._mention.text),
        )  # fmt: skip
        for field, text in fields:
            for name, because in naming.refused(self._matcher.scan(text)):
                yield Refusal(
                    MatchedWord(field, *name, text[slice(*name)]), MatchedWord(field, *because, text[slice(*because)])
                )


def _nearest(step: Step) -> Iterator[Step]:
    """The clauses to change so that *step*, which does not hold, would."""
    if step.kind == "and":
        for child in step.children:
            if not child.holds:
                yield from _nearest(child)
    elif step.kind == "or" and any(child.children for child in step.children):
        yield from _nearest(min(step.children, key=lambda child: _cost(child, wanted=True)))
    else:
        yield step


def _cost(step: Step, *, wanted: bool) -> int:
    """How many words would have to come or go until *step* is as wanted."""
    if step.holds == wanted:
        return 0
    if not step.children:
        return 1
    if step.kind == "not":
        return _cost(step.children[0], wanted=not wanted)
    costs = [_cost(child, wanted=wanted) for child in step.children]
    return sum(costs) if (step.kind == "and") == wanted else min(costs)


def _lines(step: Step, depth: int) -> Iterator[str]:
    label = step.kind.upper() if step.children else step.query
    found = "".join(f"  {word.field} {word.start}-{word.end} {word.text!r}" for word in step.words)
    yield f"{'  ' * depth}{'+' if step.holds else '-'} {label}{found}"
    for refusal in step.refused:
        name, because = refusal.name, refusal.because
        yield f"{'  ' * (depth + 1)}{name.field} {name.start}-{name.end} {name.text!r} does not count: {because.text!r}"
    for child in step.children:
        yield from _lines(child, depth + 1)


def _lack(step: Step) -> str:
    if step.kind != "not":
        return f"{step.query} is missing"
    present = ", ".join(word.text for word in _present(step))
    return f"{step.query} is against it: {present}"


def _present(step: Step) -> Iterator[MatchedWord]:
    yield from step.words[:3]
    for child in step.children:
        if child.holds:
            yield from _present(child)
