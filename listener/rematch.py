"""Stored mentions matched anew, for a backtest of queries that were not there when they came."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from listener.pipeline import Understanding, as_scored, score
from rules.log import MentionRow, Row

AT_ONCE = 500
Other = TypeVar("Other")


@dataclass(slots=True)
class Rematched:
    """What has come of it so far.

    ``tried``: mentions that were matched anew, ``kept_aside`` those of them that had matched nothing. ``scoreless``:
    matches without a stored score, ``failed`` those of them that the analyzer failed on.
    """

    tried: int = 0
    kept_aside: int = 0
    scoreless: int = 0
    failed: int = 0


def rematch(rows: Iterable[Row | Other], how: Understanding, found: Rematched) -> Iterator[Row | Other]:
    """The rows with what their mentions match now; those that match nothing are left out. Other rows stay as they are.

    A match keeps the score that is stored for its topic, and is judged where there is none.
    """
    waiting = iter(rows)
    while page := list(islice(waiting, AT_ONCE)):
        anew = iter(_anew([row for row in page if isinstance(row, MentionRow)], how, found))
        for row in page:
            one = next(anew) if isinstance(row, MentionRow) else row
            if not isinstance(one, MentionRow) or one.scored:
                yield one


def _anew(rows: Sequence[MentionRow], how: Understanding, found: Rematched) -> Iterator[MentionRow]:
    matched = [how.matcher.match(row.mention) for row in rows]
    known = [{one.topic: one for one in row.scored if one.sentiment is not None} for row in rows]
    wanting = [
        match.target
        for matches, scores in zip(matched, known, strict=True)
        for match in matches
        if match.topic not in scores
    ]
    judged = score(how.analyzer, wanting)
    found.tried += len(rows)
    found.kept_aside += sum(not row.scored for row in rows)
    found.scoreless += len(judged)
    found.failed += judged.count(None)
    given = iter(judged)
    for row, matches, scores in zip(rows, matched, known, strict=True):
        scored = []
        for match in matches:
            old = scores.get(match.topic)
            now = as_scored(match, old.sentiment if old else next(given), how.analyzer)
            scored.append(replace(old, words=now.words) if old else now)
        yield replace(row, scored=tuple(scored))
