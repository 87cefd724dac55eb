"""The channels that there are: one file each, and one union."""

from typing import Annotated

from pydantic import Field

from alerts.channels.alertmanager import AlertmanagerConfig
from alerts.channels.apprise import AppriseConfig
from alerts.channels.base import Clock, Limits, Strict, utc_now
from alerts.channels.console import ConsoleConfig
from alerts.channels.dingtalk import DingTalkConfig
from alerts.channels.email import EmailConfig
from alerts.channels.feishu import FeishuConfig
from alerts.channels.ntfy import NtfyConfig
from alerts.channels.opsgenie import OpsgenieConfig
from alerts.channels.pagerduty import PagerDutyConfig
from alerts.channels.slack import SlackConfig
from alerts.channels.teams import TeamsConfig
from alerts.channels.telegram import TelegramConfig
from alerts.channels.template import TemplateConfig
from alerts.channels.webhook import WebhookConfig
from alerts.channels.wecom import WeComConfig

ChannelConfig = Annotated[
    ConsoleConfig
    | SlackConfig
    | EmailConfig
    | FeishuConfig
    | DingTalkConfig
    | WeComConfig
    | TelegramConfig
    | TeamsConfig
    | PagerDutyConfig
    | OpsgenieConfig
    | AlertmanagerConfig
    | NtfyConfig
    | TemplateConfig
    | WebhookConfig
    | AppriseConfig,
    Field(discriminator="type"),
]

__all__ = [
    "AlertmanagerConfig",
    "AppriseConfig",
    "ChannelConfig",
    "Clock",
    "ConsoleConfig",
    "DingTalkConfig",
    "EmailConfig",
    "FeishuConfig",
    "Limits",
    "NtfyConfig",
    "OpsgenieConfig",
    "PagerDutyConfig",
    "SlackConfig",
    "Strict",
    "TeamsConfig",
    "TelegramConfig",
    "TemplateConfig",
    "WeComConfig",
    "WebhookConfig",
    "utc_now",
]
