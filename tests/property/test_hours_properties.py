"""Time intervals against a reading of their own, minute by minute, about clock changes, leap days and the turn of the year."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.hours import HORIZON, closes_at, holding, opens_at
from alerts.time_intervals import TimeIntervalConfig
from rules.calendar import Calendar
from tests.support.examples import examples

MINUTE = timedelta(minutes=1)
SCANNED = timedelta(days=3)
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CALENDAR = Calendar("Asia/Shanghai", "CN")

# A day or two before: clocks that go on and back by an hour or half of one, at midnight too; a day that was left out; the
# leap day; the turn of a year; the Spring Festival with its make-up days.
MOMENTS = {
    "Europe/London": [(2026, 3, 28), (2026, 10, 24), (2024, 2, 28)],
    "America/New_York": [(2026, 3, 7), (2026, 10, 31)],
    "Australia/Lord_Howe": [(2026, 4, 4), (2026, 10, 3)],
    "America/Sao_Paulo": [(2018, 2, 17), (2018, 11, 3)],
    "Asia/Beirut": [(2026, 3, 28), (2026, 10, 24)],
    "Pacific/Apia": [(2011, 12, 29)],
    "Asia/Kathmandu": [(2025, 12, 31)],
    "Asia/Shanghai": [(2024, 2, 28), (2025, 2, 27), (2026, 12, 30), (2026, 2, 12), (2026, 2, 27)],
    "UTC": [(2100, 2, 27), (2000, 2, 28)],
}


def ranges(values):
    return st.lists(
        st.tuples(values, values).map(sorted).map(lambda ends: f"{ends[0]}:{ends[1]}"), min_size=1, max_size=2
    )


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


times = st.lists(
    st.lists(st.sampled_from([0, 1, 30, 60, 90, 120, 121, 150, 180, 480, 1380, 1410, 1439, 1440]), min_size=2, max_size=2, unique=True)
    .map(sorted).map(lambda ends: {"start_time": clock(ends[0]), "end_time": clock(ends[1])}),
    min_size=1, max_size=2,
)  # fmt: skip
days_of_month = st.lists(
    st.sampled_from(["1", "-1", "28:31", "29", "31", "-3:-1", "-31:-28", "1:-1", "15:-2", "30:-1"]),
    min_size=1,
    max_size=2,
)
weekdays = st.lists(
    st.tuples(st.sampled_from(WEEK), st.sampled_from(WEEK)).map(":".join) | st.sampled_from(WEEK),
    min_size=1,
    max_size=2,
)
intervals = st.fixed_dictionaries({"times": times}) | st.fixed_dictionaries(
    {},
    optional={
        "times": times, "weekdays": weekdays, "days_of_month": days_of_month,
        "months": ranges(st.integers(1, 12)), "years": ranges(st.integers(2010, 2101)),
        "days": st.lists(st.sampled_from(["work", "rest", "holiday"]), min_size=1, max_size=2),
    },
)  # fmt: skip


def within(value, shown, *, names=None, length=None):
    """A range of numbers or names, by walking from its first to its last; negative ones from *length*."""
    first, _, last = str(value).partition(":")
    if names is not None:
        at, end = names.index(first), names.index(last or first)
        while at != end and names[at] != shown:
            at = (at + 1) % len(names)
        return names[at] == shown
    ends = [int(first), int(last or first)]
    if length is not None:
        ends = [end if end > 0 else length + 1 + end for end in ends]
    return ends[0] <= shown <= ends[1]


def read(written, zone, at):
    """Whether an interval, as it was written, holds: the wall clock is looked at and each field compared."""
    local = at.astimezone(zone)
    kind = CALENDAR.day_kind(local.date())
    length = monthrange(local.year, local.month)[1]
    tests = {
        "times": lambda one: one["start_time"] <= f"{local:%H:%M}" < one["end_time"],
        "weekdays": lambda one: within(one, WEEK[local.weekday()], names=WEEK),
        "days_of_month": lambda one: within(one, local.day, length=length),
        "months": lambda one: within(one, local.month),
        "years": lambda one: within(one, local.year),
        "days": lambda one: one == kind or (one == "rest" and kind == "holiday"),
    }
    return all(any(tests[name](one) for one in values) for name, values in written.items())


@st.composite
def situations(draw):
    zone = draw(st.sampled_from(sorted(MOMENTS)))
    begin = datetime(*draw(st.sampled_from(MOMENTS[zone])), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    now = (
        begin
        + draw(st.sampled_from([0, 12, 24, 30])) * timedelta(hours=1)
        + timedelta(seconds=draw(st.integers(0, 9000)))
    )
    return draw(st.lists(intervals, min_size=1, max_size=2)), zone, now


@examples(100)
@given(situations())
def test_beginnings_and_ends_are_where_the_clock_shows_them(situation):
    """What opens_at and closes_at say is the first minute at which a minute-by-minute reading changes."""
    written, zone, now = situation
    built = [
        TimeIntervalConfig.model_validate({"id": "x", **one}).build(timezone=zone, day_kind=CALENDAR.day_kind)
        for one in written
    ]
    found = {True: opens_at(built, now), False: closes_at(built, now)}
    where = ZoneInfo(zone)
    expected = {}
    at = now
    while at < now + SCANNED and len(expected) < 2:
        holds = any(read(one, where, at) for one in written)
        assert holds == (holding(built, at) is not None)
        expected.setdefault(holds, at)
        at = at.replace(second=0, microsecond=0) + MINUTE
    for holds in (True, False):
        if holds in expected:
            assert found[holds] == expected[holds]
        else:
            assert found[holds] is None or now + SCANNED <= found[holds] <= now + HORIZON + timedelta(days=1)


def at(zone, *when, fold=0):
    return datetime(*when, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


LONDON, APIA, BEIRUT = "Europe/London", "Pacific/Apia", "Asia/Beirut"


@pytest.mark.parametrize(
    ("zone", "start", "end", "now", "opens", "closes"),
    [
        # 01:00 to 02:00 is left out: what ends or begins within it does so at the change, what lies within it never holds
        (LONDON, "00:00", "01:30", (2026, 3, 29, 0, 30), None, (2026, 3, 29, 2, 0)),
        (LONDON, "01:30", "05:00", (2026, 3, 29, 0, 30), (2026, 3, 29, 2, 0), None),
        (LONDON, "01:10", "01:50", (2026, 3, 29, 0, 30), (2026, 3, 30, 1, 10), None),
        # 01:00 to 02:00 comes twice
        (LONDON, "01:30", "01:45", (2026, 10, 25, 1, 50), (2026, 10, 25, 1, 30, 1), None),
        (LONDON, "00:00", "01:30", (2026, 10, 25, 1, 40), (2026, 10, 25, 1, 0, 1), None),
        (LONDON, "01:15", "03:00", (2026, 10, 25, 1, 20), None, (2026, 10, 25, 1, 0, 1)),
        # a day without its midnight
        (BEIRUT, "00:30", "06:00", (2026, 3, 28, 12, 0), (2026, 3, 29, 1, 0), None),
        # a day that was left out whole
        (APIA, "00:00", "12:00", (2011, 12, 29, 13, 0), (2011, 12, 31, 0, 0), None),
    ],
)
def test_clock_changes(zone, start, end, now, opens, closes):
    """To the second: what the clock leaves out never holds, what it shows twice holds twice."""
    one = TimeIntervalConfig.model_validate({"id": "x", "times": [{"start_time": start, "end_time": end}]})
    built = [one.build(timezone=zone, day_kind=CALENDAR.day_kind)]
    start_at = at(zone, *now)
    for found, expected in ((opens_at(built, start_at), opens), (closes_at(built, start_at), closes)):
        assert found == (start_at if expected is None else at(zone, *expected[:5], fold=len(expected) > 5))


def test_the_leap_day_is_found_years_ahead_or_said_not_to_be_near():
    """Only what lies within the horizon is answered; the day itself is exact."""
    leap = TimeIntervalConfig(id="leap", days_of_month=["29"], months=["february"]).build(
        timezone="Asia/Shanghai", day_kind=CALENDAR.day_kind
    )
    shanghai = ZoneInfo("Asia/Shanghai")
    assert opens_at([leap], datetime(2026, 3, 1, tzinfo=shanghai)) is None
    assert opens_at([leap], datetime(2027, 3, 1, tzinfo=shanghai)) == datetime(2028, 2, 29, tzinfo=shanghai)
    assert closes_at([leap], datetime(2028, 2, 29, 12, tzinfo=shanghai)) == datetime(2028, 3, 1, tzinfo=shanghai)


def test_kinds_of_day_are_the_state_councils():
    """A worked Saturday, a Sunday off, a holiday in the week, and its weekend."""
    kinds = {day: CALENDAR.day_kind(date(2026, 2, day)) for day in (7, 8, 14, 15, 17, 24)}
    assert kinds == {7: "rest", 8: "rest", 14: "work", 15: "holiday", 17: "holiday", 24: "work"}
    assert Calendar("Asia/Shanghai", "none").day_kind(date(2026, 2, 17)) == "work"
    assert Calendar("Asia/Shanghai", "CN").day_kind(date(2990, 1, 4)) in {"rest", "work"}
