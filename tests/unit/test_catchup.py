"""What came late of a source that could not be seen: once, by topic, with the worst hour; on a real database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from alerts import Level
from alerts.incident import Incidents
from listener.catchup import RULE, SETTLES, STANDS, CatchUp, last_seen
from listener.collector import Batch
from listener.collectors import FileConfig
from listener.decide import Decider
from listener.metrics import Metrics
from listener.pipeline import Pipeline, Understanding
from listener.poll import Polled
from listener.selfcheck import SelfCheck, source_troubles
from listener.storage import alerting
from listener.storage.database import Database
from listener.storage.sources import SourceState
from rules.engine import Engine
from rules.mention import Mention
from rules.topic import Matcher, TargetConfig, TopicConfig
from sentiment import Sentiment, Target

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SOURCE = FileConfig(type="file", id="weibo", channel="weibo", path="x", every=5 * MINUTE)
ZONE = ZoneInfo("Asia/Shanghai")


class Plain:
    """Speaks ill of whoever smokes."""

    name = "plain"
    version = "1"

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        bad, calm = Sentiment(0.9, 0.05, 0.05, "negative", 0.9), Sentiment(0.1, 0.8, 0.1, "neutral", 0.8)
        return [bad if "冒烟" in target.text.text else calm for target in targets]


class Program:
    """As much of a program as a catch-up needs; ``now`` is the pipeline's clock."""

    def __init__(self, database: Database, states: dict[str, SourceState], started_at: datetime) -> None:
        self.database = database
        self.now = started_at
        targets = {"acme": TargetConfig(names=["云杉"]), "rival": TargetConfig(names=["格澜"])}
        topics = [TopicConfig(id=name, target=name, query=f"@{name}") for name in targets]
        metrics = Metrics(CollectorRegistry())
        self.pipeline = Pipeline(
            database, Understanding(Matcher(targets, topics), Plain()), states, metrics=metrics, now=lambda: self.now
        )
        self.decider = Decider(database, Engine(timedelta(seconds=15)), Incidents(), metrics=metrics)
        self.selfcheck = SelfCheck({})
        self.started_at = started_at
        self.catch_up = CatchUp(
            database, self.decider, self.pipeline.states, last_seen(states), {"weibo": SOURCE.blindness},
            {"acme": "云杉科技"}, zone=ZONE, started_at=started_at,
        )  # fmt: skip

    async def poll(self, at: datetime, *mentions: Mention) -> None:
        self.now = at
        await self.pipeline.keep([Polled(SOURCE, at, at, at + SOURCE.every, Batch(mentions=mentions, cursor="c"))])
        await self.look(at)

    async def look(self, at: datetime) -> None:
        """As the self-check does."""
        troubles, undecided = source_troubles(
            {"weibo": SOURCE}, self.pipeline.states, {}, started_at=self.started_at, now=at, timezone=ZONE
        )
        if events := self.selfcheck.compare(troubles, at, undecided=undecided):
            await self.decider.publish(events, at)

    async def told(self) -> list:
        async with self.database.read("test") as connection:
            return [event for event in await alerting.events(connection, kind="topic") if event.rule == RULE]


@asynccontextmanager
async def program(folder: Path, states: dict[str, SourceState] | None = None) -> AsyncIterator[Program]:
    database = await Database.open("sqlite:///c.db", base=folder)
    made = Program(database, states or {}, T0)
    try:
        yield made
    finally:
        made.pipeline.close()
        await database.close()


def posts(minutes: Sequence[float], text: str, *, brand: str = "云杉") -> list[Mention]:
    return [
        Mention("weibo", "weibo", f"{brand}{minute}{text}", f"{brand}充电宝{text}", published_at=T0 + minute * MINUTE)
        for minute in minutes
    ]


async def outage(one: Program, *late: Mention) -> datetime:
    """Seen for five minutes, then not for three hours, then all of it at once; when it was back."""
    for minute in (0, 5):
        await one.poll(T0 + minute * MINUTE)
    for minute in range(10, 185, 5):
        await one.look(T0 + minute * MINUTE)
    back = T0 + 185 * MINUTE
    await one.poll(back, *late)
    return back


async def test_the_worst_hour_is_told_once_for_each_topic(tmp_path):
    """How many, how many negative, which hour, what was written in it; nothing before it has settled, and once."""
    async with program(tmp_path) as one:
        burst = posts([60 + n for n in range(12)], "冒烟了")
        spread = posts([8, 150], "冒烟") + posts([30, 40, 90], "不错")
        rival = posts([100], "冒烟", brand="格澜")
        back = await outage(one, *burst, *spread, *rival)
        await one.catch_up.step(back + SETTLES - MINUTE)
        assert await one.told() == []
        for again in range(3):
            await one.catch_up.step(back + SETTLES + again * MINUTE)
        acme, other = await one.told()
        assert (acme.topic, acme.level, acme.brand, acme.key) == ("acme", Level.yellow, "云杉科技", {"source": "weibo"})
        assert (acme.reached.mentions, acme.reached.negative, acme.seen) == (17, 14, 12.0)
        assert acme.window.start == T0 + HOUR
        assert "11:00–12:00：12 条" in acme.because.zh
        assert "17 mentions from that period, 14 negative" in acme.because.en
        assert len(acme.excerpts) == 3
        assert all("冒烟" in excerpt.text for excerpt in acme.excerpts)
        assert (other.topic, other.level) == ("rival", Level.blue)


async def test_it_is_over_after_an_hour(tmp_path):
    """Nothing goes on, so nothing is repeated."""
    async with program(tmp_path) as one:
        back = await outage(one, *posts([60], "冒烟"))
        await one.catch_up.step(back + SETTLES)
        await one.catch_up.step(back + SETTLES + STANDS - MINUTE)
        assert [event.event for event in await one.told()] == ["opened"]
        await one.catch_up.step(back + SETTLES + STANDS)
        assert [event.event for event in await one.told()] == ["opened", "resolved"]


async def test_what_holds_nothing_bad_is_not_told(tmp_path):
    """A backlog of calm is only logged, and so is none."""
    async with program(tmp_path) as one:
        back = await outage(one, *posts([60, 61], "不错"))
        await one.catch_up.step(back + SETTLES)
        assert await one.told() == []


async def test_a_restart_tells_what_was_not_told_and_nothing_twice(tmp_path):
    """Before and after the telling."""
    async with program(tmp_path) as one:
        back = await outage(one, *posts([60], "冒烟"))
        for _ in range(2):
            fresh = CatchUp(
                one.database, one.decider, one.pipeline.states, {}, {}, {}, zone=ZONE, started_at=back + MINUTE
            )  # fmt: skip
            await fresh.step(back + SETTLES)
        assert [event.event for event in await one.told()] == ["opened"]


async def test_time_in_which_the_program_did_not_run_counts(tmp_path):
    """Every source was unseen then, whether or not anybody noticed."""
    before = SourceState("weibo", last_success=T0 - 4 * HOUR)
    async with program(tmp_path, {"weibo": before}) as one:
        await one.catch_up.step(T0)
        await one.poll(T0 + MINUTE, *posts([-120, -119], "冒烟"))
        await one.catch_up.step(T0 + MINUTE + SETTLES)
        (event,) = await one.told()
        assert (event.reached.negative, event.window.start) == (2, T0 - 2 * HOUR)


async def test_a_short_outage_is_the_rules_own_business(tmp_path):
    """They look that far back."""
    async with program(tmp_path) as one:
        await one.poll(T0)
        for minute in range(5, 25, 5):
            await one.look(T0 + minute * MINUTE)
        await one.poll(T0 + 25 * MINUTE, *posts([10], "冒烟"))
        await one.catch_up.step(T0 + 25 * MINUTE + SETTLES)
        assert await one.told() == []
