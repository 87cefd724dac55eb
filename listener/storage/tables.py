"""The tables. Times are whole microseconds since the epoch, so that a replay reads back exactly what live saw."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, kept as an integer of microseconds since 1970-01-01 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


# SQLite counts up by itself only for INTEGER, PostgreSQL wants BIGINT past 2^31 rows.
_Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("id", String, primary_key=True),
    Column("cursor", Text),
    Column("last_poll", UtcTime),
    Column("last_success", UtcTime),
    Column("next_poll", UtcTime),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("reason", String, nullable=False, server_default=""),
    Column("newest_published", UtcTime),
    Column("first_poll", UtcTime),
)

mentions = Table(
    "mentions",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("external_id", String, nullable=False),
    Column("digest", String, nullable=False),  # of what a revision would change
    Column("matched", Boolean, nullable=False),
    Column("event_at", UtcTime, nullable=False),
    Column("collected_at", UtcTime, nullable=False),
    Column("committed_at", UtcTime, nullable=False),
    Column("line", Text, nullable=False),  # the interchange form
    Column("story", String, nullable=False, server_default=""),  # by the id that it had then; see story_aliases
    Column("story_born", UtcTime),
    Column("first_line", Text),  # where a revision changed what a story is found by: as it was when it was placed
    UniqueConstraint("source", "external_id"),
    Index("mentions_of_story", "story", "id"),
    Index("mentions_by_time", "collected_at", "id"),
    Index("mentions_to_forget", "matched", "committed_at"),
)

story_aliases = Table(
    "story_aliases",
    metadata,
    Column("alias", String, primary_key=True),
    Column("story", String, nullable=False),  # never itself an alias
    Column("born", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("story_aliases_of_story", "story"),
)

story_memory = Table(
    "story_memory",
    metadata,
    Column("id", Integer, primary_key=True),  # one row
    Column("floor", UtcTime, nullable=False),
)

matches = Table(
    "matches",
    metadata,
    Column("mention", _Serial, nullable=False),
    Column("topic", String, nullable=False),
    Column("event_at", UtcTime, nullable=False),
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("mention", "topic"),
    Index("matches_by_topic", "topic", "event_at"),
)

scores = Table(
    "scores",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("mention", _Serial, nullable=False),
    Column("topic", String, nullable=False),
    Column("analyzer", String, nullable=False),
    Column("version", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("negative", Float, nullable=False),
    Column("neutral", Float, nullable=False),
    Column("positive", Float, nullable=False),
    Column("label", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("spans", Text, nullable=False),
    Index("scores_of_mention", "mention", "topic"),
)

rollups = Table(
    "rollups",
    metadata,
    Column("topic", String, nullable=False),
    Column("source", String, nullable=False),
    Column("slot", UtcTime, nullable=False),  # start of five minutes of event time
    Column("mentions", Integer, nullable=False),
    Column("negative", Integer, nullable=False),
    Column("neutral", Integer, nullable=False),
    Column("positive", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("people", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "source", "slot"),
    Index("rollups_by_slot", "slot"),
)

log = Table(
    "log",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("payload", Text, nullable=False),
    Index("log_by_kind", "kind", "seq"),
    sqlite_autoincrement=True,  # a sequence number is never used again, also after a purge
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("seq", _Serial, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("alert", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("incident", String, nullable=False),  # empty: of a rule on trial
    Column("kind", String, nullable=False),
    Column("event", Text, nullable=False),
    Column("shadow", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("alert", "revision"),
    Index("alert_events_of_incident", "incident", "id"),
    Index("alert_events_on_trial", "shadow", "at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("number", Integer, nullable=False),  # what people call it by; 0 for those of before there were numbers
    Column("open", Boolean, nullable=False),
    Column("firing", Boolean, nullable=False),  # an alert of it is unresolved, whatever people have said
    Column("level", Integer, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("facts", Text, nullable=False),
    Column("next_flush", UtcTime),  # when to look whether somebody must be told; empty: nothing to tell
    Index("incidents_by_time", "updated_at"),
    Index("incidents_due", "next_flush"),
    Index("incidents_by_number", "number"),
)

told = Table(
    "told",
    metadata,
    Column("incident", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("state", Text),  # the decider's memory of what this receiver was told last
    Column("held", Text),  # why it is not told what there is to say, and until when
    PrimaryKeyConstraint("incident", "receiver"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("incident", String, nullable=False),
    Column("wave", UtcTime, nullable=False),  # when the incident opened, of which a chain runs once each time
    Column("chain", String, nullable=False),
    Column("step", Integer, nullable=False),  # done at due_at
    Column("round", Integer, nullable=False),
    Column("state", String, nullable=False),  # waiting resting ended
    Column("due_at", UtcTime),
    Column("left", BigInteger, nullable=False),  # microseconds of the wait, while it rests
    Column("lease_until", UtcTime),
    Column("reason", String, nullable=False),  # why it ended
    Column("notified", Text, nullable=False),  # the receivers that it called
    PrimaryKeyConstraint("incident", "wave", "chain"),
    Index("escalations_due", "state", "due_at"),
)

said = Table(
    "said",
    metadata,
    Column("incident", String, nullable=False),
    Column("mark", String, nullable=False),  # what is said once: a reminder, a deadline's end
    Column("at", UtcTime, nullable=False),
    PrimaryKeyConstraint("incident", "mark"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("incident", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String, nullable=False),  # pending leased digested sent dead superseded
    Column("lease_until", UtcTime),
    Column("done_at", UtcTime),
    Column("ref", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("tried_at", UtcTime),  # when the newest request with it began
    Column("note", Text, nullable=False, server_default=""),  # why it is sent, in both languages
    Column("digest", _Serial),  # the row whose message tells this one too
    Column("batch", String, nullable=False, server_default=""),  # goes in one message with others of this name
    Column("doubtful", Boolean, nullable=False, server_default="0"),  # an earlier try may have arrived
    Column("passed_on", Text, nullable=False, server_default=""),  # from whom, where this is a fallback's
    Column("source", _Serial),  # and the row that it repeats
    # All that the sender asks of what waits, so that it never reads the facts to choose.
    Index("outbox_waiting", "state", "incident", "receiver", "channel", "level", "not_before", "created_at"),
    Index("outbox_of_incident", "incident", "id"),
    Index("outbox_by_time", "done_at"),
    Index("outbox_by_try", "tried_at"),
    Index("outbox_of_digest", "digest"),
    Index("outbox_passed_on", "passed_on"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),  # the id of what it is about
    Column("payload", Text, nullable=False),
    Column("actor", String, nullable=False),
    Column("origin", String, nullable=False),  # where it came in
    Column("at", UtcTime, nullable=False),
    Column("expected_revision", Integer),  # of the incident, as the actor saw it
    Column("state", String, nullable=False),  # waiting done refused
    Column("outcome", Text, nullable=False),
    Column("done_at", UtcTime),
    Column("incident", String, nullable=False),  # that it was done to; empty: it found none
    Column("request", String),  # what makes a retry the same command
    Index("commands_waiting", "state", "id"),
    Index("commands_of_incident", "incident", "id"),
    Index("commands_of_request", "request", "id"),
)

silences = Table(
    "silences",
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("matchers", Text, nullable=False),
    Column("incident", Integer),  # the number of the one that it is for
    Column("level", Integer, nullable=False),  # the highest that it holds
    Column("owner", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("over_at", UtcTime, nullable=False),  # when it ends, or was ended
    Column("ended_at", UtcTime),  # by a person, before its time
    Column("ended_by", String, nullable=False),
    Column("told", String, nullable=False),  # its newest notice: start warn end; empty: none
    Column("next_at", UtcTime),  # when the next is due; empty: there is none
    Index("silences_due", "next_at"),
    Index("silences_by_end", "over_at"),
    sqlite_autoincrement=True,
)

stays = Table(
    "stays",
    metadata,
    Column("silence", _Serial, nullable=False),
    Column("incident", String, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("level", Integer, nullable=False),  # this and the next three: how it stood then
    Column("rule", String, nullable=False),
    Column("mentions", Integer, nullable=False),
    Column("seen", Float, nullable=False),
    Column("broke", Integer),  # the revision with which it broke through
    PrimaryKeyConstraint("silence", "incident"),
    Index("stays_of_incident", "incident"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("incident", String, nullable=False),
    Column("alert", String, nullable=False),  # empty: of every alert of the incident
    Column("verdict", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", Text, nullable=False),
    Index("verdicts_of_incident", "incident", "id"),
    Index("verdicts_of_alert", "alert", "id"),
)

holds = Table(
    "holds",
    metadata,
    Column("receiver", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("until", UtcTime, nullable=False),  # no request before: the channel asked for that, or fails
    Column("at", UtcTime),  # when that was noted
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row; see alerts/retry.py
    PrimaryKeyConstraint("receiver", "channel"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String, primary_key=True),  # of what is done by the clock
    Column("at", UtcTime, nullable=False),  # when it was done last
)
