"""Counts by the bin: whatever order mentions come in, whatever is taken back, the same is known and learnt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import UTC_WEEKS
from rules.facts import Facts, Judged, facts_of
from rules.mention import Author, Mention, Reach
from rules.panes import EPOCH
from rules.rollup import KEPT, SETTLE, Count, Roll, Rollup

HOUR, DAY = 60, 1440
NOW = 60 * DAY


def seen(_begin: int, _end: int) -> bool:
    return False


def facts(
    number: int = 0, *, author: str = "甲", story: str = "", views: int | None = 1, label: str = "negative"
) -> Facts:
    mention = Mention(
        source="microblog", channel="microblog", external_id=f"m{number}", text="云杉充电宝", url="https://a.example.com/",
        author=Author(author, author) if author else None, published_at=EPOCH, collected_at=EPOCH,
        reach=Reach(views=views),
    )  # fmt: skip
    judged = Judged(label, 0.9, 0.9)  # type: ignore[arg-type]
    return facts_of(mention, "core", "acme", judged, {}, story)


def rollup(count: Count = "mentions", size: int = HOUR, marked: tuple[str, ...] = ()) -> Rollup:
    return Rollup(Roll(size, 1, count, marked), UTC_WEEKS)


def known(one: Rollup) -> tuple[dict[int, int], dict[int, int]]:
    """What the bins hold that hold anything."""
    numbers = range(one.base, one.past)
    return {n: one.count(n) for n in numbers if one.count(n)}, {n: one.mark(n) for n in numbers if one.mark(n)}


minutes = st.integers(NOW - 20 * DAY, NOW)
puts = st.lists(
    st.tuples(minutes, st.sampled_from(["甲", "乙", ""]), st.sampled_from(["s", "t", ""]), st.sampled_from([0, 5])),
    min_size=1,
    max_size=40,
)
counts = st.sampled_from(["mentions", "authors", "stories", "reach"])


def mentions(rows: list[tuple[int, str, str, int]]) -> list[tuple[int, Facts]]:
    return [
        (minute, facts(number, author=author, story=story, views=views, label="negative" if number % 2 else "neutral"))
        for number, (minute, author, story, views) in enumerate(rows)
    ]


@given(puts, counts, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_puts_changes_nothing(rows, count, dice) -> None:  # type: ignore[no-untyped-def]
    """Mentions of open bins may come in any order: the same is known, and the same is learnt, to the last bit."""
    given = mentions(rows)
    mixed = list(given)
    dice.shuffle(mixed)
    dumps = []
    for order in (given, mixed):
        one = rollup(count, marked=("negative",))
        for minute, fact in order:
            one.put(minute, fact, 1)
        normal = one.catch_up(NOW + DAY, NOW - 30 * DAY, seen)
        dumps.append((known(one), one.last(), normal.dump()))
    assert dumps[0] == dumps[1]


@given(puts, puts, counts)
@settings(max_examples=60, deadline=None)
def test_what_is_taken_back_was_never_there(rows, others, count) -> None:  # type: ignore[no-untyped-def]
    """Put and taken back, in any open bin, a mention leaves nothing behind, in counts, marks or what is learnt."""
    plain, other = rollup(count, marked=("negative",)), rollup(count, marked=("negative",))
    extra = mentions(others)
    for minute, fact in mentions(rows):
        plain.put(minute, fact, 1)
        other.put(minute, fact, 1)
    for minute, fact in extra:
        other.put(minute, fact._replace(external_id="x"), 1)
    for minute, fact in reversed(extra):
        other.put(minute, fact._replace(external_id="x"), -1)
    assert known(other) == known(plain)
    assert other.last() == plain.last()
    since = NOW - 30 * DAY
    assert other.catch_up(NOW + DAY, since, seen).dump() == plain.catch_up(NOW + DAY, since, seen).dump()


@given(puts, st.integers(NOW - 15 * DAY, NOW), st.lists(st.integers(NOW - 20 * DAY, NOW + DAY), max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_comes_late_is_learnt_as_if_it_had_come_in_time(rows, late, reads) -> None:  # type: ignore[no-untyped-def]
    """However often it was read meanwhile, a mention of a bin that is learnt makes it learn anew, in order."""
    given, since = mentions(rows), NOW - 30 * DAY
    in_time, in_part = rollup(), rollup()
    for minute, fact in [*given, (late, facts(999))]:
        in_time.put(minute, fact, 1)
    for minute, fact in sorted(given, key=lambda row: row[0]):
        in_part.put(minute, fact, 1)
    for now in sorted(reads):
        in_part.catch_up(now, since, seen)
    in_part.put(late, facts(999), 1)
    end = NOW + 3 * DAY  # a trickle waits for the day after the newest read
    assert in_part.catch_up(end, since, seen).dump() == in_time.catch_up(end, since, seen).dump()


@pytest.mark.parametrize(("late", "anew"), [(1, False), (70, True)])
def test_an_import_is_learnt_at_once_and_a_trickle_with_the_day(late: int, anew: bool) -> None:
    """A twentieth of all that is known makes it learn anew with the next bin; one mention waits for the next day."""
    one = rollup()
    begin = 40 * DAY
    for hour in range(10 * 24 + 2):
        for number in range(5):
            one.put(begin + hour * HOUR + 10 * number + 1, facts(number), 1)
    now = begin + 10 * DAY + 2 * HOUR
    before = one.catch_up(now, begin, seen)
    for number in range(late):
        one.put(begin + 3 * DAY + number, facts(number), 1)
    assert (one.catch_up(now + HOUR, begin, seen) is not before) is anew
    assert one.catch_up(now + DAY, begin, seen) is not before
    assert one.stale == 0


@pytest.mark.parametrize(("count", "want"), [("mentions", 5), ("authors", 2), ("stories", 4), ("reach", 15)])
def test_what_is_counted(count: Count, want: int) -> None:
    """Five mentions of two authors and one unknown: two copies of a story, three of none, five views each but two."""
    one = rollup(count)
    for number, (author, story, views) in enumerate(
        [("甲", "s", 5), ("甲", "s", 5), ("乙", "", 5), ("", "", 0), ("甲", "", 0)]
    ):
        one.put(NOW, facts(number, author=author, story=story, views=views), 1)
    assert one.count(NOW // HOUR) == want


def test_a_bin_ends_with_its_hour() -> None:
    """The pane of minute 60 is of the first hour, that of minute 61 of the second."""
    one = rollup()
    for minute in (1, 60, 61):
        one.put(minute, facts(minute), 1)
    assert (one.count(1), one.count(2), one.count(0), one.count(3)) == (2, 1, 0, 0)


def test_a_bin_is_learnt_half_an_hour_after_its_end() -> None:
    """At 29 minutes past it is not, at 30 it is; ``turns`` says when the next one will be."""
    one = rollup()
    one.put(30 * DAY + 10, facts(), 1)
    end = 30 * DAY + HOUR
    since = 20 * DAY
    one.catch_up(end + SETTLE - 1, since, seen)
    assert one.upto == end // HOUR - 1
    assert one.turns == end + SETTLE
    one.catch_up(end + SETTLE, since, seen)
    assert one.upto == end // HOUR
    assert one.turns == end + HOUR + SETTLE


def test_eight_weeks_are_kept() -> None:
    """An older bin is let go, one that is older from the start is not taken in, and a leap of a year begins anew."""
    one = rollup()
    one.put(NOW, facts(1), 1)
    one.put(NOW - KEPT - HOUR, facts(2), 1)
    assert known(one)[0] == {NOW // HOUR: 1}
    one.put(NOW - KEPT + HOUR, facts(3), 1)
    assert len(known(one)[0]) == 2
    one.put(NOW + 2 * HOUR, facts(4), 1)
    assert sorted(known(one)[0]) == [NOW // HOUR, NOW // HOUR + 2]
    one.put(NOW + 400 * DAY, facts(5), 1)
    assert sorted(known(one)[0]) == [(NOW + 400 * DAY) // HOUR]
    assert len(one.counts) == 1


def test_it_is_remembered_for_as_long() -> None:
    """While its last mention may still count it is kept."""
    one = rollup()
    assert not one.remembers(NOW)
    one.put(NOW, facts(), 1)
    assert one.remembers(NOW + KEPT - HOUR)
    assert not one.remembers(NOW + KEPT + 2 * HOUR)


def filled(days: dict[int, int]) -> Rollup:
    """So many mentions on each of the days before NOW, spread over its hours."""
    one = rollup()
    for day, count in days.items():
        for number in range(count):
            one.put(NOW - day * DAY - (number * DAY) // count - 1, facts(number), 1)
    return one


@pytest.mark.parametrize(
    ("days", "reached"),
    [
        ({}, 0),
        ({0: 24, 1: 24, 2: 24, 3: 24}, 4),
        ({0: 24, 1: 24, 2: 6, 3: 24, 4: 24}, 5),
        ({0: 20, 4: 1, 9: 1, 14: 1, 20: 1}, 1),
        ({0: 2, 1: 1, 2: 2, 3: 1}, 4),
    ],
    ids=["nothing", "dense", "a thin day", "a first poll", "few but even"],
)
def test_history_counts_as_far_as_it_is_dense(days: dict[int, int], reached: int) -> None:
    """Of what came before the rule was switched on as many days are known as are as dense as those after them."""
    one = filled(days)
    first = one.first(NOW)
    watched = NOW // HOUR + 1
    assert (watched - first) / 24 == pytest.approx(reached, abs=1)
    assert first <= watched


def test_what_was_watched_is_known_even_where_nothing_was_said() -> None:
    """Silence that was watched is knowledge: it is learnt as such."""
    one = filled({0: 24})
    assert one.first(NOW - 30 * DAY) <= (NOW - 30 * DAY) // HOUR + 1
    assert one.catch_up(NOW + HOUR, NOW - 30 * DAY, seen).learnt >= 29 * 24


def test_a_dark_bin_is_told_by_its_minutes() -> None:
    """Whether a bin could be seen is asked of exactly its own minutes."""
    asked: list[tuple[int, int]] = []

    def dark(begin: int, end: int) -> bool:
        asked.append((begin, end))
        return False

    one = rollup()
    one.put(NOW, facts(), 1)
    one.catch_up(NOW + 3 * HOUR, NOW, dark)
    assert asked
    assert all(end - begin == HOUR and end % HOUR == 0 for begin, end in asked)
