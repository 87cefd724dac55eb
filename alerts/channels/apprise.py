"""Apprise, the last resort: the hundred-odd services that have no channel of their own here.

**It cannot tell refused from sent.** Apprise says yes or no, and says yes to answers of HTTP 200 whose body refuses: the
robots of 钉钉, 飞书 and 企业微信 do so (with Apprise 2.2, their codes 130101, 11232, 19021 and 45009 all come back as
sent). It honours no Retry-After, gives no reason, edits nothing, and has its own timeouts and proxies (by environment).
Where a service has a channel here, use that. Optional: ``pip install 'listener-monitor[apprise]'``, imported at the first
message. It blocks, so it runs in a thread; a send that was given up may still arrive. Source: github.com/caronc/apprise,
wiki, Development API.
"""

import asyncio
import logging
from datetime import timedelta
from importlib.util import find_spec
from typing import ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from alerts.alert import Level
from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Limits, Name, Timeout, Told, utc_now
from alerts.notification import Notification, Receipt
from alerts.render import message
from alerts.render.plain import plain
from alerts.render.text import inert_but

_TYPES = {Level.blue: "info", Level.yellow: "warning", Level.orange: "warning", Level.red: "failure"}


class AppriseConfig(Told):
    """Sends through Apprise, which cannot tell refused from sent."""

    limits: ClassVar[Limits] = Limits(body=64 * 1024)

    type: Literal["apprise"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    url: SecretStr = Field(description="Apprise's address of the service, such as `matrixs://…`")
    timeout: Timeout = Field(timedelta(seconds=30), description="for the whole message")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: SecretStr) -> SecretStr:
        scheme, mark, rest = url.get_secret_value().partition("://")
        if not mark or not rest or not scheme.isalnum():
            raise ValueError("must be an address of Apprise's: SCHEME://…")
        if find_spec("apprise") is None:
            raise ValueError("needs Apprise: pip install 'listener-monitor[apprise]'")
        return url

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "AppriseChannel":
        """Needs no session: Apprise has its own."""
        del http
        return AppriseChannel(self, clock)


class AppriseChannel:
    def __init__(self, config: AppriseConfig, clock: Clock = utc_now) -> None:
        self._url = config.url.get_secret_value()
        self._timeout = config.timeout.total_seconds()
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        title, _, body = inert_but(plain(told), told.addresses).partition("\n")
        kind = "success" if told.over else _TYPES[told.level]
        try:
            async with asyncio.timeout(self._timeout):
                sent = await asyncio.to_thread(_notify, self._url, title, body, kind)
        except TimeoutError:
            detail = f"not done within {self._timeout:g} s"
            raise DeliveryError("timeout", detail, retryable=True, perhaps_arrived=True) from None
        except Exception as error:  # noqa: BLE001  a plug-in of Apprise's raised; what it says may hold the address
            raise DeliveryError("refused", f"Apprise raised {type(error).__name__}", retryable=True) from None
        if sent is None:
            raise DeliveryError("client", "Apprise does not know such an address", retryable=False)
        if not sent:
            raise DeliveryError("refused", "Apprise says no, and not why", retryable=True)
        return Receipt("", self._clock())


def _notify(url: str, title: str, body: str, kind: str) -> bool | None:
    """None: the address is none."""
    import apprise  # noqa: PLC0415 - slow, and optional

    logging.getLogger("apprise").disabled = True  # it logs parts of addresses
    asset = apprise.AppriseAsset(async_mode=False, interpret_escapes=False, interpret_emojis=False)
    service = apprise.Apprise(asset=asset)
    if not service.add(url):
        return None
    wanted = apprise.NotifyType(kind)
    return bool(service.notify(body=body, title=title, notify_type=wanted, body_format=apprise.NotifyFormat.TEXT))
