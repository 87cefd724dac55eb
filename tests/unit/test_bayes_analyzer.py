"""The default analyzer: faithful to snownlp's formula, without snownlp, in little memory."""

import math
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from sentiment import AnalysisError, Passage, Span, Target
from sentiment.bayes import Bayes, encodable, load_tables
from sentiment.judgement import classes, sigmoid
from sentiment.segment import Segmenter, segmenter

TEXTS = [
    "云杉科技的新手机，充电时突然起火！！客服却说是“正常现象”，真的太让人失望了……有人和我一样吗？",
    "房间很大，服务也好，下次还会来住。", "iPhone 和 OK 都是英文，一般般吧 1234", "的", "間 story， 宋体", "好" * 40,
]  # fmt: skip
SNOWNLP = Path(find_spec("snownlp").origin).parent


def test_the_tables_give_what_snownlp_gives_for_the_same_words():
    """P(positive) of a list of words is that of snownlp's own classifier, to nine decimals."""
    from snownlp import normal, sentiment  # three seconds, for this test alone

    tables = load_tables()
    cut = segmenter("bayes")
    for text in TEXTS:
        words = [word.strip() for word in cut(text) if word.strip()]
        label, probability = sentiment.classifier.classifier.classify(normal.filter_stop(words))
        expected = probability if label == "pos" else 1 - probability
        assert sigmoid(tables.prior + sum(tables.weights(words))) == pytest.approx(expected, abs=1e-9)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux's /proc")
def test_building_it_neither_imports_snownlp_nor_takes_200_mb():
    """A process that has built the default analyzer and scored a text holds no module of snownlp and < 200 MB."""
    code = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from sentiment import Passage, Target\n"
        "from sentiment.config import BayesConfig\n"
        "analyzer = BayesConfig().build()\n"
        "assert analyzer.score([Target(Passage('质量太差了'))])[0].label == 'negative'\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] == 'snownlp']\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())\n"
        "print(len(loaded), int(peak[1]) // 1024)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, megabytes = map(int, ended.stdout.split())
    assert loaded == 0
    assert megabytes < 200


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: model.write_bytes(model.read_bytes()[:-1]),
        lambda model: model.write_bytes(b""),
        lambda model: model.write_bytes(b"\x00" * 1000),
        lambda model: model.write_bytes(model.read_bytes()[:5000] + b"\xff" + model.read_bytes()[5001:]),
        lambda model: model.unlink(),
        lambda model: (model.unlink(), model.mkdir()),
    ],
    ids=["cut", "empty", "zeros", "bit flipped", "missing", "folder"],
)
def test_a_damaged_model_is_refused(tmp_path, damage):
    """Whatever happened to the model file, building answers AnalysisError and nothing of it is run."""
    for part in ("sentiment/sentiment.marshal.3", "normal/stopwords.txt"):
        (tmp_path / part).parent.mkdir()
        shutil.copy(SNOWNLP / part, tmp_path / part)
    assert len(load_tables(tmp_path).words) == 39_086
    damage(tmp_path / "sentiment/sentiment.marshal.3")
    with pytest.raises(AnalysisError, match=r"bayes: .*snownlp") as caught:
        load_tables(tmp_path)
    assert caught.value.analyzer == "bayes"


def test_a_missing_list_of_stop_words_is_refused(tmp_path):
    """The model without its stop list would judge otherwise, so it is refused."""
    (tmp_path / "sentiment").mkdir()
    shutil.copy(SNOWNLP / "sentiment/sentiment.marshal.3", tmp_path / "sentiment/sentiment.marshal.3")
    with pytest.raises(AnalysisError, match="cannot be read"):
        load_tables(tmp_path)


def test_jieba_itself_serves_where_rjieba_is_missing():
    """With jieba's own segmenter the labels of plain texts are the same and the offsets exact."""
    slow = Bayes(load_tables(), Segmenter(engine="jieba").cut)
    text = "质量太差了，客服\n态度恶劣\ud800，  非常 失望"
    answer = slow.score([Target(Passage(text))])[0]
    assert answer.label == Bayes.load().score([Target(Passage(text))])[0].label == "negative"
    assert {text[span.start : span.end] for span in answer.spans} >= {"太差", "失望"}


def test_reasons_are_the_heaviest_words_where_they_stand():
    """The reasons carry the table's own log-odds, at the words' places in title and text."""
    tables = load_tables()
    title, text = "😀 非常失望", "一般，\U0001f525质量太差"
    answer = Bayes.load().score([Target(text=Passage(text), title=Passage(title))])[0]
    found = {
        (span.field, (title if span.field == "title" else text)[span.start : span.end]): span.weight
        for span in answer.spans
    }
    assert found["title", "失望"] == tables.words["失望"] < -1
    assert found["text", "差"] == tables.words["差"] < -1
    assert found["text", "质量"] == tables.words["质量"]


def test_a_name_is_no_reason():
    """Words of the brand's own name count neither for nor against it."""
    bare = Bayes.load().score([Target(Passage("失望牌手机好用", brand=(Span(0, 3),)))])[0]
    assert all(span.start >= 3 for span in bare.spans)
    assert bare.negative < Bayes.load().score([Target(Passage("失望牌手机好用"))])[0].negative


@pytest.mark.parametrize(
    ("positive", "label"), [(0.0, "negative"), (0.33, "negative"), (0.34, "neutral"), (0.5, "neutral"), (0.66, "neutral"), (0.67, "positive"), (1.0, "positive")]
)  # fmt: skip
def test_three_classes_from_one_probability(positive, label):
    """Negative, neutral and positive are (1-p)^2, 2p(1-p) and p^2, neutral between a third and two thirds."""
    answer = classes(positive)
    assert answer.label == label
    assert (answer.negative, answer.neutral, answer.positive) == (
        (1 - positive) ** 2,
        2 * positive * (1 - positive),
        positive**2,
    )


def test_the_sigmoid_has_no_overflow():
    """Log-odds of any size give a probability, symmetric about one half."""
    assert (sigmoid(-1e6), sigmoid(0), sigmoid(1e6)) == (0, 0.5, 1)
    assert math.isclose(sigmoid(-3), 1 - sigmoid(3))


def test_surrogates_are_replaced_one_for_one():
    """A pair of surrogates stays two characters, so that no offset moves."""
    assert encodable("a\ud83d\ude00差") == "a\ufffd\ufffd差"
