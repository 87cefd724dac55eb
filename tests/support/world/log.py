"""A world as the rows of the log that the engine reads."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from rules.calendar import Calendar
from rules.log import MentionRow, PollRow, Row, RulesRow, Scored
from rules.mention import Author, Mention, Reach
from rules.rule import RuleConfig
from rules.ruleset import SourceFacts, ruleset_json
from tests.support.world.schedule import DAY
from tests.support.world.seasons import Floats
from tests.support.world.voices import NO_RISK, Ints, scored
from tests.support.world.world import SOURCES, World

_BLIND_AFTER = timedelta(minutes=15)
_REACHES = tuple(Reach(views=2**power) for power in range(20))
_CHUNK = 20_000
_CORE = {"weibo", "news", "video"}


def tier(source: str) -> str:
    return "core" if source in _CORE else "auxiliary"


def channel(source: str) -> str:
    return "weibo" if source == "aggregator" else "forum" if source == "archive" else source


def rows(world: World, rules: list[RuleConfig]) -> Iterator[Row]:
    """Every row in order of its time: the rules, then mentions with the polls that brought them."""
    facts = {source: SourceFacts(channel(source), tier(source)) for source in SOURCES}
    names = {brand.topic: brand.name for brand in world.brands}
    yield RulesRow(1, world.start, ruleset_json(rules, names, facts, Calendar("Asia/Shanghai", "CN")), SOURCES)
    maker = _Maker(world)
    mentions = np.flatnonzero(~np.isnan(world.came))
    polls = world.polls
    time = np.concatenate([world.came[mentions], *(one.end for one in polls)])
    numbers = (np.full(len(one.end), number) for number, one in enumerate(polls))
    source = np.concatenate([world.columns.source[mentions], *numbers])
    is_poll = np.repeat([0, 1], [len(mentions), len(time) - len(mentions)])
    place = np.concatenate([mentions, *(np.arange(len(one.end)) for one in polls)])
    order = np.lexsort((place, is_poll, source, time))
    for begin in range(0, len(order), _CHUNK):
        some = order[begin : begin + _CHUNK]
        yield from maker.make(begin + 2, time[some], source[some], is_poll[some], place[some])


class _Maker:
    def __init__(self, world: World) -> None:
        self.start = world.start
        self.world = world
        self.topics = [(brand.topic, brand.name) for brand in world.brands]
        # Followers by a lognormal whose median is 300; an author has the same every time.
        luck = np.random.default_rng(0).standard_normal(4096)
        self.followers = np.clip(np.exp(5.7 + 1.8 * luck), 1, 5e7).astype(int).tolist()

    def make(self, first: int, time: Floats, source: Ints, is_poll: Ints, place: Ints) -> Iterator[Row]:
        """Some rows, numbered from *first* on."""
        own = self.world.columns.take(np.where(is_poll == 1, 0, place))
        fields = (
            own.at, own.brand, own.label, own.sure, own.risk, own.text, own.story, own.author, own.second, own.rival,
            np.where(own.copy_of >= 0, own.copy_of, place),
        )  # fmt: skip
        mentions = (_Told(*one) for one in zip(*(column.tolist() for column in fields), strict=True))
        rows = zip(time.tolist(), source.tolist(), is_poll.tolist(), place.tolist(), mentions, strict=True)
        for seq, (at, number, poll, where, told) in enumerate(rows, first):
            yield self.poll(seq, at, number, where) if poll else self.mention(seq, at, SOURCES[number], told)

    def poll(self, seq: int, at: float, source: int, place: int) -> PollRow:
        one = self.world.polls[source]
        good = bool(one.good[place])
        ended, began = self.world.time(at), self.world.time(float(one.begin[place]))
        return PollRow(seq, ended, SOURCES[source], began, good, "" if good else "timeout", _BLIND_AFTER)

    def mention(self, seq: int, came: float, source: str, told: "_Told") -> MentionRow:
        committed, event_at = self.start + timedelta(seconds=came), self.start + timedelta(seconds=told.at)
        who = told.author
        followers = self.followers[who * 2654435761 % 4096]
        topic, word = self.topics[told.brand]
        judged: tuple[Scored, ...] = (scored(topic, word, told.label, told.sure, told.risk),)
        if told.second >= 0:
            judged += (scored(*self.topics[told.second], told.rival, told.sure, NO_RISK),)
        mention = Mention(
            source,
            channel(source),
            str(told.original),
            self.world.texts[told.text],
            author=Author(str(who), f"用户{who}", followers, followers > 100_000),
            published_at=event_at,
            collected_at=committed,
            reach=_REACHES[min(19, (followers * (1 + who % 7) // 8).bit_length())],
        )
        story = f"s{told.story}" if told.story >= 0 else f"m{told.original}"
        history = came - told.at > 30 * DAY
        return MentionRow(seq, committed, mention, tier(source), event_at, history, judged, story)


class _Told(NamedTuple):
    """One entry of the columns; ``original``: the mention that it is, or is a copy of."""

    at: float
    brand: int
    label: int
    sure: int
    risk: int
    text: int
    story: int
    author: int
    second: int
    rival: int
    original: int
