"""A token that a platform lends for some hours: fetched when needed, kept until shortly before its end."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import SecretStr

from alerts.channel import DeliveryError
from alerts.channels.base import Clock

EARLY = timedelta(minutes=5)  # before its end; a request may take a while

Result = TypeVar("Result")


class TokenCache:
    """Used by one send at a time, as a channel is. A restart fetches again, and the platforms then give the same token."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[SecretStr, timedelta]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: SecretStr | None = None
        self._until: datetime | None = None

    async def use(
        self, call: Callable[[SecretStr], Awaitable[Result]], *, stale: Callable[[DeliveryError], bool]
    ) -> Result:
        """What *call* gives; where *stale* says so of its error, it is called once more with a new token."""
        fresh = self._token is None or self._until is None or self._clock() >= self._until
        try:
            return await call(await self._get())
        except DeliveryError as error:
            if fresh or not stale(error):
                raise
        self._token = None
        return await call(await self._get())

    async def _get(self) -> SecretStr:
        now = self._clock()
        if self._token is None or self._until is None or now >= self._until:
            self._token, length = await self._fetch()
            self._until = now + max(length - EARLY, length / 2)
        return self._token


def read(body: dict[str, Any], key: str, expiry: str, platform: str) -> tuple[SecretStr, timedelta]:
    """The token and its length out of a platform's answer; raises DeliveryError."""
    token, seconds = body.get(key), body.get(expiry)
    if not isinstance(token, str) or not token or not token.isascii() or type(seconds) is not int:
        raise DeliveryError("server", f"{platform}: its answer holds no token", retryable=True)
    return SecretStr(token), timedelta(seconds=min(seconds, 86_400))
