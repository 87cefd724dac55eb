"""A world as the rows of the log that the engine reads."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from rules.log import MentionRow, PollRow, Row, RulesRow, Scored
from rules.mention import Author, Mention, Reach
from rules.rule import RuleConfig
from rules.ruleset import SourceFacts, ruleset_json
from tests.support.world.schedule import DAY
from tests.support.world.voices import scored
from tests.support.world.world import POLLED, SOURCES, World

_BLIND_AFTER = timedelta(minutes=15)
_REACHES = tuple(Reach(views=2**power) for power in range(20))
_CORE = {"weibo", "news", "video"}


def tier(source: str) -> str:
    return "core" if source in _CORE else "auxiliary"


def channel(source: str) -> str:
    return "weibo" if source == "aggregator" else "forum" if source == "archive" else source


def rows(world: World, rules: list[RuleConfig]) -> Iterator[Row]:
    """Every row in order of its time: the rules, then mentions with the polls that brought them."""
    facts = {source: SourceFacts(channel(source), tier(source)) for source in SOURCES}
    names = {brand.topic: brand.name for brand in world.brands}
    yield RulesRow(1, world.start, ruleset_json(rules, names, facts), SOURCES)
    seq, maker = 1, _Maker(world)
    mentions = np.flatnonzero(~np.isnan(world.came))
    time = np.concatenate([world.came[mentions], *(one.end for one in world.polls)])
    source = np.concatenate(
        [world.columns.source[mentions], *(np.full(len(one.end), n) for n, one in enumerate(world.polls))]
    )
    is_poll = np.repeat([0, 1], [len(mentions), len(time) - len(mentions)])
    place = np.concatenate([mentions, *(np.arange(len(one.end)) for one in world.polls)])
    order = np.lexsort((place, is_poll, source, time))
    for at, number, poll, where in zip(
        time[order].tolist(), source[order].tolist(), is_poll[order].tolist(), place[order].tolist(), strict=True
    ):
        seq += 1
        yield maker.poll(seq, at, number, where) if poll else maker.mention(seq, at, where)


class _Maker:
    """Columns as lists, since one value at a time is read of them."""

    def __init__(self, world: World) -> None:
        self.start = world.start
        self.world = world
        self.topics = [(brand.topic, brand.name) for brand in world.brands]
        own = world.columns
        self.columns = tuple(
            column.tolist()
            for column in (
                own.at, own.brand, own.source, own.label, own.sure, own.risk, own.text, own.story, own.author,
                own.second, own.rival, own.copy_of,
            )
        )  # fmt: skip
        # Followers by a lognormal whose median is 300; a name has the same every time.
        luck = np.random.default_rng(0).standard_normal(4096)
        self.followers = np.clip(np.exp(5.7 + 1.8 * luck), 1, 5e7).astype(int).tolist()
        assert len(world.polls) == POLLED

    def poll(self, seq: int, at: float, source: int, place: int) -> PollRow:
        one = self.world.polls[source]
        good = bool(one.good[place])
        began = self.start + timedelta(seconds=float(one.begin[place]))
        return PollRow(
            seq,
            self.start + timedelta(seconds=at),
            SOURCES[source],
            began,
            good,
            "" if good else "timeout",
            _BLIND_AFTER,
        )

    def mention(self, seq: int, came: float, place: int) -> MentionRow:
        ats, brand, source, label, sure, risk, text, story, author, second, rival, copy_of = self.columns
        at = ats[place]
        committed, event_at = self.start + timedelta(seconds=came), self.start + timedelta(seconds=at)
        name = SOURCES[source[place]]
        original = copy_of[place] if copy_of[place] >= 0 else place
        who = author[place]
        followers = self.followers[who * 2654435761 % 4096]
        topic, word = self.topics[brand[place]]
        judged: tuple[Scored, ...] = (scored(topic, word, label[place], sure[place], risk[place]),)
        if second[place] >= 0:
            judged += (scored(*self.topics[second[place]], rival[place], sure[place], -1),)
        mention = Mention(
            name,
            channel(name),
            str(original),
            self.world.texts[text[place]],
            author=Author(str(who), f"用户{who}", followers, followers > 100_000),
            published_at=event_at,
            collected_at=committed,
            reach=_REACHES[min(19, (followers * (1 + who % 7) // 8).bit_length())],
        )
        told = story[place]
        return MentionRow(
            seq,
            committed,
            mention,
            tier(name),
            event_at,
            came - at > 30 * DAY,
            judged,
            f"s{told}" if told >= 0 else f"m{original}",
        )
