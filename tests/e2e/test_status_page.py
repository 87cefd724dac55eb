"""The pages in real Chromium: what only a browser can show."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts import Because, Excerpt, Level
from listener.web.app import create_app
from listener.web.config import WebSettings
from rules.topic import Matcher, TargetConfig, TopicConfig
from tests.browser import Browser, needs_chromium
from tests.status_reader import NO_TOPICS, ScriptedReader, busy_day, event, incident, page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), needs_chromium]
NOW = datetime(2025, 11, 22, 6, 41, 12, tzinfo=UTC)
CHARTS = "document.querySelectorAll('.chart canvas').length === {count}"
REFRESH = "htmx.trigger(document.getElementById('{part}'), 'every')"
# Pixels of the brand's chart that are near the colour of a sentiment, as the stylesheet has it.
PIXELS = """(() => {
  const canvas = document.querySelector(".chart canvas");
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--LABEL").trim();
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 250 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) count++;
  }
  return count;
})()"""


class Site:
    """The application on a loopback port, with a clock and a reader that the test moves."""

    def __init__(self, reader):
        self.reader = reader
        self.at = NOW
        self.problems = []
        self.matcher = NO_TOPICS

    async def start(self, port=0):
        app = create_app(
            reader=self.reader,
            registry=CollectorRegistry(),
            problems=lambda: self.problems,
            matcher=lambda: self.matcher,
            refused=lambda: None,
            settings=WebSettings("http://127.0.0.1:8420", "zh", ZoneInfo("Asia/Shanghai")),
            now=lambda: self.at,
        )
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", port).start()
        self.port = self.runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    """One process for all tests here; each tab has cookies of its own."""
    async with Browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium):
    yield chromium
    for tab in list(chromium.pages.values()):
        await tab.close()


@asynccontextmanager
async def serving(reader):
    site = Site(reader)
    await site.start()
    try:
        yield site
    finally:
        await site.runner.cleanup()


async def clean(tab):
    """No console error, no uncaught exception, no violation of the policy."""
    assert tab.errors == []
    assert await tab.violations() == []


async def test_chart_is_drawn_within_the_policy(browser):
    """The chart is on the canvas in the stylesheet's colours, a tooltip opens, and the policy stands unbroken."""
    async with serving(busy_day(NOW)) as site:
        tab = await browser.open(f"{site.url}/")
        await tab.until(CHARTS.format(count=3))
        await tab.until(f"{PIXELS.replace('LABEL', 'negative')} > 500")
        assert await tab.evaluate(PIXELS.replace("LABEL", "neutral")) > 200
        chart = "echarts.getInstanceByDom(document.querySelector('.chart'))"
        sums = await tab.evaluate(f"{chart}.getOption().series.map((s) => s.data.reduce((a, b) => a + b))")
        assert sum(sums) == 917
        before = await tab.evaluate("document.querySelector('.chart canvas').toDataURL()")
        await tab.evaluate(f"{chart}.dispatchAction({{type: 'showTip', seriesIndex: 0, dataIndex: 47}})")
        await tab.until(f"document.querySelector('.chart canvas').toDataURL() !== {before!r}")
        assert all(url.startswith((site.url, "data:")) for url in tab.requests)
        await clean(tab)


async def test_refresh_brings_a_new_alert_and_keeps_the_reader_where_it_was(browser):
    """htmx brings what is new by its own timer; an opened table and the charts stay as they were."""
    reader = busy_day(NOW)
    reader.pages, calm = [], reader.pages
    async with serving(reader) as site:
        tab = await browser.open(f"{site.url}/")
        await tab.until(CHARTS.format(count=3))
        assert "没有未解除的预警" in await tab.evaluate("document.querySelector('.verdicts').textContent")
        await tab.evaluate("window.canvas = document.querySelector('.chart canvas')")
        await tab.evaluate("document.querySelector('details').open = true")
        reader.pages = calm
        reader.mentions += [("acme", NOW, "negative")] * 50
        await tab.until("document.querySelectorAll('article.incident').length === 3", within=14)
        assert await tab.evaluate("document.title") == "（3）红色预警 · Listener 舆情监测"
        await tab.evaluate(REFRESH.format(part="volumes"))
        await tab.until("document.querySelector('.sums').textContent.includes('967')")
        chart = "echarts.getInstanceByDom(document.querySelector('.chart'))"
        await tab.until(f"{chart}.getOption().series.flatMap((s) => s.data).reduce((a, b) => a + b) === 967")
        assert await tab.evaluate("window.canvas === document.querySelector('.chart canvas')")
        assert await tab.evaluate("document.querySelector('details').open")
        await clean(tab)


async def test_an_old_page_says_that_it_is_old(browser):
    """When the server or storage stops answering, the page says since when it stands still, and recovers by itself."""
    reader = busy_day(NOW)
    async with serving(reader) as site:
        tab = await browser.open(f"{site.url}/?lang=en")
        await tab.until(CHARTS.format(count=3))
        shown = "!document.getElementById('stale').hidden"
        reader.broken = True
        await tab.evaluate(REFRESH.format(part="status"))
        await tab.until(shown)
        assert "This page shows 14:41:12" in await tab.evaluate("document.getElementById('stale').textContent")
        assert await tab.evaluate("document.querySelectorAll('article.incident').length") == 3
        reader.broken = False
        site.at = NOW + timedelta(seconds=30)
        await tab.evaluate(REFRESH.format(part="status"))
        await tab.until(f"!({shown})")
        await site.runner.cleanup()
        await tab.evaluate(REFRESH.format(part="status"))
        await tab.until(shown)
        assert "14:41:42" in await tab.evaluate("document.getElementById('stale').textContent")
        await site.start(site.port)
        await tab.evaluate(REFRESH.format(part="status"))
        await tab.until(f"!({shown})")
        assert await tab.violations() == []


async def test_other_parts_cannot_hide_that_one_stands_still(browser):
    """While one part of the page fails, another's success does not take the warning away."""
    reader = busy_day(NOW)
    async with serving(reader) as site:
        tab = await browser.open(f"{site.url}/")
        await tab.until(CHARTS.format(count=3))
        reader.broken = True
        await tab.evaluate(REFRESH.format(part="status"))
        await tab.until("!document.getElementById('stale').hidden")
        reader.broken = False
        await tab.evaluate(REFRESH.format(part="volumes"))
        reader.mentions += [("acme", NOW, "negative")] * 50
        await tab.evaluate(REFRESH.format(part="volumes"))
        await tab.until("document.querySelector('.sums').textContent.includes('967')")
        assert await tab.evaluate("!document.getElementById('stale').hidden")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/incidents/20251122-acme-1", "/nowhere"])
async def test_phone_width(browser, lang, path):
    """At 360 pixels nothing has to be scrolled sideways, in either language, with long words in every text."""
    reader = busy_day(NOW)
    long = "https://example.com/" + "x" * 300
    first = reader.pages[0].incident.alerts[0]
    told = replace(first, because=Because(long, long), excerpts=(Excerpt(long, long, "microblog", 0.9, long, 1, NOW),))
    reader.pages.append(page(incident(told, name="long")))
    reader.health[0] = replace(reader.health[0], id="s" * 200, reason=long)
    async with serving(reader) as site:
        tab = await browser.open(f"{site.url}{path}?lang={lang}", width=360, height=740)
        if path == "/":
            await tab.until(CHARTS.format(count=3))
        assert await tab.evaluate("innerWidth") == 360
        assert await tab.evaluate("document.documentElement.scrollWidth") <= 360
        assert await tab.violations() == []


LONG = "云杉" + "x" * 300
BRAND = TargetConfig(names=["云杉科技"], aliases=["云杉"], unless_near=["云杉树"])
TRIED = Matcher(
    {"acme": BRAND},
    [TopicConfig(id="acme", query=f"@acme 冒烟 NOT {LONG}"), TopicConfig(id="t" * 64, query="@acme 二手")],
)


async def test_a_text_is_tried_without_scripts(browser):
    """The form is filled and sent with scripts off; words are marked, a click on the tree's summary opens it."""
    async with serving(ScriptedReader()) as site:
        site.matcher = TRIED
        tab = await browser.open(f"{site.url}/")
        await tab.send("Emulation.setScriptExecutionDisabled", value=True)
        await tab.goto(f"{site.url}/try")
        await tab.evaluate("document.querySelector('[name=text]').value = '昨晚云 杉冒烟\\n起火'")
        await tab.evaluate("document.querySelector('[name=query]').value = '@acme (冒烟 OR'")
        tab.loaded.clear()
        await tab.evaluate("document.querySelector('form').requestSubmit()")
        await tab.until("location.search.includes('query') && document.querySelector('#fault mark') !== null")
        assert await tab.evaluate("document.querySelector('#fault mark').textContent") == " "
        assert await tab.evaluate("document.querySelector('[name=text]').value") == "昨晚云 杉冒烟\n起火"
        marks = "[...document.querySelectorAll('.marked mark')].map((mark) => mark.textContent)"
        assert await tab.evaluate(marks) == ["云 杉", "冒烟"]
        await tab.evaluate("document.querySelector('.tried summary').click()")
        assert await tab.evaluate("document.querySelector('.tried .tree').checkVisibility()")
        assert not [url for url in tab.requests if not url.startswith((site.url, "data:"))]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("dark", [False, True])
async def test_a_trial_fits_a_phone(browser, lang, dark):
    """At 360 pixels neither long words nor deep brackets have to be scrolled sideways, and the policy stands unbroken."""
    deep = "(" * 40 + "云杉 OR 青禾" + " x)" * 40
    async with serving(ScriptedReader()) as site:
        site.matcher = TRIED
        for asked in (
            {"text": f"{LONG} 冒烟 云杉树", "title": LONG, "query": deep},
            {"query": deep},
            {"text": "云杉", "query": "y" * 200 + " AND"},
        ):
            tab = await browser.open(f"{site.url}/try?{urlencode(asked)}&lang={lang}", width=360, height=740, dark=dark)
            assert await tab.evaluate("document.documentElement.scrollWidth") <= 360
            assert await tab.violations() == []
            contrast = "getComputedStyle(document.querySelector('textarea')).color"
            assert (await tab.evaluate(contrast) == "rgb(228, 233, 240)") is dark


async def test_dark_and_light_differ(browser):
    """A browser that prefers dark gets dark ground, light text and redrawn charts."""

    def seen(name):
        return f"getComputedStyle(document.body).{name}.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"

    async with serving(busy_day(NOW)) as site:
        brightness = {}
        for dark in (False, True):
            tab = await browser.open(f"{site.url}/", dark=dark)
            await tab.until(f"{PIXELS.replace('LABEL', 'negative')} > 500")
            brightness[dark] = await tab.evaluate(seen("backgroundColor")), await tab.evaluate(seen("color"))
            await clean(tab)
        (light_ground, light_text), (dark_ground, dark_text) = brightness[False], brightness[True]
        assert light_ground > 600
        assert light_text < 300
        assert dark_ground < 150
        assert dark_text > 500
        light = {"name": "prefers-color-scheme", "value": "light"}
        await tab.send("Emulation.setEmulatedMedia", features=[light])
        await tab.until(f"{PIXELS.replace('LABEL', 'negative')} > 500")


async def test_hostile_text_does_nothing(browser):
    """Scripts, handlers and htmx attributes in user text are read as text: nothing runs, nothing is fetched."""
    hostile = (
        "<script>window.owned=1</script><img src=/x onerror=window.owned=1>"
        '<p hx-get="/owned" hx-trigger="load" hx-on:htmx:after:init="window.owned=1">"\'><svg onload=window.owned=1>'
    )
    quote = Excerpt(hostile, "javascript:window.owned=1", hostile, 0.9, hostile, 5, NOW)
    told = event(NOW, brand=hostile, because=Because(hostile, hostile), excerpts=(quote,), level=Level.red)
    reader = ScriptedReader(
        pages=[page(incident(told))], topics=[(hostile, hostile, None)], mentions=[(hostile, NOW, "negative")]
    )
    async with serving(reader) as site:
        for path in ("/", "/incidents/i-1"):
            tab = await browser.open(f"{site.url}{path}")
            if path == "/":
                await tab.until(CHARTS.format(count=1))
                await tab.evaluate(REFRESH.format(part="status"))
            await tab.evaluate("new Promise((done) => setTimeout(done, 300))")
            assert await tab.evaluate("window.owned === undefined")
            assert not [url for url in tab.requests if "owned" in url or url.endswith("/x")]
            assert "<script>window.owned=1</script>" in await tab.evaluate("document.body.textContent")
            await clean(tab)


async def test_works_by_keyboard_and_for_screen_readers(browser):
    """There are landmarks, one main heading, a name for every link and figure, and a polite live region."""
    async with serving(busy_day(NOW)) as site:
        site.matcher = TRIED
        for path in ("/", "/incidents/20251122-acme-1", "/try?text=%E4%BA%91%E6%9D%89&query=@acme"):
            tab = await browser.open(f"{site.url}{path}")
            assert await tab.evaluate("document.querySelectorAll('main, body > header, body > footer').length") == 3
            assert await tab.evaluate("document.querySelectorAll('h1').length") == 1
            tree = (await tab.send("Accessibility.getFullAXTree"))["nodes"]
            named = {"link", "image", "region", "textbox", "button"}
            nameless = [
                node["role"]["value"]
                for node in tree
                if node.get("role", {}).get("value") in named
                and not node.get("ignored")
                and not node.get("name", {}).get("value")
            ]
            assert nameless == []
            live = "document.querySelector('[role=status]') !== null"
            assert await tab.evaluate(live) is not path.startswith("/try")  # that page changes only when it is sent
            labels = "[...document.querySelectorAll('[aria-labelledby]')].map((e) => e.getAttribute('aria-labelledby'))"
            assert await tab.evaluate(f"{labels}.every((id) => document.getElementById(id))")
