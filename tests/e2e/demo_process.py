"""Runs the demo as a person would, and reads what it prints."""

import asyncio
import contextlib
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "deploy.demo")
ADDRESS = re.compile(r"Console\s+(http://127\.0\.0\.1:\d+/)")


@dataclass(slots=True)
class RunningDemo:
    """``lines`` are what it has printed, each with the monotonic moment at which it came."""

    process: asyncio.subprocess.Process
    lines: list[tuple[float, str]] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return "".join(line for _, line in self.lines)

    async def until(self, pattern: str | re.Pattern[str], seconds: float) -> tuple[float, re.Match[str]]:
        """The first line that matches, printed already or within *seconds*, and when it came."""
        async with asyncio.timeout(seconds):
            read = 0
            while True:
                while read < len(self.lines):
                    moment, line = self.lines[read]
                    if found := re.search(pattern, line):
                        return moment, found
                    read += 1
                assert self.process.returncode is None, self.text
                self.more.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.more.wait(), 1)

    async def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Send the signal, wait, and answer the seconds that ending took."""
        started = time.monotonic()
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), 40)
        return time.monotonic() - started


@contextlib.asynccontextmanager
async def running_demo(*arguments: str) -> AsyncIterator[RunningDemo]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    demo = RunningDemo(process)
    reading = asyncio.create_task(_read(demo))
    try:
        yield demo
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading


async def _read(demo: RunningDemo) -> None:
    assert demo.process.stdout is not None
    while line := await demo.process.stdout.readline():
        demo.lines.append((time.monotonic(), line.decode()))
        demo.more.set()
    demo.more.set()
