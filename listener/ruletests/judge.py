"""One rule test run and judged; what it found, in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts import AlertEvent, Level
from alerts.rehearse import Message, rehearse
from listener.problem import Keys, Problem
from listener.ruletests.load import RuleTests, source_of
from listener.ruletests.model import (
    ExpectConfig,
    ExpectEventConfig,
    HistoryConfig,
    InputConfig,
    RuleTestConfig,
    SentName,
    SeriesConfig,
)
from listener.yaml_scalars import duration_text
from rules.ruletest import Kind, Outage, Scenario, Stream
from rules.ruletest_judge import Alerts, Miss, Played, WantedEvent, WantedState, play
from rules.series import Counts, parse_counts

_KINDS: Mapping[str, SentName] = {"open": "opened", "update": "updated", "repeat": "repeated", "resolve": "resolved"}
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """What was wanted and what was so instead; ``because`` and ``nearest`` are empty where there is nothing to tell."""

    problem: Problem
    expected: str
    seen: str
    because: str = ""
    nearest: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``sent``: what the route would have sent; None without a route."""

    test: str
    start: datetime
    failures: tuple[Failure, ...]
    events: tuple[AlertEvent, ...]
    sent: tuple[Message, ...] | None
    mentions: int
    late: int

    @property
    def passed(self) -> bool:
        return not self.failures


def judge(tests: RuleTests, number: int) -> Verdict:
    """Run test *number* of the file. Never raises over what it holds: that is a failure, with its place."""
    return _Judgement(tests, number).verdict()


class _Judgement:
    def __init__(self, tests: RuleTests, number: int) -> None:
        self.tests = tests
        self.test = tests.tests[number]
        self.keys: Keys = ("tests", number)
        self.start = self.test.start

    def verdict(self) -> Verdict:
        wanted = [_wanted_state(one, self.start) for one in self.test.expect]
        scenario = self._scenario()
        try:
            played = play(scenario, wanted)
        except ValueError as error:
            return Verdict(
                self.test.name, self.start, (self._failure((), "a test that can be run", str(error)),), (), None, 0, 0
            )
        route, inhibit = self.tests.route, self.tests.inhibit
        sent = rehearse(played.events, route, until=scenario.ends, inhibit=inhibit) if route else None
        failures = [
            *(
                self._failure((), f"rule {rule} to be evaluated", f"it raised {what}")
                for rule, what in played.failures.items()
            ),
            *self._states(played, wanted),
            *self._events(played, scenario.ends),
            *self._sent(sent or ()),
        ]
        return Verdict(self.test.name, self.start, tuple(failures), played.events, sent, played.mentions, played.late)

    def _scenario(self) -> Scenario:
        test, start = self.test, self.start
        streams = [
            *(self._history(one, f"history-{place + 1}") for place, one in enumerate(test.history)),
            *(self._input(one, f"input-{place + 1}") for place, one in enumerate(test.input)),
        ]
        outages = tuple(
            Outage(frozenset(one.source or self.tests.feeds), start + one.down[0], start + one.down[1])
            for one in test.faults
        )
        return Scenario(
            rules=self.tests.rule_set,
            step=test.step or self.tests.step,
            start=start,
            ends=start + (test.until if test.until is not None else _last(test)),
            feeds=self.tests.feeds,
            streams=tuple(streams),
            outages=outages,
        )

    def _input(self, series: InputConfig, name: str) -> Stream:
        counts = parse_counts(series.values)
        return Stream(name, self._kind(series), counts, series.per, self.start + series.from_, late=series.late)

    def _history(self, series: HistoryConfig, name: str) -> Stream:
        kind, counts = self._kind(series), parse_counts(series.values)
        if series.days is None:
            begins = self.start - len(counts) * series.per
            return Stream(name, kind, counts, series.per, begins, ends=self.start, history=True)
        first = self.start - timedelta(days=series.days)
        begins = first.replace(hour=0, minute=0, second=0, microsecond=0)
        begins -= timedelta(days=begins.weekday()) if series.repeat == "week" else timedelta(0)
        rounds = -((begins - self.start) // (len(counts) * series.per))
        return Stream(
            name, kind, Counts(counts.stretches * rounds), series.per, begins, first, self.start, history=True
        )

    def _kind(self, series: SeriesConfig) -> Kind:
        source = source_of(series, self.tests.feeds)
        return Kind(
            topics=series.topic,
            source=source,
            channel=series.channel or self.tests.feeds[source].channel,
            label=series.label,
            confidence=series.confidence,
            risks=series.risks or (),
            authors=series.authors,
            author=series.author or "",
            followers=series.followers,
            verified=series.verified,
            reach=series.reach,
            title=series.title,
            text=series.text,
            story=series.story,
            site=series.site,
            region=series.region,
        )

    # what was wanted

    def _states(self, played: Played, wanted: Sequence[WantedState]) -> Iterator[Failure]:
        for miss in played.misses:
            one = self.test.expect[miss.place]
            about = WantedEvent(wanted[miss.place].alerts, "opened", self.start, self.start)
            near = [event for event in played.events if about.is_about(event)]
            because = f"{miss.seen.because.zh} | {miss.seen.because.en}" if miss.seen.because else ""
            yield self._failure(
                ("expect", miss.place), _state_words(one), self._seen(miss), because, self._nearest(near, miss.at)
            )

    def _seen(self, miss: Miss) -> str:
        seen = miss.seen
        words = seen.state if seen.level is None else f"{seen.state} {seen.level.name}"
        key = ", ".join(f"{name} {value}" for name, value in seen.key.items())
        since = f" since {self._after(seen.since)}" if seen.since is not None else ""
        return f"{words}{since}{f' ({key})' if key else ''} at {self._after(miss.at)}"

    def _events(self, played: Played, ends: datetime) -> Iterator[Failure]:
        for place, one in enumerate(self.test.expect_events):
            wanted = _wanted_event(one, self.start, ends)
            least, most = wanted.times
            met = [event for event in played.events if wanted.is_met_by(event)]
            if least <= len(met) and (most is None or len(met) <= most):
                continue
            about = [event for event in played.events if wanted.is_about(event)]
            shown = met or [event for event in about if event.event == wanted.event]
            because = f"{shown[0].because.zh} | {shown[0].because.en}" if shown else ""
            seen = f"{len(met)} of them" if met or not about else f"none such; {self._list(about)}"
            if not about:
                seen = "no event of these alerts"
            elif met:
                seen = f"{len(met)}: {self._list(met)}"
            yield self._failure(
                ("expect_events", place), _event_words(one), seen, because, self._nearest(about, wanted.first)
            )

    def _sent(self, sent: Iterable[Message]) -> Iterator[Failure]:
        if self.test.expect_sent is None:
            return
        by_receiver: dict[str, list[Message]] = {}
        for message in sent:
            by_receiver.setdefault(message.receiver, []).append(message)
        for receiver in dict.fromkeys([*self.test.expect_sent, *by_receiver]):
            messages, given = by_receiver.get(receiver, []), self.test.expect_sent.get(receiver, {})
            counts = Counter(_KINDS[message.kind] for message in messages)
            for kind in _KINDS.values():
                least, most = given.get(kind, (0, 0))
                if least <= counts[kind] <= most:
                    continue
                keys: Keys = ("expect_sent", receiver, kind) if kind in given else ("expect_sent", receiver)
                listed = [f"{_KINDS[one.kind]} at {self._after(one.at)} ({one.reason})" for one in messages]
                seen = f"{counts[kind]}; it was sent {_shortened(listed) or 'nothing'}"
                yield self._failure(keys, f"{_count_words((least, most))} {kind} to {receiver}", seen)

    # words

    def _failure(self, keys: Keys, expected: str, seen: str, because: str = "", nearest: str = "") -> Failure:
        message = f"{self.test.name!r}: expected {expected}; seen {seen}"
        message += f"; because: {because}" if because else ""
        message += f"; nearest event: {nearest}" if nearest else ""
        return Failure(self.tests.problem((*self.keys, *keys), message), expected, seen, because, nearest)

    def _nearest(self, events: Sequence[AlertEvent], at: datetime) -> str:
        near = min(events, key=lambda event: abs(event.at - at), default=None)
        return self._event(near) if near is not None else "none"

    def _event(self, event: AlertEvent) -> str:
        key = ", ".join(event.key.values())
        return f"{event.event} {event.level.name} at {self._after(event.at)} ({key})"

    def _list(self, events: Sequence[AlertEvent]) -> str:
        return _shortened([self._event(event) for event in events])

    def _after(self, at: datetime) -> str:
        before = at < self.start
        return ("-" if before else "") + duration_text(abs(at - self.start))


def _last(test: RuleTestConfig) -> timedelta:
    """Where the last series or expectation ends."""
    ends = [one.from_ + one.late + len(parse_counts(one.values)) * one.per for one in test.input]
    ends += [one.at for one in test.expect if one.at is not None]
    ends += [one.between[1] for one in test.expect if one.between is not None]
    ends += [one.at[1] for one in test.expect_events if one.at is not None]
    ends += [one.down[1] for one in test.faults]
    return max(ends, default=timedelta(0))


def _wanted_state(one: ExpectConfig, start: datetime) -> WantedState:
    first, last = one.between or (one.at or timedelta(0), one.at or timedelta(0))
    level = Level[one.level] if one.level else None
    return WantedState(Alerts(one.rule, one.topic, dict(one.key)), one.state, level, start + first, start + last)


def _wanted_event(one: ExpectEventConfig, start: datetime, ends: datetime) -> WantedEvent:
    first, last = (start + one.at[0], start + one.at[1]) if one.at else (start, ends)
    wanted = WantedEvent(Alerts(one.rule, one.topic, dict(one.key)), one.event, first, last)
    return replace(
        wanted,
        times=one.times or (1, None),
        level=Level[one.level] if one.level else None,
        because=one.because,
        baseline=one.baseline,
        blind=frozenset(one.blind or ()),
    )


def _state_words(one: ExpectConfig) -> str:
    when = _span_words(one.between) if one.between else f"at {duration_text(one.at or timedelta(0))}"
    return f"{one.rule} {' or '.join(one.state)}{f' {one.level}' if one.level else ''} {when}"


def _event_words(one: ExpectEventConfig) -> str:
    least, most = one.times or (1, None)
    words = f"{_count_words((least, most))} {one.event}" + (f" {one.level}" if one.level else "") + f" of {one.rule}"
    words += f" with {one.because!r}" if one.because else ""
    words += f" against a baseline {one.baseline}" if one.baseline else ""
    words += f" blind to {', '.join(one.blind)}" if one.blind else ""
    if one.at is None:
        return words
    return f"{words} {_span_words(one.at)}" if one.at[0] != one.at[1] else f"{words} at {duration_text(one.at[0])}"


def _span_words(span: tuple[timedelta, timedelta]) -> str:
    return f"from {duration_text(span[0])} to {duration_text(span[1])}"


def _count_words(times: tuple[int, int | None]) -> str:
    least, most = times
    if most is None:
        return f"at least {least}"
    return str(least) if least == most else f"{least} to {most}"


def _shortened(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
