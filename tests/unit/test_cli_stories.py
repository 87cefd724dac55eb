"""``listener stories`` over what was imported."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.cli import main

CONFIG = """
storage: {url: "sqlite:///s.db"}
sources: [{id: inbox, type: file, path: "x/*.jsonl", channel: weibo}]
targets: {acme: {names: [云杉]}}
topics:
  - {id: acme, target: acme, query: "@acme"}
  - {id: quiet, query: "没有人说的话"}
"""
FIRE = "云杉充电宝在地铁车厢里突然起火，现场浓烟滚滚，乘客紧急疏散"


@pytest.fixture
def config(tmp_path: Path) -> str:
    now = datetime.now(UTC)

    def line(number: int, text: str, ago: timedelta, **more: object) -> str:
        channel = "news" if number % 4 == 3 else "weibo"
        author = {"id": f"u{number}", "name": f"用户{number}", "followers": 3 if number < 30 else 5_000}
        said = {"source": "inbox", "channel": channel, "external_id": str(number), "text": text, "author": author}
        return json.dumps({**said, "published_at": (now - ago).isoformat(), **more}, ensure_ascii=False)

    told = ("", "真的假的！", "天哪！", "怎么又是它！", "转给家里人！")
    lines = [line(number, f"{told[number % 5]}{FIRE}", timedelta(minutes=40 - number)) for number in range(20)]
    lines += [
        line(100 + number, f"今天第{number}次路过云杉的门店，人还是不少", timedelta(days=2, minutes=number))
        for number in range(60)
    ]
    lines += [line(200 + number, f"云杉鼓包门，{said}", timedelta(hours=2, minutes=number)) for number, said in enumerate(
        ("客服不理人", "还在等退款", "换了一块还是鼓", "门店说不归他们管", "有没有人一起维权", "已经投诉到消协", "邻居家的也鼓了",
         "说是要寄回检测", "热线打了三遍", "售后让我等通知", "同事也中招了", "不敢再放枕头边")
    )]  # fmt: skip
    lines.append(line(300, "太可怕了", timedelta(minutes=1), repost_of="0"))
    (tmp_path / "lines.jsonl").write_text("\n".join(lines), encoding="utf-8")
    file = tmp_path / "listener.yml"
    file.write_text(CONFIG, encoding="utf-8")
    assert main(["import", "-c", str(file), str(tmp_path / "lines.jsonl")]) == 0
    return str(file)


def test_stories_and_words_per_topic(config, capsys):
    """What is passed on most with its facts, and what rises against the week before."""
    capsys.readouterr()
    assert main(["stories", "-c", config]) == 0
    acme, quiet = map(json.loads, capsys.readouterr().out.splitlines())
    assert (quiet["topic"], quiet["stories"], quiet["words"], quiet["hot"]) == ("quiet", [], [], [])
    (story,) = acme["stories"]
    assert (story["id"], story["copies"], story["all_copies"], story["authors"]) == ("inbox/0", 20, 21, 21)
    assert [one["channel"] for one in story["channels"]] == ["weibo", "news"]
    assert story["first"]["source"] == "inbox"
    assert sum(story["curve"]["counts"]) == 21
    assert story["doubling_seconds"] > 0
    assert story["accounts"] == {"known": 20, "new_or_tiny": 20}
    assert "100%" in story["hint"]["zh"]
    assert "鼓包门" in {word["word"] for word in acme["words"]}
    assert "门店" not in {word["word"] for word in acme["words"]}
    assert "云杉" in {word["word"] for word in acme["hot"]}  # a target's name is never cut
    assert [word["weight"] for word in acme["hot"]] == sorted((w["weight"] for w in acme["hot"]), reverse=True)


def test_what_is_asked_for_wrongly_is_refused(config, capsys):
    """An unknown topic names those that there are; a wrong duration is wrong usage."""
    assert main(["stories", "-c", config, "--topic", "acme", "--last", "3d", "--most", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["stories", "-c", config, "--topic", "nobody"]) == 1
    assert "there are: acme, quiet" in capsys.readouterr().err
    for wrong in (("--last", "yesterday"), ("--last", "0s"), ("--last", "9" * 30 + "d"), ("--most", "0")):
        assert main(["stories", "-c", config, *wrong]) == 2
