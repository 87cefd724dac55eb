"""What each of Telegram, Teams, the pagers, Alertmanager, ntfy and the templates does in its own way."""

import json
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from alerts import Because, DeliveryError, Level, Receipt
from alerts.handling import Taken
from alerts.render import message
from alerts.render.shorten import brief
from alerts.sample import sample_notification
from tests.support.pagers import alertmanager, opsgenie, pagerduty
from tests.support.peer import CONFIG, NOW, SECRET
from tests.support.pushes import apprise, ntfy, teams, telegram, template

URL = "https://listener.example.com/incidents/1"


def notification(kind="open", level=Level.orange, *, console_url=URL, **changes):
    plain = sample_notification(NOW, "zh", console_url=console_url, timezone="Asia/Shanghai", level=level)
    return replace(plain, kind=kind, **changes)


def ended(level=Level.orange):
    told = notification("resolve", level)
    lead = replace(told.incident.lead, event="resolved", at=NOW - timedelta(minutes=1))
    return replace(told, incident=replace(told.incident, alerts=(lead,)))


async def refusal(channel, told=None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(told or notification())
    return caught.value


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


# ---- Telegram


async def test_telegram_keeps_one_message(http):
    """The first message is edited in place; a rise, a repeat and the end answer it, the end without a sound."""
    async with telegram() as peer:
        channel = peer.build(http)
        first = await channel.send(notification(level=Level.yellow))
        assert first == Receipt("-10042:7", NOW)
        for told in (
            notification("update", Level.yellow, previous=first, was=Level.yellow),
            notification("update", Level.red, previous=first, was=Level.yellow),
            notification("repeat", Level.red, previous=first),
            replace(ended(Level.red), previous=first),
        ):
            assert await channel.send(told) == first
        assert list(peer.messages) == [7]
        assert "已恢复" in peer.messages[7]
        assert peer.replies == [(7, False), (7, False), (7, True)]
        assert await channel.send(notification("open", previous=first)) != first
        assert [] == peer.problems


async def test_telegram_edit_that_had_arrived_is_sent(http):
    """An edit whose answer was lost is tried again, and Telegram's "not modified" is its yes."""
    async with telegram() as peer:
        channel = peer.build(http)
        first = await channel.send(notification())
        told = notification("update", previous=first)
        assert await channel.send(told) == first
        assert await channel.send(told) == first
        assert len(peer.messages) == 1


@pytest.mark.parametrize("word", ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"])
async def test_telegram_posts_anew_where_the_message_is_gone(http, word):
    """What cannot be edited becomes a message of its own, and its receipt the one to edit from now on."""
    async with telegram() as peer:
        peer.words["editMessageText"] = [{"code": 400, "description": f"Bad Request: {word}"}]
        receipt = await peer.build(http).send(notification("update", previous=Receipt("-10042:3", NOW)))
        assert receipt.ref == "-10042:7"


@pytest.mark.parametrize("ref", ["", "7", "-10042:x", "a:b:c"])
async def test_telegram_takes_no_nonsense_from_a_receipt(http, ref):
    """A receipt that names no message is none: the update is posted."""
    async with telegram() as peer:
        assert (await peer.build(http).send(notification("update", previous=Receipt(ref, NOW)))).ref == "-10042:7"


async def test_telegram_says_when_to_come_back(http):
    """429 carries its wait in ``parameters``, which goes before the header."""
    async with telegram() as peer:
        said = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 31"}
        peer.refuse = lambda: web.json_response(
            said | {"parameters": {"retry_after": 31}}, status=429, headers={"Retry-After": "3"}
        )
        error = await refusal(peer.build(http))
        assert ("rate_limited", True, timedelta(seconds=31)) == (error.reason, error.retryable, error.retry_after)
        peer.refuse = lambda: web.json_response(said | {"parameters": {"retry_after": 5}})  # 200, from a gateway
        error = await refusal(peer.build(http))
        assert ("rate_limited", timedelta(seconds=5)) == (error.reason, error.retry_after)


async def test_telegram_follows_a_group_that_moved(http):
    """A group that became a supergroup is followed once; the receipt names the new chat."""
    async with telegram() as peer:
        peer.words["sendMessage"] = [
            {
                "code": 400,
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
                "migrate_to_chat_id": -100_77,
            }
        ]
        peer.chat = -100_77
        channel = peer.build(http)
        receipt = await channel.send(notification())
        assert receipt.ref == "-10077:7"
        await channel.send(notification("update", previous=receipt))
        assert list(peer.messages) == [7]


async def test_telegram_without_markup_where_it_cannot_read_ours(http):
    """A message is told without markup rather than not at all."""
    async with telegram() as peer:
        peer.words["sendMessage"] = [{"code": 400, "description": "Bad Request: can't parse entities: byte 9"}]
        await peer.build(http).send(notification())
        assert "parse_mode" not in peer.payloads[-1]
        assert "三个工作日" in peer.texts[-1]


@pytest.mark.parametrize(
    "body", ["", "{}", '{"ok":1}', '{"ok":"true"}', "<html>", "[" * 9000, '{"ok":true}', '{"ok":true,"result":[]}']
)
async def test_telegram_success_is_in_the_body(http, body):
    """A 200 without Telegram's own yes and the message's id is not taken for sent."""
    async with telegram() as peer:
        peer.refuse = lambda: web.Response(text=body)
        error = await refusal(peer.build(http))
        assert ("refused", True) == (error.reason, error.retryable)


async def test_telegram_wrong_token(http):
    """A wrong token is an auth error and final, and stays inside, as every part of the address."""
    async with telegram() as peer:
        peer.config["token"] = f"4711:{SECRET}-wrong"
        error = await refusal(peer.build(http))
        assert ("auth", False) == (error.reason, error.retryable)
        peer.config["api"] = "http://127.0.0.1:1/"
        error = await refusal(peer.build(http))
        assert "network" == error.reason
        link = error
        while link is not None:
            assert SECRET not in f"{link!s}{link!r}"
            link = link.__cause__


@pytest.mark.parametrize(
    ("key", "value"),
    [("token", "secret-without-colon"), ("token", "12:a b"), ("chat", "somebody"), ("chat", "@a b"), ("topic", 0)],
)
def test_telegram_config_mistakes(key, value):
    """A token or chat that can be none is refused when the file is read, and the token is not told."""
    config = {"type": "telegram", "token": f"1:{SECRET}", "chat": -1, key: value}
    with pytest.raises(ValidationError) as caught:
        CONFIG.validate_python(config)
    assert SECRET not in str(caught.value)


# ---- Teams


@pytest.mark.parametrize(
    ("status", "body", "reason", "retryable"),
    [
        (202, "", None, None),
        (200, "1", None, None),
        (201, "{}", None, None),
        (200, "Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=1", "rate_limited", True),
        (200, "Webhook message delivery failed with error: … HTTP error 413 with ContextId", "too_long", False),
        (200, "Webhook message delivery failed with error: … HTTP error 400 with ContextId", "client", False),
        (200, "Webhook message delivery failed with error: … HTTP error 200 with ContextId", "refused", True),
        (200, "<!doctype html><title>Sign in</title>", "refused", True),
        (204, "", "refused", True),
        (404, '{"error":{"code":"WorkflowNotFound","message":"gone"}}', "client", False),
    ],
)
async def test_teams_answers(http, status, body, reason, retryable):
    """What a workflow, a connector and a gateway answer, each in its class; Azure's code is told."""
    async with teams() as peer:
        peer.refuse = lambda: web.Response(status=status, text=body)
        channel = peer.build(http)
        if reason is None:
            assert await channel.send(notification()) == Receipt("", NOW)
            return
        error = await refusal(channel)
        assert (reason, retryable) == (error.reason, error.retryable)
        assert "WorkflowNotFound" in error.detail or status != 404


# ---- the pagers


async def test_pagerduty_lives_one_alert(http):
    """One dedup_key from trigger to resolve; a retry changes nothing, an end never told opens nothing."""
    async with pagerduty() as peer:
        channel = peer.build(http)
        first = await channel.send(notification())
        await channel.send(notification())
        assert list(peer.alerts.items()) == [(first.ref, "triggered")]
        await channel.send(notification("update", Level.red, previous=first))
        await channel.send(notification("acknowledge", Level.red))
        assert peer.alerts == {first.ref: "acknowledged"}
        await channel.send(ended(Level.red))
        await channel.send(ended(Level.red))
        assert peer.alerts == {first.ref: "resolved"}
        assert ["error", "error", "critical", "critical", "critical", "critical"] == [
            event["payload"]["severity"] for event in peer.events
        ]
        assert [] == peer.problems


def taken(told, *, by=""):
    """The notification of an incident that somebody has, or that nobody has."""
    mine = Taken(by, NOW, told.incident.level) if by else None
    return replace(told, incident=replace(told.incident, handling=replace(told.incident.handling, taken=mine)))


async def test_pagerduty_calls_again_when_an_acknowledgement_has_ended(http):
    """What is acknowledged there calls nobody any more: a new alert does, once over a retry, and the old one is over."""
    async with pagerduty() as peer:
        channel = peer.build(http)
        told = await channel.send(notification())
        told = await channel.send(taken(notification("acknowledge", previous=told), by="小林"))
        told = await channel.send(taken(notification("update", previous=told), by="小林"))
        assert (peer.called, list(peer.alerts.values())) == (1, ["acknowledged"])
        rise = taken(notification("update", Level.red, previous=told))
        told = await channel.send(rise)
        assert await channel.send(rise) == told
        assert (peer.called, list(peer.alerts.values())) == (2, ["resolved", "triggered"])
        told = await channel.send(taken(notification("act", Level.red, previous=told)))
        told = await channel.send(taken(notification("acknowledge", Level.red, previous=told), by="小林"))
        told = await channel.send(taken(notification("escalate", Level.red, previous=told)))
        assert (peer.called, list(peer.alerts.values())) == (3, ["resolved", "resolved", "triggered"])
        told = await channel.send(replace(ended(Level.red), previous=told))
        assert set(peer.alerts.values()) == {"resolved"}
        await channel.send(notification(previous=told))
        assert (peer.called, len(peer.alerts)) == (4, 3)
        assert [] == peer.problems


async def test_opsgenie_gives_back_what_nobody_has_any_more(http):
    """An acknowledgement that has ended here does not stand there; a lesser server has counted what came."""
    for changes, status in ((True, "open"), (False, "acknowledged")):
        async with opsgenie() as peer:
            channel = peer.build(http)
            told = await channel.send(notification())
            told = await channel.send(taken(notification("acknowledge", previous=told), by="小林"))
            told = await channel.send(taken(notification("update", previous=told), by="小林"))
            (alert,) = peer.alerts.values()
            assert alert["status"] == "acknowledged"
            peer.changes = changes
            told = await channel.send(taken(notification("update", Level.red, previous=told)))
            assert (alert["status"], alert["count"]) == (status, 3)
            told = await channel.send(taken(notification("update", Level.red, previous=told)))
            assert " " not in told.ref


@pytest.mark.parametrize("make", [pagerduty, opsgenie])
@pytest.mark.parametrize("name", ["x" * 3000, "事件 1", "a b", ""])
async def test_pagers_take_any_incident_for_a_key(http, make, name):
    """An incident whose name is too long or not ASCII has a key all the same, the same each time, and no two share one."""
    async with make() as peer:
        channel, keys = peer.build(http), set()
        for incident in (name, name, name + "2"):
            told = notification()
            told = replace(told, incident=replace(told.incident, id=incident))
            keys.add((await channel.send(told)).ref)
        assert len(keys) == 2 == len(peer.alerts)


async def test_pagers_are_not_woken_by_a_test(http):
    """A test of the highest level has the lowest severity and priority."""
    async with pagerduty() as peer:
        await peer.build(http).send(notification("test", Level.red))
        assert peer.events[-1]["payload"]["severity"] == "info"
    async with opsgenie() as peer:
        await peer.build(http).send(notification("test", Level.red))
        assert [alert["priority"] for alert in peer.alerts.values()] == ["P5"]


@pytest.mark.parametrize(
    "body", ["", "{}", '{"status":"ok"}', '{"status":"invalid event","errors":["routing_key"]}', "<p>"]
)
@pytest.mark.parametrize("make", [pagerduty, opsgenie, ntfy])
async def test_success_is_in_the_body(http, make, body):
    """A 200 or 202 without the service's own words is not taken for sent."""
    async with make() as peer:
        for status in (200, 202):
            peer.refuse = lambda status=status: web.Response(status=status, text=body)
            error = await refusal(peer.build(http))
            assert ("refused", True) == (error.reason, error.retryable)


async def test_pagerduty_tells_what_is_wrong(http):
    """PagerDuty's errors stand in the detail; a refused event is final."""
    async with pagerduty() as peer:
        peer.config["routing_key"] = "another"
        error = await refusal(peer.build(http))
        assert ("client", False) == (error.reason, error.retryable)
        assert "'routing_key' is invalid" in error.detail


async def test_opsgenie_lives_one_alert(http):
    """Created once, counted and changed by updates, acknowledged, closed, and opened again by what comes after."""
    async with opsgenie() as peer:
        channel = peer.build(http)
        first = await channel.send(notification(level=Level.yellow))
        await channel.send(notification("update", Level.red, previous=first, was=Level.yellow))
        (alert,) = peer.alerts.values()
        assert (alert["count"], alert["priority"], alert["status"]) == (2, "P1", "open")
        assert "升至红色" in alert["message"]
        assert "升至红色" in alert["description"]
        await channel.send(notification("acknowledge", Level.red))
        assert alert["status"] == "acknowledged"
        await channel.send(ended())
        assert alert["status"] == "closed"
        assert "已恢复" in alert["notes"][-1]
        await channel.send(notification("open"))
        (alert,) = peer.alerts.values()
        assert (alert["count"], alert["status"]) == (1, "open")
        assert [] == peer.problems


async def test_opsgenie_compatible_that_changes_nothing(http):
    """A server that knows only create and close has counted the update, and that is sent."""
    async with opsgenie() as peer:
        peer.changes = False
        channel = peer.build(http)
        await channel.send(notification())
        await channel.send(notification("update"))
        (alert,) = peer.alerts.values()
        assert alert["count"] == 2


# ---- Alertmanager


async def test_alertmanager_an_alert_per_alert(http):
    """Each alert of the incident fires under labels of its own; a new level ends the old one, an end ends all."""
    async with alertmanager() as peer:
        channel = peer.build(http)
        told = notification(level=Level.yellow)
        other = replace(
            told.incident.lead, alert="other", rule="watch", title=Because("起火", "fire"), level=Level.blue
        )
        told = replace(told, incident=replace(told.incident, alerts=(told.incident.lead, other)))
        await channel.send(told)
        await channel.send(told)
        assert {("test", "yellow"), ("watch", "blue")} == {
            (alert["labels"]["alertname"], alert["labels"]["level"]) for alert in peer.firing()
        }
        assert {alert["labels"]["incident"] for alert in peer.firing()} == {told.incident.id}
        risen = replace(told.incident.lead, level=Level.red, event="raised")
        await channel.send(replace(told, kind="update", incident=replace(told.incident, alerts=(risen, other))))
        assert {("test", "red"), ("watch", "blue")} == {
            (alert["labels"]["alertname"], alert["labels"]["level"]) for alert in peer.firing()
        }
        over = tuple(replace(event, event="resolved") for event in (risen, other))
        await channel.send(replace(told, kind="resolve", incident=replace(told.incident, alerts=over)))
        assert [] == peer.firing()
        assert [] == peer.problems


async def test_alertmanager_is_told_again(http):
    """A refresh tells what stands, whole, and a server that forgot has it again; what ended stays ended."""
    async with alertmanager() as peer:
        channel = peer.build(http)
        told = notification()
        await channel.send(told)
        whole = dict(peer.alerts)
        peer.alerts.clear()

        async def standing():
            return [told]

        await channel.refresh(standing)
        assert whole == peer.alerts
        await channel.send(ended())

        async def nothing():
            return []

        before = peer.requests
        await channel.refresh(nothing)
        assert (before, []) == (peer.requests, peer.firing())


async def test_alertmanager_refresh_waits_its_turn(http):
    """What stands is read only once a send that is under way has ended, so that no end is undone."""
    import asyncio

    async with alertmanager() as peer:
        channel, gate, order = peer.build(http), asyncio.Event(), []

        async def slow():
            order.append("send began")
            await gate.wait()
            order.append("send ended")

        async def standing():
            order.append("stood")
            return []

        peer.refuse = slow
        sending = asyncio.create_task(channel.send(ended()))
        while not order:
            await asyncio.sleep(0.01)
        refreshing = asyncio.create_task(channel.refresh(standing))
        await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(sending, refreshing)
        assert order == ["send began", "send ended", "stood"]


@pytest.mark.parametrize("body", ["OK", "<html>", "alerts"])
async def test_alertmanager_success(http, body):
    """A 200 that is not Alertmanager's is not taken for sent."""
    async with alertmanager() as peer:
        peer.refuse = lambda: web.Response(text=body)
        assert (await refusal(peer.build(http))).reason == "refused"


def test_alertmanager_keeps_longer_than_it_refreshes():
    """A keep that would end between two refreshes is refused."""
    config = {"type": "alertmanager", "url": "http://am.example.com"}
    with pytest.raises(ValidationError, match="twice refresh"):
        CONFIG.validate_python({**config, "refresh": timedelta(minutes=5), "keep": timedelta(minutes=9)})


# ---- ntfy


async def test_ntfy_priority_and_click(http):
    """The level is the priority, the end has the usual one, and a tap opens the incident."""
    async with ntfy() as peer:
        channel = peer.build(http)
        for level in Level:
            await channel.send(notification(level=level))
        await channel.send(ended(Level.red))
        assert peer.priorities == [2, 3, 4, 5, 3]
        assert all(URL in text for text in peer.texts)


# ---- templates


@pytest.mark.parametrize(
    ("answer", "reason", "retryable"),
    [
        ({"data": {"code": "OK"}}, None, None),
        ({"data": {"code": "BUSY"}}, "refused", True),
        ({"data": {"code": "BLACKLIST", "message": "no"}}, "refused", False),
        ({"data": {}}, "refused", True),
        ({"code": "OK"}, "refused", True),
        ([], "refused", True),
    ],
)
async def test_template_success_is_configured(http, answer, reason, retryable):
    """The named field decides: yes, try again, or no; an answer without it is none."""
    async with template() as peer:
        peer.refuse = lambda: web.json_response(answer)
        if reason is None:
            await peer.build(http).send(notification())
            return
        error = await refusal(peer.build(http))
        assert (reason, retryable) == (error.reason, error.retryable)


@pytest.mark.parametrize(
    ("equals", "value", "sent"),
    [
        ([0], 0, True),
        ([0], False, False),
        ([0], "0", False),
        (["0"], "0", True),
        ([True], True, True),
        ([True], 1, False),
    ],
)
async def test_template_values_have_kinds(http, equals, value, sent):
    """0, "0" and false are three values."""
    async with template() as peer:
        peer.config["success"] = {"field": "code", "equals": equals}
        peer.refuse = lambda: web.json_response({"code": value})
        if sent:
            await peer.build(http).send(notification())
        else:
            await refusal(peer.build(http))


async def test_template_short_fits_and_keeps_the_link(http):
    """A text message of 70 characters says level, brand and what happened, and its link is whole or absent."""
    async with template() as peer:
        await peer.build(http).send(notification(console_url="https://l.example.com/i/1"))
        (short,) = peer.shorts
        assert len(short) <= 70
        assert short.startswith("【橙色预警】云杉科技：负面提及激增。近 30 分钟")
        assert short.endswith("… https://l.example.com/i/1")
        await peer.build(http).send(notification())
        assert "http" not in peer.shorts[-1]
        told = ended()
        over = replace(told.incident, updated_at=told.incident.opened_at + timedelta(minutes=95))
        await peer.build(http).send(replace(told, incident=over))
        assert peer.shorts[-1] == "【橙色·已恢复】云杉科技：负面提及激增。历时 1 小时 35 分钟"


@pytest.mark.parametrize("text", ['"}, "to": "evil', "a&to=evil", "{{ 7*7 }}{% for %}", "\\", "\n\r\x00", "x" * 10**5])
@pytest.mark.parametrize("encode", ["json", "form"])
async def test_template_text_stays_in_its_place(http, text, encode):
    """Whatever people write stays the value of its field, and is never a template."""
    from urllib.parse import parse_qs

    from tests.support.peer import serve

    bodies = []

    async def handler(request):
        raw = await request.text()
        bodies.append(
            json.loads(raw) if encode == "json" else {k: v[0] for k, v in parse_qs(raw, keep_blank_values=True).items()}
        )
        return web.Response(status=204)

    async with serve(handler) as url:
        config = {
            "type": "template",
            "url": url,
            "encode": encode,
            "body": {"to": "138", "why": "{{ because }}", "level": "{{ level_number }}"},
            "success": {"status": [204]},
        }
        told = notification()
        lead = replace(told.incident.lead, because=Because(text, text))
        told = replace(told, incident=replace(told.incident, alerts=(lead,)))
        await CONFIG.validate_python(config).build(http, clock=lambda: NOW).send(told)
    (body,) = bodies
    assert (set(body), body["to"], body["level"]) == ({"to", "why", "level"}, "138", "3")
    assert "49" not in body["why"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"body": {"a": ["{{ shrot }}"]}}, "no 'shrot'"),
        ({"body": "{{ short"}, "line 1 of the template"),
        ({"body": "{{ short | shout }}"}, "shout"),
        ({"query": {"a": "{% if %}"}}, "line 1"),
        ({"method": "GET", "body": {"a": "b"}}, "GET has none"),
        ({"encode": "form", "body": {"a": {"b": "c"}}}, "plain values"),
        ({"encode": "text", "body": {"a": "b"}}, "one text"),
        ({"success": {"field": "code"}}, "go together"),
        ({"success": {"retry": [1]}}, "retry needs"),
        ({"success": {"status": [404]}}, "only 2xx"),
        ({"headers": {"Host": "x"}}, "cannot be set"),
    ],
)
def test_template_mistakes_are_told_before_anything_starts(change, why):
    """A template that cannot work is refused when the file is read, with its line or the names that there are."""
    with pytest.raises(ValidationError, match=why):
        CONFIG.validate_python({"type": "template", "url": "http://sms.example.com/", **change})


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ values.__init__.__globals__ }}",
        "{{ facts.clear() }}",
        "{{ 1 // 0 }}",
        "{{ values.no }}",
    ],
)
async def test_template_that_fails_is_final_and_sends_nothing(http, body):
    """A template that reaches out of its sandbox, or fails on these values, is an error of its own; nothing is sent."""
    async with template() as peer:
        peer.config |= {"encode": "text", "body": body}
        error = await refusal(peer.build(http))
        assert ("client", False, 0) == (error.reason, error.retryable, peer.requests)


# ---- Apprise


async def test_apprise_says_yes_or_no(http):
    """Its no is tried again; its yes is all there is, also to an answer whose body refuses: that is its limit."""
    pytest.importorskip("apprise", reason="apprise is not installed")
    async with apprise() as peer:
        channel = peer.build(http)
        peer.refuse = lambda: web.Response(status=403, text=f"no {SECRET}")
        error = await refusal(channel)
        assert ("refused", True) == (error.reason, error.retryable)
        assert SECRET not in f"{error!r}{error.__cause__!r}{error.__context__!r}"
        peer.refuse = lambda: web.json_response({"errcode": 130101})
        await channel.send(notification())
        peer.refuse = None
        await channel.send(notification(level=Level.red))
        await channel.send(ended())
        assert peer.kinds == ["failure", "success"]


async def test_apprise_that_hangs_is_given_up(http):
    """What is not done in time is a timeout."""
    import asyncio

    pytest.importorskip("apprise", reason="apprise is not installed")
    async with apprise() as peer:
        peer.config["timeout"] = timedelta(seconds=0.2)
        peer.refuse = lambda: asyncio.sleep(2)
        error = await refusal(peer.build(http))
        assert ("timeout", True) == (error.reason, error.retryable)


async def test_apprise_mistakes(http):
    """An address that is none is refused when the file is read or at the first message; so is an Apprise that is not there."""
    for url in ("not-an-address", "://x", "json://"):
        with pytest.raises(ValidationError, match="address"):
            CONFIG.validate_python({"type": "apprise", "url": url})
    config = {"type": "apprise", "url": f"nothing-known://{SECRET}".replace("-", "")}
    if find_spec("apprise") is None:
        with pytest.raises(ValidationError, match=r"pip install 'listener-monitor\[apprise\]'"):
            CONFIG.validate_python(config)
        return
    error = await refusal(CONFIG.validate_python(config).build(http, clock=lambda: NOW))
    assert ("client", False) == (error.reason, error.retryable)


# ---- less


@pytest.mark.parametrize("language", ["zh", "en"])
def test_brief_keeps_what_must_survive(language):
    """The shortest message has headline, reason, counts, coverage and link, and no excerpt."""
    told = brief(message(replace(notification(), language=language)))
    assert told.headline == message(replace(notification(), language=language)).headline
    assert told.because
    assert len(told.facts) == 2
    assert [link.url for link in told.links] == [URL]
    assert told.quotes == ()


# ---- calls, deadlines and reminders


@pytest.mark.parametrize("kind", ["remind", "breach", "escalate"])
async def test_pagers_keep_one_alert_whatever_is_due(http, kind):
    """A call, a deadline and a reminder come under the key that the incident has: none opens a second alert."""
    async with pagerduty() as one, opsgenie() as other:
        for peer in (one, other):
            channel = peer.build(http)
            first = await channel.send(notification())
            assert await channel.send(notification(kind, previous=first)) == first
            assert len(peer.alerts) == 1
            assert [] == peer.problems
        assert [event["event_action"] for event in one.events] == ["trigger", "trigger"]
        assert len({event["dedup_key"] for event in one.events}) == 1


async def test_a_call_opens_the_alert_where_there_is_none(http):
    """Whoever is called first hears of the incident by the call itself, and its end closes what the call opened."""
    async with pagerduty() as one, opsgenie() as other:
        for peer in (one, other):
            channel = peer.build(http)
            await channel.send(notification("escalate", Level.red))
            await channel.send(ended(Level.red))
        assert list(one.alerts.values()) == ["resolved"]
        assert [alert["status"] for alert in other.alerts.values()] == ["closed"]


@pytest.mark.parametrize(("kind", "seen"), [("act", 1), ("remind", 1), ("breach", 1), ("escalate", 1)])
async def test_a_call_is_seen_where_messages_are_edited(http, kind, seen):
    """An edited message rings for nobody, so what somebody must act on answers it too."""
    async with telegram() as peer:
        channel = peer.build(http)
        first = await channel.send(notification())
        await channel.send(notification(kind, previous=first))
        assert len(peer.replies) == seen
        assert [] == peer.problems
