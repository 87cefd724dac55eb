"""The benchmark of surges: its scoring on windows made by hand, and its detectors being online."""

import math
import random
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import surges
from tests.bench.surge_choice import THRESHOLDS, Constants, episodes, installed, leave_one_out, openings
from tests.bench.surge_detectors import DETECTORS, OURS
from tests.bench.surge_scoring import (
    LOW_FN,
    LOW_FP,
    PROFILES,
    STANDARD,
    FolderError,
    Judge,
    Series,
    read_folder,
    sigmoid,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)


def series(rows=1000, windows=((400, 499),), values=None):
    return Series("made", [START + STEP * row for row in range(rows)], values or [0] * rows, windows)


def of_one(detections, profile=STANDARD, **more):
    return Judge([series(**more)]).at([detections]).score(profile)


def test_a_detection_at_the_left_edge_is_perfect_and_silence_is_nothing():
    assert of_one([400]) == pytest.approx(100)
    assert of_one([]) == 0


def test_a_later_detection_earns_less_and_the_last_row_of_the_window_still_something():
    # The row 49 before the last of a window of 100: (2 / (1 + e^-2.5) - 1) / (2 / (1 + e^-5) - 1), and the window not missed.
    middle = (2 / (1 + math.exp(-2.5)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert of_one([450]) == pytest.approx(100 * (middle + 1) / 2)
    assert of_one([450], LOW_FN) == pytest.approx(100 * (middle + 2) / 3)
    last = (2 / (1 + math.exp(-0.05)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert of_one([499]) == pytest.approx(100 * (last + 1) / 2)


def test_of_a_window_the_first_detection_alone_counts_in_whichever_order():
    assert of_one([450, 420, 499]) == pytest.approx(of_one([420]))


def test_a_false_row_costs_by_its_distance_past_the_window_before():
    assert of_one([400, 399]) == pytest.approx(100 - 100 * 0.11 / 2)
    assert of_one([400, 399], LOW_FP) == pytest.approx(100 - 100 * 0.22 / 2)
    near = 2 / (1 + math.exp(5 * 10 / 99)) - 1
    assert of_one([400, 509]) == pytest.approx(100 + 100 * 0.11 * near / 2)
    assert of_one([400, 499 + 3 * 99 + 1]) == pytest.approx(100 - 100 * 0.11 / 2)


def test_probation_is_neither_rewarded_nor_charged():
    # 15 % of 1,000 rows.
    assert of_one([149, 400]) == pytest.approx(100)
    assert of_one([150, 400]) < 100
    assert Judge([series(windows=((100, 140), (400, 499)))]).windows == 1
    assert series(rows=10000).begin == 750


def test_the_best_threshold_serves_all_series():
    scores = [[0.0] * 1000 for _ in range(2)]
    scores[0][420], scores[0][300], scores[1][430] = 3.0, 2.0, 1.0
    result = Judge([series(), series()]).best(scores)[STANDARD]
    # To find the second window the false row of the first has to be taken.
    assert (result.threshold, result.found, result.false_rows, result.delay) == (1.0, 2, 1, 25)


@given(st.lists(st.tuples(st.integers(0, 199), st.integers(1, 5)), max_size=30), st.sampled_from(PROFILES))
def test_the_best_of_the_sweep_is_the_best_of_all_thresholds(marks, profile):
    scores = [0.0] * 200
    for row, score in marks:
        scores[row] = float(score)
    judge = Judge([series(rows=200, windows=((60, 79), (140, 159)))])
    each = [
        judge.at([[row for row, score in enumerate(scores) if score >= threshold]]).score(profile)
        for threshold in range(6)
    ]
    assert judge.best([scores])[profile].score == pytest.approx(max(0.0, *each))


def test_the_sigmoid_is_that_of_the_paper():
    assert sigmoid(0) == 0
    assert sigmoid(-1) == pytest.approx(2 / (1 + math.exp(-5)) - 1)
    assert sigmoid(3.01) == -1


def surging(rows, surge):
    """Counts with a day's rhythm, and one surge of an hour."""
    dice = random.Random(7)
    rhythm = [40 + 25 * math.sin(2 * math.pi * row / 288) for row in range(rows)]
    return [round(dice.gauss(mean, 4) + (400 if surge <= row < surge + 12 else 0)) for row, mean in enumerate(rhythm)]


def scores_of(name, values):
    detector = DETECTORS[name]()
    return [detector.score(START + STEP * row, value) for row, value in enumerate(values)]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_is_online_and_sees_a_surge(name):
    surge = 288 * 5
    whole = scores_of(name, surging(288 * 6, surge))
    assert scores_of(name, surging(288 * 6, surge)[: surge + 6]) == whole[: surge + 6]
    # A future that differs changes nothing before it.
    assert scores_of(name, surging(288 * 6, surge)[:surge] + [0] * 12)[:surge] == whole[:surge]
    assert max(whole[surge : surge + 12]) > max(whole[288 * 4 : surge])


def test_openings_at_the_default_are_those_of_the_shipped_detector():
    values = surging(288 * 6, 288 * 5)
    shipped = [row for row, score in enumerate(scores_of(OURS, values)) if score >= 0.5]
    found = openings(series(rows=len(values), values=values), Constants())
    assert found[THRESHOLDS.index(1.9)] == shipped
    assert any(288 * 5 <= row < 288 * 5 + 12 for row in shipped)


def test_other_constants_hold_for_as_long_as_they_are_installed():
    from rules import normal

    before = (normal.PRIOR, normal.LATELY_HALF_LIFE, normal.LEVEL_HALF_LIFE)
    with installed(Constants(prior=4.0, lately=1, level=14).values):
        assert (normal.PRIOR, normal.LATELY_HALF_LIFE, normal.LEVEL_HALF_LIFE) == (4.0, 1440, 14 * 1440)
    assert (normal.PRIOR, normal.LATELY_HALF_LIFE, normal.LEVEL_HALF_LIFE) == before


def test_an_episode_goes_on_at_half_the_threshold_and_is_remembered_for_an_hour():
    scores = [0, 4, 2, 1, *[0] * 11, 2, *[0] * 13, 4]
    # Row 15 is 13 after the last that went on: half the threshold opens nothing; row 29 reaches it.
    assert episodes(scores, 4) == [1, 29]
    assert episodes([4, *[0] * 11, 4], 4) == [0]
    assert episodes([4, *[0] * 12, 4], 4) == [0, 13]


def test_leaving_one_out_judges_each_by_the_choice_of_the_others():
    # Without the first series the second choice is the best, without the second the first is.
    left = leave_one_out([[2.0, 0.0], [0.0, 1.0]], windows=2)
    assert left.chosen == [1, 0]
    assert left.score == 0


def test_a_folder_is_read_and_what_is_wrong_in_it_is_told(tmp_path, monkeypatch, capsys):
    lines = [f"{START + STEP * row:%Y-%m-%d %H:%M:%S},{row}" for row in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["timestamp,value", *lines]), encoding="utf-8")
    labels = tmp_path / "windows.json"
    labels.write_text('{"a.csv": [["2026-03-02 02:00:00", "2026-03-02 02:30:00"]]}', encoding="utf-8")
    (found,) = read_folder(tmp_path)
    assert (found.windows, found.values[:3]) == ([(24, 30)], [0, 1, 2])

    monkeypatch.setattr(sys, "argv", ["surges", str(tmp_path)])
    assert surges.main() == 1
    assert "two series or more" in capsys.readouterr().err

    labels.write_text('{"a.csv": [["2027-01-01", "2027-01-02"]]}', encoding="utf-8")
    with pytest.raises(FolderError, match=r"a\.csv: two rows or more"):
        read_folder(tmp_path)
    labels.write_text('{"b.csv": []}', encoding="utf-8")
    with pytest.raises(FolderError, match=r"b\.csv: No such file"):
        read_folder(tmp_path)
    (tmp_path / "b.csv").write_text("time,count\n1,2\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"b\.csv: no lines of timestamp,value"):
        read_folder(tmp_path)
