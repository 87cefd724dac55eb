"""Receivers that are down for minutes and for a day, on a clock of our own: nothing is lost, and somebody is told."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from alerts import Level
from tests.support.delivery import START, World, until, world

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PACE = {"group_wait": timedelta(0), "group_interval": MINUTE, "repeat_interval": timedelta(days=9)}
BROKEN = "listener_channel_breaker_open"


def to_all(*receivers: str) -> dict[str, object]:
    return {"receiver": receivers[0], **PACE, "routes": [{"receiver": name, "continue": True} for name in receivers]}


async def live(one: World, name: str, *levels: Level, every: timedelta = 2 * MINUTE) -> None:
    """An incident that changes its level at each step, and ends."""
    for revision, level in enumerate(levels, start=1):
        await one.tell(name, level, event="opened" if revision == 1 else "raised", revision=revision)
        await one.run(one.now + every)
    await one.tell(name, levels[-1], event="resolved", revision=len(levels) + 1)
    await one.run(one.now + every)


async def test_five_hundreds_for_ten_minutes(tmp_path: Path) -> None:
    """Row 3: delivered after recovery, in order, exactly one open; the channel is tried every 30 s while it is down."""
    async with world(tmp_path, {"pr": ["hook"]}, route={"receiver": "pr", **PACE}) as one:
        one.answers["hook"] = until(START + 10 * MINUTE)
        await live(one, "fire", Level.orange, Level.red)
        await one.tell("smoke", Level.red)
        await one.run(START + 9 * MINUTE)
        assert one.metric(BROKEN, receiver="pr", channel="hook") == 1
        assert one.taken == {}
        await one.restart()
        await one.tell("calm", Level.blue)
        await one.run(START + 12 * MINUTE)
        assert one.metric(BROKEN, receiver="pr", channel="hook") == 0
        assert one.kinds("hook", "fire") == ["open", "resolve"]
        assert one.kinds("hook", "smoke") == one.kinds("hook", "calm") == ["open"]
        assert await one.states("hook") == {"sent": 4, "superseded": 1}, "an update that never left is replaced"
        order = [taken.incident for taken in one.taken["hook"]]
        assert order.index("smoke") < order.index("calm"), "red first"
        broken = [at for at in one.asked["hook"] if at < START + 10 * MINUTE][5:]
        gaps = [second - first for first, second in zip(broken, broken[1:], strict=False)]
        assert min(gaps) >= 30 * SECOND
        assert max(gaps) <= 31 * SECOND
        last = max(taken.at for taken in one.taken["hook"])
        assert last <= START + 10 * MINUTE + 31 * SECOND
        print(
            f"row 3: 10 min of 500, {len(one.asked['hook'])} requests, 4 of 4 told in order "
            f"{(last - START - 10 * MINUTE).total_seconds():.0f} s after it was well, over a restart"
        )


async def test_retry_after_binds_its_channel_alone(tmp_path: Path) -> None:
    """Row 4: no request within 30 s of a 429 that asks for them, also after a restart; others go at once."""
    async with world(tmp_path, {"pr": ["slow"], "duty": ["fast"]}, route=to_all("pr", "duty")) as one:
        refusals: list[datetime] = []

        def answer(now: datetime) -> web.Response:
            if len(refusals) < 3:
                refusals.append(now)
                return web.Response(status=429, headers={"Retry-After": "30"})
            return web.Response(text="ok")

        one.answers["slow"] = answer
        await one.tell("fire", Level.red)
        for number in range(20):
            await one.run(one.now + 3 * SECOND)
            await one.tell(f"more{number}", Level.orange)
            if number == 5:
                await one.restart()
        await one.run(one.now + 2 * MINUTE)
        asked = one.asked["slow"]
        assert all(second - first >= 30 * SECOND for first, second in zip(asked[:3], asked[1:4], strict=True))
        assert await one.states("slow") == await one.states("fast") == {"sent": 21}
        waits = sorted(one.taken["fast"], key=lambda taken: taken.at)
        late = [taken.at - datetime.fromisoformat(taken.body["at"]) for taken in waits]
        assert max(late) < 2 * SECOND
        print(
            f"row 4: 3 times 429 with 30 s, never asked sooner, 21 of 21 told; the other channel {max(late).total_seconds():.2f} s "
            "late at most"
        )


async def test_one_of_three_is_down_for_thirty_hours(tmp_path: Path) -> None:
    """Row 6: what it lacks is dead after 24 h and told elsewhere; the others get each message once."""
    receivers = {"a": ["one"], "b": ["two"], "c": ["three"]}
    async with world(tmp_path, receivers, route=to_all(*receivers)) as all_:
        all_.answers["two"] = until(START + 30 * HOUR)
        await live(all_, "fire", Level.yellow, Level.orange)
        before = all_.now
        await all_.run(START + 23 * HOUR, leap=HOUR)
        assert all_.kinds("one") == all_.kinds("three") == ["open", "update", "resolve"]
        await all_.restart()
        await all_.run(START + 30 * HOUR, leap=HOUR)
        assert await all_.states("two") == {"dead": 2, "superseded": 1}
        own = [(name, taken) for name in ("one", "three") for taken in all_.taken[name] if taken.body["kind"] == "self"]
        assert {name for name, _ in own} == {"one", "three"}, "told on both others"
        assert len({taken.incident for _, taken in own}) == 1
        assert own[0][1].body["key"] == {"channel": "two", "receiver": "b"}
        told = min(taken.at for _, taken in own)
        assert START + 24 * HOUR - MINUTE <= told <= START + 24 * HOUR + HOUR
        for name in ("one", "three"):
            assert max(Counter(taken.key for taken in all_.taken[name]).values()) == 1
        await all_.tell("late", Level.yellow)
        await all_.run(START + 31 * HOUR, leap=MINUTE)
        assert all_.kinds("two") == ["open"], "what was given up is not told when it is well again"
        assert "resolve" in [taken.kind for taken in all_.taken["one"] if taken.body["kind"] == "self"]
        print(
            f"row 6: 30 h down, {len([at for at in all_.asked['two'] if at > before])} tries, 2 of 2 dead, told elsewhere after "
            f"{(told - START) / HOUR:.1f} h, the others got 3 of 3 once"
        )


async def test_every_channel_is_down(tmp_path: Path) -> None:
    """Where nobody can be told, all of it waits and then dies, the program's own alert is kept, and nothing is hidden."""
    async with world(tmp_path, {"a": ["one"], "b": ["two"]}, route=to_all("a", "b")) as all_:
        all_.answers["one"] = all_.answers["two"] = until(START + 40 * HOUR)
        await all_.tell("fire", Level.red)
        await all_.run(START + 26 * HOUR, leap=HOUR)
        assert all_.taken == {}
        assert (all_.metric("listener_outbox_oldest_seconds") or 0) > 0
        async with all_.database.read("test") as connection:
            query = (
                "select distinct receiver from outbox where incident in (select id from incidents where kind = 'self')"
            )
            found = await connection.exec_driver_sql(query)
            assert {row[0] for row in found} == {"a", "b"}, "each dead channel is told of on the other"
        await all_.run(START + 42 * HOUR, leap=HOUR)
        assert [taken.body["kind"] for taken in all_.taken["one"]][0] == "self"
        assert all_.metric(BROKEN, receiver="a", channel="one") == 0
        print(
            f"row 6, all down: 40 h, own alerts wait and arrive ({len(all_.taken['one'])} and {len(all_.taken['two'])})"
        )


async def test_red_that_does_not_arrive_goes_to_the_fallback(tmp_path: Path) -> None:
    """Told to the fallback once, marked, and ended there; over restarts; nothing of it where one channel took it."""
    receivers = {"pr": ["hook", "spare"], "duty": ["pager"]}
    async with world(tmp_path, receivers, fallbacks={"pr": "duty"}, route={"receiver": "pr", **PACE}) as one:
        one.answers["hook"] = until(START + 30 * MINUTE)
        await one.tell("taken", Level.red)
        await one.tell("mild", Level.orange)
        await one.run(START + 10 * MINUTE)
        assert one.taken.get("pager") is None, "the spare has it"
        one.answers["spare"] = until(START + 30 * MINUTE, 429, **{"Retry-After": "20"})
        fired = one.now
        await one.tell("fire", Level.red)
        await one.tell("calm", Level.orange)
        await one.run(fired + 40 * SECOND)
        assert one.taken.get("pager") is None, "one channel is down, the other may still take it"
        await one.restart()
        await one.run(fired + 4 * MINUTE)
        await one.restart()
        await one.run(fired + 10 * MINUTE)
        (passed,) = one.taken["pager"]
        assert (passed.kind, passed.incident) == ("open", "fire")
        waited = passed.at - fired
        await one.run(START + 30 * MINUTE + 2 * MINUTE)
        assert one.kinds("hook", "fire") == one.kinds("spare", "fire") == ["open"], "delivered late where it belongs"
        assert one.kinds("pager") == ["open"], "and not told twice"
        await one.tell("fire", Level.red, event="resolved", revision=2)
        await one.run(one.now + 2 * MINUTE)
        assert one.kinds("pager") == ["open", "resolve"]
        assert one.kinds("spare", "fire") == ["open", "resolve"]
        assert one.metric("listener_notifications_passed_on_total", receiver="pr", fallback="duty") is None
        print(f"fallback: red passed on after {waited.total_seconds():.0f} s, once over 2 restarts, ended there too")


async def test_a_dead_channel_is_not_waited_for(tmp_path: Path) -> None:
    """Where the only channel refuses for good, its fallback is told within seconds."""
    async with world(
        tmp_path, {"pr": ["hook"], "duty": ["pager"]}, fallbacks={"pr": "duty"}, route={"receiver": "pr", **PACE}
    ) as one:
        one.answers["hook"] = until(START + HOUR, 401)
        await one.tell("fire", Level.red)
        await one.run(START + 30 * SECOND)
        (passed,) = [taken for taken in one.taken["pager"] if taken.incident == "fire"]
        assert passed.at - START <= 6 * SECOND
        assert one.metric("listener_notifications_passed_on_total", receiver="pr", fallback="duty") == 1
