"""``python -m deploy.demo``: watch a brand crisis being caught.

Starts four small sites on loopback and the real program beside them, lets a power bank catch fire, and goes on until
Ctrl-C. Nothing here is known to the program: it polls the sites over HTTP as it would any other.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from deploy.demo.feeds import PATHS, Timeline, application, sites
from deploy.demo.posts import crisis, yesterday

HOST = "127.0.0.1"
PORT = 8420
CONFIGURATION = Path(__file__).with_name("listener.yml")
_QUIET = timedelta(seconds=6)  # between the console's address and the first post of the crisis
_START = 60.0  # seconds that the program may take until it is ready
_ALERT = 60.0  # seconds until an alert must have been told
_STOP = 20.0  # seconds that the program may take to end; half a second is usual, a busy machine may need more
_ENDED_WELL = (0, -signal.SIGTERM)  # the latter where it was stopped before it could listen to signals


class DemoError(Exception):
    """The demo cannot go on, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: the program, the address of its console, and the sites."""

    program: asyncio.subprocess.Process
    console: str
    timeline: Timeline


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="Watch a brand crisis being caught.")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the console (default {PORT}, or a free one)")
    parser.add_argument("--once", action="store_true", help="end by itself once the alert has been told")
    parser.add_argument("--log-level", default="warning", help="how much the program logs (default warning)")
    args = parser.parse_args(argv)
    try:
        return asyncio.run(run(args.port, once=args.once, log_level=args.log_level))
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1


async def run(port: int, *, once: bool, log_level: str) -> int:
    """Run until a signal says to stop, or with *once* until the alert has been told; answers the exit code."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    print("正在启动站点和程序… Starting the sites and the program; this takes a few seconds.", flush=True)
    with tempfile.TemporaryDirectory(prefix="listener-demo-") as folder:
        async with _sites() as (timeline, address), _program(Path(folder), address, port, log_level) as demo:
            stopping = asyncio.ensure_future(stopped.wait())
            story = asyncio.ensure_future(_story(Demo(*demo, timeline), once=once))
            ended = asyncio.ensure_future(demo[0].wait())
            await asyncio.wait({stopping, story, ended}, return_when=asyncio.FIRST_COMPLETED)
            try:
                if ended.done() and not stopping.done():
                    raise DemoError(f"The program ended by itself with exit code {ended.result()}.")
                if story.done():
                    story.result()
            finally:
                for task in (stopping, story, ended):
                    task.cancel()
                await asyncio.gather(stopping, story, ended, return_exceptions=True)
    if demo[0].returncode not in _ENDED_WELL:
        raise DemoError(f"The program did not end well: exit code {demo[0].returncode}.")
    return 0


async def _story(demo: Demo, *, once: bool) -> None:
    """Wait until the program is ready, start the crisis, and see the alert told."""
    async with aiohttp.ClientSession() as http:
        await _until_ready(http, demo.console)
        _print_banner(demo.console)
        shown = datetime.now(UTC)
        demo.timeline.add(crisis(shown + _QUIET))
        took = await _until_told(http, demo.console, shown)
        print(f"\n演示：预警已送达（{took:.0f} 秒）。Told after {took:.0f} s; evidence: {demo.console}", flush=True)
    if not once:
        await asyncio.Event().wait()


async def _until_ready(http: aiohttp.ClientSession, console: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{console}readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.2)
    raise DemoError(f"The program was not ready within {_START:.0f} s.")


async def _until_told(http: aiohttp.ClientSession, console: str, shown: datetime) -> float:
    """Seconds from *shown* until the program counts a notification as sent."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ALERT):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{console}metrics") as answer:
                        if _sent(await answer.text()):
                            return (datetime.now(UTC) - shown).total_seconds()
                await asyncio.sleep(0.5)
    raise DemoError(f"No alert was told within {_ALERT:.0f} s of the console's address.")


def _sent(exposition: str) -> bool:
    lines = (line for line in exposition.splitlines() if line.startswith("listener_notifications_sent_total{"))
    return any(float(line.rpartition(" ")[2]) > 0 for line in lines)


@contextlib.asynccontextmanager
async def _sites() -> AsyncIterator[tuple[Timeline, str]]:
    """The sites on a free port, with the day before already written; their timeline and their address."""
    now = datetime.now(UTC)
    timeline = sites(yesterday(now), now)
    runner = web.AppRunner(application(timeline), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0, shutdown_timeout=0.5)
        await site.start()
        port = runner.addresses[0][1]
        yield timeline, f"http://{HOST}:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _program(
    folder: Path, address: str, port: int, log_level: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The real program, in its own process group so that Ctrl-C reaches it through us alone; and its console."""
    listen = f"{HOST}:{_free_port(port)}"
    environment = os.environ | {
        "DEMO_DATABASE": f"sqlite:///{folder / 'listener.db'}",
        "DEMO_LISTEN": listen,
        "DEMO_CONSOLE": f"http://{listen}",
        "DEMO_LOG_LEVEL": log_level,
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "DEMO_PLAYBOOK_FIRE": f"{address}/playbooks/product-safety",
        "DEMO_PLAYBOOK_SURGE": f"{address}/playbooks/negative-surge",
        **{f"DEMO_{site.upper()}": address + path for site, path in PATHS.items()},
    }
    command = (sys.executable, "-m", "listener", "run", "-c", str(CONFIGURATION))
    program = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, process_group=0
    )
    try:
        yield program, f"http://{listen}/"
    finally:
        await _stop(program)


async def _stop(program: asyncio.subprocess.Process) -> None:
    if program.returncode is not None:
        return
    program.terminate()
    try:
        await asyncio.wait_for(program.wait(), _STOP)
    except TimeoutError:
        print(f"The program did not end within {_STOP:.0f} s and was killed; what it was doing:", file=sys.stderr)
        program.send_signal(signal.SIGABRT)  # faulthandler prints the stack of every thread
        await program.wait()


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise DemoError("No free port on loopback.")


def _print_banner(console: str) -> None:
    print(
        f"""
  控制台 Console   {console}

  四个演示站点已写好一天的日常讨论。几秒后，一只云杉充电宝将在列车上起火；
  预警会在一分钟内出现在这里和控制台，风波平息几分钟后自动解除。按 Ctrl-C 结束。
  Four demo sites hold a day of ordinary talk. In a few seconds a power bank catches fire on a train;
  within a minute the alert appears here and on the console, and it ends some minutes after the talk has.
  Ctrl-C ends the demo.
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
