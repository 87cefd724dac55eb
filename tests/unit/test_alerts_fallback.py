"""What goes to a fallback, and when: pure, from rows of an outbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.fallback import PATIENCE, Row, pass_on
from alerts.notification import PassedOn

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def row(number, *, receiver="pr", channel="robot", kind="open", state="waiting", at=T0, red=True, source=None):
    return Row(number, receiver, channel, kind, number, red, state, at, source)


def passing(rows, *, now=T0 + PATIENCE, down=()):
    return pass_on(rows, "pr", "duty", down=frozenset(down), now=now)


def test_red_that_nobody_took_goes_on_after_three_minutes():
    """At three minutes, not before; what is not red never."""
    assert passing([row(1)], now=T0 + PATIENCE - SECOND) is None
    found = passing([row(1)])
    assert (found.source, found.kind) == (1, "open")
    assert found.passed_on == PassedOn("pr", ("robot",), late=True)
    assert passing([row(1, red=False)], now=T0 + timedelta(hours=9)) is None


def test_a_call_that_nobody_took_goes_on_too():
    """An escalation or a broken deadline of red that does not arrive; one that did is nobody else's."""
    for kind in ("escalate", "breach"):
        assert passing([row(1, kind=kind, state="dead")], now=T0).kind == "open"
        assert passing([row(1, kind=kind, state="sent")]) is None
        told = [row(1, state="dead"), row(2, receiver="duty", source=1, state="sent"), row(3, kind=kind, state="sent")]
        assert passing(told, now=T0 + PATIENCE) is None


def test_one_of_several_channels_is_enough():
    """Two channels: both late, it goes on and names both; one has it, it does not."""
    both = [row(1), row(2, channel="mail")]
    assert passing(both).passed_on.channels == ("robot", "mail")
    assert passing([both[0], replace(both[1], state="sent")], down={("pr", "robot")}) is None


def test_a_dead_or_broken_channel_is_not_waited_for():
    """At once where each channel has given up or is down; not where one may still take it."""
    assert passing([row(1, state="dead")], now=T0).passed_on.late is False
    assert passing([row(1)], now=T0, down={("pr", "robot")}).passed_on.late is False
    assert passing([row(1, state="dead"), row(2, channel="mail")], now=T0) is None
    assert passing([row(1, state="dead"), row(2, channel="mail")], now=T0, down={("pr", "mail")}) is not None


def test_news_that_keeps_replacing_news_does_not_put_it_off():
    """The time counts from the first red that was not taken, though updates supersede one another each minute."""
    rows = [
        row(1, red=False, state="sent", at=T0 - SECOND),
        *(row(n, kind="update", state="superseded", at=T0 + (n - 2) * timedelta(minutes=1)) for n in (2, 3, 4)),
        row(5, kind="update", at=T0 + timedelta(minutes=3)),
    ]
    found = passing(rows)
    assert (found.source, found.kind) == (5, "open"), "the first that the fallback hears is an open"


def test_what_was_opened_there_is_closed_there():
    """The end goes on as soon as it is due, delivered or not; where nothing was opened there, nothing ends."""
    passed = row(2, receiver="duty", state="sent", at=T0 + PATIENCE, source=1)
    for state in ("waiting", "sent"):
        end = row(3, kind="resolve", state=state, at=T0 + 2 * PATIENCE)
        found = passing([row(1, state="sent"), passed, end], now=end.at)
        assert (found.source, found.kind) == (3, "resolve")
        closed = row(4, receiver="duty", kind="resolve", at=end.at, source=3)
        assert passing([row(1, state="sent"), passed, end, closed], now=T0 + timedelta(days=1)) is None
    assert passing([row(1, state="sent"), row(3, kind="resolve")], now=T0 + timedelta(days=1)) is None


def test_it_goes_once_and_not_where_the_fallback_hears_it_anyway():
    """Passed before, by this way or another receiver's, or routed there: nothing more."""
    passed = row(2, receiver="duty", source=1)
    assert passing([row(1), passed], now=T0 + timedelta(hours=20)) is None
    of_another = [row(1), row(2, receiver="desk"), replace(row(3, receiver="duty", source=2), revision=1)]
    assert passing(of_another) is None
    assert passing([row(1), row(2, receiver="duty")]) is None


def test_further_news_goes_on_only_where_it_does_not_arrive():
    """An update that arrived stays where it is; one that did not follows the first, as an update."""
    first = [row(1), row(2, receiver="duty", state="sent", source=1)]
    later = T0 + timedelta(hours=1)
    assert passing([*first, row(3, kind="update", state="sent", at=later)], now=later + PATIENCE) is None
    lost = passing([*first, row(3, kind="update", at=later)], now=later)
    assert (lost.source, lost.kind) == (3, "update"), "nothing has arrived since the first: no further wait"


@given(st.data())
def test_played_on_it_is_told_once_and_ends(data):
    """Whatever becomes of the receiver's rows, each is passed on once at most, and what is open there is ended there."""
    rows, now, number = [], T0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        number += 1
        now += data.draw(st.sampled_from([SECOND, timedelta(minutes=2), timedelta(minutes=5)]))
        opened = next((r.kind != "resolve" for r in reversed(rows) if r.receiver == "pr"), False)
        kind = data.draw(st.sampled_from(["update", "repeat", "resolve"] if opened else ["open"]))
        rows.append(row(number, kind=kind, at=now, red=data.draw(st.booleans())))
        while (found := passing(rows, now=now, down=data.draw(st.sampled_from([(), (("pr", "robot"),)])))) is not None:
            number += 1
            made = row(number, receiver="duty", kind=found.kind, at=now, source=found.source)
            assert found.source not in [r.source for r in rows]
            theirs = [r.kind for r in rows if r.receiver == "duty"]
            assert (found.kind == "open") == (not theirs or theirs[-1] == "resolve")
            rows.append(made)
        place = data.draw(st.integers(0, len(rows) - 1))
        if rows[place].state == "waiting" and data.draw(st.booleans()):
            rows[place] = replace(rows[place], state=data.draw(st.sampled_from(["sent", "dead"])))
    theirs = [r for r in rows if r.receiver == "duty"]
    ours = [r for r in rows if r.receiver == "pr"]
    if theirs and ours[-1].kind == "resolve":
        assert theirs[-1].kind == "resolve"
