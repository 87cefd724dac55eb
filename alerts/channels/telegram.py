"""Telegram, by a bot: one message per incident, edited in place.

Taken only where the status is 200 and the JSON says ``"ok": true`` with a ``message_id``. A refusal has ``error_code``,
``description`` and sometimes ``parameters``: ``retry_after`` in seconds with 429, and ``migrate_to_chat_id`` where a group
became a supergroup, which is followed once. About one message a second passes in a chat, 20 a minute in a group, and 30 a
second in all. An edit alerts nobody, so a rise, a repeat and the end are also a short reply to the message, the end
without a sound. Sources: core.telegram.org/bots/api (Making requests, ResponseParameters, sendMessage,
editMessageText) and /bots/faq (My bot is hitting limits).

The token is part of every address, so no address is ever told.
"""

from datetime import timedelta
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Idempotent, Limits, Name, SecretUrl, Timeout, Told, Url, utc_now
from alerts.channels.http import JSON, Answer, Poster, encode, refusal
from alerts.notification import Notification, Receipt
from alerts.render import Message, message
from alerts.render import telegram as form
from alerts.render.plain import plain
from alerts.render.shorten import brief
from alerts.render.text import cut, inert, units

API = "https://api.telegram.org"

_SAME = "message is not modified"  # an edit, tried again, that had arrived
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_LONG = ("message is too long", "message_too_long")
_MARKUP = "can't parse entities"


class TelegramConfig(Told):
    """Sends to a Telegram chat as a bot."""

    limits: ClassVar[Limits] = Limits(body=64 * 1024, text=form.TEXT, digest=25)
    idempotent: ClassVar[Idempotent] = "edits"

    type: Literal["telegram"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    token: SecretStr = Field(description="the bot's token, as BotFather gave it")
    chat: int | str = Field(description="id of the chat (a group's is negative), or @name of a public channel")
    topic: int | None = Field(None, ge=1, description="id of a topic, in a group that has topics")
    api: Url = Field(API, description="address of the Bot API, for a server of your own")
    timeout: Timeout = Field(timedelta(seconds=10), description="for each request")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy of this channel")

    @field_validator("token")
    @classmethod
    def _a_token(cls, token: SecretStr) -> SecretStr:
        number, _, rest = token.get_secret_value().partition(":")
        if not number.isdecimal() or not rest or not rest.replace("-", "").replace("_", "").isalnum():
            raise ValueError("must be a bot's token: digits, a colon, letters")
        return token

    @field_validator("chat")
    @classmethod
    def _a_chat(cls, chat: int | str) -> int | str:
        if isinstance(chat, str) and chat.removeprefix("-").isdecimal():
            return int(chat)
        if isinstance(chat, str) and not (chat.startswith("@") and chat[1:].replace("_", "").isalnum()):
            raise ValueError("must be a number, or the @name of a public channel")
        return chat

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "TelegramChannel":
        return TelegramChannel(self, http, clock)


class TelegramChannel:
    """``ref`` of a receipt is ``chat:message`` of the incident's first message, or of the one that took its place."""

    def __init__(self, config: TelegramConfig, http: aiohttp.ClientSession, clock: Clock = utc_now) -> None:
        token = config.token.get_secret_value()
        secrets = (config.token, SecretStr(token.partition(":")[2]))
        self._poster = Poster(http, config.timeout, config.proxy, secrets)
        self._base = f"{config.api.rstrip('/')}/bot{token}"
        self._chat = config.chat
        self._topic = config.topic
        self._clock = clock

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        chat, _, number = (notification.previous.ref if notification.previous is not None else "").rpartition(":")
        if notification.kind in {"open", "test"} or not chat or not number.isdecimal():
            return await self._post(told, {"chat_id": self._chat})
        first = {"chat_id": chat, "message_id": int(number)}
        try:
            await self._tell("editMessageText", told, first)
        except _GoneError:
            return await self._post(told, {"chat_id": self._chat})
        # A retry edits again, which changes nothing; only the reply can come twice, if its answer was lost.
        if notification.kind in {"repeat", "resolve"} or told.raised:
            await self._post(
                brief(told),
                {
                    "chat_id": chat,
                    "reply_parameters": {"message_id": int(number), "allow_sending_without_reply": True},
                    "disable_notification": notification.kind == "resolve",
                },
            )
        return Receipt(f"{chat}:{number}", self._clock())

    async def _post(self, told: Message, where: dict[str, Any]) -> Receipt:
        if self._topic is not None:
            where = {**where, "message_thread_id": self._topic}
        try:
            result = await self._tell("sendMessage", told, where)
        except _MovedError as moved:
            result = await self._tell("sendMessage", told, {**where, "chat_id": moved.chat})
        number, chat = result.get("message_id"), result.get("chat")
        if not isinstance(number, int):
            raise DeliveryError("refused", "Telegram said ok, but named no message", retryable=True)
        known = chat.get("id") if isinstance(chat, dict) else None
        return Receipt(f"{known if isinstance(known, int) else where['chat_id']}:{number}", self._clock())

    async def _tell(self, method: str, told: Message, where: dict[str, Any]) -> dict[str, Any]:
        """As HTML; shorter where Telegram finds it too long, without markup where it cannot read ours."""
        payload = {**where, "link_preview_options": {"is_disabled": True}}
        try:
            return await self._call(method, {**payload, "text": form.html(told), "parse_mode": "HTML"})
        except _MarkupError:
            return await self._call(method, {**payload, "text": cut(inert(plain(told)), form.TEXT, units)})
        except DeliveryError as error:
            if error.reason != "too_long" or told.digest:
                raise
            return await self._call(method, {**payload, "text": form.html(brief(told)), "parse_mode": "HTML"})

    async def _call(self, method: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer = await self._poster.post(f"{self._base}/{method}", encode(payload), JSON)
        body = answer.json()
        if answer.status == 200 and isinstance(body, dict) and body.get("ok") is True:
            result = body.get("result")
            return result if isinstance(result, dict) else {}
        said = body if isinstance(body, dict) else {}
        description = said.get("description")
        word = description.lower() if isinstance(description, str) else ""
        if method == "editMessageText" and _SAME in word:
            return {}
        raise self._refused(answer, said, word)

    def _refused(  # noqa: PLR0911 - a table of answers
        self, answer: Answer, said: dict[str, Any], word: str
    ) -> DeliveryError:
        detail = self._poster.scrub(word or answer.text[:100])
        code = said.get("error_code")
        status = code if answer.status == 200 and isinstance(code, int) else answer.status
        error = refusal(Answer(status, answer.headers, answer.body), detail, self._clock())
        if error is None:
            return DeliveryError("refused", f"HTTP {status}, but not Telegram's answer: {detail}", retryable=True)
        parameters = said.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        wait, moved = parameters.get("retry_after"), parameters.get("migrate_to_chat_id")
        if error.retryable and isinstance(wait, int) and 0 <= wait < 10**6:
            return DeliveryError(error.reason, error.detail, retryable=True, retry_after=timedelta(seconds=wait))
        if isinstance(moved, int):
            return _MovedError(moved)
        if status == 400:
            if any(text in word for text in _LONG):
                return DeliveryError("too_long", error.detail, retryable=False)
            if any(text in word for text in _GONE):
                return _GoneError(error.reason, error.detail, retryable=False)
            if _MARKUP in word:
                return _MarkupError(error.reason, error.detail, retryable=False)
        return error


class _GoneError(DeliveryError):
    """The message that was to be edited is out of reach."""


class _MarkupError(DeliveryError):
    """Telegram cannot read the markup."""


class _MovedError(DeliveryError):
    """The group is a supergroup now, under another id."""

    def __init__(self, chat: int) -> None:
        super().__init__("client", f"the group became a supergroup: set chat to {chat}", retryable=False)
        self.chat = chat
