"""What a route would send, without a database: the same as the program's own flush puts into its outbox."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts import AlertEvent, Because, Level
from alerts.config import RouteConfig
from alerts.incident import Incidents
from alerts.inhibition import Inhibition
from alerts.rehearse import Message, rehearse
from alerts.route import Route
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.storage import alerting
from listener.storage.database import Database
from listener.storage.tables import outbox as sent_rows

T0 = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def route(**more) -> Route:
    return RouteConfig.model_validate(
        {
            "receiver": "pr",
            "repeat_interval": timedelta(hours=1),
            "routes": [
                {"match": {"level": "red"}, "receiver": "duty", "group_wait": timedelta(0), "continue": True},
                {"match": {"level": ["orange", "red"]}, "receiver": "pr", "group_wait": timedelta(0)},
            ],
            **more,
        }
    ).build()


def event(
    minute: float, name: str, revision: int, level: str = "yellow", *, alert: str = "a", topic: str = "acme"
) -> AlertEvent:
    return AlertEvent(
        event=name, kind="topic", at=T0 + minute * MINUTE, alert=alert, revision=revision, rule="r", topic=topic,
        key={"topic": topic}, level=Level[level], because=Because("", ""), seen=1.0,
    )  # fmt: skip


def frozen(**labels: list[str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in labels.items()}


def told(messages: tuple[Message, ...]) -> list[tuple[float, str, str]]:
    return [((one.at - T0) / MINUTE, one.receiver, one.kind) for one in messages]


def test_waits_rises_repeats_and_ends():
    """Yellow waits half a minute, red goes at once to both, an open one is repeated, and each is told the end."""
    events = [
        event(0, "opened", 1),
        event(10, "raised", 2, "red"),
        event(80, "lowered", 3, "yellow"),
        event(90, "resolved", 4),
    ]
    messages = rehearse(events, route(), until=T0 + timedelta(hours=5))
    assert sorted(told(messages)) == [
        (0.5, "pr", "open"), (10, "duty", "open"), (10, "pr", "update"), (70, "duty", "repeat"), (70, "pr", "repeat"),
        (80, "duty", "update"), (80, "pr", "update"), (90, "duty", "resolve"), (90, "pr", "resolve"),
    ]  # fmt: skip


def test_what_is_over_within_the_wait_is_never_told():
    """An alert that opens and resolves within group_wait sends nothing, and a run ends where it is told to."""
    short = [event(0, "opened", 1), event(0.25, "resolved", 2)]
    assert rehearse(short, route(), until=T0 + timedelta(hours=1)) == ()
    assert rehearse([event(0, "opened", 1)], route(), until=T0 + timedelta(seconds=29)) == ()
    assert len(rehearse([event(0, "opened", 1)], route(), until=T0 + timedelta(seconds=30))) == 1


def lives(seed: int) -> list[AlertEvent]:
    """Events of several alerts of two topics, in order of time."""
    source, events = random.Random(seed), []
    for number in range(5):
        at, revision = source.uniform(0, 300), 1
        alert, topic = f"alert-{number}", source.choice(["acme", "rival"])
        events.append(event(at, "opened", revision, source.choice(["blue", "yellow", "red"]), alert=alert, topic=topic))
        for _ in range(source.randrange(5)):
            at, revision = at + source.uniform(0, 40), revision + 1
            name, level = source.choice([("raised", "red"), ("updated", "yellow"), ("lowered", "blue")])
            events.append(event(at, name, revision, level, alert=alert, topic=topic))
        events.append(event(at + source.uniform(0.1, 60), "resolved", revision + 1, alert=alert, topic=topic))
    return sorted(events, key=lambda one: one.at)


def test_rules_on_trial_send_nothing():
    """Events beside the live ones change no message of these."""
    events, until = lives(1), T0 + timedelta(hours=12)
    trial = [replace(one, shadow=True, alert=f"trial-{one.alert}", level=Level.red) for one in events]
    beside = sorted([*events, *trial], key=lambda one: one.at)
    assert rehearse(beside, route(), until=until) == rehearse(events, route(), until=until) != ()
    assert rehearse(trial, route(), until=until) == ()


HIGH = Inhibition(frozen(level=["red"]), frozen(level=["blue", "yellow"]))
RING = (
    Inhibition(frozen(topic=["acme"]), frozen(topic=["rival"])),
    Inhibition(frozen(topic=["rival"]), frozen(topic=["acme"]), ("kind",)),
)


def test_what_is_muted_waits_for_the_end_of_what_mutes_it():
    """Told once that is over if it is open still, never if it is not; one of another brand is not held."""
    inhibit = [replace(HIGH, equal=("kind",))]
    events = [
        event(0, "opened", 1, "red"),
        event(1, "opened", 1, alert="b", topic="rival"),
        event(2, "opened", 1, alert="c", topic="third"),
        event(5, "resolved", 2, alert="c", topic="third"),
        event(30, "resolved", 2, "red"),
    ]
    until = T0 + timedelta(minutes=50)
    messages = rehearse(events, route(), until=until, inhibit=inhibit)
    assert [(*one, message.incident.topic) for one, message in zip(told(messages), messages, strict=True)] == [
        (0, "duty", "open", "acme"), (0, "pr", "open", "acme"), (30, "duty", "resolve", "acme"), (30, "pr", "resolve", "acme"),
        (30, "pr", "open", "rival"),
    ]  # fmt: skip
    assert len(rehearse(events, route(), until=until)) > len(messages)


def test_who_mute_each_other_are_not_told_and_end():
    """Nobody hears of either while both are open; the run comes to its end all the same."""
    events = [event(0, "opened", 1), event(0, "opened", 1, alert="b", topic="rival"), event(20, "resolved", 2)]
    assert told(rehearse(events, route(), until=T0 + timedelta(minutes=40), inhibit=RING)) == [(20, "pr", "open")]


@pytest.mark.parametrize("inhibit", [(), (HIGH,), RING], ids=["free", "muted", "ring"])
@pytest.mark.parametrize("seed", range(5))
async def test_it_sends_what_the_program_sends(tmp_path, seed, inhibit):
    """The same events through the program's flush, on a database and at the times that it asks for, give the same rows."""
    events, until = lives(seed), T0 + timedelta(hours=12)
    database = await Database.open(f"sqlite:///{tmp_path}/l.db", base=tmp_path)
    try:
        routing = Routing(route(), {"pr": ["slack"], "duty": ["webhook"]}, inhibit=inhibit)
        flusher = Flusher(database, routing, metrics=Metrics(CollectorRegistry()))
        incidents, waiting = Incidents(), list(events)
        while True:
            async with database.read("test") as connection:
                due = await alerting.next_due(connection)
            now = min((at for at in (due, waiting[0].at if waiting else None) if at is not None), default=None)
            if now is None or now > until:
                break
            while waiting and waiting[0].at == now:
                done, incident = incidents.apply(waiting.pop(0))
                async with database.write("test") as connection:
                    await alerting.keep_events(connection, [done])
                    await alerting.keep(connection, [incident], now=now)
            await flusher.step(now)
        async with database.read("test") as connection:
            query = select(sent_rows.c.created_at, sent_rows.c.receiver, sent_rows.c.kind)
            rows = [((row.created_at - T0) / MINUTE, row.receiver, row.kind) for row in await connection.execute(query)]
    finally:
        await database.close()
    assert len(rows) > 3
    assert sorted(rows) == sorted(told(rehearse(events, route(), until=until, inhibit=inhibit)))
