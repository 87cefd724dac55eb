"""The accurate analyzer: the small model for all, and a multilingual E5 where the small one is unsure.

    polarity   = bias + a . (small polarity, small neutrality) + v . embedding
    neutrality = the same, with its own bias, a and v

and the classes from these two as in :mod:`sentiment.ngram`. As there, a text with a brand marked is judged by weights
that were fitted on mentions of brands, any other by weights of texts as such. The E5 runs in a process of its own (see
:mod:`sentiment.accurate_worker`), so that it holds up neither the interpreter nor, beyond its budget of seconds a batch,
the caller. What it does not answer in time keeps the small model's judgement, and so does everything when it fails.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import weakref
import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from sentiment.accurate_worker import EMBEDDER, FRAME, READY
from sentiment.analyzer import AnalysisError
from sentiment.grams import BRAND, OTHER
from sentiment.ngram import Floats, Ngram, Scores
from sentiment.reading import OUTSIDE, Reading, read
from sentiment.sentiment import Label, Sentiment
from sentiment.target import Target
from sentiment.weights import _DIGEST, _archive

Vectors = NDArray[np.float32]

MAGIC: Final = b"LSTNACC1"
WIDTH: Final = 384  # numbers of an embedding
LONGEST: Final = 400  # characters that are embedded; the E5 reads some 500 tokens, and its time grows with them
BUDGET: Final = 2.0
UNSURE: Final = 0.7
DOUBTFUL: Final = (0.25, 0.75)
PATIENCE: Final = 60.0
STARTS_AGAIN: Final = 3
SHIPPED: Final = Path(__file__).parent / "models" / "accurate.bin"

_ANALYZER: Final = "accurate"
_LABELS: Final[tuple[Label, Label, Label]] = ("negative", "neutral", "positive")
_FURTHEST: Final = 8.0  # a small score beyond is cut: its probability, of which it is read, tells no more
_AHEAD: Final = 2  # texts that lie with the worker: one in work, one to go on with
_GRACE: Final = 1.0  # seconds in which a worker that is no longer needed may end by itself
_BRAND_AS: Final = "该品牌"
_OTHER_AS: Final = "其他品牌"

_BRANDS = re.compile(f"{BRAND}+")
_OTHERS = re.compile(f"{OTHER}+")
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")  # the E5 takes C strings of UTF-8
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Blend:
    """Two logistic scores, polarity and neutrality.

    Shapes: ``bias`` (2,), ``small`` (2 scores, 2 small scores), ``embedding`` (2, :data:`WIDTH`).
    """

    bias: Floats
    small: Floats
    embedding: Vectors

    def scores(self, small: Floats, embeddings: Vectors) -> Scores:
        """The scores of *n* texts from their small scores, (n, 2), and embeddings, (n, :data:`WIDTH`)."""
        both = self.bias + small @ self.small.T + embeddings.astype(np.float64) @ self.embedding.T.astype(np.float64)
        return Scores(both[:, 0], both[:, 1])


@dataclass(frozen=True, slots=True)
class Blends:
    """A whole model. ``text`` judges texts without a target, ``target`` those with one; ``about`` is told to people."""

    text: Blend
    target: Blend
    about: Mapping[str, Any]
    version: str = ""


def save(blends: Blends, path: Path) -> str:
    """Write the file; the same weights give the same bytes. Its version, the digest's beginning, is returned."""
    numbers = json.dumps({"about": dict(blends.about)}, ensure_ascii=False, sort_keys=True)
    arrays: dict[str, NDArray[Any]] = {"numbers": np.frombuffer(numbers.encode(), dtype=np.uint8)}
    for name, blend in (("text", blends.text), ("target", blends.target)):
        arrays[f"{name}_bias"] = blend.bias.astype(np.float64)
        arrays[f"{name}_small"] = blend.small.astype(np.float64)
        arrays[f"{name}_embedding"] = blend.embedding.astype(np.float32)
    payload = _archive(arrays)
    digest = hashlib.sha256(payload).digest()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MAGIC + digest + payload)
    return digest.hex()[:12]


def load(path: Path = SHIPPED) -> Blends:
    """Read the file; raises AnalysisError, naming it and what is wrong, on any that :func:`save` did not write."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise AnalysisError(_ANALYZER, f"{path}: cannot be read: {error.strerror}") from error
    if not packed.startswith(MAGIC):
        raise AnalysisError(_ANALYZER, f"{path}: is no model of ours (it does not begin with {MAGIC.decode()})")
    digest, payload = packed[len(MAGIC) : len(MAGIC) + _DIGEST], packed[len(MAGIC) + _DIGEST :]
    if hashlib.sha256(payload).digest() != digest:
        raise AnalysisError(_ANALYZER, f"{path}: is damaged: its digest does not match; restore it or build it anew")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            text, target = _blend(arrays, "text"), _blend(arrays, "target")
            about = json.loads(arrays["numbers"].tobytes())["about"]
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise AnalysisError(_ANALYZER, f"{path}: holds no whole model: {error}") from error
    return Blends(text, target, about, digest.hex()[:12])


def _blend(arrays: Mapping[str, NDArray[Any]], name: str) -> Blend:
    bias, small, embedding = (arrays[f"{name}_{part}"] for part in ("bias", "small", "embedding"))
    shapes = bias.shape, small.shape, embedding.shape
    if shapes != ((2,), (2, 2), (2, WIDTH)):
        raise ValueError(f"{name}: weights are of the shapes {shapes}")
    return Blend(bias, small, embedding)


def wording(reading: Reading) -> str:
    """What the E5 reads of a target: what is said of the brand, title first, as text that UTF-8 can hold.

    The brand is called 该品牌, others 其他品牌. Of more than :data:`LONGEST` characters it is those about the brand's first
    name, or the first ones.
    """
    text = reading.text
    if reading.zones is not None and (reading.zones == OUTSIDE).any():
        edges = np.flatnonzero(np.diff(np.concatenate(([True], reading.zones == OUTSIDE, [True])).astype(np.int8)))
        text = "".join(text[start:end] for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    text = _OTHERS.sub(_OTHER_AS, _BRANDS.sub(_BRAND_AS, _UNSENDABLE.sub(" ", text)))
    if len(text) > LONGEST:
        named = max(text.find(_BRAND_AS), 0) if reading.targeted else 0
        begin = max(min(named - LONGEST // 2, len(text) - LONGEST), 0)
        text = text[begin : begin + LONGEST]
    return text


def small_scores(judged: Sequence[Sentiment]) -> Floats:
    """Polarity and neutrality of what the small model judged, shape (n, 2), read back from its probabilities."""
    shares = np.array([(one.negative, one.neutral, one.positive) for one in judged], dtype=np.float64).reshape(-1, 3)
    logs = np.log(np.maximum(shares, 1e-12))
    opinion = np.log(np.maximum(shares[:, 0] + shares[:, 2], 1e-12))
    return cut(np.stack([logs[:, 2] - logs[:, 0], logs[:, 1] - opinion], axis=1))


def cut(scores: Floats) -> Floats:
    """Small scores as the blend takes them, none far from zero."""
    return np.clip(scores, -_FURTHEST, _FURTHEST)


class Worker:
    """The embedding process, and the texts that lie with it; started when it is first needed.

    ``failures``: how often it crashed, hung or could not be started; after :data:`STARTS_AGAIN` starts again without one
    answer in between it is given up (``gave_up``). ``refused``: texts that it died of, or had no sound answer to.
    """

    def __init__(self, embedder: str = EMBEDDER, patience: float = PATIENCE) -> None:
        """*embedder*: see the worker's ``--embedder``. *patience*: seconds without an answer that count as hanging."""
        self.failures = 0
        self.refused = 0
        self.gave_up = False
        self.process: subprocess.Popen[bytes] | None = None
        self._embedder = embedder
        self._patience = patience
        self._in_a_row = 0
        self._closed = False
        self._lock = threading.Lock()  # close() may come from another thread than embed()
        self._ready = False
        self._number = READY
        self._sent: deque[int] = deque()
        self._since = 0.0  # when it last gave a sign, or was given work while it had none
        self._answers: SimpleQueue[tuple[int, bytes] | None] = SimpleQueue()
        self._finalizer: weakref.finalize[..., Worker] | None = None

    @property
    def usable(self) -> bool:
        return not (self.gave_up or self._closed)

    def embed(self, texts: Sequence[str], seconds: float) -> dict[int, Vectors]:
        """The embeddings, (:data:`WIDTH`,), of what is answered within *seconds*, by place in *texts*; asked in order.

        Starting, if need be, counts too. Never raises: what fails is counted.
        """
        until = time.monotonic() + seconds
        waiting = deque(range(len(texts)))
        places: dict[int, int] = {}  # of the texts that lie with the worker, by number
        found: dict[int, Vectors] = {}
        while (waiting or places) and self.usable and (left := until - time.monotonic()) > 0:
            try:
                if not self._start():
                    break
                while waiting and len(self._sent) < _AHEAD:
                    number = self._next()
                    places[number] = waiting[0]
                    self._send(number, texts[waiting.popleft()])
                answer = self._receive(left)
            except _NothingYetError:
                continue
            except OSError:
                self._failed(places, waiting)
                continue
            if answer is None:
                continue
            number, body = answer
            place = places.pop(number, None)
            vector = np.frombuffer(body, dtype="<f4") if len(body) == 4 * WIDTH else None
            if vector is not None and np.isfinite(vector).all():
                self._in_a_row = 0
                if place is not None:  # else of a batch before, too late for it
                    found[place] = vector.astype(np.float32)
            else:
                self.refused += 1
        return found

    def close(self) -> None:
        """End the process; nothing is embedded from now on. May be called twice."""
        with self._lock:
            self._closed = True
            process = self.process
            if process is not None:
                self._end(process, _GRACE)

    def _start(self) -> bool:
        """Have a process; raises OSError where none can be started. False: closed."""
        with self._lock:
            if self._closed:
                return False
            if self.process is None:
                self._ready = False
                self._sent.clear()
                self._since = time.monotonic()
                self._answers = SimpleQueue()
                self.process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                    [sys.executable, "-m", "sentiment.accurate_worker", "--embedder", self._embedder],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # "-m" looks in the working folder first: it must find this very package there, and nobody else's.
                    cwd=Path(__file__).resolve().parents[1],
                    env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                )
                self._finalizer = weakref.finalize(self, _ended, self.process, 0.0)
                threading.Thread(
                    target=_read, args=(self.process.stdout, self._answers), name="accurate-answers", daemon=True
                ).start()
            return True

    def _next(self) -> int:
        self._number = self._number % 0xFFFFFFFF + 1
        return self._number

    def _send(self, number: int, text: str) -> None:
        """Hand over one text. At most :data:`_AHEAD` lie there, less than what a pipe holds: it cannot block."""
        body = text.encode("utf-8", "replace")
        if not self._sent and self._ready:
            self._since = time.monotonic()
        self._sent.append(number)
        pipe = self.process.stdin if self.process else None
        if pipe is None:
            raise BrokenPipeError
        try:
            pipe.write(FRAME.pack(number, len(body)) + body)
            pipe.flush()
        except ValueError as error:  # closed by close()
            raise BrokenPipeError from error

    def _receive(self, left: float) -> tuple[int, bytes] | None:
        """The next answer; None for the sign that the worker is ready.

        Raises _NothingYetError after *left* seconds, OSError where the process has ended, hangs or speaks nonsense.
        """
        patient = self._since + self._patience - time.monotonic()
        try:
            answer = self._answers.get(timeout=max(min(left, patient), 0.0))
        except Empty:
            if patient <= left:
                raise TimeoutError from None
            raise _NothingYetError from None
        if answer is None:
            raise BrokenPipeError
        self._since = time.monotonic()
        if answer[0] == READY:
            self._ready = True
            return None
        if not self._sent or self._sent.popleft() != answer[0]:
            raise ConnectionError
        return answer

    def _failed(self, places: dict[int, int], waiting: deque[int]) -> None:
        """End the process. The text that it was at is not tried again, what lay behind that one is."""
        if self._closed:
            return
        self.failures += 1
        self._in_a_row += 1
        self.gave_up = self._in_a_row > STARTS_AGAIN
        sent = list(self._sent)
        if self._ready and sent:
            self.refused += 1
            places.pop(sent.pop(0), None)
        waiting.extendleft(places[number] for number in reversed(sent) if number in places)
        places.clear()
        with self._lock:
            if self.process is not None:
                self._end(self.process, 0.0)

    def _end(self, process: subprocess.Popen[bytes], grace: float) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
        self.process = None
        _ended(process, grace)


class _NothingYetError(Exception):
    """The time is over and nothing came, which is nobody's fault."""


def _read(stream: IO[bytes], answers: "SimpleQueue[tuple[int, bytes] | None]") -> None:
    """Frames from *stream* into *answers*, None behind the last; the one thread that reads it, and closes it."""
    with stream:
        while len(header := stream.read(FRAME.size)) == FRAME.size:
            number, size = FRAME.unpack(header)
            answers.put((number, stream.read(size)))
    answers.put(None)


def _ended(process: subprocess.Popen[bytes], grace: float) -> None:
    """Close the input of *process*, which bids it to end; after *grace* seconds kill it. It has ended on return."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it has gone with something left to write
            process.stdin.close()
    try:
        process.wait(grace or 0.001)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class _Asked:
    index: int
    text: str
    targeted: bool


class Accurate:
    """The small model, and where that is unsure the E5 as well; see the module.

    ``asked``: texts that were to be embedded; ``answered``: those that were, in time; ``late``: those that were not.
    """

    name = _ANALYZER

    def __init__(
        self,
        small: Ngram,
        blends: Blends,
        *,
        budget: float = BUDGET,
        unsure: float = UNSURE,
        doubtful: tuple[float, float] = DOUBTFUL,
        worker: Worker | None = None,
    ) -> None:
        """*budget*: seconds of embedding per call of :meth:`score`.

        Unsure is what is less than *unsure* confident, or whose P(negative) lies within *doubtful*.
        """
        self.version = f"{blends.version}+{small.version}"
        self.asked = 0
        self.answered = 0
        self.late = 0
        self._small = small
        self._blends = blends
        self._budget = budget
        self._unsure = unsure
        self._doubtful = doubtful
        self._worker = worker or Worker()

    @property
    def failures(self) -> int:
        """How often the worker crashed, hung or could not be started."""
        return self._worker.failures

    @property
    def gave_up(self) -> bool:
        """Whether the worker failed too often, and the small model answers alone."""
        return self._worker.gave_up

    def score(self, targets: Sequence[Target], /) -> Sequence[Sentiment]:
        found = list(self._small.score(targets))
        if not self._worker.usable:
            return found
        asked: list[_Asked] = []
        for index in sorted(range(len(found)), key=lambda index: -found[index].negative):
            if self._in_doubt(found[index]):
                reading = read(targets[index])
                # What holds no Chinese was judged by other means, whose probabilities the blends do not know.
                if _HAN.search(text := wording(reading)):
                    asked.append(_Asked(index, text, reading.targeted))
        if not asked:
            return found
        vectors = self._worker.embed([one.text for one in asked], self._budget)
        self.asked += len(asked)
        self.answered += len(vectors)
        self.late += len(asked) - len(vectors)
        for blend, targeted in ((self._blends.text, False), (self._blends.target, True)):
            places = [place for place, one in enumerate(asked) if place in vectors and one.targeted is targeted]
            if places:
                mine = [asked[place].index for place in places]
                small = small_scores([found[index] for index in mine])
                shares = blend.scores(small, np.stack([vectors[place] for place in places])).classes()
                for index, three in zip(mine, shares.tolist(), strict=True):
                    found[index] = _rejudged(found[index], three)
        return found

    def close(self) -> None:
        """End the worker; the small model answers alone from now on. May be called twice."""
        self._worker.close()

    def _in_doubt(self, judged: Sentiment) -> bool:
        low, high = self._doubtful
        return judged.label != "unknown" and (judged.confidence < self._unsure or low <= judged.negative <= high)


def _rejudged(judged: Sentiment, shares: list[float]) -> Sentiment:
    best = int(np.argmax(shares))
    negative, neutral, positive = shares
    return replace(
        judged, negative=negative, neutral=neutral, positive=positive, label=_LABELS[best], confidence=shares[best]
    )
