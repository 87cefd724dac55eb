"""What a message keeps in its short forms, and what it calls things by."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import Because, Level, Receipt
from alerts.handling import Act, Taken
from alerts.render.act import spoken
from alerts.render.channels import channel
from alerts.render.digest import digest
from alerts.render.message import message
from alerts.render.shorten import brief, by_parts, in_one_line
from alerts.render.times import period
from alerts.sample import sample_notification

NOW = datetime(2026, 3, 2, 18, 2, tzinfo=UTC)
SAMPLE = sample_notification(NOW, "zh", timezone="Asia/Shanghai", level=Level.red)


def in_incident(told, **changes):
    return replace(told, incident=replace(told.incident, **changes))


def test_one_line_tells_its_number_and_by_when_to_answer():
    """In a text message too, before the reason, which may be cut; not of what is over, nor once an answer is out."""
    told = in_incident(replace(SAMPLE, at=NOW, respond_by=NOW + timedelta(hours=4)), number=12)
    line = in_one_line(message(told))
    assert re.match(r"【.+】.+：.+ #12。须在 \d\d:\d\d 前回应[；。]", line)
    late = replace(told, at=NOW + timedelta(hours=5), language="en")
    assert re.search(r" #12\. Response overdue since .*\d\d:\d\d\. ", in_one_line(message(late)))
    handling = replace(told.incident.handling, responded_at=NOW)
    assert "前回应" not in in_one_line(message(in_incident(told, handling=handling)))
    assert "须在" not in in_one_line(message(replace(told, respond_by=None)))


def test_an_owner_who_has_not_taken_it_is_not_said_to_have_it():
    """He may be asleep: it is nobody's, and given to him."""
    owned = replace(SAMPLE.incident.handling, owner="小周")
    told = in_incident(replace(SAMPLE, kind="update"), handling=owned)
    assert dict(message(told).facts)["处理"] == "未认领（已指派给 小周）"


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


def test_the_first_line_of_a_digest_says_whose_it_is():
    """One brand, a few, or the first and how many."""

    def first(*brands):
        parts = [in_incident(SAMPLE, alerts=(replace(SAMPLE.incident.lead, brand=brand),)) for brand in brands]
        return digest(replace(SAMPLE, digest=tuple(parts))).headline

    assert first("云杉", "云杉") == "【汇总·最高红色】云杉：2 条消息"
    assert first("云杉", "格澜数码") == "【汇总·最高红色】云杉、格澜数码：2 条消息"
    assert first(*(f"格澜数码{n}" for n in range(9))) == "【汇总·最高红色】格澜数码0等 9 个品牌：9 条消息"


def test_one_line_tells_who_has_it():
    """Of what was sent before; a new one is nobody's yet, and what is over needs nobody."""
    told = in_incident(replace(SAMPLE, kind="update", at=NOW), number=12)
    taken = replace(told.incident.handling, taken=Taken("小林", NOW, Level.red))
    assert " #12。未认领。近 30 分钟" in in_one_line(message(told))
    assert " #12。小林 已认领。近 30 分钟" in in_one_line(message(in_incident(told, handling=taken)))
    assert "认领" not in in_one_line(message(replace(told, kind="open")))
    assert "。未认领" not in in_one_line(message(replace(told, kind="escalate")))
    assert ". Nobody has taken it. 42" in in_one_line(message(replace(told, language="en")))
    done = replace(told.incident.handling, timeline=(Act("assign", "小林", NOW, value="小周", text="请跟进"),))
    assert "。小林 指派给 小周。近 30 分钟" in in_one_line(
        message(in_incident(replace(told, kind="act"), handling=done))
    )
    lead = replace(told.incident.lead, event="resolved")
    assert "认领" not in in_one_line(message(in_incident(replace(told, kind="resolve"), alerts=(lead,))))


@pytest.mark.parametrize(
    ("event", "zh", "en"),
    [
        ("opened", "新增“客诉增多”（蓝色）", 'new: "more complaints" (blue)'),
        ("raised", "“客诉增多”升至蓝色", '"more complaints" rose to blue'),
        ("lowered", "“客诉增多”降至蓝色", '"more complaints" fell to blue'),
        ("resolved", "“客诉增多”已恢复", '"more complaints" is resolved'),
    ],
)
def test_an_update_says_first_what_is_new(event, zh, en):
    """Since the last message of this channel, or at the newest time where none is known; figures alone are no news."""
    later = NOW + timedelta(minutes=5)
    other = replace(
        SAMPLE.incident.lead,
        alert="b",
        event=event,
        level=Level.blue,
        at=later,
        title=Because("客诉增多", "more complaints"),
    )
    alerts = (SAMPLE.incident.lead, other)
    told = in_incident(replace(SAMPLE, kind="update", was=Level.red), alerts=alerts, updated_at=later)
    assert message(told).notice.startswith(f"最新变化：{zh}。本轮始于")
    assert message(replace(told, language="en")).notice.startswith(f"Latest: {en}. ")
    much_later = in_incident(told, updated_at=later + timedelta(minutes=5))
    assert "最新变化" not in message(much_later).notice
    assert zh in message(replace(much_later, previous=Receipt("1", NOW))).notice
    assert "最新变化" not in message(in_incident(told, alerts=(alerts[0], replace(other, event="updated")))).notice


@pytest.mark.parametrize(
    ("language", "resolved", "merged"),
    [
        ("zh", "【红色·已恢复】云杉科技：", "【红色·已并入 #9】云杉科技："),
        ("en", "[RED, RESOLVED] 云杉科技: ", "[RED, MERGED INTO #9] 云杉科技: "),
    ],
)
def test_the_end_says_of_what_level_it_was(language, resolved, merged):
    """And a merged incident where it went; of before numbers were kept, that it went."""
    lead = replace(SAMPLE.incident.lead, event="resolved")
    told = in_incident(replace(SAMPLE, kind="resolve", language=language), alerts=(lead,))
    assert message(told).headline.startswith(resolved)
    act = Act("merge", "小林", NOW, value="i-9", other=9)
    gone = replace(told.incident.handling, merged_into="i-9", timeline=(act,))
    assert message(in_incident(told, handling=gone)).headline.startswith(merged)
    unknown = replace(gone, timeline=(replace(act, other=0),))
    assert "#9" not in message(in_incident(told, handling=unknown)).headline


def test_a_rise_that_makes_it_nobodys_says_first_from_where():
    """What changed, then what follows from it, then what to do."""
    act = Act("unacknowledge", "", NOW, value="red", revision=SAMPLE.incident.revision)
    told = in_incident(
        replace(SAMPLE, kind="update", was=Level.orange), handling=replace(SAMPLE.incident.handling, timeline=(act,))
    )
    assert message(told).notice.startswith("此前为橙色。因级别升至红色，原认领失效，请重新认领。请立即处置")


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
