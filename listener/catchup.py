"""What came late of a source that could not be seen: it pages nobody one by one, and is told once for each topic.

A rule looks at the present: a crisis that flared up and ended while a source was blind shows in no window. So when the
source is back, what it brought of that time is counted, and the worst hour is told with what was written in it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from alerts import AlertEvent, Because, Excerpt, Level, Reached, Window
from alerts.alert import CATCH_UP
from alerts.render.times import duration, period
from alerts.render.words import LANGUAGES
from listener.decide import Decider
from listener.storage import outage
from listener.storage.database import Database
from listener.storage.outage import Backlog
from listener.storage.sources import SourceState
from rules.mention import Mention
from rules.rule import LEAST_LATE

RULE = CATCH_UP
SETTLES = timedelta(minutes=2)  # for the backlog to be read and stored
STANDS = timedelta(hours=1)  # how long the alert is open: it asks for a look, nothing goes on
WORTH_YELLOW = 10  # negative mentions in the worst hour
_BACK = timedelta(hours=12)  # how far a start looks for what the last run did not tell
_QUOTES = 3
_LOOK = timedelta(seconds=30)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outage:
    source: str
    since: datetime
    until: datetime


@dataclass(slots=True)
class CatchUp:
    """``states`` are the pipeline's own; ``before``: when each source was last seen before the program was started.

    ``blindness`` by source, and ``brands`` by topic, are exchanged by a reload.
    """

    database: Database
    decider: Decider
    states: Mapping[str, SourceState]
    before: dict[str, datetime]
    blindness: Mapping[str, timedelta]
    brands: Mapping[str, str]
    zone: ZoneInfo
    started_at: datetime
    _slept: list[Outage] = field(default_factory=list)
    _told: set[tuple[str, datetime]] = field(default_factory=set)

    async def step(self, now: datetime) -> datetime:
        """Tell what has come of the outages that are over, and close what was told an hour ago."""
        self._look_at_the_start()
        for one in [*await self._ended(now), *self._slept]:
            name = (one.source, one.since)
            if name in self._told or now - one.until < SETTLES:
                continue
            if one.until - one.since > LEAST_LATE:  # shorter ones lie within what rules still count as in time
                await self._tell(one, now)
            self._told.add(name)
        await self._close(now)
        return now + _LOOK

    async def _ended(self, now: datetime) -> list[Outage]:
        """Of the last hours, those of the last run too: what was told is not told again, by its id."""
        async with self.database.read("catch-up") as connection:
            blind = await outage.of_rule(connection, "self-source-blind", kind="self", since=now - _BACK)
        began: dict[str, datetime] = {}
        found = []
        for event in blind:
            if event.event == "opened":
                began[event.alert] = min((since for _, since in event.coverage.blind), default=event.at)
            elif event.event == "resolved" and event.alert in began:
                found.append(Outage(event.key["source"], began[event.alert], event.at))
        return found

    def _look_at_the_start(self) -> None:
        """The program itself did not run: every source was unseen from its last poll to its first."""
        for source, last in list(self.before.items()):
            state = self.states.get(source)
            if state is None or state.last_success is None or state.last_success < self.started_at:
                continue
            del self.before[source]
            if state.last_success - last > self.blindness.get(source, timedelta.max):
                self._slept.append(Outage(source, last, state.last_success))

    async def _tell(self, one: Outage, now: datetime) -> None:
        async with self.database.read("catch-up") as connection:
            found = await outage.backlogs(connection, one.source, one.since, one.until)
            worth = [backlog for backlog in found if backlog.negative]
            events = []
            for backlog in worth:
                end = backlog.worst_from + outage.HOUR
                quotes = await outage.worst(
                    connection, one.source, backlog.topic, backlog.worst_from, end, most=_QUOTES
                )
                events.append(self._opened(one, backlog, quotes, now))
        _log.info(
            "backlog_read", source=one.source, since=one.since.isoformat(), until=one.until.isoformat(),
            count=sum(backlog.mentions for backlog in found),
        )  # fmt: skip
        if events:
            await self.decider.publish(events, now)

    async def _close(self, now: datetime) -> None:
        standing = [
            event
            for incident in self.decider.incidents.firing()
            for event in incident.alerts
            if event.rule == RULE and event.event != "resolved" and now - event.at >= STANDS
        ]
        if standing:
            await self.decider.publish([_closed(event, now) for event in standing], now)

    def _opened(self, one: Outage, backlog: Backlog, quotes: list[tuple[Mention, float]], now: datetime) -> AlertEvent:
        what = repr((one.source, one.since.isoformat(), backlog.topic))
        return AlertEvent(
            event="opened",
            kind="topic",
            at=now,
            alert=f"catch-up-{hashlib.sha256(what.encode()).hexdigest()[:16]}",
            revision=1,
            rule=RULE,
            topic=backlog.topic,
            key={"source": one.source},
            level=Level.yellow if backlog.worst_negative >= WORTH_YELLOW else Level.blue,
            because=self._because(one, backlog),
            seen=float(backlog.worst_negative),
            expected=backlog.usual,
            window=Window(backlog.worst_from, backlog.worst_from + outage.HOUR),
            brand=self.brands.get(backlog.topic, ""),
            title=Because(
                f"{one.source} 中断期间的负面内容（补采）", f"negative mentions while {one.source} could not be seen"
            ),
            reached=Reached(mentions=backlog.mentions, negative=backlog.negative),
            excerpts=tuple(_excerpt(mention, negative) for mention, negative in quotes),
        )

    def _because(self, one: Outage, backlog: Backlog) -> Because:
        out_zh, out_en = (period(one.since, one.until, self.zone, one.until, language) for language in LANGUAGES)
        worst_zh, worst_en = (
            period(backlog.worst_from, backlog.worst_from + outage.HOUR, self.zone, one.until, language)
            for language in LANGUAGES
        )
        length = one.until - one.since
        usual_zh = usual_en = ""
        if backlog.usual is not None:
            usual_zh = f"（平时每小时全部提及约 {backlog.usual:.1f} 条，含非负面）"
            usual_en = f" (usual: about {backlog.usual:.1f} mentions an hour, of any tone)"
        return Because(
            f"来源 {one.source} 于 {out_zh} 采集中断（{duration(length, 'zh')}），"
            f"恢复后补采到 {backlog.mentions} 条提及，"
            f"其中负面 {backlog.negative} 条；负面最多的一小时为 {worst_zh}：{backlog.worst_negative} 条{usual_zh}。"
            "补采内容不逐条预警，请集中查看。",
            f"{one.source} could not be seen {out_en} ({duration(length, 'en')}). Once back, it "
            f"delivered {backlog.mentions} mentions from that period, {backlog.negative} negative; the worst hour was "
            f"{worst_en} with {backlog.worst_negative} negative{usual_en}. Late mentions raise no separate alerts; "
            "please review them together.",
        )


def last_seen(states: Mapping[str, SourceState]) -> dict[str, datetime]:
    """When each source was last seen, as a start finds it."""
    return {name: state.last_success for name, state in states.items() if state.last_success is not None}


def _closed(event: AlertEvent, now: datetime) -> AlertEvent:
    because = Because("补采内容已汇总告知，不再提醒。", "What was collected late has been told; nothing more follows.")
    return replace(event, event="resolved", at=now, revision=event.revision + 1, because=because)


def _excerpt(mention: Mention, negative: float) -> Excerpt:
    return Excerpt(
        text=f"{mention.title} {mention.text}".strip()[:2000],
        url=mention.url,
        channel=mention.channel,
        negative=negative,
        author=mention.author.name if mention.author else "",
        reach=mention.people,
        published_at=mention.published_at,
    )
