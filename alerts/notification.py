"""One message to one channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.alert import Because, Level
from alerts.alive import Alive
from alerts.incident import Incident
from alerts.texts import Wording
from alerts.trend import Chart

NotificationKind = Literal[
    "open", "update", "repeat", "acknowledge", "act", "remind", "breach", "escalate", "resolve",
    "breakthrough", "unsilenced", "test", "alive",
]  # fmt: skip
"""``act``: what people did, other than taking it. ``breakthrough``: a silenced incident rose or grew; ``unsilenced``: its
silence is over and it is open still; either may be the first that the receiver hears of it. ``remind``: an answer, or a
sign of life, is due; ``breach``: no answer is out by its deadline; ``escalate``: nobody took it, so this
receiver is called."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the channel gave back: its own id for the message (Slack's ts, a mail's Message-ID), empty where none.

    ``missing``: what of the message did not get through, and why; empty where all did.
    """

    ref: str
    at: datetime
    missing: str = ""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """Whose notification this was: the receiver's channels, named, did not take it in time (``late``) or failed."""

    receiver: str
    channels: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """Facts, not text: rendering is the channel's.

    ``key`` is the same over all retries. ``previous`` is the receipt of the incident's newest message on this channel,
    of those that the channel gave an id. ``console_url`` is the public address of the incident's page; ``timezone`` an
    IANA name for the message's times.
    ``was``: the level that the receiver was last told, so that the message says what rose or fell. ``digest``: not
    empty where one message tells many notifications, these, because the channel's rate lets no more pass or all of them
    waited; ``incident`` is then the first one's. ``deferred``: it waited for the end of the receiver's quiet hours.
    ``chart``: a picture for the channels that carry one. ``wording``: the operator's own words in place of ours.
    ``at``: when it is sent, which remaining times count from. ``respond_by``: when the answer to the public is, or was, due;
    None where there is no deadline to meet. ``note``: why this is sent, where the incident alone does not tell.
    ``perhaps_repeated``: an earlier try may have arrived, and the platform would show both. ``passed_on``: this receiver
    is the fallback of another. ``alive``: what a notification of that kind tells; ``incident`` is then no incident of the
    database's.
    """

    key: str
    revision: int
    kind: NotificationKind
    incident: Incident
    language: Literal["zh", "en"]
    previous: Receipt | None = None
    console_url: str = ""
    timezone: str = "UTC"
    was: Level | None = None
    digest: tuple["Notification", ...] = ()
    deferred: bool = False
    chart: Chart | None = None
    wording: Wording | None = None
    at: datetime | None = None
    respond_by: datetime | None = None
    note: Because | None = None
    perhaps_repeated: bool = False
    passed_on: PassedOn | None = None
    alive: Alive | None = None
