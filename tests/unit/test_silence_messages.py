"""What messages and pages say of a silence, in both languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import Level, Notification
from alerts.channels.slack_buttons import block
from alerts.render import message
from alerts.render.silence import KINDS, notice
from alerts.sample import sample_notification
from alerts.silence import Silence, Stay
from listener.web import view
from tests.status_reader import ScriptedReader

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SILENCE = Silence(
    {"topic": frozenset({"acme", "rival"}), "level": frozenset({"yellow"})},
    None, Level.yellow, "小林", "例行促销 @all https://evil.example", NOW, NOW + 3 * HOUR, NOW, 3,
)  # fmt: skip


def said(phase, language, under=(), silence=SILENCE, now=NOW):
    incident = notice(silence, phase, under, now=now, timezone="Asia/Shanghai")
    sent = Notification(
        "k", 1, KINDS[phase], incident, language, None, "https://listener.example.com/", "Asia/Shanghai"
    )
    return sent, message(sent)


@pytest.mark.parametrize(
    ("phase", "language", "headline", "because"),
    [
        ("start", "zh", "【静默开始】监测系统：级别 黄色，话题 acme/rival",
         "小林 设置静默，至 13:00。原因：例行促销 @all [链接]。黄色及以下暂不通知；级别上升，或增至四倍，仍会通知一次。"),
        ("warn", "zh", "【静默即将结束】监测系统：级别 黄色，话题 acme/rival",
         "小林 设置的静默将于 13:00 结束。原因：例行促销 @all [链接]。静默期间没有预警。"),
        ("end", "en", "[SILENCE OVER] Monitoring: level=yellow topic=acme/rival",
         "小林's silence is over. Why: 例行促销 @all [link]. There was no alert under it."),
    ],
)  # fmt: skip
def test_a_notice_says_who_why_and_until_when(phase, language, headline, because):
    """Its own words, and nobody's words can be followed."""
    sent, told = said(phase, language)
    assert (told.headline, told.because) == (headline, because)
    assert block(sent) is None


def test_the_end_names_what_goes_on():
    """What is open still, highest first, and how much was under it."""
    going = replace(sample_notification(NOW, "zh").incident, number=7)
    over = replace(going, id="b", alerts=(replace(going.lead, event="resolved", at=NOW + HOUR),), number=8)
    old = replace(over, id="c", alerts=(replace(going.lead, event="resolved", at=NOW - HOUR),), number=9)
    under = [(one, Stay(SILENCE, NOW, Level.yellow, "r", 3, 3.0)) for one in (going, over, old)]
    ended = replace(SILENCE, ended_at=NOW + 2 * HOUR, ended_by="阿苏", reason="促销")
    _, told = said("end", "zh", under, ended, NOW + 2 * HOUR)
    assert told.because == (
        "小林 设置的静默已由 阿苏 提前结束。原因：促销。静默期间共 2 起事件、2 条预警。仍未解除：#7 负面提及激增（黄色）。"
    )


@pytest.mark.parametrize(
    ("kind", "tag", "notice"),
    [
        (
            "breakthrough",
            "【黄色·静默期内加剧】",
            "该事件处于静默中，但级别上升或声量增至静默开始时的四倍，特此通知一次。本轮始于 10:00",
        ),
        ("unsilenced", "【黄色·静默结束，仍在持续】", "本轮始于 10:00"),
    ],
)
def test_a_message_says_why_it_comes(kind, tag, notice):
    """And is worth a second look by who saw the first."""
    sample = sample_notification(NOW, "zh", timezone="Asia/Shanghai")
    told = message(replace(sample, kind=kind))
    assert told.headline.startswith(tag)
    assert told.notice.startswith(notice)
    assert told.raised


async def test_the_status_page_names_the_silence():
    """Of the incidents that it holds, and no others."""
    yellow = sample_notification(NOW, "zh").incident
    red = replace(sample_notification(NOW, "zh", level=Level.red).incident, id="red")
    silence = replace(SILENCE, matchers={"kind": frozenset({"topic"})})
    reader = ScriptedReader(muting=[silence])
    found = view.status([yellow, red], [], reader.box, [], silences=await reader.silences())
    assert {name: len(held) for name, held in found.silences.items()} == {yellow.id: 1, "red": 0}
