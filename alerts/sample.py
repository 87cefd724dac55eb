"""The message that ``listener notify --test`` sends: an invented case, marked as a test, that shows every part."""

from datetime import datetime, timedelta
from typing import Literal

from alerts.alert import AlertEvent, Because, Excerpt, Level, Reached, StoryRef, Window
from alerts.incident import Incident
from alerts.notification import Notification
from alerts.trend import Trend, TrendPoint

_HALF_HOUR = timedelta(minutes=30)
_DAY_BEFORE = (4, 3, 5, 2, 4, 6, 3, 2, 1, 0, 1, 0, 0, 1, 0, 0, 1, 2, 1, 3, 4, 3, 5, 4, 6, 5, 4, 3, 5, 6, 4, 5, 3, 4)


def sample_trend(now: datetime) -> Trend:
    """A day of which the last half hour is the invented case."""
    counts = (*(5,) * (47 - len(_DAY_BEFORE)), *_DAY_BEFORE, 51)
    start = now - len(counts) * _HALF_HOUR
    points = (
        TrendPoint(start + place * _HALF_HOUR, count, count * 4 // 5 + 2 if count > 40 else count // 4, (1.0, 6.0))
        for place, count in enumerate(counts)
    )
    return Trend(tuple(points), _HALF_HOUR, weeks=4)


def sample_notification(
    now: datetime,
    language: Literal["zh", "en"],
    *,
    console_url: str = "",
    timezone: str = "UTC",
    level: Level = Level.yellow,
) -> Notification:
    """A notification of kind ``test``; its key differs from second to second, so that two tests are two mails."""
    event = AlertEvent(
        event="opened",
        kind="topic",
        at=now,
        alert=f"test-{int(now.timestamp())}",
        revision=1,
        rule="test",
        topic="test",
        key={"topic": "test"},
        level=level,
        because=Because(
            zh="近 30 分钟负面提及 42 条，前 6 小时平均每 30 分钟 1.2 条（35 倍）",
            en="42 negative mentions in the last 30 minutes, against 1.2 per 30 minutes in the 6 hours before (35x)",
        ),
        seen=42,
        expected=1.2,
        window=Window(now - _HALF_HOUR, now),
        brand="云杉科技" if language == "zh" else "Yunshan Tech",
        title=Because(zh="负面提及激增", en="surge of negative mentions"),
        reached=Reached(
            mentions=51, negative=42, authors=37, people=123_000, channels=(("weibo", 38), ("news", 9), ("forum", 4))
        ),
        excerpts=_excerpts(now, language),
        stories=(
            StoryRef(
                id="test-story",
                title="充电宝充电时冒烟" if language == "zh" else "power bank smokes while charging",
                copies=23,
                channels=("weibo", "news"),
                first_url="https://weibo.example.com/1",
            ),
        ),
        incident=f"test-{int(now.timestamp())}",
    )
    incident = Incident(event.incident, "topic", event.topic, now, now, 1, (event,))
    return Notification(
        key=event.incident,
        revision=1,
        kind="test",
        incident=incident,
        language=language,
        console_url=console_url,
        timezone=timezone,
    )


def _excerpts(now: datetime, language: Literal["zh", "en"]) -> tuple[Excerpt, ...]:
    texts = {
        "zh": (
            ("昨晚用云杉的充电宝，充到一半直接冒烟，吓死人了", ("冒烟", "吓死人")),
            ("云杉客服说要等三个工作日，这是能等的事吗？", ("这是能等的事吗",)),
            ("云杉充电宝冒烟，已有多人反映同样问题", ("冒烟", "问题")),
        ),
        "en": (
            ("my Yunshan power bank started smoking halfway through a charge last night", ("smoking",)),
            ("Yunshan support tells me to wait three working days. For this?", ("For this",)),
            ("Yunshan power bank smokes; several users report the same", ("smokes",)),
        ),
    }[language]
    places = (("weibo", "user-1", 34_000), ("weibo", "user-2", 1_200), ("news", "", 80_000))
    return tuple(
        Excerpt(
            text=text,
            url=f"https://{channel}.example.com/{number}",
            channel=channel,
            negative=0.97,
            author=author,
            reach=reach,
            published_at=now - timedelta(minutes=4 * number),
            marks=tuple((text.index(word), text.index(word) + len(word)) for word in words),
        )
        for number, ((text, words), (channel, author, reach)) in enumerate(zip(texts, places, strict=True), start=1)
    )
