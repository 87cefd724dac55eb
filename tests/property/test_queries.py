"""The parser and the matcher against what is plain."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rules.fold import fold, is_word
from rules.mention import Mention
from rules.overlap import always, never, within
from rules.query import QueryError, parse
from rules.syntax import Alias, And, AtLeast, Fact, Near, Not, Or, Within, Word, children_of, written
from rules.topic import Matcher, TargetConfig, TopicConfig
from tests.support.examples import examples

PIECES = ["(", ")", "（", "）", '"', "'", "“", "”", "「", "AND", "OR", "NOT", "与", "或", "非", "@a", "@", "x", "云", "\\", "*", "NEAR/3", "t:", "title:", "url：", "text:(", "reach>", "likes<=5", "repost:true", "atleast", "2", "abc*", "near/0f", " ", "\n", "\u3000", "\u200b", ",", "|", "-", "\ud800", "0"]  # fmt: skip


@examples(500)
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
    """Whether two trees are alike, their places in the text apart."""
    if type(one) is not type(other) or len(children_of(one)) != len(children_of(other)):
        return False
    match one:
        case Word():
            alike = (one.folded, one.prefix) == (other.folded, other.prefix)
        case Alias():
            alike = one.name == other.name
        case Fact():
            alike = (one.field, one.sign, one.value) == (other.field, other.sign, other.value)
        case Near():
            alike = (one.distance, one.ordered) == (other.distance, other.ordered)
        case Within():
            alike = one.field == other.field
        case AtLeast():
            alike = one.count == other.count
        case _:
            alike = True
    return alike and all(map(same, children_of(one), children_of(other)))


WORDS = ["云", "云杉", "杉树", "a", "ab", "ａ", "B", "1", "云a", "格澜", "a b"]
TARGETS = {
    "x": TargetConfig(
        names=["云杉"], aliases=["ab", "云杉树林"], unless_near=["云杉树", "格"], variants=[], inside_words=True
    ),
    "y": TargetConfig(names=["格澜", "杉"], aliases=["Ａ"], near=["林", "b"], variants=[], inside_words=True),
    "z": TargetConfig(names=["1"], variants=[], inside_words=True),
}
SETS = {"s": ("云", "a b", "ab")}
word = st.one_of(st.sampled_from(WORDS).map('"{}"'.format), st.sampled_from(["@x", "@y", "@z", "@s"]))
group = st.one_of(word, st.lists(word, min_size=2, max_size=3).map(lambda words: f"({' OR '.join(words)})"))
leaf = st.one_of(
    word,
    st.sampled_from(["abb*", "ab1*", "repost:false", "channel:c", "followers>5"]),
    st.tuples(group, st.sampled_from(["NEAR/0", "NEAR/1f", "NEAR/4"]), group).map(" ".join).map("({})".format),
    st.tuples(st.integers(1, 3), group).map("(atleast {0[0]} {0[1]})".format),
)
queries = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["title", "text"]), group).map("{0[0]}:{0[1]}".format),
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


def named(text: str, target: TargetConfig, mention) -> set[tuple[int, int]]:
    """The outermost names that count, by comparing each with each."""
    names = {place for name in target.all_names for place in places(text, name)}
    outer = {one for one in names if not any(inside(one, other) for other in names)}
    refused = set()
    for word in target.unless_near:
        holds_name = any(fold(name).text in fold(word).text for name in target.all_names)
        for context in places(text, word):
            if any(inside(context, one) for one in outer):
                continue
            for one in outer:
                gap = max(context[0] - one[1], one[0] - context[1])
                if gap < 0 or (not holds_name and gap <= 10):
                    refused.add(one)
    if target.near and not any(places(field, word) for word in target.near for field in mention):
        return set()
    return outer - refused


def inside(inner, outer) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer


def units(text: str) -> int:
    """Chinese characters and Latin words."""
    return len(re.findall(r"[\u4e00-\u9fff]|[0-9A-Za-zＡ-Ｚａ-ｚ１]+", text))


def found(node, text: str, mention) -> set[tuple[int, int]]:
    """Where a word, a prefix, a name or a group of these stands."""
    match node:
        case Word(stem, prefix=True):
            longer = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
            return {p for one in longer if fold(one).text.startswith(fold(stem).text) and one.isalnum() and one.isascii() for p in places(text, one)
                    if not text[p[1]:p[1] + 1].isascii() or not text[p[1]:p[1] + 1].isalnum()}  # fmt: skip
        case Word(word):
            return places(text, word)
        case Alias(name):
            return (
                named(text, TARGETS[name], mention)
                if name in TARGETS
                else {p for word in SETS[name] for p in places(text, word)}
            )
        case Or(children):
            return {place for child in children for place in found(child, text, mention)}


def true(node, fields, mention) -> bool:
    """*fields*: of the mention's title and text, those that count."""
    match node:
        case Word() | Alias():
            return any(found(node, field, mention) for field in fields)
        case Fact(field):
            return field in {"repost", "channel"}
        case Within(field, child):
            return true(child, mention[:1] if field == "title" else mention[1:], mention)
        case Near(left, right, distance, ordered):
            pairs = [
                (one, other, field)
                for field in fields
                for one in found(left, field, mention)
                for other in found(right, field, mention)
            ]
            if not ordered:
                pairs += [(other, one, field) for one, other, field in pairs]
            return any(a[1] <= b[0] and units(field[a[1] : b[0]]) <= distance for a, b, field in pairs)
        case AtLeast(count, children):
            stands = [found(Or(children), field, mention) for field in fields]
            return sum(not any(inside(one, other) for other in each) for each in stands for one in each) >= count
        case Not(child):
            return not true(child, fields, mention)
        case And(children):
            return all(true(child, fields, mention) for child in children)
        case Or(children):
            return any(true(child, fields, mention) for child in children)


def covered(spans) -> set[int]:
    pairs = [span if isinstance(span, tuple) else (span.start, span.end) for span in spans]
    return {at for start, end in pairs for at in range(start, end)}


@examples(50)
@given(st.permutations(range(4)), texts)
def test_topics_do_not_matter_to_each_other(order, text):
    """A topic matches the same words whatever other topics there are, and in whatever order."""
    all_topics = [
        TopicConfig(id=f"t{number}", query=query)
        for number, query in enumerate(["@x", "云 a", "@y NOT @z", "1 OR b NEAR/3 云"])
    ]
    mention = Mention(source="s", channel="c", external_id="1", text=text)
    together = {
        match.topic: match for match in Matcher(TARGETS, [all_topics[number] for number in order]).match(mention)
    }
    for topic in all_topics:
        alone = Matcher(TARGETS, [topic]).match(mention)
        seen = [(match.topic, match.words, match.target) for match in alone]
        also = together.get(topic.id)
        assert seen == ([(also.topic, also.words, also.target)] if also else [])
    assert not re.search("t[^0-3]", "".join(together))


@examples(200)
@given(queries, queries, texts, texts)
def test_what_is_said_of_queries_holds_of_mentions(one, other, text, title):
    """A query called impossible matches nothing, and one called contained nothing that the other does not."""
    topics = [TopicConfig(id="one", query=one), TopicConfig(id="other", query=other)]
    matcher = Matcher(TARGETS, topics, SETS)
    mention = Mention(source="s", channel="c", external_id="1", text=text, title=title)
    matched = {match.topic for match in matcher.match(mention)}
    first, second = parse(one).root, parse(other).root
    if never(first, SETS):
        assert "one" not in matched
    if within(first, second, SETS):
        assert matched != {"one"}
    if always(first, SETS):
        assert "one" in matched
