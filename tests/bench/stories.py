"""``python -m tests.bench.stories [CASCADES]``: what stories find, what they confuse, and what they cost.

Edited copies and look-alikes are made of the project's own corpus (tests/support/edits.py). CASCADES is a folder with
``events.jsonl.gz`` (id, published_at, text) and ``reposts.jsonl.gz`` (event, published_at, text).
"""

import argparse
import gc
import gzip
import itertools
import json
import random
import re
import resource
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from datasketch import MinHash, MinHashLSH

from rules.mention import Mention
from rules.story import Stories
from rules.story_text import passage, post_of
from tests.support.edits import Labelled, Original, base_texts, copy_of, labelled, pairwise

AT_ONCE = 500
START = datetime(2026, 3, 1, tzinfo=UTC)
PERMUTATIONS, THRESHOLD = 64, 0.6


@dataclass(frozen=True, slots=True)
class Told:
    """Per mention its story in the end, and seconds of processor time: to read the mentions, and to place them."""

    stories: list[str]
    reading: float
    placing: float
    memory: Stories


def place(mentions: Sequence[Mention], times: Sequence[datetime] | None = None, **more: int) -> Told:
    """In batches as the pipeline's; those of a file with *times* by the day at most."""
    stories = Stories(**more)
    found: list[str] = []
    aliases: dict[str, str] = {}
    reading = placing = 0.0
    for batch in batches(times or [START] * len(mentions)):
        begin = time.process_time()
        posts = [post_of(mention) for mention in mentions[batch]]
        read = time.process_time()
        placed = stories.place(posts, times[batch] if times else [START] * len(posts))
        placing += time.process_time() - read
        reading += read - begin
        found += [member.story for member in placed.members]
        aliases |= {merge.alias: merge.story for merge in placed.merges}

    def now(story: str) -> str:
        while story in aliases:
            story = aliases[story]
        return story

    return Told([now(story) for story in found], reading, placing, stories)


def batches(times: Sequence[datetime]) -> Iterator[slice]:
    begin = 0
    while begin < len(times):
        end = begin + 1
        while end < min(begin + AT_ONCE, len(times)) and times[end] - times[begin] < timedelta(days=1):
            end += 1
        yield slice(begin, end)
        begin = end


def mentions_of(texts: Iterable[str]) -> list[Mention]:
    return [
        Mention(
            "inbox", "weibo", f"49{number:014}", text, url=f"https://weibo.example/{number % 997}/{number}?from=feed"
        )
        for number, text in enumerate(texts)
    ]


def edits() -> None:
    """Pairwise precision and recall on copies and look-alikes, and what another library makes of the same texts."""
    dice = random.Random(20261128)
    texts = [text for text in base_texts() if len(text) >= 16 and "//@" not in text]
    found = labelled(texts, dice, copies=6)
    dice.shuffle(found)
    told = place(mentions_of(one.text for one in found))
    labels = [one.story for one in found]
    precision, recall = pairwise(labels, told.stories)
    print(f"{len(found):,} texts of {labels and max(labels) + 1:,} stories, six copies each, look-alikes among them")
    print(f"  ours: pairwise precision {precision:.4f}, recall {recall:.4f}")
    print("  copies apart from most of their story: " + ", ".join(apart(found, told.stories)))
    begin = time.process_time()
    peers = datasketch_stories([one.text for one in found])
    took = time.process_time() - begin
    precision, recall = pairwise(labels, peers)
    print(
        f"  datasketch, the same letters' 3-grams, {PERMUTATIONS} permutations, Jaccard {THRESHOLD}: "
        f"precision {precision:.4f}, recall {recall:.4f}; {len(found) / took:,.0f} texts/s, "
        f"ours {len(found) / (told.reading + told.placing):,.0f}"
    )


def apart(found: Sequence[Labelled], stories: Sequence[str]) -> list[str]:
    together = defaultdict(Counter)
    for one, story in zip(found, stories, strict=True):
        together[one.story][story] += 1
    most = {label: counts.most_common(1)[0][0] for label, counts in together.items()}
    kinds, lost = Counter(one.kind for one in found), Counter[str]()
    lost.update(one.kind for one, story in zip(found, stories, strict=True) if story != most[one.story])
    return [f"{kind} {lost[kind] / kinds[kind]:.1%}" for kind in sorted(kinds)]


def datasketch_stories(texts: Sequence[str]) -> list[str]:
    """Connected components of what MinHash LSH says is similar."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    parent = list(range(len(texts)))

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for number, text in enumerate(texts):
        letters = passage("", text)[0]
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([letters[at : at + 3].encode() for at in range(max(len(letters) - 2, 1))])
        for other in index.query(sketch):
            parent[find(number)] = find(other)
        index.insert(number, sketch)
    return [str(find(number)) for number in range(len(texts))]


def mixed_up(count: int, dice: random.Random) -> list[str]:
    """Texts all different, of clauses out of the corpus: each clause stands in some 25 of 100,000."""
    clauses = [clause for text in base_texts() for clause in re.split(r"(?<=[，。！？；\n])", text) if len(clause) > 5]
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(dice.choices(clauses, k=dice.randint(2, 5)))] = None
    return list(found)


def storm(copies: int, others: int) -> None:
    """Near-copies of one text among texts of their own; and what a mention costs."""
    dice = random.Random(1)
    text = "云杉充电宝今早在地铁车厢里突然起火，现场浓烟滚滚，乘客紧急疏散，厂家至今没有给出任何回应"
    original = Original(text, 0)
    near = [text] + [copy_of(original, dice)[0] for _ in range(copies - 1)]
    mixed = [(True, one) for one in near] + [(False, one) for one in mixed_up(others, dice)]
    dice.shuffle(mixed)
    mentions = mentions_of(one for _, one in mixed)
    rates, told = [], None
    gc.collect()
    gc.freeze()  # a running program does not keep what it has placed, so its collector does not look through it either
    for _ in range(3):
        told = place(mentions)
        rates.append(len(mentions) / (told.reading + told.placing))
    assert told is not None
    of_storm = Counter(story for (near_copy, _), story in zip(mixed, told.stories, strict=True) if near_copy)
    story, largest = of_storm.most_common(1)[0]
    strangers = sum(one == story for (near_copy, _), one in zip(mixed, told.stories, strict=True) if not near_copy)
    distinct = len({one for one in near})
    print(f"\n{copies:,} near-copies ({distinct:,} distinct) among {others:,} others")
    print(f"  in one story: {largest:,}; in others: {copies - largest:,}, strangers in it: {strangers}")
    print(f"  crowded {told.memory.crowded}, stories of the others {len({*told.stories} - {*of_storm}):,}")
    print(
        f"  {statistics.median(rates):,.0f} mentions/s on one core (median of 3: "
        f"{', '.join(f'{rate:,.0f}' for rate in rates)}); reading {told.reading / len(mentions) * 1e6:.0f} µs, "
        f"placing {told.placing / len(mentions) * 1e6:.0f} µs a mention"
    )


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def memory(count: int) -> None:
    """Distinct texts, each with an id and an address of its own: the most that a mention can take."""
    mentions = mentions_of(mixed_up(count, random.Random(2)))
    gc.collect()
    before = resident()
    told = place(mentions, most_texts=10**9)
    told.stories.clear()
    gc.collect()
    grown = resident() - before
    mean = statistics.mean(len(mention.text) for mention in mentions)
    print(
        f"\nmemory: {grown:,.0f} MiB for {count:,} mentions, no two alike ({mean:.0f} characters each): "
        f"{grown * 1_000_000 / count:,.0f} MiB per 1 M; {(told.reading + told.placing) / count * 1e6:.0f} µs a mention"
    )


@dataclass(frozen=True, slots=True)
class Cascade:
    """A mention of one, and whether it is a repost with words of its own."""

    event: str
    at: datetime
    comment: str | None


def cascades(folder: Path) -> None:
    """Commented reposts by the platform's id, and by the text alone as it is copied from one platform to another."""
    originals: dict[str, str] = {}
    rows: list[Cascade] = []
    with gzip.open(folder / "events.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            originals[row["id"]] = row["text"]
            rows.append(Cascade(row["id"], datetime.fromisoformat(row["published_at"]), None))
    with gzip.open(folder / "reposts.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows.append(Cascade(row["event"], datetime.fromisoformat(row["published_at"]), row["text"]))
    rows.sort(key=lambda row: (row.at, row.comment is not None))
    print(f"\n{len(originals):,} cascades, {len(rows) - len(originals):,} reposts")
    for name, by_id in (("by repost_of", True), ("by the text alone, as comment//@name:original", False)):
        mentions = [mention_of(row, number, originals, by_id=by_id) for number, row in enumerate(rows)]
        told = place(mentions, [row.at for row in rows], most_texts=10**9)
        report(name, rows, told, originals)


def mention_of(row: Cascade, number: int, originals: dict[str, str], *, by_id: bool) -> Mention:
    original = originals[row.event]
    if row.comment is None:
        return Mention("weibo", "weibo", f"{row.event:>016}", original)
    if by_id:
        return Mention("weibo", "weibo", f"r{number:015}", row.comment or "转发微博", repost_of=f"{row.event:>016}")
    return Mention("weibo", "weibo", f"r{number:015}", f"{row.comment}//@用户:{original}")


def report(name: str, rows: Sequence[Cascade], told: Told, originals: dict[str, str]) -> None:
    home = {row.event: story for row, story in zip(rows, told.stories, strict=True) if row.comment is None}
    commented = [(row, story) for row, story in zip(rows, told.stories, strict=True) if row.comment]
    landed = sum(home[row.event] == story for row, story in commented)
    shares: dict[str, list[bool]] = defaultdict(list)
    for row, story in commented:
        shares[row.event].append(home[row.event] == story)
    mean = statistics.mean(statistics.mean(one) for one in shares.values())
    merged = defaultdict(set)
    for row, story in zip(rows, told.stories, strict=True):
        merged[story].add(row.event)
    pairs = {pair for events in merged.values() for pair in itertools.combinations(sorted(events), 2)}
    alike = sum(similar(originals[one], originals[other]) for one, other in pairs)
    print(
        f"  {name}: {landed / len(commented):.2%} of {len(commented):,} commented reposts in their cascade's story "
        f"(mean over cascades {mean:.2%})\n    cascades that share a story: {len(pairs)} pairs, of which {alike} have one "
        f"text (half of the 3-grams in common): {len(pairs) - alike} false merges\n"
        f"    {len(rows) / (told.reading + told.placing):,.0f} mentions/s"
    )


def similar(one: str, other: str) -> bool:
    mine, theirs = (
        {text[at : at + 3] for at in range(len(text) - 2)} for text in (passage("", one)[0], passage("", other)[0])
    )
    return 2 * len(mine & theirs) >= min(len(mine), len(theirs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--memory", type=int, default=300_000, metavar="N", help="mentions to measure memory with")
    args = parser.parse_args()
    edits()
    storm(10_000, 100_000)
    memory(args.memory)
    if args.folder is not None:
        cascades(args.folder)


if __name__ == "__main__":
    main()
