"""What the flush does beside telling news: chains follow their incident, deadlines and silent takers are told of.

All of it is written in the flush's own transaction, with marks under which each is done once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because, Incident
from alerts.command import Command
from alerts.deadline import SILENCE, AckLife, Lapse, lapse, to_say
from alerts.escalation import Chain, Run
from alerts.escalation import follow as follow_chain
from alerts.oncall import OnCall
from alerts.render.times import duration
from listener.storage import acts, escalations

ORIGIN = "program"


@dataclass(frozen=True, slots=True)
class Message:
    """To those of the incident's receivers that know of it; ``mark`` makes it one of its kind."""

    kind: Literal["remind", "breach"]
    mark: str
    note: Because | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be told now, and when to look again."""

    messages: tuple[Message, ...]
    again: tuple[datetime, ...]


async def follow(
    connection: AsyncConnection,
    incident: Incident,
    runs: Sequence[Run],
    chains: Mapping[str, Chain],
    now: datetime,
    *,
    silent: bool | None = None,
) -> list[Run]:
    """Let chains begin, rest, go on and end as the incident is by now; all runs of the incident, which were *runs*.

    ``silent``: nobody hears of it, for a silence or another incident; None: as it was.
    """
    before = {(run.wave, run.chain): run for run in runs}
    names = {(incident.wave, chain) for chain in chains} | before.keys()
    found = []
    for name in sorted(names):
        run = follow_chain(before.get(name), chains.get(name[1]), incident, now, silent=silent)
        if run is not None:
            found.append(run)
            if run != before.get(name):
                await escalations.keep(connection, run)
    return found


async def due(
    connection: AsyncConnection,
    incident: Incident,
    said: Mapping[str, datetime],
    settings: OnCall,
    now: datetime,
    *,
    silent: bool,
) -> Due:
    """Deadlines that are near or over, and takers that gave no sign of life. What is decided is marked as said."""
    if not incident.open or silent:
        return Due((), ())
    messages: list[Message] = []
    say, deadline_at = to_say(incident, settings.times, said, now)
    if say is not None:
        messages.append(Message(say.kind, say.marks[-1]))
        await escalations.say(connection, incident.id, say.marks, at=now)
    quiet, lapse_at = lapse(incident, settings.life, said, now)
    if quiet is not None:
        await escalations.say(connection, incident.id, [quiet.mark], at=now)
        if quiet.what == "remind":
            messages.append(Message("remind", quiet.mark, _why(incident, quiet, settings.life)))
            _, lapse_at = lapse(incident, settings.life, {**said, quiet.mark: now}, now)
        else:
            await acts.put(connection, _give_up(incident, now))
    return Due(tuple(messages), tuple(at for at in (deadline_at, lapse_at) if at is not None))


def _give_up(incident: Incident, now: datetime) -> Command:
    """The way that people's acts go: the timeline and the audit log hold it, and it is refused if somebody acted since."""
    payload = {"value": SILENCE}
    return Command("unacknowledge", incident.id, "", ORIGIN, now, payload, expected_revision=incident.revision)


def _why(incident: Incident, silent: Lapse, life: AckLife) -> Because:
    who = incident.handling.taken.by if incident.handling.taken is not None else ""
    quiet_zh, quiet_en = (duration(silent.silent, language) for language in ("zh", "en"))
    zh, en = f"{who} 认领后已 {quiet_zh}没有任何操作。", f"{who} took it; nothing was done for {quiet_en}."
    if life.give_up_after is None:
        return Because(f"{zh}请跟进并登记进展。", f"{en} Follow up and record it.")
    left_zh, left_en = (duration(life.give_up_after, language) for language in ("zh", "en"))
    return Because(
        f"{zh}请跟进并登记进展；{left_zh}内仍无操作，将自动取消认领并恢复升级通知。",
        f"{en} Follow up and record it: after {left_en} more without an act it is nobody's, and escalation goes on.",
    )
