"""The words that made an excerpt negative, from the analyzer's spans to what a channel shows."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.render import slack, teams, telegram, wide
from alerts.render.mail import html
from alerts.render.marks import carried, segments
from alerts.render.message import Quote, message
from alerts.render.text import breaks, cut, defuse, inert
from alerts.sample import sample_notification
from rules.excerpt import EXCERPT_LENGTH, excerpt, marks
from rules.facts import facts_of, judged, rejudged, revised
from rules.mention import Mention
from sentiment import Reason, Sentiment

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
PIECES = st.sampled_from(
    ["@", "all", "evil", ".com", "https://", "/start", "<b>", "&amp;", "*", "**", "_", "`", "👨‍👩‍👧", "🇨🇳", "e\u0301", "\u202e",
     "שלום", "\u200b", "\n", "  ", "冒烟", "，", "\ud83d", "[x](y)", "【", "…"]
)  # fmt: skip
TEXTS = st.one_of(st.text(st.characters(codec=None), max_size=80), st.lists(PIECES, max_size=40).map("".join))


def mention(text, title=""):
    return Mention(
        source="s", channel="forum", external_id="1", url="", title=title, text=text, published_at=NOW, collected_at=NOW
    )


def marked_words(text, title, *words):
    reasons = [
        Reason(field, whole.index(word), whole.index(word) + len(word), -1.0)
        for field, whole, word in ((f, {"title": title, "text": text}[f], w) for f, w in words)
    ]
    shown = excerpt(mention(text, title))
    return [shown[start:end] for start, end in marks(mention(text, title), shown, reasons)]


@pytest.mark.parametrize(
    ("text", "title", "words", "expected"),
    [
        ("充到一半直接冒烟，吓死人", "", [("text", "冒烟"), ("text", "吓死人")], ["冒烟", "吓死人"]),
        ("  充到\n\n一半   直接冒烟", "", [("text", "冒烟")], ["冒烟"]),
        ("really   bad\tthing here", "", [("text", "bad\tthing")], ["bad thing"]),
        ("客服说再等等", "充电宝 冒烟", [("title", "冒烟"), ("text", "再等等")], ["冒烟", "再等等"]),
        ("充电宝冒烟了，快跑", "充电宝冒烟", [("title", "冒烟"), ("text", "冒烟"), ("text", "快跑")], ["冒烟", "快跑"]),
        ("好" * 300 + "冒烟", "", [("text", "冒烟")], []),
    ],
)
def test_a_mark_stands_on_its_words(text, title, words, expected):
    """Through collapsed white space, behind a title in brackets, once where title and text are one; cut words have none."""
    assert marked_words(text, title, *words) == expected


@given(TEXTS, TEXTS, st.lists(st.tuples(st.booleans(), st.integers(0, 90), st.integers(1, 9)), max_size=12))
def test_marks_lie_in_the_excerpt_in_order(text, title, places):
    """Whatever the spans, the marks lie within the excerpt, rise, and never overlap or touch."""
    one = mention(text, title)
    reasons = [Reason("title" if first else "text", start, start + size, -1.0) for first, start, size in places]
    shown = excerpt(one)
    found = [place for mark in marks(one, shown, reasons) for place in mark]
    assert found == sorted(set(found))
    assert all(0 <= place <= len(shown) <= EXCERPT_LENGTH for place in found)


def test_only_what_made_it_negative_is_marked():
    """Not the words that spoke for it, and nothing of a text that is not negative."""
    spans = (Reason("text", 0, 2, 0.5), Reason("text", 2, 4, -0.5))
    against = judged(Sentiment(0.9, 0.1, 0.0, "negative", 0.9, spans))
    facts = facts_of(mention("不错冒烟了"), "core", "acme", against, {})
    assert facts.marks == ((2, 4),)
    praised = judged(Sentiment(0.1, 0.1, 0.8, "positive", 0.8, spans))
    assert facts_of(mention("不错冒烟了"), "core", "acme", praised, {}).marks == ()
    assert rejudged(facts, praised).marks == ()
    assert rejudged(facts, against).marks == facts.marks


def test_a_revision_keeps_the_marks_of_the_same_words():
    """More reach changes nothing; another text was not judged yet."""
    against = judged(Sentiment(0.9, 0.1, 0.0, "negative", 0.9, (Reason("text", 2, 4, -0.5),)))
    facts = facts_of(mention("不错冒烟了"), "core", "acme", against, {})
    assert revised(facts, mention("不错冒烟了"), "core", {}).marks == ((2, 4),)
    assert revised(facts, mention("已处理，感谢"), "core", {}).marks == ()


def quote_of(text, places):
    spans = [(start, start + size) for start, size in places]
    shown = cut(defuse(text, "[链接]"), 60) or "…"
    return Quote(shown, "", "", carried(text, spans, lambda part: defuse(part, "[链接]"), shown))


QUOTES = st.builds(quote_of, TEXTS, st.lists(st.tuples(st.integers(0, 80), st.integers(1, 12)), max_size=6).map(sorted))


@given(QUOTES)
@example(quote_of("👨‍👩‍👧吓死", [(1, 3)]))
def test_marks_cut_through_no_visible_character(quote):
    """In order, within the text, and at the ends of what people see as one character."""
    last = 0
    for start, end in quote.marks:
        assert last <= start < end <= len(quote.text)
        assert breaks(quote.text, start)
        assert breaks(quote.text, end)
        last = end
    shorter = quote.cut(20)
    assert all(end <= len(shorter.text) for _, end in shorter.marks)


@given(QUOTES)
def test_marking_changes_no_escape(quote):
    """Without its marks, what is rendered is what was rendered before there were any: nothing opens where a mark does."""
    for safe in (inert, wide.wide):
        assert "".join(piece for piece, _ in segments(quote.text, quote.marks, safe)) == safe(quote.text)
    bold = wide.bold(quote)
    assert bold.replace("**", "") == wide.wide(quote.text)
    assert bold.count("**") % 2 == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_channel_marks_as_it_can(language):
    """Bold where there is bold, a mark in mail; the text itself stays what it was."""
    told = message(sample_notification(NOW, language))
    word = "冒烟" if language == "zh" else "smoking"
    assert f">{word}</mark>" in html(told)
    assert f"<b>{word}</b>" in telegram.html(told)
    assert f"**{word}**" in wide.bold(told.quotes[0])
    rich = next(block for block in slack.blocks(told) if block["type"] == "rich_text")
    pieces = rich["elements"][0]["elements"]
    assert {"type": "text", "text": word, "style": {"bold": True}} in pieces
    assert told.quotes[0].text in "".join(piece["text"] for piece in pieces)
    runs = [
        run for item in teams.payload(told)["attachments"][0]["content"]["body"][-4]["items"] for run in item["inlines"]
    ]
    assert any(run["text"] == word and run["weight"] == "Bolder" for run in runs)
