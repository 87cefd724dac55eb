"""``listener label`` and ``listener train``: corrections kept, learnt, measured, taken back."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from listener.cli import main
from sentiment.ngram import Ngram, shipped, whole
from sentiment.reading import ZONES
from sentiment.train.folding import folding_table
from sentiment.versions import add, current, versions
from sentiment.weights import Head, Weights

BITS = 12
AT = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = ("negative", "neutral", "positive")
WORDS = (("太差", "失望", "难用"), ("公告", "周三", "地址"), ("喜欢", "满意", "推荐"))
RUBBISH = "山水花鸟鱼虫草木金石丝竹日月星辰风云雷电春夏秋冬东西南北"
LONG = "云杉手机昨天晚上在客厅充电的时候突然冒烟起火客服到现在也没有回复我"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder whose current model is small and knows nothing: a third for each label."""
    head = Head(
        np.zeros((2, 1 << BITS), np.int8),
        np.zeros((ZONES, 2, 1 << BITS), np.int8),
        (0.01, 0.01),
        (0.0, float(np.log(0.5))),
    )
    folder = tmp_path / "models"
    add(folder, Weights(BITS, folding_table(), head, head, None, {"name": "blank"}), AT, {})
    return folder


class Told:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.err = code, err
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def listener(capsys: pytest.CaptureFixture[str]) -> "Run":
    return Run(capsys)


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Told:
        code = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Told(code, captured.out, captured.err)


def written(path: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def kept(models: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (models / "labels.jsonl").read_text(encoding="utf-8").split("\n") if line]


def opinions(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Invented lines whose words say their label."""
    draw = random.Random(seed)

    def filler() -> str:
        return "".join(draw.choice(RUBBISH) for _ in range(4))

    return [
        {"text": f"{filler()}{draw.choice(WORDS[at % 3])}，{draw.choice(WORDS[at % 3])}{filler()}", "label": LABELS[at % 3]}
        for at in range(count)
    ]  # fmt: skip


def by_lot(count: int) -> list[dict[str, Any]]:
    """Lines of which nobody could learn anything."""
    draw = random.Random(2)
    return [
        {"text": "".join(draw.choice(RUBBISH) for _ in range(12)), "label": draw.choice(LABELS)} for _ in range(count)
    ]


def test_labels_are_kept_and_replaced(listener: Run, tmp_path: Path) -> None:
    """What is labelled stands in labels.jsonl, without other keys; a later label of the same text and target replaces it."""
    models = tmp_path / "new"
    first = written(
        tmp_path / "a.jsonl",
        {"text": "云杉改期", "target": ["云杉"], "label": "neutral", "id": 7, "sentiment": {"label": "negative"}},
        {"text": "云杉改期", "target": ["格澜"], "label": "neutral"},
        {"text": "云杉改期", "title": "快讯", "target": ["云杉"], "label": "neutral", "others": ["格澜"]},
    )
    told = listener("label", "--models", models, first)
    assert (told.code, told.err) == (0, "")
    assert told.rows == [{"kept": 3, "spread": 0, "in_all": 3}]
    assert kept(models)[0] == {"text": "云杉改期", "target": ["云杉"], "label": "neutral"}
    again = written(tmp_path / "b.jsonl", {"text": "云杉改期", "target": ["云杉"], "label": "negative"})
    assert listener("label", "--models", models, again).rows == [{"kept": 1, "spread": 0, "in_all": 3}]
    assert [row["label"] for row in kept(models)] == ["negative", "neutral", "neutral"]
    assert {path.name for path in models.iterdir()} == {"labels.jsonl"}


def test_bad_lines_are_told_with_their_place_and_the_others_kept(listener: Run, tmp_path: Path) -> None:
    """Each bad line is told as file:line: what is wrong; the exit code is 1."""
    path = written(
        tmp_path / "a.jsonl", "nonsense", {"text": "好", "label": "positive"}, {"text": "好"}, {"text": "好", "label": "angry"},
        {"label": "neutral"}, {"text": "好", "label": "mixed"}, {"text": 5, "label": "neutral"}, {"text": "好", "target": 3, "label": "neutral"}, "", {"text": "好", "label": None},
    )  # fmt: skip
    told = listener("label", "--models", tmp_path / "m", path)
    assert told.code == 1
    assert told.rows == [{"kept": 1, "spread": 0, "in_all": 1}]
    assert [line.split(": ")[0] for line in told.err.splitlines()] == [
        f"{path}:{at}" for at in (1, 3, 4, 5, 6, 7, 8, 10)
    ]
    assert f"{path}:3: label: is missing" in told.err
    assert f"{path}:6: label: 'mixed' cannot be learnt from" in told.err
    assert kept(tmp_path / "m") == [{"text": "好", "label": "positive"}]


def test_a_label_is_spread_to_near_duplicates(listener: Run, tmp_path: Path) -> None:
    """Texts that say the same get the label too; a person's own label stands above; bad lines there count as refused."""
    given = written(
        tmp_path / "a.jsonl",
        {"text": LONG, "target": ["云杉"], "label": "negative"},
        {"text": LONG + "！！", "target": ["云杉"], "label": "neutral"},
    )
    others = written(
        tmp_path / "b.jsonl",
        {"text": LONG + "@张三 https://a.cn/1", "target": ["云杉"]}, {"text": LONG + "！！", "target": ["云杉"]},
        {"text": LONG, "target": ["云杉"]}, {"text": "云杉今天上新", "target": ["云杉"]}, "bad",
    )  # fmt: skip
    told = listener("label", "--models", tmp_path / "m", "--spread", others, given)
    assert told.code == 1
    assert told.err.startswith(f"{others}:5: ")
    found = {row["text"]: row["label"] for row in kept(tmp_path / "m")}
    assert found == {LONG: "negative", LONG + "！！": "neutral", LONG + "@张三 https://a.cn/1": "negative"}
    assert told.rows[0]["kept"] == 2
    assert told.rows[0]["in_all"] == 3


def test_a_label_is_not_spread_to_another_target(listener: Run, tmp_path: Path) -> None:
    """What was said to be negative towards one brand says nothing of the other brand in a like text."""
    text = LONG + "格澜"
    given = written(tmp_path / "a.jsonl", {"text": text, "target": ["云杉"], "label": "negative"})
    others = written(tmp_path / "b.jsonl", {"text": text + "！", "target": ["格澜"]})
    listener("label", "--models", tmp_path / "m", "--spread", others, given)
    assert [row["target"] for row in kept(tmp_path / "m")] == [["云杉"]]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"text": "云杉\u2028起火", "label": "negative"}),
        pytest.param({"text": "云杉\ud83d起火", "label": "negative"}),
        pytest.param({"text": "", "title": "云杉起火", "label": "negative"}),
        {"text": '云杉\n"起火"\t\u3000', "label": "negative"},
    ],
    ids=["line separator", "surrogate", "title alone", "escapes"],
)
def test_odd_texts_are_kept_and_read_again(listener: Run, tmp_path: Path, row: dict[str, Any]) -> None:
    """Whatever characters a text holds, it is kept once, and the file can be read and learnt from again."""
    given = written(tmp_path / "a.jsonl", row)
    for _ in range(2):
        told = listener("label", "--models", tmp_path / "m", given)
        assert (told.code, told.rows) == (0, [{"kept": 1, "spread": 0, "in_all": 1}])
    assert "1 corrections" in listener("train", "--models", tmp_path / "m").err


def test_files_that_cannot_be_read_are_told(listener: Run, tmp_path: Path) -> None:
    """A file that is not there, and a review set that is none: said with its name, nothing overwritten."""
    told = listener("label", "--models", tmp_path, tmp_path / "nowhere.jsonl")
    assert told.code == 1
    assert "nowhere.jsonl: No such file" in told.err
    (tmp_path / "labels.jsonl").write_text("{oops\n")
    told = listener("label", "--models", tmp_path, written(tmp_path / "a.jsonl", {"text": "好", "label": "positive"}))
    assert told.code == 1
    assert f"{tmp_path / 'labels.jsonl'}: is no review set" in told.err
    assert (tmp_path / "labels.jsonl").read_text() == "{oops\n"


def test_the_configuration_says_where_the_models_are(listener: Run, tmp_path: Path, models: Path) -> None:
    """With -c the folder is that of sentiment.models, beside the configuration; without one it is refused."""
    common = 'sources: [{id: a, type: file, path: x.jsonl, channel: news}]\ntopics: [{id: b, query: "云杉"}]\n'
    (tmp_path / "own.yml").write_text(common + "sentiment: {type: ngram, models: models}\n", encoding="utf-8")
    (tmp_path / "none.yml").write_text(common, encoding="utf-8")
    given = written(tmp_path / "a.jsonl", {"text": "好", "label": "positive"})
    assert listener("label", "-c", tmp_path / "own.yml", given).code == 0
    assert kept(models) == [{"text": "好", "label": "positive"}]
    assert [row["current"] for row in listener("train", "-c", tmp_path / "own.yml", "--list").rows] == [False, True]
    told = listener("label", "-c", tmp_path / "none.yml", given)
    assert told.code == 1
    assert "sentiment.models is not set" in told.err
    assert listener("train", "-c", tmp_path / "none.yml", "--list").code == 2


def test_ask_prints_the_wavering_and_one_of_a_kind(listener: Run, tmp_path: Path) -> None:
    """The narrowest margins first, near-duplicates once, nothing kept; each with its guess and a label to fill in."""
    texts = [
        LONG,
        LONG + "！",
        "质量太差，客服态度恶劣，非常失望",
        "很喜欢，性价比高，非常满意",
        "昨天路过",
        "明天下午三点",
        "！！！",
        "今天开门吗",
    ]
    given = written(tmp_path / "a.jsonl", *({"text": text, "id": 3, "label": "negative"} for text in texts), "bad")
    told = listener("label", "--models", tmp_path / "m", "--ask", "20", given)
    assert told.code == 1
    assert told.err.startswith(f"{given}:9: ")
    asked = [row["text"] for row in told.rows]
    assert len(asked) == len(set(asked)) == 6
    assert len({LONG, LONG + "！"} & set(asked)) == 1
    assert all(set(row) == {"text", "guess", "label"} and row["label"] is None for row in told.rows)
    judged = Ngram(shipped("standard")).score([whole(text) for text in asked])
    margins = []
    for row, answer in zip(told.rows, judged, strict=True):
        assert row["guess"] == answer.label
        shares = sorted((answer.negative, answer.neutral, answer.positive))
        margins.append(shares[2] - shares[1])
    assert margins == sorted(margins)
    assert [row["text"] for row in listener("label", "--models", tmp_path / "m", "--ask", "2", given).rows] == asked[:2]
    assert not (tmp_path / "m").exists()


def test_corrections_are_learnt_and_taken(listener: Run, models: Path, tmp_path: Path) -> None:
    """What people said becomes a version, which is current, measured, listed, and judges by what it learnt."""
    (before,) = versions(models)[0]
    listener("label", "--models", models, written(tmp_path / "a.jsonl", *opinions(120)))
    dry = listener("train", "--models", models, "--dry-run")
    assert (dry.code, dry.rows[0]["taken"], dry.rows[0]["version"]) == (0, False, None)
    assert versions(models) == ([before], before.name)
    told = listener("train", "--models", models)
    assert (told.code, told.err) == (0, "")
    (row,) = told.rows
    assert row["taken"] is True
    assert row["corrections"] == 120
    assert row["before"] == dry.rows[0]["before"]
    assert row["after"] == dry.rows[0]["after"]
    assert row["after"]["macro_f1"] > row["before"]["macro_f1"]
    found, name = versions(models)
    assert [version.name for version in found] == [before.name, row["version"]]
    assert name == row["version"]
    listed = listener("train", "--models", models, "--list").rows
    assert [(one["version"], one["current"]) for one in listed] == [
        ("shipped", False),
        (before.name, False),
        (name, True),
    ]
    assert listed[2]["after"] == row["after"]
    weights = current(models)
    assert weights is not None
    labels = [answer.label for answer in Ngram(weights).score([whole(one["text"]) for one in opinions(30, 5)])]
    assert sum(one["label"] == label for one, label in zip(opinions(30, 5), labels, strict=True)) > 24


def test_a_worse_model_is_refused(listener: Run, models: Path, tmp_path: Path) -> None:
    """Labels by lot make no version: it is told on both streams, and the model in use stays."""
    before = versions(models)
    listener("label", "--models", models, written(tmp_path / "a.jsonl", *by_lot(120)))
    told = listener("train", "--models", models)
    assert told.code == 1
    assert told.rows[0]["taken"] is False
    assert told.rows[0]["after"]["log_loss"] > told.rows[0]["before"]["log_loss"]
    assert "judges held-out corrections worse" in told.err
    assert versions(models) == before


def test_versions_can_be_gone_back_to(listener: Run, models: Path, tmp_path: Path) -> None:
    """--rollback goes back one by one to the shipped model, --use to any; beyond that it is refused."""
    listener("label", "--models", models, written(tmp_path / "a.jsonl", *opinions(60)))
    newest = listener("train", "--models", models).rows[0]["version"]
    first = versions(models)[0][0].name
    for code, expected in ((0, first), (0, "shipped")):
        told = listener("train", "--models", models, "--rollback")
        assert (told.code, told.rows) == (code, [{"current": expected}])
    told = listener("train", "--models", models, "--rollback")
    assert (told.code, told.rows) == (1, [])
    assert "nothing to go back to" in told.err
    assert current(models) is None
    for wanted in (newest, first, "shipped"):
        assert listener("train", "--models", models, "--use", wanted).rows == [{"current": wanted}]
        assert versions(models)[1] == (None if wanted == "shipped" else wanted)
    told = listener("train", "--models", models, "--use", "last")
    assert told.code == 1
    assert first in told.err
    assert newest in told.err


def test_train_tells_what_it_cannot_do(listener: Run, models: Path, tmp_path: Path) -> None:
    """No folder, two wishes: wrong usage. No corrections, too few, bad lines, damaged lists: refused with their place."""
    assert listener("train").code == 2
    assert listener("train", "--list").code == 2
    assert listener("train", "--models", models, "--list", "--rollback").code == 2
    assert listener("train", "--data", tmp_path).code == 2
    told = listener("train", "--models", models)
    assert told.code == 1
    assert f"{models / 'labels.jsonl'}: there are no corrections yet" in told.err
    listener("label", "--models", models, written(tmp_path / "a.jsonl", *opinions(19)))
    told = listener("train", "--models", models)
    assert (told.code, "19 corrections; 20 are the least" in told.err) == (1, True)
    (models / "labels.jsonl").write_text('{"text": "好", "label": "neutral"}\n{"text": "好"}\n', encoding="utf-8")
    told = listener("train", "--models", models)
    assert (told.code, f"{models / 'labels.jsonl'}:2: label: is missing" in told.err) == (1, True)
    (models / "versions.json").write_text("{", encoding="utf-8")
    for wish in ("--list", "--rollback"):
        told = listener("train", "--models", models, wish)
        assert (told.code, f"{models / 'versions.json'}: is no list of models" in told.err) == (1, True)


def test_building_from_folders_is_refused_where_they_hold_nothing(listener: Run, tmp_path: Path) -> None:
    """An empty folder and a bad line are told before anything is fitted; nothing is written."""
    out = tmp_path / "own.bin"
    (tmp_path / "data").mkdir()
    told = listener("train", "--data", tmp_path / "data", "--out", out)
    assert (told.code, "holds no *.jsonl" in told.err) == (1, True)
    path = written(tmp_path / "data" / "a.jsonl", {"text": "好", "label": "angry"})
    told = listener("train", "--data", tmp_path / "data", "--out", out)
    assert (told.code, f"{path}:1: label: 'angry' is none of" in told.err) == (1, True)
    assert not out.exists()


def test_an_empty_list_shows_the_shipped_model(listener: Run, tmp_path: Path) -> None:
    """Where nothing was trained the shipped model is current."""
    assert listener("train", "--models", tmp_path / "m", "--list").rows == [{"version": "shipped", "current": True}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--accurate", "--models", "m"], "--accurate builds from folders: say which with --data DIR"),
        (["--accurate", "--data", "d"], "say with --out FILE"),
        (["--accurate", "--data", "d", "--out", "o"], "d: holds no *.jsonl"),
    ],
)
def test_what_building_the_accurate_weights_needs_is_said(arguments, said, capsys, monkeypatch, tmp_path):
    """Before half an hour has gone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    assert main(["train", *arguments]) in {1, 2}
    assert said in capsys.readouterr().err
