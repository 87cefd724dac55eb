"""Mention lines: what goes out comes in, and nothing that comes in is worse than a LineError."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.interchange import (
    LONGEST_TEXT,
    LineError,
    clean,
    mention_line,
    mention_object,
    parse_line,
    parse_object,
    read_line,
    stored_object,
)
from rules.mention import Author, Mention, Reach

words = st.text(max_size=40).map(clean)
keys = words.filter(bool)
times = st.none() | st.datetimes(timezones=st.just(UTC))
counts = st.none() | st.integers(0, 2**63 - 1)
authors = st.builds(Author, words, words, counts, st.none() | st.booleans(), times)
mentions = st.builds(
    Mention, keys, keys, keys, words.filter(str.strip), words, words, st.none() | authors, times, times, times,
    st.builds(Reach, counts, counts, counts, counts), words, words, words, words, words,
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
GOOD = {"source": "s", "channel": "c", "external_id": "1", "text": "t"}


@given(mentions)
def test_every_mention_round_trips(mention: Mention):
    """Written and read again, a mention is the same, in one line of the documented order."""
    line = mention_line(mention)
    assert parse_line(line) == mention
    assert parse_line(line.encode()) == mention
    assert "\n" not in line
    order = ["source", "channel", "external_id", "url", "title", "text", "author", "published_at", "updated_at",
             "collected_at", "reach", "repost_of", "quote_of", "site", "region", "lang"]  # fmt: skip
    written = list(json.loads(line))
    assert written == [name for name in order if name in written]


dirty = st.text(max_size=40)
unclean = st.builds(
    Mention, keys, keys, keys, dirty, dirty, dirty, st.none() | authors, times, times, times,
    st.builds(Reach, counts, counts, counts, counts), dirty, dirty, dirty, dirty, dirty,
)  # fmt: skip


@given(mentions | unclean)
def test_what_is_stored_is_read_as_a_checked_line_is(mention: Mention):
    """The database's own objects are taken at their word: that gives what checking them would."""
    text = json.dumps(mention_object(mention))
    assert stored_object(json.loads(text)) == parse_object(json.loads(text))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_a_line_error(line: bytes | str):
    """No bytes and no text raise anything but LineError."""
    try:
        parse_line(line)
    except LineError as error:
        assert error.message


@given(st.sampled_from([*GOOD, "kind", "url", "author", "reach", "published_at", "lang", "new"]), values)
def test_any_value_in_any_field_is_read_or_refused_by_its_name(name: str, value: object):
    """A wrong value is told with the field it stands in."""
    try:
        parse_line(json.dumps(GOOD | {name: value}))
    except LineError as error:
        assert error.field.split(".")[0] in (name, "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": None}, "text: must be a string"), ({"source": ""}, "source: must not be empty"),
        ({"external_id": "\x00"}, "external_id: must not be empty"), ({"reach": {"likes": -1}}, "reach.likes: must not be negative"),
        ({"reach": {"likes": True}}, "reach.likes: must be a whole number"), ({"kind": "poll"}, 'kind: must be "mention"'),
        ({"likes": 1}, "likes: is not a known key"), ({"author": {"id": "a"}}, "author.name: is missing"),
        ({"author": "x"}, "author: must be an object"), ({"text": " "}, "text: may be empty only where a title is given"),
        ({"published_at": "2026-02-30T00:00:00Z"}, "published_at: is no time that exists"),
        ({"published_at": 5}, "published_at: must be a time with its offset, such as 2026-01-31T08:00:00+08:00"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_plain_words(change: dict[str, object], told: str):
    """Each mistake names its field and what it should be."""
    with pytest.raises(LineError) as caught:
        parse_line(json.dumps(GOOD | change))
    assert str(caught.value) == told


def test_awkward_json_is_refused():
    """Repeated keys, NaN, huge numbers and deep nesting are refused like any other nonsense."""
    for line in (
        '{"source":"a","source":"b"}',
        '{"text":NaN}',
        "[" * 100_000,
        '{"a":' * 50_000,
        "1" * 10_000,
        '"\\ud800"',
    ):
        with pytest.raises(LineError):
            parse_line(line)


def test_times_of_any_offset_become_utc():
    """An offset is needed, and the moment is what counts; fractions past microseconds are dropped."""
    mention = parse_line(json.dumps(GOOD | {"published_at": "2026-01-05t10:00:00.1234567+08:00"}))
    assert mention.published_at == datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    assert mention.published_at.tzinfo is UTC


def test_text_is_cleaned_and_cut_and_told():
    """Control characters and lone surrogates go, newline and tab stay, a text past the limit is cut and told."""
    assert (
        parse_line('{"source":"s","channel":"c","external_id":"1","text":"a\\u0000b\\ud800c\\r\\nd\\te"}').text
        == "abc\nd\te"
    )
    mention, told = read_line(json.dumps(GOOD | {"text": "长" * (LONGEST_TEXT + 1)}))
    assert (len(mention.text), bool(told)) == (LONGEST_TEXT, True)
    assert read_line(json.dumps(GOOD | {"text": "长" * LONGEST_TEXT}))[1] == ""
