"""Rule packs: rules for a common crisis that come with the program, expanded for the topics of a configuration.

A pack is a folder of ``rules/packs``: ``rules.yml`` (rules without topics), ``lexicon.txt``, ``playbook.md`` and
``pack.test.yml``, its rule tests.
"""

import functools
import importlib.resources
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator

from listener.document import Document, Origin, read
from listener.problem import Keys
from rules.rule import Mode
from rules.strict import Names, Strict, distinct

PackName = Literal[
    "food-safety", "product-safety", "data-breach", "executives", "service", "labour", "litigation", "rumour", "general"
]
PACKS: Final[tuple[PackName, ...]] = get_args(PackName)
PACKS_KEY: Final = "packs"
PLAYBOOK: Final = "pack:"
"""How a rule names the playbook of a pack: ``pack:product-safety``."""


class PackConfig(Strict):
    """A pack that is used: its rules, with these topics."""

    use: PackName = Field(description="The pack.")
    topics: Names = Field(min_length=1, description="The topics that its rules watch.")
    without: Names = Field(default=(), description="Rules of the pack that are left out, by id.")
    mode: Mode = Field(default="live", description="The mode of its rules; shadow to try it beside the others.")
    playbook: str | None = Field(default=None, description="A playbook of your own in the place of the pack's.")

    _distinct = field_validator("topics")(distinct)

    @model_validator(mode="after")
    def _leaves_some(self) -> "PackConfig":
        known = pack_rules(self.use)
        unknown = [name for name in self.without if name not in known]
        if unknown:
            raise ValueError(f"the pack has no rule {unknown[0]!r}: it has {', '.join(known)}")
        if not set(known) - set(self.without):
            raise ValueError("leaves out every rule of the pack; leave out the pack instead")
        return self


def pack_folder(name: PackName) -> Path:
    """Where the files of a pack are."""
    return Path(str(importlib.resources.files("rules"))) / "packs" / name


def playbook_file(playbook: str) -> Path | None:
    """The file that ``pack:NAME`` stands for; None where there is no such pack."""
    name = playbook.removeprefix(PLAYBOOK)
    return next((pack_folder(one) / "playbook.md" for one in PACKS if one == name), None)


def pack_rules(name: PackName) -> tuple[str, ...]:
    """The ids of a pack's rules."""
    return tuple(str(rule["id"]) for rule in _rules(name))


@functools.cache
def _rules(name: PackName) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = read(pack_folder(name) / "rules.yml", {}).value["rules"]
    return rules


def expand(document: Document) -> None:
    """Add the rules of the packs that *document* uses to its rules; each stands where its entry under packs does.

    Entries that the model refuses, and a pack that is used before, add nothing.
    """
    entries = document.value.get(PACKS_KEY) if isinstance(document.value, dict) else None
    used: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("use") if isinstance(entry, dict) else None
        if name in PACKS and name not in used and _topics(entry.get("topics")):
            used.add(name)
            _add(document, name, entry, (PACKS_KEY, index))


def _topics(value: Any) -> bool:
    """Whether these are topics; what is no list of different texts is told once, where it stands."""
    if isinstance(value, str):
        return True
    texts = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    return bool(texts) and len(set(value)) == len(value)


def _add(document: Document, name: PackName, entry: dict[str, Any], keys: Keys) -> None:
    rules = document.value.get("rules")
    if rules is None:
        rules = document.value["rules"] = []
    if not isinstance(rules, list):
        return
    without = entry.get("without", ())
    place = document.origin(keys)
    chosen = {"mode": entry["mode"]} if entry.get("mode") in get_args(Mode) else {}
    chosen |= {"playbook": entry["playbook"]} if isinstance(entry.get("playbook"), str) else {}
    for rule in deepcopy(_rules(name)):
        if rule["id"] in ([without] if isinstance(without, str) else without or ()):
            continue
        where: Keys = ("rules", len(rules))
        rules.append({**rule, "topics": entry["topics"], "playbook": f"{PLAYBOOK}{name}", **chosen})
        document.origins[where] = Origin(place.place, place.key)
        document.derived[where] = keys
