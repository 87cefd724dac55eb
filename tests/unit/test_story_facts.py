"""What is said of a story, and what rises."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from rules.mention import Author, Mention, Reach
from rules.rising import rising, scores
from rules.story_facts import story_facts

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def member(number: int, minutes: float, **more) -> tuple[datetime, Mention]:
    author = more.pop("author", Author(f"u{number}", f"用户{number}", followers=more.pop("followers", None)))
    channel = more.pop("channel", "weibo")
    return NOW + minutes * MINUTE, Mention(
        "s",
        channel,
        str(number),
        more.pop("text", "云杉充电宝起火"),
        url=f"https://w.example/{number}",
        author=author,
        **more,
    )


def test_where_it_began_who_carried_it_and_where_it_went():
    """In whatever order the members are told."""
    members = [
        member(1, 0, channel="forum", followers=120),
        member(2, 3, followers=900_000, channel="weibo"),
        member(3, 9, reach=Reach(views=5_000), channel="news", author=None),
        member(4, 9, author=Author("u2", "用户2")),
        member(5, 61),
    ]  # fmt: skip
    for seed in range(5):
        random.Random(seed).shuffle(members)
        facts = story_facts("s/1", members)
        assert (facts.first_source, facts.first_url, facts.first_at, facts.last_at) == (
            "s",
            "https://w.example/1",
            NOW,
            NOW + 61 * MINUTE,
        )
        assert (facts.copies, facts.authors, facts.people) == (5, 3, 905_120)
        assert facts.channels == (("forum", NOW), ("weibo", NOW + 3 * MINUTE), ("news", NOW + 9 * MINUTE))
        assert facts.carrier is not None
        assert (facts.carrier.author, facts.carrier.people, facts.carrier.at) == ("用户2", 900_000, NOW + 3 * MINUTE)
        assert (facts.slot, facts.curve) == (5 * MINUTE, (2, 2, *[0] * 10, 1))
        assert facts.doubling is None
        assert facts.hint is None


def test_doubling_is_how_long_the_last_one_took():
    """Exponential growth doubles in its own time, at any size."""
    members = [member(number, 10 * (number + 1).bit_length()) for number in range(64)]
    assert story_facts("s/0", members).doubling == 10 * MINUTE
    assert story_facts("s/0", members[:31]).doubling == 10 * MINUTE
    assert story_facts("s/0", members[:7]).doubling is None


@pytest.mark.parametrize(
    ("days", "slot", "slots"),
    [(0.1, 5, 29), (0.5, 15, 49 - 1 + 1), (1.9, 60, 46), (10, 360, 41), (40, 1440, 41), (400, 1440, 48)],
)
def test_a_curve_has_at_most_48_slots(days, slot, slots):
    """However long a story goes on."""
    facts = story_facts("s/0", [member(0, 0), member(1, days * 1440)])
    assert facts.slot >= slot * MINUTE
    assert len(facts.curve) <= 48
    assert sum(facts.curve) == (1 if days == 400 else 2)


def test_new_and_tiny_accounts_are_a_hint_and_worded_as_one():
    """Of those that wrote the text; reposts by the button, verified ones and accounts nothing is known of do not count."""
    young = [member(n, n, author=Author(f"y{n}", "", created_at=NOW - timedelta(days=3))) for n in range(5)]
    tiny = [member(10 + n, n, followers=3) for n in range(5)]
    old = [member(20 + n, n, followers=4_000) for n in range(6)]
    unknown = [member(30 + n, n) for n in range(50)]
    verified = [member(90 + n, n, author=Author(f"v{n}", "", followers=2, verified=True)) for n in range(2)]
    reposts = [member(100 + n, n, followers=1, repost_of="1") for n in range(50)]
    facts = story_facts("s/0", [*young, *tiny, *old, *unknown, *reposts])
    assert (facts.accounts, facts.doubtful) == (16, 10)
    hint = facts.hint
    assert hint is not None
    assert "62%" in hint.zh and "核实" in hint.zh and "线索" in hint.zh
    assert "62%" in hint.en and "hint" in hint.en and "proves nothing" in hint.en
    assert story_facts("s/0", [*young, *tiny, *old, *verified]).hint is None
    assert story_facts("s/0", [*young, *tiny[:4]]).hint is None


def texts(*parts: tuple[str, int]) -> list[tuple[str, str]]:
    return [("", text) for text, count in parts for _ in range(count)]


def test_what_rises_is_what_was_not_always_said():
    """A word that was frequent before does not rise; a phrase stands for its parts; links and handles are no words."""
    past = texts(("云杉手机的客服很好", 200), ("云杉手机续航不错，电池耐用", 200), ("早上看到云杉门店排队", 100))
    now = texts(
        ("云杉手机的客服很好", 30),
        ("云杉手机鼓包门是真的吗 https://t.example/鼓 @小助手", 14),
        ("鼓包门又来了，电池鼓包", 9),
    )
    found = rising(now, past)
    words = {one.word: one for one in found}
    assert "鼓包门" in words
    assert words["鼓包门"].now == 23
    assert words["鼓包门"].usual == 0
    assert not {"云杉", "手机", "客服", "很好", "小助手", "鼓包", "https"} & words.keys()
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_nothing_rises_without_a_past_or_from_a_few():
    """Two texts are chance; with no past there is nothing to be against."""
    assert rising(texts(("云杉手机鼓包门", 50)), []) == ()
    assert rising([], texts(("云杉手机", 50))) == ()
    assert rising(texts(("云杉手机鼓包门", 2), ("云杉手机", 50)), texts(("云杉手机", 500))) == ()
    assert scores({"a": 1}, 0, {}, 5) == {}


def test_the_words_are_whoever_segments():
    """Any function of a text to its words will do."""
    found = rising(
        texts(("red hot phone", 40)),
        texts(("blue phone", 400)),
        segment=lambda text: text.replace(" ", "| |").split("|"),
    )
    assert [one.word for one in found] == ["red hot"]


def test_chance_alone_makes_nothing_rise():
    """Of the same words drawn from the same urn, hardly any pass: z is what it says."""
    dice = random.Random(5)
    vocabulary = [f"词{chr(0x4E00 + number)}" for number in range(300)]
    weights = [1 / (rank + 1) for rank in range(300)]

    def draw(count: int) -> list[tuple[str, str]]:
        return [("", " ".join(dice.choices(vocabulary, weights, k=8))) for _ in range(count)]

    found = rising(draw(300), draw(3_000), segment=lambda text: [part for word in text.split() for part in (word, " ")])
    assert len(found) <= 3
