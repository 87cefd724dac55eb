"""How a target is read: names marked, and what is taken as said of the brand."""

import re

import pytest

from sentiment import Passage, Span, Target
from sentiment.grams import BRAND, OTHER
from sentiment.reading import ASKED, BEFORE, COMPARED, OUTSIDE, PLAIN, QUOTED, Reading, judged, read, zones_of

LETTERS = {PLAIN: ".", ASKED: "?", BEFORE: "<", QUOTED: '"', OUTSIDE: "x", COMPARED: "c"}


def spans(text: str, *names: str) -> tuple[Span, ...]:
    return tuple(sorted((Span(*m.span()) for name in names for m in re.finditer(name, text)), key=lambda s: s.start))


def passage(text: str) -> Passage:
    """A passage in which 云杉 and 甲 are the brand, 格澜, 青禾 and 乙 others."""
    return Passage(text, spans(text, "云杉", "甲"), spans(text, "格澜", "青禾", "乙"))


def reading(text: str, title: str | None = None) -> Reading:
    return read(Target(passage(text), None if title is None else passage(title)))


def drawn(text: str) -> str:
    """A letter for each character's zone."""
    zones = zones_of(text)
    return "." * len(text) if zones is None else "".join(LETTERS[zone] for zone in zones.tolist())


def mine(text: str, title: str | None = None) -> list[str]:
    """The stretches that are taken as said of the brand."""
    fields = {"text": text, "title": title or ""}
    return [fields[field][start:end] for field, start, end in judged(reading(text, title))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("云杉手机很好", "......"), ("", ""), ("\n", "."), ("，。", ".."),
        # turns: what stands before the last one; 就是 and 只是 at the head of a clause alone
        ("外观丑但好用", "<<<..."), ("包装丑，但是真好用", "<<<<....."), ("好，但慢，不过便宜", "<<<<<...."), ("但愿如此", "...."),
        ("很好，就是贵", "<<...."), ("这就是好", "...."), ("好，只是慢", "<...."), ("不只是慢", "...."), ("卡but快", "....."), ("卡 but 快", "<......"),
        ("外觀醜，卻好用", "<<<<..."), ("很好。可貴", "<<..."), ("還好", ".."), ("沒事，還好", "<<<.."),
        # questions: back to the stop before the mark; 吗, 呢, 么 at the end of a clause
        ("靠谱吗", "???"), ("买了。靠谱吗？", "...????"), ("靠谱吗，在线等", "???...."), ("吗啡是药", "...."), ("为什么？好。", "????.."),
        ("什么都好", "...."), ("怎么办呢\n好的", "????..."), ("好！真的?!?", "..???.?"), ("嗎。", "?."),
        # quotes of four characters and more; straight, curly, corner
        ("他说“太差劲了”走了", '..""""""".'[:2] + '"' * 6 + ".."), ("他说“差劲”走了", ".." + "." * 6), ("「真的太差」好", '""""""' + "."),
        ('说"abcd"好', '.""""""' + "."), ("说“太差劲了没完", "." * 8), ("“一二\n三四五”", "." * 8),
        # forwards: all behind the mark, but not a text that is nothing else
        ("好//@张三:太差", "." + '"' * 8), ("//@张三:太差", "." * 8), ("好// @张三", '.' + '"' * 6), ("看转发自张三", '."""""'), ("http://a@b", "." * 10),
        # the first that fits: quoted words beat a turn, a turn beats a question
        ("好吗？但是“你说得对”吧", "<<<.." + '"' * 6 + "."), ("“你说得对啊”但是好", '"' * 7 + "..."),
    ],
)  # fmt: skip
def test_zones_of_a_text(text: str, expected: str) -> None:
    """Turns, questions, quotes and forwards, each drawn as a letter a character."""
    assert drawn(text) == expected


def test_a_question_is_counted_back_two_hundred_characters_at_most() -> None:
    """A question mark after an endless clause asks for its last 200 characters and no more."""
    assert drawn("好" * 500 + "？") == "." * 300 + "?" * 201


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("云杉很好，格澜太差", ["云杉很好，"]),
        ("格澜太差，云杉很好", ["云杉很好"]),
        ("云杉很好。格澜太差。云杉便宜", ["云杉很好。", "云杉便宜"]),
        ("云杉很好，便宜，格澜太差，又慢", ["云杉很好，便宜，"]),  # a clause without a name belongs to the last one
        ("昨天买的，云杉很好，格澜太差", ["昨天买的，云杉很好，"]),  # what stands before the first name belongs to it
        ("昨天，格澜太差，云杉很好", ["云杉很好"]),
        ("云杉很好格澜太差", ["云杉很好"]),  # both in one clause: the border is the second name
        ("格澜很好云杉太差", ["云杉太差"]),
        ("云杉比格澜好用", ["云杉比格澜好用"]), ("云杉不如格澜好用", ["云杉不如格澜好用"]),
        ("格澜不如云杉", ["不如云杉"]),
        ("云杉和格澜都很差", ["云杉和格澜都很差"]),
        ("云杉、格澜都很差", ["云杉、格澜都很差"]),
        ("云杉手机与格澜都很差", ["云杉手机与格澜都很差"]),
        ("云杉、格澜、青禾都很差", ["云杉、格澜、青禾都很差"]), ("云杉和格澜，还有青禾都很差", ["云杉和格澜，"]),
        ("格澜和云杉都很差", ["云杉都很差"]),
        ("格澜、青禾都很差", ["格澜、青禾都很差"]),  # no brand in it: all of it is judged
        ("云杉很好", ["云杉很好"]),
        ("", []),
        ("\n", ["\n"]),
    ],
)  # fmt: skip
def test_what_is_said_of_the_brand(text: str, expected: list[str]) -> None:
    """With another brand in the text, only the clauses in which the brand has the word are taken as said of it."""
    assert mine(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A beats B: what follows is said of A; where that is not the brand, it is the other side of a comparison
        ("云杉比格澜好用，还便宜", "..........." ), ("格澜比云杉好用，还便宜", "xx...cccxxx"), ("云杉比青禾和格澜好", "........."),
        ("云杉手机比格澜的强", ".........."[:9]), ("格澜续航强过云杉一截", "xx" + "......" + "cc"),
        # A yields to B: what follows is said of B
        ("云杉不如格澜好用，还便宜", "......cccxxx"), ("格澜不如云杉好用，便宜", "xx" + "." * 9), ("云杉没有格澜好", "......c"),
        ("云杉不如格澜好。云杉贵", "......cc..."), ("云杉比不上格澜快", ".......c"),
        # no comparison: another clause, the same side twice, a name that follows much later
        ("云杉没了，格澜好", ".....xxx"), ("格澜没有青禾好，云杉贵", "xxxxxxxx..."), ("云杉比赛，格澜赢", ".....xxx"),
    ],
)  # fmt: skip
def test_what_a_comparison_says_of_the_other_side(text: str, expected: str) -> None:
    """Behind 比 the first name is spoken of, behind 不如 the second: said of the other, it speaks against the brand."""
    zones = reading(text).zones
    assert ("." * len(text) if zones is None else "".join(LETTERS[zone] for zone in zones.tolist())) == expected


def test_each_of_two_brands_is_judged_by_the_rest() -> None:
    """What is outside of one brand is inside of the other where they do not share a clause."""
    text = "云杉很好，又便宜；格澜太差，还慢。云杉也快"
    other = Target(Passage(text, spans(text, "格澜"), spans(text, "云杉")))
    taken = [text[start:end] for _, start, end in judged(read(other))]
    assert mine(text) == ["云杉很好，又便宜；", "云杉也快"]
    assert taken == ["格澜太差，还慢。"]


def test_a_brand_that_the_title_alone_names() -> None:
    """The title's brand holds on into the text until another speaks there, and a title about another holds on too."""
    assert mine("太差了，格澜不错", "云杉手机") == ["云杉手机", "太差了，"]
    assert mine("太差了", "云杉手机") == ["云杉手机", "太差了"]
    assert mine("太差了，云杉不错", "格澜手机") == ["云杉不错"]
    assert mine("太差了", "") == ["太差了"]
    found = reading("太差了", "云杉手机")
    assert found.targeted
    assert found.text == f"{BRAND * 2}手机\n太差了"
    assert found.shift == 5
    assert not reading("太差了", "青禾手机").targeted


def test_names_become_marks_of_their_own_length() -> None:
    """Each name is a mark a character, so that no offset moves; spans that overlap or are empty do no harm."""
    assert reading("云杉比格澜好").text == f"{BRAND * 2}比{OTHER * 2}好"
    text = "abcdef"
    found = read(Target(Passage(text, (Span(0, 3), Span(1, 5), Span(5, 5)), (Span(2, 4), Span(5, 6)))))
    assert found.text == BRAND * 5 + OTHER
    assert read(Target(Passage("", (), ()))).text == ""


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 2, ("title", 0, 2)), (2, 4, ("title", 2, 4)), (3, 5, ("title", 3, 4)), (3, 9, ("title", 3, 4)), (4, 5, None), (4, 7, None),
        (5, 6, ("text", 0, 1)), (5, 8, ("text", 0, 3)), (0, 8, ("title", 0, 4)),
    ],
)  # fmt: skip
def test_a_place_is_told_in_its_own_field(start: int, end: int, expected: tuple[str, int, int] | None) -> None:
    """Title, line break and text are one in reading; a place is cut to the field it begins in."""
    assert reading("太差了", "云杉手机").place(start, end) == expected


def test_a_place_without_a_title_is_the_texts() -> None:
    """Without a title, or with an empty one, offsets are those of the text."""
    assert reading("太差了").place(0, 3) == ("text", 0, 3)
    assert reading("太差了", "").place(1, 2) == ("text", 1, 2)


def test_outside_stands_above_all_other_zones() -> None:
    """A question, turn or quotation in another's clause is outside first."""
    text = "云杉好。格澜怎么说“好好好好”，但是差吗？"
    zones = reading(text).zones
    assert zones is not None
    assert set(zones[: text.index("格澜")].tolist()) == {BEFORE}
    assert set(zones[text.index("格澜") :].tolist()) == {OUTSIDE}


def test_a_text_has_a_zone_for_each_character_or_none_at_all() -> None:
    """Zones are as long as what is read, title included; plain text has none."""
    found = reading("好吗？", "云杉")
    assert found.zones is not None
    assert len(found.zones) == len(found.text) == 6
    assert reading("云杉好", "云杉").zones is None
    assert judged(reading("好", "云杉")) == (("title", 0, 2), ("text", 0, 1))


@pytest.mark.parametrize("text", [f"今天{BRAND}开门", f"云杉{OTHER}很差"])
def test_a_private_use_character_of_a_text_names_no_brand(text: str) -> None:
    """Old iOS emoji are U+E001 and its like: none of them is the mark of a name."""
    target = read(Target(Passage(text, spans(text, "云杉"))))
    assert target.targeted is ("云杉" in text)
    assert judged(target) == (("text", 0, len(text)),)
