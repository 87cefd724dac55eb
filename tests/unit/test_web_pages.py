"""The pages over real HTTP, read by a reader whose answers the test writes."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter

from alerts import Because, Excerpt, Level, StoryRef
from alerts.act import Done, perform
from alerts.handling import Act
from alerts.hold import Held
from alerts.playbook import read
from alerts.silence import Silence
from alerts.verdict import Judgement
from listener.web.app import create_app
from listener.web.assets import Assets
from listener.web.config import WebSettings
from listener.web.status import DeliveryStatus, OnTrial, OutboxHealth, RefusedReload, StoryLine, TrialAlert
from tests.status_reader import NO_TOPICS, ScriptedReader, busy_day, event, incident, page, source

NOW = datetime(2025, 11, 22, 6, 41, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASSETS = Assets.read()
SETTINGS = WebSettings("https://listener.example.com", "zh", ZoneInfo("Asia/Shanghai"))
HOSTILE = (
    '<script>window.owned=1</script>"><img src=x onerror="window.owned=1"><b hx-get="/x" hx-trigger="load">\' '
    "{{ 7*7 }} &lt;i&gt; \u202eevil"
)


@pytest.fixture
async def serve():
    """``client = await serve(reader)``: the application on a free loopback port."""
    clients = []

    async def start(
        reader, *, settings=SETTINGS, problems=(), registry=None, now=NOW, refused=lambda: None, playbooks=dict
    ):
        app = create_app(
            reader=reader,
            registry=registry or CollectorRegistry(),
            problems=lambda: list(problems),
            matcher=lambda: NO_TOPICS,
            refused=refused,
            settings=settings,
            now=lambda: now,
            assets=ASSETS,
            playbooks=playbooks,
        )
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


async def text(client, path, **headers):
    response = await client.get(path, headers=headers)
    assert response.status == 200, await response.text()
    return await response.text()


def words(html):
    """What a person reads, white space folded."""
    return " ".join(lxml.html.fromstring(html).text_content().split())


async def test_status_page_tells_the_crisis(serve):
    """The page gives level in words, brand, reason, counts, reach, channels, excerpts, coverage and playbook."""
    said = words(await text(await serve(busy_day(NOW)), "/"))
    for part in (
        "3 起未解除的预警，最高级别红色",
        "1 个来源采集中断：那里正在发生的事，现在看不到",
        "红色预警 未认领 云杉科技 · 产品安全风险词",
        "“起火”“鼓包”出现在 22 条提及、3 个渠道",
        "96 75%",
        "128万",
        "微博客 74 · 论坛 31 · 新闻 23",
        "刚才高铁上邻座的云杉充电宝突然冒烟起火",
        "触发时看不到：weibo-supplier（自 14:19 起）",
        "playbooks/product-safety.md",
        "始于 14:28 13 分钟前",
        "橙色预警 云杉科技 · 负面声量激增",
        "时间均为 Asia/Shanghai（UTC+08:00）",
    ):
        assert part in said


async def test_verdicts_stand_on_the_incidents_page(serve):
    """Newest first, each with who, what and why; of the program's own incidents none is asked for."""
    reader = busy_day(NOW)
    client = await serve(reader)
    found = next(one for one in reader.pages if one.incident.kind == "topic")
    path = f"/incidents/{found.incident.id}"
    assert "Nobody has judged it yet" in words(await text(client, f"{path}?lang=en"))
    given = (
        Judgement(found.incident.id, "", "noise", "小林", NOW - timedelta(hours=2), HOSTILE),
        Judgement(found.incident.id, found.incident.alerts[0].alert, "real", "老周", NOW - timedelta(hours=1)),
    )
    reader.pages[reader.pages.index(found)] = replace(found, judgements=given)
    html = await text(client, f"{path}?lang=zh")
    told = words(html).partition("人工判定")[2]
    assert told.index("属实 老周") < told.index("误报 小林")
    assert "整个事件" in told
    assert "<script>window" not in html
    own = next(one for one in reader.pages if one.incident.kind == "self")
    assert "人工判定" not in await text(client, f"/incidents/{own.incident.id}?lang=zh")


async def test_who_is_not_told_stands_on_the_incidents_page(serve):
    """By receiver: why, by which interval, and until when; what is not told any more too."""
    reader = busy_day(NOW)
    client = await serve(reader)
    found = reader.pages[0]
    path = f"/incidents/{found.incident.id}"
    assert 'class="held"' not in await text(client, f"{path}?lang=en")
    held = (
        ("pr", Held("quiet_hours", HOSTILE, NOW + timedelta(hours=2), owed=True)),
        ("desk", Held("muted", "night", NOW - timedelta(hours=2), dropped=True)),
        ("duty", Held("outside_hours", "office", None)),
    )
    reader.pages[0] = replace(found, held=held)
    html = await text(client, f"{path}?lang=en")
    assert "<script>window" not in html
    said = words(html)
    assert "pr · quiet hours" in said
    assert "desk · muted (night), not told · it ended meanwhile and will not be told" in said
    assert "duty · outside its hours (office), not told · no end within a year" in said
    chinese = words(await text(client, f"{path}?lang=zh"))
    assert "屏蔽时段（night），不通知 · 期间已经结束，不再通知" in chinese


async def test_who_silenced_it_stands_on_both_pages(serve):
    """Until when, by whom and why; and what another incident mutes."""
    reader = busy_day(NOW)
    client = await serve(reader)
    found = next(page for page in reader.pages if page.incident.open and page.incident.kind == "topic")
    silence = Silence(
        {"kind": frozenset({"topic"})}, None, Level.red, "小林", HOSTILE, NOW, NOW + timedelta(hours=2), NOW, 3
    )
    assert "静默中" not in words(await text(client, "/?lang=zh"))
    reader.muting.append(silence)
    reader.pages[reader.pages.index(found)] = replace(
        found,
        silences=(silence,),
        held=(("pr", Held("inhibited", "other", None)), ("desk", Held("silenced", "3", NOW))),
    )
    for path in ("/", f"/incidents/{found.incident.id}"):
        html = await text(client, f"{path}?lang=zh")
        assert "<script>window" not in html
        assert re.search(r"静默中，到 \d\d:\d\d，由 小林：", words(html))
        assert re.search(r"Silenced until \d\d:\d\d by 小林: ", words(await text(client, f"{path}?lang=en")))
    said = words(await text(client, f"/incidents/{found.incident.id}?lang=zh"))
    assert "pr · 事件 other 未解除，暂不通知 · 直到该事件解除" in said
    assert "desk · 静默 3，暂不通知" in said
    front = words(await text(client, "/?lang=zh"))
    assert "pr · 事件 other 未解除，暂不通知 · 直到该事件解除" in front
    assert "desk · 静默 3" not in front  # the silence itself stands there
    assert "pr · muted by incident other, not told for now · until that one is over" in words(
        await text(client, "/?lang=en")
    )


async def test_an_incident_tells_who_has_it_and_what_was_done(serve):
    """Number, state, owner and who took it, also on the status page; events and acts in one list; what can be done next."""
    handled = replace(incident(event(NOW - 9 * MINUTE, playbook="pack:x"), name="i-7"), number=12)
    asked = [
        Act("acknowledge", "小林", NOW - 8 * MINUTE, "我来", origin="api 127.0.0.1"),
        Act("check", "小林", NOW - 7 * MINUTE, value="x:2"),
        Act("check", "小林", NOW - 7 * MINUTE, value="wiki-3"),
        Act("note", "老周", NOW - 6 * MINUTE, HOSTILE),
    ]
    for act in asked:
        done = perform(handled, act)
        assert isinstance(done, Done)
        (handled,) = done.incidents
    later = event(NOW - 5 * MINUTE, event="raised", revision=2, level=Level.orange)
    into = replace(handled.handling, timeline=(*handled.handling.timeline, Act("merged", "老周", NOW, value="i-9")))
    shown = replace(page(replace(handled, handling=into), history=[handled.alerts[0], later]), numbers={"i-9": 13})
    playbook = read("x", "## 核实\n- [ ] 读原文\n- [ ] <b>通报</b>\n---\n## Verify\n- [ ] Read\n- [ ] Tell\n")
    client = await serve(ScriptedReader(pages=[shown]), playbooks=lambda: {"pack:x": playbook})
    html = await text(client, "/incidents/i-7?lang=zh")
    said = words(html)
    for part in (
        "橙色预警 #12 已认领", "负责人 小林", "认领 14:33", "listener incident respond 12 -c listener.yml",
        "应急预案 x 已完成 1 / 2", "核实 1 读原文 2 <b>通报</b> （已完成）", "另已完成：wiki-3",
    ):  # fmt: skip
        assert part in said, part
    assert "<script>window" not in html
    order = ["老周 将另一事件并入本事件。 #13", "升级 橙色", "老周 添加了备注。", "小林 已认领。 我来", "触发 橙色"]
    timeline = said.partition(" 经过 ")[2]
    assert sorted(timeline.index(part) for part in order) == [timeline.index(part) for part in order]
    assert 'href="../incidents/i-9"' in html
    english = words(await text(client, "/incidents/i-7?lang=en"))
    assert "#12 Taken" in english
    assert "Verify 1 Read 2 Tell (done)" in english
    assert "橙色预警 #12 已认领 云杉科技" in words(await text(client, "/?lang=zh"))
    over = replace(shown.incident, handling=replace(shown.incident.handling, merged_into="i-9"))
    client = await serve(ScriptedReader(pages=[replace(shown, incident=over)]))
    said = words(await text(client, "/incidents/i-7?lang=zh"))
    assert "已归档" in said
    assert "已并入事件 #13" in said
    assert "listener incident respond" not in said


async def test_rules_on_trial_stand_apart(serve):
    """What they would have sent, in both languages, in no count of open alerts; without such rules not a word."""
    reader = busy_day(NOW)
    client = await serve(reader)
    assert "试运行" not in await text(client, "/")
    open_before = words(await text(client, "/?lang=en")).partition("open alerts")[0].split()[-1]
    would = event(NOW - timedelta(hours=3), rule="trial", alert="t-1", title=Because("试一试", HOSTILE))
    reader.trial = OnTrial(("trial", "other"), (TrialAlert(would.at, NOW - timedelta(hours=2), Level.red, would),))
    chinese, english = words(await text(client, "/?lang=zh")), await text(client, "/?lang=en")
    assert "试运行规则：本应发出的预警（近 7 天）" in chinese
    assert "试运行中的规则：trial、other。它们不通知任何人。" in chinese
    assert "试一试" in chinese
    assert "持续 1 小时" in chinese
    assert "On trial: what would have been sent" in english
    assert "<script>window" not in english
    assert words(english).partition("open alerts")[0].split()[-1] == open_before
    reader.trial = OnTrial(("trial",))
    assert "In the last 7 days they would have sent nothing." in words(await text(client, "/partials/system?lang=en"))


async def test_status_page_in_english(serve):
    """The same facts in English where the browser asks for English."""
    html = await text(await serve(busy_day(NOW)), "/", **{"Accept-Language": "en-GB,en;q=0.9,zh;q=0.8"})
    said = words(html)
    for part in (
        "3 open alerts, highest level Red",
        "Blind to 1 of 5 sources: what is said there goes unseen",
        "Red alert Nobody's yet 云杉科技 · Product-safety words",
        "could not see weibo-supplier (since 14:19)",
        "917 in 24 h",
        "1 notification is waiting, for 2 min now.",
    ):
        assert part in said
    assert lxml.html.fromstring(html).get("lang") == "en"


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "", "zh-CN"),
        ("", "de,fr;q=0.9", "zh-CN"),
        ("", "en;q=0.2, zh-TW;q=0.9", "zh-CN"),
        ("", "en;q=0.9, zh;q=0.1", "en"),
        ("", "en;q=0, zh;q=bad", "zh-CN"),
        ("?lang=en", "zh", "en"),
        ("?lang=xx", "en", "en"),
        ("?lang=ZH-hant", "en", "zh-CN"),
    ],
)
async def test_language_choice(serve, query, accept, expected):
    """``?lang=`` beats Accept-Language, which beats the setting; what is unknown is passed over."""
    html = await text(await serve(ScriptedReader()), f"/{query}", **{"Accept-Language": accept})
    assert lxml.html.fromstring(html).get("lang") == expected


async def test_language_is_remembered(serve):
    """A cookie keeps what ``?lang=`` chose for the pages that follow; a part that htmx fetches sets none."""
    client = await serve(ScriptedReader())
    part = await client.get("/partials/status?lang=en")
    assert "Set-Cookie" not in part.headers
    await client.get("/?lang=en")
    html = await text(client, "/", **{"Accept-Language": "zh"})
    assert lxml.html.fromstring(html).get("lang") == "en"


async def test_empty_states_say_what_to_do(serve):
    """With nothing configured every section says what to write, in either language, rather than stand empty."""
    client = await serve(ScriptedReader())
    said = words(await text(client, "/"))
    assert "尚未配置任何来源" in said
    assert "在配置的 sources 中加一个 feed 或 file" in said
    assert "在配置的 topics 中写下要关注的品牌和关键词" in said
    assert "all 0 sources" not in words(await text(client, "/?lang=en")).lower()


async def test_calm_and_blind_never_look_alike(serve):
    """No alert with all sources seen says so; no alert with a blind source says what is blind, since when and why."""
    calm = ScriptedReader(health=[source("a", last_success=NOW), source("b", last_success=NOW)])
    said = words(await text(await serve(calm), "/"))
    assert "没有未解除的预警" in said
    assert "全部 2 个来源均可见" in said
    calm.health[1] = source("b", "blind", last_success=NOW - timedelta(hours=3, minutes=5), reason="timeout")
    said = words(await text(await serve(calm), "/"))
    assert "全部 2 个来源均可见" not in said
    assert "b 上次成功 3 小时 5 分前 超时（timeout）" in said
    assert "没有预警不等于没有事：1 个来源现在看不到。" in said


async def test_a_failing_source_is_not_called_seen(serve):
    """While a source's last poll has failed, the page does not claim that all is seen."""
    reader = ScriptedReader(health=[source("a", last_success=NOW), source("b", "failing", failures=2)])
    said = words(await text(await serve(reader), "/"))
    assert "均可见" not in said
    assert "1 个来源最近一次采集失败" in said


async def test_not_ready_is_on_the_page(serve):
    """What makes /readyz red stands at the top of the page too."""
    client = await serve(ScriptedReader(), problems=["the disk is full"])
    assert "服务未就绪 the disk is full" in words(await text(client, "/"))


async def test_a_refused_reload_is_on_the_page_until_a_good_one(serve):
    """What a reload was refused for stands on the page and in its part, with file, line and column, and goes with it."""
    told = [RefusedReload(NOW - timedelta(hours=1), tuple(f"main.yml:{line}:7: rules: <b>" for line in range(1, 24)))]
    client = await serve(ScriptedReader(), refused=lambda: told[0])
    for path in ("/?lang=en", "/partials/status?lang=en"):
        said = words(await text(client, path))
        assert "The configuration was not reloaded (13:41): it has mistakes, and the one before runs on" in said
        assert "main.yml:1:7: rules: <b>" in said
        assert "main.yml:20:7" in said
        assert "main.yml:21:7" not in said
        assert "3 more: see listener check" in said
    told[0] = None
    assert "not reloaded" not in words(await text(client, "/?lang=en"))


async def test_incident_page(serve):
    """The evidence page gives every alert, story, event and delivery, and the permanent link by the public URL."""
    html = await text(await serve(busy_day(NOW)), "/incidents/20251122-acme-1?lang=en")
    said = words(html)
    for part in (
        "Red alert",
        "Orange alert",
        "Rule product-fire · topic acme",
        "高铁充电宝起火 61 copies",
        "Raised Orange",
        "Opened Yellow",
        "duty webhook Open Waiting server: HTTP 503 3",
        "Given up auth: 535 authentication failed 9",
    ):
        assert part in said
    assert "https://listener.example.com/incidents/20251122-acme-1" in lxml.html.fromstring(html).xpath("//a/@href")


async def test_what_is_open_stands_before_what_is_over(serve):
    """On an incident's page an open yellow alert stands before a resolved red one."""
    over = event(NOW, alert="over", event="resolved", level=Level.red, rule="over")
    still = event(NOW - timedelta(minutes=9), alert="still", level=Level.yellow, rule="still")
    said = words(await text(await serve(ScriptedReader(pages=[page(incident(over, still))])), "/incidents/i-1"))
    assert said.index("规则 still") < said.index("规则 over")
    assert said.startswith("云杉科技")
    assert "黄色预警 未认领 云杉科技" in said


async def test_unknown_incident_and_page(serve):
    """An unknown incident or address is 404 in words, with the way back, and never echoes markup."""
    client = await serve(ScriptedReader())
    response = await client.get("/incidents/%3Cscript%3E?lang=en")
    assert response.status == 404
    html = await response.text()
    assert "There is no incident <script>" in words(html)
    assert "<script>." not in html
    response = await client.get("/nowhere/at/all")
    assert response.status == 404
    html = await response.text()
    assert "There is no such page" in html
    assert lxml.html.fromstring(html).xpath("//link/@href")[0].startswith("../../static/")


async def test_storage_that_is_gone_is_told(serve):
    """When the reader cannot read, pages and parts are 503 and say so; health stays up; recovery needs no restart."""
    reader = busy_day(NOW)
    client = await serve(reader)
    reader.broken = True
    for path in ("/", "/partials/status", "/partials/system", "/data/volumes.json", "/incidents/x"):
        response = await client.get(path)
        assert response.status == 503, path
        assert "现在读不到数据" in await response.text()
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert (await client.get("/healthz")).status == 200
    reader.broken = False
    assert (await client.get("/")).status == 200


def hostile_reader(url):
    story = StoryRef("s", HOSTILE, 2, (HOSTILE,), url)
    quote = Excerpt(HOSTILE, url, HOSTILE, 0.9, HOSTILE, 5, NOW, (HOSTILE, "food_safety"))
    told = event(
        NOW,
        brand=HOSTILE,
        title=Because(HOSTILE, HOSTILE),
        because=Because(HOSTILE, HOSTILE),
        rule=HOSTILE,
        key={HOSTILE: HOSTILE},
        excerpts=(quote,),
        stories=(story,),
        playbook=url,
    )
    sent = DeliveryStatus(HOSTILE, HOSTILE, "open", "dead", NOW, 1, HOSTILE)
    return ScriptedReader(
        pages=[page(incident(told, replace(told, alert="b", level=Level.red)), deliveries=[sent])],
        health=[source(HOSTILE, "blind", type=HOSTILE, channel=HOSTILE, reason=HOSTILE)],
        topics=[("t", HOSTILE, None), (HOSTILE, "", "t")],
        mentions=[("t", NOW, "negative")],
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example/x",
        "https://",
        'https://a.example/"onmouseover="x',
        "https://user:secret@evil.example/",
        "https://[::1",
        "\u202ehttps://a.example/",
    ],
)
@pytest.mark.parametrize("path", ["/", "/incidents/i-1"])
async def test_hostile_text_stays_text(serve, url, path):
    """Markup in any text is shown as text; no address but http(s) becomes a link; nothing inline gets in."""
    html = await text(await serve(hostile_reader(url), problems=[HOSTILE]), path)
    tree = lxml.html.fromstring(html)
    assert all(script.get("src", "").endswith(".js") and not script.text for script in tree.iter("script"))
    assert not tree.xpath("//img | //style | //i")
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            assert name != "style", element.tag
            assert name != "hx-trigger" or value.startswith("every ")
    assert url not in tree.xpath("//a/@href")
    assert HOSTILE.split(maxsplit=1)[0] in tree.text_content()
    assert "{{ 7*7 }}" in tree.text_content()


async def test_links_that_lead_out_tell_nothing(serve):
    """A link in user text opens apart and hands over neither the window nor the referrer."""
    html = await text(await serve(hostile_reader("https://forum.example.com/t/1?a=1&b=2")), "/incidents/i-1")
    links = lxml.html.fromstring(html).xpath("//a[starts-with(@href, 'https://forum.example.com')]")
    assert len(links) >= 3
    for link in links:
        assert link.get("rel") == "noopener noreferrer nofollow"
        assert link.get("href") == "https://forum.example.com/t/1?a=1&b=2"


async def test_a_storm_stays_light(serve):
    """Of very many open incidents the gravest stand in full and the others in a line each; none is missing."""
    levels = list(Level)
    pages = [page(incident(event(NOW - timedelta(minutes=i), level=levels[i % 4]), name=f"n{i}")) for i in range(300)]
    html = await text(await serve(ScriptedReader(pages=pages)), "/partials/status")
    tree = lxml.html.fromstring(html)
    full = tree.xpath("//article")
    assert len(full) == 20
    assert all("level-red" in article.get("class") for article in full)
    assert len({href for href in tree.xpath("//a/@href") if href.startswith("./incidents/n")}) == 300


async def test_volumes_data(serve):
    """The chart's data has 48 slots of 30 minutes per topic in the configured zone, and sums to what was counted."""
    reader = busy_day(NOW)
    data = await (await (await serve(reader)).get("/data/volumes.json")).json()
    assert data["zone"] == "Asia/Shanghai"
    topic = data["topics"][0]
    assert len(topic["times"]) == 48
    assert topic["times"][-1] == "2025-11-22T14:30+08:00"
    assert topic["times"][0] == "2025-11-21T15:00+08:00"
    inside = datetime(2025, 11, 21, 7, 0, tzinfo=UTC)
    counted = sum(1 for name, at, _ in reader.mentions if name == "acme" and at >= inside)
    assert sum(sum(topic[label]) for label in ("negative", "neutral", "positive", "unknown")) == counted > 800


async def test_table_says_what_the_chart_says(serve):
    """Beside each chart stands a table with the same numbers, for those who cannot see it."""
    reader = ScriptedReader(topics=[("t", "T", None)], mentions=[("t", NOW, "negative")] * 3 + [("t", NOW, "unknown")])
    tree = lxml.html.fromstring(await text(await serve(reader), "/partials/volumes"))
    rows = [[cell.text_content().strip() for cell in row] for row in tree.xpath("//tbody/tr")]
    assert rows == [["14:30", "3", "0", "0", "1", "4"]]
    assert tree.xpath("//*[@role='img']/@aria-label")


async def test_outbox_without_a_time(serve):
    """A pending outbox whose oldest row has no time, and rows given up, are told without failing."""
    reader = ScriptedReader(box=OutboxHealth(3, None, 2))
    said = words(await text(await serve(reader), "/partials/system?lang=en"))
    assert "3 notifications are waiting" in said
    assert "2 notifications were given up" in said


async def test_links_are_relative(serve):
    """Pages link relative to themselves, so that a proxy may serve them beneath a path."""
    client = await serve(busy_day(NOW))
    for path, root in (("/", "./"), ("/incidents/20251122-acme-1", "../")):
        tree = lxml.html.fromstring(await text(client, path))
        own = [*tree.xpath("//*/@src"), *tree.xpath("//link/@href"), *tree.xpath("//@hx-get")]
        assert own
        assert all(address.startswith(root) for address in own), own
        for address in own:
            got = await client.get(f"/{address.removeprefix(root)}")
            assert got.status == 200, address


async def test_metrics_are_counted_content_free(serve):
    """/metrics answers in the Prometheus text format and, where asked, in OpenMetrics."""
    registry = CollectorRegistry()
    Counter("listener_polls", "Polls.", ["source"], registry=registry).labels("tech-news").inc(3)
    client = await serve(ScriptedReader(), registry=registry)
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'listener_polls_total{source="tech-news"} 3.0' in await response.text()
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert (await response.text()).endswith("# EOF\n")


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ("转载最多", "12 条转载/同一内容", "上升中", "始于 14:11")),
        ("en", ("Passed on most", "12 copies", "rising", "since 14:11")),
    ],
)
async def test_a_topic_names_what_is_passed_on_most(serve, lang, said):
    """With a link to where it began; what somebody wrote stays text."""
    stories = (
        StoryLine(
            "<b>充电宝</b>起火", "https://weibo.example/1", 12, ("weibo", "news"), NOW - timedelta(minutes=30), True
        ),
        StoryLine("", "javascript:alert(1)", 2, ("forum",), NOW, False),
    )
    reader = ScriptedReader(topics=[("t", "T", None)], mentions=[("t", NOW, "negative")], told={"t": stories})
    html = await text(await serve(reader), f"/partials/volumes?lang={lang}")
    tree = lxml.html.fromstring(html)
    assert tree.xpath("//ul[@class='stories']//a/@href") == ["https://weibo.example/1"]
    assert all(part in words(html) for part in (*said, "<b>充电宝</b>起火"))
    assert words(html).count(said[2]) == 1
    assert "stories" not in await text(await serve(ScriptedReader(topics=[("t", "T", None)])), "/partials/volumes")
