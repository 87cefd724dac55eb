"""Conditions made of conditions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from alerts import Because
from rules.figures import Figures
from rules.reading import Condition, Leaf, Reading, State
from rules.strict import ConditionModel
from rules.view import View

if TYPE_CHECKING:
    from rules.conditions import AnyCondition


class All(ConditionModel):
    """Holds while every one of ``of`` holds.

    It tells what all say, of the first one's window; a figure that it does not read is the first's that does.
    """

    type: Literal["all"]
    of: tuple["AnyCondition", ...] = Field(min_length=1)

    @property
    def remembers(self) -> bool:
        return any(part.remembers for part in self.of)

    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for part in self.of for leaf in part.leaves())

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        return read_all(self.of, view, state, now)


class Any_(ConditionModel):  # noqa: N801  (the key in YAML is ``any``)
    """Holds while one of ``of`` holds. What is told of it is what those that hold say."""

    type: Literal["any"]
    of: tuple["AnyCondition", ...] = Field(min_length=1)

    @property
    def remembers(self) -> bool:
        return any(part.remembers for part in self.of)

    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(leaf for part in self.of for leaf in part.leaves())

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        readings, states = read_each(self.of, view, state, now)
        holding = [reading for reading in readings if reading.holds]
        whole = _together(holding or readings)
        return whole._replace(holds=bool(holding), awake=any(reading.awake for reading in readings)), states


class Not(ConditionModel):
    """Holds while ``of`` does not."""

    type: Literal["not"]
    of: "AnyCondition"

    @property
    def remembers(self) -> bool:
        return self.of.remembers

    def leaves(self) -> tuple[Leaf, ...]:
        return self.of.leaves()

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        inner, state = self.of.read(view, state, now)
        # What holds may cease to by time alone, so the opposite may come to hold.
        return inner._replace(holds=not inner.holds, says=_not_so, seen=(inner,), awake=True), state


def read_each(parts: Sequence[Condition], view: View, state: State, now: datetime) -> tuple[list[Reading], State]:
    """Every part's reading, and what they remember in the same order, or None where none remembers anything."""
    states = state if isinstance(state, list) and len(state) == len(parts) else [None] * len(parts)
    readings, kept = [], []
    for part, old in zip(parts, states, strict=True):
        reading, new = part.read(view, old, now)
        readings.append(reading)
        kept.append(new)
    return readings, kept if any(one is not None for one in kept) else None


def read_all(parts: Sequence[Condition], view: View, state: State, now: datetime) -> tuple[Reading, State]:
    """What the parts say together, which hold all or not at all, and what they remember."""
    if len(parts) == 1:
        old = state[0] if state and isinstance(state, list) and len(state) == 1 else None
        reading, new = parts[0].read(view, old, now)
        return reading, None if new is None else [new]
    readings, states = read_each(parts, view, state, now)
    # One that can only fall with time, and does not hold, keeps the whole from holding until a row comes.
    asleep = any(not reading.holds and not reading.awake for reading in readings)
    awake = not asleep or any(part.remembers and one.awake for part, one in zip(parts, readings, strict=True))
    return _together(readings)._replace(holds=all(reading.holds for reading in readings), awake=awake), states


def _together(readings: Sequence[Reading]) -> Reading:
    first = readings[0]
    if len(readings) == 1:
        return first
    expected = next((one.expected for one in readings if one.expected is not None), None)
    words = next((one.words for one in readings if one.words), ())
    cold = any(one.baseline == "cold" for one in readings)
    turns = min(one.turns for one in readings)
    return first._replace(
        says=_all_say,
        seen=tuple(readings),
        expected=first.expected if first.expected is not None else expected,
        figures=_figures(readings),
        words=words,
        turns=turns,
        baseline="cold" if cold else first.baseline,
    )


def _all_say(*readings: Reading) -> Because:
    reasons = [one.because for one in readings]
    return Because("；".join(one.zh for one in reasons), "; ".join(one.en for one in reasons))


def _not_so(inner: Reading) -> Because:
    because = inner.because
    return Because(f"不成立：{because.zh}", f"not so: {because.en}")


def _figures(readings: Sequence[Reading]) -> Figures:
    """The first's, with each figure that it does not read from the first that does."""

    def first(name: str) -> float | None:
        return next((value for one in readings if (value := getattr(one.figures, name)) is not None), None)

    return readings[0].figures._replace(
        share=first("share"),
        factor=first("factor"),
        surprise=first("surprise"),
        doubling=first("doubling"),
    )
