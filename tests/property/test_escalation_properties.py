"""Chains and deadlines whatever happens: each step at most once a round, nothing while taken, nothing said twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts import Incident, Level
from alerts.deadline import AckLife, ResponseTimes, deadlines, lapse, renewed_at, respond_by, to_say
from alerts.escalation import Chain, Count, Notify, Repeat, Wait, advance, follow, resting
from alerts.handling import Act, Handling, Taken
from alerts.sample import sample_notification

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEVELS = st.sampled_from(list(Level))


def incident(level=Level.red, **changes) -> Incident:
    one = sample_notification(T0, "zh", level=level).incident
    return replace(one, since=T0, reached=((level, T0),), **changes)


WAITS = st.integers(1, 90).map(lambda minutes: Wait(minutes * MINUTE))
CALLS = st.builds(
    Notify,
    receivers=st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple),
    count=st.none() | st.builds(Count, at_least=st.integers(1, 2), within=st.just(HOUR)),
)


@st.composite
def chains(draw):
    steps = draw(st.lists(WAITS | CALLS, min_size=1, max_size=6))
    if any(isinstance(step, Wait) for step in steps) and draw(st.booleans()):
        steps.append(Repeat(draw(st.integers(1, 5))))
    return Chain("c", {"level": frozenset({"red", "orange"})}, tuple(steps))


WHAT = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from(["look", "take", "give", "yellow", "red", "end", "reload"])),
    max_size=40,
)


@given(chains(), WHAT)
def test_a_chain_calls_in_order_and_only_while_nobody_has_it(chain, happenings):
    """Every call is of a later place than the one before; none while it is taken, does not match or is over."""
    run, now, one, places = None, T0, incident(), []
    for minutes, what in happenings:
        now += minutes * MINUTE
        handling = one.handling
        if what == "take":
            one = replace(one, handling=replace(handling, taken=Taken("x", now, Level.red)))
        elif what == "give":
            one = replace(one, handling=replace(handling, taken=None))
        elif what in {"yellow", "red"}:
            one = replace(one, alerts=(replace(one.lead, level=Level[what]),))
        elif what == "end":
            one = replace(one, alerts=(replace(one.lead, event="resolved", at=now),))
        before = run
        run = follow(run, chain, one, now)
        assert follow(run, chain, one, now) == run  # to look twice changes nothing
        if before is not None and before.state == "ended":
            assert run == before
        if run is None or run.state != "waiting":
            continue
        assert one.open
        assert not resting(chain, one)
        assert run.due_at is not None
        if run.due_at <= now:
            run, calls = advance(run, chain, one, now, duty=lambda _: ())
            assert run.state == "ended" or (run.due_at is not None and run.due_at > now)
            places += [tuple(int(part) for part in call.mark.split(":")[-2:]) for call in calls]
    assert places == sorted(set(places))
    assert run is None or run.round <= 5


@given(chains())
def test_left_alone_a_chain_comes_to_its_end(chain):
    """Looked at when it asks to be, it does every step of every round, and ends."""
    one, now, calls = incident(), T0, []
    run = follow(None, chain, one, now)
    assert run is not None
    for _ in range(100):
        if run.state == "ended":
            break
        assert run.due_at is not None
        now = run.due_at
        run, made = advance(run, chain, one, now, duty=lambda _: ())
        calls += made
    assert (run.state, run.reason) == ("ended", "last_step")
    rounds = 1 + next((step.times for step in chain.steps if isinstance(step, Repeat)), 0)
    uncounted = sum(isinstance(step, Notify) and step.count is None for step in chain.steps)
    assert len(calls) >= rounds * uncounted
    assert len({call.mark for call in calls}) == len(calls)


TIMES = st.builds(
    ResponseTimes,
    limits=st.dictionaries(LEVELS, st.none() | st.integers(1, 600).map(lambda minutes: minutes * MINUTE)),
    rules=st.dictionaries(
        st.sampled_from(["loud", "other"]),
        st.dictionaries(LEVELS, st.none() | st.integers(1, 600).map(lambda minutes: minutes * MINUTE)),
    ),
)


@st.composite
def risen(draw):
    """An incident of the rule loud that rose over some levels."""
    levels = sorted(draw(st.sets(LEVELS, min_size=1)))
    reached, now = [], T0
    for level in levels:
        reached.append((level, now))
        now += draw(st.integers(0, 300)) * MINUTE
    one = incident(levels[-1])
    return replace(one, alerts=(replace(one.lead, rule="loud"),), reached=tuple(reached))


@given(risen(), TIMES, st.lists(st.integers(0, 200), max_size=25))
def test_each_deadline_is_said_once_and_never_early(one, times, gaps):
    """However often it is looked at: a breach after its time, no reminder after it, each mark once; the earliest is shown."""
    said: dict[str, datetime] = {}
    due = {deadline.level.name: deadline for deadline in deadlines(one, times)}
    now = T0
    for gap in gaps:
        now += gap * MINUTE
        say, next_at = to_say(one, times, said, now)
        assert next_at is None or next_at > now
        if say is not None:
            assert not set(say.marks) & said.keys()
            for mark in say.marks:
                kind, level, _ = mark.split(":", 2)
                assert now >= (due[level].due if kind == "breach" else due[level].remind_at)
            said |= dict.fromkeys(say.marks, now)
            assert to_say(one, times, said, now)[0] is None
    for level, deadline in due.items():
        assert (deadline.due <= now) <= (f"breach:{level}:{T0.isoformat()}" in said) or not gaps
    assert respond_by(one, times) == min((deadline.due for deadline in due.values()), default=None)
    met = replace(one, handling=Handling(responded_at=T0))
    assert respond_by(met, times) is None
    assert to_say(met, times, {}, now) == (None, None)


@given(st.integers(1, 300), st.integers(1, 60), st.lists(st.integers(0, 200), max_size=10), st.integers(0, 2000))
def test_a_taker_is_reminded_before_the_end_and_any_act_renews(after, more, acts, passed):
    """The reminder comes after the newest act's time, the end only after a reminder's."""
    timeline, at = [], T0
    for gap in acts:
        at += gap * MINUTE
        timeline.append(Act("note", "x", at, "t"))
    one = incident(handling=Handling(taken=Taken("x", T0, Level.red), timeline=tuple(timeline)))
    life, now = AckLife(after * MINUTE, more * MINUTE), at + passed * MINUTE
    assert renewed_at(one) == at
    silent, next_at = lapse(one, life, {}, now)
    if passed < after:
        assert (silent, next_at) == (None, at + after * MINUTE)
        return
    assert silent is not None
    assert (silent.what, silent.silent) == ("remind", now - at)
    reminded = {silent.mark: now}
    assert lapse(one, life, reminded, now) == (None, now + more * MINUTE)
    end, _ = lapse(one, life, reminded, now + more * MINUTE)
    assert end is not None
    assert end.what == "end"
    assert lapse(one, life, {**reminded, end.mark: now}, now + 9 * HOUR) == (None, None)
    assert lapse(one, AckLife(None, None), {}, now) == (None, None)
