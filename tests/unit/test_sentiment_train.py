"""How models are made: examples read, fits and figures against plain arithmetic, corrections learnt or refused."""

import gzip
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from sentiment import Span
from sentiment.grams import Folding
from sentiment.ngram import Ngram
from sentiment.reading import ZONES, read
from sentiment.sentiment import CATEGORIES
from sentiment.train.build import (
    Fitted,
    calibrate,
    compose,
    fit_head,
    fit_risk,
    folds,
    left_out_with,
    rarity,
    rounded,
    table,
    text_examples,
    weigh,
)
from sentiment.train.examples import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Example,
    ExampleError,
    read_file,
    read_folder,
    read_row,
)
from sentiment.train.fit import logistic
from sentiment.train.folding import folding_table
from sentiment.train.measure import (
    auc,
    average_precision,
    classes,
    expected_calibration_error,
    f_score,
    figures,
    precision_at_recall,
    two_class,
)
from sentiment.train.refit import ENOUGH, TooFewError, floats, refit
from sentiment.train.review import alike, near_duplicates, plain, to_ask
from sentiment.weights import Head, Weights

BITS = 12
LABELS = ("negative", "neutral", "positive")
WORDS = (
    ("太差", "失望", "难用", "后悔"),
    ("公告", "周三", "地址", "编号"),
    ("喜欢", "满意", "推荐", "惊喜"),
)
RUBBISH = "山水花鸟鱼虫草木金石丝竹日月星辰风云雷电春夏秋冬东西南北"


def example(text: str, label: str = "neutral", **values: object) -> Example:
    (found,) = read_row({"text": text, "label": label, **values}, str(values.get("source", "mentions")))
    return found


def filler(draw: random.Random, length: int = 8) -> str:
    return "".join(draw.choice(RUBBISH) for _ in range(length))


def opinions(count: int, seed: int, turn: int = 0) -> list[Example]:
    """Invented lines whose words say their label; with *turn* the labels are each other's."""
    draw = random.Random(seed)
    return [
        example(
            f"云杉{filler(draw, 3)}{draw.choice(WORDS[at % 3])}，{draw.choice(WORDS[at % 3])}{filler(draw, 3)}",
            LABELS[(at % 3 + turn) % 3],
            target=["云杉"],
        )
        for at in range(count)
    ]


def blank_model(bias: tuple[float, float] = (0.0, float(np.log(0.5)))) -> Weights:
    """A model that knows nothing: a third for each label."""
    head = Head(np.zeros((2, 1 << BITS), np.int8), np.zeros((ZONES, 2, 1 << BITS), np.int8), (0.01, 0.01), bias)
    return Weights(BITS, folding_table(), head, head, None, {"name": "blank"}, "v0")


@pytest.fixture(scope="module")
def taught() -> Weights:
    """A model that judges :func:`opinions` right."""
    found = refit(blank_model(), opinions(150, 1))
    assert found.better
    return replace(found.weights, version="v1")


def test_good_lines_become_examples(tmp_path: Path) -> None:
    """Labels in their spellings, names marked, risks known or not, groups; blank and unusable lines are passed over."""
    path = tmp_path / "some.jsonl"
    rows = [
        {"text": "云杉太差，格澜好", "title": "云杉", "target": "云杉", "others": ["格澜"], "label": "neg", "risk": ["service"],
         "brand": "b", "writer": "w", "kind": "k"},
        {"text": "好", "label": "pos", "risk": []}, {"text": "好", "label": "neutral"}, {"text": "x", "label": "mixed"}, {"text": "x", "label": "-1"},
        {"text": "云杉被查", "label": "信批违规", "target": "云杉"}, {"text": "云杉", "label": "其他", "target": ["NaN"]}, {"text": "云杉", "label": "pos", "target": "云杉", "domain": "d"},
    ]  # fmt: skip
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    first, second, third, event, other, aspect = read_file(path)
    assert first.target.text.brand == (Span(0, 2),)
    assert first.target.text.others == (Span(5, 7),)
    assert first.target.title is not None
    assert first.target.title.brand == (Span(0, 2),)
    assert (first.label, first.source, first.risks, first.kind, first.group) == (
        NEGATIVE,
        "some",
        frozenset({"service"}),
        "k",
        "w",
    )
    assert (second.label, second.risks, second.target.title) == (POSITIVE, frozenset(), None)
    assert (third.label, third.risks) == (NEUTRAL, None)
    assert (event.label, event.risks) == (NEGATIVE, frozenset({"regulatory"}))
    assert (other.label, other.risks, other.target.text.brand) == (NEUTRAL, frozenset(), ())
    assert aspect.target.text.brand == ()


def test_a_line_with_entities_is_an_example_for_each() -> None:
    """Each entity that stands in the text is judged, the others marked; a part of a longer name is not it."""
    row = {
        "text": "北银创投爆雷，青禾无事",
        "label": "neg",
        "entities": ["北银", "北银创投", "青禾", ""],
        "neg_entities": ["北银创投"],
    }
    first, second = read_row(row, "s")
    assert (first.group, first.label, first.target.text.brand) == ("北银创投", NEGATIVE, (Span(0, 4),))
    assert (second.group, second.label, second.target.text.brand) == ("青禾", NEUTRAL, (Span(7, 9),))
    assert second.target.text.others == (Span(0, 4),)
    (whole,) = read_row({"text": "无", "label": "neg", "entities": []}, "s")
    assert (whole.label, whole.target.text.brand) == (NEGATIVE, ())


def test_an_event_without_an_entity_is_an_example() -> None:
    """An event's line whose list of entities is empty is one about the whole text, as a label's is."""
    (whole,) = read_row({"text": "被查", "label": "信批违规", "entities": []}, "s")
    assert (whole.label, whole.target.text.brand) == (NEGATIVE, ())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"nonsense", "Expecting value"), (b"[1]", "is no JSON object"), (b'{"label": "neg"}', "text: is missing"),
        (b'{"text": 5, "label": "neg"}', "text: must be a string"), (b'{"text": "a"}', "label: is missing"),
        (b'{"text": "a", "label": 1}', "label: must be a string"), (b'{"text": "a", "label": "angry"}', "label: 'angry' is none of"),
        (b'{"text": "a", "label": "neg", "target": 1}', "target: must be a string or a list of strings"),
        (b'{"text": "a", "label": "neg", "others": [1]}', "others: must be"), (b'{"text": "a", "label": "neg", "risk": "bad"}', "risk: 'bad' is none of"),
        (b'{"text": "\xff", "label": "neg"}', ""), (b"[" * 20_000, ""),
        (b'{"text": "a", "label": "neg", "title": 5}', "title: must be a string"),
        (b'{"text": "a", "label": "neg", "entities": 5}', "entities: "),
        (b'{"text": "a", "label": "neg", "entities": [5]}', "entities: "),
        (b'{"text": "a", "label": "neg", "entities": [], "neg_entities": 5}', "neg_entities: "),
    ],
    ids=range(16),
)  # fmt: skip
def test_bad_lines_are_told_with_their_place_and_field(tmp_path: Path, line: bytes, told: str) -> None:
    """The message names file, line and field."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "a", "label": "neg"}\n\n' + line + b"\n")
    with pytest.raises(ExampleError) as caught:
        list(read_file(path))
    assert str(caught.value).startswith(f"{path}:3: {told}")


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """Plain and packed files; the source is the file's name. A folder without any is refused."""
    with pytest.raises(ExampleError, match=r"holds no \*\.jsonl"):
        read_folder(tmp_path)
    (tmp_path / "b.jsonl").write_text('{"text": "b", "label": "neg"}\n')
    (tmp_path / "c.txt").write_text("no")
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as packed:
        packed.write('{"text": "a", "label": "pos"}\n')
    assert [(one.source, one.target.text.text) for one in read_folder(tmp_path)] == [("a", "a"), ("b", "b")]


def test_logistic_finds_the_minimum_that_a_slow_search_finds() -> None:
    """On a tiny problem with weights and an offset: the minimiser and the loss are those of a search without slopes."""
    draw = np.random.default_rng(7)
    dense = np.round(draw.random((30, 4)), 2) * (draw.random((30, 4)) < 0.7)
    dense[:, 2] = 0  # a column that nothing uses
    yes = (dense[:, 0] + 0.3 * draw.standard_normal(30) > 0.4).astype(float)
    weight, offset = 0.5 + draw.random(30), draw.standard_normal(30)

    def loss(at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        score = dense @ at[:-1] + at[-1] + offset
        each = weight * (np.logaddexp(0, score) - yes * score)
        return float(each.sum() + 0.4 / 2 * (at[:-1] ** 2).sum())

    slow = minimize(loss, np.zeros(5), method="Powell", options={"xtol": 1e-9, "ftol": 1e-12, "maxiter": 20_000}).x
    rows = csr_matrix(dense.astype(np.float32))
    found, bias = logistic(rows, yes, strength=0.4, weight=weight, offset=offset, steps=200)
    at = np.append(found.astype(float), bias)
    assert at == pytest.approx(slow, abs=2e-3)
    assert found[2] == 0
    # And no step to any side makes it smaller: the slope is zero.
    for step in np.eye(5) * 1e-3:
        assert abs(loss(at + step) - loss(at - step)) / 2e-3 < 5e-3


def test_logistic_without_a_row_that_differs_learns_the_share() -> None:
    """With no columns in use the bias alone is fitted: the log odds of the share."""
    found, bias = logistic(csr_matrix(np.zeros((4, 3), dtype=np.float32)), np.array([1.0, 1, 1, 0]), strength=1.0)
    assert found.tolist() == [0, 0, 0]
    assert bias == pytest.approx(np.log(3), abs=1e-3)


def test_figures_of_two_classes_against_sums_by_hand() -> None:
    """AUC, average precision, F and calibration error of five rows."""
    scores, true = np.array([0.9, 0.8, 0.8, 0.3, 0.1]), np.array([True, False, True, True, False])
    assert auc(scores, true) == pytest.approx((2 + 1.5 + 1) / 6)  # pairs won: .9 both, .8 one and a tie, .3 one
    assert auc(scores, ~true) == pytest.approx(1 - 4.5 / 6)
    assert auc(np.ones(4), np.array([True, False, True, False])) == 0.5
    assert average_precision(scores, true) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert precision_at_recall(scores, true, 0.5) == pytest.approx(2 / 3)
    assert precision_at_recall(scores, true, 1.0) == pytest.approx(3 / 4)
    said = scores >= 0.5
    assert f_score(said, true) == pytest.approx(2 * 2 / (3 + 3))
    assert f_score(np.zeros(3, bool), np.zeros(3, bool)) == 0
    # Sure of .9, .8, .8, .7, .9; right, wrong, right, wrong, right: bins of width 1/15.
    expected = 2 / 5 * abs(1 - 0.9) + 2 / 5 * abs(0.5 - 0.8) + 1 / 5 * abs(0 - 0.7)
    assert expected_calibration_error(scores, true) == pytest.approx(expected)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0


def test_figures_of_three_classes_against_sums_by_hand() -> None:
    """Accuracy, F1 of each class, their mean and the log loss of four rows."""
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    labels = np.array([NEGATIVE, NEUTRAL, POSITIVE, POSITIVE])
    found = figures(shares, labels)
    assert (found.count, found.accuracy) == (4, 0.75)
    assert found.f1 == pytest.approx((2 / 3, 1, 2 / 3))
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert found.log_loss == pytest.approx(-np.log([0.7, 0.6, 0.2, 0.8]).mean())
    both = two_class(shares, labels)
    assert (both.count, both.auc) == (3, 1)
    assert both.accuracy == pytest.approx(2 / 3)
    assert classes(np.array([[0.0, 0.0], [50, -50], [-50, -50]])) == pytest.approx(
        np.array([[0.25, 0.5, 0.25], [0, 0, 1], [1, 0, 0]]), abs=1e-9
    )


def test_folds_keep_groups_together_and_the_parts_even() -> None:
    """A group is in one part; the sizes differ by no more than the largest group; order does not matter."""
    draw = random.Random(3)
    groups = np.array([f"g{draw.randrange(40)}" for _ in range(400)])
    part = folds(groups, 5)
    assert set(part.tolist()) == set(range(5))
    for group in set(groups.tolist()):
        assert len(set(part[groups == group].tolist())) == 1
    sizes = np.bincount(part, minlength=5)
    assert sizes.max() - sizes.min() <= max(np.unique(groups, return_counts=True)[1])
    of = dict(zip(groups.tolist(), part.tolist(), strict=True))
    assert folds(groups[::-1], 5).tolist() == [of[group] for group in groups[::-1].tolist()]


def test_sources_that_overlap_are_left_out_together() -> None:
    """A source's twins go with it; a source without any goes alone."""
    assert left_out_with("weibo_5_moods") == {"nlpcc_weibo_8moods", "weibo_5_moods", "covid_weibo_7emo"}
    assert left_out_with("mentions") == {"mentions"}


def test_small_sources_weigh_more_and_our_own_most() -> None:
    """A row of a small source outweighs one of a large one, but the large source still has the larger sum."""
    found = weigh(np.array(["large"] * 1000 + ["small"] * 10 + ["mentions"] * 10))
    large, small, own = found[0], found[1000], found[1010]
    assert large < small < own
    assert large * 1000 > small * 10
    assert own == pytest.approx(4 * small)


def test_common_grams_are_kept_small() -> None:
    """What stands in every row has the least freedom, what stands in none the most."""
    found = rarity(csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32)))
    assert found[0] == 0
    assert 0 < found[1] < found[2] == 1


def test_a_head_learns_what_the_zones_say_and_eight_bits_keep_it() -> None:
    """A fitted head tells its lines apart; rounded to eight bits its scores stay, and the analyzer gives the same."""
    examples = opinions(90, 2)
    folding = Folding(folding_table())
    rows = table([read(one.target) for one in examples], folding, BITS)
    labels = np.array([one.label for one in examples])
    fitted = fit_head(rows, labels, np.ones(len(labels)), strength=0.1, bits=BITS)
    scores = fitted.scores(rows)
    assert (classes(scores).argmax(axis=1) == labels).mean() > 0.95
    head = rounded(fitted)
    assert head.shared.dtype == head.zones.dtype == np.int8
    assert np.abs(head.shared.astype(int)).max() <= 127
    assert np.allclose(floats(head).scores(rows), scores, atol=0.1)
    analyzer = Ngram(Weights(BITS, folding.table, head, head, None, {}, "v"))
    for row, answer in zip(
        classes(floats(head).scores(rows)), analyzer.score([one.target for one in examples]), strict=True
    ):
        assert [answer.negative, answer.neutral, answer.positive] == pytest.approx(row.tolist(), abs=1e-4)


def test_a_prior_is_begun_from() -> None:
    """With few rows and a prior that knows the words, words that these rows lack are still known."""
    folding = Folding(folding_table())
    examples = opinions(90, 4)
    rows = table([read(one.target) for one in examples], folding, BITS)
    labels = np.array([one.label for one in examples])
    prior = fit_head(rows, labels, np.ones(90), strength=0.1, bits=BITS)
    few = np.arange(90) < 12
    with_it = fit_head(
        rows[few], labels[few], np.ones(12), strength=0.1, prior=(prior, prior.scores(rows[few])), bits=BITS
    )
    alone = fit_head(rows[few], labels[few], np.ones(12), strength=0.1, bits=BITS)

    def right(head: Fitted) -> float:
        return float((classes(head.scores(rows[~few])).argmax(axis=1) == labels[~few]).mean())

    assert right(with_it) > right(alone)


def test_calibration_makes_an_oversure_head_honest() -> None:
    """A head whose scores are ten times too sure is turned down, and the log loss falls."""
    draw = np.random.default_rng(5)
    true = draw.standard_normal((300, 2))
    labels = np.where(draw.random(300) < 1 / (1 + np.exp(-true[:, 1])), NEUTRAL, NEGATIVE)
    said = draw.random(300) < 1 / (1 + np.exp(-true[:, 0]))
    labels[(labels == NEGATIVE) & said] = POSITIVE
    over = Fitted(np.ones((2, 4), np.float32), np.ones((ZONES, 2, 4), np.float32), (0.0, 0.0))
    found = calibrate(over, true * 10, labels, np.ones(300))
    assert 0.05 < found.shared[0, 0] < 0.2
    assert 0.05 < found.shared[1, 0] < 0.2
    assert np.array_equal(found.zones[0], found.shared)


def test_the_text_head_learns_each_text_once_and_no_brand() -> None:
    """Texts are unmarked; one whose two brands fare differently is left out, one that both sources hold comes once."""
    both = {"text": "云杉好，格澜差", "target": "云杉", "others": "格澜"}
    found = text_examples(
        [
            example("云杉好", "positive", target="云杉"),
            example("云杉好", "positive", target="云杉"),
            *read_row({**both, "label": "positive"}, "mentions"),
            *read_row({"text": both["text"], "target": "格澜", "others": "云杉", "label": "negative"}, "mentions"),
        ]
    )
    assert {one.target.text.text for one in found} == {"云杉好"}
    assert all(one.target.text.brand == () for one in found)


def test_composed_pairs_are_judged_by_the_first_and_drawn_alike() -> None:
    """Two mentions side by side: the label and the brand are one's, the other's brand is another; always the same draw."""
    short = [example(f"{name}很好用", "positive", target=name, brand=name) for name in ("云杉", "格澜")]
    short += [example("青禾太差", "negative", target="青禾", brand="青禾")]
    found = compose(short, count=60)
    assert found == compose(short, count=60)
    assert len(found) == 60
    for one in found:
        text = one.target.text.text
        (brand,), (other,) = one.target.text.brand, one.target.text.others
        name = text[brand.start : brand.end]
        assert name == one.group != text[other.start : other.end]
        assert one.label == (NEGATIVE if name == "青禾" else POSITIVE)
    assert compose(short[:1]) == []


@pytest.mark.timeout(1)
def test_composing_ends_where_no_mention_names_its_brand() -> None:
    """Mentions whose brand does not stand in the text give no pairs."""
    assert compose([example("太差了", "negative"), example("很好", "positive")], count=5) == []


def test_risks_are_learnt_by_category() -> None:
    """A category that lines name scores higher on a like line than on another; the head knows all categories."""
    draw = random.Random(6)
    lines = [
        example(f"云杉{filler(draw, 4)}{'起火爆炸' if at % 2 else '上新打折'}", target="云杉", risk=["product_safety"] if at % 2 else [])
        for at in range(40)
    ]  # fmt: skip
    head = fit_risk(lines, Folding(folding_table()))
    assert head.categories == CATEGORIES
    analyzer = Ngram(replace(blank_model(), bits=19, risk=head, text=wide(), target=wide()))
    bad, good = analyzer.score(
        [example("云杉昨天起火爆炸", target="云杉").target, example("云杉昨天上新打折", target="云杉").target]
    )
    assert [risk.category for risk in bad.risks] == ["product_safety"]
    assert good.risks == ()


def wide() -> Head:
    return Head(np.zeros((2, 1 << 19), np.int8), np.zeros((ZONES, 2, 1 << 19), np.int8), (0.01, 0.01), (0.0, 0.0))


TINY = """
import hashlib, sys
from sentiment.train.build import build
from sentiment.train.examples import read_row
from sentiment.train.folding import folding_table
from sentiment.weights import save
from pathlib import Path
found = []
for at in range(18):
    word = [["太差", "失望", "故障"], ["公告", "周三", "地址"], ["喜欢", "满意", "推荐"]][at % 3][at // 3 % 3]
    name, label = ["云杉", "格澜"][at % 2], ["negative", "neutral", "positive"][at % 3]
    found += read_row({"text": f"{name}手机{word}", "title": "快讯", "target": name, "label": label, "brand": name, "risk": ["service"][: at % 3 == 0]}, "mentions")
    found += read_row({"text": word + "了", "label": label}, "remarks")
print(save(build(found, folding_table(), {"name": "tiny"}), Path(sys.argv[1])))
"""


def test_a_build_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    """Two processes with other seeds of their sets build the same file from the same lines."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TINY, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    versions = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert versions[0] == versions[1] != ""
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_corrections_that_contradict_the_model_are_learnt(taught: Weights) -> None:
    """Where people say the opposite of the model, the new one is better on what it did not see, and judges so."""
    turned = opinions(150, 8, turn=1)
    found = refit(taught, turned)
    assert found.before.macro_f1 < 0.2
    assert found.after.macro_f1 > 0.8
    assert found.better
    asked = opinions(30, 9, turn=1)
    judged = Ngram(found.weights).score([one.target for one in asked])
    right = [answer.label == LABELS[one.label] for one, answer in zip(asked, judged, strict=True)]
    assert sum(right) > 24
    assert found.weights.about["corrections"] == 150
    assert found.weights.about["from"] == "v1"
    assert found.weights.bits == taught.bits


def test_the_same_corrections_teach_the_same(taught: Weights) -> None:
    """Learning twice gives the same weights and figures."""
    one, other = (refit(taught, opinions(60, 10, turn=1)) for _ in range(2))
    assert (one.before, one.after) == (other.before, other.after)
    assert np.array_equal(one.weights.target.shared, other.weights.target.shared)


def test_nonsense_is_refused() -> None:
    """Labels drawn by lot teach nothing: against a model that gives each a third, they are worse, and not taken."""
    draw = random.Random(11)
    lines = [example(filler(draw, 12), draw.choice(LABELS)) for _ in range(150)]
    found = refit(blank_model(), lines)
    assert found.before.log_loss == pytest.approx(np.log(3))
    assert found.after.log_loss > found.before.log_loss
    assert found.better is False


def test_nonsense_on_top_of_a_good_model_is_not_measured_on_what_it_saw(taught: Weights) -> None:
    """The figures are of held-out parts: labels by lot are not found again, however well the fit knows them."""
    draw = random.Random(12)
    lines = [example(filler(draw, 12), draw.choice(LABELS)) for _ in range(120)]
    assert refit(taught, lines).after.accuracy < 0.6


def test_near_duplicates_do_not_measure_themselves() -> None:
    """The same line twenty times, with other digits, lies in one part: it cannot be its own proof."""
    draw = random.Random(13)
    lines = []
    for _ in range(12):
        text, label = filler(draw, 12), draw.choice(LABELS)
        lines += [example(f"{text}{number}！", label) for number in range(10)]
    assert refit(blank_model(), lines).after.accuracy < 0.7


def test_too_few_corrections_are_refused() -> None:
    """Below twenty nothing can be measured; twenty are enough."""
    with pytest.raises(TooFewError, match="19 corrections"):
        refit(blank_model(), opinions(ENOUGH - 1, 14))
    assert refit(blank_model(), opinions(ENOUGH, 14)).after.count == ENOUGH


def test_corrections_of_one_label_alone_are_learnt_or_refused(taught: Weights) -> None:
    """Thirty times "negative" over a model that said otherwise: it learns that, or says that it did not."""
    lines = [replace(one, label=NEGATIVE) for one in opinions(60, 15) if one.label == POSITIVE]
    with pytest.raises(TooFewError, match="one label"):
        refit(taught, [*lines, *lines[:10]])


def test_what_is_plain_is_told_from_noise() -> None:
    """Chains, links, handles, emoticons, width and marks do not make two texts differ."""
    assert plain("云杉，太差！@张三 https://a.cn/b [怒]//@李四:真的") == "云杉太差"
    assert plain("ＡＢＣ 云杉") == "abc云杉"
    assert plain("//@李四:真的").endswith("真的")
    assert plain("！？😀") == ""


def test_texts_that_say_the_same_are_alike() -> None:
    """A word changed in a long text is the same; short texts must be equal; nothing is like nothing."""
    long = "云杉手机昨天晚上在客厅充电的时候突然冒烟起火客服到现在也没有回复我"
    assert alike(long, long[:-1])
    assert alike(long, long.replace("客厅", "大厅"))
    assert not alike(long, long[: len(long) // 2])
    assert not alike("云杉太差", "云杉太好")
    assert alike("云杉太差", "云杉太差")
    assert not alike("", "")
    assert near_duplicates(long + "！", [(3, "别的"), (7, long + " @某人")]) == [7]


def test_the_wavering_are_asked_first_and_one_of_a_kind() -> None:
    """The narrowest margin comes first, the unknown last, near-duplicates once, texts without a word never."""
    head = replace(blank_model().text, bias=(0.0, 0.0))
    sure, wavering, unknown = (
        Ngram(replace(blank_model(), text=replace(head, bias=bias))).score([example(text).target])[0]
        for text, bias in (("云杉", (9.0, -9.0)), ("云杉", (0.1, -9.0)), ("Привет", (0.0, 0.0)))
    )
    judged = [("甲", unknown), ("乙丙", sure), ("丁", wavering), ("丁！！", wavering), ("！！", wavering)]
    assert to_ask(judged, 10) == [2, 1, 0]
    assert to_ask(judged, 1) == [2]
    assert to_ask(judged, 0) == []
