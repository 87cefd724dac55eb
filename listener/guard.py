"""Which addresses an outgoing request may reach, judged on the address that is dialled."""

import errno
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Place = tuple[str, int]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound
_NAMES_OF_HERE = ("localhost", "localhost.localdomain", "ip6-localhost")


class BlockedAddressError(OSError):
    """A request would reach an address that is not public and that nobody configured."""

    def __init__(self, host: str) -> None:
        super().__init__(errno.EACCES, f"{host} is not a public address")
        self.host = host

    def __str__(self) -> str:
        return f"{self.host} is not a public address"


def parse_address(host: str) -> Address | None:
    """The IP address that *host* writes, in any form that a resolver takes (127.1, 0x7f.1, fe80::1%eth0), else None."""
    text = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text)) if text[:1].isdigit() else None
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether *address* is reachable for everybody; addresses that wrap an IPv4 one are judged by that one too."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


@dataclass(slots=True)
class Guard:
    """One policy: public addresses, and the places that an operator wrote down.

    ``places``: (host, port) that may be private. ``private``: everything may be (``allow_private: true``).
    """

    places: frozenset[Place] = frozenset()
    private: bool = False
    _let_through: set[Place] = field(default_factory=set)

    def check_host(self, host: str, port: int) -> None:
        """Refuse a host that is an address, or a name of this machine; raises BlockedAddressError."""
        address = parse_address(host)
        named_here = host.rstrip(".").lower() in _NAMES_OF_HERE
        if (address is not None and not is_public(address)) or named_here:
            self._check(host, port, host)

    def check_resolved(self, host: str, port: int, address: str) -> None:
        """Refuse an address that *host* resolved to; raises BlockedAddressError."""
        parsed = parse_address(address)
        if parsed is None or not is_public(parsed):
            self._check(host, port, address)
            self._let_through.add((address, port))

    def open_socket(self, info: "aiohttp.AddrInfoType") -> socket.socket:
        """The last line: the socket of a dial, made only for an address that may be reached."""
        family, kind, protocol, _, (address, port, *_rest) = info
        parsed = parse_address(str(address))
        if parsed is None or not is_public(parsed):
            place = (str(address), int(port))
            if place not in self._let_through:
                self._check(place[0], place[1], place[0])
        return socket.socket(family, kind, protocol)

    def _check(self, host: str, port: int, shown: str) -> None:
        if self.private:
            return
        if (host.strip("[]").rstrip(".").lower(), port) not in self.places:
            raise BlockedAddressError(shown)

    def connector(self, *, limit: int = 100) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=limit, resolver=_GuardedResolver(self), socket_factory=self.open_socket, use_dns_cache=False
        )


class _GuardedResolver(AbstractResolver):
    """The system's resolver, its answers filtered: what may not be reached is not even tried."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._system.resolve(host, port, family)
        allowed, refused = [], None
        for answer in answers:
            try:
                self._guard.check_resolved(host, port, answer["host"])
            except BlockedAddressError as error:
                refused = error
            else:
                allowed.append(answer)
        if not allowed and refused is not None:
            raise refused
        return allowed

    async def close(self) -> None:
        await self._system.close()


def place_of(url: str) -> Place | None:
    """Host and port of *url*, None where it has none."""
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError:
        return None
    return (host.rstrip(".").lower(), port) if host and port else None


def own_places(urls: Iterable[str]) -> frozenset[Place]:
    """The places in *urls* that are written as a private address or as this machine: their operator meant them."""
    places = set()
    for url in urls:
        place = place_of(url)
        if place is None:
            continue
        address = parse_address(place[0])
        if (address is not None and str(address) not in _NEVER) or place[0] in _NAMES_OF_HERE:
            places.add(place)
    return frozenset(places)


def guarded_session(
    urls: Iterable[str] = (), *, allow_private: bool = False, proxies: Iterable[str] = (), user_agent: str = ""
) -> aiohttp.ClientSession:
    """A client session that reaches public addresses and those *urls* that are themselves private addresses.

    *proxies* may be anywhere, by address or by name: the operator wrote them. It keeps no cookies and reads no
    environment. Redirects are the caller's to refuse (``allow_redirects=False``); one that aiohttp follows is
    guarded too.
    """
    named = {place for proxy in proxies if (place := place_of(proxy)) is not None}
    guard = Guard(places=own_places(urls) | named, private=allow_private)
    return aiohttp.ClientSession(
        connector=guard.connector(),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
        trust_env=False,
        headers={"User-Agent": user_agent} if user_agent else None,
    )
