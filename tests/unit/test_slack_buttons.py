"""What Slack's buttons offer, and what of a payload is believed."""

import asyncio
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from alerts import Because, Level
from alerts.channels.slack_buttons import block, presses, signed
from alerts.command import Outcome
from alerts.handling import Ended, Handling, Taken
from alerts.sample import sample_notification
from listener.metrics import Metrics
from listener.slack import Slack, SlackApp

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TAKEN = Taken("小林", NOW, Level.yellow)


def notification(language="zh", **handling):
    one = sample_notification(NOW, language, level=Level.yellow)
    return replace(one, kind="open", incident=replace(one.incident, handling=Handling(**handling)))


@pytest.mark.parametrize(
    ("handling", "offered"),
    [
        ({}, ["acknowledge", "respond", "silence", "real", "noise", "assign"]),
        ({"taken": TAKEN}, ["respond", "resolve", "silence", "real", "noise", "assign"]),
        ({"taken": TAKEN, "responded_at": NOW}, ["resolve", "silence", "real", "noise", "assign"]),
        ({"ended": Ended("小林", NOW, Level.yellow)}, ["real", "noise"]),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_state_decides_what_can_be_pressed(handling, offered, language):
    """Nothing is offered that would be refused; limits of Block Kit hold."""
    found = block(notification(language, **handling))
    assert [element["action_id"] for element in found["elements"]] == offered
    assert len(found["block_id"]) <= 255
    for element in found["elements"]:
        if "confirm" in element:
            assert len(element["confirm"]["title"]["text"]) <= 100
            assert len(element["confirm"]["text"]["text"]) <= 300
            assert all(len(element["confirm"][name]["text"]) <= 30 for name in ("confirm", "deny"))


def test_red_is_not_silenced_by_a_press():
    """It takes a written reason."""
    one = sample_notification(NOW, "zh", level=Level.red)
    assert "silence" not in [element["action_id"] for element in block(replace(one, kind="open"))["elements"]]


def test_nothing_to_press_where_nothing_can_be_done():
    """A test message, a merged incident, an id that a block_id cannot hold."""
    one = notification()
    assert block(replace(one, kind="test")) is None
    assert block(notification(merged_into="b")) is None
    assert block(replace(one, incident=replace(one.incident, id="x" * 201))) is None


def payload(**changes):
    found = block(notification())
    action = {"action_id": "acknowledge", "block_id": found["block_id"], "action_ts": "17.1", **changes}
    return {
        "type": "block_actions", "user": {"id": "U1", "username": "lin"}, "team": {"id": "T1"}, "channel": {"id": "C1"},
        "actions": [action],
    }  # fmt: skip


def test_a_press_says_who_and_of_what():
    """The incident and the revision that was seen come back with it."""
    (press,) = presses(payload())
    incident = notification().incident
    assert (press.action, press.incident, press.revision) == ("acknowledge", incident.id, incident.revision)
    assert (press.user, press.name, press.team, press.channel) == ("U1", "lin", "T1", "C1")
    (assigned,) = presses(payload(action_id="assign", selected_user="U2"))
    assert assigned.value == "U2"


@pytest.mark.parametrize(
    "changes",
    [
        {"action_id": "merge"},
        {"action_id": "assign"},
        {"block_id": "b17"},
        {"block_id": "incident:x:k:i"},
        {"block_id": "incident:1:k:"},
        {"block_id": "incident:99999999999:k:i"},
        {"block_id": "incident:1:k:a\nb"},
        {"block_id": None},
    ],
)
def test_what_is_not_ours_is_nothing(changes):
    """Other blocks, unknown actions, ids with control characters."""
    assert presses(payload(**changes)) == []


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["type", "user", "id", "name", "actions", "block_id", "action_id", "team", "channel"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(json)
def test_any_payload_is_read(value):
    """Whatever comes, nothing is raised."""
    presses(value)
    if isinstance(value, dict):
        presses({**value, "type": "block_actions"})


@given(st.text(max_size=30), st.binary(max_size=50), st.text(max_size=80))
def test_no_signature_by_chance(timestamp, body, signature):
    """Only the right digest of the right time passes."""
    assert not signed("0123456789abcdef", timestamp, body, signature, NOW)


@pytest.mark.parametrize(("age", "holds"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_signature_holds_for_five_minutes(age, holds):
    """Either way, for clocks differ."""
    stamp = str(int((NOW - timedelta(seconds=age)).timestamp()))
    digest = hmac.new(b"0123456789abcdef", f"v0:{stamp}:".encode() + b"x", hashlib.sha256).hexdigest()
    assert signed("0123456789abcdef", stamp, b"x", f"v0={digest}", NOW) is holds


async def test_only_presses_that_are_under_way_are_too_many():
    """A crisis is pressed more than twenty times within five seconds: what is done makes room at once, also for a retry."""
    asked: list[str] = []
    answer = asyncio.Event()

    async def ask(command):
        asked.append(command.actor)
        await answer.wait()
        return Outcome(True, Because("已认领", "was taken"))

    def press(number):
        slack.take(app, payload(action_ts=f"17.{number}") | {"user": {"id": f"U{number}", "username": f"u{number}"}})

    async def settle():
        for _ in range(3):  # a task begins, hears its answer, ends
            await asyncio.sleep(0)

    app = SlackApp("pr", "slack", "zh", "https://slack.example.com/api", SecretStr("x"), None, None, None)
    async with aiohttp.ClientSession() as session:
        slack = Slack([app], session, ask, lambda: NOW, Metrics(CollectorRegistry()))
        for number in range(25):
            press(number)
        await settle()
        assert asked == [f"u{number}" for number in range(20)]
        answer.set()
        await settle()
        for number in range(15, 45):  # the first five of these are done, and done once
            press(number)
            await settle()
        assert asked == [f"u{number}" for number in range(45)]
        await slack.step(NOW)
        await slack.stop()
