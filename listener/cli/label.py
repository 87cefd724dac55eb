"""``listener label``: what people say of judgements, kept for ``listener train``."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from listener.cli.lines import Lines
from listener.cli.score import BadLine, line_of, target_of
from listener.config import load
from sentiment import AnalysisError
from sentiment.ngram import Ngram, shipped
from sentiment.train.examples import ExampleError, read_row
from sentiment.train.review import alike, plain, to_ask
from sentiment.versions import current

LABELS = "labels.jsonl"
_KEPT = ("text", "title", "target", "others", "label")
_AT_ONCE = 512


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Keeps lines such as {"text": "云杉手机发布会改期", "target": ["云杉"], "label": "neutral"} beside the models; a '
        "later label of the same text and target replaces an earlier one. With --ask, prints what a label would teach most."
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="LINES", help="JSON lines; none: standard input")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "-c", "--config", type=Path, metavar="FILE", help="take the folder of models from this configuration"
    )
    where.add_argument("--models", type=Path, metavar="DIR", help="the folder of models and corrections")
    parser.add_argument(
        "--ask",
        type=int,
        metavar="N",
        help="label nothing: print the N lines on which the model wavers most, one of a kind",
    )
    parser.add_argument(
        "--spread", type=Path, metavar="LINES", help="give each label to its near-duplicates in these lines as well"
    )


def models_folder(args: argparse.Namespace) -> Path | None:
    """Where models and corrections lie, by ``--models`` or the configuration; None where neither says it."""
    if args.models is not None:
        return Path(args.models)
    if args.config is None:
        return None
    config = load(args.config)
    models = getattr(config.sentiment, "models", None)
    return config.base / models if models is not None else None


def run(args: argparse.Namespace) -> int:
    folder = models_folder(args)
    if folder is None:
        print(f"listener: {args.config}: sentiment.models is not set; labels are kept there", file=sys.stderr)
        return 1
    lines = Lines(args.files)
    try:
        if args.ask is not None:
            _ask(lines, folder, args.ask)
        else:
            _keep(lines, folder, args.spread)
    except AnalysisError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 1 if lines.refused else 0


def _ask(lines: Lines, folder: Path, count: int) -> None:
    rows: list[dict[str, Any]] = []
    targets = []
    for line in lines:
        try:
            row, asked = line_of(line)
            targets.append(target_of(asked))
        except BadLine as error:
            lines.refuse(str(error))
            continue
        rows.append({key: row[key] for key in _KEPT if key in row and key != "label"})
    analyzer = Ngram(current(folder) or shipped("standard"))
    judged = [one for at in range(0, len(targets), _AT_ONCE) for one in analyzer.score(targets[at : at + _AT_ONCE])]
    for index in to_ask([(row["text"], one) for row, one in zip(rows, judged, strict=True)], count):
        print(json.dumps({**rows[index], "guess": judged[index].label, "label": None}, ensure_ascii=False))


def _keep(lines: Lines, folder: Path, spread: Path | None) -> None:
    path = folder / LABELS
    kept = {_key(row): row for row in _read(path)}
    new: list[dict[str, Any]] = []
    for line in lines:
        try:
            row, _ = line_of(line)
            learnt = list(read_row(row, "corrections"))
        except (BadLine, ExampleError) as error:
            lines.refuse(str(error))
            continue
        if not learnt:
            lines.refuse(f"label: {row['label']!r} cannot be learnt from")
            continue
        new.append(_kept(row))
    spread_to = _spread(new, spread, lines) if spread else []
    for row in [*spread_to, *new]:  # a person's own label of a text is above one that was spread to it
        kept[_key(row)] = row
    _write(path, list(kept.values()))
    print(json.dumps({"kept": len(new), "spread": len(spread_to), "in_all": len(kept)}))


def _spread(labelled: list[dict[str, Any]], path: Path, lines: Lines) -> list[dict[str, Any]]:
    said = [(plain(row["text"]), row) for row in labelled]
    found = []
    others = Lines([path])
    for line in others:
        try:
            row, _ = line_of(line)
        except BadLine as error:
            others.refuse(str(error))
            continue
        text = plain(row["text"])
        for other, label in said:
            same_brand = not row.get("target") or _names(row["target"]) == _names(label.get("target"))
            if row["text"] != label["text"] and same_brand and alike(text, other):
                copy: dict[str, Any] = {key: label[key] for key in ("target", "others") if key in label}
                found.append({**copy, **_kept(row), "label": label["label"]})
                break
    lines.refused += others.refused
    return found


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    """What of a line is kept: its text always, the rest where it says something."""
    return {key: row[key] for key in _KEPT if key == "text" or row.get(key)}


def _key(row: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    return row["text"], row.get("title") or "", _names(row.get("target"))


def _names(target: str | list[str] | None) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else tuple(target or ())


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise AnalysisError("label", f"{path}: is no review set: {error}") from error


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """The whole file anew, in one step: a crash leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")  # in ASCII: a lone surrogate may stand in a text
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
