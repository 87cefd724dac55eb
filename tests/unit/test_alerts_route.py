"""The route tree."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from alerts import Level
from alerts.config import ReceiverConfig, RouteConfig, route_receivers
from alerts.route import views
from alerts.sample import sample_notification

TREE = RouteConfig.model_validate(
    {
        "receiver": "pr",
        "group_wait": timedelta(seconds=40),
        "routes": [
            {"match": {"kind": "self"}, "receiver": "ops", "repeat_interval": timedelta(hours=12)},
            {"match": {"level": "red"}, "receiver": "duty", "group_wait": timedelta(0), "continue": True},
            {
                "match": {"brand": ["云杉科技", "格澜数码"]},
                "receiver": "brand",
                "group_interval": timedelta(minutes=1),
                "routes": [
                    {"match": {"topic": "acme-fire"}, "receiver": "safety"},
                    {"match": {"rule": "slow"}, "group_interval": timedelta(hours=1)},
                ],
            },
        ],
    }
).build()
BASE = {"kind": "topic", "level": "yellow", "topic": "acme", "brand": "别家", "rule": "surge"}


@pytest.mark.parametrize(
    ("given", "receivers"),
    [
        ({}, ["pr"]),
        ({"kind": "self"}, ["ops"]),
        ({"kind": "self", "level": "red"}, ["ops"]),
        ({"level": "red"}, ["duty"]),
        ({"level": "red", "brand": "云杉科技"}, ["duty", "brand"]),
        ({"brand": "格澜数码"}, ["brand"]),
        ({"brand": "云杉科技", "topic": "acme-fire"}, ["safety"]),
        ({"brand": "云杉科技", "topic": "acme-fire", "level": "red"}, ["duty", "safety"]),
        ({"topic": "acme-fire"}, ["pr"]),
    ],
)
def test_first_match_depth_first(given, receivers):
    """The deepest first match takes the incident, ``continue`` goes on to the siblings, the root takes the rest."""
    assert receivers == [leg.receiver for leg in TREE.match({**BASE, **given})]


def test_unset_values_are_inherited():
    """A branch has its parent's pace where it gives none."""
    (leg,) = TREE.match({**BASE, "brand": "云杉科技", "rule": "slow"})
    assert (leg.receiver, leg.group_wait, leg.group_interval, leg.repeat_interval) == (
        "brand",
        timedelta(seconds=40),
        timedelta(hours=1),
        timedelta(hours=4),
    )


def test_a_receiver_comes_once():
    """Two branches with one receiver give one leg, the first."""
    route = RouteConfig.model_validate(
        {
            "receiver": "pr",
            "routes": [
                {"match": {"level": "red"}, "group_wait": timedelta(0), "continue": True},
                {"match": {"topic": "acme"}},
            ],
        }
    ).build()
    (leg,) = route.match({**BASE, "level": "red"})
    assert timedelta(0) == leg.group_wait


def test_who_was_told_stays_told():
    """A receiver that no longer matches still comes where it was told before, at its own pace."""
    legs = TREE.match({**BASE, "level": "yellow"}, told=["duty", "gone"])
    assert ["pr", "duty"] == [leg.receiver for leg in legs]
    assert timedelta(0) == legs[1].group_wait


def test_labels_are_the_incidents():
    """Level is the highest open one; brand and rule are the lead alert's."""
    incident = sample_notification(datetime(2026, 3, 2, tzinfo=UTC), "zh", level=Level.red).incident
    assert {"kind": "topic", "level": "red", "topic": "test", "brand": "云杉科技", "rule": "test"} == views(incident)[0]
    own = replace(incident, kind="self", topic=None, alerts=(replace(incident.lead, topic=None),))
    assert views(own)[0]["topic"] == ""


def test_route_receivers_names_each_once():
    """Every receiver in the tree is named, so that the configuration can check them."""
    config = RouteConfig.model_validate(
        {"receiver": "a", "routes": [{"receiver": "b", "routes": [{"receiver": "c"}, {"receiver": "a"}]}, {}]}
    )
    assert ("a", "b", "c") == route_receivers(config)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"receiver": "a", "match": {"level": "red"}},
        {"receiver": "a", "continue": True},
        {"receiver": "a", "routes": [{"match": {"colour": "red"}}]},
        {"receiver": "a", "routes": [{"match": {"level": "crimson"}}]},
        {"receiver": "a", "routes": [{"match": {"level": ["red", "crimson"]}}]},
        {"receiver": "a", "routes": [{"match": {"kind": "other"}}]},
        {"receiver": "a", "routes": [{"match": {"level": []}}]},
        {"receiver": "a", "group_interval": timedelta(0)},
        {"receiver": "a", "group_wait": timedelta(seconds=-1)},
        {"receiver": "a", "group_wait": 30},
        {"receiver": "a", "group_wait": "30s"},
        {"receiver": "a", "unknown": 1},
    ],
)
def test_what_cannot_work_is_refused(bad):
    """A route that can never do what it says is an error when it is read."""
    with pytest.raises(ValidationError):
        RouteConfig.model_validate(bad)


def test_channels_have_names_of_their_own():
    """Channels of one type are numbered, given names are kept, and one name twice is refused."""
    console = {"type": "console"}
    config = ReceiverConfig.model_validate({"id": "a", "channels": [console, {**console, "name": "tty"}, console]})
    assert ("console", "tty", "console-2") == config.channel_names
    with pytest.raises(ValidationError, match="two channels are called 'tty'"):
        ReceiverConfig.model_validate({"id": "a", "channels": [{**console, "name": "tty"}] * 2})
    with pytest.raises(ValidationError):
        ReceiverConfig.model_validate({"id": "a", "channels": []})
