"""The API of incidents over real HTTP, with a real database: who may, what is refused, what a retry does."""

import asyncio
import gzip
import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from yarl import URL

from alerts import Level
from alerts.deadline import ResponseTimes
from alerts.incident import Incidents
from alerts.playbook import read
from listener.acted import note
from listener.clock import utc_now
from listener.commands import Commands
from listener.desk import Desk
from listener.incident_desk import StoredDesk
from listener.metrics import Metrics
from listener.storage import acts, alerting
from listener.storage.database import Database, StorageError
from listener.storage.status import Shown, StoredStatus
from listener.web.app import create_app, runner
from listener.web.asked_json import BODY_AT_MOST, BURST
from listener.web.config import WebSettings
from listener.web.tokens import TokenConfig, Tokens
from tests.status_reader import NO_TOPICS, event

SECRETS = {"pr-bot": "b" * 40, "reader": "r" * 40, "both": "x" * 40, "quiet": "q" * 40}
SCOPES = {"pr-bot": ["incidents"], "reader": ["read"], "both": ["read", "incidents"], "quiet": ["silences"]}
FIRE = read("fire", "## 前 15 分钟\n- [ ] 读原文\n- [ ] 通报\n---\n## First\n- [ ] Read it\n- [ ] Tell\n")


class Site:
    """The application as the program serves it, over a database with a few incidents."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.incidents = Incidents()
        self.tokens = Tokens([TokenConfig(name=n, token=s, scopes=SCOPES[n]) for n, s in SECRETS.items()])
        self.playbooks = {"playbooks/fire.md": FIRE}
        desk = Desk(self.incidents, lambda: self.playbooks)
        self.commands = Commands(database, desk, acted=lambda acted: note(acted, self.metrics))
        self.now = utc_now()

    async def keep(self, *events) -> None:
        async with self.database.write("test") as connection:
            for one in events:
                done, incident = self.incidents.apply(replace(one, stories=()))  # the sample's is one story
                await alerting.keep_events(connection, [done])
                self.incidents.keep(*await alerting.keep(connection, [incident], now=one.at))

    async def start(self, *, loopback: bool = True) -> None:
        shown = Shown([], [], times=ResponseTimes({Level.red: timedelta(hours=4)}))
        status = StoredStatus(self.database, shown, {}, started_at=self.now, now=utc_now)
        app = create_app(
            reader=status,
            registry=self.registry,
            problems=list,
            matcher=lambda: NO_TOPICS,
            refused=lambda: None,
            settings=WebSettings("https://listener.example.com", "zh", ZoneInfo("Asia/Shanghai"), loopback),
            now=lambda: self.now,
            playbooks=lambda: self.playbooks,
            desk=StoredDesk(self.database, self.commands, status),
            tokens=lambda: self.tokens,
        )
        self._runner = runner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._loop = asyncio.create_task(self._run())
        self.http = aiohttp.ClientSession()

    async def _run(self) -> None:
        while True:
            self.commands.wake.clear()
            with suppress(StorageError):
                if await self.commands.step(at := utc_now()) == at:
                    continue
            await self.commands.wake.wait()

    async def stop(self) -> None:
        await self.http.close()
        self._loop.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop
        await self._runner.cleanup()

    async def get(self, path: str, who: str = "", **headers: str):
        if who:
            headers["Authorization"] = f"Bearer {SECRETS[who]}"
        async with self.http.get(URL(self.url + path, encoded=True), headers=headers) as response:
            return response.status, await response.json(), response.headers

    async def post(self, path: str, body: object = None, who: str = "pr-bot", **headers: str):
        if who:
            headers["Authorization"] = f"Bearer {SECRETS[who]}"
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        headers = {"Content-Type": "application/json"} | headers
        async with self.http.post(URL(self.url + path, encoded=True), data=raw, headers=headers) as response:
            return response.status, await response.json(), response.headers

    async def log(self):
        async with self.database.read("test") as connection:
            return await acts.log(connection)


@pytest.fixture
async def site(tmp_path):
    database = await Database.open("sqlite:///here.db", base=tmp_path)
    made = Site(database)
    await made.keep(
        event(made.now - timedelta(minutes=9), alert="a", playbook="playbooks/fire.md"),
        event(made.now - timedelta(minutes=8), alert="b", topic="rival", level=Level.red, playbook=""),
        event(made.now - timedelta(minutes=7), alert="c", topic="third", level=Level.blue, playbook=""),
    )
    await made.start()
    yield made
    await made.stop()
    await database.close()


async def test_an_act_is_done_and_said_by_whom(site):
    """Taken, answered, ticked, noted, resolved and closed; the incident and the audit log tell who, when, from where."""
    asked = [
        ("ack", {"by": "小林"}),
        ("check", {"value": "2"}),
        ("note", {"text": "已联系供应商\n明早回复"}),
        ("respond", {}),
        ("verdict", {"value": "real", "text": "确有起火"}),
        ("resolve", {}),
        ("close", {"text": "电芯批次问题"}),
    ]
    for act, body in asked:
        if act == "close":  # what still fires is not closed
            await site.keep(event(site.now, alert="a", event="resolved", revision=2, playbook="playbooks/fire.md"))
        status, told, _ = await site.post(f"/api/incidents/1/{act}", body)
        assert (status, told["done"], told["incident"]) == (200, True, "a"), told
        assert told["because"]["zh"] != told["because"]["en"]
    status, one, headers = await site.get("/api/incidents/%231")
    assert (status, one["state"], one["owner"], headers["ETag"]) == (200, "closed", "小林", '"8"')
    assert [(line["act"], line["text"], line["value"]) for line in one["timeline"] if "act" in line] == [
        ("ack", "", ""), ("check", "", "fire:2"), ("note", "已联系供应商\n明早回复", ""), ("respond", "", ""),
        ("resolve", "", ""), ("close", "电芯批次问题", ""),
    ]  # fmt: skip
    assert [(line["event"], line["alert"]) for line in one["timeline"] if "event" in line] == [
        ("opened", "a"),
        ("resolved", "a"),
    ]
    assert one["playbooks"] == [
        {
            "playbook": "playbooks/fire.md",
            "steps": [
                {"step": "fire:1", "done": False, "text": {"zh": "读原文", "en": "Read it"}},
                {"step": "fire:2", "done": True, "text": {"zh": "通报", "en": "Tell"}},
            ],
        }
    ]
    assert (one["events"][0]["alert"], one["verdict"]["note"]) == ("a", "确有起火")
    status, audit, _ = await site.get("/api/audit?incident=1&limit=5", "reader")
    assert [(line["act"], line["done"]) for line in audit["audit"]] == [(act, True) for act, _ in reversed(asked[2:])]
    assert {(line["by"], line["origin"]) for line in audit["audit"]} == {("pr-bot", "api pr-bot 127.0.0.1")}
    status, older, _ = await site.get(f"/api/audit?incident=a&before={audit['next']}", "reader")
    assert [line["by"] for line in older["audit"]] == ["pr-bot", "小林"]
    assert older["next"] is None


async def test_what_cannot_be_done_is_refused_in_both_languages(site):
    """409 with a reason, 404 for what is not there; a revision that was seen may come in the body or as If-Match."""
    assert (await site.post("/api/incidents/1/ack"))[0] == 200
    status, told, _ = await site.post("/api/incidents/1/ack", {"by": "老周"})
    assert (status, told["reason"], told["because"]["en"]) == (409, "taken", "#1 was taken by pr-bot")
    assert told["because"]["zh"] == "#1 已由 pr-bot 认领"
    assert (await site.post("/api/incidents/1/check", {"value": "9"}))[1]["reason"] == "no_step"
    assert (await site.post("/api/incidents/2/check", {"value": "9"}))[0] == 200  # no playbook that we can read
    assert (await site.post("/api/incidents/1/merge", {"value": "99"}))[1]["reason"] == "no_other"
    assert (await site.post("/api/incidents/99/ack"))[:1] == (404,)
    assert (await site.post("/api/incidents/0/ack"))[0] == 404
    assert (await site.post("/api/incidents/1/dance"))[0] == 404
    assert (await site.post("/api/incidents/1/resolve", {"revision": 1}))[0] == 409
    assert (await site.post("/api/incidents/1/resolve", **{"If-Match": '"1"'}))[0] == 412
    assert (await site.post("/api/incidents/1/resolve", {"revision": 1}, **{"If-Match": '"2"'}))[0] == 400
    assert (await site.post("/api/incidents/1/resolve", **{"If-Match": '"two"'}))[0] == 400
    assert (await site.post("/api/incidents/1/resolve", {"revision": 2}, **{"If-Match": '"2"'}))[0] == 200


async def test_only_a_token_with_the_scope_may(site):
    """401 without one or with a wrong one, 403 without the scope, also where many are sent; nothing is kept of it."""
    for headers in (
        {},
        {"Authorization": "Bearer " + "z" * 40},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic " + SECRETS["pr-bot"]},
        {"Authorization": f"Bearer {SECRETS['pr-bot']} {SECRETS['pr-bot']}"},
        {"Authorization": "Bearer é" + "z" * 40},
        {"Authorization": "Bearer " + SECRETS["pr-bot"][:-1]},
    ):
        status, told, answered = await site.post("/api/incidents/1/ack", who="", **headers)
        assert (status, answered["WWW-Authenticate"][:6]) == (401, "Bearer")
        assert "zzz" not in json.dumps(told)
    status, told, answered = await site.post("/api/incidents/1/ack", who="reader")
    assert (status, 'scope="incidents"' in answered["WWW-Authenticate"]) == (403, True)
    assert (await site.get("/api/audit"))[0] == 401
    assert (await site.get("/api/audit", "pr-bot"))[0] == 403
    assert (await site.post(f"/api/incidents/1/ack?access_token={SECRETS['pr-bot']}", who=""))[0] == 401
    async with site.http.post(
        site.url + "/api/incidents/1/ack",
        json={},
        headers=[("Authorization", f"Bearer {SECRETS[name]}") for name in ("pr-bot", "both")],
    ) as response:
        assert response.status == 401
    assert await site.log() == []
    site.tokens = Tokens()
    assert (await site.post("/api/incidents/1/ack"))[0] == 401


async def test_lists_are_as_open_as_the_pages(site):
    """On loopback without a token, a wrong one refused all the same; on another address with ``read`` alone."""
    assert (await site.get("/api/incidents"))[0] == 200
    assert (await site.get("/api/incidents/1", Authorization="Bearer nonsense"))[0] == 401
    await site.stop()
    await site.start(loopback=False)
    assert (await site.get("/api/incidents"))[0] == 401
    assert (await site.get("/api/incidents/1", "pr-bot"))[0] == 403
    assert (await site.get("/api/incidents/1", "reader"))[0] == 200


async def test_a_page_elsewhere_can_post_nothing(site):
    """What a browser sends unasked: forms, text, another host's name; and no answer lets another origin read."""
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
    ):
        status, _, _ = await site.post("/api/incidents/1/ack", b"{}", **{"Content-Type": content_type})
        assert status == 415
    async with site.http.post(site.url + "/api/incidents/1/ack", json={}, headers={"Host": "evil.example"}) as response:
        assert response.status == 421
    async with site.http.options(
        site.url + "/api/incidents/1/ack",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    ) as response:
        assert response.status == 405
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
    async with site.http.get(site.url + "/api/incidents/1/ack") as response:
        assert response.status == 405
    assert await site.log() == []


BAD = [
    (b"", ""),
    (b"{", ""),
    (b"[]", ""),
    (b"null", ""),
    (b'"x"', ""),
    (b"[" * 9000, ""),
    (b'{"text":' * 1500, ""),
    (b'{"revision": NaN}', ""),
    (b'{"revision": 1' + b"0" * 9000 + b"}", ""),
    (b'{"revision": 1e999}', "revision"),
    (b'{"text": "a", "text": "b"}', ""),
    (b'\xff\xfe{"text": "a"}', ""),
    ('{"text": "云杉"}'.encode("gbk"), ""),
    ({"text": 5}, "text"),
    ({"text": ["a"]}, "text"),
    ({"value": {"$ne": 1}}, "value"),
    ({"revision": "1"}, "revision"),
    ({"revision": True}, "revision"),
    ({"revision": -1}, "revision"),
    ({"revision": 1.5}, "revision"),
    ({"by": 7}, "by"),
    ({"by": ""}, "by"),
    ({"by": "  "}, "by"),
    ({"by": "x" * 101}, "by"),
    ({"by": "小林\n老板"}, "by"),
    ({"by": "小林\u202e板老"}, "by"),
    ({"by": "a\x00b"}, "by"),
    (b'{"by": "\\ud83d"}', "by"),
    (b'{"text": "\\udc00"}', "text"),
    ({"text": "a\x1b[2Jb"}, "text"),
    ({"text": "x" * 2001}, "text"),
    ({"value": "surplus"}, "value"),
    ({"actor": "root"}, "actor"),
    ({"Text": "x"}, "Text"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
async def test_a_bad_body_is_refused_by_its_field(site, body, field):
    """400 that names the field; nothing is kept, and no value comes back."""
    status, told, _ = await site.post("/api/incidents/1/resolve", body)
    assert (status, [one["field"] for one in told["problems"]]) == (400, [field])
    assert await site.log() == []
    assert (await site.get("/api/incidents/1"))[1]["state"] == "open"


async def test_large_packed_and_endless_bodies_are_cut_off(site):
    """413 by what is announced and by what comes; a packed one is not unpacked."""
    path = "/api/incidents/1/note"
    large = json.dumps({"text": "x" * BODY_AT_MOST}).encode()
    assert (await site.post(path, large))[0] == 413

    async def endless():
        while True:
            yield b" " * 4096

    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRETS['pr-bot']}"}
    async with site.http.post(site.url + path, data=endless(), headers=headers) as response:
        assert response.status == 413
    bomb = gzip.compress(b'{"text": "' + b"x" * 5_000_000 + b'"}')
    assert (await site.post(path, bomb, **{"Content-Encoding": "gzip"}))[0] == 415
    assert await site.log() == []


async def test_words_of_people_stay_words(site):
    """Markup, at signs, emoji and quotes are kept as they are, shown escaped, and are in no header."""
    said = '<script>alert(1)</script> @all 👨‍👩‍👧 \'x\' "request": "pr-bot k1" {{7*7}}'
    assert (await site.post("/api/incidents/1/note", {"text": said}))[0] == 200
    _, one, headers = await site.get("/api/incidents/1")
    assert one["timeline"][-1]["text"] == said
    assert "alert(1)" not in str(headers)
    async with site.http.get(site.url + "/incidents/1") as response:
        page = await response.text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "fire" in page
    status, told, _ = await site.post("/api/incidents/1/note", {"text": "again"}, **{"Idempotency-Key": "k1"})
    assert (status, told["command"]) == (200, 2)


async def test_a_retry_with_the_same_key_is_the_same_act(site):
    """The same answer and one act, also at the same time and of a refusal; another request with it is refused."""
    path, key = "/api/incidents/1/note", {"Idempotency-Key": '"4f0c-1"'}
    answers = await asyncio.gather(*(site.post(path, {"text": "一次"}, **key) for _ in range(5)))
    assert {status for status, _, _ in answers} == {200}
    assert len({json.dumps(told) for _, told, _ in answers}) == 1
    assert (await site.post(path, {"text": "另一条"}, **key))[0] == 422
    assert (await site.post("/api/incidents/2/note", {"text": "一次"}, **key))[0] == 422
    assert (await site.post(path, {"text": "一次"}, "both", **key))[1]["command"] == 2  # a key is its token's own
    refused = [await site.post("/api/incidents/1/close", {"text": "x"}, **{"Idempotency-Key": "c"}) for _ in range(2)]
    assert [told for _, told, _ in refused] == [refused[0][1]] * 2
    assert refused[0][0] == 409
    assert (await site.post(path, {"text": "一次"}, **{"Idempotency-Key": "x" * 101}))[0] == 400
    assert (await site.post(path, {"text": "一次"}, **{"Idempotency-Key": "a%b"}))[0] == 400
    assert [one.command.kind for one in await site.log()] == ["close", "note", "note"]


async def test_lists_are_filtered_and_paged(site):
    """By state, level, topic, owner and whether open; a cursor goes on where the page ended, whatever changed since."""
    await site.post("/api/incidents/2/ack", {"by": "小林"})
    for query, numbers in (
        ("", [3, 2, 1]),
        ("state=acknowledged", [2]),
        ("level=red", [2]),
        ("topic=acme", [1]),
        ("owner=", [3, 1]),
        ("owner=%E5%B0%8F%E6%9E%97", [2]),
        ("open=true&level=blue", [3]),
        ("open=false", []),
    ):
        status, told, _ = await site.get(f"/api/incidents?{query}")
        assert (status, [line["number"] for line in told["incidents"]]) == (200, numbers), query
    due = {line["number"]: line["respond_by"] for line in (await site.get("/api/incidents"))[1]["incidents"]}
    assert due == {number: (await site.get(f"/api/incidents/{number}"))[1]["respond_by"] for number in (3, 2, 1)}
    assert [number for number, at in due.items() if at is not None] == [2]  # the red one
    _, first, _ = await site.get("/api/incidents?limit=2")
    await site.post("/api/incidents/1/note", {"text": "x"})
    _, rest, _ = await site.get(f"/api/incidents?limit=2&cursor={first['next']}")
    assert ([line["number"] for line in rest["incidents"]], rest["next"]) == ([1], None)
    for wrong in (
        "state=gone",
        "limit=0",
        "limit=201",
        "limit=x",
        "open=perhaps",
        "cursor=%00",
        "cursor=YQ",
        "nope=1",
        "level=5",
        "limit=1&limit=2",
    ):
        status, told, _ = await site.get(f"/api/incidents?{wrong}")
        assert (status, [one["field"] for one in told.get("problems", ())]) == (400, [wrong.partition("=")[0]]), wrong


async def test_a_token_has_a_pace(site):
    """After a burst 429 with a time to wait; other tokens go on; time fills it up."""
    statuses = [(await site.post("/api/incidents/99/ack"))[0] for _ in range(BURST + 1)]
    assert statuses == [404] * BURST + [429]
    status, _, headers = await site.post("/api/incidents/99/ack")
    assert (status, headers["Retry-After"]) == (429, "1")
    assert (await site.post("/api/incidents/99/ack", who="both"))[0] == 404
    site.now += timedelta(seconds=2)
    assert (await site.post("/api/incidents/99/ack"))[0] == 404


async def test_acts_are_counted_by_kind_and_outcome(site):
    """Closed labels; from fired to acknowledged, and from sent where something was sent."""
    await site.post("/api/incidents/1/ack")
    await site.post("/api/incidents/1/ack", {"by": "老周"})
    await site.post("/api/incidents/1/respond")
    value = site.registry.get_sample_value
    assert value("listener_acts_total", {"act": "ack", "outcome": "done"}) == 1
    assert value("listener_acts_total", {"act": "ack", "outcome": "refused"}) == 1
    assert value("listener_hop_seconds_count", {"hop": "fired_acknowledged"}) == 1
    assert 530 < value("listener_hop_seconds_sum", {"hop": "fired_acknowledged"}) < 700
    assert value("listener_hop_seconds_count", {"hop": "sent_acknowledged"}) == 0


async def test_storage_that_does_not_answer_is_said(site):
    """503 with a time to come back, as JSON, and no word of the tables."""
    async with site.database.write("test") as connection:
        await connection.exec_driver_sql("ALTER TABLE commands RENAME TO gone")
    for status, told, headers in (await site.post("/api/incidents/1/ack"), await site.get("/api/audit", "reader")):
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "commands" not in json.dumps(told)
    async with site.database.write("test") as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO commands")


async def test_an_act_that_waits_too_long_is_202_and_kept(site, monkeypatch):
    """The asker is told that it waits; it is done once the loop goes on, and a retry by its key tells how it went."""
    site._loop.cancel()
    monkeypatch.setattr("listener.web.incidents.WAIT", timedelta(milliseconds=50))
    started = time.monotonic()
    status, told, _ = await site.post("/api/incidents/1/ack", **{"Idempotency-Key": "k"})
    assert (status, told["done"]) == (202, None)
    assert time.monotonic() - started < 30
    while await site.commands.step(at := utc_now()) == at:
        pass
    status, again, _ = await site.post("/api/incidents/1/ack", **{"Idempotency-Key": "k"})
    assert (status, again["command"], again["done"]) == (200, told["command"], True)
    assert site.commands._waiting == {}


async def test_broken_characters_break_nothing(site):
    """Half characters and NULs in addresses, keys and parameters: an answer in JSON each, never 500."""
    for path in ("%ED%A0%80", "%FF", "%00", "..%2f..%2fetc", "%F0%9F%94%A5", "x" * 5000, "%23", "%E5%A4%9A" * 300):
        status, _, _ = await site.get(f"/api/incidents/{path}")
        assert status == 404, path
        assert (await site.post(f"/api/incidents/{path}/ack"))[0] in {400, 404}, path
        async with site.http.get(URL(f"{site.url}/incidents/{path}", encoded=True)) as response:
            assert response.status == 404
    for query in ("topic=%FF", "owner=%ED%A0%80", "owner=%00"):
        assert (await site.get(f"/api/incidents?{query}"))[:2] == (200, {"incidents": [], "next": None})
    assert (await site.get("/api/audit?incident=%FF", "reader"))[0] == 200
    assert (await site.get("/api/incidents?%FF=1"))[0] == 400
    assert (await site.post("/api/incidents/1/ack", b'{"\\ud800": 1}'))[0] == 400


# ---- silences


async def test_a_silence_is_made_listed_and_ended(site):
    """What the command line prints is what the API lists; the audit log says who and by which token."""
    body = {"match": {"topic": ["acme"]}, "for": "2h", "reason": "已知活动", "by": "小林"}
    status, told, _ = await site.post("/api/silences", body, "quiet")
    assert (status, told["done"]) == (200, True)
    site.now = utc_now()
    status, listed, _ = await site.get("/api/silences")
    (one,) = listed["silences"]
    assert (status, one["silence"], one["state"], one["owner"], one["match"]) == (
        200, 1, "active", "小林", {"topic": ["acme"]},
    )  # fmt: skip
    assert (await site.post("/api/silences/1/end", {}, "quiet"))[0] == 200
    assert (await site.get("/api/silences"))[1]["silences"] == []
    assert [one["ended_by"] for one in (await site.get("/api/silences?all=true"))[1]["silences"]] == ["quiet"]
    assert (await site.post("/api/silences/1/end", {}, "quiet"))[0] == 409
    assert (await site.post("/api/silences/9/end", {}, "quiet"))[0] == 404
    lines = (await site.get("/api/audit", "reader"))[1]["audit"]
    made = lines[-1]
    assert (made["by"], made["origin"].startswith("api quiet ")) == ("小林", True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "a\u202eb"}, "reason"),
        ({"until": "2026-03-02T10:00+08:00"}, "for"),
        ({"for": ""}, "for"),
        ({"for": "soon"}, "for"),
        ({"for": "0s"}, "for"),
        ({"for": "", "until": "2026-03-02T10:00"}, "until"),
        ({"from": "tomorrow"}, "from"),
        ({"incident": True}, "incident"),
        ({"dry_run": 1}, "dry_run"),
        ({"match": {}}, "match"),
        ({"match": {"colour": "red"}}, "match"),
        ({"match": {"level": "pink"}}, "match"),
        ({"level": "pink"}, "level"),
        ({"loud": True}, "loud"),
        ({"by": "\n"}, "by"),
    ],
)
async def test_a_silence_that_cannot_be_read_names_its_field(site, changes, field):
    """Nothing is kept of it."""
    body = {"match": {"topic": "acme"}, "for": "2h", "reason": "已知活动"} | changes
    status, told, _ = await site.post("/api/silences", body, "quiet")
    assert (status, {one["field"].split(".")[0] for one in told["problems"]}) == (400, {field})
    assert (await site.get("/api/silences?all=true"))[1]["silences"] == []


async def test_a_silence_that_cannot_be_is_refused(site):
    """Too long, in the past, no duration, without the scope; a retry is one silence."""
    body = {"match": {"topic": "acme"}, "for": "2h", "reason": "已知活动"}
    assert (await site.post("/api/silences", body | {"for": "8d"}, "quiet"))[0] == 409
    past = {"for": "", "until": "2026-03-02T10:00+08:00"}
    assert (await site.post("/api/silences", body | past, "quiet"))[1]["reason"] == "times"
    assert (await site.post("/api/silences", body | {"incident": "#99"}, "quiet"))[0] == 404
    assert (await site.post("/api/silences", body, "pr-bot"))[0] == 403
    assert (await site.post("/api/silences", body, ""))[0] == 401
    for _ in range(2):
        status, told, _ = await site.post("/api/silences", body, "quiet", **{"Idempotency-Key": "k1"})
        assert (status, told["done"]) == (200, True)
    assert len((await site.get("/api/silences"))[1]["silences"]) == 1


async def test_silences_are_paged_and_named_by_what_they_hold(site):
    """The newest first, past ones where they are asked for; an incident names those that hold it now."""
    for match in ({"topic": "acme"}, {"topic": "rival"}, {"topic": ["acme", "third"]}):
        sent = {"match": match, "for": "2h", "reason": "已知活动"}
        assert (await site.post("/api/silences", sent, "quiet"))[0] == 200
    sent = {"incident": 1, "for": "2h", "reason": "已知活动"}
    assert (await site.post("/api/silences", sent, "quiet"))[0] == 200
    assert (await site.post("/api/silences/3/end", {}, "quiet"))[0] == 200
    site.now = utc_now()

    async def listed(query: str) -> tuple[list[int], int | None]:
        told = (await site.get(f"/api/silences?{query}"))[1]
        return [one["silence"] for one in told["silences"]], told["next"]

    assert await listed("") == ([4, 2, 1], None)
    assert await listed("all=true&limit=2") == ([4, 3], 3)
    assert await listed("all=true&limit=2&before=3") == ([2, 1], 1)
    assert await listed("all=true&limit=2&before=1") == ([], None)
    for wrong in ("limit=0", "limit=201", "before=0", "before=x", "all=perhaps", "state=over"):
        status, told, _ = await site.get(f"/api/silences?{wrong}")
        assert (status, [one["field"] for one in told["problems"]]) == (400, [wrong.partition("=")[0]]), wrong
    # The second is for what is no red, and its incident is.
    held = [(await site.get(f"/api/incidents/{number}"))[1]["silences"] for number in (1, 2, 3)]
    assert held == [[1, 4], [], []]


async def test_a_dry_run_tells_what_would_have_been_hidden(site):
    """As the command line's preview has it; nothing is kept, and what cannot be is refused as it would be."""
    body = {"match": {"topic": ["acme", "rival"]}, "for": "2h", "reason": "已知活动", "dry_run": True}
    status, told, _ = await site.post("/api/silences", body, "quiet")
    assert (status, told["would_have_hidden"]["incidents"], told["would_have_hidden"]["above"]) == (200, 1, 1)
    assert sorted((one["number"], one["hidden"]) for one in told["incidents"]) == [(1, True), (2, False)]
    status, told, _ = await site.post("/api/silences", body | {"level": "red"}, "quiet")
    assert told["would_have_hidden"]["incidents"] == 2
    assert (await site.post("/api/silences", body | {"incident": 2}, "quiet"))[1]["reason"] == "above"
    assert (await site.post("/api/silences", body | {"for": "8d"}, "quiet"))[0] == 409
    assert (await site.post("/api/silences", body | {"incident": 99}, "quiet"))[0] == 404
    assert (await site.post("/api/silences", body, "pr-bot"))[0] == 403
    assert (await site.get("/api/silences?all=true"))[1] == {"silences": [], "next": None}
    assert await site.log() == []


async def test_silences_are_counted_and_logged_as_what_they_are(site):
    """The metric has them by name; the audit log says why, and for what."""
    body = {"match": {"topic": "acme"}, "for": "2h", "reason": "已知活动"}
    await site.post("/api/silences", body, "quiet")
    await site.post("/api/silences/1/end", {}, "quiet")
    await site.post("/api/silences/1/end", {}, "quiet")
    value = site.registry.get_sample_value
    assert value("listener_acts_total", {"act": "silence", "outcome": "done"}) == 1
    assert value("listener_acts_total", {"act": "unsilence", "outcome": "done"}) == 1
    assert value("listener_acts_total", {"act": "unsilence", "outcome": "refused"}) == 1
    made = (await site.get("/api/audit", "reader"))[1]["audit"][-1]
    assert (made["act"], made["text"], made["value"]) == ("silence", "已知活动", '{"topic": "acme"}')
