"""The configuration as the log carries it: rules, what topics are called, and the sources, as one JSON text."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from rules.calendar import UTC_WEEKS, Calendar
from rules.rule import RuleConfig


class RuleError(Exception):
    """A rule set in the log cannot be read; ``rule`` names the rule where one is at fault, ``path`` the key in it."""

    def __init__(self, message: str, *, rule: str = "", path: str = "") -> None:
        super().__init__(f"{f'rule {rule}: ' if rule else ''}{f'{path}: ' if path else ''}{message}")
        self.rule = rule
        self.path = path


@dataclass(frozen=True, slots=True)
class SourceFacts:
    channel: str = ""
    tier: str = "core"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """``brands``: by topic, the name that people know; ``sources`` by id; ``calendar``: which hours are alike."""

    rules: tuple[RuleConfig, ...] = ()
    brands: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    calendar: Calendar = UTC_WEEKS


def ruleset_json(
    rules: Iterable[RuleConfig],
    brands: Mapping[str, str],
    sources: Mapping[str, SourceFacts] | None = None,
    calendar: Calendar = UTC_WEEKS,
) -> str:
    """What a RulesRow carries: the same text for the same configuration."""
    return json.dumps(
        {
            "rules": [rule.model_dump(mode="json", by_alias=True, exclude_none=True) for rule in rules],
            "brands": dict(brands),
            "sources": {name: {"channel": one.channel, "tier": one.tier} for name, one in (sources or {}).items()},
            "calendar": {"timezone": calendar.timezone, "work": calendar.work},
        },
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    )


def load_ruleset(text: str) -> RuleSet:
    """The rule set of a RulesRow; raises RuleError."""
    try:
        given = json.loads(text)
        rules = tuple(_rule(one) for one in given["rules"])
        brands = {str(topic): str(name) for topic, name in given["brands"].items()}
        sources = {
            str(name): SourceFacts(str(one["channel"]), str(one["tier"])) for name, one in given["sources"].items()
        }
        # Logs of before there were calendars have none.
        calendar = _calendar(given.get("calendar") or {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuleError(f"not a rule set: {type(error).__name__}: {error}") from error
    twice = sorted({rule.id for rule in rules if sum(other.id == rule.id for other in rules) > 1})
    if twice:
        raise RuleError("defined twice", rule=twice[0])
    return RuleSet(rules, brands, sources, calendar)


def _calendar(given: Mapping[str, str]) -> Calendar:
    calendar = Calendar(given.get("timezone", "UTC"), "CN" if given.get("work") == "CN" else "none")
    calendar.slot(0)
    return calendar


def _rule(given: Mapping[str, object]) -> RuleConfig:
    try:
        return RuleConfig.model_validate_json(json.dumps(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise RuleError(first["msg"], rule=str(given.get("id", "")), path=path) from error
