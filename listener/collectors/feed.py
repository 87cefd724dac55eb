"""RSS, RDF, Atom and JSON Feed over HTTP."""

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from listener.collector import Batch, CollectError
from listener.collectors.config import SourceConfig
from listener.collectors.document import UnsafeXmlError
from listener.collectors.items import Document, Item, NotAFeedError, identified
from listener.collectors.parse import parse
from listener.http import Answer, Http, HttpError, Request, shown
from listener.interchange import LONGEST_TEXT, clean
from rules.mention import Author, Mention

# what an address that was moved to may answer before the configured one is tried again
_LOST = ("not_found", "gone", "dns", "connect", "blocked_address", "redirect_loop", "tls")


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    return url


class FeedConfig(SourceConfig):
    """A feed that is polled over HTTP."""

    type: Literal["feed"]
    url: Annotated[str, AfterValidator(_web), Field(description="Address of the feed.")]
    site: Annotated[str, Field(description="Name of the site; the feed's own title where not given.")] = ""
    lang: Annotated[str, Field(description="Language of the items; what the feed says where not given.")] = ""

    def build(self, http: Http, *, timezone: ZoneInfo, base: Path) -> "Feed":  # noqa: ARG002 - the protocol's
        return Feed(self, http, ZoneInfo(self.timezone) if self.timezone else timezone)


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the cursor holds: of which address, and what was last seen there."""

    configured: str
    url: str
    etag: str = ""
    modified: str = ""
    digest: str = ""
    shared: bool = False

    @classmethod
    def read(cls, cursor: str | None, url: str) -> "_Memory":
        """The cursor's memory; a fresh one where there is none, it cannot be read, or the address was changed."""
        fresh = cls(url, url)
        try:
            kept = cls(**json.loads(cursor)) if cursor else fresh
        except (ValueError, TypeError):
            return fresh
        strings = (kept.url, kept.etag, kept.modified, kept.digest)
        sound = kept.configured == url and all(isinstance(value, str) for value in strings)
        return kept if sound else replace(fresh, shared=kept.shared is True)

    def written(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @property
    def conditions(self) -> dict[str, str]:
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in pairs.items() if value}


class Feed:
    """Collects one feed. Every poll hands over all that the document holds: the store removes repeats."""

    def __init__(self, config: FeedConfig, http: Http, zone: tzinfo) -> None:
        self._config = config
        self._http = http
        self._zone = zone

    async def collect(self, cursor: str | None, /) -> Batch:
        memory = _Memory.read(cursor, self._config.url)
        memory, answer = await self._asked(memory)
        if answer.status == 304:
            return Batch((), memory.written(), unchanged=True)
        notes: tuple[str, ...] = ()
        if answer.moved and answer.moved != memory.url:
            memory = replace(memory, url=answer.moved)
            notes = (f"moved for good to {shown(answer.moved)}, which is asked from now on",)
        headers = answer.headers
        memory = replace(memory, etag=_kept(headers.get("ETag")), modified=_kept(headers.get("Last-Modified")))
        digest = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
        if digest == memory.digest:
            return Batch((), memory.written(), unchanged=True, notes=notes)
        document, items, shared = await asyncio.to_thread(self._read, answer, memory.shared)
        memory = replace(memory, digest=digest, shared=shared)
        problems = [f"{shown(answer.url)}: {problem}" for problem in document.problems]
        mentions = []
        for item in items:
            if len(item.text) > LONGEST_TEXT:
                problems.append(f"{item.id}: text: longer than {LONGEST_TEXT:,} characters, the rest was cut")
            mentions.append(self._mention(item, document))
        return Batch(tuple(mentions), memory.written(), problems=tuple(problems), notes=notes)

    async def _asked(self, memory: _Memory) -> tuple[_Memory, Answer]:
        try:
            return memory, await self._get(memory)
        except HttpError as error:
            if memory.url == memory.configured or error.reason not in _LOST:
                raise self._failed(error) from error
        # what once said that it had moved may have moved back, or the move was never meant
        fresh = _Memory(memory.configured, memory.configured, digest=memory.digest, shared=memory.shared)
        try:
            return fresh, await self._get(fresh)
        except HttpError as error:
            raise self._failed(error) from error

    async def _get(self, memory: _Memory) -> Answer:
        proxy = self._config.proxy.get_secret_value() if self._config.proxy else None
        return await self._http.get(
            Request(
                memory.url,
                origin=memory.configured,
                headers=memory.conditions,
                proxy=proxy,
                allow_private=self._config.allow_private,
            )
        )

    def _failed(self, error: HttpError) -> CollectError:
        return CollectError(self._config.id, error.reason, error.detail, retry_after=error.retry_after)

    def _read(self, answer: Answer, shared: bool) -> tuple[Document, tuple[Item, ...], bool]:  # noqa: FBT001
        """In a worker thread: this is where the time goes."""
        kind = answer.headers.get("Content-Type", "")
        try:
            document = parse(answer.body, content_type=kind, url=answer.url, zone=self._zone)
        except NotAFeedError as error:
            raise CollectError(self._config.id, "not_a_feed", str(error)) from error
        except UnsafeXmlError as error:
            raise CollectError(self._config.id, "unsafe_xml", str(error)) from error
        items, shared = identified(document, shared=shared)
        return document, items, shared

    def _mention(self, item: Item, document: Document) -> Mention:
        text = item.text[:LONGEST_TEXT]
        if not text and not item.title:
            # kept, so that it is seen, counted and exported: a link alone can be a post
            text = item.link or item.id
        return Mention(
            source=self._config.id,
            channel=self._config.channel,
            external_id=clean(item.id),
            text=text,
            title=item.title,
            url=clean(item.link),
            author=Author(clean(item.author_id) or item.author, item.author) if item.author else None,
            published_at=item.published,
            updated_at=item.updated if item.updated != item.published else None,
            site=self._config.site or document.title or urlsplit(self._config.url).hostname or "",
            lang=self._config.lang or item.lang,
        )


def _kept(header: str | None) -> str:
    """A validator to send back; one of absurd length is not worth a cursor."""
    return header if header and len(header) <= 1024 else ""
