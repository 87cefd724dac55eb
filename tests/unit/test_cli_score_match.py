"""``listener score`` and ``listener match``: what they read, write and refuse."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from listener.cli import main

CONFIG = """
sources: [{id: t, type: file, path: "x.jsonl", channel: weibo}]
targets:
  acme: {names: [云杉科技], aliases: [云杉, YUNSHAN], unless_near: [云杉树]}
  rival: {names: [格澜数码], aliases: [格澜]}
topics:
  - {id: acme, target: acme, query: "@acme NOT (招聘 OR 二手)"}
  - {id: rival, target: rival, query: "@rival", competitor_of: acme}
"""


def started(*arguments: str, given: str = "") -> tuple[int, list[dict], str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "listener", *arguments]
    ended = subprocess.run(command, input=given.encode(), capture_output=True, timeout=60, check=False)
    out = ended.stdout.decode()
    return ended.returncode, [json.loads(line) for line in out.splitlines()], ended.stderr.decode()


@pytest.fixture
def listener(capsys, monkeypatch):
    """The command, run here."""

    def run(*arguments: str, given: str = "") -> tuple[int, list[dict], str]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given.encode())))
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, [json.loads(line) for line in captured.out.splitlines()], captured.err

    return run


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "listener.yml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def line(**values) -> str:
    return json.dumps({"source": "t", "channel": "weibo", "external_id": "1", **values}, ensure_ascii=False) + "\n"


def test_score_judges_each_line_and_hands_on_the_rest():
    """As a process: each line comes back in order with its own keys and its sentiment towards the target, offsets in its own text."""
    given = (
        '{"id": 7, "text": "😀ＹＵＮＳＨＡＮ很喜欢，非常满意，格澜太差了", "target": "yunshan", "others": ["格澜"]}\n'
        '{"text": "质量太差，非常失望", "title": "失望"}\n'
        '\n{"text": "not a word of it", "target": ["x"]}\n{"text": "\\ud83d质量太差"}\n'
    )
    code, (first, second, third, fourth), messages = started("score", given=given)
    assert (code, messages) == (0, "")
    assert (first["id"], first["sentiment"]["label"]) == (7, "positive")
    assert set(first["sentiment"]) == {
        "negative",
        "neutral",
        "positive",
        "label",
        "confidence",
        "spans",
        "judged",
        "risks",
    }
    for span in first["sentiment"]["spans"]:
        assert first["text"][span["start"] : span["end"]] == span["text"]
        assert span["end"] <= first["text"].index("格澜")
    assert second["sentiment"]["label"] == "negative"
    assert {span["field"] for span in second["sentiment"]["spans"]} == {"title", "text"}
    assert third["sentiment"] == {
        "negative": 0.0, "neutral": 1.0, "positive": 0.0, "label": "unknown", "confidence": 0.0, "spans": [],
        "judged": [], "risks": [],
    }  # fmt: skip
    assert fourth["text"] == "\ud83d质量太差"
    assert fourth["sentiment"]["label"] == "negative"


def test_score_tells_of_bad_lines_and_goes_on(listener, tmp_path):
    """A bad line is told with its file, number and field; the others are scored and the exit code is 1."""
    file = tmp_path / "in.jsonl"
    file.write_bytes(
        '{"text": "好"}\nnonsense\n[1]\n{"title": "x"}\n{"text": 5}\n{"text": "好", "target": [1]}\n'.encode()
        + '{"text": "好", "others": "  "}\n'.encode() + b'{"text": "\xff"}\n' + b"[" * 20_000 + b'\n{"text": "' + "差".encode() + b'"}\n'
    )  # fmt: skip
    code, answers, messages = listener("score", str(file))
    assert code == 1
    assert [answer["text"] for answer in answers] == ["好", "差"]
    told = messages.splitlines()
    assert [message.split(":")[1] for message in told] == ["2", "3", "4", "5", "6", "7", "8", "9"]
    assert told[2] == f"{file}:4: text: is missing"
    assert told[3] == f"{file}:5: text: must be a string"
    assert told[4] == f"{file}:6: target: must be a string or a list of strings"
    assert "others: '  ' has no character to look for" in told[5]


def test_score_takes_the_analyzer_of_the_configuration(listener, config):
    """``-c`` names the analyzer; an unknown ``--analyzer`` is wrong usage; a missing file is told."""
    code, answers, _ = listener("score", "-c", str(config), given='{"text": "质量太差"}\n')
    assert (code, answers[0]["sentiment"]["label"]) == (0, "negative")
    assert listener("score", "--analyzer", "oracle")[0] == 2
    code, _, messages = listener("score", "nowhere.jsonl")
    assert code == 1
    assert "nowhere.jsonl" in messages
    assert "Traceback" not in messages


def test_snownlp_scores_when_asked_for(listener):
    """``--analyzer snownlp`` judges by SnowNLP itself."""
    code, answers, _ = listener("score", "--analyzer", "snownlp", given='{"text": "质量太差，非常失望"}\n')
    assert (code, answers[0]["sentiment"]["label"]) == (0, "negative")


def test_match_answers_per_topic(listener, config):
    """Each mention line is answered with all topics, whether each matches, and on which words where."""
    given = line(text="😀云杉起火", title="格澜") + line(text="云杉树", external_id="2")
    code, (first, second), messages = listener("match", "-c", str(config), given=given)
    assert (code, messages) == (0, "")
    assert first == {
        "external_id": "1", "source": "t",
        "topics": [
            {"topic": "acme", "matched": True, "words": [
                {"field": "text", "start": 1, "end": 3, "text": "云杉", "name": "云杉", "variant": "exact"}
            ]},
            {"topic": "rival", "matched": True, "words": [
                {"field": "title", "start": 0, "end": 2, "text": "格澜", "name": "格澜", "variant": "exact"}
            ]},
        ],
    }  # fmt: skip
    assert [topic["matched"] for topic in second["topics"]] == [False, False]


def test_match_explains(config):
    """As a process: ``--explain`` adds the query tree to the JSON, and prints it for people on standard error."""
    given = line(text="云杉招聘")
    code, (answer,), messages = started("match", "-c", str(config), "--explain", "--topic", "acme", given=given)
    assert code == 0
    (topic,) = answer["topics"]
    assert topic["explanation"]["tree"]["kind"] == "and"
    assert topic["explanation"]["nearest"] == ["NOT (招聘 OR 二手)"]
    assert messages.splitlines()[0] == "t 1: acme: not matched: @acme NOT (招聘 OR 二手)"
    assert messages.splitlines()[-1] == "  nearest: NOT (招聘 OR 二手) is against it: 招聘"


def test_match_tells_of_bad_lines_and_goes_on(listener, config):
    """A line that is no mention is told with its number and field; the others are matched and the exit code is 1."""
    code, answers, messages = listener("match", "-c", str(config), given='{"source": "t"}\nx\n' + line(text="云杉"))
    assert (code, len(answers)) == (1, 1)
    assert messages.splitlines()[0].startswith("standard input:1: ")
    assert messages.splitlines()[1].startswith("standard input:2: ")


def test_match_refuses_what_it_does_not_know(listener, config):
    """An unknown topic, a broken configuration and a missing file are told without a traceback."""
    code, _, messages = listener("match", "-c", str(config), "--topic", "nothing")
    assert (code, "there is no topic nothing" in messages) == (1, True)
    config.write_text(CONFIG.replace("@rival", "@rival AND"), encoding="utf-8")
    code, _, messages = listener("match", "-c", str(config))
    assert code == 1
    assert "where a word is missing" in messages
    assert "Traceback" not in messages
