"""Escalation, deadlines and acknowledgements on a real database and a virtual clock, with kills and restarts between."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, select, update

from alerts import Incident, Level
from alerts.command import Command
from alerts.deadline import AckLife, ResponseTimes
from alerts.duty import Schedule
from alerts.escalation import Chain, Notify, Repeat, Run, Wait
from alerts.incident import REJOIN, Incidents
from alerts.inhibition import Inhibition
from alerts.oncall import OnCall
from alerts.route import Leg, Route
from alerts.sample import sample_notification
from alerts.silence import Silence
from listener.commands import Commands
from listener.desk import Desk
from listener.escalate import Audit, Auditor, Escalator
from listener.flush import Flusher, Routing
from listener.metrics import Metrics
from listener.selfcheck import escalation_troubles
from listener.storage import acts, alerting, escalations, silences
from listener.storage.database import Database
from listener.storage.tables import escalations as escalation_rows
from listener.storage.tables import outbox as sent_rows

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
CHAIN = Chain(
    "red-chain",
    {"level": frozenset({"red"})},
    (Wait(5 * MINUTE), Notify(("duty",)), Wait(10 * MINUTE), Notify(schedules=("heads",)), Wait(5 * MINUTE), Repeat(1)),
)
HEADS = Schedule("heads", ZoneInfo("UTC"), datetime(2026, 1, 1, 9), 7 * DAY, ("head-a", "head-b"))  # noqa: DTZ001
CHANNELS = {name: [f"{name}-slack"] for name in ("pr", "duty", "head-a", "head-b")}
ON_CALL = OnCall(chains={CHAIN.id: CHAIN}, schedules={HEADS.id: HEADS})
ROUTE = Route(Leg("pr", timedelta(0), 5 * MINUTE, 1000 * HOUR), {})


def event(what="opened", *, revision=1, level=Level.red, at=T0, alert="a"):
    one = replace(sample_notification(T0, "zh", level=level).incident.lead, stories=())
    return replace(one, alert=alert, event=what, revision=revision, topic="acme", at=at, incident="", rule="loud")


class World:
    """The program's stages over one database. ``restart`` is a kill: everything but the database is new after it."""

    def __init__(self, database: Database, on_call: OnCall) -> None:
        self.database = database
        self.on_call = on_call
        self.now = T0
        self.started_at = T0
        self.incidents = Incidents()
        self._stages()

    def _stages(self) -> None:
        metrics = Metrics(CollectorRegistry())
        self.flusher = Flusher(self.database, Routing(ROUTE, CHANNELS, on_call=self.on_call), metrics=metrics)
        self.escalator = Escalator(self.database, self.flusher, metrics=metrics)
        self.commands = Commands(self.database, Desk(self.incidents))
        self.auditor = Auditor(self.database, self.flusher, metrics=metrics, started_at=self.started_at)

    async def restart(self, *, release: bool = True) -> None:
        async with self.database.read("test") as connection:
            self.incidents = Incidents(await alerting.living(connection, since=self.now - REJOIN))
        if release:
            async with self.database.write("test") as connection:
                await escalations.release(connection)
        self.started_at = self.now
        self._stages()

    async def tell(self, *events) -> None:
        for one in events:
            done, incident = self.incidents.apply(one)
            async with self.database.write("test") as connection:
                await alerting.keep_events(connection, [done])
                self.incidents.keep(*await alerting.keep(connection, [incident], now=self.now))

    async def do(self, kind, by="小林", **payload) -> None:
        async with self.database.write("test") as connection:
            await acts.put(connection, Command(kind, "a", by, "test", self.now, payload))

    async def settle(self) -> datetime:
        """Every loop until none has anything to do now; when the next has, by what is kept (they look earlier in vain)."""
        while True:
            due = [await stage.step(self.now) for stage in (self.commands, self.flusher, self.escalator)]
            if min(due) > self.now:
                break
        async with self.database.read("test") as connection:
            known = (
                await alerting.next_due(connection),
                await escalations.next_due(connection, self.now),
                await silences.next_due(connection),
            )
        return min(at for at in (*known, self.now + DAY) if at is not None)

    async def until(self, end: datetime, *, restarts: bool = False) -> None:
        while True:
            due = await self.settle()
            if due > end:
                self.now = end
                await self.settle()
                return
            self.now = due
            if restarts:
                await self.restart()

    async def rows(self) -> list[tuple[float, str, str]]:
        """What was put for sending: minutes since the beginning, receiver, kind."""
        query = select(sent_rows.c.created_at, sent_rows.c.receiver, sent_rows.c.kind).order_by(sent_rows.c.id)
        async with self.database.read("test") as connection:
            found = list(await connection.execute(query))
        return [((row.created_at - T0) / MINUTE, row.receiver, row.kind) for row in found]

    async def notes(self, kind: str) -> list[str]:
        async with self.database.read("test") as connection:
            query = select(sent_rows.c.note).where(sent_rows.c.kind == kind).order_by(sent_rows.c.id)
            return [row.note for row in await connection.execute(query)]

    async def incident(self) -> Incident:
        async with self.database.read("test") as connection:
            found = await alerting.incident(connection, "a")
        assert found is not None
        return found

    async def runs(self) -> list[Run]:
        async with self.database.read("test") as connection:
            return await escalations.runs_of(connection, "a")

    async def change(self, statement: Any) -> None:
        async with self.database.write("test") as connection:
            await connection.execute(statement)


@pytest.fixture
async def world(tmp_path):
    database = await Database.open(f"sqlite:///{tmp_path}/l.db", base=tmp_path)
    yield World(database, ON_CALL)
    await database.close()


def escalated(rows: Iterable[tuple[float, str, str]]) -> list[tuple[float, str]]:
    return [(at, receiver) for at, receiver, kind in rows if kind == "escalate"]


WHOLE = [(5, "duty"), (15, "head-a"), (25, "duty"), (35, "head-a")]


@pytest.mark.parametrize("restarts", [False, True])
async def test_nobody_takes_it(world, restarts):
    """Each step calls at its time, twice over, with its reason; a restart before each changes nothing."""
    await world.tell(event())
    await world.until(T0 + 5 * HOUR, restarts=restarts)
    assert escalated(await world.rows()) == WHOLE
    [run] = await world.runs()
    assert (run.state, run.reason, run.round, run.notified) == ("ended", "last_step", 1, ("duty", "head-a"))
    first, second, *_ = await world.notes("escalate")
    assert "5 分钟无人认领。现通知 duty" in first
    assert "15 分钟无人认领。此前已通知 duty，现通知 head-a" in second


async def test_a_kill_between_lease_and_mark_loses_and_doubles_nothing(world):
    """What a killed loop held is done after the restart, or by another loop when the lease has run out; once."""
    await world.tell(event())
    await world.settle()
    world.now = T0 + 5 * MINUTE
    async with world.database.write("test") as connection:
        assert len(await escalations.lease(connection, world.now)) == 1
    await world.settle()
    assert escalated(await world.rows()) == []  # somebody has it
    await world.restart()
    await world.settle()
    assert escalated(await world.rows()) == [(5, "duty")]
    world.now = T0 + 15 * MINUTE
    async with world.database.write("test") as connection:
        await escalations.lease(connection, world.now)
    await world.restart(release=False)
    assert await world.settle() == world.now + MINUTE  # when the lease runs out
    world.now += MINUTE
    await world.settle()
    assert escalated(await world.rows()) == [(5, "duty"), (16, "head-a")]


class _KilledError(Exception):
    pass


async def test_a_kill_inside_the_step_undoes_it_whole(world):
    """A transaction that ends in the middle leaves neither message nor mark, and the step is done again."""
    await world.tell(event())
    await world.settle()
    world.now = T0 + 5 * MINUTE
    async with world.database.write("test") as connection:
        [run] = await escalations.lease(connection, world.now)
    with pytest.raises(_KilledError):
        async with world.database.write("test") as connection:
            assert await world.escalator._take(connection, run, (), world.now)
            raise _KilledError
    assert escalated(await world.rows()) == []
    await world.restart()
    await world.settle()
    assert escalated(await world.rows()) == [(5, "duty")]


async def test_it_rests_while_taken_and_goes_on(world):
    """Taken with 3 minutes left it rests; given up, the 3 minutes begin to run."""
    await world.tell(event())
    await world.until(T0 + 12 * MINUTE)
    await world.do("acknowledge")
    await world.until(T0 + HOUR)
    [run] = await world.runs()
    assert (run.state, run.step, run.left) == ("resting", 3, 3 * MINUTE)
    await world.restart()
    await world.do("unacknowledge")
    await world.until(T0 + 70 * MINUTE)
    assert escalated(await world.rows()) == [(5, "duty"), (63, "head-a")]
    assert "3 分钟无人认领" in (await world.notes("escalate"))[-1]


async def test_who_was_called_hears_the_end(world):
    """The called receiver, which no route names, is told how it ended, once; one not called yet hears nothing."""
    await world.tell(event())
    await world.until(T0 + 6 * MINUTE)
    world.now = T0 + 7 * MINUTE
    await world.tell(event("resolved", revision=2, at=world.now))
    await world.until(T0 + 2 * HOUR)
    rows = await world.rows()
    assert [row for row in rows if row[1] == "duty"] == [(5, "duty", "escalate"), (10, "duty", "resolve")]
    assert {row[1] for row in rows} == {"pr", "duty"}
    assert [(run.state, run.reason) for run in await world.runs()] == [("ended", "resolved")]


async def test_a_new_wave_begins_again(world):
    """It opens again after its end: the chain begins anew, and the old one stays ended."""
    await world.tell(event())
    await world.until(T0 + 6 * MINUTE)
    world.now = T0 + 7 * MINUTE
    await world.tell(event("resolved", revision=2, at=world.now))
    await world.until(T0 + 30 * MINUTE)
    await world.tell(event(at=world.now, alert="b"))
    await world.until(T0 + 37 * MINUTE)
    assert escalated(await world.rows()) == [(5, "duty"), (35, "duty")]


async def test_it_begins_when_the_level_rises(world):
    """A yellow incident has no red chain; once red it has, and rests while it is yellow again."""
    await world.tell(event(level=Level.yellow))
    await world.until(T0 + HOUR)
    assert await world.runs() == []
    await world.tell(event("raised", revision=2, at=world.now))
    await world.until(T0 + 62 * MINUTE)
    await world.tell(event("lowered", revision=3, level=Level.orange, at=world.now))
    await world.until(T0 + 2 * HOUR)
    assert [run.state for run in await world.runs()] == ["resting"]
    await world.tell(event("raised", revision=4, at=world.now))
    await world.until(T0 + 125 * MINUTE)
    assert escalated(await world.rows()) == [(123, "duty")]


async def test_an_outage_does_not_call_everybody_at_once(world):
    """After 30 h the due step is done, and the next after its own wait."""
    await world.tell(event())
    await world.settle()
    world.now = T0 + 30 * HOUR
    await world.restart()
    await world.until(T0 + 30 * HOUR + 9 * MINUTE)
    assert escalated(await world.rows()) == [(1800, "duty")]
    await world.until(T0 + 30 * HOUR + 10 * MINUTE)
    assert escalated(await world.rows())[1:] == [(1810, "head-a")]


@pytest.mark.parametrize(
    ("chains", "state", "reason", "calls"),
    [
        ({}, "ended", "chain_removed", [(5, "duty")]),
        ({CHAIN.id: replace(CHAIN, steps=CHAIN.steps[:3])}, "ended", "step_removed", [(5, "duty")]),
        (
            {CHAIN.id: replace(CHAIN, steps=(*CHAIN.steps[:3], Notify(("head-b",))))},
            "ended",
            "last_step",
            [(5, "duty"), (15, "head-b")],
        ),
    ],
)
async def test_a_reload_changes_a_chain_under_way(world, chains, state, reason, calls):
    """It goes on by the number of its step where there still is one, else it ends and says why."""
    await world.tell(event())
    await world.until(T0 + 6 * MINUTE)
    world.on_call = replace(ON_CALL, chains=chains)
    world.flusher.routing = Routing(ROUTE, CHANNELS, on_call=world.on_call)
    async with world.database.write("test") as connection:
        await alerting.look_at_open(connection, world.now)
    await world.until(T0 + HOUR)
    assert escalated(await world.rows()) == calls
    assert [(run.state, run.reason) for run in await world.runs()] == [(state, reason)]


async def test_the_auditor_mends_what_is_lost(world):
    """A chain without its row, and a step that somebody holds for ever, are found, told and mended."""
    await world.tell(event())
    await world.settle()
    assert await world.auditor.look(world.now) == Audit()
    await world.change(delete(escalation_rows))
    world.now += MINUTE
    assert await world.auditor.look(world.now) == Audit(lost=("a",))
    [trouble] = escalation_troubles(world.auditor.found)
    assert (trouble.rule, trouble.level) == ("self-escalation", Level.red)
    world.now += MINUTE
    assert await world.auditor.look(world.now) == Audit()
    await world.until(T0 + 4 * MINUTE)
    await world.change(update(escalation_rows).values(lease_until=T0 + DAY, due_at=T0 + 4 * MINUTE))
    world.now = T0 + 7 * MINUTE
    assert await world.auditor.look(world.now) == Audit(overdue=("a",))
    await world.settle()
    assert escalated(await world.rows()) == [(7, "duty")]
    assert escalation_troubles(Audit()) == []


async def test_the_auditor_is_quiet_all_the_way(world):
    """An incident that is escalated, taken, given up and ends is never called lost, nor is an outage."""
    await world.tell(event())
    for minute in range(0, 40, 2):
        if minute in (8, 20):
            await world.do("acknowledge" if minute == 8 else "unacknowledge")
        await world.until(T0 + minute * MINUTE)
        assert await world.auditor.look(world.now) == Audit()
    world.now = T0 + 30 * HOUR
    await world.restart()
    assert await world.auditor.look(world.now) == Audit()


# ---- deadlines


TIMES = OnCall(times=ResponseTimes({Level.red: 4 * HOUR, Level.yellow: DAY}))


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_deadline_is_reminded_of_and_told_once(world, restarts):
    """At three quarters of the time and at its end, however often the program starts."""
    world.on_call = TIMES
    world._stages()
    await world.tell(event())
    await world.until(T0 + 3 * DAY, restarts=restarts)
    assert await world.rows() == [(0, "pr", "open"), (180, "pr", "remind"), (240, "pr", "breach")]


async def test_after_an_outage_the_breach_is_told_once(world):
    """30 h later the reminder is pointless: one message, of the deadline as it was."""
    world.on_call = TIMES
    world._stages()
    await world.tell(event())
    await world.settle()
    world.now = T0 + 30 * HOUR
    await world.restart()
    await world.until(T0 + 60 * HOUR)
    assert (await world.rows())[1:] == [(1800, "pr", "breach")]


async def test_an_answer_meets_the_deadline(world):
    """Once somebody has said that the answer is out nothing is due; a new wave has a deadline of its own."""
    world.on_call = TIMES
    world._stages()
    await world.tell(event())
    await world.until(T0 + HOUR)
    await world.do("respond")
    await world.until(T0 + 5 * HOUR)
    assert [kind for _, _, kind in await world.rows()] == ["open", "act"]
    await world.tell(event("resolved", revision=2, at=world.now))
    await world.until(T0 + 6 * HOUR)
    await world.tell(event(at=world.now, alert="b"))
    await world.until(T0 + 11 * HOUR)
    assert [(at, kind) for at, _, kind in await world.rows()][-2:] == [(540, "remind"), (600, "breach")]


# ---- acknowledgements


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_silent_taker_is_reminded_and_then_loses_it(world, restarts):
    """2 h without an act: a reminder; 15 min more: nobody's, which stands in the timeline, and escalation goes on."""
    world.on_call = replace(ON_CALL, life=AckLife(2 * HOUR, 15 * MINUTE))
    world._stages()
    await world.tell(event())
    await world.until(T0 + 2 * MINUTE)
    await world.do("acknowledge")
    await world.until(T0 + 141 * MINUTE, restarts=restarts)
    rows = [row for row in await world.rows() if row[1] == "pr"]
    assert rows == [(0, "pr", "open"), (2, "pr", "acknowledge"), (122, "pr", "remind"), (137, "pr", "act")]
    assert "小林 认领后已 2 小时没有任何操作" in (await world.notes("remind"))[0]
    incident = await world.incident()
    assert incident.state == "open"
    assert [(act.kind, act.by, act.value) for act in incident.handling.timeline] == [
        ("acknowledge", "小林", ""), ("unacknowledge", "", "silence"),
    ]  # fmt: skip
    assert escalated(await world.rows()) == [(140, "duty")]
    async with world.database.read("test") as connection:
        newest = (await acts.log(connection))[0]
    assert (newest.command.kind, newest.command.actor, newest.command.origin) == ("unacknowledge", "", "program")
    assert newest.outcome is not None
    assert newest.outcome.done


async def test_any_act_renews_it(world):
    """A note of anybody's after the reminder counts: two more hours, then a second reminder."""
    world.on_call = OnCall(life=AckLife(2 * HOUR, 15 * MINUTE))
    world._stages()
    await world.tell(event())
    await world.do("acknowledge")
    await world.until(T0 + 130 * MINUTE)
    await world.do("note", by="小周", text="已联系供应商")
    await world.until(T0 + 4 * HOUR)
    assert (await world.incident()).state == "acknowledged"
    await world.until(T0 + 251 * MINUTE)
    assert [(at, kind) for at, _, kind in await world.rows() if kind == "remind"] == [(120, "remind"), (250, "remind")]


async def test_an_act_that_races_with_the_end_keeps_it(world):
    """A note that was there first: the program's own act is refused, and nothing is given up."""
    world.on_call = OnCall(life=AckLife(2 * HOUR, 15 * MINUTE))
    world._stages()
    await world.tell(event())
    await world.do("acknowledge")
    await world.until(T0 + 134 * MINUTE)
    world.now = T0 + 135 * MINUTE
    await world.do("note", text="仍在核实")
    await world.flusher.step(world.now)
    await world.settle()
    assert (await world.incident()).state == "acknowledged"
    async with world.database.read("test") as connection:
        refused = [entry.outcome.reason for entry in await acts.log(connection) if entry.outcome]
    assert refused[0] == "renewed"


async def test_after_an_outage_a_reminder_comes_first(world):
    """Nobody loses what they took without having been reminded."""
    world.on_call = OnCall(life=AckLife(2 * HOUR, 15 * MINUTE))
    world._stages()
    await world.tell(event())
    await world.do("acknowledge")
    await world.settle()
    world.now = T0 + 30 * HOUR
    await world.restart()
    await world.until(T0 + 30 * HOUR + 14 * MINUTE)
    assert (await world.incident()).state == "acknowledged"
    await world.until(T0 + 30 * HOUR + 16 * MINUTE)
    assert (await world.incident()).state == "open"


@pytest.mark.parametrize("restarts", [False, True])
async def test_it_rests_under_a_silence_and_goes_on_after_it(world, restarts):
    """While somebody has silenced it nobody is called; then the chain goes on with what was left of its wait."""
    await world.tell(event())
    await world.until(T0 + 2 * MINUTE)
    made = Silence(
        {"topic": frozenset({"acme"})}, None, Level.red, "小林", "联调", world.now, world.now + HOUR, world.now
    )
    async with world.database.write("test") as connection:
        await silences.add(connection, made)
    await world.until(T0 + HOUR, restarts=restarts)
    assert [(run.state, run.reason) for run in await world.runs()] == [("resting", "silenced")]
    assert escalated(await world.rows()) == []
    await world.until(T0 + 64 * MINUTE, restarts=restarts)
    assert escalated(await world.rows()) == []
    await world.until(T0 + 66 * MINUTE, restarts=restarts)
    assert escalated(await world.rows()) == [(65, "duty")]


async def test_it_rests_from_when_another_incident_begins_to_mute_it(world):
    """One that opens later mutes the chain at once, not only when the target has news of its own."""
    mute = Inhibition({"rule": frozenset({"outage"})}, {"rule": frozenset({"loud"})}, ())
    world.flusher.routing = replace(world.flusher.routing, inhibit=(mute,))
    await world.tell(event())
    await world.until(T0 + 6 * MINUTE)
    assert escalated(await world.rows()) == [(5, "duty")]
    source = replace(event(alert="o", level=Level.yellow, at=world.now), rule="outage", topic="other")
    await world.tell(source)
    await world.until(T0 + 2 * HOUR)
    assert escalated(await world.rows()) == [(5, "duty")]
    assert [(run.state, run.reason) for run in await world.runs()] == [("resting", "silenced")]
    await world.tell(replace(source, event="resolved", revision=2, at=world.now))
    await world.until(T0 + 3 * HOUR)
    assert len(escalated(await world.rows())) > 1
    assert [kind for _, _, kind in await world.rows()].count("open") == 2  # of each, once


async def test_nobody_is_called_at_the_moment_at_which_another_incident_begins_to_mute_it(world):
    """A call is due as the other one opens, such as after an outage: it rests with nothing called, and goes on after it."""
    mute = Inhibition({"rule": frozenset({"outage"})}, {"rule": frozenset({"loud"})}, ())
    world.flusher.routing = replace(world.flusher.routing, inhibit=(mute,))
    await world.tell(event())
    await world.settle()
    world.now = T0 + 5 * MINUTE
    source = replace(event(alert="o", level=Level.yellow, at=world.now), rule="outage", topic="other")
    await world.tell(source)
    await world.until(T0 + 30 * MINUTE)
    assert escalated(await world.rows()) == []
    assert [(run.state, run.reason) for run in await world.runs()] == [("resting", "silenced")]
    await world.tell(replace(source, event="resolved", revision=2, at=world.now))
    await world.until(T0 + 31 * MINUTE)
    assert escalated(await world.rows()) == [(30, "duty")]


async def test_it_rests_while_another_incident_mutes_it(world):
    """Muted, nobody is called and no deadline is told; once the other one is over the chain goes on."""
    world.on_call = replace(ON_CALL, times=ResponseTimes({Level.red: HOUR}))
    world._stages()
    mute = Inhibition({"rule": frozenset({"outage"})}, {"rule": frozenset({"loud"})}, ())
    world.flusher.routing = replace(world.flusher.routing, inhibit=(mute,))
    await world.tell(replace(event(alert="o", level=Level.yellow), rule="outage", topic="other"), event())
    await world.until(T0 + 2 * HOUR)
    assert [row for row in await world.rows() if row[2] in {"escalate", "remind", "breach"}] == []
    assert [(run.state, run.reason) for run in await world.runs()] == [("resting", "silenced")]
    assert await world.auditor.look(world.now) == Audit()
    over = event("resolved", revision=2, at=world.now, alert="o", level=Level.yellow)
    await world.tell(replace(over, rule="outage", topic="other"))
    await world.until(T0 + 126 * MINUTE)
    assert escalated(await world.rows()) == [(125, "duty")]
    assert [kind for _, _, kind in await world.rows()].count("breach") == 1
