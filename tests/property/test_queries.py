"""The parser and the matcher against what is plain."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.explain import explain
from rules.fold import fold, is_word
from rules.mention import Mention
from rules.query import QueryError, check_query, parse
from rules.syntax import Alias, And, Not, Or, Word, written
from rules.topic import Matcher, TargetConfig, TopicConfig

PIECES = ["(", ")", "（", "）", '"', "'", "“", "”", "「", "AND", "OR", "NOT", "与", "或", "非", "@a", "@", "x", "云", "\\", "*", "NEAR/3", "t:", " ", "\n", "\u3000", "\u200b", ",", "|", "-", "\ud800", "0"]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_the_parser_raises_nothing_but_located_errors(text):
    """Any text is a query or a QueryError whose place lies within the text (or right after it)."""
    try:
        query = parse(text)
    except QueryError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert error.message
    else:
        again = parse(written(query.root))
        assert same(again.root, query.root)


def same(one, other) -> bool:
    match one, other:
        case Word(folded=first), Word(folded=second):
            return first == second
        case Alias(first), Alias(second):
            return first == second
        case Not(first), Not(second):
            return same(first, second)
        case (And(first), And(second)) | (Or(first), Or(second)):
            return len(first) == len(second) and all(map(same, first, second))
    return False


WORDS = ["云", "云杉", "杉树", "a", "ab", "ａ", "B", "1", "云a", "格澜", "a b"]
TARGETS = {
    "x": TargetConfig(names=["云杉"], aliases=["ab", "云杉树林"], unless_near=["云杉树", "格"]),
    "y": TargetConfig(names=["格澜", "杉"], aliases=["Ａ"]),
    "z": TargetConfig(names=["1"]),
}
leaf = st.one_of(st.sampled_from(WORDS).map('"{}"'.format), st.sampled_from(["@x", "@y", "@z"]))
queries = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("({0[0]} AND {0[1]})".format),
        st.tuples(inner, inner, inner).map("({0[0]} OR {0[1]} OR {0[2]})".format),
        inner.map("(@z NOT {})".format),
        st.tuples(inner, inner).map("({0[0]} 非 ({0[1]}))".format),
    ),
    max_leaves=6,
)
texts = st.lists(st.sampled_from([*"云杉树林格澜aAＡbB1１ 。\n", "\u200b", "云杉", "ab ", "格澜"]), max_size=24).map(
    "".join
)


def places(text: str, word: str) -> set[tuple[int, int]]:
    """Where *word* stands in *text*, by trying every pair of offsets."""
    wanted, found = fold(word).text, set()
    folds = [fold(character).text for character in text]
    whole = "".join(folds)
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            if folds[start] and folds[end - 1] and "".join(folds[start:end]) == wanted:
                at = len("".join(folds[:start]))
                if is_word(whole, at, at + len(wanted)):
                    found.add((start, end))
    return found


def named(text: str, target: TargetConfig) -> set[tuple[int, int]]:
    """The outermost names that count, by comparing each with each."""
    names = {place for name in (*target.names, *target.aliases) for place in places(text, name)}
    outer = {one for one in names if not any(inside(one, other) for other in names)}
    refused = set()
    for word in target.unless_near:
        holds_name = any(fold(name).text in fold(word).text for name in (*target.names, *target.aliases))
        for context in places(text, word):
            if any(inside(context, one) for one in outer):
                continue
            for one in outer:
                gap = max(context[0] - one[1], one[0] - context[1])
                if gap < 0 or (not holds_name and gap <= 10):
                    refused.add(one)
    return outer - refused


def inside(inner, outer) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer


def true(node, fields) -> bool:
    match node:
        case Word(text):
            return any(places(field, text) for field in fields)
        case Alias(name):
            return any(named(field, TARGETS[name]) for field in fields)
        case Not(child):
            return not true(child, fields)
        case And(children):
            return all(true(child, fields) for child in children)
        case Or(children):
            return any(true(child, fields) for child in children)


@settings(max_examples=200, deadline=None)
@given(st.lists(queries, min_size=1, max_size=4), texts, texts)
def test_the_matcher_agrees_with_a_naive_one(written_queries, text, title):
    """Topics, words and spans are those of an evaluator that tries every offset; explanations say the same."""
    topics = [TopicConfig(id=f"t{number}", target="x", query=query) for number, query in enumerate(written_queries)]
    matcher = Matcher(TARGETS, topics)
    mention = Mention(source="s", channel="c", external_id="1", text=text, title=title)
    matches = {match.topic: match for match in matcher.match(mention)}
    for topic in topics:
        root = check_query(topic.query, list(TARGETS)).root
        assert (topic.id in matches) is true(root, (title, text))
        found = explain(matcher, mention, topic.id)
        assert found.matched is (topic.id in matches)
        assert bool(found.nearest) is not found.matched
    for match in matches.values():
        assert match.words
        for word in match.words:
            assert word.text == {"title": title, "text": text}[word.field][word.start : word.end]
        for field, passage in ((text, match.target.text), (title, match.target.title)):
            if passage is None:
                assert not field
                continue
            assert covered(passage.brand) == covered(named(field, TARGETS["x"]))
            others = covered(named(field, TARGETS["y"]) | named(field, TARGETS["z"]))
            assert covered(passage.others) <= others
            assert not covered(passage.others) & covered(passage.brand)
            spans = [*passage.brand, *passage.others]
            assert all(0 <= span.start < span.end <= len(field) for span in spans)


def covered(spans) -> set[int]:
    pairs = [span if isinstance(span, tuple) else (span.start, span.end) for span in spans]
    return {at for start, end in pairs for at in range(start, end)}


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(4)), texts)
def test_topics_do_not_matter_to_each_other(order, text):
    """A topic matches the same words whatever other topics there are, and in whatever order."""
    all_topics = [
        TopicConfig(id=f"t{number}", query=query) for number, query in enumerate(["@x", "云 a", "@y NOT @z", "1 OR b"])
    ]
    mention = Mention(source="s", channel="c", external_id="1", text=text)
    together = {
        match.topic: match for match in Matcher(TARGETS, [all_topics[number] for number in order]).match(mention)
    }
    for topic in all_topics:
        alone = Matcher(TARGETS, [topic]).match(mention)
        assert [together[topic.id]] == list(alone) if topic.id in together else not alone
    assert not re.search("t[^0-3]", "".join(together))
