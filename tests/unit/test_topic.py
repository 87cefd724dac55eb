"""Topics on mentions: what matches, on which words, about whom, and why not."""

import json

import pytest
from pydantic import ValidationError

from rules.explain import explain
from rules.mention import Mention
from rules.query import QueryError
from rules.topic import WORDS_AT_MOST, MatchedWord, Matcher, TargetConfig, TopicConfig, TopicError
from sentiment import Span

TARGETS = {
    "acme": TargetConfig(names=["云杉科技"], aliases=["云杉", "云杉手机", "YUNSHAN"], unless_near=["云杉树", "云杉林"]),
    "rival": TargetConfig(names=["格澜数码"], aliases=["格澜"]),
    "fruit": TargetConfig(names=["青果"], aliases=["青果汁"], unless_near=["一斤", "青果树", "青果"[:1] + "菜"]),
}
TOPICS = [
    TopicConfig(id="acme", target="acme", query="@acme NOT (招聘 OR 二手)"),
    TopicConfig(id="acme-fire", target="acme", query="@acme AND (起火 OR 爆炸 OR 鼓包)"),
    TopicConfig(id="rival", target="rival", query="@rival", competitor_of="acme"),
    TopicConfig(id="fruit", target="fruit", query="@fruit"),
    TopicConfig(id="battery", query='"电池 鼓包" OR (电池 膨胀) OR 锂电池'),
    TopicConfig(id="word", query="云杉"),
]
MATCHER = Matcher(TARGETS, TOPICS)


def mention(text: str, title: str = "") -> Mention:
    return Mention(source="s", channel="c", external_id="1", text=text, title=title)


def topics(text: str, title: str = "") -> list[str]:
    return [match.topic for match in MATCHER.match(mention(text, title))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("今天天气好", []),
        ("云杉手机很好", ["acme", "word"]),
        ("云杉手机起火", ["acme", "acme-fire", "word"]),
        ("云杉招聘", ["word"]),
        ("ｙｕｎｓｈａｎ５爆炸", ["acme", "acme-fire"]),
        ("yunshannic 爆炸", []),
        ("格澜和云杉", ["acme", "rival", "word"]),
        ("云杉树很美", ["word"]),
        ("云杉树下，云杉手机起火", ["acme", "acme-fire", "word"]),
        ("电池\n鼓包", ["battery"]),
        ("电池早就膨胀了", ["battery"]),
        ("电池和鼓包", []),
    ],
)
def test_topics_match(text, expected):
    """The topics whose query is true of the text, in the order of the configuration."""
    assert topics(text) == expected


def test_title_and_text_are_one_to_a_query():
    """A word in the title and one in the text satisfy an AND; no word spans the two."""
    assert topics("昨天起火了", title="云杉手机") == ["acme", "acme-fire", "word"]
    assert topics("杉手机", title="云") == []


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("青果很甜", True),
        ("青果五块一斤", False),
        ("青果一二三四五六七八九十零一斤", True),
        ("青果一二三四五六七八九十一斤", False),
        ("一斤一二三四五六七八九十青果", False),
        ("一斤一二三四五六七八九十零青果", True),
        ("青果树旁的青果", True),
        ("青果树", False),
        ("青果汁一瓶", True),
        ("五一斤青果汁", False),
    ],
)
def test_names_near_their_forbidden_context_do_not_count(text, counts):
    """A context word that holds a name speaks of its own place, any other of the names within 10 characters."""
    assert ("fruit" in topics(text)) is counts


def test_a_longer_name_that_holds_a_forbidden_word_counts():
    """A forbidden word inside a name of the target is part of that name."""
    matcher = Matcher(
        {"x": TargetConfig(names=["云杉"], aliases=["云杉树脂"], unless_near=["云杉树"])},
        [TopicConfig(id="x", target="x", query="@x")],
    )
    (match,) = matcher.match(mention("云杉树脂好，云杉树美"))
    assert match.words == (MatchedWord("text", 0, 4, "云杉树脂", "云杉树脂", "exact"),)


def test_the_match_says_what_is_judged():
    """Brand spans are the names of the topic's target, others those of all other targets, in code points of each field."""
    text, title = "😀ＹＵＮＳＨＡＮ5和格澜数码都起火，云杉树没有", "格澜与云杉科技"
    matches = {match.topic: match for match in MATCHER.match(mention(text, title))}
    acme, rival = matches["acme-fire"], matches["rival"]
    assert acme.target.text.text == text
    assert acme.target.text.brand == rival.target.text.others == (Span(1, 8),)
    assert acme.target.text.others == rival.target.text.brand == (Span(10, 14),)
    assert acme.target.title.brand == rival.target.title.others == (Span(3, 7),)
    assert acme.target.title.others == rival.target.title.brand == (Span(0, 2),)
    assert acme.words == (
        MatchedWord("title", 3, 7, "云杉科技", "云杉科技", "exact"),
        MatchedWord("text", 1, 8, "ＹＵＮＳＨＡＮ", "YUNSHAN", "exact"), MatchedWord("text", 15, 17, "起火"),
    )  # fmt: skip


def test_without_a_target_the_whole_text_is_judged():
    """A topic without target marks neither brand nor others; a mention without title has no title to judge."""
    matches = {match.topic: match for match in MATCHER.match(mention("云杉和格澜的锂电池"))}
    passage = matches["battery"].target.text
    assert (passage.brand, passage.others) == ((), ())
    assert matches["battery"].target.title is None


def test_words_of_what_is_not_true_are_not_told():
    """Only the branches that hold tell their words; those under NOT never do."""
    (match,) = MATCHER.match(mention("锂电池"))
    assert [word.text for word in match.words] == ["锂电池"]
    matcher = Matcher({}, [TopicConfig(id="t", query="(a b) OR c NOT d")])
    (match,) = matcher.match(mention("a c"))
    assert [word.text for word in match.words] == ["c"]


def test_words_are_bounded_and_spans_are_not():
    """Of endless repeats the first hundred are told, and all are marked."""
    (match, _) = MATCHER.match(mention("云杉 " * 500))
    assert len(match.words) == WORDS_AT_MOST
    assert len(match.target.text.brand) == 500


def test_other_names_that_overlap_the_brand_are_its_own():
    """Where another target's name lies over the brand's, the place is the brand's."""
    matcher = Matcher(
        {"a": TargetConfig(names=["云杉"]), "b": TargetConfig(names=["云杉手机"])},
        [TopicConfig(id="a", target="a", query="@a"), TopicConfig(id="b", target="b", query="@b")],
    )
    first, second = matcher.match(mention("云杉手机，云杉"))
    assert first.target.text.brand == (Span(0, 2), Span(5, 7))
    assert first.target.text.others == ()
    assert second.target.text.others == (Span(5, 7),)


def test_a_miss_is_explained_by_the_nearest_clause():
    """The tree tells what holds, and the clauses that stand in the way, the fewest that would do."""
    found = explain(MATCHER, mention("云杉手机坏了"), "acme-fire")
    assert (found.matched, [step.query for step in found.nearest]) == (False, ["起火 OR 爆炸 OR 鼓包"])
    assert str(found).splitlines() == [
        "acme-fire: not matched: @acme AND (起火 OR 爆炸 OR 鼓包)",
        "  - AND",
        "    + @acme  text 0-4 '云杉手机'",
        "    - OR",
        "      - 起火",
        "      - 爆炸",
        "      - 鼓包",
        "  nearest: 起火 OR 爆炸 OR 鼓包 is missing",
    ]
    found = explain(MATCHER, mention("云杉招聘"), "acme")
    assert str(found).endswith("nearest: NOT (招聘 OR 二手) is against it: 招聘")
    found = explain(MATCHER, mention("电池"), "battery")
    assert [step.query for step in found.nearest] == ['"电池 鼓包"']


def test_a_name_that_does_not_count_is_explained():
    """The explanation says which word of the context keeps a name from counting."""
    found = explain(MATCHER, mention("云杉树", title="云杉林"), "acme")
    refusals = found.tree.children[0].refused
    assert [(refusal.name.field, refusal.name.text, refusal.because.text) for refusal in refusals] == [
        ("title", "云杉", "云杉林"), ("text", "云杉", "云杉树"),
    ]  # fmt: skip
    assert "text 0-2 '云杉' does not count: '云杉树' is near (unless_near)" in str(found)


def test_an_explanation_is_json():
    """The explanation of a match is plain values: the tree with its words, and nothing nearest."""
    value = json.loads(json.dumps(explain(MATCHER, mention("云杉起火"), "acme-fire").as_json()))
    assert value["matched"] is True
    assert value["nearest"] == []
    assert value["tree"]["children"][0]["words"] == [
        {"field": "text", "start": 0, "end": 2, "text": "云杉", "name": "云杉", "variant": "exact"}
    ]
    with pytest.raises(KeyError):
        explain(MATCHER, mention("云杉"), "nothing")


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ({"query": "a AND"}, "t: query: 1:6: the query ends after AND"),
        ({"query": "@nobody"}, "t: query: 1:1: there is no target or set 'nobody'"),
        ({"query": "a", "target": "nobody"}, "t: there is no target 'nobody'"),
    ],
)
def test_a_topic_that_cannot_be_watched_is_named(topic, message):
    """The error of a matcher names the topic, and has the query's own error as its cause."""
    with pytest.raises(TopicError) as caught:
        Matcher(TARGETS, [TopicConfig(id="t", **topic)])
    assert message in str(caught.value)
    assert caught.value.topic == "t"
    assert isinstance(caught.value.__cause__, QueryError) is ("query:" in message)


def test_a_matcher_of_nothing_matches_nothing():
    """No target and no topic are no error."""
    assert Matcher({}, []).match(mention("云杉")) == ()


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (TargetConfig, {"names": []}), (TargetConfig, {"names": [" "]}), (TargetConfig, {"names": ["a"], "aliases": ["\u200b"]}),
        (TargetConfig, {"names": ["a"], "colour": 1}), (TopicConfig, {"id": "A", "query": "a"}), (TopicConfig, {"id": "-a", "query": "a"}),
        (TopicConfig, {"id": "a b", "query": "a"}), (TopicConfig, {"id": "a"}), (TopicConfig, {"id": "a\n", "query": "a"}),
    ],
    ids=range(9),
)  # fmt: skip
def test_bad_configuration_is_refused(model, values):
    """No name, a name of nothing, an unknown key and an id outside its pattern are mistakes."""
    with pytest.raises(ValidationError):
        model(**values)
