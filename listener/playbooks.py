"""The playbooks that rules name, read from their files: the packs' own, and those beside the configuration."""

from collections.abc import Mapping
from pathlib import Path

from alerts.playbook import Playbook, name_of, read
from listener.config import Config
from listener.config.packs import PACKS, PLAYBOOK, playbook_file

_MOST = 256 * 1024  # bytes


def playbooks(config: Config) -> Mapping[str, Playbook]:
    """By what a rule names; pages elsewhere and files that cannot be read are not among them. Reads files.

    The packs' are always there: an alert may be older than the configuration. Two files of one name are called by their
    whole paths.
    """
    named = dict.fromkeys([*(f"{PLAYBOOK}{pack}" for pack in PACKS), *(_of_rules(config))])
    found: dict[str, Playbook] = {}
    for playbook in named:
        text = _text(_file(config, playbook))
        if text is not None:
            name = name_of(playbook)
            taken = any(one.name == name for one in found.values())
            found[playbook] = read(playbook if taken else name, text)
    return found


def _of_rules(config: Config) -> list[str]:
    return [rule.playbook for rule in config.every_rule if rule.playbook and "://" not in rule.playbook]


def _file(config: Config, playbook: str) -> Path | None:
    return playbook_file(playbook) if playbook.startswith(PLAYBOOK) else config.base / playbook


def _text(file: Path | None) -> str | None:
    try:
        if file is None:
            return None
        with file.open("rb") as stream:
            return stream.read(_MOST).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return None
