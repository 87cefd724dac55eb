"""``listener schema``: the configuration's JSON Schema, for editors that complete and check while one types."""

import argparse
import json


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--compact", action="store_true", help="on one line")


def run(args: argparse.Namespace) -> int:
    from listener.config.model import Config  # noqa: PLC0415 - every model of the program: not for --help
    from listener.config.schema import json_schema  # noqa: PLC0415

    print(json.dumps(json_schema(Config), ensure_ascii=False, indent=None if args.compact else 2))
    return 0
