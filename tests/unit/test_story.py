"""What belongs to one story, and what does not."""

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from rules.mention import Mention
from rules.story import LIFE, Placed, Stories
from rules.story_text import passage, post_of
from rules.story_url import canonical_url
from tests.support.edits import base_texts, labelled, pairwise
from tests.support.stories import Tracker

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
FIRE = "云杉充电宝在地铁车厢里突然起火，现场浓烟滚滚，乘客紧急疏散"


def mention(name: str, text: str = "", **more) -> Mention:
    return Mention(source=more.pop("source", "inbox"), channel="weibo", external_id=name, text=text, **more)


def one(*mentions: Mention) -> bool:
    tracker = Tracker()
    for each in mentions:
        tracker.place([each], NOW)
    return len(set(tracker.partition().values())) == 1


@pytest.mark.parametrize(
    "copy",
    [
        FIRE,
        f"转发微博 {FIRE}",
        f"太可怕了！//@某人：{FIRE}",
        f"RT @某人: {FIRE}",
        f"「{FIRE}」 https://t.example/x @小助手 [怒]🔥",
        FIRE.replace("，", " , "),
        f"#充电宝起火# {FIRE}",
        f"真的假的？{FIRE}",
        f"{FIRE}，坐等官方回应",
        FIRE[:-6] + "…全文",
        " ".join(FIRE),
    ],
)
def test_a_copy_belongs_to_its_original(copy):
    """However it was passed on: quoted, commented, decorated, cut, spaced."""
    assert one(mention("a", FIRE), mention("b", copy))
    assert one(mention("b", copy), mention("a", FIRE))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("云杉充电宝在地铁起火，3人受伤，现场浓烟滚滚", "云杉充电宝在地铁起火，5人受伤，现场浓烟滚滚"),
        ("云杉充电宝在地铁起火，三人受伤，现场浓烟滚滚", "云杉充电宝在地铁起火，五人受伤，现场浓烟滚滚"),
        (FIRE, FIRE.replace("云杉", "格澜")),
        (f"昨天下午{FIRE}", f"昨天下午{FIRE.replace('地铁车厢', '机场大厅')}"),
        ("这款手机卖3.5万", "这款手机卖4.5万"),
        ("云杉起火了", "云杉起火啦"),
        (FIRE, "云杉"),
        ("转发", "转发"),
        ("", ""),
        ("//@某人：", "//@某人："),
    ],
)
def test_what_is_no_copy(text, other):
    """Another number, another name, too short to tell."""
    assert not one(mention("a", text), mention("b", other))


def test_reposts_and_quotes_belong_to_what_they_pass_on():
    """Also where the original was never seen, and comments that read alike join nothing."""
    assert one(mention("b", "呸", repost_of="a"), mention("c", "求证", repost_of="a"))
    assert one(mention("b", "呸", quote_of="a"), mention("a", FIRE))
    assert not one(mention("b", FIRE, repost_of="a"), mention("c", FIRE, repost_of="x"))
    assert not one(mention("1", FIRE, source="one"), mention("2", "别的", source="two", repost_of="1"))
    assert one(
        mention("4901234567890123", FIRE, source="one"),
        mention("2", "别的", source="two", repost_of="4901234567890123"),
    )
    assert one(
        mention("b", "呸", repost_of="https://weibo.example/9/a?spm=1"),
        mention("a", FIRE, url="https://weibo.example/9/a"),
    )


def test_one_page_is_one_story():
    """Whatever text a feed gives of it."""
    assert one(
        mention("a", FIRE, url="https://www.n.example/1?utm_source=x"), mention("b", "摘要", url="http://n.example/1/")
    )
    assert not one(
        mention("a", "甲说的话很长很长很长", url="https://n.example/"), mention("b", "乙说的", url="https://n.example/")
    )


def test_one_headline_is_one_story():
    """Papers cut the text under it as they like."""
    title = "云杉科技回应充电宝地铁起火事件"
    assert one(
        mention("a", "今日上午，记者从有关部门获悉", title=title),
        mention("b", "云杉今天发布声明", title=title),
        mention("c", "", title=title),
    )
    assert not one(
        mention("a", "今日上午，记者从有关部门获悉", title="快讯"), mention("b", "云杉今天发布声明", title="快讯")
    )


def test_a_round_up_joins_none_of_its_items():
    """No text joins two that are each less than half of it."""
    items = [text for text in base_texts() if 50 <= len(text) <= 70][:4]
    alone = [mention(str(number), text) for number, text in enumerate(items)]
    tracker = Tracker()
    tracker.place([*alone, mention("早报", "\n".join(items))], NOW)
    assert len(set(tracker.partition().values())) == 5


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://www.N.example:443/a/?b=2&a=1&utm_medium=x&spm=1.2#top", "n.example/a?a=1&b=2"),
        (
            "http://mp.weixin.qq.com/s?__biz=M&mid=2&idx=1&sn=f&chksm=9&scene=27#rd",
            "mp.weixin.qq.com/s?__biz=M&idx=1&mid=2&sn=f",
        ),
        ("https://x.com/a/status/1?s=20&t=Q", "x.com/a/status/1"),
        ("https://n.example/#!/post/7", "n.example#!/post/7"),
        ("https://n.example:8443/a", "n.example:8443/a"),
        ("https://n.example/", ""),
        ("ftp://n.example/a", ""),
        ("https://[::1", ""),
        ("https://n.example/" + "a" * 3000, ""),
        ("", ""),
    ],
)
def test_addresses(url, canonical):
    """What only tells who shared a link is off; what names no page is none."""
    assert canonical_url(url) == canonical


def test_the_passage_is_the_original_of_a_chain():
    """The last of a chain that says something, else what stands first."""
    assert passage("", f"啊//@甲:是吗//@乙：{FIRE}") == passage("", FIRE)
    assert passage("", f"{FIRE}//@甲:求证//@乙：是吗") == passage("", FIRE)
    assert passage("", f"啊//@甲:{FIRE} via @乙") == passage("", FIRE)
    assert passage("", f"啊//@甲:{FIRE}//@乙:求证") == passage("", FIRE)
    assert passage("", "//@" * 5_000) == ("", "")
    assert passage("", "1" * 100_000)[0] == "1" * 600


def test_the_first_committed_names_the_story_and_the_older_survives_a_merge():
    """What joins two stories tells of it, once."""
    other = "另外一段完全不同的文字，说的也是这件事情"
    stories = Stories()

    def place(*mentions: Mention, minutes: int) -> Placed:
        return stories.place([post_of(each) for each in mentions], [NOW + timedelta(minutes=minutes)] * len(mentions))

    first, second = place(mention("a", FIRE), minutes=0), place(mention("b", other), minutes=1)
    assert [placed.members[0].story for placed in (first, second)] == ["inbox/a", "inbox/b"]
    assert first.merges == second.merges == ()
    bridge = place(mention("c", "", quote_of="a"), mention("d", "", repost_of="b", quote_of="a"), minutes=2)
    assert [(each.alias, each.story, each.born) for each in bridge.merges] == [("inbox/b", "inbox/a", NOW)]
    assert {member.story for member in bridge.members} == {"inbox/a"}
    later = place(mention("e", other), minutes=3)
    assert later.members[0].story == "inbox/a"
    assert later.merges == ()
    assert stories.merges == 1


def test_a_story_lives_for_seven_days_after_its_last_member():
    """And while it goes on, it keeps its name for as long as it likes."""
    tracker = Tracker()
    for days in range(0, 30, 6):
        tracker.place([mention(str(days), FIRE)], NOW + timedelta(days=days))
    assert set(tracker.partition().values()) == {"inbox/0"}
    tracker.place([mention("late", FIRE)], NOW + timedelta(days=24) + LIFE)
    assert tracker.partition()["inbox/late"] == "inbox/late"


def test_memory_is_bounded_and_what_is_forgotten_counted():
    """The tenth that was not seen for longest goes; what goes on stays."""
    texts = base_texts()[:2_000]
    tracker = Tracker(most_texts=500)
    for number, text in enumerate(texts):
        at = NOW + timedelta(seconds=number)
        tracker.place([mention(str(number), text), mention(f"storm{number}", FIRE)], at)
    assert tracker.stories.texts <= 500
    assert tracker.stories.evicted >= 1_000
    assert {story for key, story in tracker.partition().items() if "storm" in key} == {"inbox/storm0"}


def test_edited_copies_are_told_from_look_alikes():
    """The aim of issue and benchmark, on a sample: precision .98, recall .95 over pairs."""
    dice = random.Random(20261128)
    texts = dice.sample([text for text in base_texts() if len(text) >= 16 and "//@" not in text], 300)
    found = labelled(texts, dice, copies=6)
    dice.shuffle(found)
    tracker = Tracker()
    tracker.place([mention(str(number), each.text) for number, each in enumerate(found)], NOW)
    partition = tracker.partition()
    precision, recall = pairwise(
        [each.story for each in found], [partition[f"inbox/{number}"] for number in range(len(found))]
    )
    assert precision >= 0.98
    assert recall >= 0.95


def test_a_storm_is_one_story():
    """Six hundred commented copies, no two the same, among as many texts of their own."""
    others = [text for text in base_texts() if not re.search(r"[^\u4e00-\u9fff，。！？]", text)][:600]
    storm = [f"{other[:9]}。{FIRE}，{other[-4:]}" for other in others]
    tracker = Tracker()
    tracker.place([mention("first", FIRE)], NOW)
    for begin in range(0, 600, 150):
        copies = [mention(f"s{begin + place}", text) for place, text in enumerate(storm[begin : begin + 150])]
        alone = [mention(f"o{begin + place}", text) for place, text in enumerate(others[begin : begin + 150])]
        tracker.place([each for pair in zip(copies, alone, strict=True) for each in pair], NOW)
    told = Counter(tracker.partition().values())
    assert told["inbox/first"] >= 585
    assert len(told) >= 600
