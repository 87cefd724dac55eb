"""The reference of queries holds what it says."""

import re
from pathlib import Path

import pytest
import yaml

from rules.query import DEEPEST, LONGEST, MOST_PARTS, QueryError, check_query, parse
from rules.topic import WORDS_AT_MOST, TargetConfig

PAGE = (Path(__file__).parents[2] / "docs/reference/queries.md").read_text(encoding="utf-8")


def test_every_example_is_a_query():
    """Each query of the page can be read, with the targets that the page uses."""
    examples = re.findall(r"```query\n(.*?)\n```", PAGE, re.DOTALL)
    assert len(examples) >= 10
    for example in examples:
        check_query(example, ["acme", "rival"])


def test_the_example_of_targets_is_configuration():
    """The YAML of the page is what the models take."""
    (block,) = re.findall(r"```yaml\n(.*?)\n```", PAGE, re.DOTALL)
    for target in yaml.safe_load(block)["targets"].values():
        assert TargetConfig(**target).names


def test_what_the_page_calls_refused_is_refused():
    """The forms under "What is refused" are errors."""
    for text in ("title:…", "NEAR/5", "yun*", "followers>10000", "atleast", "|", "&&", "-word", "!word", "云杉，格澜", "NOT 招聘", "云杉 OR NOT 招聘"):  # fmt: skip
        assert f"`{text}`" in PAGE
        with pytest.raises(QueryError):
            parse(f"x {text}" if "NOT" not in text else text)


def test_the_bounds_on_the_page_are_those_of_the_parser():
    """The page tells the parser's own limits."""
    assert f"More than {LONGEST:,} characters, {DEEPEST} brackets deep, or {MOST_PARTS} words" in PAGE
    assert f"the first {WORDS_AT_MOST} are reported" in PAGE
