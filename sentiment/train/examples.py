"""Labelled JSON lines to examples. What cannot be read is refused with its file, line and field."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sentiment.sentiment import CATEGORIES
from sentiment.target import Passage, Span, Target

NEGATIVE: Final = 0
NEUTRAL: Final = 1
POSITIVE: Final = 2

_LABELS: Final = {
    "neg": NEGATIVE,
    "negative": NEGATIVE,
    "neu": NEUTRAL,
    "neutral": NEUTRAL,
    "unlabelled": NEUTRAL,  # news titles, neutral all but always
    "nonneg": NEUTRAL,  # of a company: nothing bad is said
    "pos": POSITIVE,
    "positive": POSITIVE,
}
_SKIPPED: Final = frozenset({"mixed", "surprise", "-1"})  # none of the three; -1: a public set's mark for unusable

# The event types of one public set of financial news, as risks; those of the first tuple say nothing bad.
_NO_EVENT: Final = ("其他", "实控人股东变更", "评级调整")
_EVENTS: Final[Mapping[str, str]] = {
    "信批违规": "regulatory",
    "交易违规": "regulatory",
    "涉嫌违法": "regulatory",
    "不能履职": "people",
    "高管负面": "people",
    "涉嫌非法集资": "fraud",
    "涉嫌传销": "fraud",
    "涉嫌欺诈": "fraud",
    "提现困难": "fraud",
    "失联跑路": "fraud",
    "重组失败": "finance_legal",
    "业绩下滑": "finance_legal",
    "财务造假": "finance_legal",
    "资金账户风险": "finance_legal",
    "资产负面": "finance_legal",
    "歇业停业": "finance_legal",
    "公司股市异常": "finance_legal",
    "投诉维权": "service",
    "产品违规": "product_safety",
}


class ExampleError(Exception):
    """A line that is no example; the message names file, line and field."""


@dataclass(frozen=True, slots=True)
class Example:
    """A target and what is known of it. ``risks``: the categories that hold, None where nobody looked."""

    target: Target
    label: int
    source: str
    risks: frozenset[str] | None = None
    kind: str = ""
    group: str = ""


def read_folder(folder: Path) -> list[Example]:
    """All ``*.jsonl`` and ``*.jsonl.gz`` of *folder*, in the order of their names; the source is the file's name."""
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not files:
        raise ExampleError(f"{folder}: holds no *.jsonl and no *.jsonl.gz")
    return [example for path in files for example in read_file(path)]


def read_file(path: Path, source: str | None = None) -> Iterator[Example]:
    """The examples of one file; of a line that names entities, one for each."""
    name = source or path.name.removesuffix(".gz").removesuffix(".jsonl")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield from read_row(json.loads(line), name)
            except (ValueError, RecursionError, ExampleError) as error:
                raise ExampleError(f"{path}:{number}: {error}") from error


def read_row(row: Mapping[str, Any], source: str) -> Iterator[Example]:
    """One line's examples: none for a label that is none of the three."""
    if not isinstance(row, dict):
        raise ExampleError("is no JSON object")
    text, label = _string(row, "text"), _string(row, "label")
    title = _string(row, "title") if row.get("title") is not None else None
    if label in _SKIPPED:
        return
    risks = _risks(row)
    if label in _NO_EVENT or label in _EVENTS:
        risks = frozenset({_EVENTS[label]} if label in _EVENTS else ())
        label = "negative" if label in _EVENTS else "neutral"
    if label not in _LABELS:
        raise ExampleError(f"label: {label!r} is none of {', '.join(_LABELS)}")
    if "entities" in row:
        yield from _entities(row, text, title or None, _LABELS[label], source)
        return
    target, others = _names(row, "target"), _names(row, "others")
    if "domain" in row or "pos" in row or target == ["NaN"]:
        target = []  # the aspect of a review, or a company that the text need not name: no brand
    yield Example(
        target_of(text, title or None, target, others),
        _LABELS[label],
        source,
        risks,
        kind=str(row.get("kind", "")),
        group=str(row.get("writer") or row.get("brand") or ""),
    )


def _entities(row: Mapping[str, Any], text: str, title: str | None, label: int, source: str) -> Iterator[Example]:
    bad, names = set(_names(row, "neg_entities")), _names(row, "entities")
    if not names:
        yield Example(target_of(text, title, [], []), label, source)
    for name in names:
        # "北银" inside "北银创投" is a part of a longer name: who bears that one is judged by it alone.
        others = [other for other in names if other != name]
        target = target_of(text, title, [name], others)
        if target.text.brand or (target.title and target.title.brand):
            yield Example(target, NEGATIVE if name in bad else NEUTRAL, source, group=name)


def _string(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise ExampleError(f"{field}: {'is missing' if value is None else 'must be a string'}")
    return value


def _names(row: Mapping[str, Any], field: str) -> list[str]:
    value = row.get(field) or []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ExampleError(f"{field}: must be a string or a list of strings")
    return [name for name in names if name]


def _risks(row: Mapping[str, Any]) -> frozenset[str] | None:
    if "risk" not in row:
        return None
    for category in (found := _names(row, "risk")):
        if category not in CATEGORIES:
            raise ExampleError(f"risk: {category!r} is none of {', '.join(CATEGORIES)}")
    return frozenset(found)


def target_of(text: str, title: str | None, target: Sequence[str], others: Sequence[str]) -> Target:
    """The target whose names stand in *text* and *title*; where names overlap, the longest holds."""
    return Target(_passage(text, target, others), _passage(title, target, others) if title else None)


def _passage(text: str, target: Sequence[str], others: Sequence[str]) -> Passage:
    taken: list[tuple[int, int, bool]] = []
    names = [(name, True) for name in dict.fromkeys(target)] + [(name, False) for name in dict.fromkeys(others)]
    for name, is_brand in sorted(names, key=lambda pair: -len(pair[0])):
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            if all(end <= start or stop <= at for start, stop, _ in taken):
                taken.append((at, end, is_brand))
            at = text.find(name, end)
    taken.sort()
    return Passage(
        text,
        tuple(Span(start, end) for start, end, brand in taken if brand),
        tuple(Span(start, end) for start, end, brand in taken if not brand),
    )


def without_names(examples: Iterable[Example]) -> list[Example]:
    """The same texts with no brand marked."""
    return [
        Example(
            Target(Passage(e.target.text.text), Passage(e.target.title.text) if e.target.title else None),
            e.label,
            e.source,
            e.risks,
            e.kind,
            e.group,
        )
        for e in examples
    ]
