"""When a red notification that did not arrive goes to somebody else too: a pure decision from what the outbox holds."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from alerts.notification import NotificationKind, PassedOn

PATIENCE = timedelta(minutes=3)
"""How long a red notification may be on its way."""

_DANGER: frozenset[NotificationKind] = frozenset(
    {"open", "update", "repeat", "breakthrough", "unsilenced", "escalate", "breach"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """One notification of one incident on one channel. ``at``: when it was due, the same over a receiver's channels.

    ``revision``: of the incident that it tells; ``source``: of a notification that was passed on, the row that it repeats.
    """

    id: int
    receiver: str
    channel: str
    kind: NotificationKind
    revision: int
    red: bool
    state: Literal["waiting", "sent", "dead", "superseded"]
    at: datetime
    source: int | None = None


@dataclass(frozen=True, slots=True)
class Passing:
    """Tell the fallback what row ``source`` tells, as ``kind``."""

    source: int
    kind: NotificationKind
    passed_on: PassedOn


def pass_on(
    rows: Sequence[Row], receiver: str, fallback: str, *, down: Container[tuple[str, str]], now: datetime
) -> Passing | None:
    """What *receiver*'s fallback must be told of an incident now. ``rows``: the incident's, in order of their ids.

    - Red news that no channel of the receiver took for ``PATIENCE``, or whose channels are all dead or *down* (receiver,
      channel), goes on, the newest state alone. The first is an ``open`` there whatever it was.
    - A receiver that was told so hears what ends it too, whether or not that arrived at the first.
    - A fallback that the incident is routed to has its own notifications, and needs none of another's.
    """
    own = [row for row in rows if row.receiver == receiver]
    theirs = [row for row in rows if row.receiver == fallback and row.state != "superseded"]
    if any(row.source is None for row in theirs):
        return None
    known = max((row.source for row in theirs if row.source is not None), default=0)
    opened = bool(theirs) and theirs[-1].kind != "resolve"
    delivered = max((row.at for row in own if row.state == "sent"), default=None)
    lost = [
        row
        for row in own
        if row.red and row.kind in _DANGER and row.state != "sent" and (delivered is None or row.at > delivered)
    ]
    waiting = [row for row in lost if row.state != "superseded"]
    if waiting and waiting[-1].id > known and not _told(waiting[-1], theirs, rows):
        newest = [row for row in waiting if row.at == waiting[-1].at]
        late = now - lost[0].at >= PATIENCE
        failed = all(row.state == "dead" or (row.receiver, row.channel) in down for row in newest)
        if late or failed:
            passed_on = PassedOn(receiver, tuple(row.channel for row in newest), late=not failed)
            return Passing(newest[-1].id, newest[-1].kind if opened else "open", passed_on)
    last = next((row for row in reversed(own) if row.state != "superseded"), None)
    if opened and last is not None and last.kind not in _DANGER and last.id > known:
        return Passing(last.id, last.kind, PassedOn(receiver, (last.channel,), late=False))
    return None


def _told(news: Row, theirs: Sequence[Row], rows: Sequence[Row]) -> bool:
    """Whether the fallback was told the same by another receiver's way."""
    at = {row.id: row.at for row in rows}
    return any(
        row.revision == news.revision and row.source is not None and abs(at[row.source] - news.at) <= PATIENCE
        for row in theirs
        if row.source in at
    )
