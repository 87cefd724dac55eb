"""What queries can be true of."""

import pytest

from rules.overlap import always, asks_for_no_word, never, within
from rules.query import parse

SETS = {"jobs": ("招聘", "内推")}


@pytest.mark.parametrize(
    ("query", "impossible"),
    [
        ("a NOT a", True), ("a NOT b", False), ("云杉科技 NOT 云杉", True), ("云杉 NOT 云杉科技", False), ("cat NOT concat", False),
        ("channel:a channel:b", True), ("source:a source:b", True), ("author:a author:b", False), ("lang:a lang:b", False),
        ("repost:true repost:false", True), ("followers>5 followers<6", True), ("followers>5 followers<7", False), ("followers>5 reach<5", False),
        ("title:a NOT a", True), ("a NOT title:a", False), ("title:a NOT text:a", False), ("招聘 NOT @jobs", True),
        ("@jobs NOT 招聘", False), ("@acme NOT @acme", True), ("@acme NOT 云杉", False), ("a NEAR/3 b NOT a", True), ("a NEAR/3 b NOT c", False),
        ("(a OR b) NOT a NOT b", True), ("atleast 2 (a b) NOT (a OR b)", True), ("atleast 2 (a b) NOT a", False), ("yunshan NOT yun*", True),
        ("a (b NOT a)", True), ("(a NOT a) OR b", False),
    ],
)  # fmt: skip
def test_what_excludes_itself_is_found(query, impossible):
    """A query that no mention satisfies, by the spelling of its words and by facts that exclude each other."""
    assert never(parse(query).root, SETS) is impossible


@pytest.mark.parametrize(
    ("one", "other", "contained"),
    [
        ("@acme 起火", "@acme", True), ("@acme", "@acme 起火", False), ("@acme NOT x", "@acme", True), ("@acme AND (a OR b)", "@acme NOT c", False),
        ("@acme AND (a OR b)", "@acme AND (b OR a OR c)", True), ("云杉科技 x", "云杉", True), ("a NEAR/3 b", "a b", True), ("a NEAR/3 b", "a NEAR/4 b", False),
        ("title:a", "a", True), ("a", "title:a", False), ("reach>100 a", "reach>10", True), ("reach=5", "reach<=5", True), ("招聘 x", "@jobs", True),
        ("a", "a OR b", True), ("a OR b", "a", False), ("atleast 3 a", "a", True), ("ａ", "A", True),
    ],
)  # fmt: skip
def test_what_another_query_has_too_is_found(one, other, contained):
    """One query lies within another."""
    assert within(parse(one).root, parse(other).root, SETS) is contained


def test_queries_of_facts_alone_are_known():
    """Nothing that a person wrote decides them; a query that asks for something matches not everything."""
    assert asks_for_no_word(parse("channel:x (repost:false OR reach>5)").root)
    assert not asks_for_no_word(parse("channel:x (repost:false OR a)").root)
    assert always(parse("a OR repost:true OR repost:false").root, SETS)
    assert not always(parse("followers>5 OR followers<=5").root, SETS)  # it may be unknown
    assert not always(parse("a OR b").root, SETS)


def test_what_takes_too_long_is_not_told():
    """Five hundred words are answered at once, with no claim."""
    big = " ".join(f"(a{n} OR b{n})" for n in range(80))
    assert within(parse(big).root, parse(" ".join(f"(b{n} OR c{n})" for n in range(80))).root, SETS) is False
    assert never(parse(big).root, SETS) is False
