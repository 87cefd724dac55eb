"""Where commands are applied: to the incidents that the decider goes on with, and to those that only the database knows."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because, Incident
from alerts.act import Refused, called, outdated, perform
from alerts.command import Command, Outcome
from alerts.handling import ACTS, Act, ActKind
from alerts.incident import Incidents
from alerts.playbook import Playbook, find_step, named_by
from alerts.render.names import JUDGED
from alerts.verdict import VERDICTS, Judgement, Verdict
from listener.silence_desk import add_silence, end_silence
from listener.storage import acts, alerting, silences

_VERDICTS: Mapping[str, Verdict] = {name: name for name in VERDICTS}
_KINDS: Mapping[str, ActKind] = {name: name for name in ACTS if name != "merged"}

Applied = tuple[Outcome, tuple[Incident, ...]]
Apply = Callable[[AsyncConnection, Command, datetime], Awaitable[Applied]]


class Desk:
    def __init__(self, incidents: Incidents, playbooks: Callable[[], Mapping[str, Playbook]] = dict) -> None:
        """*playbooks*: by what a rule names; those that are pages elsewhere are not among them."""
        self._incidents = incidents
        self._playbooks = playbooks

    async def apply(self, connection: AsyncConnection, command: Command, now: datetime) -> Applied:
        """What comes of a command, and the incidents that it changed: ``keep`` must be told once the transaction is."""
        if command.kind in _KINDS:
            return await self._act(connection, command, now)
        apply = _OTHERS.get(command.kind)
        if apply is None:
            return _refused("unknown_kind", f"不认识的操作：{command.kind}", f"there is no act {command.kind!r}"), ()
        return await apply(connection, command, now)

    def _step(self, incident: Incident, asked: str) -> str | Outcome:
        """The step that is meant; of a playbook that is a page elsewhere, or none at all, whatever was asked."""
        named, known = named_by(incident), self._playbooks()
        found = [known[name] for name in named if name in known]
        if (step := find_step(asked, found)) is not None:
            return step
        if not asked or not found or len(found) < len(named):
            return asked
        have = "; ".join(f"{one.name}:1-{one.length}" for one in found)
        zh = f"{called(incident)}的预案没有步骤 {asked}（有 {have}）"
        en = f"{called(incident)}has no step {asked} in its playbook: it has {have}"
        return _refused("no_step", zh, en, incident.id)

    def keep(self, changed: Iterable[Incident], now: datetime) -> None:
        """Let the decider go on with what was changed."""
        for incident in changed:
            self._incidents.acted(incident, now)

    async def _act(self, connection: AsyncConnection, command: Command, now: datetime) -> Applied:
        incident = await alerting.find(connection, command.subject)
        if incident is None:
            return _not_found(command.subject), ()
        value = command.payload.get("value", "")
        if command.kind in {"check", "uncheck"}:
            step = self._step(incident, value)
            if isinstance(step, Outcome):
                return step, ()
            value = step
        other = await alerting.find(connection, value) if command.kind == "merge" else None
        act = Act(_KINDS[command.kind], command.actor, now, command.payload.get("text", ""), value, command.origin)
        outcome = perform(incident, act, seen=command.expected_revision, other=other)
        if isinstance(outcome, Refused):
            return Outcome(done=False, because=outcome.because, reason=outcome.reason, incident=incident.id), ()
        kept = tuple(await alerting.keep(connection, outcome.incidents, now=now))
        if command.kind == "merge":
            gone, into = kept
            await silences.follow(connection, gone.number, into.number, now)
        return Outcome(done=True, because=outcome.because, incident=incident.id), kept


async def _verdict(connection: AsyncConnection, command: Command, now: datetime) -> Applied:
    """On an incident, or on one alert: where the subject is no incident, or ``of`` says ``alert``."""
    asked = command.payload.get("verdict", "")
    verdict = _VERDICTS.get(asked)
    if verdict is None:
        return _refused(
            "bad_payload",
            f"判定须为 real（属实）、noise（误报）或 known（已知情况），不是 {asked}",
            f"{asked!r} is no verdict",
        ), ()
    name, alert = command.subject, ""
    incident = await alerting.find(connection, name) if command.payload.get("of") != "alert" else None
    kind: str = incident.kind if incident else ""
    if incident is None:
        home = await acts.home_of(connection, name)
        if home is None:
            return _not_found(name), ()
        alert, (name, kind) = name, home
        incident = await alerting.incident(connection, name) if name else None
    else:
        name = incident.id
    if kind == "self":
        return _refused("self", "系统自身的预警不作判定", "the program's own alerts take no verdict", name), ()
    stale = outdated(incident, command.expected_revision) if incident is not None else None
    if stale is not None:
        return Outcome(done=False, because=stale.because, reason=stale.reason, incident=name), ()
    judgement = Judgement(name, alert, verdict, command.actor, now, command.payload.get("note", ""))
    await acts.judge(connection, judgement)
    of_zh, of_en = (f"预警 {alert}", f"alert {alert}") if alert else (f"事件 {name}", f"incident {name}")
    because = Because(f"{of_zh}已判定为{JUDGED[verdict]}", f"{of_en} is {verdict}")
    return Outcome(done=True, because=because, incident=name), ()


def _not_found(name: str) -> Outcome:
    return _refused("not_found", f"没有编号为 {name} 的事件或预警", f"there is no incident or alert {name}")


def _refused(reason: str, zh: str, en: str, incident: str = "") -> Outcome:
    return Outcome(done=False, because=Because(zh, en), reason=reason, incident=incident)


_OTHERS: Mapping[str, Apply] = {"verdict": _verdict, "silence": add_silence, "unsilence": end_silence}
