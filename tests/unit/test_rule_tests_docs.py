"""What docs/ and deploy/ say of rule tests is so: their examples run, and every key is documented."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from listener.config.schema import json_schema
from listener.ruletests.judge import judge
from listener.ruletests.load import read_tests
from listener.ruletests.model import RuleTestsConfig

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "rule-tests.md"
SCHEMA = json_schema(RuleTestsConfig)
# The heading under which the keys of a model stand; those of a series are told once for both kinds.
TABLES = {
    "RuleTestsConfig": ["The file"], "PolledSource": ["sources"], "RuleTestConfig": ["tests"],
    "InputConfig": ["Series", "Entries of input"], "HistoryConfig": ["Series", "Entries of history"],
    "FaultConfig": ["faults"], "ExpectConfig": ["expect"], "ExpectEventConfig": ["expect_events"],
}  # fmt: skip


def table(heading: str) -> dict[str, str]:
    """Of the first table after a heading: key → default."""
    section = re.split(rf"^#+ {re.escape(heading)}$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    rows = section.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:4]] for row in rows]
    assert all(len(meaning) > 3 for *_, meaning in cells)
    return {key.strip("`"): default for key, default, _ in cells}


@pytest.mark.parametrize("name", TABLES)
def test_every_key_is_documented_with_its_default(name: str) -> None:
    """Each key of each model stands in the reference with its default, and no other key does."""
    node = SCHEMA if name == "RuleTestsConfig" else SCHEMA["$defs"][name]
    rows = {key: default for heading in TABLES[name] for key, default in table(heading).items()}
    assert set(rows) == set(node["properties"])
    for key, default in rows.items():
        value = node["properties"][key].get("default")
        wanted = "required" if key in node.get("required", ()) else f"`{value}`" if value else ""
        assert default == wanted, key


def examples(page: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_how_to_runs_as_it_stands(tmp_path: Path) -> None:
    """The how-to's files, written as they stand there, pass; and each of its tests fails on a rule that never fires."""
    for text in examples(ROOT / "docs" / "how-to" / "test-a-rule.md"):
        name = re.match(r"# (\S+)\n", text)
        assert name is not None
        (tmp_path / name[1]).write_text(text, encoding="utf-8")
    tests = read_tests(tmp_path / "negative-surge.test.yml")
    assert len(tests.tests) == 4
    for number in range(4):
        assert judge(tests, number).failures == ()
    rule = tmp_path / "negative-surge.yml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("at_least: 20}", "at_least: 20000}"), encoding="utf-8")
    never = read_tests(tmp_path / "negative-surge.test.yml")
    assert [judge(never, number).passed for number in range(4)] == [True, False, True, False]


def test_the_how_to_of_packs_runs_as_it_stands(tmp_path: Path) -> None:
    """Its test passes, and fails where the report is left out."""
    text = examples(ROOT / "docs" / "how-to" / "use-a-rule-pack.md")[-1]
    path = tmp_path / "packs.test.yml"
    path.write_text(text, encoding="utf-8")
    assert judge(read_tests(path), 0).failures == ()
    path.write_text(text.replace('values: "1", risks', 'values: "0", risks'), encoding="utf-8")
    assert not judge(read_tests(path), 0).passed


def test_the_reference_runs_as_it_stands(tmp_path: Path) -> None:
    """Both examples of the reference pass, with the how-to's rule and a small configuration."""
    first, second = examples(PAGE)
    rule = examples(ROOT / "docs" / "how-to" / "test-a-rule.md")[0]
    (tmp_path / "negative-surge.yml").write_text(rule, encoding="utf-8")
    (tmp_path / "first.test.yml").write_text(first, encoding="utf-8")
    assert judge(read_tests(tmp_path / "first.test.yml"), 0).failures == ()
    (tmp_path / "listener.yml").write_text(
        'sources: [{id: weibo, type: feed, url: "https://weibo.example.com/rss", channel: weibo}]\n'
        "topics: [{id: yunshan, query: 云杉}]\n"
        "rule_files: [negative-surge.yml]\n"
        "receivers: [{id: pr, channels: [{type: console}]}, {id: chief, channels: [{type: console}]}]\n"
        "route: {receiver: pr, routes: [{match: {level: red}, receiver: chief}]}\n",
        encoding="utf-8",
    )
    (tmp_path / "second.test.yml").write_text(second, encoding="utf-8")
    verdict = judge(read_tests(tmp_path / "second.test.yml"), 0)
    assert verdict.failures == ()
    assert {message.receiver for message in verdict.sent or ()} == {"pr"}


def test_the_examples_of_deploy_pass() -> None:
    """Every *.test.yml beside the example configuration passes, given the variables of listener.env.

    Those of the conditions are run with the page that quotes them, in test_rules_page.py.
    """
    folder = ROOT / "deploy" / "examples"
    lines = (folder / "listener.env").read_text(encoding="utf-8").splitlines()
    environ = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    files = sorted(path for path in folder.rglob("*.test.yml") if path.parent.name != "conditions")
    assert files
    for path in files:
        tests = read_tests(path, environ)
        failed = [judge(tests, number).failures for number in range(len(tests.tests))]
        assert not any(failed), [failure.problem for failures in failed for failure in failures]


def test_models_say_what_their_keys_mean() -> None:
    """Each key of each model has a description, for editors."""
    nodes = [SCHEMA, *(SCHEMA["$defs"][name] for name in TABLES if name != "RuleTestsConfig")]
    assert issubclass(RuleTestsConfig, BaseModel)
    assert [key for node in nodes for key, one in node["properties"].items() if not one.get("description")] == []
