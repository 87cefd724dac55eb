"""``listener incident``: list and show incidents, act on them, read the audit log, and measure rules by the verdicts."""

import argparse
import asyncio
import getpass
import sys
from datetime import timedelta
from pathlib import Path

from alerts import Level
from alerts.handling import STATES
from alerts.verdict import VERDICTS
from listener.asking import FORMS, Asker, AskError, Fault, Form, ask, name_fault
from listener.cli import incident_reading as reading
from listener.cli.times import span
from listener.clock import utc_now
from listener.commands import submit
from listener.config import Config, load
from listener.incident_lines import outcome_line
from listener.storage.database import StorageError
from listener.web.acting import Wanted


def register(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="print the open and the recent incidents")
    listing.add_argument(
        "--last", type=span, default=timedelta(days=7), metavar="TIME", help="how far back (default 7d)"
    )
    listing.add_argument("--state", choices=STATES, help="only those in this state")
    listing.add_argument("--level", choices=tuple(Level.__members__), help="only those at this level")
    listing.add_argument("--topic", metavar="TOPIC", help="only those of this topic")
    listing.add_argument("--owner", metavar="NAME", help="only this person's; '' for nobody's")
    listing.add_argument("--open", action="store_true", default=None, help="only those that are open")
    show = actions.add_parser("show", help="print all of one: where it stands, its timeline, playbook and deliveries")
    show.add_argument("id", metavar="ID", help="its number, such as 12, or its id")
    audit = actions.add_parser("audit", help="print who asked what, when and from where, the newest first")
    audit.add_argument("id", metavar="ID", nargs="?", help="only what was done to this incident")
    audit.add_argument("--most", type=_count, default=100, metavar="N", help="how many (default 100)")
    summary = actions.add_parser("summary", help="precision and time to detect, per rule and month")
    acting = [_register_act(_parser(actions, name, form), name, form) for name, form in FORMS.items()]
    for action in (listing, show, audit, summary, *acting):
        action.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def _parser(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, form: Form
) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=form.help, description=f"{form.help[0].upper()}{form.help[1:]}.")


def _register_act(parser: argparse.ArgumentParser, name: str, form: Form) -> argparse.ArgumentParser:
    parser.add_argument("id", metavar="ID", help="the incident's number, such as 12, or its id")
    if name == "verdict":
        parser.add_argument(
            "value", choices=VERDICTS, help="real: right to tell; noise: not; known: right, and nothing new"
        )
        parser.add_argument(
            "--alert", action="store_true", help="ID is of one alert, also where an incident has the same"
        )
    elif name == "split":
        parser.add_argument("values", metavar="ALERT", nargs="+", help="the alerts that go")
    elif form.value:
        parser.add_argument("value", metavar=form.value)
    parser.add_argument("--by", metavar="NAME", help="who (default: the user)")
    parser.add_argument(
        "--text", "--note", dest="text", default="", required=form.needs_text, metavar="TEXT", help="in your own words"
    )
    parser.add_argument(
        "--revision", type=int, metavar="N", help="refuse where the incident has gone on since this one"
    )
    parser.add_argument(
        "--wait", type=span, default=timedelta(seconds=30), metavar="TIME", help="how long to wait for the program"
    )
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 100000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    try:
        return asyncio.run(_run(config, args))
    except AskError as error:
        for fault in error.faults:
            print(f"listener: {_said_as(fault)} {fault.message}", file=sys.stderr)
        return 2
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1


def _said_as(fault: Fault) -> str:
    return {"incident": "ID", "value": "the value"}.get(fault.field, f"--{fault.field}")


async def _run(config: Config, args: argparse.Namespace) -> int:
    match args.action:
        case "list":
            level = Level[args.level] if args.level else None
            return await reading.listing(
                config, Wanted(args.state, level, args.topic, args.owner, args.open), last=args.last
            )
        case "show":
            return await reading.show(config, args.id)
        case "audit":
            return await reading.audit(config, args.id, most=args.most)
        case "summary":
            return await reading.summary(config)
    return await _act(config, args)


async def _act(config: Config, args: argparse.Namespace) -> int:
    by = getpass.getuser() if args.by is None else args.by
    if faults := name_fault("by", by):
        raise AskError(*faults)
    command = ask(
        args.action,
        args.id,
        Asker(by.strip(), "cli", utc_now()),
        text=args.text,
        value=",".join(args.values) if "values" in args else getattr(args, "value", ""),
        revision=args.revision,
        of_alert=getattr(args, "alert", False),
    )
    outcome = await submit(config, command, wait=args.wait)
    if outcome is None:
        print(
            f"listener: no answer yet; the {args.action} is kept and will be done when the program can", file=sys.stderr
        )
        return 1
    if not outcome.done:
        print(f"listener: {outcome.because.en}", file=sys.stderr)
        return 1
    reading.write(outcome_line(outcome))
    print(f"listener: {outcome.because.en}", file=sys.stderr)
    return 0
