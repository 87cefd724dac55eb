"""A notification's facts as text for people: one message in the receiver's language, then a form per channel."""

from alerts.render.message import Link, Message, Quote, message

__all__ = ["Link", "Message", "Quote", "message"]
