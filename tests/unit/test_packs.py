"""The packs of rules: each proves itself, holds against real texts, and stands in a configuration as one's own rules do."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.cli import main
from listener.config import ConfigError, load
from listener.config.lint import lint
from listener.config.load import load_with_rules
from listener.config.packs import PACKS, pack_folder, pack_rules, playbook_file
from listener.ruletests.judge import judge
from listener.ruletests.load import read_tests
from rules.conditions import Watch

HEAD = """\
sources:
  - {id: press, type: feed, url: "https://news.example.com/rss", channel: news}
  - {id: forum, type: feed, url: "https://forum.example.com/rss", channel: forum}
targets: {yunshan: {names: [云杉科技], aliases: [云杉]}, gelan: {names: [格澜数码], aliases: [格澜食品]}}
topics: [{id: yunshan, target: yunshan, query: "@yunshan"}, {id: gelan, target: gelan, query: "@gelan", competitor_of: yunshan}]
web: {public_url: "https://listener.example.com"}
receivers: [{id: pr, channels: [{type: console}]}]
"""
ALL = HEAD + "packs:\n" + "".join(f"  - {{use: {name}, topics: [yunshan]}}\n" for name in PACKS)


def write(folder: Path, text: str) -> Path:
    path = folder / "listener.yml"
    path.write_text(text, encoding="utf-8")
    return path


def told(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(write(folder, text))
    return [str(problem).partition("listener.yml:")[2] for problem in refused.value.problems]


# what a pack is


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_whole(name, tmp_path):
    """Its files are in the package, its ids bear its name, its lexicon is of a size that a person can read; one has none."""
    folder = pack_folder(name)
    words = [] if name == "general" else ["lexicon.txt"]
    assert sorted(path.name for path in folder.iterdir()) == [*words, "pack.test.yml", "playbook.md", "rules.yml"]
    config = load(write(tmp_path, HEAD + f"packs: [{{use: {name}, topics: [yunshan]}}]"))
    assert tuple(rule.id for rule in config.rules) == pack_rules(name)
    assert 2 <= len(config.rules) <= 4
    assert all(rule.id.startswith(f"{name}-") and rule.title for rule in config.rules)
    if not words:
        return
    lines = [line for line in (folder / "lexicon.txt").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert 60 <= len(lines) <= 160
    assert len(set(lines)) == len(lines)
    watches = [leaf for rule in config.rules for leaf in rule.leaves() if isinstance(leaf, Watch) and leaf.words]
    assert any(set(leaf.words) == set(lines) for leaf in watches)


def test_no_folder_is_left_over():
    """Every folder of packs can be used."""
    assert {path.name for path in pack_folder("rumour").parent.iterdir()} == set(PACKS)


@pytest.mark.parametrize("name", PACKS)
def test_a_playbook_says_all_that_it_must_in_both_languages(name):
    """Each stage, who signs, what is not said, evidence and duties, with the same number of points in both languages."""
    text = playbook_file(f"pack:{name}").read_text("utf-8")
    chinese, english = text.split("\n---\n")
    for part in ("前 15 分钟", "第 1 小时", "黄金 4 小时", "谁签发", "不能说的", "要留的证据", "法定义务"):
        assert f"## {part}" in chinese
    assert chinese.count("\n## ") == english.count("\n## ") == 7
    assert chinese.count("- [ ]") == english.count("- [ ]") >= 14


def cases():
    for name in PACKS:
        tests = read_tests(pack_folder(name) / "pack.test.yml", {})
        for number, test in enumerate(tests.tests):
            yield pytest.param(tests, number, id=f"{name}: {test.name}")


@pytest.mark.parametrize(("tests", "number"), list(cases()))
def test_the_tests_of_a_pack_pass(tests, number):
    """The crisis fires in time and at its level; the look-alike does not."""
    verdict = judge(tests, number)
    assert [str(failure.problem) for failure in verdict.failures] == []


def test_all_packs_together_are_clean_of_findings(tmp_path):
    findings = lint(write(tmp_path, ALL), {})
    assert [str(one) for one in findings if one.code != "red-not-escalated"] == []  # routes are not a pack's business


# against the analyzer, on texts

CRISES = {
    "product-safety": [
        "云杉充电宝在高铁上起火冒烟",
        "云杉手机充电时爆炸，男子手部烧伤送医",
        "云杉热水器漏电致两人触电",
    ],
    "food-safety": ["在云杉的盒饭里吃出虫子，上吐下泻", "云杉奶茶喝出苍蝇，店家态度恶劣"],
    "data-breach": ["云杉用户数据外泄，手机号泄露", "暗网出售云杉用户数据样本"],
    "executives": ["云杉董事长性骚扰女员工，录音曝光", "云杉总裁被警方带走了"],
    "service": ["云杉客服不回，退款拖了两个月，已投诉12315"],
    "labour": ["云杉拖欠工资三个月，断缴社保", "云杉工厂门口有人拉横幅讨薪"],
    "litigation": ["云杉科技被股民起诉，法院受理集体诉讼", "云杉科技新增立案调查信息"],
    "rumour": ["网传云杉要倒闭，内部消息，速转"],
}
LOOK_ALIKES = [
    "云杉新品火爆首发，爆款秒空，好用到爆炸",
    "云杉快充快到要爆炸，云杉火锅局走起",
    "云杉火锅爆辣上瘾，好吃到中毒",
    "转发抽奖，赢云杉爆款新品，不会爆炸的那种",
    "格澜数码充电宝起火被召回，云杉同款无恙",
    "格澜食品吃出虫子被下架，云杉门店排队",
    "格澜数码数据泄露被约谈，云杉表示未受影响",
    "格澜数码董事长被带走调查，云杉股价上涨",
    "格澜数码暴力裁员，员工拉横幅，云杉在招人",
    "网传格澜数码要破产，云杉笑而不语",
    "云杉新品爆料抽奖，转发扩散",
    "云杉315放心购抽奖",
]


def opened(folder: Path, texts: list[str], capsys, times: int = 1) -> set[str]:
    """The rules that open where accounts of weight say these texts."""
    start = datetime(2026, 3, 2, 2, tzinfo=UTC)
    path = folder / "mentions.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(text for _ in range(times) for text in texts):
            at = (start + timedelta(minutes=number)).isoformat()
            author = {"id": f"u{number}", "name": f"u{number}", "followers": 500000, "verified": True}
            line = {"source": "forum", "channel": "forum", "external_id": str(number), "text": text, "author": author}
            file.write(json.dumps(line | {"published_at": at, "collected_at": at}, ensure_ascii=False) + "\n")
    assert main(["replay", "-c", str(write(folder, ALL)), str(path)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {event["rule"] for event in events if event["event"] == "opened"}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in CRISES.items() for text in texts])
def test_one_credible_report_is_told_as_the_analyzer_reads_it(name, text, tmp_path, capsys):
    assert f"{name}-report" in opened(tmp_path, [text], capsys)


def test_look_alikes_open_nothing_as_the_analyzer_reads_them(tmp_path, capsys):
    """Praise, jokes, campaigns and the competitor's crises, five times each, all by accounts of weight."""
    assert opened(tmp_path, LOOK_ALIKES, capsys, times=5) == set()


# in a configuration


def test_topics_mode_playbook_and_what_is_left_out_reach_the_rules(tmp_path):
    entry = (
        "{use: rumour, topics: yunshan, without: [rumour-viral], mode: shadow, playbook: https://wiki.example.com/r}"
    )
    config = load(write(tmp_path, HEAD + f"rules: []\npacks: [{entry}]"))
    assert [rule.id for rule in config.rules] == ["rumour-report", "rumour-spread", "rumour-after-denial"]
    assert {(rule.topics, rule.mode, rule.playbook) for rule in config.rules} == {
        (("yunshan",), "shadow", "https://wiki.example.com/r")
    }


def test_rules_to_try_stand_in_the_place_of_packs_too(tmp_path):
    """A rule file replaces the packs of a configuration; another configuration brings its own, mistakes at its entry."""
    base = write(tmp_path, HEAD + "packs: [{use: rumour, topics: [yunshan]}]")
    other = tmp_path / "other.yml"
    other.write_text("rules: [{id: many, topics: [yunshan], when: {type: volume, at_least: 9}}]", encoding="utf-8")
    assert [rule.id for rule in load_with_rules(base, other, {}).rules] == ["many"]
    other.write_text(HEAD + "packs: [{use: executives, topics: [yunshan]}]", encoding="utf-8")
    assert tuple(rule.id for rule in load_with_rules(base, other, {}).rules) == pack_rules("executives")
    other.write_text(HEAD + "packs: [{use: executives, topics: [yunshen]}]", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_with_rules(base, other, {})
    assert [str(one).partition("other.yml:")[2] for one in refused.value.problems] == [
        "8:36: packs[0].topics[0]: there is no topic 'yunshen': did you mean yunshan?"
    ]


MISTAKES = {
    "packs: [{use: product-safty, topics: [yunshan]}]": ["9:14: packs[0].use: must be 'food-safety', 'product-safety'"],
    "packs: [{use: rumour, topics: [yunshen]}]": ["there is no topic 'yunshen': did you mean yunshan?"],
    "packs: [{use: rumour}]": ["packs[0].topics: is missing"],
    "packs: [{use: rumour, topics: [yunshan, yunshan]}]": ["packs[0].topics: named twice: yunshan"],
    "packs: [{use: rumour, topics: [yunshan], without: [rumor-viral]}]": ["the pack has no rule 'rumor-viral': it has rumour-report"],
    "packs: [{use: rumour, topics: [yunshan], mode: quiet}]": ["packs[0].mode: must be 'live', 'shadow' or 'off'"],
    "packs: [{use: rumour, topics: [yunshan]}, {use: rumour, topics: [yunshan]}]": ["packs[1].use: this pack is used already, at "],
    "rules: [{id: rumour-viral, topics: [yunshan], when: {type: volume, at_least: 9}}]\npacks: [{use: rumour, topics: [yunshan]}]": [
        "rules[rumour-viral].id: this id is taken already, at "
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), list(MISTAKES.items()))
def test_mistakes_are_told_once_and_at_the_entry(text, wanted, tmp_path):
    found = told(tmp_path, HEAD + text)
    line = str((HEAD + text).splitlines().index("packs: " + text.partition("packs: ")[2]) + 1)
    assert len(found) == len(wanted), found
    for problem, words in zip(found, wanted, strict=True):
        assert problem.startswith(f"{line}:")
        assert words.partition(": packs")[2] in problem if words[0] == "9" else words in problem


def test_check_tells_which_packs_are_used(tmp_path, capsys):
    assert main(["check", str(write(tmp_path, ALL))]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("pack ")]
    assert [line.split()[1] for line in lines] == list(PACKS)
    assert str(pack_folder("food-safety")) in lines[0]


def test_a_playbook_of_no_pack_is_found_out(tmp_path):
    rule = "{id: a, topics: [yunshan], when: {type: volume, at_least: 9}, playbook: 'pack:fire'}"
    findings = [str(one) for one in lint(write(tmp_path, HEAD + f"rules: [{rule}]"), {})]
    assert len(findings) == 1
    assert "playbook-not-found" in findings[0]
