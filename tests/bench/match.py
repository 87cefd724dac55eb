"""``python -m tests.bench.match [POSTS]``: what it costs to match many topics, against a plain loop of ``in``.

POSTS is JSON lines with ``text``, gzipped or not; without it the texts are joined from the project's own corpus. Into six of
ten a name is planted, at a random place. 1,000 topics of 10 aliases each, ``@t NOT (招聘 OR 二手)``; matches carry the
offsets of their words. Processor time of one core, the best of three rounds.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rules.mention import Mention
from rules.query import QueryError, parse
from rules.topic import Matcher, TargetConfig, TopicConfig

CORPUS = Path(__file__).parents[2] / "sentiment/corpus"
MENTIONS = 20_000
SIZES = (10, 100, 1_000, 10_000, 100_000)
_SYLLABLES = (
    "云杉格澜青禾星河远山白鹭松涛海棠竹溪岚峰霞秋长风朗月清泉翠柏锦程瑞麟宏图启明皓宇沐阳晨曦弘毅卓越恒信鼎盛嘉禾"
    "凌霄紫荆澄湖墨香砚池琥珀琉璃珊瑚麒麟鲲鹏凤鸣鹤舞燕归莺歌蝶恋蜂鸟鹿鸣麋角犀照象山狮吼豹变虎跃龙腾"
)
WAYS: dict[str, dict[str, Any]] = {
    "as written, anywhere": {"variants": [], "inside_words": True},
    "as written, not inside words": {"variants": []},
    "all variants": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("posts", nargs="?", type=Path)
    parser.add_argument("--mentions", type=int, default=MENTIONS)
    args = parser.parse_args()
    texts = _texts(args.posts, args.mentions)
    print(
        f"{len(texts):,} texts of {sum(map(len, texts)) / len(texts):.0f} characters (longest {max(map(len, texts)):,})"
    )
    _ways(texts)
    _sizes(texts)
    _brackets()


def names_of(count: int, seed: int = 1) -> list[str]:
    """Invented names of 3 to 5 characters, all different."""
    chance = random.Random(seed)
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(chance.choices(_SYLLABLES, k=chance.randint(3, 5)))] = None
    return list(names)


def planted(texts: Sequence[str], names: Sequence[str]) -> list[Mention]:
    """*texts* as mentions, a name of *names* somewhere in six of ten."""
    chance = random.Random(3)
    mentions = []
    for number, text in enumerate(texts):
        if chance.random() < 0.6:
            at = chance.randint(0, len(text))
            text = f"{text[:at]}{chance.choice(names)}{text[at:]}"  # noqa: PLW2901
        mentions.append(Mention(source="s", channel="c", external_id=str(number), text=text))
    return mentions


def matcher_of(names: Sequence[str], settings: dict[str, Any]) -> Matcher:
    """A topic and a target for every ten names."""
    targets = {
        f"t{at // 10}": TargetConfig(names=tuple(names[at : at + 10]), **settings) for at in range(0, len(names), 10)
    }
    return Matcher(targets, [TopicConfig(id=id_, target=id_, query=f"@{id_} NOT (招聘 OR 二手)") for id_ in targets])


def _texts(posts: Path | None, count: int) -> list[str]:
    if posts is not None:
        read = gzip.open if posts.suffix == ".gz" else open
        with read(posts, "rt", encoding="utf-8") as file:
            texts = [json.loads(line)["text"] for _, line in zip(range(count), file, strict=False)]
        return [text for text in texts if text]
    pieces = [json.loads(line)["text"] for line in (CORPUS / "remarks.jsonl").read_text(encoding="utf-8").splitlines()]
    chance = random.Random(2)
    return ["，".join(chance.choices(pieces, k=chance.choice([1, 1, 2, 2, 3, 5, 12]))) for _ in range(count)]


def _cpu(work: Callable[[], object], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _each(matcher: Matcher, mentions: Sequence[Mention]) -> int:
    """Match all; how many matched, with at least one word placed."""
    matched = 0
    for mention in mentions:
        found = matcher.match(mention)
        if found and found[0].places:
            matched += 1
    return matched


def _ways(texts: Sequence[str]) -> None:
    names = names_of(10_000)
    mentions = planted(texts, names)
    sample = mentions[:300]
    took = _cpu(lambda: [[(name, m.text.find(name)) for name in names if name in m.text] for m in sample], rounds=1)
    print(f"\n10,000 aliases of 1,000 topics\n  {'loop of in':30} {len(sample) / took:10,.0f} mentions/s")
    for way, settings in WAYS.items():
        started = time.perf_counter()
        matcher = matcher_of(names, settings)
        built = time.perf_counter() - started
        matched = _each(matcher, mentions)
        took = _cpu(lambda matcher=matcher: _each(matcher, mentions))
        print(
            f"  {way:30} {len(mentions) / took:10,.0f} mentions/s, {matched / len(mentions):.0%} match,"
            f" {len(matcher.watch.finder.texts):,} spellings, built in {built:.1f} s"
        )


def _sizes(texts: Sequence[str]) -> None:
    """The same posts, planted with names of which ever more are sought."""
    few = texts[: len(texts) // 4]
    names = names_of(SIZES[-1])
    print("\nmicroseconds a mention by the number of aliases (planted: of those sought)")
    print(f"  {'aliases':>8} {'as written':>11} {'variants':>9}")
    for size in SIZES:
        mentions = planted(few, names[:size])
        costs = []
        for settings in ({"variants": [], "inside_words": True}, {}):
            if size > 10_000 and not settings:
                continue  # two million spellings: minutes to build, and nobody has so many brands
            matcher = matcher_of(names[:size], settings)
            costs.append(_cpu(lambda matcher=matcher, mentions=mentions: _each(matcher, mentions)) / len(few) * 1e6)
        shown = f"{costs[1]:9.1f}" if len(costs) > 1 else f"{'–':>9}"
        print(f"  {size:8,} {costs[0]:11.1f} {shown}  {'█' * round(costs[0] / 2)}")


def _brackets() -> None:
    print("\n10 kB of one thing, until it is refused or read")
    for name, text in {
        "brackets": "(" * 10_000,
        "pairs": "()" * 5_000,
        "NEAR": "a NEAR/3 " * 1_100,
        "quotes": '"' * 9_999,
    }.items():
        print(f"  {name:10} {_cpu(lambda text=text: _refused(text)) * 1e3:6.1f} ms")


def _refused(text: str) -> None:
    try:
        parse(text)
    except QueryError:
        return


if __name__ == "__main__":
    main()
