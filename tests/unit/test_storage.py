"""The database: one owner, all or nothing, and an outbox that keeps order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, insert, select, text

from alerts import AlertEvent, Because, Incident, Level, Receipt
from listener.storage import acts, holds, mentions, outbox
from listener.storage import sources as source_store
from listener.storage.database import NEWEST, Database, StorageError
from listener.storage.migrate import revision, upgrade
from listener.storage.retention import Keep, forget
from listener.storage.sources import SourceState
from listener.storage.tables import log, metadata, rollups
from listener.storage.tables import mentions as mention_table
from rules.log import MentionRow, PollRow, Scored
from rules.mention import Mention, Reach
from sentiment import Sentiment

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BAD = Sentiment(0.8, 0.15, 0.05, "negative", 0.8)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open("sqlite:///here.db", base=tmp_path)
    yield opened
    await opened.close()


def _row(number: int, *, topics: tuple[str, ...] = ("acme",), at: datetime = NOW) -> MentionRow:
    mention = Mention(
        source="s", channel="c", external_id=str(number), text=f"text {number}", collected_at=at, reach=Reach(views=10)
    )
    scored = tuple(Scored(topic, ("云杉",), BAD, "bayes", "1") for topic in topics)
    return MentionRow(0, at, mention, "core", at, False, scored)


def _incident(name: str, revision: int = 1, level: Level = Level.yellow) -> Incident:
    event = AlertEvent(
        event="opened", kind="topic", at=NOW, alert=name, revision=revision, rule="r", topic="acme", key={},
        level=level, because=Because("因", "why"), seen=3, incident=name,
    )  # fmt: skip
    return Incident(name, "topic", "acme", NOW, NOW, revision, (event,))


def _new(key: str, incident: Incident, kind: str = "open", channel: str = "slack") -> outbox.New:
    return outbox.New(key, "pr", channel, kind, incident)


async def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    """No difference between what Alembic built and what tables.py says."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    async with database.read("test") as connection:
        have, newest = await connection.run_sync(revision)
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": False}), metadata)
        )
    assert have == newest == NEWEST
    assert difference == []


async def test_a_key_of_before_it_had_a_column_is_found_still(tmp_path: Path) -> None:
    """The migration takes it out of the payload; a command without one stays as it was, and the search goes by the index."""
    engine = create_engine(f"sqlite:///{tmp_path}/here.db")
    with engine.connect() as connection:
        upgrade(connection, "0009")
        for number, payload in enumerate(
            ('{"text": "云杉", "request": "pr-bot k"}', '{"text": "\\"request\\": \\"pr-bot k\\""}')
        ):
            values = {"payload": payload, "at": int(NOW.timestamp() * 1e6), "number": number}
            connection.execute(
                text(
                    "insert into commands (kind, subject, payload, actor, origin, at, state, outcome, incident)"
                    " values ('note', :number, :payload, 'pr-bot', 'api', :at, 'waiting', '', '')"
                ),
                values,
            )
        connection.commit()
    engine.dispose()
    database = await Database.open("sqlite:///here.db", base=tmp_path)
    try:
        async with database.write("test") as connection:
            found = await acts.asked_before(connection, "pr-bot k", since=NOW)
            assert found is not None
            assert (found[0], found[1].payload) == (1, {"text": "云杉"})
            assert await acts.asked_before(connection, "pr-bot k", since=NOW + timedelta(seconds=1)) is None
            assert await acts.asked_before(connection, "pr-bot", since=NOW) is None
            again = await acts.put(connection, found[1], request="pr-bot k")
            newest = await acts.asked_before(connection, "pr-bot k", since=NOW)
            assert newest is not None
            assert (newest[0], newest[1]) == (again, found[1])
            plan = await connection.execute(
                text("explain query plan select * from commands where request = 'k' order by id desc")
            )
            assert "commands_of_request" in str(plan.all())
            assert [command.payload for _, command in await acts.waiting(connection)][1] == {
                "text": '"request": "pr-bot k"'
            }
    finally:
        await database.close()


async def test_a_second_owner_is_refused(database: Database, tmp_path: Path) -> None:
    """Two daemons on one database would send twice."""
    with pytest.raises(StorageError, match="in use by another listener"):
        await Database.open("sqlite:///here.db", base=tmp_path)


async def test_a_commit_is_durable_and_in_wal_mode(database: Database) -> None:
    """WAL and FULL are what the outbox's promise rests on."""
    async with database.write("test") as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2


async def test_a_failed_transaction_keeps_nothing(database: Database) -> None:
    """The cursor does not move where the mentions were refused."""
    with pytest.raises(StorageError):
        async with database.write("test") as connection:
            await source_store.save(connection, [SourceState("s", cursor="moved")])
            await mentions.add(connection, [_row(1)], at=NOW)
            await connection.execute(text("insert into no_such_table values (1)"))
    async with database.read("test") as connection:
        assert await source_store.load(connection) == {}
        assert (await connection.execute(select(func.count()).select_from(mention_table))).scalar_one() == 0


async def test_an_error_never_holds_what_strangers_wrote(database: Database) -> None:
    """A driver's message without the statement and its values."""
    with pytest.raises(StorageError) as raised:
        async with database.write("test") as connection:
            await connection.execute(insert(log).values(at=None, kind="k", payload="a stranger's words"))
    assert "stranger" not in str(raised.value)


async def test_commit_times_never_run_back(database: Database) -> None:
    """A clock that steps back does not put a row before a tick that was evaluated."""
    assert database.stamp(NOW) == NOW
    assert database.stamp(NOW - timedelta(hours=1)) == NOW
    assert database.stamp(NOW + timedelta(seconds=1)) == NOW + timedelta(seconds=1)


async def test_only_what_matches_goes_to_the_log_and_the_rollups(database: Database) -> None:
    """An unmatched mention is stored, and no engine ever hears of it."""
    async with database.write("test") as connection:
        await mentions.add(connection, [_row(1), _row(2, topics=()), _row(3, topics=("acme", "rival"))], at=NOW)
        await mentions.add(connection, [_row(4, at=NOW + timedelta(minutes=4))], at=NOW)
    async with database.read("test") as connection:
        kinds = [row.kind for row in await connection.execute(select(log.c.kind))]
        rolled = {
            (row.topic, row.slot): (row.mentions, row.negative, row.people)
            for row in await connection.execute(select(rollups))
        }
    assert kinds == ["mention"] * 3
    assert rolled == {("acme", NOW): (3, 3, 30), ("rival", NOW): (1, 1, 10)}


async def test_a_revision_updates_the_text_and_counts_nothing(database: Database) -> None:
    """Text and reach follow; the time of the first collection stays."""
    async with database.write("test") as connection:
        await mentions.add(connection, [_row(1)], at=NOW)
        stored = await mentions.known(connection, [("s", "1"), ("s", "missing")])
        assert set(stored) == {("s", "1")}
        changed = Mention(
            source="s", channel="c", external_id="1", text="now worse", collected_at=NOW + timedelta(hours=1)
        )
        await mentions.revise(connection, [(stored["s", "1"], changed)], at=NOW)
    async with database.read("test") as connection:
        line = (await connection.execute(select(mention_table.c.line))).scalar_one()
        kinds = [row.kind for row in await connection.execute(select(log.c.kind).order_by(log.c.seq))]
        total = (await connection.execute(select(func.sum(rollups.c.mentions)))).scalar_one()
    assert "now worse" in line
    assert "2026-03-01T08:00:00Z" in line
    assert (kinds, total) == (["mention", "revision"], 1)


async def test_rows_come_back_from_the_log_as_they_went_in(database: Database) -> None:
    """A replay reads what live saw, to the microsecond."""
    from listener.storage import history

    at = NOW + timedelta(microseconds=123_457)
    rows = [_row(1, at=at), PollRow(0, at, "s", at, False, "timeout", timedelta(minutes=15))]
    async with database.write("test") as connection:
        await mentions.append(connection, rows, at=at)
    async with database.read("test") as connection:
        back = await history.after(connection, 0)
    assert [type(row) for row in back] == [MentionRow, PollRow]
    assert back[0] == MentionRow(1, at, rows[0].mention, "core", at, False, rows[0].scored)
    assert back[1] == PollRow(2, at, "s", at, False, "timeout", timedelta(minutes=15))


async def test_the_outbox_takes_a_key_once(database: Database) -> None:
    """The unique key is the whole rule against doubles."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("k", _incident("i")), now=NOW)
        await outbox.put(connection, _new("k", _incident("i")), now=NOW)
    async with database.read("test") as connection:
        assert len(await outbox.ready(connection, NOW)) == 1


async def test_messages_of_an_incident_leave_a_channel_in_order(database: Database) -> None:
    """The second is not ready while the first is leased or waits; another channel does not care."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        await outbox.put(connection, _new("b", _incident("i", 2), "resolve"), now=NOW)
        await outbox.put(connection, _new("c", _incident("i"), channel="mail"), now=NOW)
    async with database.write("test") as connection:
        assert {one.address[1] for one in await outbox.ready(connection, NOW)} == {"slack", "mail"}
        entry = await outbox.lease(connection, 1, NOW)
        assert (entry.key, entry.attempts, entry.previous) == ("a", 1, None)
        assert [one.id for one in await outbox.ready(connection, NOW)] == [3]
        await outbox.mark_failed(connection, 1, error="server: 500", retry_at=NOW + timedelta(seconds=30))
        assert [one.id for one in await outbox.ready(connection, NOW)] == [3]
        assert await outbox.next_ready(connection, NOW) == NOW + timedelta(seconds=30)
        await outbox.lease(connection, 1, NOW)
        await outbox.mark_sent(connection, 1, Receipt("ts-1", NOW))
        assert {one.id for one in await outbox.ready(connection, NOW)} == {2, 3}
        assert (await outbox.lease(connection, 2, NOW)).previous == Receipt("ts-1", NOW)


async def test_the_highest_level_goes_first(database: Database) -> None:
    """Red does not stand behind a hundred yellow ones."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("calm")), now=NOW)
        await outbox.put(connection, _new("b", _incident("fire", level=Level.red)), now=NOW)
        assert [one.id for one in await outbox.ready(connection, NOW)] == [2]
        assert [one.id for one in await outbox.queue(connection, NOW, {("pr", "slack")})] == [2, 1]


async def test_what_stands_before_red_is_as_urgent(database: Database) -> None:
    """A red update waits for the beginning of its incident, so that goes before all that is not red."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("calm")), now=NOW)
        await outbox.put(connection, _new("b", _incident("fire")), now=NOW)
        await outbox.put(connection, _new("c", _incident("fire", 2, level=Level.red), "update"), now=NOW)
        assert [one.id for one in await outbox.ready(connection, NOW)] == [2]


async def test_one_channel_does_not_hide_another(database: Database) -> None:
    """The first of each channel is found, however many wait on one."""
    async with database.write("test") as connection:
        for number in range(80):
            await outbox.put(connection, _new(f"k{number}", _incident(f"i{number}", level=Level.red)), now=NOW)
        await outbox.put(connection, _new("mail", _incident("m"), channel="mail"), now=NOW)
        assert [one.address for one in await outbox.ready(connection, NOW)] == [("pr", "slack"), ("pr", "mail")]


async def test_a_digest_and_its_rows_share_their_fate(database: Database) -> None:
    """Told together, refused together, never told twice; what follows in a line waits, and knows what was told."""
    later = NOW + timedelta(minutes=1)
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i", level=Level.orange)), now=NOW)
        await outbox.put(connection, _new("b", _incident("j", level=Level.yellow)), now=NOW)
        await outbox.put(connection, _new("c", _incident("j", 2, level=Level.yellow), "resolve"), now=NOW)
        entry = await outbox.lease(connection, 1, NOW, also=[2])
        assert [part.incident.id for part in entry.digest] == ["i", "j"]
        assert entry.key not in {"a", "b"}
        assert await outbox.ready(connection, NOW) == []
        await outbox.mark_failed(connection, 1, error="server: 500", retry_at=later)
        await outbox.release(connection)
        (again,) = await outbox.ready(connection, later)
        assert (again.id, again.carries) == (1, True)
        assert (await outbox.lease(connection, 1, later)).key == entry.key
        assert await outbox.requests(connection, {("pr", "slack")}, since=NOW) == [later]
        await outbox.mark_sent(connection, 1, Receipt("card", later), digest=True)
        (end,) = await outbox.ready(connection, later)
        last = await outbox.lease(connection, end.id, later)
        assert (last.kind, last.was, last.previous) == ("resolve", Level.yellow, None)
        assert (await outbox.health(connection, now=later))[0] == 1


async def test_a_dead_digest_takes_its_rows_along(database: Database) -> None:
    """What a refused digest held is dead too, and counted."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        await outbox.put(connection, _new("b", _incident("j")), now=NOW)
        await outbox.lease(connection, 1, NOW, also=[2])
        await outbox.mark_dead(connection, 1, error="auth: no", now=NOW)
        assert await outbox.health(connection, now=NOW) == (0, None, 2)


async def test_requests_are_counted_by_their_ends(database: Database) -> None:
    """A sent one by when it was taken, one under way by its beginning, one that waits not at all."""
    async with database.write("test") as connection:
        for number in range(3):
            await outbox.put(connection, _new(f"k{number}", _incident(f"i{number}")), now=NOW)
        await outbox.lease(connection, 1, NOW)
        await outbox.mark_sent(connection, 1, Receipt("", NOW + timedelta(seconds=2)))
        await outbox.lease(connection, 2, NOW + timedelta(seconds=3))
        ours = {("pr", "slack")}
        seconds = [at - NOW for at in await outbox.requests(connection, ours, since=NOW - timedelta(minutes=1))]
        assert sorted(seconds) == [timedelta(seconds=2), timedelta(seconds=3)]
        assert len(await outbox.requests(connection, ours, since=NOW + timedelta(seconds=2))) == 1
        assert await outbox.requests(connection, {("pr", "mail")}, since=NOW - timedelta(minutes=1)) == []


async def test_a_held_channel_gets_nothing_before_its_time(database: Database) -> None:
    """Retry-After binds everything that goes to the channel, and a shorter wait does not lift a longer one."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        await holds.hold(connection, [("pr", "slack")], NOW + timedelta(seconds=30), now=NOW)
        await holds.hold(connection, [("pr", "slack")], NOW + timedelta(seconds=3), now=NOW)
        assert await outbox.ready(connection, NOW + timedelta(seconds=29)) == []
        assert await outbox.next_ready(connection, NOW) == NOW + timedelta(seconds=30)
        assert len(await outbox.ready(connection, NOW + timedelta(seconds=30))) == 1


async def test_an_update_that_never_left_is_superseded(database: Database) -> None:
    """Nobody needs the state before the last; what opened an incident is never skipped."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        await outbox.put(connection, _new("b", _incident("i", 2), "update"), now=NOW)
        await outbox.put(connection, _new("c", _incident("i", 3), "update"), now=NOW)
        await outbox.mark_sent(connection, 1, Receipt("", NOW))
        assert [one.id for one in await outbox.ready(connection, NOW)] == [3]


async def test_a_lease_of_a_killed_sender_is_released_at_start(database: Database) -> None:
    """What was under way is sent again: a double at worst, never a loss."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        await outbox.lease(connection, 1, NOW)
        assert await outbox.ready(connection, NOW) == []
        await outbox.release(connection)
        assert len(await outbox.ready(connection, NOW)) == 1


async def test_rows_of_a_channel_that_is_gone_are_given_up_aloud(database: Database) -> None:
    """They are named, so that it can be told."""
    async with database.write("test") as connection:
        await outbox.put(connection, _new("a", _incident("i")), now=NOW)
        gone = await outbox.give_up_on_unknown(connection, frozenset({("pr", "mail")}), now=NOW)
        assert gone == [("pr", "slack")]
        assert await outbox.health(connection, now=NOW) == (0, None, 1)


async def test_retention_forgets_by_kind(database: Database) -> None:
    """Unmatched after a week, matched after the long time, rollups later still."""
    keep = Keep(timedelta(days=400), timedelta(days=7), timedelta(days=1095))
    async with database.write("test") as connection:
        await mentions.add(connection, [_row(1), _row(2, topics=())], at=NOW)
    assert (await forget(database, keep, NOW + timedelta(days=6)))["mentions"] == 0
    assert (await forget(database, keep, NOW + timedelta(days=8)))["mentions"] == 1
    assert (await forget(database, keep, NOW + timedelta(days=401)))["mentions"] == 1
    assert (await forget(database, keep, NOW + timedelta(days=1096)))["rollups"] == 1


async def test_a_reader_is_not_blocked_by_the_writer(database: Database) -> None:
    """The pages answer while a batch is being written."""
    async with database.write("test") as connection:
        await mentions.add(connection, [_row(1)], at=NOW)
        async with asyncio.timeout(20), database.read("test") as reader:
            assert (await reader.execute(select(func.count()).select_from(mention_table))).scalar_one() == 0
