"""What people press in Slack becomes commands; by Socket Mode we fetch it, by signed requests it is brought to us.

Sources: docs.slack.dev, Socket Mode (apps.connections.open gives an address to dial; an envelope is acknowledged within
three seconds by its ``envelope_id``; Slack ends a connection with ``disconnect`` and wants another), chat.postEphemeral,
users.info.
"""

import asyncio
import json
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import aiohttp
import structlog
from pydantic import SecretStr

from alerts.channels.slack import SlackConfig
from alerts.channels.slack_buttons import Press, presses
from alerts.command import Command, Outcome
from alerts.config import ReceiverConfig
from listener.metrics import Metrics

Ask = Callable[[Command], Awaitable[Outcome | None]]
_LOOK = timedelta(seconds=5)
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_STEADY = 30.0  # seconds that a connection lasts before another is dialled at once
_QUIET = 90.0  # seconds after which a connection that says nothing is dead; Slack pings every few
_REMEMBERED = 1000
_AT_ONCE = 20
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SlackApp:
    """One Slack app that people press buttons of, as a channel of the configuration names it."""

    receiver: str
    channel: str
    language: Literal["zh", "en"]
    api: str
    token: SecretStr
    app_token: SecretStr | None
    signing_secret: SecretStr | None
    proxy: SecretStr | None


def slack_apps(receivers: Sequence[ReceiverConfig]) -> tuple[SlackApp, ...]:
    """One for each app: channels that share one share its presses."""
    found: dict[str, SlackApp] = {}
    for receiver in receivers:
        for name, config in zip(receiver.channel_names, receiver.channels, strict=True):
            if not isinstance(config, SlackConfig) or config.token is None:
                continue
            secret = config.app_token or config.signing_secret
            if secret is not None:
                found.setdefault(
                    secret.get_secret_value(),
                    SlackApp(
                        receiver.id, name, receiver.language, config.api.get_secret_value().rstrip("/"), config.token,
                        config.app_token, config.signing_secret, config.proxy,
                    ),
                )  # fmt: skip
    return tuple(found.values())


@dataclass(slots=True)
class _Connection:
    app: SlackApp
    task: asyncio.Task[None]


@dataclass(slots=True)
class Slack:
    """``apps`` may be exchanged; ``step`` then connects to the new and lets the old go."""

    apps: Sequence[SlackApp]
    session: aiohttp.ClientSession
    ask: Ask
    now: Callable[[], datetime]
    metrics: Metrics
    _connections: dict[str, _Connection] = field(default_factory=dict)
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _applying: set[asyncio.Task[None]] = field(default_factory=set)

    async def step(self, now: datetime) -> datetime:
        """Keep one connection for each app that wants one."""
        wanted = {app.app_token.get_secret_value(): app for app in self.apps if app.app_token is not None}
        for secret, connection in list(self._connections.items()):
            if connection.task.done():
                connection.task.result()
            if wanted.get(secret) != connection.app:
                await self._let_go(secret)
        for secret, app in wanted.items():
            if secret not in self._connections:
                task = asyncio.create_task(self._listen(app), name=f"slack {app.receiver}")
                self._connections[secret] = _Connection(app, task)
        for task in [task for task in self._applying if task.done()]:
            self._applying.discard(task)
            task.result()
        return now + _LOOK

    async def stop(self) -> None:
        for secret in list(self._connections):
            await self._let_go(secret)
        if self._applying:
            await asyncio.wait(self._applying, timeout=2)

    async def _let_go(self, secret: str) -> None:
        connection = self._connections.pop(secret)
        connection.task.cancel()
        await asyncio.gather(connection.task, return_exceptions=True)
        with suppress(KeyError):
            self.metrics.chat_connected.remove(connection.app.receiver, connection.app.channel)

    # ---- Socket Mode

    async def _listen(self, app: SlackApp) -> None:
        """Until cancelled: dial, read, dial again."""
        connected = self.metrics.chat_connected.labels(app.receiver, app.channel)
        wait, failing = 1.0, ""
        while True:
            connected.set(0)
            try:
                address = await self._address(app)
                dialled = asyncio.get_running_loop().time()
                async with self.session.ws_connect(
                    address, proxy=_secret(app.proxy), heartbeat=30, max_msg_size=2**20, timeout=_CLOSE
                ) as socket:
                    connected.set(1)
                    if failing:
                        _log.info("chat_recovered", receiver=app.receiver, channel=app.channel)
                    failing = ""
                    await self._read(app, socket)
                _lasted(asyncio.get_running_loop().time() - dialled)
                wait = 1.0
            except (aiohttp.ClientError, TimeoutError, OSError, _RefusedError) as error:
                reason = str(error) if isinstance(error, _RefusedError) else type(error).__name__
                if failing != reason:
                    _log.warning("chat_failed", receiver=app.receiver, channel=app.channel, reason=reason)
                failing = reason
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, 300.0)

    async def _address(self, app: SlackApp) -> str:
        answer = await self._call(app, "apps.connections.open", {}, app.app_token or app.token)
        address = answer.get("url")
        if answer.get("ok") is not True or not isinstance(address, str) or not address.startswith(_schemes(app.api)):
            word = answer.get("error")
            raise _RefusedError(word[:80] if isinstance(word, str) and word.replace("_", "").isalnum() else "refused")
        return address

    async def _read(self, app: SlackApp, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await socket.receive(timeout=_QUIET)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            with suppress(ValueError):
                envelope = json.loads(message.data)
                if not isinstance(envelope, dict):
                    continue
                if isinstance(name := envelope.get("envelope_id"), str):
                    await socket.send_json({"envelope_id": name})
                if envelope.get("type") == "interactive":
                    self.take(app, envelope.get("payload"))
                elif envelope.get("type") == "disconnect":
                    return

    # ---- what was pressed

    def signed_app(self, check: Callable[[str], bool]) -> SlackApp | None:
        """The app whose signing secret *check* holds for."""
        secrets = ((app, app.signing_secret.get_secret_value()) for app in self.apps if app.signing_secret is not None)
        return next((app for app, secret in secrets if check(secret)), None)

    def take(self, app: SlackApp, payload: object) -> None:
        """Apply the presses in a payload, each once; in tasks of their own, because Slack waits three seconds at most."""
        for press in presses(payload):
            # Those that are done stay until the loop has seen how they ended.
            if press.id in self._seen or sum(not task.done() for task in self._applying) >= _AT_ONCE:
                continue
            self._seen[press.id] = None
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            task = asyncio.create_task(self._apply(app, press), name="slack press")
            self._applying.add(task)

    async def _apply(self, app: SlackApp, press: Press) -> None:
        value = await self._name(app, press.value) if press.action == "assign" else ""
        outcome = await self.ask(command(press, value, self.now()))
        told = _answer(press, outcome, app.language)
        if told:
            with suppress(aiohttp.ClientError, TimeoutError, OSError, _RefusedError):
                payload = {"channel": press.channel, "user": press.user, "text": _plain(told), "parse": "none"}
                await self._call(app, "chat.postEphemeral", payload, app.token)

    async def _name(self, app: SlackApp, user: str) -> str:
        """The name of a person (scope users:read), else their id."""
        with suppress(aiohttp.ClientError, TimeoutError, OSError, _RefusedError):
            answer = await self._call(app, "users.info", {"user": user}, app.token)
            person = answer.get("user")
            profile = person.get("profile") if isinstance(person, dict) else None
            for place, name in ((profile, "display_name"), (person, "real_name"), (person, "name")):
                found = place.get(name) if isinstance(place, dict) else None
                if isinstance(found, str) and found.strip() and found.isprintable():
                    return found.strip()[:100]
        return user

    async def _call(self, app: SlackApp, method: str, form: Mapping[str, str], token: SecretStr) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        async with self.session.post(
            f"{app.api}/{method}", data=form, headers=headers, proxy=_secret(app.proxy), timeout=_TIMEOUT,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            try:
                body = json.loads(await answer.read())
            except ValueError as error:
                raise _RefusedError(f"HTTP {answer.status}") from error
        if not isinstance(body, dict):
            raise _RefusedError(f"HTTP {answer.status}")
        return body


_CLOSE = aiohttp.ClientWSTimeout(ws_close=2.0)


class _RefusedError(Exception):
    """Slack's answer is not what it must be; the message holds no secret."""


def command(press: Press, value: str, now: datetime) -> Command:
    """The command that a press asks for."""
    origin = f"slack {press.team}/{press.channel}/{press.user}"
    payload: dict[str, str] = {}
    kind = press.action
    if press.action in {"real", "noise"}:
        kind, payload = "verdict", {"verdict": press.action}
    elif press.action == "silence":
        payload = {"for": "1h"}
    elif press.action == "assign":
        payload = {"value": value}
    # A verdict is of what was seen, however it has gone on since.
    revision = None if kind == "verdict" else press.revision
    return Command(kind, press.incident, press.name, origin, now, payload, revision)


def _answer(press: Press, outcome: Outcome | None, language: Literal["zh", "en"]) -> str:
    """What only who pressed must be told; what was done is seen in the message itself."""
    if outcome is None:
        return "已收到，稍后生效。" if language == "zh" else "Taken; it will be done in a moment."
    if outcome.done and press.action not in {"real", "noise", "silence"}:
        return ""
    return outcome.because.of(language)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _schemes(api: str) -> tuple[str, ...]:
    """Plain websockets only where the API is spoken to in plain."""
    return ("wss://",) if api.startswith("https://") else ("wss://", "ws://")


def _lasted(seconds: float) -> None:
    """Raises where a connection ended so soon that dialling again at once would go on for ever."""
    if seconds < _STEADY:
        raise _RefusedError("closed_at_once")


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()
