"""The sections ``receivers`` and ``route`` of the configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic import Strict as StrictType

from alerts.alert import Level
from alerts.channels import ChannelConfig
from alerts.channels.base import Strict, TextsConfig
from alerts.hold import Hours
from alerts.hours import TimeInterval
from alerts.inhibition import Inhibition
from alerts.route import LabelName, Leg, Matchers, Route
from alerts.texts import Texts


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be negative")
    return value


Wait = Annotated[timedelta, StrictType(), AfterValidator(_not_negative)]
Interval = Annotated[timedelta, StrictType(), AfterValidator(_positive)]

_KNOWN = {"level": frozenset(Level.__members__), "kind": frozenset({"topic", "self"})}


def known_values(match: dict[LabelName, str | list[str]]) -> dict[LabelName, str | list[str]]:
    """The labels that something matches on, as they were; raises ValueError where no incident can have such a value."""
    for name, values in match.items():
        wanted = [values] if isinstance(values, str) else values
        if not wanted:
            raise ValueError(f"{name}: no value can match an empty list")
        unknown = [value for value in wanted if name in _KNOWN and value not in _KNOWN[name]]
        if unknown:
            raise ValueError(f"{name}: {unknown[0]!r} is not one of {', '.join(sorted(_KNOWN[name]))}")
    return match


Match = Annotated[dict[LabelName, str | list[str]], AfterValidator(known_values)]


def matchers(match: Match) -> Matchers:
    return {name: frozenset([values] if isinstance(values, str) else values) for name, values in match.items()}


class ReceiverConfig(Strict):
    """A named set of channels; each gets every message that is routed to the receiver."""

    id: str = Field(min_length=1, description="the name that routes use")
    language: Literal["zh", "en"] = Field("zh", description="the language of its messages")
    fallback: str | None = Field(
        None, description="the receiver that is told too where red is not delivered within 3 minutes, or cannot be"
    )
    channels: list[ChannelConfig] = Field(min_length=1, description="where its messages go; each on its own")
    templates: TextsConfig | None = Field(None, description="texts of your own, in the receiver's language")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = self.channel_names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two channels are called {', '.join(map(repr, twice))}; give each a name of its own")
        return self

    def texts(self, channel: ChannelConfig) -> Texts | None:
        """The templates that hold for one of its channels; None where there are none."""
        own = getattr(channel, "templates", None)
        return own.over(self.templates) if own else self.templates.over(None) if self.templates else None

    @property
    def channel_names(self) -> tuple[str, ...]:
        """A name per channel, in order: the configured one, else its type, numbered from the second of a type on.

        These are what deliveries are recorded under and metrics are labelled with; set ``name`` before reordering.
        """
        seen: dict[str, int] = {}
        names = []
        for channel in self.channels:
            name = channel.name
            if name is None:
                seen[channel.type] = seen.get(channel.type, 0) + 1
                name = channel.type if seen[channel.type] == 1 else f"{channel.type}-{seen[channel.type]}"
            names.append(name)
        return tuple(names)


LevelName = Literal["blue", "yellow", "orange", "red"]


class QuietConfig(Strict):
    """Hours in which messages wait: what has happened by their end is told then, in one message."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    intervals: list[str] = Field(description="ids of time_intervals, any of them; an empty list: no quiet hours")
    loud: LevelName = Field(
        "red", alias="except", description="incidents of this level, or above, do not wait; rising to it goes at once"
    )


class PaceConfig(Strict):
    """The pace of one level; what it does not say is as for the others."""

    group_wait: Wait | None = Field(None, description="time from the first alert to the first message")
    group_interval: Interval | None = Field(None, description="least time between two messages")
    repeat_interval: Interval | None = Field(None, description="time after which an open incident is told again")


class BranchConfig(Strict):
    """A branch of the route tree; what it does not say, it inherits."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    receiver: str | None = Field(None, description="a receiver's id; inherited where not given")
    match: Match = Field(
        default_factory=dict,
        description="labels and the value, or one of the values, that each must have; all must hold",
    )
    go_on: bool = Field(False, alias="continue", description="look at the next branches too after this one has matched")
    group_wait: Wait | None = Field(None, description="time from the first alert to the first message; inherited")
    group_interval: Interval | None = Field(None, description="least time between two messages; inherited")
    repeat_interval: Interval | None = Field(
        None, description="time after which an open incident is told again; inherited"
    )
    levels: dict[LevelName, PaceConfig] = Field(
        default_factory=dict, description="another pace for incidents of a level; inherited, level by level"
    )
    active_time_intervals: list[str] = Field(
        default_factory=list, description="ids of time_intervals: nothing is told outside them; not inherited"
    )
    mute_time_intervals: list[str] = Field(
        default_factory=list, description="ids of time_intervals: nothing is told within them; not inherited"
    )
    quiet: QuietConfig | None = Field(None, description="hours in which messages wait for a digest; inherited")
    routes: list["BranchConfig"] = Field(
        default_factory=list, description="branches of this branch; the first that matches"
    )

    def build(self, parent: Leg, levels: "Levels", place: str, intervals: Mapping[str, TimeInterval]) -> Route:
        """*parent*, *levels*: what is inherited."""
        leg = replace(
            _paced(parent, self),
            receiver=parent.receiver if self.receiver is None else self.receiver,
            hours=replace(
                _hours(parent.hours, self.quiet, intervals),
                active=tuple(intervals[name] for name in self.active_time_intervals),
                mute=tuple(intervals[name] for name in self.mute_time_intervals),
            ),
        )
        inherited = _with(levels, self.levels)
        return Route(
            leg,
            matchers(self.match),
            self.go_on,
            _built(self.routes, leg, inherited, place, intervals),
            _legs(leg, inherited),
            place,
        )


class InhibitConfig(Strict):
    """While an incident is open that matches ``source``, those that match ``target`` are not told."""

    source: Match = Field(min_length=1, description="labels of the incident that mutes, as a branch's `match`")
    target: Match = Field(min_length=1, description="labels of the incidents that are muted")
    equal: list[LabelName] = Field(
        default_factory=list, description="labels of which both must have the same value; none is a value too"
    )

    def build(self) -> Inhibition:
        return Inhibition(matchers(self.source), matchers(self.target), tuple(self.equal))


class RouteConfig(Strict):
    """The root of the route tree: it takes every incident that no branch wants."""

    receiver: str = Field(description="a receiver's id")
    group_wait: Wait = Field(timedelta(seconds=30), description="time from the first alert to the first message")
    group_interval: Interval = Field(
        timedelta(minutes=5), description="least time between two messages of an incident; a risen level does not wait"
    )
    repeat_interval: Interval = Field(
        timedelta(hours=4), description="time after which an incident that is still open is told again"
    )
    levels: dict[LevelName, PaceConfig] = Field(
        default_factory=dict, description="another pace for incidents of a level; inherited, level by level"
    )
    quiet: QuietConfig | None = Field(None, description="hours in which messages wait for a digest; inherited")
    routes: list[BranchConfig] = Field(default_factory=list, description="branches, in order; the first that matches")

    def build(self, intervals: Mapping[str, TimeInterval] = MappingProxyType({})) -> Route:
        """The tree with everything inherited filled in. *intervals*: every one that it names, by id."""
        leg = Leg(
            self.receiver,
            self.group_wait,
            self.group_interval,
            self.repeat_interval,
            _hours(Hours(), self.quiet, intervals),
        )
        return Route(
            leg, {}, routes=_built(self.routes, leg, self.levels, "route", intervals), levels=_legs(leg, self.levels)
        )


Levels = Mapping[LevelName, PaceConfig]


def _paced(leg: Leg, pace: PaceConfig | BranchConfig) -> Leg:
    return replace(
        leg,
        group_wait=leg.group_wait if pace.group_wait is None else pace.group_wait,
        group_interval=leg.group_interval if pace.group_interval is None else pace.group_interval,
        repeat_interval=leg.repeat_interval if pace.repeat_interval is None else pace.repeat_interval,
    )


def _with(inherited: Levels, own: Levels) -> Levels:
    """What a level's pace is here: its own words, and for what they leave out the inherited ones."""
    return {
        level: pace
        if level not in inherited
        else inherited[level].model_copy(update=pace.model_dump(exclude_none=True))
        for level, pace in {**inherited, **own}.items()
    }


def _legs(leg: Leg, levels: Levels) -> dict[str, Leg]:
    return {level: _paced(leg, pace) for level, pace in levels.items()}


def _hours(inherited: Hours, quiet: QuietConfig | None, intervals: Mapping[str, TimeInterval]) -> Hours:
    if quiet is None:
        return inherited
    return replace(inherited, quiet=tuple(intervals[name] for name in quiet.intervals), loud=Level[quiet.loud])


def _built(
    routes: Sequence[BranchConfig], leg: Leg, levels: Levels, place: str, intervals: Mapping[str, TimeInterval]
) -> tuple[Route, ...]:
    return tuple(
        branch.build(leg, levels, f"{place}.routes[{number}]", intervals) for number, branch in enumerate(routes)
    )


def route_receivers(route: RouteConfig | BranchConfig) -> tuple[str, ...]:
    """The receivers that a route names, each once, in order: all of them must be configured."""
    return tuple(dict.fromkeys(_named(route)))


def _named(route: RouteConfig | BranchConfig) -> Iterator[str]:
    if route.receiver is not None:
        yield route.receiver
    for branch in route.routes:
        yield from _named(branch)
