"""What may be asked of an incident, by the names that people and programs use: the same on the command line and the API."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.command import Command
from alerts.verdict import VERDICTS

NAME_AT_MOST: Final = 100
TEXT_AT_MOST: Final = 2_000
VALUE_AT_MOST: Final = 4_000  # the alerts of a split
_JOINER = "\u200d"  # holds emoji together


@dataclass(frozen=True, slots=True)
class Form:
    """An act: the command that it is, what it needs. ``value``: how its value is called; empty: it takes none."""

    kind: str
    help: str
    value: str = ""
    needs_text: bool = False
    value_may_be_empty: bool = False


FORMS: Final[Mapping[str, Form]] = {
    "ack": Form("acknowledge", "take it: it is not told again while it is no worse"),
    "unack": Form("unacknowledge", "give it up, so that somebody else can take it"),
    "assign": Form("assign", "say whose it is; '' for nobody's", "NAME", value_may_be_empty=True),
    "note": Form("note", "add a note", needs_text=True),
    "check": Form("check", "tick off a step of the playbook, by its number", "STEP"),
    "uncheck": Form("uncheck", "take the tick back", "STEP"),
    "respond": Form("respond", "say that the public answer is out"),
    "resolve": Form("resolve", "say that it is dealt with, though alerts may still fire"),
    "reopen": Form("reopen", "take that back while alerts fire"),
    "close": Form("close", "close it for good, with a note on what it was", needs_text=True),
    "merge": Form("merge", "make it part of another incident", "INCIDENT"),
    "split": Form("split", "make some of its alerts an incident of their own", "ALERT"),
    "verdict": Form("verdict", "say what it was: " + ", ".join(VERDICTS), "VERDICT"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field of what is asked."""

    field: str
    message: str


class AskError(Exception):
    """It cannot be asked like this; every fault of it at once."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, from where, and when."""

    actor: str
    origin: str
    at: datetime


def ask(
    act: str,
    incident: str,
    asker: Asker,
    *,
    text: str = "",
    value: str = "",
    revision: int | None = None,
    of_alert: bool = False,
) -> Command:
    """The command that an act is. Raises AskError; KeyError where there is no such act."""
    form = FORMS[act]
    text, value = text.replace("\r\n", "\n").strip(), value.strip()
    faults = [
        *_unfit("incident", incident, 200),
        *_unfit("by", asker.actor, 2 * NAME_AT_MOST),
        *_unfit("text", text, TEXT_AT_MOST, lines=True),
        *_unfit("value", value, NAME_AT_MOST if act == "assign" else VALUE_AT_MOST),
    ]
    if not asker.actor.strip():
        faults.append(Fault("by", "must say who"))
    if form.needs_text and not text:
        faults.append(Fault("text", "is needed"))
    if value and not form.value:
        faults.append(Fault("value", f"{act} takes none"))
    elif form.value and not value and not form.value_may_be_empty:
        faults.append(Fault("value", f"is needed: {form.value}"))
    elif act == "verdict" and value not in VERDICTS:
        faults.append(Fault("value", f"must be one of {', '.join(VERDICTS)}"))
    if faults:
        raise AskError(*faults)
    payload = {name: given for name, given in (("text", text), ("value", value)) if given}
    if act == "verdict":
        payload = {"verdict": value, "note": text, "of": "alert" if of_alert else ""}
    return Command(form.kind, incident, asker.actor, asker.origin, asker.at, payload, revision)


def _unfit(field: str, text: str, most: int, *, lines: bool = False) -> list[Fault]:
    if len(text) > most:
        return [Fault(field, f"must have at most {most} characters")]
    allowed = {"\n", "\t"} if lines else set()
    for character in text:
        category = unicodedata.category(character)
        hidden = category in {"Cc", "Cs", "Zl", "Zp"} or (category == "Cf" and character != _JOINER)
        if hidden and character not in allowed:
            return [Fault(field, f"must not hold the character U+{ord(character):04X}")]
    return []


def text_faults(field: str, text: str, most: int) -> list[tuple[str, str]]:
    """What is wrong with a text of several lines, as field and message."""
    return [(fault.field, fault.message) for fault in _unfit(field, text, most, lines=True)]


def name_fault(field: str, name: str) -> list[Fault]:
    """What is wrong with somebody's name, if anything."""
    return _unfit(field, name, NAME_AT_MOST) or ([] if name.strip() else [Fault(field, "must say who")])


def words_of(command: Command) -> tuple[str, str, str]:
    """The act by the name that people use, its text and its value; a kind that has no such name by its own."""
    name = next((name for name, form in FORMS.items() if form.kind == command.kind), command.kind)
    payload = command.payload
    if command.kind == "verdict":
        return name, payload.get("note", ""), payload.get("verdict", "")
    if command.kind == "silence":
        return name, payload.get("reason", ""), payload.get("match", "")
    return name, payload.get("text", ""), payload.get("value", "")
