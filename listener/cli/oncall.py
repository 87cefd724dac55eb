"""``listener oncall``: who is on duty by each schedule, and who comes next."""

import argparse
import json
import sys
from datetime import datetime
from itertools import islice
from pathlib import Path

from listener.cli.times import moment
from listener.clock import utc_now


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("schedule", nargs="?", metavar="SCHEDULE", help="one schedule's id (default: all)")
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("--at", type=moment, default=None, metavar="TIME", help="as of an RFC 3339 time (default: now)")
    parser.add_argument("--next", type=_count, default=5, metavar="N", help="how many hand-overs to print (default 5)")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """A JSON line per schedule: ``on_duty`` (null: nobody yet) and ``next``, with times in the schedule's zone."""
    from alerts.duty import hand_overs, on_duty  # noqa: PLC0415 - the models of the program: only once they are needed
    from listener.config import load  # noqa: PLC0415

    schedules = load(args.config).on_call.schedules
    if args.schedule is not None and args.schedule not in schedules:
        known = ", ".join(schedules) or "none"
        print(f"listener: there is no schedule {args.schedule!r}; configured: {known}", file=sys.stderr)
        return 1
    at: datetime = args.at or utc_now()
    for name, schedule in schedules.items():
        if args.schedule not in (None, name):
            continue
        later = [
            {"at": when.astimezone(schedule.zone).isoformat(), "receiver": receiver}
            for when, receiver in islice(hand_overs(schedule, at), args.next)
        ]
        line = {
            "schedule": name,
            "zone": schedule.zone.key,
            "at": at.astimezone(schedule.zone).isoformat(),
            "on_duty": on_duty(schedule, at),
            "next": later,
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    return 0
