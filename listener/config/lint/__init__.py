"""A sound configuration read for what can never do what it says, and for what is seldom meant."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from listener.config.findings import CODES, Finding, Severity, placed
from listener.config.lint.calendars import calendar_findings
from listener.config.lint.escalations import escalation_findings
from listener.config.lint.filters import filter_findings
from listener.config.lint.hours import hours_findings
from listener.config.lint.levels import level_findings
from listener.config.lint.routes import fallback_findings, route_findings
from listener.config.lint.rules import rule_findings
from listener.config.lint.texts import text_findings
from listener.config.load import problems, sound
from listener.config.model import Config
from listener.config.surprises import surprises
from listener.problem import Problem

_LOOKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    filter_findings,
    level_findings,
    rule_findings,
    route_findings,
    hours_findings,
    text_findings,
    escalation_findings,
    fallback_findings,
)


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and its place."""

    code: str
    severity: Severity
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} ({self.severity} {self.code})"


def lint(path: Path, environ: Mapping[str, str] = os.environ, today: date | None = None) -> tuple[Located, ...]:
    """Every finding, in the order in which they stand. Raises ConfigError for a configuration that is not sound.

    *today*: for what depends on the date, which is left out without one.
    """
    config, document = sound(path, environ)
    found = surprises(config, document, path.parent)
    found += [finding for look in _LOOKS for finding in look(config)]
    found += calendar_findings(config, today) if today is not None else ()
    # A pack names the channels of everybody, of which each configuration has some.
    found = [one for one in found if not (one.code == "unknown-channel" and one.keys[:2] in document.derived)]
    by_problem: dict[Problem, str] = {}
    for finding in found:
        for problem in problems(placed([finding], document), document):
            by_problem.setdefault(problem, finding.code)
    ordered = problems(placed(found, document), document)
    return tuple(Located(by_problem[one], CODES[by_problem[one]], one) for one in ordered)
