"""Figure 2: every document of a folder, served over loopback, collected, and compared with feedparser; and the time.

Run: ``python -m tests.bench.feeds [DIR]``. Without DIR it writes documents of its own into a temporary folder first.
Compared, document by document: number of entries, and of each its id, title, link and time. Titles are compared as
text on both sides; ids where feedparser has one; the time is published, else updated, and zoneless ones are UTC on
both sides. JSON Feeds, which feedparser cannot read, are compared with their own JSON.
"""

import argparse
import asyncio
import io
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import feedparser
from aiohttp import web

from listener.collector import CollectError
from listener.collectors import FeedConfig
from listener.collectors.document import UnsafeXmlError
from listener.collectors.html import line_of
from listener.collectors.items import NotAFeedError
from listener.collectors.parse import parse
from listener.http import Http
from rules.mention import Mention
from tests.support.sites import item, rss

_MEANT_TO_FAIL = ("_fail", "fail_", "invalid", "unknown", "unrecognized")
_CONTENT_TYPES = {".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as either side has it; empty where it has none."""

    id: str
    title: str
    link: str
    time: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one document compared: agrees, differs, refused (by both), or meant to be refused."""

    name: str
    outcome: str
    detail: str = ""


def theirs(body: bytes, url: str, content_type: str) -> list[Entry] | None:
    """feedparser's entries, the JSON's own for a JSON Feed; None where the document is no feed to it."""
    if body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return _json_entries(body)
    headers = {"content-type": content_type, "content-location": url}
    feed = feedparser.parse(io.BytesIO(body), response_headers=headers)
    if not feed.entries and not feed.get("version"):
        return None
    # with an address feedparser resolves ids like links; an id is a name, and has to outlive a move of its feed
    plain = feedparser.parse(io.BytesIO(body), response_headers={"content-type": content_type})
    return [_their_entry(entry, bare.get("id", "")) for entry, bare in zip(feed.entries, plain.entries, strict=True)]


def _their_entry(entry: feedparser.FeedParserDict, identity: str) -> Entry:
    moment = (
        dict.get(entry, "published_parsed") or dict.get(entry, "created_parsed") or dict.get(entry, "updated_parsed")
    )
    told = time.strftime("%Y-%m-%dT%H:%M:%S", moment) if moment and moment[0] > 1970 else ""
    return Entry(identity, line_of(entry.get("title", "")), entry.get("link", "").strip(), told)


def _json_entries(body: bytes) -> list[Entry] | None:
    try:
        items = json.loads(body)["items"]
    except (ValueError, KeyError, TypeError):
        return None
    found = []
    for entry in items:
        raw = entry.get("date_published") or entry.get("date_modified") or ""
        told = datetime.fromisoformat(raw).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if raw else ""
        link = entry.get("url") or entry.get("external_url") or ""
        found.append(Entry(str(entry.get("id", "")), " ".join(entry.get("title", "").split()), link, told))
    return found


def ours(mention: Mention) -> Entry:
    moment = mention.published_at
    return Entry(
        mention.external_id, mention.title, mention.url, moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
    )


def compare(name: str, mine: Sequence[Entry] | str, other: list[Entry] | None) -> Verdict:
    """*mine* is what was collected, or the reason why it was not."""
    if isinstance(mine, str):
        if other is None:
            return Verdict(name, "refused by both", mine)
        return Verdict(
            name,
            "meant to be refused" if _meant_to_fail(name) else "differs",
            f"refused ({mine}), they read {len(other)}",
        )
    if other is None:
        return Verdict(name, "agrees" if not mine else "differs", f"they refuse it, {len(mine)} collected")
    if len(mine) != len(other):
        return Verdict(name, "differs", f"{len(mine)} entries, they have {len(other)}")
    differences = Counter[str]()
    first: dict[str, str] = {}
    for a, b in zip(mine, other, strict=True):
        for what in ("id", "title", "link", "time"):
            left, right = getattr(a, what), getattr(b, what)
            if left != right and not (what == "id" and not right):
                differences[what] += 1
                first.setdefault(what, f"{left[:80]!r} against {right[:80]!r}")
    if not differences:
        return Verdict(name, "agrees")
    return Verdict(name, "differs", "; ".join(f"{what} x{count}: {first[what]}" for what, count in differences.items()))


def _meant_to_fail(name: str) -> bool:
    return any(part in Path(name).name.lower() for part in _MEANT_TO_FAIL)


async def collected(documents: dict[str, bytes]) -> tuple[dict[str, Sequence[Entry] | str], str]:
    """Every document through the real collector, over loopback; the entries or the reason, and the site's address."""

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kind = _CONTENT_TYPES.get(Path(name).suffix, "application/xml")
        return web.Response(body=documents[name], headers={"Content-Type": kind})

    app = web.Application()
    app.router.add_get("/{name:.+}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    found: dict[str, Sequence[Entry] | str] = {}
    async with Http() as http:
        for name in documents:
            config = FeedConfig(id="f", type="feed", channel="c", url=base + quote(name))
            collector = config.build(http, timezone=ZoneInfo("UTC"), base=Path())
            try:
                found[name] = [ours(mention) for mention in (await collector.collect(None)).mentions]
            except CollectError as error:
                found[name] = f"{error.reason}: {error.detail}"
    await runner.cleanup()
    return found, base


async def unchanged_poll(body: bytes, polls: int = 1000) -> float:
    """CPU milliseconds of an unchanged poll, the loopback server in a process of its own."""
    script = (
        "import asyncio, sys\nbody = sys.stdin.buffer.read()\n"
        "async def serve(reader, writer):\n"
        "    try:\n        while await reader.readuntil(b'\\r\\n\\r\\n'):\n"
        "            writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "    except asyncio.IncompleteReadError:\n        writer.close()\n"
        "async def main():\n    server = await asyncio.start_server(serve, '127.0.0.1', 0)\n"
        "    print(server.sockets[0].getsockname()[1], flush=True)\n    await server.serve_forever()\nasyncio.run(main())"
    )
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdin=pipe, stdout=pipe)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(body)
    server.stdin.close()
    port = int(await server.stdout.readline())
    try:
        async with Http() as http:
            config = FeedConfig(id="f", type="feed", channel="c", url=f"http://127.0.0.1:{port}/")
            collector = config.build(http, timezone=ZoneInfo("UTC"), base=Path())
            cursor = (await collector.collect(None)).cursor
            began = time.process_time()
            for _ in range(polls):
                batch = await collector.collect(cursor)
                assert batch.unchanged
            return (time.process_time() - began) / polls * 1000
    finally:
        server.kill()
        await server.wait()


def timings(documents: dict[str, bytes]) -> Iterator[tuple[str, int, float, float]]:
    """Per document: name, bytes, our parse and feedparser's in milliseconds, the best of three each, interleaved."""
    for name, body in documents.items():
        best = {"ours": 1e9, "theirs": 1e9}
        for _ in range(3):
            began = time.perf_counter()
            try:
                parse(body, content_type="", url="http://h.example/", zone=UTC)
            except (NotAFeedError, UnsafeXmlError):
                break
            best["ours"] = min(best["ours"], time.perf_counter() - began)
            began = time.perf_counter()
            feedparser.parse(io.BytesIO(body))
            best["theirs"] = min(best["theirs"], time.perf_counter() - began)
        else:
            yield name, len(body), best["ours"] * 1000, best["theirs"] * 1000


def generated(folder: Path) -> None:
    """Documents of our own: formats, charsets, zones, broken and hostile ones."""
    body = "".join(f"<p>第{n}段：云杉手机充电时起火，客服称正在核实。</p>" for n in range(12))
    whole = [item(n) + f"<author>d@a.example (李雷{n})</author>" for n in range(50)]
    rich = [
        entry.replace("</description>", body.replace("<", "&lt;") + "</description>")
        for entry in (item(n) for n in range(50))
    ]
    atom = "".join(
        f'<entry><id>tag:a.example,2026:{n}</id><title type="html">云杉 &lt;b&gt;{n}&lt;/b&gt;</title><link href="http://a.example/{n}"/>'
        f"<updated>2026-01-05T{n % 24:02}:00:00+08:00</updated><content type='html'>{body.replace('<', '&lt;')}</content></entry>"
        for n in range(50)
    )
    bare = [item(n, date=f"2026-01-05 {n % 24:02}:30:00") for n in range(50)]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "站", "items": [
        {"id": str(n), "title": f"云杉 {n}", "url": f"http://a.example/{n}", "content_html": body,
         "date_published": "2026-01-05T10:00:00+08:00"} for n in range(50)]}  # fmt: skip
    texts = {
        "rss.xml": rss(*whole), "rss-rich.xml": rss(*rich), "zoneless.xml": rss(*bare), "feed.json": json.dumps(feed),
        "atom.xml": f'<feed xmlns="http://www.w3.org/2005/Atom"><title>站</title>{atom}</feed>',
        "broken.xml": rss(*whole).replace("</channel></rss>", "").replace("云杉", "A & B"),
        "page_fail.html": "<html><body>404</body></html>",
        "bomb_fail.xml": '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + rss(*whole).partition("?>")[2],
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "gbk.xml").write_bytes(rss(*whole).replace("UTF-8", "gb2312").encode("gb18030"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="documents; generated ones where not given")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder
        if folder is None:
            folder = Path(scratch)
            generated(folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
        documents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    began = time.perf_counter()
    found, base = asyncio.run(collected(documents))
    took = time.perf_counter() - began
    verdicts = []
    for name, body in documents.items():
        kind = _CONTENT_TYPES.get(Path(name).suffix, "application/xml")
        verdicts.append(compare(name, found[name], theirs(body, base + quote(name), kind)))
    for verdict in verdicts:
        if verdict.outcome != "agrees":
            print(f"{verdict.outcome}: {verdict.name}: {verdict.detail}")
    count = Counter(verdict.outcome for verdict in verdicts)
    asked = count["agrees"] + count["differs"]
    print(f"\n{len(documents)} documents collected in {took:.1f} s: {dict(count)}")
    print(f"agreement on those not refused by both: {count['agrees']}/{asked} = {count['agrees'] / max(asked, 1):.2%}")
    rows = list(timings(documents))
    mine, other = statistics.median(row[2] for row in rows), statistics.median(row[3] for row in rows)
    total, other_total = sum(row[2] for row in rows), sum(row[3] for row in rows)
    print(f"parse, median of {len(rows)}: ours {mine:.2f} ms, feedparser {other:.2f} ms, {other / mine:.1f} times")
    print(f"parse, all together: ours {total:.0f} ms, feedparser {other_total:.0f} ms, {other_total / total:.1f} times")
    large = [row for row in rows if row[1] > 20_000]
    if large:
        ratio = statistics.median(row[3] / row[2] for row in large)
        print(f"parse, the {len(large)} documents over 20 kB: median {ratio:.1f} times as fast as feedparser")
    polled = max(documents.values(), key=lambda body: len(body) if 20_000 < len(body) < 100_000 else 0)
    print(
        f"unchanged poll of {len(polled)} bytes without validators: {asyncio.run(unchanged_poll(polled)):.2f} ms of CPU"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
