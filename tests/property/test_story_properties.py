"""Stories whatever the order, the batches and the restarts."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.mention import Mention
from rules.story_text import LONGEST, passage, post_of
from rules.story_url import canonical_url
from tests.support.edits import base_texts, copy_of, originals_of
from tests.support.examples import examples
from tests.support.stories import Tracker

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TITLE = "云杉科技回应充电宝起火事件"
TEXTS = [text for text in base_texts() if 16 <= len(text) <= 120]


@st.composite
def floods(draw):
    """Mentions of a few incidents and their look-alikes: copies, reposts and quotes of each other, shared pages and headlines."""
    dice = random.Random(draw(st.integers(0, 2**32)))
    found: list[Mention] = []
    for text in dice.sample(TEXTS, 3):
        for original in originals_of(text, dice):
            for _ in range(dice.randint(1, 6)):
                more: dict[str, str] = {}
                if found and dice.random() < 0.2:
                    more[dice.choice(("repost_of", "quote_of"))] = f"m{dice.randrange(len(found) + 2)}"
                if dice.random() < 0.15:
                    more["url"] = f"https://n.example/{dice.randrange(6)}"
                if dice.random() < 0.1:
                    more["title"] = dice.choice((TITLE, "云杉科技发布充电宝召回公告"))
                said = dice.choice((copy_of(original, dice)[0],) * 8 + ("", more.get("title", TITLE)))
                found.append(Mention("inbox", "weibo", f"m{len(found)}", said, **more))
    return found


def groups(partition: dict[str, str]) -> set[frozenset[str]]:
    """Which mentions are together, whatever that is called."""
    found: dict[str, set[str]] = {}
    for key, story in partition.items():
        found.setdefault(story, set()).add(key)
    return {frozenset(keys) for keys in found.values()}


@examples(150)
@given(floods(), st.randoms(use_true_random=False), st.integers(1, 12))
def test_order_and_batches_change_nothing_in_the_partition(flood, dice, size):
    """All at once, or in any order a few at a time: the same mentions are together in the end."""
    whole = Tracker()
    whole.place(flood, NOW)
    shuffled = list(flood)
    dice.shuffle(shuffled)
    pieces = Tracker()
    for begin in range(0, len(shuffled), size):
        pieces.place(shuffled[begin : begin + size], NOW + timedelta(minutes=begin))
    assert groups(whole.partition()) == groups(pieces.partition())
    first = {
        group: min(group, key=lambda key: [post.id for post, _, _ in pieces.rows].index(key) // size)
        for group in groups(pieces.partition())
    }
    times = {post.id: at for post, at, _ in pieces.rows}
    for story in set(pieces.partition().values()):
        group = next(group for group in first if story in group)
        assert times[story] == min(times[key] for key in group)


@examples(150)
@given(floods(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(1, 9), st.sampled_from((3, 12, 500)))
def test_a_restart_changes_nothing(flood, dice, size, page, most):
    """Days apart, with stories that end and memory that runs out: what is told after restarts is what would have been."""
    steady, restarted = Tracker(most_texts=most), Tracker(most_texts=most)
    at = NOW
    for begin in range(0, len(flood), size):
        at += timedelta(days=dice.choice((0, 0, 1, 3)), minutes=dice.randrange(2))
        batch = flood[begin : begin + size]
        assert steady.place(batch, at) == restarted.place(batch, at)
        assert steady.aliases == restarted.aliases
        assert steady.floor == restarted.floor
        if dice.random() < 0.5:
            restarted.restart(at - timedelta(days=7), page=page)
    assert steady.partition() == restarted.partition()


@given(st.text(), st.text(), st.text())
def test_any_text_is_read(title, text, url):
    """Nothing raises, and what is compared is bounded."""
    letters, _ = passage(title, text)
    assert len(letters) <= LONGEST
    canonical_url(url)
    canonical_url(f"https://{url}")
    mention = Mention("s", "c", "1", text, title=title, url=url, repost_of=url)
    Tracker().place([mention, replace(mention, external_id="2", repost_of="")], NOW)


@given(st.text(alphabet="//@ab:：rt# \n", max_size=3_000))
def test_chains_of_any_shape_are_read(text):
    """Markers nested and cut."""
    post_of(Mention("s", "c", "1", text))
