"""Who is called when nobody takes an incident: chains of steps, as pure decisions.

A chain begins when an incident that it matches is open, once per wave. It rests while somebody has taken the incident, or
the incident does not match any more (its level fell), and goes on from where it stood; it ends with the incident, or with
its last step. The kinds of step are those of Grafana OnCall's escalation chains.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import Because
from alerts.hours import TimeInterval, holding
from alerts.incident import Incident
from alerts.route import Matchers, match, views

MOST_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Wait:
    length: timedelta


@dataclass(frozen=True, slots=True)
class Count:
    """So many of the incident's alerts, not resolved, had news within so long."""

    at_least: int
    within: timedelta

    def holds(self, incident: Incident, now: datetime) -> bool:
        recent = (event for event in incident.alerts if event.event != "resolved" and now - event.at <= self.within)
        return sum(1 for _ in recent) >= self.at_least


@dataclass(frozen=True, slots=True)
class Notify:
    """``receivers`` by id, and whoever is on duty by ``schedules``.

    Left out where ``count`` does not hold, or where there are ``times`` and none of them does.
    """

    receivers: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    count: Count | None = None
    times: tuple[TimeInterval, ...] = ()

    def holds(self, incident: Incident, now: datetime) -> bool:
        in_time = not self.times or holding(self.times, now) is not None
        return in_time and (self.count is None or self.count.holds(incident, now))


@dataclass(frozen=True, slots=True)
class Repeat:
    """Once more from the first step, so many times."""

    times: int


Step = Wait | Notify | Repeat


@dataclass(frozen=True, slots=True)
class Chain:
    id: str
    match: Matchers
    steps: tuple[Step, ...]

    def matches(self, incident: Incident) -> bool:
        return any(match(self.match, view) for view in views(incident))


RunState = Literal["waiting", "resting", "ended"]


@dataclass(frozen=True, slots=True)
class Run:
    """How far a chain has come with an incident in one wave.

    ``step``: the place of the step that is done at ``due_at``; ``round``: repeats so far. ``left``: of the wait, while it
    rests. ``reason``: why it ended, or that it rests for a silence. ``notified``: the receivers that it called, each once.
    """

    incident: str
    wave: datetime
    chain: str
    step: int = 0
    round: int = 0
    state: RunState = "waiting"
    due_at: datetime | None = None
    left: timedelta = timedelta(0)
    reason: str = ""
    notified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A message to each of ``receivers``; ``mark`` is of this step, round, chain and wave alone."""

    receivers: tuple[str, ...]
    mark: str
    because: Because


SILENCED = "silenced"


def resting(chain: Chain, incident: Incident) -> bool:
    """Whether a chain waits for what people do."""
    return incident.handling.taken is not None or not chain.matches(incident)


def follow(
    run: Run | None, chain: Chain | None, incident: Incident, now: datetime, *, silent: bool | None = None
) -> Run | None:
    """The run as the incident and the configuration leave it, no step done; None: there is none, and none begins.

    *silent*: nobody hears of it, so that the chain rests; None: as it was.
    *chain*: as it is configured by now, None where it is not any more.
    """
    if run is None:
        if chain is None or not incident.open or not chain.matches(incident):
            return None
        run = Run(incident.id, incident.wave, chain.id, due_at=now)
    if run.state == "ended":
        return run
    if (reason := _over(run, chain, incident)) is not None:
        return replace(run, state="ended", due_at=None, reason=reason)
    silent = run.reason == SILENCED if silent is None else silent
    rests = silent or (chain is not None and resting(chain, incident))
    if run.reason != (reason := SILENCED if silent else ""):
        run = replace(run, reason=reason)
    if rests and run.state == "waiting":
        left = max((run.due_at or now) - now, timedelta(0))
        return replace(run, state="resting", due_at=None, left=left)
    if not rests and (run.state == "resting" or run.due_at is None):
        return replace(run, state="waiting", due_at=now + run.left, left=timedelta(0))
    return run


def _over(run: Run, chain: Chain | None, incident: Incident) -> str | None:
    if incident.handling.merged_into:
        return "merged"
    if not incident.open:
        return "resolved"
    if incident.wave != run.wave:
        return "new_wave"
    if chain is None:
        return "chain_removed"
    return "step_removed" if run.step >= len(chain.steps) else None


def advance(
    run: Run, chain: Chain, incident: Incident, now: datetime, *, duty: Callable[[str], tuple[str, ...]]
) -> tuple[Run, tuple[Call, ...]]:
    """Every step that is due by *now*, up to the next wait or the end. *run* is waiting and due, as ``follow`` left it.

    A wait counts from *now*: after an outage nobody is called before those before them had their time. *duty*: whom a
    schedule's id stands for.
    """
    calls: list[Call] = []
    while run.state == "waiting" and run.due_at is not None and run.due_at <= now:
        if run.step >= len(chain.steps):
            run = replace(run, state="ended", due_at=None, reason="last_step")
            break
        step = chain.steps[run.step]
        if isinstance(step, Wait):
            run = replace(run, step=run.step + 1, due_at=now + step.length)
        elif isinstance(step, Repeat):
            again = run.round < min(step.times, MOST_REPEATS)
            run = replace(run, step=0 if again else run.step + 1, round=run.round + again)
        else:
            call = _call(step, run, incident, now, duty)
            calls += [call] if call is not None else []
            told = dict.fromkeys([*run.notified, *(call.receivers if call is not None else ())])
            run = replace(run, step=run.step + 1, notified=tuple(told))
    if run.state == "waiting" and run.step >= len(chain.steps):
        run = replace(run, state="ended", due_at=None, reason="last_step")
    return run, tuple(calls)


def _call(
    step: Notify, run: Run, incident: Incident, now: datetime, duty: Callable[[str], tuple[str, ...]]
) -> Call | None:
    if not step.holds(incident, now):
        return None
    whom = dict.fromkeys([*step.receivers, *(one for schedule in step.schedules for one in duty(schedule))])
    mark = f"{run.wave.isoformat()}:{run.chain}:{run.round}:{run.step}"
    return Call(tuple(whom), mark, _because(tuple(whom), run, incident, now))


def nobodys_since(incident: Incident) -> datetime:
    """Since when nobody has it, of this wave."""
    wave = incident.wave
    given_up = (act.at for act in incident.handling.timeline if act.kind in {"unacknowledge", "reopen"})
    return max([wave, *(at for at in given_up if at > wave)])


def _because(whom: tuple[str, ...], run: Run, incident: Incident, now: datetime) -> Because:
    minutes = int((now - nobodys_since(incident)).total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    zh = f"{hours} 小时{f' {rest} 分钟' if rest else ''}" if hours else f"{minutes} 分钟"
    en = f"{hours}h{f' {rest}m' if rest else ''}" if hours else f"{minutes}m"
    before = [name for name in run.notified if name not in whom]
    round_zh, round_en = (f"（第 {run.round + 1} 轮）", f" (round {run.round + 1})") if run.round else ("", "")
    called_zh = f"此前已通知 {'、'.join(before)}，" if before else ""
    called_en = f"{', '.join(before)} {'was' if len(before) == 1 else 'were'} notified earlier; " if before else ""
    waited_zh = f"已 {zh}无人认领。" if minutes else "尚无人认领。"
    waited_en = f"Nobody has taken it for {en}. " if minutes else "Nobody has taken it yet. "
    now_en = "now notifying" if called_en else "Now notifying"
    return Because(
        f"{waited_zh}{called_zh}现通知 {'、'.join(whom)}{round_zh}。请立即认领并处置。",
        f"{waited_en}{called_en}{now_en} {', '.join(whom)}{round_en}. Please take it.",
    )
