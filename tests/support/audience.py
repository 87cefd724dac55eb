"""Two receivers who hear of incidents as a flush would tell them, in memory, and what must hold each time they do.

What is silenced, inhibited or waits for the morning is worked out here once more, from how the incidents stand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import Incident, Level
from alerts.flush import Told, decide
from alerts.hold import Held, Hours
from alerts.hours import TimeInterval
from alerts.inhibition import Inhibition, inhibitor
from alerts.route import Leg, Route
from alerts.settle import known_level, settle
from alerts.silence import GROWN, Silence, Stay, speak, stay

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = Hours(quiet=(TimeInterval("night", ZONE, times=((22 * 60, 24 * 60), (0, 8 * 60))),))
PACE = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=12))
LEGS = (Leg("pr", *PACE), Leg("sleeper", *PACE, NIGHT))
ROUTE = Route(LEGS[0], {}, routes=(Route(LEGS[0], {}, go_on=True), Route(LEGS[1], {})))
RED_MUTES = Inhibition({"level": frozenset({"red"})}, {"level": frozenset({"blue", "yellow"})}, ("brand",))


@dataclass(frozen=True, slots=True)
class Message:
    at: datetime
    receiver: str
    incident: str
    kind: str
    revision: int


@dataclass(slots=True)
class Ear:
    """What a receiver knows of an incident."""

    first_at: datetime
    told: Told | None = None
    held: Held | None = None

    @property
    def knows(self) -> bool:
        return self.told is not None and self.told.kind != "resolve"


@dataclass
class Base:
    """How an incident stood when a silence began for its wave, and the revision with which it outgrew that."""

    began: datetime
    wave: datetime
    level: Level
    rule: str
    mentions: int
    seen: float
    outgrown: int | None = None


@dataclass
class Audience:
    incidents: Mapping[str, Incident]
    silences: dict[int, Silence] = field(default_factory=dict)
    heard: list[Message] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    ears: dict[tuple[str, str], Ear] = field(default_factory=dict)
    stays: dict[str, dict[int, Stay]] = field(default_factory=dict)
    bases: dict[tuple[int, str], Base] = field(default_factory=dict)
    owed: set[tuple[str, str]] = field(default_factory=set)  # who slept when there was something to hear, and of what
    gone: set[tuple[str, str]] = field(default_factory=set)  # who did not hear of what ended in a silence
    due: dict[str, datetime] = field(default_factory=dict)
    over: dict[str, datetime] = field(default_factory=dict)  # since when an incident is not open

    def next_due(self) -> list[datetime]:
        """When something may be to be said though nothing happens."""
        edges = (at for one in self.silences.values() for at in (one.starts_at, one.over_at))
        return [*self.due.values(), *edges]

    def look(self, now: datetime, *, late: bool = False) -> None:
        """At all incidents, until there is nothing more to say. ``late``: nobody looked when it was due."""
        self._measure(now)
        for again in range(4):
            before = len(self.heard)
            for incident in list(self.incidents.values()):
                self._look_at(incident, now, late=late or again > 0)
            if len(self.heard) == before:
                return
        raise AssertionError("there is more and more to say at one time")

    def _look_at(self, incident: Incident, now: datetime, *, late: bool) -> None:
        mine = self.stays.setdefault(incident.id, {})
        for number in mine:
            mine[number] = replace(mine[number], silence=self.silences[number])
        for silence in self.silences.values():
            after = stay(silence, incident, mine.get(silence.number), now)
            if after is not None:
                mine[silence.number] = after
        source = inhibitor(incident, self.incidents.values(), [RED_MUTES])
        again: list[datetime] = []
        for leg in LEGS:
            ear = self.ears.setdefault((leg.receiver, incident.id), Ear(now))
            decision = decide(incident, ear.told, leg, first_at=ear.first_at, now=now)
            decision, silenced = speak(decision, incident, ear.told, leg, mine.values(), first_at=ear.first_at, now=now)
            muted = Held("inhibited", source.id, None) if source is not None else None
            held = silenced or muted or leg.hours.held(known_level(incident, ear.told), now)
            done = settle(decision, incident, held, ear.held, now=now)
            if done.next_at is not None and done.next_at > now:
                again.append(done.next_at)
            before = replace(ear)
            ear.held = done.held
            if done.kind is not None:
                ear.told = Told(incident.revision, incident.level, done.kind, now)
                self.heard.append(Message(now, leg.receiver, incident.id, done.kind, incident.revision))
                self.done[f"{leg.receiver} {done.kind}"] += 1
            self._check(incident, leg, before, ear, done.kind, now, late=late)
        if again:
            self.due[incident.id] = min(again)
        else:
            self.due.pop(incident.id, None)

    # From here on the definitions, read once more

    def _measure(self, now: datetime) -> None:
        """What a silence holds is measured by how it stood when that began, and a new wave of alerts begins anew."""
        for silence in self.silences.values():
            for incident in self.incidents.values():
                if not silence.active(now) or not silence.matches(incident):
                    continue
                key = (silence.number, incident.id)
                base, lead = self.bases.get(key), incident.lead
                began = max(silence.starts_at, incident.wave)
                if base is None or (incident.open and base.began < began):
                    if incident.level <= silence.level:
                        self.bases[key] = Base(
                            began, incident.wave, incident.level, lead.rule, lead.reached.mentions, lead.seen
                        )
                elif incident.open and base.outgrown is None:
                    now_at, was = (lead.reached.mentions, base.mentions) if base.mentions else (lead.seen, base.seen)
                    same = bool(base.mentions) or lead.rule == base.rule
                    if incident.level > base.level or (same and was and now_at >= GROWN * was):
                        base.outgrown = incident.revision

    def _check(
        self, incident: Incident, leg: Leg, before: Ear, after: Ear, kind: str | None, now: datetime, *, late: bool
    ) -> None:
        known = max(incident.level, before.told.level) if before.told and before.knows else incident.level
        silencing = [one for one in self.silences.values() if one.holds(incident, known, now)]
        inhibited = incident.open and self._inhibited(incident)
        hour = now.astimezone(ZONE).hour
        asleep = leg.receiver == "sleeper" and known < Level.red and not 8 <= hour < 22
        self._check_order(incident, leg, before, kind, now, late=late)
        mine = (leg.receiver, incident.id)
        if incident.open:
            self.gone.discard(mine)
        elif silencing and not before.knows and mine not in self.owed:
            self.gone.add(mine)
        assert kind is None or mine not in self.gone, "what began and ended in a silence"
        if silencing:
            rose = self._outgrown(incident, silencing, before) and self._waited(incident, leg, before, now)
            if rose and asleep and not inhibited and not before.knows:
                self.owed.add(mine)
            assert kind == ("breakthrough" if rose and not asleep and not inhibited else None), "silenced"
        elif inhibited or asleep:
            assert kind is None, "inhibited" if inhibited else "quiet hours"
            told = before.told
            soon = told is None or incident.level > told.level or now >= self._paced(leg, before)
            if (
                incident.open
                and not before.knows
                and soon
                and not inhibited
                and self._waited(incident, leg, before, now)
            ):
                self.owed.add(mine)
        else:
            assert kind != "breakthrough", "of what no silence holds"
            self._check_missing(incident, leg, before, after, known, now)
            owed = mine in self.owed and not incident.open
            assert kind is not None or not owed, "the night is not told in the morning"
        if kind is not None:
            self.owed.discard(mine)
        self._check_once(incident, leg, kind)

    def _check_order(
        self, incident: Incident, leg: Leg, before: Ear, kind: str | None, now: datetime, *, late: bool
    ) -> None:
        if kind == "open":
            assert not before.knows, "two beginnings without an end"
            assert now >= self._begins(incident, leg, before), "before the end of group_wait"
            self._check_begun(incident, leg, before, late=late)
        elif kind == "resolve":
            owed = before.held is not None and before.held.owed
            assert before.knows or owed, "the end of what nobody heard of"
            assert not incident.open
        elif kind in {"breakthrough", "unsilenced"}:
            assert incident.open
        elif kind is not None:
            assert before.knows, f"{kind} of what nobody heard of"
            assert incident.open, f"{kind} of what is over"

    def _check_begun(self, incident: Incident, leg: Leg, before: Ear, *, late: bool) -> None:
        """Of what is over only a beginning is told that was due before its end, and that nobody was there to tell."""
        if incident.open:
            return
        over_at = self.over[incident.id]
        assert late, "a beginning of what is over"
        assert over_at >= self._begins(incident, leg, before), "over before anybody was to be told"

    def _check_missing(
        self, incident: Incident, leg: Leg, before: Ear, after: Ear, known: Level, now: datetime
    ) -> None:
        """Nothing holds it: what is due has been said by now."""
        if not incident.open:
            assert not after.knows or now < self._paced(leg, after), "an end that is not told"
            return
        if not self._waited(incident, leg, before, now):
            return
        if now >= self._paced(leg, before):
            assert after.knows, "open, and not told"
        if not after.knows:
            return
        assert after.told is not None
        assert after.told.level >= incident.level, "higher than was told"
        if incident.handling.taken is None and now >= self._paced(leg, after):
            assert after.told.revision == incident.revision, "news that is not told"
        for silence in self.silences.values():
            base = self.bases.get((silence.number, incident.id))
            if base is not None and base.wave == incident.wave and known <= silence.level:
                over = base.began < silence.over_at <= now
                assert not over or after.told.at >= silence.over_at, "what stood at the end of its silence"

    def _check_once(self, incident: Incident, leg: Leg, kind: str | None) -> None:
        if kind not in {"breakthrough", "unsilenced"}:
            return
        mine = [one for one in self.heard if (one.receiver, one.incident) == (leg.receiver, incident.id)]
        said = sum(one.kind == kind and one.at >= incident.wave for one in mine)
        held = sum(1 for (_, name), base in self.bases.items() if name == incident.id and base.wave == incident.wave)
        assert said <= held, f"{kind} more than once"

    def _outgrown(self, incident: Incident, silencing: Iterable[Silence], before: Ear) -> bool:
        heard = -1 if before.told is None else before.told.revision
        bases = [self.bases.get((one.number, incident.id)) for one in silencing]
        return incident.open and any(b is not None and b.outgrown is not None and b.outgrown > heard for b in bases)

    def _inhibited(self, incident: Incident) -> bool:
        """A red one of the same brand that sees everything, for blue and yellow; merged ones have two brands."""
        if incident.level not in {Level.blue, Level.yellow}:
            return False
        sources = [
            one for one in self.incidents.values()
            if one.open and one.level is Level.red and not one.lead.coverage.blind and one.id != incident.id
        ]  # fmt: skip
        return _brands(incident) <= {brand for one in sources for brand in _brands(one)}

    @classmethod
    def _waited(cls, incident: Incident, leg: Leg, ear: Ear, now: datetime) -> bool:
        """Past group_wait, of which who knows of it has none."""
        return ear.knows or now >= cls._begins(incident, leg, ear)

    @staticmethod
    def _begins(incident: Incident, leg: Leg, ear: Ear) -> datetime:
        return (ear.first_at if ear.told is None else max(ear.told.at, incident.wave)) + leg.group_wait

    @staticmethod
    def _paced(leg: Leg, ear: Ear) -> datetime:
        return (ear.first_at if ear.told is None else ear.told.at) + leg.group_interval


def _brands(incident: Incident) -> set[str]:
    return {event.brand for event in incident.alerts if event.event != "resolved"}
