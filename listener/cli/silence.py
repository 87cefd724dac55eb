"""``listener silence``: mute incidents for a time, end that early, see what is muted and what would have been."""

import argparse
import asyncio
import getpass
import json
import sys
from datetime import timedelta
from pathlib import Path

from alerts import Level
from alerts.command import Command, Outcome
from alerts.silence import LONGEST
from listener.cli.times import moment, span
from listener.cli.tried import Json
from listener.clock import utc_now
from listener.commands import submit
from listener.config import Config, load
from listener.silence_desk import MatchError, matchers, preview
from listener.silence_lines import concerned_line, preview_lines, silence_line
from listener.storage import silences
from listener.storage.database import Database, StorageError
from listener.yaml_scalars import duration_text

_MOST = 2000


def register(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    add = actions.add_parser("add", help="keep receivers from hearing of some incidents for a time")
    preview = actions.add_parser("preview", help="print what a silence would have hidden in the last 7 days")
    for one in (add, preview):
        one.add_argument(
            "match", nargs="*", metavar="LABEL=VALUE", help="labels of the incidents; VALUE,VALUE for one of several"
        )
        one.add_argument("--incident", metavar="ID", help="one incident, by its number or id")
        highest = one.add_mutually_exclusive_group()
        highest.add_argument(
            "--up-to", choices=[level.name for level in Level if level < Level.red], metavar="LEVEL",
            help="the highest level to silence; default: what is open now and matches, orange where nothing is",
        )  # fmt: skip
        highest.add_argument("--red", action="store_true", help="silence red too")
    add.add_argument("--for", dest="lasts", type=span, metavar="TIME", help="how long, 7d at most")
    add.add_argument("--until", type=moment, metavar="TIME", help="its end, RFC 3339")
    add.add_argument("--from", dest="starts", type=moment, metavar="TIME", help="its start; now where not given")
    add.add_argument("--reason", type=_text, required=True, metavar="TEXT", help="why")
    add.add_argument("--dry-run", action="store_true", help="do nothing; print what preview prints")
    end = actions.add_parser("end", help="end a silence before its time")
    end.add_argument("number", metavar="NUMBER")
    listing = actions.add_parser("list", help="print the silences that are not over")
    listing.add_argument("--all", action="store_true", help="those that are over too")
    show = actions.add_parser("show", help="print a silence, and the incidents that have been under it")
    show.add_argument("number", type=int, metavar="NUMBER")
    for one in (add, end):
        one.add_argument("--by", type=_name, metavar="NAME", help="who says so (default: the user)")
        one.add_argument(
            "--wait", type=span, default=timedelta(seconds=30), metavar="TIME", help="how long to wait for the program"
        )
    for one in (add, end, listing, show, preview):
        one.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100:
        raise argparse.ArgumentTypeError("a name has 1 to 100 characters")
    return text


def _text(text: str) -> str:
    if not text.strip() or len(text) > _MOST:
        raise argparse.ArgumentTypeError(f"a reason has 1 to {_MOST} characters")
    return text


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError. 2 for labels and times that cannot be."""
    config = load(args.config)
    try:
        if args.action in {"add", "preview"}:
            return _add(config, args)
        if args.action == "end":
            command = Command("unsilence", args.number, args.by or getpass.getuser(), "cli", utc_now())
            return _answer(asyncio.run(submit(config, command, wait=args.wait)))
        if args.action == "list":
            return asyncio.run(_list(config, everything=args.all))
        return asyncio.run(_show(config, args.number))
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1


def _add(config: Config, args: argparse.Namespace) -> int:
    try:
        asked = _asked(args)
        matchers(asked)
    except MatchError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 2
    payload = {"match": json.dumps(asked, ensure_ascii=False), "level": "red" if args.red else args.up_to or ""}
    if args.action == "preview":
        payload |= {"reason": "preview", "for": duration_text(LONGEST)}
    else:
        payload["reason"] = args.reason
        payload |= {"from": args.starts.isoformat()} if args.starts else {}
        payload |= {"until": args.until.isoformat()} if args.until else {"for": f"{int(args.lasts.total_seconds())}s"}
    by = getattr(args, "by", None) or getpass.getuser()
    command = Command("silence", args.incident or "", by, "cli", utc_now(), payload)
    if args.action == "preview" or args.dry_run:
        return asyncio.run(_preview(config, command))
    return _answer(asyncio.run(submit(config, command, wait=args.wait)))


def _asked(args: argparse.Namespace) -> dict[str, list[str]]:
    """Labels and their values. Raises MatchError, also for what else cannot be."""
    asked: dict[str, list[str]] = {}
    for text in args.match:
        name, equals, values = text.partition("=")
        if not equals or name in asked:
            raise MatchError(f"{text!r}: write LABEL=VALUE, each label once")
        asked[name] = values.split(",")
    if not asked and args.incident is None:
        raise MatchError("name labels of the incidents, or one with --incident")
    if args.action == "add" and (args.lasts is None) == (args.until is None):
        raise MatchError("say how long with --for, or until when with --until")
    return asked


def _answer(outcome: Outcome | None) -> int:
    if outcome is None:
        print(
            "listener: no answer yet; what was asked is kept and will be applied when the program can", file=sys.stderr
        )
        return 1
    if not outcome.done:
        print(f"listener: {outcome.because.en}", file=sys.stderr)
        return 1
    _write({"done": True, "because": {"zh": outcome.because.zh, "en": outcome.because.en}})
    return 0


async def _preview(config: Config, command: Command) -> int:
    """A line per incident of the last 7 days that it would have concerned, then one that counts them."""
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("silences") as connection:
            found = await preview(connection, command, command.at)
    finally:
        await database.close()
    if isinstance(found, Outcome):
        return _answer(found)
    lines, summary = preview_lines(found)
    for line in lines:
        _write(line)
    _write({"would_have_hidden": summary})
    return 0


async def _list(config: Config, *, everything: bool) -> int:
    now = utc_now()
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("silences") as connection:
            found = await silences.listed(connection, over_after=None if everything else now)
            for one in found:
                _write(silence_line(one, await silences.stayed(connection, one), now))
    finally:
        await database.close()
    return 0


async def _show(config: Config, number: int) -> int:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("silences") as connection:
            found = await silences.get(connection, number)
            under = await silences.stayed(connection, found) if found else []
    finally:
        await database.close()
    if found is None:
        print(f"listener: there is no silence {number}", file=sys.stderr)
        return 1
    _write(silence_line(found, under, utc_now()))
    for incident, stay in under:
        broke = {"since": stay.since.isoformat(), "broke_through": stay.broke is not None}
        _write({**concerned_line(incident), **broke})
    return 0


def _write(value: Json) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
