"""What people say of an alert once they have looked: the labels that a rule is measured by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

Verdict = Literal[
    "real",  # it was right to tell
    "noise",  # it was not
    "known",  # right, and nothing new: a campaign, a matter that is being worked on; counts neither way
]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Append-only: a later one takes the place of an earlier one, and both stay. ``alert`` empty: of all the incident's.

    ``incident`` is empty for an alert of a rule on trial.
    """

    incident: str
    alert: str
    verdict: Verdict
    by: str
    at: datetime
    note: str = ""


def verdict_of(alert: str, incident: str, judgements: Iterable[Judgement]) -> Judgement | None:
    """The last word on an alert: its own or its incident's. *judgements* stand in the order in which they were given."""
    last = None
    for one in judgements:
        if one.alert == alert or (not one.alert and one.incident and one.incident == incident):
            last = one
    return last
