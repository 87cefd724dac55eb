"""Whatever people write: within every limit, nothing called, nothing linked, and the address of the incident kept."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from alerts import Because, Excerpt, NotificationKind, Reached, StoryRef
from alerts.render import alertmanager, message, ntfy, pager, teams, telegram, template
from alerts.render.text import inert, inert_but
from alerts.render.wording import worded
from alerts.sample import sample_notification
from alerts.texts import Texts
from tests.support.pushes import LINKED, read_card

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
URL = "https://listener.example.com/incidents/1"
CHARACTERS = st.characters(codec=None)
PIECES = st.sampled_from(
    [
        "@all",
        "evil.com",
        "例子.中国",
        "/start",
        "<b>",
        "&",
        "https://evil.example",
        "\u202e",
        "👨‍👩‍👧",
        "\ud83d",
        "{{DATE(2026)}}",
        '"',
        "\\",
        "\u0301",
    ]
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=60),
    st.lists(PIECES, max_size=20).map("".join),
    st.tuples(PIECES, st.integers(1, 3000)).map(lambda pair: pair[0] * pair[1]),
)

# Templates that put together what people wrote in the worst ways that there are.
OWN = st.sampled_from(
    [
        Texts(),
        Texts("{{ brand }}", "{{ because }}"),
        Texts("@{{ brand }}", "https://{{ brand }}\n/{{ brand }}\n@{{ brand|replace('\u200b', '') }}"),
        Texts("{{ brand }}.com", "{{ quotes|join('\n') }}\n{{ text }}\n{{ facts.values()|join('.') }}"),
        Texts("<{{ brand }}>", "**{{ brand }}**\n{{ brand|safe }}\n[{{ brand }}](https://{{ topic }})\n# {{ what }}"),
        Texts("{{ brand * 50 }}", "{% for n in range(40) %}{{ (because ~ text) * 9 }}\n{% endfor %}"),
        Texts("{{ nothing }}", "{{ brand.nothing }}"),
    ]
)


@st.composite
def notifications(draw):
    plain = sample_notification(NOW, draw(st.sampled_from(["zh", "en"])), console_url=URL, timezone="Asia/Shanghai")
    text = draw(TEXTS)
    lead = replace(
        plain.incident.lead,
        brand=text,
        title=Because(text, text),
        because=Because(text, text),
        key={text: text},
        rule=draw(TEXTS),
        reached=Reached(3, 2, 1, 10**7, ((text, 5),)),
        stories=(StoryRef("s", text, 7, (text,), text),),
        excerpts=tuple(
            Excerpt(f"{n}{text}", f"https://weibo.example.com/{n}", text, 0.9, text, 9, NOW, (), ((0, 2), (3, 7)))
            for n in range(4)
        ),
    )
    kind = draw(st.sampled_from(get_args(NotificationKind)))
    due = draw(st.none() | st.integers(-3000, 3000).map(lambda minutes: NOW + timedelta(minutes=minutes)))
    note = draw(st.sampled_from([None, Because(text, text)]))
    incident = replace(plain.incident, alerts=(lead,))
    made = replace(plain, kind=kind, incident=incident, at=NOW, respond_by=due, note=note)
    return worded(made, draw(OWN)).notification


@given(TEXTS)
def test_inert_text_calls_and_links_nothing(text):
    """No at sign, host name or command is left for a program that looks for them; letters and order stay."""
    made = inert(text)
    assert LINKED.search(made) is None
    assert made.replace("\u200b", "") == text.replace("\u200b", "")


@given(TEXTS)
def test_only_addresses_of_ours_are_left(text):
    """An address of ours at the end of a line stays whole; what comes before it on the line does not."""
    line = " ".join(text.split()) + " " + URL
    assert inert_but(line, [URL]) == inert(line.removesuffix(URL)) + URL


@given(notifications())
def test_renderings_keep_every_limit(notification):
    """Telegram, Teams, the pagers, ntfy, Alertmanager and a text message."""
    told = message(notification)
    html = telegram.html(told)
    assert 1 <= len(telegram.visible(html).encode("utf-16-le", "surrogatepass")) // 2 <= 4096
    assert f'<a href="{URL}">' in html
    problems: list[str] = []
    card = teams.payload(told)
    assert URL in read_card(card, problems)
    assert problems == []
    assert len(json.dumps(card, ensure_ascii=False).encode("utf-8", "replace")) <= teams.BODY
    push = ntfy.payload(told, "topic")
    assert len(push["message"].encode("utf-8", "replace")) <= 4096
    assert len(json.dumps(push, ensure_ascii=False).encode("utf-8", "replace")) <= 8192
    assert push["click"] == URL
    event = pager.pagerduty(told, notification)
    assert 1 <= len(event["payload"]["summary"]) <= 1024
    alert = pager.opsgenie(told, notification)
    assert 1 <= len(alert["message"]) <= 130
    assert len(alert["description"]) <= 15_000
    assert not re.search("[<>]", alert["message"] + alert["description"])
    short = template.values(told, notification, characters=70, secrets={})["short"]
    assert 1 <= len(short) <= 70


@given(notifications())
def test_alertmanager_takes_every_label(notification):
    """Names by Prometheus' rule, values never empty; the alert and its other levels differ in two labels alone."""
    forms = alertmanager.alerts(message(notification), notification, now=NOW, keep=timedelta(hours=1))
    assert len(forms) == (1 if notification.kind in {"open", "test"} else 4)
    for form in forms:
        assert form["labels"]["alertname"]
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in form["labels"])
        assert all(value and value == value.strip() for value in form["labels"].values())
        assert form["startsAt"] <= form["endsAt"]
    changing = {"level", "severity"}
    assert len({json.dumps({k: v for k, v in f["labels"].items() if k not in changing}) for f in forms}) == 1
    assert len({form["labels"]["level"] for form in forms}) == len(forms)
