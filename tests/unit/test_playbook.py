"""Playbooks: what counts as a step, in either language, and which step is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.playbook import STEPS, find_step, name_of, read
from listener.config import load
from listener.config.packs import PACKS
from listener.playbooks import playbooks

BOTH = """# 应急预案
适用：某规则。

## 前 15 分钟
- [ ] 读 **原文**，截图 `保存`
  并记下时间
- 说明，不是步骤
- [x] 通报

## 没有步骤的一节

## 回应
* [ ] 声明\x1b[2J\u202e

---

# Playbook
## First
- [ ] Read it
- [ ] Tell
## Answer
- [ ] Statement
"""


def test_boxes_are_steps_numbered_through_both_languages():
    """Text around them is none; marks and hidden characters go; a line that is set in goes on."""
    playbook = read("fire", BOTH)
    assert [(one.title, one.steps) for one in playbook.of("zh")] == [
        ("前 15 分钟", ((1, "读 原文，截图 保存 并记下时间"), (2, "通报"))),
        ("回应", ((3, "声明 [2J"),)),
    ]
    assert [(one.title, [number for number, _ in one.steps]) for one in playbook.of("en")] == [
        ("First", [1, 2]),
        ("Answer", [3]),
    ]
    assert (playbook.length, playbook.step(3)) == (3, "fire:3")


def test_without_boxes_every_item_is_a_step():
    """Of lists with numbers or bullets; one language serves for both."""
    playbook = read("x", "1. Call\n2) Write\n- Wait\n\nWords.\n")
    assert [text for _, text in playbook.of("zh")[0].steps] == ["Call", "Write", "Wait"]
    assert read("x", "nothing here").of("en") == ()


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_has_the_same_steps_in_both_languages(pack, tmp_path):
    """And is there without any rule that names it."""
    config = tmp_path / "c.yml"
    config.write_text(
        'sources: [{id: f, type: file, path: "x/*.jsonl", channel: weibo}]\ntopics: [{id: a, query: 云杉}]'
    )
    found = playbooks(load(config))[f"pack:{pack}"]
    counts = [sum(len(one.steps) for one in found.of(language)) for language in ("zh", "en")]
    assert counts == [found.length] * 2
    assert found.length >= 14
    assert [len(one.steps) for one in found.of("zh")] == [len(one.steps) for one in found.of("en")]


def test_files_beside_the_configuration_are_read(tmp_path):
    """A page elsewhere and a file that is not there are none; two of one name are called by their paths."""
    (tmp_path / "p" / "q").mkdir(parents=True)
    for file in ("p/fire.md", "p/q/fire.md"):
        (tmp_path / file).write_text("- [ ] 一步\n")
    rules = "".join(
        f'  - {{id: r{n}, topics: [a], when: {{type: volume, window: 1h, at_least: 1}}, playbook: "{playbook}"}}\n'
        for n, playbook in enumerate(("p/fire.md", "p/q/fire.md", "https://wiki.example.com/x", "gone.md", "p"))
    )
    config = tmp_path / "c.yml"
    config.write_text(
        'sources: [{id: f, type: file, path: "x/*.jsonl", channel: weibo}]\ntopics: [{id: a, query: 云杉}]\nrules:\n'
        + rules
    )
    found = {name: one.name for name, one in playbooks(load(config)).items() if not name.startswith("pack:")}
    assert found == {"p/fire.md": "fire", "p/q/fire.md": "p/q/fire.md"}


@pytest.mark.parametrize(
    ("asked", "playbooks", "step"),
    [
        ("1", ["fire"], "fire:1"), (" fire:2 ", ["fire"], "fire:2"), ("3", ["fire"], None), ("0", ["fire"], None),
        ("1", ["fire", "rumour"], None), ("rumour:1", ["fire", "rumour"], "rumour:1"), ("x:1", ["fire"], None),
        ("", ["fire"], None), ("-1", ["fire"], None), ("²", ["fire"], None), ("9" * 9000, ["fire"], None), ("1", [], None),
    ],
)  # fmt: skip
def test_which_step_is_meant(asked, playbooks, step):
    """A number alone where there is one playbook, else with its name."""
    assert find_step(asked, [read(name, "- [ ] a\n- [ ] b\n") for name in playbooks]) == step


def test_names_are_short():
    assert [name_of(one) for one in ("pack:rumour", "playbooks/fire.md", "急.md")] == ["rumour", "fire", "急"]


@given(st.text(alphabet="-*[] x#\n1.)a一`\t\u202e", max_size=400) | st.text(max_size=200))
def test_any_page_can_be_read(text):
    """No text raises, numbers run on without a gap, and there are never too many."""
    playbook = read("n", text * 3)
    for language in ("zh", "en"):
        numbers = [number for one in playbook.of(language) for number, _ in one.steps]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) <= STEPS
