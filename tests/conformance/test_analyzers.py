"""Every analyzer of the union, on every kind of text."""

import math
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment import AnalysisError, Analyzer, Passage, Span, Target
from sentiment.config import AnalyzerConfig

CONFIGS = get_args(get_args(AnalyzerConfig)[0])


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda config: config.model_fields["type"].default)
def analyzer(request) -> Analyzer:
    try:
        return request.param().build()
    except AnalysisError as error:
        if "needs the package" in str(error):  # an optional extra that is not installed here
            pytest.skip(str(error))
        raise


def whole(text: str, title: str | None = None) -> Target:
    return Target(text=Passage(text), title=None if title is None else Passage(title))


def check(target: Target, answer) -> None:
    shares = (answer.negative, answer.neutral, answer.positive)
    assert all(math.isfinite(share) and 0 <= share <= 1 for share in shares)
    assert math.isclose(sum(shares), 1, abs_tol=1e-9)
    assert 0 <= answer.confidence <= 1
    if answer.label == "unknown":
        assert (answer.confidence, answer.neutral, answer.spans) == (0, 1, ())
    else:
        assert answer.confidence == max(shares) == getattr(answer, answer.label)
    assert len(answer.spans) <= 8
    places = [(span.field != "title", span.start, span.end) for span in answer.spans]
    assert places == sorted(places)
    for span in answer.spans:
        text = target.text.text if span.field == "text" else target.title.text
        assert 0 <= span.start < span.end <= len(text)
        assert math.isfinite(span.weight)
        assert span.weight


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "😀👍🔥",
        "1234567890",
        "!!! ...",
        "Это плохо",
        "スマホがこわれた",
        "배터리 폭발",
    ],
)
def test_text_without_chinese_is_unknown_and_not_guessed(analyzer, text):
    """Empty text, emoji, figures, Cyrillic, Japanese and Korean text is labelled unknown."""
    assert analyzer.score([whole(text)])[0].label == "unknown"


def test_latin_text_is_unknown_or_not_sure(analyzer):
    """No Chinese model is asked about English: it is unknown, or judged by English words with little confidence."""
    answer = analyzer.score([whole("This phone is terrible")])[0]
    assert (answer.label, answer.confidence) == ("unknown", 0) or answer.label == "negative"
    assert answer.confidence <= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "云\x00杉\x01很\x7f差", "\ud800差劲\udfff", "\ud83d\ude00差劲\ud83d\ude00", "差\u200b劲\u202e失\ufeff望", "　差　劲　",
        "差" * 50_000, "质量太差了。" * 20_000, "好差" * 30_000 + "\n", "A差B" * 20_000, "、，：" * 20_000 + "差", "\n" * 50_000 + "差",
    ],
    ids=range(11),
)  # fmt: skip
def test_odd_and_endless_text_is_answered(analyzer, text):
    """Control characters, lone surrogates, directions, blanks and 100,000 characters give a sound answer."""
    target = whole(text, title=text[:50])
    check(target, analyzer.score([target])[0])


def test_a_plain_complaint_is_negative_and_plain_praise_positive(analyzer):
    """The clearest of texts are judged right, with the words that drove it as reasons of the same sign."""
    bad, good = analyzer.score(
        [whole("质量太差，客服态度恶劣，非常失望"), whole("很喜欢，性价比高，物流很快，非常满意")]
    )
    assert (bad.label, good.label) == ("negative", "positive")
    assert min(bad.spans, key=lambda span: span.weight).weight < -1
    assert max(good.spans, key=lambda span: span.weight).weight > 1


def test_order_is_kept_and_neighbours_do_not_matter(analyzer):
    """The answers stand in the order of the targets and are those of each target alone."""
    texts = ["质量太差了", "", "hello", "非常喜欢", "昨天买的手机", "失望透顶"]
    targets = [whole(text) for text in texts]
    assert list(analyzer.score(targets)) == [analyzer.score([target])[0] for target in targets]
    assert list(analyzer.score([])) == []


def test_what_is_said_of_others_does_not_count(analyzer):
    """With two brands in one sentence, each is judged by its own clause."""
    text = "云杉的手机很喜欢非常满意，格澜的质量太差非常失望"
    spans = Span(0, 2), Span(13, 15)
    first, second = analyzer.score(
        [
            Target(Passage(text, brand=(spans[0],), others=(spans[1],))),
            Target(Passage(text, brand=(spans[1],), others=(spans[0],))),
        ]
    )
    assert (first.label, second.label) == ("positive", "negative")
    assert all(span.end <= 13 for span in first.spans)
    assert all(span.start >= 13 for span in second.spans)


def test_the_analyzer_names_itself(analyzer):
    """Name and version, which are stored beside each score, are there."""
    assert analyzer.name
    assert analyzer.version


passages = st.builds(
    lambda text, cuts: Passage(
        text, brand=spans(cuts[::2], len(text)), others=spans(cuts[1::2], len(text)),
    ),
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("云杉格澜很好差，。！比和的\n ab1")), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), max_size=8),
)  # fmt: skip


def spans(cuts, length) -> tuple[Span, ...]:
    return tuple(Span(start, min(start + size, length)) for start, size in sorted(cuts) if start < length)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=passages, title=st.none() | passages)
def test_any_target_is_answered(analyzer, text, title):
    """Whatever the text, the title and the spans in them: an answer that sums to one, with offsets inside the text."""
    target = Target(text=text, title=title)
    answer = analyzer.score([target])[0]
    check(target, answer)
    assert analyzer.score([target])[0] == answer
