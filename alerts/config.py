"""The sections ``receivers`` and ``route`` of the configuration."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator
from pydantic import Strict as StrictType

from alerts.alert import Level
from alerts.channels import ChannelConfig
from alerts.channels.base import Strict
from alerts.route import LabelName, Leg, Route


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


class ReceiverConfig(Strict):
    """A named set of channels; each gets every message that is routed to the receiver."""

    id: str = Field(min_length=1, description="the name that routes use")
    language: Literal["zh", "en"] = Field("zh", description="the language of its messages")
    channels: list[ChannelConfig] = Field(min_length=1, description="where its messages go; each on its own")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = self.channel_names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two channels are called {', '.join(map(repr, twice))}; give each a name of its own")
        return self

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


class BranchConfig(Strict):
    """A branch of the route tree; what it does not say, it inherits."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    receiver: str | None = Field(None, description="a receiver's id; inherited where not given")
    match: dict[LabelName, str | list[str]] = Field(
        default_factory=dict,
        description="labels and the value, or one of the values, that each must have; all must hold",
    )
    go_on: bool = Field(False, alias="continue", description="look at the next branches too after this one has matched")
    group_wait: Wait | None = Field(None, description="time from the first alert to the first message; inherited")
    group_interval: Interval | None = Field(None, description="least time between two messages; inherited")
    repeat_interval: Interval | None = Field(
        None, description="time after which an open incident is told again; inherited"
    )
    routes: list["BranchConfig"] = Field(
        default_factory=list, description="branches of this branch; the first that matches"
    )

    @field_validator("match")
    @classmethod
    def _values_exist(cls, match: dict[LabelName, str | list[str]]) -> dict[LabelName, str | list[str]]:
        for name, values in match.items():
            wanted = [values] if isinstance(values, str) else values
            if not wanted:
                raise ValueError(f"{name}: no value can match an empty list")
            unknown = [value for value in wanted if name in _KNOWN and value not in _KNOWN[name]]
            if unknown:
                raise ValueError(f"{name}: {unknown[0]!r} is not one of {', '.join(sorted(_KNOWN[name]))}")
        return match

    def build(self, parent: Leg) -> Route:
        leg = Leg(
            receiver=parent.receiver if self.receiver is None else self.receiver,
            group_wait=parent.group_wait if self.group_wait is None else self.group_wait,
            group_interval=parent.group_interval if self.group_interval is None else self.group_interval,
            repeat_interval=parent.repeat_interval if self.repeat_interval is None else self.repeat_interval,
        )
        values = {name: frozenset([value] if isinstance(value, str) else value) for name, value in self.match.items()}
        return Route(leg, values, self.go_on, tuple(branch.build(leg) for branch in self.routes))


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
    routes: list[BranchConfig] = Field(default_factory=list, description="branches, in order; the first that matches")

    def build(self) -> Route:
        """The tree with everything inherited filled in."""
        leg = Leg(self.receiver, self.group_wait, self.group_interval, self.repeat_interval)
        return Route(leg, {}, routes=tuple(branch.build(leg) for branch in self.routes))


def route_receivers(route: RouteConfig | BranchConfig) -> tuple[str, ...]:
    """The receivers that a route names, each once, in order: all of them must be configured."""
    return tuple(dict.fromkeys(_named(route)))


def _named(route: RouteConfig | BranchConfig) -> Iterator[str]:
    if route.receiver is not None:
        yield route.receiver
    for branch in route.routes:
        yield from _named(branch)
