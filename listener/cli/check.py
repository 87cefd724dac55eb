"""``listener check``: every mistake in a configuration, or that it is sound."""

import argparse
import sys
from pathlib import Path


def register(parser: argparse.ArgumentParser) -> None:
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument("file", nargs="?", metavar="FILE", help="the configuration")
    named.add_argument("-c", "--config", metavar="FILE", help="the same, as the other commands take it")
    parser.add_argument("-q", "--quiet", action="store_true", help="print mistakes alone")


def run(args: argparse.Namespace) -> int:
    """Answers 1 by way of ConfigError where there are mistakes; what may surprise is told and refuses nothing."""
    from listener.config import check  # noqa: PLC0415 - every model of the program: only once there is a file to read
    from listener.config.packs import pack_folder, pack_rules  # noqa: PLC0415

    name = args.file or args.config
    config, warnings = check(Path(name))
    if not args.quiet:
        for warning in warnings:
            print(f"{warning} (warning)", file=sys.stderr)
        counts = ((config.sources, "source"), (config.topics, "topic"), (config.rules, "rule"))
        print(f"{name}: ok, {', '.join(_counted(len(entries), noun) for entries, noun in counts)}")
        for pack in config.packs:
            rules = [rule for rule in pack_rules(pack.use) if rule not in pack.without]
            shadow = f", {pack.mode}" if pack.mode != "live" else ""
            print(f"pack {pack.use} for {', '.join(pack.topics)}{shadow}: {', '.join(rules)}; {pack_folder(pack.use)}")
    return 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
