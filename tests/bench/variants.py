"""``python -m tests.bench.variants [FILE] [--wrong]``: which names are found, and which are taken for one, per kind.

FILE is JSON lines as ``tests/data/variants/README.md`` describes them; without it, the open half of the set. A mention
counts as found where the topic of the target matches; *exact* where also all places found are those of the set.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules.mention import Mention
from rules.topic import Matcher, TargetConfig, TopicConfig

OPEN = Path(__file__).parents[1] / "data/variants/open.jsonl"
SWITCHED_OFF = ("case", "width")  # by ``exact``


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    kind: str
    declared: dict[str, Any]
    text: str
    match: bool
    places: tuple[tuple[int, int], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one kind: positives found, of them exactly, positives, negatives taken for a mention, negatives."""

    found: int = 0
    exact: int = 0
    positives: int = 0
    taken: int = 0
    negatives: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def recall(self) -> float:
        return self.found / self.positives if self.positives else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.taken) if self.found + self.taken else 1.0


def cases(path: Path = OPEN) -> Iterator[Case]:
    for line in path.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        places = zip(value.get("at", ()), value.get("surface", ()), strict=True)
        yield Case(
            value["id"], value["kind"], value["target"], value["text"], value["match"],
            tuple((at, at + len(surface)) for at, surface in places), value["why"],
        )  # fmt: skip


def config(declared: dict[str, Any]) -> TargetConfig:
    """The set's declaration as ours."""
    variants = declared.get("variants")
    listed = [{"homophone": "homophones"}.get(name, name) for name in variants or ()]
    names, aliases = declared["names"], declared.get("aliases", [])
    return TargetConfig(
        names=names,
        aliases=aliases,
        variants=None if variants is None else [name for name in listed if name not in SWITCHED_OFF],
        exact=[] if variants is None else [name for name in SWITCHED_OFF if name not in listed],
        homophones=[*names, *aliases] if declared.get("homophones") else [],
        near=declared.get("near", []),
        unless_near=[*declared.get("unless_near", []), *declared.get("unless_in", [])],
    )


def found(case: Case) -> tuple[tuple[int, int], ...]:
    """Where the target is mentioned."""
    matcher = Matcher({"t": config(case.declared)}, [TopicConfig(id="t", query="@t")])
    matches = matcher.match(Mention(source="s", channel="c", external_id="1", text=case.text))
    return tuple((word.start, word.end) for match in matches for word in match.words)


def judge(case: Case, places: tuple[tuple[int, int], ...]) -> Tally:
    if case.match:
        return Tally(found=bool(places), exact=places == case.places, positives=1)
    return Tally(taken=bool(places), negatives=1)


def score(path: Path = OPEN) -> tuple[dict[str, Tally], list[tuple[Case, tuple[tuple[int, int], ...]]]]:
    """Per kind the tally, and what is wrong or not exact."""
    kinds: dict[str, Tally] = defaultdict(Tally)
    wrong = []
    for case in cases(path):
        places = found(case)
        kinds[case.kind] += judge(case, places)
        if places != case.places:
            wrong.append((case, places))
    return dict(kinds), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=OPEN)
    parser.add_argument("--wrong", action="store_true", help="print what was missed, taken, or found elsewhere")
    args = parser.parse_args()
    kinds, wrong = score(args.file)
    if args.wrong:
        for case, places in wrong:
            said = "elsewhere" if case.match and places else "missed" if case.match else "taken"
            texts = ", ".join(case.text[start:end] for start, end in places)
            print(f"{said:9} {case.id} {case.kind:17} {case.declared} | {case.text} | {texts} | {case.why}")
    print(f"{'kind':20} {'recall':>7} {'exact':>7} {'precision':>9}   positives  negatives")
    for kind, tally in [*sorted(kinds.items()), ("all", sum(kinds.values(), Tally()))]:
        exact = tally.exact / tally.positives if tally.positives else 1.0
        print(
            f"{kind:20} {tally.recall:7.3f} {exact:7.3f} {tally.precision:9.3f}"
            f"   {tally.found}/{tally.positives}  {tally.taken}/{tally.negatives}"
        )


if __name__ == "__main__":
    main()
