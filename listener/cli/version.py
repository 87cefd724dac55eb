"""``listener version``."""

import argparse
import json
import platform
import re
import sys
from pathlib import Path

_DISTRIBUTION = re.compile(r"listener_monitor-(.+)\.dist-info")


def installed_version() -> str:
    """The installed distribution's version; ``unknown`` where the code runs without having been installed.

    Read off the folder that every installer names so (the Recording Installed Projects specification):
    importlib.metadata would take longer than the rest of the program's start.
    """
    for folder in sys.path:
        for path in Path(folder or ".").glob("listener_monitor-*.dist-info"):
            if found := _DISTRIBUTION.fullmatch(path.name):
                return found[1]
    return "unknown"


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON line, with Python's version")


def run(args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps({"version": installed_version(), "python": platform.python_version()}))
    else:
        print(f"listener {installed_version()}")
    return 0
