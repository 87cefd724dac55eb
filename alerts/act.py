"""What an act makes of an incident: pure decisions, each with its refusals.

    open ── acknowledge ──▶ acknowledged ── respond ──▶ mitigating ── resolve ──▶ resolved ── close ──▶ closed

``respond`` may come first, ``resolve`` from any open state; a new wave of alerts, or a higher level than was taken, makes it
open again. What races with the end of an incident is refused, it never opens one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from alerts.alert import Because
from alerts.handling import ACTS, Act, ActKind, Ended, Handling, Taken
from alerts.incident import Incident, outgrown, settled, turned, with_act


@dataclass(frozen=True, slots=True)
class Refused:
    """``reason`` for programs."""

    reason: str
    because: Because


@dataclass(frozen=True, slots=True)
class Done:
    """The incidents as they are after it, the act's own first; none where it was so already."""

    incidents: tuple[Incident, ...]
    because: Because


def perform(incident: Incident, act: Act, *, seen: int | None = None, other: Incident | None = None) -> Done | Refused:
    """*act* done to *incident*, or why not.

    ``seen``: the revision that the actor saw; refused where the incident has turned since. ``other``: what a ``merge``
    joins this one to.
    """
    if incident.handling.merged_into:
        into = incident.handling.merged_into
        return _refused(incident, "merged", f"已并入事件 {into}", f"was merged into incident {into}")
    if (stale := outdated(incident, seen)) is not None:
        return stale
    if act.kind == "unacknowledge" and not act.by and seen is not None and acts_since(incident, seen, ACTS):
        return _refused(incident, "renewed", "已有新的操作，认领继续有效", "has been acted on since; it stays taken")
    if act.kind == "merge":
        return _merge(incident, act, other)
    if act.kind == "split":
        return _split(incident, act)
    return _ACTS[act.kind](incident, act)


def outdated(incident: Incident, seen: int | None) -> Refused | None:
    """Why who saw revision *seen* must look again; None: they need not. News that changes no decision is no reason."""
    if seen is None or incident.turn <= seen <= incident.revision:
        return None
    return _refused(
        incident,
        "revision",
        f"已有变化（第 {incident.revision} 版，您看到的是第 {seen} 版），请重新查看",
        f"has gone on: it is at revision {incident.revision}, you saw {seen}; look again",
    )


def called(incident: Incident) -> str:
    """What people call it, in either language."""
    return f"#{incident.number} " if incident.number else f"{incident.id} "


def _after(incident: Incident, act: Act, handling: Handling, zh: str, en: str, *, turns: bool = False) -> Done:
    revision = incident.revision + 1
    updated_at = max(incident.updated_at, act.at) if incident.open else incident.updated_at
    name = called(incident)
    after = replace(
        incident,
        revision=revision,
        updated_at=updated_at,
        turn=revision if turns else incident.turn,
        handling=with_act(handling, replace(act, revision=revision)),
    )
    if incident.open != after.open:
        after = replace(after, over_at=None if after.open else act.at)
    return Done((after,), Because(f"{name}{zh}", f"{name}{en}"))


def _refused(incident: Incident, reason: str, zh: str, en: str) -> Refused:
    name = called(incident)
    return Refused(reason, Because(f"{name}{zh}", f"{name}{en}"))


def _over(incident: Incident) -> Refused:
    return _refused(incident, "over", "已结束，不能再执行此操作", "is over; this cannot be done to it")


def _acknowledge(incident: Incident, act: Act) -> Done | Refused:
    if not incident.open:
        return _over(incident)
    taken = incident.handling.taken
    if taken is not None and taken.by == act.by:
        return Done((), Because(f"{called(incident)}已由您认领", f"{called(incident)}is yours already"))
    if taken is not None:
        return _refused(incident, "taken", f"已由 {taken.by} 认领", f"was taken by {taken.by}")
    handling = replace(
        incident.handling, owner=incident.handling.owner or act.by, taken=Taken(act.by, act.at, incident.level)
    )
    return _after(incident, act, handling, f"已由 {act.by} 认领", f"was taken by {act.by}", turns=True)


def _unacknowledge(incident: Incident, act: Act) -> Done | Refused:
    if not incident.open:
        return _over(incident)
    if incident.handling.taken is None:
        return _refused(incident, "not_taken", "尚无人认领", "was taken by nobody")
    handling = replace(incident.handling, taken=None)
    return _after(incident, act, handling, "已取消认领", "is nobody's again", turns=True)


def _assign(incident: Incident, act: Act) -> Done | Refused:
    if incident.handling.closed_at is not None:
        return _over(incident)
    if incident.handling.owner == act.value:
        return Done((), Because(f"{called(incident)}负责人未变", f"{called(incident)}keeps its owner"))
    whom_zh, whom_en = (f"已指派给 {act.value}", f"is {act.value}'s") if act.value else ("已无负责人", "has no owner")
    return _after(incident, act, replace(incident.handling, owner=act.value), whom_zh, whom_en)


def _note(incident: Incident, act: Act) -> Done | Refused:
    if not act.text:
        return _refused(incident, "no_text", "备注不能为空", "needs a text for a note")
    return _after(incident, act, incident.handling, "已添加备注", "has a note more")


def _check(incident: Incident, act: Act) -> Done | Refused:
    if incident.handling.closed_at is not None:
        return _over(incident)
    done = [step for step in incident.handling.checked if step != act.value]
    if act.kind == "check":
        done.append(act.value)
    if tuple(done) == incident.handling.checked or not act.value:
        return _refused(incident, "no_step", f"预案步骤无变化：{act.value}", f"has no such step to change: {act.value}")
    handling = replace(incident.handling, checked=tuple(done))
    return _after(incident, act, handling, f"预案步骤已更新：{act.value}", f"has a step changed: {act.value}")


def _respond(incident: Incident, act: Act) -> Done | Refused:
    if not incident.open:
        return _over(incident)
    if incident.handling.responded_at is not None:
        return _refused(incident, "responded", "已登记过回应，可添加备注", "was answered before; add a note")
    taken = incident.handling.taken or Taken(act.by, act.at, incident.level)
    handling = replace(incident.handling, owner=incident.handling.owner or act.by, taken=taken, responded_at=act.at)
    return _after(incident, act, handling, "已登记对外回应", "has its answer out", turns=True)


def _resolve(incident: Incident, act: Act) -> Done | Refused:
    if not incident.open:
        return _over(incident)
    handling = replace(incident.handling, ended=Ended(act.by, act.at, incident.level))
    return _after(incident, act, handling, f"已由 {act.by} 解除", f"was resolved by {act.by}", turns=True)


def _reopen(incident: Incident, act: Act) -> Done | Refused:
    handling = incident.handling
    if incident.open:
        return _refused(incident, "open", "并未结束", "is open")
    if not incident.firing or handling.closed_at is not None:
        return _refused(
            incident,
            "over",
            "的预警都已恢复，再次触发时会自动重新打开",
            "has no alert that fires; it opens by itself when one does",
        )
    fresh = replace(handling, ended=None, taken=None, responded_at=None)
    return _after(incident, act, fresh, "已重新打开", "is open again", turns=True)


def _close(incident: Incident, act: Act) -> Done | Refused:
    if incident.open:
        return _refused(incident, "open", "尚未结束，请先解除", "is open; resolve it first")
    if incident.handling.closed_at is not None:
        return _refused(incident, "closed", "已归档", "is closed already")
    if incident.firing:
        return _refused(
            incident, "firing", "的预警仍在触发，全部恢复后才能归档", "still fires; it can be closed once that is over"
        )
    if not act.text:
        return _refused(incident, "no_text", "归档须附复盘说明", "needs a post-incident note to be closed")
    return _after(incident, act, replace(incident.handling, closed_at=act.at), "已归档", "is closed")


_ACTS: Mapping[ActKind, Callable[[Incident, Act], Done | Refused]] = {
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "assign": _assign,
    "note": _note,
    "check": _check,
    "uncheck": _check,
    "respond": _respond,
    "resolve": _resolve,
    "reopen": _reopen,
    "close": _close,
}


def _merge(incident: Incident, act: Act, into: Incident | None) -> Done | Refused:
    if into is None or into.id == incident.id:
        return _refused(incident, "no_other", f"没有可并入的事件 {act.value}", f"finds no incident {act.value} to join")
    for one in (incident, into):
        if one.kind != "topic":
            return _refused(one, "self", "是系统自身的告警，不能合并", "is of the program itself; it is not merged")
        if one.handling.closed_at is not None or one.handling.merged_into:
            return _refused(one, "closed", "已归档，不能合并", "is closed; it is not merged")
        if settled(one, act.at):
            return _refused(one, "over", "早已结束，不能合并", "was over long ago; it is not merged")
    known = {event.alert for event in into.alerts}
    alerts = sorted(
        [*into.alerts, *(event for event in incident.alerts if event.alert not in known)], key=lambda event: event.at
    )
    gathers = (*into.gathers, *(topic for topic in incident.gathers if topic not in into.gathers))
    revision = into.revision + 1
    after = replace(
        into,
        alerts=tuple(replace(event, incident=into.id) for event in alerts),
        gathers=gathers,
        revision=revision,
        updated_at=max(into.updated_at, incident.updated_at),
        turn=revision if into.open else into.turn,
    )
    joined = replace(act, kind="merged", value=incident.id, revision=revision, other=incident.number)
    after = _as_it_stands(into, replace(after, handling=with_act(into.handling, joined)), act)
    gone = _after(
        replace(incident, gathers=()),
        replace(act, value=into.id, other=into.number),
        replace(incident.handling, merged_into=into.id),
        f"已并入 {called(into).strip()}",
        f"is part of {called(into).strip()}",
        turns=incident.open,
    )
    return Done((*gone.incidents, after), gone.because)


def _split(incident: Incident, act: Act) -> Done | Refused:
    wanted = {name for name in act.value.split(",") if name}
    mine = {event.alert for event in incident.alerts}
    if incident.handling.closed_at is not None or settled(incident, act.at):
        return _over(incident)
    if incident.kind != "topic" or not wanted or not wanted < mine:
        return _refused(
            incident,
            "no_alerts",
            "须拆出其中一部分预警，不能全部拆出",
            "can give away some of its alerts, not all, not others",
        )
    moved = tuple(event for event in incident.alerts if event.alert in wanted)
    # Apart also where it was split off another before, at the same revision.
    name = f"{moved[0].alert}-s{incident.number or incident.id}.{incident.revision}"
    first = min(event.at for event in moved)
    apart = Incident(
        name,
        incident.kind,
        moved[0].topic,
        first,
        max(event.at for event in moved),
        1,
        tuple(replace(event, incident=name) for event in moved),
        since=first,
    )
    apart = replace(
        apart,
        reached=((apart.level, first),),
        handling=with_act(Handling(), replace(act, value=incident.id, revision=1, other=incident.number)),
    )
    left_over = tuple(event for event in incident.alerts if event.alert not in wanted)
    # A topic that came with the alerts goes with the last of them; the one that the incident began with stays.
    gone = {event.topic for event in moved} - {incident.topic, *(event.topic for event in left_over)}
    gathers = tuple(topic for topic in incident.gathers if topic in gone)
    apart = replace(apart, gathers=gathers)
    rest = replace(
        incident, alerts=left_over, gathers=tuple(topic for topic in incident.gathers if topic not in gathers)
    )
    kept = _after(
        rest, replace(act, value=name), rest.handling, f"已拆出 {len(moved)} 条预警", f"gave {len(moved)} away"
    )
    left = _as_it_stands(incident, kept.incidents[0], act)
    return Done((left, apart), kept.because)


def _as_it_stands(before: Incident, after: Incident, act: Act) -> Incident:
    """An act that moves alerts may open an incident, end it, or raise it above what was resolved or taken."""
    ended = after.handling.ended
    if ended is not None and after.level > ended.level:
        after = replace(after, handling=replace(after.handling, ended=None))
    after = turned(before, after, act.at)
    if outgrown(after):
        after = replace(after, handling=replace(after.handling, taken=None), turn=after.revision)
    return after


def acts_since(incident: Incident, revision: int, kinds: Collection[ActKind]) -> tuple[Act, ...]:
    """The acts of these kinds that came after a revision, oldest first."""
    return tuple(act for act in incident.handling.timeline if act.revision > revision and act.kind in kinds)
