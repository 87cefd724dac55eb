"""The pure core: rows of the log in, alert events out, at the ticks of a clock that it is told.

A tick sees the rows that came before it. They are put in an order of their own first, so that the order in which they
came within a tick changes nothing: rule sets, mentions by event time, merged stories, what changed them, then polls.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerts import AlertEvent, Because
from rules.episode import Episode, Sight, fingerprint, step, union
from rules.facts import TERMS, Lookup, facts_of, judged, rejudged, revised
from rules.key import Outcome
from rules.ledger import Ledgers
from rules.log import MentionRow, PollRow, RevisionRow, Row, RulesRow, ScoreRow, StoryRow
from rules.mention import Mention
from rules.panes import EPOCH, MINUTE, minute_of, pane_of
from rules.plan import plan
from rules.recent import Recent, Ref
from rules.ruleset import RuleSet, load_ruleset
from rules.running import Running, all_lexicons, all_patterns
from rules.story_known import KnownStories, card_of
from rules.tell import REMOVED, TO_LIVE, TO_SHADOW, Moment, Subject, tell, tell_withdrawn
from rules.vocabulary import Cut, cutter, words_of
from rules.watermark import Watermarks

SWEEP_OVER = 60
"""Rules are swept one after the other over as many minutes, so that no tick has to visit every key."""


class _Sorts:
    """The rows of a tick by sort, in the order in which the sorts take effect."""

    def __init__(self) -> None:
        self.rules: list[RulesRow] = []
        self.mentions: list[MentionRow] = []
        self.merges: list[StoryRow] = []
        self.changes: list[RevisionRow | ScoreRow] = []
        self.polls: list[PollRow] = []

    def take(self, row: Row) -> None:
        if isinstance(row, MentionRow):
            self.mentions.append(row)
        elif isinstance(row, PollRow):
            self.polls.append(row)
        elif isinstance(row, RulesRow):
            self.rules.append(row)
        elif isinstance(row, StoryRow):
            self.merges.append(row)
        else:
            self.changes.append(row)


class Engine:
    """Not safe for threads; give it to one at a time.

    ``tick``: the last tick that was evaluated; ``next``: the one that is due; ``seq``: the last row that was observed.
    ``late``: mentions that came after a rule's allowance, by (rule, source). ``failures``: the rules that raised at the
    last tick, and what; the others went on. The other attributes are for the snapshot alone.
    """

    def __init__(self, tick_length: timedelta, *, assume_healthy: bool = False) -> None:
        if tick_length < timedelta(seconds=1):
            raise ValueError("a step is a second or more")
        self.step = tick_length
        self.seq = 0
        self.tick: datetime | None = None
        self.next: datetime | None = None
        self.late: Counter[tuple[str, str]] = Counter()
        self.failures: dict[str, str] = {}
        self.marks = Watermarks(assume_healthy=assume_healthy)
        self.ledgers = Ledgers()
        self.running: dict[str, Running] = {}
        self.rule_set = RuleSet()
        self.recent = Recent()
        self.stories = KnownStories()
        self.pending: list[Row] = []
        self._sets: dict[int, RuleSet] = {}
        self._by_topic: dict[str, list[Running]] = {}
        self._lookup = Lookup([])
        self._cut: Cut | None = None

    @property
    def assume_healthy(self) -> bool:
        """Whether sources count as seen up to now, for logs that hold no polls."""
        return self.marks.assume_healthy

    @property
    def restless(self) -> bool:
        """Whether an alert is open or may open without another row, or rows wait for their tick."""
        return bool(self.pending) or any(one.active or one.awake or one.dirty for one in self.running.values())

    @property
    def slowest(self) -> timedelta:
        """The longest that a rule takes, window, ``for`` and ``keep_firing_for`` together."""
        rules = (running.plan.rule for running in self.running.values())
        return max((one.longest_window + one.for_ + one.keep_firing_for for one in rules), default=timedelta(0))

    def observe(self, row: Row) -> None:
        """Take a row; it counts at the next tick. Raises RuleError for a rule set that cannot be read."""
        if isinstance(row, RulesRow):
            self._sets[row.seq] = load_ruleset(row.rules)
        self.pending.append(row)
        self.seq = max(self.seq, row.seq)
        if self.next is None:
            # A tick sees what came before it, so one at the very time of the first row would see nothing.
            self.next = self.at_or_after(row.at + timedelta(microseconds=1))

    def evaluate(self, now: datetime) -> tuple[AlertEvent, ...]:
        """Everything that changes at tick *now*, by rule and key; ``incident`` is left empty.

        Raises ValueError for a *now* that is no tick or not after the last one.
        """
        if self.at_or_after(now) != now or (self.tick is not None and now <= self.tick):
            raise ValueError(f"{now.isoformat()} is not a tick after {self.tick}")
        self.failures = {}
        turned = self.tick is None or minute_of(now) != minute_of(self.tick)
        events = self._absorb(now)
        moment = Moment(now, self.rule_set.brands, self.marks.blind(now), self.stories)
        for rule in self.running.values():
            if rule.waits(turned=turned):
                continue
            # Here and in the sweep anything may be caught: a rule that raises is left out, and told of.
            try:
                settled, unsettled = rule.read(now, turned=turned)
                decided = [(outcome, *self._decide(rule, outcome, moment)) for outcome in unsettled]
            except Exception as error:  # noqa: BLE001
                self.failures[rule.id] = f"{type(error).__name__}: {error}"
                continue
            rule.dirty.clear()
            rule.stay(settled)
            for outcome, episode, event in decided:
                rule.keep(outcome, episode, now)
                if event is not None:
                    events.append(event)
        if turned:
            self._sweep(now)
        self.tick, self.next = now, now + self.step
        return tuple(sorted(events, key=lambda event: (event.rule, tuple(event.key.items()), event.revision)))

    def due(self) -> datetime | None:
        """The next tick at which anything may change if no row comes; None: none."""
        if self.next is None or self.pending or self.tick is None:
            return self.next
        if any(rule.active or rule.dirty for rule in self.running.values()):
            return self.next
        if self.recent or any(rule.keys for rule in self.running.values()):
            return max(self.next, self.at_or_after(EPOCH + (minute_of(self.tick) + 1) * MINUTE))
        return None

    def skip(self, until: datetime) -> None:
        """Count the ticks up to *until* as evaluated, where ``due`` said that nothing changes there."""
        self.tick, self.next = until, until + self.step

    def at_or_after(self, when: datetime) -> datetime:
        """The first tick that is not before *when*: ticks are multiples of the step since 1970."""
        return EPOCH + -((EPOCH - when) // self.step) * self.step

    def snapshot(self) -> str:
        """The whole state as JSON; what is restored from it behaves the same for ever."""
        from rules.snapshot import dump  # noqa: PLC0415  (it knows the engine's inside, so it cannot be below it)

        return dump(self)

    @classmethod
    def restore(cls, text: str, *, step: timedelta | None = None) -> "Engine":
        """The engine that a snapshot was taken of; raises ValueError for a text that is none.

        *step*: another than it had; its next tick is then the first of the new ones.
        """
        from rules.snapshot import load  # noqa: PLC0415

        engine = load(text)
        if step is not None and step != engine.step:
            engine.step = step
            if engine.tick is not None:
                engine.next = engine.at_or_after(engine.tick + timedelta(microseconds=1))
        return engine

    # rows

    def _absorb(self, now: datetime) -> list[AlertEvent]:
        rows, self.pending = self.pending, []
        sorts = _Sorts()
        for row in rows:
            sorts.take(row)
        events: list[AlertEvent] = []
        for rules_row in sorted(sorts.rules, key=lambda row: row.seq):
            events += self._swap(rules_row, self._sets.pop(rules_row.seq), now)
        for mention in sorted(
            sorts.mentions, key=lambda row: (row.event_at, row.mention.source, row.mention.external_id)
        ):
            self._mention(mention, now)
        for merge in sorted(sorts.merges, key=lambda row: row.seq):
            self.stories.merge(merge.alias, merge.story)
        for change in sorted(sorts.changes, key=lambda row: (row.at, row.seq)):
            self._change(change, now)
        for poll in sorted(sorts.polls, key=lambda row: (row.at, row.source, row.started_at, row.ok)):
            self.marks.poll(poll)
        self.ledgers.mark()
        return events

    def _swap(self, row: RulesRow, new: RuleSet, now: datetime) -> list[AlertEvent]:
        """Another rule set: edited rules keep their episodes, those of removed ones end, and those of another mode."""
        self.marks.configure(row.sources)
        # Events name the brand as it was: the new set need not know the topic any more.
        moment = Moment(now, {**self.rule_set.brands, **new.brands}, self.marks.blind(now), self.stories)
        recast = self.rule_set.calendar != new.calendar
        self.rule_set = new
        events: list[AlertEvent] = []
        running: dict[str, Running] = {}
        for rule in sorted((rule for rule in new.rules if rule.mode != "off"), key=lambda rule: rule.id):
            ready, old = plan(rule, new.calendar), self.running.get(rule.id)
            if old is None:
                running[rule.id] = Running(ready, now, self.marks, self.ledgers)
                continue
            events += _end(old, moment, topics=set(rule.topics) if old.plan.rule.by == rule.by else None)
            if old.plan.rule.mode != rule.mode:
                events += _change_mode(old, moment, TO_LIVE if rule.mode == "live" else TO_SHADOW)
            if old.plan.rule != rule or recast:
                old.edit(ready, now)
            running[rule.id] = old
        for name in sorted(self.running.keys() - running.keys()):
            events += _end(self.running[name], moment, topics=None)
            self.running[name].retire()
        self.ledgers.let_go()
        self.run(running)
        return events

    def run(self, running: dict[str, Running]) -> None:
        """Let these rules run, by id in order of id."""
        self.running = running
        self._by_topic = {}
        for rule in running.values():
            for topic in rule.plan.rule.topics:
                self._by_topic.setdefault(topic, []).append(rule)
        self._lookup = Lookup(all_lexicons(running.values()), all_patterns(running.values()))
        self._cut = cutter() if any(rule.plan.terms for rule in running.values()) else None

    def _mention(self, row: MentionRow, now: datetime) -> None:
        mention = row.mention
        event_at = min(row.event_at, row.at)
        through = self.marks.through(mention.source)
        found = self._look_up(mention)
        ref = Ref(
            id=(mention.source, mention.external_id),
            minute=pane_of(event_at),
            event_at=event_at,
            history=row.history,
            seen_through=through or min(mention.collected_at or row.at, row.at),
            late_known=through is not None,
            tier=row.tier,
            placed=now,
            facts={
                one.topic: facts_of(mention, row.tier, one.topic, judged(one.sentiment), found, row.story)
                for one in row.scored
            },
        )
        if ref.id in self.recent.refs:
            return
        self.recent.add(ref)
        if row.story:
            self.stories.see(row.story, card_of(mention, event_at, ref.minute))
        if event_at < ref.seen_through and ref.late_known and not ref.history:
            for rule in self._concerned(ref):
                if not ref.fresh(rule.plan.allowance):
                    self.late[rule.id, mention.source] += 1
        self.ledgers.place(ref, ref.facts, now)

    def _look_up(self, mention: Mention) -> dict[str, tuple[str, ...]]:
        found = self._lookup.find(mention)
        if self._cut is not None:
            found[TERMS] = words_of(mention, self._cut)
        return found

    def _concerned(self, ref: Ref) -> Iterable[Running]:
        """The rules that watch a topic of this mention."""
        if len(ref.facts) == 1:
            return self._by_topic.get(next(iter(ref.facts)), ())
        return {rule.id: rule for topic in ref.facts for rule in self._by_topic.get(topic, ())}.values()

    def _change(self, row: RevisionRow | ScoreRow, now: datetime) -> None:
        """A mention counts as what it is now, where and when it counted before."""
        source, external_id = (
            (row.mention.source, row.mention.external_id)
            if isinstance(row, RevisionRow)
            else (row.source, row.external_id)
        )
        ref = self.recent.refs.get((source, external_id))
        if ref is None:
            return
        if isinstance(row, RevisionRow):
            found = self._look_up(row.mention)
            new = {topic: revised(old, row.mention, ref.tier, found) for topic, old in ref.facts.items()}
        elif row.scored.topic in ref.facts:
            new = {**ref.facts, row.scored.topic: rejudged(ref.facts[row.scored.topic], judged(row.scored.sentiment))}
        else:
            return
        self.ledgers.displace(ref)
        self.ledgers.place(ref, new, now)
        self.recent.change(ref, new, now)

    # ticks

    def _decide(self, rule: Running, outcome: Outcome, moment: Moment) -> tuple[Episode | None, AlertEvent | None]:
        """What becomes of a key's episode, and what is to be told of it."""
        config, key, read = rule.plan.rule, outcome.key, outcome.read
        if read.level is None and key.episode is None:
            return None, None
        if key.episode is not None and rule.steady(key.episode, read, until=moment.now):
            return key.episode, None
        known = union(read.sources, key.episode.sources) if key.episode else read.sources
        # After an edit windows are not full again at once; until they are, nothing is called over.
        blurred = rule.blurred_until is not None and moment.now < rule.blurred_until
        through = EPOCH if blurred else self.marks.common(known, moment.now)
        sight = Sight(read.level, read.reading.value, read.sources, through)
        subject = Subject(config, key.values)
        if not key.identity:
            key.identity = fingerprint(config.id, subject.key)
        episode, event = step(key.episode, sight, rule.plan.timing, key.identity, moment.now)
        if event is None or episode is None:
            return episode, None
        return episode, tell(subject, event, episode, (read.reading, rule.view(key, moment.now)), moment)

    def _sweep(self, now: datetime) -> None:
        """Once a minute: let go of old mentions, and of the empty keys of a sixtieth of the rules."""
        minute = minute_of(now)
        longest = max((rule.plan.longest_window for rule in self.running.values()), default=MINUTE)
        self.recent.forget(minute - longest // MINUTE)
        self.stories.forget(minute - longest // MINUTE)
        for place, rule in enumerate(self.running.values()):
            if place % SWEEP_OVER == minute % SWEEP_OVER and rule.plan.rule.id not in self.failures:
                try:
                    rule.sweep(now)
                except Exception as error:  # noqa: BLE001  it reads conditions too: the rule is left out, the others go on
                    self.failures[rule.plan.rule.id] = f"{type(error).__name__}: {error}"


def _end(rule: Running, moment: Moment, *, topics: set[str] | None) -> list[AlertEvent]:
    """Drop the keys of a rule that is gone, or of the topics that are no longer among its *topics*."""
    events = []
    for values, key in sorted(rule.keys.items()):
        subject = Subject(rule.plan.rule, values)
        if topics is not None and ("topic" not in rule.plan.rule.by or subject.topic in topics):
            continue
        if key.episode is not None and key.episode.told_open:
            events.append(_withdraw(subject, key.episode, moment, REMOVED))
        rule.drop(values)
    return events


def _change_mode(rule: Running, moment: Moment, why: Because) -> list[AlertEvent]:
    """End every episode, the closed ones too; what is counted stays, and what holds opens anew under the new mode."""
    events = []
    for values, key in sorted(rule.keys.items()):
        if key.episode is not None and key.episode.told_open:
            events.append(_withdraw(Subject(rule.plan.rule, values), key.episode, moment, why))
        key.episode = None
        rule.mark(key)
    return events


def _withdraw(subject: Subject, episode: Episode, moment: Moment, why: Because) -> AlertEvent:
    return tell_withdrawn(subject, replace(episode, revision=episode.revision + 1), moment, why)
