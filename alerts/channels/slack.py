"""Slack, by incoming webhook or by bot token.

Webhook: taken only where the status is 200 and the body says ``ok``; a refusal has a status and a word (api.slack.com,
changelog 2016-05-17 on errors). It cannot change what it posted, so each notification is a message.

Bot (scope chat:write): taken only where the JSON says ``"ok": true``; Slack refuses with HTTP 200 too. The incident's
first message is kept up to date by chat.update; a rise, a repeat and the end are also a reply in its thread, the first
two shown in the channel, because a changed message alerts nobody. With ``app_token`` or ``signing_secret`` the message has
buttons (``slack_buttons``); their presses come in elsewhere. chat.update parses names unless told not to (its
``parse`` defaults to ``client``), so every call says ``none``. About one message per second and channel passes, beyond
that 429 and Retry-After. Sources: docs.slack.dev, methods chat.postMessage and chat.update, and Rate limits.
"""

from datetime import timedelta
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlencode

import aiohttp
from pydantic import Field, SecretStr, model_validator

from alerts.channel import DeliveryError, DeliveryReason
from alerts.channels.base import Clock, Idempotent, Limits, Name, SecretUrl, Timeout, Told, utc_now
from alerts.channels.http import JSON, Answer, Poster, encode, refusal, retry_after
from alerts.channels.slack_buttons import block
from alerts.channels.slack_files import show
from alerts.notification import Notification, Receipt
from alerts.render import Message, message
from alerts.render import slack as form

API = "https://slack.com/api"

# the answers that pass by themselves; every other one needs a person, so the notification is told elsewhere at once
_TEMPORARY: dict[str, DeliveryReason] = {
    "ratelimited": "rate_limited",
    "rate_limited": "rate_limited",
    "message_limit_exceeded": "rate_limited",
    "fatal_error": "server",
    "internal_error": "server",
    "rollup_error": "server",
    "service_unavailable": "server",
    "request_timeout": "timeout",
    "team_added_to_org": "server",
}
_AUTH = frozenset(
    {
        "access_denied",
        "account_inactive",
        "action_prohibited",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "invalid_token",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
# the message can still be told without blocks
_TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "too_many_blocks"}
)
# the first message is out of reach: a new one takes its place
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})


class SlackConfig(Told):
    """Posts to a Slack channel, by webhook, or by token and channel."""

    limits: ClassVar[Limits] = Limits(body=100 * 1024, text=form.TOTAL, digest=form.DIGEST)

    type: Literal["slack"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    webhook: SecretUrl | None = Field(None, description="address of an incoming webhook")
    token: SecretStr | None = Field(None, min_length=1, description="bot token with the scope chat:write")
    channel: str | None = Field(None, pattern=r"^#?[^\s#]+$", description="id or name of the channel, with token")
    app_token: SecretStr | None = Field(
        None, min_length=1, description="app-level token with the scope connections:write: buttons, by Socket Mode"
    )
    signing_secret: SecretStr | None = Field(
        None, min_length=16, description="the app's signing secret: buttons, by requests to /slack/actions"
    )
    chart: bool = Field(True, description="with token: a small chart of the trend in the thread; needs files:write")
    api: SecretUrl = Field(SecretStr(API), description="address of the Web API, for gateways")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook is None) == (self.token is None):
            raise ValueError("give either webhook, or token and channel")
        if (self.token is None) != (self.channel is None):
            raise ValueError("token and channel go together")
        if (self.app_token or self.signing_secret) and self.token is None:
            raise ValueError("buttons need a bot: give token and channel with app_token or signing_secret")
        if self.app_token and self.signing_secret:
            raise ValueError("give either app_token (Socket Mode) or signing_secret (requests to this program)")
        token = "".join(one.get_secret_value() for one in (self.token, self.app_token) if one is not None)
        if not token.isascii() or any(not character.isprintable() or character == " " for character in token):
            raise ValueError("token: holds a character that no token has")
        return self

    @property
    def carries_charts(self) -> bool:
        return self.chart and self.token is not None

    @property
    def idempotent(self) -> Idempotent:
        return "edits" if self.webhook is None else "never"

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "SlackWebhook | SlackBot":
        if self.webhook is not None:
            return SlackWebhook(Poster(http, self.timeout, self.proxy, (self.webhook,)), self.webhook, clock)
        if self.token is None or self.channel is None:
            raise AssertionError("the validator lets no such config through")
        poster = Poster(http, self.timeout, self.proxy, (self.token,))
        buttons = self.app_token is not None or self.signing_secret is not None
        api = self.api.get_secret_value().rstrip("/")
        return SlackBot(poster, api, self.token, self.channel, clock, buttons=buttons)


class SlackWebhook:
    def __init__(self, poster: Poster, url: SecretStr, clock: Clock = utc_now) -> None:
        self._poster = poster
        self._url = url
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        try:
            await self._post({**_common(told), "blocks": form.blocks(told)})
        except DeliveryError as error:
            if error.reason != "too_long":
                raise
            await self._post({**_common(told), "text": form.text_only(told)})
        return Receipt("", self._clock())

    async def _post(self, payload: dict[str, Any]) -> None:
        answer = await self._poster.post(self._url.get_secret_value(), encode(payload), JSON)
        if answer.status == 200 and answer.text == "ok":
            return
        raise _refused(answer, _error_word(answer), self._poster, self._clock)


class SlackBot:
    """``ref`` of a receipt is ``channel:ts`` of the incident's first message, or of the one that took its place."""

    def __init__(
        self,
        poster: Poster,
        api: str,
        token: SecretStr,
        channel: str,
        clock: Clock = utc_now,
        *,
        buttons: bool = False,
    ) -> None:
        self._buttons = buttons
        self._pictures = True  # until Slack says that the bot may send none
        self._poster = poster
        self._api = api
        self._headers = {**JSON, "Authorization": f"Bearer {token.get_secret_value()}"}
        self._channel = channel
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        channel, _, ts = (notification.previous.ref if notification.previous is not None else "").partition(":")
        if notification.kind in {"open", "test"} or not ts:
            return await self._post(told, notification)
        try:
            await self._tell("chat.update", told, notification, {"channel": channel, "ts": ts})
        except _GoneError:
            return await self._post(told, notification)
        # A retry updates again, which changes nothing; only the reply can come twice, if its answer was lost.
        if notification.kind in {"repeat", "resolve"} or told.raised:
            reply = {"channel": channel, "thread_ts": ts, "reply_broadcast": notification.kind != "resolve"}
            await self._call("chat.postMessage", {**_common(told), **_QUIET, **reply})
            return Receipt(f"{channel}:{ts}", self._clock(), await self._show(notification, channel, ts))
        return Receipt(f"{channel}:{ts}", self._clock())

    async def _post(self, told: Message, notification: Notification) -> Receipt:
        answer = await self._tell("chat.postMessage", told, notification, {"channel": self._channel})
        channel, ts = str(answer.get("channel", self._channel)), str(answer.get("ts", ""))
        return Receipt(f"{channel}:{ts}", self._clock(), await self._show(notification, channel, ts))

    async def _show(self, notification: Notification, channel: str, ts: str) -> str:
        """Put the chart into the message's thread; why it is missing, where that failed: the message has arrived."""
        if notification.chart is None or not self._pictures:
            return ""
        secure = self._api.startswith("https://")
        try:
            await show(notification.chart, self._poster, self._call, channel=channel, ts=ts, secure=secure)
        except DeliveryError as error:
            self._pictures = error.reason != "auth"
            return f"chart: {error.detail}"
        return ""

    async def _tell(
        self, method: str, told: Message, notification: Notification, where: dict[str, Any]
    ) -> dict[str, Any]:
        """With blocks; without, where Slack finds them too much."""
        blocks = form.blocks(told)
        if self._buttons and not notification.digest and (pressable := block(notification)) is not None:
            blocks.insert(-1, pressable)
        try:
            return await self._call(method, {**_common(told), "blocks": blocks, **_QUIET, **where})
        except DeliveryError as error:
            if error.reason != "too_long":
                raise
            # an empty list takes the blocks away from a message that had some
            plain = {**_common(told), "text": form.text_only(told), "blocks": [], **_QUIET, **where}
            return await self._call(method, plain)

    async def _call(self, method: str, payload: dict[str, Any], *, as_form: bool = False) -> dict[str, Any]:
        form_type = {"Content-Type": "application/x-www-form-urlencoded"} if as_form else {}
        body_sent = urlencode(payload, errors="replace").encode() if as_form else encode(payload)
        answer = await self._poster.post(f"{self._api}/{method}", body_sent, self._headers | form_type)
        body = answer.json()
        if answer.status == 200 and isinstance(body, dict) and body.get("ok") is True:
            return body
        word = _error_word(answer)
        refused = _refused(answer, word, self._poster, self._clock)
        if word in _GONE and answer.status == 200:
            raise _GoneError(refused.reason, refused.detail, retryable=False)
        raise refused


class _GoneError(DeliveryError):
    """The message that was to be changed is out of reach."""


# nothing in the text is looked up, and no preview of what it links to is fetched
_QUIET = {"parse": "none", "link_names": False}


def _common(told: Message) -> dict[str, Any]:
    return {"text": form.fallback(told), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def _error_word(answer: Answer) -> str:
    """Slack's name of the error: the JSON's ``error``, or a webhook's whole body where that is one word."""
    body = answer.json()
    word = body.get("error", "") if isinstance(body, dict) else answer.text
    return word if isinstance(word, str) and 0 < len(word) <= 80 and word.replace("_", "").isalnum() else ""


def _refused(answer: Answer, word: str, poster: Poster, clock: Clock) -> DeliveryError:
    """What the answer's word means, else what its status does."""
    detail = poster.scrub(word or answer.text[:100])
    by_status = refusal(answer, detail, clock())
    if word in _TEMPORARY:
        wait = retry_after(answer.headers, clock())
        return DeliveryError(_TEMPORARY[word], f"Slack: {detail}", retryable=True, retry_after=wait)
    final: DeliveryReason = "too_long" if word in _TOO_MUCH else "auth" if word in _AUTH else "refused"
    if by_status is not None and (by_status.retryable or final == "refused"):
        return by_status
    if word:
        return DeliveryError(final, f"Slack: {detail}", retryable=False)
    # a 2xx that is not Slack's: some gateway between
    return DeliveryError("refused", f"HTTP {answer.status}, but not Slack's answer: {detail}", retryable=True)
