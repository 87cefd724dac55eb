"""The examples of docs/reference/rules.md are rules, and what the page quotes is what they say."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from rules.rule import RuleConfig

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}


def plain(value: object) -> object:
    """YAML's values, with ``30m`` as a duration."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"\d+[mh]", value):
        return int(value[:-1]) * UNITS[value[-1]]
    return value


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_are_rules(example: str) -> None:
    """Each example on the page is read as rules without a complaint."""
    given = plain(yaml.safe_load(example))
    rules = given["rules"] if isinstance(given, dict) else given
    assert [RuleConfig.model_validate(one) for one in rules]  # type: ignore[union-attr]


def test_there_are_examples() -> None:
    """The page has an example for each condition and a whole rule."""
    assert len(EXAMPLES) >= 8
