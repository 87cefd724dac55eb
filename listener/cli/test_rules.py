"""``listener test-rules``: unit tests of rules. A JSON line per test on stdout, what failed on stderr with its place."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.cli.progress import Progress
from listener.problem import ConfigError

if TYPE_CHECKING:
    from listener.ruletests.judge import Verdict
    from listener.ruletests.load import RuleTests


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Runs YAML tests of rules: series of mentions go through the engine on a virtual clock, and the states, events "
        "and messages that come of them are compared with those that the test expects."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of tests, such as surge.test.yml")
    parser.add_argument("--run", default="", metavar="TEXT", help="only the tests whose name holds TEXT")


def run(args: argparse.Namespace) -> int:
    from listener.ruletests.load import read_tests  # noqa: PLC0415 - every model of the program

    files, refused = [], 0
    for path in args.files:
        try:
            files.append(read_tests(path))
        except ConfigError as error:  # the other files are run all the same
            refused += 1
            for problem in error.problems:
                print(problem, file=sys.stderr)
    chosen = [(tests, n) for tests in files for n, test in enumerate(tests.tests) if args.run in test.name]
    passed = 0
    with Progress("test", total=len(chosen)) as progress:
        for tests, number in chosen:
            passed += _one(tests, number)
            progress.advance()
    failed = len(chosen) - passed
    told = f"{len(chosen)} test{'s' if len(chosen) != 1 else ''}: {passed} passed, {failed} failed"
    if refused:
        told += f"; {refused} file{'s' if refused != 1 else ''} refused"
    print(told, file=sys.stderr)
    if not chosen and not refused:
        print(f"listener: no test has {args.run!r} in its name", file=sys.stderr)
    return 1 if failed or refused or not chosen else 0


def _one(tests: "RuleTests", number: int) -> bool:
    from listener.ruletests.judge import judge  # noqa: PLC0415

    verdict = judge(tests, number)
    print(json.dumps(_line(tests.document.file, verdict), ensure_ascii=False, separators=(",", ":")))
    for failure in verdict.failures:
        print(failure.problem, file=sys.stderr)
    return verdict.passed


def _line(file: str, verdict: "Verdict") -> dict[str, Any]:
    line: dict[str, Any] = {
        "file": file,
        "test": verdict.test,
        "passed": verdict.passed,
        "mentions": verdict.mentions,
        "late": verdict.late,
        "failures": [
            {
                "line": failure.problem.line,
                "column": failure.problem.column,
                "expected": failure.expected,
                "seen": failure.seen,
                "because": failure.because,
                "nearest": failure.nearest,
            }
            for failure in verdict.failures
        ],
        "events": [
            {
                "after": (event.at - verdict.start).total_seconds(),
                "rule": event.rule,
                "event": event.event,
                "level": event.level.name,
                "key": dict(event.key),
                "because": event.because.en,
            }
            for event in verdict.events
        ],
    }
    if verdict.sent is not None:
        line["sent"] = [
            {
                "after": (message.at - verdict.start).total_seconds(),
                "receiver": message.receiver,
                "kind": message.kind,
                "reason": message.reason,
            }
            for message in verdict.sent
        ]
    return line
