"""What a series leads to expect: hours, weekdays, holidays, levels, and how rare a count is."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from rules.calendar import Calendar
from rules.normal import Normal, overdispersed, overdispersed_below, poisson
from rules.panes import minute_of

CN = Calendar("Asia/Shanghai", "CN")
HOUR = 60


def at(text: str) -> int:
    """A local time in Shanghai, in minutes since 1970."""
    return minute_of(datetime.fromisoformat(f"{text}+08:00").astimezone(UTC))


def learnt(begin: str, hours: int, count: "object", calendar: Calendar = CN) -> Normal:
    """Hourly bins from *begin* on: count(local time) each, in windows of one."""
    normal, start = Normal(HOUR, 1, calendar), at(begin)
    local = datetime.fromisoformat(begin)
    for number in range(hours):
        value = count(local + timedelta(hours=number))  # type: ignore[operator]
        normal.learn(start + (number + 1) * HOUR, [value])
    return normal


def office(local: datetime) -> int:
    """Twenty an hour from nine to five on Mondays to Fridays, two at other times."""
    return 20 if local.weekday() < 5 and 9 <= local.hour < 17 else 2


def season(normal: Normal, text: str) -> float:
    """What the hour from *text* on leads to expect."""
    return normal.expected(at(text) + HOUR, HOUR, 0).season


def test_the_hour_and_the_weekday_are_learnt() -> None:
    """After four weeks a Wednesday noon leads to expect what Wednesday noons had, a night and a Sunday few."""
    normal = learnt("2026-03-02T00:00", 28 * 24, office)
    assert normal.baseline == "weekly"
    assert season(normal, "2026-04-01T12:00") == pytest.approx(20, rel=0.2)
    assert season(normal, "2026-04-01T03:00") == pytest.approx(2, rel=0.3)
    assert season(normal, "2026-04-05T12:00") < 10


def test_one_week_is_shrunk_towards_days_of_its_kind() -> None:
    """A Monday noon that was seen once leans on the other work days' noons."""
    normal = learnt("2026-03-02T00:00", 7 * 24, lambda local: 60 if local.weekday() == 0 and local.hour == 12 else 10)
    assert 15 < season(normal, "2026-03-09T12:00") < 45
    assert 10 < season(normal, "2026-03-10T12:00") < 20


def test_a_holiday_is_a_day_of_rest_and_a_make_up_day_a_work_day() -> None:
    """Friday 1 May 2026 is expected to be quiet, Saturday 9 May, which is worked, to be busy; without a calendar the reverse."""
    hours = 8 * 7 * 24
    normal, plain = (
        learnt("2026-03-02T00:00", hours, office, Calendar("Asia/Shanghai", work)) for work in ("CN", "none")
    )
    assert season(normal, "2026-05-01T12:00") < 8
    assert season(plain, "2026-05-01T12:00") > 15
    assert season(normal, "2026-05-09T12:00") > 15
    assert season(plain, "2026-05-09T12:00") < 8


def test_a_new_level_becomes_usual() -> None:
    """What has tripled is expected to be so after some weeks, and lately after a few days."""
    normal = learnt("2026-03-02T00:00", 8 * 7 * 24, lambda local: 30 if local.month > 3 else 10)
    soon = learnt("2026-03-02T00:00", 34 * 24, lambda local: 30 if local.month > 3 else 10)
    assert season(normal, "2026-04-28T12:00") == pytest.approx(30, rel=0.25)
    assert soon.expected(at("2026-04-05T00:00"), HOUR, 0).lately > 20
    assert soon.expected(at("2026-04-05T00:00"), HOUR, 30).surprise < 2


def test_labels_of_how_much_is_known() -> None:
    """None, cold for three days, daily for two weeks, then weekly."""
    normal = Normal(HOUR, 1, CN)
    seen = {}
    for number in range(15 * 24):
        seen[number] = normal.baseline
        normal.learn((number + 1) * HOUR, [1])
    assert (seen[0], seen[1], seen[71], seen[72], seen[335], seen[336]) == (
        "none", "cold", "cold", "daily", "daily", "weekly",
    )  # fmt: skip


@pytest.mark.parametrize("window", [HOUR, 6 * HOUR])
def test_the_first_mention_is_a_surprise_that_grows_with_what_was_seen(window: int) -> None:
    """After hours of nothing but zeros one mention is as rare as so many hours can tell, and five are more so."""
    first = []
    for hours in (6, 24, 168, 1344, 8 * 1344):
        normal, end = Normal(HOUR, window // HOUR, CN), hours * HOUR
        for number in range(hours):
            normal.learn((number + 1) * HOUR, [0] * (window // HOUR))
        one, five = (normal.expected(end + window, window, count) for count in (1, 5))
        assert (one.season, one.lately) == (0, 0)
        assert one.surprise < five.surprise < math.inf
        assert one.surprise <= math.log10(2 * hours * HOUR / window + 1)
        first.append(one.surprise)
    assert first == sorted(first)
    assert first[1] < 1.8
    assert 1 < first[3] - first[1] < 2
    assert first[4] - first[3] < 0.2  # What is older than eight weeks hardly counts any more.


def test_nothing_is_expected_of_nothing() -> None:
    """Before the first bin there is neither a usual count nor a surprise."""
    usual = Normal(HOUR, 1, CN).expected(1000, HOUR, 50)
    assert (usual.season, usual.lately, usual.surprise, usual.baseline) == (0, 0, 0, "none")


counts = st.lists(st.integers(0, 40), min_size=30, max_size=120)


def taught(values: list[int]) -> Normal:
    normal = Normal(HOUR, 2, CN)
    for number, value in enumerate(values):
        before = values[number - 1] if number else 0
        normal.learn((number + 1) * HOUR, [before, value])
    return normal


@given(counts)
@settings(max_examples=40, deadline=None)
def test_more_is_never_less_surprising(values: list[int]) -> None:
    """Surprise rises with the count, is nothing at what is usual or below by Poisson, and never above Poisson's."""
    normal, now = taught(values), (len(values) + 1) * HOUR
    read = [normal.expected(now, 2 * HOUR, count) for count in range(0, 200, 3)]
    surprises = [one.surprise for one in read]
    assert surprises == sorted(surprises)
    for one in read:
        assert 0 <= one.surprise <= poisson(one.count, one.usual)


@given(counts, st.integers(0, 100), st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_what_could_not_be_seen_lowers_nothing(values: list[int], count: int, asked: int) -> None:
    """A dark bin leads to expect as much as one that was seen to have as many, or more."""
    normal, dark = taught(values), taught(values)
    end = (len(values) + 1) * HOUR
    dark.learn(end, [values[-1], count], dark=True)
    after = dark.expected(end + HOUR, HOUR, asked)
    normal.learn(end, [values[-1], count])
    seen = normal.expected(end + HOUR, HOUR, asked)
    assert after.season >= seen.season - 1e-9
    assert after.lately >= seen.lately - 1e-9


def test_a_night_without_sight_is_no_quiet_night() -> None:
    """Ten dark hours of nothing leave what is expected about as it was; seen, they would have halved it."""
    dark, seen = (learnt("2026-03-02T00:00", 7 * 24, lambda _local: 20) for _ in range(2))
    begin = at("2026-03-09T00:00")
    for number in range(10):
        dark.learn(begin + (number + 1) * HOUR, [0], dark=True)
        seen.learn(begin + (number + 1) * HOUR, [0])
    assert season(dark, "2026-03-10T05:00") == pytest.approx(20, rel=0.05)
    assert season(seen, "2026-03-10T05:00") < 19
    assert dark.lately == pytest.approx(20, rel=0.05)


def test_dark_hours_lower_no_pool() -> None:
    """Six Monday noons in a row that nobody saw: the hour is expected to be as busy as before, and the others too."""

    def monday(local: datetime) -> int:
        return 60 if local.weekday() == 0 and local.hour == 12 else 10

    normal = learnt("2026-03-02T00:00", 6 * 7 * 24, monday)
    other = learnt("2026-03-02T00:00", 6 * 7 * 24, monday)
    start, local = at("2026-04-13T00:00"), datetime.fromisoformat("2026-04-13T00:00")
    before = season(normal, "2026-04-13T12:00")
    for number in range(6 * 7 * 24):
        count = monday(local + timedelta(hours=number))
        for one in (normal, other):
            unseen = one is normal and count == 60
            one.learn(start + (number + 1) * HOUR, [0 if unseen else count], dark=unseen)
    after = [season(normal, f"2026-05-{day}T12:00") for day in (25, 26)]
    seen = season(other, "2026-05-25T12:00")
    assert after[0] > 0.97 * before
    assert after[0] > 0.9 * seen
    assert after[1] >= season(other, "2026-05-26T12:00") - 0.5


def test_a_crisis_does_not_become_what_is_usual() -> None:
    """Eight hours of a hundred times as many, in four weeks of five an hour: the next one is as good as never seen."""
    normal = Normal(HOUR, 1, CN)
    values = [4, 5, 6, 5] * 168
    values[400:408] = [500] * 8
    for number, value in enumerate(values):
        normal.learn((number + 1) * HOUR, [value])
    after = normal.expected((len(values) + 1) * HOUR, HOUR, 500)
    assert after.season < 25
    assert after.surprise > 5


@given(counts, st.lists(st.integers(0, 40), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_what_is_loaded_goes_on_alike(values: list[int], more: list[int]) -> None:
    """A dump, loaded, learns and expects the same to the last bit, and dumps the same."""
    normal, loaded = taught(values), Normal(HOUR, 2, CN)
    loaded.load(normal.dump())
    assert loaded.dump() == normal.dump()
    for number, value in enumerate(more, start=len(values) + 1):
        now = number * HOUR
        assert loaded.expected(now, 2 * HOUR, value) == normal.expected(now, 2 * HOUR, value)
        for one in (normal, loaded):
            one.learn(now, [value, value])
    assert loaded.dump() == normal.dump()


def test_years_of_bins_stay_within_floats() -> None:
    """Weights grow as older ones fade; over six years they are scaled down, and what is expected is as before."""
    normal = Normal(HOUR, 1, CN)
    for number in range(6 * 365 * 24):
        normal.learn((number + 1) * HOUR, [5])
    usual = normal.expected((6 * 365 * 24 + 1) * HOUR, HOUR, 5)
    assert usual.season == pytest.approx(5, rel=1e-3)
    assert normal.gain < 1e9
    assert usual.surprise < 1


@pytest.mark.parametrize("state", [b"", b"abc", bytes(8 * 7)])
def test_what_is_no_dump_is_refused(state: bytes) -> None:
    """Bytes of another length are a ValueError."""
    with pytest.raises(ValueError, match=r"baseline|multiple"):
        Normal(HOUR, 1, CN).load(state)


@given(st.integers(1, 400), st.floats(0.01, 200))
@settings(max_examples=300, deadline=None)
def test_poisson_tail(count: int, mean: float) -> None:
    """A bound of the tail from above, and close: within a factor of three of scipy's where there is a tail."""
    if count <= mean:
        assert poisson(count, mean) == 0
        return
    exact = -stats.poisson.logsf(count - 1, mean) / math.log(10)
    assume(exact < 250)  # Past that scipy's own figure runs out of floats.
    assert poisson(count, mean) <= exact + 1e-9
    if count > mean + 2 * math.sqrt(mean):
        assert poisson(count, mean) >= exact - math.log10(3)


@given(st.integers(1, 400), st.floats(0.05, 100), st.sampled_from([0.1, 0.3, 1.0]))
@settings(max_examples=300, deadline=None)
def test_overdispersed_tail(count: int, mean: float, dispersion: float) -> None:
    """The same of the negative binomial with variance mean + dispersion * mean ** 2."""
    if count <= mean:
        assert overdispersed(count, mean, dispersion) == 0
        return
    size = 1 / dispersion
    exact = -stats.nbinom.logsf(count - 1, size, size / (size + mean)) / math.log(10)
    assume(exact < 250)
    got = overdispersed(count, mean, dispersion)
    assert got <= exact + 1e-6
    if count > mean + 3 * math.sqrt(mean + dispersion * mean * mean):
        assert got >= exact - math.log10(4)


@given(st.integers(0, 60), st.floats(0.05, 100))
@settings(max_examples=200, deadline=None)
def test_few_are_as_rare_as_the_distribution_says(count: int, mean: float) -> None:
    """The lower tail is scipy's."""
    size = 1 / 0.3
    exact = -stats.nbinom.logcdf(count, size, size / (size + mean)) / math.log(10)
    assert overdispersed_below(count, mean) == pytest.approx(exact, abs=1e-6)
