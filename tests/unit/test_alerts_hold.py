"""Hours of a route: what waits, what goes at once, and what is not told."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import AlertEvent, Because, Level
from alerts.config import RouteConfig
from alerts.flush import Told, decide
from alerts.hold import Held
from alerts.incident import Incident, Incidents
from alerts.rehearse import rehearse
from alerts.route import Route
from alerts.sample import sample_notification
from alerts.settle import settle
from alerts.time_intervals import TimeIntervalConfig
from rules.calendar import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 2, 21, 0, tzinfo=SHANGHAI)  # a Monday; the minutes of the tests count from here
MINUTE = timedelta(minutes=1)
MORNING = 11 * 60  # minutes: 08:00
NIGHT = {
    "id": "night",
    "times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "08:00"}],
}
NINE = {"id": "nine", "times": [{"start_time": "08:00", "end_time": "09:00"}]}
WORK = {"id": "work", "days": ["work"], "times": [{"start_time": "09:00", "end_time": "18:00"}]}


def route(**more) -> Route:
    intervals = {
        one["id"]: TimeIntervalConfig.model_validate(one).build(
            timezone="Asia/Shanghai", day_kind=Calendar("Asia/Shanghai", "CN").day_kind
        )
        for one in (NIGHT, NINE, WORK)
    }
    base = {"receiver": "pr", "group_wait": timedelta(0), "repeat_interval": timedelta(hours=100)}
    return RouteConfig.model_validate({**base, **more}).build(intervals)


QUIET = route(quiet={"intervals": ["night"]})
MUTE = route(routes=[{"mute_time_intervals": ["night"]}])
BOTH = route(quiet={"intervals": ["night"]}, routes=[{"mute_time_intervals": ["nine"]}])
ACTIVE = route(routes=[{"active_time_intervals": ["work"]}])


def event(minute: float, name: str, revision: int, level: str = "yellow", *, alert: str = "a") -> AlertEvent:
    return AlertEvent(
        event=name, kind="topic", at=EVENING + minute * MINUTE, alert=alert, revision=revision, rule="r", topic=alert,
        key={"topic": alert}, level=Level[level], because=Because("", ""), seen=1.0,
    )  # fmt: skip


def told(route: Route, *events: AlertEvent, hours: float = 48) -> list[tuple[float, str]]:
    messages = rehearse(events, route, until=EVENING + timedelta(hours=hours))
    return [((one.at - EVENING) / MINUTE, one.kind) for one in messages]


LATE = (event(90, "opened", 1), event(200, "updated", 2), event(300, "updated", 3))
OVER = (event(90, "opened", 1), event(200, "resolved", 2))
RED = (event(90, "opened", 1), event(200, "raised", 2, "red"), event(260, "lowered", 3), event(300, "updated", 4))
KNOWN = (event(0, "opened", 1), event(90, "updated", 2), event(200, "resolved", 3))
SHORT = (event(0, "opened", 1), event(30, "resolved", 2))


@pytest.mark.parametrize(
    ("hours", "events", "expected"),
    [
        # quiet hours defer: what is open is told at their end, what is over by then as over, and nothing twice
        (QUIET, LATE, [(MORNING, "open")]),
        (QUIET, OVER, [(MORNING, "resolve")]),
        (QUIET, KNOWN, [(0, "open"), (MORNING, "resolve")]),
        (QUIET, SHORT, [(0, "open"), (30, "resolve")]),
        # red goes at once, so does its fall; what comes after the fall waits again
        (QUIET, RED, [(200, "open"), (260, "update"), (MORNING, "update")]),
        (QUIET, (event(200, "opened", 1, "red"), event(300, "resolved", 2)), [(200, "open"), (300, "resolve")]),
        # muted: red too; told afterwards if it is still open, and its end where its beginning was told
        (MUTE, LATE, [(MORNING, "open")]),
        (MUTE, OVER, []),
        (MUTE, RED, [(MORNING, "open")]),
        (MUTE, KNOWN, [(0, "open"), (MORNING, "resolve")]),
        # what quiet hours held stays theirs when a mute follows at once
        (BOTH, OVER, [(MORNING + 60, "resolve")]),
        (BOTH, LATE, [(MORNING + 60, "open")]),
        # within active intervals alone: Tuesday is a day of work
        (ACTIVE, LATE, [(12 * 60, "open")]),
        (ACTIVE, OVER, []),
    ],
)  # fmt: skip
def test_what_hours_make_of_a_night(hours, events, expected):
    """Minutes after nine in the evening; the night is from ten to eight."""
    assert told(hours, *events) == expected


def test_who_comes_back_in_the_morning_is_told_once():
    """Over and open again within one night is one message, that it is open."""
    events = (event(90, "opened", 1), event(200, "resolved", 2), event(260, "opened", 3))
    assert told(QUIET, *events) == told(MUTE, *events) == [(MORNING, "open")]


def test_active_intervals_wait_over_a_holiday():
    """Friday evening before the Spring Festival: Saturday is worked, by the State Council's calendar."""
    friday = datetime(2026, 2, 13, 20, 0, tzinfo=SHANGHAI)
    (message,) = rehearse([replace(event(0, "opened", 1), at=friday)], ACTIVE, until=friday + timedelta(days=9))
    assert message.at == datetime(2026, 2, 14, 9, 0, tzinfo=SHANGHAI)
    saturday = datetime(2026, 2, 14, 20, 0, tzinfo=SHANGHAI)
    (message,) = rehearse([replace(event(0, "opened", 1), at=saturday)], ACTIVE, until=saturday + timedelta(days=11))
    assert message.at == datetime(2026, 2, 24, 9, 0, tzinfo=SHANGHAI)


def test_another_level_may_be_loud():
    """except: orange lets orange through, and yellow waits."""
    hours = route(quiet={"intervals": ["night"], "except": "orange"})
    assert told(hours, event(90, "opened", 1, "orange")) == [(90, "open")]
    assert told(hours, event(90, "opened", 1, "yellow")) == [(MORNING, "open")]


def test_hours_are_inherited_as_documented():
    """Quiet hours and levels go down the tree, active and mute intervals do not; an empty list ends quiet hours."""
    tree = route(
        quiet={"intervals": ["night"]},
        levels={"red": {"group_interval": timedelta(minutes=1)}},
        routes=[
            {
                "match": {"topic": "a"},
                "mute_time_intervals": ["nine"],
                "active_time_intervals": ["work"],
                "group_interval": timedelta(minutes=9),
                "levels": {
                    "red": {"repeat_interval": timedelta(hours=1)},
                    "orange": {"group_wait": timedelta(hours=2)},
                },
                "routes": [{"match": {"level": "red"}}, {"match": {"level": "blue"}, "quiet": {"intervals": []}}],
            }
        ],
    )
    (yellow,), (red,), (blue,) = (tree.match({"topic": "a", "level": level}) for level in ("yellow", "red", "blue"))
    assert [one.id for one in yellow.hours.quiet + yellow.hours.mute + yellow.hours.active] == ["night", "nine", "work"]
    assert [one.id for one in red.hours.quiet + red.hours.mute + red.hours.active] == ["night"]
    assert blue.hours.quiet == ()
    # a level's own pace stands before a branch's general one, from however far above it comes
    assert (red.group_interval, red.repeat_interval) == (MINUTE, timedelta(hours=1))
    assert yellow.group_interval == timedelta(minutes=9)
    (orange,) = tree.match({"topic": "a", "level": "orange"})
    assert (orange.group_wait, orange.group_interval) == (timedelta(hours=2), timedelta(minutes=9))
    (other,) = tree.match({"topic": "b", "level": "red"})
    assert (other.group_interval, other.repeat_interval) == (MINUTE, timedelta(hours=100))


def test_a_level_has_its_own_pace():
    """Yellow waits, red does not, also where it rises while yellow waits; and red is repeated more often."""
    paced = route(
        group_wait=timedelta(minutes=10),
        levels={"red": {"group_wait": timedelta(0), "repeat_interval": timedelta(hours=1)}},
    )
    assert told(paced, event(0, "opened", 1), hours=1) == [(10, "open")]
    rising = (event(0, "opened", 1), event(4, "raised", 2, "red"))
    assert told(paced, *rising, hours=2.5) == [(4, "open"), (64, "repeat"), (124, "repeat")]


# ---- the decision itself

LEG = QUIET.leg
NOW = EVENING + 200 * MINUTE


def incident(*events: AlertEvent) -> Incident:
    fold = Incidents()
    return [fold.apply(one)[1] for one in events][-1]


def settled(one: Incident, held: Held | None, before: Held | None, *, now: datetime = NOW, known: Told | None = None):
    decision = decide(one, known, LEG, first_at=one.opened_at, now=now)
    return settle(decision, one, held, before, now=now)


def test_what_is_dropped_is_counted_once_and_kept_in_sight():
    """The first look after the end drops it; later ones keep the record and count nothing."""
    muted = Held("muted", "night", EVENING + MORNING * MINUTE)
    first = settled(incident(*OVER), muted, muted)
    assert (first.kind, first.dropped, first.held) == (None, True, replace(muted, dropped=True))
    again = settled(incident(*OVER), None, first.held, now=EVENING + timedelta(hours=20))
    assert (again.kind, again.dropped, again.held) == (None, False, first.held)


def test_what_outlived_the_mute_is_told_though_we_are_late():
    """After a restart: it ended when the mute was over, so its beginning was due, and both are told."""
    muted = Held("muted", "night", EVENING + 100 * MINUTE)
    late = settled(incident(*OVER), None, muted, now=EVENING + 400 * MINUTE)
    assert (late.kind, late.dropped) == ("open", False)


def test_what_never_ends_is_looked_at_again():
    """A hold without an end in sight does not make the incident sleep for ever."""
    done = settled(incident(LATE[0]), Held("muted", "always", None), None)
    assert done.kind is None
    assert done.next_at is not None
    assert timedelta(days=300) < done.next_at - NOW < timedelta(days=500)


def test_quiet_hours_owe_what_a_longer_wait_would_forget():
    """Held as yellow with no wait, over as orange within its ten minutes: the reader was owed it."""
    one, quiet = incident(*OVER), Held("quiet_hours", "night", EVENING + MORNING * MINUTE, owed=True)
    leg = replace(LEG, group_wait=timedelta(hours=5))
    morning = EVENING + MORNING * MINUTE
    decision = decide(one, None, leg, first_at=one.opened_at, now=morning)
    assert decision.reason == "resolved_before_wait"
    assert settle(decision, one, None, quiet, now=morning).kind == "resolve"
    assert settle(decision, one, None, None, now=morning).kind is None


@pytest.mark.parametrize("reason", ["silenced", "inhibited"])
def test_what_ended_while_it_was_muted_is_not_owed_for_the_night(reason):
    """It began and ended while a person or another incident muted it: quiet hours that follow make nothing of it."""
    now = EVENING + 120 * MINUTE
    lead = sample_notification(EVENING, "zh", level=Level.yellow).incident.lead
    over = replace(lead, event="resolved", at=now)
    one = Incident("a", "topic", "acme", EVENING, now, 2, (over,), turn=2, over_at=now)
    leg = route().leg
    quiet = Held("quiet_hours", "night", now + 540 * MINUTE, owed=True)
    held: Held | None = Held(reason, "1", None if reason == "inhibited" else now + 60 * MINUTE)
    for at, holds in ((now, quiet), (now + 30 * MINUTE, quiet), (now + 540 * MINUTE, None)):
        decision = decide(one, None, leg, first_at=EVENING, now=at)
        done = settle(decision, one, holds, held, now=at)
        assert done.kind is None
        held = done.held
