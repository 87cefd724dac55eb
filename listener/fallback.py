"""The loop that passes on what did not arrive: red goes to the receiver's fallback too, once, and its end as well."""

import asyncio
import hashlib
import json
from datetime import datetime, timedelta

import structlog

from alerts.fallback import Passing, pass_on
from listener.flush import Routing
from listener.metrics import Metrics
from listener.storage import holds, outbox, passing
from listener.storage.database import Database

EVERY = timedelta(seconds=5)
_log = structlog.get_logger()


class Fallbacks:
    """Decides from the outbox alone, so that a restart changes nothing; a row's key keeps anything from going twice."""

    def __init__(self, database: Database, routing: Routing, *, metrics: Metrics) -> None:
        self.routing = routing
        self.put = asyncio.Event()  # set when the outbox got a row
        self._database = database
        self._metrics = metrics

    async def step(self, now: datetime) -> datetime:
        """Raises StorageError, after which the next step goes on."""
        if not self.routing.fallbacks:
            return now + EVERY
        async with self._database.read("fallback") as connection:
            down = await holds.down(connection)
            by_incident = await passing.rows(connection, self.routing.fallbacks, now)
        for incident, rows in by_incident.items():
            for receiver, fallback in self.routing.fallbacks.items():
                if pass_on(rows, receiver, fallback, down=down, now=now) is not None:
                    await self._pass(incident, receiver, fallback, now)
        return now + EVERY

    async def _pass(self, incident: str, receiver: str, fallback: str, now: datetime) -> None:
        async with self._database.write("fallback") as connection:
            # Read again inside the transaction: the sender may have gone on since.
            down = await holds.down(connection)
            rows = (await passing.rows(connection, (), now, incident=incident)).get(incident, [])
            found = pass_on(rows, receiver, fallback, down=down, now=now)
            if found is None:
                return
            facts = await outbox.facts(connection, found.source)
            for channel in self.routing.open_channels(fallback, facts):
                new = outbox.New(
                    key=_key(incident, facts.revision, found, channel, fallback),
                    receiver=fallback,
                    channel=channel,
                    kind=found.kind,
                    incident=facts,
                    passed_on=found.passed_on,
                    source=found.source,
                )
                await outbox.put(connection, new, now=now)
        self.put.set()
        if found.kind != "resolve":
            self._metrics.passed_on.labels(receiver, fallback).inc()
            _log.warning(
                "notification_passed_on", receiver=receiver, incident=incident, detail=f"to {fallback}: {found.kind}",
                reason="late" if found.passed_on.late else "failed",
            )  # fmt: skip


def _key(incident: str, revision: int, found: Passing, channel: str, fallback: str) -> str:
    # by its source: a repeat has the revision of what it repeats
    said = ["fallback", incident, revision, found.kind, found.source, fallback, channel]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
