"""``listener detect``: the ``baseline`` condition on a series of counts, one row after the other."""

import argparse
import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from listener.yaml_scalars import duration
from rules.calendar import Calendar
from rules.conditions import Baseline
from rules.normal import Normal
from rules.panes import pane_of
from rules.reading import State
from rules.rollup import Rollup

_MINUTE = timedelta(minutes=1)
_HEADER = ["timestamp", "value"]
_MOST = 10**9
"""Mentions of a row; more is a slip of the pen."""


class RowError(Exception):
    """A row that cannot be read; nothing after it is."""


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads lines 'timestamp,value' (a header first; times without an offset are UTC) and writes timestamp,anomaly_score "
        "for each, from 0 to 1, online: a row's score depends on it and the rows before it. A score of 0.5 or more opens an "
        "alert; while one is open, and for an hour after it, nothing opens."
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="CSV", help="the series; none: standard input")
    parser.add_argument(
        "--step",
        type=_duration,
        required=True,
        metavar="5m",
        help="how far apart the rows are; a longer gap was not seen",
    )
    parser.add_argument(
        "--calendar", choices=["none", "CN"], default="none", help="whose holidays hold (default: none)"
    )
    parser.add_argument(
        "--timezone", type=_zone, default="UTC", metavar="NAME", help="whose hours and weekdays they are (default: UTC)"
    )


def run(args: argparse.Namespace) -> int:
    detector = Detector(args.step, Calendar(args.timezone, args.calendar))
    name = str(args.file) if args.file else "standard input"
    try:
        if args.file is None:
            return _detect(sys.stdin, name, detector)
        with args.file.open(newline="", encoding="utf-8-sig") as stream:
            return _detect(stream, name, detector)
    except (RowError, UnicodeDecodeError) as error:
        print(f"listener: {error}", file=sys.stderr)
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
    return 1


def _detect(stream: TextIO, name: str, detector: "Detector") -> int:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["timestamp", "anomaly_score"])
    for text, at, value in _rows(stream, name):
        writer.writerow([text, f"{detector.score(at, value):.6f}"])
    return 0


class Detector:
    """The condition, with its defaults where none is given, over one series whose rows are *step* apart."""

    def __init__(self, step: timedelta, calendar: Calendar, condition: Baseline | None = None) -> None:
        self._condition = condition or Baseline(type="baseline")
        self._window = self._condition.looks_at.window
        self._rollup = Rollup(self._condition.looks_at.roll, calendar)
        self._step = -(-step // _MINUTE)
        self._since: int | None = None
        self._last = 0
        self._unseen: list[tuple[int, int]] = []
        self._inside: deque[tuple[int, int]] = deque()
        self._count = 0
        self._state: State = None

    def score(self, at: datetime, value: int) -> float:
        """The next row, *value* mentions that ended at *at* (aware); how it reads, from 0 to 1."""
        normal, minute, count = self.take(at, value)
        usual = normal.expected(minute, self._window, count)
        open_before = self._condition.going(self._state, minute)
        holds, self._state = self._condition.judge(usual, self._state, minute)
        # Half of the scale for rows that open an alert, half for those that tell nothing new.
        part = usual.surprise / (usual.surprise + self._condition.surprise)
        return (0.5 + part / 2) if holds and not open_before else part / 2

    def take(self, at: datetime, value: int) -> tuple[Normal, int, int]:
        """The next row; what is usual by then, the minute that it ended in, and the window's count with it."""
        minute = pane_of(at)
        if self._since is None:
            self._since = minute - self._step
        elif minute - self._last > 2 * self._step:
            self._unseen.append((self._last, minute - self._step))
        self._last = minute
        self._rollup.add(minute, value)
        self._inside.append((minute, value))
        self._count += value
        while self._inside[0][0] <= minute - self._window:
            self._count -= self._inside.popleft()[1]
        return self._rollup.catch_up(minute, self._since, self._dark), minute, self._count

    def _dark(self, begin: int, end: int) -> bool:
        return any(begin < until and since < end for since, until in self._unseen)


def _rows(stream: Iterable[str], name: str) -> Iterator[tuple[str, datetime, int]]:
    reader = csv.reader(stream)
    header = next(reader, None)
    if header is None or [cell.strip() for cell in header] != _HEADER:
        raise RowError(f"{name}:1: the first line must be {','.join(_HEADER)}")
    last: datetime | None = None
    for row in reader:
        where = f"{name}:{reader.line_num}"
        if not row:
            continue
        if len(row) != len(_HEADER):
            raise RowError(f"{where}: {len(row)} cells; {','.join(_HEADER)} are expected")
        at, value = _time(row[0], where), _value(row[1], where)
        if last is not None and at <= last:
            raise RowError(f"{where}: timestamp: {row[0]} is not after the row before it")
        last = at
        yield row[0], at, value


def _time(text: str, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise RowError(f"{where}: timestamp: {text!r} is no time such as 2026-03-02 08:05:00") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _value(text: str, where: str) -> int:
    try:
        value = round(float(text))
    except (ValueError, OverflowError) as error:
        raise RowError(f"{where}: value: {text!r} is no count of mentions") from error
    if value < 0:
        raise RowError(f"{where}: value: {text!r} is less than nothing")
    if value > _MOST:
        raise RowError(f"{where}: value: {text!r} is more than {_MOST:,}")
    return value


def _duration(text: str) -> timedelta:
    step = duration(text)
    if step is None or step < _MINUTE:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 5m, of a minute or more")
    return step


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone such as Asia/Shanghai") from error
