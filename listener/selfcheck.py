"""The program's own alerts: a blind or silent source, a channel that gave up, a rule that raised.

"No alert" and "collector dead" must never look the same.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import AlertEvent, Because, Coverage, Level
from alerts.channel_names import in_chinese
from alerts.render.times import duration, moment
from alerts.render.words import LANGUAGES
from listener.collectors import SourceConfig
from listener.deliver import Outcome
from listener.escalate import Audit
from listener.failure_words import failure_zh
from listener.storage.outbox import Address
from listener.storage.sources import Arrivals, SourceState

EVERY = timedelta(seconds=5)
ENOUGH_ARRIVALS = 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that must be told: the rule it counts under, what it is about, how bad, and why."""

    rule: str
    key: tuple[tuple[str, str], ...]
    level: Level
    title: Because
    because: Because
    seen: float
    coverage: Coverage = field(default_factory=Coverage)


def blind_since(
    source: SourceConfig, state: SourceState | None, started_at: datetime, now: datetime
) -> datetime | None:
    """Since when a source has not been seen, where that is longer than it may be; from the start where it never was.

    Time in which the program did not run counts too: nothing was seen in it.
    """
    last = state.last_success if state else None
    since = last or started_at
    return since if now - since > source.blindness else None


def silence_allowed(source: SourceConfig, arrivals: Arrivals | None) -> timedelta | None:
    """How long a source that answers may bring nothing new before that is told; None: it cannot be said yet.

    What the configuration says, else four times the longest gap of the last two weeks, at least a day, once there are
    enough arrivals to know the source by.
    """
    if source.silent_after is not None:
        return source.silent_after
    if arrivals is None or arrivals.count < ENOUGH_ARRIVALS:
        return None
    return max(timedelta(days=1), 4 * arrivals.longest_gap)


def with_newest(arrivals: Mapping[str, Arrivals], newest: Mapping[str, datetime]) -> dict[str, Arrivals]:
    """The arrivals as last counted, with what has come since."""
    merged = dict(arrivals)
    for source, at in newest.items():
        old = merged.get(source, Arrivals(1, at, timedelta(0)))
        merged[source] = replace(old, newest=max(old.newest, at))
    return merged


def source_troubles(
    sources: Mapping[str, SourceConfig],
    states: Mapping[str, SourceState],
    arrivals: Mapping[str, Arrivals],
    *,
    started_at: datetime,
    now: datetime,
    timezone: ZoneInfo,
) -> tuple[list[Trouble], frozenset[str]]:
    """Blind and silent sources, and the sources of which nothing can be said yet: not polled since the start."""
    found, undecided = [], set()
    for source in sources.values():
        state = states.get(source.id)
        polled = state is not None and state.last_poll is not None and state.last_poll >= started_at
        if not polled and now - started_at <= min(source.blindness, 2 * source.every):
            undecided.add(source.id)
            continue
        since = blind_since(source, state, started_at, now)
        arrived = arrivals.get(source.id)
        allowed = silence_allowed(source, arrived)
        if since is not None:
            found.append(_blind(source, state, since, now, timezone))
        elif allowed is not None and now - (last := arrived.newest if arrived else started_at) > allowed:
            found.append(_silent(source, last, now, timezone))
    return found, frozenset(undecided)


def _blind(source: SourceConfig, state: SourceState | None, since: datetime, now: datetime, zone: ZoneInfo) -> Trouble:
    minutes = int((now - since).total_seconds() // 60)
    reason = (state.reason if state else "") or "no_answer"
    failures = state.failures if state else 0
    at_zh, at_en = (moment(since, zone, now, language) for language in LANGUAGES)
    length = now - since
    return Trouble(
        rule="self-source-blind",
        key=(("source", source.id),),
        level=Level.orange if source.tier == "core" else Level.yellow,
        title=Because(f"{source.id} 采集中断", f"No data from {source.id}"),
        because=Because(
            f"来源 {source.id} 自 {at_zh} 起采集中断（{duration(length, 'zh')}，"
            f"连续失败 {failures} 次，原因：{failure_zh(reason)}）。期间该来源没有预警不等于没有舆情，请人工查看该来源。",
            f"Nothing collected from {source.id} since {at_en} ({duration(length, 'en')}; {failures} failures in a row: "
            f"{reason}). No alerts does not mean that nothing is happening there; check it by hand.",
        ),
        seen=float(minutes),
        coverage=Coverage(((source.id, since),)),
    )


def _silent(source: SourceConfig, last: datetime, now: datetime, zone: ZoneInfo) -> Trouble:
    hours = (now - last).total_seconds() / 3600
    at_zh, at_en = (moment(last, zone, now, language) for language in LANGUAGES)
    return Trouble(
        rule="self-source-silent",
        key=(("source", source.id),),
        level=Level.yellow,
        title=Because(f"{source.id} 长时间无新内容", f"Nothing new from {source.id}"),
        because=Because(
            f"来源 {source.id}（{in_chinese(source.channel)}）可以访问，但自 {at_zh} 起 {hours:.1f} 小时没有新内容，"
            "请核实来源是否失效。",
            f"Source {source.id} ({source.channel}) answers but has brought nothing new since {at_en}, {hours:.1f} h; "
            "check that it still works.",
        ),
        seen=round(hours, 1),
    )


def delivery_troubles(outcomes: Mapping[Address, Outcome]) -> list[Trouble]:
    """Channels whose newest delivery was given up."""
    return [
        Trouble(
            rule="self-delivery",
            key=(("channel", channel), ("receiver", receiver)),
            level=Level.red,
            title=Because(
                f"{receiver} 的 {channel} 通知未送达", f"{channel} notifications to {receiver} not delivered"
            ),
            because=Because(
                f"发往 {receiver} 的 {channel} 最近一条通知投递失败，已停止重试"
                f"（{failure_zh(outcome.reason)}：{outcome.detail}）。请检查渠道配置，并改用其他方式通知。",
                f"The latest {channel} notification to {receiver} failed and will not be retried "
                f"({outcome.reason}: {outcome.detail}). Check the channel and reach them another way.",
            ),
            seen=1.0,
        )
        for (receiver, channel), outcome in sorted(outcomes.items())
        if outcome.reason
    ]


def rule_troubles(failures: Mapping[str, str]) -> list[Trouble]:
    return [
        Trouble(
            rule="self-rule-failed",
            key=(("rule", rule),),
            level=Level.red,
            title=Because(f"规则 {rule} 失效", f"Rule {rule} is not working"),
            because=Because(
                f"规则 {rule} 运行出错，已停用，期间不会产生该规则的预警：{problem}",
                f"Rule {rule} failed and is skipped; it gives no alerts until it is fixed: {problem}",
            ),
            seen=1.0,
        )
        for rule, problem in sorted(failures.items())
    ]


def escalation_troubles(audit: Audit) -> list[Trouble]:
    """Where the auditor had to mend a chain, or found a step late: somebody was not called in time."""
    if not audit.lost and not audit.overdue:
        return []
    named = ", ".join([*audit.lost, *audit.overdue][:5])
    return [
        Trouble(
            rule="self-escalation",
            key=(("part", "escalation"),),
            level=Level.red,
            title=Because("升级通知可能延误", "Escalation may be late"),
            because=Because(
                f"有 {len(audit.lost)} 个事件缺少下一步升级，{len(audit.overdue)} 个事件的升级超时未执行（{named}）。"
                "系统已尝试修复，请人工确认这些事件已有人处理。",
                f"{len(audit.lost)} incidents lacked their next step of escalation and {len(audit.overdue)} had one that "
                f"was late ({named}). It was mended; check by hand that somebody is on them.",
            ),
            seen=float(len(audit.lost) + len(audit.overdue)),
        )
    ]


class SelfCheck:
    """Turns troubles into alert events of kind self: opened when one appears, resolved when it has gone."""

    def __init__(self, living: Mapping[str, AlertEvent]) -> None:
        """*living*: the newest event of each open alert of this kind, by alert."""
        self._open = {(event.rule, tuple(sorted(event.key.items()))): event for event in living.values()}

    def compare(
        self, troubles: list[Trouble], now: datetime, *, undecided: frozenset[str] = frozenset()
    ) -> list[AlertEvent]:
        """What has changed since the last look; alerts about *undecided* sources stay as they are."""
        seen = {(trouble.rule, tuple(sorted(trouble.key))): trouble for trouble in troubles}
        events = [self._opened(trouble, now) for key, trouble in seen.items() if key not in self._open]
        for key, event in list(self._open.items()):
            if key not in seen and event.key.get("source") not in undecided:
                del self._open[key]
                events.append(_resolved(event, now))
        for event in events:
            if event.event == "opened":
                self._open[event.rule, tuple(sorted(event.key.items()))] = event
        return events

    def _opened(self, trouble: Trouble, now: datetime) -> AlertEvent:
        fingerprint = hashlib.sha256(repr((trouble.rule, trouble.key)).encode()).hexdigest()[:16]
        return AlertEvent(
            event="opened",
            kind="self",
            at=now,
            alert=f"{fingerprint}-{int(now.timestamp() * 1000):x}",
            revision=1,
            rule=trouble.rule,
            topic=None,
            key=dict(trouble.key),
            level=trouble.level,
            because=trouble.because,
            seen=trouble.seen,
            brand="Listener",
            title=trouble.title,
            coverage=trouble.coverage,
        )


def _resolved(event: AlertEvent, now: datetime) -> AlertEvent:
    # A blind source has been out since before its alert.
    since = min((start for _, start in event.coverage.blind), default=event.at)
    length = max(now - since, timedelta(minutes=1))
    what = "共中断" if event.coverage.blind else "历时"
    return replace(
        event,
        event="resolved",
        at=now,
        revision=event.revision + 1,
        because=Because(
            f"已恢复正常，{what}约 {duration(length, 'zh')}。", f"Back to normal after about {duration(length, 'en')}."
        ),
        coverage=Coverage(),
    )
