"""What lint calls impossible is so: tried on mentions, readings and incidents of every kind."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from alerts import Because, Level
from alerts.config import RouteConfig
from listener.collectors import FeedConfig
from listener.config.lint.filters import passing, posts
from listener.config.lint.levels import _granted, _implies, alternatives
from listener.config.lint.routes import route_findings
from listener.config.model import Config
from rules.conditions import Ratio, Spike, Volume
from rules.facts import Facts
from rules.filter import Filter
from rules.reading import Figures, Reading
from rules.rule import LevelTest, RuleConfig
from tests.support.examples import examples

SOURCES = [
    FeedConfig(id=name, type="feed", url=f"https://{name}.example.com/rss", channel=channel, tier=tier)
    for name, channel, tier in [("a", "news", "core"), ("b", "forum", "core"), ("c", "forum", "auxiliary")]
]
CONFIG = Config(sources=SOURCES)

leaf_filters = st.one_of(
    st.fixed_dictionaries(
        {"label": st.lists(st.sampled_from(["negative", "neutral", "positive", "unknown"]), min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries({"channel": st.sampled_from(["news", "forum", "weibo"])}),
    st.fixed_dictionaries({"source": st.sampled_from(["a", "b", "c"])}),
    st.fixed_dictionaries({"tier": st.sampled_from(["core", "auxiliary"])}),
    st.fixed_dictionaries({"verified": st.booleans()}),
    st.fixed_dictionaries({"confidence": st.fixed_dictionaries({"at_least": st.sampled_from([0, 0.5])})}),
    st.fixed_dictionaries({"followers": st.fixed_dictionaries({"at_least": st.sampled_from([0, 100])})}),
)
filters = st.recursive(
    leaf_filters,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
).map(Filter.model_validate)


def every_kind() -> list[Facts]:
    """A mention of each kind that the sources can bring."""
    found = []
    for source, (label, confidence), verified, followers in product(
        SOURCES,
        [("unknown", 0.0), ("negative", 0.9), ("neutral", 0.4), ("positive", 0.7)],
        (True, False, None),
        (None, 5, 500),
    ):
        found.append(Facts(
            topic="t", source=source.id, external_id="1", channel=source.channel, tier=source.tier, label=label,
            confidence=confidence, negative=0.0, author_id="", author="", followers=followers, verified=verified, people=0,
            text="", url="", published_at=None, found={}, who="", keys=(), weight=0.0,
        ))  # fmt: skip
    return found


KINDS = every_kind()


@examples(300)
@given(st.lists(filters, min_size=1, max_size=2))
def test_a_filter_that_is_called_empty_passes_nothing(given_filters):
    """Where lint says that no mention can pass, none of any kind does; where one does, lint says nothing."""
    tests = [one.test() for one in given_filters]
    passes = any(all(test(facts) for test in tests) for facts in KINDS)
    assert not passes or passing(given_filters, posts(CONFIG))


tests_of_levels = st.recursive(
    st.fixed_dictionaries({}, optional={
        "at_least": st.integers(1, 6), "share": st.sampled_from([0.2, 0.5, 0.8]), "authors": st.integers(1, 4),
        "channels": st.integers(1, 3), "reach": st.integers(1, 3),
    }),
    lambda inner: st.fixed_dictionaries({}, optional={
        "all": st.lists(inner, max_size=2), "any": st.lists(inner, max_size=3), "authors": st.integers(1, 4),
    }),
    max_leaves=5,
).map(LevelTest.model_validate)  # fmt: skip
readings = st.builds(
    Figures, mentions=st.integers(1, 8), authors=st.integers(0, 5), channels=st.integers(1, 4), reach=st.integers(0, 4),
    share=st.sampled_from([0.5, 0.7, 1.0]), factor=st.sampled_from([None, 2.0, 9.0]),
).map(lambda figures: Reading(True, figures.mentions, None, Because, ("", ""), figures, None, awake=True))  # fmt: skip


@examples(300)
@given(tests_of_levels, tests_of_levels, st.lists(readings, min_size=1, max_size=30))
def test_a_level_that_is_called_hidden_is(lower, higher, found):
    """Where lint says that a lower level's test implies a higher one's, no reading of the condition tells them apart."""
    when = Ratio(type="ratio", at_least=0.5, floor=2)
    rule = RuleConfig(id="r", topics=("t",), when=when, levels={"blue": lower, "yellow": higher})
    if _implies(rule, "blue", "yellow", _granted([when])):
        assert [reading for reading in found if lower.holds(reading) and not higher.holds(reading)] == []


@examples(200)
@given(tests_of_levels, readings)
def test_alternatives_are_the_test(test, reading):
    """A test holds where one of its alternatives does, threshold by threshold."""
    seen = {
        "at_least": reading.figures.mentions, "authors": reading.figures.authors, "channels": reading.figures.channels,
        "reach": reading.figures.reach, "share": reading.figures.share,
    }  # fmt: skip
    assert test.holds(reading) is any(
        all(seen[name] >= value for name, value in one.items()) for one in alternatives(test)
    )


def test_what_conditions_grant():
    """Levels may count on what the first condition asks for, and on nothing that it does not."""
    assert _granted([Volume(type="volume", at_least=5)]) == {"at_least": 5, "channels": 1}
    assert _granted([Spike(type="spike", at_least=5, factor=4)]) == {"at_least": 5, "channels": 1}
    assert _granted([Ratio(type="ratio", at_least=0.3, floor=10)]) == {"at_least": 3, "channels": 1, "share": 0.3}


values = {
    "kind": ["topic", "self"], "level": ["blue", "yellow", "orange", "red"], "topic": ["acme", "rival"],
    "rule": ["surge", "words"],
}  # fmt: skip
matches = st.dictionaries(st.sampled_from(sorted(values)), st.none(), max_size=2).flatmap(
    lambda given: st.fixed_dictionaries({
        name: st.lists(st.sampled_from(values[name]), min_size=1, max_size=3, unique=True) for name in given
    })
)  # fmt: skip
branches = st.recursive(
    st.fixed_dictionaries({"match": matches, "continue": st.booleans()}),
    lambda inner: st.fixed_dictionaries({
        "match": matches, "continue": st.booleans(), "routes": st.lists(inner, max_size=3),
    }),
    max_leaves=8,
)  # fmt: skip


@examples(150)
@given(st.lists(branches, min_size=1, max_size=4))
def test_a_branch_is_called_dead_exactly_where_no_incident_comes_to_it(given_branches):
    """Each branch gets a receiver of its own; the route's own matching, on every kind of incident, says which are reached."""
    named: list[tuple] = []

    def name(branch: dict, keys: tuple) -> dict:
        named.append(keys)
        inner = [name(one, (*keys, "routes", index)) for index, one in enumerate(branch.get("routes", []))]
        # A leaf below a branch that would take all its incidents hides the branch's own receiver, so each gets one.
        probe = [{"receiver": f"{keys}", "continue": True}]
        return {**branch, "receiver": f"{keys}", "routes": probe + inner}

    tree = {"receiver": "root", "routes": [name(one, ("route", "routes", i)) for i, one in enumerate(given_branches)]}
    route = RouteConfig.model_validate(tree).build()
    reached = set()
    for kind, level, topic, rule in product(
        values["kind"], Level.__members__, [*values["topic"], "x"], [*values["rule"], "x"]
    ):
        labels = {"kind": kind, "level": level, "topic": topic, "brand": "", "rule": rule}
        reached |= {leg.receiver for leg in route.match(labels)}
    plain = Config(route=RouteConfig.model_validate({"receiver": "root", "routes": given_branches}))
    dead = {finding.keys for finding in route_findings(plain)}
    unreached = {keys for keys in named if f"{keys}" not in reached}
    tops = {keys for keys in unreached if keys[:-2] not in unreached}
    assert dead == tops
