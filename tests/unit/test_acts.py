"""What people do with incidents: the states, what breaks an acknowledgement, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import Level, StoryRef
from alerts.act import Done, Refused, perform
from alerts.codec import dump_incident, load_incident
from alerts.flush import Decision, Told, decide
from alerts.handling import Act
from alerts.incident import REJOIN, Incident, Incidents
from alerts.route import Leg
from alerts.sample import sample_notification

T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAIT, INTERVAL, REPEAT = timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=4)
LEG = Leg("pr", WAIT, INTERVAL, REPEAT)


def event(alert="a", what="opened", *, revision=1, level=Level.orange, topic="acme", minute=0):
    one = replace(sample_notification(T0, "zh", level=level).incident.lead, stories=())
    return replace(
        one, alert=alert, event=what, revision=revision, topic=topic, at=T0 + minute * MINUTE, incident="", rule=alert
    )


def act(kind, by="小林", *, minute=1, text="", value=""):
    return Act(kind, by, T0 + minute * MINUTE, text, value)


class Desk:
    """The fold with acts in between, as the program does it."""

    def __init__(self, *events):
        self.incidents = Incidents()
        for one in events:
            self.tell(one)

    def tell(self, one) -> Incident:
        return self.incidents.apply(one)[1]

    def do(self, name, what, *, seen=None, other=None):
        """The reason of a refusal, or "" where it was done."""
        outcome = perform(self[name], what, seen=seen, other=self.incidents.get(other) if other else None)
        if isinstance(outcome, Refused):
            assert outcome.because.zh != outcome.because.en
            return outcome.reason
        for incident in outcome.incidents:
            self.incidents.keep(incident)
        return ""

    def go(self, name, *steps):
        """Acts, and events, that must be taken."""
        for one in steps:
            if isinstance(one, Act):
                assert self.do(name, one) == ""
            else:
                self.tell(one)

    def __getitem__(self, name) -> Incident:
        found = self.incidents.get(name)
        assert found is not None
        assert found == load_incident(dump_incident(found))
        return found


def test_an_incident_is_taken_answered_resolved_and_closed():
    """Each step leaves its state, its time and its line in the timeline."""
    desk = Desk(event())
    states = [desk["a"].state]
    for minute, (kind, text) in enumerate([("acknowledge", ""), ("respond", "已发布声明"), ("resolve", "")], 1):
        assert desk.do("a", act(kind, minute=minute, text=text)) == ""
        states.append(desk["a"].state)
    assert desk.do("a", act("close", minute=4, text="电芯批次问题，已召回")) == "firing"
    desk.tell(event("a", "resolved", revision=2, minute=5))
    assert desk.do("a", act("close", minute=6, text="电芯批次问题，已召回")) == ""
    states.append(desk["a"].state)
    assert states == ["open", "acknowledged", "mitigating", "resolved", "closed"]
    handling = desk["a"].handling
    assert (handling.owner, handling.responded_at) == ("小林", T0 + 2 * MINUTE)
    assert [(one.kind, one.text) for one in handling.timeline] == [
        ("acknowledge", ""), ("respond", "已发布声明"), ("resolve", ""), ("close", "电芯批次问题，已召回"),
    ]  # fmt: skip


STATES = {
    "open": [],
    "acknowledged": [act("acknowledge")],
    "mitigating": [act("respond")],
    "resolved": [act("resolve")],
    "closed": [act("resolve"), event("a", "resolved", revision=2, minute=2), act("close", text="误报")],
}
REFUSALS = {
    "open": {"unacknowledge": "not_taken", "reopen": "open", "close": "open"},
    "acknowledged": {"acknowledge": "taken", "reopen": "open", "close": "open"},
    "mitigating": {"acknowledge": "taken", "respond": "responded", "reopen": "open", "close": "open"},
    "resolved": {"acknowledge": "over", "unacknowledge": "over", "respond": "over", "resolve": "over", "close": "firing"},
    "closed": {
        "acknowledge": "over", "unacknowledge": "over", "assign": "over", "respond": "over", "resolve": "over",
        "reopen": "over", "close": "closed", "check": "over", "uncheck": "over",
    },
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "kind",
    ["acknowledge", "unacknowledge", "assign", "note", "check", "respond", "resolve", "reopen", "close"],
)
def test_every_act_in_every_state(state, kind):
    """An act of somebody else's is done or refused for a reason, and a refused one changes nothing."""
    desk = Desk(event())
    desk.go("a", *STATES[state])
    before = desk["a"]
    assert before.state == state
    reason = desk.do("a", act(kind, "老周", text="说明", value="1"))
    assert reason == REFUSALS[state].get(kind, "")
    assert (desk["a"] == before) == bool(reason)


@pytest.mark.parametrize(
    ("told", "state", "by"),
    [
        (event("a", "updated", revision=2, minute=3), "acknowledged", "小林"),
        (event("b", minute=3), "acknowledged", "小林"),
        (event("b", level=Level.red, minute=3), "open", ""),
        (event("a", "raised", revision=2, level=Level.red, minute=3), "open", ""),
        (event("a", "lowered", revision=2, level=Level.blue, minute=3), "acknowledged", "小林"),
    ],
)
def test_an_acknowledgement_holds_until_the_level_rises(told, state, by):
    """More of the same is still taken; a level above what was taken is nobody's."""
    desk = Desk(event())
    desk.do("a", act("acknowledge"))
    after = desk.tell(told)
    assert (after.state, after.handling.taken.by if after.handling.taken else "") == (state, by)
    assert after.handling.owner == "小林"


def test_a_new_wave_is_not_taken():
    """An acknowledgement and an answer end with the wave that they were for."""
    desk = Desk(event())
    desk.do("a", act("respond"))
    desk.tell(event("a", "resolved", revision=2, minute=10))
    assert desk["a"].state == "resolved"
    assert desk.do("a", act("acknowledge", minute=11)) == "over"
    after = desk.tell(event("a", revision=3, minute=30))
    assert (after.state, after.since, after.reached) == ("open", T0 + 30 * MINUTE, ((Level.orange, T0 + 30 * MINUTE),))


def test_what_a_person_resolved_stays_so_until_something_new():
    """Alerts that fire on are quiet; a new one, or a higher level, opens it; their end leaves it resolved."""
    desk = Desk(event())
    desk.do("a", act("resolve"))
    for quiet in (event("a", "updated", revision=2, minute=2), event("a", "lowered", revision=3, minute=3)):
        assert desk.tell(quiet).state == "resolved"
    assert desk["a"].firing
    assert desk.tell(event("b", minute=4)).state == "open"
    desk.do("a", act("resolve", minute=5))
    assert desk.tell(event("a", "raised", revision=4, level=Level.red, minute=6)).state == "open"
    desk.do("a", act("resolve", minute=7))
    desk.tell(event("b", "resolved", revision=2, minute=8))
    assert desk.tell(event("a", "resolved", revision=5, minute=9)).state == "resolved"
    assert desk.do("a", act("reopen", minute=10)) == "over"


def test_who_saw_an_older_turn_must_look_again():
    """News that changes no decision is no reason to refuse; a rise, an end or another's act is."""
    desk = Desk(event(), event("a", "updated", revision=2, minute=1), event("a", "updated", revision=3, minute=2))
    assert desk["a"].revision == 3
    assert desk.do("a", act("note", text="看过"), seen=1) == ""
    desk.tell(event("a", "raised", revision=4, level=Level.red, minute=3))
    assert desk.do("a", act("acknowledge"), seen=4) == "revision"
    assert desk.do("a", act("acknowledge"), seen=5) == ""
    assert desk.do("a", act("resolve"), seen=5) == "revision"
    assert desk.do("a", act("resolve"), seen=99) == "revision"


def test_the_same_act_twice_is_one():
    """A double click changes nothing the second time."""
    desk = Desk(event())
    desk.do("a", act("acknowledge"))
    before = desk["a"]
    outcome = perform(before, act("acknowledge", minute=5))
    assert isinstance(outcome, Done)
    assert outcome.incidents == ()


def test_merged_incidents_go_on_as_one():
    """The alerts, and what their topics bring later, belong to the one that stays; the other is over for good."""
    desk = Desk(event("a"), event("b", topic="acme-fire", level=Level.red, minute=1))
    assert desk.do("a", act("acknowledge")) == ""
    assert desk.do("b", act("merge", value="a", minute=2), other="a") == ""
    assert (desk["b"].state, desk["b"].open, desk["b"].handling.merged_into) == ("closed", False, "a")
    one = desk["a"]
    assert ([member.alert for member in one.alerts], one.level, one.state) == (["a", "b"], Level.red, "open")
    assert desk.tell(event("b", "updated", revision=2, level=Level.red, minute=3, topic="acme-fire")).id == "a"
    assert desk.tell(event("c", topic="acme-fire", minute=4)).id == "a"
    for again in (act("merge", value="a"), act("note", text="x"), act("acknowledge")):
        assert desk.do("b", again, other="a") == "merged"
    restored = Incidents([desk["b"], desk["a"]])
    assert restored.apply(event("d", topic="acme-fire", minute=5))[1].id == "a"


def test_split_alerts_are_an_incident_of_their_own():
    """What was split off goes its own way; new alerts of the topic stay with the first."""
    desk = Desk(event("a"), event("b", level=Level.red, minute=1))
    desk.do("a", act("acknowledge", minute=2))
    for wrong in ("", "a,b", "zzz", "b,zzz"):
        assert desk.do("a", act("split", value=wrong)) == "no_alerts"
    assert desk.do("a", act("split", value="b", minute=3)) == ""
    apart = desk.tell(event("b", "updated", revision=2, level=Level.red, minute=4))
    assert (apart.id, apart.level, apart.state, desk["a"].level) == ("b-sa.3", Level.red, "open", Level.orange)
    assert desk.tell(event("c", minute=5)).id == "a"
    restored = Incidents([desk["b-sa.3"], desk["a"]])
    assert restored.apply(event("d", minute=6))[1].id == "a"


def test_nothing_joins_a_closed_incident():
    """A new wave of the same alert is a new incident."""
    desk = Desk(event())
    desk.go("a", *STATES["closed"])
    again = desk.tell(event("a", revision=3, level=Level.red, minute=6))
    assert (again.id, again.state) == ("a-3", "open")
    assert desk.tell(event("b", minute=7)).id == "a-3"
    assert desk["a"].state == "closed"


def test_a_resolved_one_that_fires_on_is_not_forgotten():
    """However long: else its next event would open it again."""
    desk = Desk(event())
    desk.do("a", act("resolve"))
    desk.tell(event("z", topic="other", minute=600))
    assert desk.tell(event("a", "updated", revision=2, minute=601)).id == "a"
    desk.tell(event("a", "resolved", revision=3, minute=602))
    desk.tell(event("z", "resolved", revision=2, topic="other", minute=603 + REJOIN // MINUTE))
    assert desk.incidents.get("a") is None


def told(kind="open", revision=1, level=Level.orange, at=T0) -> Told:
    return Told(revision, level, kind, at)


def decided(desk, before, minute):
    return decide(desk["a"], before, LEG, first_at=T0, now=T0 + minute * MINUTE)


def test_what_a_hand_resolved_within_the_wait_is_never_told_though_it_fires_on():
    """Its next event told of a beginning and of the end after it, hours late, to who had heard of neither."""
    desk = Desk(event())
    slow = replace(LEG, group_wait=5 * MINUTE)
    desk.do("a", act("resolve", minute=1))
    for minute, what in ((60, "updated"), (90, "resolved")):
        desk.tell(event("a", what, revision=minute // 30, minute=minute))
        decision = decide(desk["a"], None, slow, first_at=T0, now=T0 + minute * MINUTE)
        assert decision == Decision(None, "resolved_before_wait", None)
    desk.tell(event("b", minute=100))
    assert decide(desk["a"], None, slow, first_at=T0, now=T0 + 100 * MINUTE).kind == "open"
    desk.do("a", act("resolve", minute=101))
    desk.tell(event("b", "updated", revision=2, minute=200))
    late = decide(desk["a"], told("resolve", desk["a"].revision - 1), slow, first_at=T0, now=T0 + 200 * MINUTE)
    assert late == Decision(None, "closed", None)


def test_merging_what_is_over_is_news_to_nobody():
    """Two incidents that have ended are told of no more, whichever of them takes the other's alerts."""
    desk = Desk(event("a"), event("b", topic="other"))
    for name in ("a", "b"):
        desk.do(name, act("resolve", minute=1))
    before = {name: desk[name].revision for name in ("a", "b")}
    assert desk.do("b", act("merge", value="a", minute=2), other="a") == ""
    for name in ("a", "b"):
        now = T0 + 30 * MINUTE
        decision = decide(desk[name], told("resolve", before[name]), LEG, first_at=T0, now=now)
        assert decision == Decision(None, "closed", None)


def test_what_people_do_is_told_at_once():
    """Taken: said now, and never repeated; news comes at the slower pace; a hand that resolves does not wait."""
    desk = Desk(event())
    desk.do("a", act("acknowledge"))
    assert decided(desk, told(), 1) == Decision("acknowledge", "acted", None)
    assert decided(desk, told("acknowledge", 2), 9999) == Decision(None, "acknowledged", None)
    desk.tell(event("a", "updated", revision=2, minute=2))
    assert decided(desk, told("acknowledge", 2), 10) == Decision(None, "group_interval", T0 + REPEAT)
    desk.do("a", act("assign", value="老周"))
    assert decided(desk, told("acknowledge", 2), 10) == Decision("act", "acted", None)
    desk.do("a", act("note", text="联系供应商"))
    desk.do("a", act("resolve"))
    assert decided(desk, told("act", 4), 1) == Decision("resolve", "resolved", None)
    desk.do("a", act("note", text="复盘", minute=600))
    assert decided(desk, told("resolve", 6), 9999) == Decision(None, "closed", None)


def test_a_level_above_what_was_taken_is_told_and_repeated():
    """Nobody has it any more."""
    desk = Desk(event())
    desk.do("a", act("acknowledge"))
    desk.tell(event("a", "raised", revision=2, level=Level.red, minute=2))
    assert decided(desk, told("acknowledge", 2), 2) == Decision("update", "level_rose", T0 + 2 * MINUTE + REPEAT)


def test_a_note_on_what_is_over_keeps_it_no_longer():
    """Nor does an act that ends one: each is forgotten two hours after its last alert, whatever ended before or after it."""
    desk = Desk(event("a"), event("b", topic="rival"), event("c", topic="third"))
    desk.go("c", act("resolve", minute=1))
    desk.go("a", event("a", "resolved", revision=2, minute=5))
    desk.go("b", event("b", "resolved", revision=2, topic="rival", minute=50))
    desk.go("a", act("note", minute=60, text="门店已复核"))
    assert desk.do("c", act("merge", minute=61, value="a"), other="a") == ""
    assert desk.do("a", act("split", minute=62, value="c")) == ""
    two_hours = 120
    assert desk.tell(event("a2", minute=5 + two_hours)).id == "a2"
    assert desk.tell(event("b2", topic="rival", minute=49 + two_hours)).id == "b"


def test_a_topic_that_came_by_its_story_leaves_with_the_last_of_its_alerts():
    """What was split off goes its own way, and new alerts of its topic with it; the first topic stays where it was."""
    one = StoryRef("s", "充电宝起火", 9, ("weibo",), "")
    desk = Desk(event("a"), replace(event("b", topic="ceo", minute=1), stories=(one,)))
    assert desk["b"].gathers == ("ceo",)
    desk = Desk(replace(event("a"), stories=(one,)), replace(event("b", topic="ceo", minute=1), stories=(one,)))
    desk.tell(event("c", topic="ceo", minute=2))
    assert (desk["a"].gathers, len(desk["a"].alerts)) == (("acme", "ceo"), 3)
    assert desk.do("a", act("split", value="b", minute=3)) == ""
    assert desk.tell(event("d", topic="ceo", minute=4)).id == "a"
    assert desk.do("a", act("split", value="c,d", minute=5)) == ""
    assert desk["a"].gathers == ("acme",)
    apart = desk.tell(event("e", topic="ceo", minute=6))
    assert (apart.id != "a", apart.gathers) == (True, ("ceo",))


def test_a_topic_of_which_nothing_is_split_off_stays():
    """Also one whose alerts are none of the incident's any more: they ended long ago and were dropped."""
    story = (StoryRef("s", "充电宝起火", 9, ("weibo",), ""),)
    desk = Desk(*(replace(event(topic, topic=topic), stories=story) for topic in ("acme", "ceo", "third")))
    rest = tuple(one for one in desk["acme"].alerts if one.topic != "third")
    desk.incidents.keep(replace(desk["acme"], alerts=rest))
    assert desk.do("acme", act("split", value="ceo")) == ""
    assert desk["acme"].gathers == ("acme", "third")
    assert desk.tell(event("later", topic="third", minute=2)).id == "acme"


def test_what_is_split_off_twice_at_one_revision_is_two_incidents():
    """Split, merged, and split again: an id of its own, or the first one's record would be written over."""
    desk = Desk(event("a"), event("x", minute=1), event("c", topic="rival", minute=2))
    assert desk.do("a", act("split", value="x", minute=3)) == ""
    first = next(one.id for one in desk.incidents.open() if one.id.startswith("x-"))
    assert desk.do(first, act("merge", value="c", minute=4), other="c") == ""
    assert desk.do("c", act("split", value="x", minute=5)) == ""
    again = [one.id for one in desk.incidents.open() if one.id.startswith("x-")]
    assert again and first not in again
