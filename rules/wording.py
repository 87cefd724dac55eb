"""Durations, numbers and kinds of mention in the words that people read, Chinese and English."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alerts import Because
from alerts.channel_names import in_chinese

if TYPE_CHECKING:
    from rules.filter import Filter


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a condition counts, as a noun, of one and of more, and its window; ``timezone``: of the clock that is read."""

    one: Because
    many: Because
    length: Because
    timezone: str

    def noun(self, count: int) -> Because:
        return self.one if count == 1 else self.many


_UNITS = (
    (timedelta(days=1), " 天", " d"),
    (timedelta(hours=1), " 小时", " h"),
    (timedelta(minutes=1), " 分钟", " min"),
    (timedelta(seconds=1), " 秒", " s"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LABELS = {
    "negative": ("负面", "negative"),
    "neutral": ("中性", "neutral"),
    "positive": ("正面", "positive"),
    "unknown": ("未判定", "unjudged"),
}


@lru_cache(maxsize=4096)
def span(duration: timedelta) -> Because:
    """The two largest units: 90 minutes are ``1 小时 30 分钟`` and ``1 h 30 min``."""
    zh: list[str] = []
    en: list[str] = []
    left = duration
    for unit, chinese, english in _UNITS:
        count, left = divmod(left, unit)
        if count and len(zh) < 2:
            zh.append(f"{count}{chinese}")
            en.append(f"{count}{english}")
        elif zh:
            break
    return Because(" ".join(zh) or "0 秒", " ".join(en) or "0 s")


def clock(when: datetime, now: datetime, timezone: str) -> Because:
    """A time of the past, local: of the same day the time alone, else with its date. In English with its preposition."""
    local, today = (one.astimezone(ZoneInfo(timezone)) for one in (when, now))
    time = f"{local:%H:%M}"
    if local.date() == today.date():
        return Because(f"{time} ", f"at {time}")
    year = local.year != today.year
    zh, en = f"{local.month}月{local.day}日 {time} ", f"on {local.day} {_MONTHS[local.month - 1]}"
    return Because(f"{local.year}年{zh}" if year else zh, f"{en} {local.year} at {time}" if year else f"{en} at {time}")


def number(value: float) -> str:
    """Whole from ten upwards, one digit after the point below, two below one; no trailing zeros."""
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    text = f"{value:.1f}" if value >= 1 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if float(text) else f"{value:.1g}"


def percent(share: float) -> str:
    """A share as per cent, without digits after the point unless it needs them to differ from 0 and 100."""
    whole = f"{share:.0%}"
    return f"{share:.1%}" if whole in {"0%", "100%"} and share not in {0.0, 1.0} else whole


def labels(names: tuple[str, ...]) -> Because:
    return Because("或".join(_LABELS[name][0] for name in names), " or ".join(_LABELS[name][1] for name in names))


def mentions(*filters: "Filter | None", count: int = 2) -> Because:
    """What the filters let through, as a noun: the label is named, and that more is asked for is said."""
    given = [one for one in filters if one is not None]
    asked = tuple(dict.fromkeys(name for one in given for name in one.label or ()))
    channels = tuple(dict.fromkeys(name for one in given for name in one.channel or ()))
    kind = labels(asked) if asked else Because("", "")
    where = (
        Because(f"{'、'.join(map(in_chinese, channels))}上的", f" on {', '.join(channels)}")
        if channels
        else Because("", "")
    )
    more = Because("符合条件的", "selected ") if any(one.asks_more for one in given) else Because("", "")
    english = f"{kind.en} mention" if asked else "mention"
    return Because(f"{where.zh}{more.zh}{kind.zh}提及", f"{more.en}{english}{'' if count == 1 else 's'}{where.en}")
