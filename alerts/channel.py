"""The extension point of this package."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable

from alerts.notification import Notification, Receipt

DeliveryReason = Literal["auth", "client", "too_long", "rate_limited", "server", "timeout", "network", "refused"]


LONGEST_ASKED = timedelta(hours=1)
"""A receiver that asks for more is tried after this all the same: what waits behind must not be held for days."""


class DeliveryError(Exception):
    """A channel did not take a notification. ``reason`` is a metric label; the message never holds a secret.

    ``retryable``: whether trying again makes sense. ``retry_after``: no request before that has passed; an hour at most.
    ``perhaps_arrived``: the request went out and nothing that tells its fate came back, so a retry may be a repeat.
    """

    def __init__(
        self,
        reason: DeliveryReason,
        detail: str,
        *,
        retryable: bool,
        retry_after: timedelta | None = None,
        perhaps_arrived: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: DeliveryReason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_ASKED)
        self.perhaps_arrived = perhaps_arrived


class Channel(Protocol):
    """Sends. Loops, retries, storage, logs and metrics are not its job."""

    async def send(self, notification: Notification, /) -> Receipt:
        """Deliver once, or raise DeliveryError; sent means that the answer's body said so."""
        ...


@runtime_checkable
class Refreshing(Protocol):
    """A channel besides, whose receiver forgets what it is not told again (Alertmanager)."""

    refresh_every: timedelta

    async def refresh(self, standing: Callable[[], Awaitable[Sequence[Notification]]], /) -> None:
        """Tell what stands once more, or raise DeliveryError.

        ``standing`` gives the last notification sent of each incident that is open there. The channel asks for it while it
        sends nothing else, so that a refresh never overtakes an end.
        """
        ...
