"""Logistic regression on hashed n-grams: sparse rows in, one column of weights out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack

from sentiment.grams import ORDERS, Folding, hashes
from sentiment.reading import OUTSIDE, ZONES, Reading

Floats = NDArray[np.float64]
_TEXTS_AT_ONCE = 4_000


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of texts, scaled by 1 / sqrt(n-grams): ``shared`` has a column a bucket, ``zoned`` one a zone and bucket."""

    shared: csr_matrix
    zoned: csr_matrix

    def rows(self, which: NDArray[Any]) -> "Matrix":
        return Matrix(self.shared[which], self.zoned[which])


def matrix(readings: Sequence[Reading], folding: Folding, bits: int, *, zoned: bool) -> Matrix:
    """The n-grams of *readings*; without ``zoned`` the second part is empty."""
    shared, zones = [], []
    for start in range(0, len(readings), _TEXTS_AT_ONCE):
        one, other = _rows(readings[start : start + _TEXTS_AT_ONCE], folding, bits, zoned=zoned)
        shared.append(one)
        zones.append(other)
    return Matrix(_stack(shared), _stack(zones))


def _stack(parts: list[csr_matrix]) -> csr_matrix:
    from scipy.sparse import vstack  # noqa: PLC0415 - used here alone

    return csr_matrix(vstack(parts))


def _rows(readings: Sequence[Reading], folding: Folding, bits: int, *, zoned: bool) -> tuple[csr_matrix, csr_matrix]:
    batch = folding.batch([reading.text for reading in readings])
    counts = np.diff(np.append(batch.starts, len(batch.codes)))
    rows = np.tile(np.repeat(np.arange(len(readings)), counts), ORDERS)
    columns = np.concatenate(hashes(batch.codes, bits)).astype(np.int64)
    values = (1 / np.sqrt(ORDERS * counts))[rows].astype(np.float32)
    shape = (len(readings), 1 << bits)
    shared = csr_matrix((values, (rows, columns)), shape=shape)
    if not zoned:
        return shared, csr_matrix(np.zeros((len(readings), 0), dtype=np.float32))
    zones = zones_of(readings, batch.offsets, batch.origin).astype(np.int64)
    placed = columns + (np.tile(zones, ORDERS) << bits)
    return shared, csr_matrix((values, (rows, placed)), shape=(len(readings), ZONES << bits))


def zones_of(readings: Sequence[Reading], offsets: NDArray[np.int64], origin: NDArray[np.int64]) -> NDArray[np.uint8]:
    zones = np.zeros(int(offsets[-1]) + len(readings[-1].text), dtype=np.uint8)
    for reading, offset in zip(readings, offsets.tolist(), strict=True):
        if reading.zones is not None:
            zones[offset : offset + len(reading.zones)] = reading.zones
    return zones[origin]


def inside(readings: Sequence[Reading], folding: Folding, bits: int) -> csr_matrix:
    """The n-grams of what is said of the target alone, scaled by 1 / sqrt(their number)."""
    parts = []
    for start in range(0, len(readings), _TEXTS_AT_ONCE):
        some = readings[start : start + _TEXTS_AT_ONCE]
        batch = folding.batch([reading.text for reading in some])
        counts = np.diff(np.append(batch.starts, len(batch.codes)))
        keep = zones_of(some, batch.offsets, batch.origin) < OUTSIDE
        rows = np.repeat(np.arange(len(some)), counts)
        kept = np.maximum(np.bincount(rows, weights=keep, minlength=len(some)) * ORDERS, 1)
        columns = np.concatenate([bucket[keep] for bucket in hashes(batch.codes, bits)]).astype(np.int64)
        owner = np.tile(rows[keep], ORDERS)
        parts.append(
            csr_matrix(((1 / np.sqrt(kept))[owner].astype(np.float32), (owner, columns)), shape=(len(some), 1 << bits))
        )
    return _stack(parts)


def logistic(
    rows: csr_matrix,
    yes: Floats,
    *,
    strength: float,
    weight: Floats | None = None,
    offset: Floats | None = None,
    steps: int = 40,
) -> tuple[NDArray[np.float32], float]:
    """Weights and bias that minimise the weighted log loss plus ``strength / 2 * |weights|^2`` (L-BFGS).

    *rows*: (n, d) sparse; *yes*: (n,) probabilities or 0/1; *weight*: (n,); *offset*: (n,) scores to
    begin from. The bias is not penalised.
    """
    count, width = rows.shape
    given = np.ones(count) if weight is None else weight
    begun = np.zeros(count) if offset is None else offset
    used = np.flatnonzero(np.bincount(rows.indices, minlength=width))
    dense = rows[:, used].tocsr() if len(used) < width else rows
    turned = dense.T.tocsr()

    def loss(at: Floats) -> tuple[float, Floats]:
        weights, bias = at[:-1].astype(np.float32), at[-1]
        score = np.asarray(dense @ weights, dtype=np.float64) + bias + begun
        probability = 1 / (1 + np.exp(-np.clip(score, -60, 60)))
        error = given * (probability - yes)
        slope = np.empty_like(at)
        slope[:-1] = turned @ error.astype(np.float32) + strength * at[:-1]
        slope[-1] = error.sum()
        value = (given * (np.logaddexp(0, score) - yes * score)).sum() + strength / 2 * (at[:-1] ** 2).sum()
        return float(value), slope

    found = minimize(
        loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 8}
    ).x
    weights = np.zeros(width, dtype=np.float32)
    weights[used] = found[:-1]
    return weights, float(found[-1])


def beside(rows: csr_matrix, columns: Floats) -> csr_matrix:
    """*rows* with dense *columns* behind them."""
    return csr_matrix(hstack([rows, csr_matrix(columns.astype(np.float32))]))
