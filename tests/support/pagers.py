"""PagerDuty, Opsgenie and an Alertmanager that keeps what it is told, as strict as their documentation."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from aiohttp import web

from tests.support.peer import NOW, SECRET, Peer, refused, serve
from tests.support.pushes import plain_text


def told(value) -> list[str]:
    """Every text in a JSON value, in order."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in told(part)]
    if isinstance(value, list):
        return [text for part in value for text in told(part)]
    return [value] if isinstance(value, str) else []


class PagerDutyPeer(Peer):
    """``alerts``: dedup_key → state; ``events``: all, in order; ``called``: how often somebody was."""

    def __post_init__(self):
        self.called = 0
        self.alerts: dict[str, str] = {}
        self.events: list[dict] = []


@contextlib.asynccontextmanager
async def pagerduty() -> AsyncIterator[PagerDutyPeer]:
    def no(*errors):
        body = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
        return web.json_response(body, status=400)

    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        event = json.loads(body)
        payload, key, action = event["payload"], event["dedup_key"], event["event_action"]
        if event["routing_key"] != SECRET:
            return no("'routing_key' is invalid")
        if not 1 <= len(payload["summary"]) <= 1024 or not payload["source"] or not 1 <= len(key) <= 255:
            return no("a field is empty or too long")
        if payload["severity"] not in {"critical", "error", "warning", "info"}:
            return no("'severity' is invalid")
        if action not in {"trigger", "acknowledge", "resolve"} or len(body) > 512 * 1024:
            return no("'event_action' is invalid")
        datetime.fromisoformat(payload["timestamp"])
        plain_text(payload["summary"], peer.problems)
        links = [link["href"] for link in event["links"]]
        if any(not link.startswith(("http://", "https://")) for link in [*links, event.get("client_url", "https://")]):
            peer.problems.append("a link leads elsewhere")
        states = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
        state = peer.alerts.get(key, "resolved")
        if action == "trigger" and state == "resolved":
            peer.called += 1
        # What is acknowledged stays so, whatever triggers it.
        if (action == "trigger" and state != "acknowledged") or (action != "trigger" and state != "resolved"):
            peer.alerts[key] = states[action]
        peer.events.append(event)
        peer.sizes.append(len(body))
        peer.texts.append("\n".join([payload["summary"], *told(payload["custom_details"]), *links]))
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    peer = PagerDutyPeer("pagerduty", {})
    async with serve(handler) as url:
        peer.config = {"routing_key": SECRET, "url": f"{url}/v2/enqueue", "timeout": timedelta(seconds=20)}
        yield peer


class OpsgeniePeer(Peer):
    """``alerts``: alias → the alert, with ``count`` and ``status``; ``changes``: off where it is a lesser server."""

    def __post_init__(self):
        self.alerts: dict[str, dict] = {}
        self.changes = True


@contextlib.asynccontextmanager
async def opsgenie() -> AsyncIterator[OpsgeniePeer]:
    limits = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}

    def no(status, message):
        return web.json_response({"message": message, "took": 0.01, "requestId": "r"}, status=status)

    def taken():
        return web.json_response({"result": "Request will be processed", "took": 0.1, "requestId": "r"}, status=202)

    def create(form):
        if not form["message"] or any(len(form[name]) > most for name, most in limits.items()):
            return no(422, "Request body is not processable. Please check the errors.")
        if len(form["tags"]) > 20 or any(len(tag) > 50 for tag in form["tags"]):
            return no(422, "tags")
        if "<" in form["message"] + form["description"]:
            peer.problems.append("markup")
        plain_text(form["message"], peer.problems)
        known = peer.alerts.get(form["alias"])
        if known is not None and known["status"] != "closed":
            known["count"] += 1
        else:
            peer.alerts[form["alias"]] = {**form, "count": 1, "status": "open", "notes": []}
        peer.texts.append(f"{form['message']}\n{form['description']}\n{told(form['details'])}")
        return taken()

    def act(alias, what, form):
        known = peer.alerts.setdefault(alias, {"status": "unknown", "notes": []})
        known["status"] = {"close": "closed", "acknowledge": "acknowledged", "unacknowledge": "open"}[what]
        if "note" in form:
            known["notes"].append(form["note"])
            if len(form["note"]) > 25_000:
                return no(422, "note")
            peer.texts.append(form["note"])
        return taken()

    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.headers.get("Authorization") != f"GenieKey {SECRET}":
            return no(401, "Could not authenticate")
        peer.sizes.append(len(body))
        form = json.loads(body)
        if request.method == "POST" and request.path == "/v2/alerts":
            return create(form)
        if request.query.get("identifierType") != "alias":
            return no(404, "Alert does not exist")
        _, _, _, alias, what = request.path.split("/")
        if request.method == "POST" and (
            what in {"close", "acknowledge"} or (what == "unacknowledge" and peer.changes)
        ):
            return act(alias, what, form)
        if request.method == "PUT" and what in {"priority", "message", "description"} and peer.changes:
            if alias not in peer.alerts or len(form[what]) > limits.get(what, 2):
                return no(422, what)
            peer.alerts[alias][what] = form[what]
            return taken()
        return no(404, "no such resource")

    peer = OpsgeniePeer("opsgenie", {})
    async with serve(handler) as url:
        peer.config = {"key": SECRET, "api": f"{url}/", "timeout": timedelta(seconds=20)}
        yield peer


class AlertmanagerPeer(Peer):
    """``alerts``: the labels, sorted → the alert, as the last request told it; all of an answer are refused or none."""

    def __post_init__(self):
        self.alerts: dict[tuple, dict] = {}

    def firing(self, at=NOW) -> list[dict]:
        return [alert for alert in self.alerts.values() if datetime.fromisoformat(alert["endsAt"]) > at]


@contextlib.asynccontextmanager
async def alertmanager() -> AsyncIterator[AlertmanagerPeer]:
    async def handler(request):
        body = await request.read()
        if (answer := await refused(peer)) is not None:
            return answer
        if request.headers.get("Authorization") != f"Bearer {SECRET}" or request.path != "/api/v2/alerts":
            return web.Response(status=403)
        alerts = json.loads(body)
        for alert in alerts:
            labels = alert["labels"]
            if not labels.get("alertname") or not all(isinstance(value, str) and value for value in labels.values()):
                return web.json_response("invalid labels", status=400)
            starts, ends = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))
            if ends < starts or starts > NOW:
                return web.json_response("start time must be before end time", status=400)
            peer.alerts[tuple(sorted(labels.items()))] = alert
            for text in labels.values():
                if not text.startswith("Asia/"):
                    plain_text(text, peer.problems)
        peer.sizes.append(len(body))
        lead = alerts[0]
        told = [*lead["annotations"].values(), *lead["labels"].values(), lead.get("generatorURL", "")]
        peer.texts.append("\n".join(told))
        return web.Response()

    peer = AlertmanagerPeer("alertmanager", {})
    async with serve(handler) as url:
        peer.config = {
            "url": f"{url}/",
            "headers": {"Authorization": f"Bearer {SECRET}"},
            "timeout": timedelta(seconds=20),
        }
        yield peer
