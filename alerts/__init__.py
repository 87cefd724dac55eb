"""Alert events in; incidents and notifications out. Knows labels, words and times, never mentions."""

from alerts.alert import AGED, AlertEvent, Because, Coverage, Excerpt, Level, Reached, StoryRef, Window
from alerts.channel import Channel, DeliveryError, DeliveryReason, Refreshing
from alerts.incident import Incident
from alerts.notification import Notification, NotificationKind, Receipt

__all__ = [
    "AGED",
    "AlertEvent",
    "Because",
    "Channel",
    "Coverage",
    "DeliveryError",
    "DeliveryReason",
    "Excerpt",
    "Incident",
    "Level",
    "Notification",
    "NotificationKind",
    "Reached",
    "Receipt",
    "Refreshing",
    "StoryRef",
    "Window",
]
