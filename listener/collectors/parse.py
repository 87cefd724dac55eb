"""A body to a Document: fastfeedparser first, feedparser where the fast one refuses or is known to lose something.

Both see the same prepared text (charset found, entities and DOCTYPE gone), and what they say is brought to one form
here, so that an item keeps its id whichever of them read it.
"""

import io
import re
from datetime import tzinfo
from typing import Any
from xml.sax import SAXException

import fastfeedparser
import feedparser

from listener.collectors.charset import decode
from listener.collectors.dates import has_zone, read_iso, read_time
from listener.collectors.document import prepared
from listener.collectors.html import line_of, text_of
from listener.collectors.items import Document, Item, NotAFeedError, absolute, json_feed

_LONGEST_LENIENT = 4 * 2**20  # feedparser reads about 0.3 MB a second at worst, and a thread cannot be stopped
_LONGEST_NAME = 500
_FEED = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf|channel|item|entry)[\s>/]", re.IGNORECASE)
_ROOT = re.compile(r"(?:\s|<\?[^>]*>|<!--.*?-->)*+<(?:\w+:)?(?:rss|feed|rdf)[\s>/]", re.IGNORECASE | re.DOTALL)
_SKIPPED = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_DATE = re.compile(
    r"<(?:\w+:)?(?:pubDate|date|published|updated|issued|modified|created)(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[)?([^<\]]*)",
    re.IGNORECASE,
)
_HAS_ID = re.compile(r"<(?:\w+:)?(?:guid|id|identifier)[\s>]|<(?:\w+:)?item\s[^<>]*about=", re.IGNORECASE)
_LANGUAGE = re.compile(r"<(?:\w+:)?language>\s*([A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*)\s*</", re.IGNORECASE)
_MARKED_UP = re.compile(r"<(?:\w+:)?(?:title|description|summary|encoded)(?:\s[^<>]*)?>[^<]*<(?!/|!)", re.IGNORECASE)
_BASE64 = re.compile(
    r"mode\s*=\s*[\"']base64|<(?:\w+:)?title\s[^<>]*type\s*=\s*[\"'](?:application|image|audio)/octet-stream",
    re.IGNORECASE,
)
_MAILBOX = re.compile(
    r"\s*(?:mailto:)?[^\s()<>@]+@[^\s()<>]+\s*(?:\((.*)\))?\s*|([^<(]*?)\s*[<(][^\s()<>@]+@[^\s()<>]+[>)]\s*", re.DOTALL
)
_PARSER_FAILURES = (
    ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError, ArithmeticError, SAXException,
)  # fmt: skip


def parse(body: bytes, *, content_type: str, url: str, zone: tzinfo) -> Document:
    """The document in *body*, fetched from *url*; times without a zone are taken in *zone*. CPU-bound.

    Raises NotAFeedError, UnsafeXmlError.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "["):
        return json_feed(text, url, zone)
    if not _FEED.search(text):
        raise NotAFeedError(
            "an HTML page" if "<html" in text[:4096].lower() else "neither RSS, RDF, Atom nor JSON Feed"
        )
    text = prepared(text)
    document = None if _needs_leniency(text) else _fast(text, url)
    return document or _lenient(text, url, zone)


def _needs_leniency(text: str) -> bool:
    """Whether *text* has what the fast parser is known to lose: zones, markup that was not escaped, base64."""
    if _MARKED_UP.search(text) or _BASE64.search(text):
        return True
    return any(raw and not has_zone(raw) for raw in (match[1].strip() for match in _DATE.finditer(text)))


def _fast(text: str, url: str) -> Document | None:
    """What fastfeedparser makes of it; None where feedparser should be asked."""
    try:
        # bytes, never a string: one that starts with http would be fetched
        feed = fastfeedparser.parse(text.encode("utf-8", "replace"), include_tags=False, include_media=False)
    except _PARSER_FAILURES:
        return None
    entries = feed["entries"]
    based = "xml:base" in text
    if not entries or any(_gap(entry, based=based) for entry in entries):
        return None
    head = feed["feed"]
    home = absolute(head.get("link") or "", url)
    language = head.get("language") or ""
    if not language and (found := _LANGUAGE.search(text)):
        language = found[1]
    items = tuple(_fast_item(entry, (home, url), language) for entry in entries)
    return Document(items, line_of(head.get("title") or ""), home, language, _has_ids(text), "fast")


def _gap(entry: Any, *, based: bool) -> bool:
    """Whether an entry lacks what feedparser may find: a link, or the base that its relative ones stand on."""
    link = entry.get("link") or ""
    if not link:
        return True
    return based and (":" not in link or ":" not in (entry.get("id") or ":"))


def _fast_item(entry: Any, bases: tuple[str, str], language: str) -> Item:
    contents = [part.get("value") or "" for part in entry.get("content") or ()]
    identity = (entry.get("id") or "").strip()
    link = (entry.get("link") or "").strip()
    return Item(
        id=identity or link,
        link=absolute(link, *bases),
        title=line_of(entry.get("title") or ""),
        text=_text([*contents, entry.get("description") or ""]),
        author=_name(entry.get("author") or ""),
        published=read_iso(entry.get("published") or "") or read_iso(entry.get("updated") or ""),
        updated=read_iso(entry.get("updated") or ""),
        lang=language,
    )


def _lenient(text: str, url: str, zone: tzinfo) -> Document:
    """What feedparser makes of it."""
    if len(text) > _LONGEST_LENIENT:
        raise NotAFeedError(f"malformed, and with more than {_LONGEST_LENIENT} characters too long for feedparser")
    try:
        feed = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except _PARSER_FAILURES as error:  # its own faults on hostile input are the feed's failure, not the program's
        raise NotAFeedError(f"the lenient parser gave up ({type(error).__name__})") from error
    if not feed.entries and not feed.version and not _ROOT.match(text):
        raise NotAFeedError("neither RSS, RDF, Atom nor JSON Feed")
    home = absolute(_value(feed.feed, "link"), url)
    language = _value(feed.feed, "language")
    items = tuple(_lenient_item(entry, (home, url), language, zone) for entry in feed.entries)
    return Document(items, line_of(_value(feed.feed, "title")), home, language, _has_ids(text), "lenient")


def _lenient_item(entry: Any, bases: tuple[str, str], language: str, zone: tzinfo) -> Item:
    contents = [_value(part, "value") for part in entry.get("content") or ()]
    identity, link = _value(entry, "id").strip(), _value(entry, "link").strip()
    detail = entry.get("title_detail") or {}
    title = _value(entry, "title")
    published, updated = (_moment(entry, key, zone) for key in ("published", "updated"))
    created = _moment(entry, "created", zone) if published is None else None
    return Item(
        id=identity or link,
        link=absolute(link, *bases),
        title=line_of(title),
        text=_text([*contents, _value(entry, "summary")]),
        author=_name(_value(entry, "author")),
        author_id=_value(entry.get("author_detail") or {}, "href"),
        published=published or created or updated,
        updated=updated,
        lang=_value(detail, "language") or language,
    )


def _moment(entry: Any, key: str, zone: tzinfo) -> Any:
    # dict.get on purpose: feedparser's own lookup maps updated to published where it is missing
    raw = dict.get(entry, key)
    return read_time(raw, dict.get(entry, f"{key}_parsed"), zone) if isinstance(raw, str) and raw.strip() else None


def _value(holder: Any, key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _text(candidates: list[str]) -> str:
    """The fullest of what an item offers."""
    return max((text_of(candidate) for candidate in dict.fromkeys(candidates) if candidate), key=len, default="")


def _name(author: str) -> str:
    """The name in an author field, without the mail address that RSS puts there."""
    author = author[:_LONGEST_NAME]
    if "@" in author and (found := _MAILBOX.fullmatch(author)):
        author = found[1] or found[2] or ""
    return line_of(author)


def _has_ids(text: str) -> bool:
    return _HAS_ID.search(_SKIPPED.sub("", text)) is not None
