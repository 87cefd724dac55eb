"""Rules on trial: evaluated beside the live ones, kept and shown, told to nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from alerts.codec import dump_event, event_line, load_event
from listener.decide import Decider
from listener.metrics import Metrics
from listener.storage import alerting, mentions
from listener.storage.database import Database
from listener.storage.retention import Keep, forget
from listener.storage.status import Shown, StoredStatus
from listener.storage.tables import alert_events, incidents
from rules.rule import Mode
from tests.support.engine_log import START, STEP, Log, after, rule, run, volume

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def surge(mode: Mode, name: str = "surge", at_least: int = 3):
    return rule(id=name, mode=mode, when=volume(at_least), keep_firing_for=5 * MINUTE)


def told(events):
    return [(event.event, event.rule, event.shadow) for event in events]


def burst_then(*rules, at: float = 3) -> Log:
    """One alert opens under the first rule, and while it is open the second holds."""
    log = Log()
    log.rules(START, rules[0])
    log.burst(after(1), 3, every=SECOND)
    log.rules(after(at), *rules[1:])
    return log


def test_a_shadow_changes_nothing_of_the_live_ones():
    """The same rule live and in the shadow tells the same; the live events are as without it."""
    alone, beside = Log(), Log()
    alone.rules(START, surge("live"))
    beside.rules(START, surge("live"), surge("shadow", "trial"), surge("off", "idle"))
    for log in (alone, beside):
        log.burst(after(1), 7, every=SECOND)
    expected, both = run(alone.rows), run(beside.rows)
    live = [event for event in both if not event.shadow]
    shadow = [event for event in both if event.shadow]
    assert live == expected
    assert told(both)[:2] == [("opened", "surge", False), ("opened", "trial", True)]
    assert [(e.event, e.at, e.level, e.because) for e in shadow] == [(e.event, e.at, e.level, e.because) for e in live]
    assert {event.rule for event in both} == {"surge", "trial"}


def test_going_live_pages_for_what_is_so_now():
    """What was open in the shadow ends there; it still holds, so an alert of its own opens, and only that is told."""
    events = run(burst_then(surge("shadow"), surge("live")).rows)
    assert told(events) == [
        ("opened", "surge", True), ("opened", "surge", False), ("resolved", "surge", True), ("resolved", "surge", False),
    ]  # fmt: skip
    trial, live, ended, _ = events
    assert live.at == ended.at == after(3, 15)
    assert (ended.alert, live.revision) == (trial.alert, 1)
    assert live.alert != trial.alert
    assert ended.because.en.startswith("rule_removed: the rule has gone live")


def test_going_live_after_the_wave_pages_nobody():
    """The condition is over, the shadow's alert was still open: it ends silently, and nothing opens."""
    events = run(burst_then(surge("shadow"), surge("live"), at=13).rows)
    assert told(events) == [("opened", "surge", True), ("resolved", "surge", True)]
    assert events[1].because.en.startswith("rule_removed: the rule has gone live")


def test_going_live_waits_out_for_again():
    """``for`` is counted from when it went live."""
    held = {"mode": "live", "when": volume(3), "for_": 2 * MINUTE, "keep_firing_for": MINUTE}
    events = run(burst_then(rule(**{**held, "mode": "shadow"}), rule(**held), at=5).rows)
    assert [(event.event, event.shadow, event.at) for event in events[:3]] == [
        ("opened", True, after(3, 15)), ("resolved", True, after(5, 15)), ("opened", False, after(7, 15)),
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_leaving_live_withdraws_what_is_open(mode):
    """Nobody would tell of its end any more; that it is over is not claimed."""
    events = run(burst_then(surge("live"), surge(mode)).rows)
    live = [event for event in events if not event.shadow]
    assert [event.event for event in live] == ["opened", "resolved"]
    assert live[1].at == after(3, 15)
    assert live[1].because.en.startswith("rule_removed: ")
    assert len(events) == (4 if mode == "shadow" else 2)


def test_the_forms_carry_it():
    """The whole form always, the public line where it is so; events of before there was any are read."""
    (shadow, *_) = run(burst_then(surge("shadow"), surge("shadow")).rows)
    assert load_event(dump_event(shadow)) == shadow
    assert list(event_line(shadow).items())[-1] == ("shadow", True)
    assert "shadow" not in event_line(replace(shadow, shadow=False))
    old = {key: value for key, value in dump_event(shadow).items() if key != "shadow"}
    assert load_event(old) == replace(shadow, shadow=False)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open("sqlite:///here.db", base=tmp_path)
    yield opened
    await opened.close()


async def test_it_is_kept_of_no_incident_and_counted_apart(database):
    """In the database, on the page, in a metric of its own; the flush never hears of it; and it is forgotten in time."""
    log = Log()
    log.rules(START, surge("live", at_least=99), surge("shadow", "trial"))
    log.burst(after(1), 3, every=SECOND)
    for row in log.rows:
        async with database.write("test") as connection:
            await mentions.append(connection, [row], at=row.at)
    metrics = Metrics(CollectorRegistry())
    decider = await Decider.load(database, step=STEP, metrics=metrics, now=after(2))
    await decider.step(after(2))
    assert not decider.told.is_set()
    assert metrics.registry.get_sample_value(
        "listener_shadow_alert_events_total", {"rule": "trial", "event": "opened", "level": "yellow"}
    ) == 1  # fmt: skip
    assert not list(metrics.alert_events.collect())[0].samples
    await decider.snapshot(after(2))
    again = await Decider.load(database, step=STEP, metrics=Metrics(CollectorRegistry()), now=after(2))
    await again.step(after(3))
    status = StoredStatus(database, Shown((), (), ["trial"]), {}, started_at=START, now=lambda: after(3))
    shown = await status.on_trial(since=START)
    assert shown.rules == ("trial",)
    (alert,) = shown.alerts
    assert (alert.opened_at, alert.resolved_at, alert.event.rule) == (after(1, 15), None, "trial")
    assert (await status.on_trial(since=after(2))).alerts == ()
    async with database.read("test") as connection:
        assert (await connection.execute(select(func.count()).select_from(incidents))).scalar_one() == 0
        assert [(event.shadow, event.incident) for event in await alerting.events(connection)] == [(True, "")]
    day = timedelta(days=1)
    await forget(database, Keep(day, day, day), after(2) + day)
    async with database.read("test") as connection:
        assert (await connection.execute(select(func.count()).select_from(alert_events))).scalar_one() == 0
