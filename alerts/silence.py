"""Silences: a person mutes incidents for a time. What is silenced goes on being evaluated and kept; it is only not told.

A silence holds for the incidents that it matches, up to its level: what stands higher is told as ever. What it holds
breaks through once, where the level rises above what it was when the silence began for it, or where it has grown
fourfold. At the end receivers hear of what is still open, and of nothing that began and ended meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import Because, Level
from alerts.flush import Decision, Told
from alerts.hold import Held
from alerts.incident import Incident
from alerts.route import LabelName, Leg, Matchers, Route, match, views
from alerts.settle import known_level

LONGEST = timedelta(days=7)
WARNED = timedelta(hours=1)  # before the end
GROWN = 4


@dataclass(frozen=True, slots=True)
class Silence:
    """``matchers``: each label has one of its values; ``incident``: it is the one of this number. All must be so.

    ``level``: the highest that it holds. It lasts from ``starts_at`` up to ``over_at``. ``number``: 0 until it is kept.
    """

    matchers: Matchers
    incident: int | None
    level: Level
    owner: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    number: int = 0
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def over_at(self) -> datetime:
        return self.ends_at if self.ended_at is None else min(self.ends_at, self.ended_at)

    def active(self, now: datetime) -> bool:
        return self.starts_at <= now < self.over_at

    def matches(self, incident: Incident) -> bool:
        """Whatever its level is, unless the silence names levels; of two topics in one incident it must cover both."""
        if self.incident is not None and incident.number != self.incident:
            return False
        return all(match(self.matchers, view) for view in views(incident))

    def holds(self, incident: Incident, level: Level, now: datetime) -> bool:
        """*level*: the incident's, or what a receiver knows of it where that is higher."""
        return self.active(now) and level <= self.level and self.matches(incident)


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks for. ``level`` None: as high as what is open and matches stands, and never red."""

    owner: str
    reason: str
    ends_at: datetime
    matchers: Matchers = field(default_factory=dict)
    incident: Incident | None = None
    starts_at: datetime | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class NoSilence:
    """Why it cannot be; ``reason`` for programs."""

    reason: str
    because: Because


def silence(  # noqa: PLR0911 - one for each refusal
    ask: Ask, open_incidents: Iterable[Incident], now: datetime
) -> Silence | NoSilence:
    """The silence that is asked for, without a number, or why there can be none."""
    starts_at = now if ask.starts_at is None else max(ask.starts_at, now)
    if not ask.reason.strip():
        return _no("no_text", "静默须写明原因", "a silence needs a reason")
    if ask.incident is None and not any(ask.matchers.values()):
        return _no("no_match", "须指明静默哪些事件", "a silence must say which incidents it is for")
    if ask.ends_at <= starts_at:
        return _no(
            "times", "静默的结束时间须晚于开始时间和当前时间", "a silence must end after it starts, and after now"
        )
    if ask.ends_at - starts_at > LONGEST:
        return _no("too_long", "静默最长 7 天", "a silence lasts 7 days at most")
    if ask.incident is not None and not ask.incident.open:
        return _no("over", f"事件 #{ask.incident.number} 已结束", f"incident #{ask.incident.number} is over")
    made = Silence(
        ask.matchers, ask.incident.number if ask.incident else None, ask.level or Level.red,
        ask.owner, ask.reason.strip(), starts_at, ask.ends_at, now,
    )  # fmt: skip
    if ask.level is None:
        found = [one.level for one in open_incidents if made.matches(one) and one.level < Level.red]
        made = replace(made, level=max(found, default=Level.orange))
    if ask.incident is not None and ask.incident.level > made.level:
        return _no(
            "above",
            f"事件 #{ask.incident.number} 的级别高于所要静默的级别；静默红色须明确指定",
            f"incident #{ask.incident.number} stands above what would be silenced; red must be asked for",
        )
    return made


def _no(reason: str, zh: str, en: str) -> NoSilence:
    return NoSilence(reason, Because(zh, en))


@dataclass(frozen=True, slots=True)
class Stay:
    """An incident's time under a silence, and how it stood when that began, at ``since``.

    ``rule``, ``mentions`` and ``seen`` are the lead alert's. ``broke``: the revision with which it broke through.
    """

    silence: Silence
    since: datetime
    level: Level
    rule: str
    mentions: int
    seen: float
    broke: int | None = None

    def breaks(self, incident: Incident) -> bool:
        """Whether it has risen, or grown fourfold: by mentions, where they are known, else by what its rule counts."""
        if not incident.open:
            return False
        lead = incident.lead
        if self.mentions:
            grown = lead.reached.mentions >= GROWN * self.mentions
        else:
            grown = self.seen > 0 and lead.rule == self.rule and lead.seen >= GROWN * self.seen
        return incident.level > self.level or grown


def stay(silence: Silence, incident: Incident, before: Stay | None, now: datetime) -> Stay | None:
    """How the incident is under the silence by now, having been as *before*; None: it never was.

    A new wave of alerts is a new beginning.
    """
    if not silence.active(now) or not silence.matches(incident):
        return before
    began = max(silence.starts_at, incident.wave)
    if before is None or (incident.open and before.since < began):
        if incident.level > silence.level:
            return before
        lead = incident.lead
        return Stay(silence, began, incident.level, lead.rule, lead.reached.mentions, lead.seen)
    if before.broke is None and before.breaks(incident):
        return replace(before, broke=incident.revision)
    return before


def speak(
    decision: Decision,
    incident: Incident,
    told: Told | None,
    leg: Leg,
    stays: Iterable[Stay],
    *,
    first_at: datetime,
    now: datetime,
) -> tuple[Decision, Held | None]:
    """What comes of a decision under the incident's silences, also those that are over, and what holds it."""
    level = known_level(incident, told)
    under = [one for one in stays if level <= one.silence.level]
    holding = [one for one in under if one.silence.holds(incident, level, now)]
    if holding:
        last = max(holding, key=lambda one: (one.silence.over_at, one.silence.number)).silence
        heard = -1 if told is None else told.revision
        owed = any(one.broke is not None and one.broke > heard for one in holding)
        if owed and incident.open and decision.reason != "group_wait":
            return Decision("breakthrough", "breakthrough", last.over_at), None
        return decision, Held("silenced", str(last.number), last.over_at)
    # A wave that it did not hold, such as of another topic that joined, was told as ever.
    over = [one.silence.over_at for one in under if incident.wave <= one.since < one.silence.over_at <= now]
    if not over or not incident.open or decision.reason == "group_wait":
        return decision, None
    end = max(over)
    heard_since = told is not None and told.at >= end
    began = max(first_at, incident.wave)
    if heard_since or began >= end:
        return decision, None
    taken = incident.handling.taken is not None
    return Decision(
        "unsilenced", "unsilenced", None if taken else now + max(leg.repeat_interval, leg.group_interval)
    ), None


def receivers(silence: Silence, route: Route) -> tuple[str, ...]:
    """Who is told of incidents that the silence can hold: all that its labels and levels leave possible."""
    levels = frozenset(level.name for level in Level if level <= silence.level)
    possible: dict[LabelName, frozenset[str]] = {**silence.matchers}
    possible["level"] = possible.get("level", levels) & levels
    if any("" not in silence.matchers.get(name, frozenset({""})) for name in ("topic", "brand")):
        possible["kind"] = possible.get("kind", frozenset({"topic"})) & {"topic"}
    return tuple(dict.fromkeys(_reached(route, possible)[0]))


def _reached(route: Route, possible: Matchers) -> tuple[list[str], bool]:
    """The receivers of the nodes that may take it, and whether this one surely does."""
    sure = True
    narrowed = dict(possible)
    for name, values in route.match_labels.items():
        if name not in possible:
            sure, narrowed[name] = False, values
            continue
        narrowed[name] = possible[name] & values
        sure = sure and possible[name] <= values
        if not narrowed[name]:
            return [], False
    found: list[str] = []
    taken = False
    for branch in route.routes:
        below, all_taken = _reached(branch, narrowed)
        found += below
        taken = taken or all_taken
        if all_taken and not branch.go_on:
            break
    return ([] if taken else [route.leg.receiver]) + found, sure


# What there is to say of the silence itself

Phase = Literal["start", "warn", "end"]
RULE = "self-silence"
"""The rule of the alert in whose form a silence's own notices go."""


def due(silence: Silence, told: str) -> tuple[Phase, datetime] | None:
    """The notice that follows on *told*, the last that was given, and when; None: there is none left.

    One that ended before it began has none.
    """
    if silence.over_at <= silence.starts_at or told == "end":
        return None
    if not told:
        return "start", silence.starts_at
    warn_at = silence.ends_at - WARNED
    if told == "start" and silence.starts_at < warn_at < silence.over_at:
        return "warn", warn_at
    return "end", silence.over_at


def due_notice(silence: Silence, told: str, now: datetime) -> Phase | None:
    """The one to give at *now*: of several that are due, because nobody could give them in time, the last."""
    given: Phase | None = None
    while (following := due(silence, told)) is not None and following[1] <= now:
        given = told = following[0]
    return given
