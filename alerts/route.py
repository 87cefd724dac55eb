"""Which incidents go where: Alertmanager's tree, on the incident's labels."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from alerts.alert import AlertEvent
from alerts.hold import ALWAYS, Hours
from alerts.incident import Incident

LabelName = Literal["kind", "level", "topic", "brand", "rule", "channel", "source", "site", "region"]
KEYS: tuple[LabelName, ...] = ("channel", "source", "site", "region")
"""Labels that only alerts of rules with such a ``by`` have."""

Labels = Mapping[LabelName, str]
Matchers = Mapping[LabelName, frozenset[str]]
"""By label, the values of which it must have one."""


def match(matchers: Matchers, labels: Labels) -> bool:
    """Whether each label has one of its values; a missing label is an empty one."""
    return all(labels.get(name, "") in values for name, values in matchers.items())


@dataclass(frozen=True, slots=True)
class Leg:
    """A receiver that an incident goes to, its pace there, and the hours in which it may be told."""

    receiver: str
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta
    hours: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; everything inherited is filled in.

    ``go_on`` is Alertmanager's ``continue``: the siblings after a match are looked at too. ``levels``: the leg of incidents
    of these levels, by name. ``place``: where it stands in the configuration.
    """

    leg: Leg
    match_labels: Matchers
    go_on: bool = False
    routes: tuple["Route", ...] = ()
    levels: Mapping[str, Leg] = field(default_factory=dict)
    place: str = "route"

    def match(self, *views: Labels, told: Iterable[str] = ()) -> tuple[Leg, ...]:
        """The legs for an incident's views, never empty: the root takes what no branch wants. A missing label is empty.

        One leg per receiver, the first found: its messages about an incident are one sequence. ``told`` names receivers
        that were told of the incident before; they come too when they no longer match (a red incident that is yellow
        now), so that what was opened there is closed there.
        """
        found: dict[str, Leg] = {}
        for labels in views:
            for node in self.takers(labels):
                found.setdefault(node.leg.receiver, node.leg_of(labels))
        receivers = frozenset(told)
        for node in self.nodes() if receivers else ():
            if node.leg.receiver in receivers:
                found.setdefault(node.leg.receiver, node.leg_of(views[0]))
        return tuple(found.values())

    def leg_of(self, labels: Labels) -> Leg:
        """The node's leg for an incident of these labels' level."""
        return self.levels.get(labels.get("level", ""), self.leg)

    def takers(self, labels: Labels) -> tuple["Route", ...]:
        """The nodes that take an incident of these labels, in order, never none."""
        return self._walk(labels) or (self,)

    def nodes(self) -> Iterator["Route"]:
        """The node and all below it, each before its branches."""
        yield self
        for branch in self.routes:
            yield from branch.nodes()

    def _walk(self, labels: Labels) -> tuple["Route", ...]:
        if not match(self.match_labels, labels):
            return ()
        taken: list[Route] = []
        for branch in self.routes:
            below = branch._walk(labels)  # noqa: SLF001
            taken.extend(below)
            if below and not branch.go_on:
                break
        return tuple(taken) or (self,)


def views(incident: Incident) -> list[dict[LabelName, str]]:
    """What matches on an incident, as each topic that fires in it has it, its own first; once all is over, as each had it.

    That is its kind and highest open level, the topic, and the brand, rule and key of the topic's leading alert. So what is
    for one of two topics that a story brought together is for that one as before.
    """
    firing = [event for event in incident.alerts if event.event != "resolved"] or incident.alerts
    by_topic: dict[str | None, list[AlertEvent]] = {}
    for event in sorted(firing, key=lambda event: event.topic != incident.topic):
        by_topic.setdefault(event.topic, []).append(event)
    return [
        _labels(incident, topic, max(events, key=lambda event: (event.level, event.at)))
        for topic, events in by_topic.items()
    ]


def _labels(incident: Incident, topic: str | None, lead: AlertEvent) -> dict[LabelName, str]:
    found: dict[LabelName, str] = {
        "kind": incident.kind,
        "level": incident.level.name,
        "topic": topic or "",
        "brand": lead.brand,
        "rule": lead.rule,
    }
    if incident.kind == "topic":  # the program's own alerts have keys of their own
        found.update({name: lead.key[name] for name in KEYS if name in lead.key})
    return found
