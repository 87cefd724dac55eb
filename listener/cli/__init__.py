"""The command line. JSON lines on stdout, messages on stderr; exit 0 done, 1 refused, 2 wrong usage.

A command is a module with ``register(parser)``, which adds its arguments to its own sub-parser, and ``run(args)``,
which answers the exit code. The module is imported only when its command is chosen: help and version start at once.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives, and what its line in ``listener --help`` says."""

    module: str
    help: str


COMMANDS = {
    "run": Command("listener.cli.run", "listen, judge and alert until stopped"),
    "check": Command("listener.cli.check", "check a configuration and print every mistake in it"),
    "lint": Command("listener.cli.lint", "tell what in a configuration can never work, or is seldom meant"),
    "schema": Command("listener.cli.schema", "print the JSON Schema of the configuration, for editors"),
    "detect": Command("listener.cli.detect", "tell surges in a series of counts, as the baseline condition reads it"),
    "replay": Command("listener.cli.replay", "run recorded mentions through the rules and print the alert events"),
    "forecast": Command("listener.cli.forecast", "print how many alerts a week each rule gives, against the budget"),
    "test-rules": Command("listener.cli.test_rules", "run the unit tests of rules"),
    "score": Command("listener.cli.score", "judge the sentiment of texts"),
    "label": Command("listener.cli.label", "keep people's corrections of judgements, or ask for those that teach most"),
    "train": Command("listener.cli.train", "learn the corrections, or build a model from labelled folders"),
    "match": Command("listener.cli.match", "show which topics mentions match, and on which words"),
    "stories": Command("listener.cli.stories", "print each topic's largest stories, and the words that rise"),
    "collect": Command("listener.cli.collect", "poll sources once and print their mentions, storing nothing"),
    "import": Command("listener.cli.import_", "store mentions from files"),
    "export": Command("listener.cli.export", "print what is stored, line by line"),
    "incident": Command("listener.cli.incident", "list incidents, keep verdicts on them, and measure rules by these"),
    "route": Command("listener.cli.route", "print the route tree, or where an incident would go, and when"),
    "silence": Command("listener.cli.silence", "mute incidents for a time, and see what is muted"),
    "oncall": Command("listener.cli.oncall", "print who is on duty, and the next hand-overs"),
    "notify": Command("listener.cli.notify", "send a test message to a receiver"),
    "db": Command("listener.cli.db", "look after the database"),
    "version": Command("listener.cli.version", "print the version"),
}

REFUSED = 1
USAGE = 2
_INTERRUPTED = 130  # what a shell shows for a program that SIGINT ended
_BROKEN_PIPE = 141  # and for one that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code; wrong usage answers 2 after saying what was wrong."""
    _speak_utf8()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except SystemExit as leaving:  # how argparse ends: after --help, or on wrong usage
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `listener export | head`. What is left in the buffer has nowhere to go, and Python
        # would complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        arguments = ["version"]
    name = arguments[0] if arguments else ""
    module = importlib.import_module(COMMANDS[name].module) if name in COMMANDS else None
    parser = argparse.ArgumentParser(prog="listener", description="Social listening and crisis alerts (舆情监测).")
    parser.add_argument("--version", action="store_true", help="print the version")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for known, command in COMMANDS.items():
        subparser = subparsers.add_parser(known, help=command.help, description=_sentence(command.help))
        if known == name and module is not None:
            module.register(subparser)
    args = parser.parse_args(arguments)
    if module is None:
        parser.error("name a command first (listener --help lists them)")
    if name == "version":
        return int(module.run(args))
    from listener.problem import ConfigError  # noqa: PLC0415 - dataclasses take a while to load: not for help and version

    try:
        return int(module.run(args))
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return REFUSED


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _speak_utf8() -> None:
    """JSON lines are UTF-8 whatever the locale says; a lone surrogate leaves as its JSON escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
