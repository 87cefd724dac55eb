"""Counts by the minute: what is put can be taken back, windows slide exactly, and all stays bounded."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules import panes
from rules.facts import Facts
from rules.panes import Pane, Series, Shape, pane_of
from rules.recent import MAX_RECENT, Recent, Ref
from tests.support.engine_log import START, after


def facts(name: str, *, who: str = "", people: int = 0, weight: float = 0.0, text: str = "") -> Facts:
    keys = (("channel", "microblog"), ("source", "microblog"), ("label", "negative"))
    return Facts(
        topic="acme", source="microblog", external_id=name, channel="microblog", tier="core", label="negative",
        confidence=0.9, negative=0.9, author_id=who, author=who, followers=None, verified=None, people=people,
        text=text or name, url="", published_at=None, found={}, who=who, keys=keys, weight=weight,
    )  # fmt: skip


SHAPE = Shape("s", lambda _: True, "", (2, 5), (2, 9))


def state(series: Series) -> object:
    tallies = [(one.mentions, one.people, one.authors, one.rest, one.low) for one in series.tallies]
    return tallies, [(one.mentions, one.low) for one in series.totals], series.every, series.minutes


puts = st.lists(
    st.tuples(st.integers(100, 110), st.sampled_from("甲乙丙"), st.integers(0, 9), st.booleans()), max_size=30
)


@given(puts, st.integers(100, 112))
def test_windows_agree_with_counting_by_hand(rows: list[tuple[int, str, int, bool]], now: int) -> None:
    """After any puts and an advance, each tally and total is what a look at every mention gives."""
    series = Series(SHAPE)
    for place, (minute, who, people, fresh) in enumerate(rows):
        # What comes late comes after the windows have moved on.
        series.advance(min(minute, now))
        series.put(minute, facts(str(place), who=who, people=people), fresh=fresh)
    series.advance(now)
    for tally in series.tallies:
        inside = [row for row in rows if row[0] > now - tally.size and row[3]]
        assert tally.mentions == len(inside)
        assert tally.people == sum(row[2] for row in inside)
        assert tally.authors == {who: n for who in "甲乙丙" if (n := sum(row[1] == who for row in inside))}
        assert tally.count("label", "negative") == len(inside)
    for total in series.totals:
        assert total.mentions == sum(row[0] > now - total.size for row in rows)


@given(puts, puts)
def test_what_is_taken_back_was_never_there(
    kept: list[tuple[int, str, int, bool]], gone: list[tuple[int, str, int, bool]]
) -> None:
    """Putting mentions and taking them back leaves the counts as they were."""
    plain, mixed = Series(SHAPE), Series(SHAPE)
    for place, (minute, who, people, fresh) in enumerate(kept):
        for series in (plain, mixed):
            series.put(minute, facts(f"k{place}", who=who, people=people), fresh=fresh)
    for place, (minute, who, people, fresh) in enumerate(gone):
        mixed.put(minute, facts(f"g{place}", who=who, people=people), fresh=fresh)
    for place, (minute, who, people, fresh) in enumerate(gone):
        mixed.take(minute, facts(f"g{place}", who=who, people=people), fresh=fresh)
    assert state(mixed) == state(plain)
    mixed.advance(115)
    plain.advance(115)
    assert state(mixed) == state(plain)


def test_names_in_a_pane_are_bounded() -> None:
    """Past 2,000 authors in a minute the rest counts as one more, the mentions all count, and taking back still works."""
    series, extra = Series(SHAPE), 50
    written = [facts(str(number), who=f"u{number}") for number in range(panes.MAX_NAMES_PER_PANE + extra)]
    for one in written:
        series.put(100, one, fresh=True)
    tally = series.tallies[0]
    assert tally.mentions == len(written)
    assert len(tally.authors) == panes.MAX_NAMES_PER_PANE + 1
    assert tally.authors[panes.OTHER] == extra
    for one in written:
        series.take(100, one, fresh=True)
    assert (tally.mentions, tally.authors, tally.rest, series.panes) == (0, {}, {}, {})


@given(st.permutations(range(9)))
def test_the_most_telling_do_not_depend_on_order(order: list[int]) -> None:
    """Of nine mentions with five texts the same three are kept, whatever order they come in."""
    pane = Pane()
    for number in order:
        pane.put(facts(str(number), weight=number * 7 % 5, text=f"t{number % 5}"), ())
    assert [one.external_id for one in pane.telling] == ["2", "4", "1"]


def test_panes_are_closed_at_the_end_of_their_minute() -> None:
    """A mention at a whole minute belongs to the minute that ends there."""
    assert pane_of(START) + 1 == pane_of(after(0, 0.000001)) == pane_of(after(1))


def test_recent_mentions_are_bounded() -> None:
    """Past 50,000 the oldest minutes are let go of, whole."""
    recent = Recent()
    for number in range(MAX_RECENT + 1):
        at = START + timedelta(minutes=number % 10)
        recent.add(
            Ref(id=("s", str(number)), minute=pane_of(at), event_at=at, history=False, seen_through=at,
                late_known=True, tier="core", placed=at, facts={})
        )  # fmt: skip
    recent.forget(0)
    assert len(recent) == MAX_RECENT + 1 - (MAX_RECENT + 10) // 10
    assert ("s", "0") not in recent.refs
    assert ("s", "1") in recent.refs
    recent.forget(pane_of(START) + 9)
    assert len(recent) == MAX_RECENT // 10
