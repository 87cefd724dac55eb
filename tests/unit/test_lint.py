"""One small file per finding, with what is told of it in its first lines; and that nothing is told where all is well."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from listener.cli import main
from listener.config import check
from listener.config.findings import CODES
from listener.config.lint import lint

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "lint_findings"
FILES = sorted(FOLDER.glob("*.yml"))
BY_DATE = {"calendar-ends"}
UNDATED = ("--ignore", "calendar-ends")
"""Codes that depend on the day, tested apart."""
SOUND = """\
web: {public_url: "https://listener.example.com"}
sources:
  - {id: news, type: feed, url: "https://news.example.com/rss?page=2&q=tokens", channel: news}
  - {id: forum, type: feed, url: "https://forum.example.com/rss", channel: forum, tier: auxiliary, every: 30m}
topics: [{id: acme, query: "云杉 NOT 二手"}, {id: rival, query: 格澜}]
rules:
  - id: surge
    title: 负面突增
    topics: [acme, rival]
    where: {label: negative, confidence: {at_least: 0.6}, not: {channel: forum, followers: {at_least: 10}}}
    when:
      - {type: spike, at_least: 10, where: {any: [{tier: core}, {verified: true}]}}
      - {type: not, of: {type: volume, window: 1h, at_least: 500}}
    levels: {blue: {}, yellow: {channels: 2}, orange: {authors: 40}, red: {any: [{reach: 1000}, {authors: 90}]}}
    for: 2m
    playbook: https://wiki.example.com/surge
  - {id: words, topics: [acme], when: {type: watch, words: [起火, 召回]}, levels: {blue: {}, yellow: {words: 召回}}}
receivers: [{id: pr, fallback: duty, channels: [{type: console}]}, {id: duty, channels: [{type: console}]}]
route:
  receiver: pr
  routes:
    - {match: {level: red}, receiver: duty, continue: true}
    - {match: {level: [orange, red]}, receiver: pr, routes: [{match: {topic: rival, level: orange}, receiver: duty}]}
    - {match: {kind: self}, receiver: duty}
escalations:
  - {id: red, match: {level: red, topic: rival}, steps: [{wait: 5m}, {notify: {schedule: week}}, {wait: 5m}, {repeat: 2}]}
  - {id: own, match: {kind: self}, steps: [{wait: 1h}, {notify: duty}]}
schedules: [{id: week, rotation: {every: 1w, start: 2026-03-02 09:00, receivers: [duty]}}]
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_gives_its_findings(path, monkeypatch):
    """Each file's findings, and no others, are told at their places, with their codes."""
    monkeypatch.chdir(ROOT)
    name = path.relative_to(ROOT)
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [f"{name}:{line.removeprefix('# expect: ')}" for line in lines if line.startswith("# expect: ")]
    assert expected
    assert [str(one) for one in lint(name, {})] == expected


def test_every_code_has_a_file_and_a_row():
    """Each code is found in a file named after it, and stands with its severity in the reference, which names no other."""
    told = {
        line for path in FILES for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# expect")
    }
    assert {re.split(r"[ )]", line.rpartition("(")[2])[1] for line in told} == set(CODES) - BY_DATE
    assert {code for code in set(CODES) - BY_DATE if not any(path.stem.startswith(code) for path in FILES)} == set()
    page = (ROOT / "docs" / "reference" / "lint.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `([\w-]+)` \| (\w+) \| .{10,} \|$", page, re.MULTILINE)) == CODES


@pytest.mark.parametrize(
    ("work", "today", "found"),
    [
        ("CN", date(2026, 6, 1), []),
        ("CN", date(2998, 12, 1), ["calendar-ends"]),
        ("none", date(2998, 12, 1), []),
    ],
)
def test_holidays_that_are_not_known_are_told_of(tmp_path, work, today, found):
    """A year that the installed package does not know gives a warning, unless no holidays are asked for."""
    path = tmp_path / "listener.yml"
    path.write_text(SOUND + f"calendars: {{work: {work}}}\n", encoding="utf-8")
    assert [one.code for one in lint(path, {}, today)] == found


def test_a_sound_configuration_gives_no_finding(tmp_path):
    """Filters, levels, routes and waits as one would write them are left alone."""
    path = tmp_path / "listener.yml"
    path.write_text(SOUND, encoding="utf-8")
    assert [str(one) for one in lint(path, {})] == []


def test_an_open_channel_proves_nothing(tmp_path):
    """Beside a file source, whose lines name their own channels, no filter or level is called impossible for its channel."""
    path = tmp_path / "listener.yml"
    text = SOUND.replace(
        "topics: [{id: acme", "  - {id: inbox, type: file, path: listener.yml, channel: weibo}\ntopics: [{id: acme", 1
    )
    text = text.replace("words: [起火, 召回]}", "words: [起火, 召回], where: {channel: [weibo, bilibili]}}").replace(
        "channels: 2", "channels: 9"
    )
    path.write_text(text, encoding="utf-8")
    assert [one.code for one in lint(path, {})] == ["unknown-channel"]


def test_the_example_of_deploy_has_no_error():
    """The example configuration gives no error, and warns only of the folder that is still empty."""
    folder = ROOT / "deploy" / "examples"
    lines = (folder / "listener.env").read_text(encoding="utf-8").splitlines()
    environ = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert [one.code for one in lint(folder / "brand-with-competitor.yml", environ)] == ["nothing-there"]
    assert [one.code for one in lint(folder / "escalation.yml", {})] == []


def test_check_shows_no_more_than_lint(monkeypatch):
    """What check warns of is among what lint finds, under the same words."""
    monkeypatch.chdir(ROOT)
    for path in FILES:
        _, warnings = check(path, {})
        assert set(warnings) <= {one.problem for one in lint(path, {})}


def test_the_command(tmp_path, capsys):
    """Exit 1 on errors, with --strict on warnings; --ignore leaves a kind out; --json tells each on a line; mistakes refuse."""
    error, warning, bad = FOLDER / "level-hidden.yml", FOLDER / "weak-share.yml", tmp_path / "bad.yml"
    bad.write_text("timezone: Nowhere\n", encoding="utf-8")
    assert main(["lint", *UNDATED, "-c", str(error)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"{error}: 1 error, 0 warnings"
    assert main(["lint", *UNDATED, "-c", str(error), "--ignore", "level-hidden"]) == 0
    assert main(["lint", *UNDATED, "-c", str(warning)]) == 0
    assert main(["lint", *UNDATED, "-c", str(warning), "--strict"]) == 1
    assert main(["lint", *UNDATED, "-c", str(warning), "--ignore", "weak-shar"]) == 2
    assert "there is no code 'weak-shar'" in capsys.readouterr().err
    assert main(["lint", *UNDATED, "-c", str(warning), "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["code"], found["severity"], found["path"]) == ("weak-share", "warning", "rules[r].when.at_least")
    assert main(["lint", "-c", str(bad)]) == 1
    assert f"{bad}:1:11: timezone: is no time zone" in capsys.readouterr().err
