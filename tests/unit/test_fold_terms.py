"""Folding keeps offsets; terms are found as words."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.fold import fold, is_word
from rules.han import SIMPLIFIED
from rules.terms import Terms


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ１２", "abc12"), ("Straße", "strasse"), ("①㈱", "1(株)"), ("a\u200bb\ufe0f", "ab"), ("a\t\n\u3000b", "a   b"),
        ("ｶﾞ", "カ\u3099"), ("，！？", ",!?"), ("……", "……"), ("\ud800x", "\ufffdx"), ("İ", "i̇"), ("", ""), ("ΣΑΣ", "σασ"),
        ("雲杉髮廊發財乾隆後來", "云杉发廊发财干隆后来"), ("\uf9d1", "六"), ("戶户", "户户"), ("著名", "著名"),
    ],
)  # fmt: skip
def test_text_is_folded(text, folded):
    """Case, width, compatibility forms, blanks, invisible and traditional characters are folded, code point by code point."""
    assert fold(text).text == folded


def test_the_fold_agrees_with_unicode():
    """Every code point folds as NFKC does after case folding, then to simplified; but for blanks, surrogates, the ellipsis, the invisible."""
    for code in (*range(0x20000), *range(0x2F800, 0x2FB00), *range(0xE0000, 0xE1000), sys.maxunicode):
        character = chr(code)
        folded = fold(character).text
        expected = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
        expected = "".join(SIMPLIFIED.get(one, one) for one in expected)
        if folded != expected:
            assert folded in {" ", "", "\ufffd", "\u2026"}
        assert fold(folded).text == folded


@settings(deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("Ａß㈱\u200b\ufe0fﬁ云 \n…")), max_size=40))
def test_each_folded_character_is_traced_to_its_origin(text):
    """Folding whole is folding each code point, and every span leads back to the code points that it came from."""
    folded = fold(text)
    pieces = [fold(character).text for character in text]
    assert folded.text == "".join(pieces)
    at = 0
    for index, piece in enumerate(pieces):
        if piece:
            assert folded.span(at, at + len(piece)) == (index, index + 1)
        if len(piece) > 1:
            assert folded.span(at, at + 1) is None
            assert folded.span(at + 1, at + len(piece)) is None
        at += len(piece)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("one", "phone", False), ("one", "one", True), ("one", "the ONE!", True), ("one", "手机one号", True),
        ("yunshan", "YUNSHAN5", True), ("yunshan", "5yunshan", True), ("a4", "a4l", False), ("5g", "15g", False), ("5g", "5g", True),
        ("one", "one_two", False), ("one", "one-two", True), ("caf", "café", False), ("cafe", "cafe\u0301", False),
        ("云杉", "老云杉树", True), ("云杉x", "云杉xy", False), ("x云杉", "yx云杉", False), ("云杉x", "云杉x云", True),
        ("бренд", "суббренд", False), ("бренд", "наш бренд.", True), ("c++", "c++11", True), ("カメラ", "新カメラだ", True), ("ก", "กข", True),
        ("云 杉", "云\n杉", True), ("云杉", "云\u200b杉", True), ("株", "㈱", False), ("AT&T", "at＆t", True),
    ],
)  # fmt: skip
def test_words_are_whole_words_in_spaced_scripts(word, text, found):
    """A Latin word is found as a word, a Chinese one anywhere, whatever the case and width."""
    assert bool(Terms([word]).find(text)) is found


def test_offsets_are_those_of_the_original():
    """Places are code points of the text as given, and the word is told as it was given."""
    text = "😀ＹＵＮＳＨＡＮ5，云\u200b杉科技㈱abc"
    assert [(text[start:end], word) for start, end, word in Terms(["Yunshan", "云杉", "云杉科技", "ABC"]).find(text)] == [
        ("ＹＵＮＳＨＡＮ", "Yunshan"), ("云\u200b杉", "云杉"), ("云\u200b杉科技", "云杉科技"), ("abc", "ABC"),
    ]  # fmt: skip


def test_equal_words_are_one_and_empty_ones_are_refused():
    """Words that differ in case or width alone are the first of them; a word of nothing is an error."""
    assert Terms(["ABC", "ａｂｃ", "abc "]).words == ("ABC",)
    assert Terms([]).find("anything") == ()
    for empty in ("", "  ", "\u200b", "\u3000"):
        with pytest.raises(ValueError, match="no character"):
            Terms(["x", empty])


def test_the_index_of_a_word_is_found_by_any_spelling():
    """``index`` folds what it is asked for, and knows no other word."""
    terms = Terms(["云杉", "Abc"])
    assert terms.index("ＡＢＣ") == 1
    with pytest.raises(KeyError):
        terms.index("abcd")


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet="ab云杉1 ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=6),
    st.text(alphabet="abAＢ云杉1１ \u200b㈱", max_size=30),
)
def test_terms_find_what_a_plain_search_finds(words, text):
    """The automaton agrees with a search for each word at each place of the folded text."""
    folded = fold(text)
    expected = set()
    for word in {fold(word.strip()).text: None for word in words}:
        for at in range(len(folded.text)):
            if folded.text.startswith(word, at) and is_word(folded.text, at, at + len(word)):
                expected.add((*folded.span(at, at + len(word)), word))
    found = Terms(words).find(text)
    assert {(start, end, fold(word).text) for start, end, word in found} == expected
    assert len(found) == len(expected)
    assert [hit[:2] for hit in found] == sorted(hit[:2] for hit in found)
