"""A small picture of how many there were: mentions, the negative among them, what is usual, and the alert's window.

360 x 200 points at two pixels each: on a phone it stands a little smaller, and its text can still be read.
White, as readers that know no dark form would show transparent ones with dark text on dark.
"""

import io
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from alerts.alert import Level, Window
from alerts.notification import Notification
from alerts.render import times
from alerts.render.text import clean, cut, people
from alerts.render.typeface import width, write
from alerts.render.words import Language
from alerts.trend import Chart, Trend

WIDTH, HEIGHT = 360, 200
_SCALE = 2
_SMOOTH = 2  # lines are drawn larger and made smaller, which rounds them
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 350, 54, 178  # of the plot, in points
_TITLE, _SMALL = 15 * _SCALE, 12 * _SCALE
_INK, _SOFT, _GRID = "#1f2937", "#5b6472", "#e5e7eb"
_USUAL, _NEGATIVE = "#c6dfcb", "#f2a59b"
_LEVELS = {Level.blue: "#1d5fbf", Level.yellow: "#c99a00", Level.orange: "#d9580d", Level.red: "#c81e1e"}
_HOURS = (1, 2, 3, 6, 12, 24)
_drawing = Lock()  # a face of FreeType serves one thread at a time

_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "{brand} · 每{slot}提及量",
        "mentions": "提及",
        "negative": "其中负面",
        "usual": "近 {weeks} 周同时段",
        "window": "预警时段",
        "told": "{title}，{since} 至 {until}：最近 {count} 条（负面 {negative}），最高 {most} 条（{at}）。",
        "told_usual": "近 {weeks} 周同时段一般为 {low} 至 {high} 条（均值 ± 标准差）。",
    },
    "en": {
        "title": "{brand} · mentions per {slot}",
        "mentions": "mentions",
        "negative": "negative",
        "usual": "usual ({weeks} weeks)",
        "window": "alert",
        "told": "{title}, {since} to {until}: {count} at last ({negative} negative), {most} at most ({at}).",
        "told_usual": " Usual at this time over {weeks} weeks: {low} to {high} (mean ± standard deviation).",
    },
}


def draw(trend: Trend, notification: Notification) -> Chart:
    """Takes some milliseconds: call it in a thread. Raises OSError where the font is missing."""
    language = notification.language
    lead = notification.incident.lead
    brand = cut(clean((lead.brand or lead.topic or "")[:200]), 16)
    plot = _Plot(trend, language, times.zone(notification.timezone), _top(trend))
    with _drawing:
        picture = _shapes(plot, lead.window, _LEVELS[notification.incident.level])
        title = _WORDS[language]["title"].format(brand=brand, slot=_slot(trend.slot, language))
        _text(picture, plot, title, lead.window is not None, notification.incident.level)
    out = io.BytesIO()
    # few colours, quickly found: 6 ms and 11 kB, where the best choice of colours takes 40 and saves nothing
    picture.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG", compress_level=6)
    return Chart(out.getvalue(), told(trend, brand, language, plot.zone))


def told(trend: Trend, brand: str, language: Language, zone: ZoneInfo) -> str:
    """The picture in words, for who does not see it."""
    word, first, last = _WORDS[language], trend.points[0], trend.points[-1]
    end = last.at + trend.slot
    most = max(trend.points, key=lambda point: point.count)
    text = word["told"].format(
        title=word["title"].format(brand=brand, slot=_slot(trend.slot, language)),
        since=times.moment(first.at, zone, end, language),
        until=times.moment(end, zone, end, language),
        count=last.count,
        negative=last.negative,
        most=most.count,
        at=times.moment(most.at, zone, end, language),
    )
    if last.usual is not None:
        low, high = last.usual
        text += word["told_usual"].format(weeks=trend.weeks, low=round(low), high=round(high))
    return text


def _slot(length: timedelta, language: Language) -> str:
    if length == timedelta(hours=1):
        return "小时" if language == "zh" else "hour"
    return (" " if language == "zh" else "") + times.duration(length, language)


def _top(trend: Trend) -> int:
    """A round number that nothing exceeds: 4, 10, 20, 40, 100 …"""
    most = max(max(point.count, point.usual[1] if point.usual else 0.0) for point in trend.points)
    power: int = 10 ** math.floor(math.log10(max(most, 1)))
    return max(4, next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most))


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where counts and times stand, in points."""

    trend: Trend
    language: Language
    zone: ZoneInfo
    top: int

    @property
    def start(self) -> datetime:
        return self.trend.points[0].at

    @property
    def end(self) -> datetime:
        return self.trend.points[-1].at + self.trend.slot

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)

    def y(self, count: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(count / self.top, 1.0)

    def middle(self, at: datetime) -> float:
        return self.x(at + self.trend.slot / 2)

    def marks(self) -> list[datetime]:
        """At most five times of whole local hours, as far apart as a clock has it."""
        span = self.end - self.start
        step = next((hours for hours in _HOURS if span / timedelta(hours=hours) <= 5), 24)
        local = self.start.astimezone(self.zone)
        hour = local.replace(minute=0, second=0, microsecond=0, hour=local.hour // step * step)
        return [at for n in range(1, 64) if self.start <= (at := hour + n * timedelta(hours=step)) <= self.end]


def _shapes(plot: _Plot, window: Window | None, colour: str) -> Image.Image:
    scale = _SCALE * _SMOOTH
    image = Image.new("RGB", (WIDTH * scale, HEIGHT * scale), "white")
    pen = ImageDraw.Draw(image, "RGBA")

    def at(x: float, y: float) -> tuple[float, float]:
        return x * scale, y * scale

    points = plot.trend.points
    if window is not None and window.end > plot.start and window.start < plot.end:
        left, right = plot.x(window.start), max(plot.x(window.end), plot.x(window.start) + 2)
        pen.rectangle([at(left, _TOP), at(right, _BOTTOM)], fill=f"{colour}2b")
        pen.rectangle([at(left, _TOP - 3), at(right, _TOP)], fill=colour)
    usual = [(plot.middle(point.at), *point.usual) for point in points if point.usual is not None]
    if len(usual) > 1:
        upper = [at(x, plot.y(high)) for x, _, high in usual]
        lower = [at(x, plot.y(low)) for x, low, _ in reversed(usual)]
        pen.polygon(upper + lower, fill=_USUAL)
    for count in (0, plot.top / 2, plot.top):
        pen.line([at(_LEFT, plot.y(count)), at(_RIGHT, plot.y(count))], fill=_GRID, width=scale // 2)
    across = [plot.middle(point.at) for point in points]
    negative = [at(x, plot.y(point.negative)) for x, point in zip(across, points, strict=True)]
    pen.polygon([at(across[0], _BOTTOM), *negative, at(across[-1], _BOTTOM)], fill=f"{_NEGATIVE}d0")
    line = [at(x, plot.y(point.count)) for x, point in zip(across, points, strict=True)]
    pen.line(line, fill=_INK, width=2 * scale, joint="curve")
    x, y = line[-1]
    pen.ellipse([x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale], fill=colour, outline="white", width=scale)
    return image.reduce(_SMOOTH)


def _text(picture: Image.Image, plot: _Plot, title: str, window: bool, level: Level) -> None:  # noqa: FBT001
    pen = ImageDraw.Draw(picture)
    word = _WORDS[plot.language]
    write(pen, (12 * _SCALE, 20 * _SCALE), title, size=_TITLE, fill=_INK)
    keys = [(_INK, word["mentions"]), (_NEGATIVE, word["negative"])]
    keys += [(_USUAL, word["usual"].format(weeks=plot.trend.weeks))] if plot.trend.weeks else []
    keys += [(_LEVELS[level], word["window"])] if window else []
    x = 12.0 * _SCALE
    for colour, label in keys:
        pen.rounded_rectangle([x, 32 * _SCALE, x + 10 * _SCALE, 42 * _SCALE], radius=2 * _SCALE, fill=colour)
        write(pen, (x + 14 * _SCALE, 42 * _SCALE), label, size=_SMALL, fill=_SOFT)
        x += 14 * _SCALE + width(label, _SMALL) + 12 * _SCALE
    for count in (0, plot.top // 2, plot.top):
        place = ((_LEFT - 5) * _SCALE, (plot.y(count) + 4) * _SCALE)
        write(pen, place, people(count, plot.language).replace(" ", ""), size=_SMALL, fill=_SOFT, anchor=1)
    for at in plot.marks():
        label = f"{at:%m-%d}" if at.hour == 0 else f"{at:%H:%M}"
        room = width(label, _SMALL) / _SCALE / 2
        x = min(max(plot.x(at), _LEFT + room - 8), WIDTH - room - 4)
        write(pen, (x * _SCALE, (_BOTTOM + 16) * _SCALE), label, size=_SMALL, fill=_SOFT, anchor=0.5)
    last = plot.trend.points[-1]
    beside = ((plot.middle(last.at) - 8) * _SCALE, max(plot.y(last.count) + 4, _TOP + 12) * _SCALE)
    write(pen, beside, people(last.count, plot.language), size=_SMALL, fill=_INK, anchor=1)
