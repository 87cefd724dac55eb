"""The file collector: followed, rotated, truncated, replaced, and read line by line whatever the lines are."""

import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from listener.collector import CollectError
from listener.collectors import FileConfig
from listener.http import Http
from listener.interchange import mention_line
from rules.mention import Mention


def collector(folder: Path, path: str):
    config = FileConfig(id="f", type="file", channel="weibo", path=path)
    return config.build(Http(), timezone=ZoneInfo("UTC"), base=folder)


def lines(*ids: str, channel: str = "weibo") -> str:
    return "".join(mention_line(Mention("s", channel, name, f"正文 {name}")) + "\n" for name in ids)


async def drain(source, cursor: str | None = None) -> tuple[list[str], str, list[str]]:
    ids, problems = [], []
    while True:
        batch = await source.collect(cursor)
        ids += [mention.external_id for mention in batch.mentions]
        problems += batch.problems
        cursor = batch.cursor
        if not batch.more:
            return ids, cursor, problems


async def test_an_incomplete_last_line_waits_for_its_end(tmp_path: Path):
    """A line counts once its newline is written, however many pieces it comes in."""
    path = tmp_path / "a.jsonl"
    source, cursor, seen = collector(tmp_path, "a.jsonl"), None, []
    whole = lines("1", "2").encode()
    path.touch()
    for end in range(0, len(whole) + 1, 5):
        path.write_bytes(whole[:end])
        ids, cursor, problems = await drain(source, cursor)
        assert problems == []
        seen += ids
    path.write_bytes(whole)
    seen += (await drain(source, cursor))[0]
    assert seen == ["1", "2"]


async def test_many_lines_come_in_portions(tmp_path: Path):
    """At most five hundred lines a poll, with more to come told, and none twice."""
    (tmp_path / "a.jsonl").write_text(lines(*map(str, range(1234))))
    first = await collector(tmp_path, "a.jsonl").collect(None)
    assert (len(first.mentions), first.more) == (500, True)
    ids, _, _ = await drain(collector(tmp_path, "a.jsonl"))
    assert ids == [str(number) for number in range(1234)]


@pytest.mark.parametrize("path", ["in", "in/*.jsonl", "*/*.jsonl", "in/**/*.jsonl"])
async def test_folders_and_patterns_are_read_in_order_and_new_files_join(tmp_path: Path, path: str):
    """A folder or pattern is all its files by name; one that comes later is read from its start."""
    folder = tmp_path / "in"
    folder.mkdir()
    source = collector(tmp_path, path)
    assert (await drain(source))[0] == []
    (folder / "b.jsonl").write_text(lines("b1"))
    (folder / "a.jsonl").write_text(lines("a1", "a2"))
    (folder / "note.txt").write_text("not this")
    ids, cursor, _ = await drain(source)
    assert ids == ["a1", "a2", "b1"]
    (folder / "c.jsonl").write_text(lines("c1"))
    with (folder / "a.jsonl").open("a") as stream:
        stream.write(lines("a3"))
    assert (await drain(source, cursor))[0] == ["a3", "c1"]


async def test_a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_start(tmp_path: Path):
    """Renaming away loses no line that was written before, and repeats none."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines("1", "2"))
    source = collector(tmp_path, "a.jsonl")
    _, cursor, _ = await drain(source)
    with path.open("a") as stream:
        stream.write(lines("3"))
    path.rename(tmp_path / "a.jsonl.1")
    path.write_text(lines("4"))
    ids, cursor, _ = await drain(source, cursor)
    assert ids == ["3", "4"]
    with (tmp_path / "a.jsonl.1").open("a") as stream:
        stream.write(lines("late"))
    ids, cursor, _ = await drain(source, cursor)
    assert ids == ["late"]
    (tmp_path / "a.jsonl.1").unlink()
    assert (await drain(source, cursor))[0] == []


async def test_a_truncated_and_a_replaced_file_start_anew(tmp_path: Path):
    """Shorter, or the same length with another beginning: it is a new file on an old name."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines("1", "2"))
    source = collector(tmp_path, "a.jsonl")
    _, cursor, _ = await drain(source)
    os.truncate(path, 0)
    _, cursor, _ = await drain(source, cursor)
    with path.open("a") as stream:
        stream.write(lines("3"))
    ids, cursor, _ = await drain(source, cursor)
    assert ids == ["3"]
    with path.open("r+") as stream:
        stream.write(lines("x", "y", "z"))
    assert (await drain(source, cursor))[0] == ["x", "y", "z"]


async def test_bad_lines_are_told_with_place_and_field_and_the_rest_goes_on(tmp_path: Path):
    """Every bad line is named by file, line and field; good ones between them are read."""
    path = tmp_path / "a.jsonl"
    good = lines("1").encode()
    bad = [b"{", b"\xff\xfe", b"[]", b'{"source":"s"}', lines("2").replace("正文", "").replace(" 2", "").encode().strip(),
           b'{"source":"s","channel":"c","external_id":"9","text":"x","published_at":"2026-01-05 10:00:00"}']  # fmt: skip
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\n".join(bad) + b"\n\n" + lines("3").encode())
    ids, _, problems = await drain(collector(tmp_path, "a.jsonl"))
    assert ids == ["1", "3"]
    told = [problem.removeprefix(f"{path}:") for problem in problems]
    assert [problem.split(":")[0] for problem in told] == ["2", "3", "4", "5", "6", "7"]
    assert told[3] == "5: channel: is missing"
    assert told[5].startswith("7: published_at: must be a time with its offset")


async def test_a_line_without_end_is_left_out_and_told(tmp_path: Path):
    """A line past two megabytes is skipped to its newline and costs no other line."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines("1").encode() + b"x" * (5 * 2**20) + b"\n" + lines("2").encode())
    ids, cursor, problems = await drain(collector(tmp_path, "a.jsonl"))
    assert ids == ["1", "2"]
    assert len(problems) == 1
    assert "a.jsonl:2: longer than" in problems[0]
    assert next(iter(json.loads(cursor).values()))["line"] == 3


async def test_source_is_the_configured_one_and_channel_the_lines(tmp_path: Path):
    """The key of a mention is the source's own; what the line says of its channel stands."""
    (tmp_path / "a.jsonl").write_text(lines("1", channel="douyin"))
    (mention,) = (await collector(tmp_path, "a.jsonl").collect(None)).mentions
    assert (mention.source, mention.channel) == ("f", "douyin")


@pytest.mark.parametrize("path", ["none.jsonl", "no/folder/*.jsonl"])
async def test_what_is_not_there_is_told(tmp_path: Path, path: str):
    """A missing file or folder is a failure, since silence would look like peace."""
    with pytest.raises(CollectError) as caught:
        await collector(tmp_path, path).collect(None)
    assert caught.value.reason == "not_found"


async def test_what_cannot_be_read_is_told(tmp_path: Path):
    """A path whose parent is a file is no source."""
    (tmp_path / "a").write_text("x")
    with pytest.raises(CollectError) as caught:
        await collector(tmp_path, "a/b.jsonl").collect(None)
    assert caught.value.reason == "unreadable"


async def test_a_hard_link_is_not_a_second_file(tmp_path: Path):
    """Two names of one file are one file."""
    (tmp_path / "a.jsonl").write_text(lines("1"))
    os.link(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert (await drain(collector(tmp_path, "*.jsonl")))[0] == ["1"]
