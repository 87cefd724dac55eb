"""One condition, and then another."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.reading import Leaf, Reading, State
from rules.strict import ConditionModel, WindowLength
from rules.view import View
from rules.wording import span

if TYPE_CHECKING:
    from rules.conditions import AnyCondition

_MINUTE = timedelta(minutes=1)
_OUT_OF_TURN, _IN_TURN = 1, 2


@dataclass(frozen=True, slots=True)
class _Steps:
    """By step. ``on``: 0 it does not hold, 1 it holds out of turn, 2 in its turn.

    ``began``: the second at which it last came to hold in its turn; ``held``: the last minute at which it did so.
    """

    on: list[int]
    began: list[int | None]
    held: list[int | None]


class Sequence(ConditionModel):
    """Holds while the last of ``of`` does, where each began after the one before it, not later than ``within``.

    A step is reached at the tick at which its condition comes to hold, where the step before it was reached at an earlier
    tick and held at most ``within`` ago. One that held before its turn has to cease and come again. What is told is
    what the last says.
    """

    type: Literal["sequence"]
    of: tuple["AnyCondition", ...] = Field(min_length=2)
    within: WindowLength

    @field_validator("of")
    @classmethod
    def _few(cls, of: tuple["AnyCondition", ...]) -> tuple["AnyCondition", ...]:
        if len(of) > 5:
            raise ValueError("takes 5 steps at most")
        return of

    @property
    def remembers(self) -> bool:
        return True

    def leaves(self) -> tuple[Leaf, ...]:
        # The last is what it is about: its window and its words come first.
        return tuple(leaf for part in (self.of[-1], *self.of[:-1]) for leaf in part.leaves())

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        steps, states = self._remembered(state)
        readings = []
        for place, part in enumerate(self.of):
            reading, states[place] = part.read(view, states[place], now)
            readings.append(reading)
        self._step(steps, readings, view.minute, int(now.timestamp()))
        last = len(self.of) - 1
        reading, reached = readings[last], steps.on[last] == _IN_TURN
        awake = any(one.awake for one in readings)
        until = max((one + self.within // _MINUTE for one in steps.held[:last] if one is not None), default=-1)
        waits = view.minute <= until
        turns = 0 if awake else until + 1
        whole = reading._replace(
            holds=reached, says=self._because, seen=(reading, reached), awake=awake or waits, turns=turns
        )
        if not (waits or any(steps.on) or any(one is not None for one in states)):
            return whole, None
        return whole, {"on": list(steps.on), "began": list(steps.began), "held": list(steps.held), "of": states}

    def _step(self, steps: _Steps, readings: list[Reading], minute: int, second: int) -> None:
        # From the last to the first, so that a step never follows one that begins at the same tick.
        for place in range(len(self.of) - 1, -1, -1):
            if not readings[place].holds:
                steps.on[place] = 0
            elif not steps.on[place]:
                before = steps.began[place - 1] if place else None
                follows = before is not None and before < second and self._waits(steps, place - 1, minute)
                steps.on[place] = _IN_TURN if place == 0 or follows else _OUT_OF_TURN
                if steps.on[place] == _IN_TURN:
                    steps.began[place] = second
            if steps.on[place] == _IN_TURN:
                steps.held[place] = minute

    def _waits(self, steps: _Steps, place: int, minute: int) -> bool:
        """Whether a step was reached so short a time ago that the next may still follow."""
        held = steps.held[place]
        return held is not None and minute - held <= self.within // _MINUTE

    def _because(self, last: Reading, reached: bool) -> Because:
        because, length, before = last.because, span(self.within), len(self.of) - 1
        several = "s" if before > 1 else ""
        if reached:
            zh = f"此前 {length.zh}内已依次出现前 {before} 步"
            en = f"after {before} earlier step{several} within {length.en}"
        else:
            zh = f"前 {before} 步尚未在 {length.zh}内依次出现"
            en = f"not after {before} earlier step{several} within {length.en}"
        return Because(f"{because.zh}；{zh}", f"{because.en}; {en}")

    def _remembered(self, state: State) -> tuple[_Steps, list[State]]:
        count = len(self.of)
        if isinstance(state, dict):
            lists = [state.get(name) for name in ("on", "began", "held", "of")]
            on, began, held, states = (one if isinstance(one, list) and len(one) == count else None for one in lists)
            if on is not None and began is not None and held is not None and states is not None:
                return _Steps([one if isinstance(one, int) else 0 for one in on], _ints(began), _ints(held)), list(
                    states
                )
        return _Steps([0] * count, [None] * count, [None] * count), [None] * count


def _ints(values: list[State]) -> list[int | None]:
    return [one if isinstance(one, int) else None for one in values]
