"""The newest judgement of each stored mention, for a backtest: live and its replay read scores as of then."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.storage import mentions as store
from listener.storage.database import batched
from listener.storage.tables import scores
from rules.log import MentionRow, Row, Scored, ScoreRow
from sentiment import Reason, Sentiment

_AT_ONCE = 400


async def any_twice(connection: AsyncConnection) -> bool:
    """Whether a mention was judged more than once for one topic; where none was, the log holds the newest scores."""
    query = select(scores.c.mention).group_by(scores.c.mention, scores.c.topic).having(func.count() > 1).limit(1)
    return (await connection.execute(query)).first() is not None


async def newest(connection: AsyncConnection, page: Sequence[Row]) -> list[Row]:
    """The rows with each mention's newest judgement in the place of its first; later judgements are rows no more."""
    judged = [row for row in page if isinstance(row, MentionRow)]
    keys = [(row.mention.source, row.mention.external_id) for row in judged]
    stored = await store.known(connection, keys)
    found = await _scores(connection, sorted({one.id for one in stored.values()}))
    rows: list[Row] = []
    for row in page:
        one = stored.get((row.mention.source, row.mention.external_id)) if isinstance(row, MentionRow) else None
        if isinstance(row, MentionRow) and one is not None:
            scored = tuple(_newest(old, found.get((one.id, old.topic)), row.at) for old in row.scored)
            rows.append(replace(row, scored=scored))
        elif not isinstance(row, ScoreRow):
            rows.append(row)
    return rows


def _newest(old: Scored, new: tuple[datetime, Scored] | None, at: datetime) -> Scored:
    """What stands in the log says more, the risks too, so it stays where it is the newest."""
    if new is None or new[0] <= at:
        return old
    later = new[1]
    if later.sentiment is not None and old.sentiment is not None:
        # The table of scores does not hold the kinds of trouble; they stay as they were first told.
        later = replace(later, sentiment=replace(later.sentiment, risks=old.sentiment.risks))
    return replace(later, words=old.words)


async def _scores(connection: AsyncConnection, ids: Sequence[int]) -> dict[tuple[int, str], tuple[datetime, Scored]]:
    """By mention and topic the newest judgement, and when it was made."""
    found: dict[tuple[int, str], tuple[datetime, Scored]] = {}
    for some in batched(ids, _AT_ONCE):
        query = select(scores).where(scores.c.mention.in_(some)).order_by(scores.c.id)
        for row in await connection.execute(query):
            spans = tuple(Reason(**span) for span in json.loads(row.spans))
            sentiment = Sentiment(row.negative, row.neutral, row.positive, row.label, row.confidence, spans)
            found[row.mention, row.topic] = (row.at, Scored(row.topic, (), sentiment, row.analyzer, row.version))
    return found
