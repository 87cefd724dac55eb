"""The reference of queries holds what it says."""

import re
from pathlib import Path

import pytest
import yaml

from rules.mention import Mention
from rules.naming import NEAR
from rules.noise import MOST
from rules.query import DEEPEST, LONGEST, MOST_PARTS, QueryError, check_query, parse
from rules.query_words import SHORTEST_PREFIX, WIDEST
from rules.spelling import SHORTEST_INITIALS, SHORTEST_PINYIN, VARIANTS
from rules.topic import WORDS_AT_MOST, Matcher, TargetConfig, TopicConfig
from tests.bench.variants import OPEN, score

PAGE = (Path(__file__).parents[2] / "docs/reference/queries.md").read_text(encoding="utf-8")


def test_every_example_is_a_query():
    """Each query of the page can be read, with the targets that the page uses."""
    examples = re.findall(r"```query\n(.*?)\n```", PAGE, re.DOTALL)
    assert len(examples) >= 10
    for example in examples:
        check_query(example, ["acme", "rival", "jobs"])


def test_the_example_of_targets_is_configuration():
    """The YAML of the page is what the models take."""
    (block,) = re.findall(r"```yaml\n(.*?)\n```", PAGE, re.DOTALL)
    block = yaml.safe_load(block)
    for target in block["targets"].values():
        assert TargetConfig(**target).names
    assert block["sets"] == {"jobs": ["招聘", "内推", "猎头"]}


def test_what_the_page_calls_refused_is_refused():
    """The forms under "What is refused" are errors."""
    for text in ("titel:x", "near/x", "follower>5", "云*", "ab*", "|", "&&", "-word", "!word", "云杉，格澜", "NOT 招聘", "云杉 OR NOT 招聘"):  # fmt: skip
        assert f"`{text}`" in PAGE
        with pytest.raises(QueryError):
            parse(f"x {text}" if "NOT" not in text else text)


def test_the_bounds_on_the_page_are_those_of_the_parser():
    """The page tells the parser's own limits."""
    assert f"More than {LONGEST:,} characters, {DEEPEST} brackets deep, or {MOST_PARTS} words" in PAGE
    assert f"the first {WORDS_AT_MOST} are reported" in PAGE
    assert f"At most `NEAR/{WIDEST}`" in PAGE
    assert f"after {SHORTEST_PREFIX} letters" in PAGE
    assert f"up to {MOST} signs" in PAGE
    assert PAGE.count(f"{NEAR} characters") == 1
    assert f"fewer than {SHORTEST_PINYIN} letters" in PAGE
    assert f"fewer than {SHORTEST_INITIALS} letters" in PAGE


def test_the_table_of_variants_is_true():
    """What the table says is found is found in that variant, and what it says is not is not."""
    names = {"names": ["云杉科技"], "aliases": ["云杉", "绿云", "青禾"], "homophones": ["云杉", "青禾"]}
    targets = {"a": TargetConfig(**names), "b": TargetConfig(names=["YUNSHAN"])}
    chinese = Matcher(targets, [TopicConfig(id="a", query="@a")])
    latin = Matcher(targets, [TopicConfig(id="b", query="@b")])

    def variants(text, matcher=chinese):
        matches = matcher.match(Mention(source="s", channel="c", external_id="1", text=text))
        return [word.variant for match in matches for word in match.words]

    for variant, texts in {
        "traditional": ["雲杉"], "noise": ["云.杉", "云 杉", "云❤杉"],
        "pinyin": ["Yun Shan", "云shan", "yun杉", "lvyun", "luyun"], "initials": ["yskj"], "split": ["云木彡"],
        "homophones": ["芸杉", "云衫"],
    }.items():  # fmt: skip
        for text in texts:
            assert text in PAGE or text in {"lvyun", "luyun"}
            assert variants(f"买了{text}的") == [variant], text
    assert variants("买了ＹＵＮＳＨＡＮ的", latin) == ["exact"]
    assert variants("买了y u n s h a n的", latin) == ["noise"]
    for text in ("云，杉", "云。杉", "云\n杉", "白云 杉木", "清河"):
        assert variants(text) == [], text
    for variant in VARIANTS:
        assert f"| `{variant}` |" in PAGE


def test_the_figures_of_variants_are_those_of_the_set():
    """The page's table of recall and precision is what both halves of the set give."""
    rows = re.findall(r"^\| (\w+)" + r" \| (\d+) of (\d+)" * 4 + r" \|$", PAGE, re.MULTILINE)
    for half, file in enumerate((OPEN, OPEN.with_name("sealed.jsonl"))):
        kinds, _ = score(file)
        assert {kind: tuple(map(int, counts[4 * half : 4 * half + 4])) for kind, *counts in rows} == {
            kind: (tally.found, tally.positives, tally.taken, tally.negatives) for kind, tally in kinds.items()
        }
