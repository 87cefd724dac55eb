"""Sorting in runs gives what sorting in memory gives."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener import external_sort
from listener.external_sort import ordered

RECORDS = st.lists(st.binary(max_size=6).map(lambda record: record.replace(b"\n", b" ")), max_size=60)


@given(RECORDS, st.integers(1, 70))
def test_any_records_come_out_in_order(records, at_once):
    """Whatever the size of a run, and with repeats and empty records."""
    assert list(ordered(records, at_once=at_once)) == sorted(records)


@pytest.mark.parametrize("count", [0, 1, 5, 1_003])
def test_more_runs_than_are_merged_at_once(count):
    """A run a record: they are merged in stages."""
    shuffled = [b"%06d" % number for number in range(count)]
    random.Random(1).shuffle(shuffled)
    assert external_sort.MOST_RUNS < 1_003
    assert list(ordered(shuffled, at_once=1)) == sorted(shuffled)


def test_it_can_be_left_in_the_middle():
    """A reader that goes away leaves no file open."""
    left = ordered((b"%03d" % number for number in range(100)), at_once=10)
    assert next(left) == b"000"
    left.close()
