"""Inhibition: an incident that is open mutes others, for as long as it is.

The semantics are Alertmanager's (its configuration page, ``inhibit_rule``; package ``inhibit``): the target is muted while
a source is open that has the same value of every label in ``equal``, where a missing label is an empty one; what matches
both sides is not muted by what also does, so nothing mutes itself; what is muted mutes others all the same. Beyond it, an
incident that could not see every source mutes nothing: what it says of the others is not known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.incident import Incident
from alerts.route import LabelName, Labels, Matchers, match, views


@dataclass(frozen=True, slots=True)
class Inhibition:
    """``source``, ``target``: each label has one of its values."""

    source: Matchers
    target: Matchers
    equal: tuple[LabelName, ...] = ()

    def from_source(self, known: Labels) -> bool:
        return match(self.source, known)

    def to_target(self, known: Labels) -> bool:
        return match(self.target, known)

    def mutes(self, source: Labels, target: Labels) -> bool:
        """Whether an open incident of the labels *source* mutes one of the labels *target*."""
        if not self.from_source(source) or not self.to_target(target):
            return False
        if self.from_source(target) and self.to_target(source):
            return False
        return all(source.get(name, "") == target.get(name, "") for name in self.equal)


def inhibitor(target: Incident, others: Iterable[Incident], rules: Iterable[Inhibition]) -> Incident | None:
    """What mutes the target now: of those that do, the highest, then the oldest."""
    known = views(target)
    wanted = [rule for rule in rules if any(rule.to_target(view) for view in known)]
    if not wanted or not target.open:
        return None
    found = [one for one in others if one.id != target.id and _mutes(one, known, by_which(one, wanted))]
    return min(found, key=lambda one: (-one.level, one.opened_at, one.id), default=None)


def by_which(source: Incident, rules: Iterable[Inhibition]) -> list[Inhibition]:
    """The rules by which an incident may mute others: none where it is over, or could not see every source."""
    if not source.open or not source.lead.coverage.complete:
        return []
    known = views(source)
    return [rule for rule in rules if any(rule.from_source(view) for view in known)]


def _mutes(source: Incident, target: Sequence[Labels], rules: Sequence[Inhibition]) -> bool:
    """Every topic of the target, or what one of them says would be lost; by any topic that fires in the source."""
    known = views(source)
    return all(any(rule.mutes(own, view) for rule in rules for own in known) for view in target)
