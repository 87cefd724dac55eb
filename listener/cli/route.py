"""``listener route``: the route tree, and where in it an incident of given labels would go, when, and why not at once."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from alerts import Level
from alerts.hold import Held
from alerts.hours import TimeInterval
from alerts.route import LabelName, Leg, Route
from listener.cli.times import moment
from listener.clock import utc_now
from listener.config import Config, load
from listener.parts import brands, root_route
from listener.yaml_scalars import duration_text

_MOST_HOLDS = 100  # one after another


def register(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", dest="act", required=True)
    test = acts.add_parser(
        "test",
        help="print where an incident of these labels would go, and when",
        description="Prints a JSON line for each receiver: its branch, its pace, what holds a message then, and when the "
        "first one would go; the way through the tree in words on standard error.",
    )
    test.add_argument(
        "labels", nargs="*", metavar="KEY=VALUE", help="labels of the incident, such as level=red topic=acme"
    )
    test.add_argument("--at", type=moment, metavar="TIME", help="when it starts, RFC 3339; now where not given")
    test.add_argument(
        "--expect", action="append", default=[], metavar="RECEIVER",
        help="exit 1 unless exactly the named receivers get it; may be repeated",
    )  # fmt: skip
    show = acts.add_parser(
        "show", help="print the route tree",
        description="Prints a JSON line for each branch of the tree, everything inherited filled in.",
    )  # fmt: skip
    for one in (test, show):
        one.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError. 1 where an expectation is not met or nobody is told; 2 for a label or value that cannot be."""
    config = load(args.config)
    root = root_route(config)
    if root is None:
        print(f"{args.config}: there is no receiver, so nobody is told", file=sys.stderr)
        return 1
    route = root.build(config.intervals)
    if args.act == "show":
        return _show(route)
    try:
        labels = _labels(args.labels, config)
        _known_receivers(args.expect, config)
    except ValueError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 2
    at = (args.at or utc_now()).astimezone(ZoneInfo(config.timezone))
    return _test(route, labels, at, args.expect)


# ---- test


def _labels(given: Sequence[str], config: Config) -> dict[LabelName, str]:
    """The labels as an incident would have them. Raises ValueError for what no incident of this configuration has."""
    known = _known(config)
    found: dict[LabelName, str] = {}
    for one in given:
        text, equals, value = one.partition("=")
        name = next((label for label in get_args(LabelName) if label == text), None)
        if name is None:
            raise ValueError(f"there is no label {text!r}; the labels are {', '.join(get_args(LabelName))}")
        if not equals or name in found:
            raise ValueError(f"{one!r}: write each label once, as {name}=VALUE")
        values = known.get(name)
        own = name == "rule" and value.startswith("self-")  # the program's own rules
        if values is not None and value not in values and not own:
            told = ", ".join(values) or "none"
            raise ValueError(f"there is no {name} {value!r}; there are {told}")
        found[name] = value
    topic = found.get("topic")
    if topic:
        found.setdefault("brand", brands(config)[topic])
    found.setdefault("kind", "topic")
    if "level" not in found:
        found["level"] = "yellow"
        print("no level given: taken as yellow", file=sys.stderr)
    return found


def _known(config: Config) -> Mapping[LabelName, Sequence[str]]:
    """By label, the values that there can be; what is not here takes any."""
    return {
        "kind": ["topic", "self"],
        "level": list(Level.__members__),
        "topic": [topic.id for topic in config.topics],
        "brand": list(dict.fromkeys(brands(config).values())),
        "rule": [rule.id for rule in config.every_rule],
        "source": [source.id for source in config.sources],
    }


def _known_receivers(names: Sequence[str], config: Config) -> None:
    receivers = [receiver.id for receiver in config.receivers]
    for name in names:
        if name not in receivers:
            raise ValueError(f"there is no receiver {name!r}; there are {', '.join(receivers)}")


def _test(route: Route, labels: Mapping[LabelName, str], at: datetime, expected: Sequence[str]) -> int:
    told = " ".join(f"{name}={value}" for name, value in labels.items())
    print(f"{told}, starting at {at.isoformat()}", file=sys.stderr)
    _tell_way(route, labels, 0)
    legs = route.match(labels)
    places: dict[str, str] = {}
    for node in route.takers(labels):
        places.setdefault(node.leg.receiver, node.place)
    for leg in legs:
        going = _going(leg, labels["level"], at + leg.group_wait)
        _print({
            "receiver": leg.receiver,
            "place": places[leg.receiver],
            **_pace(leg),
            "held": [_held(one, at) for one in going.held],
            "goes_at": going.at.isoformat() if going.at else None,
            "digest": going.digest,
        })  # fmt: skip
    found = [leg.receiver for leg in legs]
    if expected and sorted(set(expected)) != sorted(found):
        print(f"expected {', '.join(expected)}; it goes to {', '.join(found)}", file=sys.stderr)
        return 1
    return 0


def _tell_way(node: Route, labels: Mapping[LabelName, str], depth: int) -> bool:
    """Every node that is looked at, in order, and what becomes of it; whether it takes the incident."""
    indent = "  " * depth
    odd = [name for name, values in node.match_labels.items() if labels.get(name, "") not in values]
    wanted = (
        ", ".join(f"{name}={'|'.join(sorted(values))}" for name, values in node.match_labels.items()) or "everything"
    )
    if odd:
        print(
            f"{indent}{node.place} ({wanted}): no, {odd[0]} is {labels.get(odd[0], '') or 'not given'}", file=sys.stderr
        )
        return False
    print(f"{indent}{node.place} ({wanted}): matches", file=sys.stderr)
    taken = False
    for branch in node.routes:
        below = _tell_way(branch, labels, depth + 1)
        taken = taken or below
        if below and not branch.go_on:
            break
    if not taken:
        print(f"{indent}-> {node.leg.receiver}", file=sys.stderr)
    return True


@dataclass(frozen=True, slots=True)
class _Going:
    """``at`` None: not within a year. ``held``: what holds it before, in order."""

    at: datetime | None
    held: tuple[Held, ...]
    digest: bool


def _going(leg: Leg, level: str, due: datetime) -> _Going:
    """When the first message of an incident that stays open would go."""
    held: list[Held] = []
    while len(held) < _MOST_HOLDS:
        one = leg.hours.held(Level[level], due)
        if one is None:
            return _Going(due, tuple(held), any(hold.owed for hold in held))
        held.append(one)
        if one.until is None:
            break
        due = one.until.astimezone(due.tzinfo)
    return _Going(None, tuple(held), digest=False)


def _held(held: Held, at: datetime) -> dict[str, Any]:
    until = held.until.astimezone(at.tzinfo).isoformat() if held.until else None
    return {"reason": held.reason, "by": held.by, "until": until}


# ---- show


def _show(route: Route) -> int:
    for node in route.nodes():
        hours = node.leg.hours
        matched = {name: sorted(values) for name, values in node.match_labels.items()}
        line = {
            "place": node.place,
            "match": matched,
            "continue": node.go_on,
            "receiver": node.leg.receiver,
            **_pace(node.leg),
            "levels": {level: _pace(leg) for level, leg in node.levels.items()},
            "active_time_intervals": _ids(hours.active),
            "mute_time_intervals": _ids(hours.mute),
            "quiet": {"intervals": _ids(hours.quiet), "except": hours.loud.name} if hours.quiet else None,
        }
        _print(line)
        depth = node.place.count(".routes")
        wanted = ", ".join(f"{name}={'|'.join(values)}" for name, values in matched.items()) or "everything"
        more = ", continue" if node.go_on else ""
        print(f"{'  ' * depth}{wanted} -> {node.leg.receiver}{more}", file=sys.stderr)
    return 0


def _pace(leg: Leg) -> dict[str, str]:
    return {name: duration_text(getattr(leg, name)) for name in ("group_wait", "group_interval", "repeat_interval")}


def _ids(intervals: Sequence[TimeInterval]) -> list[str]:
    return [one.id for one in intervals]


def _print(value: Mapping[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
