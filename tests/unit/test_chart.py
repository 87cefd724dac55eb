"""The picture of a trend, what it is read from, and a message whose picture fails."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from prometheus_client import CollectorRegistry

from alerts import Level, Receipt
from alerts.render import typeface
from alerts.render.chart import HEIGHT, WIDTH, draw
from alerts.sample import sample_notification, sample_trend
from alerts.trend import Trend, TrendPoint
from listener.deliver import Sender
from listener.metrics import Metrics
from listener.storage import outbox
from listener.storage.database import Database, insert
from listener.storage.tables import rollups
from listener.storage.trend import POINTS, slot_of, trend
from listener.turns import Line

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def picture(chart):
    image = Image.open(io.BytesIO(chart.png))
    image.load()
    return image.convert("RGB")


def notification(language="zh", level=Level.red, **lead):
    plain = sample_notification(NOW, language, timezone="Asia/Shanghai", level=level)
    event = replace(plain.incident.lead, **lead)
    return replace(plain, incident=replace(plain.incident, alerts=(event,)))


def test_the_picture_says_what_it_shows():
    """Two pixels a point; the words beside it name whose, when, how many and what is usual, in the message's language."""
    zh = draw(sample_trend(NOW), notification())
    assert picture(zh).size == (2 * WIDTH, 2 * HEIGHT)
    assert len(zh.png) < 30_000
    assert zh.text == (
        "云杉科技 · 每 30 分钟提及量，3月1日 10:00 至 10:00：最近 51 条（负面 42），最高 51 条（09:30）。"
        "近 4 周同时段一般为 1 至 6 条（均值 ± 标准差）。"
    )
    en = draw(sample_trend(NOW), notification("en"))
    assert en.text.startswith("Yunshan Tech · mentions per 30m, 1 Mar 10:00 to 10:00: 51 at last (42 negative)")
    assert en.text.endswith("Usual at this time over 4 weeks: 1 to 6 (mean ± standard deviation).")


def test_the_same_trend_gives_the_same_picture():
    """So that a retry is the same mail."""
    assert draw(sample_trend(NOW), notification()) == draw(sample_trend(NOW), notification())


@pytest.mark.parametrize(
    ("level", "colour"), [(Level.blue, (29, 95, 191)), (Level.orange, (217, 88, 13)), (Level.red, (200, 30, 30))]
)
def test_the_window_has_the_colour_of_the_level(level, colour):
    """At its upper edge, over the last half hour of a day, and nowhere left of it."""
    image = picture(draw(sample_trend(NOW), notification(level=level)))
    near = [
        x
        for x in range(image.width)
        if sum(abs(a - b) for a, b in zip(image.getpixel((x, 104)), colour, strict=True)) < 60
    ]
    assert near
    assert min(near) > 2 * 335


def test_chinese_is_drawn_without_a_font_of_the_system():
    """Each character has a shape of its own, from the files beside the code; what has none is left out."""

    def inked(text):
        image = Image.new("L", (60, 60), 255)
        typeface.write(ImageDraw.Draw(image), (5, 50), text, size=40, fill="black")
        return image.tobytes()

    shapes = {character: inked(character) for character in "提及负面杉鑫龘éЖ9"}
    blank = Image.new("L", (60, 60), 255).tobytes()
    assert blank not in shapes.values()
    assert len(set(shapes.values())) == len(shapes)
    assert inked("\ue000\u202e") == blank
    assert typeface.width("提及", 20) == pytest.approx(40, abs=2)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 1), st.none() | st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))), min_size=2, max_size=60),
    st.sampled_from([timedelta(minutes=15), HOUR, timedelta(days=1)]),
    st.text(max_size=40),
    st.sampled_from(["zh", "en"]),
)  # fmt: skip
def test_any_trend_can_be_drawn(rows, slot, brand, language):
    """Nothing at all, a billion, no window in sight, a brand of anything."""
    points = tuple(
        TrendPoint(NOW - slot * (len(rows) - n), count, int(count * share), usual and (min(usual), max(usual)))
        for n, (count, share, usual) in enumerate(rows)
    )
    told = notification(language, brand=brand, window=None)
    assert picture(draw(Trend(points, slot, 3), told)).size == (2 * WIDTH, 2 * HEIGHT)


# ---- what it is read from


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open("sqlite:///listener.db", base=tmp_path)
    yield opened
    await opened.close()


async def count(database, *rows):
    """Each row: topic, source, minutes before now at which the slot begins, mentions, negative."""
    values = [
        {"topic": topic, "source": source, "slot": NOW - timedelta(minutes=ago), "mentions": mentions,
         "negative": negative, "neutral": 0, "positive": 0, "unknown": 0, "people": 0}
        for topic, source, ago, mentions, negative in rows
    ]  # fmt: skip
    async with database.write("test") as connection:
        await connection.execute(insert(rollups), values)


async def read(database, topic="acme", until=NOW, slot=HOUR):
    async with database.read("test") as connection:
        return await trend(connection, topic, until=until, slot=slot)


async def test_slots_are_whole_and_sum_over_sources(database):
    """The last slot ends with the moment; each mention stands in the slot of its time, of this topic alone."""
    await count(
        database, ("acme", "a", 5, 3, 2), ("acme", "b", 60, 4, 1), ("acme", "b", 65, 7, 0), ("rival", "a", 5, 9, 9),
        ("acme", "c", 48 * 60, 2, 0), ("acme", "c", 48 * 60 + 5, 8, 8), ("acme", "a", 0, 100, 100),
    )  # fmt: skip
    found = await read(database)
    assert [point.at for point in found.points] == [NOW - HOUR * (POINTS - n) for n in range(POINTS)]
    assert [(p.count, p.negative) for p in (found.points[0], found.points[-2], found.points[-1])] == [
        (2, 0),
        (7, 0),
        (7, 3),
    ]
    assert sum(point.count for point in found.points) == 16
    assert (found.weeks, found.points[-1].usual) == (0, None)


async def test_usual_is_the_mean_of_the_weeks_before(database):
    """Mean and deviation of the slot and its neighbours in the weeks that are known; one week alone says nothing."""
    week = 7 * 24 * 60
    await count(database, ("acme", "a", 5, 1, 0), ("acme", "a", week + 5, 4, 0))
    assert (await read(database)).weeks == 0
    await count(database, ("acme", "a", 3 * week + 5, 8, 0), ("acme", "b", 3 * week + 65, 8, 0))
    found = await read(database)
    assert found.weeks == 2
    counts = [0, 4, 8, 8]
    mean = sum(counts) / 4
    stray = (sum((one - mean) ** 2 for one in counts) / 4) ** 0.5
    assert found.points[-1].usual == pytest.approx((mean - stray, mean + stray))
    assert found.points[0].usual == (0, 0)


async def test_nothing_counted_is_no_trend(database):
    """A topic that nobody spoke of, or only last week."""
    await count(database, ("acme", "a", 7 * 24 * 60 + 5, 4, 0))
    assert await read(database) is None
    assert await read(database, "nobody") is None


@pytest.mark.parametrize(("minutes", "slot"), [(None, 60), (5, 15), (15, 15), (40, 30), (60, 60), (1440, 60)])
def test_slots_fit_the_window(minutes, slot):
    """The alert's window is one slot at least, where slots can be so short."""
    assert slot_of(None if minutes is None else timedelta(minutes=minutes)) == timedelta(minutes=slot)


# ---- the sender


class Kept:
    """A channel that carries pictures and keeps what it is given."""

    def __init__(self, missing=""):
        self.sent, self.missing = [], missing

    async def send(self, notification, /):
        self.sent.append(notification)
        return Receipt("", NOW, self.missing)


async def deliver(database, channel, *, charts=True):
    sample = sample_notification(NOW, "zh", level=Level.red)
    incident = replace(sample.incident, alerts=(replace(sample.incident.lead, topic="acme"),))
    async with database.write("test") as connection:
        await outbox.put(connection, outbox.New("k", "pr", "mail", "open", incident), now=NOW)
    metrics = Metrics(CollectorRegistry())
    sender = Sender(
        database, {("pr", "mail"): Line(channel, "zh", charts=charts)}, console=lambda _: "", timezone="Asia/Shanghai",
        metrics=metrics, now=lambda: NOW,
    )  # fmt: skip
    await sender.step(NOW)
    await sender.stop(10)
    (told,) = channel.sent
    return told, metrics.registry


async def test_the_sender_draws_for_channels_that_carry_pictures(database):
    """And for no other; what a channel could not take along is counted."""
    await count(database, ("acme", "a", 5, 40, 30))
    told, registry = await deliver(database, Kept("chart: no scope"))
    assert told.chart.text.startswith("云杉科技 · 每 30 分钟提及量")
    assert registry.get_sample_value("listener_charts_failed_total") == 0
    assert (
        registry.get_sample_value("listener_notifications_incomplete_total", {"receiver": "pr", "channel": "mail"}) == 1
    )


async def test_a_channel_without_pictures_costs_no_drawing(database):
    """Its message has no chart."""
    await count(database, ("acme", "a", 5, 40, 30))
    told, _ = await deliver(database, Kept(), charts=False)
    assert told.chart is None


async def test_a_failure_to_draw_stops_no_message(database, monkeypatch, tmp_path):
    """Without its font, the message goes without the picture, and that is counted."""
    await count(database, ("acme", "a", 5, 40, 30))
    monkeypatch.setattr(typeface, "FOLDER", tmp_path / "nowhere")
    typeface._ranges.cache_clear()
    typeface._font.cache_clear()
    told, registry = await deliver(database, Kept())
    assert told.chart is None
    assert registry.get_sample_value("listener_charts_failed_total") == 1
