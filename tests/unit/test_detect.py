"""``listener detect``: a series of counts in, a score for each row out, and what cannot be read refused where it stands."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.cli import main
from listener.cli.detect import Detector
from rules.calendar import UTC_WEEKS

START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)


def line(number: int, value: object) -> str:
    return f"{(START + number * STEP).replace(tzinfo=None)},{value}\n"


def series(tmp_path: Path, *rows: str, header: str = "timestamp,value\n") -> str:
    path = tmp_path / "series.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return str(path)


def usual(hours: int) -> list[int]:
    """Two in five minutes by day, none at night."""
    return [2 if number // 12 % 24 < 16 else 0 for number in range(hours * 12)]


def scores(values: list[int]) -> list[float]:
    detector = Detector(STEP, UTC_WEEKS)
    return [detector.score(START + number * STEP, value) for number, value in enumerate(values)]


def test_each_row_has_its_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row by row, the times as they were given; a surge opens once, what is usual does not."""
    values = usual(24 * 10)
    values[9 * 288 + 120 : 9 * 288 + 126] = [40] * 6
    path = series(tmp_path, *(line(number, value) for number, value in enumerate(values)))
    assert main(["detect", "--step", "5m", path]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["timestamp", "anomaly_score"]
    assert [row[0] for row in rows[1:4]] == ["2026-03-02 00:00:00", "2026-03-02 00:05:00", "2026-03-02 00:10:00"]
    assert len(rows) == len(values) + 1
    opened = [number for number, (_, score) in enumerate(rows[1:]) if float(score) >= 0.5]
    assert [number for number in opened if number >= 3 * 288] == [9 * 288 + 120]


def test_it_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file."""
    monkeypatch.setattr("sys.stdin", io.StringIO("timestamp,value\n2026-03-02T08:00:00+08:00,3\n"))
    assert main(["detect", "--step", "5m"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("2026-03-02T08:00:00+08:00,0.")


@pytest.mark.parametrize("header", ["", "time,value\n", "timestamp,value,label\n"])
def test_a_wrong_header_is_refused(header: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file, its first line, and what must stand there."""
    path = series(tmp_path, header=header)
    assert main(["detect", "--step", "5m", path]) == 1
    assert capsys.readouterr().err == f"listener: {path}:1: the first line must be timestamp,value\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("soon,3\n", "timestamp: 'soon' is no time such as 2026-03-02 08:05:00"),
        (line(1, "many"), "value: 'many' is no count of mentions"),
        (line(1, "nan"), "value: 'nan' is no count of mentions"),
        (line(1, "inf"), "value: 'inf' is no count of mentions"),
        (line(1, -1), "value: '-1' is less than nothing"),
        ("2026-03-02 00:05:00\n", "1 cells; timestamp,value are expected"),
        (line(0, 3), "timestamp: 2026-03-02 00:00:00 is not after the row before it"),
        (line(-1, 3), "timestamp: 2026-03-01 23:55:00 is not after the row before it"),
    ],
    ids=["time", "value", "nan", "infinite", "negative", "cells", "twice", "order"],
)
def test_a_bad_row_is_told_with_its_place(
    row: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line; the rows before it have been told, nothing after it is."""
    path = series(tmp_path, line(0, 3), row, line(2, 3))
    assert main(["detect", "--step", "5m", path]) == 1
    out, err = capsys.readouterr()
    assert err == f"listener: {path}:3: {says}\n"
    assert len(out.splitlines()) == 2


def test_an_absurd_count_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A count that no bin can hold is told with its place, not as a crash."""
    path = series(tmp_path, line(0, 3), line(1, "1e300"))
    assert main(["detect", "--step", "5m", path]) == 1
    assert capsys.readouterr().err == f"listener: {path}:3: value: '1e300' is more than 1,000,000,000\n"


def test_as_many_as_may_be_are_counted() -> None:
    """An hour of the largest counts fits."""
    assert all(0 <= score <= 1 for score in scores([10**9] * 30))


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name, and why."""
    path = str(tmp_path / "none.csv")
    assert main(["detect", "--step", "5m", path]) == 1
    assert capsys.readouterr().err == f"listener: {path}: No such file or directory\n"


@pytest.mark.parametrize(
    "option", [["--step", "30s"], ["--step", "often"], ["--step", "5m", "--timezone", "Mars/Base"]]
)
def test_a_wrong_option_is_wrong_usage(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the reason."""
    assert main(["detect", *option]) == 2
    assert f"{option[-1]!r} is no " in capsys.readouterr().err


def test_a_gap_is_not_silence() -> None:
    """Two days without rows teach nothing: what comes after is as little a surprise as if they had not been."""
    values, after = usual(24 * 10), 12 * 288
    seen, unseen = Detector(STEP, UTC_WEEKS), Detector(STEP, UTC_WEEKS)
    for number, value in enumerate(values):
        seen.score(START + number * STEP, value)
        unseen.score(START + number * STEP, value)
    for number in range(len(values), after):
        seen.score(START + number * STEP, 0)
    last = [(seen.score(START + n * STEP, 2), unseen.score(START + n * STEP, 2)) for n in range(after, after + 72)]
    assert max(gap for _, gap in last) < max(silent for silent, _ in last)
    assert all(gap < 0.5 for _, gap in last)


@given(st.lists(st.integers(0, 60), min_size=2, max_size=120), st.data())
@settings(max_examples=40, deadline=None)
def test_a_row_depends_on_those_before_it_alone(values: list[int], data: st.DataObject) -> None:
    """A part of the input, from its beginning, gives that part of the output."""
    many = [value for value in values for _ in range(6)]
    cut = data.draw(st.integers(1, len(many)))
    assert scores(many)[:cut] == scores(many[:cut])
    assert all(0 <= score <= 1 for score in scores(many))
