"""What the rules say and what people do, by chance and over days, with what must hold of each incident at every step."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from alerts import AlertEvent, Coverage, Level
from alerts.act import Refused, perform
from alerts.codec import dump_incident, load_incident
from alerts.handling import Act
from alerts.incident import Incident, Incidents
from alerts.sample import sample_notification
from alerts.silence import Ask, NoSilence, silence
from tests.support.audience import Audience

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SAMPLE = replace(sample_notification(T0, "zh").incident.lead, stories=())
BRANDS = {"acme": "云杉科技", "acme-fire": "云杉科技", "rival": "格澜数码"}
TOPICS = tuple(BRANDS)
PEOPLE = ("小林", "老周")
ACTS = (
    "acknowledge", "acknowledge", "unacknowledge", "assign", "note", "check", "respond", "resolve", "resolve", "reopen",
    "close", "merge", "split",
)  # fmt: skip

# What an act may make of the state of the incident that it is done to; where the key is missing, it may change nothing.
LEGAL = {
    "acknowledge": {("open", "acknowledged")},
    "unacknowledge": {("acknowledged", "open"), ("mitigating", "mitigating")},
    "respond": {("open", "mitigating"), ("acknowledged", "mitigating")},
    "resolve": {("open", "resolved"), ("acknowledged", "resolved"), ("mitigating", "resolved")},
    "reopen": {("resolved", "open")},
    "close": {("resolved", "closed")},
    "merge": {(state, "closed") for state in ("open", "acknowledged", "mitigating", "resolved")},
    "split": {(state, "resolved") for state in ("open", "acknowledged", "mitigating")},
}


Happened = tuple[datetime, str, object]
"""When, what, and to which incident or silence."""


@dataclass
class World:
    """The program's incidents, a second copy that is restarted now and then, silences, and those who are told."""

    seed: int
    now: datetime = T0
    incidents: Incidents = field(default_factory=Incidents)
    restarted: Incidents = field(default_factory=Incidents)
    stored: dict[str, Incident] = field(default_factory=dict)
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    seen: list[tuple[str, int]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    journal: list[Happened] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now += timedelta(hours=self.random.randrange(24))
        self.audience = Audience(self.stored, done=self.done)

    def run(self, steps: int) -> None:
        """That many things that happen, and then long enough that all that is held has been told."""
        for _ in range(steps):
            self.pass_time(timedelta(seconds=self.random.choice([1, 20, 300, 3600, 9000])))
            self.happen()
            self.audience.look(self.now)
            self.check()
        self.pass_time(timedelta(days=2))
        self.journal.append((self.now, "end", None))

    def happen(self) -> None:
        chance = self.random.random()
        if not self.stored or chance < 0.4:
            self.tell()
        elif chance < 0.85:
            self.act()
        elif chance < 0.95 or not self.audience.silences:
            self.silence()
        else:
            self.unsilence()

    def pass_time(self, lasting: timedelta) -> None:
        """All is looked at when it is due; one time in ten nobody is there, and it is looked at late, after a restart."""
        end = self.now + lasting
        if self.random.random() < 0.1:
            self.journal.append((end, "nobody there", self.now))
            self.now = end
            self.restart(late=True)
        stop = self.now + lasting * self.random.random() if self.random.random() < 0.2 else end
        while self.now < end:
            due = min((at for at in self.audience.next_due() if at > self.now), default=end)
            self.now = min(at for at in (end, stop, due) if at > self.now)
            if self.now == stop != due:
                self.journal.append((self.now, "restart", None))
                self.restart()
            else:
                self.audience.look(self.now)

    def silence(self) -> None:
        """For one incident, a topic, a brand or all, from now or later, up to a level or to what stands there."""
        what = self.random.choice(["incident", "topic", "brand", "kind"])
        one = self.stored[self.random.choice(list(self.stored))]
        match = {"topic": {self.random.choice(TOPICS)}, "brand": {one.lead.brand}, "kind": {"topic"}}
        # Known: what opens again in the very second in which a silence begins is measured as it stood before.
        starts_at = self.now + timedelta(seconds=self.random.choice([0, 0, 0, 607, 5407]))
        ask = Ask(
            self.random.choice(PEOPLE), "例行促销", starts_at + timedelta(minutes=self.random.choice([2, 30, 240, 900])),
            matchers={what: frozenset(match[what])} if what in match else {},
            incident=None if what in match else one,
            starts_at=starts_at, level=self.random.choice([None, None, *Level]),
        )  # fmt: skip
        made = silence(ask, [each for each in self.stored.values() if each.open], self.now)
        if isinstance(made, NoSilence):
            self.done[f"silence refused: {made.reason}"] += 1
            return
        self.done["silence"] += 1
        number = len(self.audience.silences) + 1
        self.audience.silences[number] = replace(made, number=number)
        self.journal.append((self.now, "silence", made))

    def unsilence(self) -> None:
        one = self.audience.silences[self.random.choice(list(self.audience.silences))]
        if one.over_at > self.now:
            self.done["unsilence"] += 1
            self.audience.silences[one.number] = replace(one, ended_at=self.now, ended_by="阿苏")
            self.journal.append((self.now, "unsilence", one))

    def tell(self) -> None:
        """One event of a new alert, or the next of a known one."""
        if not self.alerts or self.random.random() < 0.3:
            topic = self.random.choice(TOPICS)
            event = replace(
                SAMPLE, alert=f"a{len(self.alerts)}", event="opened", revision=1, topic=topic, brand=BRANDS[topic],
                level=self.random.choice(list(Level)), at=self.now, incident="", coverage=self.coverage(),
                stories=self.random.choice([SAMPLE.stories, (), ()]),
            )  # fmt: skip
        else:
            last = self.alerts[self.random.choice(list(self.alerts))]
            kinds = ["opened"] if last.event == "resolved" else ["updated", "raised", "lowered", "resolved", "resolved"]
            event = self.next_event(last, self.random.choice(kinds))
        self.alerts[event.alert] = event
        before = {name: one.state for name, one in self.stored.items()}
        remembered = [name for name in self.stored if self.incidents.get(name) is not None]
        home = [name for name in remembered if self.holds(self.stored[name], event.alert)]
        done, incident = self.incidents.apply(event)
        assert (done, incident) == self.restarted.apply(event)
        assert self.incidents.apply(event) == (done, incident), "an event that was applied before changes nothing"
        if home and before[home[0]] != "closed" and self.incidents.get(home[0]) is not None:
            assert home == [incident.id], "an alert stays with its incident"
        assert before.get(incident.id) != "closed" or incident.state == "closed"
        self.keep(incident)

    def next_event(self, last: AlertEvent, kind: str) -> AlertEvent:
        level = last.level
        if kind == "raised":
            level = Level(min(level + 1, 4))
        elif kind == "lowered":
            level = Level(max(level - 1, 1))
        grown = self.random.choice([1, 1, 2, 5])
        return replace(
            last, event=kind, level=level, revision=last.revision + 1, at=self.now, coverage=self.coverage(),
            seen=last.seen * grown, reached=replace(last.reached, mentions=last.reached.mentions * grown),
        )  # fmt: skip

    def coverage(self) -> Coverage:
        return Coverage((("weibo", self.now),) if self.random.random() < 0.1 else ())

    def act(self) -> None:
        """Somebody does something, having looked at some time before."""
        kind = self.random.choice(ACTS)
        name = self.random.choice(list(self.stored))
        incident = self.stored[name]
        seen = None
        if self.random.random() < 0.5:
            looked = [revision for one, revision in self.seen if one == name]
            seen = self.random.choice(looked)
        value, other = "1", None
        if kind == "merge":
            other = self.stored[self.random.choice(list(self.stored))]
            value = other.id
        elif kind == "split":
            value = self.random.choice([event.alert for event in incident.alerts])
        act = Act(kind, self.random.choice(PEOPLE), self.now, text="说明", value=value)
        outcome = perform(incident, act, seen=seen, other=other)
        if isinstance(outcome, Refused):
            self.done[f"{kind} refused: {outcome.reason}"] += 1
            return
        assert seen is None or seen >= incident.turn, "who saw an older turn must look again"
        assert not incident.handling.merged_into
        self.done[kind] += 1
        if kind == "merge":
            self.follow(incident, other)
        for after in outcome.incidents:
            if after.id == name:
                moved = (incident.state, after.state)
                assert moved[0] == moved[1] or moved in LEGAL.get(kind, set()), (kind, moved)
            self.keep(after)

    def follow(self, gone: Incident, into: Incident) -> None:
        """As the program does it: what silenced an incident silences the one that took it in."""
        self.journal.append((self.now, "follow", (gone.number, into.number)))
        for number, one in self.audience.silences.items():
            if one.incident == gone.number and one.over_at > self.now:
                self.audience.silences[number] = replace(one, incident=into.number)

    def keep(self, incident: Incident) -> None:
        """With a number from then on, which the fold knows too."""
        before = self.stored.get(incident.id)
        if before is None:
            incident = replace(incident, number=len(self.stored) + 1)
        elif before != incident:
            assert incident.revision > before.revision
            assert not before.handling.merged_into
            assert before.state != "closed" or incident.state == "closed"
        if incident.open:
            self.audience.over.pop(incident.id, None)
        elif before is None or before.open:
            self.audience.over[incident.id] = self.now
        self.stored[incident.id] = load_incident(dump_incident(incident))
        self.seen.append((incident.id, incident.revision))
        if before != incident:
            self.journal.append((self.now, "keep", incident))
        for incidents in (self.incidents, self.restarted):
            incidents.acted(incident, self.now)

    def restart(self, *, late: bool = False) -> None:
        """As the program does it: from what is stored of those that fire, or have changed lately; all is looked at.

        Where it was there all the time nothing is said that would not have been.
        """
        self.restarted = Incidents(
            one for one in self.stored.values() if one.firing or one.updated_at >= self.now - timedelta(hours=2)
        )
        before = len(self.audience.heard)
        self.audience.look(self.now, late=late)
        self.done["restart"] += 1
        if not late:
            assert len(self.audience.heard) == before, "a restart has something to say"

    @staticmethod
    def holds(incident: Incident, alert: str) -> bool:
        return not incident.handling.merged_into and any(event.alert == alert for event in incident.alerts)

    def check(self) -> None:
        for incident in self.stored.values():
            assert incident.turn <= incident.revision
            handling = incident.handling
            if incident.open and handling.taken is not None:
                assert incident.level <= handling.taken.level, "a level above what was taken is nobody's"
            if incident.open:
                assert incident.reached[-1][0] >= incident.level or incident.level <= max(incident.reached)[0]
