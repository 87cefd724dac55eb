"""Mentions as columns, before they are rows: two million of them have to fit, and to be drawn at once."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tests.support.world.voices import NO_RISK


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry a mention. Times are seconds since the world began.

    ``truth`` and ``label``: 0 negative, 1 neutral, 2 positive; ``sure`` in twentieths. ``text``: a place in the world's
    texts; ``story``: a number, -1 where it stands alone. ``author``: a number. ``event``: a place in the world's plans,
    -1 for what is always said. ``rival``: the label towards the brand that is named too, -1 where none is;
    ``second``: that brand. ``kept_back``: seconds that it is late beyond the next poll.
    """

    at: NDArray[np.float64]
    kept_back: NDArray[np.float64]
    brand: NDArray[np.int16]
    source: NDArray[np.int8]
    truth: NDArray[np.int8]
    label: NDArray[np.int8]
    sure: NDArray[np.int8]
    risk: NDArray[np.int8]
    text: NDArray[np.int32]
    story: NDArray[np.int32]
    author: NDArray[np.int32]
    event: NDArray[np.int32]
    second: NDArray[np.int16]
    rival: NDArray[np.int8]
    copy_of: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Columns":
        return Columns(*(getattr(self, field.name)[which] for field in fields(self)))

    @staticmethod
    def join(parts: "list[Columns]") -> "Columns":
        return Columns(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(Columns)))


def columns(count: int, **given: object) -> Columns:
    """Columns of *count* mentions; what is not given is as of a neutral mention that stands alone."""
    plain: dict[str, object] = {
        "kept_back": 0, "truth": 1, "label": 1, "sure": 16, "risk": NO_RISK, "text": 0, "story": -1, "author": 0,
        "event": -1, "second": -1, "rival": -1, "copy_of": -1,
    }  # fmt: skip
    types = {
        "at": np.float64, "kept_back": np.float64, "brand": np.int16, "text": np.int32, "story": np.int32,
        "author": np.int32, "event": np.int32, "second": np.int16, "copy_of": np.int64,
    }  # fmt: skip
    merged = {**plain, **given}
    return Columns(**{
        field.name: np.broadcast_to(np.asarray(merged[field.name], dtype=types.get(field.name, np.int8)), (count,)).copy()
        for field in fields(Columns)
    })  # fmt: skip
