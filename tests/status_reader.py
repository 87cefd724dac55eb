"""A StatusReader whose answers the test writes, and a day in the life of three invented brands to show."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts import AlertEvent, Because, Coverage, Excerpt, Incident, Level, Reached, StoryRef, Window
from alerts.silence import Silence
from listener.web.status import (
    DeliveryStatus,
    HeldBack,
    IncidentPage,
    OnTrial,
    OutboxHealth,
    SourceHealth,
    StatusError,
    StoryLine,
    TopicVolume,
    VolumePoint,
)
from rules.topic import Matcher

NO_TOPICS = Matcher({}, [])


@dataclass
class ScriptedReader:
    """Answers from what it holds, as storage does; ``broken`` makes it raise as storage that is gone."""

    pages: list[IncidentPage] = field(default_factory=list)
    health: list[SourceHealth] = field(default_factory=list)
    topics: list[tuple[str, str, str | None]] = field(default_factory=list)
    mentions: list[tuple[str, datetime, str]] = field(default_factory=list)
    told: dict[str, tuple[StoryLine, ...]] = field(default_factory=dict)
    trial: OnTrial = field(default_factory=OnTrial)
    box: OutboxHealth = field(default_factory=lambda: OutboxHealth(0, None, 0))
    muting: list[Silence] = field(default_factory=list)
    broken: bool = False
    calls: int = 0

    def _asked(self) -> None:
        self.calls += 1
        if self.broken:
            raise StatusError("the database does not answer")

    async def incidents(self, *, since: datetime) -> tuple[Incident, ...]:
        self._asked()
        found = [page.incident for page in self.pages if page.incident.open or page.incident.updated_at >= since]
        return tuple(sorted(found, key=lambda incident: incident.updated_at, reverse=True))

    async def incident(self, id: str) -> IncidentPage | None:  # noqa: A002 - the protocol's word
        self._asked()
        return next((page for page in self.pages if page.incident.id == id), None)

    async def held(self) -> HeldBack:
        self._asked()
        return {page.incident.id: page.held for page in self.pages if page.incident.open and page.held}

    async def silences(self) -> tuple[Silence, ...]:
        self._asked()
        return tuple(self.muting)

    async def sources(self) -> tuple[SourceHealth, ...]:
        self._asked()
        return tuple(self.health)

    async def volumes(self, *, since: datetime, until: datetime, slot: timedelta) -> tuple[TopicVolume, ...]:
        self._asked()
        slots = (until - since) // slot
        tables = {topic: [dict.fromkeys(LABELS, 0) for _ in range(slots)] for topic, _, _ in self.topics}
        for topic, at, label in self.mentions:
            if since <= at < until:
                tables[topic][(at - since) // slot][label] += 1
        return tuple(
            TopicVolume(
                topic,
                title,
                rival,
                tuple(VolumePoint(since + i * slot, **row) for i, row in enumerate(tables[topic])),
            )
            for topic, title, rival in self.topics
        )

    async def stories(self, *, since: datetime, until: datetime) -> Mapping[str, tuple[StoryLine, ...]]:
        self._asked()
        return self.told

    async def on_trial(self, *, since: datetime) -> OnTrial:
        self._asked()
        return OnTrial(self.trial.rules, tuple(one for one in self.trial.alerts if one.opened_at >= since))

    async def outbox(self) -> OutboxHealth:
        self._asked()
        return self.box


LABELS = ("negative", "neutral", "positive", "unknown")


def event(at: datetime, **changes: object) -> AlertEvent:
    """An opened alert of the brand 云杉科技, with what *changes* says."""
    base = AlertEvent(
        event="opened",
        kind="topic",
        at=at,
        alert="a-1",
        revision=1,
        rule="negative-surge",
        topic="acme",
        key={"topic": "acme"},
        level=Level.orange,
        because=Because(
            "1 小时内 96 条负面提及，平常同一时段约 5 条",
            "96 negative mentions within 1 h; about 5 are usual at this time",
        ),
        seen=96,
        expected=5.2,
        baseline="daily",
        window=Window(at - timedelta(hours=1), at),
        brand="云杉科技",
        title=Because("负面声量激增", "Surge of negative mentions"),
        reached=Reached(128, 96, 88, 1_284_000, (("microblog", 74), ("forum", 31), ("news", 23))),
        excerpts=(
            Excerpt(
                "刚才高铁上邻座的云杉充电宝突然冒烟起火，车厢里全是烟，乘务员拿灭火器才压住。这牌子以后谁敢用？"
                "联系客服十分钟了没人接，评论区好几个人说遇到过鼓包。",
                "https://microblog.example.com/p/88121",
                "microblog",
                0.97,
                "赶路的阿泽",
                412_000,
                at - timedelta(minutes=14),
            ),
            Excerpt(
                "同款充电宝上周就鼓包了，客服只回一句“请停止使用”，退款拖到现在。",
                "https://forum.example.com/t/5521#r18",
                "forum",
                0.93,
                "floor_18",
                2_300,
                at - timedelta(minutes=11),
            ),
            Excerpt(
                "【快讯】G1027 次列车一旅客充电宝起火，无人员受伤，铁路部门称正在调查，涉事产品疑为云杉科技旗下型号。",
                "https://news.example.com/a/20251122-1",
                "news",
                0.71,
                "晨报在线",
                860_000,
                at - timedelta(minutes=4),
            ),
        ),
        stories=(
            StoryRef("s-1", "高铁充电宝起火", 61, ("microblog", "forum"), "https://microblog.example.com/p/88121"),
            StoryRef(
                "s-2", "G1027 次列车充电宝起火 铁路部门调查", 23, ("news",), "https://news.example.com/a/20251122-1"
            ),
        ),
        playbook="playbooks/product-safety.md",
    )
    return replace(base, **changes)


def incident(*alerts: AlertEvent, name: str = "i-1", opened: datetime | None = None) -> Incident:
    first = opened or min(each.at for each in alerts)
    newest = max(each.at for each in alerts)
    return Incident(name, alerts[0].kind, alerts[0].topic, first, newest, len(alerts), tuple(alerts))


def page(found: Incident, *, history: Sequence[AlertEvent] = (), deliveries: Sequence[DeliveryStatus] = ()):
    return IncidentPage(found, tuple(history or found.alerts), tuple(deliveries))


def source(name: str, state: str = "ok", **changes: object) -> SourceHealth:
    base = SourceHealth(name, "feed", "news", "core", state, None, None, None, 0, "", 0, None)
    return replace(base, **changes)


def busy_day(now: datetime) -> ScriptedReader:
    """A crisis, a blind source, an alert of the program's own, a day of chatter: everything that the pages can show."""
    ago = lambda **parts: now - timedelta(**parts)  # noqa: E731
    blind = Coverage((("weibo-supplier", ago(minutes=22)),))
    opened = event(ago(minutes=13), level=Level.yellow, seen=31)
    raised = event(ago(minutes=2), event="raised", revision=2, coverage=blind)
    fire = event(
        ago(minutes=6),
        alert="a-2",
        rule="product-fire",
        level=Level.red,
        seen=22,
        expected=None,
        because=Because("“起火”“鼓包”出现在 22 条提及、3 个渠道", "“起火”, “鼓包” in 22 mentions on 3 channels"),
        title=Because("产品安全风险词", "Product-safety words"),
        coverage=blind,
    )
    own = event(
        ago(minutes=19),
        kind="self",
        alert="a-3",
        topic=None,
        key={"source": "weibo-supplier"},
        rule="source-blind",
        level=Level.blue,
        brand="",
        title=Because("来源失明：weibo-supplier", "Blind source: weibo-supplier"),
        because=Because("22 分钟没有成功采集（超时）", "no good poll for 22 min (timeout)"),
        seen=1320,
        expected=None,
        window=None,
        excerpts=(),
        stories=(),
        reached=Reached(),
        playbook="",
    )
    rival = event(
        ago(minutes=41),
        alert="a-4",
        rule="rival-talk",
        topic="rival",
        key={"topic": "rival"},
        level=Level.yellow,
        brand="格澜数码",
        title=Because("竞品负面升温", "Competitor under fire"),
        because=Because("30 分钟内负面占 58%（38 条中 22 条）", "58% negative within 30 min (22 of 38)"),
        seen=0.58,
        expected=None,
        reached=Reached(38, 22, 35, 9_420, (("forum", 38),)),
        excerpts=(
            Excerpt(
                "格澜新固件把降噪更新没了，论坛里一片骂声，官方到现在没有公告。",
                "https://forum.example.com/t/5533",
                "forum",
                0.88,
                "耳朵不好使",
                0,
                ago(minutes=52),
            ),
        ),
        stories=(),
        playbook="https://wiki.example.com/playbooks/competitor",
    )
    over = event(ago(hours=20), event="resolved", alert="a-5", level=Level.yellow, revision=4)
    sent = [
        DeliveryStatus("pr", "slack", "update", "sent", ago(minutes=2), 1, ""),
        DeliveryStatus("duty", "webhook", "open", "pending", ago(minutes=2), 3, "server: HTTP 503"),
        DeliveryStatus("pr", "email", "open", "dead", ago(minutes=12), 9, "auth: 535 authentication failed"),
        DeliveryStatus("pr", "slack", "open", "sent", ago(minutes=13), 1, ""),
    ]
    crisis = incident(raised, fire, name="20251122-acme-1", opened=ago(minutes=13))
    reader = ScriptedReader(
        pages=[
            page(crisis, history=[opened, fire, raised], deliveries=sent),
            page(incident(rival, name="20251122-rival-1")),
            page(incident(own, name="self-1")),
            page(incident(over, name="20251121-acme-3", opened=ago(hours=21, minutes=12))),
        ],
        health=[
            source(
                "tech-news",
                last_success=ago(minutes=3),
                last_poll=ago(minutes=3),
                next_poll=ago(minutes=-2),
                mentions_day=212,
                newest_published=ago(minutes=4),
            ),
            source(
                "forum-digital",
                channel="forum",
                tier="auxiliary",
                last_success=ago(seconds=40),
                next_poll=ago(seconds=-20),
                mentions_day=1_340,
                newest_published=ago(minutes=1),
            ),
            source(
                "microblog-search",
                "failing",
                channel="microblog",
                last_success=ago(minutes=6),
                next_poll=ago(seconds=-70),
                failures=1,
                reason="rate_limited: HTTP 429, again after 60 s",
                mentions_day=4_872,
                newest_published=ago(minutes=7),
            ),
            source(
                "weibo-supplier",
                "blind",
                type="file",
                channel="weibo",
                last_success=ago(minutes=22),
                next_poll=ago(seconds=-15),
                failures=9,
                reason="timeout: no new file in inbox/weibo",
                mentions_day=9_003,
                newest_published=ago(minutes=23),
            ),
            source("press-releases", "waiting", tier="auxiliary", next_poll=ago(seconds=1)),
        ],
        topics=[
            ("acme", "云杉科技", None),
            ("acme-fire", "云杉 · 起火与鼓包", None),
            ("rival", "格澜数码", "acme"),
            ("third", "北屿电器", "acme"),
        ],
        box=OutboxHealth(1, ago(minutes=2), 1),
    )
    chatter(reader, now)
    return reader


def chatter(reader: ScriptedReader, now: datetime) -> None:
    dice = random.Random(7)
    for topic, count in (("acme", 900), ("rival", 620)):
        for _ in range(count):
            at = now - timedelta(minutes=dice.uniform(0, 24 * 60))
            if 15 <= at.hour < 23 and dice.random() < 0.75:  # the small hours of Shanghai
                continue
            reader.mentions.append((topic, at, dice.choices(LABELS, (12, 52, 30, 6))[0]))
    for minute in range(38):
        for _ in range(2 + (38 - minute) // 4):
            at = now - timedelta(minutes=minute, seconds=dice.uniform(0, 59))
            reader.mentions.append(("acme", at, dice.choices(LABELS, (80, 14, 2, 4))[0]))
            if dice.random() < 0.4:
                reader.mentions.append(("acme-fire", at, "negative"))
