"""Whatever stands in a file, reading it gives a configuration or a ConfigError with a place for each problem."""

from datetime import timedelta

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.config import ConfigError, load
from listener.yaml_scalars import duration, duration_text, plain

KEY_NAMES = """
sources topics targets rules receivers route web retention storage sentiment log step proxy timezone include rule_files
id type url path channel query target names when where all any not of levels red at_least window words channels webhook
smtp match routes receiver label confidence every competitor_of by for
"""
KEYS = st.sampled_from(KEY_NAMES.split())
WORD_NAMES = "acme feed file volume ratio spike watch all any not slack email console webhook bayes @acme 30m red"
WORDS = st.sampled_from([*WORD_NAMES.split(), "a AND (b", "", "x" * 300, "\ud800"])
SCALARS = st.one_of(WORDS, st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)
SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)


def outcome(path):
    try:
        load(path, {"SET": "value"})
    except ConfigError as error:
        problems = error.problems
    else:
        return
    assert problems
    for problem in problems:
        assert problem.file == str(path)
        assert problem.message
        assert problem.line >= 0


@SETTINGS
@given(data=st.binary(max_size=200))
def test_any_bytes(tmp_path, data):
    """Arbitrary bytes are refused with problems, never with another exception."""
    path = tmp_path / "a.yml"
    path.write_bytes(data)
    outcome(path)


@SETTINGS
@given(text=st.text(alphabet="{}[]:,-!&*#|>'\"%@ \n\tabenv:1m<", max_size=80))
def test_any_yaml_like_text(tmp_path, text):
    """Text made of YAML's own signs is read or refused with problems."""
    path = tmp_path / "a.yml"
    path.write_text(text)
    outcome(path)


@SETTINGS
@given(value=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_values_under_known_keys(tmp_path, value):
    """Values of any shape under the program's own keys are read or refused with problems."""
    path = tmp_path / "a.yml"
    path.write_text(yaml.safe_dump(value, allow_unicode=False))
    outcome(path)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100_000)))
def test_durations_round_trip(span):
    """A duration of whole milliseconds that is written down is read back as the same."""
    span -= span % timedelta(milliseconds=1)
    assert duration(duration_text(span)) == span


@given(st.text())
def test_a_bare_word_is_itself_or_something_else(text):
    """A bare word is never changed as text: it stays what it is or becomes a value of another type."""
    try:
        value = plain(text)
    except (OverflowError, ValueError):
        return
    assert value == text if isinstance(value, str) else not isinstance(value, str)
