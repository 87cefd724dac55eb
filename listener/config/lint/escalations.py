"""Chains that no incident can start, schedules that no chain asks, and red incidents for which nobody is called."""

from collections.abc import Iterator, Sequence
from itertools import product

from alerts import Level
from alerts.escalation import Chain
from alerts.route import LabelName
from listener.config.findings import Finding
from listener.config.model import Config

Labels = dict[LabelName, str]


def escalation_findings(config: Config) -> Iterator[Finding]:
    possible = list(_incidents(config))
    chains = [chain.build(config.intervals) for chain in config.escalations]
    for index, chain in enumerate(chains):
        if not any(_matches(chain, one) for one in possible):
            message = "no incident can start this chain: no rule gives such a level, topic, brand or name"
            yield Finding("escalation-never", ("escalations", index, "match"), message)
    asked = {name for chain in config.escalations for _, name, what in chain.called() if what == "schedule"}
    for index, schedule in enumerate(config.schedules):
        if schedule.id not in asked:
            yield Finding("schedule-unused", ("schedules", index, "id"), "no escalation asks who is on duty here")
    lacking = [index for index, rule in enumerate(config.rules) if _red_alone(rule.id, chains, possible)]
    if lacking and config.receivers:
        more = f", nor what {len(lacking) - 1} more do" if len(lacking) > 1 else ""
        message = f"no escalation matches what this rule raises to red{more}: nobody is called when nobody takes it"
        yield Finding("red-not-escalated", ("rules", lacking[0], "levels", "red"), message)


def _red_alone(rule: str, chains: Sequence[Chain], possible: Sequence[Labels]) -> bool:
    red = [one for one in possible if one["rule"] == rule and one["level"] == Level.red.name]
    return bool(red) and not any(_matches(chain, one) for chain in chains for one in red)


def _matches(chain: Chain, labels: Labels) -> bool:
    return all(name not in labels or labels[name] in values for name, values in chain.match.items())


def _incidents(config: Config) -> Iterator[Labels]:
    """The labels that incidents can have, as far as is told; of merged ones, the topic may be another than the rule's."""
    brands = {
        topic.id: config.targets[topic.target].names[0] if topic.target else topic.title or topic.id
        for topic in config.topics
    }
    for rule in config.every_rule:
        if rule.mode != "live":
            continue
        for topic, level, own in product(brands, rule.levels, rule.topics):
            if own in brands:
                yield {"kind": "topic", "level": level, "topic": topic, "brand": brands[own], "rule": rule.id}
    for any_level, rule_id in product(Level, _OWN):
        yield {"kind": "self", "level": any_level.name, "topic": "", "brand": "Listener", "rule": rule_id}


_OWN = ("self-source-blind", "self-source-silent", "self-delivery", "self-rule-failed", "self-escalation")
