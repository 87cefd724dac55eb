"""The crisis world that rules are measured on: the same for the same seed, true to what it says, and scored right."""

import json
import math
from dataclasses import fields, replace
from datetime import timedelta
from itertools import islice

import numpy as np
import pytest

from rules.log import MentionRow, PollRow, Row, RulesRow
from tests.bench.world import peers
from tests.bench.world.__main__ import main
from tests.bench.world.engine import RULES, load, run
from tests.bench.world.report import Line, figures
from tests.bench.world.score import Told, incidents, score
from tests.support.world.columns import Columns
from tests.support.world.happenings import IMPORT, SECOND_SOURCE, Truth
from tests.support.world.log import rows
from tests.support.world.schedule import DAY, HOUR
from tests.support.world.world import Config, World, build

SMALL = Config(seed=2, brands=24, weeks=3, history=1, most=200, outages=3)
LIVE = (0.0, 14 * DAY)


@pytest.fixture(scope="module")
def world() -> World:
    return build(SMALL)


@pytest.fixture(scope="module")
def log(world: World) -> list[Row]:
    return list(rows(world, []))


def test_a_seed_makes_the_same_world_twice_and_another_seed_another(world: World) -> None:
    again, other = build(SMALL), build(replace(SMALL, seed=3))
    assert again.truths == world.truths
    assert again.brands == world.brands
    assert all(
        np.array_equal(getattr(again.columns, one.name), getattr(world.columns, one.name)) for one in fields(Columns)
    )
    assert np.array_equal(again.came, world.came, equal_nan=True)
    assert other.truths != world.truths
    assert list(islice(rows(again, []), 3000)) == list(islice(rows(world, []), 3000))


def test_the_tenth_negative_mention_of_a_crisis_is_inside_it(world: World) -> None:
    assert {one.kind for one in world.crises} == {"fast_burst", "repost_storm", "slow_burn", "second_wave"}
    for one in world.crises:
        assert one.tenth is not None
        assert world.live[0] <= one.begin < one.tenth < one.end
        own = (world.columns.brand == one.brand) & (world.columns.event >= 0) & (world.columns.truth == 0)
        told = world.columns.at[own & (world.columns.at >= one.begin) & (world.columns.at <= one.tenth)]
        assert len(told) >= 10


def test_no_decoy_holds_a_crisis_of_its_brand(world: World) -> None:
    decoys = [one for one in world.truths if not one.crisis]
    assert len({one.kind for one in decoys}) >= 7
    for decoy in decoys:
        clash = [
            one for one in world.crises if one.brand == decoy.brand and one.begin < decoy.end and decoy.begin < one.end
        ]
        assert not clash
        assert decoy.tenth is None


def test_the_analyzer_errs_as_it_is_said_to(world: World) -> None:
    usual = world.columns.event < 0
    negative = usual & (world.columns.truth == 0)
    assert 0.7 < (world.columns.label[negative] == 0).mean() < 0.8
    assert 0.02 < (world.columns.label[usual & (world.columns.truth != 0)] == 0).mean() < 0.06


def test_mentions_come_after_they_are_published_most_within_minutes_and_a_fifth_late(world: World) -> None:
    own = ~np.isnan(world.came) & (world.columns.source < SECOND_SOURCE)
    waits = (world.came - world.columns.at)[own]
    assert waits.min() > 0
    assert 0.7 < (waits < 400).mean() < 0.9
    assert np.isnan(world.came).mean() < 0.01
    for down in world.outages:
        source = ("weibo", "news", "forum", "video", "wechat").index(down.source)
        came = world.came[world.columns.source == source]
        assert not ((came > down.begin + 60) & (came < down.end)).any()


def test_the_log_is_in_order_and_holds_every_mention_and_poll_once(world: World, log: list[Row]) -> None:
    assert isinstance(log[0], RulesRow)
    assert [row.seq for row in log] == list(range(1, len(log) + 1))
    assert all(one.at <= two.at for one, two in zip(log, log[1:], strict=False))
    mentions = [row for row in log if isinstance(row, MentionRow)]
    assert len(mentions) == int((~np.isnan(world.came)).sum())
    assert len({(row.mention.source, row.mention.external_id) for row in mentions}) == len(mentions)
    polls = [row for row in log if isinstance(row, PollRow)]
    assert len(polls) == sum(len(one.end) for one in world.polls)
    assert any(not row.ok for row in polls)
    assert all(row.event_at <= row.at for row in mentions)


def test_imports_of_old_data_are_history_beyond_thirty_days(world: World, log: list[Row]) -> None:
    imported = [row for row in log if isinstance(row, MentionRow) and row.mention.source == "archive"]
    assert len(imported) == int((world.columns.source == IMPORT).sum()) > 0
    assert all(row.history == (row.at - row.event_at > timedelta(days=30)) for row in imported)
    assert {row.history for row in imported} == {True, False}


def test_what_a_second_source_brings_is_a_copy_of_the_same_story(log: list[Row]) -> None:
    by_source: dict[str, dict[str, MentionRow]] = {}
    for row in log:
        if isinstance(row, MentionRow):
            by_source.setdefault(row.mention.source, {})[row.mention.external_id] = row
    copies = by_source["aggregator"]
    assert copies
    for name, copy in copies.items():
        original = next(rows_[name] for source, rows_ in by_source.items() if source != "aggregator" and name in rows_)
        assert (copy.story, copy.mention.text) == (original.story, original.mention.text)


def truth(kind: str, begin: float, end: float, *, crisis: bool = True, brand: int = 0) -> Truth:
    return Truth(kind, brand, begin * HOUR, end * HOUR, crisis, 50, begin * HOUR + 600 if crisis else None)


def opened(hour: float, name: str, over: float | None = None, brand: int = 0) -> list[Told]:
    told = [Told(brand, hour * HOUR, "opened", name)]
    return told if over is None else [*told, Told(brand, over * HOUR, "resolved", name)]


def test_a_crisis_is_caught_by_the_first_alert_in_it_and_timed_from_its_tenth() -> None:
    crises = [truth("fast_burst", 10, 20), truth("slow_burn", 100, 150)]
    got = score([*opened(9, "a", 9.5), *opened(12, "b", 13), *opened(18, "c", 19)], crises, LIVE, 1)
    caught, missed = got.catches
    assert (caught.from_begin, caught.from_tenth) == (120, 110)
    assert missed.told is None
    assert got.recall == 0.5
    # The first opened before the crisis, so it is false; b came more than two hours later, and so did c.
    assert [one.opens[0].alert for one in got.false] == ["a"]
    assert got.incidents_per_crisis == 2
    assert got.false_rate == 0.5


def test_alerts_that_overlap_or_follow_within_two_hours_are_one_incident() -> None:
    told = [
        *opened(1, "a", 5),
        *opened(4, "b", 6),
        *opened(7.9, "c", 8),
        *opened(10.1, "d", 11),
        *opened(1, "e", 2, brand=1),
    ]
    assert [[one.alert for one in found.opens] for found in incidents(told)] == [["a", "b", "c"], ["e"], ["d"]]


def test_an_alert_that_is_still_open_catches_a_second_wave_only_by_telling_of_it() -> None:
    waves = [truth("fast_burst", 10, 20), truth("second_wave", 30, 40)]
    quiet = opened(11, "a", 45)
    assert [one.told is not None for one in score(quiet, waves, LIVE, 1).catches] == [True, False]
    loud = [*quiet, Told(0, 32 * HOUR, "raised", "a")]
    assert score(loud, waves, LIVE, 1).recall == 1


def test_a_decoy_fires_by_what_opens_in_it_and_not_by_what_belongs_to_a_crisis() -> None:
    truths = [
        truth("launch", 10, 20, crisis=False),
        truth("fast_burst", 10, 20, brand=1),
        truth("lottery", 50, 60, crisis=False),
    ]
    got = score([*opened(12, "a", 13), *opened(12, "b", 13, brand=1), *opened(70, "c", 71)], truths, LIVE, 2)
    assert [decoy.kind for decoy, _ in got.fired] == ["launch"]
    assert len(got.false) == 2
    assert got.recall == 1
    assert math.isnan(score([], [], LIVE, 1).recall)


def test_what_is_told_outside_the_live_weeks_does_not_count() -> None:
    got = score([*opened(-1, "a", 0), *opened(14 * 24 + 1, "b")], [], LIVE, 1)
    assert not got.false


def test_a_peer_counts_what_was_published_in_a_stretch_and_had_come() -> None:
    published = np.array([0.0, 600.0, 900.0])
    came = np.array([100.0, 700.0, 5000.0])
    seen = peers.Seen(published, came, 3 * HOUR)
    # At 15 minutes the third has been published and has not come; at 85 minutes the first two are over an hour old.
    assert seen.back(0, 1)[[0, 1, 3, 11, 17]].tolist() == [0, 1, 2, 2, 0]
    expected = [
        sum(HOUR <= 300 * t - p < 2 * HOUR and c <= 300 * t for p, c in zip(published, came, strict=True))
        for t in range(36)
    ]
    assert seen.back(1, 2).tolist() == expected


def test_elastalert_is_silent_for_two_windows_after_a_match() -> None:
    at = np.arange(0, 5 * HOUR, 60.0) + 24 * HOUR
    seen = peers.Seen(at, at + 1, 48 * HOUR)
    ticks = [first for first, _ in peers.elastalert(seen, {"height": 3, "cur": 5, "ref": 0})]
    assert ticks == [24 * 12 + 1]


def test_stretches_of_a_peer_join_until_it_has_not_held_for_long_enough() -> None:
    holds = np.zeros(100, bool)
    holds[[3, 4, 10, 40]] = True
    assert peers.episodes(holds, 1) == [(3, 10), (40, 40)]
    assert peers.episodes(np.zeros(5, bool), 1) == []


def test_the_engine_tells_of_a_small_world_what_it_tells_of_it_again() -> None:
    small = build(Config(seed=2, brands=3, weeks=1, history=1, most=60, outages=1))
    rules = load(RULES, small)
    first = run(small, rules, step=timedelta(minutes=5))
    assert first.mentions == int((~np.isnan(small.came)).sum())
    assert first.told == run(small, rules, step=timedelta(minutes=5)).told
    assert {one.rule for one in first.told} <= {rule.id for rule in rules}


def test_the_report_has_a_line_for_every_decider(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--seed", "2", "--brands", "3", "--weeks", "1", "--history", "1", "--step", "300", "--cases", "2"]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert all(f"\n{peer.name}" in out for peer in peers.PEERS)
    assert "decoys fired" in out


def test_the_figures_of_a_score_are_json_and_say_nothing_where_nothing_is_known() -> None:
    truths = [truth("fast_burst", 10, 20), truth("repost_storm", 30, 40), truth("launch", 50, 60, crisis=False)]
    got = figures(Line("engine", "", score([*opened(10.5, "a", 11), *opened(51, "b", 52)], truths, LIVE, 1)))
    assert json.loads(json.dumps(got)) == got
    assert (got["recall"], got["false_per_brand_week"], got["decoys_fired"]) == (0.5, 0.5, 1)
    assert got["kinds"]["fast_burst"] == {
        "crises": 1, "recall": 1.0, "from_begin": {"p50": 30.0, "p95": 30.0}, "from_tenth": {"p50": 20.0, "p95": 20.0},
    }  # fmt: skip
    assert got["kinds"]["slow_burn"]["recall"] is None
    assert got["kinds"]["repost_storm"]["from_tenth"] == {"p50": None, "p95": None}
    assert got["decoy_kinds"] == {"launch": {"fired": 1, "of": 1}}


def test_a_world_outside_2026_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer weeks"):
        build(Config(seed=2, brands=1, weeks=30))
