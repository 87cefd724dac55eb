"""How values are said on a page: words, times, amounts, in one language and zone. Templates call it ``say``."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alerts import AlertEvent, Because, Incident, Level
from alerts.channel_names import in_chinese
from alerts.handling import Act
from alerts.render.act import spoken
from alerts.render.headline import reason
from alerts.render.names import RISKS
from alerts.render.times import moment, period
from listener.failure_words import failure_zh
from listener.web.config import Language
from listener.web.view import Glance
from listener.web.words import WORDS
from listener.web.words_of_trial import EXPECTED
from rules.query import QueryError

UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\\\"<>`]")


@dataclass(frozen=True, slots=True)
class Speech:
    """``now`` is aware UTC: what relative times are relative to."""

    language: Language
    zone: ZoneInfo
    now: datetime

    def __call__(self, key: str, **values: object) -> str:
        """The words of *key*; KeyError for an unknown key or a value that is missing."""
        text = WORDS[key][0 if self.language == "zh" else 1]
        return text.format(**values) if values else text

    def term(self, kind: str, name: str) -> str:
        """The word for *name* of that *kind*, such as a tier; the name itself where the catalogue has none."""
        key = f"{kind}_{name}"
        return self(key) if key in WORDS else name

    def risk(self, name: str) -> str:
        """The name of a kind of trouble, as messages have it; the name itself where they know none."""
        return RISKS[self.language].get(name, name)

    @property
    def tag(self) -> str:
        """The language as BCP 47 has it."""
        return "zh-CN" if self.language == "zh" else "en"

    def of(self, because: Because) -> str:
        """What *because* says; the other language where this one is empty."""
        return because.of(self.language) or because.of("en" if self.language == "zh" else "zh")

    def why(self, because: Because) -> str:
        """A reason, without the word in it that is there for programs."""
        return reason(because, self.language) or self.of(because)

    # times

    def moment(self, at: datetime) -> str:
        """Date and time in the zone, as messages have them; the year only where it is not this one."""
        return moment(at, self.zone, self.now, self.language)

    def full(self, at: datetime) -> str:
        """Everything, for a tooltip and for a page that is printed."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {self.offset(at)}"

    def clock(self, at: datetime) -> str:
        """The time of day, to the second."""
        return f"{at.astimezone(self.zone):%H:%M:%S}"

    def offset(self, at: datetime) -> str:
        """The zone's distance from UTC at that time, such as UTC+08:00."""
        return f"UTC{at.astimezone(self.zone).isoformat()[-6:]}"

    def span(self, start: datetime, end: datetime) -> str:
        """From and to, the date said once where it is the same."""
        return period(start, end, self.zone, self.now, self.language)

    def duration(self, length: timedelta) -> str:
        """In at most two units, rounded down: 45 s, 12 min, 3 h 20 min, 2 d 4 h."""
        seconds = max(0, int(length.total_seconds()))
        minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
        if seconds < 60:
            return self("seconds", count=seconds)
        if minutes < 60:
            return self("minutes", count=minutes)
        if hours < 24:
            rest = minutes % 60
            return self("hours_minutes", count=hours, minutes=rest) if rest else self("hours", count=hours)
        rest = hours % 24
        return self("days_hours", count=days, hours=rest) if rest else self("days", count=days)

    def deadline(self, due: datetime) -> str:
        """By when the public must have an answer, with the time that is left, or by how much it is late."""
        key = "respond_left" if due > self.now else "respond_over"
        return self(key, at=self.moment(due), duration=self.duration(abs(due - self.now)))

    def ago(self, at: datetime | None) -> str:
        """How long before now; ahead of now, how long until then."""
        if at is None:
            return self("never")
        if abs(self.now - at) < timedelta(seconds=5):
            return self("just_now")
        if at > self.now:
            return self("ahead", duration=self.duration(at - self.now))
        return self("ago", duration=self.duration(self.now - at))

    # queries

    def mistake(self, error: QueryError) -> str:
        return self.of(error.because)

    def expected(self, error: QueryError) -> list[str]:
        """What could stand where the mistake is, the first 30."""
        said = EXPECTED if self.language == "zh" else {}
        return [said.get(name, name) for name in error.expected[:30]]

    # amounts

    def number(self, count: float) -> str:
        """Grouped by thousands; whole where it is whole, else one digit."""
        return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.1f}"

    def crowd(self, count: int) -> str:
        """A large number as people say it: 1.2万 and 3.4亿, or 12k and 3.4M; rounded down: reach is a lower bound."""
        if count < 10_000:
            return f"{count:,}"
        units = ((10**8, "亿"), (10**4, "万")) if self.language == "zh" else ((10**9, "B"), (10**6, "M"), (10**3, "k"))
        size, unit = next(pair for pair in units if count >= pair[0])
        tenths = count * 10 // size
        whole = tenths >= 1000 or tenths % 10 == 0
        return f"{tenths // 10:,}{unit}" if whole else f"{tenths / 10:.1f}{unit}"

    def share(self, part: float, whole: float = 1.0) -> str:
        """A percentage; 0 % and 100 % only where it is exactly that."""
        if whole <= 0:
            return "–"
        percent = 100 * part / whole
        if 0 < percent < 1:
            return "<1%"
        return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"

    def listing(self, parts: Iterable[str]) -> str:
        return self("comma").join(parts)

    def channel(self, name: str) -> str:
        """As its reader knows it."""
        return in_chinese(name) if self.language == "zh" else name

    def failure(self, reason: str) -> str:
        """Why a poll failed."""
        return failure_zh(reason) if self.language == "zh" else reason

    def places(self, channels: Iterable[str]) -> str:
        return self.listing(self.channel(name) for name in channels)

    def channels(self, channels: Sequence[tuple[str, int]]) -> str:
        return self("dot").join(f"{self.channel(name)} {self.number(count)}" for name, count in channels)

    # alerts

    def act(self, act: Act) -> str:
        """Who did what; their own words stand apart."""
        return spoken(replace(act, text=""), self.language)

    def called(self, incident: Incident) -> str:
        """What people call it: #12, or its id where it is of before there were numbers."""
        return f"#{incident.number}" if incident.number else incident.id

    def command(self, act: str, incident: Incident) -> str:
        """How it is done on the command line."""
        subject = str(incident.number or shlex.quote(incident.id))
        more = {"note": " --text '…'", "close": " --text '…'", "assign": " NAME", "check": " STEP"}.get(act, "")
        return f"listener incident {act} {subject}{more} -c listener.yml"

    def level(self, level: Level) -> str:
        return self(f"level_{level.name}")

    def warning(self, level: Level) -> str:
        return self("warning", level=self.level(level))

    def headline(self, event: AlertEvent) -> str:
        """The brand and what kind of trouble; the rule's id where it has no title."""
        title = self.of(event.title) or event.rule
        return f"{event.brand}{self('dot')}{title}" if event.brand else title

    def title(self, glance: Glance) -> str:
        """The window's title: a tab in the background tells of an alert too."""
        product = self("product")
        if glance.level:
            return self("title_open", count=glance.open, level=self.level(glance.level), product=product)
        return self("title_blind", product=product) if glance.blind else product

    def blind(self, event: AlertEvent) -> str:
        """The sources that could not be seen, each with since when."""
        return self.listing(
            self("blind_from", source=source, time=self.moment(since)) for source, since in event.coverage.blind
        )


def linkable(url: str) -> bool:
    """Whether *url* is an http(s) address fit for a link; javascript: and everything else is not."""
    if UNSAFE_IN_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc
