"""Slack's buttons under an incident's message, and what a press of one says.

Sources: docs.slack.dev, Block Kit (an actions block holds 25 elements, a block_id 255 characters, an action_id too, and must
differ from message to message and from update to update), block_actions payloads, Verifying requests from Slack (v0 of
the signature: HMAC-SHA256 over ``v0:timestamp:body``, older than five minutes refused).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.alert import Level
from alerts.notification import Notification
from alerts.render.names import JUDGED
from alerts.render.words import Language
from alerts.silence import RULE as SILENCE

Json = dict[str, Any]
_BLOCK = "incident"
_TOLERANCE = timedelta(minutes=5)
_MOST = 200  # characters of an incident's id that a block_id takes

# action → its words; the order is the order on the screen
_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "acknowledge": ("认领", "Take it"),
    "respond": ("已对外回应", "Answer is out"),
    "resolve": ("解除", "Resolve"),
    "silence": ("静默 1 小时", "Silence 1 h"),
    "real": (JUDGED["real"], "Real"),
    "noise": (JUDGED["noise"], "Noise"),
}
_ASSIGN = ("指派给…", "Assign to…")
_CONFIRM = {
    "resolve": (
        "解除后，除非升级或出现新的预警，不再提醒。",
        "It will stay quiet unless it rises or something new comes up.",
    ),
    "silence": ("1 小时内不再提醒本事件，升级除外。", "Nothing more is told of it for an hour, unless it rises."),
}
_SURE = {"zh": ("确定吗？", "确定", "取消"), "en": ("Are you sure?", "Yes", "Cancel")}


@dataclass(frozen=True, slots=True)
class Press:
    """Who pressed what, where. ``action``: a key of the buttons, or ``assign`` with the person chosen in ``value``.

    ``user`` and ``value`` are Slack's ids of people; ``name`` is the handle, untrusted. ``id`` is the same however often
    Slack delivers the press.
    """

    id: str
    action: str
    incident: str
    revision: int
    team: str
    channel: str
    user: str
    name: str
    value: str = ""


def block(notification: Notification) -> Json | None:
    """The block of buttons that the incident's state allows; None where there is nothing to press."""
    incident = notification.incident
    if notification.kind == "test" or len(incident.id) > _MOST or incident.handling.merged_into:
        return None
    if incident.lead.rule == SILENCE:  # it is no incident that anybody could take
        return None
    language = notification.language
    offered: list[str] = []
    if incident.open:
        offered.append("acknowledge" if incident.handling.taken is None else "resolve")
        if incident.kind == "topic":
            offered += ["respond"] if incident.handling.responded_at is None else []
            # Red is silenced by who writes that it may be, with the reason; not by a press.
            offered += ["silence"] if incident.level < Level.red else []
    if incident.kind == "topic":
        offered += ["real", "noise"]
    if not offered:
        return None
    elements = [_button(action, language) for action in _LABELS if action in offered]
    if incident.open:
        elements.append(
            {
                "type": "users_select",
                "action_id": "assign",
                "placeholder": {"type": "plain_text", "text": _ASSIGN[language == "en"]},
            }
        )
    # The notification's key keeps two updates of one revision apart.
    name = f"{_BLOCK}:{incident.revision}:{notification.key[:16]}:{incident.id}"
    return {"type": "actions", "block_id": name, "elements": elements}


def _button(action: str, language: Language) -> Json:
    english = language == "en"
    button: Json = {
        "type": "button",
        "action_id": action,
        "text": {"type": "plain_text", "text": _LABELS[action][english], "emoji": False},
    }
    if action == "acknowledge":
        button["style"] = "primary"
    if action in _CONFIRM:
        title, yes, no = _SURE[language]
        button["confirm"] = {
            "title": {"type": "plain_text", "text": title},
            "text": {"type": "plain_text", "text": _CONFIRM[action][english]},
            "confirm": {"type": "plain_text", "text": yes},
            "deny": {"type": "plain_text", "text": no},
        }
    return button


def presses(payload: object) -> list[Press]:
    """What a ``block_actions`` payload says of our buttons; what is not ours, or not of that form, is nothing."""
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return []
    user, actions = payload.get("user"), payload.get("actions")
    if not isinstance(user, dict) or not isinstance(actions, list):
        return []
    who, name = _text(user.get("id")), _text(user.get("name")) or _text(user.get("username"))
    team, channel = _text(_of(payload, "team")), _text(_of(payload, "channel"))
    found = [_press(one, team, channel, who, name or who) for one in actions if who and isinstance(one, dict)]
    return [press for press in found if press is not None]


def _press(action: Json, team: str, channel: str, user: str, name: str) -> Press | None:
    kind, _, rest = _text(action.get("block_id")).partition(":")
    revision, _, rest = rest.partition(":")
    _, _, incident = rest.partition(":")
    what = _text(action.get("action_id"))
    if kind != _BLOCK or not incident or not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        return None
    value = _text(action.get("selected_user")) if what == "assign" else ""
    if what not in _LABELS and not value:
        return None
    number = f"{user}:{what}:{_text(action.get('action_ts'))}:{incident}"
    return Press(number, what, incident, int(revision), team, channel, user, name[:100], value)


def _of(payload: Json, name: str) -> object:
    part = payload.get(name)
    return part.get("id") if isinstance(part, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 1000 else ""


def signed(secret: str, timestamp: str, body: bytes, signature: str, now: datetime) -> bool:
    """Whether Slack signed this request, and lately."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > _TOLERANCE.total_seconds():
        return False
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), signature.encode("utf-8", "replace"))
