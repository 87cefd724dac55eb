"""Who is on duty: hand-overs by the clock on the wall, overrides, gaps."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.duty import Override, Schedule, called_by, hand_overs, on_duty

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


def naive(*parts) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - a local time


def at(zone, *parts) -> datetime:
    return datetime(*parts, tzinfo=zone).astimezone(UTC)


WEEKLY = Schedule("a", BERLIN, naive(2026, 3, 16, 9), 7 * DAY, ("xu", "li"))


def test_a_hand_over_stays_at_its_hour_when_the_clocks_change():
    """Weekly at 09:00, over the night of 29 March in which Berlin loses an hour."""
    found = list(islice(hand_overs(WEEKLY, at(BERLIN, 2026, 3, 16, 8)), 4))
    assert found == [
        (at(BERLIN, 2026, 3, 16, 9), "xu"),
        (at(BERLIN, 2026, 3, 23, 9), "li"),
        (at(BERLIN, 2026, 3, 30, 9), "xu"),
        (at(BERLIN, 2026, 4, 6, 9), "li"),
    ]
    assert found[2][0] - found[1][0] == 7 * DAY - HOUR


def test_an_override_is_on_for_its_time_alone():
    """It begins and ends between hand-overs, or on one; then the rotation goes on as if nothing had been."""
    away = Override(at(BERLIN, 2026, 3, 18, 0), at(BERLIN, 2026, 3, 23, 9), "wang")
    schedule = Schedule("a", BERLIN, WEEKLY.start, WEEKLY.every, WEEKLY.receivers, (away,))
    assert list(islice(hand_overs(schedule, at(BERLIN, 2026, 3, 16, 9)), 3)) == [
        (at(BERLIN, 2026, 3, 18, 0), "wang"),
        (at(BERLIN, 2026, 3, 23, 9), "li"),
        (at(BERLIN, 2026, 3, 30, 9), "xu"),
    ]
    assert on_duty(schedule, at(BERLIN, 2026, 3, 17, 23)) == "xu"


def test_before_the_first_hand_over_everybody_is_called():
    """Nobody is on duty then, but a call reaches all of the rotation, and an override still holds."""
    early = at(BERLIN, 2026, 3, 1, 0)
    assert on_duty(WEEKLY, early) is None
    assert called_by(WEEKLY, early) == ("xu", "li")
    one = Override(early, early + HOUR, "wang")
    assert called_by(Schedule("a", BERLIN, WEEKLY.start, WEEKLY.every, WEEKLY.receivers, (one,)), early) == ("wang",)


def test_one_alone_has_no_hand_over():
    """The list ends where nobody else ever comes on duty."""
    alone = Schedule("a", SHANGHAI, naive(2026, 3, 2, 9), DAY, ("xu",))
    assert list(hand_overs(alone, at(SHANGHAI, 2026, 3, 3, 0))) == []
    away = Override(at(SHANGHAI, 2026, 5, 1, 9), at(SHANGHAI, 2026, 5, 4, 12), "li")
    told = list(hand_overs(Schedule("a", SHANGHAI, alone.start, DAY, ("xu",), (away,)), at(SHANGHAI, 2026, 3, 1, 0)))
    assert [who for _, who in told] == ["xu", "li", "xu"]


ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")]
)


@st.composite
def schedules(draw):
    return Schedule(
        "a",
        draw(ZONES),
        draw(st.datetimes(naive(2026, 1, 1), naive(2026, 12, 1))),
        draw(st.sampled_from([HOUR, 8 * HOUR, 12 * HOUR, DAY, 7 * DAY, timedelta(hours=25, minutes=7)])),
        tuple(draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4))),
    )


TIMES = st.datetimes(naive(2026, 1, 1), naive(2027, 3, 1), timezones=st.just(UTC))


@given(schedules(), TIMES)
def test_exactly_one_shift_holds_at_each_time(schedule, moment):
    """A time lies in the shift that has begun and whose next has not; its hand-over shows the wall's time, if it has one."""
    number = schedule.shift(moment)
    assert schedule.hand_over(number) <= moment < schedule.hand_over(number + 1)
    wall = schedule.start + number * schedule.every
    shown = schedule.hand_over(number).astimezone(schedule.zone).replace(tzinfo=None)
    assert timedelta(0) <= shown - wall <= HOUR  # later only where the clock jumps over it
    expected = None if number < 0 else schedule.receivers[number % len(schedule.receivers)]
    assert on_duty(schedule, moment) == expected


@given(schedules(), TIMES, st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=3))
def test_the_list_of_hand_overs_tells_who_is_on_duty(schedule, moment, leaves):
    """Between two of them it is always the one that the first named: looked at hour by hour."""
    overrides, edge = [], moment
    for gap, length in leaves:
        start = edge + gap * HOUR
        edge = start + length * HOUR
        overrides.append(Override(start, edge, "z"))
    schedule = Schedule("a", schedule.zone, schedule.start, schedule.every, schedule.receivers, tuple(overrides))
    told = list(islice(hand_overs(schedule, moment), 30))
    end = told[-1][0] if len(told) == 30 else moment + 5 * DAY
    who, waiting = on_duty(schedule, moment), list(told)
    probe = moment
    while probe < min(end, moment + 5 * DAY):
        while waiting and waiting[0][0] <= probe:
            assert waiting[0][1] != who
            who = waiting.pop(0)[1]
        assert on_duty(schedule, probe) == who
        probe += HOUR


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_the_hour_that_comes_twice_has_one_hand_over(minute):
    """A hand-over within the repeated hour of 25 October comes once, at the first time the clock shows it."""
    schedule = Schedule("a", BERLIN, naive(2026, 10, 1, 2, minute), DAY, ("xu", "li"))
    night = [when for when, _ in islice(hand_overs(schedule, at(BERLIN, 2026, 10, 24, 12)), 3)]
    assert [when.astimezone(BERLIN).strftime("%d %H:%M") for when in night] == [
        f"{d} 02:{minute:02}" for d in (25, 26, 27)
    ]
    assert night[1] - night[0] == 25 * HOUR
