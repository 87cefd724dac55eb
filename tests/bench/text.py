"""``python -m tests.bench.text [FOLDER]``: what scoring and matching cost, and with labelled sets how often it is right.

FOLDER holds ``*.jsonl`` or ``*.jsonl.gz`` with ``text`` and ``label`` (neg, neu, pos or in full). Both analyzers judge
the same rows, at most ``--rows`` of a set, drawn with a fixed seed.
"""

import argparse
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rules.mention import Mention
from rules.topic import Matcher, TargetConfig, TopicConfig
from sentiment import Analyzer, Passage, Span, Target
from sentiment.config import BayesConfig, SnowNLPConfig

LABELS = {name: label for label in ("negative", "neutral", "positive") for name in (label, label[:3])}
SYLLABLES = "云杉格澜青果禾苗星河远山白鹭松涛海棠竹溪岚峰明霞秋水长风朗月清泉翠柏"
CLAUSES = [
    "昨天刚买的手机，充电的时候突然发烫",
    "客服说这是正常现象，让我再等三天",
    "用了半年没有任何问题，非常满意",
    "朋友推荐的，屏幕很清晰",
    "价格比上个月便宜了两百块",
    "物流太慢了，等了一个星期",
    "系统更新之后经常死机，真的很失望",
    "发布会上说续航有两天",
    "拍照效果出乎意料地好",
    "包装破损，里面的配件也少了一个",
    "周末去门店看了看，人很多",
    "这次的新品什么时候开卖？",
    "has anyone tried the new one?",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=300)
    args = parser.parse_args()
    analyzers = [_timed_build("bayes", BayesConfig().build), _timed_build("snownlp", SnowNLPConfig().build)]
    _speed(analyzers)
    _matching()
    if args.folder is not None:
        _accuracy(analyzers, args.folder, args.rows)


def _timed_build(name: str, build: Callable[[], Analyzer]) -> Analyzer:
    started = time.perf_counter()
    analyzer = build()
    print(f"{name}: built in {time.perf_counter() - started:.2f} s")
    return analyzer


def _names(count: int, seed: int) -> list[str]:
    """Invented brand names, all different."""
    chance = random.Random(seed)
    names: dict[str, None] = {}
    while len(names) < count:
        names[
            "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
            + chance.choice(["科技", "数码", "", "电子", "Lab"])
        ] = None
    return list(names)


def _posts(count: int, names: Sequence[str], seed: int = 2) -> list[str]:
    """Posts of one to five clauses, about 50 characters; three of four name a brand."""
    chance = random.Random(seed)
    posts = []
    for _ in range(count):
        clauses = chance.choices(CLAUSES, k=chance.randint(1, 5))
        if chance.random() < 0.75:
            clauses.insert(chance.randrange(len(clauses) + 1), f"{chance.choice(names)}的产品")
        posts.append("。".join(clauses))
    return posts


def _cpu(work: Callable[[], object], rounds: int) -> float:
    """The median processor time of *work*, in seconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def _speed(analyzers: Sequence[Analyzer]) -> None:
    posts = _posts(2_000, ["云杉科技"])
    whole = [Target(Passage(text)) for text in posts]
    aimed = [Target(Passage(text, brand=_spans(text, "云杉科技"))) for text in posts]
    print(f"\nscoring, one core, median of 5, posts of {statistics.mean(map(len, posts)):.0f} characters")
    rates: dict[str, float] = {}
    for analyzer in analyzers:
        count = 2_000 if analyzer.name == "bayes" else 60
        for kind, targets in (("whole text", whole[:count]), ("towards the target", aimed[:count])):
            rate = count / _cpu(lambda analyzer=analyzer, targets=targets: analyzer.score(targets), 5)
            rates[f"{analyzer.name} {kind}"] = rate
            print(f"  {analyzer.name:8} {kind:20} {rate:10,.0f} texts/s")
    print(f"  bayes / snownlp, whole text: {rates['bayes whole text'] / rates['snownlp whole text']:.0f} times")


def _spans(text: str, name: str) -> tuple[Span, ...]:
    at = text.find(name)
    return (Span(at, at + len(name)),) if at >= 0 else ()


def _matching() -> None:
    print("\nmatching, one core, median of 3, 5,000 posts; a name is planted in three of four")
    for topics in (10, 100, 1_000, 5_000):
        names = _names(topics * 10, seed=1)
        targets = {f"t{number}": TargetConfig(names=names[number * 10 : number * 10 + 10]) for number in range(topics)}
        configs = [
            TopicConfig(id=name, target=name, query=f"@{name} AND (产品 OR 手机) NOT (招聘 OR 二手)")
            for name in targets
        ]
        started = time.perf_counter()
        matcher = Matcher(targets, configs)
        built = time.perf_counter() - started
        posts = _posts(5_000, names)
        mentions = [Mention(source="s", channel="c", external_id=str(at), text=text) for at, text in enumerate(posts)]
        matched = sum(bool(matcher.match(mention)) for mention in mentions)
        took = _cpu(lambda matcher=matcher, mentions=mentions: [matcher.match(mention) for mention in mentions], 3)
        print(
            f"  {topics:6,} topics, {len(names):7,} names: {5_000 / took:10,.0f} mentions/s,"
            f" {matched / 50:.0f} % match, built in {built:.2f} s"
        )


def _accuracy(analyzers: Sequence[Analyzer], folder: Path, most: int) -> None:
    print(f"\nagreement with labels, at most {most} rows of a set (accuracy of the two classes by the larger share;")
    print("F1 of negative; where neutrals are labelled: macro-F1 of three classes, share of neutrals called negative)")
    sums: dict[str, list[tuple[float, float]]] = {}
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        rows = _rows(path, most)
        if rows is None:
            continue
        for analyzer in analyzers:
            answers = analyzer.score([Target(Passage(text)) for text, _ in rows])
            sided = [
                (label, "positive" if answer.positive > answer.negative else "negative")
                for (_, label), answer in zip(rows, answers, strict=True)
                if label != "neutral"
            ]
            right = statistics.mean(label == answer for label, answer in sided)
            negative = _f1("negative", sided)
            sums.setdefault(analyzer.name, []).append((right, negative))
            three = [(label, answer.label) for (_, label), answer in zip(rows, answers, strict=True)]
            neutrals = [answer for label, answer in three if label == "neutral"]
            more = ""
            if neutrals:
                macro = statistics.mean(_f1(label, three) for label in ("negative", "neutral", "positive"))
                more = f"  {macro:.3f}  {statistics.mean(answer == 'negative' for answer in neutrals):.2f}"
            print(f"  {path.name.split('.')[0]:26} {len(rows):5} {analyzer.name:8} {right:.3f} {negative:.3f}{more}")
    for name, figures in sums.items():
        print(f"  mean of {len(figures)} sets: {name:8} {_mean(figures, 0):.3f} {_mean(figures, 1):.3f}")


def _rows(path: Path, most: int) -> list[tuple[str, str]] | None:
    """Rows with one of the three labels, or None where there are not both sides of one."""
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8") as file:
        values = [json.loads(line) for line in file]
    rows = [(value["text"], LABELS[value["label"]]) for value in values if value.get("label") in LABELS]
    random.Random(0).shuffle(rows)
    return rows[:most] if {"negative", "positive"} <= {label for _, label in rows} else None


def _f1(label: str, pairs: Sequence[tuple[str, str]]) -> float:
    true = sum(one == other == label for one, other in pairs)
    return 2 * true / max(sum(one == label for one, _ in pairs) + sum(other == label for _, other in pairs), 1)


def _mean(figures: Sequence[tuple[float, float]], index: int) -> float:
    return statistics.mean(figure[index] for figure in figures)


if __name__ == "__main__":
    main()
