"""The default analyzer on texts and targets; no number of the shipped weights is pinned."""

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest

from sentiment import Passage, Sentiment, Span, Target
from sentiment.config import NgramConfig
from sentiment.grams import Folding
from sentiment.ngram import Ngram, Scorer, shipped, whole
from sentiment.reading import OUTSIDE, read
from sentiment.sentiment import CATEGORIES, UNKNOWN

BRANDS = ("云杉", "格澜")
LIMITS = dict(zip(CATEGORIES, shipped("standard").risk.limits, strict=True))
MENTIONS = [
    "云杉手机质量太差，客服态度恶劣，再也不买了", "云杉真的太好用了，强烈推荐", "云杉明天下午三点举行发布会", "云杉靠谱吗？", "云杉丑，但是真好用",
    "格澜太差，非常失望。云杉很喜欢，非常满意", "云杉和格澜都很差", "别买云杉//@张三:很好用啊“真的很好用”", "😀云杉\ud800太差\0差", "云杉" * 20, "云杉 terrible", "云",
    "看https://a.cn/x云杉怎么又崩了", "云杉哈哈哈哈哈哈哈哈哈哈", "質量太差，非常失望",
]  # fmt: skip


@pytest.fixture(scope="module")
def analyzer() -> Ngram:
    return Ngram(shipped("standard"))


def about(text: str, brand: str = "云杉", title: str | None = None) -> Target:
    """*text* with *brand* as the target and the other of :data:`BRANDS` as another brand."""
    return Target(marked(text, brand), None if title is None else marked(title, brand))


def marked(text: str, brand: str) -> Passage:
    def places(names: Sequence[str]) -> tuple[Span, ...]:
        return tuple(Span(*found.span()) for found in re.finditer("|".join(names), text))

    return Passage(text, places([brand]), places([name for name in BRANDS if name != brand]))


def judge(analyzer: Ngram, text: str, brand: str = "云杉", title: str | None = None) -> Sentiment:
    return analyzer.score([about(text, brand, title)])[0]


def shares(answer: Sentiment) -> dict[str, float]:
    return {"negative": answer.negative, "neutral": answer.neutral, "positive": answer.positive}


ALL = [about(text, title=title) for text in MENTIONS for title in (None, "云杉手机怎么样？", "格澜新品")]
ALL += [whole(text) for text in MENTIONS]


def test_shares_sum_to_one_and_the_label_is_the_largest(analyzer: Ngram) -> None:
    """The distribution sums to one; label and confidence are those of its largest share."""
    for answer in analyzer.score(ALL):
        found = shares(answer)
        assert math.isclose(sum(found.values()), 1, abs_tol=1e-9)
        assert all(0 <= share <= 1 for share in found.values())
        if answer.label == "unknown":
            assert answer == UNKNOWN
        else:
            assert answer.confidence == max(found.values()) == found[answer.label]


def test_reasons_and_risks_lie_inside_the_text(analyzer: Ngram) -> None:
    """Spans are in their own field, in order, without overlap, at most eight; risks are known, sure and the surest first."""
    for target, answer in zip(ALL, analyzer.score(ALL), strict=True):
        length = {"text": len(target.text.text), "title": len(target.title.text) if target.title else 0}
        assert len(answer.spans) <= 8
        places = [(span.field != "title", span.start, span.end) for span in answer.spans]
        assert places == sorted(places)
        for before, after in zip(places, places[1:], strict=False):
            assert before[0] != after[0] or before[2] <= after[1]
        for span in answer.spans:
            assert 0 <= span.start < span.end <= length[span.field]
            assert math.isfinite(span.weight)
            assert span.weight
        for field, start, end in answer.judged:
            assert 0 <= start < end <= length[field]
        for risk in answer.risks:
            assert risk.category in CATEGORIES
            assert LIMITS[risk.category] <= risk.confidence <= 1
            assert 0 <= risk.start < risk.end <= length[risk.field]
        sure = [risk.confidence for risk in answer.risks]
        assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize("text", ["质量太差", "质量太差，但是很好。", "好"])
def test_contributions_add_up_to_the_score(text: str) -> None:
    """The parts of all codes and the bias are the score, for polarity and neutrality, of both heads."""
    assert apart(text) == pytest.approx([0] * 4, abs=1e-6)


def apart(text: str) -> list[float]:
    """How far scores and the sums of their parts lie apart."""
    weights = shipped("standard")
    folding = Folding(weights.folding)
    found: list[float] = []
    for head, target in ((weights.text, whole(text)), (weights.target, about("云杉" + text))):
        scorer = Scorer(head, weights.bits)
        reading = read(target)
        batch = folding.batch([reading.text])
        zones = np.zeros(len(batch.codes), dtype=np.uint8)
        if reading.zones is not None:
            zones[2:] = reading.zones[(batch.origin - batch.offsets[0])[2:]]
        scores = scorer.scores(batch, zones)
        polarity, neutrality = scorer.parts(batch.codes, zones)
        found.append(float(polarity.sum() + head.bias[0] - scores.polarity[0]))
        found.append(float(neutrality.sum() + head.bias[1] - scores.neutrality[0]))
    return found


def test_contributions_are_those_of_a_slow_count() -> None:
    """Each n-gram's weight is shared out evenly to the codes it covers, by its own zone, in a plain loop."""
    from sentiment.grams import hashes

    weights = shipped("standard")
    head = weights.target
    codes = Folding(weights.folding).batch(["质量太差，但是很好"]).codes
    zones = np.array([0, 0, 2, 2, 2, 2, 2, 0, 4, 3, 1], dtype=np.uint8)
    assert len(zones) == len(codes)
    expected = np.zeros((2, len(codes)))
    for order, buckets in enumerate(hashes(codes, weights.bits), start=1):
        for place, bucket in enumerate(buckets.tolist()):
            share = (head.shared[:, bucket].astype(float) + head.zones[zones[place], :, bucket]) / order
            for at in range(place, place + order):  # what reaches beyond the text belongs to its last code
                expected[:, min(at, len(codes) - 1)] += share * np.array(head.scale) / math.sqrt(3 * len(codes))
    found = Scorer(head, weights.bits).parts(codes, zones)
    assert np.allclose(found, expected, atol=1e-9)


def test_whole_texts_are_judged_alike_by_both_ways_in(analyzer: Ngram) -> None:
    """``probabilities`` and ``score`` without a target say the same of a Chinese text."""
    texts = [text for text in MENTIONS if re.search("[\u4e00-\u9fff]", text)]
    found = analyzer.probabilities(texts)
    for row, answer in zip(found.tolist(), analyzer.score([whole(text) for text in texts]), strict=True):
        assert row == pytest.approx(list(shares(answer).values()), abs=1e-9)
    assert analyzer.probabilities(["hello", "", "\ud800", "배터리"]).tolist() == [[0, 1, 0]] * 4


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This phone is terrible and useless", "negative"), ("I love it, great quality", "positive"), ("not good", "neutral"),
        ("GREAT", "positive"), ("it wasn\u2019t bad", "neutral"), ("good but bad", "neutral"),
    ],
)  # fmt: skip
def test_latin_text_goes_by_english_words(analyzer: Ngram, text: str, label: str) -> None:
    """English words give a label and reasons, and never much confidence."""
    answer = analyzer.score([whole(text)])[0]
    assert answer.label == label
    assert 0.4 <= answer.confidence <= 0.6
    assert math.isclose(sum(shares(answer).values()), 1)
    assert answer.confidence == max(shares(answer).values()) == shares(answer)[answer.label]
    assert answer.spans
    assert all(text[span.start : span.end].isalpha() for span in answer.spans)


def test_english_never_grows_sure(analyzer: Ngram) -> None:
    """However many bad words there are, the confidence stays at .6 or below."""
    answer = analyzer.score([whole("terrible awful useless " * 200)])[0]
    assert answer.label == "negative"
    assert answer.confidence <= 0.6
    assert len(answer.spans) == 8


def test_english_about_another_brand_does_not_count(analyzer: Ngram) -> None:
    """Words of English, too, are taken where the target has the word."""
    text = "Yunshan is great. Gelan is terrible and useless"
    one, other = Span(0, 7), Span(18, 23)
    first, second = analyzer.score([Target(Passage(text, (one,), (other,))), Target(Passage(text, (other,), (one,)))])
    assert (first.label, second.label) == ("positive", "negative")
    assert all(span.end <= 18 for span in first.spans)


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "12345", "😀👍", "!!!", "Это плохо", "スマホがこわれた", "ｽﾏﾎ", "배터리 폭발", "terrible 배터리", "zzz qqq", "\0", "\ud800", "品質が悪い、とてもがっかりした"],
)  # fmt: skip
def test_what_it_does_not_understand_is_unknown(analyzer: Ngram, text: str) -> None:
    """No text, no words, unknown words and other languages are unknown, with a target or without."""
    assert analyzer.score([whole(text)])[0] == UNKNOWN
    assert analyzer.score([Target(Passage(text, (Span(0, 1),) if text else ()))])[0].label == "unknown"


@pytest.mark.parametrize(
    "text", ["\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U000f0000", "\U000e0001"]
)
def test_a_flag_made_of_tags_is_no_chinese(analyzer: Ngram, text: str) -> None:
    """England's flag is six tag characters of plane 14: no word of Chinese is in it."""
    assert analyzer.score([whole(text)])[0] == UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "云杉手机质量太差，客服态度恶劣，垃圾，再也不买了", "云杉手机充电的时候爆炸起火，客服还推卸责任，太失望了", "云杉骗人，退款一直不给，投诉也没用，太恶心了",
        "避雷云杉！又贵又难吃，服务极差，千万别去",
    ],
)  # fmt: skip
def test_plain_complaints_are_negative(analyzer: Ngram, text: str) -> None:
    """The clearest complaints about the brand: negative, with some reason that pulls that way."""
    answer = judge(analyzer, text)
    assert answer.label == "negative"
    assert min(span.weight for span in answer.spans) < 0


@pytest.mark.parametrize(
    "text",
    ["云杉真的太好用了，强烈推荐，五星好评", "很喜欢云杉，性价比高，物流很快，非常满意", "云杉的服务特别好，下次还会来，点赞"],
)  # fmt: skip
def test_plain_praise_is_positive(analyzer: Ngram, text: str) -> None:
    """The clearest praise of the brand: positive, with some reason that pulls that way."""
    answer = judge(analyzer, text)
    assert answer.label == "positive"
    assert max(span.weight for span in answer.spans) > 0


@pytest.mark.parametrize("text", ["云杉手机明天下午三点举行新品发布会，地点在会展中心", "请问云杉的门店几点开门？"])
def test_plain_information_is_neither(analyzer: Ngram, text: str) -> None:
    """An announcement and a question that wants an answer are neutral towards the brand."""
    assert judge(analyzer, text).label == "neutral"


def test_the_trouble_of_another_brand_does_not_count_like_the_brands_own(analyzer: Ngram) -> None:
    """The same complaint weighs more against the brand it is about than against the other in the text."""
    for text in (
        "格澜的质量太差非常失望。云杉明天开发布会", "云杉今天上新。格澜客服态度恶劣，退款不给，垃圾", "云杉很好用，很喜欢；格澜太差了，再也不买",
    ):  # fmt: skip
        bystander, bearer = judge(analyzer, text, "云杉"), judge(analyzer, text, "格澜")
        assert bystander.negative < bearer.negative
        assert bearer.label == "negative"
        name, other = text.index("云杉"), text.index("格澜")
        assert bystander.judged
        for _, start, end in bystander.judged:
            assert end <= other if name < other else start >= name


def test_the_risk_of_another_brand_is_not_told(analyzer: Ngram) -> None:
    """No category is told on account of words that are said of another brand alone."""
    text = "格澜手机充电时起火爆炸，多人烧伤，被监管部门立案调查并处罚款。云杉"
    target = about(text)
    reading = read(target)
    assert reading.zones is not None
    assert (reading.zones[: text.index("云杉")] == OUTSIDE).all()
    assert judge(analyzer, text).risks == judge(analyzer, text.replace("起火爆炸", "外观漂亮")).risks


def test_a_brands_name_does_not_matter(analyzer: Ngram) -> None:
    """Whatever the brand is called, and however long its name, it is judged alike."""
    first = judge(analyzer, "云杉手机质量太差，非常失望")
    name = "失望差评牌"
    second = analyzer.score([Target(Passage(f"{name}手机质量太差，非常失望", (Span(0, len(name)),)))])[0]
    assert shares(second) == pytest.approx(shares(first), abs=1e-12)


def test_the_title_counts(analyzer: Ngram) -> None:
    """A title that blames the brand weighs against it."""
    text = "详情见图"
    bad, good = (
        judge(analyzer, text, title="云杉质量太差，太失望了"),
        judge(analyzer, text, title="云杉非常好用，很喜欢"),
    )
    assert bad.negative > good.negative
    assert bad.label == "negative"
    assert "title" in {span.field for span in bad.spans}


def test_order_and_company_do_not_matter(analyzer: Ngram) -> None:
    """Targets with a brand and without, in one call: each is answered in its place as if alone."""
    mixed = [target for pair in zip(ALL, ALL[::-1], strict=True) for target in pair]
    assert list(analyzer.score(mixed)) == [analyzer.score([target])[0] for target in mixed]
    assert list(analyzer.score([])) == []


def test_the_configuration_builds_the_shipped_model(analyzer: Ngram) -> None:
    """Without a folder of models the shipped one judges, under its own name and version."""
    built = NgramConfig().build()
    assert (built.name, built.version) == ("ngram", analyzer.version)
    target = about(MENTIONS[0])
    assert built.score([target])[0] == analyzer.score([target])[0]
