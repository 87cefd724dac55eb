import itertools
import os
from datetime import timedelta
from pathlib import Path

import pytest

from listener.document import MAX_BYTES, MAX_COPIES, MAX_DEPTH, Document, read
from listener.yaml_scalars import duration, duration_text


def write(folder: Path, text: str | bytes, name: str = "a.yml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(document: Document) -> list[tuple[int, int, str]]:
    return [(mistake.place.line, mistake.place.column, mistake.message) for mistake in document.mistakes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("90s", timedelta(seconds=90)),
        ("400d", timedelta(days=400)),
        ("2w", timedelta(weeks=2)),
        ("500ms", timedelta(milliseconds=500)),
        ("1m500ms", timedelta(minutes=1, milliseconds=500)),
        ("0s", timedelta(0)),
        ('"30m"', "30m"),
        ("30M", "30M"),
        ("30m1h", "30m1h"),
        ("-5m", "-5m"),
        ("1.5h", "1.5h"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("2024-01-02", "2024-01-02"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ("云杉", "云杉"),
        ("٣", "٣"),
    ],
)
def test_what_a_bare_word_means(tmp_path, text, value):
    """Durations, numbers, booleans and null are told apart from text as the reference says, quotes make text."""
    document = read(write(tmp_path, f"key: {text}\n"))
    assert document.mistakes == []
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


@pytest.mark.parametrize("text", ["1w2d3h4m5s6ms", "30m", "1h30m", "0s", "400d"])
def test_durations_are_written_as_they_are_read(text):
    """Writing a duration and reading it again gives the same one."""
    span = duration(text)
    assert span is not None
    assert duration(duration_text(span)) == span


def test_keys_stay_text(tmp_path):
    """A key is text whatever it looks like, so that NO and 360 can be keys."""
    assert read(write(tmp_path, "NO: 1\n360: 2\ntrue: 3\n30m: 4\n")).value == {"NO": 1, "360": 2, "true": 3, "30m": 4}


def test_places_of_keys_and_values(tmp_path):
    """Every value and its key have their line and column, counted from 1 in code points."""
    document = read(write(tmp_path, "甲: [云杉, {乙: x}]\nnext:\n  deep: y\n"))
    assert document.origin(("甲", 1, "乙")).place[1:] == (1, 13)
    assert document.origin(("甲", 1, "乙")).key[1:] == (1, 10)
    assert document.origin(("next", "deep")).place[1:] == (3, 9)
    assert document.origin(("next", "absent", 3)).place[1:] == (3, 3)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "this key stands twice, first at line 1"),
        ("a: !foo x\n", 1, 4, "unknown tag !foo: only !env NAME and !file PATH are tags"),
        ("a: !!str 3\n", 1, 4, "unknown tag tag:yaml.org,2002:str: only !env NAME and !file PATH are tags"),
        ("a: !!python/object/apply:os.system [id]\n", 1, 4, "unknown tag"),
        ("a: !env UNSET\n", 1, 4, "the environment variable UNSET is not set"),
        ("a: !env EMPTY\n", 1, 4, "the environment variable EMPTY is empty"),
        ("a: !env 'A B'\n", 1, 4, "!env takes the name of an environment variable, and 'A B' is none"),
        ("a: !env [A]\n", 1, 4, "!env takes a variable's name, !file a path"),
        ("a: !file nothing.txt\n", 1, 4, "nothing.txt cannot be read: no such file or directory"),
        ("a:\n\tb: 1\n", 2, 1, "a tab stands here: indent with spaces"),
        ("a:\n  - b\n\t- c\n", 3, 1, "a tab stands here: indent with spaces"),
        ("q: @acme AND x\n", 1, 4, "text that starts with @ must stand in quotes"),
        ("q: *.yml\n", 1, 5, "text that starts with * or & must stand in quotes"),
        ("q: *name\n", 1, 4, "text that starts with * must stand in quotes (or the anchor for this alias is missing)"),
        ("q: %x\n", 1, 4, "text that starts with % must stand in quotes"),
        ("a: 1\n---\nb: 2\n", 2, 1, "one file holds one document: '---' stands here a second time"),
        ("# nothing\n", 1, 1, "is empty"),
        ("", 1, 1, "is empty"),
        ("a: b: c\n", 1, 5, "a ':' is not allowed here: put text that holds ': ' in quotes"),
        ('a: "open\nb: 1\n', 1, 4, "a quote is opened and never closed"),
        ("a:\n  - b\n c: 1\n", 3, 2, "the indentation does not fit the lines above"),
        ("a: [1, 2\nb: 3\n", 2, 2, "a ',' or a closing ] is missing here"),
        ('a: "\\d"\n', 1, 6, "\\d is no escape within double quotes: use single quotes or \\\\d"),
        ("? [a]\n: 1\n", 1, 3, "a key must be plain text"),
        ("a: 99999999999999d\n", 1, 4, "is too large"),
        (f"a: {'9' * 5000}\n", 1, 4, "is too large"),
        ("a: &a\n  b: *a\n", 1, 4, "an alias may not stand within its own anchor"),
        ("a: {<<: 5}\n", 1, 9, "'<<' takes an alias of a mapping"),
        ("a: 1\nb: \x01\n", 2, 4, "U+0001 is not allowed in YAML"),
        ("甲: 1\nb: ".encode() + "中".encode("gbk"), 2, 4, "is not UTF-8 text from here on; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, 1, "is not UTF-8 text from here on; save the file as UTF-8"),
    ],
)
def test_mistakes_are_located_in_plain_words(tmp_path, text, line, column, message):
    """Each kind of malformed YAML gives one mistake at its line and column, and none raises."""
    [(at_line, at_column, said)] = mistakes(read(write(tmp_path, text), {"EMPTY": ""}))
    assert (at_line, at_column) == (line, column)
    assert message in said


def test_what_follows_a_mistake_is_still_read(tmp_path):
    """A mistake that YAML survives leaves a hole, and the others are found too."""
    document = read(write(tmp_path, "a: !env ONE\nb: [!env TWO, ok]\nb: again\nc: 30m\n"), {})
    assert [line for line, _, _ in mistakes(document)] == [1, 2, 3]
    assert document.holes == {("a",), ("b", 0)}
    assert document.value == {"a": None, "b": [None, "ok"], "c": timedelta(minutes=30)}


def test_tags_give_text_and_are_remembered(tmp_path):
    """A variable and a file come in as text whatever they look like; the file loses one trailing newline."""
    write(tmp_path, "起火\n爆炸\n\n", "words.txt")
    document = read(write(tmp_path, "a: !env A\nb: !file words.txt\n"), {"A": "30m"})
    assert document.value == {"a": "30m", "b": "起火\n爆炸\n"}
    assert document.origin(("a",)).tag == "!env A"
    assert document.hidden["30m"] == "!env A"
    assert document.files == [tmp_path / "a.yml", tmp_path / "words.txt"]


def test_a_files_values_do_not_reach_the_message(tmp_path):
    """A mistake with a variable names the variable and holds nothing of what other variables say."""
    document = read(write(tmp_path, "a: !env SECRET\nb: !env NONE\n"), {"SECRET": "hunter2-hunter2"})
    assert "hunter2" not in str(document.mistakes)


def test_anchors_and_merges(tmp_path):
    """An alias repeats a value, a mapping's own keys win over merged ones, whatever the order."""
    document = read(write(tmp_path, "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {b: 4, <<: [*x, *x]}\n"))
    assert document.mistakes == []
    assert document.value == {"x": {"a": 1, "b": 2}, "y": {"b": 3, "a": 1}, "z": {"b": 4, "a": 1}}


def test_billion_laughs_is_refused(tmp_path):
    """Aliases of aliases are counted as they multiply, and refused long before memory or time is spent on them."""
    names = "abcdefghij"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise(names)]
    document = read(write(tmp_path, "\n".join(lines)))
    assert mistakes(document)[-1][2] == f"aliases repeat more than {MAX_COPIES:,} values"
    assert len(document.origins) < 2 * MAX_COPIES
    assert document.value is None


@pytest.mark.parametrize("opened", ["[" * 100_000, "{a: " * 50_000, "\n".join(" " * i + "a:" for i in range(500))])
def test_deep_nesting_is_refused(tmp_path, opened):
    """Nesting ends at a bound with a located mistake, never in a RecursionError."""
    [(line, _, said)] = mistakes(read(write(tmp_path, opened)))
    assert line > 0
    assert said == f"is nested deeper than {MAX_DEPTH} levels"


def test_a_file_has_a_bound(tmp_path):
    """A file past the bound is refused before it is parsed, as is one that never ends."""
    assert "is larger than 10 MiB" in read(write(tmp_path, b"a" * (MAX_BYTES + 1))).mistakes[0].message
    assert "is larger than 10 MiB" in read(Path("/dev/zero")).mistakes[0].message


def test_what_cannot_be_opened(tmp_path):
    """A missing file and a folder are mistakes of the file as a whole."""
    missing, folder = read(tmp_path / "none.yml"), read(tmp_path)
    assert mistakes(missing) == [(0, 0, "cannot be read: no such file or directory")]
    assert mistakes(folder) == [(0, 0, "cannot be read: is a directory")]
    if os.geteuid() != 0:
        path = write(tmp_path, "a: 1\n")
        path.chmod(0)
        assert mistakes(read(path)) == [(0, 0, "cannot be read: permission denied")]


@pytest.mark.parametrize(
    ("text", "line", "column", "place"),
    [
        ("q: abc def\n", 1, 5, (1, 8)),
        ("q: '@a def'\n", 1, 4, (1, 8)),
        ('q: "@a def"\n', 1, 4, (1, 8)),
        ("q: |\n  abc\n  def\n", 2, 2, (3, 4)),
        ("q: |\n\n  abc\n", 2, 1, (3, 3)),
        ("q: 'it''s'\n", 1, 4, (1, 4)),
        ("q: >\n  abc\n  def\n", 1, 5, (1, 4)),
        ("q: abc\n  def\n", 1, 5, (1, 4)),
    ],
)
def test_a_place_within_a_text(tmp_path, text, line, column, place):
    """A line and column within a value become those of the file where its lines are written as they are read."""
    origin = read(write(tmp_path, text)).origin(("q",))
    assert origin.within(line, column)[1:] == place


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    """Files from Windows editors are read as they are meant."""
    assert read(write(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 30m\r\n")).value == {"a": 1, "b": timedelta(minutes=30)}
