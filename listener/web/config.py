"""The section ``web`` of the configuration, and what the pages are built with."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def split_address(listen: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``; the host comes without brackets. ValueError says why not."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host:
        raise ValueError("must be host:port, such as 127.0.0.1:8420 or [::1]:8420")
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError("the port must be a number from 0 (any free port) to 65535")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ipaddress.AddressValueError as error:
            raise ValueError("what stands in brackets must be an IPv6 address, such as [::1]:8420") from error
    if ":" in host:
        raise ValueError("an IPv6 address goes in brackets, such as [::1]:8420")
    if not HOST_NAME.fullmatch(host):
        raise ValueError("the host must be a name or an address, such as 127.0.0.1 or localhost")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether *host* (no brackets) is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _listen(value: str) -> str:
    split_address(value)
    return value


def _public_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("must be a web address such as https://listener.example.com") from error
    if parts.scheme not in {"http", "https"} or not host or any(character.isspace() for character in value):
        raise ValueError("must be a web address such as https://listener.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no login, no ? and no #, such as https://listener.example.com")
    return value.rstrip("/")


class WebConfig(Strict):
    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="127.0.0.1:8420",
        description="Where the pages are served, host:port; port 0 takes any free one.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="The address people reach the pages by; links in messages start with it.",
    )
    language: Language = Field(
        default="zh",
        description="The language of the pages for a browser that asks for neither Chinese nor English.",
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host (no brackets) and port to bind."""
        return split_address(self.listen)

    def settings(self, timezone: ZoneInfo, port: int) -> "WebSettings":
        """What the pages are built with, once *port* is bound; without a public URL, the address that was bound."""
        host, _ = self.address
        named = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
        return WebSettings(
            public_url=self.public_url or f"http://{named}:{port}",
            language=self.language,
            timezone=timezone,
            loopback=is_loopback(host),
        )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the pages are built with. ``public_url`` has no trailing slash, and is known once the socket is bound.

    ``loopback``: bound to this machine alone, so that a request for another host's name is DNS
    rebinding and is refused.
    """

    public_url: str
    language: Language
    timezone: ZoneInfo
    loopback: bool = True
