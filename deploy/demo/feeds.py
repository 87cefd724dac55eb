"""Four sites on one loopback server, each with the feed that a site of its kind has, and a page for every post."""

import hashlib
import html
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from aiohttp import web
from lxml import etree
from lxml.builder import E, ElementMaker

from deploy.demo.posts import SITES, Post, ongoing

NAMES = {"microblog": "随声", "forum": "数码茶馆", "news": "江岚快讯", "complaints": "有话直说"}
PATHS = {
    "microblog": "/microblog/feed.json",
    "forum": "/forum/atom.xml",
    "news": "/news/rss.xml",
    "complaints": "/complaints/rss.xml",
}
PLAYBOOKS = Path(__file__).parents[1] / "examples" / "playbooks"
_LENGTH = 120  # items in a feed
_ATOM = "http://www.w3.org/2005/Atom"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"


@dataclass(slots=True)
class Timeline:
    """All posts with their numbers, the future ones too; ``visible`` is what a site shows at a moment."""

    posts: list[Post]
    more: Iterator[Post]
    _next: Post | None = field(default=None, init=False)

    def add(self, posts: Sequence[Post]) -> None:
        self.posts.extend(posts)

    def visible(self, site: str, now: datetime) -> list[tuple[int, Post]]:
        """The newest posts of *site* that are out at *now*, newest first; a post keeps its number for good."""
        self._draw(now)
        out = [(number, post) for number, post in enumerate(self.posts) if post.site == site and post.at <= now]
        return sorted(out, key=lambda pair: pair[1].at, reverse=True)[:_LENGTH]

    def post(self, number: int, now: datetime) -> Post | None:
        """The post of that number, where there is one and it is out at *now*."""
        self._draw(now)
        found = self.posts[number] if number < len(self.posts) else None
        return found if found and found.at <= now else None

    def _draw(self, now: datetime) -> None:
        while (upcoming := self._next or next(self.more)).at <= now:
            self.posts.append(upcoming)
            self._next = None
        self._next = upcoming


def application(timeline: Timeline, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> web.Application:
    """The sites. Feeds answer conditional requests as real servers do: an ETag, and 304 while nothing is new."""
    app = web.Application()
    for site in SITES:
        app.router.add_get(PATHS[site], _feed_handler(site, timeline, clock))

    async def page(request: web.Request) -> web.Response:
        site, number = request.match_info["site"], int(request.match_info["number"])
        post = timeline.post(number, clock())
        if post is None or post.site != site:
            raise web.HTTPNotFound
        return web.Response(text=_page(post), content_type="text/html")

    async def playbook(request: web.Request) -> web.Response:
        found = PLAYBOOKS / f"{request.match_info['name']}.md"
        if not found.is_file():
            raise web.HTTPNotFound
        return web.Response(text=found.read_text(encoding="utf-8"), content_type="text/plain", charset="utf-8")

    app.router.add_get(r"/{site}/{number:\d+}", page)
    app.router.add_get(r"/playbooks/{name:[a-z-]+}", playbook)
    return app


def _feed_handler(
    site: str, timeline: Timeline, clock: Callable[[], datetime]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    render, content_type = _RENDER[site]

    async def feed(request: web.Request) -> web.Response:
        posts = timeline.visible(site, clock())
        body = render(site, posts, f"{request.scheme}://{request.host}")
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers | {"Content-Type": content_type})

    return feed


def _json_feed(site: str, posts: Sequence[tuple[int, Post]], base: str) -> bytes:
    items = [
        {
            "id": f"{site}-{number}",
            "url": f"{base}/{site}/{number}",
            "content_text": post.text,
            "date_published": post.at.isoformat(timespec="seconds"),
            "authors": [{"name": post.author}],
        }
        for number, post in posts
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": NAMES[site], "language": "zh-CN", "items": items}
    return json.dumps(feed, ensure_ascii=False).encode()


def _atom(site: str, posts: Sequence[tuple[int, Post]], base: str) -> bytes:
    atom = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})
    newest = posts[0][1].at if posts else datetime.fromtimestamp(0, UTC)
    feed = atom.feed(atom.title(NAMES[site]), atom.id(f"{base}/{site}"), atom.updated(newest.isoformat("T", "seconds")))
    for number, post in posts:
        moment = post.at.isoformat("T", "seconds")
        feed.append(
            atom.entry(
                atom.title(post.title),
                atom.id(f"tag:forum.example,2026:{number}"),
                atom.link(href=f"/{site}/{number}", rel="alternate"),
                atom.author(atom.name(post.author)),
                atom.published(moment),
                atom.updated(moment),
                atom.content(f"<p>{html.escape(post.text)}</p>", type="html"),
            )
        )
    feed.set("{http://www.w3.org/XML/1998/namespace}base", base)
    return _xml(feed, "utf-8")


def _rss(site: str, posts: Sequence[tuple[int, Post]], base: str, encoding: str = "utf-8") -> bytes:
    channel = E.channel(E.title(NAMES[site]), E.link(f"{base}/{site}"), E.description(NAMES[site]))
    for number, post in posts:
        channel.append(
            E.item(
                E.title(post.title),
                E.link(f"{base}/{site}/{number}"),
                E.guid(f"{site}-{number}", isPermaLink="false"),
                E.pubDate(format_datetime(post.at)),
                E(_CREATOR, post.author),
                E.description(etree.CDATA(f"<p>{html.escape(post.text)}</p>")),
            )
        )
    return _xml(E.rss(channel, version="2.0"), encoding)


def _old_rss(site: str, posts: Sequence[tuple[int, Post]], base: str) -> bytes:
    """As older Chinese sites still serve it."""
    return _rss(site, posts, base, "GB18030")


def _xml(root: etree._Element, encoding: str) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding=encoding))


def _page(post: Post) -> str:
    name, author = html.escape(NAMES[post.site]), html.escape(post.author)
    title, text = html.escape(post.title or post.text[:20]), html.escape(post.text)
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title} - {name}</title>'
        f'<meta name="viewport" content="width=device-width"><body><h1>{title}</h1>'
        f"<p>{author} · {name} · {post.at.isoformat(timespec='seconds')}</p><p>{text}</p></body></html>"
    )


_RENDER: dict[str, tuple[Callable[[str, Sequence[tuple[int, Post]], str], bytes], str]] = {
    "microblog": (_json_feed, "application/feed+json"),
    "forum": (_atom, "application/atom+xml"),
    "news": (_rss, "application/rss+xml; charset=utf-8"),
    "complaints": (_old_rss, "application/rss+xml; charset=GB18030"),
}


def sites(posts: Sequence[Post], now: datetime) -> Timeline:
    """The sites as they stand at *now*, with ordinary talk going on."""
    return Timeline(list(posts), ongoing(now))
