"""``listener incident`` where no program runs: every act, what is shown of it, and what is refused."""

import asyncio
import json

import pytest

from alerts import AlertEvent
from listener.asking import FORMS
from listener.cli import main
from listener.clock import utc_now
from listener.storage.database import Database
from tests.unit.test_verdicts import MINUTE, event, keep

CONFIG = """
storage: {url: "sqlite:///here.db"}
sources: [{id: microblog, type: file, path: "x/*.jsonl", channel: weibo}]
topics: [{id: acme, query: 云杉}]
"""


@pytest.fixture
def run(tmp_path, capsys):
    """``code, lines, errors = run("ack", "1")``: over a database with two incidents, the first of two alerts."""
    config = tmp_path / "listener.yml"
    config.write_text(CONFIG, encoding="utf-8")
    now = utc_now()
    playbook = {"playbook": "pack:rumour", "brand": "云杉科技"}

    async def fill(*events: AlertEvent) -> None:
        database = await Database.open("sqlite:///here.db", base=tmp_path)
        try:
            await keep(database, *events)
        finally:
            await database.close()

    asyncio.run(
        fill(
            event("a", at=now - 3 * MINUTE, **playbook),
            event("b", at=now - 2 * MINUTE, rule="other", **playbook),
            event("c", at=now - MINUTE, topic="rival"),
        )
    )

    def command(*arguments):
        code = main(["incident", *arguments, "-c", str(config)])
        captured = capsys.readouterr()
        return code, [json.loads(line) for line in captured.out.splitlines()], captured.err

    return command


def test_every_act_is_one_command(run):
    """From open to resolved, with a line of JSON each; the timeline and the audit log tell all of it."""
    done = [
        ("ack", "1"), ("unack", "#1"), ("ack", "a"), ("assign", "1", "老周"), ("note", "1", "--text", "已联系"),
        ("check", "1", "1"), ("check", "1", "rumour:2"), ("uncheck", "1", "2"), ("respond", "1", "--note", "声明"),
        ("verdict", "1", "real"), ("resolve", "1"), ("reopen", "1"), ("resolve", "1"),
    ]  # fmt: skip
    for arguments in done:
        code, lines, errors = run(*arguments, "--by", "小林")
        assert (code, lines[0]["done"], lines[0]["incident"]) == (0, True, "a"), errors
        assert errors.startswith("listener: ")
    code, (shown,), errors = run("show", "1")
    assert (code, shown["state"], shown["owner"], shown["number"]) == (0, "resolved", "老周", 1)
    steps = shown["playbooks"][0]["steps"]
    assert [step["step"] for step in steps if step["done"]] == ["rumour:1"]
    for part in (
        "#1 云杉科技",
        "red, resolved",
        '小林: the public response is out. Note: "声明".',
        "[x]   1 ",
        "[ ]   2 ",
        "surge opened at red",
    ):
        assert part in errors
    code, lines, _ = run("audit", "1")
    assert [line["act"] for line in lines] == [arguments[0] for arguments in reversed(done)]
    assert {(line["by"], line["origin"], line["done"]) for line in lines} == {("小林", "cli", True)}
    assert [line["act"] for line in run("audit", "--most", "2")[1]] == ["resolve", "reopen"]


def test_merged_and_split_incidents_lead_to_each_other(run):
    """What was split off keeps the events of its alerts; what was merged says into what."""
    assert run("split", "1", "b")[0] == 0
    _, lines, errors = run("list")
    assert sorted((line["number"], line["state"], len(line["alerts"])) for line in lines) == [
        (1, "open", 1), (2, "open", 1), (3, "open", 1),
    ]  # fmt: skip
    assert errors.splitlines()[0].split() == ["incident", "level", "state", "owner", "what"]
    _, (apart,), _ = run("show", "3")
    assert [(one.get("event"), one.get("act")) for one in apart["timeline"]] == [("opened", None), (None, "split")]
    assert run("merge", "3", "2")[0] == 0
    assert "merged into #2" in run("show", "3")[2]
    code, _, errors = run("ack", "3")
    assert (code, "was merged into incident c" in errors) == (1, True)


def test_lists_are_filtered(run):
    """By state, level, topic, owner and whether open."""
    run("ack", "2", "--by", "小林")
    for wanted, numbers in (
        ([], [2, 1]), (["--state", "acknowledged"], [2]), (["--topic", "acme"], [1]), (["--owner", "小林"], [2]),
        (["--owner", ""], [1]), (["--open"], [2, 1]), (["--level", "blue"], []),
    ):  # fmt: skip
        assert sorted((line["number"] for line in run("list", *wanted)[1]), reverse=True) == numbers


def test_refusals_and_wrong_usage(run):
    """1 with a reason for what cannot be done, 2 for what cannot be asked; nothing is kept of the second."""
    for arguments, said in (
        (("ack", "99"), "there is no incident or alert 99"),
        (("ack", "0"), "there is no incident or alert 0"),
        (("reopen", "1"), "#1 is open"),
        (("close", "1", "--text", "误传"), "#1 is open; resolve it first"),
        (("check", "1", "99"), "#1 has no step 99 in its playbook: it has rumour:1-16"),
        (("ack", "1", "--revision", "9"), "you saw 9"),
        (("show", "99"), "there is no incident 99"),
        (("audit", "zzz"), "there is no incident zzz"),
    ):
        code, lines, errors = run(*arguments)
        assert (code, lines) == (1, []), arguments
        assert said in errors
    assert len(run("audit")[1]) == 6
    for arguments in (
        ("ack", "1", "--by", ""), ("ack", "1", "--by", "x\x1b[2J"), ("ack", "1", "--by", "\udcff"), ("note", "1"),
        ("note", "1", "--text", " "), ("note", "1", "--text", "a\u202eb"), ("assign", "1", "x" * 101), ("ack", "a\x00"),
        ("ack",), ("ack", "1", "extra"), ("verdict", "1", "splendid"), ("list", "--state", "gone"), ("audit", "--most", "0"),
    ):  # fmt: skip
        assert run(*arguments)[0] == 2, arguments
    assert len(run("audit")[1]) == 6


def test_every_act_has_its_help(capsys):
    """Each form of the table is a command, and says what it takes."""
    for name, form in FORMS.items():
        assert main(["incident", name, "--help"]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert form.help[1:] in told
        assert "--by" in told
