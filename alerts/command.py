"""What a person or another program asks for, and what came of it: one shape for every act on an incident."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerts.alert import Because


@dataclass(frozen=True, slots=True)
class Command:
    """``kind`` names the act, ``subject`` the id of what it is done to, ``payload`` what more the act needs.

    ``actor``: who; ``origin``: where it came in, such as ``cli``; ``at``: when it was asked. ``expected_revision``: of the
    incident as the actor saw it; it is refused where the incident has gone on since. None: whatever it is by now.
    """

    kind: str
    subject: str
    actor: str
    origin: str
    at: datetime
    payload: Mapping[str, str] = field(default_factory=dict)
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it was done, in words for the actor; ``reason``: of a refusal, for programs.

    ``incident``: the id of the one that it was about, empty where none was found.
    """

    done: bool
    because: Because
    reason: str = ""
    incident: str = ""
