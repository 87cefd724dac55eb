"""The hours in which a source could not be seen: known while it lasts, remembered when it is over."""

from datetime import timedelta

import pytest

from rules.engine import Engine
from rules.panes import minute_of
from rules.replay import Driver
from tests.support.engine_log import START, STEP, Log, after, rule

HOUR = 60
FIRST = minute_of(START)


def seen(*down: range, until: int = 12 * HOUR) -> Driver:
    """Polls every five minutes from START on, failing in these minutes."""
    log = Log()
    log.rules(START, rule(when={"type": "baseline"}))
    for minute in range(0, until, 5):
        log.poll(after(minute, 1), ok=not any(minute in one for one in down))
    driver = Driver(Engine(STEP))
    for row in log.rows:
        driver.feed(row)
    return driver


def dark_hours(driver: Driver, until: int) -> list[int]:
    """By hours from START, which of them count as not seen at minute *until*."""
    dark = driver.engine.marks.darkness(after(until))
    return [hour for hour in range(until // HOUR) if dark(FIRST + hour * HOUR, FIRST + (hour + 1) * HOUR)]


def test_an_outage_that_is_over_is_remembered() -> None:
    """Three hours without a good poll are dark, with the hour in which the last good one began."""
    driver = seen(range(3 * HOUR, 6 * HOUR))
    assert dark_hours(driver, 12 * HOUR) == [2, 3, 4, 5]
    again = Engine.restore(driver.engine.snapshot())
    assert list(again.marks.dark_hours) == list(driver.engine.marks.dark_hours)


def test_a_short_gap_is_no_darkness() -> None:
    """Ten minutes without a poll are less than a source may be away."""
    assert dark_hours(seen(range(3 * HOUR, 3 * HOUR + 10)), 12 * HOUR) == []


def test_what_is_blind_now_is_dark_since_it_was_seen_last() -> None:
    """While it lasts too: no hour after the last good poll can be learnt from."""
    driver = seen(range(9 * HOUR, 12 * HOUR))
    assert dark_hours(driver, 12 * HOUR) == [8, 9, 10, 11]


@pytest.mark.parametrize("down", [True, False])
def test_an_outage_does_not_make_silence_usual(down: bool) -> None:
    """Two days in which nothing came: where the source was down, as much is expected after them as before."""
    log, day = Log(), 24 * HOUR
    log.rules(START, rule(where=None, when={"type": "baseline", "window": timedelta(hours=1)}))
    for minute in range(0, 9 * day, 5):
        out = 6 * day <= minute < 8 * day
        log.poll(after(minute, 1), ok=not (down and out))
        if not out:
            log.mention(after(minute, 2), author=f"u{minute % 70}")
    driver = Driver(Engine(timedelta(minutes=1)))
    for row in log.rows:
        driver.feed(row)
    driver.advance(after(9 * day))
    running = driver.engine.running["surge"]
    expected = running._read(running.keys[("acme",)], after(9 * day)).read.reading.expected
    assert expected is not None
    assert (expected == pytest.approx(12, rel=0.1)) is down
