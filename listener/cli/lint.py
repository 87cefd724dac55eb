"""``listener lint``: what in a sound configuration can never do what it says, or is seldom meant."""

import argparse
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from listener.config.lint import Located


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Tells what in a sound configuration can never do what it says (an error) or is seldom meant (a warning), each "
        "with its place and its code. Exits 1 where there is an error."
    )
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("--strict", action="store_true", help="exit 1 on a warning too")
    parser.add_argument("--ignore", action="append", default=[], metavar="CODE", help="not this kind; may be repeated")
    parser.add_argument("--json", action="store_true", help="a JSON line per finding on standard output instead")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError for a configuration that has mistakes."""
    from listener.config.findings import CODES  # noqa: PLC0415 - every model of the program: only once it is needed
    from listener.config.lint import lint  # noqa: PLC0415

    unknown = [code for code in args.ignore if code not in CODES]
    if unknown:
        print(f"listener: there is no code {unknown[0]!r}; the codes are {', '.join(sorted(CODES))}", file=sys.stderr)
        return 2
    found = [one for one in lint(args.config, today=datetime.now(UTC).date()) if one.code not in args.ignore]
    for one in found:
        if args.json:
            print(_line(one))
        else:
            print(one, file=sys.stderr)
    counts = Counter(one.severity for one in found)
    told = ", ".join(f"{counts[kind]} {kind}{'s' if counts[kind] != 1 else ''}" for kind in ("error", "warning"))
    print(f"{args.config}: {told}", file=sys.stderr)
    return 1 if counts["error"] or (args.strict and counts["warning"]) else 0


def _line(one: "Located") -> str:
    where = one.problem
    value = {
        "file": where.file, "line": where.line, "column": where.column, "path": where.path,
        "code": one.code, "severity": one.severity, "message": where.message,
    }  # fmt: skip
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
