"""Row 16: clocks that step, days of 23 and 25 hours, a leap day: nothing in a burst, nothing twice, no wait for ever."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Level
from alerts.alive import due
from tests.support.delivery import START, until, world

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ROUTE = {"receiver": "pr", "group_wait": MINUTE, "group_interval": 5 * MINUTE, "repeat_interval": 4 * HOUR}


@pytest.mark.parametrize(
    "start", [START, datetime(2028, 2, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)]
)
async def test_steps_of_an_hour(tmp_path: Path, start: datetime) -> None:
    """An hour ahead while a first message waits, an hour back over a restart while tries wait: each message once."""
    async with world(tmp_path, {"pr": ["hook"]}, route=ROUTE) as one:
        one.now = start
        await one.tell("fire", Level.orange)
        await one.run(one.now + MINUTE / 2)
        assert one.taken == {}
        one.now += HOUR
        await one.run(one.now + 10 * MINUTE)
        assert one.kinds("hook") == ["open"], "the wait is over, and nothing else came with it"
        one.answers["hook"] = until(one.now + 4 * MINUTE)
        await one.tell("fire", Level.red, event="raised", revision=2)
        await one.tell("smoke", Level.red)
        await one.run(one.now + 3 * MINUTE)
        assert len(one.asked["hook"]) > 5, "it is down, and its tries wait"
        taken = len(one.taken["hook"])
        await one.stop()
        one.now -= HOUR
        one.answers.clear()
        back = one.now
        await one.start()
        await one.run(back + 8 * MINUTE)
        assert one.kinds("hook", "fire") == ["open", "update"]
        assert one.kinds("hook", "smoke") == ["open"]
        waited = max(one.at for one in one.taken["hook"][taken:]) - back
        assert waited <= 7 * MINUTE
        await one.tell("smoke", Level.red, event="resolved", revision=2)
        await one.run(one.now + 6 * MINUTE)
        assert one.kinds("hook", "smoke") == ["open", "resolve"], "what was told in the future is no reason to wait"
        print(f"row 16: +1 h and -1 h from {start:%F %R}: each told once, after the step back within {waited}")


FIRST, LAST = (datetime(year, 12, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2011, 2032))
ZONES = [
    "Asia/Shanghai",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Apia",
]


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    at=st.times(min_value=time(0), max_value=time(23, 59)).map(
        lambda one: one.replace(second=0, microsecond=0, fold=0)
    ),
    start=st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
)
def test_each_day_has_one_report(zone: ZoneInfo, at: time, start: datetime) -> None:
    """Whatever the clocks do, each due time is later than the one before by a day, give or take an hour or so."""
    times = [due(start, at, zone)]
    for _ in range(40):
        times.append(due(times[-1], at, zone))
    assert start < times[0] <= start + 2 * DAY
    gaps = [second - first for first, second in pairwise(times)]
    assert min(gaps) >= 22 * HOUR or zone.key == "Pacific/Apia"  # which left out a whole day, 2011-12-30
    assert max(gaps) <= 26 * HOUR
    dates = [one.astimezone(zone).date() for one in times]
    assert len(set(dates)) == len(dates) or zone.key == "Pacific/Apia"


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (
            "Europe/London",
            date(2026, 3, 29),
            time(1, 30),
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        ),  # 01:30 does not exist
        (
            "Europe/London",
            date(2026, 10, 25),
            time(1, 30),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),  # the first of two
        ("Asia/Shanghai", date(2028, 2, 29), time(9), datetime(2028, 2, 29, 1, tzinfo=UTC)),
        ("Asia/Shanghai", date(2028, 12, 31), time(0), datetime(2028, 12, 30, 16, tzinfo=UTC)),
    ],
)
def test_odd_days(zone: str, day: date, at: time, expected: datetime) -> None:
    before = datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)
    assert due(before, at, ZoneInfo(zone)) == expected
    assert due(expected, at, ZoneInfo(zone)) > expected + 22 * HOUR
