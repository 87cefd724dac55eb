"""The program, killed by SIGKILL at a named point: ``python -m tests.support.failpoint POINT NTH run -c FILE``.

The production code knows nothing of it: one function of it is wrapped here before the program begins, and in the NTH call
the process kills itself before it (``-``) or when it has returned (``+``). A transaction has two points: when all of it is
written and not committed (``-``), and when the commit has returned (``+``).
"""

import functools
import importlib
import inspect
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from listener.cli import main
from listener.storage.database import Database

CALLS = {
    "fetched": "- listener.pipeline Pipeline keep",
    "cursor written": "+ listener.storage.sources save",
    "events written": "+ listener.storage.alerting keep_events",
    "incidents written": "+ listener.storage.alerting keep",
    "message put": "+ listener.storage.outbox put",
    "told noted": "+ listener.storage.alerting tell",
    "leased": "+ listener.storage.outbox lease",
    "hook to be asked": "- alerts.channels.webhook WebhookChannel send",
    "hook answered": "+ alerts.channels.webhook WebhookChannel send",
    "robot to be asked": "- alerts.channels.dingtalk DingTalkRobot send",
    "robot answered": "+ alerts.channels.dingtalk DingTalkRobot send",
    "marked": "+ listener.storage.outbox mark_sent",
    "snapshot written": "+ listener.storage.history save_snapshot",
    "released at the start": "+ listener.storage.outbox release",
}
TRANSACTIONS = {
    f"{what} {moment}": f"{sign} {operation}"
    for what, operation in {"mentions": "mentions", "alerts": "alerts", "flush": "flush", "delivery": "outbox"}.items()
    for moment, sign in (("ready", "-"), ("committed", "+"))
} | {"snapshot committed": "+ snapshot"}


def _countdown(nth: int) -> Callable[[], None]:
    left = nth

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _wrap_call(sign: str, path: list[str], reached: Callable[[], None]) -> None:
    *owners, name = path
    owner: Any = importlib.import_module(owners[0])
    for one in owners[1:]:
        owner = getattr(owner, one)
    whole: Callable[..., Awaitable[object]] = getattr(owner, name)
    assert inspect.iscoroutinefunction(whole), path

    @functools.wraps(whole)
    async def wrapped(*args: object, **named: object) -> object:
        if sign == "-":
            reached()
        result = await whole(*args, **named)
        if sign == "+":
            reached()
        return result

    setattr(owner, name, wrapped)


def _wrap_transaction(sign: str, wanted: str, reached: Callable[[], None]) -> None:
    whole = Database.write

    @asynccontextmanager
    async def write(self: Database, operation: str) -> AsyncIterator[Any]:
        async with whole(self, operation) as connection:
            yield connection
            if sign == "-" and operation == wanted:
                reached()
        if sign == "+" and operation == wanted:
            reached()

    Database.write = write  # type: ignore[method-assign, assignment]


def arm(point: str, nth: int) -> None:
    sign, *path = (CALLS | TRANSACTIONS)[point].split()
    if point in TRANSACTIONS:
        _wrap_transaction(sign, path[0], _countdown(nth))
    else:
        _wrap_call(sign, path, _countdown(nth))


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
