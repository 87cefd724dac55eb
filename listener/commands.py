"""Acts on incidents: rows that the owner of the database applies, each in one transaction with its outcome.

A command line beside a running program leaves a row and waits for what comes of it; where no program runs it takes the
database itself and applies its row at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because
from alerts.command import Command, Outcome
from alerts.verdict import VERDICTS, Judgement, Verdict
from listener.clock import utc_now
from listener.config import Config
from listener.storage import acts, alerting
from listener.storage.database import Database, InUseError

EVERY = timedelta(seconds=1)
_ASK_AGAIN = 0.1  # seconds
_VERDICTS: Mapping[str, Verdict] = {name: name for name in VERDICTS}
Apply = Callable[[AsyncConnection, Command, datetime], Awaitable[Outcome]]


class Commands:
    """The loop of the owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self, now: datetime) -> datetime:
        """Apply what waits, in order. Raises StorageError, after which the next step goes on."""
        async with self._database.read("commands") as connection:
            found = await acts.waiting(connection)
        for number, command in found:
            # The turn: what the decider does to incidents comes before or after, never between.
            async with self._database.turn, self._database.write("commands") as connection:
                outcome = await apply(connection, command, now)
                await acts.finish(connection, number, outcome, at=now)
        return now if found else now + EVERY


async def submit(config: Config, command: Command, *, wait: timedelta) -> Outcome | None:
    """Have a command applied, by the program that runs or by ourselves; None: not within *wait*, and it waits still.

    Raises StorageError.
    """
    deadline = utc_now() + wait
    beside = await Database.open(config.storage.url, base=config.base, owner=False)
    number: int | None = None
    try:
        while True:
            try:
                owner = await Database.open(config.storage.url, base=config.base)
            except InUseError:
                number = await _put(beside, command) if number is None else number
            else:
                try:
                    number = await _put(owner, command) if number is None else number
                    while await Commands(owner).step(now := utc_now()) == now:
                        pass
                finally:
                    await owner.close()
            async with beside.read("commands") as connection:
                outcome = await acts.outcome(connection, number)
            if outcome is not None or utc_now() >= deadline:
                return outcome
            await asyncio.sleep(_ASK_AGAIN)
    finally:
        await beside.close()


async def _put(database: Database, command: Command) -> int:
    async with database.write("commands") as connection:
        return await acts.put(connection, command)


async def apply(connection: AsyncConnection, command: Command, now: datetime) -> Outcome:
    act = _ACTS.get(command.kind)
    if act is None:
        return _refused("unknown_kind", f"不认识的操作：{command.kind}", f"there is no act {command.kind!r}")
    return await act(connection, command, now)


async def _verdict(connection: AsyncConnection, command: Command, now: datetime) -> Outcome:
    """On an incident, or on one alert: where the subject is no incident, or ``of`` says ``alert``."""
    asked = command.payload.get("verdict", "")
    verdict = _VERDICTS.get(asked)
    if verdict is None:
        return _refused("bad_payload", f"判定须为 real、noise 或 known，不是 {asked}", f"{asked!r} is no verdict")
    name, alert = command.subject, ""
    incident = await alerting.incident(connection, name) if command.payload.get("of") != "alert" else None
    kind: str = incident.kind if incident else ""
    if incident is None:
        home = await acts.home_of(connection, name)
        if home is None:
            return _refused("not_found", f"没有编号为 {name} 的事件或预警", f"there is no incident or alert {name}")
        alert, (name, kind) = name, home
        incident = await alerting.incident(connection, name) if name else None
    if kind == "self":
        return _refused("self", "系统自身的预警不作判定", "the program's own alerts take no verdict")
    seen = command.expected_revision
    if seen is not None and incident is not None and incident.revision != seen:
        return _refused(
            "revision",
            f"事件已有变化（第 {incident.revision} 版，您看到的是第 {seen} 版），请重新查看",
            f"the incident has gone on: it is at revision {incident.revision}, you saw {seen}; look again",
        )
    judgement = Judgement(name, alert, verdict, command.actor, now, command.payload.get("note", ""))
    await acts.judge(connection, judgement)
    of_zh, of_en = (f"预警 {alert}", f"alert {alert}") if alert else (f"事件 {name}", f"incident {name}")
    return Outcome(done=True, because=Because(f"{of_zh}已判定为 {verdict}", f"{of_en} is {verdict}"))


def _refused(reason: str, zh: str, en: str) -> Outcome:
    return Outcome(done=False, because=Because(zh, en), reason=reason)


_ACTS: Mapping[str, Apply] = {"verdict": _verdict}
