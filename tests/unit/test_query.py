"""The query language: what it means, and what it says of mistakes."""

import time

import pytest

from rules.query import DEEPEST, LONGEST, MOST_PARTS, QueryError, check_query, parse
from rules.syntax import Alias, And, Not, Or, Word, written


def shape(node):
    match node:
        case Word(folded=folded):
            return folded
        case Alias(name):
            return f"@{name}"
        case Not(child):
            return ("not", shape(child))
        case And(children):
            return ("and", *map(shape, children))
        case Or(children):
            return ("or", *map(shape, children))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("云杉", "云杉"),
        ("云杉 起火", ("and", "云杉", "起火")),
        ("云杉 AND 起火", ("and", "云杉", "起火")),
        ("云杉 与 起火", ("and", "云杉", "起火")),
        ("a b OR c d", ("or", ("and", "a", "b"), ("and", "c", "d"))),
        ("a OR b AND NOT c", ("or", "a", ("and", "b", ("not", "c")))),
        ("(a OR b) c", ("and", ("or", "a", "b"), "c")),
        ("（a 或 b）非 c", ("and", ("or", "a", "b"), ("not", "c"))),
        ("@acme NOT (招聘 OR 二手)", ("and", "@acme", ("not", ("or", "招聘", "二手")))),
        ("＠ＡＣＭＥ", "@acme"),
        ("a and b or c not d", ("or", ("and", "a", "b"), ("and", "c", ("not", "d")))),
        ("ａ　ＡＮＤ　ｂ", ("and", "a", "b")),
        ("参与 或者 非常", ("and", "参与", "或者", "非常")),
        ('"AND"', "and"),
        ("“与”", "与"),
        ('"电池  鼓包"', "电池 鼓包"),
        ("“电池 鼓包” 'x y' ‘z’ 「w」 ＂v＂", ("and", "电池 鼓包", "x y", "z", "w", "v")),
        (r'"say \"hi\" \\"', 'say "hi" \\'),
        ('"他说“好”"', "他说“好”"),
        ("don't AT&T C++ 3.5% 1,000 -5 🔥 c# A-share", ("and", "don't", "at&t", "c++", "3.5%", "1,000", "-5", "🔥", "c#", "a-share")),
        ('a(b)"c"', ("and", "a", "b", "c")),
        ("a\n  OR\n b", ("or", "a", "b")),
        ("(((a)))", "a"),
    ],
)  # fmt: skip
def test_queries_mean(query, expected):
    """AND binds closer than OR, NOT closest; words side by side are AND; brackets, quotes and signs of both widths."""
    root = parse(query).root
    assert shape(root) == expected
    assert shape(parse(written(root)).root) == expected


@pytest.mark.parametrize(
    ("query", "line", "column", "message"),
    [
        ("", 1, 1, "the query is empty"),
        ("  \n ", 1, 1, "the query is empty"),
        ("a AND", 1, 6, "the query ends after AND, where a word is missing"),
        ("a\n OR", 2, 4, "the query ends after OR"),
        ("AND a", 1, 1, "AND cannot stand first: a word is missing before it"),
        ("a OR OR b", 1, 6, "OR cannot stand after OR"),
        ("a NOT NOT b", 1, 7, "NOT cannot stand after NOT"),
        ("a (b OR", 1, 8, "the query ends after OR"),
        ("a (b OR c", 1, 3, "the bracket opened here is not closed"),
        ("a) b", 1, 2, "this bracket closes none"),
        ("a ()", 1, 4, "there is nothing between these brackets"),
        ("(a OR )", 1, 7, ") cannot stand after OR"),
        ('a "bc', 1, 3, "the quote opened here is not closed"),
        ("a bc”", 1, 5, "this ” closes no quote"),
        ('a ""', 1, 3, "nothing to look for between these quotes"),
        ('a "\u200b "', 1, 3, "nothing to look for between these quotes"),
        ("a NEAR/5 b", 1, 3, "NEAR is not supported yet"),
        ("a near/5f b", 1, 3, "NEAR is not supported yet"),
        ("a NEAR b", 1, 3, "NEAR is not supported yet"),
        ("atleast 2 (a b)", 1, 1, "atleast is not supported yet"),
        ("a title:b", 1, 3, "fields are not supported yet: title:b"),
        ("a title：b", 1, 3, "fields are not supported yet"),
        ("title:(a OR b)", 1, 1, "fields are not supported yet"),
        ("repost:false a", 1, 1, "fields are not supported yet"),
        ("a followers>10000", 1, 3, "comparisons are not supported yet"),
        ("a reach>=5", 1, 3, "comparisons are not supported yet"),
        ("a yun*", 1, 3, "wildcards are not supported yet: yun*"),
        ("a && b", 1, 3, "&& is no operator"),
        ("a | b", 1, 3, "| is no operator"),
        ("a|b", 1, 1, "a|b is no operator"),
        ("a -b", 1, 3, "-b is no operator"),
        ("a !b", 1, 3, "!b is no operator"),
        ("云杉，格澜", 1, 1, "云杉，格澜 holds a separator"),
        ("云杉、格澜", 1, 1, "holds a separator"),
        ("@", 1, 1, "@ is no name of a target"),
        ("a @Bad!", 1, 3, "@Bad! is no name of a target"),
        ("NOT a", 1, 1, "NOT alone would match every text"),
        ("非 a", 1, 1, "NOT alone would match every text"),
        ("a OR NOT b", 1, 6, "NOT alone would match every text"),
        ("NOT (a NOT b)", 1, 1, "NOT alone would match every text"),
        ("a OR (NOT b AND NOT c)", 1, 7, "NOT alone would match every text"),
    ],
)
def test_mistakes_are_located(query, line, column, message):
    """Each mistake is told in plain words, with the line and column where it stands."""
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in caught.value.message
    assert str(caught.value) == f"{line}:{column}: {caught.value.message}"


def test_what_was_expected_is_told():
    """Where the parser knows what could stand there, the error lists it."""
    with pytest.raises(QueryError) as caught:
        parse("a AND")
    assert caught.value.expected == ("@name", "NOT", "a phrase in quotes", "a word", "an opening bracket")


def test_what_will_be_an_operator_can_be_sought_in_quotes():
    """The words that are refused today are words like any other between quotes."""
    for text in ("NEAR/5", "title:x", "yun*", "a|b", "-b", "云杉，格澜", "@acme", "followers>5", "(", "atleast"):
        assert isinstance(parse(f'"{text}"').root, Word)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a" * (LONGEST + 1), "characters"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "deep"),
        ("a " * (MOST_PARTS + 1), "words, phrases and brackets"),
        ("(a)" * (MOST_PARTS // 2 + 1), "words, phrases and brackets"),
    ],
    ids=["length", "depth", "words", "brackets"],
)
def test_size_is_bounded(query, message):
    """Too long, too deep and too many are refused with the bound; one less is read."""
    with pytest.raises(QueryError, match=message):
        parse(query)
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST)
    assert parse("a " * MOST_PARTS)
    assert parse("a OR " * (MOST_PARTS - 1) + "a")


@pytest.mark.parametrize(
    "query",
    [
        "(" * 10_000, "(" * 5_000 + ")" * 5_000, "()" * 5_000, "(a)" * 3_333, "a OR " * 2_000, ("(" * 20 + "a" + ")" * 20) * 240, ")" * 10_000,
        "NOT " * 2_500, '"' * 9_999, "\\\"" * 5_000, "a:" * 5_000, "near/" * 2_000, "a_" * 5_000, "a," * 5_000, "1,1" * 3_000, "'a" * 5_000,
    ],
    ids=range(16),
)  # fmt: skip
def test_ten_kilobytes_of_anything_cost_little(query):
    """10 kB of brackets, quotes and near-operators are answered in under 50 ms (best of three)."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        try:
            parse(query)
        except QueryError:
            pass
        best = min(best, time.perf_counter() - started)
    assert best < 0.05


def test_aliases_are_checked_against_the_targets():
    """An alias that names no target is located and the known ones are told; unknown targets check nothing."""
    with pytest.raises(QueryError) as caught:
        check_query("a\n OR @acne", ["acme", "rival"])
    assert (caught.value.line, caught.value.column) == (2, 5)
    assert caught.value.message == "there is no target 'acne'; there is @acme, @rival"
    with pytest.raises(QueryError, match="nor any other"):
        check_query("@acne", [])
    assert check_query("@acne OR @acme", None).aliases() == (Alias("acne", 1, 1), Alias("acme", 1, 10))
    assert check_query("@acme b", ["acme"]).leaves() == (Alias("acme", 1, 1), Word("b", "b", 1, 7))
