"""One small file per mistake, with the expected message in its first line; and one file with ten of them."""

from pathlib import Path

import pytest

from listener.cli import main
from listener.config import ConfigError, load

FOLDER = Path(__file__).parent / "config_mistakes"
ROOT = Path(__file__).parents[2]
FILES = sorted(FOLDER.glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_mistake_gives_one_located_message(path, monkeypatch):
    """Each file's one mistake is reported, once, at its place, in the words that its first line expects."""
    monkeypatch.chdir(ROOT)
    name = path.relative_to(ROOT)
    expected = path.read_text().splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(ConfigError) as caught:
        load(name, {})
    [problem] = caught.value.problems
    assert str(problem).startswith(f"{name}:{expected}")


def test_ten_mistakes_are_told_at_once(tmp_path, capsys):
    """A file with ten different mistakes prints ten located messages, in order of line, and exits 1."""
    path = tmp_path / "listener.yml"
    path.write_text(TEN)
    assert main(["check", str(path)]) == 1
    printed = capsys.readouterr().err.splitlines()
    assert printed == [f"{path}:{message}" for message in TEN_MESSAGES]


TEN = """\
timezone: Asia/Shangai
stepp: 15s
sources:
  - {id: tech-news, type: feed, url: "https://news.example.com/rss", channel: news, every: 5 minutes}
  - {id: forum, type: fead, url: "https://forum.example.com/rss", channel: forum}
targets:
  acme: {names: [云杉科技, 360]}
topics:
  - {id: acme, target: acmee, query: "@acme NOT (招聘 OR 二手"}
rules:
  - id: surge
    topics: [acm]
    when: {type: volume, window: 1h, at_leest: 10}
receivers:
  - {id: pr, channels: [{type: slack, webhook: !env LISTENER_TEST_NOT_SET}]}
"""

TEN_MESSAGES = [
    "1:11: timezone: is no time zone: use an IANA name such as Asia/Shanghai, Europe/London or UTC",
    "2:1: stepp: unknown key: did you mean step?",
    "4:92: sources[tech-news].every: must be a duration such as 30m or 1h30m",
    "5:23: sources[forum].type: must be one of feed, file",
    "7:24: targets.acme.names[1]: must be text: put it in quotes",
    "9:24: topics[acme].target: there is no target 'acmee': did you mean acme?",
    "9:49: topics[acme].query: the bracket opened here is not closed",
    "12:14: rules[surge].topics[0]: there is no topic 'acm': did you mean acme?",
    "13:38: rules[surge].when.at_leest: unknown key: did you mean at_least?",
    "15:48: receivers[pr].channels[0].webhook: the environment variable LISTENER_TEST_NOT_SET is not set",
]
