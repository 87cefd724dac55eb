"""The file that an n-gram model lives in: integer weights, how they become probabilities, and what they were made from.

A file is eight bytes that name the format, the SHA-256 of what follows, and a numpy archive. Nothing in it is code: a
file that is damaged, cut or foreign is refused before a number of it is used.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sentiment.analyzer import AnalysisError
from sentiment.grams import Codes
from sentiment.reading import ZONES
from sentiment.sentiment import RiskCategory

MAGIC: Final = b"LSTNGRM2"
_DIGEST: Final = 32
_ANALYZER: Final = "ngram"

Int8s = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Head:
    """One decision by two linear scores, of the same n-grams.

    ``polarity`` speaks for positive against negative, ``neutrality`` for neutral against both. ``shared`` holds for all
    zones, ``zones[z]`` is added in zone *z*: int8, shape (2, buckets) and (zones, 2, buckets). A score is
    ``bias + scale * sum / sqrt(n-grams)``; ``scale`` and ``bias`` have one entry a score.
    """

    shared: Int8s
    zones: Int8s
    scale: tuple[float, float]
    bias: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RiskHead:
    """One yes or no a category: int8 weights of shape (categories, buckets), scale and bias a category.

    ``limits``: the confidence from which a category is told.
    """

    categories: tuple[RiskCategory, ...]
    weights: Int8s
    scale: tuple[float, ...]
    bias: tuple[float, ...]
    limits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """A whole model. ``text`` judges texts without a target, ``target`` those with one; ``about`` is told to people."""

    bits: int
    folding: Codes
    text: Head
    target: Head
    risk: RiskHead | None
    about: Mapping[str, Any]
    version: str = ""


def save(weights: Weights, path: Path) -> str:
    """Write the file; the same weights give the same bytes. Its version, the digest's beginning, is returned."""
    arrays: dict[str, NDArray[Any]] = {"folding": _folds(weights.folding)}
    for name, head in (("text", weights.text), ("target", weights.target)):
        arrays[f"{name}_shared"] = head.shared
        arrays[f"{name}_zones"] = head.zones
    numbers: dict[str, Any] = {
        "bits": weights.bits,
        "codes": len(weights.folding),
        "text": {"scale": weights.text.scale, "bias": weights.text.bias},
        "target": {"scale": weights.target.scale, "bias": weights.target.bias},
        "about": dict(weights.about),
    }
    if weights.risk:
        arrays["risk"] = weights.risk.weights
        numbers["risk"] = {
            "categories": weights.risk.categories,
            "scale": weights.risk.scale,
            "bias": weights.risk.bias,
            "limits": weights.risk.limits,
        }
    arrays["numbers"] = np.frombuffer(json.dumps(numbers, ensure_ascii=False, sort_keys=True).encode(), dtype=np.uint8)
    payload = _archive(arrays)
    digest = hashlib.sha256(payload).digest()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MAGIC + digest + payload)
    return digest.hex()[:12]


def _folds(table: Codes) -> NDArray[np.uint32]:
    """What differs from itself: two rows, code points and what they become."""
    changed = np.flatnonzero(table != np.arange(len(table), dtype=np.uint32)).astype(np.uint32)
    return np.stack([changed, table[changed]])


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    # numpy's own writer stamps the time of day into the archive; ours must give the same bytes every time.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def load(path: Path) -> Weights:
    """Read the file; raises AnalysisError, naming it and what is wrong, on any that :func:`save` did not write."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise AnalysisError(_ANALYZER, f"{path}: cannot be read: {error.strerror}") from error
    if not packed.startswith(MAGIC[:-1]):
        raise AnalysisError(_ANALYZER, f"{path}: is no model of ours (it does not begin with {MAGIC[:-1].decode()})")
    if not packed.startswith(MAGIC):
        raise AnalysisError(
            _ANALYZER, f"{path}: is of another format; build it anew with this version's listener train"
        )
    digest, payload = packed[len(MAGIC) : len(MAGIC) + _DIGEST], packed[len(MAGIC) + _DIGEST :]
    if hashlib.sha256(payload).digest() != digest:
        raise AnalysisError(_ANALYZER, f"{path}: is damaged: its digest does not match; restore it or build it anew")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            return _weights({name: arrays[name] for name in arrays.files}, digest.hex()[:12])
    except (EOFError, IndexError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise AnalysisError(_ANALYZER, f"{path}: holds no whole model: {error}") from error


def _weights(arrays: Mapping[str, NDArray[Any]], version: str) -> Weights:
    numbers = json.loads(arrays["numbers"].tobytes())
    folding = np.arange(numbers["codes"], dtype=np.uint32)
    changed, becomes = arrays["folding"]
    folding[changed] = becomes
    risk = numbers.get("risk")
    if risk and arrays["risk"].shape != (len(risk["categories"]), 1 << (numbers["bits"] - 1)):
        raise ValueError(f"risk: weights of shape {arrays['risk'].shape} do not fit")
    return Weights(
        bits=numbers["bits"],
        folding=folding,
        text=_head(arrays, numbers, "text"),
        target=_head(arrays, numbers, "target"),
        risk=RiskHead(
            tuple(risk["categories"]),
            arrays["risk"],
            tuple(risk["scale"]),
            tuple(risk["bias"]),
            tuple(risk["limits"]),
        )
        if risk
        else None,
        about=numbers["about"],
        version=version,
    )


def _head(arrays: Mapping[str, NDArray[Any]], numbers: Mapping[str, Any], name: str) -> Head:
    shared, zones = arrays[f"{name}_shared"], arrays[f"{name}_zones"]
    buckets = 1 << numbers["bits"]
    if shared.shape != (2, buckets) or zones.shape != (ZONES, 2, buckets):
        raise ValueError(f"{name}: weights of shape {shared.shape} and {zones.shape} do not fit {buckets} buckets")
    (p, s), (bp, bs) = numbers[name]["scale"], numbers[name]["bias"]
    return Head(shared, zones, (p, s), (bp, bs))
