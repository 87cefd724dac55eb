import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from listener.cli import main
from listener.config import Config
from listener.config.schema import Shape, json_schema
from listener.document import read
from listener.yaml_scalars import duration_text

SCHEMA = json_schema(Config)
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "deploy" / "examples").glob("*.yml") if not path.name.endswith(".test.yml"))


def as_an_editor_sees_it(value):
    """YAML for a tool that knows no durations and no tags: both are text."""
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, dict):
        return {key: as_an_editor_sees_it(inner) for key, inner in value.items()}
    return [as_an_editor_sees_it(inner) for inner in value] if isinstance(value, list) else value


class AnyVariable(dict):
    """An environment in which every variable is set, with its own name."""

    def __contains__(self, _):
        return True

    def __missing__(self, key):
        return key


def test_it_is_a_schema_and_is_printed(capsys):
    """``listener schema`` prints a valid JSON Schema of the 2020-12 draft."""
    assert main(["schema", "--compact"]) == 0
    printed = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(printed)
    assert printed == SCHEMA
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_durations_are_described_as_they_are_written():
    """A duration and its default stand in the schema in the file's own notation, and no secret is called a password."""
    step = SCHEMA["properties"]["step"]
    assert (step["type"], step["default"]) == ("string", "15s")
    text = json.dumps(SCHEMA)
    assert '"PT' not in text
    assert '"P1DT' not in text
    assert "password" not in [node.get("format") for node in _nodes(SCHEMA)]


def _nodes(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("step: 15s", True),
        ("step: 1h30m", True),
        ("step: 15", False),
        ("step: 30m1h", False),
        ("stepp: 15s", False),
        ("proxy: !env PROXY", True),
        ("sources: [{id: a, type: feed, url: 'https://x.example.com', channel: news, every: 5m}]", True),
        ("sources: [{id: a, type: fead, url: 'https://x.example.com', channel: news}]", False),
        ("rules: [{id: r, topics: [a], when: {type: volume, at_least: 3}, for: 2m}]", True),
        ("rules: [{id: r, topics: a, when: [{type: volume, at_least: 3}], levels: {red: {}}}]", True),
        ("rules: [{id: r, topics: [a], when: {type: volume, at_least: 3}, levels: {gold: {}}}]", False),
    ],
)
def test_an_editor_accepts_what_the_program_accepts(tmp_path, text, valid):
    """The schema takes the notation of the file, and refuses what the program refuses."""
    path = tmp_path / "a.yml"
    path.write_text(text)
    value = as_an_editor_sees_it(read(path, AnyVariable()).value)
    assert Draft202012Validator(SCHEMA).is_valid(value) is valid


@pytest.mark.skipif(not EXAMPLES, reason="there are no examples in deploy/examples")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_valid_by_the_schema(path):
    """An editor finds nothing to complain of in the examples."""
    value = as_an_editor_sees_it(read(path, AnyVariable(os.environ)).value)
    assert list(Draft202012Validator(SCHEMA).iter_errors(value)) == []


def test_known_keys_follow_the_union_that_is_named():
    """The keys known at a place are those of the member that its type names, or of all members where it names none."""
    shape = Shape(Config)
    data = {"sources": [{"type": "file"}, {"type": "fead"}]}
    assert "path" in shape.known_keys(data, ("sources", 0))
    assert "url" not in shape.known_keys(data, ("sources", 0))
    assert {"path", "url"} <= set(shape.known_keys(data, ("sources", 1)))
    assert shape.tags(data, ("sources", 1)) == ["feed", "file"]
    assert shape.known_keys({"targets": {"a": {}}}, ("targets",)) == []
