"""The examples of docs/reference/rules.md and conditions.md are rules, and what the pages quote is what they say."""

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml

from listener.ruletests.judge import judge
from listener.ruletests.load import read_tests
from rules.conditions import AnyCondition
from rules.rule import RuleConfig

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "reference" / name for name in ("rules.md", "conditions.md")]
EXAMPLES = [
    one for page in PAGES for one in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
SECTIONS = dict(
    re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", PAGES[1].read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def plain(value: object) -> object:
    """YAML's values, with ``30m`` as a duration."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"\d+[mhd]", value):
        return int(value[:-1]) * UNITS[value[-1]]
    return value


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_are_rules(example: str) -> None:
    """Each example on the page is read as rules without a complaint."""
    given = plain(yaml.safe_load(example))
    rules = given["rules"] if isinstance(given, dict) else given
    assert [RuleConfig.model_validate(one) for one in rules]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_each_condition_has_an_example_and_a_test_that_says_what_the_page_quotes(name: str) -> None:
    """The example is of the condition; its test passes, and one of its alerts opens with the message that is quoted."""
    section = SECTIONS[name]
    assert re.search(rf"type: {name}\b", "".join(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)))
    (quoted,) = re.findall(r"^> (.+)$", section, re.MULTILINE)
    (file,) = re.findall(r"^Test: `(.+)`$", section, re.MULTILINE)
    assert file == f"deploy/examples/conditions/{name}.test.yml"
    tests = read_tests(ROOT / file)
    verdicts = [judge(tests, number) for number in range(len(tests.tests))]
    assert [verdict.failures for verdict in verdicts] == [()] * len(verdicts)
    assert quoted in [event.because.zh for verdict in verdicts for event in verdict.events]


def test_every_condition_has_its_section() -> None:
    """Each condition has a section and a test of its own, and nothing else has."""
    names = {get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(AnyCondition)[0])}
    assert set(SECTIONS) == names
    folder = ROOT / "deploy" / "examples" / "conditions"
    assert {path.name for path in folder.iterdir()} == {f"{name}.test.yml" for name in names}
