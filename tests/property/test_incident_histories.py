"""Interleavings of what the rules say and what people do, silences among it: only legal histories, told legally.

Ten thousand in ``make soak``, over restarts and times in which nobody is there.
"""

import os
from collections import Counter

import pytest

from tests.support.histories import LEGAL, World


@pytest.mark.parametrize("part", range(4))
def test_only_legal_histories(part):
    """Of 250 seeds each, 2,500 in a soak: each history keeps its promises at every step, and all occurs."""
    done: Counter[str] = Counter()
    each = 2500 if os.environ.get("SOAK") else 250
    for seed in range(part * each, (part + 1) * each):
        world = World(seed)
        try:
            world.run(20)
        except AssertionError as error:
            raise AssertionError(f"seed {seed} at {world.now}: {error}") from error
        done += world.done
    assert set(LEGAL) <= set(done)
    wanted = {
        "acknowledge refused: taken", "acknowledge refused: over", "resolve refused: over", "resolve refused: revision",
        "silence", "unsilence", "restart",
        *(f"{who} {what}" for who in ("pr", "sleeper") for what in ("open", "breakthrough", "unsilenced", "resolve")),
    }  # fmt: skip
    assert wanted <= set(done)
