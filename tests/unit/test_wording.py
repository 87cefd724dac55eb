"""The operator's own texts: what they replace, what they cannot leave out, and what happens where one fails."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from alerts import Coverage, Level, Receipt
from alerts.channels.base import TextsConfig
from alerts.render import message, plain
from alerts.render.template import WORDS, values
from alerts.render.wording import worded
from alerts.sample import sample_notification
from alerts.texts import Texts, Wording
from listener.config import load
from listener.deliver import Sender
from listener.metrics import Metrics
from listener.storage import outbox
from listener.storage.database import Database
from listener.turns import Line

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HEADLINE = "[{{ level_number }}] {{ brand }} - {{ what }}"
BODY = """\
{% if level_number >= 3 %}请公关值班立即处理。{% else %}请知悉。{% endif %}

{{ because }}
提及 {{ mentions }}，负面 {{ negative }}
"""


def notification(kind="open", **changes):
    plain_one = sample_notification(NOW, "zh", console_url="https://listener.example.com/1", level=Level.orange)
    lead = replace(plain_one.incident.lead, **changes)
    return replace(plain_one, kind=kind, incident=replace(plain_one.incident, alerts=(lead,)))


def told(texts, one):
    got = worded(one, texts)
    assert got.failed == ()
    return message(got.notification)


def test_own_texts_stand_in_place_of_ours():
    """The headline; and the body's lines in place of the advice, the reason and the facts. Excerpts and links stay."""
    ours = message(notification())
    got = told(Texts(HEADLINE, BODY), notification())
    assert got.headline == "[3] 云杉科技 - 负面提及激增"
    assert (got.notice, got.because) == ("", "请公关值班立即处理。")
    assert got.facts == (("", ours.because), ("", "提及 51，负面 42"))
    assert (got.quotes, got.links, got.footer) == (ours.quotes, ours.links, ours.footer)
    lines = plain.plain(got).splitlines()
    assert "提及 51，负面 42" in lines
    assert not any(line.startswith("：") for line in lines)


def test_one_of_the_two_leaves_the_other_as_it_was():
    """A headline alone changes no body, a body no headline."""
    ours = message(notification())
    assert told(Texts(headline=HEADLINE), notification()).facts == ours.facts
    assert told(Texts(body=BODY), notification()).headline == ours.headline


def test_a_test_and_a_blind_source_cannot_be_worded_away():
    """That it is no real alert, and what could not be seen, stand in any message."""
    assert "测试" in told(Texts("红色预警", "出事了"), notification("test")).notice
    blind = notification(coverage=Coverage((("weibo", NOW - timedelta(hours=1)),)))
    assert "采集中断 1 小时" in dict(told(Texts(body="出事了"), blind).facts)["监测覆盖"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ facts['没有'] }}", "the template failed: 'dict object' has no attribute '没有'"),
        ("{{ 1 // (mentions - mentions) }}", "the template failed (ZeroDivisionError)"),
        ("{{ brand.__class__.__mro__ }}", "the template failed (SecurityError)"),
        ("{{ level.nothing.more }}", "the template failed: 'str object' has no attribute 'nothing'"),
        ("{{ quotes.append('x') }}", "the template failed (SecurityError)"),
        (" {# nothing #} ", "the template gives no text"),
    ],
)  # fmt: skip
def test_a_text_that_fails_gives_way_to_ours(source, why):
    """The other one still stands; the fault is told by its name."""
    got = worded(notification(), Texts(HEADLINE, source))
    ((name, said),) = got.failed
    assert name == "body"
    assert said.startswith(why)
    ours, made = message(notification()), message(got.notification)
    assert made.headline == "[3] 云杉科技 - 负面提及激增"
    assert (made.because, made.facts) == (ours.because, ours.facts)


def test_what_is_put_together_is_defused():
    """No address comes of parts that are none, no control character or second line of a headline."""
    got = told(
        Texts("a\u202eb\nc", "https://{{ brand }}\nwww.{{ brand }}\n看\x00这里"), notification(brand="evil.example")
    )
    assert got.headline == "ab c"
    assert [got.because, *(value for _, value in got.facts)] == ["[链接]", "[链接]", "看 这里"]


def test_too_much_is_cut():
    """Twenty lines of 300 characters, 140 of headline."""
    got = worded(notification(), Texts("{{ '长' * 500 }}", "{% for n in range(99) %}{{ '长' * 999 }}\n{% endfor %}"))
    wording = got.notification.wording
    assert len(wording.headline) == 140
    assert [len(line) for line in wording.body] == [300] * 20


def test_names_are_those_that_there_are():
    """Each name that a text may use has a value; no secret is among them."""
    given = values(message(notification()), notification(), characters=200, secrets={"key": "s3cr3t"})
    assert set(WORDS) == set(given) - {"values"}
    with pytest.raises(ValueError, match="no 'values'"):
        TextsConfig(headline="{{ values.key }}")


def test_a_channel_has_its_own_before_the_receivers(tmp_path):
    """Each of the two texts by itself; a channel without takes the receiver's."""
    path = tmp_path / "listener.yml"
    path.write_text(
        """
sources: [{id: news, type: feed, url: "https://news.example.com/rss", channel: news}]
topics: [{id: acme, query: 云杉}]
receivers:
  - id: pr
    templates: {headline: "{{ brand }}", body: "{{ because }}"}
    channels: [{type: console, templates: {headline: "{{ tag }} {{ brand }}"}}, {type: console}]
""",
        encoding="utf-8",
    )
    (receiver,) = load(path, {}).receivers
    own, other = receiver.channels
    assert receiver.texts(own) == Texts("{{ tag }} {{ brand }}", "{{ because }}")
    assert receiver.texts(other) == Texts("{{ brand }}", "{{ because }}")
    assert receiver.model_copy(update={"templates": None}).texts(other) is None


class Kept:
    def __init__(self):
        self.sent = []

    async def send(self, one, /):
        self.sent.append(one)
        return Receipt("", NOW)


async def test_the_sender_sends_all_the_same(tmp_path, capsys):
    """A text that fails costs no message: ours goes out, a metric counts it, the log says it once."""
    database = await Database.open("sqlite:///listener.db", base=tmp_path)
    channel, metrics = Kept(), Metrics(CollectorRegistry())
    line = Line(channel, "zh", texts=Texts(HEADLINE, "{{ facts['没有'] }}"))
    sender = Sender(
        database,
        {("pr", "mail"): line},
        console=lambda _: "",
        timezone="Asia/Shanghai",
        metrics=metrics,
        now=lambda: NOW,
    )
    for number in range(2):
        incident = replace(notification().incident, id=f"i{number}")
        async with database.write("test") as connection:
            await outbox.put(connection, outbox.New(f"k{number}", "pr", "mail", "open", incident), now=NOW)
        await sender.step(NOW)
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("send ")))
    await database.close()
    assert [one.wording for one in channel.sent] == [Wording("[3] 云杉科技 - 负面提及激增")] * 2
    labels = {"receiver": "pr", "channel": "mail", "text": "body"}
    assert metrics.registry.get_sample_value("listener_templates_failed_total", labels) == 2
    assert capsys.readouterr().out.count("template_failed") == 1
