"""Names in other spellings, and what only looks like one."""

import pytest

from rules.dictionary import dictionary
from rules.explain import explain
from rules.mention import Mention
from rules.target import TargetConfig
from rules.topic import WORDS_AT_MOST, Matcher, TopicConfig
from tests.bench.variants import Tally, score


def words(text, title="", **target):
    matcher = Matcher({"t": TargetConfig(**target)}, [TopicConfig(id="t", query="@t")])
    matches = matcher.match(Mention(source="s", channel="c", external_id="1", text=text, title=title))
    return [(word.text, word.variant, word.name) for match in matches for word in match.words]


def refusals(text, **target):
    matcher = Matcher({"t": TargetConfig(**target)}, [TopicConfig(id="t", query="@t")])
    found = explain(matcher, Mention(source="s", channel="c", external_id="1", text=text), "t")
    return [(one.rule, one.because.text if one.because else None) for one in found.tree.refused]


def test_the_open_set_is_found():
    """Of the set that somebody else wrote: recall of .95 at least, and precision no lower than it was."""
    kinds, _ = score()
    whole = sum(kinds.values(), Tally())
    assert (whole.positives, whole.negatives) == (183, 182)
    assert whole.recall >= 0.98
    assert whole.precision >= 0.96


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("雲杉手机", "traditional"), ("云*杉手机", "noise"), ("YunShan手机", "pinyin"), ("云shan手机", "pinyin"), ("ys手机", "initials"),
        ("y杉手机", "initials"), ("云木彡手机", "split"), ("芸杉手机", "homophones"),
    ],
)  # fmt: skip
def test_each_variant_is_a_switch(text, variant):
    """A spelling is found with its switch on and no other, and with its switch alone off it is not."""
    every = {"traditional", "noise", "pinyin", "initials", "split", "homophones"}
    target = {"names": ["云杉"], "homophones": ["云杉"]}
    assert [found[1:] for found in words(text, **target, variants=[variant])] == [(variant, "云杉")]
    assert words(text, **target, variants=sorted(every - {variant})) == []
    assert words("云杉手机", **target, variants=[]) == [("云杉", "exact", "云杉")]


def test_a_name_may_be_written_in_traditional_characters():
    """Either script finds the other, unless that is off; its pinyin does not depend on it."""
    assert words("云杉和雲杉", names=["雲杉"]) == [("云杉", "traditional", "雲杉"), ("雲杉", "exact", "雲杉")]
    assert words("云杉和雲杉和yunshan", names=["雲杉"], variants=["pinyin"]) == [
        ("雲杉", "exact", "雲杉"), ("yunshan", "pinyin", "雲杉"),
    ]  # fmt: skip


def test_case_and_width_can_be_asked_to_agree():
    """A brand called ON is not every on, and one in half width need not be the other."""
    assert words("keep going on", names=["ON"]) != []
    assert words("keep going on", names=["ON"], exact=["case"]) == []
    assert words("买了ON和ＯＮ", names=["ON"], exact=["case"]) == [("ON", "exact", "ON"), ("ＯＮ", "exact", "ON")]
    assert words("买了ON和ＯＮ", names=["ON"], exact=["width"]) == [("ON", "exact", "ON")]


def test_places_are_those_of_the_text_as_it_came():
    """With invisible, wide and astral characters around, a variant's place is what a reader would mark."""
    text = "😀\u200bＹｕｎ　ｓｈａｎ和云\u200b❤\ufe0f杉，雲 杉"
    assert words(text, names=["云杉"]) == [
        ("Ｙｕｎ　ｓｈａｎ", "pinyin", "云杉"), ("云\u200b❤\ufe0f杉", "noise", "云杉"), ("雲 杉", "noise", "云杉"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "because"),
    [
        ("早上喝小米粥", "小米", "小米粥"), ("大眾化的选择", "大众", "大眾化"), ("完美的一天", "美的", "完美"), ("统一汽车尾气标准", "一汽", "统一"),
        ("天蓝麦田黄", "蓝麦田", "天蓝"), ("昨晚ning静", "晚柠", "昨晚"), ("wen nuan li liang", "暖里", "wen"), ("日月潭很美", "明潭", "日月潭"),
    ],
)  # fmt: skip
def test_a_name_in_a_common_word_is_none(text, name, because):
    """The word that the text is read as there is told; with ``inside_words`` the name counts."""
    assert words(text, names=[name]) == []
    assert refusals(text, names=[name]) == [("word", because)]
    assert len(words(text, names=[name], inside_words=True)) == 1


@pytest.mark.parametrize(
    "text", ["小米手机", "大众汽车", "苹果公司", "由云杉科技推出", "格力空调", "青禾苗圃", "买了小米，很好"]
)
def test_a_name_beside_other_words_counts(text):
    """What a business would be called, and a surname that only happens to stand before it, hide no name."""
    assert words(text, names=["小米", "大众", "苹果", "云杉科技", "格力", "青禾"], variants=[])


def test_a_name_in_an_address_is_none():
    """Pages, bare hosts and e-mail; what follows the address in Chinese counts again."""
    for text in (
        "https://www.acme.example/x",
        "ＷＷＷ．ａｃｍｅ．ｅｘａｍｐｌｅ",
        "a@acme.example",
        "acme.com",
        "https://x.cn/acme/云/acme",
    ):
        assert words(text, names=["Acme"]) == [], text
        assert {rule for rule, _ in refusals(text, names=["Acme"])} == {"link"}
    assert words("http://t.cn/abc青禾真好", names=["青禾"]) == [("青禾", "exact", "青禾")]
    assert words("@acme 你好", names=["Acme"]) == [("acme", "exact", "Acme")]


def test_a_required_word_may_stand_anywhere_in_the_mention():
    """``near`` looks at title and text, and a name that holds another is clear by itself."""
    target = {"names": ["苹果"], "aliases": ["苹果科技"], "near": ["手机", "iOS"]}
    assert words("苹果涨价", **target) == []
    assert refusals("苹果涨价", **target) == [("near", None)]
    assert words("苹果涨价", title="ios 更新", **target) == [("苹果", "exact", "苹果")]
    assert words("蘋果和手機", **target) == [("蘋果", "traditional", "苹果")]
    assert words("苹果科技涨价", **target) == [("苹果科技", "exact", "苹果科技")]


@pytest.mark.parametrize(
    "text", ["青，禾", "青。禾", "青\n禾", "青x禾", "青1禾", "青……禾", "青【禾", "天很青 禾苗绿", "青      禾", "q i n g h x e", "aqing he"],
)  # fmt: skip
def test_what_parts_clauses_and_words_is_no_noise(text):
    """A name does not reach over what ends a clause, over letters, or over too much."""
    assert words(text, names=["青禾"]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("【青】【禾】", ["青】【禾"]), ("（青）（禾）手机", ["青)(禾"]), ("【qing】【he】", ["qing】【he"]), ("《青》《禾》", ["青》《禾"]),
        ("【山色青】【禾下乘凉】", []), ("《满庭青》《禾》", []), ("【青】【禾下】", []), ("青】【禾", []), ("】【" * 9 + "青】【禾", []),
        ("青#禾手机炸了", ["青#禾"]), ("#青#禾#", ["青#禾"]), ("青#禾#手#机", ["青#禾"]), ("#好#青#禾", ["青#禾"]),
        ("#满山青#禾田", []), ("#满山青##禾田生活#", []), ("出差青#禾田生活#见", []), ("#满山青# 禾田", []), ("#" * 9 + "青#禾", ["青#禾"]),
    ],
)  # fmt: skip
def test_brackets_and_hashtags_are_noise_only_around_a_character(text, found):
    """What a bracket or a hashtag holds is one thing: a name does not reach from one into the next."""
    assert [word.replace("（", "(").replace("）", ")") for word, _, _ in words(text, names=["青禾"])] == found


def test_words_that_a_spelling_collides_with_are_not_looked_for():
    """Initials and pinyin that everybody reads otherwise are left out, and the name itself is found."""
    assert words("women need KFC, LED and sushi", names=["沃门", "苏士", "可芙茶", "乐恩多"]) == []
    assert words("沃门的可芙茶", names=["沃门", "可芙茶"]) == [("沃门", "exact", "沃门"), ("可芙茶", "exact", "可芙茶")]


def test_the_dictionary_reads_as_a_segmenter_would():
    """Known words, what they go on with, and a reading around a place."""
    known = dictionary()
    assert known.holds("小米粥") and known.holds("手机", at_least=1000)
    assert (
        not known.holds("青禾")
        and not known.holds("")
        and not known.holds("abc")
        and not known.holds("上海大众汽车有限公司")
    )
    assert "粥" in known.begins_after("小米") and "完" in known.ends_before("美")
    assert known.begins_after("青禾x") == frozenset()
    assert known.other_reading("喝小米粥", 1, 3) == (1, 4)
    assert known.other_reading("小米手机", 0, 2) is None


@pytest.mark.parametrize(
    "text",
    [
        "acme.",
        "a@acme.",
        "青 ",
        "青禾",
        "青禾苗",
        "q i n g h e ",
        "https://acme",
        "acme@",
        "-acme-",
        "木彡",
        "青】【",
        "#青禾",
    ],
    ids=range(12),
)
def test_no_text_is_slow(text):
    """A hundred thousand characters of names, noise and half addresses: quadratic time would meet the tests' time limit."""
    found = words((text * 100_000)[:100_000], names=["Acme", "青禾"], homophones=["青禾"], unless_near=["苗"])
    assert len(found) <= WORDS_AT_MOST
