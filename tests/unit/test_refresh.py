"""What an Alertmanager is told again: what stands there, at its pace, and never what has ended."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts import Incident, Level, Receipt
from alerts.sample import sample_notification
from alerts.texts import Texts
from listener.metrics import Metrics
from listener.refresh import Refresher
from listener.storage import alerting, outbox
from listener.storage.database import Database
from listener.turns import Line
from tests.support.pagers import alertmanager
from tests.support.peer import NOW, Peer

HERE = ("pr", "alertmanager")


def incident(name: str, *, level: Level = Level.yellow, event: str = "opened", revision: int = 1) -> Incident:
    plain = sample_notification(NOW, "zh", level=level).incident
    lead = replace(plain.lead, alert=name, incident=name, event=event, revision=revision)
    return replace(plain, id=name, revision=revision, alerts=(lead,))


@pytest.fixture
async def database(tmp_path: Path):
    opened = await Database.open("sqlite:///here.db", base=tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def peer():
    async with alertmanager() as made:
        yield made


@pytest.fixture
async def refresher(database: Database, peer: Peer):
    metrics = Metrics(CollectorRegistry())
    async with aiohttp.ClientSession() as http:
        lines = {HERE: Line(peer.build(http), "zh")}
        yield Refresher(
            database, lines, console=lambda name: f"https://l.example.com/{name}", timezone="UTC", metrics=metrics
        )


async def tell(database: Database, told: Incident, kind: str = "open", state: str = "sent") -> None:
    """The incident as the database has it, and a message of it on the channel, in a state."""
    async with database.write("test") as connection:
        await alerting.keep_events(connection, [told.lead])
        await alerting.keep(connection, [told], now=NOW)
        key = f"{told.id}-{kind}-{told.revision}"
        await outbox.put(connection, outbox.New(key, *HERE, kind, told), now=NOW)
        waiting = await outbox.queue(connection, NOW, {HERE})
        if state == "waiting" or not waiting:
            return
        entry = await outbox.lease(connection, waiting[-1].id, NOW)
        assert entry.key == key
        if state == "sent":
            await outbox.mark_sent(connection, entry.id, Receipt("", NOW))
        elif state == "failed":
            await outbox.mark_failed(connection, entry.id, error="", retry_at=NOW + timedelta(hours=1))
        elif state == "dead":
            await outbox.mark_dead(connection, entry.id, error="", now=NOW)


def standing(peer: Peer) -> set[tuple[str, str]]:
    return {(alert["labels"]["incident"], alert["labels"]["level"]) for alert in peer.firing()}


async def test_what_was_told_is_told_again_at_its_pace(database, refresher, peer):
    """Each open incident as it was last told, once a minute; the description stays whole."""
    await tell(database, incident("one"))
    await tell(database, incident("two"))
    await tell(database, incident("two", level=Level.red, revision=2), "update")
    await tell(database, incident("three"), state="waiting")  # not told yet, so not told again
    assert await refresher.step(NOW) == NOW + timedelta(minutes=1)
    assert standing(peer) == {("one", "yellow"), ("two", "red")}
    assert "三个工作日" in peer.texts[0]
    requests = peer.requests
    assert await refresher.step(NOW + timedelta(seconds=59)) == NOW + timedelta(minutes=1)
    assert peer.requests == requests
    await refresher.step(NOW + timedelta(minutes=1))
    assert peer.requests == requests + 1


async def test_what_stands_is_told_in_the_operators_words(database, refresher, peer):
    """A refresh does not bring the program's text back."""
    refresher.lines = {HERE: replace(refresher.lines[HERE], texts=Texts(headline="注意：{{ brand }}"))}
    await tell(database, incident("one"))
    await refresher.step(NOW)
    assert [alert["annotations"]["summary"] for alert in peer.firing()] == ["注意：云杉科技"]


@pytest.mark.parametrize("state", ["sent", "dead", "failed", "leased"])
async def test_an_end_is_never_undone(database, refresher, peer, state):
    """Once an end was sent, or may have arrived, nothing is told again: the alert must not come back."""
    await tell(database, incident("one"))
    over = incident("one", event="resolved", revision=2)
    await tell(
        database, replace(over, alerts=(replace(over.lead, event="updated"),))
    )  # open in the database all the same
    await tell(
        database, replace(over, revision=3, alerts=(replace(over.lead, event="updated", revision=3),)), "resolve", state
    )
    await refresher.step(NOW)
    assert peer.requests == 0


async def test_a_closed_incident_is_not_told_again(database, refresher, peer):
    """What the database knows as over is the outbox's to tell."""
    await tell(database, incident("one"))
    await tell(database, incident("one", event="resolved", revision=2), "resolve", "waiting")
    await refresher.step(NOW)
    assert peer.requests == 0


async def test_a_refusal_is_counted_and_waits_for_its_turn(database, refresher, peer):
    """A channel that refuses is asked again at its pace, and counted under the reason."""
    await tell(database, incident("one"))
    peer.refuse = lambda: web.Response(status=503)
    assert await refresher.step(NOW) == NOW + timedelta(minutes=1)
    failures = refresher._metrics.send_failures.labels(*HERE, "server")
    assert failures._value.get() == 1
    peer.refuse = None
    await refresher.step(NOW + timedelta(minutes=1))
    assert standing(peer) == {("one", "yellow")}


async def test_without_such_channels_nothing_is_done(refresher):
    """Channels that remember are none of its business; a reload may bring one later."""
    lines, refresher.lines = refresher.lines, {}
    assert await refresher.step(NOW) > NOW
    refresher.lines = lines
    assert await refresher.step(NOW) == NOW + timedelta(minutes=1)
