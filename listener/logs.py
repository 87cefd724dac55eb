"""The program's own log: facts in the past tense with keys from a closed list, one line each, on stderr.

JSON where a machine reads, ``key=value`` where a person does. What strangers wrote can break no line and no terminal:
control characters leave as escapes. Texts of mentions are for debug alone; secrets and addresses of hooks for nothing.
"""

import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "text"]

KEYS = frozenset(
    {
        # what it is about
        "source", "topic", "rule", "alert", "incident", "receiver", "channel", "analyzer", "target",
        # how it went
        "reason", "detail", "attempts", "took", "count", "size", "since", "until", "problems", "state", "act",
        # where
        "file", "line", "url", "path", "part", "logger", "operation",
        # the program
        "version", "signal", "host", "port", "seq", "tick",
    }
)  # fmt: skip
_ADDED = frozenset({"at", "level", "event", "exception", "unknown_keys"})
_LONGEST = 4000  # characters of one value
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NOT_IN_JSON = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BARE = re.compile(r"[^\s\"'=\\]+\Z")
_COLOURS = {"debug": "2", "info": "36", "warning": "33", "error": "31", "critical": "1;31"}


def configure(*, level: Level = "info", style: Format = "auto", stream: TextIO | None = None) -> None:
    """Set up the log of the whole process, libraries included; may be called again, as on a reload."""
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    text = style == "text" or (style == "auto" and terminal)
    render = _text(colour=terminal and not os.environ.get("NO_COLOR")) if text else as_json
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,  # without local variables: they hold secrets
        closed_keys,
        render,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Libraries)]:
        root.removeHandler(handler)
    root.addHandler(Libraries(logging.WARNING))
    logging.captureWarnings(capture=True)


def closed_keys(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep to the list: of a key that is not on it the name is kept, not the value, which nobody judged safe to log."""
    unknown = sorted(event.keys() - KEYS - _ADDED)
    kept = {key: value for key, value in event.items() if key not in unknown}
    return kept | {"unknown_keys": ",".join(unknown)} if unknown else kept


def as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One JSON object: time, level, event, then the keys in the order they were given."""
    values = {key: _short(value) if isinstance(value, str) else value for key, value in _ordered(event).items()}
    line = json.dumps(values, ensure_ascii=False, default=str)
    return _NOT_IN_JSON.sub(_json_escape, line)


def _text(*, colour: bool) -> Processor:
    def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        values = _ordered(event)
        at, level, name = (str(values.pop(key, "")) for key in ("at", "level", "event"))
        trace = str(values.pop("exception", ""))
        shown = f"{level:<8}"
        if colour:
            shown = f"\x1b[{_COLOURS.get(level, '0')}m{shown}\x1b[0m"
        line = " ".join([at, shown, escaped(name), *(f"{key}={_quoted(value)}" for key, value in values.items())])
        # A traceback keeps its lines, set in so that none passes for an event.
        return "\n".join([line, *("    | " + escaped(row) for row in trace.splitlines())])

    return render


def escaped(text: str) -> str:
    """*text* on one line: control characters, bidirectional marks and lone surrogates as escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def _quoted(value: object) -> str:
    text = escaped(_short(str(value)))
    return text if _BARE.match(text) else json.dumps(text, ensure_ascii=False).replace("\\\\", "\\")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _ordered(event: EventDict) -> EventDict:
    first = {key: event[key] for key in ("at", "level", "event") if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class _Lines:
    """Writes lines. A full disk or a reader that has gone must not stop the service: such a line is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


class Libraries(logging.Handler):
    """Hands on what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        speak: Callable[..., None] = log.error if record.levelno >= logging.ERROR else log.warning
        speak("library_spoke", logger=record.name, detail=record.getMessage(), exc_info=record.exc_info)
