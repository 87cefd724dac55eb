"""The decision whether a receiver is told now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import Incident, Level
from alerts.flush import Decision, Told, decide
from alerts.route import Leg
from alerts.sample import sample_notification

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WAIT, INTERVAL, REPEAT = timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=4)
LEG = Leg("pr", WAIT, INTERVAL, REPEAT)
SECOND = timedelta(seconds=1)


def incident(revision=1, level=Level.yellow, *, resolved_at=None) -> Incident:
    one = sample_notification(T0, "zh", level=level).incident
    lead = one.lead if resolved_at is None else replace(one.lead, event="resolved", at=resolved_at)
    return replace(one, revision=revision, turn=revision, alerts=(lead,), updated_at=lead.at)


def told(kind="open", revision=1, level=Level.yellow, at=T0) -> Told:
    return Told(revision, level, kind, at)


@pytest.mark.parametrize(
    ("what", "told_before", "at", "expected"),
    [
        (incident(), None, T0, Decision(None, "group_wait", T0 + WAIT)),
        (incident(), None, T0 + WAIT - SECOND, Decision(None, "group_wait", T0 + WAIT)),
        (incident(), None, T0 + WAIT, Decision("open", "first", T0 + WAIT + REPEAT)),
        (incident(3), None, T0 + 2 * INTERVAL, Decision("open", "first", T0 + 2 * INTERVAL + REPEAT)),
        (incident(2, resolved_at=T0 + 9 * SECOND), None, T0 + WAIT, Decision(None, "resolved_before_wait", None)),
        (incident(2, resolved_at=T0 + WAIT - SECOND), None, T0 + REPEAT, Decision(None, "resolved_before_wait", None)),
        (incident(2, resolved_at=T0 + WAIT), None, T0 + REPEAT, Decision("open", "first", T0 + REPEAT + INTERVAL)),
        (incident(), told(), T0 + INTERVAL, Decision(None, "nothing_new", T0 + REPEAT)),
        (incident(), told(), T0 + REPEAT - SECOND, Decision(None, "nothing_new", T0 + REPEAT)),
        (incident(), told(), T0 + REPEAT, Decision("repeat", "repeat_interval", T0 + 2 * REPEAT)),
        (incident(2), told(), T0 + SECOND, Decision(None, "group_interval", T0 + INTERVAL)),
        (incident(2), told(), T0 + INTERVAL, Decision("update", "news", T0 + INTERVAL + REPEAT)),
        (incident(2, Level.blue), told(), T0 + INTERVAL, Decision("update", "level_fell", T0 + INTERVAL + REPEAT)),
        (incident(2, Level.blue), told(), T0 + SECOND, Decision(None, "group_interval", T0 + INTERVAL)),
        (incident(2, Level.red), told(), T0 + SECOND, Decision("update", "level_rose", T0 + SECOND + REPEAT)),
        (incident(2, resolved_at=T0 + SECOND), told(), T0 + SECOND, Decision(None, "group_interval", T0 + INTERVAL)),
        (incident(2, resolved_at=T0 + SECOND), told(), T0 + INTERVAL, Decision("resolve", "resolved", None)),
        (incident(2, resolved_at=T0), told("resolve", 2), T0 + REPEAT, Decision(None, "closed", None)),
        (incident(3), told("resolve", 2), T0 + SECOND, Decision(None, "group_interval", T0 + INTERVAL)),
        (incident(3), told("resolve", 2), T0 + INTERVAL, Decision("open", "reopened", T0 + INTERVAL + REPEAT)),
        (incident(3, Level.red), told("resolve", 2), T0 + SECOND, Decision(None, "group_wait", T0 + WAIT)),
        (incident(3, Level.red), told("resolve", 2), T0 + WAIT, Decision("open", "reopened", T0 + WAIT + REPEAT)),
        (incident(4, resolved_at=T0 + SECOND), told("resolve", 2), T0 + INTERVAL, Decision(None, "resolved_before_wait", None)),
    ],
)  # fmt: skip
def test_decisions(what, told_before, at, expected):
    """Each situation has one answer, with its reason and the time to look again."""
    assert expected == decide(what, told_before, LEG, first_at=T0, now=at)


def test_no_wait_tells_at_once():
    """A leg without group_wait tells in the moment the incident opens."""
    leg = replace(LEG, group_wait=timedelta(0))
    assert decide(incident(), None, leg, first_at=T0, now=T0).kind == "open"


def test_reopened_waits_from_when_it_reopened():
    """After an end, group_wait counts from the new beginning, not from the first one."""
    reopened = T0 + timedelta(hours=1)
    again = replace(incident(3), since=reopened)
    decision = decide(again, told("resolve", 2), LEG, first_at=T0, now=reopened + 10 * SECOND)
    assert Decision(None, "group_wait", reopened + WAIT) == decision


def test_a_wave_that_ends_before_it_is_due_is_not_told():
    """What opens again right after its end was told, and ends before more may be said, was nothing."""
    wave = replace(incident(4, resolved_at=T0 + 61 * SECOND), since=T0 + 41 * SECOND)
    for at in (T0 + 61 * SECOND, T0 + INTERVAL, T0 + REPEAT):
        decision = decide(wave, told("resolve", 2), LEG, first_at=T0, now=at)
        assert decision == Decision(None, "resolved_before_wait", None)


def test_merging_what_is_over_opens_nothing():
    """An incident whose end was told takes in another that has ended since: there is nothing to hear of."""
    both = replace(incident(3, resolved_at=T0 + REPEAT), over_at=T0 - SECOND)
    decision = decide(both, told("resolve", 2), LEG, first_at=T0 - REPEAT, now=T0 + REPEAT)
    assert decision == Decision(None, "closed", None)


def test_repeat_is_never_faster_than_the_interval():
    """A repeat_interval below group_interval does not undercut it."""
    leg = replace(LEG, repeat_interval=SECOND)
    assert Decision(None, "nothing_new", T0 + INTERVAL) == decide(incident(), told(), leg, first_at=T0, now=T0 + SECOND)
