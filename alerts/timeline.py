"""What happened to an incident, in one list: the events of its alerts and the acts of people."""

from collections.abc import Iterable

from alerts.alert import AlertEvent
from alerts.handling import Act


def timeline(events: Iterable[AlertEvent], acts: Iterable[Act]) -> tuple[AlertEvent | Act, ...]:
    """Oldest first; of one moment the events come first, since what an act says of them follows from them."""
    both: list[AlertEvent | Act] = [*events, *acts]
    return tuple(sorted(both, key=lambda one: one.at))
