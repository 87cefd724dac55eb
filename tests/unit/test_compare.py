"""What two rule sets do otherwise, and what the figures of a forecast rest on."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent, Because, Level
from rules.compare import compare
from rules.forecast import WEEK, forecast, last_weeks
from rules.lives import Life, Lives, Period
from rules.seen import History, HistoryFold
from tests.support.engine_log import Log, after, rule, run, volume

MINUTE = timedelta(minutes=1)


def life(
    opened: float, resolved: float | None, *levels: tuple[float, str], rule: str = "surge", key: str = "acme"
) -> Life:
    """An alert by minutes after the start."""
    told = levels or ((opened, "yellow"),)
    return Life(
        f"{rule}-{key}-{opened:g}", rule, key, {"topic": key}, after(opened),
        tuple((after(at), Level[name]) for at, name in told), Because("因", "why"),
        resolved_at=None if resolved is None else after(resolved),
    )  # fmt: skip


def names(changes):
    return [(change.name, change.rule, change.differs) for change in changes]


def test_the_same_alerts_are_unchanged():
    """Every alert is told, with nothing that differs."""
    lives = [life(0, 30), life(300, None), life(0, 30, key="rival")]
    assert names(compare(lives, lives)) == [("unchanged", "surge", ())] * 3


def test_alerts_that_one_side_alone_has():
    """Lost is of the first, gained of the second; another rule or key is another alert."""
    changes = compare([life(0, 30), life(600, 630)], [life(601, 631, rule="other"), life(0, 30, key="rival")])
    assert names(changes) == [
        ("gained", "surge", ()), ("lost", "surge", ()), ("lost", "surge", ()), ("gained", "other", ()),
    ]  # fmt: skip
    assert [(change.before is None, change.after is None) for change in changes][:2] == [(True, False), (False, True)]


def test_what_moved_says_in_what():
    """Time of opening, of resolving, and levels, each told apart."""
    before = life(0, 30, (0, "yellow"), (10, "red"))
    (change,) = compare([before], [life(5, 30, (5, "yellow"), (10, "red"))])
    assert (change.name, change.differs) == ("moved", ("opened_at",))
    (change,) = compare([before], [life(0, None, (0, "yellow"), (10, "orange"))])
    assert (change.name, change.differs) == ("moved", ("resolved_at", "levels"))
    (change,) = compare([before], [life(0, 30, (0, "yellow"), (12, "red"))])
    assert (change.name, change.differs) == ("moved", ("levels",))


def test_one_alert_has_one_partner():
    """Two short alerts in the place of a long one: the nearer is the moved one, the other is gained."""
    changes = compare([life(0, 400)], [life(2, 60), life(200, 400)])
    assert names(changes) == [("moved", "surge", ("opened_at", "resolved_at")), ("gained", "surge", ())]
    assert changes[0].after.opened_at == after(2)


def test_alerts_far_apart_are_two():
    """Over before the other opened, more than an hour apart: not the same thing moved."""
    assert {change.name for change in compare([life(0, 30)], [life(61, 90)])} == {"lost", "gained"}
    assert {change.name for change in compare([life(0, 30)], [life(59, 90)])} == {"moved"}


def test_the_border_of_the_period_makes_no_change():
    """An alert a minute later on one side is no gain because the period begins between the two."""
    before, other = [life(0, 30), life(500, 530)], [life(1, 30), life(501, 530)]
    assert names(compare(before, other, Period(after(0.5), after(400)))) == [("moved", "surge", ("opened_at",))]


LIVES = st.lists(
    st.builds(
        life,
        st.integers(0, 900),
        st.none() | st.just(2000),
        rule=st.sampled_from("ab"),
        key=st.sampled_from(["x", "y"]),
    ),
    max_size=12,
    unique_by=lambda one: one.alert,
)


@given(LIVES, LIVES)
def test_every_alert_stands_in_one_change(before, other):
    """None is lost from the comparison, none stands in two, and from the other side the names change places."""
    changes = compare(before, other)
    assert sorted(c.before.alert for c in changes if c.before) == sorted(one.alert for one in before)
    assert sorted(c.after.alert for c in changes if c.after) == sorted(one.alert for one in other)
    mirrored = compare(other, before)
    swap = {"gained": "lost", "lost": "gained"}
    assert sorted(swap.get(c.name, c.name) for c in mirrored) == sorted(c.name for c in changes)


def test_a_life_is_folded_from_its_events():
    """Level by level, with the reason of the highest; a reopening does not begin another."""
    log = Log()
    log.rules(after(), rule(when=volume(3, 30), levels={"yellow": {}, "red": {"at_least": 6}}, keep_firing_for=MINUTE))
    log.burst(after(1), 6, every=MINUTE)
    log.burst(after(50), 3, every=timedelta(seconds=10))
    events = run(log.rows)
    lives = Lives()
    lives.take(events)
    (one,) = lives.all()
    assert [level.name for _, level in one.levels] == ["yellow", "red", "yellow"]
    assert one.because == next(event for event in events if event.level is Level.red).because
    assert (one.reopened, one.resolved_at) == (1, events[-1].at)
    assert one.opened_at == events[0].at
    assert lives.all(Period(one.opened_at + MINUTE)) == ()


def _history(days: float) -> History:
    return History(after(), after() + timedelta(days=days), 1, 0, {}, None, (), {})


def _forecast(lives, days, *, weeks=4, mode="live", **budget):
    given = {"total": None, "per_rule": None, **budget}
    return forecast([rule(mode=mode, when=volume(3))], lives, last_weeks(_history(days), weeks), **given)


def _daily(count: int, **more) -> list[Life]:
    return [life(1440 * day + 60, 1440 * day + 90, **more) for day in range(count)]


def test_only_whole_weeks_are_counted_the_last_ones():
    """Seventeen days are two weeks; the three days before them are left out."""
    found = _forecast(_daily(17), 17)
    assert [len(found.weeks.stretches), found.weeks.whole] == [2, True]
    assert (found.total.alerts, found.total.mean, found.total.worst) == (14, 7.0, 7)
    assert found.weeks.stretches[-1].until - found.weeks.stretches[0].since == 2 * WEEK


def test_less_than_a_week_is_not_scaled_up():
    """Three alerts in three days are three, not seven a week."""
    found = _forecast(_daily(3), 3)
    assert not found.weeks.whole
    assert (found.total.alerts, found.total.mean) == (3, 3)


def test_the_worst_week_is_named():
    """With its own stretch."""
    found = _forecast([*_daily(21), *[life(1440 * 10 + n, None, key=f"k{n}") for n in range(5)]], 21)
    (one,) = found.rules
    assert (one.all.worst, one.all.mean) == (12, 26 / 3)
    assert one.all.worst_week.holds(after(1440 * 10))
    assert dict(one.levels)[Level.yellow].alerts == 26


@pytest.mark.parametrize(
    ("budget", "mode", "above"),
    [
        ({"total": 7}, "live", False),
        ({"total": 6}, "live", True),
        ({"per_rule": 7}, "live", False),
        ({"per_rule": 6}, "live", True),
        ({"total": 6, "per_rule": 6}, "shadow", False),
        ({"total": 0}, "off", False),
    ],
)
def test_the_budget_is_of_what_is_sent(budget, mode, above):
    """The mean of the live rules; a rule on trial is told to be over its own, and sends nothing."""
    found = _forecast(_daily(14), 14, mode=mode, **budget)
    assert found.above_budget is above
    assert [one.over for one in found.rules] == ([] if mode == "off" else [budget.get("per_rule", 7) < 7])


def _fold(rows) -> HistoryFold:
    fold = HistoryFold()
    for row in rows:
        fold.take(row)
    return fold


def test_blind_time_is_what_no_good_poll_covers():
    """From the last good poll to the next, where that is longer than the source may be unseen; to the end as well."""
    log = Log()
    log.mention(after())
    for minute in (1, 6, 11):
        log.poll(after(minute))
    log.poll(after(16), ok=False)
    log.poll(after(60))
    log.poll(after(3), "forum", ok=False)
    fold = _fold(sorted(log.rows, key=lambda row: row.at))
    fold.reached(after(70))
    history = fold.done()
    assert history.blind_time(Period(after(), after(70))) == {"microblog": 49 * MINUTE, "forum": 67 * MINUTE}
    assert history.blind_time(Period(after(0), after(31)))["microblog"] == 20 * MINUTE + timedelta(seconds=2)
    assert (history.polled, history.polled_since) == (("forum", "microblog"), after(1))
    assert (history.mentions, history.matched, history.last) == (1, {"acme": 1}, after(70))


def test_nothing_on_record_is_no_history():
    """No row, no figures."""
    assert HistoryFold().done() is None


def test_one_event_of_a_rule_on_trial_marks_the_life():
    """Shadow stays with it."""
    event = AlertEvent(
        "opened",
        "topic",
        after(),
        "a",
        1,
        "r",
        "acme",
        {"topic": "acme"},
        Level.red,
        Because("因", "why"),
        3,
        shadow=True,
    )
    lives = Lives()
    lives.take([event])
    assert lives.all()[0].shadow
