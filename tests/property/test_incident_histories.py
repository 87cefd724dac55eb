"""Ten thousand interleavings of what the rules say and what people do: only legal histories, told legally, over restarts."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import AlertEvent, Level
from alerts.act import Refused, perform
from alerts.codec import dump_incident, load_incident
from alerts.flush import Told, decide
from alerts.handling import Act
from alerts.incident import Incident, Incidents
from alerts.route import Leg
from alerts.sample import sample_notification

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
LEG = Leg("pr", timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=4))
SAMPLE = replace(sample_notification(T0, "zh").incident.lead, stories=())
TOPICS = ("acme", "acme-fire", "rival")
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


@dataclass
class World:
    """The program's incidents, a second copy that is restarted now and then, and one receiver."""

    seed: int
    now: datetime = T0
    incidents: Incidents = field(default_factory=Incidents)
    restarted: Incidents = field(default_factory=Incidents)
    stored: dict[str, Incident] = field(default_factory=dict)
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    first_at: dict[str, datetime] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    seen: list[tuple[str, int]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def step(self) -> None:
        self.now += timedelta(seconds=self.random.choice([1, 20, 300, 3600, 9000]))
        if not self.stored or self.random.random() < 0.4:
            self.tell()
        else:
            self.act()
        if self.random.random() < 0.1:
            self.restart()
        for incident in list(self.stored.values()):
            self.flush(incident)
        self.check()

    def tell(self) -> None:
        """One event of a new alert, or the next of a known one."""
        if not self.alerts or self.random.random() < 0.3:
            name = f"a{len(self.alerts)}"
            event = replace(
                SAMPLE, alert=name, event="opened", revision=1, topic=self.random.choice(TOPICS),
                level=self.random.choice(list(Level)), at=self.now, incident="",
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
        return replace(last, event=kind, level=level, revision=last.revision + 1, at=self.now)

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
        for after in outcome.incidents:
            if after.id == name:
                moved = (incident.state, after.state)
                assert moved[0] == moved[1] or moved in LEGAL.get(kind, set()), (kind, moved)
            self.keep(after)
            for incidents in (self.incidents, self.restarted):
                incidents.acted(after, self.now)

    def keep(self, incident: Incident) -> None:
        before = self.stored.get(incident.id)
        if before is not None and before != incident:
            assert incident.revision > before.revision
            assert not before.handling.merged_into
            assert before.state != "closed" or incident.state == "closed"
        self.stored[incident.id] = load_incident(dump_incident(incident))
        self.seen.append((incident.id, incident.revision))

    def restart(self) -> None:
        """As the program does it: from what is stored of those that fire, or have changed lately."""
        self.restarted = Incidents(
            one for one in self.stored.values() if one.firing or one.updated_at >= self.now - timedelta(hours=2)
        )

    def flush(self, incident: Incident) -> None:
        before = self.told.get(incident.id)
        first_at = self.first_at.setdefault(incident.id, self.now)
        decision = decide(incident, before, LEG, first_at=first_at, now=self.now)
        if decision.kind is None:
            assert decision.next_at is None or decision.next_at > self.now
            return
        self.told[incident.id] = Told(incident.revision, incident.level, decision.kind, self.now)
        self.said.setdefault(incident.id, []).append(decision.kind)
        again = decide(incident, self.told[incident.id], LEG, first_at=first_at, now=self.now)
        assert again.kind in {None, "resolve"}, "nothing is said twice at once"

    @staticmethod
    def holds(incident: Incident, alert: str) -> bool:
        return not incident.handling.merged_into and any(event.alert == alert for event in incident.alerts)

    def check(self) -> None:
        for name, incident in self.stored.items():
            assert incident.turn <= incident.revision
            handling = incident.handling
            if incident.open and handling.taken is not None:
                assert incident.level <= handling.taken.level, "a level above what was taken is nobody's"
            if incident.open:
                assert incident.reached[-1][0] >= incident.level or incident.level <= max(incident.reached)[0]
            kinds = self.said.get(name, [])
            for place, kind in enumerate(kinds):
                last = kinds[place - 1] if place else "resolve"
                assert (kind == "open") == (last == "resolve"), kinds


@pytest.mark.parametrize("part", range(10))
def test_only_legal_histories(part):
    """Of a thousand seeds each: every act and refusal occurs, and each history keeps its promises at every step."""
    done: Counter[str] = Counter()
    for seed in range(part * 1000, (part + 1) * 1000):
        world = World(seed)
        try:
            for _ in range(20):
                world.step()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        done += world.done
    assert set(LEGAL) <= set(done)
    wanted = {
        "acknowledge refused: taken",
        "acknowledge refused: over",
        "resolve refused: over",
        "resolve refused: revision",
    }
    assert wanted <= set(done)
