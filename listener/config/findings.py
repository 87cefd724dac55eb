"""What ``listener lint`` finds in a configuration that is sound, each kind under a code of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from listener.document import Document
from listener.problem import Keys, Mistake

Severity = Literal["error", "warning", "info"]

CODES: Final[Mapping[str, Severity]] = {
    # What can never do what it says, and secrets in the open.
    "escalation-never": "error",
    "filter-empty": "error",
    "interval-never-holds": "error",
    "inhibit-circular": "error",
    "level-hidden": "error",
    "level-never-reached": "error",
    "quiet-never-ends": "error",
    "risk-not-told": "error",
    "route-always-muted": "error",
    "route-never-taken": "error",
    "rule-never-fires": "error",
    "secret-in-file": "error",
    "words-excluded": "error",
    # What works, and is seldom meant.
    "calendar-ends": "warning",
    "empty-pattern": "warning",
    "fallback-missing": "warning",
    "for-longer-than-window": "warning",
    "inhibit-never": "warning",
    "interval-unused": "warning",
    "name-shared": "warning",
    "no-live-rule": "warning",
    "no-public-url": "warning",
    "no-receivers": "warning",
    "no-rules": "warning",
    "nothing-there": "warning",
    "open-page": "warning",
    "playbook-missing": "warning",
    "playbook-not-found": "warning",
    "query-always": "warning",
    "query-never": "warning",
    "query-no-word": "warning",
    "receiver-never-reached": "warning",
    "receiver-unused": "warning",
    "route-unknown-name": "warning",
    "rule-always-fires": "warning",
    "schedule-unused": "warning",
    "shorter-than-step": "warning",
    "target-unused": "warning",
    "template-address": "warning",
    "template-without-brand": "warning",
    "title-long": "warning",
    "topic-contained": "warning",
    "unknown-channel": "warning",
    "unknown-source": "warning",
    "weak-factor": "warning",
    "weak-share": "warning",
    "weak-velocity": "warning",
    "window-below-polls": "warning",
    "word-excluded": "warning",
    # What works, and is worth knowing.
    "red-not-escalated": "info",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, at the key that ``keys`` lead to. ``code`` is one of CODES."""

    code: str
    keys: Keys
    message: str

    @property
    def severity(self) -> Severity:
        return CODES[self.code]


def placed(findings: Iterable[Finding], document: Document) -> list[Mistake]:
    """Each where its key stands."""
    return [Mistake(document.origin(one.keys).key, one.keys, one.message) for one in findings]
