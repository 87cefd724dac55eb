"""The feed collector against loopback sites: validators, moves, failures, what a poll costs, hostile sites."""

import asyncio
import gzip
import json
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from listener.collector import CollectError
from listener.collectors import FeedConfig
from listener.http import Http
from tests.support.sites import item, page, raw, rss, site

ZONE = ZoneInfo("Asia/Shanghai")
TWO = rss(item(1), item(2))


def feed(http: Http, url: str, **options):
    config = FeedConfig(id="f", type="feed", channel="news", url=url, **options)
    return config.build(http, timezone=ZONE, base=Path("/"))


async def refused(collector, cursor: str | None = None) -> CollectError:
    with pytest.raises(CollectError) as caught:
        await collector.collect(cursor)
    return caught.value


async def test_an_item_becomes_a_mention():
    """Every field that the feed gives is in the mention, at its place."""
    document = rss(
        "<title>云杉 &amp; 起火</title><link>http://a.example/1</link><guid isPermaLink='false'>g1</guid>"
        "<author>d@a.example (李雷)</author><pubDate>Mon, 05 Jan 2026 10:00:00 +0800</pubDate>"
        "<description><![CDATA[<p>一</p><p>二</p>]]></description>",
        head="<language>zh-cn</language>",
    )
    async with site(f=page(document)) as url, Http() as http:
        (mention,) = (await feed(http, url + "f").collect(None)).mentions
    assert (mention.source, mention.channel, mention.external_id) == ("f", "news", "g1")
    assert (mention.title, mention.text, mention.url) == ("云杉 & 起火", "一\n\n二", "http://a.example/1")
    assert (mention.author.name, mention.site, mention.lang) == ("李雷", "测试站", "zh-cn")
    assert mention.published_at.isoformat() == "2026-01-05T02:00:00+00:00"
    assert mention.updated_at is None


async def test_validators_are_sent_back_and_304_is_unchanged():
    """ETag and Last-Modified of the last answer are the next request's conditions."""
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")))
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(text=TWO, headers={"ETag": '"v1"', "Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"})

    async with site(f=answer) as url, Http() as http:
        collector = feed(http, url + "f")
        first = await collector.collect(None)
        second = await collector.collect(first.cursor)
    assert (len(first.mentions), second.unchanged, second.cursor) == (2, True, first.cursor)
    assert asked == [(None, None), ('"v1"', "Mon, 05 Jan 2026 10:00:00 GMT")]


async def test_a_server_that_says_200_for_the_same_body_is_seen_through():
    """The same bytes again are unchanged, whatever validators come with them."""
    count = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(text=TWO, headers={"ETag": f'"{count}"'})

    async with site(f=answer) as url, Http() as http:
        collector = feed(http, url + "f")
        first = await collector.collect(None)
        second = await collector.collect(first.cursor)
    assert (second.unchanged, second.mentions) == (True, ())
    assert json.loads(second.cursor)["etag"] == '"2"'


async def test_a_body_that_cannot_be_parsed_does_not_become_the_known_one():
    """A broken answer leaves no validator behind: the next good one is read."""
    body = {"text": TWO}

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body["text"])

    async with site(f=answer) as url, Http() as http:
        collector = feed(http, url + "f")
        first = await collector.collect(None)
        body["text"] = "<html>maintenance</html>"
        assert (await refused(collector, first.cursor)).reason == "not_a_feed"
        body["text"] = rss(item(3))
        assert len((await collector.collect(first.cursor)).mentions) == 1


async def test_a_permanent_move_is_told_once_and_remembered():
    """After 301 or 308 the new address is asked, and the engineer is told."""
    asked = []

    async def new(request: web.Request) -> web.Response:
        asked.append("new")
        return web.Response(text=TWO)

    async def old(request: web.Request) -> web.Response:
        asked.append("old")
        return web.Response(status=308, headers={"Location": "/new"})

    async with site(old=old, new=new) as url, Http() as http:
        collector = feed(http, url + "old")
        first = await collector.collect(None)
        second = await collector.collect(first.cursor)
        elsewhere = await feed(http, url + "new").collect(second.cursor)
    assert asked == ["old", "new", "new", "new"]
    assert first.notes == (f"moved for good to {url}new, which is asked from now on",)
    assert (second.notes, second.unchanged) == ((), True)
    assert len(elsewhere.mentions) == 2  # a cursor of another address is not believed


async def test_a_move_that_leads_nowhere_falls_back_to_the_configured_address():
    """When the remembered address is lost, the configured one is tried in the same poll."""
    state = {"moved": True}

    async def old(_request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "/new"}) if state["moved"] else web.Response(text=TWO)

    async def new(_request: web.Request) -> web.Response:
        return web.Response(text=rss(item(7))) if state["moved"] else web.Response(status=404)

    async with site(old=old, new=new) as url, Http() as http:
        collector = feed(http, url + "old")
        first = await collector.collect(None)
        state["moved"] = False
        back = await collector.collect(first.cursor)
    assert (len(first.mentions), len(back.mentions)) == (1, 2)
    assert json.loads(back.cursor)["url"] == url + "old"


async def test_gone_and_rate_limits_are_told():
    """410 is gone; 429 carries the server's wish to wait."""
    async with site(gone=page(status=410), busy=page(status=429, Retry_After="90")) as url, Http() as http:
        assert (await refused(feed(http, url + "gone"))).reason == "gone"
        busy = await refused(feed(http, url + "busy"))
    assert (busy.reason, busy.retry_after) == ("rate_limited", timedelta(seconds=90))


async def test_ids_are_the_same_over_a_hundred_polls_in_any_order():
    """The same page without ids, shuffled at every poll, gives the same keys."""
    import random

    entries = [f"<title>t{n}</title><link>http://a.example/{n}</link>" for n in range(30)]
    chance = random.Random(3)

    async def answer(_request: web.Request) -> web.Response:
        chance.shuffle(entries)
        return web.Response(text=rss(*entries))

    async with site(f=answer) as url, Http() as http:
        collector, cursor, seen = feed(http, url + "f"), None, set()
        for _ in range(100):
            batch = await collector.collect(cursor)
            cursor = batch.cursor
            seen |= {mention.external_id for mention in batch.mentions}
    assert len(seen) == 30


async def test_an_item_that_says_nothing_is_still_counted():
    """Without title and text an item shows its link, else its id."""
    document = rss("<link>http://a.example/only</link>", "<guid isPermaLink='false'>only-id</guid>")
    async with site(f=page(document)) as url, Http() as http:
        mentions = (await feed(http, url + "f").collect(None)).mentions
    assert [mention.text for mention in mentions] == ["http://a.example/only", "only-id"]


async def test_a_text_without_end_is_cut_and_told():
    """Past a hundred thousand characters a text is cut, and a person is told of which item."""
    document = rss(
        f"<title>t</title><link>http://a/1</link><guid>long</guid><description>{'长' * 150_000}</description>"
    )
    async with site(f=page(document)) as url, Http() as http:
        batch = await feed(http, url + "f").collect(None)
    assert len(batch.mentions[0].text) == 100_000
    assert batch.problems == ("long: text: longer than 100,000 characters, the rest was cut",)


async def test_an_unchanged_poll_costs_less_than_two_milliseconds_of_cpu():
    """A thousand unchanged polls, server included, stay within the aim; 304 and lying 200 alike."""
    body = rss(*(item(n) for n in range(50)))

    async def honest(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(text=body, headers={"ETag": '"1"'})

    async with site(honest=honest, lying=page(body)) as url, Http() as http:
        for name in ("honest", "lying"):
            collector = feed(http, url + name)
            cursor = (await collector.collect(None)).cursor
            began = time.process_time()
            for _ in range(500):
                batch = await collector.collect(cursor)
                assert batch.unchanged
            # the server in this process costs about as much again
            assert (time.process_time() - began) / 500 < 0.004


async def test_hostile_sites_are_left_with_their_reason_while_others_go_on():
    """Bomb, garbage, endless chunks, lying encoding, nested entities, loops and slow bodies end; the good feed is read."""

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"<" * 65536 + b"\r\n")
            await writer.drain()

    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while True:
            writer.write(b"<")
            await writer.drain()
            await asyncio.sleep(0.02)

    laughs = '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><rss><channel/></rss>'
    garbage = (b"\x9c<\xfe>&" * 11_000_000)[: 50 * 2**20]
    pages = {
        "bomb": page(gzip.compress(b"<" * 2**26), Content_Encoding="gzip"), "garbage": page(garbage),
        "lying": page(b"\x01\x02" * 50, Content_Encoding="gzip"), "laughs": page(laughs),
        "loop": page(status=301, Location="/loop"), "deep": page("<rss><channel>" + "<a>" * 100_000),
        "good": page(TWO), "lucky": page(TWO, Content_Encoding="gzip"),
    }  # fmt: skip
    expected = {
        "bomb": "too_large", "garbage": "too_large", "lying": "bad_encoding", "laughs": "unsafe_xml",
        "loop": "redirect_loop", "deep": "unsafe_xml", "endless": "too_large", "slow": "timeout",
    }  # fmt: skip
    async with (
        site(**pages) as url, raw(endless) as no_end, raw(slow) as drip,
        Http(deadline=timedelta(seconds=8)) as http,
    ):  # fmt: skip
        urls = {name: url + name for name in pages} | {"endless": no_end, "slow": drip}
        began = time.monotonic()
        tasks = {name: asyncio.create_task(feed(http, where).collect(None)) for name, where in urls.items()}
        good = await tasks["good"]
        finished_after = time.monotonic() - began
        lucky = await tasks["lucky"]
        results = await asyncio.gather(*tasks.values(), return_exceptions=True)
    reasons = {
        name: result.reason for name, result in zip(tasks, results, strict=True) if isinstance(result, CollectError)
    }
    assert reasons == expected
    assert (len(good.mentions), len(lucky.mentions)) == (2, 2)
    assert finished_after < 8
