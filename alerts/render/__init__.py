"""A notification's facts as text for people: one message in the receiver's language, then a form per channel."""

from alerts.notification import Notification
from alerts.render.alive import alive, in_words
from alerts.render.digest import digest
from alerts.render.message import Link, Message, Quote
from alerts.render.message import message as _single

__all__ = ["Link", "Message", "Quote", "in_words", "message"]


def message(notification: Notification) -> Message:
    """The message of a notification, or of the many that it tells together."""
    if notification.digest:
        return digest(notification)
    return _single(notification) if notification.alive is None else alive(notification, notification.alive)
