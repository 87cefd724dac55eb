"""What a message keeps in its short forms, and what it calls things by."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import Level
from alerts.handling import Act
from alerts.render.act import spoken
from alerts.render.channels import channel
from alerts.render.digest import digest
from alerts.render.message import message
from alerts.render.shorten import brief, by_parts, in_one_line
from alerts.render.words import period
from alerts.sample import sample_notification

NOW = datetime(2026, 3, 2, 18, 2, tzinfo=UTC)
SAMPLE = sample_notification(NOW, "zh", timezone="Asia/Shanghai", level=Level.red)


def in_incident(told, **changes):
    return replace(told, incident=replace(told.incident, **changes))


def test_one_line_tells_its_number_and_by_when_to_answer():
    """In a text message too, before the reason, which may be cut; not of what is over, nor once an answer is out."""
    told = in_incident(replace(SAMPLE, at=NOW, respond_by=NOW + timedelta(hours=4)), number=12)
    line = in_one_line(message(told))
    assert re.match(r"【.+】.+：.+ #12。须在 \d\d:\d\d 前回应。", line)
    late = replace(told, at=NOW + timedelta(hours=5), language="en")
    assert re.search(r" #12\. Response overdue since .*\d\d:\d\d\. ", in_one_line(message(late)))
    handling = replace(told.incident.handling, responded_at=NOW)
    assert "前回应" not in in_one_line(message(in_incident(told, handling=handling)))
    assert "须在" not in in_one_line(message(replace(told, respond_by=None)))


def test_the_briefest_form_keeps_who_has_it_and_by_when_to_answer():
    """What is cut away first is what can be looked up."""
    told = in_incident(replace(SAMPLE, kind="update", at=NOW, respond_by=NOW + timedelta(hours=4)), number=12)
    for form in (brief(message(told)), *by_parts(message(told))):
        assert {"处理", "回应时限", "传播"} <= {label for label, _ in form.facts}


def test_a_line_of_a_digest_tells_its_number_and_deadline():
    """So that it can be found, and the one that cannot wait is seen."""
    part = in_incident(replace(SAMPLE, at=NOW, respond_by=NOW + timedelta(hours=4)), number=12)
    lines = digest(replace(part, digest=(part, in_incident(part, number=13)))).facts
    assert all(re.search(rf" · #{number} · 须在 \d\d:\d\d 前回应 · \d\d:\d\d$", value)
               for number, (_, value) in zip((12, 13), lines, strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("merge", "小林 将其并入事件 #12。", "小林 merged it into incident #12."),
        ("merged", "小林 将事件 #12 并入本事件。", "小林 merged incident #12 into it."),
        ("split", "小林 从事件 #12 拆分出本事件。", "小林 split it from incident #12."),
    ],
)
def test_merged_and_split_incidents_are_told_by_number(kind, zh, en):
    """Nobody knows an incident by its id; of before numbers were kept it is another incident."""
    act = Act(kind, "小林", NOW, value="i-9", other=12)
    assert (spoken(act, "zh"), spoken(act, "en")) == (zh, en)
    assert "12" not in spoken(replace(act, other=0), "zh")


def test_channels_have_the_names_that_readers_know():
    """Those that are known, in Chinese; others as the configuration has them."""
    assert [channel(name, "zh") for name in ("weibo", "XHS", "heimao", "我的论坛")] == [
        "微博", "小红书", "黑猫投诉", "我的论坛"
    ]  # fmt: skip
    assert channel("weibo", "en") == "weibo"


def test_an_alert_of_another_topic_says_of_which():
    """A story may have brought two topics together; the lead's own needs no name."""
    lead = SAMPLE.incident.lead
    others = [replace(lead, alert="b", level=Level.blue, topic="ceo"), replace(lead, alert="c", level=Level.blue)]
    facts = dict(message(in_incident(SAMPLE, alerts=(lead, *others))).facts)
    title = lead.title.zh
    assert facts["同一事件"] == f"ceo · {title}（蓝色）；{title}（蓝色）"


def test_a_period_names_each_day_once():
    """The second date only where it is another day, the year where it is another year."""
    zone, start = ZoneInfo("Asia/Shanghai"), datetime(2026, 3, 2, 6, tzinfo=UTC)
    hour = timedelta(hours=1)
    for hours, later, zh, en in (
        (1, 0, "14:00–15:00", "14:00–15:00"),
        (1, 24, "3月2日 14:00–15:00", "2 Mar 14:00–15:00"),
        (24, 24, "3月2日 14:00–3月3日 14:00", "2 Mar 14:00–3 Mar 14:00"),
        (1, 400 * 24, "2026年3月2日 14:00–15:00", "2 Mar 2026 14:00–15:00"),
    ):
        end, near = start + hours * hour, start + later * hour
        assert (period(start, end, zone, near, "zh"), period(start, end, zone, near, "en")) == (zh, en)
