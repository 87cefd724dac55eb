"""The sections ``respond_within``, ``acknowledge``, ``escalations`` and ``schedules`` of the configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from alerts.alert import Level
from alerts.channels.base import Strict
from alerts.config import Interval, LevelName, Match, matchers
from alerts.deadline import AckLife, ResponseTimes
from alerts.duty import Override, Schedule
from alerts.escalation import MOST_REPEATS, Chain, Count, Notify, Repeat, Wait
from alerts.hours import TimeInterval
from alerts.time_intervals import ZoneName

Limit = Interval | Literal["none"] | None
_TIME = "%Y-%m-%d %H:%M"
_LEAST_SHIFT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OnCall:
    """What the configuration says of deadlines, acknowledgements and escalation; by default nothing of any."""

    times: ResponseTimes = field(default_factory=ResponseTimes)
    life: AckLife = field(default_factory=AckLife)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)


def limit(value: Limit) -> timedelta | None:
    return None if value == "none" else value


def limits(values: Mapping[LevelName, Limit]) -> dict[Level, timedelta | None]:
    return {Level[name]: limit(value) for name, value in values.items()}


class RespondWithinConfig(Strict):
    """How long the public may wait for an answer, by level; ``none``: there is no deadline."""

    red: Limit = Field(timedelta(hours=4), description="from when an incident first stands at red")
    orange: Limit = Field(timedelta(hours=12), description="the same at orange")
    yellow: Limit = Field(timedelta(hours=24), description="the same at yellow")
    blue: Limit = Field(None, description="the same at blue; none where not given")

    def build(self) -> dict[Level, timedelta | None]:
        return {level: limit(getattr(self, level.name)) for level in Level}


class AcknowledgeConfig(Strict):
    """How long an acknowledgement stands without a sign of life."""

    remind_after: Limit = Field(
        timedelta(hours=2), description="time without any act after which the receivers are reminded; none: never"
    )
    give_up_after: Limit = Field(
        timedelta(minutes=15), description="time from the reminder until it is nobody's again; none: it stands"
    )

    def build(self) -> AckLife:
        return AckLife(limit(self.remind_after), limit(self.give_up_after))


class CountTestConfig(Strict):
    """How much is going on."""

    at_least: int = Field(ge=1, description="unresolved alerts of the incident that had news within that time")
    within: Interval = Field(description="how far back")


class OnDutyConfig(Strict):
    """Whoever is on duty."""

    schedule: str = Field(description="a schedule's id")


class WaitStep(Strict):
    """Give people time."""

    wait: Interval = Field(description="time until the next step")

    def build(self) -> Wait:
        return Wait(self.wait)


class NotifyStep(Strict):
    """Call somebody."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    notify: str | OnDutyConfig = Field(description="a receiver's id, or schedule: and the id of a schedule")
    if_: Literal["unacknowledged"] = Field(
        "unacknowledged", alias="if", description="what holds for every step: a chain rests once somebody has taken it"
    )
    if_count: CountTestConfig | None = Field(None, description="only then; the chain goes on either way")
    if_time: str | list[str] | None = Field(
        None, description="only while one of these time_intervals holds, by id; the chain goes on either way"
    )

    def build(self, intervals: Mapping[str, TimeInterval]) -> Notify:
        names = [self.if_time] if isinstance(self.if_time, str) else self.if_time or ()
        times = tuple(intervals[name] for name in names)
        count = Count(self.if_count.at_least, self.if_count.within) if self.if_count else None
        if isinstance(self.notify, str):
            return Notify(receivers=(self.notify,), count=count, times=times)
        return Notify(schedules=(self.notify.schedule,), count=count, times=times)


class RepeatStep(Strict):
    """Begin again."""

    repeat: int = Field(ge=1, le=MOST_REPEATS, description="how often the steps before are done again")

    def build(self) -> Repeat:
        return Repeat(self.repeat)


def _kind(value: object) -> str:
    """Of a step: the key that it is known by."""
    names = value.keys() if isinstance(value, dict) else type(value).model_fields if isinstance(value, Strict) else ()
    return next((name for name in ("wait", "repeat") if name in names), "notify")


StepConfig = Annotated[
    Annotated[WaitStep, Tag("wait")] | Annotated[NotifyStep, Tag("notify")] | Annotated[RepeatStep, Tag("repeat")],
    Discriminator(_kind),
]


class EscalationConfig(Strict):
    """A chain of steps for incidents that nobody takes."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100, description="the chain's name")
    match: Match = Field(
        default_factory=dict, description="labels as in a branch of the route; without any, every incident"
    )
    steps: list[StepConfig] = Field(min_length=1, description="what is done, in order")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "EscalationConfig":
        if not any(isinstance(step, NotifyStep) for step in self.steps):
            raise ValueError("calls nobody: add a step such as {notify: duty}")
        for place, step in enumerate(self.steps):
            if not isinstance(step, RepeatStep):
                continue
            if place != len(self.steps) - 1:
                raise ValueError("repeat must be the last step")
            if not any(isinstance(before, WaitStep) for before in self.steps[:place]):
                raise ValueError("repeat without a wait before it would call everybody at once")
        return self

    def build(self, intervals: Mapping[str, TimeInterval]) -> Chain:
        steps = (step.build(intervals) if isinstance(step, NotifyStep) else step.build() for step in self.steps)
        return Chain(self.id, matchers(self.match), tuple(steps))

    def called(self) -> Iterable[tuple[tuple[int, str], str, Literal["receiver", "schedule"]]]:
        """Whom its steps name: the step's place and key, the id, and of what."""
        for place, step in enumerate(self.steps):
            if isinstance(step, NotifyStep):
                whom = step.notify
                yield (
                    ((place, "notify"), whom, "receiver")
                    if isinstance(whom, str)
                    else ((place, "notify"), whom.schedule, "schedule")
                )


def _local(text: str) -> str:
    try:
        datetime.strptime(text, _TIME)  # noqa: DTZ007 - local time; the zone is the schedule's
    except ValueError as error:
        raise ValueError("is no local time such as 2026-03-02 09:00") from error
    return text


def _naive(text: str) -> datetime:
    return datetime.strptime(text, _TIME)  # noqa: DTZ007


LocalTime = Annotated[str, AfterValidator(_local)]


class RotationConfig(Strict):
    """Who follows whom."""

    every: Interval = Field(description="time between two hand-overs, 1h at least: 12h, 1d, 1w")
    start: LocalTime = Field(description="the first hand-over, as a local time: 2026-03-02 09:00")
    receivers: list[str] = Field(min_length=1, description="receivers' ids, in turn")

    @field_validator("every")
    @classmethod
    def _long_enough(cls, every: timedelta) -> timedelta:
        if every < _LEAST_SHIFT or every % timedelta(minutes=1):
            raise ValueError("must be at least 1h, in whole minutes")
        return every


class OverrideConfig(Strict):
    """Somebody else, for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: LocalTime = Field(alias="from", description="a local time")
    to: LocalTime = Field(description="a local time, not included")
    receiver: str = Field(description="the receiver's id who is on duty instead")

    @model_validator(mode="after")
    def _in_order(self) -> "OverrideConfig":
        if _naive(self.to) <= _naive(self.from_):
            raise ValueError(f"ends at {self.to}, before it begins")
        return self


class ScheduleConfig(Strict):
    """Who is on duty when."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100, description="the name that escalations use")
    zone: ZoneName | None = Field(
        None, description="whose local time it is; the configuration's timezone where not given"
    )
    rotation: RotationConfig = Field(description="who follows whom")
    overrides: list[OverrideConfig] = Field(default_factory=list, description="leave, swaps, holidays")

    @model_validator(mode="after")
    def _apart(self) -> "ScheduleConfig":
        ordered = sorted(self.overrides, key=lambda one: _naive(one.from_))
        for one, other in pairwise(ordered):
            if _naive(other.from_) < _naive(one.to):
                raise ValueError(f"two overrides are on at {other.from_}: {one.receiver} and {other.receiver}")
        return self

    def build(self, timezone: str) -> Schedule:
        zone = ZoneInfo(self.zone or timezone)
        return Schedule(
            self.id,
            zone,
            _naive(self.rotation.start),
            self.rotation.every,
            tuple(self.rotation.receivers),
            tuple(
                Override(
                    _naive(one.from_).replace(tzinfo=zone).astimezone(UTC),
                    _naive(one.to).replace(tzinfo=zone).astimezone(UTC),
                    one.receiver,
                )
                for one in self.overrides
            ),
        )

    def names(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """The receivers that it names, and where."""
        for place, receiver in enumerate(self.rotation.receivers):
            yield ("rotation", "receivers", place), receiver
        for place, override in enumerate(self.overrides):
            yield ("overrides", place, "receiver"), override.receiver


def reached_receivers(escalations: Sequence[EscalationConfig], schedules: Sequence[ScheduleConfig]) -> set[str]:
    """Every receiver that an escalation may call."""
    found: set[str] = set()
    by_id = {schedule.id: schedule for schedule in schedules}
    for chain in escalations:
        for _, name, what in chain.called():
            found |= (
                {name} if what == "receiver" else {one for _, one in by_id[name].names()} if name in by_id else set()
            )
    return found
