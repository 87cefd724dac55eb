"""How values are said: words, times and amounts in both languages."""

import re
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent, Because, Level, NotificationKind
from alerts.hold import HoldReason
from listener.web.language import preferred
from listener.web.speech import Speech, linkable
from listener.web.status import DeliveryState, SourceState
from listener.web.words import WORDS
from tests.status_reader import event

NOW = datetime(2025, 11, 22, 6, 41, 12, tzinfo=UTC)
ZH = Speech("zh", ZoneInfo("Asia/Shanghai"), NOW)
EN = Speech("en", ZoneInfo("America/New_York"), NOW)
TEMPLATES = Path(__file__).parents[2] / "listener" / "web" / "templates"


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_word_has_both_languages(key):
    """Each key says something in Chinese and in English, with the same values filled in."""
    chinese, english = WORDS[key]
    assert chinese.strip()
    assert english.strip()
    # A sentence about one thing may name no count; everything else takes the same values.
    assert fields(chinese) == fields(english) or {"total"} == fields(english) - fields(chinese)


def test_the_catalogue_is_what_the_pages_ask_for():
    """Every word that templates and code name exists, and none stands unused."""
    package = TEMPLATES.parent
    catalogues = set(package.glob("words*.py"))
    sources = [*TEMPLATES.glob("*.html"), *(file for file in package.glob("*.py") if file not in catalogues)]
    asked = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    composed = (
        "level_",
        "event_",
        "state_",
        "tier_",
        "delivery_state_",
        "kind_",
        "node_",
        "variant_",
        "refused_",
        "field_",
        "verdict_",
        "held_",
        "handled_",
        "act_",
    )
    named = set(re.findall(r"\b(?:say|self)\([\"']([a-z_]+)[\"'][,)]", asked))
    assert named - WORDS.keys() == set()
    assert len(named) > 80
    unused = [key for key in WORDS if f'"{key}"' not in asked and f"'{key}'" not in asked]
    assert [key for key in unused if not key.startswith(composed)] == []


def test_every_state_has_a_word():
    """Each level, event, state, hold and kind of message that types allow can be said."""
    assert {f"held_{reason}" for reason in get_args(HoldReason)} <= WORDS.keys()
    events = get_args(AlertEvent.__annotations__["event"])
    for say in (ZH, EN):
        assert [say.level(level) for level in Level]
        for prefix, names in (
            ("event_", events),
            ("state_", get_args(SourceState)),
            ("delivery_state_", get_args(DeliveryState)),
            ("kind_", get_args(NotificationKind)),
            ("tier_", ("core", "auxiliary")),
        ):
            assert all(say(prefix + name) for name in names)


def test_four_levels_have_four_names():
    """Levels are told by word, not by colour alone."""
    assert [ZH.level(level) for level in Level] == ["蓝色", "黄色", "橙色", "红色"]
    assert [EN.level(level) for level in Level] == ["Blue", "Yellow", "Orange", "Red"]


@pytest.mark.parametrize(
    ("length", "chinese", "english"),
    [
        (timedelta(0), "0 秒", "0 s"),
        (timedelta(seconds=-5), "0 秒", "0 s"),
        (timedelta(seconds=59.9), "59 秒", "59 s"),
        (timedelta(minutes=1), "1 分钟", "1 min"),
        (timedelta(minutes=59, seconds=59), "59 分钟", "59 min"),
        (timedelta(hours=3), "3 小时", "3 h"),
        (timedelta(hours=3, minutes=20), "3 小时 20 分", "3 h 20 min"),
        (timedelta(days=1), "1 天", "1 d"),
        (timedelta(days=2, hours=4, minutes=59), "2 天 4 小时", "2 d 4 h"),
    ],
)
def test_durations(length, chinese, english):
    """A duration is said in at most two units, rounded down."""
    assert (ZH.duration(length), EN.duration(length)) == (chinese, english)


def test_relative_times():
    """Past, future, now and never are told apart."""
    assert ZH.ago(None) == "从未"
    assert EN.ago(NOW - timedelta(seconds=4)) == "just now"
    assert ZH.ago(NOW - timedelta(minutes=3)) == "3 分钟前"
    assert EN.ago(NOW + timedelta(minutes=3)) == "in 3 min"


def test_a_reason_leaves_out_the_word_that_is_for_programs():
    """Machines find rule_removed and max_age in the event; people read what it means."""
    assert ZH.why(Because("rule_removed：规则已移除", "rule_removed: the rule is gone")) == "规则已移除"
    assert EN.why(Because("max_age：到期结束", "max_age: its time is over")) == "its time is over"
    assert EN.why(Because("规则已移除", "")) == "规则已移除"


def test_times_stand_in_the_configured_zone():
    """A time is shown in the zone, with its date where it is not today there, and its year where it is not this one."""
    at = datetime(2025, 11, 21, 16, 30, tzinfo=UTC)
    assert ZH.moment(at) == "00:30"
    assert EN.moment(at) == "21 Nov 11:30"
    assert ZH.moment(at - timedelta(days=400)) == "2024年10月18日 00:30"
    assert ZH.full(at) == "2025-11-22 00:30:00 UTC+08:00"
    assert EN.full(at) == "2025-11-21 11:30:00 UTC-05:00"
    assert ZH.span(at - timedelta(hours=1), at) == "11月21日 23:30–11月22日 00:30"
    assert ZH.span(at, at + timedelta(hours=1)) == "00:30–01:30"


@pytest.mark.parametrize(
    ("count", "chinese", "english"),
    [
        (0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (10_000, "1万", "10k"),
        (12_999, "1.2万", "12.9k"),
        (1_284_000, "128万", "1.2M"),
        (99_999_999, "9,999万", "99.9M"),
        (340_000_000, "3.4亿", "340M"),
        (1_234_000_000_000, "12,340亿", "1,234B"),
    ],
)
def test_crowds(count, chinese, english):
    """Reach is rounded down, as a lower bound must be, and said in the language's own units."""
    assert (ZH.crowd(count), EN.crowd(count)) == (chinese, english)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 5, "0%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (5, 5, "100%"), (1, 3, "33%"), (0, 0, "–")],
)
def test_shares(part, whole, said):
    """0 % and 100 % are said only where it is exactly that; nothing of nothing is no share."""
    assert ZH.share(part, whole) == said


def test_headline_falls_back():
    """An alert without title or brand is still named, and a reason missing in one language is told in the other."""
    assert ZH.headline(event(NOW, title=Because("", ""), brand="")) == "negative-surge"
    assert EN.headline(event(NOW, title=Because("只有中文", ""))) == "云杉科技 · 只有中文"
    assert replace(ZH, language="en").of(Because("甲", "")) == "甲"


@given(st.text(max_size=80))
def test_only_web_addresses_are_linkable(url):
    """Whatever the text, what becomes a link starts with http(s) and holds nothing that could leave the attribute."""
    if linkable(url):
        assert url.lower().startswith(("http://", "https://"))
        assert not set(url) & set('"<>` \n\t')


@given(st.text(alphabet=string.printable, max_size=60))
def test_any_accept_language_is_read(header):
    """No header makes the choice of language fail."""
    assert preferred(header) in {None, "zh", "en"}


CSS = (TEMPLATES.parent / "static" / "listener.css").read_text(encoding="utf-8")


def tokens(*, dark):
    """The colours of the stylesheet, dark ones over light ones."""
    light, _, night = CSS.partition("@media (prefers-color-scheme: dark)")
    chosen = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", light))
    return chosen | (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", night)) if dark else {})


def luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable(dark):
    """Every text colour has at least 4.5 : 1 on every ground it stands on, light and dark (WCAG 2.2, 1.4.3)."""
    colour = tokens(dark=dark)
    pairs = [(ink, ground) for ink in ("ink", "muted", "link", "ok", "fail", "bad") for ground in ("card", "ground")]
    pairs += [("bar-ink", "bar"), ("bar-muted", "bar"), ("bad", "bad-ground"), ("ink", "bad-ground")]
    pairs += [("muted", "bad-ground")]
    for ink, ground in pairs:
        assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    for level in ("blue", "orange", "red"):
        assert contrast("#fff", colour[level]) >= 4.5, level
    assert contrast("#2a2100", colour["yellow"]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_charts_are_readable(dark):
    """The parts of a bar that matter stand out from the card by at least 3 : 1 (WCAG 2.2, 1.4.11)."""
    colour = tokens(dark=dark)
    for part in ("negative", "positive"):
        assert contrast(colour[part], colour["card"]) >= 3, part
