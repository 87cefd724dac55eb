"""The demo: its sites are real sites, its crisis is caught in time, and it ends when it is told to."""

import asyncio
import json
import signal
import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import aiohttp
import feedparser
import pytest
from aiohttp.test_utils import TestServer

from deploy.demo.feeds import PATHS, Timeline, application, sites
from deploy.demo.posts import SITES, Post, crisis, ongoing, yesterday
from tests.e2e.demo_process import ADDRESS, running_demo

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
BRANDS = ("云杉", "格澜", "栎川")


def test_the_day_before_is_varied_and_past() -> None:
    """120 texts or more, each its own, on all four sites, about three brands, all within 26 hours and minutes old."""
    posts = yesterday(NOW)
    assert len(posts) >= 120
    assert len({post.text for post in posts}) == len(posts)
    assert set(Counter(post.site for post in posts)) == set(SITES)
    for brand in BRANDS:
        assert sum(brand in post.title + post.text for post in posts) >= 20
    assert posts == sorted(posts, key=lambda post: post.at)
    assert all(timedelta(minutes=3) < NOW - post.at <= timedelta(hours=26) for post in posts)
    assert yesterday(NOW) == posts


def test_the_crisis_grows() -> None:
    """About forty posts in forty seconds, faster and faster, over all four sites, with headlines among them."""
    posts = crisis(NOW)
    within = [(post.at - NOW).total_seconds() for post in posts if post.at <= NOW + timedelta(seconds=40)]
    assert len(within) >= 38
    halves = Counter(second >= 20 for second in within)
    assert halves[True] > 1.5 * halves[False]
    assert {post.site for post in posts} == set(SITES)
    assert [post for post in posts if post.site == "news" and post.title]
    assert posts == sorted(posts, key=lambda post: post.at)


def test_talk_goes_on_and_slows_down() -> None:
    """Ordinary talk never ends, moves forward in time, and slows down once the texts have all been used."""
    posts = list(islice(ongoing(NOW), 100))
    assert all(one.at < next_.at for one, next_ in pairwise(posts))
    assert all("云杉充电宝" not in post.text for post in posts)
    assert posts[10].at - posts[0].at < timedelta(minutes=3)
    assert posts[99].at - posts[89].at > timedelta(minutes=4)


def test_a_post_is_seen_from_its_moment_on_and_keeps_its_number() -> None:
    """A site shows a post at its time and not before, newest first, under one number for good."""
    timeline = Timeline([], iter(ongoing(NOW + timedelta(days=1))))
    timeline.add([Post("news", "a", "later", "b", NOW + timedelta(seconds=5)), Post("news", "a", "now", "b", NOW)])
    assert [(number, post.title) for number, post in timeline.visible("news", NOW)] == [(1, "now")]
    after = timeline.visible("news", NOW + timedelta(seconds=5))
    assert [(number, post.title) for number, post in after] == [(0, "later"), (1, "now")]
    assert timeline.visible("forum", NOW + timedelta(seconds=5)) == []
    assert timeline.post(0, NOW) is None
    assert timeline.post(7, NOW) is None


@pytest.mark.parametrize("site", SITES)
async def test_a_site_serves_what_feeds_are_made_of(site: str) -> None:
    """Over HTTP, feedparser (or JSON) reads every visible post with its time, and a link to a page that shows it."""
    posts = yesterday(NOW)
    async with TestServer(application(sites(posts, NOW), lambda: NOW)) as server, aiohttp.ClientSession() as http:
        async with http.get(server.make_url(PATHS[site])) as answer:
            body, tag = await answer.read(), answer.headers["ETag"]
            kind = answer.headers["Content-Type"]
        async with http.get(server.make_url(PATHS[site]), headers={"If-None-Match": tag}) as unchanged:
            assert unchanged.status == 304
        expected = [post for post in reversed(posts) if post.site == site]
        if site == "microblog":
            items = json.loads(body)["items"]
            read = [(item["content_text"], datetime.fromisoformat(item["date_published"])) for item in items]
            assert read == [(post.text, post.at) for post in expected]
            link = items[0]["url"]
        else:
            feed = feedparser.parse(body, response_headers={"content-type": kind})
            assert not feed.bozo
            times = [datetime(*entry.published_parsed[:6], tzinfo=UTC) for entry in feed.entries]
            assert [(entry.title, entry.author) for entry in feed.entries] == [(p.title, p.author) for p in expected]
            assert times == [post.at for post in expected]
            link = feed.entries[0].link
        async with http.get(link) as page:
            assert page.status == 200
            assert expected[0].text in await page.text()


@pytest.mark.timeout(180)
async def test_the_alert_appears_within_a_minute_and_ctrl_c_ends_it() -> None:
    """Within 60 s of its address the alert stands in the terminal and on the console; SIGINT ends all."""
    async with running_demo("--port", "0") as demo:
        shown, found = await demo.until(ADDRESS, 90)
        console = found.group(1)
        told, _ = await demo.until(r"产品起火|负面突增", 60)
        assert told - shown < 60
        async with aiohttp.ClientSession() as http, http.get(console) as page:
            text = await page.text()
        assert "云杉科技" in text
        assert "起火" in text
        port = int(console.rsplit(":", 1)[1].rstrip("/"))
        print(f"ended {await demo.stop():.1f} s after Ctrl-C")
        assert demo.process.returncode == 0, demo.text
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Traceback" not in demo.text
    assert "was killed" not in demo.text


@pytest.mark.timeout(180)
async def test_once_ends_by_itself_after_the_alert() -> None:
    """With --once the demo ends with exit code 0 as soon as the alert has been told."""
    async with running_demo("--port", "0", "--once") as demo:
        assert await asyncio.wait_for(demo.process.wait(), 150) == 0
    assert "Told after" in demo.text
    assert "Traceback" not in demo.text


@pytest.mark.timeout(60)
async def test_a_stop_during_the_start_is_obeyed() -> None:
    """SIGTERM before the program is ready ends the demo at once and in order."""
    async with running_demo("--port", "0") as demo:
        await demo.until("Starting", 30)
        await demo.stop(signal.SIGTERM)
        assert demo.process.returncode == 0, demo.text
    assert "Traceback" not in demo.text


async def test_a_taken_port_is_avoided() -> None:
    """Where the wanted port is taken, the console gets a free one instead of failing."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        async with running_demo("--port", str(taken)) as demo:
            _, found = await demo.until(ADDRESS, 90)
            assert not found.group(1).endswith(f":{taken}/")
