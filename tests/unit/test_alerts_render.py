"""Text that somebody else wrote, made fit for a message; and what a message says."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Because, Coverage, Level, Reached
from alerts.render import message
from alerts.render.names import RISKS
from alerts.render.text import clean, cut, defuse, people, safe_url, size, units, unpage
from alerts.render.times import duration
from alerts.sample import sample_notification
from sentiment import RiskCategory

NOW = datetime(2026, 3, 2, 18, 2, tzinfo=UTC)
FAMILY = "👨‍👩‍👧‍👦"


@given(st.text(max_size=200), st.integers(0, 60), st.sampled_from([len, units, size]))
def test_cut_keeps_its_limit(text, limit, measure):
    """Whatever the text and the measure, the result is within the limit; a text that fits is left alone."""
    got = cut(text, limit, measure)
    assert measure(got) <= limit
    if measure(text) <= limit:
        assert got == (text if limit else "")
    elif measure("…") <= limit:
        assert got.endswith("…")
        assert text.startswith(got[:-1])


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abcdef", 4, "abc…"),
        ("ab" + FAMILY + "c", 8, "ab…"),
        ("a🇨🇳🇯🇵🇰🇷", 5, "a🇨🇳…"),
        ("a🇨🇳🇯🇵🇰🇷", 6, "a🇨🇳🇯🇵…"),
        ("ok👍🏽🏽!!", 4, "ok…"),
        ("cafe\u0301s and more", 5, "caf…"),
        ("cafe\u0301s and more", 6, "cafe\u0301…"),
        ("说话 很长", 4, "说话…"),
    ],
)
def test_cut_splits_no_visible_character(text, limit, expected):
    """A family, a flag, a skin tone and an accent stay whole, or go whole."""
    assert expected == cut(text, limit)


@given(st.text(st.characters(codec=None), max_size=200))
def test_clean_leaves_one_visible_line(text):
    """Nothing that controls, reorders, hides or is half a character is left, and cleaning again changes nothing."""
    got = clean(text)
    bad = {unicodedata.category(character) for character in got.replace("\u200d", "")} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert bad == set()
    assert got == clean(got)
    got.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("看https://evil.example/a?b=c，快", "看[x]，快"),
        ("HTTP://EVIL.example", "[x]"),
        ("www.evil.example。", "[x]。"),
        ("javascript:alert(1) data:text/html,x", "[x] [x]"),
        ("ht\u200btps://evil.example", "[x]"),
        ("写信 someone@evil.example 吧", "写信 [x] 吧"),
        ("//@用户甲:转发 @云杉科技 1.5 倍", "//@用户甲:转发 @云杉科技 1.5 倍"),
    ],
)
def test_defuse_leaves_no_address(text, expected):
    """Addresses and mailboxes are replaced, also hidden ones; other text stays."""
    assert expected == defuse(text, "[x]")


def test_unpage_breaks_every_name():
    """No at sign, full-width or not, stands before a name."""
    assert unpage("@all ＠所有人 a@b @ c") == "@\u200ball ＠\u200b所有人 a@\u200bb @ c"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://weibo.example.com/1?a=b&c=d#e", "https://weibo.example.com/1?a=b&c=d#e"),
        ("https://例子.example/路", "https://%E4%BE%8B%E5%AD%90.example/%E8%B7%AF"),
        ('https://a.example/"><script>|x', "https://a.example/%22%3E%3Cscript%3E%7Cx"),
        ("javascript:alert(1)", ""),
        ("https://bank.example@evil.example/", ""),
        ("https://a.example/ b", ""),
        ("https://a.example/\u202e", ""),
        ("//a.example", ""),
        ("https://[", ""),
        ("https://a.example:99999/", ""),
        ("https://a.example/" + "x" * 2000, ""),
        ("", ""),
    ],
)
def test_safe_url(url, expected):
    """Only plain web addresses can be followed, and they are escaped."""
    assert expected == safe_url(url)


@pytest.mark.parametrize(
    ("count", "zh", "en"),
    [
        (0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (12_345, "1.2万", "12.3K"),
        (123_000, "12.3万", "123K"),
        (4_500_000, "450万", "4.5M"),
        (120_000_000, "1.2亿", "120M"),
    ],
)
def test_counts_as_people_say_them(count, zh, en):
    """Large numbers are told in 万 and 亿, or in K and M."""
    assert (zh, en) == (people(count, "zh"), people(count, "en"))


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (timedelta(seconds=59), "不到 1 分钟", "under 1m"),
        (timedelta(minutes=22), "22 分钟", "22m"),
        (timedelta(hours=1, minutes=5), "1 小时 5 分钟", "1h 5m"),
        (timedelta(days=2, hours=3, minutes=9), "2 天 3 小时", "2d 3h"),
        (timedelta(days=1, minutes=9), "1 天", "1d"),
    ],
)
def test_durations_as_people_say_them(length, zh, en):
    """A length is told in its two largest units."""
    assert (zh, en) == (duration(length, "zh"), duration(length, "en"))


def told(language="zh", kind="open", event=None, incident=None, **changes):
    plain = sample_notification(NOW, language, timezone="Asia/Shanghai", level=Level.orange)
    lead = replace(plain.incident.lead, **(event or {}))
    return message(
        replace(plain, kind=kind, incident=replace(plain.incident, alerts=(lead,), **(incident or {})), **changes)
    )


def facts(got):
    return dict(got.facts)


def test_first_line_is_enough():
    """The headline names level, brand and what happened; the next line what is usual."""
    got = told()
    assert got.headline == "【橙色预警】云杉科技：负面提及激增"
    assert got.because == "近 30 分钟负面提及 42 条，前 6 小时平均每 30 分钟 1.2 条（35 倍）"
    assert told("en").headline == "[ORANGE ALERT] Yunshan Tech: surge of negative mentions"


def test_a_change_of_level_is_told():
    """An update says that the level rose or fell, and from which."""
    rose = told(kind="update", was=Level.yellow)
    assert (rose.headline[:6], rose.notice, rose.raised) == ("【升至橙色】", "此前为黄色。请立即处置。", True)
    fell = told(kind="update", was=Level.red)
    assert (fell.headline[:6], fell.notice, fell.raised) == ("【降至橙色】", "此前为红色。", False)
    assert told(kind="update", was=Level.orange).headline.startswith("【橙色·有新进展】")
    assert told(kind="update", event={"event": "raised"}).headline.startswith("【升至橙色】")


def test_the_end_tells_how_long_it_lasted():
    """A resolve says that it is over and how long it took; a late open says both."""
    ended = {"event": "resolved", "at": NOW + timedelta(minutes=80)}
    got = told(kind="resolve", event=ended, incident={"updated_at": NOW + timedelta(minutes=80)})
    assert (got.headline[:8], got.notice, got.over) == ("【橙色·已恢复】", "历时 1 小时 20 分钟。", True)
    late = told(event=ended)
    assert "已结束" in late.headline
    assert "补发备查" in late.notice


def test_coverage_is_honest():
    """A blind source is named, with how long and since when; otherwise the message says that nothing was missing."""
    assert facts(told())["监测覆盖"] == "全部来源正常"
    blind = Coverage((("weibo-supplier", NOW - timedelta(minutes=22)), ("forum", NOW - timedelta(hours=30))))
    assert facts(told(event={"coverage": blind}))["监测覆盖"] == (
        "weibo-supplier 采集中断 22 分钟（自 01:40 起）、forum 采集中断 1 天 6 小时（自 3月1日 20:02 起）；实际声量可能更高"
    )
    english = facts(told("en", event={"coverage": Coverage(blind.blind[:1])}))
    assert english["Coverage"] == ("no data from weibo-supplier for 22m (since 01:40); actual volume may be higher")


def test_an_alert_without_title_is_told_by_its_reason():
    """Where a rule has no title, the reason stands in the headline; where there is no reason either, the rule."""
    assert told(event={"title": Because("", "")}).headline.startswith("【橙色预警】云杉科技：近 30 分钟负面提及 42 条")
    assert told(event={"title": Because("", ""), "because": Because("", "")}).headline == "【橙色预警】云杉科技：test"


def test_times_are_in_the_receivers_zone():
    """The window and the footer are in the configured zone; an unknown zone falls back to UTC."""
    got = told()
    assert facts(got)["时段"] == "01:32–02:02"
    assert got.footer.endswith("2026-03-03 02:02（Asia/Shanghai）")
    assert told(timezone="Nowhere/City").footer.endswith("2026-03-02 18:02（UTC）")


def test_other_alerts_of_the_incident_are_named():
    """Up to five others are named, open and high ones first, the rest counted."""
    plain = sample_notification(NOW, "zh", level=Level.red)
    lead = plain.incident.lead
    others = [
        replace(
            lead,
            alert=f"a{n}",
            level=Level.blue,
            title=Because(f"其他{n}", ""),
            event="resolved" if n < 3 else "opened",
        )
        for n in range(7)
    ]
    got = facts(message(replace(plain, incident=replace(plain.incident, alerts=(*others, lead)))))
    assert got["同一事件"].startswith("其他3（蓝色）；其他4（蓝色）；其他5（蓝色）；其他6（蓝色）；其他0（已恢复）")
    assert got["同一事件"].endswith("另有 2 条预警")


def test_old_figures_do_not_read_as_new():
    """A repeat and an update say since when it is open and how old the figures are."""
    later = {"updated_at": NOW + timedelta(hours=4)}
    got = told(kind="repeat", incident=later, was=Level.orange)
    assert got.notice == "本轮始于 02:02；以下数据截至 02:02。"
    assert "数据截至 2026-03-03 02:02" in got.footer


def test_an_alert_whose_rule_was_removed_is_withdrawn_and_not_over():
    """Nobody reads 已恢复 where nothing is known to be over, nor the word that is there for programs."""
    gone = {"event": "resolved", "because": Because("rule_removed：规则已移除", "rule_removed: the rule is gone")}
    got = told(kind="resolve", event=gone)
    assert got.headline.startswith("【橙色·预警撤销】")
    assert (got.because, got.notice) == ("规则已移除", "")


def test_the_program_speaks_of_itself_in_other_words():
    """Its own alerts are no brand's crisis, and claim no coverage."""
    own = {"kind": "self", "topic": None}
    got = told(event=own | {"title": Because("weibo 采集中断", "No data from weibo")}, incident=own)
    assert got.headline == "【橙色·系统告警】监测系统：weibo 采集中断"
    assert "监测覆盖" not in facts(got)
    over = told(kind="resolve", event=own | {"event": "resolved"}, incident=own)
    assert over.headline.startswith("【系统告警解除】监测系统：")
    assert over.notice == ""


def test_who_is_woken_reads_what_to_do():
    """A first message ends its opening lines with the act that its level asks for."""
    assert told().notice == "请立即处置。"
    assert told("en").notice == "Act now."


def test_one_is_told_in_the_singular_and_unknown_reach_as_unknown():
    """English counts one mention, and no source's silence is a reach of nought."""
    spread = facts(told("en", event={"reached": Reached(1, 1, 1, 0, (("weibo", 1),))}))["Spread"]
    assert spread == "1 mention (1 negative) · 1 author · reach unknown"


@pytest.mark.parametrize(
    ("copies", "channels", "zh", "en"),
    [
        (1, ("weibo",), None, None),
        (23, ("weibo",), "（23 条相同或转载内容）", "(23 copies)"),
        (12_300, ("weibo", "news"), "（1.2万条相同或转载内容，见于 微博、新闻）", "(12.3K copies, on weibo, news)"),
    ],
)
def test_a_story_is_told_where_it_is_passed_on(copies, channels, zh, en):
    """One mention alone is no story; one channel goes without saying."""
    for language, told in (("zh", zh), ("en", en)):
        sample = sample_notification(NOW, language)
        event = sample.incident.lead
        story = replace(event.stories[0], title="充电宝冒烟 https://evil.example/x", copies=copies, channels=channels)
        incident = replace(sample.incident, alerts=(replace(event, stories=(story,)),))
        facts = dict(message(replace(sample, incident=incident)).facts)
        found = facts.get("主要内容" if language == "zh" else "Main story")
        assert (found is None) == (told is None)
        if told and found:
            assert found.endswith(told)
            assert "evil" not in found


@pytest.mark.parametrize(("language", "named"), [("zh", "产品安全 · 监管处罚"), ("en", "product safety · regulators")])
def test_a_quote_names_the_trouble_that_it_reports(language, named):
    """Before the channel, in the receiver's language."""
    notification = sample_notification(NOW, language)
    (first, *_) = notification.incident.alerts
    quoted = replace(first.excerpts[0], risks=("product_safety", "regulatory"))
    incident = replace(notification.incident, alerts=(replace(first, excerpts=(quoted,)),))
    (quote, *_) = message(replace(notification, incident=incident)).quotes
    assert quote.about.startswith(f"{named} · ")


def test_every_risk_has_a_name_in_both_languages():
    """What the sentiment knows, people can read."""
    assert set(RISKS["zh"]) == set(RISKS["en"]) == set(get_args(RiskCategory))
