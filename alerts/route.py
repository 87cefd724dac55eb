"""Which incidents go where: Alertmanager's tree, on the incident's labels."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from alerts.incident import Incident

LabelName = Literal["kind", "level", "topic", "brand", "rule"]


@dataclass(frozen=True, slots=True)
class Leg:
    """A receiver that an incident goes to, and its pace there."""

    receiver: str
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; everything inherited is filled in. ``match``: each label must have one of its values.

    ``go_on`` is Alertmanager's ``continue``: the siblings after a match are looked at too.
    """

    leg: Leg
    match_labels: Mapping[LabelName, frozenset[str]]
    go_on: bool = False
    routes: tuple["Route", ...] = ()

    def match(self, labels: Mapping[LabelName, str], *, told: Iterable[str] = ()) -> tuple[Leg, ...]:
        """The legs for these labels, never empty: the root takes what no branch wants. A missing label is an empty one.

        One leg per receiver, the first found: its messages about an incident are one sequence. ``told`` names receivers
        that were told of the incident before; they come too when they no longer match (a red incident that is yellow
        now), so that what was opened there is closed there.
        """
        found: dict[str, Leg] = {}
        for leg in self._walk(labels) or (self.leg,):
            found.setdefault(leg.receiver, leg)
        for leg in self._legs(frozenset(told)):
            found.setdefault(leg.receiver, leg)
        return tuple(found.values())

    def _holds(self, labels: Mapping[LabelName, str]) -> bool:
        return all(labels.get(name, "") in values for name, values in self.match_labels.items())

    def _walk(self, labels: Mapping[LabelName, str]) -> tuple[Leg, ...]:
        if not self._holds(labels):
            return ()
        legs: list[Leg] = []
        for branch in self.routes:
            below = branch._walk(labels)  # noqa: SLF001
            legs.extend(below)
            if below and not branch.go_on:
                break
        return tuple(legs) or (self.leg,)

    def _legs(self, receivers: frozenset[str]) -> Iterator[Leg]:
        if self.leg.receiver in receivers:
            yield self.leg
        for branch in self.routes:
            yield from branch._legs(receivers)  # noqa: SLF001


def labels(incident: Incident) -> dict[LabelName, str]:
    """What routes match on: the incident's kind, highest open level and topic, its lead alert's brand and rule."""
    lead = incident.lead
    return {
        "kind": incident.kind,
        "level": incident.level.name,
        "topic": incident.topic or "",
        "brand": lead.brand,
        "rule": lead.rule,
    }
