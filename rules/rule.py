"""A rule as it stands in the configuration: what to watch for, whom for, and how bad it is."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from alerts import Because, Level
from rules.conditions import AnyCondition, Drift, Kpi, Ratio
from rules.episode import MAX_AGE, REOPEN_WITHIN, Timing
from rules.filter import Filter
from rules.reading import Condition, Leaf, Reading
from rules.strict import Duration, Names, Strict, distinct

Dimension = Literal["topic", "channel", "source", "site", "region", "story"]
LevelName = Literal["blue", "yellow", "orange", "red"]
Mode = Literal["live", "shadow", "off"]
LEAST_LATE = timedelta(minutes=30)


_READERS = {
    "share": ("Ratio", "Drift", "Kpi"),
    "factor": ("Spike", "Baseline", "Drift"),
    "words": ("Watch", "NewTerm"),
    "surprise": ("Baseline", "Velocity"),
    "doubling": ("Velocity",),
}
"""Thresholds of levels that not every condition has a figure for."""
KEEPS = 0.8
"""A level that an alert has is kept while this share of its thresholds is reached: it does not flap about one."""


def _of_share(leaf: Leaf) -> bool:
    return isinstance(leaf, Ratio | Drift) or (isinstance(leaf, Kpi) and leaf.measure != "mentions")


def _how_many(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "one"


# A union, because a validator in front would turn JSON into Python first, where a duration may not be a text.
_When = Annotated[
    Annotated[AnyCondition, Tag("one")] | Annotated[tuple[AnyCondition, ...], Field(min_length=1), Tag("list")],
    Discriminator(_how_many),
]


class LevelTest(Strict):
    """Thresholds that must all be reached; ``{}`` always is. They are compared with the first condition that holds.

    ``at_least``: mentions in the window; ``share``: of a ratio, 0..1; ``factor``: of a spike; ``authors`` and
    ``channels``, ``sites``, ``stories``: distinct ones; ``reach``: people, summed over the mentions; ``surprise``: of a
    baseline or a velocity; ``doubling``: of a velocity, so fast or faster; ``words``: one of these was found by a watch.
    """

    at_least: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    factor: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    authors: int | None = Field(default=None, ge=1)
    channels: int | None = Field(default=None, ge=1)
    sites: int | None = Field(default=None, ge=1)
    stories: int | None = Field(default=None, ge=1)
    surprise: float | None = Field(default=None, gt=0, le=12)
    doubling: Duration | None = None
    reach: int | None = Field(default=None, ge=1)
    words: Names | None = None
    all: tuple["LevelTest", ...] = ()
    any: tuple["LevelTest", ...] = ()

    def holds(self, reading: Reading, slack: float = 1.0) -> bool:
        """Whether every threshold is reached, or with *slack* below 1 that share of it."""
        figures = reading.figures
        pairs = (
            (self.at_least, figures.mentions),
            (self.share, figures.share),
            (self.factor, figures.factor),
            (self.authors, figures.authors),
            (self.channels, figures.channels),
            (self.sites, figures.sites),
            (self.stories, figures.stories),
            (self.surprise, figures.surprise),
            (self.reach, figures.reach),
        )
        if any(wanted is not None and (got is None or got < wanted * slack) for wanted, got in pairs):
            return False
        if self.doubling is not None:
            time = figures.doubling
            if time is None or time * slack > self.doubling / timedelta(minutes=1):
                return False
        if self.words is not None and not any(word in self.words for word, _ in reading.words):
            return False
        if not all(test.holds(reading, slack) for test in self.all):
            return False
        return not self.any or any(test.holds(reading, slack) for test in self.any)

    @property
    def asks_nothing(self) -> bool:
        """Whether it always holds."""
        return all(getattr(self, name) in {None, ()} for name in type(self).model_fields)

    def uses(self, key: str) -> bool:
        """Whether it or a member gives a threshold for *key*."""
        return getattr(self, key) is not None or any(test.uses(key) for test in (*self.all, *self.any))


class RuleConfig(Strict):
    """One rule. ``id`` is part of every alert's identity: another id is another rule.

    ``by``: one alert for each value of these, together. ``late``: what a source brings that is older than its last good
    poll by more than this is history; by default the longest window, and 30 minutes at least. ``playbook``: a link.
    ``max_age``: an alert that has been open for so long ends; where the rule still holds another opens and says so.
    ``respond_within``: by level, instead of the general ones; ``none``: no deadline.
    ``mode``: ``shadow`` is evaluated beside the others and tells nobody; ``off`` is not evaluated.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    title: str | None = Field(default=None, min_length=1, max_length=100)
    mode: Mode = "live"
    topics: Names = Field(min_length=1)
    by: tuple[Dimension, ...] = Field(default=("topic",), min_length=1)
    where: Filter | None = None
    when: _When
    levels: Mapping[LevelName, LevelTest] = Field(default={"yellow": LevelTest()}, min_length=1)
    for_: Duration = Field(default=timedelta(0), alias="for")
    keep_firing_for: Duration = timedelta(minutes=10)
    max_age: Duration = MAX_AGE
    late: Duration | None = None
    playbook: str | None = None
    # Of no concern to the engine: it stays out of the rules that the log carries, so that a change there is no change.
    respond_within: Mapping[LevelName, Duration | Literal["none"] | None] = Field(default={}, exclude=True)

    _distinct = field_validator("topics", "by")(distinct)

    @field_validator("max_age")
    @classmethod
    def _old_enough(cls, age: timedelta) -> timedelta:
        if age < REOPEN_WITHIN:
            raise ValueError("must be 1h at least: within that an alert opens again")
        return age

    @model_validator(mode="after")
    def _share_of_all(self) -> "RuleConfig":
        kinds = {leaf.looks_at and type(leaf).__name__ for leaf in self.leaves()}
        of_shares = any(_of_share(leaf) for leaf in self.leaves())
        if of_shares and self.where is not None and self.where.labels():
            raise ValueError(
                "where asks for a label, so a share would always be 0 or 1; give each condition its own where"
            )
        for key, readers in _READERS.items():
            for name, test in self.levels.items():
                if test.uses(key) and kinds.isdisjoint(readers):
                    told = " or ".join(re.sub(r"(?<=[a-z])([A-Z])", r"_\1", one).lower() for one in readers)
                    raise ValueError(f"levels: {name} asks for {key}, which only a {told} condition reads")
        return self

    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for condition in self.conditions for leaf in condition.leaves())

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What ``when`` holds, one or a list: they must all hold."""
        return self.when if isinstance(self.when, tuple) else (self.when,)

    @property
    def response_limits(self) -> dict[Level, timedelta | None]:
        """How long the public may wait for an answer, of the levels for which it says so itself."""
        return {Level[name]: None if value == "none" else value for name, value in self.respond_within.items()}

    @property
    def longest_window(self) -> timedelta:
        return timedelta(minutes=max(leaf.looks_at.window for leaf in self.leaves()))

    @property
    def allowance(self) -> timedelta:
        """How late a mention may come and still count."""
        return self.late if self.late is not None else max(LEAST_LATE, self.longest_window)

    @cached_property
    def headline(self) -> Because:
        """What its alerts are called."""
        return Because(self.title, self.title) if self.title else self.leaves()[0].headline(self.where)

    @property
    def timing(self) -> Timing:
        return Timing(self.for_, self.keep_firing_for, self.max_age)

    def level(self, reading: Reading, had: Level | None = None) -> Level | None:
        """The highest level whose test holds; up to the one that the alert *had*, KEEPS of each threshold is enough."""
        met = [
            Level[name]
            for name, test in self.levels.items()
            if test.holds(reading, KEEPS if had is not None and Level[name] <= had else 1.0)
        ]
        return max(met, default=None)
