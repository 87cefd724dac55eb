"""The query language: what it means, and what it says of mistakes."""

import pytest

from rules.query import DEEPEST, LONGEST, MOST_PARTS, QueryError, check_query, parse
from rules.syntax import Alias, And, AtLeast, Fact, Near, Not, Or, Within, Word, written


def shape(node):
    match node:
        case Word(folded=folded, prefix=prefix):
            return f"{folded}*" if prefix else folded
        case Fact(field, sign, value):
            return (field, sign, value)
        case Within(field, child):
            return (f"{field}:", shape(child))
        case Near(left, right, distance, ordered):
            return ("near", distance, ordered, shape(left), shape(right))
        case AtLeast(count, children):
            return ("atleast", count, *map(shape, children))
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
        ("a NEAR/5 b", ("near", 5, False, "a", "b")),
        ("ａ near/0F (b 或 @acme) c", ("and", ("near", 0, True, "a", ("or", "b", "@acme")), "c")),
        ("NOT a NEAR/3 b c", ("and", ("not", ("near", 3, False, "a", "b")), "c")),
        ("(a) NEAR/100f 'b c'", ("near", 100, True, "a", "b c")),
        ("yun* OR ＹＵＮ１＊", ("or", "yun*", "yun1*")),
        ("title:a b", ("and", ("title:", "a"), "b")),
        ("Text：“a b” ｔｉｔｌｅ:(a OR NOT b)", ("and", ("text:", "a b"), ("title:", ("or", "a", ("not", "b"))))),
        ("title:(a NEAR/3 b) NOT title: @acme", ("and", ("title:", ("near", 3, False, "a", "b")), ("not", ("title:", "@acme")))),
        ("author:人民日报 site:weibo.com lang:zh-CN", ("and", ("author", ":", "人民日报"), ("site", ":", "weibo.com"), ("lang", ":", "zh-cn"))),
        ("url:https://x.com/a?b=1 c", ("and", ("url", ":", "https://x.com/a?b=1"), "c")),
        ("channel:(weibo OR NOT 'B 站') source:x", ("and", ("or", ("channel", ":", "weibo"), ("not", ("channel", ":", "b 站"))), ("source", ":", "x"))),
        ("a repost:false followers>1万", ("and", "a", ("repost", ":", "false"), ("followers", ">", 10_000))),
        ("reach>=5 views<6 likes<=7 comments=8 reposts≥2亿", ("and", ("reach", ">=", 5), ("views", "<", 6), ("likes", "<=", 7), ("comments", "=", 8), ("reposts", ">=", 200_000_000))),
        ("atleast 2 (a OR b OR @acme)", ("atleast", 2, "a", "b", "@acme")),
        ("AtLeast ３ (a 'b c') d", ("and", ("atleast", 3, "a", "b c"), "d")),
        ("title:atleast 2 a", ("title:", ("atleast", 2, "a"))),
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
        ("a NEAR b", 1, 3, "NEAR needs its distance: write NEAR/5 (either order) or NEAR/5f (in this order)"),
        ("a near/f b", 1, 3, "near/f needs its distance"),
        ("a NEAR/-1 b", 1, 3, "NEAR/-1 needs its distance"),
        ("a NEAR/101 b", 1, 3, "NEAR/101 is wider than the 100 allowed"),
        ("a NEAR/3 b NEAR/3 c", 1, 12, "NEAR joins two, not three"),
        ("(a b) NEAR/3 c", 1, 7, "NEAR joins words, phrases, @names, or these with OR in brackets"),
        ("(a OR NOT b) NEAR/3 c", 1, 7, "NEAR joins words"),
        ("a NEAR/3 title:b", 1, 10, "NEAR joins words"),
        ("NEAR/3 b", 1, 1, "NEAR/3 cannot stand first"),
        ("a NEAR/3", 1, 9, "the query ends after NEAR/3"),
        ("atleast", 1, 8, "the query ends after atleast"),
        ("atleast (a b)", 1, 9, "( cannot stand after atleast"),
        ("atleast x (a b)", 1, 9, "atleast needs a number from 1 to 100"),
        ("atleast 0 (a b)", 1, 9, "atleast needs a number from 1 to 100"),
        ("atleast 101 a", 1, 9, "atleast needs a number from 1 to 100"),
        ("atleast/2 (a b)", 1, 1, "atleast/2: write atleast 2 (…)"),
        ("atleast 2 (a NOT b)", 1, 14, "atleast counts words, phrases and @names"),
        ("atleast 2 ((a b) OR c)", 1, 1, "atleast counts words, phrases and @names"),
        ("a titel:b", 1, 3, "there is no field titel: (there is title:, text:, author:"),
        ("https://example.com a", 1, 1, "there is no field https:"),
        ("title:", 1, 7, "the query ends after title:"),
        ("title:(a text:b)", 1, 10, "title: cannot hold another field"),
        ("title:(a channel:b)", 1, 10, "title: cannot hold another field"),
        ("author:(a NEAR/3 b)", 1, 11, "author: takes words and phrases"),
        ("author:(@acme)", 1, 9, "author: takes words and phrases"),
        ("author:(abc*)", 1, 9, "author: takes no wildcard"),
        ("a repost:maybe", 1, 3, "repost: is true or false"),
        ('a author:" "', 1, 10, "there is nothing to look for between these quotes"),
        ("a follower>5", 1, 3, "follower>5 is no comparison: write followers>10000 without blanks"),
        ("a followers>ten", 1, 3, "followers>ten is no comparison"),
        ("a followers > 10", 1, 13, "> is no comparison"),
        ("a followers>-1", 1, 3, "followers>-1 is no comparison"),
        ("a ya*", 1, 3, "ya*: at least 3 letters stand before a wildcard"),
        ("a *shan", 1, 3, "*shan: a wildcard stands at the end of a word alone"),
        ("a y*n", 1, 3, "y*n: a wildcard stands at the end"),
        ("a 云杉科*", 1, 3, "云杉科*: wildcards are for Latin words"),
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
    assert caught.value.expected == (
        "@name", "NOT", "a comparison such as followers>10000", "a field such as title:", "a phrase in quotes", "a word",
        "an opening bracket", "atleast n (…)",
    )  # fmt: skip


def test_what_is_an_operator_can_be_sought_in_quotes():
    """What is an operator or refused is text like any other between quotes."""
    for text in (
        "NEAR/5",
        "title:x",
        "yun*",
        "a|b",
        "-b",
        "云杉，格澜",
        "@acme",
        "followers>5",
        "(",
        "atleast",
        "http://x",
        "OR",
    ):
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
        "title:" * 1_600, "title:(" * 1_400, "a NEAR/3 " * 1_100, "abc*" * 2_500, "followers>1" * 900, "atleast 2 " * 1_000, "url:x " * 1_600, "@a " * 3_300,
    ],
    ids=range(24),
)  # fmt: skip
def test_ten_kilobytes_of_anything_are_read_or_refused_where_they_are_wrong(query):
    """No depth of recursion and no other error; what it costs is measured by ``python -m tests.bench.match``."""
    try:
        parse(query)
    except QueryError as error:
        assert error.line == 1
        assert 1 <= error.column <= len(query) + 1


def test_aliases_are_checked_against_the_targets():
    """An alias that names no target is located and the known ones are told; unknown targets check nothing."""
    with pytest.raises(QueryError) as caught:
        check_query("a\n OR @acne", ["acme", "rival"])
    assert (caught.value.line, caught.value.column) == (2, 5)
    assert caught.value.message == "there is no target or set 'acne'; there is @acme, @rival"
    with pytest.raises(QueryError, match="nor any other"):
        check_query("@acne", [])
    assert check_query("@acne OR @acme", None).aliases() == (Alias("acne", 1, 1), Alias("acme", 1, 10))
    assert check_query("@acme b", ["acme"]).leaves() == (Alias("acme", 1, 1), Word("b", "b", 1, 7))
