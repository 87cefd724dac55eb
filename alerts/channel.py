"""The extension point of this package."""

from datetime import timedelta
from typing import Literal, Protocol

from alerts.notification import Notification, Receipt

DeliveryReason = Literal["auth", "client", "too_long", "rate_limited", "server", "timeout", "network", "refused"]


class DeliveryError(Exception):
    """A channel did not take a notification. ``reason`` is a metric label; the message never holds a secret.

    ``retryable``: whether trying again makes sense. ``retry_after``: no request before that has passed.
    """

    def __init__(
        self, reason: DeliveryReason, detail: str, *, retryable: bool, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: DeliveryReason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_after = retry_after


class Channel(Protocol):
    """Sends. Loops, retries, storage, logs and metrics are not its job."""

    async def send(self, notification: Notification, /) -> Receipt:
        """Deliver once, or raise DeliveryError; sent means that the answer's body said so."""
        ...
