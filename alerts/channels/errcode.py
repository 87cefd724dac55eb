"""What 钉钉, 飞书 and 企业微信 share: they refuse with HTTP 200 and a number in the body, and call people by a list."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from alerts.alert import Level
from alerts.channel import DeliveryError, DeliveryReason
from alerts.channels.base import Clock
from alerts.channels.http import Answer, Poster, refusal, retry_after
from alerts.notification import Notification
from alerts.render import Message

Json = dict[str, Any]
Said = TypeVar("Said")

_PASSES = frozenset({"rate_limited", "server", "timeout"})  # what passes by itself; all else needs a person
_MOBILE = re.compile(r"(?:\+\d{1,4}-)?1\d{10}|\+\d{1,4}-\d{5,14}")
_PERSON = re.compile(r"[A-Za-z0-9_.$:+@-]{1,64}")


@dataclass(frozen=True, slots=True)
class Code:
    """What a refusal's number means. ``wait``: how long to be quiet where the answer does not say."""

    reason: DeliveryReason
    wait: timedelta | None = None


class CodeError(DeliveryError):
    """A refusal with the platform's number."""

    def __init__(self, code: int, reason: DeliveryReason, detail: str, wait: timedelta | None) -> None:
        super().__init__(reason, detail, retryable=reason in _PASSES, retry_after=wait)
        self.code = code


@dataclass(frozen=True, slots=True)
class Judge:
    """Tells a platform's yes from its no. ``hints``: words of the message that tell what a number leaves open."""

    platform: str
    codes: Mapping[int, Code]
    poster: Poster
    clock: Clock
    hints: Mapping[tuple[int, str], Code]

    def taken(self, answer: Answer) -> Json:
        """The body of an answer that says 0; raises DeliveryError for every other.

        The number decides, whatever the status (飞书 says 400 where it means 429), but for a status that is tried again.
        """
        body = answer.json()
        code = _number(body)
        if answer.status == 200 and code == 0 and isinstance(body, dict):
            return body
        said = _words(body) if isinstance(body, dict) and code is not None else answer.text
        detail = self.poster.scrub(said[:300])
        by_status = refusal(answer, detail, self.clock())
        if code is None or code == 0:
            if by_status is not None:
                raise by_status
            told = f"HTTP {answer.status}, but not {self.platform}'s answer: {detail}"
            raise DeliveryError("refused", told, retryable=True)
        meaning = self._meaning(code, said)
        wait = _reset(answer) or retry_after(answer.headers, self.clock())
        if by_status is not None and (by_status.retryable or meaning is None):
            by_status.retry_after = by_status.retry_after or wait or (meaning.wait if meaning is not None else None)
            raise by_status
        meaning = meaning or Code("refused")
        told = f"{self.platform}: {code} {detail}"
        raise CodeError(code, meaning.reason, told, (wait or meaning.wait) if meaning.reason in _PASSES else None)

    def by(self, poster: Poster) -> "Judge":
        """The same, keeping the secrets of *poster*."""
        return replace(self, poster=poster)

    def _meaning(self, code: int, said: str) -> Code | None:
        for (number, word), meaning in self.hints.items():
            if number == code and word in said.lower():
                return meaning
        return self.codes.get(code)


def _number(body: object) -> int | None:
    """``errcode`` of 钉钉 and 企业微信, ``code`` of 飞书, and ``StatusCode`` of its older answers."""
    if isinstance(body, dict):
        for key in ("errcode", "code", "StatusCode"):
            if key in body:
                return body[key] if type(body[key]) is int else None
    return None


def _words(body: Json) -> str:
    return next((str(body[key]) for key in ("errmsg", "msg", "StatusMessage") if body.get(key)), "")


def _reset(answer: Answer) -> timedelta | None:
    """飞书's word for Retry-After: seconds until the limit is as before."""
    value = answer.headers.get("x-ogw-ratelimit-reset", "").strip()
    return timedelta(seconds=int(value)) if value.isascii() and value.isdigit() and len(value) < 8 else None


def account(*parts: str | None) -> str:
    """A name for what a platform counts requests by, which tells nothing of the secret that it is made of."""
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()[:16]


def official(value: SecretStr, hosts: Mapping[str, str], example: str) -> SecretStr:
    """A webhook's address, if it is https at one of *hosts* with the path that it has there; it is never told."""
    parts = urlsplit(value.get_secret_value())
    path = hosts.get(parts.netloc)
    if parts.scheme != "https" or path is None or not parts.path.startswith(path):
        raise ValueError(f"must begin with {example}; to go by a gateway, give its address as api")
    return value


def at_gateway(webhook: SecretStr, api: SecretStr | None) -> str:
    """The webhook's address, at the gateway where there is one."""
    url = webhook.get_secret_value()
    if api is None:
        return url
    parts = urlsplit(url)
    return api.get_secret_value().rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def is_mobile(who: str) -> bool:
    return _MOBILE.fullmatch(who) is not None


def _person(value: str) -> str:
    if value.lower().lstrip("@") in {"all", "everyone", "所有人"}:
        raise ValueError("name people: everybody at once is never called")
    if _PERSON.fullmatch(value) is None or value.startswith("@"):
        raise ValueError("must be a phone number, a user id or, for an app of 飞书, a mail address")
    return value


Person = Annotated[str, AfterValidator(_person)]


async def shortening(told: Message, say: Callable[[int], Awaitable[Said]], part: int) -> Said:
    """What ``say(1)`` gives; where the platform finds that too long, ``say(part)``, in so small a part of its limit.

    A digest is not said shorter: an alert would go unnamed.
    """
    try:
        return await say(1)
    except CodeError as error:
        if error.reason != "too_long" or told.digest:
            raise
    return await say(part)


def calls(notification: Notification, told: Message) -> bool:
    """Whether the configured people are called: for red that begins, returns or goes on, not for each piece of news."""
    if told.over or told.level != Level.red:
        return False
    return bool(notification.digest) or notification.kind in {"open", "repeat"} or told.raised
