"""What every kind of source must do, asked of each member of the union."""

import asyncio
import json
import typing
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from listener.collector import Batch, CollectError, Collector
from listener.collectors import CollectorConfig
from listener.http import Http
from listener.interchange import mention_line
from rules.mention import Mention
from tests.support.sites import item, rss, site

SHANGHAI = ZoneInfo("Asia/Shanghai")
CONFIG = TypeAdapter(CollectorConfig)
KINDS = [
    typing.get_args(member.model_fields["type"].annotation)[0]
    for member in typing.get_args(typing.get_args(CollectorConfig)[0])
]


@dataclass
class Source:
    """A running source of one kind: its collector, and how its world is changed."""

    collector: Collector
    publish: Callable[[list[str]], None]
    break_it: Callable[[], None]


@asynccontextmanager
async def feed_source(_folder: Path) -> AsyncIterator[Source]:
    state: dict[str, object] = {"body": rss(), "status": 200}

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=str(state["body"]), status=int(str(state["status"])), content_type="application/xml")

    async with site(feed=answer) as url, Http() as http:
        config = CONFIG.validate_python({"id": "s", "type": "feed", "channel": "news", "url": url + "feed"})
        collector = config.build(http, timezone=SHANGHAI, base=Path("/"))

        def publish(titles: list[str]) -> None:
            state["body"] = rss(*(item(number, title) for number, title in enumerate(titles)))

        yield Source(collector, publish, lambda: state.update(status=500))


@asynccontextmanager
async def file_source(folder: Path) -> AsyncIterator[Source]:
    path = folder / "in.jsonl"
    path.touch()
    async with Http() as http:
        config = CONFIG.validate_python({"id": "s", "type": "file", "channel": "news", "path": "in.jsonl"})

        def publish(titles: list[str]) -> None:
            done = len(path.read_text("utf-8").splitlines())
            with path.open("a", encoding="utf-8") as stream:
                for number, title in enumerate(titles[done:], done):
                    stream.write(mention_line(Mention("x", "news", f"news-{number}", "正文", title=title)) + "\n")

        yield Source(config.build(http, timezone=SHANGHAI, base=folder), publish, path.unlink)


WORLDS = {"feed": feed_source, "file": file_source}


@pytest.fixture(params=KINDS)
async def source(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Source]:
    async with WORLDS[request.param](tmp_path) as made:
        yield made


async def everything(collector: Collector, cursor: str | None = None) -> tuple[list[Mention], Batch]:
    found: list[Mention] = []
    while True:
        batch = await collector.collect(cursor)
        found += batch.mentions
        cursor = batch.cursor
        if not batch.more:
            return found, batch


def test_every_member_of_the_union_has_a_world_here():
    """A new kind of source is tested unasked: it fails here until it has a world."""
    assert sorted(KINDS) == sorted(WORLDS)


async def test_an_empty_source_is_no_failure(source: Source):
    """A source without items gives an empty batch and a cursor."""
    found, batch = await everything(source.collector)
    assert (found, batch.problems) == ([], ())
    assert isinstance(batch.cursor, str)


async def test_what_was_published_is_collected_once_per_change(source: Source):
    """Items come with the configured source; a second poll of the same is unchanged, and news come after."""
    source.publish(["起火", "爆炸"])
    found, batch = await everything(source.collector)
    assert [mention.title.split()[0] for mention in found] == ["起火", "爆炸"]
    assert {(mention.source, mention.channel) for mention in found} == {("s", "news")}
    again = await source.collector.collect(batch.cursor)
    assert (again.mentions, again.unchanged, again.cursor) == ((), True, batch.cursor)
    source.publish(["起火", "爆炸", "召回"])
    later, _ = await everything(source.collector, again.cursor)
    assert {mention.external_id for mention in found} < {mention.external_id for mention in [*found, *later]}
    assert any(mention.title.startswith("召回") for mention in later)


async def test_the_cursor_is_all_the_memory_there_is(source: Source):
    """A fresh collector with an old cursor reads on like the old one; without it, it reads the same again."""
    source.publish(["一", "二", "三"])
    first, batch = await everything(source.collector)
    assert (await source.collector.collect(batch.cursor)).unchanged
    again, _ = await everything(source.collector)
    assert again == first


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "{}", "[]", "null", "7", '{"url":7}', '{"1:1":{"path":"x","offset":-5}}']
)
async def test_a_cursor_that_cannot_be_read_costs_a_second_reading_and_no_more(source: Source, cursor: str):
    """A damaged cursor is as good as none."""
    source.publish(["一", "二"])
    found, _ = await everything(source.collector, cursor)
    assert len(found) == 2


async def test_failure_is_a_collect_error_with_source_and_reason(source: Source):
    """What goes wrong names its source and one word why, and a later poll may work again."""
    source.publish(["一"])
    _, batch = await everything(source.collector)
    source.break_it()
    with pytest.raises(CollectError) as caught:
        await source.collector.collect(batch.cursor)
    assert caught.value.source == "s"
    assert caught.value.reason in ("server_error", "not_found")


async def test_cancelling_a_poll_leaves_the_collector_usable(source: Source):
    """A poll that is cancelled in the middle harms no later one."""
    source.publish(["一"])
    task = asyncio.create_task(source.collector.collect(None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found, _ = await everything(source.collector)
    assert len(found) == 1


async def test_mentions_round_trip_as_lines(source: Source):
    """Whatever is collected can be exported and read again, exactly."""
    from listener.interchange import parse_line

    source.publish(["<b>粗</b> & \u202e右", "表情😀", "a" * 5000])
    found, _ = await everything(source.collector)
    assert len(found) == 3
    for mention in found:
        line = mention_line(mention)
        assert parse_line(line) == mention
        assert "\n" not in line
        assert json.loads(line)["source"] == "s"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "Bad Id"}, "id"), ({"tier": "main"}, "tier"), ({"every": 5}, "every"), ({"timezone": "Mars/Base"}, "timezone"),
        ({"proxy": "socks5://u:topsecret@h"}, "proxy"), ({"colour": 1}, "colour"), ({"channel": ""}, "channel"),
    ],
)  # fmt: skip
def test_mistakes_are_found_with_their_field_and_without_the_secret(kind: str, change: dict[str, object], field: str):
    """A wrong value is refused by the field's name, and the proxy's password is not in the repr."""
    whole = {"id": "s", "type": kind, "channel": "news"} | (
        {"url": "http://a.example/"} if kind == "feed" else {"path": "x"}
    )
    CONFIG.validate_python(whole)
    with pytest.raises(ValidationError) as caught:
        CONFIG.validate_python(whole | change)
    errors = caught.value.errors(include_input=False)
    assert [error["loc"][1] for error in errors] == [field]
    assert "topsecret" not in str(errors)
