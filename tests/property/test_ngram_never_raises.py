"""The default analyzer on anything at all."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment import Passage, Sentiment, Span, Target
from sentiment.ngram import REASONS_AT_MOST, Ngram, shipped
from sentiment.sentiment import CATEGORIES, UNKNOWN
from sentiment.train.examples import target_of
from tests.support.examples import examples

ANALYZER = Ngram(shipped("standard"))
PIECES = [
    *"云杉格澜很好差，。！？?!吗呢和比、\n \0\ud800\udfff\ue000\ue001\ue003aZ1１😀\u200b\U0001ffff\U00020000\U0010ffff",
    "质量太差", "很喜欢", "但是", "就是", "//@张三:", "https://a.cn/b", "www.", "“真的太差了”", "转发自", "terrible", "スマホ", "배터리", "哈哈哈哈", "起火爆炸",
]  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
)
cuts = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), max_size=5)


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Any text with any spans of the brand and others in it, which may overlap, touch or be empty."""
    text = draw(texts)
    brand, others = (
        tuple(Span(at, min(at + size, len(text))) for at, size in sorted(draw(cuts)) if at <= len(text))
        for _ in range(2)
    )
    return Passage(text, brand, others)


targets = st.builds(Target, passages(), st.none() | passages())


def check(target: Target, answer: Sentiment) -> None:
    shares = (answer.negative, answer.neutral, answer.positive)
    assert all(math.isfinite(share) and 0 <= share <= 1 for share in shares)
    assert math.isclose(sum(shares), 1, abs_tol=1e-9)
    if answer.label == "unknown":
        assert answer == UNKNOWN
    else:
        assert answer.confidence == max(shares) == getattr(answer, answer.label)
    length = {"text": len(target.text.text), "title": len(target.title.text) if target.title else 0}
    assert len(answer.spans) <= REASONS_AT_MOST
    places = [(span.field != "title", span.start, span.end) for span in answer.spans]
    assert places == sorted(places)
    for span in answer.spans:
        assert 0 <= span.start < span.end <= length[span.field]
        assert math.isfinite(span.weight)
    for field, start, end in answer.judged:
        assert 0 <= start < end <= length[field]
    for risk in answer.risks:
        assert risk.category in CATEGORIES
        assert 0 <= risk.confidence <= 1
        assert 0 <= risk.start < risk.end <= length[risk.field]


@examples(150)
@given(st.lists(targets, max_size=5))
def test_any_targets_are_answered_in_order(asked: list[Target]) -> None:
    """No exception, no NaN, sums of one, spans within the text; each answer is that of its target alone."""
    answers = ANALYZER.score(asked)
    assert len(answers) == len(asked)
    for target, answer in zip(asked, answers, strict=True):
        check(target, answer)
        assert ANALYZER.score([target])[0] == answer


@examples(100)
@given(st.lists(texts, max_size=6))
def test_any_texts_have_probabilities_in_order(asked: list[str]) -> None:
    """A row a text, each summing to one, each as if the text stood alone."""
    found = ANALYZER.probabilities(asked)
    assert found.shape == (len(asked), 3)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert np.allclose(found.sum(axis=1), 1, atol=1e-9)
    for text, row in zip(asked, found, strict=True):
        assert np.allclose(ANALYZER.probabilities([text])[0], row, atol=1e-12)


@examples(100)
@given(texts, st.none() | texts, st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_any_names_mark_what_they_name(text: str, title: str | None, brand: list[str], others: list[str]) -> None:
    """The spans of any names lie in order and apart, and hold one of the names each."""
    brand, others = [name for name in brand if name], [name for name in others if name]
    target = target_of(text, title, brand, others)
    for passage in (target.text, target.title):
        if passage is None:
            assert not title
            continue
        own = {passage.text[span.start : span.end] for span in passage.brand}
        assert own <= set(brand)
        assert {passage.text[span.start : span.end] for span in passage.others} <= set(others)
        spans = sorted((span.start, span.end) for span in (*passage.brand, *passage.others))
        assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    check(target, ANALYZER.score([target])[0])
