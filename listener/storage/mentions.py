"""Transaction 1: mentions, matches, scores, rollups, log rows and the cursor are kept together, or none of them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from listener.interchange import mention_line, parse_line
from listener.storage import rows
from listener.storage.database import batched, insert
from listener.storage.tables import log, matches, mentions, rollups, scores
from rules.log import MentionRow, RevisionRow, Row
from rules.mention import Mention
from rules.story_text import post_of

ROLLUP_SLOT = timedelta(minutes=5)
_AT_ONCE = 400  # bound parameters stay below SQLite's limit of 32,766


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database has under a mention's key already."""

    id: int
    digest: str
    matched: bool


Key = tuple[str, str]


def digest(mention: Mention) -> str:
    """Of what a revision would change: two mentions with one digest say the same."""
    reach = mention.reach
    said = (mention.title, mention.text, reach.views, reach.likes, reach.comments, reach.reposts)
    return hashlib.blake2b(json.dumps(said).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


async def known(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Stored]:
    """Those of the keys (source, external id) that are stored."""
    found: dict[Key, Stored] = {}
    for some in batched(keys, _AT_ONCE):
        wanted = tuple_(mentions.c.source, mentions.c.external_id).in_(some)
        query = select(
            mentions.c.source, mentions.c.external_id, mentions.c.id, mentions.c.digest, mentions.c.matched
        ).where(wanted)
        for source, external_id, row_id, stored_digest, matched in await connection.execute(query):
            found[source, external_id] = Stored(row_id, stored_digest, matched)
    return found


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A stored mention that matched no topic when it came."""

    id: int
    mention: Mention
    event_at: datetime
    committed_at: datetime
    story: str


async def unmatched(
    connection: AsyncConnection, *, since: datetime, after: int, until: datetime | None, most: int
) -> list[Unmatched]:
    """In order of commit: from *since* on, of those that were committed just then only those past the id *after*."""
    at = mentions.c.committed_at
    query = (
        select(mentions.c.id, mentions.c.line, mentions.c.event_at, at, mentions.c.story)
        .where(~mentions.c.matched, at >= since, or_(at > since, mentions.c.id > after))
        .order_by(at, mentions.c.id)
        .limit(most)
    )
    if until is not None:
        query = query.where(at < until)
    return [
        Unmatched(row.id, parse_line(row.line), row.event_at, row.committed_at, row.story)
        for row in await connection.execute(query)
    ]


async def append(connection: AsyncConnection, new: Iterable[Row], *, at: datetime) -> None:
    """Log rows, in order; the sequence is the database's, the time is the commit's."""
    values = [dict(zip(("kind", "payload"), rows.dump(row), strict=True), at=at) for row in new]
    if values:
        await connection.execute(insert(log), values)


async def add(
    connection: AsyncConnection, new: Sequence[MentionRow], *, at: datetime, born: Mapping[str, datetime] | None = None
) -> None:
    """Mentions that are not stored yet, with all that the pipeline found; those that match a topic go to the log.

    *born*: when each of their stories began.
    """
    if not new:
        return
    values: list[dict[str, Any]] = [
        {
            "source": row.mention.source,
            "external_id": row.mention.external_id,
            "digest": digest(row.mention),
            "matched": bool(row.scored),
            "event_at": row.event_at,
            "collected_at": row.mention.collected_at,
            "committed_at": at,
            "line": mention_line(row.mention),
            "story": row.story,
            "story_born": (born or {}).get(row.story),
        }
        for row in new
    ]
    await connection.execute(insert(mentions), values)
    ids = {
        key: stored.id
        for key, stored in (await known(connection, [(row["source"], row["external_id"]) for row in values])).items()
    }
    matched = [row for row in new if row.scored]
    if not matched:
        return
    found, judged, rolled = [], [], Counter[tuple[str, str, datetime, str]]()
    for row in matched:
        mention_id = ids[row.mention.source, row.mention.external_id]
        slot = datetime.fromtimestamp(
            row.event_at.timestamp() // ROLLUP_SLOT.total_seconds() * ROLLUP_SLOT.total_seconds(), row.event_at.tzinfo
        )
        for scored in row.scored:
            found.append(
                {
                    "mention": mention_id,
                    "topic": scored.topic,
                    "event_at": row.event_at,
                    "words": json.dumps(scored.words, ensure_ascii=False),
                }
            )
            label = scored.sentiment.label if scored.sentiment else "unknown"
            where = (scored.topic, row.mention.source, slot)
            rolled[*where, label] += 1
            rolled[*where, "people"] += row.mention.people
            if scored.sentiment:
                judgement = rows.dump_sentiment(scored.sentiment)
                judgement["spans"] = json.dumps(judgement["spans"])
                judged.append(
                    {
                        "mention": mention_id,
                        "topic": scored.topic,
                        "analyzer": scored.analyzer,
                        "version": scored.version,
                        "by": "model",
                        "at": at,
                        **judgement,
                    }
                )
    await connection.execute(insert(matches).on_conflict_do_nothing(), found)
    if judged:
        await connection.execute(insert(scores), judged)
    await _roll_up(connection, rolled)
    await append(connection, matched, at=at)


async def _roll_up(connection: AsyncConnection, counted: Counter[tuple[str, str, datetime, str]]) -> None:
    values: dict[tuple[str, str, datetime], dict[str, object]] = {}
    for (topic, source, slot, what), count in counted.items():
        row = values.setdefault(
            (topic, source, slot),
            {"topic": topic, "source": source, "slot": slot, "mentions": 0}
            | dict.fromkeys(("negative", "neutral", "positive", "unknown", "people"), 0),
        )
        row[what] = count
    for row in values.values():
        row["mentions"] = sum(int(str(row[label])) for label in ("negative", "neutral", "positive", "unknown"))
    statement = insert(rollups)
    counts = ("mentions", "negative", "neutral", "positive", "unknown", "people")
    statement = statement.on_conflict_do_update(
        index_elements=["topic", "source", "slot"],
        set_={name: rollups.c[name] + statement.excluded[name] for name in counts},
    )
    await connection.execute(statement, list(values.values()))


async def revise(connection: AsyncConnection, changed: Sequence[tuple[Stored, Mention]], *, at: datetime) -> None:
    """Mentions that came again, changed: text and reach are brought up to date, no count is touched."""
    logged: list[Row] = []
    for stored, mention in changed:
        query = select(mentions.c.collected_at, mentions.c.line, mentions.c.first_line).where(
            mentions.c.id == stored.id
        )
        old = (await connection.execute(query)).one()
        kept = replace(mention, collected_at=old.collected_at)
        first_line = old.first_line
        if first_line is None and post_of(parse_line(old.line)) != post_of(kept):
            first_line = old.line  # its story was found by this, and after a restart copies must find it so again
        await connection.execute(
            update(mentions)
            .where(and_(mentions.c.id == stored.id))
            .values(digest=digest(mention), line=mention_line(kept), first_line=first_line)
        )
        if stored.matched:
            logged.append(RevisionRow(seq=0, at=at, mention=kept))
    await append(connection, logged, at=at)
