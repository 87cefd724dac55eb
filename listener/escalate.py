"""The loop of escalation: steps that are due become messages, each with its mark in one transaction; and its auditor.

A lease is taken first, so that of two loops on one database one does a step; what a killed one held is free at the next
start, or after a minute. Nothing leaves the program here: a step is done when its rows are written, and never twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Incident
from alerts.duty import called_by
from alerts.escalation import Call, Chain, Run, advance, follow
from alerts.inhibition import by_which, inhibitor
from listener import oncall
from listener.flush import Flusher
from listener.metrics import Metrics
from listener.storage import alerting, escalations
from listener.storage.database import Database

AUDIT_EVERY = timedelta(minutes=1)
OVERDUE = timedelta(minutes=2)
_log = structlog.get_logger()


class Escalator:
    def __init__(self, database: Database, flusher: Flusher, *, metrics: Metrics) -> None:
        self._database = database
        self._flusher = flusher
        self._metrics = metrics

    async def step(self, now: datetime) -> datetime:
        """Do what is due. Raises StorageError, after which the next step goes on."""
        async with self._database.write("escalation") as connection:
            due = await escalations.lease(connection, now)
            rules = self._flusher.routing.inhibit if due else ()
            found = await alerting.open_now(connection) if rules else ()
            sources = [one for one in found if by_which(one, rules)]
        for run in due:
            async with self._database.write("escalation") as connection:
                calls = await self._take(connection, run, sources, now)
            for call in calls:
                self._metrics.escalated.labels(run.chain).inc()
                _log.info(
                    "incident_escalated", incident=run.incident, part=run.chain,
                    receiver=", ".join(call.receivers), detail=call.because.en,
                )  # fmt: skip
        if due:
            self._flusher.put.set()
        async with self._database.read("escalation") as connection:
            next_due = await escalations.next_due(connection, now)
        return min(next_due or now + AUDIT_EVERY, now + AUDIT_EVERY)

    async def _take(
        self, connection: AsyncConnection, run: Run, sources: Sequence[Incident], now: datetime
    ) -> tuple[Call, ...]:
        """Every step of a chain that is due: its messages and how far it is now, together.

        What one of *sources* mutes by now calls nobody, though the flush has not looked at it since; it is asked to.
        """
        current = await escalations.leased(connection, run)
        incident = await alerting.incident(connection, run.incident)
        if current is None or incident is None:
            return ()
        on_call = self._flusher.routing.on_call
        chain = on_call.chains.get(run.chain)
        calls: tuple[Call, ...] = ()
        muted = inhibitor(incident, sources, self._flusher.routing.inhibit) is not None
        after = follow(current, chain, incident, now, silent=True if muted else None)
        if muted:
            await alerting.look_again(connection, incident.id, now)
        if chain is not None and after is not None and after.state == "waiting":
            after, calls = advance(
                after, chain, incident, now, duty=lambda name: called_by(on_call.schedules[name], now)
            )
        for call in calls:
            await self._flusher.call(connection, incident, call.receivers, call.mark, call.because, now)
        await escalations.keep(connection, after or current)
        return calls


@dataclass(frozen=True, slots=True)
class Audit:
    """What a look found: incidents of which a chain had no next step where it should have, and steps that were late."""

    lost: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()


class Auditor:
    """Looks every minute whether each open incident has the chains that it should have, and mends what it finds."""

    def __init__(self, database: Database, flusher: Flusher, *, metrics: Metrics, started_at: datetime) -> None:
        self.found = Audit()
        self._database = database
        self._flusher = flusher
        self._metrics = metrics
        self._started_at = started_at  # what was due before could not be done
        self._next: datetime | None = None

    async def look(self, now: datetime) -> Audit:
        """What the newest look found; it looks again when a minute has passed. Raises StorageError."""
        if self._next is not None and now < self._next:
            return self.found
        chains = self._flusher.routing.on_call.chains
        async with self._database.read("escalation audit") as connection:
            lost, waiting, overdue = await self._compare(connection, chains, now)
        if lost or overdue:
            async with self._database.write("escalation audit") as connection:
                for name in lost:
                    incident = await alerting.incident(connection, name)
                    if incident is not None:
                        runs = await escalations.runs_of(connection, incident.id)
                        await oncall.follow(connection, incident, runs, chains, now)
                await escalations.release(connection, before=now - OVERDUE)
        self.found = Audit(tuple(lost), tuple(overdue))
        self._next = now + AUDIT_EVERY
        self._metrics.escalations_waiting.set(waiting)
        self._metrics.escalations_lost.set(len(lost))
        self._metrics.escalations_overdue.set(len(overdue))
        return self.found

    async def _compare(
        self, connection: AsyncConnection, chains: Mapping[str, Chain], now: datetime
    ) -> tuple[list[str], int, list[str]]:
        """Incidents without what they should have, how many steps wait, and incidents whose step is late."""
        runs: defaultdict[str, dict[tuple[datetime, str], Run]] = defaultdict(dict)
        for run in await escalations.of_open(connection):
            runs[run.incident][run.wave, run.chain] = run
        lost = []
        # What the flush is about to look at is not lost.
        for incident in await alerting.settled(connection, runs.keys(), now):
            here = runs[incident.id]
            names = {(incident.wave, chain) for chain in chains} | here.keys()
            if any(follow(here.get(name), chains.get(name[1]), incident, now) != here.get(name) for name in names):
                lost.append(incident.id)
        waiting = [run for of in runs.values() for run in of.values() if run.state == "waiting"]
        late = {run.incident for run in waiting if max(run.due_at or now, self._started_at) < now - OVERDUE}
        return lost, len(waiting), sorted(late)
