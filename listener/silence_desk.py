"""The commands on silences: what is asked for as text, checked and kept."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Because, Incident, Level
from alerts.act import outdated
from alerts.command import Command, Outcome
from alerts.render.words import LEVELS
from alerts.route import LabelName, Matchers
from alerts.silence import Ask, NoSilence, Silence, silence
from listener.storage import alerting, silences
from listener.web.acting import Preview
from listener.yaml_scalars import duration

KNOWN: Final[Mapping[str, LabelName]] = {name: name for name in get_args(LabelName)}
_CLOSED: Final[Mapping[str, frozenset[str]]] = {
    "level": frozenset(Level.__members__),
    "kind": frozenset({"topic", "self"}),
}
LOOKED_BACK: Final = timedelta(days=7)

Applied = tuple[Outcome, tuple[Incident, ...]]


class AskedError(ValueError):
    """A silence that there cannot be; the message is for people, in English, and ``zh`` in Chinese, where there is one."""

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.zh = zh or en


class MatchError(AskedError):
    """A label or a value that no incident has."""


def matchers(asked: Mapping[str, Any]) -> Matchers:
    """Labels, each with its value or a list of values. Raises MatchError."""
    found: dict[LabelName, frozenset[str]] = {}
    for name, values in asked.items():
        label = KNOWN.get(name)
        if label is None:
            known = ", ".join(KNOWN)
            raise MatchError(f"there is no label {name!r}; there are {known}", f"没有标签 {name}，可用的有 {known}")
        wanted = [values] if isinstance(values, str) else values
        if not isinstance(wanted, list) or not wanted or not all(isinstance(value, str) for value in wanted):
            raise MatchError(f"{name}: one value or a list of values is needed", f"{name} 须为一个值或一组值")
        unknown = [value for value in wanted if value not in _CLOSED.get(name, {value})]
        if unknown:
            known = ", ".join(sorted(_CLOSED[name]))
            raise MatchError(
                f"{name}: {unknown[0]!r} is not one of {known}", f"{name} 不能为 {unknown[0]}，可用的有 {known}"
            )
        found[label] = frozenset(wanted)
    return found


async def add_silence(connection: AsyncConnection, command: Command, now: datetime) -> Applied:
    """``subject``: the incident that it is for, by id or number, or empty.

    Payload: ``match``, a JSON object of labels; ``until``, RFC 3339, or ``for``, a duration; ``from``; ``level``, the
    highest to silence; ``reason``, which a button that has no room for one leaves out.
    """
    incident = await alerting.find(connection, command.subject) if command.subject else None
    open_now = await alerting.open_now(connection)
    made = _made(command, incident, open_now, now)
    if isinstance(made, Outcome):
        return made, ()
    kept = await silences.add(connection, made)
    return Outcome(done=True, because=_kept(kept, open_now), incident=incident.id if incident else ""), ()


async def preview(connection: AsyncConnection, command: Command, now: datetime) -> Preview | Outcome:
    """The same command, of which nothing is kept."""
    incident = await alerting.find(connection, command.subject) if command.subject else None
    recent = await alerting.recent(connection, since=now - LOOKED_BACK)
    made = _made(command, incident, [one for one in recent if one.open], now)
    return made if isinstance(made, Outcome) else Preview(made, tuple(one for one in recent if made.matches(one)))


def _made(
    command: Command, incident: Incident | None, open_now: Sequence[Incident], now: datetime
) -> Silence | Outcome:
    """The silence without a number, or why there can be none."""
    name = command.subject
    if name and incident is None:
        return _refused("not_found", f"没有编号为 {name} 的事件", f"there is no incident {name}")
    if incident is not None and (stale := outdated(incident, command.expected_revision)) is not None:
        return Outcome(done=False, because=stale.because, reason=stale.reason, incident=incident.id)
    try:
        ask = _ask(command, incident, now)
    except (ValueError, OverflowError) as error:
        zh = error.zh if isinstance(error, AskedError) else "格式无法识别"
        return _refused("bad_payload", f"静默的参数有误：{zh}", f"a silence cannot be so: {error}")
    made = silence(ask, open_now, now)
    if isinstance(made, NoSilence):
        return Outcome(done=False, because=made.because, reason=made.reason, incident=incident.id if incident else "")
    return made


def _ask(command: Command, incident: Incident | None, now: datetime) -> Ask:
    """Raises ValueError."""
    payload = command.payload
    lasting = lasts(payload["for"]) if "for" in payload else None
    starts_at = moment(payload["from"]) if payload.get("from") else None
    begins = now if starts_at is None else max(starts_at, now)
    if lasting is None and not payload.get("until"):
        raise AskedError("an end is needed", "须写明结束时间")
    level = payload.get("level", "")
    if level and level not in Level.__members__:
        raise AskedError(f"{level!r} is no level", f"没有级别 {level}")
    match = json.loads(payload.get("match") or "{}")
    if not isinstance(match, dict):
        raise MatchError("match must be an object", "match 须为对象")
    return Ask(
        owner=command.actor,
        reason=payload.get("reason", command.origin.partition(" ")[0]),
        ends_at=begins + lasting if lasting else moment(payload["until"]),
        matchers=matchers(match),
        incident=incident,
        starts_at=starts_at,
        level=Level[level] if level else None,
    )


def lasts(text: str) -> timedelta:
    """Raises ValueError or OverflowError."""
    found = duration(text)
    if not found:
        raise AskedError(f"{text!r} is no duration", f"{text} 不是时长")
    return found


def moment(text: str) -> datetime:
    """RFC 3339 with its offset. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise AskedError(f"{text!r} lacks its offset", f"{text} 缺少时区偏移")
    return at


def _kept(kept: Silence, open_now: list[Incident]) -> Because:
    """Its number is the first word in both, and what it leaves loud is named."""
    loud = [f"#{one.number}" for one in open_now if kept.matches(one) and one.level > kept.level]
    more_zh = f"；{'、'.join(loud[:5])} 级别更高，照常通知" if loud else ""
    more_en = f"; {', '.join(loud[:5])} stand higher and are told as ever" if loud else ""
    return Because(
        f"静默 {kept.number} 已登记，{LEVELS['zh'][kept.level]}及以下不通知{more_zh}",
        f"silence {kept.number} is kept: nothing up to {kept.level.name} is told{more_en}",
    )


async def end_silence(connection: AsyncConnection, command: Command, now: datetime) -> Applied:
    """``subject``: its number."""
    digits = command.subject.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
    found = await silences.get(connection, number)
    if found is None:
        return _refused(
            "not_found", f"没有编号为 {command.subject} 的静默", f"there is no silence {command.subject}"
        ), ()
    if found.over_at <= now:
        return _refused("over", f"静默 {number} 已结束", f"silence {number} is over"), ()
    await silences.end(connection, found, by=command.actor, now=now)
    return Outcome(done=True, because=Because(f"静默 {number} 已结束", f"silence {number} has ended")), ()


def _refused(reason: str, zh: str, en: str) -> Outcome:
    return Outcome(done=False, because=Because(zh, en), reason=reason)
