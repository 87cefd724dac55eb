"""The daily report: what it says, and that it is told once a day."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from alerts import Level, Notification
from alerts.alive import Alive, dump, incident, load
from alerts.channels import ChannelConfig
from alerts.render import in_words, message
from alerts.render.plain import plain
from alerts.sample import sample_notification
from listener.alive import DailyReport
from listener.config import load as load_config
from listener.guard import guarded_session
from listener.http import Http
from listener.parts import build
from listener.storage import alerting, outbox
from listener.storage.database import Database
from listener.storage.sources import SourceState

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
HOUR = timedelta(hours=1)
BAD = Alive(
    since=NOW - 24 * HOUR,
    at=NOW,
    mentions=12_345,
    alerts=((Level.red, 1), (Level.blue, 3)),
    open=((Level.red, 1),),
    blind=(("weibo", NOW - 3 * HOUR),),
    waiting=2,
    dead=1,
    newest=(("weibo", None), ("news", NOW - HOUR)),
)
GOOD = replace(BAD, blind=(), waiting=0, dead=0)
CONFIG = """
sources:
  - {id: wb, type: file, path: "a/*.jsonl", channel: weibo}
  - {id: news, type: file, path: "b/*.jsonl", channel: news}
targets: {acme: {names: [云杉科技]}}
topics: [{id: acme, target: acme, query: "@acme"}]
receivers: [{id: pr, channels: [{type: console}, {type: webhook, url: "http://127.0.0.1:1/x"}, {type: pagerduty, routing_key: KEY}]}]
alive: {receiver: pr, at: "09:00"}
""".replace("KEY", "0" * 32)


def told(alive: Alive, language: str = "zh") -> Notification:
    facts = incident(alive, "2026-03-02", in_words(alive, "Asia/Shanghai"))
    return Notification(
        key="k", revision=1, kind="alive", incident=facts, language=language, timezone="Asia/Shanghai", alive=alive
    )


def test_what_it_says():
    """Counts, levels, blind sources with the time since, what was not delivered, the newest per class of source."""
    text = plain(message(told(BAD)))
    assert text.startswith("【值守日报】监测系统：有问题需要处理\n")
    for line in (
        "采集提及：1.2万条（自 3月1日 08:30 起）", "触发预警：红色 1 条、蓝色 3 条", "未解除事件：红色 1 条", "中断来源：weibo（自 05:30 起）",
        "未送达通知：待发 2 条、24 小时内放弃 1 条", "最新内容：微博 尚无；新闻 07:30",
    ):  # fmt: skip
        assert line in text.splitlines()
    assert text.endswith("\n编号 alive-2026-03-02 · 数据截至 2026-03-02 08:30（Asia/Shanghai）\n")  # it is no incident
    english = plain(message(told(GOOD, "en")))
    assert english.startswith("[DAILY REPORT] Monitoring: all is well\n")
    assert "Blind sources: none" in english.splitlines()
    assert "Undelivered: none" in english.splitlines()


def test_a_day_without_anything_is_no_good_day():
    """Nothing collected must not look like calm."""
    quiet = message(told(replace(GOOD, mentions=0)))
    assert quiet.level == Level.yellow
    assert "没有采集到任何内容" in quiet.headline
    assert message(told(GOOD)).level == Level.blue


def test_its_facts_come_back_from_storage():
    for one in (BAD, GOOD):
        assert load(json.loads(json.dumps(dump(one)))) == one


def test_nobody_is_called_out_by_it():
    """PagerDuty, Opsgenie, Alertmanager and templates count as pagers; no other does."""
    members = get_args(get_args(ChannelConfig)[0])
    pagers = {member.__name__ for member in members if getattr(member, "pager", False)}
    assert pagers == {"PagerDutyConfig", "OpsgenieConfig", "AlertmanagerConfig", "TemplateConfig"}


@asynccontextmanager
async def reporting(folder: Path, states: dict[str, SourceState] | None = None) -> AsyncIterator[DailyReport]:
    """As after a start."""
    file = folder / "alive.yml"
    file.write_text(CONFIG, encoding="utf-8")
    async with Http() as http, guarded_session(allow_private=True) as session:
        parts = await build(load_config(file), http=http, session=session)
        database = await Database.open("sqlite:///alive.db", base=folder)
        yield DailyReport(database, parts, states or {}, started_at=NOW)
        await database.close()


async def rows(report: DailyReport) -> list[tuple[str, str, str]]:
    async with report._database.read("test") as connection:
        return [
            tuple(row)
            for row in await connection.exec_driver_sql("select channel, kind, incident from outbox order by id")
        ]


async def test_once_a_day_over_restarts(tmp_path):
    """Not at the first start, at nine on each day, once; one for the days on which nothing ran."""
    nine = NOW + HOUR / 2
    async with reporting(tmp_path) as first:
        parts = first.parts
    for now, days in (
        (NOW, 0), (nine - timedelta(seconds=1), 0), (nine, 1), (nine, 1), (nine + HOUR, 1), (nine + 23 * HOUR, 1),
        (nine + 29 * HOUR, 2), (nine - HOUR, 2), (nine + 47 * HOUR, 2), (nine + 48 * HOUR, 3), (nine + 200 * HOUR, 4), (nine + 201 * HOUR, 4),
    ):  # fmt: skip
        database = await Database.open("sqlite:///alive.db", base=tmp_path)
        report = DailyReport(database, parts, {}, started_at=NOW)
        while (due := await report.step(now)) <= now:
            pass
        assert due <= now + timedelta(minutes=1)
        found = await rows(report)
        await database.close()
        assert len(found) == 2 * days, now
        assert {channel for channel, _, _ in found} <= {"console", "webhook"}
        assert {kind for _, kind, _ in found} <= {"alive"}


async def test_what_it_counts(tmp_path):
    """Alerts that began since the last, open incidents, sources out of sight, what waits."""
    nine = NOW + HOUR / 2
    states = {
        "wb": SourceState("wb", last_success=NOW - 2 * HOUR, newest_published=NOW - 3 * HOUR),
        "news": SourceState("news", last_success=nine, newest_published=nine - HOUR),
    }
    async with reporting(tmp_path, states) as report:
        await report.step(NOW)
        incident_ = sample_notification(NOW + timedelta(minutes=1), "zh", level=Level.red).incident
        lead = replace(incident_.lead, incident=incident_.id)
        async with report._database.write("test") as connection:
            await alerting.keep_events(connection, [lead])
            await alerting.keep(connection, [replace(incident_, alerts=(lead,))], now=NOW)
            await outbox.put(connection, outbox.New("k", "pr", "console", "open", incident_), now=NOW)
        await report.step(nine)
        async with report._database.write("test") as connection:
            found = [one for one in await outbox.ready(connection, nine) if one.level != Level.red]
            entry = await outbox.lease(connection, found[0].id, nine)
        alive = entry.alive
        assert alive is not None
        assert alive.alerts == alive.open == ((Level.red, 1),)
        assert alive.blind == (("wb", NOW - 2 * HOUR),)
        assert (alive.waiting, alive.dead, alive.mentions) == (1, 0, 0)
        assert alive.newest == (("weibo", NOW - 3 * HOUR), ("news", nine - HOUR))
        assert entry.kind == "alive"
