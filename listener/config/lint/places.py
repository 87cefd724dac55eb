"""A rule's conditions and filters, each with the keys that lead to it."""

from collections.abc import Iterator

from pydantic import BaseModel

from listener.config.model import Config
from listener.problem import Keys
from rules.filter import Filter
from rules.reading import Condition
from rules.rule import RuleConfig


def numbered(config: Config) -> Iterator[tuple[Keys, RuleConfig]]:
    for index, rule in enumerate(config.rules):
        yield ("rules", index), rule


def top_conditions(rule: RuleConfig, keys: Keys) -> Iterator[tuple[Keys, Condition]]:
    """What ``when`` holds, which must all hold."""
    if isinstance(rule.when, tuple):
        for index, condition in enumerate(rule.when):
            yield (*keys, "when", index), condition
    else:
        yield (*keys, "when"), rule.when


def conditions(rule: RuleConfig, keys: Keys) -> Iterator[tuple[Keys, Condition]]:
    """Every condition of a rule, those within others too."""
    for place, condition in top_conditions(rule, keys):
        yield from _within(condition, place)


def _within(condition: Condition, keys: Keys) -> Iterator[tuple[Keys, Condition]]:
    yield keys, condition
    for name, value in parts(condition):
        for index, part in enumerate(value if isinstance(value, tuple) else (value,)):
            if _is_condition(part):
                place = (*keys, name, index) if isinstance(value, tuple) else (*keys, name)
                yield from _within(part, place)


def parts(condition: Condition) -> Iterator[tuple[str, object]]:
    """The fields of a condition's model, by the keys that stand in the file."""
    if isinstance(condition, BaseModel):
        for name, field in type(condition).model_fields.items():
            yield field.alias or name, getattr(condition, name)


def _is_condition(value: object) -> bool:
    return isinstance(value, BaseModel) and hasattr(value, "leaves")


def where_of(condition: Condition) -> Filter | None:
    """The filter of a condition that counts mentions."""
    where = getattr(condition, "where", None)
    return where if isinstance(where, Filter) else None


def filters(rule: RuleConfig, keys: Keys) -> Iterator[tuple[Keys, Filter]]:
    """Every filter of a rule, those within others too."""
    if rule.where is not None:
        yield from _members(rule.where, (*keys, "where"))
    for place, condition in conditions(rule, keys):
        where = where_of(condition)
        if where is not None:
            yield from _members(where, (*place, "where"))


def _members(where: Filter, keys: Keys) -> Iterator[tuple[Keys, Filter]]:
    yield keys, where
    for name, members in (("all", where.all), ("any", where.any)):
        for index, member in enumerate(members):
            yield from _members(member, (*keys, name, index))
    if where.not_ is not None:
        yield from _members(where.not_, (*keys, "not"))
