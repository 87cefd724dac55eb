"""A reliability diagram: how often judgements of a given confidence are right, as a table and as a picture (SVG)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
_SIZE, _LEFT, _BOTTOM = 320, 44, 40  # pixels
_COLOURS = ("#1f6feb", "#d1242f", "#8250df", "#1a7f37")


@dataclass(frozen=True, slots=True)
class Bin:
    """Of the judgements in one bin: how many, their mean confidence, and the share that is right."""

    count: int
    confidence: float
    right: float


def bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Bin]:
    """*confidence* 0..1 and whether each judgement was right, in ten bins of equal width; empty ones left out."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        Bin(int((place == one).sum()), float(confidence[place == one].mean()), float(right[place == one].mean()))
        for one in np.unique(place)
    ]


def of_shares(shares: NDArray[np.float64], labels: NDArray[Any]) -> list[Bin]:
    """The bins of three-class judgements: the label is the largest share, which is its confidence."""
    return bins(shares.max(axis=1), shares.argmax(axis=1) == labels)


def table(found: Sequence[Bin]) -> str:
    return ", ".join(f"{one.confidence:.2f}: {one.right:.2f} ({one.count:,})" for one in found)


def draw(curves: Mapping[str, Sequence[Bin]], path: Path) -> None:
    """An SVG of confidence against the share that is right; a curve on the diagonal is honest."""
    width, height = _LEFT + _SIZE + 10, _SIZE + _BOTTOM + 16 * len(curves) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<rect x="{_LEFT}" y="5" width="{_SIZE}" height="{_SIZE}" fill="none" stroke="#8c959f"/>',
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#8c959f" stroke-dasharray="4 4"/>',
    ]
    for step in range(0, 11, 2):
        value = step / 10
        parts.append(f'<text x="{_x(value)}" y="{_SIZE + 20}" text-anchor="middle" fill="#1f2328">{value:.1f}</text>')
        parts.append(f'<text x="{_LEFT - 6}" y="{_y(value) + 4}" text-anchor="end" fill="#1f2328">{value:.1f}</text>')
    parts.append(f'<text x="{_x(0.5)}" y="{_SIZE + 36}" text-anchor="middle" fill="#1f2328">confidence</text>')
    for index, (name, found) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        points = " ".join(f"{_x(one.confidence):.1f},{_y(one.right):.1f}" for one in found)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{_x(one.confidence):.1f}" cy="{_y(one.right):.1f}" r="3" fill="{colour}"/>' for one in found
        ]
        at = _SIZE + _BOTTOM + 16 * index + 12
        parts.append(f'<line x1="{_LEFT}" y1="{at - 4}" x2="{_LEFT + 20}" y2="{at - 4}" stroke="{colour}"/>')
        parts.append(f'<text x="{_LEFT + 26}" y="{at}" fill="#1f2328">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _x(value: float) -> float:
    return _LEFT + value * _SIZE


def _y(value: float) -> float:
    return 5 + (1 - value) * _SIZE
