"""Prints. For the first look, and for those who read the service's journal."""

import asyncio
import os
import sys
from typing import ClassVar, Literal, TextIO

import aiohttp
from pydantic import Field

from alerts.alert import Level
from alerts.channel import DeliveryError
from alerts.channels.base import Clock, Limits, Name, Told, utc_now
from alerts.notification import Notification, Receipt
from alerts.render import message
from alerts.render.plain import plain

# bold white or black on the level's colour; 256-colour codes, as terminals agree on them
_COLOURS = {
    Level.blue: "1;38;5;231;48;5;26",
    Level.yellow: "1;38;5;16;48;5;220",
    Level.orange: "1;38;5;16;48;5;208",
    Level.red: "1;38;5;231;48;5;160",
}
_OVER = "1;38;5;231;48;5;28"


class ConsoleConfig(Told):
    """Prints alerts to the program's standard error, or output."""

    limits: ClassVar[Limits] = Limits(body=64 * 1024, digest=100)

    type: Literal["console"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    stream: Literal["stderr", "stdout"] = Field("stderr", description="where to print")

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "ConsoleChannel":
        """Needs no session; it is there because every channel is built alike."""
        del http
        return ConsoleChannel(sys.stdout if self.stream == "stdout" else sys.stderr, clock)


class ConsoleChannel:
    """Writes in a thread: a pipe that nobody reads must not stop the program. Colour on a terminal only."""

    def __init__(self, stream: TextIO, clock: Clock = utc_now) -> None:
        self._stream = stream
        self._clock = clock
        self._turn = asyncio.Lock()

    async def send(self, notification: Notification, /) -> Receipt:
        told = message(notification)
        text = plain(told)
        async with self._turn:
            try:
                if self._stream.isatty() and not os.environ.get("NO_COLOR"):
                    headline, _, rest = text.partition("\n")
                    text = f"\x1b[{_OVER if told.over else _COLOURS[told.level]}m {headline} \x1b[0m\n{rest}"
                await asyncio.to_thread(self._write, text + "\n")
            except (OSError, ValueError) as error:  # a ValueError: the stream is closed
                raise DeliveryError("network", f"cannot write: {type(error).__name__}", retryable=True) from error
        return Receipt("", self._clock())

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()
