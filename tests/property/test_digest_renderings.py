"""A digest on the channels without a rate, where quiet hours make one: every alert is named, within the limits."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts import Because, Level, Notification
from alerts.channels.console import ConsoleConfig
from alerts.channels.email import EmailConfig, compose
from alerts.channels.ntfy import NtfyConfig
from alerts.channels.slack import SlackConfig
from alerts.channels.teams import TeamsConfig
from alerts.channels.telegram import TelegramConfig
from alerts.render import message, ntfy, slack, teams, telegram
from alerts.render.plain import plain
from alerts.render.text import units
from alerts.sample import sample_notification

NOW = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
TEXTS = ["短", "🔥👨‍👩‍👧‍👦" * 50, "&<>@.a", "&" * 500, "长" * 5000, '"\\' * 200, "@a" * 100]


def digest(count: int, text: str, language: str) -> tuple[Notification, list[str]]:
    """Of that many incidents, every third one over; and the words that each must be named by."""
    parts, names = [], []
    for number in range(count):
        one = sample_notification(NOW, language, level=[Level.yellow, Level.orange, Level.blue][number % 3])
        names.append(f"№{number:03d}")
        over = {"event": "resolved"} if number % 3 == 0 else {}
        lead = replace(one.incident.lead, brand=f"{names[-1]}{text}", title=Because(text, text), **over)
        incident = replace(one.incident, id=f"i{number}", alerts=(lead,))
        parts.append(replace(one, kind="resolve" if over else "open", incident=incident, deferred=True))
    return replace(parts[0], digest=tuple(parts), console_url="https://listener.example.com/"), names


def missing(names: list[str], told: str) -> list[str]:
    return [name for name in names if name not in told]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("text", TEXTS)
def test_slack_names_every_alert(text, language):
    """Within a section's, a message's and the blocks' limits, in the form without blocks too."""
    notification, names = digest(SlackConfig.limits.digest, text, language)
    told = message(notification)
    blocks = slack.blocks(told)
    assert [] == missing(names, json.dumps(blocks, ensure_ascii=False))
    assert [] == missing(names, slack.text_only(told))
    texts = [block["text"]["text"] for block in blocks if "text" in block]
    assert max(units(one) for one in texts) <= slack.TEXT
    assert sum(units(one) for one in texts) <= slack.TOTAL
    assert len(blocks) <= slack.BLOCKS


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("text", TEXTS)
def test_telegram_ntfy_teams_mail_and_terminal_name_every_alert(text, language):
    """Each within its limit."""
    notification, names = digest(TelegramConfig.limits.digest, text, language)
    html = telegram.html(message(notification))
    assert [] == missing(names, html)
    assert units(telegram.visible(html)) <= telegram.TEXT

    notification, names = digest(NtfyConfig.limits.digest, text, language)
    push = ntfy.payload(message(notification), "t")
    assert [] == missing(names, push["message"])
    assert len(push["message"].encode()) <= ntfy.TEXT

    notification, names = digest(TeamsConfig.limits.digest, text, language)
    card = json.dumps(teams.payload(message(notification)), ensure_ascii=False)
    assert [] == missing(names, card)
    assert len(card.encode()) <= TeamsConfig.limits.body

    notification, names = digest(EmailConfig.limits.digest, text, language)
    mail = compose(notification, "listener@example.com", ["pr@example.com"])
    for part in ("plain", "html"):
        assert [] == missing(names, mail.get_body((part,)).get_content())
    assert len(mail.as_bytes()) <= EmailConfig.limits.body
    assert mail["References"] is None  # it belongs to no incident's thread

    notification, names = digest(ConsoleConfig.limits.digest, text, language)
    told = plain(message(notification))
    assert [] == missing(names, told)
    assert len(told.encode()) <= ConsoleConfig.limits.body


def test_it_says_why_and_what_is_over():
    """The reader learns that quiet hours held it, how many of each level go on, and how many are over."""
    notification, _ = digest(6, "云杉", "zh")
    told = message(notification)
    assert told.headline == "【汇总·最高橙色】№000云杉等 6 个品牌：6 条消息"
    assert "免打扰时段内的消息，时段结束后合并为一条" in told.because
    assert "橙色 2 条" in told.because
    assert "已结束 2 条" in told.because
    assert [label for label, _ in told.facts].count("黄色·已恢复") == 2
    crowded = replace(notification, digest=tuple(replace(part, deferred=False) for part in notification.digest))
    assert "发送限额" in message(crowded).because
