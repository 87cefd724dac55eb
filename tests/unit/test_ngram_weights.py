"""The file a model lives in, and the folder of trained versions."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sentiment import AnalysisError
from sentiment.ngram import Ngram, shipped, whole
from sentiment.reading import ZONES
from sentiment.sentiment import CATEGORIES
from sentiment.versions import add, choose, current, versions
from sentiment.weights import MAGIC, Head, RiskHead, Weights, load, save

BITS = 6
AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def drawn(seed: int, *, risk: bool = True) -> Weights:
    """A small model of numbers drawn from *seed*."""
    draw = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        return draw.integers(-127, 128, shape).astype(np.int8)

    heads = [Head(numbers(2, 1 << BITS), numbers(ZONES, 2, 1 << BITS), (0.1, 0.2), (0.3, -0.4)) for _ in range(2)]
    folding = np.arange(1000, dtype=np.uint32)
    folding[65:91] += np.uint32(32)
    scales = tuple(draw.random(len(CATEGORIES)).tolist())
    limits = tuple(draw.random(len(CATEGORIES)).tolist())
    head = RiskHead(CATEGORIES, numbers(len(CATEGORIES), 1 << (BITS - 1)), scales, scales, limits) if risk else None
    return Weights(BITS, folding, heads[0], heads[1], head, {"name": "试", "sources": {"a": 1}})


def refused(path: Path) -> str:
    with pytest.raises(AnalysisError) as caught:
        load(path)
    assert caught.value.analyzer == "ngram"
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("risk", [True, False])
def test_what_is_saved_is_loaded_to_the_last_bit(tmp_path: Path, *, risk: bool) -> None:
    """Numbers, folding, names and words come back as they were, and saved anew they are the same bytes."""
    weights = drawn(1, risk=risk)
    version = save(weights, tmp_path / "deep" / "er" / "a.bin")
    found = load(tmp_path / "deep" / "er" / "a.bin")
    assert found.version == version
    assert (found.bits, dict(found.about)) == (BITS, {"name": "试", "sources": {"a": 1}})
    assert found.folding.dtype == np.uint32
    assert np.array_equal(found.folding, weights.folding)
    for one, other in ((found.text, weights.text), (found.target, weights.target)):
        assert (one.scale, one.bias) == (other.scale, other.bias)
        assert np.array_equal(one.shared, other.shared)
        assert np.array_equal(one.zones, other.zones)
        assert one.shared.dtype == one.zones.dtype == np.int8
    assert (found.risk is not None) is risk
    if found.risk and weights.risk:
        assert found.risk.categories == CATEGORIES
        assert (found.risk.scale, found.risk.bias) == (weights.risk.scale, weights.risk.bias)
        assert np.array_equal(found.risk.weights, weights.risk.weights)
    assert save(found, tmp_path / "b.bin") == version
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "deep" / "er" / "a.bin").read_bytes()


def test_the_version_is_the_beginning_of_the_digest(tmp_path: Path) -> None:
    """Equal weights have equal versions, others another; the file says it itself."""
    path = tmp_path / "a.bin"
    first = save(drawn(1), path)
    packed = path.read_bytes()
    assert hashlib.sha256(packed[len(MAGIC) + 32 :]).hexdigest()[:12] == first
    assert save(drawn(1), path) == first
    assert save(drawn(2), path) != first


def test_a_loaded_model_judges(tmp_path: Path) -> None:
    """A model of another size than the shipped one judges, and carries its version."""
    version = save(drawn(3), tmp_path / "a.bin")
    analyzer = Ngram(load(tmp_path / "a.bin"))
    assert analyzer.version == version
    answer = analyzer.score([whole("hello")])[0]
    assert answer.negative + answer.neutral + answer.positive == pytest.approx(1)


def test_the_shipped_model_is_whole() -> None:
    """The shipped file loads, fits its own number of buckets and knows every category of risk."""
    weights = shipped("standard")
    assert weights.text.shared.shape == weights.target.shared.shape == (2, 1 << weights.bits)
    assert weights.version
    assert weights.risk is not None
    assert weights.risk.categories == CATEGORIES
    assert weights.risk.weights.shape == (len(CATEGORIES), 1 << (weights.bits - 1))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda packed: packed[:-1], "is damaged"),
        (lambda packed: packed[:45], "is damaged"),
        (lambda packed: packed[:20], "is damaged"),
        (lambda packed: packed[: len(MAGIC)], "is damaged"),
        (lambda packed: packed + b"\0", "is damaged"),
        (lambda packed: packed[:500] + bytes([packed[500] ^ 1]) + packed[501:], "is damaged"),
        (lambda packed: packed[:9] + bytes([packed[9] ^ 0x80]) + packed[10:], "is damaged"),
        (lambda packed: b"", "is no model of ours"),
        (lambda packed: packed[:5], "is no model of ours"),
        (lambda packed: b"\0" * 1000, "is no model of ours"),
        (lambda packed: packed[len(MAGIC) + 32 :], "is no model of ours"),
        (lambda packed: "很好".encode(), "is no model of ours"),
        (lambda packed: MAGIC[:-1] + b"1" + packed[len(MAGIC) :], "is of another format"),
        (lambda packed: MAGIC[:-1], "is of another format"),
    ],
    ids=range(14),
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], told: str) -> None:
    """A cut, longer, altered, empty or foreign file, and one of another format, are told with their path."""
    path = tmp_path / "a.bin"
    save(drawn(1), path)
    path.write_bytes(damage(path.read_bytes()))
    assert told in refused(path)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    """What the system says is told with the path."""
    assert "No such file" in refused(tmp_path / "a.bin")
    assert "cannot be read" in refused(tmp_path)


def sealed(payload: bytes) -> bytes:
    return MAGIC + hashlib.sha256(payload).digest() + payload


def without(payload: bytes, name: str, instead: bytes | None = None) -> bytes:
    """The archive *payload* with the entry *name* left out, or with other bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(payload)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
            elif instead is not None:
                new.writestr(entry, instead)
    return buffer.getvalue()


def array(values: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(values), allow_pickle=True)
    return buffer.getvalue()


def text(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(json.dumps(value).encode(), dtype=np.uint8))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: b"",
        lambda payload: b"nothing",
        lambda payload: payload[:-30],
        lambda payload: without(payload, "numbers.npy"),
        lambda payload: without(payload, "folding.npy"),
        lambda payload: without(payload, "target_zones.npy"),
        lambda payload: without(payload, "risk.npy"),
        lambda payload: without(payload, "text_shared.npy", array(np.zeros((2, 8), dtype=np.int8))),
        lambda payload: without(payload, "text_zones.npy", array(np.zeros((ZONES, 2, 8), dtype=np.int8))),
        lambda payload: without(payload, "text_shared.npy", array([{"a": 1}])),
        lambda payload: without(payload, "text_shared.npy", b"\x93NUMPY"),
        lambda payload: without(payload, "numbers.npy", array(np.frombuffer(b"{", dtype=np.uint8))),
        lambda payload: without(payload, "numbers.npy", text({"bits": BITS})),
        lambda payload: without(payload, "numbers.npy", text([])),
        lambda payload: without(payload, "folding.npy", array(np.full((2, 1), 5000, dtype=np.uint32))),
        lambda payload: without(payload, "text_zones.npy", array(np.zeros((3, 2, 1 << BITS), dtype=np.int8))),
        lambda payload: without(payload, "risk.npy", array(np.zeros((2, 4), dtype=np.int8))),
    ],
    ids=range(17),
)
def test_a_sealed_file_that_holds_no_model_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A right digest over something that is no model, or half of one, is refused; nothing in it is run."""
    path = tmp_path / "a.bin"
    save(drawn(1), path)
    path.write_bytes(sealed(spoil(path.read_bytes()[len(MAGIC) + 32 :])))
    assert "holds no whole model" in refused(path)


def test_a_folder_without_versions_uses_the_shipped_model(tmp_path: Path) -> None:
    """No folder, an empty folder: no versions, and nothing in place of the shipped model."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert versions(folder) == ([], None)
        assert current(folder) is None
    choose(tmp_path, None)
    assert versions(tmp_path) == ([], None)


def test_versions_are_kept_and_the_newest_is_current(tmp_path: Path) -> None:
    """What is added becomes current, what was there stays and can be gone back to, and to the shipped model."""
    folder = tmp_path / "models"
    first = add(folder, drawn(1), AT, {"count": 20})
    second = add(folder, drawn(2), AT + timedelta(hours=1), {"name": "二"})
    assert first.name.startswith("20260301T083000-")
    found, name = versions(folder)
    assert (found, name) == ([first, second], second.name)
    assert [version.at for version in found] == [AT, AT + timedelta(hours=1)]
    assert found[0].figures == {"count": 20}
    assert in_use(folder) == second.name.split("-")[1]
    choose(folder, first.name)
    assert versions(folder) == ([first, second], first.name)
    assert in_use(folder) == first.name.split("-")[1]
    choose(folder, None)
    assert versions(folder) == ([first, second], None)
    assert current(folder) is None
    choose(folder, second.name)
    assert in_use(folder) == second.name.split("-")[1]
    assert {path.name for path in folder.iterdir()} == {"versions.json", f"{first.name}.bin", f"{second.name}.bin"}


def in_use(folder: Path) -> str:
    weights = current(folder)
    assert weights is not None
    return weights.version


def test_the_same_weights_at_the_same_time_are_one_version(tmp_path: Path) -> None:
    """Added twice, a version stands once in the list, with the later figures."""
    add(tmp_path, drawn(1), AT, {"run": 1})
    again = add(tmp_path, drawn(1), AT, {"run": 2})
    assert versions(tmp_path) == ([again], again.name)


def test_a_version_that_is_not_there_or_damaged_cannot_be_chosen(tmp_path: Path) -> None:
    """The refusal names what there is; the version in use stays."""
    first = add(tmp_path, drawn(1), AT, {})
    second = add(tmp_path, drawn(2), AT, {})
    with pytest.raises(AnalysisError) as caught:
        choose(tmp_path, "third")
    assert first.name in str(caught.value)
    assert second.name in str(caught.value)
    (tmp_path / f"{first.name}.bin").write_bytes(b"x")
    with pytest.raises(AnalysisError, match="is no model of ours"):
        choose(tmp_path, first.name)
    (tmp_path / f"{first.name}.bin").unlink()
    with pytest.raises(AnalysisError, match="No such file"):
        choose(tmp_path, first.name)
    assert versions(tmp_path)[1] == second.name
    (tmp_path / "empty").mkdir()
    with pytest.raises(AnalysisError, match="there are: none"):
        choose(tmp_path / "empty", "x")


@pytest.mark.parametrize(
    "index",
    [
        b"", b"{", b"[]", b"5", b"null", b"{}", b'{"versions": []}', b'{"current": null}', b'{"current": "x", "versions": []}', b"\xff\xfe",
        b'{"current": null, "versions": [{}]}', b'{"current": null, "versions": [1]}', b'{"current": null, "versions": 1}',
        b'{"current": null, "versions": [{"name": "a", "at": "yesterday", "figures": {}}]}',
        b'{"current": null, "versions": [{"name": "a", "at": 5, "figures": {}}]}',
    ],
)  # fmt: skip
def test_a_damaged_list_of_versions_is_refused(tmp_path: Path, index: bytes) -> None:
    """Whatever stands in versions.json, it is read or refused with its path; nothing is overwritten."""
    path = tmp_path / "versions.json"
    path.write_bytes(index)
    for ask in (versions, current, lambda folder: choose(folder, None), lambda folder: add(folder, drawn(1), AT, {})):
        with pytest.raises(AnalysisError) as caught:
            ask(tmp_path)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == index


def test_a_current_version_whose_file_is_gone_is_refused(tmp_path: Path) -> None:
    """It is told with the file, never judged by the shipped model in silence."""
    version = add(tmp_path, drawn(1), AT, {})
    (tmp_path / f"{version.name}.bin").unlink()
    with pytest.raises(AnalysisError, match=version.name):
        current(tmp_path)
