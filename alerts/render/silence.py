"""What there is to say of a silence itself, in the form in which every channel takes a notification."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from alerts.alert import AlertEvent, Because, Level
from alerts.incident import Incident
from alerts.notification import NotificationKind
from alerts.render import times
from alerts.render.act import named
from alerts.render.channels import channel
from alerts.render.names import KINDS as KINDS_ZH
from alerts.render.names import LABELS
from alerts.render.text import cut, defuse
from alerts.render.words import LEVELS, WORDS, Language
from alerts.silence import RULE, Phase, Silence, Stay

KINDS: dict[Phase, NotificationKind] = {"start": "open", "warn": "repeat", "end": "resolve"}
_EVENTS: dict[Phase, Literal["opened", "updated", "resolved"]] = {
    "start": "opened",
    "warn": "updated",
    "end": "resolved",
}
_NAMED = 5
_REASON, _SCOPE = 160, 100

_SAID: dict[Language, dict[str, str]] = {
    "zh": {
        "incident": "事件 #{number}",
        "start": "{owner} 设置静默，至 {until}。原因：{reason}。{level}及以下暂不通知；级别上升，或增至四倍，仍会通知一次。",
        "start_red": "{owner} 设置静默，至 {until}。原因：{reason}。红色也暂不通知；增至四倍，仍会通知一次。",
        "warn": "{owner} 设置的静默将于 {until} 结束。原因：{reason}。",
        "expired": "{owner} 设置的静默已到期。原因：{reason}。",
        "ended": "{owner} 设置的静默已由 {by} 提前结束。原因：{reason}。",
        "hidden": "静默期间共 {incidents} 起事件、{alerts} 条预警。",
        "nothing": "静默期间没有预警。",
        "open": "仍未解除：{incidents}。",
        "over": "均已解除。",
        "matched": "当前涉及：{incidents}。",
    },
    "en": {
        "incident": "incident #{number}",
        "start": "{owner} silences it until {until}. Why: {reason}. Nothing up to {level} is told; what rises, or grows "
        "fourfold, still is, once.",
        "start_red": "{owner} silences it until {until}. Why: {reason}. Nothing is told, red neither; what grows fourfold "
        "still is, once.",
        "warn": "{owner}'s silence ends at {until}. Why: {reason}.",
        "expired": "{owner}'s silence is over. Why: {reason}.",
        "ended": "{owner}'s silence was ended early by {by}. Why: {reason}.",
        "hidden": "Incidents under it: {incidents}, alerts: {alerts}.",
        "nothing": "There was no alert under it.",
        "open": "Still open: {incidents}.",
        "over": "All of it is over.",
        "matched": "Open now: {incidents}.",
    },
}


def notice(
    silence: Silence, phase: Phase, under: Sequence[tuple[Incident, Stay | None]], *, now: datetime, timezone: str
) -> Incident:
    """One alert about nothing that is wrong. *under*: the incidents that the silence concerns, or has concerned."""
    name = f"silence-{silence.number}"
    event = AlertEvent(
        event=_EVENTS[phase],
        kind="self",
        at=now,
        alert=name,
        revision=list(KINDS).index(phase) + 1,
        rule=RULE,
        topic=None,
        key={"silence": str(silence.number)},
        level=Level.blue,
        because=Because(
            _because(silence, phase, under, "zh", now, timezone),
            _because(silence, phase, under, "en", now, timezone),
        ),
        seen=float(len(under)),
        title=Because(scope(silence, "zh"), scope(silence, "en")),
        incident=name,
    )
    return Incident(name, "self", None, silence.starts_at, now, event.revision, (event,), since=silence.starts_at)


def scope(silence: Silence, language: Language) -> str:
    """Which incidents it is for: 事件 #12，话题 acme/rival，级别 黄色; in English as the configuration has it."""
    told = [_SAID[language]["incident"].format(number=silence.incident)] if silence.incident is not None else []
    matchers = sorted(silence.matchers.items())
    if language == "zh":
        told += [
            f"{LABELS[name]} {'/'.join(_valued(name, value) for value in sorted(values))}" for name, values in matchers
        ]
    else:
        told += [f"{name}={'/'.join(sorted(values))}" for name, values in matchers]
    return cut(defuse(("，" if language == "zh" else " ").join(told), WORDS[language]["link"]), _SCOPE)


def _valued(name: str, value: str) -> str:
    """A label's value as a Chinese reader knows it."""
    if name == "level" and value in Level.__members__:
        return LEVELS["zh"][Level[value]]
    return KINDS_ZH.get(value, value) if name == "kind" else channel(value, "zh") if name == "channel" else value


def hidden(under: Sequence[tuple[Incident, Stay | None]]) -> tuple[int, int]:
    """How many incidents and alerts the silence was over: those that were open at a time of it."""
    counts = [
        sum(event.event != "resolved" or event.at >= stay.since for event in incident.alerts)
        for incident, stay in under
        if stay is not None
    ]
    return sum(count > 0 for count in counts), sum(counts)


def _because(
    silence: Silence,
    phase: Phase,
    under: Sequence[tuple[Incident, Stay | None]],
    language: Language,
    now: datetime,
    timezone: str,
) -> str:
    said = _SAID[language]
    state: str = phase
    if phase == "start" and silence.level is Level.red:
        state = "start_red"
    elif phase == "end":
        state = "expired" if silence.ended_at is None else "ended"
    whole = said[state].format(
        owner=named(silence.owner, language),
        by=named(silence.ended_by, language),
        until=times.moment(silence.ends_at, times.zone(timezone), now, language),
        reason=cut(defuse(silence.reason, WORDS[language]["link"]), _REASON).rstrip("。."),
        level=LEVELS[language][silence.level],
    )
    parts = [whole]
    going_on = [incident for incident, _ in under if incident.open and incident.level <= silence.level]
    if phase != "start":
        incidents, alerts = hidden(under)
        parts.append(said["hidden"].format(incidents=incidents, alerts=alerts) if alerts else said["nothing"])
        if alerts and not going_on:
            parts.append(said["over"])
    if going_on:
        told = said["matched" if phase == "start" else "open"]
        parts.append(told.format(incidents=_listed(going_on, language)))
    return ("" if language == "zh" else " ").join(parts)


def _listed(incidents: Sequence[Incident], language: Language) -> str:
    word = WORDS[language]
    ordered = sorted(incidents, key=lambda one: (-one.level, one.opened_at))
    told = [
        f"#{one.number} " + word["member"].format(
            title=cut(defuse(one.lead.title.of(language) or one.lead.rule, word["link"]), 30),
            level=LEVELS[language][one.level],
        )
        for one in ordered[:_NAMED]
    ]  # fmt: skip
    return word["comma"].join(told) + (f" +{len(ordered) - _NAMED}" if len(ordered) > _NAMED else "")
