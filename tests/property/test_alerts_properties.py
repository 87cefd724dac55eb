"""What holds for every history of alerts: incidents, their JSON forms, routing and the pace of telling."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertEvent, Because, Coverage, Excerpt, Incident, Level, Reached, StoryRef, Window
from alerts.codec import dump_event, dump_incident, event_line, load_event, load_incident
from alerts.config import RouteConfig
from alerts.flush import Told, decide
from alerts.incident import REJOIN, Incidents
from alerts.route import Leg, views

T0 = datetime(2026, 3, 2, tzinfo=UTC)
texts = st.text(max_size=20)
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.floats(allow_nan=False, allow_infinity=False)
becauses = st.builds(Because, texts, texts)
events = st.builds(
    AlertEvent,
    event=st.sampled_from(["opened", "raised", "lowered", "updated", "resolved"]),
    kind=st.sampled_from(["topic", "self"]),
    at=times,
    alert=texts,
    revision=st.integers(1, 10**6),
    rule=texts,
    topic=st.none() | texts,
    key=st.dictionaries(texts, texts, max_size=3),
    level=st.sampled_from(Level),
    because=becauses,
    seen=numbers,
    expected=st.none() | numbers,
    baseline=st.sampled_from(["none", "cold", "daily", "weekly"]),
    window=st.none() | st.builds(Window, times, times),
    brand=texts,
    title=becauses,
    reached=st.builds(
        Reached,
        *[st.integers(0, 10**12)] * 4,
        channels=st.lists(st.tuples(texts, st.integers(0)), max_size=3).map(tuple),
    ),
    excerpts=st.lists(
        st.builds(
            Excerpt,
            texts,
            texts,
            texts,
            numbers,
            texts,
            st.integers(0),
            st.none() | times,
            st.lists(texts, max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    stories=st.lists(
        st.builds(StoryRef, texts, texts, st.integers(0), st.lists(texts, max_size=3).map(tuple), texts), max_size=2
    ).map(tuple),
    coverage=st.builds(Coverage, st.lists(st.tuples(texts, times), max_size=2).map(tuple)),
    playbook=texts,
    incident=texts,
)
LINE_KEYS = (
    "event kind at incident alert rule topic key level because window seen expected baseline stories excerpts coverage"
).split()


@given(events)
def test_event_survives_its_stored_form(event):
    """dump and load give the same event back, through JSON text."""
    assert event == load_event(json.loads(json.dumps(dump_event(event))))


@given(st.lists(events, min_size=1, max_size=3), times, st.integers(1))
def test_incident_survives_its_stored_form(members, at, revision):
    """dump and load give the same incident back, through JSON text."""
    incident = Incident("i", "topic", "t", at, at, revision, tuple(members), since=at)
    assert incident == load_incident(json.loads(json.dumps(dump_incident(incident))))


@given(events)
def test_public_line_has_the_agreed_keys(event):
    """The public line holds exactly the agreed keys, in their order, and no number that JSON lacks."""
    line = event_line(event)
    assert LINE_KEYS == list(line)
    json.dumps(line, allow_nan=False)


@given(events, st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_public_line_has_null_for_what_is_no_number(event, odd):
    """A number that is not finite is null, so that any JSON reader takes the line."""
    line = json.loads(json.dumps(event_line(replace(event, seen=odd, expected=odd)), allow_nan=False))
    assert (line["seen"], line["expected"]) == (None, None)


# ---- incidents

TEMPLATE = AlertEvent(
    event="opened",
    kind="topic",
    at=T0,
    alert="",
    revision=1,
    rule="r",
    topic="t",
    key={},
    level=Level.blue,
    because=Because("", ""),
    seen=1,
)


@st.composite
def histories(draw):
    """Legal histories of several alerts: each opens, changes, resolves, and may open again; times never fall."""
    state: dict[str, tuple[int, bool]] = {}
    found, at = [], T0
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(minutes=50), REJOIN, 3 * REJOIN]))
        name = draw(st.sampled_from(["a1", "a2", "b1", "b2", "s1", "s2"]))
        revision, is_open = state.get(name, (0, False))
        what = draw(st.sampled_from(["raised", "updated", "resolved"])) if is_open else "opened"
        state[name] = (revision + 1, what != "resolved")
        own = name.startswith("s")
        found.append(
            replace(
                TEMPLATE,
                event=what,
                kind="self" if own else "topic",
                topic=None if own else name[0],
                alert=name,
                revision=revision + 1,
                at=at,
                level=draw(st.sampled_from(Level)),
            )
        )
    return found


@given(histories())
def test_incident_gathers_a_topic_while_it_is_not_quiet(history):
    """An event joins its topic's newest incident exactly while that is open, or was resolved less than two hours ago."""
    incidents = Incidents()
    newest: dict[str, Incident] = {}
    for event in history:
        before = newest.get(event.topic or event.alert)
        done, incident = incidents.apply(event)
        assert done.incident == incident.id
        assert replace(done, incident="") == event
        joined = before is not None and (before.open or event.at - before.updated_at < REJOIN)
        assert joined == (before is not None and incident.revision > 1 and incident.opened_at == before.opened_at)
        assert incident.revision == (before.revision + 1 if joined else 1)
        if not joined:
            assert incident.id == (event.alert if event.revision == 1 else f"{event.alert}-{event.revision}")
        assert next(member for member in incident.alerts if member.alert == event.alert) == done
        assert {incident.topic} == {member.topic for member in incident.alerts}
        if event.kind == "self":
            assert len(incident.alerts) == 1
        newest[event.topic or event.alert] = incident
    assert [incident.id for incident in incidents.open()] == [
        incident.id for incident in sorted(newest.values(), key=lambda one: (one.opened_at, one.id)) if incident.open
    ]


@given(histories(), st.data())
def test_an_event_applied_twice_changes_nothing(history, data):
    """Applying the newest events again gives the same answers and leaves the same incidents."""
    incidents = Incidents()
    for event in history:
        first = incidents.apply(event)
        assert first == incidents.apply(event)
    again = data.draw(st.sampled_from(history))
    if history[-1].at - again.at < REJOIN:
        before = incidents.open()
        incidents.apply(again)
        assert before == incidents.open()


@given(histories(), st.integers(0, 25))
def test_restored_incidents_go_on_the_same(history, place):
    """A fold that is restored from its incidents, in the middle and in any order, goes on as if never stopped."""
    whole = Incidents()
    living: dict[str, Incident] = {}
    for event in history[:place]:
        _, incident = whole.apply(event)
        living[incident.id] = incident
    restored = Incidents(reversed(living.values()))
    for event in history[place:]:
        assert whole.apply(event) == restored.apply(event)
    assert whole.open() == restored.open()


@given(histories(), st.data())
def test_alerts_of_a_brand_that_open_on_one_story_are_one_incident(history, data):
    """An alert whose topic has no incident joins that of its brand which is about the story that leads it, if there is one
    that is not over, and only then; from then on its topic's alerts join too. A brand hears of a story once."""
    incidents = Incidents()
    known: dict[str, Incident] = {}
    by_alert: dict[str, str] = {}
    other = data.draw(st.sampled_from(["云杉", "格澜"]))
    for plain in history:
        brand = {"a": "云杉", "b": other}.get(plain.topic or "", "")
        names = data.draw(st.lists(st.sampled_from(["s0", "s1", "s2"]), max_size=2, unique=True))
        event = replace(plain, brand=brand, stories=tuple(StoryRef(name, "", 2, (), "") for name in names))
        living = [one for one in known.values() if one.firing or event.at - one.updated_at < REJOIN]
        its = [one for one in living if one.id == by_alert.get(event.alert)]
        its = its or [one for one in living if event.topic is not None and event.topic in one.gathers]
        about = [one for one in living if names and event.kind == "topic" and (brand, names[0]) in _about(one)]
        done, incident = incidents.apply(event)
        if its:
            assert incident.id == its[0].id
        elif about:
            assert incident.id == min(about, key=lambda one: (not one.open, one.opened_at, one.id)).id
            assert event.topic in incident.gathers
        else:
            assert incident.revision == 1
        known[incident.id] = incident
        by_alert[event.alert] = incident.id
        gathered = [topic for one in known.values() if one.firing for topic in one.gathers]
        assert len(gathered) == len(set(gathered))
        restored = Incidents(known.values())
        assert restored.open() == incidents.open()


def _about(incident):
    return {(member.brand, member.stories[0].id) for member in incident.alerts if member.stories}


def test_a_story_in_two_topics_is_told_of_once_to_each():
    """One incident, which goes to the receivers of both; what is for one of them mutes it for neither."""
    story = (StoryRef("s", "充电宝起火", 40, ("weibo",), ""),)
    incidents = Incidents()
    first = replace(TEMPLATE, alert="a", topic="power-bank", brand="云杉", stories=story)
    second = replace(
        TEMPLATE, alert="b", topic="ceo", brand="云杉", stories=story, rule="watch", at=T0 + timedelta(hours=1)
    )
    _, incident = incidents.apply(first)
    _, joined = incidents.apply(second)
    assert joined.id == incident.id
    assert [view["topic"] for view in views(joined)] == ["power-bank", "ceo"]
    assert [view["rule"] for view in views(joined)] == ["r", "watch"]
    tree = RouteConfig.model_validate(
        {"receiver": "rest", "routes": [
            {"receiver": "pr", "match": {"topic": "power-bank"}}, {"receiver": "board", "match": {"topic": "ceo"}},
        ]}
    ).build()  # fmt: skip
    assert [leg.receiver for leg in tree.match(*views(joined))] == ["pr", "board"]
    _, after = incidents.apply(replace(first, event="resolved", revision=2, at=T0 + 2 * timedelta(hours=1)))
    assert [leg.receiver for leg in tree.match(*views(after))] == ["board"]
    assert [leg.receiver for leg in tree.match(*views(after), told=["pr", "board"])] == ["board", "pr"]
    _, other = incidents.apply(replace(second, alert="c", topic="rival", brand="格澜", at=T0 + 2 * timedelta(hours=1)))
    assert other.id != joined.id


def test_a_story_joins_what_is_open_before_what_is_over():
    """Else one that is over would open again beside one that is open, and both would tell of the story."""

    def event(alert, minute, story, what="opened", revision=1):
        stories = (StoryRef(story, "充电宝起火", 40, ("weibo",), ""),)
        at = T0 + timedelta(minutes=minute)
        return replace(
            TEMPLATE, alert=alert, topic=alert, brand="云杉", stories=stories, at=at, event=what, revision=revision
        )

    incidents = Incidents()
    for one in (
        event("a", 0, "fire"), event("b", 1, "other"),
        event("a", 2, "fire", "resolved", 2), event("b", 3, "fire", "updated", 2),
    ):  # fmt: skip
        incidents.apply(one)
    assert incidents.apply(event("c", 4, "fire"))[1].id == "b"
    assert [one.id for one in incidents.open()] == ["b"]


def test_memory_is_bounded():
    """Ten thousand incidents that come and go leave nothing behind; one that never ends keeps 50 resolved alerts."""
    incidents, at = Incidents(), T0
    for number in range(10_000):
        at += REJOIN
        for revision, what in enumerate(["opened", "resolved"], start=1):
            kind = "self" if number % 2 else "topic"
            topic = f"t{number}" if kind == "topic" else None
            event = replace(TEMPLATE, event=what, kind=kind, topic=topic, alert=f"a{number}", at=at, revision=revision)
            incidents.apply(event)
    assert len(incidents) <= 3
    incidents = Incidents()
    incidents.apply(replace(TEMPLATE, alert="long"))
    for number in range(500):
        at = T0 + number * REJOIN
        for revision, what in enumerate(["opened", "resolved"], start=1):
            event = replace(TEMPLATE, event=what, alert=f"a{number}", at=at, revision=revision)
            _, incident = incidents.apply(event)
    assert incident.revision == 1001
    assert len(incident.alerts) <= 53
    assert incident.alerts[0].alert == "long"


# ---- routes

label_values = {"kind": ["topic", "self"], "level": list(Level.__members__), "topic": ["", "a"], "brand": ["", "云杉"]}
matches = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) | st.just(values) for name, values in label_values.items()}
)
branches = st.recursive(
    st.fixed_dictionaries({"match": matches}, optional={"receiver": st.sampled_from("abc"), "continue": st.booleans()}),
    lambda inner: st.fixed_dictionaries(
        {"match": matches, "routes": st.lists(inner, max_size=3)},
        optional={"receiver": st.sampled_from("abc"), "continue": st.booleans()},
    ),
    max_leaves=8,
)
trees = st.fixed_dictionaries({"receiver": st.just("root"), "routes": st.lists(branches, max_size=3)})


@given(
    trees,
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in label_values.items()}),
    st.sets(st.sampled_from(["a", "b", "root", "gone"])),
)
def test_a_route_always_finds_a_receiver(tree, given_labels, told):
    """Whatever the tree and the labels, there is a leg, no receiver has two, and those told before stay."""
    route = RouteConfig.model_validate(tree).build()
    legs = route.match(given_labels)
    names = [leg.receiver for leg in legs]
    assert names
    assert len(names) == len(set(names))
    both = [leg.receiver for leg in route.match(given_labels, told=told)]
    assert names == both[: len(names)]
    assert set(both[len(names) :]) <= told


# ---- the pace of telling


@st.composite
def stories_of_one_incident(draw):
    """An incident's states over time: events at rising times, each with what the fold makes of it."""
    incidents = Incidents()
    at, found, state = T0, [], {}
    for _ in range(draw(st.integers(1, 12))):
        at += timedelta(seconds=draw(st.sampled_from([1, 10, 29, 31, 120, 301, 3600])))
        name = draw(st.sampled_from(["a", "b"]))
        revision, is_open = state.get(name, (0, False))
        what = draw(st.sampled_from(["updated", "raised", "resolved", "resolved"])) if is_open else "opened"
        state[name] = (revision + 1, what != "resolved")
        level = draw(st.sampled_from(Level))
        event = replace(TEMPLATE, event=what, alert=name, revision=revision + 1, at=at, level=level)
        found.append((at, incidents.apply(event)[1]))
    return found


@given(
    stories_of_one_incident(),
    st.sampled_from([0, 30, 400]),
    st.sampled_from([60, 300]),
    st.sampled_from([30, 600, 14400]),
    st.booleans(),
)
def test_telling_keeps_its_pace(story, wait, interval, repeat, eager):
    """However often one looks: legal order of kinds, no two messages within group_interval but for a risen level,
    nothing told before group_wait, nothing after an end until it opens again, and the end is told in the end."""
    leg = Leg("pr", *(timedelta(seconds=seconds) for seconds in (wait, interval, repeat)))
    told: Told | None = None
    first_at, sent = story[0][0], []
    now, pending = T0, list(story)
    current = None
    end = story[-1][0] + timedelta(hours=1)
    while now < end:
        while pending and pending[0][0] <= now:
            at, after = pending.pop(0)
            if current is not None and after.open and not current.open and told is not None and told.kind == "resolve":
                first_at = at
            current = after
        due = None
        if current is not None:
            decision = decide(current, told, leg, first_at=first_at, now=now)
            due = decision.next_at
            assert due is None or due > now
            if decision.kind is not None:
                assert now >= first_at + leg.group_wait
                if told is None or told.kind == "resolve":
                    assert decision.kind == "open"
                else:
                    assert decision.kind in {"update", "repeat", "resolve"}
                if told is not None and now - told.at < leg.group_interval:
                    assert current.level > told.level
                assert (decision.kind == "resolve") <= (not current.open)
                told = Told(current.revision, current.level, decision.kind, now)
                sent.append(told)
        steps = [moment for moment in (due, pending[0][0] if pending else None, end) if moment is not None]
        # looking more often than asked changes nothing but the cost
        now = min([*steps, now + timedelta(seconds=7)] if eager else steps)
    if sent and not story[-1][1].open:
        assert sent[-1].kind == "resolve"
    if sent:
        assert sent[-1].revision == story[-1][1].revision or sent[-1].kind == "resolve"
    if story[-1][1].open:
        assert sent
        assert sent[-1].kind != "resolve"
    assert views(story[-1][1])[0]["topic"] == "t"
