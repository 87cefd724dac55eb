"""What a time interval may say, and what it may not."""

import pytest
from pydantic import ValidationError

from alerts.config import RouteConfig
from alerts.time_intervals import TimeIntervalConfig
from rules.calendar import Calendar


def build(**fields):
    config = TimeIntervalConfig.model_validate({"id": "x", **fields})
    return config.build(timezone="Asia/Shanghai", day_kind=Calendar("Asia/Shanghai", "CN").day_kind)


def span(start: str, end: str) -> dict[str, str]:
    return {"start_time": start, "end_time": end}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"times": [span("22:00", "08:00")]}, "write two times, 22:00 to 24:00 and 00:00 to 08:00"),
        ({"times": [span("08:00", "08:00")]}, "ends before it begins"),
        ({"times": [span("8:00", "09:00")]}, "'8:00' is no time of day"),
        ({"times": [span("08:00", "24:01")]}, "'24:01' is no time of day"),
        ({"times": [{"start_time": "08:00"}]}, "end_time"),
        ({"times": []}, "leave it out"),
        ({"weekdays": ["mon"]}, "'mon' is no weekday: they are monday"),
        ({"weekdays": ["monday:"]}, "'' is no weekday"),
        ({"days_of_month": [0]}, "there is no day 0"),
        ({"days_of_month": ["32"]}, "'32' is no day of the month from -31 to 31"),
        ({"days_of_month": ["-3:3"]}, "the last one must too"),
        ({"days_of_month": ["20:10"]}, "day 10 comes before day 20 in every month"),
        ({"days_of_month": ["5:-30"]}, "comes before"),
        ({"months": ["thermidor"]}, "is no month"),
        ({"months": [13]}, "is no month from 1 to 12"),
        ({"years": ["2028:2026"]}, "2026 comes before 2028"),
        ({"years": ["next"]}, "is no year"),
        ({"days": ["weekend"]}, "'work', 'rest' or 'holiday'"),
        ({"location": "Asia/Atlantis"}, "is no time zone"),
        ({"id": ""}, "at least 1 character"),
        ({"time_zone": "UTC"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, told):
    """Each with the words that mend it."""
    with pytest.raises(ValidationError) as caught:
        build(**fields)
    assert told in str(caught.value)


def test_ranges_are_read_as_alertmanager_reads_them():
    """Names in any case, numbers as numbers or text; a week and a year are circles; touching times are one."""
    one = build(
        weekdays=["Saturday:Monday"], months=["november:february", "7", 8], days_of_month=["1:5", -1, "-31:-30"]
    )
    assert one.weekdays == {5, 6, 0}
    assert one.months == {11, 12, 1, 2, 7, 8}
    assert one.days_of_month == ((1, 5), (-1, -1), (-31, -30))
    assert build(years=[2026, "2028:2030"]).years == ((2026, 2026), (2028, 2030))
    assert build(days=["rest"]).days == {"rest", "holiday"}
    assert build(times=[span("12:00", "24:00"), span("00:00", "12:00")]).times == ()
    assert build(times=[span("01:00", "02:00"), span("02:00", "03:00")]).times == ((60, 180),)
    assert str(build(location="Europe/London").zone) == "Europe/London"
    assert str(build().zone) == "Asia/Shanghai"


@pytest.mark.parametrize(
    "bad",
    [
        {"mute_time_intervals": ["x"]},
        {"active_time_intervals": ["x"]},
        {"quiet": {}},
        {"quiet": {"intervals": ["x"], "except": "crimson"}},
        {"levels": {"crimson": {}}},
        {"levels": {"red": {"receiver": "duty"}}},
        {"levels": {"red": {"group_wait": "0s"}}},
    ],
)
def test_the_root_takes_no_mute_and_a_level_only_a_pace(bad):
    """As in Alertmanager, the root is never muted: it takes what nobody else does."""
    with pytest.raises(ValidationError):
        RouteConfig.model_validate({"receiver": "pr", **bad})
