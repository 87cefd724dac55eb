"""``listener run``: the main job, until it is told to stop."""

import argparse
import asyncio
import sys
from pathlib import Path


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def run(args: argparse.Namespace) -> int:
    from listener.config import load  # noqa: PLC0415
    from listener.daemon import Daemon  # noqa: PLC0415
    from listener.logs import configure  # noqa: PLC0415
    from listener.storage.database import StorageError  # noqa: PLC0415
    from sentiment import AnalysisError  # noqa: PLC0415

    config = load(args.config)
    configure(level=config.log.level, style=config.log.format)
    daemon = Daemon(args.config, config, say=lambda line: print(line, flush=True))
    try:
        asyncio.run(daemon.run())
    except (StorageError, AnalysisError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # the address of the pages is taken, or not ours
        print(f"listener: {config.web.listen}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0
