"""One condition, and then another."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from alerts import Because
from rules.reading import Leaf, Reading, State
from rules.strict import Strict, WindowLength
from rules.view import View
from rules.wording import span

if TYPE_CHECKING:
    from rules.conditions import AnyCondition

_MINUTE = timedelta(minutes=1)


class Sequence(Strict):
    """Holds while the last of ``of`` does, where each before it held first, and within ``within`` of the next.

    A step is reached at the tick at which its condition first holds after the step before it, never at the same tick;
    a step that was reached again before the next one counts from the later time. What is told is what the last says.
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

    def leaves(self) -> tuple[Leaf, ...]:
        # The last is what it is about: its window and its words come first.
        return tuple(leaf for part in (self.of[-1], *self.of[:-1]) for leaf in part.leaves())

    def read(self, view: View, state: State, now: datetime, /) -> tuple[Reading, State]:
        held, states = self._remembered(state)
        minute, within = view.minute, self.within // _MINUTE
        readings = []
        for place, part in enumerate(self.of):
            reading, states[place] = part.read(view, states[place], now)
            readings.append(reading)
        # From the last to the first, so that a step never leans on one of the same tick.
        last = len(self.of) - 1
        ready = self._follows(held, last, minute, within)
        for place in range(last - 1, -1, -1):
            if readings[place].holds and (place == 0 or self._follows(held, place, minute, within)):
                held[place] = minute
        reading = readings[last]
        length = span(self.within)
        steps = Because(
            f"此前 {length.zh}内已依次出现前 {last} 步" if ready else f"前 {last} 步尚未在 {length.zh}内依次出现",
            f"after {last} earlier step{'s' if last > 1 else ''} within {length.en}"
            if ready
            else f"the {last} earlier step{'s' if last > 1 else ''} not seen within {length.en}",
        )
        because = Because(f"{reading.because.zh}；{steps.zh}", f"{reading.because.en}; {steps.en}")
        whole = replace(
            reading, holds=reading.holds and ready, because=because, awake=any(one.awake for one in readings), turns=0
        )
        return whole, {"held": list(held), "of": states}

    def _follows(self, held: list[int | None], place: int, minute: int, within: int) -> bool:
        """Whether the step before *place* was reached before this minute, not longer than *within* ago."""
        before = held[place - 1]
        return before is not None and 0 < minute - before <= within

    def _remembered(self, state: State) -> tuple[list[int | None], list[State]]:
        count = len(self.of)
        if isinstance(state, dict):
            held, states = state.get("held"), state.get("of")
            if isinstance(held, list) and isinstance(states, list) and len(held) == len(states) == count:
                return [one if isinstance(one, int) else None for one in held], list(states)
        return [None] * count, [None] * count
