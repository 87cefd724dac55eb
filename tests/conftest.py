"""Read before any test."""

import os

import pytest
from hypothesis import settings

# Two workers, each with two threads of OpenBLAS that wait for each other in a loop, take twice as long as with one each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# An example that takes longer than 200 ms says that the machine is busy, not that the property is wrong.
settings.register_profile("listener", deadline=None)
settings.load_profile("listener")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: one more than there are cores, for tests of the whole program mostly wait for it."""
    return len(os.sched_getaffinity(0)) + 1
