"""More records than memory should hold, in order: sorted runs in temporary files, merged."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

AT_ONCE = 100_000
MOST_RUNS = 200
"""Runs that are merged at once; more are merged in stages, so that the limit of open files is never met."""


def ordered(records: Iterable[bytes], *, at_once: int = AT_ONCE) -> Iterator[bytes]:
    """The records in the order of their bytes; none may hold a line break. Holds *at_once* of them in memory."""
    with ExitStack() as stack:
        runs: list[IO[bytes]] = []
        held: list[bytes] = []
        for record in records:
            held.append(record)
            if len(held) >= at_once:
                runs.append(_run(sorted(held), stack))
                held = []
                if len(runs) >= MOST_RUNS:
                    whole = _run(_merged(runs), stack)
                    for run in runs:
                        run.close()
                    runs = [whole]
        held.sort()
        yield from heapq.merge(_merged(runs), held) if runs else held


def _run(records: Iterable[bytes], stack: ExitStack) -> IO[bytes]:
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    for record in records:
        file.write(record + b"\n")
    file.seek(0)
    return file


def _merged(runs: list[IO[bytes]]) -> Iterator[bytes]:
    # Without their line breaks, which would sort after the control characters that a record may go on with.
    return heapq.merge(*(_records(run) for run in runs))


def _records(run: IO[bytes]) -> Iterator[bytes]:
    for line in run:
        yield line[:-1]
