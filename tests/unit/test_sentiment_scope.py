"""What of a target is judged."""

import re
import time

import pytest

from sentiment import Passage, Span, Target
from sentiment.scope import JUDGED_AT_MOST, scope, speaks_chinese, unnamed


def passage(text: str, brand: str = "云杉", others: str = "格澜") -> Passage:
    return Passage(text, brand=find(text, brand), others=find(text, others))


def find(text: str, word: str) -> tuple[Span, ...]:
    return tuple(Span(*found.span()) for found in re.finditer(word, text))


def judged(text: str, title: str | None = None) -> list[str]:
    pieces = scope(Target(passage(text), None if title is None else passage(title)))
    for piece in pieces:
        field = text if piece.field == "text" else title
        assert piece.text == field[piece.start : piece.end]
    return [piece.text for piece in pieces]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天很累。手机坏了。", ["今天很累。手机坏了。"]),
        ("今天很累。云杉手机坏了！气死我了。", ["云杉手机坏了！"]),
        ("云杉坏了。修好了。云杉又坏了。", ["云杉坏了。", "云杉又坏了。"]),
        ("云杉很好用，格澜太差了", ["云杉很好用，"]),
        ("格澜太差了，还是云杉好用", ["还是云杉好用"]),
        ("用了三年，格澜太差了，云杉好用", ["云杉好用"]),
        ("用了三年，云杉好用，充电也快，格澜太差，还贵", ["用了三年，云杉好用，充电也快，"]),
        ("云杉很好格澜太差", ["云杉很好"]),
        ("格澜太差云杉很好", ["云杉很好"]),
        ("云杉和格澜都起火了", ["云杉和格澜都起火了"]),
        ("云杉、格澜都起火了", ["云杉、格澜都起火了"]),
        ("云杉手机比格澜好多了", ["云杉手机比格澜好多了"]),
        ("云杉不如格澜", ["云杉不如格澜"]),
        ("格澜好。云杉差。", ["云杉差。"]),
        ("“云杉差！”他说。", ["“云杉差！”"]),
        ("YUNSHAN云杉！质量太差了", ["YUNSHAN云杉！", "X"]),
    ],
)
def test_the_clauses_about_the_brand_are_judged(text, expected):
    """Sentences that name the brand are judged, up to where they begin to speak of another."""
    if expected[-1] == "X":
        expected = [text]
    assert judged(text) == expected


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("云杉起火", "昨天充电时烧了起来。", ["云杉起火", "昨天充电时烧了起来。"]),
        ("云杉起火", "格澜昨天说。云杉未答。", ["云杉起火", "云杉未答。"]),
        ("云杉起火，格澜得利", "昨天的事。", ["云杉起火，"]),
        ("手机起火", "今天。云杉未答。", ["云杉未答。"]),
        ("手机起火", "今天未答。", ["手机起火", "今天未答。"]),
        ("云杉起火", "", ["云杉起火"]),
    ],
)
def test_the_title_counts_as_a_sentence(title, text, expected):
    """A title that names the brand is judged, and carries a text that names nobody."""
    assert judged(text, title) == expected


def test_what_is_judged_is_bounded():
    """Of 1 MB, at most 5,000 characters are judged, the brand's own sentence among them, in little time."""
    late = Target(passage("别的事情很多" * 160_000 + "。云杉起火了。"))
    dense = Target(passage("云杉起火了。" * 160_000)), Target(passage("云杉" * 100_000 + "起火"))
    whole = Target(passage("起火了" * 300_000))
    started = time.process_time()
    judged_late, judged_whole, *judged_dense = map(scope, (late, whole, *dense))
    assert time.process_time() - started < 2
    assert [piece.text for piece in judged_late] == ["云杉起火了。"]
    assert sum(len(piece.text) for piece in judged_whole) == JUDGED_AT_MOST
    assert all(0 < sum(len(piece.text) for piece in pieces) <= JUDGED_AT_MOST for pieces in judged_dense)


def test_a_brand_at_the_end_of_a_text_without_marks_is_judged():
    """A text without any mark is cut, so that the words around a late name are what is judged."""
    assert "云杉起火" in "".join(judged("字" * 200_000 + "云杉起火"))


@pytest.mark.parametrize(
    ("text", "chinese"), [("好", True), ("OK好", True), ("カメラが好きです", False), ("漢字かな", True), ("한국 大", False), ("㈱", True), ("abc", False), ("", False)]
)  # fmt: skip
def test_chinese_is_told_from_its_neighbours(text, chinese):
    """A text is Chinese that holds a Han character and not more kana or Hangul than Han."""
    assert speaks_chinese(scope(Target(Passage(text)))) is chinese


def test_what_stands_between_names():
    """The stretches between names come with their places in the field."""
    (piece,) = scope(Target(passage("云杉和格澜都起火了")))
    assert list(unnamed(piece)) == [(2, "和"), (5, "都起火了")]
