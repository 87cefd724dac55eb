"""What is to be done about an incident, step by step: a page of Markdown, read as a list that can be ticked off."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from alerts.incident import Incident
from alerts.render.text import clean, cut

STEPS: Final = 300
"""The most steps of a playbook; what stands behind is not shown."""
_STEP_LENGTH, _TITLE_LENGTH = 500, 120
_BOX = re.compile(r"^\s{0,3}[-*+]\s+\[[ xX]\]\s+(.+)$")
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d{1,3}[.)])\s+(.+)$")
_HEADING = re.compile(r"^#{2,6}\s+(.+?)\s*#*$")
_RULE = re.compile(r"^\s{0,3}(?:-\s*){3,}$")
_MARKS = re.compile(r"\*\*|__|`")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Section:
    """``steps`` with their numbers, which run through the whole playbook."""

    title: str
    steps: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Playbook:
    """``name`` is what its steps are called by: step 3 is ``name:3``, in either language."""

    name: str
    sections: Mapping[Language, tuple[Section, ...]]

    def of(self, language: Language) -> tuple[Section, ...]:
        """In this language, else in the one that it is written in."""
        other: Language = "en" if language == "zh" else "zh"
        return self.sections.get(language) or self.sections.get(other) or ()

    @property
    def length(self) -> int:
        """How many steps it has, in the language that has most."""
        return max((number for part in self.sections.values() for one in part for number, _ in one.steps), default=0)

    def step(self, number: int) -> str:
        return f"{self.name}:{number}"


def name_of(playbook: str) -> str:
    """What people call what a rule names: ``pack:rumour`` is rumour, ``playbooks/fire.md`` is fire."""
    return playbook.removeprefix("pack:") if playbook.startswith("pack:") else PurePath(playbook).stem


def read(name: str, text: str) -> Playbook:
    """The steps of a page: its boxes (``- [ ] …``), or where it has none every item of its lists, below its headings.

    A line ``---`` parts one language from the other; each part is in the language that its letters are of.
    """
    item = _BOX if any(_BOX.match(line) for line in text.splitlines()) else _ITEM
    found: dict[Language, list[Section]] = {}
    numbers: dict[Language, int] = {}
    for part in _parts(text):
        letters = len(_LETTER.findall("".join(part)))
        language: Language = "zh" if letters and 5 * len(_HAN.findall("".join(part))) >= letters else "en"
        for title, steps in _sections(part, item):
            first = numbers.get(language, 0) + 1
            kept = steps[: max(0, STEPS + 1 - first)]
            if kept:
                numbers[language] = first + len(kept) - 1
                found.setdefault(language, []).append(Section(title, tuple(enumerate(kept, first))))
    return Playbook(name, {language: tuple(sections) for language, sections in found.items()})


def _parts(text: str) -> Iterable[list[str]]:
    part: list[str] = []
    for line in text.splitlines():
        if _RULE.match(line):
            yield part
            part = []
        else:
            part.append(line)
    yield part


def _sections(lines: Sequence[str], item: re.Pattern[str]) -> Iterable[tuple[str, list[str]]]:
    title, steps, open_step = "", list[str](), False
    for line in lines:
        if heading := _HEADING.match(line):
            if steps:
                yield title, steps
            title, steps, open_step = _plain(heading[1], _TITLE_LENGTH), [], False
        elif step := item.match(line):
            steps.append(_plain(step[1], _STEP_LENGTH))
            open_step = True
        elif open_step and line[:1].isspace() and line.strip() and not _ITEM.match(line.strip()):
            steps[-1] = _plain(f"{steps[-1]} {line}", _STEP_LENGTH)
        else:
            open_step = False
    if steps:
        yield title, steps


def _plain(text: str, limit: int) -> str:
    return cut(clean(_MARKS.sub("", text[: 4 * limit])), limit)


def named_by(incident: Incident) -> tuple[str, ...]:
    """What its alerts' rules name as playbooks, each once, in the order in which the alerts opened."""
    return tuple(dict.fromkeys(event.playbook for event in incident.alerts if event.playbook))


def find_step(asked: str, playbooks: Sequence[Playbook]) -> str | None:
    """The step that is meant by ``3`` or ``fire:3``; None: there is none, or the number alone says not of which."""
    name, _, digits = asked.strip().rpartition(":")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        return None
    fitting = [one for one in playbooks if not name or one.name == name]
    if len(fitting) != 1 or not 1 <= int(digits) <= fitting[0].length:
        return None
    return fitting[0].step(int(digits))
