"""The section ``tokens`` of the configuration: names that programs act under, until there are accounts."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

from listener.web.config import Strict

Scope = Literal[
    "read",  # lists and the audit log
    "incidents",  # acts on incidents
    "silences",  # making and ending them
]
SHORTEST: Final = 20
# What RFC 6750 lets stand behind "Bearer".
_SENDABLE = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def _name(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError("may hold letters, digits and . _ - alone, such as pr-bot")
    return name


def _sendable(token: SecretStr) -> SecretStr:
    value = token.get_secret_value()
    if len(value) < SHORTEST:
        raise ValueError(f"must have at least {SHORTEST} characters, such as 'openssl rand -hex 32' prints")
    if not _SENDABLE.fullmatch(value):
        raise ValueError("may hold letters, digits and . _ ~ + / - (= at its end) alone: nothing else can be sent")
    return token


class TokenConfig(Strict):
    """Whoever sends it acts under its name."""

    name: Annotated[str, AfterValidator(_name)] = Field(
        min_length=1, max_length=50, description="What the audit log calls it: letters of any language, digits, . _ -"
    )
    token: Annotated[SecretStr, AfterValidator(_sendable)] = Field(
        description="The secret, 20 characters or more; !env NAME or !file PATH."
    )
    scopes: list[Scope] = Field(
        min_length=1,
        description="What it may: `read` (lists, the audit log), `incidents` (acts on incidents), `silences`.",
    )


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was shown, without its secret."""

    name: str
    scopes: frozenset[Scope]


class Tokens:
    """Those that are configured; a reload makes others."""

    def __init__(self, configured: Iterable[TokenConfig] = ()) -> None:
        self._known = [
            (_digest(one.token.get_secret_value()), Token(one.name, frozenset(one.scopes))) for one in configured
        ]

    def find(self, shown: str) -> Token | None:
        """The token that *shown* is. The time that it takes tells nothing of how near it was, or to which."""
        digest, found = _digest(shown), None
        for known, token in self._known:
            if hmac.compare_digest(digest, known):
                found = token
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
