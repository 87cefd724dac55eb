"""Silences and inhibition against their definitions, read word by word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from alerts import AlertEvent, Because, Coverage, Level, StoryRef
from alerts.config import RouteConfig
from alerts.flush import Told, decide
from alerts.incident import Incident, Incidents
from alerts.inhibition import Inhibition, inhibitor
from alerts.route import Leg, views
from alerts.settle import settle
from alerts.silence import Silence, due, due_notice, receivers, speak, stay
from tests.support.examples import examples

T0 = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEG = Leg("pr", timedelta(0), 2 * MINUTE, 10 * MINUTE)
LEVELS = list(Level)


def event(
    level: Level, *, topic: str = "acme", brand: str = "", rule: str = "r", over: bool = False, **more
) -> AlertEvent:
    return AlertEvent(
        event="resolved" if over else "opened", kind="topic", at=T0, alert="a", revision=1, rule=rule, topic=topic, key={},
        level=level, because=Because("", ""), brand=brand, **{"seen": 1.0, **more},
    )  # type: ignore[arg-type]  # fmt: skip


def incident(one: AlertEvent, name: str = "a", revision: int = 1) -> Incident:
    return Incident(name, "topic", one.topic, T0, one.at, revision, (one,), 1, T0)


some = st.sampled_from
match = st.dictionaries(some(["level", "topic", "brand", "rule"]), st.nothing(), max_size=0) | st.fixed_dictionaries(
    {},
    optional={
        "level": st.frozensets(some(["blue", "yellow", "orange", "red"]), min_size=1, max_size=3),
        "topic": st.frozensets(some(["acme", "rival", ""]), min_size=1, max_size=2),
        "brand": st.frozensets(some(["云杉", ""]), min_size=1, max_size=2),
    },
)
brands = st.just({}) | some([{"brand": frozenset({"云杉"})}, {"topic": frozenset({"acme", "rival"})}])
high = st.frozensets(some(["orange", "red", "yellow"]), min_size=1).map(lambda levels: {"level": levels})
low = st.frozensets(some(["blue", "yellow", "orange"]), min_size=1).map(lambda levels: {"level": levels})
inhibitions = st.builds(
    lambda source, target, more, equal: Inhibition({**source, **more}, target, equal),
    high, low | match, brands, st.lists(some(["topic", "brand", "site"]), unique=True, max_size=1).map(tuple),
)  # fmt: skip
incidents = st.builds(
    lambda number, level, topic, brand, over, blind: incident(
        event(level, topic=topic, brand=brand, over=over, coverage=Coverage((("weibo", T0),) if blind else ())),
        f"i{number}",
    ),
    st.integers(0, 5), some(LEVELS), some(["acme", "rival"]), some(["云杉", ""]), some([False, False, True]), st.booleans(),
)  # fmt: skip


@examples(400)
@given(incidents, st.lists(incidents, max_size=4), st.lists(inhibitions, min_size=1, max_size=2))
def test_inhibition_is_what_it_says(target, others, rules):
    """Some rule: both open, the source sees all, labels as asked, `equal` equal, and not both of both sides."""

    def has(one, matchers):
        return all(views(one)[0].get(name, "") in values for name, values in matchers.items())

    expected = set()
    for rule, source in product(rules, others):
        both = has(target, rule.source) and has(source, rule.target)
        same = all(views(source)[0].get(name, "") == views(target)[0].get(name, "") for name in rule.equal)
        if (
            target.open and source.open and source.id != target.id and not source.lead.coverage.blind
            and has(source, rule.source) and has(target, rule.target) and same and not both
        ):  # fmt: skip
            expected.add(source.id)
    found = inhibitor(target, others, rules)
    assert (found is None) == (not expected)
    assert found is None or found.id in expected


@st.composite
def routes(draw, depth: int = 2):
    def branch(depth):
        node: dict = {"receiver": draw(some(["a", "b", "c", "d"])), "continue": draw(st.booleans())}
        node["match"] = {name: sorted(values) for name, values in draw(match).items()}
        node["routes"] = [branch(depth - 1) for _ in range(draw(st.integers(0, 2)))] if depth else []
        return node

    return RouteConfig.model_validate(
        {"receiver": "root", "routes": [branch(depth - 1) for _ in range(draw(st.integers(0, 3)))]}
    ).build()


@given(routes(), match, some(LEVELS))
def test_everybody_who_would_have_been_told_gets_the_notices(route, matchers, highest):
    """No incident that the silence can hold goes to a receiver that hears nothing of the silence."""
    silence = Silence(matchers, None, highest, "o", "r", T0, T0 + MINUTE, T0)
    told = set(receivers(silence, route))
    for level, topic, brand in product(LEVELS, ["acme", "rival", "other"], ["云杉", "格澜", ""]):
        one = incident(event(level, topic=topic, brand=brand))
        if silence.holds(one, level, T0):
            assert {leg.receiver for leg in route.match(views(one)[0])} <= told


def test_what_mutes_is_a_topic_that_fires():
    """Of two topics that a story brought together either mutes others while it fires; the first no more once it is over."""
    story = (StoryRef("s", "充电宝起火", 9, ("weibo",), ""),)
    fold = Incidents()
    first = replace(event(Level.red, topic="fire", brand="云杉"), alert="fire", stories=story)
    fold.apply(first)
    _, source = fold.apply(replace(first, alert="ceo", topic="ceo"))
    target = incident(event(Level.yellow, topic="price", brand="云杉"), "price")

    def mutes(topic):
        rule = Inhibition({"topic": frozenset({topic})}, {"topic": frozenset({"price"})}, ("brand",))
        return inhibitor(target, [source], [rule]) is not None

    assert [mutes("fire"), mutes("ceo")] == [True, True]
    _, source = fold.apply(replace(first, event="resolved", revision=2, at=T0 + MINUTE))
    assert [mutes("fire"), mutes("ceo")] == [False, True]


steps = st.lists(
    st.tuples(
        some([Level.yellow, Level.yellow, Level.yellow, Level.yellow, Level.blue, Level.orange, Level.red]),
        some([3, 4, 5, 12, 16, 19]),
        some([False, False, False, False, True]),
    ),
    min_size=1,
    max_size=25,
)


@examples(300)
@example(  # a new wave that begins as the silence ends was never under it
    [*[(Level.yellow, 3, False)] * 10, (Level.orange, 3, True), (Level.orange, 3, False), (Level.yellow, 3, False)],
    1,
    10,
    Level.yellow,
)
@given(steps, st.integers(0, 12), st.integers(1, 20), some(LEVELS))
def test_a_silence_tells_what_it_must_and_nothing_else(happened, starts, lasts, highest):
    """A step a minute, looked at each minute; the rules of the reference page, read again without a table of states."""
    silence = Silence(
        {"topic": frozenset({"acme"})},
        None,
        highest,
        "o",
        "r",
        T0 + starts * MINUTE,
        T0 + (starts + lasts) * MINUTE,
        T0,
        1,
    )
    told: Told | None = None
    held = under = base = None
    one: Incident | None = None
    broke = False
    for minute in range(45):
        now = T0 + minute * MINUTE
        if minute < len(happened):
            level, seen, over = happened[minute]
            since = one.since if one is not None and one.open else now
            revision = 1 if one is None else one.revision + 1
            turn = revision if one is None or one.open == over else one.turn
            new = replace(event(level, over=over, seen=float(seen)), at=now)
            one = replace(incident(new, revision=revision), since=since, turn=turn, updated_at=now)
        assert one is not None
        active = starts <= minute < starts + lasts
        known = max(one.level, told.level) if told is not None and told.kind != "resolve" else one.level
        # the definition: how it stood when the silence began for this wave, and whether it has risen or grown since
        owed = False
        if active:
            began = max(silence.starts_at, one.since)
            if base is None or (one.open and base[0] < began):
                if one.level <= highest:
                    base, broke = (began, one.level, one.lead.seen), False
            elif one.open and not broke and (one.level > base[1] or one.lead.seen >= 4 * base[2]):
                broke = owed = True
        under = stay(silence, one, under, now)
        decision = decide(one, told, LEG, first_at=T0, now=now)
        decision, silenced = speak(decision, one, told, LEG, [under] if under else [], first_at=T0, now=now)
        done = settle(decision, one, silenced, held, now=now)
        held = done.held
        if active and known <= highest:
            assert done.kind == ("breakthrough" if owed else None)
        elif active:
            assert done.reason not in {"breakthrough", "unsilenced"}
            assert silenced is None
        elif minute > starts + lasts or minute < starts:
            assert done.reason not in {"breakthrough", "unsilenced"}
        elif base is not None and one.open and known <= highest and one.since <= now:
            fresh = one.since == now  # it opens at the very end: told as ever or as what was silenced, but told
            assert done.kind == "unsilenced" or fresh
        if done.kind is not None:
            told = Told(one.revision, one.level, done.kind, now)


def test_a_wave_that_a_silence_did_not_hold_has_no_end_of_it():
    """What was told as ever while the silence lasted, because another topic had joined it, is not told again at its end."""
    silence = Silence({"topic": frozenset({"acme"})}, None, Level.red, "o", "r", T0, T0 + 60 * MINUTE, T0, 1)
    one = incident(event(Level.yellow))
    before = stay(silence, one, None, T0)
    wave = T0 + 10 * MINUTE
    joined = replace(
        one, since=wave, revision=2, alerts=(*one.alerts, replace(event(Level.yellow, topic="rival"), alert="b"))
    )
    assert stay(silence, joined, before, wave) == before
    told = Told(2, Level.yellow, "open", wave)
    now = T0 + 60 * MINUTE
    decision = decide(joined, told, LEG, first_at=T0, now=now)
    for held_in, kind in ((joined, "repeat"), (replace(joined, since=T0), "unsilenced")):
        assert speak(decision, held_in, told, LEG, [before], first_at=T0, now=now)[0].kind == kind


@given(
    st.integers(0, 300),
    st.integers(1, 300),
    st.none() | st.integers(0, 400),
    st.lists(st.integers(0, 700), max_size=12),
)
def test_each_notice_comes_once_and_in_order(starts, lasts, ended, looks):
    """However seldom it is looked at: the start, an hour before the end where it lasts longer, and the end."""
    silence = Silence({}, 1, Level.red, "o", "r", T0 + starts * MINUTE, T0 + (starts + lasts) * MINUTE, T0, 1)
    if ended is not None:
        silence = replace(silence, ended_at=T0 + ended * MINUTE)
    told, given_at = "", {}
    for minute in [*sorted(looks), 2000]:
        now = T0 + minute * MINUTE
        phase = due_notice(silence, told, now)
        if phase is not None:
            assert phase not in given_at
            given_at[phase], told = minute, phase
        following = due(silence, told)
        assert following is None or following[1] > now
    order = [phase for phase in ("start", "warn", "end") if phase in given_at]
    assert list(given_at) == order
    assert ("end" in given_at) == (silence.over_at > silence.starts_at)
    assert "warn" not in given_at or (lasts > 60 and given_at["warn"] < starts + lasts)
