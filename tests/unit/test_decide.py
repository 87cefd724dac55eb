"""The decider's memory over a restart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from alerts.incident import REJOIN
from alerts.sample import sample_notification
from listener.decide import Decider
from listener.metrics import Metrics
from listener.storage import alerting, history
from listener.storage.database import Database, StorageError

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def loaded(database, now):
    return await Decider.load(database, step=MINUTE, metrics=Metrics(CollectorRegistry()), now=now)


@pytest.mark.parametrize("down", [timedelta(0), timedelta(hours=1), timedelta(hours=30)])
@pytest.mark.parametrize("later", [REJOIN - MINUTE, REJOIN])
async def test_what_was_not_decided_before_a_stop_is_decided_as_if_there_was_none(tmp_path, down, later):
    """An alert that the log held at the stop joins the incident that it would have joined, however long the stop was."""
    opened = replace(
        sample_notification(T0, "zh").incident.lead, event="opened", alert="first", revision=1, at=T0, incident=""
    )
    resolved = replace(opened, event="resolved", revision=2, at=T0 + MINUTE)
    second = replace(opened, alert="second", at=resolved.at + later)
    database = await Database.open("sqlite:///d.db", base=tmp_path)
    try:
        await (await loaded(database, T0)).publish([opened, resolved], T0)
        again = await loaded(database, second.at + down)
        await again.publish([second], second.at + down)
        (incident,) = again.incidents.open()
        assert incident.id == ("first" if later < REJOIN else "second")
    finally:
        await database.close()


async def test_what_the_database_refused_is_decided_again_from_where_it_was(tmp_path):
    """In one batch, an incident ends and is forgotten; it does not fire for ever because the first try failed."""
    opened = replace(
        sample_notification(T0, "zh").incident.lead, event="opened", alert="first", revision=1, at=T0, incident=""
    )
    resolved = replace(opened, event="resolved", revision=2, at=T0 + MINUTE)
    second = replace(opened, alert="second", topic="other", stories=(), at=resolved.at + REJOIN)
    database = await Database.open("sqlite:///d.db", base=tmp_path)
    try:
        decider = await loaded(database, T0)
        await decider.publish([opened], T0)
        refuses = "CREATE TRIGGER full BEFORE UPDATE ON incidents BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        async with database.write("test") as connection:
            await connection.execute(text(refuses))
        with pytest.raises(StorageError):
            await decider.publish([resolved, second], second.at)
        assert [one.id for one in decider.incidents.open()] == ["first"]
        async with database.write("test") as connection:
            await connection.execute(text("DROP TRIGGER full"))
        await decider.publish([], second.at)
        assert [one.id for one in decider.incidents.open()] == ["second"]
        async with database.read("test") as connection:
            assert [one.id for one in await alerting.open_now(connection)] == ["second"]
            first = await alerting.incident(connection, "first")
        assert (first.revision, first.firing) == (2, False)
    finally:
        await database.close()


async def test_incidents_that_end_in_one_batch_are_forgotten_in_the_order_of_their_ends(tmp_path):
    """Not in that of their first event: what ended first would be joined for as long as what ended last."""
    lead = sample_notification(T0, "zh").incident.lead

    def event(alert, minute, what="opened"):
        revision = 1 if what == "opened" else 2
        at = T0 + minute * MINUTE
        return replace(lead, event=what, alert=alert, topic=alert[0], revision=revision, at=at, incident="", stories=())

    database = await Database.open("sqlite:///d.db", base=tmp_path)
    try:
        decider = await loaded(database, T0)
        batch = [event("a", 0), event("b", 1), event("b", 2, "resolved"), event("a", 60, "resolved")]
        await decider.publish(batch, T0 + 60 * MINUTE)
        await decider.publish([event("b2", 130)], T0 + 130 * MINUTE)
        assert [one.id for one in decider.incidents.open()] == ["b2"]
    finally:
        await database.close()


async def test_what_is_not_kept_yet_is_in_no_snapshot(tmp_path):
    """A stop while the database refuses: the restart must decide it again, not take the engine's word for it."""
    database = await Database.open("sqlite:///d.db", base=tmp_path)
    decider = await loaded(database, T0)
    decider.engine.tick, decider.engine.seq = T0, 1
    decider._unsaved.append(object())  # decided, and the transaction has not gone through
    await decider.snapshot(T0)
    async with database.read("test") as connection:
        assert await history.snapshot(connection) is None
    decider._unsaved.clear()
    await decider.snapshot(T0)
    async with database.read("test") as connection:
        assert await history.snapshot(connection) is not None
    await database.close()
