"""HTTP GET for collectors: guarded, capped, timed, redirects followed by us, every failure with its reason."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Literal, Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from listener.body import BodyError, decode_body, retry_after
from listener.guard import BlockedAddressError, Guard, own_places, place_of

HttpReason = Literal[
    "bad_url", "dns", "connect", "tls", "proxy", "timeout", "cut_short", "bad_response", "too_large", "bad_encoding",
    "blocked_address", "redirect_loop", "bad_redirect", "not_found", "gone", "unauthorised", "forbidden",
    "rate_limited", "client_error", "server_error",
]  # fmt: skip
USER_AGENT = "Listener/0.1"
_BY_STATUS: Mapping[int, HttpReason] = {
    401: "unauthorised", 403: "forbidden", 404: "not_found", 407: "proxy", 410: "gone", 429: "rate_limited",
}  # fmt: skip
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = "application/atom+xml,application/rss+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.5"
_IN_LOOP = 64 * 1024


class HttpError(Exception):
    """A request failed. ``retry_after``: the server's wish; the message holds no password and no query."""

    def __init__(
        self, reason: HttpReason, detail: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: HttpReason = reason
        self.detail = detail
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200 with its decompressed body, or a 304 with none. ``moved``: where 301 and 308 say it lives from now on."""

    status: int
    url: str
    moved: str
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What to get. ``origin``: the address as configured, whose own host may be private; the url itself where empty."""

    url: str
    origin: str = ""
    headers: Mapping[str, str] | None = None
    proxy: str | None = None
    allow_private: bool = False


class Http:
    """A client per policy, so that no pooled connection is used by a source that could not have opened it."""

    def __init__(
        self,
        *,
        user_agent: str = USER_AGENT,
        deadline: timedelta = timedelta(seconds=30),
        cap: int = 15 * 2**20,
        redirects: int = 5,
    ) -> None:
        self._user_agent = user_agent
        self._deadline = deadline
        self._cap = cap
        self._redirects = redirects
        self._clients: dict[object, tuple[Guard, aiohttp.ClientSession]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        clients = list(self._clients.values())
        self._clients.clear()
        for _, session in clients:
            await session.close()

    async def get(self, request: Request) -> Answer:
        """Get within the deadline, following redirects; raises HttpError for all but 200 and 304."""
        guard, session = self._client(request)
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await self._follow(request, guard, session)
        except TimeoutError as error:
            raise HttpError("timeout", f"not done within {self._deadline.total_seconds():g} s") from error

    def _client(self, request: Request) -> tuple[Guard, aiohttp.ClientSession]:
        places = own_places([request.origin or request.url])
        if request.proxy and (proxy := place_of(request.proxy)) is not None:
            places |= {proxy}
        key = (places, request.allow_private)
        if key not in self._clients:
            guard = Guard(places=places, private=request.allow_private)
            session = aiohttp.ClientSession(
                connector=guard.connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._deadline.total_seconds()),
                headers={"User-Agent": self._user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"},
            )
            self._clients[key] = (guard, session)
        return self._clients[key]

    async def _follow(self, request: Request, guard: Guard, session: aiohttp.ClientSession) -> Answer:
        url, moved, permanent = _checked(request.url), "", True
        seen = {url}
        while True:
            outcome = await self._hop(url, request, guard, session)
            if isinstance(outcome, _Redirect):
                if outcome.url in seen or len(seen) > self._redirects:
                    raise HttpError("redirect_loop", f"redirected in a circle or more than {self._redirects} times")
                # a move that gives up encryption is followed, but not remembered
                permanent = (
                    permanent and outcome.permanent and not (url.scheme == "https" and outcome.url.scheme == "http")
                )
                moved = str(outcome.url) if permanent else moved
                url = outcome.url
                seen.add(url)
                continue
            status, headers, wire = outcome
            return Answer(status, str(url), moved, headers, await self._decoded(wire, headers))

    async def _hop(
        self, url: URL, request: Request, guard: Guard, session: aiohttp.ClientSession
    ) -> "_Redirect | tuple[int, CIMultiDictProxy[str], bytes]":
        try:
            guard.check_host(url.host or "", url.port or 0)
            async with session.get(
                url, headers=request.headers, proxy=request.proxy, allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS:
                    return _Redirect.of(url, response)
                _refuse(response, url)
                body = b"" if response.status == 304 else await self._read(response)
                return response.status, response.headers, body
        except BlockedAddressError as error:
            raise HttpError("blocked_address", str(error)) from error
        except aiohttp.ClientError as error:
            raise _explained(error, url) from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise HttpError("connect", f"{shown(url)}: {error.strerror or type(error).__name__}") from error
        except ValueError as error:  # yarl and http headers that cannot be sent
            raise HttpError("bad_url", f"{shown(url)} cannot be asked for") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length > self._cap:
            raise HttpError("too_large", f"announces {length} bytes, the cap is {self._cap}")
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self._cap:
                raise HttpError("too_large", f"more than {self._cap} bytes")
        return b"".join(parts)

    async def _decoded(self, wire: bytes, headers: CIMultiDictProxy[str]) -> bytes:
        encoding = ",".join(headers.getall("Content-Encoding", []))
        try:
            if len(wire) <= _IN_LOOP and not encoding:
                return decode_body(wire, encoding, self._cap)
            return await asyncio.to_thread(decode_body, wire, encoding, self._cap)
        except BodyError as error:
            raise HttpError("too_large" if error.reason == "too_large" else "bad_encoding", error.detail) from error


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: URL
    permanent: bool

    @classmethod
    def of(cls, url: URL, response: aiohttp.ClientResponse) -> Self:
        location = response.headers.get("Location", "")
        try:
            target = url.join(URL(location)) if location else None
        except ValueError as error:
            raise HttpError("bad_redirect", "redirects to an address that is none") from error
        if target is None or target.scheme not in ("http", "https") or not target.host:
            raise HttpError("bad_redirect", "redirects without saying where, or to something that is not http")
        return cls(target.with_fragment(None), permanent=response.status in (301, 308))


def _checked(url: str) -> URL:
    try:
        parsed = URL(url).with_fragment(None)
        host, port = parsed.host, parsed.port
    except ValueError as error:
        raise HttpError("bad_url", "the address cannot be read") from error
    if parsed.scheme not in ("http", "https") or not host or not port:
        raise HttpError("bad_url", "the address is not http or https")
    return parsed


def shown(url: URL | str) -> str:
    """An address as it may be shown: without user, password and query, which may hold keys."""
    try:
        parsed = URL(url) if isinstance(url, str) else url
        return str(parsed.with_user(None).with_query(None).with_fragment(None))
    except ValueError:
        return "(an address that cannot be read)"


def _refuse(response: aiohttp.ClientResponse, url: URL) -> None:
    status = response.status
    if status == 304 and any(name in response.request_info.headers for name in ("If-None-Match", "If-Modified-Since")):
        return
    if status == 200:
        return
    fallback: HttpReason = "server_error" if status >= 500 else "client_error" if status >= 400 else "bad_response"
    wait = retry_after(response.headers) if status in (429, 503) else None
    raise HttpError(
        _BY_STATUS.get(status, fallback), f"{shown(url)} answered {status}", status=status, retry_after=wait
    )


def _explained(error: aiohttp.ClientError, url: URL) -> HttpError:  # noqa: PLR0911 - a table of types
    """The reason of what aiohttp raised; its own text is not used where a proxy's address could be in it."""
    place = shown(url.origin())
    cause = getattr(error, "os_error", None) or error.__cause__
    if isinstance(cause, BlockedAddressError):
        return HttpError("blocked_address", str(cause))
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return HttpError("proxy", f"{place}: the proxy could not be used")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return HttpError("dns", f"{place}: the host has no address")
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(cause, ssl.SSLError):
        why = getattr(error, "certificate_error", None) or cause
        told = getattr(why, "verify_message", None) or getattr(why, "reason", None) or "TLS failed"
        return HttpError("tls", f"{place}: {told}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return HttpError("cut_short", f"{place}: the body ended early or was framed wrongly")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return HttpError("cut_short", f"{place}: closed without an answer")
    if isinstance(error, aiohttp.ClientOSError):
        return HttpError("connect", f"{place}: {getattr(cause, 'strerror', None) or error.strerror or 'no connection'}")
    if isinstance(error, aiohttp.InvalidURL):
        return HttpError("bad_url", f"{place} cannot be asked for")
    return HttpError("bad_response", f"{place}: the answer is not HTTP that can be read ({type(error).__name__})")
