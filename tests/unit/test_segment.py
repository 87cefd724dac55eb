"""The segmentation service: jieba's words, words of one's own, and keywords, whichever engine is underneath."""

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.segment import Keyword, Segmenter, Token

ENGINES = ("rjieba", "jieba")
POSTS = (
    "青禾奶茶新出的杨梅冰真的好喝，排队二十分钟也值",
    "客服说七天内退款，今天第十天了还没到账，打电话一直占线",
    "高铁上有人的充电宝冒烟了，乘务员泼水才灭掉，太吓人",
    "今天去门店看了新车，销售介绍得很仔细，试驾也安排了",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_word_of_ones_own_is_never_cut_in_either_script(engine):
    plain, own = Segmenter(engine=engine), Segmenter(["云杉科技", " "], engine=engine)
    text = "云杉科技的手机和雲杉科技的手機"
    assert "云杉科技" not in plain.cut(text)
    assert [token for token in own.tokenize(text) if len(token.text) == 4] == [
        Token("云杉科技", 0, 4),
        Token("雲杉科技", 8, 12),
    ]


def test_words_added_to_one_are_unknown_to_another():
    Segmenter(["云杉科技"])
    assert "云杉科技" not in Segmenter().cut("云杉科技的手机")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_traditional_text_is_cut_where_its_simplified_form_is(engine):
    segmenter = Segmenter(engine=engine)
    traditional, simplified = "手機在機場爆炸，乘客嚇壞了", "手机在机场爆炸，乘客吓坏了"
    places = [(token.start, token.end) for token in segmenter.tokenize(traditional)]
    assert places == [(token.start, token.end) for token in segmenter.tokenize(simplified)]
    assert "機場" in segmenter.cut(traditional)


@pytest.mark.parametrize("text", POSTS)
def test_jieba_itself_cuts_plain_posts_alike(text):
    """The interface is jieba's: what its users know to expect comes out, with the engine that is jieba exactly."""
    jieba.setLogLevel("ERROR")
    assert Segmenter(engine="jieba").cut(text) == jieba.lcut(text)


def test_the_fast_engine_cuts_nearly_as_jieba_does():
    fast, slow = Segmenter(engine="rjieba"), Segmenter(engine="jieba")
    pairs = [(set(fast.tokenize(text)), set(slow.tokenize(text))) for text in POSTS]
    same, total = sum(len(a & b) for a, b in pairs), sum(len(a | b) for a, b in pairs)
    assert same / total > 0.9


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_words_of_any_text_are_the_text(text):
    tokens = list(SEGMENTER.tokenize(text))
    assert "".join(token.text for token in tokens) == text
    assert all(text[token.start : token.end] == token.text and token.text for token in tokens)


SEGMENTER = Segmenter(["云杉科技"])


def test_lone_surrogates_keep_their_place():
    assert SEGMENTER.cut("\ud800起火")[0] == "\ud800"


@pytest.mark.parametrize("engine", ENGINES)
def test_keywords_tell_what_the_texts_are_about(engine):
    found = Segmenter(["云杉科技"], engine=engine).extract_tags(
        ["雲杉科技的充電寶起火了", "云杉科技回应充电宝起火", "2024 年 3.5 的 的 的 了", "起火原因在查"], top=3
    )
    assert {keyword.word for keyword in found} >= {"起火", "云杉科技"}
    assert [keyword.weight for keyword in found] == sorted((keyword.weight for keyword in found), reverse=True)
    assert all(isinstance(keyword, Keyword) and len(keyword.word) > 1 for keyword in found)


def test_no_text_has_no_keywords():
    assert SEGMENTER.extract_tags([]) == []
    assert SEGMENTER.extract_tags(["", "2024 的 了"]) == []


def test_an_engine_that_is_not_installed_is_an_import_error(monkeypatch):
    """As on a machine for which rjieba has no wheel: jieba serves, and asking for rjieba says that it is missing."""
    monkeypatch.setitem(__import__("sys").modules, "rjieba", None)
    assert Segmenter().engine == "jieba"
    with pytest.raises(ImportError):
        Segmenter(engine="rjieba")
