"""The log's rows as text: one JSON object a row, in the database and in an export.

A mention's row is its interchange line with one key more, ``log``, which holds what the pipeline found out about it.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from listener.interchange import LineError, mention_object, parse_object, stored_object
from rules.log import MentionRow, PollRow, RevisionRow, Row, RulesRow, Scored, ScoreRow, StoryRow
from rules.mention import Mention
from sentiment import Reason, Risk, Sentiment

Object = dict[str, Any]


def dump(row: Row) -> tuple[str, str]:
    """The row's kind and its payload; sequence and time stand in their own columns."""
    kind, payload = _dump(row)
    return kind, json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _dump(row: Row) -> tuple[str, Object]:
    match row:
        case MentionRow():
            found = {
                "tier": row.tier,
                "event_at": row.event_at.isoformat(),
                "history": row.history,
                "scored": [_dump_scored(scored) for scored in row.scored],
            }
            if row.story:
                found["story"] = row.story
            return "mention", {**mention_object(row.mention), "log": found}
        case StoryRow():
            return "story", {"alias": row.alias, "story": row.story}
        case RevisionRow():
            return "revision", mention_object(row.mention)
        case PollRow():
            return "poll", {
                "source": row.source,
                "started_at": row.started_at.isoformat(),
                "ok": row.ok,
                "reason": row.reason,
                "blind_after": row.blind_after.total_seconds(),
            }
        case ScoreRow():
            return "score", {
                "source": row.source,
                "external_id": row.external_id,
                "by": row.by,
                **_dump_scored(row.scored),
            }
        case RulesRow():
            return "rules", {"rules": json.loads(row.rules), "sources": list(row.sources)}


def load(seq: int, at: datetime, kind: str, payload: str | Mapping[str, Any]) -> Row:
    """The row again. Raises LineError, naming the field, on what no log of ours holds.

    A text is the database's own and taken at its word; an object came from a file and is checked.
    """
    data: Object = json.loads(payload) if isinstance(payload, str) else dict(payload)
    parse = stored_object if isinstance(payload, str) else parse_object
    try:
        match kind:
            case "mention":
                found = data.pop("log")
                return MentionRow(
                    seq=seq,
                    at=at,
                    mention=parse(data),
                    tier=found["tier"],
                    event_at=datetime.fromisoformat(found["event_at"]),
                    history=found["history"],
                    scored=tuple(_load_scored(scored) for scored in found["scored"]),
                    story=found.get("story", ""),
                )
            case "story":
                return StoryRow(seq=seq, at=at, alias=data["alias"], story=data["story"])
            case "revision":
                return RevisionRow(seq=seq, at=at, mention=parse(data))
            case "poll":
                return PollRow(
                    seq=seq,
                    at=at,
                    source=data["source"],
                    started_at=datetime.fromisoformat(data["started_at"]),
                    ok=data["ok"],
                    reason=data["reason"],
                    blind_after=timedelta(seconds=data["blind_after"]),
                )
            case "score":
                return ScoreRow(
                    seq=seq,
                    at=at,
                    source=data["source"],
                    external_id=data["external_id"],
                    scored=_load_scored(data),
                    by=data["by"],
                )
            case "rules":
                text = json.dumps(data["rules"], ensure_ascii=False, separators=(",", ":"))
                return RulesRow(seq=seq, at=at, rules=text, sources=tuple(data["sources"]))
    except KeyError as error:
        raise LineError(str(error.args[0]), f"is missing from a row of kind {kind}") from error
    raise LineError("kind", f"{kind!r} is none of mention, story, revision, poll, score, rules")


def _dump_scored(scored: Scored) -> Object:
    return {
        "topic": scored.topic,
        "words": list(scored.words),
        "analyzer": scored.analyzer,
        "version": scored.version,
        "sentiment": dump_sentiment(scored.sentiment) if scored.sentiment else None,
    }


def _load_scored(data: Object) -> Scored:
    sentiment = data["sentiment"]
    return Scored(
        topic=data["topic"],
        words=tuple(data["words"]),
        sentiment=load_sentiment(sentiment) if sentiment else None,
        analyzer=data["analyzer"],
        version=data["version"],
    )


def dump_sentiment(sentiment: Sentiment) -> Object:
    return {
        "negative": sentiment.negative,
        "neutral": sentiment.neutral,
        "positive": sentiment.positive,
        "label": sentiment.label,
        "confidence": sentiment.confidence,
        "spans": [
            {"field": span.field, "start": span.start, "end": span.end, "weight": span.weight}
            for span in sentiment.spans
        ],
        "judged": [list(stretch) for stretch in sentiment.judged],
        "risks": [
            {
                "category": risk.category,
                "confidence": risk.confidence,
                "field": risk.field,
                "start": risk.start,
                "end": risk.end,
            }
            for risk in sentiment.risks
        ],
    }


def load_sentiment(data: Object) -> Sentiment:
    return Sentiment(
        negative=data["negative"],
        neutral=data["neutral"],
        positive=data["positive"],
        label=data["label"],
        confidence=data["confidence"],
        spans=tuple(Reason(**span) for span in data["spans"]),
        # Rows of before these were told have neither.
        judged=tuple((field, start, end) for field, start, end in data.get("judged", ())),
        risks=tuple(Risk(**risk) for risk in data.get("risks", ())),
    )


def revised(old: Mention, new: Mention) -> bool:
    """Whether a mention that came again says something else, in what a revision updates."""
    return (old.text, old.title, old.reach) != (new.text, new.title, new.reach)
