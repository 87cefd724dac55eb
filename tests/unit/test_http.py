"""The HTTP client of the collectors, against real servers that behave and misbehave."""

import asyncio
import gzip
import resource
import typing
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from listener.body import BodyError, decode_body, retry_after
from listener.guard import BlockedAddressError, Guard, guarded_session, is_public, own_places, parse_address
from listener.http import Http, HttpError, HttpReason, Request, shown
from tests.support.sites import page, raw, site


def zipped(data: bytes) -> bytes:
    """The same bytes at any hour: parameters name tests."""
    return gzip.compress(data, mtime=0)


FEED = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
MIB = 2**20


def client(**options) -> Http:
    return Http(deadline=options.pop("deadline", timedelta(seconds=5)), **options)


async def reason(http: Http, url: str, **request) -> str:
    with pytest.raises(HttpError) as caught:
        await http.get(Request(url, **request))
    return caught.value.reason


async def test_a_page_comes_with_its_headers_and_without_its_encoding():
    """A gzip body is handed over decompressed, with the headers of the answer."""
    async with site(feed=page(zipped(FEED), Content_Encoding="gzip", ETag='"1"')) as url, client() as http:
        answer = await http.get(Request(url + "feed"))
    assert (answer.status, answer.body, answer.headers["ETag"], answer.moved) == (200, FEED, '"1"', "")


async def test_not_modified_is_an_answer_only_to_a_condition():
    """304 is good news where a condition was sent, and a broken server where none was."""
    async with site(feed=page(status=304)) as url, client() as http:
        answer = await http.get(Request(url + "feed", headers={"If-None-Match": '"1"'}))
        assert (answer.status, answer.body) == (304, b"")
        assert await reason(http, url + "feed") == "bad_response"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "client_error"), (401, "unauthorised"), (403, "forbidden"), (404, "not_found"), (407, "proxy"),
        (410, "gone"), (418, "client_error"), (429, "rate_limited"), (500, "server_error"), (503, "server_error"),
        (204, "bad_response"), (206, "bad_response"),
    ],
)  # fmt: skip
async def test_every_status_has_its_reason(status, expected):
    """What the server answers becomes one word of a closed list."""
    async with site(feed=page(status=status)) as url, client() as http:
        assert await reason(http, url + "feed") == expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Mon, 05 Jan 2026 10:02:00 GMT", "Date": "Mon, 05 Jan 2026 10:00:00 GMT"}, 120),
        ({"Retry-After": "Mon, 05 Jan 2026 09:00:00 GMT", "Date": "Mon, 05 Jan 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "99999999999999999999"}, 86400),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "²"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_of_the_servers_own_clock(headers, seconds):
    """Retry-After is read in both forms, capped at a day, and nonsense is nothing."""
    assert retry_after(headers) == (None if seconds is None else timedelta(seconds=seconds))


async def test_the_wish_to_wait_arrives_with_429_and_503_alone():
    """Retry-After counts on the two statuses it is meant for."""
    async with (
        site(
            busy=page(status=429, Retry_After="30"),
            down=page(status=503, Retry_After="40"),
            no=page(status=404, Retry_After="9"),
        ) as url,
        client() as http,
    ):
        waits = []
        for name in ("busy", "down", "no"):
            with pytest.raises(HttpError) as caught:
                await http.get(Request(url + name))
            waits.append(caught.value.retry_after)
    assert waits == [timedelta(seconds=30), timedelta(seconds=40), None]


async def test_a_permanent_move_is_told_up_to_the_first_temporary_hop():
    """301 and 308 from the first hop on name the new address; what follows a 302 does not."""
    async with (
        site(
            a=page(status=301, Location="/b"), b=page(status=308, Location="/c"), c=page(status=302, Location="/d"),
            d=page(status=301, Location="/e"), e=page(FEED), t=page(status=307, Location="/a"),
        ) as url,
        client() as http,
    ):  # fmt: skip
        answer = await http.get(Request(url + "a"))
        assert (answer.url, answer.moved) == (url + "e", url + "c")
        assert (await http.get(Request(url + "t"))).moved == ""


async def test_circles_and_endless_chains_of_redirects_end():
    """A redirect to itself, a circle of two and a sixth hop are redirect loops."""

    async def on(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"/n?{int(request.query_string or 0) + 1}"})

    async with (
        site(
            a=page(status=302, Location="/a"),
            b=page(status=301, Location="/c"),
            c=page(status=301, Location="/b"),
            n=on,
        ) as url,
        client() as http,
    ):
        assert [await reason(http, url + name) for name in "abn"] == ["redirect_loop"] * 3


@pytest.mark.parametrize("target", ["ftp://example.com/x", "file:///etc/passwd", "javascript:1", "", "http://[::1"])
async def test_redirects_to_anything_but_http_are_refused(target):
    """A redirect without a usable http target is no way on."""
    async with site(a=page(status=302, Location=target)) as url, client() as http:
        assert await reason(http, url + "a") == "bad_redirect"


PRIVATE = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "0177.0.0.1", "0.0.0.0", "0",
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "fe80::1", "fc00::1",
    "fd12:3456::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "ff02::1", "fec0::1", "2001:0:1::1",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
async def test_no_spelling_of_a_private_address_is_reached(host):
    """Every way to write an address that is not public is refused, before any packet is sent."""
    address = parse_address(host)
    assert address is not None
    assert not is_public(address)
    url = f"http://[{host}]:9/" if ":" in host else f"http://{host}:9/"
    async with client() as http:
        assert await reason(http, url, origin="http://public.example/") == "blocked_address"


@pytest.mark.parametrize("host", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_public_addresses_are_public(host):
    """The guard does not refuse what everybody may reach."""
    address = parse_address(host)
    assert address is not None
    assert is_public(address)


async def test_a_redirect_to_a_private_place_is_blocked_at_every_hop():
    """A site may send us on to itself, and to no other port or name of this machine."""
    async with site(secret=page(b"secret")) as other:
        port = other.rsplit(":", 1)[1].strip("/")
        async with (
            site(
                self=page(status=302, Location="/ok"), ok=page(FEED),
                port=page(status=302, Location=other + "secret"),
                name=page(status=302, Location=f"http://localhost:{port}/secret"),
                mapped=page(status=302, Location=f"http://[::ffff:127.0.0.1]:{port}/secret"),
                meta=page(status=302, Location="http://169.254.169.254/latest/meta-data/"),
            ) as url,
            client() as http,
        ):  # fmt: skip
            assert (await http.get(Request(url + "self"))).body == FEED
            blocked = [await reason(http, url + name) for name in ("port", "name", "mapped", "meta")]
            open_source = await http.get(Request(url + "port", allow_private=True))
    assert blocked == ["blocked_address"] * 4
    assert open_source.body == b"secret"


async def test_a_connection_of_a_trusted_source_does_not_serve_another():
    """A kept-alive connection to a private place is not used by a source that may not go there."""
    async with site(feed=page(FEED)) as url, client() as http:
        assert (await http.get(Request(url + "feed"))).status == 200
        assert await reason(http, url + "feed", origin="http://public.example/") == "blocked_address"


async def test_localhost_may_be_configured_by_name():
    """The operator's own localhost works, and its redirect to another port does not."""
    async with site(feed=page(FEED), away=page(status=302, Location="http://localhost:1/")) as url, client() as http:
        named = url.replace("127.0.0.1", "localhost")
        assert (await http.get(Request(named + "feed"))).body == FEED
        assert await reason(http, named + "away") == "blocked_address"


def test_the_dial_itself_is_judged():
    """Whatever DNS said before, a socket for a private address is not even made."""
    guard = Guard(places=own_places(["http://127.0.0.1:8080/x"]))
    guard.open_socket((2, 1, 6, "", ("127.0.0.1", 8080))).close()
    for address, port in (("127.0.0.1", 8081), ("10.0.0.1", 8080)):
        with pytest.raises(BlockedAddressError):
            guard.open_socket((2, 1, 6, "", (address, port)))


async def test_the_session_for_channels_has_the_same_guard():
    """A plain session reaches what it was built for and nothing else that is private."""
    async with (
        site(hook=page(b"ok"), out=page(status=302, Location="http://127.0.0.1:1/")) as url,
        guarded_session([url]) as session,
    ):
        async with session.get(url + "hook") as answer:
            assert await answer.read() == b"ok"
        for elsewhere in ("http://127.0.0.1:1/", url + "out"):
            with pytest.raises(OSError, match="not a public address"):
                await session.get(elsewhere)


async def test_a_proxy_is_used_and_may_be_private():
    """With a proxy the request goes there whole, and its failure is the proxy's."""
    seen = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
        await writer.drain()
        seen.append(True)

    async with raw(proxy) as address, client() as http:
        answer = await http.get(Request("http://news.example.com/feed", proxy=address))
        assert (answer.body, seen) == (b"proxy", [True])
        assert await reason(http, "http://news.example.com/", proxy="http://user:pass@127.0.0.1:1/") == "proxy"
        assert await reason(http, "http://10.0.0.1/", origin="http://a.example/", proxy=address) == "blocked_address"


async def test_unreachable_and_unknown_hosts_and_broken_tls_are_told_apart():
    """Connection, DNS and TLS failures each have their reason."""
    async with site(feed=page(FEED)) as url, client() as http:
        assert await reason(http, "http://127.0.0.1:1/") == "connect"
        assert await reason(http, "http://no-such-host.invalid/") == "dns"
        assert await reason(http, url.replace("http:", "https:") + "feed") == "tls"


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "nonsense", "http://[::1", "http://a:99999/", "//x", ""])
async def test_addresses_that_are_none_are_told(url):
    """An address that cannot be asked for is refused as such."""
    async with client() as http:
        assert await reason(http, url) == "bad_url"


async def test_a_slow_body_ends_at_the_deadline():
    """A server that drips its body, or its head, is left when the time is up."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"<")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw(drip) as slow, raw(silent) as mute, client(deadline=timedelta(milliseconds=300)) as http:
        began = asyncio.get_running_loop().time()
        assert await reason(http, slow) == "timeout"
        assert await reason(http, mute) == "timeout"
        assert asyncio.get_running_loop().time() - began < 30


async def test_endless_chunks_end_at_the_cap():
    """A body without end is cut off at the cap, not when memory ends."""
    sent = 0

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while True:
            writer.write(chunk)
            await writer.drain()
            sent += 65536

    async with raw(endless) as url, client(cap=MIB) as http:
        assert await reason(http, url) == "too_large"
    assert sent < 20 * MIB


async def test_fifty_megabytes_are_refused_by_their_announcement():
    """A Content-Length past the cap is believed: nothing of the body is read."""
    async with site(big=page(b"x" * (50 * MIB))) as url, client() as http:
        assert await reason(http, url + "big") == "too_large"


async def test_a_bomb_costs_no_memory():
    """A quarter of a gigabyte in 256 kB of gzip is refused with less than 100 MB used."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\0" * (16 * MIB)
    bomb = b"".join(squeeze.compress(zeros) for _ in range(16)) + squeeze.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with site(bomb=page(bomb, Content_Encoding="gzip")) as url, client() as http:
        assert await reason(http, url + "bomb") == "too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (FEED, ""), (FEED, "identity"), (FEED, "gzip"), (FEED, "deflate"), (FEED, "br"), (b" \r\n" + FEED, "gzip"),
        (b"{}", "gzip"), (b"", "gzip"), (zipped(FEED), "gzip"), (zipped(FEED), "x-gzip"),
        (zipped(FEED), ""), (zipped(FEED), "deflate"), (zlib.compress(FEED), "deflate"),
        (raw_deflate(FEED), "deflate"), (zipped(zipped(FEED)), "gzip, gzip"),
        (zipped(FEED[:20]) + zipped(FEED[20:]), "gzip"), (zipped(FEED) + b"\0" * 512, "gzip"),
        (zipped(FEED) + b"junk", "gzip"), (FEED.decode().encode("utf-16"), "gzip"),
    ],
)  # fmt: skip
def test_the_bytes_decide_over_the_header(body, encoding):
    """Whatever the header claims, a body that can be read is read."""
    plain = decode_body(body, encoding, MIB)
    assert plain.strip() in (FEED, b"{}", b"", FEED.decode().encode("utf-16"))


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"\x8b\x00garbage", "gzip", "bad_encoding"), (zipped(FEED)[:-12], "gzip", "bad_encoding"),
        (b"\x01\x02\x03", "br", "bad_encoding"), (b"\x01\x02\x03", "zstd", "bad_encoding"),
        (b"\x1f\x8b" + b"\xff" * 30, "gzip", "bad_encoding"), (zipped(FEED), "gzip, gzip, gzip", "bad_encoding"),
        (zlib.compress(FEED)[:10], "deflate", "bad_encoding"), (b"\xff\xff\xff\xff", "deflate", "bad_encoding"),
        (zipped(b"<" * 2 * MIB), "gzip", "too_large"), (b"<" * (MIB + 1), "", "too_large"),
        (zipped(b"<" * MIB) + zipped(b"<"), "gzip", "too_large"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_says_why(body, encoding, expected):
    """Damaged, unknown and oversized bodies end with their reason."""
    with pytest.raises(BodyError) as caught:
        decode_body(body, encoding, MIB)
    assert caught.value.reason == expected


async def test_a_body_that_ends_early_and_nonsense_instead_of_http_are_told():
    """A cut connection and an answer that is not HTTP have their reasons."""

    async def cut(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")

    async def nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    async def nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")

    async with raw(cut) as a, raw(nothing) as b, raw(nonsense) as c, client() as http:
        assert [await reason(http, url) for url in (a, b, c)] == ["cut_short", "cut_short", "bad_response"]


async def test_no_secret_of_an_address_is_shown():
    """User, password and query of an address stay out of every message."""
    async with site(feed=page(status=500)) as url, client() as http:
        with pytest.raises(HttpError) as caught:
            await http.get(Request(url.replace("://", "://user:hunter2@") + "feed?key=hunter3"))
        with pytest.raises(HttpError) as proxied:
            await http.get(Request("http://news.example.com/?key=hunter3", proxy="http://user:hunter2@127.0.0.1:1/"))
    assert "hunter" not in str(caught.value) + str(proxied.value)
    assert shown("http://u:p@a.example/x?y#z") == "http://a.example/x"


async def test_others_go_on_while_one_hangs():
    """A hanging site does not hold up a good one."""

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw(silent) as mute, site(feed=page(FEED)) as url, client(deadline=timedelta(seconds=1)) as http:
        hanging = asyncio.create_task(reason(http, mute))
        answers = [await http.get(Request(url + "feed")) for _ in range(20)]
        assert not hanging.done()
        assert len(answers) == 20
        assert await hanging == "timeout"


def test_every_reason_is_documented():
    """The closed list of reasons and the page that explains them are the same."""
    page_text = (Path(__file__).parents[2] / "docs/reference/sources.md").read_text("utf-8")
    table = page_text.partition("## Reasons")[2].partition("\n## ")[0]
    documented = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert documented == {*typing.get_args(HttpReason), "not_a_feed", "unsafe_xml", "unreadable"}
