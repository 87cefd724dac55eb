"""What the channels' configuration models share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from alerts.pace import Rate
from alerts.render.template import WORDS, TemplateMistakeError, check
from alerts.texts import Texts

Clock = Callable[[], datetime]  # aware UTC


Idempotent = Literal["never", "edits", "always"]
"""Whether a message that is sent twice shows once: by a key that the platform knows; ``edits``: where it changes one."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _sound(source: str) -> str:
    try:
        check(source, WORDS)
    except TemplateMistakeError as error:
        raise ValueError(str(error)) from None
    return source


Template = Annotated[str, Field(min_length=1), AfterValidator(_sound)]


class TextsConfig(Strict):
    """Texts of your own for messages, as templates in the receiver's language."""

    headline: Template | None = Field(None, description="in place of the headline, one line")
    body: Template | None = Field(None, description="in place of the reason and the facts, at most 20 lines")

    def over(self, other: "TextsConfig | None") -> Texts:
        """These, and the other's where there is none."""
        headline = self.headline if self.headline is not None or other is None else other.headline
        return Texts(headline, self.body if self.body is not None or other is None else other.body)


class Told(Strict):
    """A channel whose messages people read."""

    templates: TextsConfig | None = Field(None, description="texts of its own before those of the receiver")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may hold, and how many may go. ``body``: bytes as sent; ``text``: characters of text over all.

    ``rates``: all must hold; none: no limit is known. ``digest``: the most alerts that one message can name where many
    wait; 0: they are never put together. ``crowded``: what is not red keeps off the full and the half hour.
    """

    body: int
    text: int | None = None
    rates: tuple[Rate, ...] = ()
    digest: int = 0
    crowded: bool = False


def utc_now() -> datetime:
    return datetime.now(UTC)


def _longer_than_nothing(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _http_url(value: SecretStr) -> SecretStr:
    """The address itself is never told: it may hold a token."""
    raw = value.get_secret_value()
    if any(ord(character) <= ord(" ") for character in raw):
        raise ValueError("must be an address without spaces or line breaks")
    try:
        parts = urlsplit(raw)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an http or https address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be an http or https address")
    return value


def _open_url(value: str) -> str:
    """An address that may be shown: no login, and no key in a query."""
    _http_url(SecretStr(value))
    parts = urlsplit(value)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address without a login, a query or a fragment")
    return value


_OURS = frozenset({"content-type", "content-length", "host", "accept-encoding", "transfer-encoding", "connection"})


def _header_names(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not name or not all(character.isalnum() or character in "!#$%&'*+-.^_`|~" for character in name):
            raise ValueError(f"{name!r} is no name of a header")
        if not name.isascii() or name.lower() in _OURS or name.lower().startswith("x-listener-"):
            raise ValueError(f"the header {name!r} cannot be set here")
        secret = value.get_secret_value()
        if not secret.isascii() or not all(character.isprintable() or character == "\t" for character in secret):
            raise ValueError(f"the header {name!r} holds a character that no header may")
    return headers


Timeout = Annotated[timedelta, pydantic.Strict(), AfterValidator(_longer_than_nothing)]
SecretUrl = Annotated[SecretStr, AfterValidator(_http_url)]
Url = Annotated[str, AfterValidator(_open_url)]
Headers = Annotated[dict[str, SecretStr], AfterValidator(_header_names)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
