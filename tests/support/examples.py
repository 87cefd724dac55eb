"""How many examples a property is tried on: as many as it says, and twenty times that in ``make soak``."""

import os

from hypothesis import settings

TIMES = 20 if os.environ.get("SOAK") else 1


def examples(count: int) -> settings:
    return settings(max_examples=count * TIMES, deadline=None)
