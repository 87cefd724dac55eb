"""The channels that there are: one file each, and one union."""

from typing import Annotated

from pydantic import Field

from alerts.channels.base import Clock, Limits, Strict, utc_now
from alerts.channels.console import ConsoleConfig
from alerts.channels.email import EmailConfig
from alerts.channels.slack import SlackConfig
from alerts.channels.webhook import WebhookConfig

ChannelConfig = Annotated[ConsoleConfig | SlackConfig | EmailConfig | WebhookConfig, Field(discriminator="type")]

__all__ = [
    "ChannelConfig",
    "Clock",
    "ConsoleConfig",
    "EmailConfig",
    "Limits",
    "SlackConfig",
    "Strict",
    "WebhookConfig",
    "utc_now",
]
