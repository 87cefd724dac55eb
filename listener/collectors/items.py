"""The items of a feed, as its document says them; and JSON Feed, which needs no parser but its own."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from listener.collectors.dates import believable, read_time
from listener.collectors.html import line_of, text_of

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|msclkid|yclid|mc_[ce]id|spm|scm|_hsenc|_hsmi|igshid|wt_mc|at_\w+", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Item:
    """One item. ``id`` as the feed says it, else its link as it stands there; link absolute; title and text plain."""

    id: str = ""
    link: str = ""
    title: str = ""
    text: str = ""
    author: str = ""
    author_id: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A feed. ``has_ids``: its items carry ids of their own. ``parser``: who read it (json, fast, lenient)."""

    items: tuple[Item, ...]
    title: str = ""
    link: str = ""
    lang: str = ""
    has_ids: bool = True
    parser: str = ""
    problems: tuple[str, ...] = ()


class NotAFeedError(Exception):
    """The body is no RSS, Atom, RDF or JSON Feed."""


def absolute(link: str, *bases: str) -> str:
    """*link* resolved against the first of *bases* that is absolute; as it is where none is."""
    link = link.strip()
    if not link or _SCHEME.match(link):
        return link
    for base in bases:
        if base and _SCHEME.match(base):
            try:
                return urljoin(base, link)
            except ValueError:
                return link
    return link


def untracked(link: str) -> str:
    """*link* without the parameters that name a campaign and not a page."""
    try:
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return link
    kept = [(name, value) for name, value in pairs if not _TRACKING.fullmatch(name)]
    return link if len(kept) == len(pairs) else urlunsplit(parts._replace(query=urlencode(kept)))


def identified(document: Document, *, shared: bool) -> tuple[tuple[Item, ...], bool]:
    """The items with an id each, and whether ids or links turned out to be shared between different items.

    An item's own id stands. Without one it is its link, less tracking; where different items share an id or link (a
    feed whose items all point at the home page), it is a digest of both and the title. *shared* is what earlier
    polls found: once seen it holds, so that an id does not depend on which neighbours are still in the feed.
    Order never matters.
    """
    named = [replace(item, id=_own_id(item, document.has_ids)) for item in document.items]
    distinct = Counter(name for name, *_ in {(item.id, item.link, _told(item)) for item in named if item.id})
    by_link = Counter(name for name, _ in {(item.id, item.link) for item in named if item.id})
    shared = shared or any(
        (count > 1 and by_link[name] > 1) or (count > 1 and not document.has_ids) for name, count in distinct.items()
    )
    finished = []
    for item in named:
        if not item.id:
            item = replace(item, id=_digest(item.title, _told(item), item.text[:500]))  # noqa: PLW2901
        elif shared:
            item = replace(item, id=_digest(item.id, item.link, _told(item)))  # noqa: PLW2901
        finished.append(item)
    return tuple(finished), shared


def _own_id(item: Item, has_ids: bool) -> str:  # noqa: FBT001
    # without ids of its own the feed's parser has given the link; which one is which cannot be told item by item
    return item.id if has_ids else untracked(item.id)


def _told(item: Item) -> str:
    return item.title or (item.published.isoformat() if item.published else item.text[:200])


def _digest(*parts: str) -> str:
    return "h:" + hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def json_feed(text: str, url: str, zone: tzinfo) -> Document:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org); raises NotAFeedError. An item that is none is told in ``problems``."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeedError("starts like JSON and is not") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise NotAFeedError("JSON, but not a JSON Feed: there is no list of items")
    home, language = _string(feed, "home_page_url"), _string(feed, "language")
    around = _Around(_author(feed), (home, url), language, zone)
    items, problems = [], []
    for number, entry in enumerate(feed["items"], 1):
        if isinstance(entry, dict):
            items.append(_json_item(entry, around))
        else:
            problems.append(f"item {number}: is not an object")
    title = line_of(_string(feed, "title"))
    return Document(tuple(items), title, home, language, parser="json", problems=tuple(problems))


@dataclass(frozen=True, slots=True)
class _Around:
    """What a JSON Feed says for all its items."""

    author: tuple[str, str]
    bases: tuple[str, str]
    language: str
    zone: tzinfo


def _json_item(entry: dict[str, Any], around: _Around) -> Item:
    markup, plain = _string(entry, "content_html"), _string(entry, "content_text")
    text = text_of(markup) or _plain(plain) or _plain(_string(entry, "summary"))
    author, author_id = _author(entry)
    if not author:
        author, author_id = around.author
    raw_id = entry.get("id")
    link = _string(entry, "url") or _string(entry, "external_url")
    identity = str(raw_id) if isinstance(raw_id, int | float) and not isinstance(raw_id, bool) else _string(entry, "id")
    return Item(
        id=identity.strip() or link.strip(),
        link=absolute(link, *around.bases),
        title=" ".join(_plain(_string(entry, "title")).split()),
        text=text,
        author=author,
        author_id=author_id,
        published=_moment(_string(entry, "date_published"), around.zone),
        updated=_moment(_string(entry, "date_modified"), around.zone),
        lang=_string(entry, "language") or around.language,
    )


def _plain(text: str) -> str:
    return text_of(text.replace("&", "&amp;").replace("<", "&lt;")) if text else ""


def _author(holder: dict[str, Any]) -> tuple[str, str]:
    authors = holder.get("authors")
    candidates: Iterable[Any] = authors if isinstance(authors, Sequence) and not isinstance(authors, str) else ()
    for candidate in (*candidates, holder.get("author")):
        if isinstance(candidate, dict) and (name := _string(candidate, "name")):
            return line_of(name), _string(candidate, "url")
    return "", ""


def _string(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _moment(raw: str, zone: tzinfo) -> datetime | None:
    if not raw:
        return None
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return read_time(raw, None, zone)
    return believable((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC))
