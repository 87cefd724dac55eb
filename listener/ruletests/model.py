"""A file of rule tests, as it is written."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from listener.config.packs import PackConfig
from listener.yaml_scalars import duration
from rules.rule import LevelName, RuleConfig
from rules.ruletest_judge import StateName
from rules.series import parse_counts
from rules.strict import Duration, LabelName, Names, Risks, Strict, as_tuple

_LATEST = timedelta(days=30)
_SECOND = timedelta(seconds=1)
_UNITS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


def _time(value: object) -> object:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValueError("must be a time with its offset, such as 2026-03-02T00:00+08:00")
    return at


def _span(value: object) -> object:
    """``10m..25m``, or one time for both ends."""
    if isinstance(value, timedelta):
        return value, value
    ends = [duration(part) for part in value.split("..")] if isinstance(value, str) else []
    if len(ends) != 2 or None in ends:
        raise ValueError("must be a time such as 64m, or two such as 10m..25m, counted from the test's start")
    return tuple(ends)


def _ordered(span: tuple[timedelta, timedelta]) -> tuple[timedelta, timedelta]:
    if span[1] < span[0]:
        raise ValueError("ends before it begins")
    return span


def _lasting(span: tuple[timedelta, timedelta]) -> tuple[timedelta, timedelta]:
    if span[1] == span[0]:
        raise ValueError("must be two times such as 10m..25m")
    return span


def _times(value: object) -> object:
    """``1``, or ``1..3``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    ends = value.split("..") if isinstance(value, str) else []
    if len(ends) != 2 or not all(end.isascii() and end.isdigit() for end in ends):
        raise ValueError("must be a whole number, or two such as 1..3")
    return tuple(int(end) for end in ends)


def _at_most(times: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= times[0] <= times[1]:
        raise ValueError("must be a whole number, or two such as 1..3, the smaller one first")
    return times


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _counts(text: str) -> str:
    parse_counts(text)
    return text


def _second(value: timedelta) -> timedelta:
    if value < _SECOND:
        raise ValueError("must be 1s or more")
    return value


Time = Annotated[datetime, BeforeValidator(_time, json_schema_input_type=str)]
Span = Annotated[
    tuple[timedelta, timedelta], BeforeValidator(_span, json_schema_input_type=str), AfterValidator(_ordered)
]
Stretch = Annotated[Span, AfterValidator(_lasting)]
Times = Annotated[tuple[int, int], BeforeValidator(_times, json_schema_input_type=int | str), AfterValidator(_at_most)]
Values = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float), AfterValidator(_counts)]
Length = Annotated[Duration, AfterValidator(_second)]
States = Annotated[
    tuple[StateName, ...],
    BeforeValidator(as_tuple, json_schema_input_type=StateName | list[StateName]),
    Field(min_length=1),
]
EventName = Literal["opened", "raised", "lowered", "updated", "resolved"]
SentName = Literal["opened", "updated", "repeated", "resolved"]


class PolledSource(Strict):
    """A source, where no configuration says what it is."""

    channel: str = Field(min_length=1, description="Where it is said.")
    tier: Literal["core", "auxiliary"] = Field(default="core", description="Weight of the source.")
    every: Length = Field(default=timedelta(minutes=5), description="Time from one poll to the next.")
    blind_after: Duration | None = Field(
        default=None, description="Blind after this long without a good poll; else 3 x every, at least 15m."
    )


class SeriesConfig(Strict):
    """What a series of mentions is made of."""

    topic: Names = Field(min_length=1, description="The topic that they match, or several.")
    source: str | None = Field(default=None, description="Where they come from; else the first source of the channel.")
    channel: str | None = Field(default=None, description="Where they are said; else the source's.")
    label: LabelName = Field(default="neutral", description="How they are judged.")
    confidence: float = Field(default=0.9, ge=0, le=1, description="How sure that judgement is.")
    risks: Risks | None = Field(default=None, description="The kinds of trouble that they report.")
    per: Length = Field(default=timedelta(minutes=1), description="How long one value of the series stands for.")
    values: Values = Field(description="Mentions in each `per`: `2x60 40x10`, `0+5x4`, `_`.")
    authors: int | None = Field(
        default=None, ge=0, description="So many take turns; else each has its own. 0: unknown."
    )
    author: str | None = Field(default=None, min_length=1, description="All are of this one author.")
    followers: int | None = Field(default=None, ge=0, description="How many follow each author.")
    verified: bool | None = Field(default=None, description="Whether the platform has verified the authors.")
    reach: int | None = Field(default=None, ge=0, description="How often each was viewed.")
    title: str = Field(default="", description="The title of each.")
    text: str = Field(default="", description="The text of each.")
    story: str = Field(default="", description="All are copies of this story; else each is its own.")
    site: str = Field(default="", description="The site that each stands on.")
    region: str = Field(default="", description="Where the authors are.")

    @model_validator(mode="after")
    def _one_way_of_authors(self) -> Self:
        if self.author is not None and self.authors is not None:
            raise ValueError("author and authors exclude each other")
        return self


class InputConfig(SeriesConfig):
    """Mentions that come while the test runs."""

    from_: Duration = Field(default=timedelta(0), alias="from", description="When the series begins, after the start.")
    late: Duration = Field(
        default=timedelta(0), le=_LATEST, description="How long after it was published each is collected."
    )


class HistoryConfig(SeriesConfig):
    """Mentions from before the start: they train, and fire nothing."""

    days: int | None = Field(default=None, ge=1, le=400, description="How far back it reaches, with `repeat`.")
    repeat: Literal["day", "week"] | None = Field(
        default=None, description="The values are those of one day, or of one week from Monday on, over and over."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.days is None) != (self.repeat is None):
            raise ValueError("days and repeat go together; without them the values end at the start of the test")
        if self.repeat is not None and len(parse_counts(self.values)) * self.per != _UNITS[self.repeat]:
            whole = _UNITS[self.repeat] / self.per
            raise ValueError(
                f"a {self.repeat} has {whole:g} values of this length, not {len(parse_counts(self.values))}"
            )
        return self


class FaultConfig(Strict):
    """A stretch in which polls fail; what was published in it arrives with the first good poll after it."""

    source: Names | None = Field(default=None, min_length=1, description="The sources; else all.")
    down: Stretch = Field(description="From when until when, such as `10m..25m`.")


class AlertNames(Strict):
    """Which alerts are meant."""

    rule: str = Field(min_length=1, description="The rule's id.")
    topic: str | None = Field(default=None, description="Only those of this topic.")
    key: dict[str, str] = Field(default={}, description="Only those with these values of the rule's `by`.")


class ExpectConfig(AlertNames):
    """The state of the gravest alert that is meant."""

    at: Duration | None = Field(default=None, description="When, after the start.")
    between: Stretch | None = Field(default=None, description="At every tick of this stretch.")
    state: States = Field(description="What it is in, or one of these.")
    level: LevelName | None = Field(default=None, description="At which level.")

    @model_validator(mode="after")
    def _once(self) -> Self:
        if (self.at is None) == (self.between is None):
            raise ValueError("give either at or between")
        if self.level is not None and {"inactive", "pending"} & set(self.state):
            raise ValueError("an alert that is inactive or pending has no level yet")
        return self


class ExpectEventConfig(AlertNames):
    """Events of these alerts."""

    event: EventName = Field(description="What is told.")
    at: Span | None = Field(default=None, description="When, such as `61m` or `61m..63m`; else at any time.")
    times: Times | None = Field(default=None, description="How often, such as `1`, `0` or `1..3`; else once or more.")
    level: LevelName | None = Field(default=None, description="The alert's level then.")
    because: str = Field(default="", description="Words that the reason holds, in Chinese or in English.")
    baseline: Literal["none", "cold", "daily", "weekly"] | None = Field(
        default=None, description="What it was compared with."
    )
    blind: Names | None = Field(default=None, description="Sources that it says could not be seen.")


class RuleTestConfig(Strict):
    """One test: what comes in, and what must come of it."""

    name: str = Field(min_length=1, description="What it shows.")
    start: Time = Field(description="When it begins, with its offset: `2026-03-02T00:00+08:00`.")
    step: Length | None = Field(default=None, description="Time from tick to tick; else the configuration's, or 15s.")
    until: Duration | None = Field(
        default=None, description="When it ends; else where the last series or expectation does."
    )
    history: list[HistoryConfig] = Field(default=[], description="What came before.")
    input: list[InputConfig] = Field(default=[], description="What comes in.")
    faults: list[FaultConfig] = Field(default=[], description="When sources cannot be polled.")
    expect: list[ExpectConfig] = Field(default=[], description="States that must be.")
    expect_events: list[ExpectEventConfig] = Field(default=[], description="Events that must be, or must not.")
    expect_sent: dict[str, dict[SentName, Times]] | None = Field(
        default=None, description="By receiver, all messages that the route sends; needs `config`."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.expect or self.expect_events or self.expect_sent is not None):
            raise ValueError("expects nothing: write expect, expect_events or expect_sent")
        wanted = [one.at or one.between for one in self.expect] + [one.at for one in self.expect_events]
        ends = [one[1] if isinstance(one, tuple) else one for one in wanted]
        if self.until is not None and any(end is not None and end > self.until for end in ends):
            raise ValueError("until is before the time of an expectation")
        return self


class RuleTestsConfig(Strict):
    """A file of rule tests."""

    config: str | None = Field(
        default=None, description="A configuration, whose topics, sources, rules and route hold."
    )
    rule_files: list[str] = Field(default=[], description="Files with a list `rules`, relative to this one.")
    packs: list[PackConfig] = Field(default=[], description="Packs of rules, and the topics that they watch.")
    rules: list[RuleConfig] = Field(default=[], description="Rules, where they stand in this file.")
    topics: dict[str, str] = Field(default={}, description="By topic, the brand that people know.")
    sources: dict[str, PolledSource] = Field(default={}, description="By id, the sources; else those that series name.")
    tests: list[RuleTestConfig] = Field(min_length=1, description="The tests.")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = self.model_fields_set & {"packs", "rule_files", "rules", "topics", "sources"}
        if self.config is not None and given:
            raise ValueError(f"config and {min(given)} exclude each other: the configuration has its own")
        if self.config is None and not given & {"packs", "rule_files", "rules"}:
            raise ValueError("says not which rules to test: write rule_files, rules or config")
        return self
